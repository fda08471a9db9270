"""Judging again from a checkpoint: what late pings and late facts cost. Pure.

The caller finds, for each seal, the newest checkpoint before the change, and hands over all pings after it, old and new,
in portions that end at later checkpoints. Where the state that a portion leads to is the one stored there, the rest stands
as it is: nothing after it can have changed, for one state, the same pings and the same facts give one future.
What of the stored episodes up to there is missing among those found was never so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from seal_tracker.judge import Verdict, judge, judge_now
from seal_tracker.model import NO_TIME, Episode, PingBatch
from seal_tracker.rules.records import Rows
from seal_tracker.tracking.discards import Discarding
from seal_tracker.tracking.epochs import Facts
from seal_tracker.tracking.state import SealState, SealStates

__all__ = ["Rejudged", "Rejudgement", "Span", "advanced_by_time", "standing"]

NO_PINGS = PingBatch.empty()


class Span(NamedTuple):
    """When facts about a seal differ from those it was judged by: [from_ms, to_ms), ``to_ms`` None: to the end."""

    from_ms: int
    to_ms: int | None


@dataclass(frozen=True)
class Rejudged:
    """The outcome for some seals.

    Attributes
    ----------
    states
        holds the seals judged to their end, and no others, in their new state.
    episodes
        all of theirs that were open at the checkpoint or changed since, by id; of seals whose rest stands only those
        that are settled where it does.
    stands
        seal to the time of the checkpoint from which on everything stored stands.
    checkpoints
        (seal, time, state) where portions ended, before anything that time alone changed.
    counts
        discards by name, of all pings judged again.
    discards
        how much what is discarded, by name, differs for the new pings among them; it may be less.
    """

    states: SealStates
    episodes: dict[UUID, Episode]
    stands: dict[int, int]
    checkpoints: list[tuple[int, int, SealState]]
    counts: Mapping[str, int]
    discards: Mapping[str, int]

    def install(self, states: SealStates) -> None:
        """Make these the states of their seals."""
        moved = [seal for seal in self.states.seals().tolist() if seal not in self.stands]
        states.install_all(self.states.several(moved))


def advanced_by_time(rows: Rows) -> NDArray[np.bool_]:
    """Which states time alone has moved past their newest ping."""
    moved: NDArray[np.bool_] = rows["track"]["through_ms"] > rows["track"]["last_ms"]
    return moved


def standing(episode: Episode, since_ms: int | None) -> bool:
    """Whether a stored episode stands because nothing after ``since_ms`` (None: nothing stands) was judged again."""
    return since_ms is not None and (episode.settled_ms is None or episode.settled_ms > since_ms)


class Rejudgement:
    """Judging ``seals`` again, each from its checkpoint (absent: from nothing), a portion of pings at a time.

    ``newest_only``: of the states that portions lead to, only the last of each seal is kept. ``with_new``: there will be
    new pings, and what is discarded of them is counted.
    """

    def __init__(
        self,
        checkpoints: Mapping[int, SealState],
        facts: Facts,
        seals: Collection[int],
        *,
        newest_only: bool = False,
        with_new: bool = False,
    ) -> None:
        self._facts = facts
        self._seals = tuple(seals)
        self._newest_only = newest_only
        self._states = SealStates()
        self._states.install_all({seal: checkpoints[seal] for seal in seals if seal in checkpoints})
        self._episodes = {e.episode: e for opened in self._states.open.values() for e in opened.values()}
        self._checkpoints: dict[int, dict[int, SealState]] = {}
        self._stands: dict[int, int] = {}
        self._counts: Counter[str] = Counter()
        self._discards: Counter[str] = Counter()
        self._counting = [self._discarding() for _ in range(2)] if with_new else None

    def portion(
        self, known: PingBatch, stored: Mapping[int, SealState], new: PingBatch = NO_PINGS
    ) -> set[int]:
        """Judge the next pings; seals whose state is now the ``stored`` one, given for some: their rest stands.

        Pings, those ``known`` before and ``new`` ones among them, must be all there are up to some moment of each seal,
        and later than those of the portion before.
        """
        pings = PingBatch.concat([known, new])
        if self._counting is not None:
            with_them, without = self._counting
            self._discards.update(with_them.count(pings))
            self._discards.subtract(without.count(known))
        found = judge(self._states, pings, self._facts)
        self._join(found)
        self._counts.update(found.counts)
        self._counts["rejudged_pings"] += len(pings)
        mine = self._states.several(sorted({*stored, *found.seals.tolist()}))
        settled = {seal for seal, state in stored.items() if mine[seal].same(state)}
        for seal, at_ms in zip(found.seals.tolist(), found.rows["track"]["last_ms"].tolist(), strict=True):
            if seal not in settled:
                kept = {} if self._newest_only else self._checkpoints.get(seal, {})
                self._checkpoints[seal] = kept | {at_ms: mine[seal]}
        self._settle({seal: int(stored[seal].row["track"]["last_ms"][0]) for seal in settled})
        return settled

    def finish(self, still: Mapping[int, int] | None, until_ms: Mapping[int, int] | None = None) -> Rejudged:
        """Let time come to now again where it had moved a seal on beyond its newest ping; everything found.

        ``still`` gives the newest pings (`NO_TIME`: never heard) of those seals: one that has a newer one now is talking,
        not silent. None: all. ``until_ms``: how far time had come for each, where nobody knows now; None: to now.
        """
        seals = [seal for seal in self._seals if seal not in self._stands]
        last = self._states.take(np.array(seals, np.int64))["track"]["last_ms"].tolist()
        moved = [s for s, at in zip(seals, last, strict=True) if still is None or still.get(s) == at]
        if until_ms is not None:
            moved = [seal for seal in moved if seal in until_ms]
        if moved and (until_ms is not None or self._facts.now_ms is not None):
            each = None if until_ms is None else np.array([until_ms[seal] for seal in moved], np.int64)
            self._join(judge_now(self._states, self._facts, np.array(moved, np.int64), each))
        written = [
            (seal, at, state)
            for seal, kept in self._checkpoints.items()
            for at, state in kept.items()
            if at != NO_TIME
        ]
        return Rejudged(self._states, self._episodes, self._stands, written, self._counts, self._discards)

    def _discarding(self) -> Discarding:
        seals = np.sort(np.array(self._seals, np.int64))
        return Discarding(seals, self._states.take(seals)["track"], self._facts.equipment)

    def _settle(self, at_ms: Mapping[int, int]) -> None:
        self._stands |= at_ms
        for seal in at_ms:
            for episode in self._states.open.get(seal, {}).values():
                self._episodes.pop(episode.episode, None)
        self._states.forget(at_ms)

    def _join(self, found: Verdict) -> None:
        found.install(self._states)
        self._episodes |= found.touched
