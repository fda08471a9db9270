"""Judging again from a checkpoint: what late pings and late facts cost. Pure.

The caller finds, for each seal, the newest checkpoint before the change and all pings after it, old and new; this gives
back the state they lead to and every episode that is not older than the checkpoint. What of the stored episodes is
missing among them was never so.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from seal_tracker.judge import Verdict, judge, judge_now
from seal_tracker.model import Episode, PingBatch
from seal_tracker.tracking.epochs import Facts
from seal_tracker.tracking.state import SealState, SealStates

__all__ = ["Rejudged", "advanced_by_time", "rejudge"]


@dataclass(frozen=True)
class Rejudged:
    """The outcome for some seals.

    Attributes
    ----------
    states
        holds these seals and no others, in their new state.
    episodes
        all of theirs that were open at the checkpoint or changed since, by id.
    checkpoints
        seal to (time, state) after its newest ping, before anything that time alone changed.
    counts
        discards by name, of all pings judged again.
    """

    states: SealStates
    episodes: dict[UUID, Episode]
    checkpoints: dict[int, tuple[int, SealState]]
    counts: dict[str, int]

    def install(self, states: SealStates) -> None:
        """Make these the states of their seals."""
        for seal in self.states.seals().tolist():
            states.install(seal, self.states.one(seal))


def advanced_by_time(rows: NDArray[np.void]) -> NDArray[np.bool_]:
    """Which states time alone has moved past their newest ping (rows of ``ROW``)."""
    moved: NDArray[np.bool_] = rows["track"]["through_ms"] > rows["track"]["last_ms"]
    return moved


def rejudge(
    checkpoints: Mapping[int, SealState],
    pings: PingBatch,
    facts: Facts,
    *,
    seals: Collection[int],
    time_passed: Mapping[int, int],
) -> Rejudged:
    """Judge ``pings`` of ``seals``, each from its checkpoint (absent: from nothing).

    ``time_passed`` gives the newest ping of those seals that time alone had moved on before: they are judged by now
    again, unless a newer ping shows that they are talking.
    """
    states = SealStates()
    for seal in seals:
        if seal in checkpoints:
            states.install(seal, checkpoints[seal])
    episodes = {e.episode: e for per_seal in states.open.values() for e in per_seal.values()}
    found = judge(states, pings, facts)
    _join(episodes, states, found)
    written = {
        seal: (int(row["track"]["last_ms"]), states.one(seal))
        for seal, row in zip(found.seals.tolist(), found.rows, strict=True)
    }
    rows = states.take(states.seals())
    still = [
        s
        for s, row in zip(states.seals().tolist(), rows, strict=True)
        if time_passed.get(s) == row["track"]["last_ms"]
    ]
    if still and facts.now_ms is not None:
        _join(episodes, states, judge_now(states, facts, np.array(still, np.int64)))
    return Rejudged(states, episodes, written, found.counts)


def _join(episodes: dict[UUID, Episode], states: SealStates, found: Verdict) -> None:
    found.install(states)
    episodes |= found.touched
