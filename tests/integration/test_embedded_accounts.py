"""Each account may do its job and nothing else, on both brokers; the embedded database lets no stranger in."""

from __future__ import annotations

import secrets

import asyncpg
import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from parts import Broker, wait_until

from seal_tracker.embedded import EmbeddedParts

ROOT = "eseal/v1/demo"
EXERCISE = "eseal-exercise/v1/demo"


@pytest.fixture(params=["nats_broker", "production_nats_broker", "mosquitto_broker"])
def broker(request: pytest.FixtureRequest) -> Broker:
    """The embedded broker, and both brokers as production configures them."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def mark() -> str:
    """A word found nowhere else, so that tests sharing a broker do not hear each other."""
    return secrets.token_hex(4)


@pytest.mark.parametrize("root", [ROOT, f"{EXERCISE}/run-1"])
@pytest.mark.parametrize("kind", ["dev/{}/ping", "dev/{}/status", "equip/{}/status", "raw/jt701/{}"])
def test_gateway_publishes_for_any_device_and_the_service_hears_it_by_its_own_name(
    broker: Broker, mark: str, root: str, kind: str
) -> None:
    """Ids match [A-Za-z0-9_.:-]{1,64}; a broker that uses dots for itself must give them back as they came."""
    topic = f"{root}/{kind.format(f'VN.{mark}:seal-0_1')}"
    with broker.client("service") as service, broker.client("gateway") as gateway:
        assert service.subscribe(f"{root}/{kind.format('+')}")
        gateway.publish(topic, "hello")
        wait_until(lambda: topic in service.topics(), what=topic)


def test_gateway_reads_nothing_and_publishes_no_alert(broker: Broker, mark: str) -> None:
    """A gateway's password, lost with the gateway, must not show or forge an alert, nor a command to a seal, nor its answer."""
    with (
        broker.client("service") as service,
        broker.client("gateway", f"gw-{mark}") as gateway,
        broker.client("gateway") as forger,
    ):
        for topic in ("evt/#", "cmd/+", "dev/+/answer"):
            service.subscribe(f"{ROOT}/{topic}")
        for topic in (f"{ROOT}/evt/#", f"{ROOT}/cmd/+", f"{ROOT}/dev/+/ping", f"{ROOT}/+/+/ping", "#"):
            gateway.subscribe(topic)  # one broker refuses, the other grants and delivers nothing
        service.publish(f"{ROOT}/evt/high/X/journey/{mark}")
        service.publish(f"{ROOT}/dev/{mark}/ping")
        service.publish(f"{ROOT}/cmd/{mark}")
        for topic in (f"evt/high/FORGED/journey/{mark}", "cmd/FORGED", "dev/FORGED/answer"):
            forger.publish(f"{ROOT}/{topic}")
        wait_until(lambda: f"{ROOT}/evt/high/X/journey/{mark}" in service.topics(), what="the true alert")
        service.publish(f"{ROOT}/evt/high/LAST/journey/{mark}")
        wait_until(lambda: f"{ROOT}/evt/high/LAST/journey/{mark}" in service.topics(), what="the last alert")
        assert [topic for topic in service.topics() if "FORGED" in topic] == []
        assert gateway.topics() == []


def test_a_message_too_large_ends_its_connection_and_is_not_acknowledged(broker: Broker, mark: str) -> None:
    """Nothing acknowledged is lost: a broker that drops what is beyond its limit must not say that it has it."""
    with broker.client("gateway") as gateway:
        ended: list[object] = []
        gateway.paho.on_disconnect = lambda *told: ended.append(told)
        largest = gateway.publish(f"{ROOT}/dev/{mark}/ping", b"x" * 999_000)
        wait_until(lambda: largest in gateway.acknowledged, what="the largest that is taken")
        too_large = gateway.publish(f"{ROOT}/dev/{mark}/ping", b"x" * 1_001_000)
        wait_until(lambda: bool(ended), what="the end of the connection")
        assert too_large not in gateway.acknowledged


def test_integrator_reads_all_kinds_of_alert_in_one_durable_session_and_misses_none_while_away(
    broker: Broker, mark: str
) -> None:
    """What reached the broker while the integrator was away is there when it comes back."""
    filters = [f"eseal/v1/+/{kind}/#" for kind in ("evt", "alarm", "journey", "svc")]
    sent = [
        f"{ROOT}/evt/high/ROUTE_DEVIATION/journey/J.{mark}",
        f"{ROOT}/alarm/{mark}",
        f"{ROOT}/journey/J:{mark}/state",
        f"{ROOT}/svc/{mark}",
    ]
    with broker.client("integrator", f"duty-{mark}") as integrator:
        assert all(integrator.subscribe(topic) for topic in filters)
    with broker.client("service") as service:
        mids = [service.publish(topic) for topic in sent]
        wait_until(lambda: service.acknowledged >= set(mids), what="alerts acknowledged")
    with broker.client("integrator", f"duty-{mark}") as integrator:
        wait_until(lambda: set(sent) <= set(integrator.topics()), what="alerts of the time away")


def test_integrator_hears_exercises_and_retained_states(broker: Broker, mark: str) -> None:
    """Retained state reaches who subscribes later."""
    with broker.client("service") as service, broker.client("integrator", f"late-{mark}") as integrator:
        mid = service.publish(f"{EXERCISE}/{mark}/alarm/A-1", "state", retain=True)
        wait_until(lambda: mid in service.acknowledged, what="state acknowledged")
        assert integrator.subscribe(f"{EXERCISE}/{mark}/alarm/#")
        wait_until(lambda: integrator.topics() == [f"{EXERCISE}/{mark}/alarm/A-1"], what="retained state")


def test_integrator_keeps_the_ledgers_checkpoints(broker: Broker) -> None:
    """Somebody else must hold them; nobody but the service says them."""
    topic = f"{ROOT}/ledger/checkpoint"
    with (
        broker.client("service") as service,
        broker.client("integrator") as integrator,
        broker.client("integrator") as forger,
    ):
        forger.publish(topic, "forged", retain=True)
        mid = service.publish(topic, "signed", retain=True)
        wait_until(lambda: mid in service.acknowledged, what="checkpoint acknowledged")
        assert integrator.subscribe("eseal/v1/+/ledger/#")
        wait_until(lambda: topic in integrator.topics(), what="retained checkpoint")
        assert [message.payload for message in integrator.messages] == [b"signed"]


def test_integrator_neither_reads_devices_nor_publishes(broker: Broker, mark: str) -> None:
    """It only reads alerts: what devices say, where each is and when, is not for it."""
    with (
        broker.client("service") as service,
        broker.client("integrator", f"nosy-{mark}") as integrator,
        broker.client("integrator") as forger,
    ):
        service.subscribe(f"{ROOT}/#")
        for topic in (f"{ROOT}/dev/#", f"{ROOT}/+/+/ping", "eseal/#", "#"):
            integrator.subscribe(topic)
        service.publish(f"{ROOT}/dev/{mark}/ping")
        for topic in (f"{ROOT}/evt/high/FORGED/journey/{mark}", f"{ROOT}/dev/FORGED/ping"):
            forger.publish(topic)
        for topic in (f"{ROOT}/dev/{mark}/ping", f"{ROOT}/dev/{mark}/LAST"):
            service.publish(topic)
            wait_until(lambda topic=topic: topic in service.topics(), what=topic)
        assert [topic for topic in service.topics() if "FORGED" in topic] == []
        assert [topic for topic in integrator.topics() if "/dev/" in topic] == []


@pytest.mark.parametrize(
    ("username", "password"),
    [(None, None), ("service", "wrong"), ("postgres", ""), ("operator", "operator")],
)
def test_a_stranger_does_not_get_into_the_broker(
    broker: Broker, username: str | None, password: str | None
) -> None:
    """No anonymous access, no default passwords, and only three accounts are the broker's."""
    answers: list[bool] = []
    client = mqtt.Client(CallbackAPIVersion.VERSION2)
    client.on_connect = lambda _c, _u, _f, code, _p: answers.append(code.is_failure)
    if username is not None:
        client.username_pw_set(username, password)
    client.connect(broker.host, broker.port)
    wait_until(lambda: client.loop(0.1) is not None and answers, what="an answer to CONNECT")
    assert answers[0] is True


@pytest.mark.parametrize("username", ["postgres", "seal_tracker", "root"])
async def test_a_stranger_does_not_get_into_the_database(embedded: EmbeddedParts, username: str) -> None:
    """PostgreSQL on loopback asks everybody for a password, its superuser too."""
    port = int(embedded.postgres_dsn.rpartition(":")[2].partition("/")[0])
    for password in (None, "", username):
        with pytest.raises((asyncpg.InvalidPasswordError, asyncpg.InvalidAuthorizationSpecificationError)):
            await asyncpg.connect(
                host="127.0.0.1", port=port, user=username, password=password, database="postgres"
            )


async def test_the_service_owns_its_database_and_is_no_superuser(embedded: EmbeddedParts) -> None:
    """Who breaks into the service gets its data, not the machine."""
    connection = await asyncpg.connect(embedded.postgres_dsn)
    try:
        assert await connection.fetchval("SELECT NOT rolsuper FROM pg_roles WHERE rolname = current_user")
        assert await connection.fetchval(
            "SELECT pg_get_userbyid(datdba) = current_user FROM pg_database WHERE datname = current_database()"
        )
    finally:
        await connection.close()
