"""A fleet as messages in the order of sending: first each seal's past, as it comes back into coverage, then what happens live. Pure.

``deliveries`` is lazy and deterministic: a seal's reports are worked out when its turn comes, so that 200 seals cost neither memory nor
a long start, and the same fleet and pace give the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from heapq import heappop, heappush
from itertools import groupby
from typing import NamedTuple

import msgspec

from simulators.fleet import Traveller
from simulators.gates import CAMERA, reading_of
from simulators.minerals import WEIGHBRIDGE, weighing_of
from simulators.pace import Pace
from simulators.seal import Report
from simulators.wire import Message, Ping, flush, reading_topic, topic_of, weighing_topic

__all__ = ["BACKLOG_S", "Delivery", "deliveries"]

BACKLOG_S = 10.0
"""Seals come into coverage one after the other within this time: 50,000 pings at 5,000 a second, beside a service that stores them."""


class Delivery(NamedTuple):
    """A message and when to send it, seconds after the start."""

    after_s: float
    message: Message


def deliveries(
    fleet: Sequence[Traveller], pace: Pace, tenant: str, backlog_s: float = BACKLOG_S
) -> Iterator[Delivery]:
    """Messages of a whole fleet, without end, by time of sending; those of one seal always in its own order."""
    waiting: list[tuple[float, int, Message, Iterator[Delivery]]] = []
    for k, traveller in enumerate(fleet):
        joins_s = backlog_s * k / len(fleet)
        while waiting and waiting[0][0] < joins_s:
            yield _next(waiting)
        _put(waiting, k, _of_seal(traveller, pace, tenant, joins_s))
    while waiting:
        yield _next(waiting)


def _next(waiting: list[tuple[float, int, Message, Iterator[Delivery]]]) -> Delivery:
    after_s, k, message, rest = heappop(waiting)
    _put(waiting, k, rest)
    return Delivery(after_s, message)


def _put(
    waiting: list[tuple[float, int, Message, Iterator[Delivery]]], k: int, rest: Iterator[Delivery]
) -> None:
    following = next(rest, None)
    if following is not None:
        heappush(waiting, (following.after_s, k, following.message, rest))


def _of_seal(traveller: Traveller, pace: Pace, tenant: str, joins_s: float) -> Iterator[Delivery]:
    """Buffered arrays when it joins, first in first out; then each fix as it is taken; after an outage the newest first."""
    topic = topic_of(tenant, traveller.seal.id)
    joined_ms = pace.simulated_ms(joins_s)
    past: list[Ping] = []
    for sent_ms, group in groupby(traveller.seal.reports(pace.caught_up_ms), key=_sent):
        if sent_ms <= joined_ms:
            past.extend(_stored(r.ping) for r in group)
            continue
        if past:
            yield from (Delivery(joins_s, m) for m in flush(topic, past))
            past = []
            if traveller.weighed_at is not None:
                said = json.dumps(weighing_of(traveller.seal.start_ms)).encode()
                yield Delivery(joins_s, Message(weighing_topic(tenant, WEIGHBRIDGE), said, 0))
            if traveller.seen is not None:
                said = json.dumps(reading_of(traveller.seen)).encode()
                yield Delivery(joins_s, Message(reading_topic(tenant, CAMERA), said, 0))
        after_s = max(joins_s, pace.after_s(sent_ms))
        newest, *late = (r.ping for r in group)
        yield Delivery(after_s, flush(topic, [newest])[0])
        if late:
            yield from (Delivery(after_s, m) for m in flush(topic, [_stored(p) for p in late]))


def _sent(report: Report) -> int:
    return report.sent_ms


def _stored(ping: Ping) -> Ping:
    return msgspec.structs.replace(ping, buffered=True)
