"""What a seal says, as it goes over the wire: native pings in JSON, after the product's interface document. Pure."""

from __future__ import annotations

from typing import NamedTuple

import msgspec
import numpy as np

__all__ = ["Message", "Ping", "flush", "instant", "reading_topic", "topic_of", "weighing_topic"]

FLUSH_PINGS = 50
"""Pings in one buffered message at most: about 12 kB, what a modem sends in one go."""


class Ping(msgspec.Struct, omit_defaults=True, kw_only=True):
    """One native ping; a member at its default is left out of the JSON."""

    time: str
    lon: float | None = None
    lat: float | None = None
    valid: bool
    speed_kmh: float | None = None
    course_deg: int | None = None
    accuracy_m: int | None = None
    satellites: int
    battery_pct: int
    seq: int
    lock: str
    facts: tuple[str, ...] = ()
    mode: str
    interval_s: int
    buffered: bool = False
    cell: dict[str, int] | None = None


class Message(NamedTuple):
    """One publication: its topic, its payload, and how many pings are in it."""

    topic: str
    payload: bytes
    pings: int


_encoder = msgspec.json.Encoder()


def topic_of(tenant: str, seal: str) -> str:
    """Where a seal publishes its pings."""
    return f"eseal/v1/{tenant}/dev/{seal}/ping"


def reading_topic(tenant: str, camera: str) -> str:
    """Where a camera publishes what it reads."""
    return f"eseal/v1/{tenant}/equip/{camera}/reading"


def weighing_topic(tenant: str, weighbridge: str) -> str:
    """Where a weighbridge publishes what it weighs."""
    return f"eseal/v1/{tenant}/equip/{weighbridge}/weighing"


def instant(time_ms: int) -> str:
    """UTC epoch milliseconds as ISO 8601, always with milliseconds and Z."""
    return f"{np.datetime64(time_ms, 'ms')}Z"


def flush(topic: str, pings: list[Ping]) -> list[Message]:
    """Messages of at most 50 pings in the order given; a single ping goes as an object, more as an array."""
    if len(pings) == 1:
        return [Message(topic, _encoder.encode(pings[0]), 1)]
    parts = [pings[i : i + FLUSH_PINGS] for i in range(0, len(pings), FLUSH_PINGS)]
    return [Message(topic, _encoder.encode(part), len(part)) for part in parts]
