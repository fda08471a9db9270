"""What every format's decoder answers, and what a format is.

A decoder is a pure function ``(payload, device) -> Answer``. Whatever the bytes hold, it answers or raises
``DecodeError``; a payload may hold several frames, and a frame several records. Each frame ends in exactly one place:

- pings, in the frame's order;
- a *fault*, which becomes a dead letter: the byte, why, and the bytes;
- *nothing to store*, by name: a heartbeat, a registration, an answer to a command.

One thing is not thrown away because another is unreadable: a record that is wrong leaves its neighbours standing, and
a member that nobody needs leaves its ping standing. What a newer or a related device adds is passed over.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from seal_tracker.decoders.errors import FrameError
from seal_tracker.decoders.native import NativePing

__all__ = [
    "MAX_DEVICE",
    "MAX_FAULTS",
    "MAX_SHOWN",
    "Answer",
    "Cut",
    "Format",
    "FrameFault",
    "Link",
    "Part",
    "check_device",
    "shown",
]

MAX_FAULTS: Final = 100
"""Faults of one payload told one by one; a hostile one must not become thousands of dead letters. The next says how
many more there are and carries the whole payload, so nothing is lost."""

MAX_SHOWN: Final = 40
"""Characters of a wrong value quoted in a reason: enough to recognise it, too few to flood a log."""

MAX_DEVICE: Final = 64
"""Characters of a device's id, as in topics."""


class FrameFault(NamedTuple):
    """A part of a payload that became no ping: at which byte of the payload, why, and its own bytes."""

    byte: int
    why: str
    payload: bytes

    @property
    def reason(self) -> str:
        """The sentence that the dead letter carries."""
        return f"byte {self.byte}: {self.why}"


@dataclass(slots=True)
class Answer:
    """What a payload held. ``devices`` are the ids that its frames name, for who has no topic to say whose they are."""

    pings: list[NativePing] = field(default_factory=list)
    faults: list[FrameFault] = field(default_factory=list)
    nothing: list[str] = field(default_factory=list)
    devices: list[str | None] = field(default_factory=list)
    """One for each ping."""
    untold: int = 0
    """Faults beyond ``MAX_FAULTS``."""

    @property
    def empty(self) -> bool:
        """Whether nothing at all was found."""
        return not (self.pings or self.faults or self.nothing)

    def add(self, device: str | None, *pings: NativePing) -> None:
        """Take pings of a device."""
        self.pings += pings
        self.devices += [device] * len(pings)

    def fault(self, error: FrameError, payload: bytes) -> None:
        """Take a fault, with the bytes of what is wrong; those beyond ``MAX_FAULTS`` are only counted."""
        if len(self.faults) < MAX_FAULTS:
            self.faults.append(FrameFault(error.byte, error.why, payload))
        else:
            self.untold += 1

    def unread(self, byte: int, payload: bytes) -> None:
        """Keep the rest of a payload in which too much was wrong to read on."""
        self.faults.append(FrameFault(byte, f"not read: {len(self.faults)} faults before it", payload))

    def closed(self, payload: bytes) -> Answer:
        """Return this answer, with what was only counted told at its end."""
        if self.untold:
            why = f"{self.untold} more faults after the first {MAX_FAULTS}"
            self.faults.append(FrameFault(0, why, payload))
            self.untold = 0
        return self


class Cut(NamedTuple):
    """How many bytes at a stream's beginning are one frame; 0: not all of it is there yet.

    ``garbage`` says that those bytes are none, up to where the next may begin; ``shared`` that the last byte of a frame that is
    damaged may be the first of the next, and stays.
    """

    used: int
    garbage: bool = False
    shared: bool = False


class Part(NamedTuple):
    """Which part of a message sent in parts a frame is: of which message, of how many, which (``number``, from 1)."""

    message: str
    total: int
    number: int


@dataclass(frozen=True, slots=True)
class Link:
    """How devices of a format speak over TCP.

    Attributes
    ----------
    cut
        Finds the first frame of what has been received.
    device
        Whose frame it is; None where it does not say.
    acknowledgement
        What the device is to be answered once its frame is kept, by the clock given; None: nothing.
    max_bytes
        The longest frame; what is longer is none.
    filler
        Bytes that mean nothing between frames.
    """

    cut: Callable[[bytes | bytearray], Cut]
    device: Callable[[bytes], str | None]
    acknowledgement: Callable[[bytes, dt.datetime], bytes | None]
    max_bytes: int
    filler: bytes = b" \t\r\n"


@dataclass(frozen=True, slots=True)
class Format:
    """A format that devices speak. Each file of ``decoders.formats`` with a ``FORMAT`` is one.

    Attributes
    ----------
    name
        The level of the topic ``…/raw/{name}/{device}`` and the argument of ``seal-tracker decode``.
    decode
        The decoder; ``device`` is the id of the topic, None where there is none.
    start
        What frames begin with: by it the command tells raw bytes from hex and lines.
    link
        How it is spoken over TCP; None: it is not.
    part
        Tells of a frame that it is a part of a message; None: the format has no parts.
    """

    name: str
    decode: Callable[[bytes, str | None], Answer]
    start: tuple[bytes, ...]
    link: Link | None = None
    part: Callable[[bytes], Part | None] | None = None


def check_device(named: Iterable[str], device: str | None, byte: int) -> None:
    """Refuse a frame that names another device than its topic; leading zeros are padding, and do not count.

    Raises
    ------
    FrameError
        None of the names that the frame gives its device is the topic's.
    """
    names = [name for name in named if name]
    if device is None or not names:
        return
    if device.lstrip("0").casefold() not in [name.lstrip("0").casefold() for name in names]:
        raise FrameError(
            byte, f"device {shown(names[0])}: another than the topic's, which says {shown(device)}"
        )


def shown(value: object) -> str:
    """Quote a value in a reason, cut short."""
    if isinstance(value, str | bytes):
        text = repr(value[:MAX_SHOWN])
        return text if len(value) <= MAX_SHOWN else f"{text}…"
    try:
        text = str(value)
    except ValueError:  # an integer of more digits than Python writes
        text = f"a {type(value).__name__} beyond quoting"
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…"
