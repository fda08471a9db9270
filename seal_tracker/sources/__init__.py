"""Sources: bytes in, acknowledgement out. ``mqtt`` is live, ``file`` reads recorded traces."""
