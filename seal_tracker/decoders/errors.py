"""What can go wrong between bytes and pings.

::

    DecodeError        nothing of the payload became a ping
    └── FrameError     it went wrong at a byte that is known
"""

from __future__ import annotations

__all__ = ["DecodeError", "FrameError"]


class DecodeError(ValueError):
    """The payload as a whole is no ping; its text names the member, the value and what was expected."""

    @property
    def reason(self) -> str:
        """The sentence that the dead letter carries."""
        return str(self)


class FrameError(DecodeError):
    """A frame is wrong at ``byte`` of the payload as received, counted from 0; the text begins with it."""

    def __init__(self, byte: int, why: str) -> None:
        super().__init__(f"byte {byte}: {why}")
        self.byte = byte
        self.why = why
