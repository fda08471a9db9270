"""Judging pairs: their meetings through the rules across devices, by the plan version in force at each. Pure.

A pair's progress is small and carried by the caller: how far it is judged, its run, and the episodes it has had.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seal_tracker.companions.meetings import Compared, Met, meet
from seal_tracker.companions.table import PairTable
from seal_tracker.companions.telling import closed, reset_ms
from seal_tracker.companions.tracks import EMPTY, Track, Tracks
from seal_tracker.model import NO_TIME, Episode, episode_id
from seal_tracker.rules.catalog import PAIR_RULES
from seal_tracker.rules.evidence import place_evidence
from seal_tracker.rules.pairs import Meetings, Pair, PairRule
from seal_tracker.rules.policy import REGIMES
from seal_tracker.rules.runs import (
    MEASURED_RUN,
    Limits,
    Observations,
    Transitions,
    debounce,
    new_runs,
    peak_at,
)
from seal_tracker.rules.table import per
from seal_tracker.tracking.epochs import Facts, Version

__all__ = ["Progress", "judge_pairs"]

I8 = NDArray[np.int64]


@dataclass(frozen=True)
class Progress:
    """How far some pairs are judged, a row each.

    ``through_ms`` int64[n], the last instant judged; ``runs`` MEASURED_RUN[n]; ``episodes`` what each pair has had, in
    order, the last one perhaps open: the same tuple as before where nothing changed. Nothing here is closed by the end of a journey: see ``telling``.
    """

    through_ms: I8
    runs: NDArray[np.void]
    episodes: tuple[tuple[Episode, ...], ...]

    @classmethod
    def blank(cls, n: int) -> Progress:
        """Pairs of which nothing has been judged."""
        return cls(np.full(n, NO_TIME), new_runs(n, MEASURED_RUN), ((),) * n)


def judge_pairs(
    facts: Facts, table: PairTable, which: I8, before: Progress, tracks: dict[int, Track]
) -> Progress:
    """Judge the pairs ``which`` of the table up to what both their tracks have passed.

    ``tracks`` must hold, of each device, the last fix at or before what each of its pairs is judged through, and all
    fixes after it; a device that is missing has no fixes.
    """
    rows = {device: row for row, device in enumerate(tracks)}
    columns = Tracks.of([*tracks.values(), EMPTY])
    lead, other = (
        np.array([rows.get(d, len(rows)) for d in column[which].tolist()], np.int64)
        for column in (table.lead, table.other)
    )
    from_ms = table.from_ms[which]
    through = np.maximum(before.through_ms, from_ms - 1)
    met = meet(Compared(lead, other, from_ms, table.to_ms[which], through), columns)
    work = _Work(facts, table, which, before)
    if len(met.pair):
        version = np.searchsorted(facts.version_from_ms, met.time_ms, side="right")
        turn = version + _resets_before(met, [table.pairs[i] for i in which.tolist()])
        for t in np.unique(turn).tolist():
            for v in np.unique(version[turn == t]).tolist():
                work.judge(facts.versions[v], met, np.flatnonzero((turn == t) & (version == v)))
    return Progress(met.passed_ms, work.runs, tuple(work.episodes))


def _resets_before(met: Met, pairs: Sequence[Pair]) -> I8:
    """How many of its pair's resets each meeting comes after."""
    count = np.zeros(len(met.pair), np.int64)
    for i, pair in enumerate(pairs):
        if pair.resets_ms:
            mine = met.pair == i
            count[mine] = np.searchsorted(pair.resets_ms, met.time_ms[mine], side="right")
    return count


class _Work:
    """Working copies of some pairs' progress, moved on version by version."""

    def __init__(self, facts: Facts, table: PairTable, which: I8, before: Progress) -> None:
        self._space = facts.space
        self._pairs = [table.pairs[i] for i in which.tolist()]
        self._rule = table.rule[which]
        self.runs = before.runs.copy()
        self.episodes = list(before.episodes)

    def judge(self, version: Version, met: Met, at: I8) -> None:
        """Judge the meetings ``at``, of one version's time, and of each pair all between two resets."""
        for i, rule in enumerate(PAIR_RULES):
            mine = at[self._rule[met.pair[at]] == i]
            if len(mine):
                self._judge_rule(rule, version, met, mine)

    def _judge_rule(self, rule: PairRule, version: Version, met: Met, at: I8) -> None:
        """Judge the meetings ``at`` of one rule's pairs."""
        which, pair = np.unique(met.pair[at], return_inverse=True)
        meetings = _meetings(rule, version, [self._pairs[i] for i in which.tolist()], met, at, pair)
        for k in np.flatnonzero([bool(p.resets_ms) for p in meetings.pairs]).tolist():
            self._reset(int(which[k]), int(meetings.time_ms[np.searchsorted(pair, k)]))
        enabled = np.broadcast_to(np.asarray(meetings.policy("enabled"), bool), len(which))
        for k in np.flatnonzero(~enabled).tolist():
            self._switch_off(int(which[k]), version)
        says = meetings.gap_ms <= np.multiply(per(meetings.policy("max_gap_s"), pair), 1000)
        meetings = _taken(meetings, np.flatnonzero(says & enabled[pair]))
        if not len(meetings):
            return
        on, off = rule.holds(meetings)
        runs = self.runs[which]
        if not on.any() and not (runs["open"] | (runs["on_n"] > 0)).any():
            return
        observed = Observations(
            stream=meetings.pair,
            time_ms=meetings.time_ms,
            lon_e7=meetings.lon_e7,
            lat_e7=meetings.lat_e7,
            on=on,
            off=off,
            value_mm=meetings.distance_mm,
        )
        found = debounce(runs, observed, _limits(meetings))
        self.runs[which] = runs
        for k in range(len(found)):
            self._tell(rule, meetings, observed, found, k, which)

    def _tell(
        self,
        rule: PairRule,
        meetings: Meetings,
        observed: Observations,
        found: Transitions,
        k: int,
        which: I8,
    ) -> None:
        i, pair = int(found.row[k]), int(found.stream[k])
        row = int(which[pair])
        at, evidence = int(meetings.time_ms[i]), rule.evidence(meetings, i, peak_at(observed, found, i))
        if found.raised[k]:
            self.episodes[row] += (self._raised(rule, meetings, found, k, evidence),)
        else:
            self._close(row, int(found.began_ms[k]), at, evidence)

    def _close(self, row: int, ended_ms: int, cleared_ms: int, evidence: dict[str, Any]) -> None:
        *others, last = self.episodes[row]
        self.episodes[row] = (*others, closed(last, ended_ms, cleared_ms, evidence))

    def _raised(
        self, rule: PairRule, meetings: Meetings, found: Transitions, k: int, evidence: dict[str, Any]
    ) -> Episode:
        i, p = int(found.row[k]), int(found.stream[k])
        pair, started, at = meetings.pairs[p], int(found.began_ms[k]), int(meetings.time_ms[i])
        return Episode(
            episode=episode_id(self._space, f"journey/{pair.journey}", rule.name, pair.object, started),
            type=rule.name,
            severity=meetings.severity(p),
            subject_kind="journey",
            subject=pair.journey,
            journey=pair.journey,
            seal=pair.lead,
            object=pair.object,
            started_at_ms=started,
            raised_at_ms=at,
            ended_at_ms=None,
            cleared_at_ms=None,
            inferred=False,
            latched=bool(meetings.policy_at("latched", p)),
            evidence=evidence | {"n_fixes": int(found.n[k])} | _places(meetings, found, k),
            plan_version=meetings.terrain.version,
            regime=pair.regime,
            unit=pair.unit,
            changed_ms=at,
            settled_ms=None,
        )

    def _reset(self, row: int, before_ms: int) -> None:
        """End a latched episode that was dealt with; what is true after that is a new one."""
        if not self.runs["open"][row]:
            return
        last = self.episodes[row][-1]
        at = reset_ms(last, self._pairs[row])
        if at is not None and at <= before_ms:
            self._close(row, at, at, {"closed_by": "reset"})
            self.runs[row] = new_runs(1, MEASURED_RUN)[0]

    def _switch_off(self, row: int, version: Version) -> None:
        """A policy that switches the rule off ends what it has under way, where that policy begins to hold."""
        if self.runs["open"][row]:
            last = self.episodes[row][-1]
            at = max(version.from_ms, self._pairs[row].from_ms, last.started_at_ms)
            self._close(row, at, at, {"closed_by": "plan_changed"})
        self.runs[row] = new_runs(1, MEASURED_RUN)[0]


def _meetings(
    rule: PairRule, version: Version, pairs: Sequence[Pair], met: Met, at: I8, pair: I8
) -> Meetings:
    routes, zones = version.plan.route_index, version.terrain.zone_index
    return Meetings(
        rule=rule.name,
        pairs=pairs,
        pair=pair.astype(np.int64),
        time_ms=met.time_ms[at],
        lon_e7=met.lon_e7[at],
        lat_e7=met.lat_e7[at],
        other_lon_e7=met.other_lon_e7[at],
        other_lat_e7=met.other_lat_e7[at],
        gap_ms=met.gap_ms[at],
        distance_mm=met.distance_mm[at],
        speed_m_h=_m_h(met.step_mm[at], met.step_ms[at]),
        other_speed_m_h=_m_h(met.other_step_mm[at], met.other_step_ms[at]),
        terrain=version.terrain,
        regime=np.array([REGIMES.index(p.regime) for p in pairs], np.int64),
        route=np.array([routes.get(p.route or "", -1) for p in pairs], np.int64),
        other_route=np.array([routes.get(p.other_route or "", -1) for p in pairs], np.int64),
        zone=np.array([zones.get(p.object, -1) if p.other_journey else -1 for p in pairs], np.int64),
    )


def _m_h(step_mm: I8, step_ms: I8) -> I8:
    """Metres an hour of steps; 0 of those that took no time."""
    return step_mm * 3600 // np.maximum(step_ms, 1) * (step_ms > 0)


def _taken(meetings: Meetings, at: I8) -> Meetings:
    names = (
        "pair", "time_ms", "lon_e7", "lat_e7", "other_lon_e7", "other_lat_e7", "gap_ms", "distance_mm",
        "speed_m_h", "other_speed_m_h",
    )  # fmt: skip
    return replace(meetings, **{name: getattr(meetings, name)[at] for name in names})


def _limits(meetings: Meetings) -> Limits:
    names = ("raise_fixes", "raise_s", "clear_fixes", "clear_s", "latched")
    return Limits(**{name: meetings.policy(name) for name in names})


def _places(meetings: Meetings, found: Transitions, k: int) -> dict[str, Any]:
    """Where the lead was first and last in the run that raised, and where the other was then."""
    i, pair = int(found.row[k]), meetings.pairs[int(found.stream[k])]
    last = place_evidence(meetings.time_ms[i], meetings.lon_e7[i], meetings.lat_e7[i])
    first = place_evidence(found.began_ms[k], found.began_lon[k], found.began_lat[k])
    there = place_evidence(meetings.time_ms[i], meetings.other_lon_e7[i], meetings.other_lat_e7[i])
    return {"fixes": [last] if found.n[k] <= 1 else [first, last], "other": {"seal": pair.other} | there}
