"""``MASS_BALANCE``, told as stories: what was declared, weighed out, weighed in, and how long the lorry took."""

from __future__ import annotations

from typing import Any

import pytest
from fact_stories import Happens, told, weighing
from story import Ground, Ping, drive, one, span

MASS = "MASS_BALANCE"


def ground(**more: Any) -> Ground:
    """A lorry from a mine over 30 km to a port, 25 t declared, a weighbridge at both ends."""
    minerals = {"licence": "L-1", "loaded_kg": 25_000, **more.pop("minerals", {})}
    made = Ground().route("R", (0, 0), (30_000, 0))
    made.equipment("WB-1", kind="weighbridge").equipment("WB-2", kind="weighbridge")
    return made.journey(regime="minerals", route="R", vehicle="29C-123.45", minerals=minerals, **more)


def trip() -> list[Ping]:
    """A drive over all of it in 2,000 s."""
    return drive(0, 2000, 100)


def weighed(out_kg: int, in_kg: int, *more: Happens) -> list[Happens]:
    return [weighing(30, "out", out_kg), weighing(2400, "in", in_kg, by="WB-2"), *more]


def test_masses_within_tolerance_are_in_order() -> None:
    """100 kg, or half a percent where that is more."""
    assert told(ground(), trip(), weighed(25_120, 25_010)) == []


def test_weighed_in_less_than_out_is_an_event_with_both_weighings() -> None:
    """The object says what; it stands from the second weighing on, and is latched."""
    found = one(told(ground(), trip(), weighed(25_050, 23_000)), MASS)
    assert (found.object, found.severity, found.subject, found.seal) == ("weighed", "high", "J-S1", "S1")
    assert span(found) == (2400, 2400, None, None)
    assert found.latched
    assert found.evidence["difference_kg"] == -2050
    assert found.evidence["tolerance_kg"] == 125.2
    assert [w["net_kg"] for w in found.evidence["weighings"]] == [25_050, 23_000]
    assert found.evidence["licence"] == "L-1"


def test_more_than_declared_is_told_at_the_first_weighing() -> None:
    """Declared ≠ weighed, at the weighbridge of the mine."""
    found = one(told(ground(), trip(), weighed(27_000, 27_000)), MASS)
    assert (found.object, span(found)[0]) == ("declared", 30)
    assert (found.evidence["declared_kg"], found.evidence["difference_kg"]) == (25_000, 2000)


@pytest.mark.parametrize(("in_kg", "raised"), [(24_875, False), (24_874, True)])
def test_half_a_percent_of_the_greater_mass_is_the_limit(in_kg: int, *, raised: bool) -> None:
    """Where it is more than tolerance_kg."""
    found = told(ground(), trip(), weighed(25_000, in_kg))
    assert bool(found) is raised


def test_a_correction_takes_it_back_and_the_same_again_changes_nothing() -> None:
    """The highest revision stands, whichever came first."""
    wrong, right = weighing(2400, "in", 2500, by="WB-2"), weighing(2400, "in", 25_000, by="WB-2", revision=2)
    assert told(ground(), trip(), [weighing(30, "out", 25_000), wrong, right, wrong]) == []


def test_a_weighing_that_was_a_mistake_stands_for_nothing() -> None:
    """Void in a later revision."""
    wrong = weighing(2400, "in", 2500, by="WB-2")
    void = weighing(2400, "in", 2500, by="WB-2", revision=2, void=True)
    assert told(ground(disarmed_s=2500), trip(), [weighing(30, "out", 25_000), wrong, void]) == []


def test_a_lorry_is_found_by_its_plate_however_it_is_written() -> None:
    """Weighed out before its seal was armed, in after it was disarmed."""
    facts = [
        weighing(-600, "out", 25_000, plate="29c 12345"),
        weighing(2900, "in", 23_000, by="WB-2", plate="29C12345"),
    ]
    found = one(told(ground(disarmed_s=2500), trip(), facts), MASS)
    assert (found.object, span(found)) == ("weighed", (2900, 2900, None, None))


def test_it_ends_with_disarming_or_by_an_officers_reset() -> None:
    """As every latched episode."""
    made = ground(
        disarmed_s=5000, resets=[{"at": "2026-09-21T15:13:20Z", "rule": MASS, "object": "weighed", "by": "x"}]
    )
    found = one(told(made, trip(), weighed(25_000, 23_000)), MASS)
    assert (span(found)[2], found.evidence["closed_by"]) == (3600, "reset")
    found = one(told(ground(disarmed_s=5000), trip(), weighed(25_000, 23_000)), MASS)
    assert (span(found)[2], found.evidence["closed_by"]) == (5000, "disarmed")


def test_a_trip_too_short_for_its_distance_went_another_way_or_was_another_lorrys() -> None:
    """30 km at 70 km/h are 1,542 s."""
    facts = [weighing(30, "out", 25_000), weighing(1500, "in", 25_000, by="WB-2")]
    found = one(told(ground(), trip(), facts), MASS)
    assert (found.object, span(found)[0]) == ("short", 1500)
    assert (found.evidence["lasted_s"], found.evidence["least_s"]) == (1470, 1542)


def test_a_trip_that_takes_too_long_is_told_when_its_time_is_up() -> None:
    """30 km at 15 km/h and an hour's grace: 10,800 s, by now alone."""
    facts = [weighing(30, "out", 25_000)]
    assert told(ground(), trip(), facts, now_s=10_829) == []
    found = one(told(ground(), trip(), facts, now_s=10_831), MASS)
    assert (found.object, span(found)) == ("long", (10_830, 10_830, None, None))


def test_a_policy_sets_the_limits() -> None:
    """For a regime or a route, as any other."""
    made = ground().policy("minerals.MASS_BALANCE", tolerance_kg=3000, severity="medium")
    assert told(made, trip(), weighed(25_000, 23_000)) == []
    made = ground().policy("route.R.MASS_BALANCE", tolerance_pct=0, tolerance_kg=10, severity="medium")
    assert one(told(made, trip(), weighed(25_005, 24_990)), MASS).severity == "medium"
