"""Who plays what in the demo: how many seals of each role, and when what happens to them happens.

Counts are for 200 seals and scale with the fleet. ``PAST`` happenings are over before the demo starts, ``UNDERWAY`` ones have
just begun, ``SOON`` ones begin in the first minute, ``LIVE`` ones come while one looks, thick in the first minutes and thinner
over the hour; near misses must raise nothing. The rest of the fleet just drives.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

__all__ = ["ORDINARY", "Part", "draw_cast"]

PAST = {
    "detour": 6,
    "trespass": 4,
    "dash": 4,
    "stray_stop": 6,
    "rope_cut": 3,
    "shell_opened": 2,
    "opened": 3,
    "silent": 6,
    "battery_low": 5,
    "battery_critical": 2,
    "jammed": 3,
    "overstay": 2,
}
UNDERWAY = {"detour": 2, "stray_stop": 2}
SOON = {"detour": 1}
LIVE = {
    "detour": 5,
    "stray_stop": 8,
    "dash": 4,
    "silent": 6,
    "rope_cut": 3,
    "trespass": 4,
    "opened": 3,
    "battery_low": 4,
    "patchy": 5,
    "battery_critical": 2,
}
NEAR_MISS = {"patchy": 5, "edge": 6, "sleeper": 4, "long_rest": 8, "refused": 2}
ORDINARY = "ordinary"
REFERENCE_SEALS = 200

PAST_S = (-3.2 * 3600.0, -25 * 60.0)
"""A past happening begins between these, relative to now, so that its event is there before live begins."""
UNDERWAY_S = (-800.0, -620.0)
"""Begun some minutes before the live clock starts, nearly 3 minutes before now, and not over by then."""
SOON_S = (-120.0, 30.0)
"""Begun when the live clock has: who opens the page sees a truck leave its road."""
LIVE_S = (-380.0, 3600.0)
"""Live events come from here on: the live clock starts some minutes behind (see ``pace``) and catches up."""
SHOW_AFTER_S = {
    "stray_stop": 900.0,
    "battery_low": 600.0,
    "battery_critical": 600.0,
    "silent": 600.0,
    "patchy": 600.0,
    "detour": 150.0,
}
"""How long after its beginning a happening becomes an event by the default limits."""
BY_THE_REAL_CLOCK = frozenset({"silent", "patchy"})
"""Silence is judged by the service's own clock, which does not lag: its events cannot come before the start."""


class Part(NamedTuple):
    """One seal's part: its role, and when that begins, seconds from now."""

    role: str
    onset_s: float


def draw_cast(rng: np.random.Generator, seals: int) -> list[Part]:
    """A part for each seal, in a shuffled order; a small fleet gets one of each past role first."""
    # Each a stream of its own: what is added to one leaves the others as they were.
    of_past, of_underway, of_soon, of_live, of_order = rng.spawn(5)
    past = [Part(r, float(of_past.uniform(*PAST_S))) for r in _roles(PAST, seals) + _roles(NEAR_MISS, seals)]
    underway = [Part(r, float(of_underway.uniform(*UNDERWAY_S))) for r in _roles(UNDERWAY, seals)]
    soon = [Part(r, float(of_soon.uniform(*SOON_S))) for r in _roles(SOON, seals)]
    live_roles = _in_rounds(_roles(LIVE, seals), of_live)
    live = [
        _live(role, (k + float(of_live.uniform())) / len(live_roles), of_live)
        for k, role in enumerate(live_roles)
    ]
    parts = _each_role_first(past, underway + soon + live)[:seals]
    parts += [Part(ORDINARY, 0.0)] * (seals - len(parts))
    return [parts[i] for i in of_order.permutation(seals)]


def _roles(counts: dict[str, int], seals: int) -> list[str]:
    return [r for r, n in counts.items() for _ in range(max(1, round(n * seals / REFERENCE_SEALS)))]


def _in_rounds(roles: list[str], rng: np.random.Generator) -> list[str]:
    """One of each role in a shuffled order, then one of each that is left, and so on: all kinds show early."""
    nth = [roles[:k].count(role) for k, role in enumerate(roles)]
    order = sorted(range(len(roles)), key=lambda k: (nth[k], float(rng.uniform())))
    return [roles[k] for k in order]


def _live(role: str, quantile: float, rng: np.random.Generator) -> Part:
    """A quadratic spacing: half of the events in the first quarter of the time."""
    event_s = LIVE_S[0] + (LIVE_S[1] - LIVE_S[0]) * quantile**2
    if role in BY_THE_REAL_CLOCK:
        event_s = max(event_s, float(rng.uniform(10.0, 90.0)))
    return Part(role, event_s - SHOW_AFTER_S.get(role, 0.0))


def _each_role_first(past: list[Part], live: list[Part]) -> list[Part]:
    seen: set[str] = set()
    first = [p for p in past if not (p.role in seen or seen.add(p.role))]  # type: ignore[func-returns-value]
    rest = [p for p in past if not any(p is f for f in first)]
    return [*first, *live, *rest]
