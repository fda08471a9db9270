"""What a broker killed with -9 loses of what it had acknowledged: nothing on NATS, a stated window on Mosquitto."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from parts import DEPLOY, Broker, ComposeBroker, wait_until

RATE_PER_S = 400

log = logging.getLogger(__name__)


def saving_interval_s() -> int:
    """Seconds between two times that Mosquitto writes its queues, from the configuration that compose mounts."""
    found = re.search(
        r"^autosave_interval (\d+)$", (DEPLOY / "mosquitto" / "mosquitto.conf").read_text(), re.MULTILINE
    )
    assert found
    return int(found.group(1))


def publish_until(broker: Broker, enough: Callable[[], bool]) -> dict[str, float]:
    """Publish at ``RATE_PER_S``; the topics acknowledged, each with the time of its acknowledgement."""
    acknowledged_at: dict[int, float] = {}
    topics: dict[int, str] = {}
    publisher = broker.client("gateway")
    publisher.paho.on_publish = lambda _c, _u, mid, _r, _p: acknowledged_at.__setitem__(mid, time.time())
    with publisher:
        began = time.monotonic()

        def publish_what_is_due() -> bool:
            while len(topics) < (time.monotonic() - began) * RATE_PER_S:
                topic = f"eseal/v1/demo/dev/S-{len(topics)}/ping"
                topics[publisher.publish(topic)] = topic
            return enough()

        wait_until(publish_what_is_due, what="published for long enough")
        wait_until(lambda: len(acknowledged_at) == len(topics), what="all acknowledged")
    return {topics[mid]: at for mid, at in acknowledged_at.items()}


def saved_at(folder: Path) -> float:
    """When Mosquitto wrote its queues last, 0 if never; it takes no message while it writes."""
    file = folder / "data" / "mosquitto.db"
    return file.stat().st_mtime if file.exists() else 0.0


def receive_all(broker: Broker) -> set[str]:
    """What is delivered to the durable session, in the order it was queued: all, once what is published now arrives."""
    last = "eseal/v1/demo/dev/LAST/ping"
    with broker.client("service", "store") as store, broker.client("gateway") as publisher:
        publisher.publish(last)
        wait_until(lambda: store.messages and store.messages[-1].topic == last, what="the last message")
        return set(store.topics())


@pytest.mark.parametrize("kind", ["nats", "mosquitto"])
def test_a_killed_broker_loses_at_most_its_stated_window_of_acknowledged_pings(
    kind: str, open_folder: Path, record_property: pytest.RecordProperty
) -> None:
    """The service is away; the broker, as production has it, is killed under load and started again; we count.

    NATS: none may be missing. Mosquitto writes its queues every ``autosave_interval`` seconds: only what it acknowledged
    since the last writing may be missing, and it wrote while we published.
    """
    if reason := ComposeBroker.missing(kind):
        pytest.skip(reason)
    assert saving_interval_s() == 5
    running = ComposeBroker(kind, open_folder).start()
    try:
        with running.broker.client("service", "store") as store:
            assert store.subscribe("eseal/v1/+/+/+/ping")
        if kind == "mosquitto":  # the session itself must have been written once
            wait_until(lambda: saved_at(open_folder), what="the first saving")
        began = time.time()
        if kind == "mosquitto":
            acknowledged = publish_until(
                running.broker, lambda: began + 1 < saved_at(open_folder) < time.time() - 2
            )
        else:
            acknowledged = publish_until(running.broker, lambda: time.time() - began > 3)
        running.kill()
        killed_at, last_saved_at = time.time(), saved_at(open_folder)
        running.start()
        received = receive_all(running.broker)
    finally:
        running.stop()
    missing = {topic: at for topic, at in acknowledged.items() if topic not in received}
    figures = {
        "acknowledged": len(acknowledged),
        "missing": len(missing),
        "oldest_s": killed_at - min(missing.values(), default=killed_at),
    }
    log.info("%s killed: %s", kind, figures)
    for name, figure in figures.items():
        record_property(name, figure)
    assert len(acknowledged) > RATE_PER_S
    if kind == "nats":
        assert missing == {}
    else:
        assert received & set(acknowledged)
        assert all(at > last_saved_at for at in missing.values())
