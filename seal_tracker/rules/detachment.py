"""``DETACHMENT``: two devices that travel as one are apart: tractor and trailer, container and truck."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seal_tracker.journey import Journey
from seal_tracker.rules.context import mm_of_m
from seal_tracker.rules.keys import PolicyKey
from seal_tracker.rules.pairs import Meetings, Pair, PairRule, companion_pairs, pair_keys
from seal_tracker.rules.table import per

__all__ = ["RULE"]

NAME = "DETACHMENT"

KEYS = pair_keys("critical", raise_=(3, 120), clear=(2, 0)) | {
    "apart_m": PolicyKey("number", 300.0, "farther apart than this they no longer travel as one"),
    "together_m": PolicyKey("number", 150.0, "nearer than this they do again"),
}


def _pairs(journeys: Sequence[Journey]) -> Iterator[Pair]:
    for journey in journeys:
        if len(journey.devices) > 1:
            served = journey.served
            apart = {*(s.device for s in served if s.leads), *journey.escorts}
            for device in (s.device for s in served if s.device not in apart):
                yield from companion_pairs(NAME, journey, device)


def _holds(meetings: Meetings) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    apart, together = (mm_of_m(per(meetings.policy(key), meetings.pair)) for key in ("apart_m", "together_m"))
    on = meetings.distance_mm > apart
    return on, ~on & (meetings.distance_mm < together)


def _evidence(meetings: Meetings, i: int, greatest_mm: int) -> dict[str, Any]:
    limit_m = meetings.policy_at("apart_m", int(meetings.pair[i]))
    return {"distance_m": greatest_mm / 1000, "limit_m": limit_m}


RULE = PairRule(NAME, KEYS, _pairs, _holds, _evidence)
