"""Webhooks: events as signed HTTP requests to those who asked for them. What is decided is pure; ``sender`` does the I/O."""
