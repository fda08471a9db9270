"""The parts of a load that need no broker: when messages are due, who raises alerts, bytes, histograms, plans."""

from __future__ import annotations

import itertools
import json
import re
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from seal_tracker.decoders.native import decode
from seal_tracker.plans.check import check_paths
from seal_tracker.sources.framing import split_packets
from simulators.cli import cli
from simulators.errors import PlanError
from simulators.load import packets, plan
from simulators.load.alerts import Alerts
from simulators.load.latency import Latency
from simulators.load.pings import Pings
from simulators.load.schedule import Alerting, Schedule
from simulators.load.vehicles import Vehicles

START_MS = 1_795_316_400_000


def pings_of(seals: int, rate: float, share: float = 0.0, senders: plan.Senders | None = None) -> Pings:
    senders = senders or plan.own_senders(seals)
    schedule = Schedule.of(seals, rate, None, seed=3)
    made = Pings.of(schedule, Alerting(schedule, share), Vehicles.of(senders, 3), senders.names, "eseal/v1/t")
    made.start(START_MS)
    return made


def published(pings: Pings, messages: list[int], version: int = 3) -> list[tuple[str, dict[str, object]]]:
    """What a broker would read of messages."""
    stream = bytearray(b"".join(pings.packets(messages, range(1, len(messages) + 1), version)))
    found = split_packets(stream, 0)
    assert found.used == len(stream)
    skip = version == 5  # a length of properties, which has no place in 3.1.1
    return [(m.topic, json.loads(m.payload[skip:])) for m in found.messages]


def test_the_schedule_does_not_wait_for_anybody() -> None:
    """Message k is due at k / rate, and each seal has its turn once in seals / rate."""
    schedule = Schedule.of(10, 4.0, 100.0, seed=1)
    assert [schedule.due(s) for s in (-1.0, 0.0, 0.24, 0.25, 1.0, 1e6)] == [0, 1, 1, 2, 5, 400]
    assert schedule.due_s(np.array([0, 4])).tolist() == [0.0, 1.0]
    turns = [sorted(schedule.seal(np.arange(r * 10, r * 10 + 10)).tolist()) for r in range(3)]
    assert turns == [list(range(10))] * 3


@given(
    st.integers(1, 40), st.sampled_from([0.0, 0.01, 0.1, 0.5, 1.0]), st.lists(st.integers(1, 50), max_size=12)
)
def test_each_seal_raises_one_alert_however_the_messages_are_asked_for(
    seals: int, share: float, steps: list[int]
) -> None:
    """So many as the share says until all seals have; a seal says that it is cut from then on."""
    schedule = Schedule.of(seals, 1.0, None, seed=1)
    alerting, whole = Alerting(schedule, share), Alerting(schedule, share)
    ends = [0, *itertools.accumulate(steps)]
    found = [k for a, b in itertools.pairwise(ends) for k in alerting.among(a, b)]
    assert found == whole.among(0, ends[-1])
    whose = schedule.seal(np.array(found, np.int64)).tolist()
    assert len(set(whose)) == len(whose)
    assert len(whose) <= min(seals, np.ceil(share * ends[-1]))
    assert [int(alerting.cut_from[s]) for s in whose] == found
    if share * ends[-1] >= 1 and ends[-1] <= seals:
        assert len(found) == np.ceil(share * ends[-1])


@pytest.mark.parametrize("version", [3, 5])
def test_messages_are_pings_that_the_service_reads(version: int) -> None:
    """Each of its seal, at the time at which it was due, on its road; the same numbers give the same bytes."""
    pings = pings_of(50, 10.0, share=0.02)
    alerting = pings.alerting.among(0, 120)
    told = published(pings, list(range(120)), version)
    assert told == published(pings, list(range(120)), version)
    for k, (topic, ping) in enumerate(told):
        assert topic == f"eseal/v1/t/dev/{pings.names[pings.schedule.order[k % 50]]}/ping"
        [read] = decode(json.dumps(ping).encode()).pings
        assert round(read.time.timestamp() * 1000) == START_MS + 100 * k
        assert (read.interval_s, read.seq) == (5, k // 50)
        assert (read.lock == "cut") == any(k >= a and (k - a) % 50 == 0 for a in alerting)
    assert pings.alert_of(7) == (told[7][0].split("/")[4], told[7][1]["time"])


def test_seals_drive_along_their_road_and_stand_at_its_end() -> None:
    senders = plan.own_senders(300)
    vehicles = Vehicles.of(senders, 5)
    seals = np.arange(300)
    for elapsed_s, still in ((0.0, 0), (3600.0, None), (1e6, 300)):
        fixes = vehicles.at(seals, np.full(300, elapsed_s))
        for seal in range(0, 300, 37):
            road = senders.roads[senders.road[seal]]
            _, left_m = road.nearest(float(fixes.lon[seal]), float(fixes.lat[seal]))
            assert abs(left_m) < 1.0
        assert still is None or int((fixes.speed_kmh == 0).sum()) == still


@given(st.lists(st.binary(max_size=300)), st.integers(1, 64))
def test_answers_are_cut_out_of_a_stream_however_it_comes(bodies: list[bytes], piece: int) -> None:
    stream = b"".join(b"\x40" + packets.length(len(body)) + body for body in bodies)
    buffer, found = bytearray(), []
    for at in range(0, len(stream), piece):
        buffer += stream[at : at + piece]
        found += list(packets.cut(buffer))
    assert found == [(packets.PUBACK, body) for body in bodies]
    assert not buffer


@settings(max_examples=30)
@given(st.lists(st.floats(1e-6, 3000.0), min_size=1, max_size=60), st.integers(0, 5))
def test_percentiles_are_right_to_three_digits_and_unknown_among_the_missing(
    durations_s: list[float], missing: int
) -> None:
    latency = Latency()
    latency.record(durations_s)
    figures = latency.figures(missing)
    ranked = sorted(durations_s) + [float("inf")] * missing
    for percentile in (50.0, 90.0, 99.0, 99.9):
        exact_ms = 1000 * ranked[max(0, int(np.ceil(percentile / 100 * len(ranked))) - 1)]
        told = figures[f"p{percentile:g}"]
        assert (told is None) == (exact_ms == float("inf"))
        assert told is None or told == pytest.approx(exact_ms, rel=0.002, abs=0.0011)
    assert (figures["count"], figures["missing"]) == (len(durations_s), missing)


def test_a_publisher_that_stalls_does_not_hide_the_waiting() -> None:
    """100 messages a second, each answered in 1 ms, but for a stall of 2 s: from when they were due a fifth waited, from when written none."""
    due_s = np.arange(1000) / 100
    left_s = np.where((due_s >= 4.0) & (due_s < 6.0), 6.0, due_s)
    response, service = Latency(), Latency()
    response.record(left_s + 0.001 - due_s)
    service.record(np.full(1000, 0.001))
    assert service.figures()["p99.9"] == pytest.approx(1.0, rel=0.01)
    assert response.figures()["p90"] == pytest.approx(1001, rel=0.02)
    assert response.figures()["p50"] == pytest.approx(1.0, rel=0.01)


def test_an_alert_is_known_by_its_seal_and_its_fix() -> None:
    """Another's, another time's, and what is no raising, count for nothing; a second one of the same neither."""
    now = [10.0]
    alerts = Alerts(lambda: now[0])
    alerts.expect(("load-1", "2026-11-22T03:00:00.000Z"), 4, 9.0)
    alerts.expect(("load-2", "2026-11-22T03:00:00.000Z"), 5, 9.5)
    alerts.expect(("load-3", "2026-11-22T03:00:00.000Z"), 6, 9.5)
    alerts.left_s |= {4: 9.8, 5: 9.9}
    for seal, at, transition in (
        ("load-1", "03:00:00.001", "raised"), ("other", "03:00:00.000", "raised"), ("load-1", "03:00:00.000", "cleared"),
        ("load-1", "03:00:00.000", "raised"), ("load-1", "03:00:00.000", "raised"),
    ):  # fmt: skip
        said = {"transition": transition, "seal": seal, "started_at": f"2026-11-22T{at}Z"}
        alerts.receive(json.dumps({"data": {"properties": said}}).encode())
    alerts.receive(b"{}")
    alerts.settle()
    assert (alerts.came, alerts.missing, alerts.strange, alerts.unreadable) == (1, 2, 3, 1)
    assert alerts.response.figures()["max"] == pytest.approx(1000, rel=0.01)
    assert alerts.service.figures()["max"] == pytest.approx(200, rel=0.01)
    alerts.forget_unsent()
    assert alerts.missing == 1


def test_the_plan_of_a_load_is_sound_and_knows_its_seals(tmp_path: Path) -> None:
    """Written, read by the service without a fault, and read again as the same seals on the same roads."""
    result = CliRunner().invoke(cli, ["load-plan", str(tmp_path), "--seals", "25"])
    assert result.exit_code == 0, result.output
    report = check_paths([tmp_path])
    assert report.exit_code == 0, report.render()
    own, read = plan.own_senders(25), plan.senders_of(tmp_path, None)
    assert list(read.names) == list(own.names)
    assert [read.roads[r].id for r in read.road] == [own.roads[r].id for r in own.road]
    assert len(plan.senders_of(tmp_path, 10).names) == 10
    with pytest.raises(PlanError, match=r"journeys of 25 seals, not 26: .*load-plan DIR --seals 26"):
        plan.senders_of(tmp_path, 26)


@pytest.mark.parametrize(
    ("words", "code", "why"),
    [
        (["--alerts", "0.1"], 2, "nobody listens"),
        (["--rate", "nan"], 2, "no number to count with"),
        (["--live", "--space", "x"], 2, "leave out --space"),
        (["--port", "9", "--for", "1"], 1, "no broker at 127.0.0.1:9 (.*): start it, or say where"),
        (["--ready-file", "/nowhere.json"], 1, "/nowhere.json: cannot be read as a ready file"),
        (["--plan", "."], 1, "cannot be read as a plan"),
    ],
    ids=["nobody listens", "no rate", "live and space", "no broker", "no ready file", "no plan"],
)
def test_what_is_in_its_way_is_said(words: list[str], code: int, why: str) -> None:
    result = CliRunner().invoke(cli, ["load", *words])
    said = result.output if code == 2 else str(result.exception)
    assert (result.exit_code, bool(re.search(why, said))) == (code, True), said
