"""A route holds from its ``valid_from`` up to its ``valid_to``: outside that, journeys on it are judged without a route."""

from __future__ import annotations

import pytest
from arrivals import Service
from story import T0_MS, Core, Ground, Ping, batch, drive, iso, one, only, ping, span, told

from seal_tracker.backtest import run_backtest
from seal_tracker.sources.trace import Trace

RULE = "ROUTE_DEVIATION"


def ground(from_s: float | None = None, to_s: float | None = None, **journey: str) -> Ground:
    """A road along y = 0, with C on it at 6,000 m, due after 10 min."""
    spans = {"valid_from": from_s, "valid_to": to_s}
    more = {name: iso(s) for name, s in spans.items() if s is not None}
    made = Ground().zone("C", 6000, 0, 200, "checkpoint").policy("default.STOP_UNPLANNED", enabled=False)
    points = [{"zone": "C", "after_min": 10}]
    return made.route("R", (0, 0), (30_000, 0), checkpoints=points, **more).journey(route="R", **journey)


def off(start_s: float, end_s: float) -> list[Ping]:
    return drive(start_s, end_s, 30, y_m=900)


@pytest.mark.parametrize(
    ("from_s", "to_s", "expected"),
    [
        (None, None, (0, 30, None, None)),
        (100, None, (120, 150, None, None)),
        (None, 100, (0, 30, 100, 100)),
        (-50, 9000, (0, 30, None, None)),
        (9000, None, None),
        (None, -50, None),
    ],
)
def test_a_deviation_is_from_a_route_that_holds(
    from_s: float | None, to_s: float | None, expected: tuple[object, ...] | None
) -> None:
    """What it has raised closes where it ceases to hold, as with a plan that has it no more."""
    found = only(told(ground(from_s, to_s), off(0, 300)), RULE)
    assert [span(e) for e in found] == ([] if expected is None else [expected])
    if expected is not None and expected[2] is not None:
        assert found[0].evidence["closed_by"] == "plan_changed"


def test_what_a_route_plans_for_a_time_at_which_it_does_not_hold_is_not_asked() -> None:
    """Its checkpoints are late while it holds; nobody is by time alone, either."""
    rule = "CHECKPOINT_LATE"
    assert span(one(told(ground(), [ping(0, 0)], now_s=900), rule))[0] == 600
    assert not only(told(ground(to_s=500), [ping(0, 0)], now_s=900), rule)
    assert not only(told(ground(from_s=700), [ping(0, 0)], now_s=900), rule)
    assert span(one(told(ground(to_s=700), [ping(0, 0)], now_s=900), rule))[0] == 600


def test_other_rules_do_not_mind() -> None:
    """A stay goes on, a tamper stays open: a route that begins or ends changes nothing else."""
    made = ground(to_s=100).zone("I", 0, 0, 9000, "interest")
    found = told(made, [ping(30 * i, 500, lock="cut") for i in range(8)])
    assert {e.type: span(e) for e in found} == {
        "ZONE_ENTERED": (0, 30, None, None),
        "SEAL_TAMPER": (0, 0, None, None),
    }


def test_a_diversion_to_a_route_that_holds_later_counts_from_then_on() -> None:
    """The order stands; the road opens when it opens."""
    made = ground(diversions=[{"at": iso(60), "route": "Q", "by": "an officer"}])  # type: ignore[arg-type]
    made.route("Q", (0, 5000), (30_000, 5000), valid_from=iso(200))
    found = one(told(made, drive(0, 400, 30)), RULE)
    assert span(found) == (210, 240, None, None)


def test_the_service_and_a_back_test_say_the_same() -> None:
    """Also of a ping that comes late, and of a seal that has not been heard since."""
    made, pings = ground(100, 400), off(0, 600)
    service = Service(Core(made.plan()))
    for some in (pings[:4], pings[8:], pings[4:8]):
        service.feed(batch(some, service.core.numbers))
        service.tick(620)
    core = Core(made.plan())
    core.tell(pings, 620)
    assert service.lines() == core.lines()
    (found,) = only(service.store.episodes, RULE)
    assert span(found) == (120, 150, 400, 400)


def test_a_back_test_cuts_at_the_same_moments() -> None:
    """Without a ping, time alone passes them."""
    made = ground(to_s=500)
    assert not run_backtest(made.plan(), list[Trace](), now_ms=T0_MS + 550_000).episodes
    assert [
        e.type for e in run_backtest(ground().plan(), list[Trace](), now_ms=T0_MS + 605_000).episodes
    ] == [
        "CHECKPOINT_LATE",
        "SIGNAL_LOST",
    ]
