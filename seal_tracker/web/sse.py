"""The hub between the pipeline and everyone who watches: what is new goes in at one side, each client's frames come out at the other.

Not thread-safe; everything happens on the event loop, and putting in never waits. What a client holds here is bounded:

* *events*: a queue of at most ``queue_limit`` frames a client. When it is full it is emptied and the client is *behind*: it reads
  what it missed from the database, from the last sequence it sent. No event is lost, none is sent twice.
* *states* (positions, alarms, journeys, commands): no queue at all. Each topic keeps the newest item of each key and numbers its frames; a client knows
  the number it saw last. One behind gets the newest frame, further behind the whole state, both encoded once for all clients.
  So a slow reader loses old positions, never the newest, and never an event.

A frame is at most one second of changes for positions; alarms, journeys and commands go out at the next turn of the loop. A large one is
several messages: ``{"items": [...], "whole": true, "more": true}``, then others that only add, the last without ``more``.

What is put in says whose it is; a client of some units is sent what is theirs, in frames shared with all clients of the same units.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any, NamedTuple, Self

import msgspec

from seal_tracker.web.cursors import EventCursor, encode_cursor
from seal_tracker.web.wire import PositionRow, seal_item

__all__ = ["Hub", "Item", "Subscription", "event_frame"]

QUEUE_LIMIT = 1000
"""Events a client may be behind before it reads the database instead; a few hundred kB at most."""

POSITION_INTERVAL_S = 1.0
"""Positions go out at most this often; eyes do not need more, and 2,000 seals make 0.5 MB a frame."""

MESSAGE_ITEMS = 500
"""In one message of a frame at most: a browser reads a message in one go and does nothing else meanwhile, 5 MB for 50 ms."""

Scope = frozenset[str] | None
"""Units that a client sees; None: all."""

Units = Mapping[str, tuple[str, ...]]
"""Whose something is, by its key."""

NO_UNITS: Units = {}


class Item(NamedTuple):
    """The newest of a key, None where it is gone, and the units whose it is (of none: headquarters' alone)."""

    said: Any
    units: tuple[str, ...] = ()

    def seen(self, scope: Scope) -> bool:
        """Whether a client of that scope is told of it."""
        return scope is None or not scope.isdisjoint(self.units)


class Change(NamedTuple):
    """What a key was and what it has become; ``before`` None: it was not there."""

    before: Item | None
    after: Item


def event_frame(sequence: int, body: bytes) -> bytes:
    """The frame of one event: its cursor as id, the CloudEvent as data."""
    cursor = encode_cursor(EventCursor(sequence)).encode()
    return b"id: %b\nevent: event\ndata: %b\n\n" % (cursor, b"\ndata: ".join(body.splitlines()))


class StateTopic:
    """The newest item of each key of one topic, and its frames. ``version`` is the number of the newest frame.

    ``complete``: what is put in first is all there is, so who comes back after a restart learns from it that nothing else is left.
    """

    def __init__(self, name: str, interval_s: float, *, complete: bool = False) -> None:
        self.name = name
        self.complete = complete
        self.interval_s = interval_s
        self.version = 0
        self.flushed_at_s = float("-inf")
        self.timer: asyncio.TimerHandle | None = None
        self._whole: dict[str, Item] = {}
        self._changed: dict[str, Item] = {}
        self._newest: dict[str, Change] = {}
        self._frames: dict[tuple[bool, Scope], bytes] = {}

    def put(self, items: Iterable[tuple[str, Item]]) -> None:
        """Take in newer items."""
        self._changed.update(items)

    @property
    def changed(self) -> bool:
        """Whether there is something for the next frame. The first of a complete topic is, were it empty."""
        return bool(self._changed) or (self.complete and not self.version)

    def flush(self, now_s: float) -> None:
        """What has changed becomes the next frame; it is encoded when the first client asks for it."""
        self.timer = None
        self.flushed_at_s = now_s
        self._newest = {key: Change(self._whole.get(key), item) for key, item in self._changed.items()}
        for key, item in self._changed.items():
            if item.said is None:
                self._whole.pop(key, None)
            else:
                self._whole[key] = item
        self._changed = {}
        self._frames.clear()
        self.version += 1

    def frame_after(self, version: int, scope: Scope = None) -> bytes:
        """What brings a client that saw ``version`` up to date; -1: it saw nothing. Empty: nothing to say."""
        if self.version in (version, 0):
            return b""
        whole = version < (1 if self.complete else 0) or version < self.version - 1
        if (whole, scope) not in self._frames:
            self._frames[whole, scope] = self._encode_whole(scope) if whole else self._encode_newest(scope)
        return self._frames[whole, scope]

    def _encode_whole(self, scope: Scope) -> bytes:
        return self._encode([key for key, item in self._whole.items() if item.seen(scope)], [], whole=True)

    def _encode_newest(self, scope: Scope) -> bytes:
        """What is new to a client of that scope. What has left its units is gone for it, as what was never theirs is not."""
        kept, gone = [], []
        for key, (before, after) in self._newest.items():
            if after.said is not None and after.seen(scope):
                kept.append(key)
            elif scope is None or (before is not None and before.seen(scope)):
                gone.append(key)
        return self._encode(kept, gone, whole=False) if kept or gone else b""

    def _encode(self, kept: Sequence[str], gone: Sequence[str], *, whole: bool) -> bytes:
        """One message, or several of at most ``MESSAGE_ITEMS``: the first says what is whole and gone, all but the last that there is ``more``."""
        messages = []
        for start in range(0, max(1, len(kept)), MESSAGE_ITEMS):
            part = kept[start : start + MESSAGE_ITEMS]
            data: dict[str, Any] = {
                "items": [self._written(key) for key in part],
                "whole": whole and not start,
            }
            if gone and not start:
                data["gone"] = gone
            if start + MESSAGE_ITEMS < len(kept):
                data["more"] = True
            messages.append(b"event: %b\ndata: %b\n\n" % (self.name.encode(), msgspec.json.encode(data)))
        return b"".join(messages)

    def _written(self, key: str) -> Any:
        """The newest of a key as JSON. A position is written once and kept so: a hundred thousand would hold everything up for half a
        second each time that somebody begins to watch.
        """
        item = self._whole[key]
        if isinstance(item.said, PositionRow):
            item = self._whole[key] = item._replace(
                said=msgspec.Raw(msgspec.json.encode(seal_item(item.said)))
            )
        return item.said


class Space:
    """The watchers of one space and the states they are shown."""

    def __init__(self, position_interval_s: float) -> None:
        self.subscriptions: set[Subscription] = set()
        self.topics = {
            "position": StateTopic("position", position_interval_s),
            "alarm": StateTopic("alarm", 0.0, complete=True),
            "journey": StateTopic("journey", 0.0),
            "command": StateTopic("command", 0.0),
        }


class Subscription:
    """One client's place. Use as a context manager; it leaves the hub at the end.

    Attributes
    ----------
    behind
        Events were missed: call ``caught_up_from_here``, then read the database from the last sequence sent.
    closed
        The hub is closing; end the stream.
    scope
        The units it sees; None: all.
    """

    def __init__(self, hub: Hub, space: Space, queue_limit: int, scope: Scope) -> None:
        self.scope = scope
        self.behind = False
        self.closed = hub.closed
        self._hub = hub
        self._space = space
        self._queue_limit = queue_limit
        self._events: deque[tuple[int, bytes]] = deque()
        self._seen = dict.fromkeys(space.topics, -1)
        self._news = asyncio.Event()

    def __enter__(self) -> Self:
        self._space.subscriptions.add(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._space.subscriptions.discard(self)

    async def wait(self, timeout_s: float) -> bool:
        """Wait for news; False when there was none for so long."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._news.wait()
        except TimeoutError:
            return False
        self._news.clear()
        return True

    def caught_up_from_here(self) -> None:
        """Forget what is queued: the caller reads everything up to now from the database next."""
        self._events.clear()
        self.behind = False

    def take_events(self) -> list[tuple[int, bytes]]:
        """Sequence and frame of each event queued, in order; the queue is then empty."""
        taken = list(self._events)
        self._events.clear()
        return taken

    def take_states(self) -> list[bytes]:
        """The frames that bring each topic up to date."""
        frames = []
        for name, topic in self._space.topics.items():
            if frame := topic.frame_after(self._seen[name], self.scope):
                frames.append(frame)
            self._seen[name] = topic.version
        return frames

    def put_events(
        self, frames: Sequence[tuple[int, bytes]], units: Sequence[tuple[str | None, ...]]
    ) -> None:
        """Queue events, those of its units, or fall behind when there is no room."""
        if self.scope is not None:
            frames = [f for f, whose in zip(frames, units, strict=True) if not self.scope.isdisjoint(whose)]
        if self.behind or not frames:
            return
        if len(self._events) + len(frames) > self._queue_limit:
            self._events.clear()
            self.behind = True
        else:
            self._events.extend(frames)
        self.wake()

    def wake(self) -> None:
        """There is something to look at."""
        self._news.set()


class Hub:
    """Where the pipeline tells what it has committed. Create and use it on the event loop."""

    def __init__(
        self, *, position_interval_s: float = POSITION_INTERVAL_S, queue_limit: int = QUEUE_LIMIT
    ) -> None:
        if queue_limit < 1:
            raise ValueError(f"queue_limit must be at least 1, not {queue_limit!r}")
        self.closed = False
        self._position_interval_s = position_interval_s
        self._queue_limit = queue_limit
        self._spaces: dict[str, Space] = {}

    @property
    def watchers(self) -> int:
        """Clients subscribed now, in all spaces."""
        return sum(len(space.subscriptions) for space in self._spaces.values())

    def subscribe(self, space: str, scope: Scope = None) -> Subscription:
        """A place for one client that sees those units; nothing is queued for it before it is entered."""
        return Subscription(self, self._space(space), self._queue_limit, scope)

    def publish_events(
        self, space: str, events: Sequence[tuple[int, bytes]], units: Sequence[tuple[str | None, ...]] = ()
    ) -> None:
        """Tell of committed events, (sequence, CloudEvent body) in order of sequence. Call after the commit.

        ``units`` has whose each is; empty: all are headquarters'.
        """
        watchers = self._space(space).subscriptions
        if not watchers or not events:
            return
        frames = [(sequence, event_frame(sequence, body)) for sequence, body in events]
        for subscription in watchers:
            subscription.put_events(frames, units or ((),) * len(frames))

    def publish_positions(self, space: str, rows: Iterable[PositionRow]) -> None:
        """Tell where seals are; of several rows of a seal the last given wins."""
        self._put(space, "position", ((row.seal, Item(row, (row.unit,) if row.unit else ())) for row in rows))

    def publish_alarms(self, space: str, alarms: Mapping[str, Any], units: Units = NO_UNITS) -> None:
        """Tell alarms' states by id, as JSON values; None: closed and gone. ``units`` has whose each is."""
        self._put(space, "alarm", ((key, Item(said, units.get(key, ()))) for key, said in alarms.items()))

    def publish_journeys(self, space: str, journeys: Mapping[str, Any], units: Units = NO_UNITS) -> None:
        """Tell journeys' states by id, as JSON values; None: gone. ``units`` has whose each is."""
        self._put(space, "journey", ((key, Item(said, units.get(key, ()))) for key, said in journeys.items()))

    def publish_commands(self, space: str, commands: Mapping[str, Any], units: Units = NO_UNITS) -> None:
        """Tell how commands to seals stand by id, as JSON values; None: of long ago. ``units`` has whose each is."""
        self._put(space, "command", ((key, Item(said, units.get(key, ()))) for key, said in commands.items()))

    def close(self) -> None:
        """End every stream; clients come back with their last id."""
        self.closed = True
        for space in self._spaces.values():
            for topic in space.topics.values():
                if topic.timer:
                    topic.timer.cancel()
            for subscription in space.subscriptions:
                subscription.closed = True
                subscription.wake()

    def _space(self, name: str) -> Space:
        if name not in self._spaces:
            self._spaces[name] = Space(self._position_interval_s)
        return self._spaces[name]

    def _put(self, space_name: str, topic_name: str, items: Iterable[tuple[str, Item]]) -> None:
        space = self._space(space_name)
        topic = space.topics[topic_name]
        topic.put(items)
        if topic.changed and topic.timer is None and not self.closed:
            loop = asyncio.get_running_loop()
            due_s = max(loop.time(), topic.flushed_at_s + topic.interval_s)
            topic.timer = loop.call_at(due_s, self._flush, space, topic)

    def _flush(self, space: Space, topic: StateTopic) -> None:
        topic.flush(asyncio.get_running_loop().time())
        for subscription in space.subscriptions:
            subscription.wake()
