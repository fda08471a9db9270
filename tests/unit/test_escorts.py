"""A journey's escorts: the permit asks for them, so they must be heard of; they seal nothing, and lead nothing."""

from __future__ import annotations

from typing import Any

import pytest
from arrivals import Service
from story import Core, Ground, Ping, batch, drive, one, only, ping, span, told

LOST = "SIGNAL_LOST"
PERMIT = {"number": "GP-1", "escorts": [{"device": "E1", "gap_m": 500}]}


def convoy(seal: str = "S1", **more: Any) -> Ground:
    """An oversized vehicle with an escort."""
    devices = [{"id": seal, "role": "seal"}, {"id": "E1", "role": "escort"}]
    fields: dict[str, Any] = {"regime": "oversized", "devices": devices, "permit": PERMIT} | more
    return Ground().journey(seal, **fields)


def escort(*pings: Ping, **says: Any) -> list[Ping]:
    return [p | {"of": "E1"} | says for p in pings]


def test_an_escort_that_falls_silent_is_lost_though_the_vehicle_is_heard() -> None:
    """Its own episode, which names the journey; dated as a seal's, and over with its next ping."""
    story = [*drive(0, 1800, 30), *escort(*drive(0, 300, 30))]
    found = one(told(convoy(), story, now_s=1801), LOST)
    assert span(found) == (300, 900, None, None)
    assert (found.subject_kind, found.subject, found.seal, found.journey) == ("seal", "E1", "E1", "J-S1")
    assert (found.severity, found.regime) == ("high", "oversized")
    assert span(one(told(convoy(), [*story, *escort(ping(1500, 22_500))], now_s=1801), LOST)) == (
        300,
        900,
        1500,
        1500,
    )
    assert not only(told(convoy(), [*story, *escort(*drive(330, 1800, 30))], now_s=1801), LOST)


def test_an_escort_that_is_never_heard_is_lost_from_the_arming_on() -> None:
    """And until the disarming, which ends it."""
    found = one(told(convoy(disarmed_s=1500), drive(0, 1500, 30), now_s=1600), LOST)
    assert (span(found), found.evidence["closed_by"]) == ((0, 600, 1500, 1500), "disarmed")


UNASKED = {
    "a trailer": convoy(devices=[{"id": "S1", "role": "seal"}, {"id": "E1", "role": "trailer"}]),
    "a tractor": convoy(devices=[{"id": "S1", "role": "seal"}, {"id": "E1", "role": "tractor"}], permit=None),
    "an escort without a permit": convoy(permit=None),
}


@pytest.mark.parametrize("who", UNASKED)
def test_a_tracker_that_no_permit_asks_for_may_be_silent_for_an_hour(who: str) -> None:
    """Parked, such trackers report seldom and do not say so. Beyond that, nobody can say any more whether the two are together."""
    made = UNASKED[who]
    made.journeys[0]["permit"] = {"number": "GP-1"} if who == "a trailer" else None
    story = [*drive(0, 6000, 30), *escort(*drive(0, 300, 30))]
    assert not [e for e in told(made, story, now_s=4200) if e.seal == "E1"]
    found = [e for e in told(made, story, now_s=4201) if e.seal == "E1"]
    assert [(e.type, e.severity, e.journey, span(e)) for e in found] == [
        (LOST, "medium", "J-S1", (300, 4200, None, None))
    ]
    back = told(made, [*story, *escort(ping(5000, 75_000))], now_s=6000)
    assert [span(e) for e in back if e.seal == "E1"] == [(300, 4200, 5000, 5000)]


def test_how_long_and_how_bad_its_silence_is_is_policy() -> None:
    """A floor of nothing makes it as any other's."""
    made = convoy(permit=None).policy(f"oversized.{LOST}", companion_floor_s=0, companion_severity="low")
    found = one(told(made, drive(0, 1800, 30), now_s=1801), LOST)
    assert (found.severity, span(found)) == ("low", (0, 600, None, None))


def test_whose_permit_asks_for_an_escort_goes_before_who_has_it_along() -> None:
    """Though that journey began first: its silence is the worse of the two."""
    made = convoy(permit=None)
    made.journeys += convoy("S2", armed_s=1000, disarmed_s=2000).journeys
    found = [e for e in told(made, drive(0, 30, 30), now_s=9001) if e.seal == "E1"]
    assert [(e.journey, e.severity, span(e)) for e in found] == [
        ("J-S1", "medium", (2000, 5900, None, None)),
        ("J-S2", "high", (1000, 1600, 2000, 2000)),
    ]


def test_an_escort_says_whether_it_knows_where_it_is_and_nothing_of_seals_and_ways() -> None:
    """No lock, no road, no stop; where it cannot be believed it hides no cargo."""
    blind = escort(*(ping(60 * i, lock="open", facts=["removed"]) for i in range(12)))
    lost = one(told(convoy(route=None), [*drive(0, 660, 30), *blind]), "GPS_LOST")
    assert (lost.subject, lost.journey) == ("E1", "J-S1")
    away = escort(*(ping(60 * i, 0, 90_000 * (i % 2), lock="open") for i in range(60)))
    found = [e for e in told(convoy(), [*drive(0, 3600, 30), *away]) if e.seal == "E1"]
    assert {(e.type, e.severity) for e in found} == {("POSITION_CONFLICT", "low")}


@pytest.mark.parametrize("second_from_s", [100, 3000])
def test_an_escort_of_two_vehicles_is_watched_once(second_from_s: float) -> None:
    """Of the journey that began first; of the other when that is over."""
    made = convoy(disarmed_s=2000)
    made.journeys += convoy("S2", armed_s=second_from_s, disarmed_s=9000).journeys
    found = only(told(made, [*drive(0, 30, 30)], now_s=9001), LOST)
    mine = [(e.journey, span(e)) for e in found if e.seal == "E1"]
    since = max(2000, second_from_s)
    assert mine == [("J-S1", (0, 600, 2000, 2000)), ("J-S2", (since, since + 600, 9000, 9000))]


def test_a_journey_that_ends_earlier_than_was_thought_leaves_its_escort_to_the_other() -> None:
    """A disarming recorded late; as if it had been known from the beginning."""
    made = convoy()
    made.journeys += convoy("S2", armed_s=100).journeys
    told_late = Service(Core(made.plan()))
    told_late.feed(batch(escort(ping(0, 0)), told_late.core.numbers))
    told_late.tick(5000)
    ended = convoy(disarmed_s=2000)
    ended.journeys += made.journeys[1:]
    told_late.learn(ended.plan().journeys, told_late.core.versions)
    told_late.tick(5000)
    known = Service(Core(ended.plan()))
    known.feed(batch(escort(ping(0, 0)), known.core.numbers))
    known.tick(5000)
    assert told_late.lines() == known.lines()
    lost = [e for e in known.core.episodes.values() if e.seal == "E1"]
    assert sorted(e.journey or "" for e in lost) == ["J-S1", "J-S2"]
