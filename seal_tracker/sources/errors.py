"""What can go wrong where bytes come in.

::

    SourceError
    ├── SubscriptionRefusedError   the broker does not let us read what we are configured to read
    ├── ProtocolError              the broker sent what is no MQTT
    └── TraceError                 a recorded trace that cannot be read at all
"""

from __future__ import annotations

__all__ = ["ProtocolError", "SourceError", "SubscriptionRefusedError", "TraceError"]


class SourceError(Exception):
    """Anything of this package."""


class SubscriptionRefusedError(SourceError):
    """The broker refused a subscription: the account may not read that topic."""

    def __init__(self, refused: list[str]) -> None:
        super().__init__(
            f"the broker refused the subscription to {', '.join(refused)}: allow it to this account"
        )
        self.refused = refused


class ProtocolError(SourceError):
    """The peer does not speak MQTT 3.1.1; the connection is given up."""


class TraceError(SourceError):
    """A trace file that as a whole is no trace: named, with what was expected."""

    def __init__(self, file: str, what: str) -> None:
        super().__init__(f"{file}: {what}")
        self.file = file
        self.what = what
