"""The words every other module speaks: pings as columns, episodes and events as small frozen records.

Nothing here does I/O, reads a clock or keeps state. Times are UTC epoch milliseconds (``_ms``), positions are
integers of 1e-7 degree (``_e7``), so that what is judged never depends on how a batch was cut.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import IntEnum, IntFlag
from functools import lru_cache
from hashlib import blake2b, sha1
from typing import Any, Literal, Self
from uuid import UUID, uuid5

import msgspec
import numpy as np
from numpy.typing import NDArray

__all__ = [
    "BOX_PREFIX",
    "EPOCH",
    "EQUIPMENT_PREFIX",
    "ID_PATTERN",
    "LIVE",
    "NO_TIME",
    "PLATE_PREFIX",
    "DeadLetter",
    "Episode",
    "Event",
    "Fact",
    "Lock",
    "Mode",
    "PingBatch",
    "Severity",
    "Transition",
    "episode_id",
    "event_id",
    "iso_ms",
    "iso_or_none",
    "key_of",
]

ID_PATTERN = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
"""What any id may be made of; match it whole. Such an id fits a topic, a file name and an address."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
"""From which every ``_ms`` counts."""

EQUIPMENT_PREFIX = "equip/"
"""What the names of cameras, scanners and readers begin with among the devices; no seal's id can hold a slash."""

BOX_PREFIX = "box/"
"""The same before a container's number."""

PLATE_PREFIX = "plate/"
"""What a vehicle's registration begins with where it stands beside a journey's devices, so that its journeys are found by it."""

LIVE = "live"
"""The space of real cargo; every other space is the name of an exercise run."""

NO_TIME = np.iinfo(np.int64).min
"""A time column's value where there is none."""

DAY_MS = 86_400_000
"""Milliseconds of a day; UTC has no other."""

NAMESPACE = UUID("6c0f2b3e-5d0a-5f0e-9a86-2f4f3f6c7a11")
"""Root of all deterministic ids; changing it changes every id ever published."""

NAMED = sha1(NAMESPACE.bytes, usedforsecurity=False)
"""What ``uuid5`` hashes of every name first."""

TWO, THREE = tuple(f"{i:02}" for i in range(60)), tuple(f"{i:03}" for i in range(1000))
"""Numbers as times are written, in two and in three digits."""

Severity = Literal["critical", "high", "medium", "low", "info"]
Transition = Literal["raised", "updated", "cleared", "retracted"]
SubjectKind = Literal["journey", "seal", "equipment"]


class Lock(IntEnum):
    """State of a seal's lock; of two reports of one moment the greater is the worse and wins."""

    UNKNOWN = 0
    CLOSED = 1
    OPEN = 2
    CUT = 3


class Mode(IntEnum):
    """Whether the device is awake; an asleep seal may be silent for longer."""

    UNKNOWN = 0
    AWAKE = 1
    ASLEEP = 2


class Fact(IntFlag):
    """What a seal says happened, one bit each; two reports of one moment are joined by OR."""

    ROPE_CUT = 1 << 0
    SHELL_OPENED = 1 << 1
    REMOVED = 1 << 2
    VIBRATION = 1 << 3
    ILLEGAL_CARD = 1 << 4
    WRONG_PASSWORD = 1 << 5
    UNLOCK_OK = 1 << 6
    UNLOCK_REFUSED = 1 << 7
    COVER_OPEN = 1 << 8
    MOTOR_STUCK = 1 << 9
    JAMMING = 1 << 10
    CHARGING = 1 << 11
    LOW_BATTERY = 1 << 12
    RESTARTED = 1 << 13
    OFFLINE = 1 << 14
    """Of equipment alone: the broker, or it itself, says that it is gone."""


@dataclass(frozen=True, slots=True)
class PingBatch:
    """Pings as columns of equal length ``n``; a row is one ping. Arrays are not written to after construction.

    Attributes
    ----------
    seal
        int32, the space's own number of the seal (see ``Store.intern_seals``); names stay outside the batch.
    time_ms, received_ms
        int64; fix time, and our receive time or ``NO_TIME``.
    lon_e7, lat_e7
        int32, 1e-7 degree; meaningless where ``has_position`` is false.
    has_position, valid
        bool; the payload had a position, and the device claims GNSS validity.
    speed_kmh, course_deg, accuracy_m, battery_pct
        float32, NaN where unknown, rounded to 0.01 when decoded.
    satellites, rssi_dbm
        int16; -1 and 0 where unknown.
    seq
        int64, -1 where unknown.
    lock, mode
        int8 of ``Lock`` and ``Mode``.
    facts
        int32 of ``Fact``.
    interval_s
        int32, the interval the device says it reports at, 0 where unknown.
    buffered
        bool; the device says it stored this ping before sending. Not judged.
    clock_ok
        bool; the verdict on the device's clock, taken once at first commit.
    digest
        int64, hash of the judged columns; identity is (seal, time_ms, digest). See ``decoders.columns``.
    """

    seal: NDArray[np.int32]
    time_ms: NDArray[np.int64]
    received_ms: NDArray[np.int64]
    lon_e7: NDArray[np.int32]
    lat_e7: NDArray[np.int32]
    has_position: NDArray[np.bool_]
    valid: NDArray[np.bool_]
    speed_kmh: NDArray[np.float32]
    course_deg: NDArray[np.float32]
    accuracy_m: NDArray[np.float32]
    battery_pct: NDArray[np.float32]
    satellites: NDArray[np.int16]
    rssi_dbm: NDArray[np.int16]
    seq: NDArray[np.int64]
    lock: NDArray[np.int8]
    mode: NDArray[np.int8]
    facts: NDArray[np.int32]
    interval_s: NDArray[np.int32]
    buffered: NDArray[np.bool_]
    clock_ok: NDArray[np.bool_]
    digest: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.seal)

    def take(self, rows: NDArray[Any] | slice) -> Self:
        """The rows chosen by a mask, an index array or a slice, in that order."""
        columns = [getattr(self, name) for name in self.__dataclass_fields__]
        if isinstance(rows, slice):
            return type(self)(*[column[rows] for column in columns])
        # A mask is counted once, not once for each column.
        index = rows.nonzero()[0] if rows.dtype == np.bool_ else rows
        return type(self)(*[column.take(index) for column in columns])

    def with_columns(self, **columns: NDArray[Any]) -> Self:
        """A copy with some columns replaced."""
        return replace(self, **columns)

    @classmethod
    def empty(cls) -> Self:
        """No pings, each column with its dtype."""
        return cls(**{name: np.empty(0, dtype) for name, dtype in PING_DTYPES.items()})

    @classmethod
    def concat(cls, batches: Iterable[PingBatch]) -> Self:
        """All rows of all batches, in order; no batches give an empty one."""
        parts = [cls.empty(), *batches]
        return cls(**{name: np.concatenate([getattr(p, name) for p in parts]) for name in PING_DTYPES})


PING_DTYPES: Mapping[str, np.dtype[Any]] = {
    "seal": np.dtype("i4"),
    "time_ms": np.dtype("i8"),
    "received_ms": np.dtype("i8"),
    "lon_e7": np.dtype("i4"),
    "lat_e7": np.dtype("i4"),
    "has_position": np.dtype("?"),
    "valid": np.dtype("?"),
    "speed_kmh": np.dtype("f4"),
    "course_deg": np.dtype("f4"),
    "accuracy_m": np.dtype("f4"),
    "battery_pct": np.dtype("f4"),
    "satellites": np.dtype("i2"),
    "rssi_dbm": np.dtype("i2"),
    "seq": np.dtype("i8"),
    "lock": np.dtype("i1"),
    "mode": np.dtype("i1"),
    "facts": np.dtype("i4"),
    "interval_s": np.dtype("i4"),
    "buffered": np.dtype("?"),
    "clock_ok": np.dtype("?"),
    "digest": np.dtype("i8"),
}
"""Columns of a ``PingBatch`` in order, with their dtypes."""


class DeadLetter(msgspec.Struct, frozen=True):
    """A payload that could not become pings: kept whole, with the reason, so that it can be looked at and sent again."""

    received_ms: int
    topic: str
    payload: bytes
    reason: str
    space: str = LIVE


class Episode(msgspec.Struct, frozen=True, kw_only=True):
    """One stretch during which a rule holds for one (subject, rule, object). Equal fields mean equal episodes.

    ``changed_ms`` is the event time of the last change, ``settled_ms`` the event time by which nothing more can
    change it but late facts (None while open); both are bookkeeping and stay out of the episodes file.
    ``evidence`` holds JSON values only, keys in a fixed order, numbers already rounded.
    """

    episode: UUID
    type: str
    severity: Severity
    subject_kind: SubjectKind
    subject: str
    journey: str | None
    seal: str
    object: str | None
    started_at_ms: int
    raised_at_ms: int
    ended_at_ms: int | None
    cleared_at_ms: int | None
    inferred: bool
    latched: bool
    evidence: dict[str, Any]
    plan_version: int
    regime: str | None = None
    unit: str | None = None
    changed_ms: int
    settled_ms: int | None


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """A transition of an episode, as committed. ``sequence`` is given by the single writer in commit order."""

    id: UUID
    sequence: int
    space: str
    episode: Episode
    transition: Transition
    revision: int
    time_ms: int
    recorded_ms: int
    late: bool
    old_severity: Severity | None = None
    references: tuple[UUID, ...] = ()


def key_of(name: str) -> int:
    """A 63-bit hash of a name, never 0: how journeys and zones are named in columns."""
    return (int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "big") >> 1) or 1


def iso_ms(time_ms: int) -> str:
    """ISO 8601 in UTC with milliseconds and Z, the one way times are written outside."""
    day, ms = divmod(time_ms, DAY_MS)
    seconds, ms = divmod(ms, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{_iso_day(day)}T{TWO[hours]}:{TWO[minutes]}:{TWO[seconds]}.{THREE[ms]}Z"


@lru_cache(maxsize=1024)
def _iso_day(day: int) -> str:
    """The date so many days after the epoch; a batch has few, and working one out costs more than all the rest."""
    return (EPOCH + timedelta(days=day)).date().isoformat()


def iso_or_none(time_ms: int | None) -> str | None:
    """`iso_ms`, or None for None."""
    return None if time_ms is None else iso_ms(time_ms)


def episode_id(space: str, subject: str, rule: str, obj: str | None, started_at_ms: int) -> UUID:
    """Deterministic id of an episode: uuid5 of (space, subject, rule, object, start)."""
    named = NAMED.copy()
    named.update("\x1f".join((space, subject, rule, obj or "", str(started_at_ms))).encode())
    return UUID(bytes=named.digest()[:16], version=5)


def event_id(episode: UUID, revision: int) -> UUID:
    """Deterministic id of a transition: uuid5 of (episode, revision); revisions start at 1 and never restart."""
    return uuid5(episode, str(revision))
