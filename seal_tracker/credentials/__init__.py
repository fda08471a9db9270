"""Seals' own MQTT accounts: made, changed and taken back here, enforced by the broker. ``callout`` and ``passwords`` are pure."""
