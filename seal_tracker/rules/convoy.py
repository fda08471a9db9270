"""``CONVOY_SEPARATION``: an escort is farther from the vehicle it escorts than its permit, or the policy, allows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seal_tracker.journey import Journey
from seal_tracker.rules.context import mm_of_m
from seal_tracker.rules.keys import PolicyKey
from seal_tracker.rules.pairs import Meetings, Pair, PairRule, companion_pairs, pair_keys

__all__ = ["RULE"]

NAME = "CONVOY_SEPARATION"

KEYS = pair_keys("high", raise_=(3, 120), clear=(2, 0)) | {
    "gap_m": PolicyKey("number", 500.0, "metres an escort may be away where its permit does not say"),
}


def _pairs(journeys: Sequence[Journey]) -> Iterator[Pair]:
    for journey in journeys:
        if len(journey.devices) > 1:
            for escort, gap_m in journey.escorts.items():
                yield from companion_pairs(NAME, journey, escort, gap_m=gap_m)


def _limit_mm(meetings: Meetings) -> NDArray[np.int64]:
    """By pair: the permit's gap, else the policy's."""
    permitted = np.array([np.nan if p.gap_m is None else p.gap_m for p in meetings.pairs], np.float64)
    allowed = np.asarray(meetings.policy("gap_m"), np.float64)
    return mm_of_m(np.where(np.isnan(permitted), allowed, permitted))


def _holds(meetings: Meetings) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    on = meetings.distance_mm > _limit_mm(meetings)[meetings.pair]
    return on, ~on


def _evidence(meetings: Meetings, i: int, greatest_mm: int) -> dict[str, Any]:
    limit_mm = int(_limit_mm(meetings)[meetings.pair[i]])
    return {"distance_m": greatest_mm / 1000, "limit_m": limit_mm / 1000}


RULE = PairRule(NAME, KEYS, _pairs, _holds, _evidence)
