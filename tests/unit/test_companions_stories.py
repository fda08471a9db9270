"""Rules across devices, told as stories: several devices drive, each on a clock of its own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from story import T0_MS, Ground, Ping, batch, drive, iso, one, only, ping, span

from seal_tracker.backtest import run_backtest
from seal_tracker.companions.history import companion_episodes
from seal_tracker.companions.meetings import Compared, meet
from seal_tracker.companions.tracks import Track, Tracks
from seal_tracker.episodes_file import in_file_order
from seal_tracker.model import LIVE, NO_TIME, Episode
from seal_tracker.plans.model import Plan
from seal_tracker.sources.file import read_trace
from seal_tracker.tracking.epochs import Facts, JourneyTable, Version
from seal_tracker.tracking.terrains import terrain_of

DETACHMENT, CONVOY, SHARED = "DETACHMENT", "CONVOY_SEPARATION", "STRUCTURE_SHARED"

TRAILER = [{"id": "T1", "role": "trailer"}]
ESCORT = [{"id": "E1", "role": "escort"}]
ALONE = {"number": "P-1", "structures": [{"zone": "bridge", "alone": True}]}


def told(
    ground: Ground,
    pings: Sequence[Ping],
    now_s: float | None = None,
    later: Sequence[tuple[float, Plan]] = (),
) -> list[Episode]:
    """Episodes of the rules across devices, in the order of the episodes file."""
    plan = ground.plan()
    dated = [(NO_TIME, plan), *((T0_MS + round(s * 1000), p) for s, p in later)]
    journeys = dated[-1][1].journeys
    devices = {d for j in journeys for d, _ in j.devices} | {p.get("of", "S1") for p in pings}
    numbers = {name: i + 1 for i, name in enumerate(sorted(devices))}
    facts = Facts(
        LIVE,
        tuple(Version(at, p, terrain_of(p)) for at, p in dated),
        JourneyTable.build(journeys, numbers),
        {number: name for name, number in numbers.items()},
        None if now_s is None else T0_MS + round(now_s * 1000),
    )
    return in_file_order(companion_episodes(facts, batch(pings, numbers)).values())


def lorry(**more: Any) -> Ground:
    """A lorry S1 with its trailer T1."""
    return Ground().journey("S1", devices=TRAILER, **more)


def of(device: str, pings: Sequence[Ping]) -> list[Ping]:
    return [{**p, "of": device} for p in pings]


def stay(start_s: float, end_s: float, every_s: float, x_m: float) -> list[Ping]:
    """Pings of something that stands."""
    return [ping(t, x_m) for t in np.arange(start_s, end_s + 1, every_s).tolist()]


def test_a_trailer_left_behind_is_a_detachment_from_the_first_fix_too_far_away() -> None:
    """More than 300 m apart for 3 fixes and 120 s; the object is the other device, the subject the journey."""
    lead = [ping(30 * i, 10 * i) for i in range(10)] + [ping(300 + 30 * i, 500 + 400 * i) for i in range(8)]
    episodes = told(lorry(), [*lead, *of("T1", stay(0, 600, 30, 100))])
    found = one(episodes, DETACHMENT)
    assert (found.severity, found.subject, found.object, found.seal) == ("critical", "J-S1", "T1", "S1")
    assert span(found) == (300, 420, None, None)
    assert found.evidence["distance_m"] == pytest.approx(2000, rel=0.001)
    assert found.evidence["limit_m"] == 300
    assert found.evidence["n_fixes"] == 5
    assert [place["time"] for place in found.evidence["fixes"]] == [iso(300), iso(420)]
    assert found.evidence["other"]["seal"] == "T1"


@pytest.mark.parametrize(("apart_m", "raised"), [(299, False), (301, True)])
def test_three_hundred_metres_are_the_length_of_no_train(apart_m: float, *, raised: bool) -> None:
    """Up to the limit two devices travel as one."""
    pings = [*drive(0, 600, 30), *of("T1", [ping(30 * i, 15 * 30 * i - apart_m) for i in range(21)])]
    assert bool(told(lorry(), pings)) is raised


@pytest.mark.parametrize(("last_s", "raised"), [(390, False), (420, True)])
def test_two_minutes_apart_are_needed(last_s: float, *, raised: bool) -> None:
    """Many fixes in less than 120 s say no more than one."""
    lead = [*stay(0, 270, 30, 0), *stay(300, last_s, 30, 1000), *stay(last_s + 30, 900, 30, 0)]
    pings = [*lead, *of("T1", stay(0, 900, 30, 0))]
    assert bool(told(lorry(), pings)) is raised


def test_two_fixes_apart_are_not_enough_however_long_they_span() -> None:
    """Three are needed."""
    lead = [ping(0, 0), ping(150, 0), ping(300, 1000), ping(450, 1000), ping(600, 0)]
    assert told(lorry(), [*lead, *of("T1", [ping(150 * i, 0) for i in range(5)])]) == []


def test_a_detachment_ends_when_they_are_together_again_for_two_fixes() -> None:
    """Within 150 m, twice; between 150 m and 300 m says neither."""
    lead = [
        *stay(0, 270, 30, 0),
        *stay(300, 600, 30, 1000),
        *stay(630, 900, 30, 200),
        *stay(930, 1200, 30, 140),
    ]
    found = one(told(lorry(), [*lead, *of("T1", stay(0, 1200, 30, 0))]), DETACHMENT)
    assert span(found) == (300, 420, 930, 960)
    assert found.evidence["distance_m"] == pytest.approx(1000, rel=0.001)


def test_a_detachment_ends_with_its_journey() -> None:
    """Disarmed, the two devices are no longer one: it closes then, by now alone."""
    lead = [*stay(0, 270, 30, 0), *stay(300, 900, 30, 1000)]
    pings = [*lead, *of("T1", stay(0, 900, 30, 0))]
    ground = lorry(disarmed_s=700)
    assert span(one(told(ground, pings, now_s=699), DETACHMENT)) == (300, 420, None, None)
    found = one(told(ground, pings, now_s=700), DETACHMENT)
    assert span(found) == (300, 420, 700, 700)
    assert found.evidence["closed_by"] == "disarmed"


def test_what_was_apart_before_arming_counts_from_arming_on() -> None:
    """Runs start empty at arming, and the track before it says nothing."""
    pings = [*stay(0, 900, 30, 1000), *of("T1", stay(10, 910, 30, 0))]
    found = one(told(lorry(armed_s=300), pings), DETACHMENT)
    assert span(found)[0] == 310  # the trailer's first fix between two of the lead's


@pytest.mark.parametrize(("every_s", "raised"), [(300, True), (301, False)])
def test_devices_that_are_silent_for_long_are_not_detached(every_s: int, *, raised: bool) -> None:
    """Where one was is known only between two fixes at most 300 s apart; a silence is another rule's."""
    lead = [ping(100 + every_s * i, 2000) for i in range(6)]
    trailer = [ping(every_s * i, 0) for i in range(6)]
    assert bool(told(lorry(), [*lead, *of("T1", trailer)])) is raised
    wide = lorry().policy("default.DETACHMENT", max_gap_s=every_s)
    assert told(wide, [*lead, *of("T1", trailer)])


def test_a_trailer_that_was_never_heard_says_nothing() -> None:
    """Nor does one that fell silent for good: an instant is judged once both have passed it."""
    assert told(lorry(), drive(0, 3600, 30)) == []
    found = told(lorry(), [*drive(0, 3600, 30), *of("T1", stay(0, 100, 10, 0))])
    assert found == []


def test_fixes_that_the_track_refuses_detach_nothing() -> None:
    """A trailer has no journey of its own; its jumps are outliers all the same."""
    trailer = [ping(30 * i, 450 * i + (90_000 if i % 3 == 1 else 0)) for i in range(21)]
    assert told(lorry(), [*drive(0, 600, 30), *of("T1", trailer)]) == []


def test_the_seal_is_compared_with_each_other_device_but_not_with_escorts() -> None:
    """A container's seal and its truck: the one that stays behind is named."""
    ground = Ground().journey("S1", devices=[{"id": "K1", "role": "tractor"}, *TRAILER, *ESCORT])
    pings = [
        *drive(0, 600, 30), *of("K1", drive(0, 600, 30)), *of("T1", stay(0, 600, 30, 0)), *of("E1", stay(0, 600, 30, 0)),
    ]  # fmt: skip
    assert [(e.type, e.object) for e in told(ground, pings)] == [(CONVOY, "E1"), (DETACHMENT, "T1")]


def convoy(gap_m: float | None = None, **more: Any) -> Ground:
    """A heavy vehicle S1 with its escort E1."""
    permit: dict[str, Any] = {"number": "P-1"}
    if gap_m is not None:
        permit["escorts"] = [{"device": "E1", "gap_m": gap_m}]
    return Ground().journey("S1", devices=ESCORT, permit=permit, regime="oversized", **more)


def following(gap_m: float, until_s: float = 600) -> list[Ping]:
    """The vehicle drives, its escort a gap behind."""
    n = round(until_s / 30) + 1
    return [*drive(0, until_s, 30), *of("E1", [ping(30 * i, 450 * i - gap_m) for i in range(n)])]


@pytest.mark.parametrize(
    ("permitted_m", "gap_m", "raised"),
    [(None, 499, False), (None, 501, True), (200, 199, False), (200, 201, True), (900, 899, False)],
)
def test_an_escort_may_be_away_as_far_as_its_permit_says(
    permitted_m: float | None, gap_m: float, *, raised: bool
) -> None:
    """Where the permit is silent the policy's 500 m hold."""
    found = told(convoy(permitted_m), following(gap_m))
    assert [e.type for e in found] == ([CONVOY] if raised else [])
    if raised:
        assert (found[0].object, found[0].severity) == ("E1", "high")
        assert found[0].evidence["limit_m"] == (permitted_m or 500)


def test_a_convoy_is_whole_again_when_the_escort_has_closed_up_twice() -> None:
    """At the permitted gap it has closed up; one fix is not enough."""
    escort = [
        *stay(0, 270, 30, 0), *stay(300, 600, 30, 800), ping(630, 0), ping(660, 800), *stay(690, 900, 30, 0),
    ]  # fmt: skip
    found = one(told(convoy(300), [*stay(0, 900, 30, 0), *of("E1", escort)]), CONVOY)
    assert span(found) == (300, 420, 690, 720)


def bridge(**more: Any) -> Ground:
    """Two heavy vehicles S1 and S2, each of which must be alone on the bridge at x = 3000."""
    made = Ground().zone("bridge", 3000, 0, 200, "structure", **more)
    return made.journey("S1", permit=ALONE).journey("S2", permit=ALONE)


def crossing(
    seal: str, enter_s: float, leave_s: float, every_s: float = 20, until_s: float = 600
) -> list[Ping]:
    """A vehicle that waits before the bridge, stands on it, and waits behind it."""

    def x(t: float) -> float:
        return 2500 if t < enter_s else 3000 if t < leave_s else 3500

    return of(seal, [ping(t, x(t)) for t in np.arange(0, until_s + 1, every_s).tolist()])


def test_two_vehicles_on_a_bridge_at_once_are_told_to_both_journeys() -> None:
    """One episode each, the bridge its object, the other journey in its evidence."""
    episodes = told(bridge(), [*crossing("S1", 100, 300), *crossing("S2", 200, 400)])
    assert [(e.type, e.journey, e.object, span(e)) for e in episodes] == [
        (SHARED, "J-S1", "bridge", (200, 200, 300, 300)),
        (SHARED, "J-S2", "bridge", (200, 200, 300, 300)),
    ]
    assert [e.evidence["journeys"] for e in episodes] == [["J-S2"], ["J-S1"]]
    assert {e.severity for e in episodes} == {"high"}


def test_vehicles_that_follow_one_another_do_not_share_the_bridge() -> None:
    """The second comes on when the first is off it."""
    assert told(bridge(), [*crossing("S1", 100, 300), *crossing("S2", 300, 400)]) == []


@pytest.mark.parametrize(
    "permit", [None, {"number": "P"}, {"number": "P", "structures": [{"zone": "bridge"}]}]
)
def test_a_vehicle_that_need_not_be_alone_may_share_the_bridge(permit: dict[str, Any] | None) -> None:
    """Only both permits together forbid it."""
    ground = Ground().zone("bridge", 3000, 0, 200, "structure")
    ground.journey("S1", permit=ALONE).journey("S2", **({"permit": permit} if permit else {}))
    assert told(ground, [*crossing("S1", 100, 300), *crossing("S2", 200, 400)]) == []


def test_a_bridge_is_shared_between_the_fixes_of_one_of_them_too() -> None:
    """S2 reports before and behind the bridge only; at a fix of S1 on it, S2 must have been on it."""
    s2 = of("S2", [ping(0, 2000), ping(100, 2000), ping(300, 4000), ping(400, 4000)])
    found = told(bridge(), [*crossing("S1", 100, 400), *s2])
    assert {e.journey for e in found} == {"J-S1", "J-S2"}
    assert span(found[0]) == (180, 180, 240, 240)  # S2 at 2800 m and beyond 3200 m


def test_a_third_vehicle_on_the_bridge_makes_the_episode_longer_and_raises_no_other() -> None:
    """One episode a journey, naming all the others."""
    ground = bridge().journey("S3", permit=ALONE)
    pings = [*crossing("S1", 100, 500), *crossing("S2", 200, 300), *crossing("S3", 240, 400)]
    found = told(ground, pings)
    assert [(e.journey, span(e)) for e in found] == [
        ("J-S1", (200, 200, 400, 400)), ("J-S2", (200, 200, 300, 300)), ("J-S3", (240, 240, 400, 400)),
    ]  # fmt: skip
    assert [e.evidence["journeys"] for e in found] == [["J-S2", "J-S3"], ["J-S1", "J-S3"], ["J-S1", "J-S2"]]


def test_a_bridge_is_guarded_while_its_zone_is_in_force() -> None:
    """Before that nobody must be alone on it."""
    ground = bridge(valid_from=iso(240))
    found = told(ground, [*crossing("S1", 100, 300), *crossing("S2", 200, 400)])
    assert [span(e) for e in found] == [(240, 240, 300, 300)] * 2


@pytest.mark.parametrize("table", ["default", "transit", "route.R"])
def test_the_nearest_policy_sets_the_thresholds(table: str) -> None:
    """By default, by regime, by route."""
    ground = Ground().route("R", (0, 0), (50_000, 0)).journey("S1", route="R", devices=TRAILER)
    ground.policy(
        f"{table}.DETACHMENT", apart_m=100, together_m=50, raise_fixes=2, raise_s=30, severity="low"
    )
    pings = [*stay(0, 300, 30, 0), *of("T1", [*stay(0, 120, 30, 0), *stay(150, 300, 30, 101)])]
    found = one(told(ground, pings), DETACHMENT)
    assert (span(found), found.severity, found.evidence["limit_m"]) == ((150, 180, None, None), "low", 100)


def test_a_structures_own_policy_wins() -> None:
    """A zone's table is the nearest one."""
    ground = bridge().policy("default.STRUCTURE_SHARED", severity="low")
    ground.policy("zone.bridge.STRUCTURE_SHARED", severity="critical", raise_fixes=3)
    found = told(ground, [*crossing("S1", 100, 300), *crossing("S2", 200, 400)])
    assert [(e.severity, span(e)) for e in found] == [("critical", (200, 240, 300, 300))] * 2


def test_each_journey_has_a_shared_bridge_by_its_own_policy() -> None:
    """Switched off for one regime, the other's is told all the same."""
    ground = (
        Ground().zone("bridge", 3000, 0, 200, "structure").policy("bonded.STRUCTURE_SHARED", enabled=False)
    )
    ground.journey("S1", permit=ALONE).journey("S2", permit=ALONE, regime="bonded")
    found = told(ground, [*crossing("S1", 100, 300), *crossing("S2", 200, 400)])
    assert [e.journey for e in found] == ["J-S1"]


def test_a_later_policy_applies_from_its_time_on() -> None:
    """What a rule has under way when it is switched off ends there."""
    off = lorry().policy("default.DETACHMENT", enabled=False).plan(2)
    pings = [*stay(0, 900, 30, 1000), *of("T1", stay(0, 900, 30, 0))]
    found = one(told(lorry(), pings, later=[(500, off)]), DETACHMENT)
    assert span(found) == (0, 120, 500, 500)
    assert found.evidence["closed_by"] == "plan_changed"
    assert found.plan_version == 1


def test_a_latched_detachment_stays() -> None:
    """Together again it is still evidence: only the end of the journey ends it."""
    ground = lorry().policy("default.DETACHMENT", latched=True)
    lead = [*stay(0, 270, 30, 0), *stay(300, 600, 30, 1000), *stay(630, 1200, 30, 0)]
    found = one(told(ground, [*lead, *of("T1", stay(0, 1200, 30, 0))]), DETACHMENT)
    assert (span(found), found.latched) == ((300, 420, None, None), True)


def test_a_latched_detachment_ends_with_an_officers_reset_and_may_begin_again() -> None:
    """What is true after it is a new episode; a reset before it was raised, or of another device, is none of it."""
    resets = [
        {"at": iso(at), "rule": DETACHMENT, "object": device, "by": "an officer"}
        for at, device in ((100, "T1"), (500, "T1"), (450, "T9"))
    ]
    ground = lorry(resets=resets).policy("default.DETACHMENT", latched=True)
    apart = [*stay(0, 900, 30, 1000), *of("T1", stay(0, 900, 30, 0))]
    found = told(ground, apart)
    assert [span(e) for e in found] == [(0, 120, 500, 500), (510, 630, None, None)]
    assert found[0].evidence["closed_by"] == "reset"
    until_480 = [*stay(0, 480, 30, 1000), *of("T1", stay(0, 480, 30, 0))]
    assert [span(e) for e in told(ground, until_480, now_s=499)] == [(0, 120, None, None)]
    assert [span(e) for e in told(ground, until_480, now_s=500)] == [(0, 120, 500, 500)]


def test_a_back_test_of_recorded_files_tells_of_pairs_and_ends_them_by_its_now(tmp_path: Path) -> None:
    """The trailer's own file beside the lead's, in any order."""
    traces = []
    for device, pings in (("T1", stay(0, 900, 30, 0)), ("S1", stay(0, 900, 30, 1000))):
        rows = [f"{device},{p['time']},{p['lon']},{p['lat']}" for p in reversed(pings)]
        path = tmp_path / f"{device}.csv"
        path.write_text("\n".join(["seal,time,lon,lat", *rows]) + "\n")
        traces.append(read_trace(path))
    found = run_backtest(lorry(disarmed_s=1000).plan(), traces)
    assert span(one(found.episodes, DETACHMENT)) == (0, 120, None, None)
    assert [e.transition for e in found.events if e.episode.type == DETACHMENT] == ["raised"]
    found = run_backtest(lorry(disarmed_s=1000).plan(), traces, now_ms=T0_MS + 1_000_000)
    assert span(one(found.episodes, DETACHMENT)) == (0, 120, 1000, 1000)


def track(*fixes: tuple[int, int, int]) -> Track:
    return Track(*(np.array(column, np.int64) for column in zip(*fixes, strict=True)))


def met(lead: Track, other: Track, through_ms: int = NO_TIME + 1) -> list[tuple[int, ...]]:
    """(time, other's place, gap) of each meeting of two tracks."""
    zero, one_ = np.zeros(1, np.int64), np.ones(1, np.int64)
    compared = Compared(zero, one_, zero, zero + 10**12, np.maximum(zero + through_ms, zero - 1))
    found = meet(compared, Tracks.of([lead, other]))
    columns = (found.time_ms, found.other_lon_e7, found.other_lat_e7, found.gap_ms)
    return list(zip(*(c.tolist() for c in columns), strict=True))


def test_a_place_between_two_fixes_is_worked_out_in_whole_numbers() -> None:
    """Linear in time, to the nearest 1e-7 degree, halves upwards."""
    lead = track((1000, 0, 0), (1001, 0, 0), (1500, 0, 0), (2000, 0, 0))
    other = track((1000, 10, -10), (2000, 13, -13), (2001, 0, 0))
    assert met(lead, other) == [
        (1000, 10, -10, 0), (1001, 10, -10, 1000), (1500, 12, -11, 1000), (2000, 13, -13, 0),
    ]  # fmt: skip


def test_a_place_is_interpolated_the_short_way_across_the_antimeridian() -> None:
    """From 179.9999° E to 179.9999° W it is 0.0002°, not the way around the earth."""
    lead = track((0, 0, 0), (50, 0, 0), (100, 0, 0))
    other = track((0, 1_799_999_000, 0), (100, -1_799_999_000, 0))
    assert met(lead, other)[1] == (50, -1_800_000_000, 0, 100)


def test_an_instant_is_judged_once_both_tracks_have_passed_it_and_only_once() -> None:
    """Fixes of one device that the other has not reached wait; those judged before are left out."""
    lead, other = track((0, 0, 0), (100, 0, 0), (200, 0, 0)), track((50, 0, 0), (150, 0, 0))
    assert [m[0] for m in met(lead, other)] == [0, 50, 100, 150]
    assert [m[0] for m in met(lead, other, through_ms=100)] == [150]
    assert met(lead, Track.empty()) == []


def test_before_the_first_fix_of_a_device_nothing_is_known_of_it() -> None:
    """The gap says so."""
    lead, other = track((0, 0, 0), (100, 0, 0)), track((50, 0, 0), (150, 0, 0))
    assert met(lead, other)[0][3] > 10**9
    assert met(lead, other)[1][3] == 100


def test_two_fixes_of_one_moment_are_one_meeting() -> None:
    """They count once towards a run."""
    both = track((0, 0, 0), (30, 0, 0), (60, 0, 0))
    assert [m[0] for m in met(both, both)] == [0, 30, 60]


def test_a_journey_of_one_device_compares_nothing() -> None:
    """And costs nothing."""
    assert told(Ground().journey("S1"), drive(0, 600, 30)) == []


def test_several_detachments_of_one_journey_are_told_apart() -> None:
    """Each device has episodes of its own."""
    ground = Ground().journey("S1", devices=[*TRAILER, {"id": "T2", "role": "trailer"}])
    pings = [*drive(0, 600, 30), *of("T1", stay(0, 600, 30, 0)), *of("T2", stay(0, 600, 30, 0))]
    found = only(told(ground, pings), DETACHMENT)
    assert [e.object for e in found] == ["T1", "T2"]
    assert len({e.episode for e in found}) == 2
