"""What is remembered of a space's pairs between batches, and which of them a batch concerns. Reads and writes nothing.

    devices heard ─ due ─ Need ─ (the caller reads tracks and stored episodes it asks for) ─ judge ─ Judged ─ install

A pair is *unread* until one of its devices is heard while it is compared: then both tracks since arming are read and it is
judged from nothing. From then on it is *live*: the end of both tracks is kept. Where one device has fallen an hour behind
the other it is *parked*: its progress is kept, the tracks are not, and are read from there when that device speaks.
Late fixes and changed facts make pairs be judged from nothing again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from seal_tracker.companions.batch import (
    LEAD,
    LIVE,
    NOTHING_JUDGED,
    OTHER,
    PARKED,
    UNREAD,
    Heard,
    Judged,
    Need,
    standing,
)
from seal_tracker.companions.stage import Progress, judge_pairs
from seal_tracker.companions.table import UNKNOWN, PairTable
from seal_tracker.companions.telling import told
from seal_tracker.companions.tracks import EMPTY, Track
from seal_tracker.model import NO_TIME, Episode
from seal_tracker.rules.pairs import UNENDED_MS
from seal_tracker.rules.runs import MEASURED_RUN, new_runs
from seal_tracker.tracking.epochs import Facts

__all__ = ["Companions"]

I8 = NDArray[np.int64]
I1 = NDArray[np.int8]


@dataclass
class _Remembered:
    """State of all pairs of a table, a row each, and of the devices and journeys they belong to."""

    status: I1
    waits_for: I1
    through_ms: I8
    runs: NDArray[np.void]
    episodes: list[tuple[Episode, ...]]
    tails: dict[int, Track]
    told: dict[str, dict[UUID, Episode]]

    @classmethod
    def blank(cls, n: int) -> _Remembered:
        none = np.zeros(n, np.int8)
        return cls(none, none.copy(), np.full(n, NO_TIME), new_runs(n, MEASURED_RUN), [()] * n, {}, {})


class Companions:
    """The pairs of one space. `judge` changes nothing; `install` does, once the commit stands.

    Attributes
    ----------
    table
        what is compared now.
    stale
        journeys that compare something else than when they were judged; `install` takes them away.
    """

    def __init__(self) -> None:
        self.table = PairTable.build((), {})
        self._mine = _Remembered.blank(0)
        self.stale: set[str] = set()
        self._built_from: object = None

    def use(self, facts: Facts) -> None:
        """Compare what these journeys say; pairs that are still the same go on as they were."""
        if self._built_from is facts.journeys:
            return
        self._built_from = facts.journeys
        table = PairTable.build(facts.journeys.journeys, facts.names)
        old, mine = self._mine, _Remembered.blank(len(table))
        place = {pair: i for i, pair in enumerate(self.table.pairs)}
        kept = [(i, place[pair]) for i, pair in enumerate(table.pairs) if pair in place]
        if kept:
            to, from_ = (np.array(column, np.int64) for column in zip(*kept, strict=True))
            for name in ("status", "waits_for", "through_ms", "runs"):
                getattr(mine, name)[to] = getattr(old, name)[from_]
            for i, j in kept:
                mine.episodes[i] = old.episodes[j]
        mine.tails, mine.told = old.tails, old.told
        self.stale |= {pair.journey for pair in place.keys() - {*table.pairs}}
        self.table, self._mine = table, mine

    def let_go(self, facts: Facts) -> None:
        """Compare what these journeys say; those that are gone have only ended, and are not stale for that."""
        stale = set(self.stale)
        self.use(facts)
        for journey in self.stale - stale:
            if journey not in self.table.of_journey:
                self._mine.told.pop(journey, None)
        self.stale = stale

    def forget(self, devices: Collection[int]) -> None:
        """On any doubt: read everything about these devices again."""
        which = self.table.touching(np.array(list(devices), np.int64))
        self._mine.status[which] = UNREAD
        for i in np.flatnonzero(which).tolist():
            self._mine.told.pop(self.table.pairs[i].journey, None)
        for device in devices:
            self._mine.tails.pop(device, None)

    def remembered(self) -> set[str]:
        """Journeys whose episodes are in memory."""
        return set(self._mine.told)

    def due(self, heard: Mapping[int, Heard]) -> Need:
        """Which pairs a batch concerns; ``heard`` are devices that are compared."""
        table, status = self.table, self._mine.status
        anew = np.zeros(len(table), bool)
        onward = np.zeros(len(table), bool)
        for role, column in ((LEAD, table.lead), (OTHER, table.other)):
            at = np.flatnonzero(np.isin(column, np.fromiter(heard, np.int64, len(heard))))
            by = [heard[d] for d in column[at].tolist()]
            first, last = (
                np.array([getattr(h, name) for h in by], np.int64) for name in ("first_ms", "last_ms")
            )
            late = np.array([h.late for h in by], bool)
            meets = (table.from_ms[at] <= last) & (first < table.to_ms[at])
            anew[at] |= meets & ((status[at] == UNREAD) | late)
            waited_for = (status[at] == PARKED) & (self._mine.waits_for[at] == role)
            onward[at] |= (status[at] == LIVE) | waited_for
        onward &= ~anew
        since = {d: h.first_ms for d, h in heard.items() if h.late}
        return self._need(anew, onward, since)

    def due_again(self, journeys: Iterable[str]) -> Need:
        """Judge all pairs of some journeys from nothing."""
        anew = np.zeros(len(self.table), bool)
        for journey in journeys:
            anew[list(self.table.of_journey.get(journey, ()))] = True
        return self._need(anew, np.zeros(len(self.table), bool), {})

    def _need(self, anew: NDArray[np.bool_], onward: NDArray[np.bool_], late: Mapping[int, int]) -> Need:
        table, mine = self.table, self._mine
        journeys = {table.pairs[i].journey for i in np.flatnonzero(anew | onward).tolist()}
        for journey in journeys:
            of = np.array(table.of_journey[journey], np.int64)
            anew[of[mine.status[of] == UNREAD]] = True
        which = np.flatnonzero(anew | onward)
        since: dict[int, int] = {}
        for i in which[anew[which] | (mine.status[which] == PARKED)].tolist():
            start = int(table.from_ms[i])
            if not anew[i]:
                start = max(start, int(mine.through_ms[i]))
            for device in (int(table.lead[i]), int(table.other[i])):
                if device != UNKNOWN:
                    since[device] = min(start, since.get(device, start), late.get(device, start))
        for device, at in since.items():  # what is read must go on from what is kept
            if device in mine.tails:
                since[device] = min(at, int(mine.tails[device].time_ms[-1]))
        unknown = {
            j: (
                int(table.lead[table.of_journey[j][0]]),
                min(table.pairs[i].from_ms for i in table.of_journey[j]),
            )
            for j in journeys - mine.told.keys()
        }
        return Need(which, anew[which], since, unknown)

    def judge(
        self,
        facts: Facts,
        need: Need,
        fresh: Mapping[int, Track],
        read: Mapping[int, Track],
        stored: Mapping[str, Mapping[UUID, Episode]],
    ) -> Judged:
        """Judge what is needed.

        Parameters
        ----------
        fresh
            new fixes of devices, later than what is kept of them; none of a device that was heard late.
        read
            tracks asked for, new fixes among them.
        stored
            episodes of the journeys asked for; those in memory need not be.
        """
        which = need.which
        tracks = {
            d: self._mine.tails.get(d, EMPTY).followed_by(fresh.get(d, EMPTY)).followed_by(read.get(d, EMPTY))
            for d in self._devices_of(which)
        }
        progress = judge_pairs(facts, self.table, which, self._progress(need), tracks)
        status, waits_for = standing(self.table, which, progress.through_ms, tracks)
        found = Judged(which, progress, status, waits_for, self._tails(which, progress, status, tracks))
        concerned = {
            self.table.pairs[i].journey
            for i, episodes, anew in zip(which.tolist(), progress.episodes, need.anew.tolist(), strict=True)
            if anew or episodes is not self._mine.episodes[i]
        }
        return self._tell(found, concerned | need.journeys.keys(), facts.now_ms, stored)

    def over(self, now_ms: int) -> Judged:
        """Tell anew of the journeys that time alone has ended."""
        mine, table = self._mine, self.table
        ended = np.flatnonzero(mine.runs["open"] & (mine.status != UNREAD) & (table.to_ms <= now_ms))
        journeys = {table.pairs[i].journey for i in ended.tolist()}
        still = {j for j in journeys if any(e.ended_at_ms is None for e in mine.told.get(j, {}).values())}
        return self._tell(NOTHING_JUDGED, still, now_ms, {})

    def gone(self, journeys: Iterable[str], stored: Mapping[str, Mapping[UUID, Episode]]) -> Judged:
        """Tell of journeys that compare nothing any more: what was told of them was never so."""
        gone = {j for j in journeys if j not in self.table.of_journey}
        return self._tell(NOTHING_JUDGED, gone, None, stored)

    def install(self, found: Judged) -> None:
        """Make this what is remembered."""
        mine, which = self._mine, found.which
        mine.status[which], mine.waits_for[which] = found.status, found.waits_for
        mine.through_ms[which], mine.runs[which] = found.progress.through_ms, found.progress.runs
        for i, episodes in zip(which.tolist(), found.progress.episodes, strict=True):
            mine.episodes[i] = episodes
        for device, tail in found.tails.items():
            mine.tails[device] = tail
            if not len(tail):
                del mine.tails[device]
        for journey, episodes_told in found.told.items():
            self.stale.discard(journey)
            mine.told[journey] = episodes_told
            if journey not in self.table.of_journey:
                del mine.told[journey]

    def _devices_of(self, which: I8) -> list[int]:
        devices = np.unique(np.concatenate([self.table.lead[which], self.table.other[which]]))
        return [d for d in devices.tolist() if d != UNKNOWN]

    def _progress(self, need: Need) -> Progress:
        """How far the pairs are; nothing where they are to be judged from nothing."""
        mine, which = self._mine, need.which
        runs = mine.runs[which]
        runs[need.anew] = new_runs(1, MEASURED_RUN)[0]
        episodes = (
            () if anew else mine.episodes[i]
            for i, anew in zip(which.tolist(), need.anew.tolist(), strict=True)
        )
        return Progress(np.where(need.anew, NO_TIME, mine.through_ms[which]), runs, tuple(episodes))

    def _tails(
        self, which: I8, progress: Progress, status: I1, tracks: Mapping[int, Track]
    ) -> dict[int, Track]:
        """The end of each track (devices ascending) that some live pair still needs; empty where none does."""
        table = self.table
        now, through = self._mine.status.copy(), self._mine.through_ms.copy()
        now[which], through[which] = status, progress.through_ms
        live = np.flatnonzero(now == LIVE)
        start = np.maximum(through, table.from_ms)[live]
        devices = np.fromiter(tracks, np.int64, len(tracks))
        needed = np.full(len(devices), UNENDED_MS)
        for column in (table.lead[live], table.other[live]):
            mine = np.flatnonzero(np.isin(column, devices))
            np.minimum.at(needed, np.searchsorted(devices, column[mine]), start[mine])
        return {
            device: EMPTY if since == UNENDED_MS else tracks[device].since(since)
            for device, since in zip(devices.tolist(), needed.tolist(), strict=True)
        }

    def _tell(
        self,
        found: Judged,
        journeys: Collection[str],
        now_ms: int | None,
        stored: Mapping[str, Mapping[UUID, Episode]],
    ) -> Judged:
        """Add what was told of some journeys, and what is to be told now."""
        fresh = dict(zip(found.which.tolist(), found.progress.episodes, strict=True))
        before: dict[UUID, Episode] = {}
        after: dict[UUID, Episode] = {}
        new: dict[str, dict[UUID, Episode]] = {}
        for journey in journeys:
            had = self._mine.told.get(journey) or stored.get(journey, {})
            new[journey] = told(
                (
                    (self.table.pairs[i], fresh.get(i, self._mine.episodes[i]))
                    for i in self.table.of_journey.get(journey, ())
                ),
                now_ms,
            )
            before |= {key: e for key, e in had.items() if new[journey].get(key) != e}
            after |= {key: e for key, e in new[journey].items() if had.get(key) != e}
        return replace(found, before=before, after=after, told=new)
