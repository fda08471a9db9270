"""ROUTE_DEVIATION: metres beyond the corridor gather as evidence; inside by a quarter of the half-width clears it.

The corridor lies along y = 0 with a half-width of 200 m. Without a claimed accuracy a fix is off from 210 m on; two
fixes inside 150 m clear.
"""

from __future__ import annotations

import pytest
from story import Ground, Ping, one, only, ping, span, told

from seal_tracker.model import Episode

RULE = "ROUTE_DEVIATION"


def ground(half_width_m: float = 200) -> Ground:
    made = Ground().route("R", (0, 0), (20_000, 0), half_width_m=half_width_m)
    return made.journey(route="R")


def off(*moments: tuple[float, float], **more: float) -> list[Ping]:
    """Fixes at (seconds, metres north of the road), driving east at 15 m/s."""
    return [ping(s, 15 * s, y, **more) for s, y in moments]


def test_three_fixes_raise_once_their_metre_seconds_suffice() -> None:
    """3,500 m·s with 3 fixes: at 300 m, 90 m beyond 210 count twice, so pairs of 10 s give 1,800: 3,600 at the third."""
    found = one(told(ground(), off((0, 0), (10, 300), (20, 300), (30, 300))), RULE)
    assert span(found) == (10, 30, None, None)
    assert (found.severity, found.journey, found.seal, found.object) == ("high", "J-S1", "S1", None)
    assert not found.inferred
    assert not found.latched


def test_three_fixes_do_not_raise_while_their_metre_seconds_do_not_suffice() -> None:
    """At 294 m the pairs give 1,680 m·s each: 3,360 at the third, 5,040 at the fourth."""
    story = off((0, 0), (10, 294), (20, 294), (30, 294))
    assert not told(ground(), story)
    assert span(one(told(ground(), [*story, *off((40, 294))]), RULE)) == (10, 40, None, None)


@pytest.mark.parametrize(("y_m", "each_s"), [(65, 30 / 2), (165, 130), (365, 330 * 2), (600, 565 * 2)])
def test_a_metre_counts_the_more_the_farther_the_road_is(y_m: float, each_s: float) -> None:
    """Half at 50 m from the road, once at 100 m, twice from 200 m on: midway between the limit, here 35 m, and the fix."""
    story = off((0, 0), *((s, y_m) for s in range(30, 301, 9)))
    evidence = one(told(ground(25), story), RULE).evidence
    seconds = 9 * (evidence["n_fixes"] - 1)
    assert evidence["excess_m_s"] == pytest.approx(each_s * seconds, rel=5e-3)
    assert evidence["excess_m_s"] - each_s * 9 < 3500 or evidence["n_fixes"] == 3


@pytest.mark.parametrize(("half_width_m", "needed_s"), [(89, 170), (90, 90), (189, 60), (190, 90)])
def test_beyond_a_limit_of_100_to_200_m_every_second_counts_20_m_more(
    half_width_m: float, needed_s: float
) -> None:
    """20 m beyond a limit of 99, 100, 199 and 200 m count 21.9, 42.1, 60.1 and 40.1 a second; a fix comes every 10 s."""
    story = off((0, 0), *((10.0 * i, half_width_m + 30.05) for i in range(1, 40)))
    assert span(one(told(ground(half_width_m), story), RULE))[:2] == (10, 10 + needed_s)


def test_a_little_off_a_narrow_road_is_noise_for_minutes() -> None:
    """45 m from the road, 10 m beyond: as much as reception errs for a while. It takes a quarter of an hour to be sure."""
    assert not told(ground(25), off(*((s, 45) for s in range(0, 880, 10))))
    assert told(ground(25), off(*((s, 45) for s in range(0, 890, 10))))


def test_two_fixes_do_not_raise_however_far_they_are() -> None:
    """Two fixes 19.9 s apart, 2 km off, have 71,000 m·s and are still one too few."""
    assert not told(ground(), off((0, 0), (60, 2000), (79.9, 2000)))


def test_two_fixes_twenty_seconds_apart_raise() -> None:
    """What throws single fixes off does not last that long, so a truck that reports seldom needs no third."""
    assert span(one(told(ground(), off((0, 0), (60, 2000), (80, 2000))), RULE)) == (60, 80, None, None)


def test_twenty_seconds_stand_for_each_fix_that_a_policy_asks_for() -> None:
    """With ``raise_fixes = 5`` three fixes over 60 s do, and three over 59.9 s do not."""
    made = ground().policy(f"default.{RULE}", raise_fixes=5)
    assert not told(made, off((0, 0), (60, 600), (100, 600), (119.9, 600)))
    story = off((0, 0), (60, 600), (100, 600), (120, 600))
    assert span(one(told(made, story), RULE)) == (60, 120, None, None)


def test_a_pair_counts_no_more_than_a_minute() -> None:
    """Ten minutes at 239 m, 29 m beyond, are 3,480 m·s, not 34,800; at 240 m they are 3,600."""
    assert not told(ground(), off((0, 0), (60, 239), (660, 239)))
    assert span(one(told(ground(), off((0, 0), (60, 240), (660, 240))), RULE)) == (60, 660, None, None)


def test_a_fix_inside_the_limit_empties_the_evidence() -> None:
    """A false fix starts the run anew: 1,800 m·s before it and 1,800 after it are not 3,600."""
    story = off((0, 0), (10, 300), (20, 300), (30, 209), (40, 300), (50, 300))
    assert not told(ground(), story)
    assert span(one(told(ground(), [*story, *off((60, 300))]), RULE)) == (40, 60, None, None)


def test_a_ping_without_a_fix_neither_adds_nor_breaks() -> None:
    """Invalid fixes are not seen by the run: the pair spans them."""
    story = [*off((0, 0), (10, 410)), ping(15), *off((20, 410)), ping(25), *off((30, 410))]
    found = one(told(ground(), story), RULE)
    assert span(found) == (10, 30, None, None)
    assert found.evidence["n_fixes"] == 3


def test_the_first_fix_of_a_journey_counts() -> None:
    """True at the first fix counts: a journey that is armed off its road deviates from its first fix on."""
    assert span(one(told(ground(), off((0, 800), (30, 800))), RULE)) == (0, 30, None, None)


@pytest.mark.parametrize(
    ("accuracy_m", "y_m", "raised"),
    [
        (5, 268, True),
        (5, 267, False),
        (30, 293, True),
        (30, 292, False),
        (90, 293, True),
        (90, 292, False),
        (None, 273, True),
        (None, 272, False),
    ],
)
def test_a_claimed_accuracy_widens_the_limit_up_to_30_m(
    accuracy_m: float | None, y_m: float, *, raised: bool
) -> None:
    """min(accuracy, 30 m), unknown is 10 m: with two pairs of 14 s a fix must lie 62.5 m beyond the limit."""
    more = {} if accuracy_m is None else {"accuracy_m": accuracy_m}
    story = [*off((0, 0)), *off((14, y_m), (28, y_m), (42, y_m), **more)]
    assert bool(told(ground(), story)) == raised


def test_a_fix_that_claims_to_be_poor_says_nothing_until_it_is_three_claims_off() -> None:
    """Worse than 100 m: with 160 m and a half-width of 200 m it must be 680 m off; nearer it neither adds, breaks nor clears."""
    poor = {"accuracy_m": 160}
    assert not told(ground(), off(*((30 * i, 670) for i in range(20)), **poor))
    assert span(one(told(ground(), off((0, 900), (30, 900), **poor)), RULE))[:2] == (0, 30)
    good = off((0, 0), (30, 250), (60, 250), (90, 250))
    without = one(told(ground(), good), RULE)
    between = one(told(ground(), [*good, *off((45, 600), (75, 0), (120, 0), (150, 0), **poor)]), RULE)
    assert span(between) == span(without) == (30, 90, None, None)
    made = ground().policy(f"default.{RULE}", accuracy_limit_m=160)
    assert span(one(told(made, off((0, 670), (30, 670), **poor)), RULE))[:2] == (0, 30)


def test_two_fixes_inside_by_a_quarter_clear() -> None:
    """It ends with the first of two fixes inside 150 m, and is cleared by the second."""
    story = off((0, 0), (30, 600), (60, 600), (90, 600), (120, 149), (150, 100))
    assert span(one(told(ground(), story), RULE)) == (30, 60, 120, 150)


def test_one_fix_inside_does_not_clear() -> None:
    """The second must follow the first: a fix between 150 m and the limit breaks the run that clears."""
    story = off((0, 0), (30, 600), (60, 600), (90, 600), (120, 149), (150, 155), (180, 149), (210, 205))
    assert span(one(told(ground(), story), RULE)) == (30, 60, None, None)


def test_evidence_shows_what_was_measured_and_by_which_limit() -> None:
    """The greatest distance so far, the limit at the completing fix, chainage, evidence, first and last fix."""
    story = off((0, 0), (30, 600), (39, 700), (48, 650), accuracy_m=8)
    evidence = one(told(ground(), story), RULE).evidence
    assert evidence["cross_track_m"] == pytest.approx(700, rel=1e-3)
    assert (evidence["limit_m"], evidence["half_width_m"], evidence["n_fixes"]) == (208, 200, 3)
    assert evidence["chainage_m"] == pytest.approx(720, rel=1e-3)
    assert evidence["excess_m_s"] == pytest.approx(9 * (392 + 492) + 9 * (492 + 442), rel=2e-3)
    first, last = evidence["fixes"]
    assert (first["time"], last["time"]) == (story[1]["time"], story[3]["time"])
    assert (last["lon"], last["lat"], last["accuracy_m"]) == (story[3]["lon"], story[3]["lat"], 8)


def test_the_peak_is_told_anew_when_it_doubles() -> None:
    """`updated` only when the peak doubles: 700 m told at 700, not at 1,300, again at 1,500."""
    raising = off((0, 0), (30, 700), (60, 700), (90, 700))
    assert _peak(told(ground(), [*raising, *off((180, 1300))])) == pytest.approx(700, rel=1e-3)
    assert _peak(told(ground(), [*raising, *off((180, 1300), (240, 1500), (300, 1600))])) == pytest.approx(
        1500, rel=1e-3
    )


def test_a_closed_episode_shows_its_whole_peak() -> None:
    """What is over shows the greatest distance, whether it had doubled or not."""
    story = off((0, 0), (30, 700), (60, 700), (90, 700), (180, 1300), (270, 140), (280, 140))
    found = one(told(ground(), story), RULE)
    assert span(found) == (30, 60, 270, 280)
    assert _peak([found]) == pytest.approx(1300, rel=1e-3)


def test_a_second_deviation_has_a_peak_of_its_own() -> None:
    """An episode knows nothing of the one before."""
    story = off((0, 0), (90, 1500), (180, 1500), (270, 1500), (360, 0), (370, 0))
    story += off((400, 300), (430, 300), (460, 300), (490, 0), (520, 0))
    peaks = [e.evidence["cross_track_m"] for e in only(told(ground(), story), RULE)]
    assert peaks == [pytest.approx(1500, rel=1e-3), pytest.approx(300, rel=1e-3)]


def test_each_leg_has_its_own_half_width() -> None:
    """The half-width is that of the leg nearest to the fix: 150 m off is inside the first leg, outside the second."""
    made = Ground().route("R", (0, 0), (3000, 0), (20_000, 0), half_width_m=200).journey(route="R")
    made.routes[0]["properties"]["half_width_m"] = [200, 50]
    story = off(*((s, 150) for s in range(0, 301, 30)))
    found = one(told(made, story), RULE)
    assert span(found)[:2] == (
        210,
        270,
    )  # the first fix past 3,000 m; 90 m·30 s, weighed 1.05, twice are 5,670 m·s
    assert found.evidence["half_width_m"] == 50


@pytest.mark.parametrize(
    ("table", "severity"),
    [("default", "low"), ("transit", "medium"), ("route.R", "critical"), ("bonded", "high")],
)
def test_policy_may_set_its_severity(table: str, severity: str) -> None:
    """Default, regime of the journey, its route; another regime's table does not count."""
    made = ground().policy(f"{table}.{RULE}", severity="info" if table == "bonded" else severity)
    assert one(told(made, off((0, 600), (30, 600), (60, 600))), RULE).severity == severity


def test_policy_may_set_its_thresholds() -> None:
    """More evidence, a margin in metres, an accuracy assumed, a cap."""
    made = ground().policy(f"default.{RULE}", raise_excess_m_s=0, accuracy_unknown_m=100, accuracy_cap_m=50)
    made.policy(f"transit.{RULE}", clear_margin_m=10, clear_fixes=1, clear_s=0)
    story = off((0, 0), (30, 245), (60, 251), (90, 251), (120, 251), (150, 189))
    assert span(one(told(made, story), RULE)) == (60, 90, 150, 150)


def test_the_policy_says_how_long_a_run_stands_for_a_fix_that_is_missing() -> None:
    """`missing_fix_s`: a minute, so that two fixes 59 s apart wait for a third; with five asked, two do after three minutes."""
    made = ground().policy(f"default.{RULE}", missing_fix_s=60)
    assert not told(made, off((0, 2000), (59, 2000)))
    assert span(one(told(made, off((0, 2000), (60, 2000))), RULE)) == (0, 60, None, None)
    assert span(one(told(made, off((0, 2000), (30, 2000), (59, 2000))), RULE)) == (0, 59, None, None)
    five = ground().policy(f"default.{RULE}", missing_fix_s=60, raise_fixes=5)
    assert not told(five, off((0, 2000), (60, 2000), (120, 2000), (179, 2000)))
    for story in (off((0, 2000), (180, 2000)), off(*((45 * i, 2000) for i in range(5)))):
        assert span(one(told(five, story), RULE))[:2] == (0, 180)


def test_policy_may_ask_for_time_besides_evidence() -> None:
    """`raise_s`: the run must span it, whatever the evidence."""
    made = ground().policy(f"default.{RULE}", raise_s=120)
    found = one(told(made, off(*((s, 900) for s in range(0, 151, 30)))), RULE)
    assert span(found) == (0, 120, None, None)


def test_with_every_debounce_and_slack_set_to_nothing_it_is_the_half_width_alone() -> None:
    """One fix beyond the half-width raises, one within it clears: what a plain corridor test finds."""
    keys = (
        "raise_s",
        "raise_excess_m_s",
        "clear_s",
        "clear_margin_m",
        "accuracy_cap_m",
        "accuracy_unknown_m",
    )
    made = ground(100).policy(f"default.{RULE}", raise_fixes=1, clear_fixes=1, **dict.fromkeys(keys, 0))
    story = off((0, 99.9), (10, 100.1), (20, 99.9), (30, 150), (40, 300), (50, 100.1), (60, 99.9))
    assert [span(e) for e in told(made, story)] == [(10, 10, 20, 20), (30, 30, 60, 60)]


def test_a_policy_that_switches_it_off_ends_it() -> None:
    """What it has under way ends where that policy begins to hold."""
    later = ground().policy(f"default.{RULE}", enabled=False).plan(2)
    found = one(told(ground(), off(*((s, 900) for s in range(0, 300, 30))), later=[(100, later)]), RULE)
    assert span(found) == (0, 30, 100, 100)
    assert found.evidence["closed_by"] == "plan_changed"


def test_policy_may_switch_it_off() -> None:
    """`enabled = false` judges nothing."""
    made = ground().policy(f"route.R.{RULE}", enabled=False)
    assert not told(made, off((0, 900), (30, 900), (60, 900)))


def test_policy_may_latch_it() -> None:
    """A latched episode does not clear by coming back; disarming ends it."""
    made = ground().policy(f"default.{RULE}", latched=True)
    story = off((0, 900), (30, 900), (60, 900), (120, 0), (150, 0), (180, 0))
    found = one(told(made, story), RULE)
    assert (span(found), found.latched) == ((0, 30, None, None), True)


def test_disarming_closes_it() -> None:
    """At its end a journey's episodes end with it, saying so."""
    made = Ground().route("R", (0, 0), (20_000, 0)).journey(route="R", disarmed_s=200)
    found = one(told(made, off((0, 900), (30, 900), (60, 900), (250, 900))), RULE)
    assert span(found) == (0, 30, 200, 200)
    assert found.evidence["closed_by"] == "disarmed"


def test_a_run_does_not_survive_arming() -> None:
    """Runs start empty at arming: fixes before it are no evidence."""
    made = Ground().route("R", (0, 0), (20_000, 0)).journey(route="R", armed_s=75)
    assert not told(made, off((0, 600), (30, 600), (60, 600), (90, 600)))


def test_without_a_route_there_is_no_deviation() -> None:
    """A journey without a route, or none at all, has nothing to deviate from."""
    story = off((0, 5000), (30, 5000), (60, 5000), (90, 5000))
    assert not told(Ground().route("R", (0, 0), (20_000, 0)).journey(), story)
    assert not told(Ground().route("R", (0, 0), (20_000, 0)), story)


def _peak(episodes: list[Episode]) -> float:
    return float(one(episodes, RULE).evidence["cross_track_m"])
