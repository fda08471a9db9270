"""A plan in which a handful of pings can raise and clear every rule, and random seals that wander about in it."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from story import Ground, Ping, iso, ping

NOW_S = 9000.0
"""Long after the last ping of any track: what depends on now has happened."""

WRONG_BY_S = 50_000.0
"""How far ahead a clock is that nobody believes: the ping counts when it came."""

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
    {"lock": "closed"},
    {"valid": False},
    {"accuracy_m": 150},
    {"facts": ["wrong_password"]},
    {"facts": ["jamming"]},
    {"cell": {"rssi_dbm": -70}, "speed_kmh": 40, "valid": False},
    {"speed_kmh": 70},
    {"speed_kmh": 0},
]


def ground() -> Ground:
    """A plan in which a handful of pings can raise and clear every rule, over two journeys."""
    made = Ground()
    made.policy("default.STOP_UNPLANNED", raise_s=120, long_s=300).policy("default.BATTERY_LOW", raise_s=60)
    checkpoints = [{"zone": "C1", "after_min": 6, "tolerance_min": 1}, {"zone": "C2", "after_min": 15}]
    made.route("R", (0, 0), (6000, 0), half_width_m=150, checkpoints=checkpoints)
    made.zone("I", 1500, 0, 300, "interest").zone("P", 3000, 60, 80, "prohibited", reason="depot")
    made.zone("A", 4500, 0, 200, "approved_stop", max_stop_min=2, speed_limit_kmh=30).zone(
        "C1", 2200, 0, 100, "checkpoint"
    )
    made.zone("C2", 5200, 0, 100, "checkpoint").zone("B", 2000, 4000, 500, "bonded")
    made.policy("default.WRONG_DIRECTION", limit_m=200, raise_fixes=2, raise_s=30)
    made.policy("default.CHECKPOINT_MISSED", past_m=300).policy("default.UNOBSERVED_GAP", gap_s=200)
    made.policy("default.ARRIVAL_LATE", tolerance_min=1, raise_s=60)
    made.policy("default.TRANSIT_LIMIT", limit_h=0.2, raise_s=120)
    made.policy("default.UNLOCKED_TOO_LONG", raise_s=60).policy("default.UNLOCK_REFUSED", clear_s=60)
    made.policy("default.SEAL_OPENED_OUTSIDE_ZONE", place_age_s=60, latched=False)
    for rule in ("GPS_LOST", "JAMMING_SUSPECTED"):
        made.policy(f"default.{rule}", raise_fixes=2, raise_s=30, clear_fixes=1)
    for rule in ("POSITION_CONFLICT", "CLOCK_SKEW"):
        made.policy(f"default.{rule}", raise_fixes=2, clear_fixes=3)
    made.zone("U", 900, 0, 200, "unlock_allowed")
    made.policy("default.STOP_OVERRUN", raise_s=60).policy("default.OVERSPEED", raise_fixes=2, raise_s=10)
    made.policy("default.OUTSIDE_TIME_WINDOW", raise_fixes=2, raise_s=10)
    made.policy("default.STOP_ON_STRUCTURE", raise_fixes=2, raise_s=10)
    made.zone("X", 400, 0, 100, "structure").route(
        "Q", (0, 0), (900, 0), (900, 3000), half_width_m=120, checkpoints=checkpoints[:1]
    )
    permit = {
        "number": "1",
        "windows": [{"days": ["mon"], "from": "21:20", "to": "21:40"}],
        "structures": [{"zone": "X", "speed_kmh": 20}],
    }
    leave = [
        {"from": iso(300), "to": iso(700), "by": "an officer"},
        {"from": iso(500), "to": iso(1400), "by": "another", "zone": "A"},
    ]
    first = {"route": "R", "authorisations": leave, "due_at": iso(600), "permit": permit}
    made.journey("S1", armed_s=60, disarmed_s=1500, **first)
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
    more: dict[str, Any] = {}
    for _ in range(draw(st.integers(2, most))):
        t += draw(st.sampled_from([5, 30, 30, 60, 60, 240, 700]))
        x += draw(st.sampled_from([0, 10, 150, 400, 900, 2500, -300]))
        y = draw(st.sampled_from([0, 0, 0, 60, 140, 200, 700, 30_000]))
        if not more or draw(st.booleans()):  # what is odd goes on for a while
            more = draw(st.sampled_from(ODDITIES)) if draw(st.integers(0, 5)) == 0 else {}
        place = None if draw(st.integers(0, 9)) == 0 else x
        if draw(st.integers(0, 7)) == 0:
            pings.append(ping(t + WRONG_BY_S, place, y, received_s=t, **more))
            continue
        pings.append(ping(t, place, y, **more))
        if draw(st.integers(0, 9)) == 0:
            apart_m = draw(st.sampled_from([50, 50, 400]))
            pings.append(ping(t, x + apart_m, y, satellites=draw(st.integers(3, 9)), **more))
    return pings
