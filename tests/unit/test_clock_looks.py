"""Of whom the clock is looked at: those alone whom time may have changed, and all of them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from arrivals import Service
from story import T0_MS, Core, Ground, batch, iso, only, ping, seconds

from seal_tracker.journey import Suspension
from seal_tracker.judge import due_seals


def due(told: Service, now_s: float) -> list[str]:
    """Seals that would be looked at."""
    told.judging.now_ms = T0_MS + round(now_s * 1000)
    numbers = due_seals(told.judging.states, told.judging.facts())
    return [told.judging.names[n] for n in numbers.tolist()]


def service(made: Ground) -> Service:
    return Service(Core(made.plan()))


def test_a_seal_is_looked_at_when_its_silence_is_due_and_not_before() -> None:
    """Once after each ping at most, and then when the limit is over; what is raised needs no further look."""
    told = service(Ground().journey("S1").journey("S2", armed_s=100))
    told.feed(batch([ping(0, 0)], told.core.numbers))
    assert due(told, 50) == ["S1"]
    told.tick(50)
    assert due(told, 99) == []
    assert due(told, 100) == ["S2"]
    told.tick(100)
    assert due(told, 600) == []
    assert due(told, 600.001) == ["S1"]
    told.tick(600.001)
    assert due(told, 700) == []
    told.feed(batch([ping(690, 0)], told.core.numbers))
    assert due(told, 700) == []
    assert due(told, 700.001) == ["S2"]
    told.tick(700.001)
    assert due(told, 1290) == ["S1"]
    assert [seconds(e.raised_at_ms) for e in only(told.store.episodes, "SIGNAL_LOST")] == [600, 700]


@pytest.mark.parametrize(
    ("key", "made", "at_s"),
    [
        (
            "checkpoint",
            Ground().route("R", (0, 0), (9000, 0), checkpoints=[{"zone": "C", "after_min": 5}])
            .zone("C", 4000, 0, 100, "checkpoint").journey(route="R"),
            300.001,
        ),
        ("transit limit used up", Ground().policy("default.TRANSIT_LIMIT", limit_h=0.1).journey(), 360),
        ("disarming", Ground().journey(disarmed_s=400), 400),
        ("suspension", Ground().journey(suspensions=[{"from": iso(200), "by": "an officer"}]), 200),
        ("arrival", Ground().policy("default.SIGNAL_LOST", enabled=False).journey(due_at=iso(60)), 3900.001),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_whatever_time_brings_is_looked_at_when_it_is_due(key: str, made: Ground, at_s: float) -> None:
    """To the millisecond."""
    told = service(made)
    told.feed(batch([ping(0, 0)], told.core.numbers))
    told.tick(1)
    assert due(told, at_s - 0.001) == [], key
    assert due(told, at_s) == ["S1"], key


def test_other_facts_are_looked_at_anew() -> None:
    """Of the seals of the journeys that have changed; a new plan is everybody's."""
    told = service(Ground().journey("S1").journey("S2"))
    told.feed(batch([ping(0, 0), ping(0, 0, of="S2")], told.core.numbers))
    told.tick(1)
    assert due(told, 2) == []
    mine, other = told.core.journeys
    order = Suspension(T0_MS + 50_000, None, "an officer")
    told.learn([replace(mine, suspensions=(order,)), other], told.core.versions)
    assert due(told, 2) == ["S1"]
    told.tick(2)
    assert due(told, 49.999) == []
    assert due(told, 50) == ["S1"]
    made = Ground().journey("S1").journey("S2").policy("default.SIGNAL_LOST", awake_floor_s=300)
    later = Core(told.core.plan, [(30, made.plan(2))])
    told.learn([mine, other], later.versions)
    assert due(told, 3) == ["S1", "S2"]


def test_a_road_that_closes_on_a_silent_seal_is_told_once() -> None:
    """The deadlines of the road it is on from then are not told anew at every look."""
    made = Ground().zone("C", 5000, 0, 100, "checkpoint").route("R", (0, 0), (9000, 0), valid_from=iso(400),
        checkpoints=[{"zone": "C", "after_min": 8}]).journey(route="R")  # fmt: skip
    told = service(made)
    told.feed(batch([ping(30, 0), ping(60, 0)], told.core.numbers))
    for now_s in (500, 661, 700, 8000):
        told.tick(now_s)
    assert [e.transition for e in told.events if e.episode.type == "CHECKPOINT_LATE"] == ["raised"]
