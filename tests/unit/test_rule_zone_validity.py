"""A zone is in force from its ``valid_from`` up to its ``valid_to``: outside that it is as if it were not there."""

from __future__ import annotations

import pytest
from story import Ground, iso, one, only, ping, span, told


def ground(kind: str, from_s: float | None = None, to_s: float | None = None) -> Ground:
    """A zone of 300 m half side around x = 3,000 m."""
    spans = {"valid_from": from_s, "valid_to": to_s}
    more = {name: iso(s) for name, s in spans.items() if s is not None}
    return Ground().zone("Z", 3000, 0, 300, kind, **more).journey()


@pytest.mark.parametrize(
    ("from_s", "to_s", "raised"),
    [
        (None, None, True),
        (100, None, True),
        (100.001, None, False),
        (None, 100, False),
        (None, 100.001, True),
    ],
)
def test_a_fix_is_judged_by_the_zones_in_force_at_its_time(
    from_s: float | None, to_s: float | None, *, raised: bool
) -> None:
    """[from, to): the first moment counts, the last does not."""
    assert bool(told(ground("prohibited", from_s, to_s), [ping(100, 3000)])) == raised


@pytest.mark.parametrize(("kind", "rule"), [("prohibited", "PROHIBITED_ZONE"), ("interest", "ZONE_ENTERED")])
def test_a_stay_ends_when_its_zone_does(kind: str, rule: str) -> None:
    """With the first fix after it; who is still there is in no zone."""
    found = one(told(ground(kind, 0, 75), [ping(30 * i, 3000) for i in range(6)]), rule)
    assert span(found)[0] == 0
    assert span(found)[2:] == (90, 120)


def test_a_stay_begins_when_its_zone_does() -> None:
    """At the first fix in force."""
    found = one(told(ground("interest", 45), [ping(30 * i, 3000) for i in range(5)]), "ZONE_ENTERED")
    assert span(found) == (60, 90, None, None)


def test_a_zone_is_crossed_when_it_was_in_force_at_the_entry() -> None:
    """A line from 2,250 m to 3,750 m in 100 s enters at 2,700 m, at 30 s."""
    story = [ping(0, 2250), ping(100, 3750), ping(110, 3900)]
    assert span(one(told(ground("prohibited", 20, 40), [ping(0, 2400), story[1]]), "PROHIBITED_ZONE"))[0] == (
        pytest.approx(22.2, abs=0.1)
    )
    assert not told(ground("prohibited", 31), story)
    assert only(told(ground("prohibited", 29), story), "PROHIBITED_ZONE")


def test_an_approved_stop_is_one_only_while_it_is_in_force() -> None:
    """A run begins with the first fix after it."""
    story = [ping(60 * i, 3000) for i in range(40)]
    assert span(one(told(ground("approved_stop", None, 590), story), "STOP_UNPLANNED"))[:2] == (600, 1500)
    assert not told(ground("approved_stop"), story)


def test_a_checkpoint_is_reached_when_it_comes_into_force() -> None:
    """Not before."""
    made = ground("checkpoint", 45).route("R", (0, 0), (9000, 0), checkpoints=[{"zone": "Z"}])
    made.journeys[0]["route"] = "R"
    assert span(one(told(made, [ping(30 * i, 3000) for i in range(4)]), "CHECKPOINT_REACHED"))[0] == 60
