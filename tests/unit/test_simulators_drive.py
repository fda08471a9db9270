"""Trucks drive like trucks, receivers err like receivers, and the demo's clock keeps its limits."""

from __future__ import annotations

from itertools import islice, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sim_plan import apart_m, to_line

from simulators.demo import DEMO_PLAN
from simulators.drive import Drive, Excursion, Halt, Style
from simulators.pace import LAG_MS, Pace
from simulators.roads import load_roads
from simulators.seal import Seal
from simulators.wire import FLUSH_PINGS, Ping, flush, instant

ROAD = load_roads(DEMO_PLAN)["R-HP-HN"]
STYLE = Style.draw(np.random.default_rng(1), ROAD)


def seal_on(drive: Drive, **settings: object) -> Seal:
    plain = {"interval_s": 30, "sigma_m": 6.0, "battery_pct": 80.0, "drain_pct_h": 1.0}
    return Seal("VN-TEST0001", ROAD, drive, 1_795_000_000_000, (1, 2, 3), **(plain | settings))


def test_a_truck_accelerates_and_brakes_gently():
    """Between nodes its speed changes by at most 0.4 m/s², from rest at the port to rest at the gate."""
    drive = Drive.plan(ROAD, STYLE, (Halt(60_000.0, 1200.0),))
    moving = np.diff(drive.time_s) < 600
    change = np.diff(drive.speed_ms)[moving] / np.diff(drive.time_s)[moving]
    assert np.abs(change).max() < 0.4
    assert drive.speed_ms[0] == drive.speed_ms[-1] == 0.0
    assert 60 < drive.speed_ms.max() * 3.6 < 90


def test_a_truck_is_slower_in_towns_and_at_checkpoints():
    """The Ha Noi ring is driven at half the expressway's speed, a checkpoint's lanes at 35 km/h."""
    ring = next(s for s in ROAD.sections if s.name.startswith("Vành đai 3"))
    drive = Drive.plan(ROAD, STYLE, checkpoints_m=(40_000.0,))
    on_ring = (drive.chainage_m > ring.from_m + 1000) & (drive.chainage_m < ring.to_m - 1000)
    assert drive.speed_ms[on_ring].mean() * 3.6 < 50
    assert drive.at(drive.time_at(40_000.0)).speed_kmh <= 35.001


def test_a_halt_keeps_the_truck_in_its_place_for_its_time():
    """Beside the lane, as far left or right as the rest area lies."""
    drive = Drive.plan(ROAD, STYLE, (Halt(60_000.0, 1200.0, -90.0),))
    arrival_s = drive.time_at(60_000.0)
    first, last = drive.at(arrival_s + 1), drive.at(arrival_s + 1199)
    assert apart_m(first[:2], last[:2]) < 1.0
    assert first.speed_kmh == last.speed_kmh == 0.0
    line = list(zip(ROAD.lon.tolist(), ROAD.lat.tolist(), strict=True))
    assert to_line(line, first[:2])[0] == pytest.approx(90, abs=3)


def test_what_comes_later_does_not_change_the_drive_before():
    """So that a detour can be placed at a moment: only the braking before it differs."""
    plain = Drive.plan(ROAD, STYLE)
    away = Drive.plan(ROAD, STYLE, excursion=Excursion(150_000.0, 155_000.0, 1500.0, 40.0))
    for chainage_m in range(5_000, 145_000, 7_000):
        assert away.time_at(chainage_m) == pytest.approx(plain.time_at(chainage_m), abs=0.5)
    assert away.duration_s > plain.duration_s


def test_gnss_error_has_its_size_and_lasts_for_minutes():
    """Standing for days: a spread as set in each axis, neighbours 30 s apart alike (0.82), ten minutes apart not."""
    drive = Drive.plan(ROAD, STYLE, start_dwell_s=86_400.0 * 4)
    fixes = [r.ping for r in islice(seal_on(drive).reports(2**62), 10_000)]
    north_m = (np.array([p.lat for p in fixes]) - ROAD.lat[0]) * 110_700
    assert north_m.std() == pytest.approx(6.0, rel=0.15)
    steps = [np.corrcoef(north_m[:-k], north_m[k:])[0, 1] for k in (1, 20)]
    assert steps[0] == pytest.approx(np.exp(-30 / 150), abs=0.05)
    assert abs(steps[1]) < 0.15


def test_a_seal_reports_at_its_interval_and_faster_when_followed_live():
    """30 s until live begins, 5 s after; the change comes at once, not a slow interval later."""
    drive = Drive.plan(ROAD, STYLE)
    seal = seal_on(drive)
    live_ms = seal.start_ms + 3_600_000
    times = [r.time_ms for r in islice(seal.reports(live_ms), 400)]
    before = [b - a for a, b in pairwise(times) if b < live_ms]
    after = [b - a for a, b in pairwise(times) if a >= live_ms]
    assert {29_000, 30_000, 31_000} == set(before)
    assert {4_000, 5_000, 6_000} == set(after)
    assert min(t for t in times if t >= live_ms) - live_ms < 6_000


def test_a_seal_without_sky_says_so():
    """In a tunnel there is no position, and the ping still tells lock and battery."""
    road = load_roads(DEMO_PLAN)["R-DN-LB"]
    tunnel = road.tunnels[0]
    drive = Drive.plan(road, Style.draw(np.random.default_rng(1), road))
    seal = Seal("VN-TEST0001", road, drive, 1_795_000_000_000, (1, 2, 3), 30, 6.0, 80.0, 1.0)
    pings = [r.ping for r in islice(seal.reports(2**62), 400)]
    blind = [p for p in pings if not p.valid]
    assert len(blind) * 30 == pytest.approx((tunnel.to_m - tunnel.from_m) / (60 / 3.6), rel=0.3)
    assert all(p.lon is None and p.lat is None and p.satellites == 0 and p.lock == "closed" for p in blind)


@given(st.floats(1, 500), st.floats(0, 10_000))
def test_simulated_time_never_runs_ahead_nor_lags_too_far(speed: float, after_s: float):
    """Ahead of the real clock never, behind by 3 minutes at most, and always forward."""
    pace = Pace(1_795_000_000_000, speed)
    real_ms = pace.started_ms + after_s * 1000
    assert real_ms - LAG_MS - 1 <= pace.simulated_ms(after_s) <= real_ms + 1
    assert pace.simulated_ms(after_s) <= pace.simulated_ms(after_s + 1.0)


@given(st.floats(1.1, 500), st.floats(0, 10_000))
def test_the_clock_can_be_asked_both_ways(speed: float, after_s: float):
    """When it is that time is the time it was asked for, to a few milliseconds."""
    pace = Pace(1_795_000_000_000, speed)
    assert pace.after_s(pace.simulated_ms(after_s)) == pytest.approx(after_s, abs=0.003)


def test_a_clock_slower_than_life_is_refused_with_its_value():
    """Seals would lag further and further until all seem lost."""
    with pytest.raises(ValueError, match=r"speed is 0\.5"):
        Pace(0, 0.5)


@pytest.mark.parametrize(("pings", "sizes"), [(1, [1]), (2, [2]), (FLUSH_PINGS, [50]), (120, [50, 50, 20])])
def test_a_flush_is_cut_into_messages_of_fifty(pings: int, sizes: list[int]):
    """In order; one ping goes as an object."""
    ping = Ping(
        time=instant(0),
        valid=False,
        satellites=0,
        battery_pct=50,
        seq=1,
        lock="closed",
        mode="awake",
        interval_s=30,
    )
    messages = flush("t", [ping] * pings)
    assert [m.pings for m in messages] == sizes
    assert messages[0].payload.startswith(b"{" if pings == 1 else b"[")


def test_an_instant_is_written_with_milliseconds_and_z():
    """ISO 8601, always the same width."""
    assert instant(1_795_000_000_000) == "2026-11-18T11:06:40.000Z"
    assert instant(1_795_000_000_007) == "2026-11-18T11:06:40.007Z"
