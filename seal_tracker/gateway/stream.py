"""Frames out of a stream, however TCP has cut it. Pure: fed with bytes, answers with frames; one object a connection.

State: the bytes of a frame that is not all there yet, at most the format's longest; and the parts of messages whose other
parts are still to come, at most ``MAX_PARTS``. The caller keeps the time, and drops who is slow.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from seal_tracker.decoders.frame import Format

__all__ = ["MAX_GARBAGE", "Delivery", "FrameStream"]

MAX_GARBAGE: Final = 3
"""Pieces that are no frames before a connection is given up: noise on a line is one, another protocol is all."""

MAX_PARTS: Final = 64
"""Parts held for messages that are not complete; the oldest message's are sent on as they are when more come."""


@dataclass(slots=True)
class Delivery:
    """What is published as one: a frame, the parts of a message in their order, or bytes that are no frame (``frames`` empty).

    ``frames`` are what the device is answered for, each by itself.
    """

    payload: bytes
    frames: list[bytes] = field(default_factory=list)


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
        self._format = found
        self._link = found.link
        self._buffer = bytearray()
        self._parts: dict[str, dict[int, bytes]] = {}
        self._garbage = 0

    @property
    def incomplete(self) -> bool:
        """Whether the beginning of a frame waits for its rest."""
        return bool(self._buffer)

    def receive_data(self, data: bytes) -> list[Delivery]:
        """Take what was received; give what is complete."""
        self._buffer += data
        found: list[Delivery] = []
        while self._buffer:
            used, garbage = self._link.cut(self._buffer)
            if not used and len(self._buffer) <= self._link.max_bytes:
                break
            if not used or used > self._link.max_bytes:
                used, garbage = min(len(self._buffer), self._link.max_bytes), True
            piece = bytes(self._buffer[:used])
            del self._buffer[:used]
            if not garbage:
                found += self._complete(piece)
            elif piece.strip():
                self._garbage += 1
                found.append(Delivery(piece))
        return found

    @property
    def hopeless(self) -> bool:
        """Whether so much was no frame that the connection should end."""
        return self._garbage >= MAX_GARBAGE

    def end(self) -> list[Delivery]:
        """What is left when the connection ends: parts without their others, and a frame cut short."""
        left = [self._together(message) for message in [*self._parts]]
        if self._buffer.strip():
            left.append(Delivery(bytes(self._buffer)))
        self._buffer.clear()
        return left

    def _complete(self, frame: bytes) -> list[Delivery]:
        """A frame as it is, a part with its others. A part that comes again is of a device that waits for its answer before it
        sends the next: what is there of the message goes out.
        """
        part = self._format.part(frame) if self._format.part else None
        if part is None:
            return [Delivery(frame, [frame])]
        parts = self._parts.setdefault(part.message, {})
        again = part.number in parts
        parts[part.number] = frame
        if again or len(parts) == part.total:
            return [self._together(part.message)]
        if sum(map(len, self._parts.values())) > MAX_PARTS:
            return [self._together(next(iter(self._parts)))]
        return []

    def _together(self, message: str) -> Delivery:
        parts = self._parts.pop(message)
        frames = [parts[number] for number in sorted(parts)]
        return Delivery(b"".join(frames), frames)
