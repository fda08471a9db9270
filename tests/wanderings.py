"""A plan in which a handful of pings can raise and clear every rule, and random seals that wander about in it."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from story import Ground, Ping, iso, ping

NOW_S = 9000.0
"""Long after the last ping of any track: what depends on now has happened."""

WRONG_BY_S = 50_000.0
"""How far ahead a clock is that nobody believes: the ping counts when it came."""

UNHEARD_S = 4000.0
"""A silence after which time alone has raised what it can."""

ODDITIES: list[dict[str, Any]] = [
    {"lock": "cut"},
    {"lock": "open"},
    {"battery_pct": 25},
    {"battery_pct": 5},
    {"battery_pct": 50},
    {"facts": ["low_battery"]},
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
    """A plan in which a handful of pings can raise and clear every rule, over two journeys of S1.

    S3 is the second seal of the first of them, and then leads one of its own, before and after which it escorts the second, as S2 does both; S2 is on its trailer, too.
    """
    made = Ground()
    made.policy("default.STOP_UNPLANNED", raise_s=120, long_s=300).policy("default.BATTERY_LOW", raise_s=60)
    checkpoints = [{"zone": "C1", "after_min": 6, "tolerance_min": 1}, {"zone": "C2", "after_min": 15}]
    there_and_back = [checkpoints[0], {"zone": "C1", "after_min": 9}]
    made.route("R", (0, 0), (6000, 0), half_width_m=150, checkpoints=checkpoints, speed_limit_kmh=40)
    made.zone("I", 1500, 0, 300, "interest").zone("P", 3000, 60, 80, "prohibited", reason="depot")
    made.zone("A", 4500, 0, 200, "approved_stop", max_stop_min=1, speed_limit_kmh=30).zone(
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
    made.policy("default.STOP_OVERRUN", raise_s=10).policy("default.OVERSPEED", raise_fixes=2, raise_s=10)
    made.policy("default.OUTSIDE_TIME_WINDOW", raise_fixes=2, raise_s=10)
    made.policy("default.STOP_ON_STRUCTURE", raise_fixes=2, raise_s=10)
    made.zone("X", 700, 0, 400, "structure").route(
        "Q",
        (0, 0),
        (2900, 0),
        (2900, 40),
        (0, 40),
        half_width_m=120,
        checkpoints=there_and_back,
        valid_from=iso(400),
        valid_to=iso(4000),
    )
    permit = {
        "number": "1",
        "windows": [{"days": ["mon"], "from": "21:20", "to": "21:40"}],
        "structures": [{"zone": "X", "speed_kmh": 8}],
    }
    made.equipment("CAM", heartbeat_s=60)
    leave = [
        {"from": iso(300), "to": iso(700), "by": "an officer"},
        {"from": iso(500), "to": iso(1400), "by": "another", "zone": "A"},
    ]
    for rule in ("DETACHMENT", "CONVOY_SEPARATION"):
        made.policy(f"default.{rule}", enabled=False)
    first = {"route": "R", "authorisations": leave, "due_at": iso(600), "permit": permit}
    escorts = [{"id": seal, "role": "escort"} for seal in ("S2", "S3")]
    made.journey(
        "S1", armed_s=60, disarmed_s=1500, devices=[{"id": "S3", "role": "seal"}, *escorts[:1]], **first
    )
    made.policy("transit.SIGNAL_LOST", companion_floor_s=900)
    trailer = [{"id": "S3", "role": "seal"}, {"id": "S2", "role": "trailer"}]
    made.journey("S3", armed_s=2000, disarmed_s=5000, route="Q", devices=trailer)
    again = {
        "route": "R",
        "due_at": iso(3000),
        "permit": permit,
        "devices": escorts,
        "destination_zone": "C2",
    }
    return made.journey("S1", id="J-again", armed_s=1500, disarmed_s=8400, **again)


def second_ground() -> Ground:
    """A later version: one zone gone, one new, one moved, thresholds changed."""
    made = ground()
    made.zones = [z for z in made.zones if z["id"] not in ("I", "P")]
    made.zone("P", 2900, 60, 80, "prohibited").zone("N", 900, 0, 200, "interest")
    made.routes[0]["properties"]["checkpoints"][1]["after_min"] = 7
    made.policy("transit.TRANSIT_LIMIT", limit_h=0.1).policy("transit.UNOBSERVED_GAP", gap_s=500)
    return made.policy("transit.ROUTE_DEVIATION", raise_excess_m_s=1000, severity="critical")


def third_ground() -> Ground:
    """The first again, without its camera."""
    made = ground()
    made.cameras = []
    return made


PLAN, SECOND, THIRD = ground().plan(1), second_ground().plan(2), third_ground().plan(3)

PLACES_M = (0, 0, 0, 350, 900, 1500, 2000, 4450, 4450)
"""Where a track may begin: short of something that it will then come to."""

GAITS: list[tuple[list[int], list[int]]] = [
    ([30, 30, 60, 240, 700], [0, 150, 400, 900, 2500, -300]),
    ([30, 60], [400, 450, 900]),
    ([30, 60, 120], [0, 0, 5, 10]),
    ([30, 60], [-300, -400, 400]),
]
"""(seconds, metres) from one ping to the next: of a truck that does anything, drives, stands, turns back."""


@st.composite
def tracks(draw: st.DrawFn, most: int = 24) -> list[Ping]:
    """Pings of one seal wandering about the plan's interesting places; an oddity lasts for some pings, as they do."""
    pings = []
    t, x = 0.0, float(draw(st.sampled_from(PLACES_M)))
    more: dict[str, Any] = {}
    y, wrong, heard = 0, False, True
    gait = draw(st.sampled_from([GAITS[0], *GAITS]))
    for _ in range(draw(st.integers(2, most))):
        turn = draw(st.integers(0, 15))
        if turn == 0:
            gait = draw(st.sampled_from(GAITS))
        elif turn <= 3:
            more = draw(st.sampled_from(ODDITIES))
        elif turn <= 6:
            more, wrong = {}, False
        elif turn <= 10:
            y = draw(st.sampled_from([0, 0, 0, 0, 60, 140, 200, 700, 30_000]))
        elif turn in (11, 12) and heard:
            heard = False
            t += UNHEARD_S
        elif turn == 13:
            wrong = True
        t += draw(st.sampled_from(gait[0]))
        x += draw(st.sampled_from(gait[1]))
        if wrong:  # the device's clock
            pings.append(ping(t + WRONG_BY_S, x, y, received_s=t, **more))
            continue
        pings.append(ping(t, None if turn == 15 else x, y, **more))
        if turn == 14:
            apart_m = draw(st.sampled_from([50, 50, 400]))
            pings.append(ping(t, x + apart_m, y, satellites=draw(st.integers(3, 9)), **more))
    return pings


@st.composite
def stories(draw: st.DrawFn, most: int = 24) -> list[Ping]:
    """A track of S1, sometimes another beside it: of a seal without a journey, of S3 (else never heard), of a camera."""
    pings = draw(tracks(most))
    beside = draw(st.integers(0, 5))
    if beside == 0:
        pings += [p | {"of": "S2"} for p in draw(tracks(5))]
    if beside == 2:
        pings += [p | {"of": "S3"} for p in draw(tracks(5))]
    if beside == 1:
        beats = draw(
            st.lists(st.sampled_from([0, 60, 120, 300, 600, 900]), min_size=1, max_size=4, unique=True)
        )
        pings += [ping(s, of="equip/CAM") for s in beats]
    return pings
