"""The parts of the simulated world: trucks on trips, receivers and what disturbs them, modems, clocks, locks, batteries."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from sim_plan import apart_m

from simulators.demo import DEMO_PLAN
from simulators.drive import Excursion, Halt, Spot, Style
from simulators.roads import Stretch, load_roads
from simulators.wire import Ping
from simulators.world.battery import Battery
from simulators.world.clock import Clock, Skew
from simulators.world.device import Device
from simulators.world.equipment import Equipment
from simulators.world.gnss import Canyon, Jump, Receiver, Spoof
from simulators.world.lock import lock_acted, lock_at
from simulators.world.modem import Disorder, Modem, Outage
from simulators.world.reporting import Schedule
from simulators.world.spans import Span
from simulators.world.vehicle import Carried, Follower, Trip, Turning, plan_trip, queue

ROAD = load_roads(DEMO_PLAN)["R-HP-LC"]
STYLE = Style(1.0, np.zeros(400))
HERE = Spot(105.5, 21.0, 60.0, 90.0, 5000.0, 0.0)
ALWAYS = Span(0.0, 1e9)


def rng(seed: int = 3) -> np.random.Generator:
    return np.random.default_rng(seed)


def ping(n: int) -> Ping:
    return Ping(
        time=f"{n}",
        valid=False,
        satellites=0,
        battery_pct=50,
        seq=n,
        lock="closed",
        mode="awake",
        interval_s=30,
    )


def off_m(receiver: Receiver, times: range) -> list[float]:
    """How far each fix of a truck that stands is from it."""
    fixes = [receiver.fix(HERE, float(t)) for t in times]
    return [apart_m((f.lon, f.lat), (HERE.lon, HERE.lat)) for f in fixes if f.valid]


class TestTrips:
    def test_a_trip_starts_and_ends_at_rest_and_never_jumps(self):
        """Its speed changes gently, and it goes no further than its speed lets it."""
        drive = plan_trip(ROAD, STYLE, Trip(20_000.0, 40_000.0, 120.0))
        spots = [drive.at(float(t)) for t in range(0, 1500, 5)]
        assert spots[0].speed_kmh == spots[20].speed_kmh == 0.0
        for a, b in pairwise(spots):
            assert apart_m((a.lon, a.lat), (b.lon, b.lat)) <= max(a.speed_kmh, b.speed_kmh) / 3.6 * 5 + 6

    def test_a_truck_that_turns_back_passes_the_same_stretch_three_times(self):
        """Forward, backward on the other side, and forward again."""
        drive = plan_trip(ROAD, STYLE, Trip(20_000.0, 30_000.0, turnings=[Turning(26_000.0, 24_000.0)]))
        chainages = [drive.at(float(t)).chainage_m for t in range(0, int(drive.duration_s), 10)]
        ahead = [b > a for a, b in pairwise(chainages) if a != b]
        assert [x for x, y in pairwise([*ahead, None]) if x != y] == [True, False, True]
        assert max(chainages) > 29_500.0

    def test_a_bend_is_taken_slowly(self):
        """Leaving the road at a right angle on a ramp of 200 m is not done at 75 km/h."""
        detour = Excursion(30_000.0, 33_000.0, 400.0, 70.0)
        drive = plan_trip(ROAD, STYLE, Trip(20_000.0, 40_000.0, excursions=[detour]))
        on_ramp = (drive.chainage_m > 29_500.0) & (drive.chainage_m < 30_000.0)
        assert drive.speed_ms[on_ramp].max() * 3.6 <= 70.0 + 1e-6
        assert (
            abs(drive.left_m[(drive.chainage_m > 30_100) & (drive.chainage_m < 32_900)] - 400.0).max() < 1.0
        )

    def test_a_queue_creeps(self):
        """Ten minutes of stop and go are ten minutes of standing, and some tens of metres."""
        halts = queue(rng(), 25_000.0, 600.0)
        assert sum(h.dwell_s for h in halts) == pytest.approx(600.0)
        assert 20.0 < halts[-1].chainage_m - halts[0].chainage_m < 400.0
        plain = plan_trip(ROAD, STYLE, Trip(20_000.0, 30_000.0))
        queued = plan_trip(ROAD, STYLE, Trip(20_000.0, 30_000.0, halts=halts))
        assert 600.0 < queued.duration_s - plain.duration_s < 1500.0

    def test_an_escort_falls_behind_and_closes_up(self):
        """Its lag in seconds becomes metres by the leader's speed."""
        drive = plan_trip(ROAD, STYLE, Trip(20_000.0, 60_000.0))
        follower = Follower(
            drive, np.array([0.0, 600.0, 700.0, 1200.0, 1400.0]), np.array([8.0, 8.0, 60.0, 60.0, 8.0])
        )
        apart = [
            apart_m((a.lon, a.lat), (b.lon, b.lat))
            for a, b in ((drive.at(t), follower.at(t)) for t in (500.0, 1000.0, 1500.0))
        ]
        assert apart[0] < 250.0
        assert apart[1] > 800.0
        assert apart[2] < 250.0

    def test_a_trailer_that_is_dropped_stays(self):
        """From then on it is where it was, at rest."""
        drive = plan_trip(ROAD, STYLE, Trip(20_000.0, 40_000.0))
        trailer = Carried([(0.0, drive), (600.0, None)])
        assert trailer.at(599.0) == drive.at(599.0)
        assert trailer.at(900.0) == trailer.at(601.0) == drive.at(600.0)._replace(speed_kmh=0.0)

    def test_a_halt_stands_where_it_is_made(self):
        """Pulled over to the side, for as long as it lasts."""
        drive = plan_trip(ROAD, STYLE, Trip(20_000.0, 40_000.0, halts=[Halt(30_000.0, 1200.0, -60.0)]))
        still = [t for t in range(0, int(drive.duration_s), 10) if drive.at(t + 0.1).speed_kmh == 0.0]
        begin = min(t for t in still if t > 60)
        assert drive.at(begin + 600.0).left_m == pytest.approx(-60.0, abs=2.0)
        assert drive.at(begin + 600.0).chainage_m == pytest.approx(30_000.0, abs=1.0)


class TestReceivers:
    def test_the_error_is_correlated_over_minutes(self):
        """Neighbouring fixes err alike, fixes of an hour apart do not, and its size is as told."""
        receiver = Receiver(rng(), 6.0)
        errors = np.array([receiver.fix(HERE, float(t)).lon for t in range(0, 40_000, 10)]) - HERE.lon
        near = np.corrcoef(errors[:-1], errors[1:])[0, 1]
        far = np.corrcoef(errors[:-360], errors[360:])[0, 1]
        assert near > 0.88
        assert abs(far) < 0.2
        assert 4.5 < errors.std() * 103_900 < 7.5

    def test_a_canyon_errs_more_and_reflects(self):
        plain, canyon = Receiver(rng(), 5.0), Receiver(rng(), 5.0, canyons=[Canyon(ALWAYS, 35.0)])
        times = range(0, 6000, 30)
        assert np.median(off_m(canyon, times)) > 3 * np.median(off_m(plain, times))

    def test_a_reflection_throws_fixes_to_one_side(self):
        jump = Receiver(rng(), 5.0, jumps=[Jump(Span(300.0, 330.0), 90.0, 400.0)], lying=[Span(300.0, 330.0)])
        assert jump.fix(HERE, 290.0).lon == pytest.approx(HERE.lon, abs=2e-4)
        thrown = jump.fix(HERE, 310.0)
        assert (thrown.lon - HERE.lon) * 103_900 == pytest.approx(400.0, abs=30.0)
        assert thrown.accuracy_m == 2
        assert jump.fix(HERE, 340.0).lon == pytest.approx(HERE.lon, abs=2e-4)

    def test_jamming_and_tunnels_leave_no_fix_and_only_jamming_is_told(self):
        receiver = Receiver(rng(), 5.0, tunnels=[Stretch(4000.0, 6000.0)], jammed=[Span(100.0, 200.0)])
        in_tunnel, jammed = receiver.fix(HERE, 50.0), receiver.fix(HERE, 150.0)
        assert (in_tunnel.valid, in_tunnel.jammed) == (False, False)
        assert (jammed.valid, jammed.jammed, jammed.satellites) == (False, True, 0)

    def test_a_spoofed_track_walks_off_or_stands(self):
        walked = Receiver(rng(), 4.0, spoofs=[Spoof(ALWAYS, 0.0, 1000.0, 600.0, held=False)])
        far = [f for t in (0, 300, 600, 900) for f in off_m(walked, range(t, t + 1))]
        assert far[0] < 30
        assert far[1] == pytest.approx(500, abs=30)
        assert far[3] == pytest.approx(1000, abs=30)
        held = Receiver(rng(), 4.0, spoofs=[Spoof(ALWAYS, 0.0, 0.0, 0.0, held=True)])
        held.fix(HERE, 0.0)
        elsewhere = held.fix(HERE._replace(lon=106.0), 600.0)
        assert elsewhere.lon == pytest.approx(HERE.lon, abs=3e-4)
        assert elsewhere.speed_kmh == 0.0


class TestModems:
    def test_after_an_outage_the_newest_comes_first_and_then_the_past_in_its_order(self):
        modem = Modem([Outage(Span(100.0, 500.0), buffered=True)])
        arrived = modem.arrivals([(float(t), ping(t)) for t in range(0, 700, 30)], rng())
        order = [p.seq for a in arrived for p in a.pings]
        assert order[:5] == [0, 30, 60, 90, 510]
        assert order[5:19] == [*list(range(120, 510, 30)), 540]
        assert all(p.buffered for a in arrived for p in a.pings if 100 <= p.seq < 500)

    def test_what_is_not_buffered_is_gone_and_a_full_buffer_loses_the_oldest(self):
        reports = [(float(t), ping(t)) for t in range(0, 700, 30)]
        lost = Modem([Outage(Span(100.0, 500.0), buffered=False)]).arrivals(reports, rng())
        assert not any(100 <= p.seq < 500 for a in lost for p in a.pings)
        small = Modem([Outage(Span(100.0, 500.0), buffered=True)], capacity=5).arrivals(reports, rng())
        assert [p.seq for a in small for p in a.pings if 100 <= p.seq < 500] == [360, 390, 420, 450, 480]

    def test_a_network_that_is_not_well_doubles_and_overtakes_but_invents_nothing(self):
        reports = [(float(t), ping(t)) for t in range(0, 30_000, 30)]
        arrived = Modem(disorders=[Disorder(ALWAYS, 0.3, 0.3, 120.0)]).arrivals(reports, rng())
        seqs = [a.pings[0].seq for a in arrived]
        assert set(seqs) == {p.seq for _, p in reports}
        assert 1.2 * len(reports) < len(seqs) < 1.4 * len(reports)
        assert seqs != sorted(seqs)
        assert [a.at_s for a in arrived] == sorted(a.at_s for a in arrived)


class TestClocksLocksBatteries:
    def test_a_clock_is_ahead_and_drifts_only_while_it_is_skewed(self):
        clock = Clock([Skew(Span(100.0, 4000.0), 420.0, 60.0)])
        assert clock.told_s(50.0) == 50.0
        assert clock.told_s(100.0) == 520.0
        assert clock.told_s(3700.0) == 3700.0 + 480.0
        assert clock.told_s(4000.0) == 4000.0

    def test_a_rope_once_cut_stays_cut(self):
        changes = lock_acted([(50.0, "close"), (10.0, "illegal_card"), (30.0, "cut_rope")])
        assert [lock_at(changes, t) for t in (5.0, 20.0, 30.0, 60.0)] == ["closed", "closed", "cut", "cut"]
        assert changes[0].facts == ("illegal_card",)

    def test_a_battery_drains_drops_and_charges(self):
        battery = Battery(50.0, 2.0, drops=[(3600.0, 31.0)], charging=[Span(7200.0, 10_800.0)])
        assert battery.level_pct(1800.0) == 49.0
        assert battery.told_pct(5400.0) == 30
        assert battery.is_charging(8000.0)
        assert battery.level_pct(10_800.0) == pytest.approx(69.0)
        assert Battery(1.0, 2.0).level_pct(3600.0) == 0.0

    def test_equipment_is_silent_while_it_fails_and_its_will_is_told(self):
        beats = list(Equipment("C1", 30, [Span(600.0, 1200.0)], [Span(600.0, 1200.0)]).beats(rng(), 1800.0))
        online = [b.time_s for b in beats if b.status == "online"]
        assert not any(600.0 <= t < 1200.0 for t in online)
        assert [b.time_s for b in beats if b.status == "offline"] == [645.0]


def device(**parts: object) -> Device:
    schedule = Schedule(
        30,
        sleeps=[Span(2000.0, 7000.0)],
        off=[Span(900.0, 960.0)],
        lock_changes=lock_acted([(305.0, "cut_rope")]),
    )
    drive = plan_trip(ROAD, STYLE, Trip(20_000.0, 60_000.0))
    given = {"schedule": schedule, "receiver": Receiver(rng(), 5.0)} | parts
    return Device("S1", 1_795_000_000_000, drive, generator=lambda name: rng(len(name)), **given)


class TestDevices:
    def test_a_seal_says_what_happens_at_once_and_sleeps_and_restarts(self):
        said = list(device().says(0.0, 9000.0))
        assert [s.time_s for s in said if "rope_cut" in s.ping.facts] == [305.0]
        assert all(s.ping.lock == "cut" for s in said if s.time_s >= 305)
        assert not any(900 <= s.time_s < 960 for s in said)
        (restarted,) = [s for s in said if "restarted" in s.ping.facts]
        assert restarted.ping.seq == 0
        asleep = [s.time_s for s in said if s.ping.mode == "asleep"]
        assert asleep[0] == 2000.0
        assert len(asleep) == 3

    def test_a_seal_that_is_on_again_within_a_second_says_so_at_the_next(self):
        """Where it restarts by a place on the road, its end is no whole second."""
        schedule = Schedule(30, off=[Span(900.0, 960.3)])
        (restarted,) = [due for due in schedule.due(rng(), 0.0, 2000.0) if due.restarted]
        assert restarted.time_s == 961.0

    def test_a_seal_wakes_when_its_sleep_is_over_and_not_half_an_hour_later(self):
        schedule = Schedule(30, sleeps=[Span(900.0, 1100.3)])
        times = [due.time_s for due in schedule.due(rng(), 0.0, 2000.0)]
        assert 1101.0 in times
        assert len([time_s for time_s in times if time_s > 1101.0]) > 20

    def test_a_dead_battery_says_nothing(self):
        said = list(device(battery=Battery(5.0, 10.0)).says(0.0, 4000.0))
        assert said[-1].time_s < 1800.0

    def test_the_same_seed_gives_the_same_reports(self):
        one, other = (list(device().says(0.0, 3000.0)) for _ in range(2))
        assert one == other
        assert device().arrivals(one) == device().arrivals(other)
