"""What can go wrong between bytes and pings.

::

    DecodeError        nothing of the payload became a ping
"""

from __future__ import annotations

__all__ = ["DecodeError"]


class DecodeError(ValueError):
    """The payload as a whole is no ping; its text names the member, the value and what was expected."""

    @property
    def reason(self) -> str:
        """The sentence that the dead letter carries."""
        return str(self)
