"""Nobody is told anything without evidence: one story for each rule, and what its episode must rest on."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from evidence import RESTS_ON, assert_complete
from story import Ground, Ping, drive, iso, ping

from seal_tracker.backtest import run_backtest
from seal_tracker.decoders.columns import CLOCK_AHEAD_MAX_MS, CLOCK_BEHIND_MAX_MS
from seal_tracker.model import Episode
from seal_tracker.rules import conflicts
from seal_tracker.rules.catalog import POLICY_KEYS
from seal_tracker.sources.file import read_trace
from seal_tracker.tracking.plausibility import TOP_SPEED_MM_PER_MS

HOUR_S = 3600.0


def road(**more: object) -> Ground:
    """A journey along 40 km of road eastward, past a zone of its own 5 km on."""
    made = Ground().route(
        "R", (0, 0), (40_000, 0), speed_limit_kmh=60, checkpoints=[{"zone": "C", **CHECKPOINT}]
    )
    return made.zone("C", 5000, 0, 200, "checkpoint").journey(**{"route": "R", **more})  # type: ignore[arg-type]


CHECKPOINT = {"after_min": 5, "tolerance_min": 0}
PERMIT = {"number": "P-7", "structures": [{"zone": "B", "speed_kmh": 10, "alone": True}]}
LEAVE = [{"from": iso(0), "to": iso(9 * HOUR_S), "by": "an officer"}]


def bridge() -> Ground:
    return Ground().zone("B", 0, 0, 200, "structure").journey(regime="oversized", permit=PERMIT)


def lasting(end_s: float, x_m: float | None = 0, every_s: float = 300, **more: object) -> list[Ping]:
    """The same again and again."""
    return [ping(every_s * i, x_m, **more) for i in range(round(end_s / every_s) + 1)]


def weighed(at_s: float, net_kg: int) -> Ping:
    """The lorry of journey J-S1, on its way out, on weighbridge WB-1."""
    said = {"id": "T-1", "direction": "out", "net_kg": net_kg, "journey": "J-S1"}
    return {"of": "equip/WB-1", "time": iso(at_s), "weighing": said}


def was_read(at_s: float, **read: Any) -> Ping:
    """The lorry of journey J-S1 before camera CAM-1."""
    return {"of": "equip/CAM-1", "time": iso(at_s), "reading": {"id": "R-1", **read}}


def of(device: str, pings: Sequence[Ping]) -> list[Ping]:
    return [{**one, "of": device} for one in pings]


STORIES: dict[str, Callable[[], tuple[Ground, list[Ping]]]] = {
    "ARRIVAL_LATE": lambda: (road(due_at=iso(600)), lasting(3000)),
    "BATTERY_LOW": lambda: (Ground(), lasting(900, battery_pct=12.3)),
    "CHECKPOINT_LATE": lambda: (road(), drive(0, 400, 40, 5)),
    "CHECKPOINT_MISSED": lambda: (road(), [*drive(0, 160, 40, 12), ping(760, 8000)]),
    "CHECKPOINT_REACHED": lambda: (road(), drive(0, 400, 40)),
    "CLOCK_SKEW": lambda: (Ground(), [ping(9000 + 60 * i, 0, received_s=60 * i) for i in range(3)]),
    "CONVOY_SEPARATION": lambda: (
        Ground().journey(devices=[{"id": "E1", "role": "escort"}]),
        [*drive(0, 600, 60), *of("E1", lasting(600, every_s=60))],
    ),
    "DETACHMENT": lambda: (
        Ground().journey(devices=[{"id": "T1", "role": "trailer"}]),
        [*drive(0, 600, 60), *of("T1", lasting(600, every_s=60))],
    ),
    "EQUIPMENT_OFFLINE": lambda: (
        Ground().equipment("CAM-1"),
        of("equip/CAM-1", [ping(0), ping(600)]),
    ),
    "GATE_MISMATCH": lambda: (
        Ground().equipment("CAM-1", 3600).journey(vehicle="29C-1", box="CSQU3054383"),
        [*lasting(1200), was_read(600, plate="29C-1", containers=["MSCU6639870"])],
    ),
    "GPS_LOST": lambda: (Ground().journey(), [ping(0, 0), *lasting(900, None)]),
    "JAMMING_SUSPECTED": lambda: (
        Ground().journey(),
        [ping(0, 0), *(p | {"facts": ["jamming"]} for p in lasting(900, None))],
    ),
    "OUTSIDE_TIME_WINDOW": lambda: (
        Ground().journey(
            regime="oversized", permit={"number": "P-7", "windows": [{"from": "22:00", "to": "05:00"}]}
        ),
        drive(0, 120, 30, speed_kmh=54),
    ),
    "OVERSPEED": lambda: (road(), drive(0, 120, 30, 20)),
    "POSITION_CONFLICT": lambda: (
        Ground(),
        [ping(30 * i, 0, 50_000.0 * (i % 2)) for i in range(9)],
    ),
    "PROHIBITED_ZONE": lambda: (Ground().zone("Z", 0, 0, 100, "prohibited").journey(), [ping(0, 0)]),
    "ROUTE_DEVIATION": lambda: (road(), drive(0, 300, 30, y_m=1234.567)),
    "SEAL_OPENED_OUTSIDE_ZONE": lambda: (Ground().journey(authorisations=LEAVE), [ping(0, 0, lock="open")]),
    "SEAL_TAMPER": lambda: (Ground().journey(), [ping(0, 0, lock="cut")]),
    "SIGNAL_LOST": lambda: (Ground().journey(), [ping(0, 0), ping(5000, 0)]),
    "STOP_ON_STRUCTURE": lambda: (bridge(), lasting(120, every_s=30)),
    "STOP_OVERRUN": lambda: (
        Ground().zone("A", 0, 0, 300, "approved_stop", max_stop_min=10).journey(),
        lasting(1800),
    ),
    "MASS_BALANCE": lambda: (
        Ground()
        .equipment("WB-1", kind="weighbridge")
        .journey(regime="minerals", minerals={"licence": "L-1", "loaded_kg": 20_000}),
        [*lasting(1200), weighed(600, 24_000)],
    ),
    "STOP_UNPLANNED": lambda: (Ground().journey(), lasting(1800)),
    "STRUCTURE_MEETING": lambda: (
        Ground()
        .zone("B", 5000, 0, 200, "structure")
        .route("R", (0, 0), (3000, 20), (9000, 0))
        .journey(regime="oversized", permit=PERMIT, route="R")
        .journey("S2", regime="oversized", permit=PERMIT, route="R"),
        [*drive(0, 300, 60, 11), *of("S2", drive(0, 300, 60, 10))],
    ),
    "STRUCTURE_SHARED": lambda: (
        bridge().journey("S2", regime="oversized", permit=PERMIT),
        [*lasting(300, every_s=60), *of("S2", lasting(300, 50, every_s=60))],
    ),
    "STRUCTURE_SPEED": lambda: (bridge(), [ping(0, 0, speed_kmh=21.599)]),
    "TRANSIT_LIMIT": lambda: (Ground().journey().policy("default.TRANSIT_LIMIT", limit_h=0.1), lasting(1800)),
    "UNLOCKED_TOO_LONG": lambda: (
        Ground().zone("U", 0, 0, 100, "unlock_allowed").journey(authorisations=LEAVE),
        lasting(2 * HOUR_S + 300, lock="open"),
    ),
    "UNLOCK_REFUSED": lambda: (Ground().journey(), [ping(0, 0, facts=["illegal_card"])]),
    "UNOBSERVED_GAP": lambda: (
        Ground().zone("Z", 500, 500, 100, "prohibited").journey(),
        [ping(0, 0), ping(3000, 1000)],
    ),
    "WRONG_DIRECTION": lambda: (road(), [ping(60 * i, 10_000 - 900 * i) for i in range(6)]),
    "ZONE_ENTERED": lambda: (Ground().zone("Z", 0, 0, 100, "interest").journey(), lasting(120, every_s=30)),
}


def test_every_rule_has_its_story() -> None:
    """One that is new is to be told here as well."""
    assert set(STORIES) == set(RESTS_ON) == set(POLICY_KEYS)


@pytest.mark.parametrize("rule", sorted(STORIES))
def test_an_event_carries_fixes_what_was_measured_the_limit_and_the_plan_version(
    rule: str, tmp_path: Path
) -> None:
    """And so does all else that the story tells."""
    ground, story = STORIES[rule]()
    episodes = backtested(ground, story, tmp_path)
    assert rule in {e.type for e in episodes}
    for episode in episodes:
        assert_complete(episode)
        assert episode.plan_version == 7


def backtested(ground: Ground, story: Sequence[Ping], folder: Path) -> list[Episode]:
    """Episodes of a story by the whole core, rules across devices among them."""
    path = folder / "trace.ndjson"
    path.write_text("\n".join(map(recorded, story)))
    return run_backtest(ground.plan(7), [read_trace(path)]).episodes


def recorded(one: Ping) -> str:
    """A ping as the message it came in."""
    device, came = one.get("of", "S1"), one["time"]
    leaf = next((leaf for leaf in ("weighing", "reading") if leaf in one), None)
    if leaf is not None:
        topic, payload = f"eseal/v1/demo/{device}/{leaf}", {"time": came, **one[leaf]}
    elif device.startswith("equip/"):
        topic, payload = f"eseal/v1/demo/{device}/status", {"status": "online", "time": came}
    else:
        topic = f"eseal/v1/demo/dev/{device}/ping"
        payload = {key: value for key, value in one.items() if key not in ("of", "received_s")}
    received = iso(one["received_s"]) if "received_s" in one else came
    return json.dumps({"topic": topic, "payload": payload, "received": received})


def test_the_limits_that_are_told_are_those_of_the_track() -> None:
    """A rule knows nothing of tracking and decoding; what it says of their limits must be true."""
    assert conflicts.TOP_SPEED_KMH == TOP_SPEED_MM_PER_MS * 3.6
    assert conflicts.AHEAD_S == CLOCK_AHEAD_MAX_MS / 1000
    assert conflicts.BEHIND_S == CLOCK_BEHIND_MAX_MS / 1000
