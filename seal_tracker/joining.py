"""Parts of a vendor's message that arrive as messages of their own, put together before anything reads them. Pure.

JT/T 808 cuts what is longer than a kilobyte (a batch of buffered reports) into parts. A part says of which message it is and how
many there are, but nothing of it can be read beyond its end. So it waits here for its others:

- *It stays with the broker.* A part that waits is not acknowledged, so that it comes again when we end before its others are
  there, and nothing of it has to be stored. What is acknowledged is committed, as everything else.
- *For* ``WAIT_MS``, *and at most* ``MAX_WAITING`` *deliveries in all.* Then what is there goes on without the rest, and the decoder
  makes one dead letter of it that says which parts are missing.
- *A part that comes twice* (the broker's redelivery, a gateway's second publish) is one part. One that comes again after its
  message was read is acknowledged and counted, for as long as it is among the last ``MAX_DONE`` that were; who joins keeps
  what was ``read`` and gives it back after a restart.
- *A part with other bytes than the one that waits* is of a device that began anew with the same number: the older goes on alone.

Acknowledgements leave in another order than their messages came in, which MQTT 3.1.1 (4.6) does not want of a client; both
brokers take them by packet id.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Final, NamedTuple

from seal_tracker.decoders.formats import formats
from seal_tracker.decoders.frame import Part
from seal_tracker.model import NO_TIME
from seal_tracker.sources.framing import RawMessage

__all__ = ["MAX_DONE", "MAX_WAITING", "WAIT_MS", "Joined", "Joining"]

WAIT_MS: Final = 60_000
"""From the first part's arrival. A device sends them one after another, each a second or two over the slowest modem; what
was lost on the way it repeats within its own time-out. NATS gives to a new session after up to 30 s what was not acknowledged
in the one before: parts on both sides of a restart still meet."""

MAX_WAITING: Final = 256
"""Deliveries that wait, duplicates too: half a megabyte of JT/T 808, and a thirtieth of what brokers allow to be in flight."""

MAX_DONE: Final = 4_096
"""Parts that are recognised when they come again, by sixteen bytes each."""


class Joined(NamedTuple):
    """What to do with a batch.

    Attributes
    ----------
    ready
        Messages to be read: those that are no parts, messages put together, and parts without their others, in one payload.
    settled
        Deliveries that may be acknowledged once what is ready is committed.
    again
        Parts of messages that were read before: nothing to read.
    read
        By which the parts that are put together in ``ready`` are known again: to be kept once that is committed, before anything is
        acknowledged.
    """

    ready: Sequence[RawMessage]
    settled: Sequence[RawMessage]
    again: Sequence[RawMessage] = ()
    read: Sequence[bytes] = ()


Key = tuple[str, str]
"""Topic, whatever gateway it names, and message: what one device says is never put together with another's."""


@dataclass(slots=True)
class _Waiting:
    """A message whose parts are not all there."""

    first_ms: int
    total: int
    parts: dict[int, RawMessage] = field(default_factory=dict)
    deliveries: list[RawMessage] = field(default_factory=list)

    def together(self) -> RawMessage:
        """The parts that are there in their order, arrived with the last of them."""
        last = self.deliveries[-1]
        payload = b"".join(self.parts[number].payload for number in sorted(self.parts))
        return RawMessage(last.topic, payload, last.mid, last.received_ms)


class Joining:
    """Lets messages pass, and holds parts until their others are there.

    State: the parts that wait, and which were put together lately. Lost with the process, on purpose: what waits was not
    acknowledged; ``done`` is what was ``read`` before, oldest first.
    """

    def __init__(self, done: Iterable[bytes] = ()) -> None:
        self._waiting: dict[Key, _Waiting] = {}
        self._held = 0
        self._done = OrderedDict.fromkeys(done)
        self._read: list[bytes] = []

    @property
    def held(self) -> int:
        """Deliveries that wait."""
        return self._held

    def receive(self, messages: Sequence[RawMessage]) -> Joined:
        """Take a batch as it arrived; the newest arrival in it is the time."""
        if not self._waiting and not any("/raw/" in message.topic for message in messages):
            return Joined(messages, messages)
        ready: list[RawMessage] = []
        settled: list[RawMessage] = []
        again: list[RawMessage] = []
        for message in messages:
            part = _part_of(message)
            if part is None:
                ready.append(message)
                settled.append(message)
            elif self._was_read(key := (_device_of(message.topic), part.message), part, message):
                again.append(message)
                settled.append(message)
            else:
                self._hold(key, part, message, ready, settled)
        self._let_go(max((m.received_ms for m in messages), default=NO_TIME), ready, settled)
        read, self._read = self._read, []
        return Joined(ready, settled, again, read)

    def end(self) -> list[RawMessage]:
        """Give what still waits, where nothing will follow: the end of a recording."""
        ready: list[RawMessage] = []
        for key in [*self._waiting]:
            self._release(key, ready, [])
        return ready

    def _hold(
        self, key: Key, part: Part, message: RawMessage, ready: list[RawMessage], settled: list[RawMessage]
    ) -> None:
        held = self._waiting.get(key)
        if held and part.number in held.parts and held.parts[part.number].payload != message.payload:
            self._release(key, ready, settled)
        waiting = self._waiting.setdefault(key, _Waiting(message.received_ms, part.total))
        waiting.parts.setdefault(part.number, message)
        waiting.deliveries.append(message)
        self._held += 1
        if len(waiting.parts) == waiting.total:
            self._remember(key, waiting.parts)
            self._release(key, ready, settled)

    def _let_go(self, now_ms: int, ready: list[RawMessage], settled: list[RawMessage]) -> None:
        """Give up what has waited for too long, and where too many wait, the oldest of the device that has most of them."""
        for key in [key for key, waiting in self._waiting.items() if now_ms - waiting.first_ms >= WAIT_MS]:
            self._release(key, ready, settled)
        while self._held > MAX_WAITING:
            of_topics: Counter[str] = Counter()
            for (topic, _), waiting in self._waiting.items():
                of_topics[topic] += len(waiting.deliveries)
            most = max(of_topics, key=of_topics.__getitem__)
            self._release(next(key for key in self._waiting if key[0] == most), ready, settled)

    def _release(self, key: Key, ready: list[RawMessage], settled: list[RawMessage]) -> None:
        waiting = self._waiting.pop(key)
        self._held -= len(waiting.deliveries)
        ready.append(waiting.together())
        settled += waiting.deliveries

    def _was_read(self, key: Key, part: Part, message: RawMessage) -> bool:
        return key not in self._waiting and _digest(key, part.number, message) in self._done

    def _remember(self, key: Key, parts: dict[int, RawMessage]) -> None:
        self._read += [_digest(key, number, message) for number, message in parts.items()]
        self._done |= dict.fromkeys(self._read)
        while len(self._done) > MAX_DONE:
            self._done.popitem(last=False)


def _digest(key: Key, number: int, message: RawMessage) -> bytes:
    """A part by its device, its message, its number in it and its bytes."""
    head = "\n".join((*key, str(number), "")).encode()
    return blake2b(head + message.payload, digest_size=16).digest()


def _part_of(message: RawMessage) -> Part | None:
    if "/raw/" not in message.topic:
        return None
    found = formats().get(_protocol_of(message.topic))
    return found.part(message.payload) if found is not None and found.part is not None else None


def _protocol_of(topic: str) -> str:
    """The protocol that a topic ``…/raw/{protocol}/{device}`` names, without the gateway that may stand behind it."""
    return topic.rsplit("/", 2)[-2].partition("@")[0]


def _device_of(topic: str) -> str:
    """The topic without its gateway: a device may go on by another."""
    root, _, device = topic.rsplit("/", 2)
    return f"{root}/{_protocol_of(topic)}/{device}"
