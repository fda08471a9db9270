"""SEAL_OPENED_OUTSIDE_ZONE, UNLOCK_REFUSED and UNLOCKED_TOO_LONG: unlocking out of place, refused, or unended."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from story import Core, Ground, Ping, iso, one, only, ping, span, told

from seal_tracker.journey import Authorisation, Journey
from seal_tracker.model import Episode
from seal_tracker.rules.leave import ANYWHERE, NOWHERE, Authorisations

OUTSIDE, REFUSED, TOO_LONG = "SEAL_OPENED_OUTSIDE_ZONE", "UNLOCK_REFUSED", "UNLOCKED_TOO_LONG"


def leave(
    zone: str | None = None, from_s: float = 0, to_s: float = 100_000, by: str = "officer"
) -> dict[str, str]:
    """Leave to unlock, as a journey writes it."""
    one = {"from": iso(from_s), "to": iso(to_s), "by": by}
    return one if zone is None else one | {"zone": zone}


def yard(*leaves: dict[str, str], **more: Any) -> Ground:
    """Unlocking is allowed within 100 m of the origin (U), and at A, 1 km east, for those who are let."""
    made = Ground().zone("U", 0, 0, 100, "unlock_allowed").zone("A", 1000, 0, 100, "depot")
    return made.journey(authorisations=list(leaves or [leave()]), **more)


def opened(x_m: float, at_s: float = 60, **more: Any) -> list[Ping]:
    return [ping(0, x_m, lock="closed"), ping(at_s, x_m, lock="open", **more)]


def outside(ground: Ground, story: list[Ping], **more: Any) -> list[Episode]:
    return only(told(ground, story, **more), OUTSIDE)


def test_an_authorised_unlock_outside_every_unlock_zone_is_raised_at_once() -> None:
    """1 ping, critical, latched."""
    found = one(told(yard(), opened(101)), OUTSIDE)
    assert span(found) == (60, 60, None, None)
    assert (found.severity, found.latched, found.journey, found.object) == ("critical", True, "J-S1", None)


@pytest.mark.parametrize("x_m", [0, 99, -99])
def test_an_authorised_unlock_in_an_unlock_zone_is_in_order(x_m: float) -> None:
    """Leave that names no zone holds in any zone of kind unlock_allowed."""
    assert not outside(yard(), opened(x_m))


def test_leave_for_a_zone_holds_in_that_zone_alone() -> None:
    """A names its zone, whatever kind that is; an unlock zone elsewhere is then outside."""
    made = yard(leave("A"))
    assert not outside(made, opened(1000))
    assert outside(made, opened(0))
    assert outside(made, opened(1101))


def test_of_overlapping_leaves_any_that_allows_suffices() -> None:
    """Whichever is written first; one that is over does not count."""
    for leaves in ((leave(), leave("A")), (leave("A"), leave())):
        assert not outside(yard(*leaves), opened(0))
        assert not outside(yard(*leaves), opened(1000))
        assert outside(yard(*leaves), opened(500))
    assert outside(yard(leave(), leave("A", to_s=60)), opened(1000))


def test_without_leave_it_is_tamper_and_no_matter_of_place() -> None:
    """The two never say the same thing twice."""
    made = yard(leave(from_s=0, to_s=60))
    found = told(made, opened(500))
    assert only(found, "SEAL_TAMPER")
    assert not only(found, OUTSIDE)
    found = told(made, opened(500, at_s=59.999))
    assert only(found, OUTSIDE)
    assert not only(found, "SEAL_TAMPER")


@pytest.mark.parametrize("says", [{"lock": "closed"}, {"lock": "unknown"}, {"facts": ["unlock_ok"]}])
def test_a_seal_that_is_not_open_is_not_opened_outside(says: dict[str, Any]) -> None:
    """What the seal says of its unlocking (unlock_ok) is evidence at most."""
    assert not outside(yard(), [ping(0, 500, **says)])


def test_an_open_lock_without_a_fix_is_where_the_last_fix_was() -> None:
    """Not older than 600 s."""
    for age_s, expected in ((600, 1), (600.001, 0)):
        story = [ping(0, 500), ping(age_s, lock="open")]
        assert len(outside(yard(), story)) == expected
    assert not outside(yard(), [ping(0, 50), ping(600, lock="open")])


def test_a_place_that_is_not_known_is_neither_inside_nor_outside() -> None:
    """It raises nothing, and where policy lets it be cleared it clears nothing."""
    assert not outside(yard(), [ping(60, lock="open")])
    made = yard().policy(f"default.{OUTSIDE}", latched=False)
    story = [ping(0, 500, lock="open"), ping(1000, lock="open"), ping(1030, lock="unknown")]
    assert span(one(outside(made, story), OUTSIDE))[2:] == (None, None)
    assert span(one(outside(made, [*story, ping(1060, lock="closed")]), OUTSIDE))[2:] == (1060, 1060)
    assert span(one(outside(made, [*story, ping(1060, 0, lock="open")]), OUTSIDE))[2:] == (1060, 1060)


def test_a_fix_that_cannot_be_believed_yet_is_not_where_the_seal_is() -> None:
    """A held fix counts for what comes after it has been let in, not for its own ping."""
    jump = [ping(0, 0, lock="closed"), ping(30, 30_000, lock="open")]
    assert not outside(yard(), jump)
    found = one(outside(yard(), [*jump, ping(60, 30_100, lock="open")]), OUTSIDE)
    assert span(found)[:2] == (60, 60)


def test_a_zone_that_is_not_in_force_allows_nothing() -> None:
    """Validity is asked at the time of the ping."""
    made = Ground().zone("U", 0, 0, 100, "unlock_allowed", valid_to=iso(60)).journey(authorisations=[leave()])
    assert not outside(made, opened(0, at_s=59.999))
    assert outside(made, opened(0, at_s=60))


def test_leave_for_a_zone_that_the_plan_in_force_does_not_have_holds_nowhere() -> None:
    """A comes with a later version: until then, leave for it is no leave to open anywhere."""
    made, later = Ground().journey(), [(50.0, yard(leave("A")).plan(2))]
    assert outside(made, opened(1000, at_s=49), later=later)
    assert not outside(made, opened(1000, at_s=50), later=later)


def test_evidence_names_the_leave_and_the_place_judged_by() -> None:
    """Who allowed it, where, and the fix that says where the seal was."""
    story = [ping(0, 500), ping(60, lock="open")]
    evidence = one(told(yard(leave("A", by="B"), leave("A", by="A")), story), OUTSIDE).evidence
    place = {"time": iso(0), "lon": story[0]["lon"], "lat": story[0]["lat"]}
    assert evidence["place"] == place
    assert evidence["fixes"] == [place | {"time": iso(60), "fix_time": iso(0)}]
    assert (evidence["authorised_by"], evidence["authorised_zones"]) == (["A", "B"], ["A"])
    assert (evidence["lock"], evidence["n_fixes"]) == ("open", 1)


def test_an_opening_outside_stays_until_disarming() -> None:
    """Latched: being locked again, or taken inside, clears nothing."""
    story = [*opened(500), ping(90, 500, lock="closed"), ping(120, 0, lock="open")]
    assert span(one(told(yard(), story), OUTSIDE)) == (60, 60, None, None)
    found = one(told(yard(disarmed_s=200), story, now_s=300), OUTSIDE)
    assert (span(found), found.evidence["closed_by"]) == ((60, 60, 200, 200), "disarmed")


def test_policy_may_set_how_old_a_place_may_be_and_the_rest() -> None:
    """The nearest table wins."""
    made = yard().policy(f"default.{OUTSIDE}", place_age_s=10, severity="low")
    made.policy(f"transit.{OUTSIDE}", severity="high")
    story = [ping(0, 500), ping(11, lock="open")]
    assert not outside(made, story)
    assert one(outside(made, [*story, ping(20, 500, lock="open")]), OUTSIDE).severity == "high"
    assert not outside(yard().policy(f"default.{OUTSIDE}", enabled=False), opened(500))


def mineral(**more: Any) -> Ground:
    """A mine and a depot west, a port and a gate east; unlocking is allowed at all of them and at a stop between."""
    made = Ground()
    for name, x_m, kind in (
        ("M1", -9000, "mine"),
        ("D1", -6000, "depot"),
        ("stop", 0, "approved_stop"),
        ("P1", 6000, "port"),
        ("G1", 9000, "gate"),
    ):
        made.zone(name, x_m, 0, 100, [kind, "unlock_allowed"])
    return made.journey(regime="minerals", authorisations=[leave()], **more)


def test_minerals_are_opened_at_a_mine_a_depot_a_port_or_a_gate_only() -> None:
    """Loading or opening elsewhere is this event, even where others may unlock."""
    for x_m in (-9000, -6000, 6000, 9000):
        assert not outside(mineral(), opened(x_m))
    assert outside(mineral(), opened(0))
    transit = mineral()
    transit.journeys[0]["regime"] = "transit"
    assert not outside(transit, opened(0))


def test_minerals_whose_journey_names_its_ends_are_opened_there_only() -> None:
    """Another mine is no origin; an end that is not named may be any of its kind."""
    assert not outside(mineral(origin_zone="M1"), opened(-9000))
    assert outside(mineral(origin_zone="M1"), opened(-6000))
    assert not outside(mineral(origin_zone="M1"), opened(6000))
    both = mineral(origin_zone="M1", destination_zone="stop")
    assert not outside(both, opened(0))
    assert outside(both, opened(9000))


def test_minerals_need_leave_for_the_place_too() -> None:
    """A port for which nobody gave leave is outside."""
    made = mineral()
    made.journeys[0]["authorisations"] = [leave("P1")]
    assert not outside(made, opened(6000))
    assert outside(made, opened(9000))


def test_leave_is_looked_up_for_several_seals_at_once() -> None:
    """Each row has its own; one without any is never asked."""

    def given(*spans: tuple[int, int, str | None]) -> Journey:
        leaves = tuple(Authorisation(a, b, zone, "X") for a, b, zone in spans)
        return Journey("J", "S", (), None, "transit", 0, authorisations=leaves)

    journeys = {0: given((0, 10, None), (5, 20, "A")), 2: given((0, 10, "gone"))}
    found = Authorisations(np.array([True, False, True]), journeys.__getitem__, {"A": 7})
    row, time_ms = np.array([0, 0, 1, 2, 2, 0]), np.array([5, 10, 5, 9, 10, 20])
    moment, zone = found.covering(row, time_ms)
    assert (moment.tolist(), zone.tolist()) == ([0, 0, 1, 3], [ANYWHERE, 7, 7, NOWHERE])
    assert (found.until_ms(row, time_ms) > 0).tolist() == [True, True, False, True, False, False]
    assert [a.zone for a in found.at(0, 5)] == [None, "A"]
    assert found.at(1, 5) == []


@pytest.mark.parametrize("fact", ["illegal_card", "wrong_password", "unlock_refused"])
def test_a_refused_unlock_is_raised_at_once(fact: str) -> None:
    """Illegal card, wrong password, refused: 1 ping, high."""
    found = one(told(Ground().journey(), [ping(0, 0), ping(30, facts=[fact, "vibration"])]), REFUSED)
    assert span(found) == (30, 30, None, None)
    assert (found.severity, found.latched, found.journey) == ("high", False, "J-S1")
    assert (found.evidence["facts"], found.evidence["n_fixes"]) == ([fact], 1)


@pytest.mark.parametrize("fact", ["unlock_ok", "vibration", "cover_open", "motor_stuck"])
def test_other_facts_are_no_refusal(fact: str) -> None:
    """An unlock that went well is none."""
    assert not only(told(Ground().journey(), [ping(0, 0, facts=[fact])]), REFUSED)


def quiet(*moments: float) -> list[Ping]:
    return [ping(0, 0, facts=["illegal_card"]), *(ping(s, 0) for s in moments)]


def test_thirty_minutes_of_quiet_clear_a_refusal() -> None:
    """Counted from the first ping that says nothing of it; another refusal begins the quiet anew."""
    made = Ground().journey()
    assert span(one(told(made, quiet(30, 900, 1829.999)), REFUSED)) == (0, 0, None, None)
    assert span(one(told(made, quiet(30, 900, 1830)), REFUSED)) == (0, 0, 30, 1830)
    again = [*quiet(30), ping(1000, 0, facts=["wrong_password"]), *(ping(s, 0) for s in (1100, 2899, 2900))]
    assert span(one(told(made, again), REFUSED)) == (0, 0, 1100, 2900)


def test_policy_may_set_the_quiet_after_a_refusal() -> None:
    """Its length, how many refusals, how bad."""
    made = Ground().journey().policy(f"transit.{REFUSED}", clear_s=60, raise_fixes=2, severity="medium")
    story = [*quiet(), ping(30, 0, facts=["illegal_card"]), ping(60, 0), ping(120, 0)]
    found = one(told(made, story), REFUSED)
    assert (span(found), found.severity) == ((0, 30, 60, 120), "medium")
    assert not only(told(made, quiet(30, 60)), REFUSED)


def unlocked(*moments: float, **more: Any) -> list[Ping]:
    return [ping(s, 0, lock="open", **more) for s in moments]


def too_long(ground: Ground, story: list[Ping]) -> list[Episode]:
    return only(told(ground, story), TOO_LONG)


def test_two_hours_open_and_armed_are_too_long() -> None:
    """From the first open ping; 120 min, high."""
    assert not too_long(yard(), unlocked(100, 3600, 7299.999))
    found = one(told(yard(), unlocked(100, 3600, 7300)), TOO_LONG)
    assert span(found) == (100, 7300, None, None)
    assert (found.severity, found.journey) == ("high", "J-S1")
    assert (found.evidence["unlocked_s"], found.evidence["limit_s"]) == (7200, 7200)
    assert (found.evidence["lock"], found.evidence["n_fixes"]) == ("open", 3)


def test_locking_in_between_begins_anew() -> None:
    """A lock that is not known, or cut, neither adds nor breaks."""
    story = [*unlocked(0), ping(3600, 0, lock="closed"), *unlocked(3700, 7300)]
    assert not too_long(yard(), story)
    story = [*unlocked(0), ping(3600, 0, lock="unknown"), ping(3700, 0, lock="cut"), *unlocked(7200)]
    assert span(one(told(yard(), story), TOO_LONG)) == (0, 7200, None, None)


def test_locking_clears_it() -> None:
    """1 ping; an unknown lock does not."""
    story = [*unlocked(0, 7200), ping(7300, 0, lock="unknown"), ping(7400, 0, lock="closed")]
    assert span(one(told(yard(), story), TOO_LONG)) == (0, 7200, 7400, 7400)


def test_time_open_before_arming_does_not_count() -> None:
    """Unlocked and armed: runs start empty at arming."""
    assert not too_long(yard(armed_s=100), unlocked(0, 100, 7200))
    assert span(one(told(yard(armed_s=100), unlocked(0, 100, 7300)), TOO_LONG)) == (100, 7300, None, None)


def test_unlocked_without_leave_is_too_long_all_the_same() -> None:
    """What is open is open."""
    assert {TOO_LONG, "SEAL_TAMPER"} <= {e.type for e in told(Ground().journey(), unlocked(0, 7200))}


def test_a_seal_that_falls_silent_unlocked_is_too_long_by_time_alone() -> None:
    """Two hours after it was opened, once it is unheard of for 65 min; what it says then ends it, or finds it told."""
    silent = unlocked(100, 1800)
    assert not only(told(yard(), silent, now_s=7300), TOO_LONG)
    found = one(told(yard(), silent, now_s=7300.001), TOO_LONG)
    assert span(found) == (100, 7300, None, None)
    assert (found.severity, found.evidence["unlocked_s"], found.evidence["n_fixes"]) == ("high", 7200, 2)
    assert [f["time"] for f in found.evidence["fixes"]] == [iso(100), iso(1800)]
    assert found.evidence["last_ping"] == iso(1800)
    late = unlocked(100, 7200)
    assert not only(told(yard(), late, now_s=11_100), TOO_LONG)
    assert span(one(told(yard(), late, now_s=20_000), TOO_LONG)) == (100, 11_100, None, None)
    assert not only(told(yard(), [*late, ping(7260, 0, lock="closed")], now_s=20_000), TOO_LONG)


def test_time_and_the_ping_that_ends_a_silence_tell_the_same_of_a_lock() -> None:
    """Byte for byte: whoever comes first, and whatever the lock is then; as one that is never heard again until disarming."""
    for lock, expected in (("closed", (0, 7200, 9000, 9000)), ("open", (0, 7200, None, None))):
        story = [*unlocked(0, 600), ping(9000, 0, lock=lock)]
        by_ping, by_time = Core(yard().plan()), Core(yard().plan())
        by_ping.tell(story)
        by_time.tell(story[:2])
        for now_s in (1300, 4600, 7201, 8000):
            by_time.pass_time(now_s)
        assert only(by_time.episodes.values(), TOO_LONG)
        by_time.tell(story[2:])
        assert by_time.lines() == by_ping.lines()
        assert span(one(by_ping.episodes.values(), TOO_LONG)) == expected
    ended = one(told(yard(disarmed_s=8000), unlocked(0, 600), now_s=9000), TOO_LONG)
    assert span(ended) == (0, 7200, 8000, 8000)
    assert not only(told(yard(disarmed_s=7000), unlocked(0, 600), now_s=9000), TOO_LONG)


def test_policy_says_from_when_on_a_silent_lock_is_unheard_of() -> None:
    """``unheard_s``; and a rule that is switched off is raised by nobody."""
    made = yard().policy(f"default.{TOO_LONG}", raise_s=60, unheard_s=7200)
    assert span(one(told(made, unlocked(0, 30), now_s=10_000), TOO_LONG)) == (0, 7230, None, None)
    assert not only(
        told(yard().policy(f"default.{TOO_LONG}", enabled=False), unlocked(0), now_s=90_000), TOO_LONG
    )


def test_policy_may_set_how_long_is_too_long() -> None:
    """A regime may be stricter."""
    made = yard().policy(f"default.{TOO_LONG}", raise_s=600).policy(f"transit.{TOO_LONG}", raise_s=60)
    found = one(told(made, unlocked(0, 60)), TOO_LONG)
    assert (span(found)[1], found.evidence["limit_s"]) == (60, 60)
