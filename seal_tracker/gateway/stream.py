"""Frames out of a stream, however TCP has cut it. Pure: fed with bytes, answers with frames; one object a connection.

State: the bytes of a frame that is not all there yet, at most the format's longest. The caller keeps the time, and drops who is
slow. A part of a message is a frame as any other: it is answered by itself, as devices wait for, and the service joins it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from seal_tracker.decoders.frame import Format

__all__ = ["MAX_GARBAGE", "Delivery", "FrameStream"]

MAX_GARBAGE: Final = 3
"""Pieces that are no frames before a connection is given up: noise on a line is one, another protocol is all."""


@dataclass(slots=True)
class Delivery:
    """What is published as one: a frame, or bytes that are none. The device is answered for a frame alone."""

    payload: bytes
    is_frame: bool = True


class FrameStream:
    """The stream of one connection in one format.

    Raises
    ------
    ValueError
        The format is not spoken over TCP.
    """

    def __init__(self, found: Format) -> None:
        if found.link is None:
            raise ValueError(f"{found.name} is not spoken over TCP")
        self._link = found.link
        self._buffer = bytearray()
        self._garbage = 0

    @property
    def incomplete(self) -> bool:
        """Whether the beginning of a frame waits for its rest."""
        return bool(self._buffer.strip(self._link.filler))

    def receive_data(self, data: bytes) -> list[Delivery]:
        """Take what was received; give what is complete."""
        self._buffer += data
        found: list[Delivery] = []
        while self._buffer:
            used, garbage, shared = self._link.cut(self._buffer)
            if not used and len(self._buffer) <= self._link.max_bytes:
                break
            if not used or used > self._link.max_bytes:
                used, garbage, shared = min(len(self._buffer), self._link.max_bytes), True, False
            piece = bytes(self._buffer[:used])
            del self._buffer[: used - shared]
            if not garbage:
                found.append(Delivery(piece))
            elif piece.strip(self._link.filler):
                self._garbage += 1
                found.append(Delivery(piece, is_frame=False))
        return found

    @property
    def hopeless(self) -> bool:
        """Whether so much was no frame that the connection should end."""
        return self._garbage >= MAX_GARBAGE

    def end(self) -> list[Delivery]:
        """What is left when the connection ends: a frame cut short."""
        left = [Delivery(bytes(self._buffer), is_frame=False)] if self.incomplete else []
        self._buffer.clear()
        return left
