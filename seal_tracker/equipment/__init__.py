"""Cameras, scanners and readers as things that customs answer for: since when they are watched, and how available they were. Pure."""
