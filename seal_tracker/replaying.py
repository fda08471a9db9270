"""Judging stored pings again: which are read from where, in portions small enough to hold, and where it may stop.

Each portion ends at a stored checkpoint, the next one first, then one twice as far ahead each time: a late ping whose effect
is soon over costs a few dozen pings, a change that lasts is worked off in a few large portions. Where checkpoints are far
apart, since many pings came at once or out of order, portions end between them, the first ones soon: what is judged again
leaves its states behind there, and the next late ping finds one near. Reads the store only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import structlog
from numpy.typing import NDArray

from seal_tracker.model import NO_TIME, Episode, PingBatch
from seal_tracker.rejudge import Rejudged, Rejudgement
from seal_tracker.store.records import Portion
from seal_tracker.timeline import CLOSINGS, TIMED
from seal_tracker.tracking.epochs import Facts
from seal_tracker.tracking.order import effective_time_ms
from seal_tracker.tracking.state import SealState, StateFormatError

__all__ = ["FOREVER_MS", "Replay", "ReplayStore", "nows_that_were", "pings_between", "readable"]

log = structlog.get_logger(__name__)

PORTION_PINGS = 50_000
"""Pings read and judged at once, of all seals together: bounds memory; 20 ms of judging each."""

LEAST_PINGS = 64
"""Fewer of one seal at a time would cost more in questions than in pings."""

FIRST_PINGS = 2 * LEAST_PINGS
"""Pings of one seal in the first portion, at most, where its states are kept; each further one may have twice as many. More than
lie between the checkpoints of pings that came in order, some late ones among them."""

MOST_AHEAD = 32
"""Checkpoints that a portion may skip, or times ``FIRST_PINGS`` that it may have: so far apart are those it leaves behind where the change lasts."""

FOREVER_MS = np.iinfo(np.int64).max
"""Pings up to here are all there are."""


class ReplayStore(Protocol):
    """What judging again reads."""

    async def newest_checkpoints(  # noqa: D102
        self, seals: Sequence[int], before_ms: Sequence[int] | None = None
    ) -> dict[int, tuple[int, bytes]]: ...
    async def pings_gone(self, seals: Sequence[int]) -> dict[int, int]: ...  # noqa: D102
    async def checkpoints_ahead(  # noqa: D102
        self, seals: Sequence[int], after_ms: Sequence[int], ahead: int
    ) -> dict[int, tuple[int, bytes]]: ...
    async def pings_portion(  # noqa: D102
        self, seals: Sequence[int], after_ms: Sequence[int], until_ms: Sequence[int], most: int
    ) -> Portion: ...


@dataclass
class Replay:
    """Seals judged again from their newest checkpoints, all of them or those before a time.

    Attributes
    ----------
    seals
        numbers, none twice.
    after_ms
        by seal: the time of the checkpoint that it is judged again from, ``NO_TIME`` for the beginning.
    states
        the states there.
    gone_ms
        by seal: where its pings begin that are left, of those of which not even the state there can be read.
    """

    store: ReplayStore
    seals: Sequence[int]
    after_ms: dict[int, int] = field(default_factory=dict)
    states: dict[int, SealState] = field(default_factory=dict)
    gone_ms: dict[int, int] = field(default_factory=dict)

    async def start(self, before_ms: Sequence[int] | None = None) -> Replay:
        """Find the checkpoints, the newest strictly before some times (None: of all); those not readable are none, and judged again
        from the beginning, or from where the pings begin that are left.
        """
        found = await self.store.newest_checkpoints(self.seals, before_ms)
        self.states = {seal: s for seal, (_, data) in found.items() if (s := readable(data)) is not None}
        unreadable = [seal for seal in found if seal not in self.states]
        self.gone_ms = await self.store.pings_gone(unreadable) if unreadable else {}
        begin = self.gone_ms | {seal: found[seal][0] for seal in self.states}
        self.after_ms = {seal: begin.get(seal, NO_TIME) for seal in self.seals}
        return self

    async def states_before(self, facts: Facts, end_ms: int) -> list[tuple[int, int, SealState]]:
        """(seal, time, state) after each seal's last ping before a moment; seals that have none are left out.

        To be asked after ``start`` with that moment for all.
        """
        again = Rejudgement(self.states, facts, self.seals, newest_only=True)
        reached, going = dict(self.after_ms), list(self.seals)
        while going:
            begin, until = [reached[seal] for seal in going], [end_ms - 1] * len(going)
            most = max(LEAST_PINGS, PORTION_PINGS // len(going))
            found = await self.store.pings_portion(going, begin, until, most)
            again.portion(found.pings, {})
            reached |= dict(zip(going, found.through_ms, strict=True))
            going = [seal for seal in going if reached[seal] < end_ms - 1]
        moved = again.finish({}).checkpoints
        still = self.states.keys() - {seal for seal, _, _ in moved}
        return [*moved, *((seal, self.after_ms[seal], self.states[seal]) for seal in sorted(still))]

    def too_late(self, new: PingBatch) -> int:
        """How many of some new pings are from when the pings of their seal are gone: they cannot be judged any more."""
        at, begin = effective_time_ms(new), [self.after_ms[seal] for seal in new.seal.tolist()]
        return int((at <= np.array(begin, np.int64)).sum())

    async def run(
        self,
        facts: Facts,
        new: PingBatch,
        *,
        still: Mapping[int, int] | None,
        may_stop_ms: Mapping[int, int],
        until_ms: Mapping[int, int] | None = None,
        newest_only: bool = False,
    ) -> Rejudged:
        """Judge everything stored after the checkpoints, and ``new`` pings among it.

        ``may_stop_ms`` gives, for seals that may keep the rest of what is stored, the moment from which on everything
        but their state is as it was. ``still``, ``until_ms``: see `Rejudgement.finish`; ``newest_only``: see `Rejudgement`.
        """
        again = Rejudgement(self.states, facts, self.seals, newest_only=newest_only, with_new=len(new) > 0)
        reached, ahead, long = dict(self.after_ms), 1, 1
        going = list(self.seals)
        while going:
            begin = [reached[seal] for seal in going]
            stored = await self._stored_ahead(going, begin, ahead, may_stop_ms)
            until = [stored[s][0] if s in stored else FOREVER_MS for s in going]
            most = max(LEAST_PINGS, PORTION_PINGS // len(going))
            if not newest_only:
                most = min(most, FIRST_PINGS * long)
            found = await self.store.pings_portion(going, begin, until, most)
            reached |= dict(zip(going, found.through_ms, strict=True))
            among = _within(new, going, begin, found.through_ms)
            settled = again.portion(found.pings, _met(stored, reached, may_stop_ms), among)
            going = [seal for seal in going if seal not in settled and reached[seal] < FOREVER_MS]
            long = min(2 * long, MOST_AHEAD)
            if any(reached[seal] == at for seal, (at, _) in stored.items()):
                ahead = min(2 * ahead, MOST_AHEAD)
        return again.finish(still, until_ms)

    async def _stored_ahead(
        self, seals: list[int], begin: list[int], ahead: int, may_stop_ms: Mapping[int, int]
    ) -> dict[int, tuple[int, bytes]]:
        """The checkpoints that the next portion is to end at, for seals that may stop at one."""
        asked = [(seal, at) for seal, at in zip(seals, begin, strict=True) if seal in may_stop_ms]
        if not asked:
            return {}
        return await self.store.checkpoints_ahead([s for s, _ in asked], [at for _, at in asked], ahead)


def readable(data: bytes) -> SealState | None:
    """A checkpoint's state, or None where another version of the service wrote it: then all pings are judged again."""
    try:
        return SealState.load(data)
    except StateFormatError as fault:
        log.info("judging.checkpoint_not_read", reason=str(fault))
        return None


def _met(
    stored: Mapping[int, tuple[int, bytes]], reached: Mapping[int, int], may_stop_ms: Mapping[int, int]
) -> dict[int, SealState]:
    """The stored states that a portion has come to the time of, from which on nothing but the state may differ."""
    found = {
        seal: readable(data)
        for seal, (at, data) in stored.items()
        if reached[seal] == at and at >= may_stop_ms[seal]
    }
    return {seal: state for seal, state in found.items() if state is not None}


def _within(
    new: PingBatch, seals: Sequence[int], begin: Sequence[int], through_ms: Sequence[int]
) -> PingBatch:
    """Those of the new pings that fall into each seal's portion."""
    if not len(new):
        return new
    at, order = effective_time_ms(new), np.argsort(seals)
    which: NDArray[np.int64] = np.searchsorted(np.array(seals)[order], new.seal)
    which = order[np.minimum(which, len(seals) - 1)]
    mine = np.array(seals)[which] == new.seal
    return new.take(mine & (at > np.array(begin)[which]) & (at <= np.array(through_ms)[which]))


def nows_that_were(episodes: Iterable[Episode]) -> dict[str, int]:
    """By seal, the moment that its stored episodes show time alone to have reached: it is not to be undone by a start.

    Of each by its own: what another's ping was late for says nothing of how far the clock had come.
    """
    reached: dict[str, int] = {}
    for e in episodes:
        dated = [0]
        if e.type in TIMED and e.cleared_at_ms in (None, e.raised_at_ms):
            dated.append(e.raised_at_ms + 1)
        if e.cleared_at_ms is not None and e.evidence.get("closed_by") in CLOSINGS:
            dated.append(e.cleared_at_ms + 1)
        if max(dated):
            reached[e.seal] = max(reached.get(e.seal, 0), *dated)
    return reached


def pings_between(before: SealState | None, after: SealState) -> int:
    """How many pings lie between two states of a seal; ``before`` None: from the beginning."""
    n_before = 0 if before is None else int(before.row["track"]["n"][0])
    return int(after.row["track"]["n"][0]) - n_before
