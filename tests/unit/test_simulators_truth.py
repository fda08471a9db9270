"""What the truth says happened is really in the published pings, by the product's default limits worked out here anew.

And nothing else is: a seal to which nothing happens gives nobody a reason for an alarm.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import partial
from itertools import pairwise, takewhile

import numpy as np
import pytest
from sim_plan import crosses, features, inside, kinds, to_line
from sim_tracks import arrivals, between, deviation_evidence, gaps, longest_stop_s, seconds, tracks

from simulators.demo import DEMO_PLAN
from simulators.fleet import build_fleet
from simulators.pace import LAG_MS, Pace
from simulators.playback import deliveries

NOW_S = 1_795_000_000
LIVE_S = 900
"""A quarter of an hour of watching."""
ROUTES, ZONES = features("routes.geojson"), features("zones.geojson")
ALLOWED = [partial(inside, z) for z in ZONES.values() if "approved_stop" in kinds(z)]
DEVIATION_MS = 3500.0
"""Metres-seconds that raise a deviation."""
MEAN_KMH = 40.0
"""What the rest of a route is driven at, stops included, when an arrival is foreseen."""


class Shown:
    """A fleet of 200, what it published until a quarter of an hour after the start, and its truth."""

    def __init__(self) -> None:
        self.fleet = build_fleet(DEMO_PLAN, now_s=NOW_S, seals=200, seed=7)
        pace = Pace(started_ms=NOW_S * 1000, speed=8.0)
        played = takewhile(lambda d: d.after_s <= LIVE_S, deliveries(self.fleet, pace, "demo"))
        self.arrived = arrivals(played)
        self.tracks = tracks(self.arrived)
        self.truth = [line for x in self.fleet for line in x.truth()]
        self.route = {x.seal.id: ROUTES[x.journey["route"]] for x in self.fleet}

    def told(self, what: str, by_s: float = NOW_S + LIVE_S) -> list[tuple[dict, list]]:
        """Lines of the truth of one kind that were over in time, each with its seal's track during it."""
        lines = [t for t in self.truth if t["what"] == what and seconds(t["to"]) <= by_s]
        assert lines, what
        return [(t, between(self.tracks[t["seal"]], seconds(t["from"]), seconds(t["to"]))) for t in lines]


@pytest.fixture(scope="module")
def shown() -> Shown:
    return Shown()


def test_a_detour_is_beyond_the_corridor_for_minutes_and_one_to_three_kilometres_away(shown: Shown):
    """Each gathers ten times the evidence that raises a deviation, over 5 to 25 min."""
    for told, fixes in shown.told("detour"):
        route = shown.route[told["seal"]]
        line = [tuple(p) for p in route["geometry"]["coordinates"]]
        away = [to_line(line, f.point)[0] for f in fixes if f.valid]
        assert 1000 - 60 <= max(away) <= 3100, told
        assert 300 <= seconds(told["to"]) - seconds(told["from"]) <= 1500, told
        assert deviation_evidence(fixes, route) > 10 * DEVIATION_MS, told


def test_some_trucks_are_out_when_live_begins_and_some_leave_while_one_looks(shown: Shown):
    """The page shows deviations that are open, and new ones in the first minutes."""
    detours = [
        (seconds(t["from"]) - NOW_S, seconds(t["to"]) - NOW_S) for t in shown.truth if t["what"] == "detour"
    ]
    assert any(start < -LAG_MS / 1000 < end for start, end in detours)
    assert any(-LAG_MS / 1000 < start < 120 for start, _ in detours)


def test_a_trespass_has_fixes_inside_the_prohibited_zone(shown: Shown):
    """One accepted fix raises it; these stand there for minutes."""
    for told, fixes in shown.told("trespass"):
        assert sum(inside(ZONES[told["object"]], f.point) for f in fixes) >= 3, told
        assert "prohibited" in kinds(ZONES[told["object"]])


def test_a_dash_crosses_the_prohibited_zone_between_two_fixes(shown: Shown):
    """No fix of the whole track is inside, but the straight line between two neighbours goes through."""
    for told, _ in shown.told("dash"):
        zone = ZONES[told["object"]]
        track = [f for f in shown.tracks[told["seal"]] if f.valid]
        assert not any(inside(zone, f.point) for f in track), told
        crossing = [(a, b) for a, b in pairwise(track) if crosses(zone, a.point, b.point)]
        assert len(crossing) == 1, told
        assert crossing[0][1].at_s - crossing[0][0].at_s < 300


def test_a_stray_stop_lasts_over_twenty_minutes_outside_every_approved_stop(shown: Shown):
    """15 min within 100 m raise it."""
    for told, fixes in shown.told("stray_stop"):
        assert longest_stop_s(fixes, ALLOWED) >= 20 * 60, told


@pytest.mark.parametrize(
    ("what", "lock"), [("rope_cut", "cut"), ("opened", "open"), ("shell_opened", "closed")]
)
def test_a_tampered_seal_says_so_at_once(shown: Shown, what: str, lock: str):
    """A ping of that very second has the lock's state, or the fact."""
    for told, fixes in shown.told(what):
        assert fixes[0].at_s == seconds(told["from"])
        assert fixes[0].ping["lock"] == lock
        assert what == "opened" or what in fixes[0].ping["facts"]


def test_a_refused_card_is_told_once_by_a_closed_lock(shown: Shown):
    """It is an event of its own and no tampering."""
    for told, fixes in shown.told("refused"):
        assert told["expect"] == ["UNLOCK_REFUSED"]
        assert fixes[0].at_s == seconds(told["from"])
        assert (fixes[0].ping["lock"], fixes[0].ping["facts"]) == ("closed", ["illegal_card"])
        assert sum("illegal_card" in f.ping.get("facts", ()) for f in shown.tracks[told["seal"]]) == 1


def test_who_drives_as_usual_is_expected_in_time(shown: Shown):
    """From any fix of an ordinary journey the rest of the way, at what the product takes for the mean speed, ends before it is due."""
    for traveller in (x for x in shown.fleet if x.role == "ordinary"):
        due_s, drive = seconds(traveller.journey["due_at"]), traveller.seal.drive
        left_m = traveller.seal.road.length_m - np.maximum.accumulate(drive.chainage_m)
        expected_s = traveller.seal.start_ms / 1000 + drive.time_s + left_m / MEAN_KMH * 3.6
        assert expected_s.max() < due_s


def test_a_jammed_seal_talks_on_without_a_fix_and_says_so(shown: Shown):
    """Ten minutes and three pings of it lose the position; fixes return before a detour could hide."""
    for told, fixes in shown.told("jammed"):
        assert len(fixes) > 10
        assert fixes[-1].at_s - fixes[0].at_s > 600
        assert not any(f.valid for f in fixes)
        assert all("jamming" in f.ping["facts"] for f in fixes)
        track = [f for f in shown.tracks[told["seal"]] if f.valid]
        before = [f.at_s for f in track if f.at_s < seconds(told["from"])]
        assert min(f.at_s for f in track if f.at_s > seconds(told["to"])) - before[-1] < 900


def test_who_overstays_is_longer_in_an_approved_stop_than_it_allows(shown: Shown):
    """The zone says how long; it is no unplanned stop."""
    for told, fixes in shown.told("overstay", by_s=float("inf")):
        assert kinds(ZONES[told["object"]]) >= {"approved_stop"}
        allowed_s = ZONES[told["object"]]["properties"]["max_stop_min"] * 60
        assert seconds(told["to"]) - seconds(told["from"]) > allowed_s
        assert all(inside(ZONES[told["object"]], f.point) for f in fixes)


def test_a_silent_seal_leaves_a_gap_that_is_never_filled(shown: Shown):
    """More than 10 min and three intervals without a fix."""
    for told, fixes in shown.told("silent"):
        assert fixes == [], told
        assert len(gaps(shown.tracks[told["seal"]])) == 1, told


def test_seals_fall_silent_so_that_it_shows_within_the_first_minute(shown: Shown):
    """Some sent their last ping nine to ten minutes before now: the service's own clock makes it an event soon."""
    ends = [seconds(t["from"]) - NOW_S for t in shown.truth if t["what"] in ("silent", "patchy")]
    assert any(-600 < end < -540 for end in ends)


@pytest.mark.parametrize(("what", "below"), [("battery_low", 30), ("battery_critical", 10)])
def test_an_old_battery_stays_below_its_limit(shown: Shown, what: str, below: int):
    """From the moment on no ping says more; ten minutes of that raise it."""
    for told, _ in shown.told(what, by_s=NOW_S - 300):
        later = [f for f in shown.tracks[told["seal"]] if f.at_s > seconds(told["from"])]
        assert later[-1].at_s - later[0].at_s > 600
        assert all(f.ping["battery_pct"] < below for f in later)
        earlier = [f for f in shown.tracks[told["seal"]] if f.at_s < seconds(told["from"])]
        assert all(f.ping["battery_pct"] >= below for f in earlier)


def test_a_reached_checkpoint_holds_a_fix(shown: Shown):
    """Trucks crawl through them, so that none is passed between two fixes."""
    for told, fixes in shown.told("checkpoint"):
        if told["expect"]:
            assert any(inside(ZONES[told["object"]], f.point) for f in fixes if f.valid), told


def test_a_stay_in_a_zone_of_interest_holds_two_fixes_half_a_minute_apart(shown: Shown):
    """That is what its event needs."""
    for told, fixes in shown.told("zone"):
        held = [f.at_s for f in fixes if f.valid and inside(ZONES[told["object"]], f.point)]
        if told["expect"]:
            assert len(held) >= 2, told
            assert held[-1] - held[0] >= 30


def test_a_rest_in_an_approved_stop_is_a_stop_but_an_allowed_one(shown: Shown):
    """Near miss: over 15 min within 100 m, all of it inside."""
    for _told, fixes in shown.told("long_rest"):
        assert longest_stop_s(fixes, []) > 15 * 60
        assert longest_stop_s(fixes, ALLOWED) < 15 * 60


def test_a_sleeping_seal_is_quiet_but_not_lost(shown: Shown):
    """Near miss: over 20 min without a ping, announced by the mode of the one before."""
    for told, fixes in shown.told("sleeper"):
        pauses = [(b.at_s - a.at_s, a.ping["mode"]) for a, b in pairwise(fixes)]
        assert max(pauses)[0] > 20 * 60
        assert max(pauses)[1] == "asleep"
        assert gaps(shown.tracks[told["seal"]]) == []


def test_a_truck_at_the_corridors_edge_is_over_it_by_noise_alone(shown: Shown):
    """Near miss: single fixes are beyond the half-width, and no run gathers a third of the evidence."""
    beyond = 0
    for told, fixes in shown.told("edge"):
        route = shown.route[told["seal"]]
        line, widths = (
            [tuple(p) for p in route["geometry"]["coordinates"]],
            route["properties"]["half_width_m"],
        )
        places = [to_line(line, f.point) for f in fixes]
        beyond += sum(away_m > widths[leg] for away_m, leg, _ in places)
        assert deviation_evidence(fixes, route) < DEVIATION_MS / 3
    assert beyond > 5


def test_an_outage_filled_late_ends_without_a_gap_the_newest_fix_first(shown: Shown):
    """Near miss: what was buffered arrives after the first live ping, in its own order, and says that it was buffered."""
    for told, fixes in shown.told("patchy"):
        assert len(fixes) >= 8
        assert gaps(shown.tracks[told["seal"]]) == []
        arrived = shown.arrived[told["seal"]]
        before = arrived[arrived.index(fixes[0]) - 1]
        assert before.at_s >= seconds(told["to"]), "the newest came first"
        assert [f for f in arrived if f in fixes] == fixes
        assert all(f.ping["buffered"] for f in fixes)


def test_a_seal_to_which_nothing_happens_gives_no_reason_for_an_alarm(shown: Shown):
    """Ordinary seals keep to the corridor, the stops, the limits: none of the named events may come of them."""
    ordinary = [x for x in shown.fleet if x.role == "ordinary"]
    assert len(ordinary) >= 80
    for traveller in ordinary[::2]:
        track = shown.tracks[traveller.seal.id]
        assert gaps(track) == []
        assert {f.ping["lock"] for f in track} == {"closed"}
        assert min(f.ping["battery_pct"] for f in track) >= 30
        assert longest_stop_s(track, ALLOWED) < 15 * 60
        assert deviation_evidence(track, shown.route[traveller.seal.id]) < DEVIATION_MS / 10


def test_the_readme_counts_the_cast_as_it_is(shown: Shown):
    """Its table is checked against the fleet."""
    readme = (DEMO_PLAN.parents[1] / "README.md").read_text()
    told = {what: int(n) for what, n in re.findall(r"^\| `(\w+)` \| (\d+) \|", readme, re.MULTILINE)}
    assert told == Counter(x.role for x in shown.fleet)
