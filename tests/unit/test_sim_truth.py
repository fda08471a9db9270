"""The truth of scenarios, measured once more in the tracks that it draws and the pings that arrived, with the tests' own arithmetic."""

from __future__ import annotations

import json
import tomllib
from itertools import pairwise

import pytest
from sim_plan import apart_m, to_line
from sim_tracks import seconds

from simulators.lab.loading import LIBRARY, library, load_scenario, parse_scenario
from simulators.lab.running import Run, run_file, run_scenario
from simulators.lab.truth.record import Deed, FaultLine, Map

BASE = LIBRARY / "base" / "truck.toml"


def of_library(name: str) -> Run:
    return run_file(library()[name], 1)


def told(title: str, *script: dict, **tables: object) -> Run:
    """One truck of the base, with a script."""
    given = (
        tomllib.loads(BASE.read_text()) | {"title": title, "about": "SIGNAL_LOST", "case": "true"} | tables
    )
    given["route"] = [{"id": "R-SIM"} | given["route"]]
    return run_scenario(parse_scenario(given | {"script": list(script)}, title), title, 1)


def deeds(run: Run, rule: str) -> list[Deed]:
    return [x for x in run.truth if isinstance(x, Deed) and x.rule == rule]


def drawn(run: Run) -> Map:
    return next(x for x in run.truth if isinstance(x, Map))


def test_a_deviation_is_as_far_and_as_long_as_its_track_is_off_the_road():
    run = of_library("deviation-warehouse")
    (deed,) = deeds(run, "ROUTE_DEVIATION")
    line, track = drawn(run).routes["R-SIM"], drawn(run).tracks["S-1"]
    off = [(ms / 1000, to_line(line, (x, y))[0] - 200) for ms, x, y in track]
    beyond = [s for s, metres in off if metres > 0]
    assert deed.metres == pytest.approx(max(m for _, m in off), abs=3)
    assert seconds(deed.from_) == pytest.approx(beyond[0], abs=21)
    assert seconds(deed.to) == pytest.approx(beyond[-1], abs=21)
    assert deed.fixes >= 5


def test_the_fixes_of_a_deed_are_those_that_arrived_of_it():
    """Of the same detour nothing is heard, all is, and all late."""
    detour = {"do": "detour", "who": "truck", "from_km": 12.0, "to_km": 15.0, "left_m": 700.0}
    outage = {"do": "outage", "who": "S-1", "at_km": 9.0, "for_min": 12.0}
    heard, late, never = (
        deeds(told("t", detour, *more), "ROUTE_DEVIATION")[0]
        for more in ([], [outage], [outage | {"buffered": False}])
    )
    assert heard.fixes == late.fixes > 5
    assert (heard.verdict, late.verdict) == ("must", "must")
    assert (never.fixes, never.verdict) == (0, "may")
    assert late.faults == never.faults == ("outage",)


def test_a_stop_lasts_as_long_as_its_script_says():
    (deed,) = deeds(of_library("stop-shoulder"), "STOP_UNPLANNED")
    assert deed.seconds == pytest.approx(25 * 60, abs=10)
    places = [
        (x, y)
        for ms, x, y in drawn(of_library("stop-shoulder")).tracks["S-1"]
        if 30 < ms / 1000 - seconds(deed.from_) < 1400
    ]
    assert max(apart_m(places[0], p) for p in places) < 3


def test_silence_is_between_the_pings_that_arrived():
    run = of_library("signal-small-buffer")
    (deed,) = deeds(run, "SIGNAL_LOST")
    lines = [json.loads(line)["payload"] for line in run.pings.splitlines()]
    times = sorted(seconds(p["time"]) for x in lines for p in (x if isinstance(x, list) else [x]))
    gaps = [(a, b) for a, b in pairwise(times) if b - a > 600]
    assert [(seconds(deed.from_), seconds(deed.to))] == gaps


def test_an_officers_reset_ends_what_was_latched_and_the_next_is_another():
    first, second = deeds(of_library("tamper-reset"), "SEAL_TAMPER")
    assert seconds(first.to) - seconds(first.from_) == 8 * 60
    assert (first.verdict, second.verdict, second.to) == ("must", "must", None)


def test_who_is_armed_and_who_is_suspended_is_minded():
    cut = {"do": "lock", "who": "S-1", "at_min": 50.0, "act": "cut_rope"}
    journey = {"id": "J-1", "devices": [{"id": "S-1"}], "disarmed_min": 45.0}
    assert deeds(told("t", cut, journey=[journey]), "SEAL_TAMPER") == []
    assert [d.verdict for d in deeds(told("t", cut), "SEAL_TAMPER")] == ["must"]
    stop = {"do": "stop", "who": "truck", "at_km": 10.0, "for_min": 20.0}
    pause = {"do": "suspend", "who": "J-1", "at_min": 5.0, "for_min": 40.0}
    assert deeds(told("t", stop, pause), "STOP_UNPLANNED") == []
    assert [d.verdict for d in deeds(told("t", stop), "STOP_UNPLANNED")] == ["must"]


def test_what_is_within_the_limits_margin_may_be_told_and_what_is_well_within_is_not():
    stop = {"do": "stop", "who": "truck", "at_km": 10.0}
    verdicts = {
        m: [d.verdict for d in deeds(told("t", stop | {"for_min": float(m)}), "STOP_UNPLANNED")]
        for m in (10, 15, 20)
    }
    assert verdicts == {10: [], 15: ["may"], 20: ["must"]}


def test_every_fault_of_a_device_is_told_with_its_span():
    jam = {"do": "jam", "who": "S-1", "at_min": 10.0, "for_min": 4.0}
    power = {"do": "battery", "who": "S-1", "at_min": 20.0, "pct": 20.0}
    faults = [x for x in told("t", jam, power).truth if isinstance(x, FaultLine)]
    start_s = seconds("2026-11-22T01:00:00Z")
    spans = {f.fault: (seconds(f.from_) - start_s, f.to and seconds(f.to) - start_s) for f in faults}
    assert spans == {"jam": (600.0, 840.0), "battery": (1200.0, None)}


def test_a_tunnel_is_a_fault_while_the_truck_is_in_it():
    run = of_library("gps-tunnel")
    (tunnel,) = (x for x in run.truth if isinstance(x, FaultLine))
    lines = [json.loads(line)["payload"] for line in run.pings.splitlines()]
    blind = [seconds(p["time"]) for p in lines if not p["valid"]]
    assert seconds(tunnel.from_) == pytest.approx(blind[0], abs=40)
    assert seconds(tunnel.to) == pytest.approx(blind[-1], abs=40)
    assert all(seconds(tunnel.from_) - 5 <= at <= seconds(tunnel.to) + 5 for at in blind)


def test_a_scenario_of_the_library_says_what_it_is_about():
    """So that who looks at a regression reads what was meant."""
    for path in library().values():
        scenario = load_scenario(path)
        assert scenario.title
        assert scenario.story.strip(), path.name
