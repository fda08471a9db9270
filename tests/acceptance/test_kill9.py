"""kill -9 of each of the three processes while pings come in: nothing acknowledged is lost, nothing is told twice."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest
from comparing import backtested, by_id, folded, unclocked
from parts import PATIENCE_S, wait_until
from running import Running, Talker, serving
from traffic import Traffic

MAX_UNACKNOWLEDGED = 1_000
REDELIVERY_S = 40
"""NATS delivers again after 30 s what a killed service had not acknowledged."""

pytestmark = pytest.mark.slow


@dataclass
class Publisher:
    """Sends the traffic as fast as it is acknowledged, but only a share further than the last blow."""

    talker: Talker
    traffic: Traffic
    shares: int
    sent: list[int] = field(default_factory=list)
    allowed: int = 1

    def start(self) -> threading.Thread:
        thread = threading.Thread(target=self._run, daemon=True)
        thread.start()
        return thread

    def _run(self) -> None:
        share = len(self.traffic.sent) // self.shares
        for i, (seal, ping) in enumerate(self.traffic.sent):
            while self.unacknowledged > MAX_UNACKNOWLEDGED or (
                self.allowed < self.shares and i >= share * self.allowed
            ):
                time.sleep(0.005)
            self.sent.append(self.talker.ping(seal, ping))

    @property
    def unacknowledged(self) -> int:
        return len(self.sent) - len(self.talker.acknowledged)

    def wait_within_share(self) -> None:
        """Until the present share is half sent."""
        share = len(self.traffic.sent) // self.shares
        wanted = share * (self.allowed - 1) + share // 2
        wait_until(lambda: len(self.sent) >= wanted, what=f"{wanted} pings sent")


@dataclass
class Aftermath:
    """What is there when all has calmed down."""

    service: Running
    traffic: Traffic
    sent: list[int]
    acknowledged: set[int]
    stats: dict[str, int]
    episodes: list[dict[str, Any]]
    events: list[dict[str, Any]]
    judged_at_once: list[dict[str, Any]]
    told: list[dict[str, Any]]


@pytest.fixture(scope="module")
def aftermath(session_folder: Path) -> Iterator[Aftermath]:
    """5,000 pings at QoS 1 and four blows meanwhile; then the same pings judged at once by a back-test."""
    folder = session_folder / "kill9"
    folder.mkdir(mode=0o755)
    traffic = Traffic(begin_s=int(time.time()) - 2 * 3600)
    plan = traffic.write_plan(folder / "plan")
    with serving(folder, plan) as service:
        blows: list[Callable[[Running], None]] = [kill_service, kill_service, kill_broker, kill_database]
        with service.mqtt("integrator", "kill9-integrator") as integrator:
            assert integrator.subscribe(f"eseal/v1/{service.tenant}/evt/#")
            with service.mqtt("gateway", "kill9-publisher") as gateway:
                publisher = Publisher(gateway, traffic, shares=len(blows) + 1)
                thread = publisher.start()
                for blow in blows:
                    publisher.wait_within_share()
                    blow(service)
                    publisher.allowed += 1
                thread.join(PATIENCE_S)
                assert not thread.is_alive(), f"only {len(publisher.sent)} pings sent"
                gateway.wait_acknowledged(publisher.sent)
            service.wait_for(pings_stored=len(traffic.sent), limit_s=REDELIVERY_S + 60)
            service.wait_calm()  # what would be stored or told twice has been by now
            stats, events = service.wait_for(), service.events()
            wait_until(
                lambda: {e["id"] for e in integrator.bodies("evt")} >= {e["id"] for e in events},
                what="the integrator has every event",
            )
            trace = traffic.write_trace(folder / "trace.csv")
            judged = backtested(plan, trace, folder / "backtest.ndjson")
            yield Aftermath(
                service,
                traffic,
                publisher.sent,
                set(gateway.acknowledged),
                stats,
                service.episodes(),
                events,
                judged,
                integrator.bodies("evt"),
            )


def kill_service(service: Running) -> None:
    service.kill()
    time.sleep(0.5)
    service.start()


def kill_broker(service: Running) -> None:
    os.kill(service.part_pid("nats"), signal.SIGKILL)


def kill_database(service: Running) -> None:
    before = service.part_pid("postgres")
    os.kill(before, signal.SIGKILL)
    wait_until(lambda: not psutil.pid_exists(before), what="the database is gone")


def test_every_acknowledged_ping_is_stored_once(aftermath: Aftermath) -> None:
    """Sent, acknowledged and stored are the same number, and a number of pings is one of distinct pings."""
    assert len(aftermath.sent) == len(aftermath.traffic.sent) == 5_000
    assert set(aftermath.sent) <= aftermath.acknowledged
    assert aftermath.stats["pings_stored"] == 5_000
    assert aftermath.stats["dead_letters"] == 0


def test_readiness_does_not_tell_of_an_error_that_is_over(aftermath: Aftermath) -> None:
    """The broker came back: what had ended the connection before is no detail of the one that stands."""
    _, checks = aftermath.service.readyz()
    assert checks["broker_in"] == (True, "connected")
    assert checks["broker_out"] == (True, "connected")


def test_table_of_pings_has_each_ping_once(aftermath: Aftermath) -> None:
    """What the database says agrees with the counter."""
    [row] = aftermath.service.rows(
        "SELECT count(*) AS n, count(DISTINCT (s.name, p.time)) AS distinct_n "
        "FROM pings p JOIN seals s ON s.id = p.seal WHERE s.space = 'live'"
    )
    assert (row["n"], row["distinct_n"]) == (5_000, 5_000)


def test_traffic_gives_every_rule_something_to_say(aftermath: Aftermath) -> None:
    """The comparison below would mean little over few episodes."""
    kinds = Counter(e["type"] for e in aftermath.judged_at_once)
    assert kinds["ROUTE_DEVIATION"] >= 50
    assert kinds["ZONE_ENTERED"] >= 100
    assert kinds["PROHIBITED_ZONE"] >= 10
    assert kinds["SEAL_TAMPER"] >= 5
    assert kinds["STOP_UNPLANNED"] >= 5
    assert kinds["BATTERY_LOW"] >= 5


def test_episodes_are_those_of_an_undisturbed_judgement(aftermath: Aftermath) -> None:
    """To the member: ids, times, severity and evidence; but for what the time of day decides."""
    assert unclocked(aftermath.episodes) == unclocked(aftermath.judged_at_once)


def test_events_folded_by_sequence_give_the_episodes(aftermath: Aftermath) -> None:
    """Nothing that happened to the processes is seen in the log: its sum is the stored episodes, exactly."""
    assert folded(aftermath.events) == by_id(aftermath.episodes)


def test_event_has_one_sequence_and_one_id(aftermath: Aftermath) -> None:
    """No sequence and no id is given twice, and paging is in order of sequence."""
    sequences = [e["sequence"] for e in aftermath.events]
    assert sequences == sorted(set(sequences))
    assert len({e["id"] for e in aftermath.events}) == len(aftermath.events)
    assert aftermath.stats["events"] == len(aftermath.events)


def test_integrator_who_stayed_subscribed_has_every_event(aftermath: Aftermath) -> None:
    """At least once over MQTT, with a durable session, across all four blows; what came twice was the same."""
    told: dict[str, dict[str, Any]] = {}
    for event in aftermath.told:
        assert told.setdefault(event["id"], event) == event
    assert told == {e["id"]: e for e in aftermath.events}
