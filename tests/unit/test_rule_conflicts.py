"""POSITION_CONFLICT and CLOCK_SKEW: a seal whose account of itself cannot be true."""

from __future__ import annotations

from typing import Any

import pytest
from story import Ground, Ping, iso, one, only, ping, span, told

from seal_tracker.model import Episode

POSITION, CLOCK = "POSITION_CONFLICT", "CLOCK_SKEW"

FAR_M = 50_000


def alone() -> Ground:
    """A seal that nobody has armed."""
    return Ground()


def conflicts(story: list[Ping], ground: Ground | None = None, **more: Any) -> list[Episode]:
    return only(told(ground or alone(), story, **more), POSITION)


def spans(story: list[Ping]) -> list[Any]:
    return [span(e) for e in conflicts(story)]


def thrown(*moments: float) -> list[Ping]:
    """A seal that stands and whose fixes at some moments are 50 km off; 30 s after each it says where it is."""
    return [p for s in moments for p in (ping(s, 0, FAR_M), ping(s + 30, 0))]


def clean(n: int, from_s: float) -> list[Ping]:
    return [ping(from_s + 30 * i, 0) for i in range(n)]


def test_a_seal_with_every_second_fix_thrown_off_is_raised_at_the_third() -> None:
    """A conflict is known, and dated, at the ping that decides it; the fix thrown off says nothing before."""
    story = [ping(0, 0), *thrown(30, 90, 150)]
    found = one(told(alone(), story), POSITION)
    assert span(found) == (60, 180, None, None)
    assert (found.severity, found.subject_kind, found.subject) == ("low", "seal", "S1")
    assert (found.journey, found.latched, found.object) == (None, False, None)
    assert not conflicts(story[:-1])


def test_a_clean_fix_between_breaks_the_run() -> None:
    """Consecutive conflicts count; a ping without a usable fix neither adds nor breaks."""
    assert not conflicts([ping(0, 0), *thrown(30, 90), ping(150, 0), *thrown(180)])
    story = [ping(0, 0), *thrown(30, 90), ping(150), ping(151, 0, valid=False), *thrown(180)]
    assert spans(story) == [(60, 210, None, None)]


def test_a_jump_that_is_believed_is_a_conflict_too() -> None:
    """A seal that seems to be now here, now there, two fixes each: two devices of one name."""
    story = [
        ping(60 * i + s, s, FAR_M * (i % 2)) for i in range(4) for s in (0, 30)
    ]  # jumps at 60, 120 and 180, each believed by the fix after it
    found = one(conflicts(story), POSITION)
    assert span(found) == (90, 210, None, None)
    assert found.evidence["reason"] == "jump"


def test_fixes_none_of_which_fits_the_others_are_conflicts() -> None:
    """Each refutes the one before and is held in its turn: it speaks of that, not of itself."""
    story = [ping(0, 0), *(ping(30 * i, 0, FAR_M * i * (-1) ** i) for i in range(1, 5))]
    assert spans(story) == [(60, 120, None, None)]


@pytest.mark.parametrize(("apart_m", "expected"), [(100.2, 1), (99.8, 0)])
def test_variants_of_a_moment_more_than_100_m_apart_are_a_conflict(apart_m: float, expected: int) -> None:
    """The slack of the track at no time at all; the fix taken is compared with the others."""
    story = [
        one_of for s in (0, 30, 60) for one_of in (ping(s, 0, satellites=9), ping(s, apart_m, satellites=5))
    ]
    found = conflicts(story)
    assert len(found) == expected
    if found:
        assert span(found[0]) == (0, 60, None, None)
        assert found[0].evidence["reason"] == "variants"
        assert found[0].evidence["distance_m"] == pytest.approx(apart_m, abs=0.1)


def test_variants_without_a_usable_fix_are_nowhere() -> None:
    """Not valid, or no position: there is nothing to be apart from."""
    story = [
        one_of for s in (0, 30, 60) for one_of in (ping(s, 0), ping(s, FAR_M, valid=False), ping(s, seq=1))
    ]
    assert not conflicts(story)


def test_ten_clean_pings_clear_a_conflict() -> None:
    """Nine do not; another conflict begins the count anew, a ping without a fix does not."""
    story = [ping(0, 0), *thrown(30, 90, 150)]
    assert spans([*story, *clean(9, 210)]) == [(60, 180, None, None)]
    assert spans([*story, *clean(5, 210), ping(355), *clean(5, 360)]) == [(60, 180, 210, 480)]
    again = [*story, *clean(9, 210), *thrown(480), *clean(10, 540)]
    assert spans(again) == [(60, 180, 540, 810)]


def test_a_fix_thrown_off_does_not_count_as_clean() -> None:
    """It is the eleventh ping that clears: the held one among them says nothing yet."""
    story = [ping(0, 0), *thrown(30, 90, 150), *clean(9, 210)]
    assert spans([*story, ping(480, 0, FAR_M)]) == [(60, 180, None, None)]


def test_a_conflict_of_an_armed_seal_is_worse() -> None:
    """Medium if the seal is armed where it is raised: it may hide the cargo."""
    story = [ping(0, 0), *thrown(30, 90, 150)]
    for armed_s, severity in ((0, "medium"), (180, "medium"), (180.001, "low")):
        assert one(conflicts(story, Ground().journey(armed_s=armed_s)), POSITION).severity == severity


def test_a_conflict_is_the_seals_and_survives_arming_and_disarming() -> None:
    """Its run goes on over both, and neither ends it."""
    made = Ground().journey(armed_s=75, disarmed_s=200)
    found = one(conflicts([ping(0, 0), *thrown(30, 90, 150)], made, now_s=300), POSITION)
    assert span(found) == (60, 180, None, None)
    assert (found.subject_kind, found.journey) == ("seal", None)


def test_evidence_shows_the_fix_thrown_off() -> None:
    """Where it was, how far from the track, and how fast the seal would have had to be."""
    story = [ping(0, 0), *thrown(30, 90, 150)]
    evidence = one(conflicts(story), POSITION).evidence
    assert evidence["reason"] == "outlier"
    assert evidence["thrown"] == {"time": iso(150), "lon": story[-2]["lon"], "lat": story[-2]["lat"]}
    assert evidence["distance_m"] == pytest.approx(FAR_M, rel=1e-3)
    assert evidence["speed_kmh"] == pytest.approx(FAR_M / 30 * 3.6, rel=1e-3)
    assert evidence["limit_kmh"] == 180
    first, last = evidence["fixes"]
    assert first == {key: story[2][key] for key in ("time", "lon", "lat")}
    assert last == {"time": iso(180), "lon": story[-1]["lon"], "lat": story[-1]["lat"]}
    assert evidence["n_fixes"] == 3


def test_policy_may_set_how_many_conflicts_count_and_how_bad_they_are() -> None:
    """The nearest table wins; both severities."""
    made = Ground().journey().policy(f"default.{POSITION}", raise_fixes=2, clear_fixes=2)
    made.policy(f"transit.{POSITION}", armed_severity="high")
    story = [ping(0, 0), *thrown(30, 90), *clean(2, 150)]
    found = one(conflicts(story, made), POSITION)
    assert (span(found), found.severity) == ((60, 120, 150, 180), "high")
    assert not conflicts(story, Ground().policy(f"default.{POSITION}", enabled=False, raise_fixes=1))


def skewed(*moments: float, by_s: float = 3600, **more: Any) -> list[Ping]:
    """Pings that come at some moments and claim to be of another."""
    return [ping(s + by_s, 0, received_s=s, **more) for s in moments]


def skews(story: list[Ping], ground: Ground | None = None) -> list[Episode]:
    return only(told(ground or alone(), story), CLOCK)


def test_three_pings_with_a_wrong_clock_are_a_clock_skew() -> None:
    """More than 5 min ahead of us; dated to when they came."""
    found = one(skews([ping(0, 0), *skewed(30, 60, 90)]), CLOCK)
    assert span(found) == (30, 90, None, None)
    assert (found.severity, found.subject_kind, found.subject, found.journey) == ("low", "seal", "S1", None)
    assert not skews([ping(0, 0), *skewed(30, 60)])
    assert not skews([*skewed(30, 60), ping(80, 0), *skewed(90)])


def test_five_minutes_ahead_or_a_year_behind_are_plausible() -> None:
    """The limits of the track; a buffered ping of last month is only late."""
    assert not skews(skewed(30, 60, 90, by_s=300))
    assert skews(skewed(30, 60, 90, by_s=300.001))
    assert not skews(skewed(30, 60, 90, by_s=-30 * 86_400))
    assert skews(skewed(30, 60, 90, by_s=-366 * 86_400))


def test_wrong_clocks_that_came_at_one_moment_are_one() -> None:
    """Rules count distinct times: a flushed buffer says it once."""
    flushed = [ping(9000 + i, i, received_s=30) for i in range(5)]
    assert not skews([ping(0, 0), *flushed])


def test_ten_pings_with_a_good_clock_clear_a_skew() -> None:
    """Nine do not; whether they have a fix does not matter."""
    story = skewed(0, 30, 60)
    good = [ping(90 + 30 * i, None if i % 2 else 0) for i in range(10)]
    assert [span(e) for e in skews([*story, *good[:9]])] == [(0, 60, None, None)]
    assert [span(e) for e in skews([*story, *good])] == [(0, 60, 90, 360)]


def test_a_skew_of_an_armed_seal_is_worse() -> None:
    """Medium where it hides an armed seal; policy may say otherwise."""
    assert one(skews(skewed(0, 30, 60), Ground().journey()), CLOCK).severity == "medium"
    made = Ground().journey().policy(f"default.{CLOCK}", armed_severity="critical", severity="info")
    assert one(skews(skewed(0, 30, 60), made), CLOCK).severity == "critical"
    of_nobody = Ground().policy(f"default.{CLOCK}", severity="info")
    assert one(skews(skewed(0, 30, 60), of_nobody), CLOCK).severity == "info"


def test_evidence_of_a_skew_says_what_the_clock_claimed() -> None:
    """And how far ahead of our receive time that is, negative where behind."""
    evidence = one(skews(skewed(0, 30, 60)), CLOCK).evidence
    assert (evidence["claimed"], evidence["skew_s"], evidence["n_fixes"]) == (iso(3660), 3600, 3)
    behind = one(skews(skewed(0, 30, 60, by_s=-400 * 86_400)), CLOCK).evidence
    assert behind["skew_s"] == -400 * 86_400
