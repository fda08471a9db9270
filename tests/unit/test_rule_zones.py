"""ZONE_ENTERED and PROHIBITED_ZONE at fixes: stays, margins, policy. Crossings have a file of their own.

Every zone is a square of 300 m half side around x = 3,000 m: its edges lie at 2,700 m and 3,300 m, and its radius
(that of a circle of equal area) is 338.5 m, so that a stay ends 33.9 m outside.
"""

from __future__ import annotations

from typing import Any

import pytest
from story import Ground, Ping, at, one, only, ping, span, told

STAY, PROHIBITED = "ZONE_ENTERED", "PROHIBITED_ZONE"


def ground(kind: str = "interest", **more: Any) -> Ground:
    return Ground().zone("Z", 3000, 0, 300, kind, **more).journey()


def test_a_stay_is_raised_by_two_fixes_over_half_a_minute() -> None:
    """2 fixes and 30 s inside; it began at the first of them."""
    found = one(told(ground(), [ping(0, 2500), ping(30, 2800), ping(50, 2850), ping(60, 2900)]), STAY)
    assert span(found) == (30, 60, None, None)
    assert (found.severity, found.object, found.journey, found.inferred) == ("info", "Z", "J-S1", False)


def test_a_stay_is_not_raised_by_one_fix_or_a_short_run() -> None:
    """One fix inside is none, nor are two within 29 s; a fix outside starts the run anew."""
    assert not told(ground(), [ping(0, 2500), ping(30, 2800), ping(60, 3400)])
    assert not told(ground(), [ping(0, 2500), ping(30, 2800), ping(59, 2900)])
    assert not told(ground(), [ping(0, 2600), ping(20, 2800), ping(40, 2600), ping(60, 2800), ping(70, 2900)])


def test_the_boundary_belongs_to_the_zone() -> None:
    """A fix on the edge is inside."""
    west = Ground().zone("Z", 3000, 0, 300, "interest").zones[0]["geometry"]["coordinates"][0][0]
    edge = [ping(s, 0) | {"lon": west[0], "lat": 20.0} for s in (0, 30)]
    assert span(one(told(ground(), edge), STAY)) == (0, 30, None, None)


def test_a_stay_ends_with_the_first_of_two_fixes_beyond_the_margin() -> None:
    """Outside by max(20 m, 10 % of the radius), here 33.9 m: 3,333 m is still the stay, 3,335 m is not."""
    inside = [ping(0, 3000), ping(30, 3000)]
    assert span(one(told(ground(), [*inside, ping(60, 3335), ping(90, 3400)]), STAY)) == (0, 30, 60, 90)
    assert span(one(told(ground(), [*inside, ping(60, 3333), ping(90, 3400)]), STAY))[2:] == (None, None)


def test_a_small_zone_has_a_margin_of_20_m() -> None:
    """10 % of 56 m would be 6 m: GNSS noise at the edge."""
    made = Ground().zone("Z", 3000, 0, 50, "interest").journey()
    inside = [ping(0, 3000), ping(30, 3000)]
    assert span(one(told(made, [*inside, ping(60, 3071), ping(90, 3071)]), STAY)) == (0, 30, 60, 90)
    assert span(one(told(made, [*inside, ping(60, 3069), ping(90, 3069)]), STAY))[2:] == (None, None)


def test_a_fix_in_the_margin_breaks_the_run_that_clears() -> None:
    """Two consecutive fixes outside: one in the margin between them starts over."""
    story = [ping(0, 3000), ping(30, 3000), ping(60, 3400), ping(90, 3310), ping(120, 3400)]
    assert span(one(told(ground(), story), STAY))[2:] == (None, None)
    assert span(one(told(ground(), [*story, ping(150, 3400)]), STAY)) == (0, 30, 120, 150)


def test_the_first_fix_of_a_journey_counts() -> None:
    """A journey armed inside is in the zone from its first fix; what was before arming is not seen."""
    made = Ground().zone("Z", 3000, 0, 300, "interest").journey(armed_s=45)
    story = [ping(s, 3000) for s in (0, 30, 60, 90)]
    assert span(one(told(made, story), STAY)) == (60, 90, None, None)


def test_coming_back_is_a_second_stay() -> None:
    """One episode a stay."""
    xs = [3000, 3000, 3500, 3600, 3000, 3000, 3500, 3600]
    found = only(told(ground(), [ping(30 * i, x) for i, x in enumerate(xs)]), STAY)
    assert [span(e) for e in found] == [(0, 30, 60, 90), (120, 150, 180, 210)]


def test_zones_are_watched_each_by_itself() -> None:
    """Overlapping zones give an episode each, in the order of their names."""
    made = ground().zone("Y", 3100, 0, 300, "interest")
    found = only(told(made, [ping(0, 2750), ping(30, 2900), ping(60, 2950), ping(90, 3320)]), STAY)
    assert [(e.object, span(e)[:2]) for e in found] == [("Y", (30, 60)), ("Z", (0, 30))]


def test_evidence_names_the_zone_and_the_run() -> None:
    """The zone, its reason, how many fixes, the first and the last of them."""
    made = Ground().zone("Z", 3000, 0, 300, "interest", reason="the old yard").journey()
    story = [ping(0, 2900, accuracy_m=7), ping(30, 2950, accuracy_m=9)]
    evidence = one(told(made, story), STAY).evidence
    assert (evidence["zone"], evidence["reason"], evidence["n_fixes"]) == ("Z", "the old yard", 2)
    assert [f["time"] for f in evidence["fixes"]] == [p["time"] for p in story]
    assert evidence["fixes"][1]["accuracy_m"] == 9


def test_a_prohibited_zone_is_raised_by_one_accepted_fix() -> None:
    """1 accepted fix; cleared by 2 outside, with no margin."""
    found = one(
        told(ground("prohibited"), [ping(0, 2600), ping(30, 2710), ping(60, 2690), ping(90, 2600)]),
        PROHIBITED,
    )
    assert span(found) == (30, 30, 60, 90)
    assert (found.severity, found.object, found.evidence["n_fixes"]) == ("critical", "Z", 1)
    assert len(found.evidence["fixes"]) == 1


def test_one_fix_outside_does_not_end_a_prohibited_stay() -> None:
    """Outside 2 fixes."""
    found = one(
        told(ground("prohibited"), [ping(0, 2710), ping(30, 2690), ping(60, 2710), ping(90, 2690)]),
        PROHIBITED,
    )
    assert span(found) == (0, 0, None, None)


def test_noise_at_the_fence_of_a_prohibited_zone_is_one_episode() -> None:
    """Standing, 2 or 3 fixes outside now and then: a stay of which the fence is in the middle, not one each time."""
    at_the_fence = [ping(20 * i, 2700 + (4 if i % 5 < 2 else -6)) for i in range(100)]
    found = one(told(ground("prohibited"), at_the_fence), PROHIBITED)
    assert span(found) == (0, 0, None, None)
    said = [one_ping | {"speed_kmh": 0} for one_ping in at_the_fence]
    assert span(one(told(ground("prohibited"), said), PROHIBITED)) == (0, 0, None, None)


def stands(*places: tuple[float, float], **more: Any) -> list[Ping]:
    return [ping(s, x, **({"speed_kmh": 0} | more)) for s, x in places]


def test_who_stands_before_the_fence_of_a_prohibited_zone_is_not_inside_by_noise() -> None:
    """20 m inside by a fix that claims 25 m; for five minutes it would be no noise, nor would a fix 51 m inside."""
    outside, inside = [(30.0 * i, 2680.0) for i in range(5)], [(150 + 30.0 * i, 2720.0) for i in range(11)]
    noise = stands(
        *outside, *inside[:10], (450, 2680), *((480 + s, x) for s, x in inside[:10]), accuracy_m=25
    )
    assert not only(told(ground("prohibited"), noise), PROHIBITED)
    stays = one(told(ground("prohibited"), stands(*outside, *inside, accuracy_m=25)), PROHIBITED)
    assert span(stays) == (150, 450, None, None)
    deep = stands(*outside, *inside[:3], (240, 2751), accuracy_m=25)
    assert span(one(told(ground("prohibited"), deep), PROHIBITED)) == (150, 240, None, None)
    claims_nothing = stands(*outside, (150, 2720), (180, 2721))
    assert span(one(told(ground("prohibited"), claims_nothing), PROHIBITED))[:2] == (150, 180)


def test_who_comes_to_a_prohibited_zone_is_inside_by_one_fix_however_shallow() -> None:
    """He drives, or came faster than 10 km/h since the fix before; or nobody knows where he was before."""
    for story in (
        [*stands((0, 2690)), ping(30, 2701, speed_kmh=11, accuracy_m=25)],
        stands((0, 2600), (30, 2701), accuracy_m=25),
        stands((30, 2701), accuracy_m=25),
    ):
        assert span(one(told(ground("prohibited"), story), PROHIBITED))[:2] == (30, 30)
    for keys in ({"standing_raise_s": 0}, {"fence_m": 0}, {"moving_kmh": 0.5}):
        made = ground("prohibited").policy(f"zone.Z.{PROHIBITED}", **keys)
        story = [ping(0, 2690), ping(30, 2701, accuracy_m=25)]
        assert span(one(told(made, story), PROHIBITED))[:2] == (30, 30)


def test_a_fence_that_is_round_is_a_fence() -> None:
    """How deep inside a circle a fix lies."""
    made = ground("prohibited")
    made.zones[0]["geometry"] = {"type": "Point", "coordinates": at(3000, 0)}
    made.zones[0]["properties"]["radius_m"] = 300
    assert not only(told(made, stands((0, 2690), (30, 2720), accuracy_m=25)), PROHIBITED)
    assert only(told(made, stands((0, 2690), (30, 2751), accuracy_m=25)), PROHIBITED)


def test_who_stands_outside_for_five_minutes_has_left_a_prohibited_zone() -> None:
    """It ended at the first fix outside; a fix inside begins the five minutes anew."""
    outside = [ping(30 * i, 2690) for i in range(1, 11)]
    story = [ping(0, 2710), *outside]
    assert span(one(told(ground("prohibited"), story), PROHIBITED)) == (0, 0, None, None)
    story.append(ping(330, 2690))
    assert span(one(told(ground("prohibited"), story), PROHIBITED)) == (0, 0, 30, 330)
    again = [*story[:6], ping(160, 2705), *story[6:]]
    assert span(one(told(ground("prohibited"), again), PROHIBITED)) == (0, 0, None, None)


def test_who_drives_on_has_left_at_the_second_fix_outside_though_he_waited_there() -> None:
    """At 30 km/h, or faster than 10 by the distance; no sooner than two fixes."""
    waits = [ping(0, 2710), ping(30, 2690), ping(60, 2690, speed_kmh=3)]
    for drives in (ping(90, 2688, speed_kmh=30), ping(90, 2600)):
        assert span(one(told(ground("prohibited"), [*waits, drives]), PROHIBITED)) == (0, 0, 30, 90)
    assert span(one(told(ground("prohibited"), [waits[0], ping(30, 2600)]), PROHIBITED))[2] is None


def test_who_stands_clear_of_the_fence_has_left() -> None:
    """31 m outside, not 29; and wherever he stands once the zone is no longer in force."""
    for x, over in ((2669, (30, 60)), (2671, (None, None))):
        story = [ping(0, 2710), *(ping(s, x, speed_kmh=0) for s in (30, 60))]
        assert span(one(told(ground("prohibited"), story), PROHIBITED))[2:] == over


def test_the_policy_may_ask_for_two_fixes_outside_and_no_more() -> None:
    """``standing_clear_s`` 0, by zone; or ``moving_kmh`` 0.5."""
    story = [ping(0, 2710), ping(30, 2690), ping(60, 2680)]
    for keys in ({"standing_clear_s": 0}, {"moving_kmh": 0.5}, {"fence_m": 19}):
        made = ground("prohibited").policy(f"zone.Z.{PROHIBITED}", **keys)
        assert span(one(told(made, story), PROHIBITED)) == (0, 0, 30, 60)


def test_a_held_fix_raises_nothing_until_it_is_accepted() -> None:
    """A jump into a prohibited zone is held; the next fix near it lets it in, dated to its own time."""
    made = Ground().zone("Z", 30_000, 0, 300, "prohibited").journey()
    jump = [ping(0, 0), ping(30, 30_000)]
    assert not told(made, jump)
    assert not told(made, [*jump, ping(60, 500)])
    found = one(told(made, [*jump, ping(60, 30_100)]), PROHIBITED)
    assert span(found) == (30, 30, None, None)


def test_a_zone_of_no_kind_that_is_watched_raises_nothing() -> None:
    """Ports and bonded yards are landmarks of other rules."""
    story = [ping(30 * i, 3000) for i in range(5)]
    for kind in ("port", "bonded", "approved_stop", "unlock_allowed"):
        assert not told(ground(kind), story)


def test_a_zone_of_two_kinds_is_judged_by_both_rules() -> None:
    """Kinds are a list where there are several."""
    made = Ground().zone("Z", 3000, 0, 300, ["interest", "prohibited"]).journey()  # type: ignore[arg-type]
    assert [e.type for e in told(made, [ping(0, 3000), ping(30, 3000)])] == [PROHIBITED, STAY]


def test_disarming_ends_a_stay() -> None:
    """Episodes of a journey end with it."""
    made = Ground().zone("Z", 3000, 0, 300, "interest").journey(disarmed_s=100)
    found = one(told(made, [ping(0, 3000), ping(60, 3000), ping(120, 3000)]), STAY)
    assert (span(found), found.evidence["closed_by"]) == ((0, 60, 100, 100), "disarmed")


@pytest.mark.parametrize(
    ("tables", "severity"),
    [
        (["default"], "low"),
        (["default", "transit"], "medium"),
        (["default", "transit", "route.R"], "high"),
        (["route.R", "zone.Z", "default", "transit"], "critical"),
        (["zone.Y", "bonded"], "info"),
    ],
)
def test_the_nearest_policy_wins(tables: list[str], severity: str) -> None:
    """The zone's own over its route's, over its regime's, over the default, however they are written."""
    given = {"default": "low", "transit": "medium", "route.R": "high", "zone.Z": "critical"}
    made = ground().zone("Y", 9000, 0, 100, "interest").route("R", (0, 0), (9000, 0))
    made.journeys[0]["route"] = "R"
    for table in tables:
        made.policy(f"{table}.{STAY}", severity=given.get(table, "critical"))
    assert one(told(made, [ping(0, 3000), ping(30, 3000)]), STAY).severity == severity


def test_a_zone_may_set_its_own_thresholds() -> None:
    """Three fixes in zone Z, the usual two in zone Y that it overlaps; a margin of 200 m."""
    made = ground().zone("Y", 3000, 0, 300, "interest")
    made.policy(f"zone.Z.{STAY}", raise_fixes=3, raise_s=0, clear_margin_m=200, clear_fixes=1)
    story = [ping(30 * i, x) for i, x in enumerate((3000, 3000, 3000, 3499, 3499, 3501))]
    found = only(told(made, story), STAY)
    assert [(e.object, span(e)) for e in found] == [("Y", (0, 30, 90, 120)), ("Z", (0, 60, 150, 150))]


def test_a_zone_may_be_left_out_of_a_rule() -> None:
    """`enabled` is policy like any other: the zone's own table switches the rule off there, and nowhere else."""
    made = ground("prohibited").zone("Y", 3000, 0, 200, "prohibited")
    made.policy(f"zone.Z.{PROHIBITED}", enabled=False)
    assert [e.object for e in told(made, [ping(0, 3000), ping(30, 3000)])] == ["Y"]


def test_a_zone_may_be_judged_by_a_rule_that_is_off_elsewhere() -> None:
    """The nearest wins in both directions."""
    made = ground("prohibited").zone("Y", 3000, 0, 200, "prohibited")
    made.policy(f"default.{PROHIBITED}", enabled=False).policy(f"zone.Z.{PROHIBITED}", enabled=True)
    assert [e.object for e in told(made, [ping(0, 3000), ping(30, 3000)])] == ["Z"]


def test_a_latched_stay_ends_by_disarming_only() -> None:
    """`latched` is policy like any other."""
    made = ground("prohibited").policy(f"zone.Z.{PROHIBITED}", latched=True)
    found = one(told(made, [ping(0, 3000), ping(60, 4000), ping(120, 5000), ping(180, 6000)]), PROHIBITED)
    assert (span(found), found.latched) == ((0, 0, None, None), True)
