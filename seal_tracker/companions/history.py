"""The second stage over recorded history, all at once. Pure."""

from __future__ import annotations

from uuid import UUID

import numpy as np

from seal_tracker.companions.stage import Progress, judge_pairs
from seal_tracker.companions.table import PairTable
from seal_tracker.companions.telling import told
from seal_tracker.companions.tracks import accepted
from seal_tracker.model import Episode, PingBatch
from seal_tracker.tracking.epochs import Facts
from seal_tracker.tracking.state import blank_rows

__all__ = ["companion_episodes"]


def companion_episodes(facts: Facts, pings: PingBatch) -> dict[UUID, Episode]:
    """Every episode of the rules across devices, by id, as of ``facts.now_ms``; ``pings`` are all, in any order."""
    table = PairTable.build(facts.journeys.journeys, facts.names)
    if not len(table):
        return {}
    blank = blank_rows(1)["track"][0]
    mine = pings.take(np.isin(pings.seal, table.devices))
    tracks = accepted({int(d): blank for d in table.devices}, mine)
    progress = judge_pairs(facts, table, np.arange(len(table)), Progress.blank(len(table)), tracks)
    return {
        key: episode
        for which in table.of_journey.values()
        for key, episode in told(
            ((table.pairs[i], progress.episodes[i]) for i in which), facts.now_ms
        ).items()
    }
