"""A production database is backed up and restored as the role that owns it, which cannot change the ledger; a superuser is not needed."""

from __future__ import annotations

import asyncio
import secrets
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg
import pytest
from parts import Broker, ComposeBroker, wait_until
from store_stories import START_MS, episode, event

from seal_tracker.commands.backup import BackupError, backup, restore
from seal_tracker.commands.ledger import verified_ledger
from seal_tracker.embedded import EmbeddedParts
from seal_tracker.embedded.postgres import prepare_ledger, programs_of
from seal_tracker.publishing.cloudevents import cloud_event
from seal_tracker.publishing.topics import ingest_session
from seal_tracker.store import Action, Commit, Store
from seal_tracker.store.connections import connect


@pytest.fixture
def database(embedded: EmbeddedParts, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., str]]:
    """Make a database of the service's role, with the ledger's tables where wanted; its address as that role."""
    monkeypatch.setenv("PATH", str(programs_of(embedded.folder / "postgres" / "data")))
    names: list[str] = []

    async def as_superuser(statement: str) -> None:
        superuser = await asyncpg.connect(embedded.superuser_dsn)
        await superuser.execute(statement)
        await superuser.close()

    def make(*, ledger: bool = True) -> str:
        names.append(f"kept_{secrets.token_hex(4)}")
        asyncio.run(as_superuser(f"CREATE DATABASE {names[-1]} OWNER seal_tracker"))
        if ledger:
            asyncio.run(prepare_ledger(embedded.superuser_dsn.rpartition("/")[0] + f"/{names[-1]}"))
        return embedded.postgres_dsn.rpartition("/")[0] + f"/{names[-1]}"

    yield make
    for name in names:
        asyncio.run(as_superuser(f"DROP DATABASE {name} WITH (FORCE)"))


async def fill(dsn: str) -> None:
    """An episode with its event, and what an officer did."""
    store = await Store.open(dsn)
    one = episode(1, evidence={})
    told = event(one, 1)
    action = Action(START_MS, "lan", "operator", "alarm.close", "alarm/1", "J-1", "HP", b"{}")
    await store.commit(
        Commit(space="live", episodes=[(one, 1, False)], events=[told], event_bodies=[cloud_event(told, "demo")], actions=[action])
    )  # fmt: skip
    await store.close()


async def looked_at(dsn: str) -> tuple[bool, int, int]:
    """Whether the ledger is whole and all tables are what it tells, its links, and the last event."""
    store = await Store.open(dsn)
    sequence = await store.last_sequence()
    await store.close()
    connection = await connect(dsn, "test", 10)
    found = await verified_ledger(connection, [], [])
    await connection.close()
    return found.whole, found.links, sequence


def test_the_owner_backs_up_and_restores_everything_the_ledger_too(
    database: Callable[..., str], tmp_path: Path
) -> None:
    """Into a database that a superuser has prepared once, as any new one; and goes on there."""
    old, new, file = database(), database(), tmp_path / "backup.tar"
    asyncio.run(fill(old))
    assert backup(file, embedded=None, dsn=old) == 0
    assert restore(file, embedded=None, dsn=new) == 0
    assert asyncio.run(looked_at(new)) == (True, 1, 1)
    with pytest.raises(BackupError, match="ledger is not empty"):
        restore(file, embedded=None, dsn=new)
    without = database(ledger=False)
    with pytest.raises(BackupError, match=r"seal-tracker ledger prepare \| psql"):
        restore(file, embedded=None, dsn=without)


def test_of_a_broker_of_ones_own_the_volume_and_then_the_database_hold_every_ping(
    database: Callable[..., str], open_folder: Path
) -> None:
    """The way of `deploy/README.md`: what Mosquitto acknowledged while the service was away waits for it in the copied volume."""
    if reason := ComposeBroker.missing("mosquitto"):
        pytest.skip(reason)
    old, new, file = database(), database(), open_folder / "backup.tar"
    volume, session = open_folder / "volume", ingest_session("demo", "own")
    before = ComposeBroker("mosquitto", open_folder / "before").start()
    with before.broker.client("service", session) as service:
        assert service.subscribe(PING.format("+"))
    hold(before.broker, "S-1")
    before.stop()
    store_of(before).rename(volume)
    shutil.copytree(volume, store_of(before))
    before.start()
    asyncio.run(fill(old))
    assert backup(file, embedded=None, dsn=old) == 0
    hold(before.broker, "S-2")  # after both: it is in neither, and the gateway is told so by nobody
    before.stop()

    after = ComposeBroker("mosquitto", open_folder / "after")
    shutil.copytree(volume, store_of(after), dirs_exist_ok=True)
    assert restore(file, embedded=None, dsn=new) == 0
    after.start()
    with after.broker.client("service", session) as service:
        wait_until(lambda: service.messages, what="what was held came")
        assert service.topics() == [PING.format("S-1")]
        assert service.messages[0].payload == b"S-1"
    after.stop()
    assert asyncio.run(looked_at(new)) == (True, 1, 1)


PING = "eseal/v1/demo/dev/{}/ping"


def hold(broker: Broker, seal: str) -> None:
    """A ping that the broker acknowledges, and keeps."""
    with broker.client("gateway") as gateway:
        mid = gateway.publish(PING.format(seal), seal)
        wait_until(lambda: mid in gateway.acknowledged, what=f"{seal} was acknowledged")


def store_of(broker: ComposeBroker) -> Path:
    """The folder that compose keeps as the volume ``mosquitto-store``."""
    (target,) = [v.split(":")[1] for v in broker.service["volumes"] if v.startswith("mosquitto-store:")]
    return broker.folder / Path(target).name
