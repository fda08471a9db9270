"""A plan in which a handful of pings can raise and clear every rule, and random seals that wander about in it."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from story import Ground, Ping, iso, ping

NOW_S = 9000.0
"""Long after the last ping of any track: what depends on now has happened."""

ODDITIES: list[dict[str, Any]] = [
    {"lock": "cut"},
    {"lock": "open"},
    {"battery_pct": 25},
    {"battery_pct": 5},
    {"battery_pct": 50},
    {"accuracy_m": 25},
    {"facts": ["removed"]},
    {"mode": "asleep"},
    {"interval_s": 300},
]


def ground() -> Ground:
    """A plan in which a handful of pings can raise and clear every rule, over two journeys."""
    made = Ground()
    made.policy("default.STOP_UNPLANNED", raise_s=120, long_s=300).policy("default.BATTERY_LOW", raise_s=60)
    checkpoints = [{"zone": "C1", "after_min": 6, "tolerance_min": 1}, {"zone": "C2", "after_min": 15}]
    made.route("R", (0, 0), (6000, 0), half_width_m=150, checkpoints=checkpoints)
    made.zone("I", 1500, 0, 300, "interest").zone("P", 3000, 60, 80, "prohibited", reason="depot")
    made.zone("A", 4500, 0, 200, "approved_stop").zone("C1", 2200, 0, 100, "checkpoint")
    made.zone("C2", 5200, 0, 100, "checkpoint").zone("B", 2000, 4000, 500, "bonded")
    made.policy("default.WRONG_DIRECTION", limit_m=200, raise_fixes=2, raise_s=30)
    made.policy("default.CHECKPOINT_MISSED", past_m=300).policy("default.UNOBSERVED_GAP", gap_s=200)
    made.policy("default.ARRIVAL_LATE", tolerance_min=1, raise_s=60)
    made.policy("default.TRANSIT_LIMIT", limit_h=0.2, raise_s=120)
    leave = [{"from": iso(300), "to": iso(700), "by": "an officer"}]
    made.journey("S1", armed_s=60, disarmed_s=1500, route="R", authorisations=leave, due_at=iso(600))
    return made.journey("S1", id="J-again", armed_s=1500, disarmed_s=6000, route="R", due_at=iso(3000))


def second_ground() -> Ground:
    """A later version: one zone gone, one new, one moved, thresholds changed."""
    made = ground()
    made.zones = [z for z in made.zones if z["id"] not in ("I", "P")]
    made.zone("P", 2900, 60, 80, "prohibited").zone("N", 900, 0, 200, "interest")
    made.routes[0]["properties"]["checkpoints"][1]["after_min"] = 7
    made.policy("transit.TRANSIT_LIMIT", limit_h=0.1).policy("transit.UNOBSERVED_GAP", gap_s=500)
    return made.policy("transit.ROUTE_DEVIATION", raise_excess_m_s=1000, severity="critical")


PLAN, SECOND, THIRD = ground().plan(1), second_ground().plan(2), ground().plan(3)


@st.composite
def tracks(draw: st.DrawFn, most: int = 24) -> list[Ping]:
    """Pings of one seal wandering about the plan's interesting places, some of them odd."""
    pings = []
    t, x = 0.0, 0.0
    for _ in range(draw(st.integers(2, most))):
        t += draw(st.sampled_from([5, 30, 30, 60, 60, 240, 700]))
        x += draw(st.sampled_from([0, 10, 150, 400, 900, 2500, -300]))
        y = draw(st.sampled_from([0, 0, 0, 60, 140, 200, 700, 30_000]))
        more = draw(st.sampled_from(ODDITIES)) if draw(st.integers(0, 5)) == 0 else {}
        place = None if draw(st.integers(0, 9)) == 0 else x
        pings.append(ping(t, place, y, **more))
        if draw(st.integers(0, 9)) == 0:
            pings.append(ping(t, x + 50, y, satellites=draw(st.integers(3, 9)), **more))
    return pings
