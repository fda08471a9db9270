"""What is remembered of each seal between batches: one row of columns, its watched zones, its open episodes.

`SealStates` is owned by whoever judges; `judge` reads it and returns a new state of the seals it judged, which the owner
installs once the commit succeeded. One seal's state is a few hundred bytes and serialises to bytes (a checkpoint).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from geofences.masks import every, which
from seal_tracker.model import NO_TIME, Episode
from seal_tracker.rules.book import OpenEpisodes
from seal_tracker.rules.catalog import RULES
from seal_tracker.rules.records import Rows, copied, joined, picked, put
from seal_tracker.rules.streams import STREAM
from seal_tracker.tracking.pool import NO_STREAM, StreamPool

__all__ = ["ROW", "TRACK", "SealState", "SealStates", "StateFormatError", "blank_rows", "row_of"]

TRACK = np.dtype(
    [
        ("through_ms", "i8"),  # nothing at or before this can be judged without going back
        ("last_ms", "i8"),  # newest ping, and what it said of its rhythm
        ("last_mode", "i1"),
        ("last_interval_s", "i4"),
        ("last_speed_kmh", "f4"),  # and of itself, for those who look on: NaN unknown
        ("last_course_deg", "f4"),
        ("last_battery_pct", "f4"),
        ("last_lock", "i1"),
        ("fix_ms", "i8"),  # newest accepted fix
        ("fix_lon", "i4"),
        ("fix_lat", "i4"),
        ("on_corridor", "?"),
        ("chainage_m", "f8"),  # NaN: not on a route yet
        ("off_route_m", "f8"),
        ("held_ms", "i8"),  # a fix that cannot be believed or refused yet
        ("held_lon", "i4"),
        ("held_lat", "i4"),
        ("held_accuracy_m", "f4"),
        ("held_speed_kmh", "f4"),
        ("journey", "i8"),  # key of the journey judged last, 0: none
        ("phase_ms", "i8"),  # when the phase of it began that was judged last
        ("n", "i4"),  # pings judged
        ("active", "i4"),  # rules that have a run or an episode under way, one bit each
    ]
)

ROW = np.dtype([("track", TRACK), *((r.name, r.state) for r in RULES if r.state is not None)])
"""All that is remembered of a seal in columns, as it is written down. Live, each part of it is an array of its own."""

PARTS = ROW.names or ()

COUNT = slice(*np.add(ROW["track"].fields["n"][1], (0, ROW["track"]["n"].itemsize)).tolist())  # type: ignore[index]
"""Where, of a row's bytes, its count of pings lies; the track is its first part."""


def _blank_row() -> NDArray[np.void]:
    rows = np.zeros(1, ROW)
    track = rows["track"]
    for name in ("through_ms", "last_ms", "fix_ms", "held_ms", "phase_ms"):
        track[name] = NO_TIME
    for name in ("chainage_m", "off_route_m", "last_speed_kmh", "last_course_deg", "last_battery_pct"):
        track[name] = np.nan
    for rule in RULES:
        if rule.state is not None and rule.start is not None:
            rows[rule.name] = rule.start
    return rows


BLANK_ROW = _blank_row()


BLANK = {name: BLANK_ROW[name].copy() for name in PARTS}


def blank_rows(n: int) -> Rows:
    """Rows of seals that have said nothing."""
    return Rows(n, lambda name: BLANK[name].repeat(n))


def row_of(rows: Rows, i: int) -> NDArray[np.void]:
    """The parts of one row put together, as an array of one `ROW`."""
    return _written(b"".join(rows[name][i].tobytes() for name in PARTS), ROW)


def _written(data: bytes, dtype: np.dtype[np.void]) -> NDArray[np.void]:
    """Records that were written down, to write to; numpy would copy them field by field."""
    return np.frombuffer(bytearray(data), dtype)


def _put_together(rows: Rows) -> NDArray[np.void]:
    """The parts of each row put together: [n, 1] of `ROW`."""
    parts = [rows[name].view(np.uint8).reshape(len(rows), BLANK[name].dtype.itemsize) for name in PARTS]
    return np.concatenate(parts, axis=1).view(ROW)


class StateFormatError(ValueError):
    """A checkpoint was written by a version whose state looked different: judge again from the beginning."""


class _Stored(msgspec.Struct, array_like=True):
    layout: str
    row: bytes
    streams: bytes
    open: list[Episode]


LAYOUT = f"{ROW.descr}{STREAM.descr}"
_encoder, _decoder = msgspec.msgpack.Encoder(), msgspec.msgpack.Decoder(_Stored)


LAYOUT_DIGEST = blake2b(LAYOUT.encode(), digest_size=8).hexdigest()


@dataclass(frozen=True, slots=True)
class SealState:
    """The state of one seal, complete. ``row`` is a one-element array of `ROW`."""

    row: NDArray[np.void]
    streams: NDArray[np.void]
    open: OpenEpisodes

    def dump(self) -> bytes:
        """The state as bytes, equal for equal states."""
        episodes = [self.open[key] for key in sorted(self.open, key=lambda k: (k[0], k[1] or ""))]
        return _encoder.encode(_Stored(LAYOUT_DIGEST, self.row.tobytes(), self.streams.tobytes(), episodes))

    def same(self, other: SealState) -> bool:
        """Whether the same pings and facts lead to the same from here on: all but how many pings it took to get here."""
        return (
            _all_but_n(self.row) == _all_but_n(other.row)
            and self.streams.tobytes() == other.streams.tobytes()
            and self.open == other.open
        )

    @classmethod
    def load(cls, data: bytes) -> SealState:
        """Read what `dump` wrote.

        Raises
        ------
        StateFormatError
            the layout has changed since.
        """
        try:
            stored = _decoder.decode(data)
        except msgspec.DecodeError as fault:
            raise StateFormatError(f"a checkpoint cannot be read: {fault}") from fault
        if stored.layout != LAYOUT_DIGEST:
            raise StateFormatError(
                f"a checkpoint has layout {stored.layout}, this version writes {LAYOUT_DIGEST}"
            )
        return cls(
            _written(stored.row, ROW),
            _written(stored.streams, STREAM),
            {(e.type, e.object): e for e in stored.open},
        )


def _all_but_n(row: NDArray[np.void]) -> bytes:
    data = row.tobytes()
    return data[: COUNT.start] + data[COUNT.stop :]


class SealStates:
    """Columns of all seals known, grown as needed. Not safe for concurrent writers; reading between writes is.

    Seals are the small whole numbers that a space gives them: a table from number to row takes 8 bytes each.
    """

    def __init__(self) -> None:
        self._rows = {name: blank.repeat(0) for name, blank in BLANK.items()}
        self._head = np.zeros(0, np.int64)
        self._numbers = np.zeros(0, np.int64)
        self._due = np.zeros(0, np.int64)
        self._place = np.zeros(0, np.int64)
        self._n = 0
        self._pool = StreamPool()
        self.open: dict[int, OpenEpisodes] = {}

    def __len__(self) -> int:
        return self._n

    def __contains__(self, seal: object) -> bool:
        return isinstance(seal, int) and 0 <= seal < len(self._place) and bool(self._place[seal] >= 0)

    def seals(self) -> NDArray[np.int64]:
        """Numbers of all seals known, in the order of `all_rows`."""
        return self._numbers[: self._n].copy()

    def all_rows(self) -> Rows:
        """The rows themselves; read only."""
        return Rows(self._n, lambda name: self._rows[name][: self._n])

    def due_by(self, now_ms: int) -> NDArray[np.int64]:
        """Numbers of the seals that time may have changed by ``now_ms``: none of the others has it."""
        return self._numbers[which(self._due[: self._n] <= now_ms)]

    def due_ms(self, seals: NDArray[Any]) -> NDArray[np.int64]:
        """From when on time may change each seal, `NO_TIME` where nobody knows."""
        where = self._where(seals)
        if not self._n:
            return np.full(len(seals), NO_TIME)
        known = where >= 0
        return self._due[where] if every(known) else np.where(known, self._due[where], NO_TIME)

    def look_again(self, seals: NDArray[Any] | None = None) -> None:
        """What is known of when some seals (None: any) are due holds no more: other facts are."""
        if seals is None:
            self._due[:] = NO_TIME
            return
        where = self._where(seals)
        self._due[where[where >= 0]] = NO_TIME

    def take(self, seals: NDArray[Any]) -> Rows:
        """Copies of rows, blank for seals not known; of each part when it is asked for."""
        where = self._where(seals)
        if not self._n:
            return blank_rows(len(seals))
        unknown = which(where < 0)
        if len(unknown) == len(seals):
            return blank_rows(len(seals))

        def part(name: str) -> NDArray[np.void]:
            mine = picked(self._rows[name], where)
            if len(unknown):
                put(mine, unknown, BLANK[name].repeat(len(unknown)))
            return mine

        return Rows(len(seals), part)

    def through_ms(self, seals: NDArray[Any]) -> NDArray[np.int64]:
        """Up to when each seal has been judged, `NO_TIME` for seals not known."""
        where = self._where(seals)
        if not self._n:
            return np.full(len(seals), NO_TIME)
        return np.where(where >= 0, self._rows["track"]["through_ms"][where], NO_TIME)

    def on_journey(self, seals: NDArray[Any]) -> NDArray[np.bool_]:
        """Which seals were on a journey when they were judged last."""
        where = self._where(seals)
        if not self._n:
            return np.zeros(len(seals), bool)
        on: NDArray[np.bool_] = (where >= 0) & (self._rows["track"]["journey"][where] != 0)
        return on

    def in_phase(self, seals: NDArray[Any], track: NDArray[np.void]) -> NDArray[np.bool_]:
        """Which seals are known to be in the journeys and phases that ``track`` says, one row a seal."""
        where = self._where(seals)
        if not self._n:
            return np.zeros(len(seals), bool)
        mine = self._rows["track"]
        same: NDArray[np.bool_] = mine["journey"][where] == track["journey"]
        same &= mine["phase_ms"][where] == track["phase_ms"]
        return same & (where >= 0)

    def streams(self, seals: NDArray[Any]) -> NDArray[np.void]:
        """Streams of some seals, their ``row`` the position among these, in order."""
        where = self._where(seals)
        if not self._n:
            return self._pool.take(where)
        known = where >= 0
        return self._pool.take(
            self._head[where] if every(known) else np.where(known, self._head[where], NO_STREAM)
        )

    def put(
        self,
        seals: NDArray[Any],
        rows: Rows,
        streams: NDArray[np.void],
        open_: Mapping[int, OpenEpisodes],
        due_ms: NDArray[np.int64] | None = None,
    ) -> None:
        """Install new state of some seals; ``streams`` are all they have, sorted by ``row``, the position among these.

        ``due_ms`` is from when on time may change each, None: nobody knows.
        """
        where = self._places(seals)
        self._due[where] = NO_TIME if due_ms is None else due_ms
        for name, part in rows.own.items():
            put(self._rows[name], where, part)
        self._head[where] = self._pool.replace(self._head[where], streams)
        for seal, episodes in open_.items():
            if episodes:
                self.open[seal] = episodes
            else:
                self.open.pop(seal, None)

    def one(self, seal: int) -> SealState:
        """The state of one seal, copied."""
        mine = np.array([seal])
        return SealState(row_of(self.take(mine), 0), self.streams(mine), dict(self.open.get(seal, {})))

    def several(self, seals: Sequence[int]) -> dict[int, SealState]:
        """The states of some seals, none of them twice, copied; many at once cost much less than each by itself."""
        mine = np.array(seals, np.int64)
        rows, streams = _put_together(self.take(mine)), self.streams(mine)
        ends = np.searchsorted(streams["row"], np.arange(len(seals) + 1)).tolist()
        streams["row"] = 0
        return {
            seal: SealState(rows[i], streams[ends[i] : ends[i + 1]], dict(self.open.get(seal, {})))
            for i, seal in enumerate(seals)
        }

    def install(self, seal: int, state: SealState) -> None:
        """Replace the state of one seal."""
        self.install_all({seal: state})

    def install_all(self, states: Mapping[int, SealState]) -> None:
        """Replace the states of some seals."""
        if not states:
            return
        found = list(states.values())
        whole = joined([state.row for state in found])
        n = [len(state.streams) for state in found]
        streams = copied(joined([state.streams for state in found]))
        streams["row"] = np.repeat(np.arange(len(found)), n)
        rows = Rows(len(found), lambda name: copied(whole, name))
        open_ = {seal: dict(state.open) for seal, state in states.items()}
        self.put(np.array(list(states), np.int64), rows.whole(PARTS), streams, open_)

    def forget(self, seals: Iterable[int]) -> None:
        """Make seals as if never seen; their rows stay and are blanked."""
        known = [seal for seal in seals if seal in self]
        nothing: OpenEpisodes = {}
        self.put(
            np.array(known, np.int64),
            blank_rows(len(known)).whole(PARTS),
            np.zeros(0, STREAM),
            dict.fromkeys(known, nothing),
        )

    def _where(self, seals: NDArray[Any]) -> NDArray[np.int64]:
        """The row of each seal, -1 for those not known."""
        try:
            where: NDArray[np.int64] = self._place[seals]
        except IndexError:
            self._widen(int(seals.max()))
            where = self._place[seals]
        return where

    def _widen(self, greatest: int) -> None:
        wider = np.full(max(greatest + 1, 2 * len(self._place), 64), -1)
        wider[: len(self._place)] = self._place
        self._place = wider

    def _places(self, seals: NDArray[Any]) -> NDArray[np.int64]:
        """The row of each seal, given to those that had none; no seal is there twice."""
        where = self._where(seals)
        new = which(where < 0)
        if not len(new):
            return where
        end = self._n + len(new)
        if end > len(self._numbers):
            self._grow(end)
        where[new] = self._place[seals[new]] = np.arange(self._n, end)
        self._numbers[self._n : end] = seals[new]
        self._n = end
        return where

    def _grow(self, needed: int) -> None:
        more = max(needed, 2 * len(self._numbers), 64) - len(self._numbers)
        for name, part in self._rows.items():
            self._rows[name] = joined([part, BLANK[name].repeat(more)])
        self._head = np.concatenate([self._head, np.full(more, NO_STREAM)])
        self._numbers = np.concatenate([self._numbers, np.zeros(more, np.int64)])
        self._due = np.concatenate([self._due, np.full(more, NO_TIME)])
