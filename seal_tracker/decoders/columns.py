"""From pings to columns: every quantity is rounded here, once, so that what is judged never depends on its source.

Two ways lead in: decoded pings (``to_batch``) and traces read as columns (``assemble``); both round in the same
place, so that a trace replayed and the same trace back-tested give equal rows. Pure; no state, no clock.

Values that no device can mean (a latitude of 200, a battery at 300 %, a fact we do not know) become *unknown* and
are counted by name in ``Discards``; their ping stays, since its other members still count.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seal_tracker.decoders.native import NativePing
from seal_tracker.model import EPOCH, NO_TIME, Fact, Lock, Mode, PingBatch

__all__ = [
    "UNKNOWN_WORD",
    "Discards",
    "RawColumns",
    "assemble",
    "clock_ok",
    "digest",
    "fact_bits",
    "fact_words",
    "raw_columns",
    "time_ms",
    "to_batch",
]

Discards = Counter[str]
"""How often a member was taken as unknown, by name, e.g. ``position_out_of_range``."""

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

CLOCK_AHEAD_MAX_MS: Final = 5 * 60_000
"""A fix more than 5 min ahead of its arrival has a wrong clock (SEMANTICS, track rule 3)."""

CLOCK_BEHIND_MAX_MS: Final = 365 * 86_400_000
"""Older than a year at arrival: no buffer holds that long (SEMANTICS, track rule 3)."""

CLOCK_EARLIEST_MS: Final = 1_577_836_800_000
"""2020-01-01T00:00:00Z; before it lie the epochs that clocks without a battery start from."""

LON_MAX_DEG: Final = 180.0
LAT_MAX_DEG: Final = 90.0

SPEED_MAX_KMH: Final = 1_000.0
"""Above it no lorry, ship or train; a value beyond is a fault of the receiver, not a speed."""

ACCURACY_MAX_M: Final = 1_000_000.0
"""Cell positions claim kilometres; beyond 1,000 km the claim says nothing and would overflow hundredths in 32 bits."""

RSSI_MIN_DBM: Final = -200.0
"""Below thermal noise of any receiver."""

SATELLITES_MAX: Final = 255
"""One byte in every tracker protocol; all constellations together stay below."""

INTERVAL_MAX_S: Final = 2_000_000_000
"""Fits 32 bits; sixty years."""

SEQ_MAX: Final = 2**63 - 1

LIMITS: Final[Mapping[str, tuple[float, float]]] = {
    "speed_kmh": (0.0, SPEED_MAX_KMH),
    "course_deg": (0.0, 360.0),
    "accuracy_m": (0.0, ACCURACY_MAX_M),
    "battery_pct": (0.0, 100.0),
    "satellites": (0.0, SATELLITES_MAX),
    "interval_s": (0.0, INTERVAL_MAX_S),
    "rssi_dbm": (RSSI_MIN_DBM, 0.0),
}
"""What a value must lie within, bounds included; beyond it is unknown. They are looked at together: a batch may be one ping."""

LOWEST, HIGHEST = np.array(list(LIMITS.values())).T[:, :, None]

HUNDREDTHS: Final = tuple(LIMITS)[:4]
"""These are kept as hundredths in float32; the others as whole numbers."""

NOT_KNOWN: Final = np.array([[-1], [0], [0]])
"""What a whole number that is unknown is stored as."""

UNKNOWN_WORD: Final = -1
"""What a lock, mode or facts column holds for a word nobody knows; it becomes unknown and is counted."""

LOCKS: Final[Mapping[str | None, int]] = {None: 0, **{lock.name.lower(): int(lock) for lock in Lock}}
MODES: Final[Mapping[str | None, int]] = {None: 0, **{mode.name.lower(): int(mode) for mode in Mode}}
FACTS: Final[Mapping[str, int]] = {str(fact.name).lower(): int(fact) for fact in Fact}

_MILLISECOND: Final = dt.timedelta(milliseconds=1)


@dataclass(slots=True)
class RawColumns:
    """Pings as columns before rounding, each of length n; NaN, -1 and ``NO_TIME`` say unknown.

    ``lon_deg`` and the other float columns are float64 in their units. ``valid``, ``buffered`` are bool. ``lock`` and
    ``mode`` hold their numbers, ``facts`` the bits, ``UNKNOWN_WORD`` where ``unknown_facts`` counts what was dropped.
    """

    time_ms: Ints
    received_ms: Ints
    lon_deg: Floats
    lat_deg: Floats
    valid: NDArray[np.bool_]
    speed_kmh: Floats
    course_deg: Floats
    accuracy_m: Floats
    satellites: Floats
    battery_pct: Floats
    seq: Ints
    lock: NDArray[np.int8]
    facts: NDArray[np.int32]
    mode: NDArray[np.int8]
    interval_s: Floats
    buffered: NDArray[np.bool_]
    rssi_dbm: Floats
    unknown_facts: int = 0


def time_ms(moment: dt.datetime) -> int:
    """UTC epoch milliseconds of an aware time; what lies below a millisecond is cut off."""
    return (moment - EPOCH) // _MILLISECOND


def to_batch(
    pings: Sequence[NativePing],
    seals: ArrayLike,
    received_ms: ArrayLike,
    *,
    exercise: bool = False,
    discards: Discards | None = None,
) -> PingBatch:
    """Decoded pings as columns, in their order.

    Parameters
    ----------
    pings
        n pings; none give an empty batch.
    seals
        The space's number of each ping's seal, n or one for all.
    received_ms
        When each arrived by our clock, n or one for all.
    exercise
        In an exercise space a ping's own ``received`` is its arrival, and there is none without it: a replayed year
        would else be told from its past by the wall clock. In the live space ``received`` is ignored.
    discards
        Where values taken as unknown are counted; None: not counted.
    """
    count = len(pings)
    if exercise:
        arrived = np.array([NO_TIME if p.received is None else time_ms(p.received) for p in pings], np.int64)
    else:
        arrived = np.array(np.broadcast_to(np.asarray(received_ms, np.int64), count))
    seal = np.array(np.broadcast_to(np.asarray(seals, np.int32), count))
    return assemble(raw_columns(pings, arrived), seal, discards=discards)


def assemble(raw: RawColumns, seal: NDArray[np.int32], *, discards: Discards | None = None) -> PingBatch:
    """Round, take the verdict on the clock and hash: the last step of every way in.

    Parameters
    ----------
    raw
        n rows.
    seal
        int32[n], the space's numbers of the seals.
    discards
        Where values taken as unknown are counted.
    """
    tally = Discards() if discards is None else discards
    has_position, lon_e7, lat_e7 = _positions(raw, tally)
    kept = _within_limits(raw, tally)
    # Rounded half to even to 0.01; + 0.0: no negative zero, it would hash apart.
    speed_kmh, course_deg, accuracy_m, battery_pct = (
        np.rint(kept[: len(HUNDREDTHS)] * 100.0) / 100.0 + 0.0
    ).astype(np.float32)
    whole = kept[len(HUNDREDTHS) :]
    satellites, interval_s, rssi_dbm = np.where(np.isnan(whole), NOT_KNOWN, np.rint(np.nan_to_num(whole)))
    columns: dict[str, NDArray[Any]] = {
        "lon_e7": lon_e7,
        "lat_e7": lat_e7,
        "has_position": has_position,
        "valid": raw.valid,
        "speed_kmh": speed_kmh,
        "course_deg": course_deg,
        "accuracy_m": accuracy_m,
        "battery_pct": battery_pct,
        "satellites": satellites.astype(np.int16),
        "seq": raw.seq,
        "lock": _words(raw.lock, "unknown_lock", tally),
        "mode": _words(raw.mode, "unknown_mode", tally),
        "facts": raw.facts,
        "interval_s": interval_s.astype(np.int32),
    }
    _count(tally, "unknown_fact", raw.unknown_facts)
    return PingBatch(
        seal=seal,
        time_ms=raw.time_ms,
        received_ms=raw.received_ms,
        rssi_dbm=rssi_dbm.astype(np.int16),
        buffered=raw.buffered,
        clock_ok=clock_ok(raw.time_ms, raw.received_ms),
        digest=digest(columns),
        **columns,
    )


def clock_ok(fix_ms: Ints, received_ms: Ints) -> NDArray[np.bool_]:
    """The verdict on the device's clock, bool[n]; without a receive time (``NO_TIME``) it is plausible."""
    known = received_ms != NO_TIME
    arrived = np.where(known, received_ms, fix_ms)
    wrong = (
        (fix_ms > arrived + CLOCK_AHEAD_MAX_MS)
        | (fix_ms < arrived - CLOCK_BEHIND_MAX_MS)
        | (fix_ms < CLOCK_EARLIEST_MS)
    )
    verdict: NDArray[np.bool_] = ~(known & wrong)
    return verdict


def digest(columns: Mapping[str, NDArray[Any]]) -> Ints:
    """Hash of the judged columns, int64[n]: with seal and time the identity of a ping.

    Left out are ``buffered``, the cell and the arrival, which differ between two sendings of the same ping. Equal
    rows hash equally on every machine; never change it, the store holds its values.
    """
    word = np.uint64
    small = (
        columns["facts"].astype(word)
        | columns["lock"].astype(word) << word(32)
        | columns["mode"].astype(word) << word(36)
        | columns["has_position"].astype(word) << word(40)
        | columns["valid"].astype(word) << word(41)
    )
    speed, course, accuracy, battery = _centis(np.array([columns[name] for name in HUNDREDTHS]))
    words = (
        _pair(columns["lon_e7"], columns["lat_e7"]),
        _pair(speed, course),
        _pair(accuracy, battery),
        _pair(columns["satellites"], columns["interval_s"]),
        columns["seq"].astype(np.int64).view(word),
        small,
    )
    state = np.zeros(len(small), word)
    for column in words:
        state = _splitmix64(state ^ column)
    return state.view(np.int64)


def raw_columns(pings: Sequence[NativePing], received_ms: Ints) -> RawColumns:
    """Turn pings into columns before rounding; a list comprehension a column is the only Python per ping."""
    words = [word for p in pings if p.facts for word in p.facts]
    return RawColumns(
        time_ms=np.array([(p.time - EPOCH) // _MILLISECOND for p in pings], np.int64),
        received_ms=received_ms,
        lon_deg=np.array([p.lon for p in pings], np.float64),
        lat_deg=np.array([p.lat for p in pings], np.float64),
        valid=np.array([p.valid is not False for p in pings], np.bool_),
        speed_kmh=np.array([p.speed_kmh for p in pings], np.float64),
        course_deg=np.array([p.course_deg for p in pings], np.float64),
        accuracy_m=np.array([p.accuracy_m for p in pings], np.float64),
        satellites=np.array([p.satellites for p in pings], np.float64),
        battery_pct=np.array([p.battery_pct for p in pings], np.float64),
        seq=np.array([-1 if p.seq is None or not 0 <= p.seq <= SEQ_MAX else p.seq for p in pings], np.int64),
        lock=np.array([LOCKS.get(p.lock, UNKNOWN_WORD) for p in pings], np.int8),
        facts=np.array([fact_bits(p.facts) if p.facts else 0 for p in pings], np.int32),
        mode=np.array([MODES.get(p.mode, UNKNOWN_WORD) for p in pings], np.int8),
        interval_s=np.array([p.interval_s for p in pings], np.float64),
        buffered=np.array([p.buffered is True for p in pings], np.bool_),
        rssi_dbm=np.array([p.cell.rssi_dbm if p.cell else None for p in pings], np.float64),
        unknown_facts=sum(word not in FACTS for word in words),
    )


def fact_words(bits: int) -> list[str]:
    """Name the facts in a bit set, in the order of their bits."""
    return [word for word, bit in FACTS.items() if bits & bit]


def fact_bits(words: Sequence[str]) -> int:
    """Join the bits of the facts that we know; others add nothing."""
    bits = 0
    for word in words:
        bits |= FACTS.get(word, 0)
    return bits


def _positions(
    raw: RawColumns, tally: Discards
) -> tuple[NDArray[np.bool_], NDArray[np.int32], NDArray[np.int32]]:
    """Whether a row has a position on earth, and that position; 0, 0 where not."""
    lon, lat = raw.lon_deg, raw.lat_deg
    given = ~(np.isnan(lon) | np.isnan(lat))
    with np.errstate(invalid="ignore"):
        on_earth = given & (np.abs(lon) <= LON_MAX_DEG) & (np.abs(lat) <= LAT_MAX_DEG)
    _count(tally, "position_out_of_range", int(given.sum() - on_earth.sum()))
    lon_e7 = np.rint(np.where(on_earth, lon, 0.0) * 1e7).astype(np.int32)
    lat_e7 = np.rint(np.where(on_earth, lat, 0.0) * 1e7).astype(np.int32)
    return on_earth, lon_e7, lat_e7


def _within_limits(raw: RawColumns, tally: Discards) -> Floats:
    """The columns of `LIMITS`, float64[7, n]; NaN where unknown or out of range, which is counted."""
    kept = np.array([getattr(raw, name) for name in LIMITS])
    with np.errstate(invalid="ignore"):
        outside = (kept < LOWEST) | (kept > HIGHEST)
    if outside.any():
        for name, times in zip(LIMITS, outside.sum(axis=1).tolist(), strict=True):
            _count(tally, f"{name.partition('_')[0]}_out_of_range", times)
        kept[outside] = np.nan
    return kept


def _words(values: NDArray[np.int8], name: str, tally: Discards) -> NDArray[np.int8]:
    unknown = values == UNKNOWN_WORD
    _count(tally, name, int(unknown.sum()))
    return np.where(unknown, np.int8(0), values)


def _count(tally: Discards, name: str, times: int) -> None:
    if times:
        tally[name] += times


def _centis(values: NDArray[np.float32]) -> Ints:
    """Hundredths as whole numbers, -1 where unknown."""
    return np.where(np.isnan(values), -1, np.rint(np.nan_to_num(values).astype(np.float64) * 100.0)).astype(
        np.int64
    )


def _pair(high: NDArray[Any], low: NDArray[Any]) -> NDArray[np.uint64]:
    """Two columns of at most 32 bits each in one word."""
    word = np.uint64
    return high.astype(np.int64).view(word) << word(32) | low.astype(np.int64).view(word) & word(0xFFFF_FFFF)


def _splitmix64(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """One step of Steele, Lea and Flood's SplitMix64; products wrap at 2**64, as intended."""
    word = np.uint64
    mixed = words + word(0x9E37_79B9_7F4A_7C15)
    mixed = (mixed ^ mixed >> word(30)) * word(0xBF58_476D_1CE4_E5B9)
    mixed = (mixed ^ mixed >> word(27)) * word(0x94D0_49BB_1331_11EB)
    return mixed ^ mixed >> word(31)
