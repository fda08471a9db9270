"""What a broker killed with -9 loses of what it had acknowledged: nothing on NATS, a stated window on Mosquitto."""

from __future__ import annotations

import logging
import re
import time
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


def publish_for(broker: Broker, seconds: float) -> dict[str, float]:
    """Publish at ``RATE_PER_S`` for that long; the topics acknowledged, each with the time of its acknowledgement."""
    acknowledged_at: dict[int, float] = {}
    topics: dict[int, str] = {}
    publisher = broker.client("gateway")
    publisher.paho.on_publish = lambda _c, _u, mid, _r, _p: acknowledged_at.__setitem__(mid, time.monotonic())
    with publisher:
        began = time.monotonic()
        while (elapsed := time.monotonic() - began) < seconds:
            while len(topics) < elapsed * RATE_PER_S:
                topic = f"eseal/v1/demo/dev/S-{len(topics)}/ping"
                topics[publisher.publish(topic)] = topic
            time.sleep(0.01)
        wait_until(lambda: len(acknowledged_at) == len(topics), what="all acknowledged")
    return {topics[mid]: at for mid, at in acknowledged_at.items()}


def receive_all(broker: Broker) -> set[str]:
    """What is delivered to the durable session; done when nothing came for two seconds."""
    with broker.client("service", "store") as store:
        count, since = -1, time.monotonic()
        while time.monotonic() - since < 2:
            if len(store.messages) != count:
                count, since = len(store.messages), time.monotonic()
            time.sleep(0.05)
        return set(store.topics())


@pytest.mark.parametrize("kind", ["nats", "mosquitto"])
def test_a_killed_broker_loses_at_most_its_stated_window_of_acknowledged_pings(
    kind: str, open_folder: Path, record_property: pytest.RecordProperty
) -> None:
    """The service is away; the broker, as production has it, is killed under load and started again; we count.

    NATS: none may be missing. Mosquitto writes its queues every ``autosave_interval`` seconds, looks once a second
    whether it is time, and writes for a moment: only what it acknowledged since then may be missing.
    """
    if reason := ComposeBroker.missing(kind):
        pytest.skip(reason)
    running = ComposeBroker(kind, open_folder).start()
    interval_s = saving_interval_s()
    window_s = 0 if kind == "nats" else interval_s + 2
    try:
        with running.broker.client("service", "store") as store:
            assert store.subscribe("eseal/v1/+/+/+/ping")
        if kind == "mosquitto":  # the session itself must have been written once
            wait_until(
                lambda: any((open_folder / "data").iterdir()), what="the first saving", limit_s=interval_s * 3
            )
        acknowledged = publish_for(running.broker, seconds=interval_s * 1.5 + 2)
        running.kill()
        killed_at = time.monotonic()
        running.start()
        received = receive_all(running.broker)
    finally:
        running.stop()
    missing = {topic: killed_at - at for topic, at in acknowledged.items() if topic not in received}
    figures = {
        "acknowledged": len(acknowledged),
        "missing": len(missing),
        "oldest_s": max(missing.values(), default=0),
    }
    log.info("%s killed: %s", kind, figures)
    for name, figure in figures.items():
        record_property(name, figure)
    assert len(acknowledged) > RATE_PER_S
    assert len(received & set(acknowledged)) >= (1 if window_s else len(acknowledged))
    assert all(age_s < window_s for age_s in missing.values())
