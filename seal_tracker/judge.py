"""The core: pings and dated facts in, new state and changed episodes out. Pure: no clock, no I/O, no global.

    pings ─ in order, variants merged ─ cut into passes (one phase, one plan version) ─ plausible fixes
          ─ where they lie (corridor, zones, crossings) ─ RULES ─ Verdict

What the caller must do: hand over only pings later than each seal's ``through_ms`` (`late` tells which are not; those
are judged again from a checkpoint before them), commit what the `Verdict` says, and only then ``install`` it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from geofences.masks import every, which
from seal_tracker.model import NO_TIME, Episode, PingBatch
from seal_tracker.rules.arrays import begins
from seal_tracker.rules.book import Book, OpenEpisodes
from seal_tracker.rules.context import Context
from seal_tracker.rules.records import Rows, copied, joined, picked
from seal_tracker.rules.signal import NAME as SIGNAL_LOST
from seal_tracker.rules.streams import STREAM
from seal_tracker.rules.unheard import NEVER_MS, quiet_ms
from seal_tracker.timeline import RULES_JUDGED, Timeline
from seal_tracker.tracking.epochs import Facts, Pass, passes
from seal_tracker.tracking.fixes import track_of
from seal_tracker.tracking.order import effective_time_ms, in_order, merge_variants
from seal_tracker.tracking.passes import build_context, locate
from seal_tracker.tracking.phases import Manner
from seal_tracker.tracking.state import SealState, SealStates, row_of

__all__ = ["Verdict", "due_seals", "judge", "judge_now", "late", "moved_by_time"]


@dataclass
class Verdict:
    """What a judgement found.

    Attributes
    ----------
    seals, rows, streams, open
        the new state of the seals judged.
    touched
        every episode opened, changed or closed, by id, as it is now.
    counts
        discards by name.
    due_ms
        from when on time may change each seal again; None: pings were judged, which put that off at most.
    stays
        whether it is known that with the pings no phase of a journey has begun.
    """

    seals: NDArray[np.int64]
    rows: Rows
    streams: NDArray[np.void]
    open: dict[int, OpenEpisodes]
    touched: dict[UUID, Episode]
    counts: dict[str, int] = field(default_factory=dict)
    due_ms: NDArray[np.int64] | None = None
    stays: bool = False

    def state(self, i: int, states: SealStates) -> SealState:
        """The new state of the ``i``-th seal judged; ``states`` are those that were judged."""
        begin, end = np.searchsorted(self.streams["row"], [i, i + 1])
        streams = copied(self.streams[begin:end])
        streams["row"] = 0
        seal = int(self.seals[i])
        return SealState(row_of(self.rows, i), streams, self.open.get(seal, states.open.get(seal, {})))

    def install(self, states: SealStates) -> None:
        """Make this the state of the seals judged."""
        due_ms = self._due_after_pings(states) if self.due_ms is None else self.due_ms
        states.put(self.seals, self.rows, self.streams, self.open, due_ms)

    def _due_after_pings(self, states: SealStates) -> NDArray[np.int64]:
        """Pings bring nothing forward but a silence after the newest, unless with them a phase has begun."""
        track = self.rows["track"]
        quiet = quiet_ms(track, self.rows.look(SIGNAL_LOST))
        due_ms = np.minimum(states.due_ms(self.seals), quiet)
        if self.stays:
            return due_ms
        stays = states.in_phase(self.seals, track)
        return due_ms if every(stays) else np.where(stays, due_ms, NO_TIME)


def late(states: SealStates, pings: PingBatch) -> NDArray[np.bool_]:
    """Which pings are not later than everything their seal has been judged by; bool[n]."""
    seals, row = np.unique(pings.seal, return_inverse=True)
    through = states.take(seals)["track"]["through_ms"]
    return effective_time_ms(pings) <= through[row]


def judge(states: SealStates, pings: PingBatch, facts: Facts) -> Verdict:
    """Judge pings, in any order, each later than its seal's ``through_ms``."""
    pings = merge_variants(in_order(pings))
    first, seals = begins(pings.seal), pings.seal.astype(np.int64)
    row = np.arange(len(seals))
    if not every(first):  # not one ping of each seal, as in most live batches
        seals, row = seals[first], first.cumsum() - 1
    work = _Work(states, seals, facts)
    for one in passes(facts, seals, row, pings.time_ms):
        if len(one.pings) == len(pings):
            work.judge_pass(one, pings, row)
        else:
            work.judge_pass(one, pings.take(one.pings), np.searchsorted(one.rows, row[one.pings]))
    return work.verdict()


def moved_by_time(states: SealStates, facts: Facts) -> NDArray[np.int64]:
    """Seals that ``facts.now_ms`` may move, ascending: on a journey or, heard of or not, armed since; and equipment."""
    assert facts.now_ms is not None, "time needs a now"
    on_journey = states.seals()[states.all_rows()["track"]["journey"] != 0]
    return np.unique(np.concatenate([on_journey, *_never_begun(states, facts, facts.now_ms)]))


def due_seals(states: SealStates, facts: Facts) -> NDArray[np.int64]:
    """Those of `moved_by_time` that may be due by ``facts.now_ms``, ascending; to look at the others would change nothing."""
    assert facts.now_ms is not None, "time needs a now"
    due = states.due_by(facts.now_ms)
    due = due[states.on_journey(due)]
    armed, equipment = _never_begun(states, facts, facts.now_ms)
    armed = armed[~states.on_journey(armed)]  # on another journey still, they are due at its end
    return np.unique(np.concatenate([due, armed, equipment]))


def _never_begun(
    states: SealStates, facts: Facts, now_ms: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Seals that are armed and have not been judged since, and equipment, which is on no journey."""
    seal, armed_ms = facts.journeys.armed_by(now_ms)
    return seal[states.through_ms(seal) < armed_ms], facts.equipment


def judge_now(
    states: SealStates,
    facts: Facts,
    seals: NDArray[np.int64] | None = None,
    until_ms: NDArray[np.int64] | None = None,
) -> Verdict:
    """Judge what depends on ``facts.now_ms`` alone, of some seals (None: all): journeys that have begun and ended, seals
    and equipment silent for too long. ``until_ms``, by seal, where each of them has a now of its own.
    """
    seals = moved_by_time(states, facts) if seals is None else seals
    if until_ms is None:
        assert facts.now_ms is not None, "judge_now needs a now"
        until_ms = np.full(len(seals), facts.now_ms)
    order = np.argsort(seals)
    work = _Work(states, seals[order], facts)
    work.pass_time(until_ms[order])
    return work.verdict()


LAST_SAID = {
    f"last_{name}": name for name in ("mode", "interval_s", "speed_kmh", "course_deg", "battery_pct", "lock")
}
"""What is remembered of each seal's newest ping: columns of the track, and of pings."""


class _Work(Timeline):
    """Working copies of the state of some seals, moved on pass by pass."""

    def __init__(self, states: SealStates, seals: NDArray[np.int64], facts: Facts) -> None:
        self.seals = seals
        self.facts = facts
        self.rows = states.take(seals)
        self.streams = states.streams(seals)
        self.book = Book(facts.space, states.open)
        self.counts: dict[str, int] = {}
        self.due_ms: NDArray[np.int64] | None = None
        self.stays = True

    def verdict(self) -> Verdict:
        return Verdict(
            self.seals,
            self.rows,
            self.streams,
            dict(self.book.open_after()),
            self.book.touched,
            self.counts,
            self.due_ms,
            self.stays,
        )

    def judge_pass(self, one: Pass, pings: PingBatch, ping_row: NDArray[np.int64]) -> None:
        """Judge one stretch of pings of each row of the pass."""
        first = slice(None) if len(ping_row) == len(one.rows) else begins(ping_row)
        self.stays &= self.bring_to(one.rows, one.journey, one.version, pings.time_ms[first])
        ctx = self._context(one.rows, one.journey, one.version, pings, ping_row)
        track = copied(ctx.state["track"])
        track_of(ctx, track)
        ctx.seals_cargo = one.manner < Manner.ESCORT
        if one.manner.leads:
            locate(ctx, track)
        for rule in RULES_JUDGED[one.manner]:
            rule.judge(ctx)
        last, last_ms = ctx.newest, ctx.newest_ms
        for said, name in LAST_SAID.items():
            column = getattr(pings, name)
            track[said] = column if isinstance(last, slice) else column[last]
        track["last_ms"], track["through_ms"] = last_ms, np.maximum(track["through_ms"], last_ms)
        track["n"] += 1 if isinstance(last, slice) else np.bincount(ping_row, minlength=len(one.rows))
        track["active"] = ctx.active
        ctx.state["track"] = track
        self._put_back(one.rows, ctx)

    def pass_time(self, until: NDArray[np.int64]) -> None:
        """Pass every set moment up to ``until``, by seal; raise what time alone has raised by then."""
        self.stays, rows = False, np.arange(len(self.seals))
        self.advance(rows, until)
        at = self.places(rows)
        going = which((at >= 0) | self.is_equipment(rows))
        version = np.searchsorted(self.facts.version_from_ms, until[going], side="right")
        self.due_ms = np.full(len(self.seals), NEVER_MS)
        self.let_time_pass(going, at[going], version, until[going], self.due_ms)

    def _context(
        self,
        rows: NDArray[np.int64],
        journey: NDArray[np.int64],
        version: int,
        pings: PingBatch,
        ping_row: NDArray[np.int64],
    ) -> Context:
        state = self.rows if self._are_all(rows) else self.rows.some(rows)
        return build_context(
            self.facts, self.facts.versions[version], self.seals[rows], state, journey,
            pings, ping_row, self._carried(rows), self.book, self.counts,
        )  # fmt: skip

    def _are_all(self, rows: NDArray[np.int64]) -> bool:
        """Whether a pass has every seal, as most have: then it works on the copies themselves."""
        return len(rows) == len(self.seals)

    def _carried(self, rows: NDArray[np.int64]) -> NDArray[np.void]:
        """Streams of some rows, their ``row`` the position among these."""
        if self._are_all(rows) or not len(self.streams):
            return self.streams
        position = np.full(len(self.seals), -1)
        position[rows] = np.arange(len(rows))
        at = position[self.streams["row"]]
        out = picked(self.streams, at >= 0)
        out["row"] = at[at >= 0]
        return out

    def _put_back(self, rows: NDArray[np.int64], ctx: Context) -> None:
        kept = [part for part in ctx.survivors if len(part)]
        if not self._are_all(rows):
            self.rows.put(rows, ctx.state)
            kept = [_renumbered(part, rows) for part in kept]
            kept.append(picked(self.streams, ~np.isin(self.streams["row"], rows)))
        self.streams = joined(kept) if kept else np.zeros(0, STREAM)
        if len(kept) > 1:
            order = np.lexsort((self.streams["key"], self.streams["rule"], self.streams["row"]))
            self.streams = picked(self.streams, order)


def _renumbered(streams: NDArray[np.void], rows: NDArray[np.int64]) -> NDArray[np.void]:
    """Streams of a pass as those of the batch, whose ``rows`` the pass had."""
    streams["row"] = rows[streams["row"]]
    return streams
