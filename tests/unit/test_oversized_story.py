"""One oversized vehicle on its tractor's tracker breaks every rule of the catalogue for such; told live and by a back-test alike.

It sets out from x = 0 east at 36 km/h, 10 m/s; its permit lets it. Its escort stays behind, a yard with a weak floor is beside
the road, the first bridge is to be passed at walking speed, on the second it halts, and another vehicle comes to it from the other end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from live_space import Live
from story import T0_MS, Ground, Ping, ping

from seal_tracker.backtest import run_backtest
from seal_tracker.episodes_file import episode_line, in_file_order
from seal_tracker.model import NO_TIME, Episode
from seal_tracker.sources.file import read_trace

END_S = 3000
RULES = {
    "OUTSIDE_TIME_WINDOW": {"reason": "forbidden_hours", "calendar": "rush"},
    "OVERSPEED": {"source": "permit", "limit_kmh": 30.0},
    "CONVOY_SEPARATION": {"limit_m": 300.0},
    "PROHIBITED_ZONE": {"reason": "bridge_limit"},
    "STRUCTURE_SPEED": {"limit_kmh": 10.0},
    "STOP_ON_STRUCTURE": {"limit_s": 30.0},
    "STRUCTURE_MEETING": {"journeys": ["J-2"]},
    "STRUCTURE_SHARED": {"journeys": ["J-2"]},
}
"""What the vehicle does wrong, or is about to, and what its evidence says."""


def text(episodes: Iterable[Episode]) -> str:
    return b"".join(map(episode_line, in_file_order(episodes))).decode()


def ground() -> Ground:
    made = (
        Ground().route("east", (0, 0), (5000, 20), (20_000, 0)).route("west", (20_000, 0), (5000, 20), (0, 0))
    )
    made.zone("yard", 3000, 60, 50, "prohibited", reason="bridge_limit")
    made.zone("first", 6000, 20, 100, "structure").zone("second", 12_000, 10, 150, "structure")
    structures = [{"zone": "first", "speed_kmh": 10}, {"zone": "second", "alone": True, "speed_kmh": 60}]
    permit = {
        "number": "GP-1", "corridor": "east", "speed_limits_kmh": [60, 30], "calendars": ["rush"],
        "escorts": [{"device": "E1", "gap_m": 300}], "structures": structures,
    }  # fmt: skip
    devices = [{"id": "T1", "role": "tractor"}, {"id": "E1", "role": "escort"}]
    made.journey("T1", id="J-1", regime="oversized", route="east", devices=devices, permit=permit)
    made.journeys[-1].pop("seal")
    other = {"number": "GP-2", "structures": [{"zone": "second", "alone": True}]}
    made.journey("T2", id="J-2", regime="oversized", route="west", permit=other)
    made.journeys[-1].pop("seal")
    made.journeys[-1]["devices"] = [{"id": "T2", "role": "tractor"}]
    made.calendars.append({"id": "rush", "windows": [{"from": "21:20", "to": "21:25"}]})
    return made


def pings() -> list[Ping]:
    """T1 halts on the second bridge from 1200 s on for ten minutes, when T2 comes; the escort follows a kilometre behind."""

    def x(t: float) -> float:
        return 10 * t if t < 1200 else 12_000 if t < 1800 else 12_000 + 10 * (t - 1800)

    moments = np.arange(0, END_S + 1, 30).tolist()
    mine = [
        ping(t, x(t), 60 if 280 < t < 320 else 0, speed_kmh=0.0 if 1200 < t < 1800 else 36.0, of="T1")
        for t in moments
    ]
    escort = [ping(t, max(x(t) - min(t, 1000), 0), of="E1", speed_kmh=36.0) for t in moments]
    other = [ping(t, max(20_000 - 5.7 * t, 0), of="T2", speed_kmh=20.0) for t in moments]
    return sorted([*mine, *escort, *other], key=lambda one: one["time"])


@pytest.fixture(scope="module")
def told_live() -> list[Episode]:
    """By the service's own judging and committing, ten minutes at a time."""

    async def live() -> list[Episode]:
        service = Live([(NO_TIME, ground().plan())])
        await service.start()
        heard = pings()
        for k in range(0, len(heard), 60):
            await service.hear(heard[k : k + 60])
        await service.pass_time(END_S)
        return list(service.store.episodes)

    return asyncio.run(live())


@pytest.mark.parametrize("rule", RULES)
def test_each_rule_of_an_oversized_vehicle_tells_of_it_live(told_live: list[Episode], rule: str) -> None:
    """On its tractor's track alone; with what is to be said of it."""
    found = [e for e in told_live if (e.type, e.journey) == (rule, "J-1")]
    assert found
    assert found[0].seal == "T1"
    assert {key: found[0].evidence.get(key) for key in RULES[rule]} == RULES[rule]


def test_the_meeting_is_told_before_both_are_on_the_bridge(told_live: list[Episode]) -> None:
    first = {rule: min(e.raised_at_ms for e in told_live if e.type == rule) for rule in RULES}
    assert first["STRUCTURE_SHARED"] - first["STRUCTURE_MEETING"] > 10 * 60_000


def test_a_back_test_of_their_recorded_pings_tells_the_same(told_live: list[Episode], tmp_path: Path) -> None:
    """To the byte."""
    columns = ("seal", "time", "lon", "lat", "speed_kmh")
    lines = [",".join(str({"seal": p["of"], **p}[c]) for c in columns) for p in pings()]
    (tmp_path / "trace.csv").write_text("\n".join([",".join(columns), *lines]) + "\n")
    outcome = run_backtest(ground().plan(), [read_trace(tmp_path / "trace.csv")], now_ms=T0_MS + END_S * 1000)
    assert text(outcome.episodes) == text(told_live)
