"""The core: pings and dated facts in, new state and changed episodes out. Pure: no clock, no I/O, no global.

    pings ─ in order, variants merged ─ cut into passes (one journey, one plan version) ─ plausible fixes
          ─ where they lie (corridor, zones, crossings) ─ RULES ─ Verdict

What the caller must do: hand over only pings later than each seal's ``through_ms`` (`late` tells which are not; those
are judged again from a checkpoint before them), commit what the `Verdict` says, and only then ``install`` it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from seal_tracker.model import NO_TIME, Episode, PingBatch
from seal_tracker.rules.arrays import ends
from seal_tracker.rules.book import Book, OpenEpisodes
from seal_tracker.rules.catalog import BITS, RULES
from seal_tracker.rules.context import Context
from seal_tracker.rules.records import copied, picked, put, put_field
from seal_tracker.rules.signal import close_silence
from seal_tracker.rules.streams import STREAM
from seal_tracker.tracking.epochs import Facts, Pass, passes
from seal_tracker.tracking.order import effective_time_ms, in_order, merge_variants
from seal_tracker.tracking.passes import build_context, locate, track_of
from seal_tracker.tracking.state import SealState, SealStates

__all__ = ["Verdict", "judge", "judge_now", "late"]

OF_JOURNEY = sum(BITS[rule.name] for rule in RULES if rule.per_journey)
"""Bits of the rules whose runs start empty at arming."""


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
    """

    seals: NDArray[np.int64]
    rows: NDArray[np.void]
    streams: NDArray[np.void]
    open: dict[int, OpenEpisodes]
    touched: dict[UUID, Episode]
    counts: dict[str, int] = field(default_factory=dict)

    def state(self, i: int, states: SealStates) -> SealState:
        """The new state of the ``i``-th seal judged; ``states`` are those that were judged."""
        begin, end = np.searchsorted(self.streams["row"], [i, i + 1])
        streams = copied(self.streams[begin:end])
        streams["row"] = 0
        seal = int(self.seals[i])
        return SealState(self.rows[i : i + 1], streams, self.open.get(seal, states.open.get(seal, {})))

    def install(self, states: SealStates) -> None:
        """Make this the state of the seals judged."""
        states.put(self.seals, self.rows, self.streams, self.open)


def late(states: SealStates, pings: PingBatch) -> NDArray[np.bool_]:
    """Which pings are not later than everything their seal has been judged by; bool[n]."""
    seals, row = np.unique(pings.seal, return_inverse=True)
    through = states.take(seals)["track"]["through_ms"]
    return effective_time_ms(pings) <= through[row]


def judge(states: SealStates, pings: PingBatch, facts: Facts) -> Verdict:
    """Judge pings, in any order, each later than its seal's ``through_ms``."""
    pings = merge_variants(in_order(pings))
    seals, row = np.unique(pings.seal.astype(np.int64), return_inverse=True)
    work = _Work(states, seals, facts)
    for one in passes(facts, seals, row, pings.time_ms):
        if len(one.pings) == len(pings):
            work.judge_pass(one, pings, row)
        else:
            work.judge_pass(one, pings.take(one.pings), np.searchsorted(one.rows, row[one.pings]))
    return work.verdict()


def judge_now(states: SealStates, facts: Facts, seals: NDArray[np.int64] | None = None) -> Verdict:
    """Judge what depends on ``facts.now_ms`` alone: journeys that have ended, seals that have been silent too long."""
    assert facts.now_ms is not None, "judge_now needs a now"
    seals = np.sort(states.seals() if seals is None else seals)
    track = states.take(seals)["track"]
    underway = track["journey"] != 0
    work = _Work(states, seals[underway], facts)
    work.pass_time(facts.now_ms)
    return work.verdict()


class _Work:
    """Working copies of the state of some seals, moved on pass by pass."""

    def __init__(self, states: SealStates, seals: NDArray[np.int64], facts: Facts) -> None:
        self.seals = seals
        self.facts = facts
        self.rows = states.take(seals)
        self.streams = states.streams(seals)
        self.book = Book(facts.space, states.open)
        self.counts: dict[str, int] = {}

    def verdict(self) -> Verdict:
        return Verdict(
            self.seals,
            self.rows,
            self.streams,
            dict(self.book.open_after()),
            self.book.touched,
            self.counts,
        )

    def judge_pass(self, one: Pass, pings: PingBatch, ping_row: NDArray[np.int64]) -> None:
        """Judge one stretch of pings of each row of the pass."""
        self._begin_journeys(one, pings, ping_row)
        ctx = self._context(one.rows, one.journey, one.version, pings, ping_row)
        track = copied(ctx.state, "track")
        track_of(ctx, track)
        locate(ctx, track)
        for rule in RULES:
            rule.judge(ctx)
        last = ends(ctx.ping_start)
        track["last_ms"] = pings.time_ms[last]
        track["last_mode"] = pings.mode[last]
        track["last_interval_s"] = pings.interval_s[last]
        for name in ("speed_kmh", "course_deg", "battery_pct", "lock"):
            track[f"last_{name}"] = getattr(pings, name)[last]
        track["through_ms"] = np.maximum(track["through_ms"], pings.time_ms[last])
        track["n"] += np.bincount(ping_row, minlength=len(one.rows))
        track["active"] = ctx.active
        put_field(ctx.state, "track", track)
        self._put_back(one.rows, ctx)

    def pass_time(self, now_ms: int) -> None:
        """End journeys whose end has come by ``now_ms``; raise what has been silent too long."""
        at = self._journey_of(np.arange(len(self.seals)))
        end = self.facts.journeys.end_ms(at)
        ended = np.flatnonzero(end <= now_ms)
        if len(ended):
            self._end_journeys(ended, at[ended], end[ended])
        going = np.flatnonzero((end > now_ms) & (at >= 0))
        version = int(np.searchsorted(self.facts.version_from_ms, now_ms, side="right"))
        if not len(going):
            return
        ctx = self._context(going, at[going], version, PingBatch.empty(), np.zeros(0, np.int64))
        raised_ms = self._let_time_pass(ctx, np.full(len(going), now_ms))
        track = ctx.state["track"]
        track["active"] = ctx.active
        track["through_ms"] = np.maximum(track["through_ms"], raised_ms)
        put(self.rows, going, ctx.state)

    def _let_time_pass(self, ctx: Context, until_ms: NDArray[np.int64]) -> NDArray[np.int64]:
        """Raise what time alone raises; returns for each row when the last of it was raised, ``NO_TIME`` for none."""
        raised_ms = np.full(len(until_ms), NO_TIME)
        for rule in RULES:
            if rule.pass_time is not None:
                raised_ms = np.maximum(raised_ms, rule.pass_time(ctx, until_ms))
        return raised_ms

    def _journey_of(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Position of the journey each row was judged by last, -1 where none or no longer known."""
        by_key = self.facts.journeys.by_key
        return np.array([by_key.get(k, -1) for k in self.rows["track"]["journey"][rows].tolist()], np.int64)

    def _begin_journeys(self, one: Pass, pings: PingBatch, ping_row: NDArray[np.int64]) -> None:
        """Where a stretch belongs to another journey than the one before: end that, and start with empty runs."""
        keys = self.facts.journeys.key
        key = (
            np.where(one.journey >= 0, keys[one.journey], 0)
            if len(keys)
            else np.zeros(len(one.rows), np.int64)
        )
        before = self.rows["track"]["journey"][one.rows]
        changed = before != key
        if not changed.any():
            return
        ending = np.flatnonzero(changed & (before != 0))
        if len(ending):
            rows = one.rows[ending]
            at = self._journey_of(rows)
            first_ms = pings.time_ms[np.searchsorted(ping_row, ending)]
            ends = np.minimum(self.facts.journeys.end_ms(at), first_ms)
            self._end_journeys(rows, at, ends)
        self._reset(one.rows[changed], key[changed])

    def _end_journeys(
        self, rows: NDArray[np.int64], at: NDArray[np.int64], end_ms: NDArray[np.int64]
    ) -> None:
        """Disarm: the silence up to it counts, then every episode of the journey ends with it."""
        known = np.flatnonzero(at >= 0)
        version = np.searchsorted(self.facts.version_from_ms, end_ms, side="right")
        for v in np.unique(version[known]).tolist():
            of = known[version[known] == v]
            ctx = self._context(rows[of], at[of], v, PingBatch.empty(), np.zeros(0, np.int64))
            self._let_time_pass(ctx, end_ms[of])
            for k, r in enumerate(of.tolist()):
                close_silence(ctx, k, int(end_ms[r]))
        for row, end in zip(rows.tolist(), end_ms.tolist(), strict=True):
            self.book.close_journey(int(self.seals[row]), at_ms=end, reason="disarmed")
        through = self.rows["track"]["through_ms"]
        through[rows] = np.maximum(through[rows], end_ms - 1)
        self._reset(rows, np.zeros(len(rows), np.int64))

    def _reset(self, rows: NDArray[np.int64], key: NDArray[np.int64]) -> None:
        for rule in RULES:
            if rule.state is not None and rule.per_journey:
                self.rows[rule.name][rows] = np.zeros((), rule.state) if rule.start is None else rule.start
        track = self.rows["track"]
        track["chainage_m"][rows] = track["off_route_m"][rows] = np.nan
        track["on_corridor"][rows] = False
        track["active"][rows] &= ~OF_JOURNEY
        track["journey"][rows] = key
        if len(self.streams):
            self.streams = picked(self.streams, ~np.isin(self.streams["row"], rows))

    def _context(
        self,
        rows: NDArray[np.int64],
        journey: NDArray[np.int64],
        version: int,
        pings: PingBatch,
        ping_row: NDArray[np.int64],
    ) -> Context:
        return build_context(
            self.facts, self.facts.versions[version], self.seals[rows], picked(self.rows, rows), journey,
            pings, ping_row, self._carried(rows), self.book, self.counts,
        )  # fmt: skip

    def _carried(self, rows: NDArray[np.int64]) -> NDArray[np.void]:
        """Streams of some rows, their ``row`` the position among these."""
        if len(rows) == len(self.seals) or not len(self.streams):
            return copied(self.streams)
        position = np.full(len(self.seals), -1)
        position[rows] = np.arange(len(rows))
        at = position[self.streams["row"]]
        out = picked(self.streams, at >= 0)
        out["row"] = at[at >= 0]
        return out

    def _put_back(self, rows: NDArray[np.int64], ctx: Context) -> None:
        put(self.rows, rows, ctx.state)
        kept = [part for part in ctx.survivors if len(part)]
        if len(rows) < len(self.seals):
            kept = [_renumbered(part, rows) for part in kept]
            kept.append(picked(self.streams, ~np.isin(self.streams["row"], rows)))
        streams = np.concatenate(kept) if kept else np.zeros(0, STREAM)
        self.streams = picked(streams, np.lexsort((streams["key"], streams["rule"], streams["row"])))


def _renumbered(streams: NDArray[np.void], rows: NDArray[np.int64]) -> NDArray[np.void]:
    """Streams of a pass as those of the batch, whose ``rows`` the pass had."""
    streams["row"] = rows[streams["row"]]
    return streams
