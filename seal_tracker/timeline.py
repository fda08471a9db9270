"""What happens to a seal's judgement at set moments, pings or none: phases and versions that begin, journeys that end. Pure.

Between the last ping and the next (or now) lie the moments at which the facts say that something changes: a seal is armed,
a phase or a plan version begins, a seal is disarmed. They are
passed in their order, each once: time is let pass up to the moment by what held before it, then what the change ends
is closed and what it must not inherit is emptied. So it makes no difference which batch, or the clock, comes past them.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from geofences.masks import every, some, which
from seal_tracker.model import NO_TIME, PingBatch, key_of
from seal_tracker.rules.book import Book
from seal_tracker.rules.catalog import BITS, OF_EVERY_SEAL, OF_EVERY_TRACKER, RULES
from seal_tracker.rules.context import Context
from seal_tracker.rules.records import Rows, picked
from seal_tracker.rules.rule import Rule
from seal_tracker.rules.runs import RUN
from seal_tracker.rules.signal import begin_silence, close_silence
from seal_tracker.rules.unheard import NEVER_MS, SILENCE_MS
from seal_tracker.tracking.epochs import Facts
from seal_tracker.tracking.phases import Manner

__all__ = ["ALWAYS_JUDGED", "CLOSINGS", "OF_ROUTE", "RULES_JUDGED", "STOPPED", "TIMED", "Timeline"]

I8 = NDArray[np.int64]

OF_JOURNEY = tuple(rule for rule in RULES if rule.per_journey)
OF_ROUTE = tuple(rule for rule in RULES if rule.of_route)
"""Rules of a route: a diversion ends what they have under way."""

STOPPED = tuple(rule for rule in RULES if not rule.while_suspended)
ALWAYS_JUDGED = tuple(rule for rule in RULES if rule.while_suspended)
TIMED = frozenset(rule.name for rule in RULES if rule.pass_time is not None)

DISARMED, DIVERTED, SUSPENDED, RESET = "disarmed", "plan_changed", "suspended", "reset"
CLOSINGS = frozenset({DISARMED, DIVERTED, SUSPENDED, RESET})
"""What an episode says that ended at a set moment, not by a ping (``closed_by`` of its evidence)."""

RULES_JUDGED = {
    Manner.WHOLE: RULES,
    Manner.SUSPENDED: ALWAYS_JUDGED,
    Manner.SECONDARY: OF_EVERY_SEAL,
    Manner.ESCORT: OF_EVERY_TRACKER,
    Manner.COMPANION: OF_EVERY_TRACKER,
}
"""The rules that judge a seal in each manner; on no journey by all, of which most then have nothing to say."""


class Timeline:
    """Working copies of the state of some seals, moved on from moment to moment.

    ``rows`` and ``streams`` are the caller's own; row ``i`` is seal ``seals[i]``.
    """

    seals: I8
    facts: Facts
    rows: Rows
    streams: NDArray[np.void]
    book: Book

    @abstractmethod
    def _context(self, rows: I8, journey: I8, version: int, pings: PingBatch, ping_row: I8) -> Context: ...

    def bring_to(self, rows: I8, at: I8, version: int, until_ms: I8) -> bool:
        """Bring rows to their next pings, at ``until_ms`` and in the phases ``at`` (positions, -1 none) of a version.

        Returns whether it is known that no phase has begun or ended with that.
        """
        phases, track = self.facts.journeys.with_none, self.rows["track"]
        mine = slice(None) if len(rows) == len(self.seals) else rows
        key = phases.key[at]
        stay = (track["journey"][mine] == key) & (key != 0) & (track["phase_ms"][mine] == phases.from_ms[at])
        stay &= self._clock(mine) >= until_ms - SILENCE_MS
        if every(stay) and not len(self.facts.version_from_ms):
            return True  # on the journeys and in the phases of their pings, and heard of lately, as most of the time
        was = track["journey"][rows]
        leaving = (was != key) & (was != 0)
        if some(leaving):
            self._leave(rows[leaving], at[leaving], until_ms[leaving])
        if not every(was != 0):
            away = rows[was == 0]
            coming = self._coming(away)
            armed = (coming >= 0) & (phases.from_ms[coming] <= until_ms[was == 0])
            self._begin(away[armed], coming[armed])
        on = track["journey"][rows] != 0
        behind = on & (track["phase_ms"][rows] != phases.from_ms[at])
        if len(self.facts.version_from_ms):
            older = self._version_at(self._clock(rows)) != version
            behind |= older & (on | self.is_equipment(rows))
        if some(behind):
            self.advance(rows[behind], until_ms[behind])
        silent = np.flatnonzero(on & (self._clock(rows) < until_ms - SILENCE_MS))
        if len(silent):
            self.let_time_pass(rows[silent], at[silent], np.full(len(silent), version), until_ms[silent])
        return False

    def advance(self, rows: I8, until_ms: I8) -> None:
        """Pass every set moment up to ``until_ms`` (by row, inclusive), in order."""
        phases, clock = self.facts.journeys.with_none, self._clock(rows)
        version_ends = np.append(self.facts.version_from_ms, NEVER_MS)
        while len(rows):
            at = self.places(rows)
            version = self._version_at(np.maximum(clock, self.rows["track"]["through_ms"][rows]))
            watched = (at >= 0) | self.is_equipment(rows)
            coming = np.where(watched, -1, self._coming(rows))
            due_ms = np.where(watched, np.minimum(phases.to_ms[at], version_ends[version]), NEVER_MS)
            due_ms = np.where(coming >= 0, phases.from_ms[coming], due_ms)
            due = which(due_ms <= until_ms)
            rows, at, version, coming, clock, until_ms = (
                column[due] for column in (rows, at, version, coming, due_ms, until_ms)
            )
            armed = coming >= 0
            if some(armed):
                self._begin(rows[armed], coming[armed])
            if not every(armed):
                moment = [column[~armed] for column in (rows, at, version, clock)]
                self.let_time_pass(*moment)
                self._pass_moment(*moment)

    def places(self, rows: I8) -> I8:
        """Position in the table of the phase each row is in, -1 where none or no longer known."""
        track = self.rows["track"]
        return self.facts.journeys.places(track["journey"][rows], track["phase_ms"][rows])

    def is_equipment(self, rows: I8) -> NDArray[np.bool_]:
        """Which rows are cameras, scanners and readers, which have no journeys."""
        equipment = self.facts.equipment
        return np.isin(self.seals[rows], equipment) if len(equipment) else np.zeros(len(rows), bool)

    def _coming(self, rows: I8) -> I8:
        """The first phase of the journey that rows on none will be on next, -1 where none is known or they are on one."""
        track = self.rows["track"]
        at = self.facts.journeys.following(self.seals[rows], track["through_ms"][rows])
        return np.where(track["journey"][rows] == 0, at, -1)

    def let_time_pass(self, rows: I8, at: I8, version: I8, until_ms: I8, due_ms: I8 | None = None) -> None:
        """Raise what time alone raises up to ``until_ms`` in the phases ``at`` of some versions (all by row).

        Into ``due_ms``, by row of all, is written from when on time may bring more.
        """
        kind = len(Manner) * version + self.facts.journeys.with_none.manner[at]
        for k in np.unique(kind).tolist():
            of = which(kind == k)
            ctx = self._context(rows[of], at[of], k // len(Manner), PingBatch.empty(), np.zeros(0, np.int64))
            raised_ms = np.full(len(of), NO_TIME)
            for rule in RULES_JUDGED[Manner(k % len(Manner))]:
                if rule.pass_time is not None:
                    raised_ms = np.maximum(raised_ms, rule.pass_time(ctx, until_ms[of]))
            if due_ms is not None:
                due_ms[rows[of]] = self._next_due(ctx, at[of], k // len(Manner), until_ms[of])
            track = ctx.state["track"]
            track["active"] = ctx.active
            track["through_ms"] = np.maximum(track["through_ms"], raised_ms)
            self.rows.put(rows[of], ctx.state)
            if len(ctx.streams) and (raised_ms != NO_TIME).any():
                mine = np.isin(self.streams["row"], rows[of])
                for name in RUN.names or ():
                    self.streams[name][mine] = ctx.streams[name]

    def _next_due(self, ctx: Context, at: I8, version: int, until_ms: I8) -> I8:
        """From when on time may change rows of which it has just been let pass: the next set moment, or what a rule says."""
        phases = self.facts.journeys.with_none
        due: I8 = np.minimum(phases.to_ms[at], np.append(self.facts.version_from_ms, NEVER_MS)[version])
        for rule in RULES_JUDGED[Manner(int(phases.manner[at[0]]))]:
            if rule.pass_time is not None:
                due = np.minimum(due, until_ms if rule.next_due is None else rule.next_due(ctx, until_ms))
        return due

    def _clock(self, rows: I8 | slice) -> I8:
        """The last moment that each row was judged at."""
        track = self.rows["track"]
        clock: I8 = np.maximum(track["last_ms"][rows], track["phase_ms"][rows])
        return clock

    def _version_at(self, at_ms: I8) -> I8:
        return np.searchsorted(self.facts.version_from_ms, at_ms, side="right")

    def _pass_moment(self, rows: I8, at: I8, version: I8, due_ms: I8) -> None:
        """Do what each row's moment brings: another version, another phase, the end of the journey."""
        phases = self.facts.journeys.with_none
        turned = phases.to_ms[at] == due_ms
        ended = turned & phases.is_last[at]
        newer = which((at >= 0) & ~ended & (self._version_at(due_ms) != version))
        for r, a, v, t in zip(*(c[newer].tolist() for c in (rows, at, version, due_ms)), strict=True):
            self._replan(r, a, v, t)
        for r, a, t in zip(*(c[turned & ~ended].tolist() for c in (rows, at, due_ms)), strict=True):
            self._turn(r, a, t)
        self._pass_through(rows[at < 0], due_ms[at < 0])
        if some(ended):
            for k in which(ended).tolist():
                self._close_silence(int(rows[k]), int(at[k]), int(version[k]), int(due_ms[k]))
            self._end(rows[ended], due_ms[ended])

    def _replan(self, row: int, at: int, version: int, at_ms: int) -> None:
        """A version whose line of the route is another is a diversion to it."""
        table, versions = self.facts.journeys, self.facts.versions
        old, new = (versions[v].line_of(table.phases[at].route) for v in (version, version + 1))
        if old != new:
            self._stop(row, OF_ROUTE, at_ms, DIVERTED)
            self._off_route(row)
            through = self.rows["track"]["through_ms"]
            through[row] = max(int(through[row]), at_ms)  # once: a later look must not end it again

    def _turn(self, row: int, at: int, at_ms: int) -> None:
        """Enter the phase after ``at``."""
        before, after = self.facts.journeys.phases[at : at + 2]
        if after.route != before.route:
            self._stop(row, OF_ROUTE, at_ms, DIVERTED)
            self._off_route(row)
        if after.suspended and not before.suspended:
            self._stop(row, STOPPED, at_ms, SUSPENDED, keep_records=True)
        for name, obj in after.resets:
            self._reset(row, name, obj, at_ms)
        self._pass_through(np.array([row]), np.array([at_ms]))

    def _pass_through(self, rows: I8, at_ms: I8) -> None:
        """Another phase of a journey, or of equipment another version, has begun: what is before it is late from now on."""
        track = self.rows["track"]
        track["phase_ms"][rows] = at_ms
        track["through_ms"][rows] = np.maximum(track["through_ms"][rows], at_ms - 1)

    def _off_route(self, row: int) -> None:
        """No chainage is carried onto another line."""
        track = self.rows["track"]
        track["chainage_m"][row] = track["off_route_m"][row] = np.nan
        track["on_corridor"][row] = False

    def _stop(
        self, row: int, rules: Collection[Rule], at_ms: int, why: str, *, keep_records: bool = False
    ) -> None:
        """End what some rules have under way for a row; their runs start empty."""
        seal, names = int(self.seals[row]), {rule.name for rule in rules}
        for rule, obj in [key for key in self.book.open_of(seal) if key[0] in names]:
            self._close(seal, rule, obj, at_ms, why)
        self._empty(np.array([row]), [rule for rule in rules if not (keep_records and rule.is_record)])

    def _reset(self, row: int, name: str, obj: str | None, at_ms: int) -> None:
        """End a latched episode that is open; what is true after that is a new one."""
        seal = int(self.seals[row])
        episode = self.book.open_of(seal).get((name, obj))
        if episode is None or not episode.latched:
            return
        self._close(seal, name, obj, at_ms, RESET)
        rule = next(rule for rule in RULES if rule.name == name)
        if obj is None or not rule.stream:
            self._empty(np.array([row]), [rule])
        else:
            mine = (self.streams["row"] == row) & (self.streams["rule"] == rule.stream)
            self.streams = picked(self.streams, ~(mine & (self.streams["key"] == key_of(obj))))

    def _close(self, seal: int, rule: str, obj: str | None, at_ms: int, why: str) -> None:
        self.book.close(seal, rule, obj, ended_at_ms=at_ms, cleared_at_ms=at_ms, evidence={"closed_by": why})

    def _close_silence(self, row: int, at: int, version: int, at_ms: int) -> None:
        """A silence that lasts to the disarming ends with it, saying how long it was."""
        if ("SIGNAL_LOST", None) in self.book.open_of(int(self.seals[row])):
            one, nothing = np.array([row]), np.zeros(0, np.int64)
            ctx = self._context(one, np.array([at]), version, PingBatch.empty(), nothing)
            close_silence(ctx, 0, at_ms, DISARMED)

    def _leave(self, rows: I8, at: I8, until_ms: I8) -> None:
        """Pass the rest of the journeys that rows were on; one that the plan no longer knows ends now."""
        self.advance(rows, until_ms)
        lost = (self.rows["track"]["journey"][rows] != 0) & (self.places(rows) < 0)
        if some(lost):
            self._end(rows[lost], until_ms[lost])
            self._begin(rows[lost], self.facts.journeys.with_none.first[at[lost]])

    def _end(self, rows: I8, end_ms: I8) -> None:
        """Disarm: every episode of the journey ends with it."""
        for row, end in zip(rows.tolist(), end_ms.tolist(), strict=True):
            self.book.close_journey(int(self.seals[row]), at_ms=end, reason=DISARMED)
        through = self.rows["track"]["through_ms"]
        through[rows] = np.maximum(through[rows], end_ms - 1)
        self._empty_journey(rows)

    def _begin(self, rows: I8, at: I8) -> None:
        """Arm: put rows at the beginning of the journeys whose first phases are ``at`` (-1: on none), with empty runs."""
        if not len(rows):
            return
        self._empty_journey(rows)
        armed = at >= 0
        rows, at = rows[armed], at[armed]
        phases, track = self.facts.journeys.with_none, self.rows["track"]
        track["journey"][rows] = phases.key[at]
        self._pass_through(rows, phases.armed_ms[at])
        version = self._version_at(phases.armed_ms[at])
        for v in np.unique(version).tolist():
            of = which(version == v)
            ctx = self._context(rows[of], at[of], v, PingBatch.empty(), np.zeros(0, np.int64))
            begin_silence(ctx)
            self.rows.put(rows[of], ctx.state)

    def _empty_journey(self, rows: I8) -> None:
        """Put rows on no journey, with empty runs."""
        track = self.rows["track"]
        self._empty(rows, OF_JOURNEY)
        if len(self.streams):
            self.streams = picked(self.streams, ~np.isin(self.streams["row"], rows))
        track["chainage_m"][rows] = track["off_route_m"][rows] = np.nan
        track["on_corridor"][rows] = False
        track["journey"][rows] = 0
        track["phase_ms"][rows] = NO_TIME

    def _empty(self, rows: I8, rules: Collection[Rule]) -> None:
        """Make rules' states those of seals that have seen nothing."""
        active = self.rows["track"]["active"]
        for rule in rules:
            if rule.state is not None:
                self.rows[rule.name][rows] = np.zeros((), rule.state) if rule.start is None else rule.start
            active[rows] &= ~BITS[rule.name]
            if rule.stream and len(self.streams):
                mine = (self.streams["rule"] == rule.stream) & np.isin(self.streams["row"], rows)
                self.streams = picked(self.streams, ~mine)
