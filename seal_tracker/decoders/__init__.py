"""Decoders: one file a wire format, pure functions from bytes to pings, and pings to columns."""
