"""The ledger in PostgreSQL: written with what it records, closed to the service's own role, and not to be changed unseen by anybody."""

from __future__ import annotations

import asyncio
import re
import secrets
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from parts import DEPLOY
from store_servers import CutWire
from store_stories import START_MS, episode, event, number_id

from seal_tracker.alarms.of_episodes import new_alarm
from seal_tracker.alarms.rows import row_of
from seal_tracker.commands.ledger import verified_ledger
from seal_tracker.embedded import EmbeddedParts
from seal_tracker.embedded.postgres import _ensure_database, prepare_ledger
from seal_tracker.journey_record import JourneyRecord
from seal_tracker.ledger.chain import GENESIS, Head, Link, unpack
from seal_tracker.ledger.checkpoints import read_checkpoint, sign_checkpoint
from seal_tracker.ledger.entries import index_in, states_in
from seal_tracker.ledger.verification import ChainCheck, Mark
from seal_tracker.model import iso_ms
from seal_tracker.publishing.cloudevents import cloud_event
from seal_tracker.reports.rows import KeptReport
from seal_tracker.situations.rows import SituationChange, SituationRow
from seal_tracker.store import Action, Commit, CommitRefused, SchemaMismatch, Store, StoreUnavailable
from seal_tracker.store.connections import Connection, connect
from seal_tracker.store.duty_rows import HandOverRow, ShiftRow
from seal_tracker.store.ledger_reads import all_checkpoints, all_links
from seal_tracker.store.queries import sql
from seal_tracker.store.records import AccountRow, NewPlan, SuppressionRow
from seal_tracker.supervision.journey_changes import PLAN, action_of, change_of

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
LINKS = 12


FIXES = [{"lon": 106.68, "lat": 20.86}]


def told(first: int, count: int = 2, *, journey: str = "J-1", space: str = "live") -> Commit:
    """A commit of new episodes with their events and alarms, and one thing that an officer did."""
    episodes = [
        episode(number, journey=journey, subject=journey, evidence={"fixes": FIXES})
        for number in range(first, first + count)
    ]
    events = [event(e, sequence, space=space) for sequence, e in enumerate(episodes, first + 1)]
    alarms = [new_alarm(e, START_MS, responsible=None, declaration=None) for e in events]
    action = Action(
        START_MS, "lan", "operator", "alarm.acknowledge", f"alarm/{first}", "J-9", "HP", b'{"a":\n1}'
    )
    return Commit(
        space=space,
        episodes=[(e, 1, False) for e in episodes],
        events=events,
        event_bodies=[cloud_event(e, "demo") for e in events],
        alarms=[row_of(alarm, [alarm.episode]) for alarm in alarms],
        actions=[action],
    )


def first_of_all() -> Commit:
    """What `told` has, and a journey, a shift that is handed over and an order that suppresses."""
    commit = told(0)
    record = JourneyRecord(id="J-5", regime="transit", unit="HP")
    change = change_of(record, None, PLAN, "import", at_ms=START_MS, now_ms=START_MS, plan_digest=b"1")
    shift = ShiftRow(number_id(1), "HP", "lan", START_MS, START_MS + 1, "", 1, "head", START_MS)
    left = HandOverRow(
        number_id(2), shift.id, None, "HP", "two are open", "[]", 2, START_MS, "lan", None, None, 1
    )
    order = SuppressionRow(number_id(3), 1, "HP", START_MS, START_MS + 1, None, b'{"a":1}')
    officer = AccountRow("lan", "operator", "HP", None, False, False, "api", None, 1, START_MS, START_MS)
    plan = NewPlan(
        1,
        None,
        START_MS,
        "d",
        {"zones.geojson": '{"a":"ế\\u0000"}'},
        "lan",
        "why",
        b'{"a":{}}',
        "d0",
        {"a": "b"},
    )
    seen = SituationRow(
        number_id(4), 1, "complaint", "high", "HP", "open", True, START_MS, START_MS, None, ("J-5", "J:6"), "salt", b'{"a":1}'
    )  # fmt: skip
    kept = KeptReport(number_id(5), None, START_MS, START_MS + 1, START_MS + 2, b'{"late":9}')
    situation = SituationChange(seen, "registered", START_MS, "lan", "operator")
    done = [
        Action(START_MS, "lan", "operator", verb, f"{verb.partition('.')[0]}/{of}", None, "HP", b"{}")
        for verb, of in (("hand_over.handed", left.id), ("suppression.ordered", order.id))
    ]
    return replace(
        commit, actions=[*commit.actions, action_of(change), *done], journeys=[change], accounts=[officer], shifts=[shift], hand_overs=[left],
        suppressions=[order], plans=[plan], situations=[situation], kept_reports=[kept],
    )  # fmt: skip


def retracting(of: Commit, sequence: int) -> Commit:
    """The commit that takes back the first episode of another."""
    first = of.events[0].episode
    back = msgspec.structs.replace(event(first, sequence, revision=2), transition="retracted")
    return Commit(
        space="live", episodes=[(first, 2, True)], events=[back], event_bodies=[cloud_event(back, "demo")]
    )


@asynccontextmanager
async def opened(dsn: str) -> AsyncIterator[Store]:
    store = await Store.open(dsn)
    try:
        yield store
    finally:
        await store.close()


@asynccontextmanager
async def superuser_of(embedded: EmbeddedParts, dsn: str) -> AsyncIterator[Connection]:
    """The database's superuser, whom no grant and no trigger holds back; what it does is rolled back afterwards."""
    address = embedded.superuser_dsn.rpartition("/")[0] + "/" + dsn.rpartition("/")[2]
    connection = await connect(address, "superuser", 30)
    try:
        await connection.execute("BEGIN; SET LOCAL session_replication_role = replica")
        yield connection
        await connection.execute("ROLLBACK")
    finally:
        await connection.close()


async def checked(connection: Connection, *marks: Mark) -> ChainCheck:
    check = ChainCheck(marks)
    async for page in all_links(connection):
        check.take(page)
    check.end()
    return check


@pytest.fixture(scope="module")
def filled(embedded: EmbeddedParts) -> Iterator[str]:
    """Address of a database whose ledger has a dozen links; whoever changes it rolls back."""
    name = f"ledger_{secrets.token_hex(4)}"
    server = embedded.superuser_dsn.rpartition("/")[0]

    async def fill() -> None:
        superuser = await asyncpg.connect(embedded.superuser_dsn)
        await superuser.execute(f"CREATE DATABASE {name} OWNER seal_tracker")
        await superuser.close()
        await prepare_ledger(f"{server}/{name}")
        async with opened(embedded.postgres_dsn.rpartition("/")[0] + f"/{name}") as store:
            await store.commit(first_of_all())
            for number in range(1, LINKS - 1):
                await store.commit(told(10 * number))
            await store.commit(retracting(told(0), 10 * LINKS))
            await store.add_ledger_checkpoint(sign_checkpoint(KEY, "t", await store.ledger_head(), START_MS))

    async def drop() -> None:
        superuser = await asyncpg.connect(embedded.superuser_dsn)
        await superuser.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await superuser.close()

    asyncio.run(fill())
    yield embedded.postgres_dsn.rpartition("/")[0] + f"/{name}"
    asyncio.run(drop())


async def test_a_commit_leaves_one_link_with_all_it_told(postgres_dsn: str) -> None:
    """Events byte for byte as published, their fixes with them, and what persons did; journeys lead to it."""
    async with opened(postgres_dsn) as store:
        assert await store.ledger_head() == Head(0, GENESIS)
        await store.commit(told(0, journey="J-1"))
        await store.commit(Commit(space="live", counts={"duplicates": 1}))  # tells nothing
        await store.add_space("drill")
        await store.commit(told(10, space="drill"))  # proves nothing
        await store.commit(told(20, 1))
        second, first = await store.links(None, 10)
        assert (first.number, second.number) == (1, 2)
        assert second.previous == first.hash
        assert await store.ledger_head() == Head(2, second.hash)
        assert (first.body, second.body) == (b"", b"")
        [whole] = await store.link_run(1, 1, [1])
        *events, action, index, index_of_action, states = unpack(whole.body)
        assert events == told(0, journey="J-1").event_bodies
        assert [action, index, index_of_action] == [
            (
                b'{"action":"alarm.acknowledge","time":"2026-09-21T14:13:20.000Z","actor":"lan","role":"operator",'
                b'"subject":"alarm/0","journey":"J-9","unit":"HP","body":{"a":1}}'
            ),
            b'{"index":{"after":0,"entries":2},"journey":"J-1"}',
            b'{"index":{"after":0,"entries":1},"journey":"J-9"}',
        ]
        changed = {f"episode/{e.episode}": iso_ms(e.changed_ms) for e, _, _ in told(0).episodes}
        assert states_in(states).items() >= changed.items()
        assert states_in(states).keys() - changed.keys() == {f"alarm/{row.id}" for row in told(0).alarms}
        [later] = await store.link_run(2, 2, [2])
        assert [i for entry in unpack(later.body) if (i := index_in(entry))] == [("J-1", 1, 1), ("J-9", 1, 1)]
        assert await store.link_numbers("J-1") == [1, 2]
        assert await store.link_numbers("J-9") == [1, 2]
        assert [link.number for link in await store.links(None, 1, "J-9")] == [2]
        assert [link.number for link in await store.links(2, 10, "J-9")] == [1]
        assert [bool(link.body) for link in await store.link_run(1, 2, [2])] == [False, True]


async def test_the_chain_goes_on_after_a_restart_and_agrees(postgres_dsn: str) -> None:
    """Whoever writes next appends to what is there; checkpoints stay with their links."""
    for number in range(3):
        async with opened(postgres_dsn) as store:
            await store.commit(told(10 * number))
            await store.add_ledger_checkpoint(sign_checkpoint(KEY, "t", await store.ledger_head(), START_MS))
    connection = await connect(postgres_dsn, "test", 5)
    marks = [Mark(read_checkpoint(c.jws), held=False) for c in await all_checkpoints(connection)]
    check = await checked(connection, *marks)
    await connection.close()
    assert (check.broken, check.links, check.signed_to) == (None, 3, 3)


async def test_a_commit_that_is_refused_leaves_no_link(postgres_dsn: str) -> None:
    """One transaction: the same events a second time are refused, and the ledger with them."""
    async with opened(postgres_dsn) as store:
        await store.commit(told(0))
        head = await store.ledger_head()
        with pytest.raises(CommitRefused):
            await store.commit(told(0))
        assert await store.ledger_head() == head
        await store.commit(told(10))
        assert [link.number for link in await store.links(None, 10)] == [2, 1]


@pytest.mark.parametrize("lose", ["the commit", "the answer"])
async def test_a_commit_in_doubt_is_in_the_chain_once(postgres_dsn: str, lose: str) -> None:
    """Whether COMMIT was lost or its answer, the next link follows the one that stands."""
    wire = CutWire(postgres_dsn)
    async with opened(await wire.open()) as store:
        await store.commit(told(0))
        commit = told(10)
        wire.lose = lose
        with pytest.raises(StoreUnavailable):
            await store.commit(commit)
        await store.commit(commit)
        await store.commit(told(20))
        connection = await connect(postgres_dsn, "test", 5)
        check = await checked(connection)
        await connection.close()
        assert (check.broken, check.links, check.head) == (None, 3, (await store.ledger_head()).hash)
    await wire.close()


async def test_a_writer_killed_amid_commits_leaves_a_whole_chain(postgres_dsn: str) -> None:
    """As many links as commits stand, and the next writer goes on from the last."""
    other = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        ENDLESS,
        postgres_dsn,
        stdout=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    assert other.stdout is not None
    for _ in range(10):
        assert await other.stdout.readline() == b"committed\n"
    other.kill()
    await other.wait()
    async with opened(postgres_dsn) as store:
        stood = await store.last_commit_number()
        assert stood >= 10
        await store.commit(told(1_000_000))
    connection = await connect(postgres_dsn, "test", 5)
    check = await checked(connection)
    await connection.close()
    assert (check.broken, check.links) == (None, stood + 1)


ENDLESS = """
import asyncio, sys
from seal_tracker.store import Action, Commit, Store
async def main():
    store = await Store.open(sys.argv[1])
    for number in range(100000):
        action = Action(number, "lan", "operator", "alarm.acknowledge", "alarm/1", None, None, b"{}")
        await store.commit(Commit(space="live", actions=[action]))
        print("committed", flush=True)
asyncio.run(main())
"""


async def test_lists_of_the_ledger_are_read_by_their_index(embedded: EmbeddedParts, filled: str) -> None:
    """In order, without a sort and without reading a whole table, in a ledger of some size."""
    asked: dict[str, tuple[Any, ...]] = {
        "ledger_head": (),
        "links_before": (4_000, 100),
        "links_after": (4_000, 100),
        "links_of_journey": ("J-7", 4_000, 100),
        "numbers_of_journey": ("J-7",),
        "links_of_run": (4_000, 4_020, [4_001]),
        "ledger_checkpoints_before": (4_000, 100),
        "ledger_checkpoints_covering": ([4_000, 4_001],),
        "events_of_before_the_ledger": ("live", 400, START_MS),
        "events_hashed": ("live", 400, 420),
        "events_digest": ("live", 400, 420),
        "unrecorded_after": ("live", 400),
        "actions_after": ("live", 400, 100),
    }
    async with superuser_of(embedded, filled) as connection:
        await connection.execute(MANY)
        for mode in ("force_custom_plan", "force_generic_plan"):
            await connection.execute(f"SET LOCAL plan_cache_mode = {mode}")
            for name, args in asked.items():
                (text,) = await connection.fetchrow(f"EXPLAIN (FORMAT JSON) {sql(name)}", *args)
                assert "Seq Scan" not in text, (mode, name, text)
                assert name in {"numbers_of_journey", "events_digest"} or '"Sort"' not in text, (
                    mode,
                    name,
                    text,
                )


MANY = """
INSERT INTO ledger.links (number, recorded_at, previous, entries_hash, hash, body)
SELECT n, now(), '', '', '', 'x' FROM generate_series(100, 20000) AS n;
INSERT INTO ledger.journeys (journey, number) SELECT 'J-' || n % 10, n FROM generate_series(100, 20000) AS n;
INSERT INTO ledger.checkpoints (number, signed_at, jws) SELECT n, now(), 'x' FROM generate_series(100, 20000) AS n;
INSERT INTO events (sequence, id, space, episode, subject_kind, subject, seal, type, transition, severity, revision, time, recorded_at,
    late, body)
SELECT n, gen_random_uuid(), CASE n % 3 WHEN 0 THEN 'live' ELSE 'drill' END, gen_random_uuid(), 'seal', 's', 's', 't', 'raised', 'low', 1,
    now(), now(), false, 'x' FROM generate_series(1000, 20000) AS n;
INSERT INTO actions (space, at, actor, role, kind, subject, body)
SELECT CASE n % 3 WHEN 0 THEN 'live' ELSE 'drill' END, now(), 'a', 'b', 'c', 'd', '{}' FROM generate_series(1000, 20000) AS n;
ANALYZE events; ANALYZE actions; ANALYZE ledger.links; ANALYZE ledger.journeys; ANALYZE ledger.checkpoints
"""


@pytest.mark.parametrize("table", ["links", "journeys", "checkpoints"])
async def test_the_services_own_role_can_add_and_neither_change_nor_remove(filled: str, table: str) -> None:
    """Not by a statement, not as the database's owner, not by dropping or taking over the table."""
    connection = await asyncpg.connect(filled)
    try:
        for statement in (
            f"UPDATE ledger.{table} SET number = 0",
            f"DELETE FROM ledger.{table}",
            f"TRUNCATE ledger.{table}",
            f"DROP TABLE ledger.{table}",
            f"ALTER TABLE ledger.{table} DISABLE TRIGGER ALL",
            f"ALTER TABLE ledger.{table} OWNER TO seal_tracker",
            "DROP SCHEMA ledger CASCADE",
            "CREATE TABLE ledger.mine (n int)",
            "SET ROLE seal_tracker_ledger",
            "SET session_replication_role = replica",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)
        assert await connection.fetchval(f"SELECT count(*) FROM ledger.{table}")
    finally:
        await connection.close()


@pytest.mark.parametrize("statement", ["UPDATE {} SET number = 0", "DELETE FROM {}", "TRUNCATE {}"])
async def test_not_even_a_superuser_changes_it_by_mistake(
    embedded: EmbeddedParts, filled: str, statement: str
) -> None:
    """The trigger refuses whom no grant holds back; switching it off is a deed."""
    async with superuser_of(embedded, filled) as connection:
        await connection.execute("SET LOCAL session_replication_role = origin")
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match=r"append-only: \w+ of ledger.links"):
            await connection.execute(statement.format("ledger.links"))


TAMPERED = {
    "edited": (
        "UPDATE ledger.links SET body = (SELECT body FROM ledger.links WHERE number = 3) WHERE number = 5",
        5,
    ),
    "deleted": ("DELETE FROM ledger.links WHERE number = 5", 5),
    "deleted and closed up": (
        "DELETE FROM ledger.links WHERE number = 5; UPDATE ledger.links SET number = number - 1 WHERE number > 5",
        5,
    ),
    "reordered": (
        (
            "UPDATE ledger.links SET number = 0 WHERE number = 5; UPDATE ledger.links SET number = 5 WHERE number = 6; "
            "UPDATE ledger.links SET number = 6 WHERE number = 0"
        ),
        5,
    ),
    "dated back": (
        "UPDATE ledger.links SET recorded_at = recorded_at - interval '1 hour' WHERE number = 5",
        5,
    ),
    "cut off at the end": ("DELETE FROM ledger.links WHERE number > 9; DELETE FROM ledger.checkpoints", 10),
    "emptied": ("DELETE FROM ledger.links; DELETE FROM ledger.checkpoints", 1),
}


@pytest.mark.parametrize("how", TAMPERED)
async def test_what_a_superuser_does_to_the_ledger_is_found_by_a_checkpoint_held_elsewhere(
    embedded: EmbeddedParts, filled: str, how: str
) -> None:
    """The first link that does not fit is named."""
    statement, number = TAMPERED[how]
    async with superuser_of(embedded, filled) as connection:
        [held] = [Mark(read_checkpoint(c.jws), held=True) for c in await all_checkpoints(connection)]
        assert (await checked(connection, held)).broken is None
        await connection.execute(statement)
        broken = (await checked(connection, held)).broken
        assert broken is not None
        assert broken.number == number


async def test_a_ledger_made_anew_by_a_superuser_is_found_by_a_checkpoint_held_elsewhere(
    embedded: EmbeddedParts, filled: str
) -> None:
    """Edited, every later hash computed again, and signed again by a key of their own: it fits in itself."""
    async with superuser_of(embedded, filled) as connection:
        [held] = [Mark(read_checkpoint(c.jws), held=True) for c in await all_checkpoints(connection)]
        await connection.execute(ANEW)
        assert (await checked(connection)).broken is None
        broken = (await checked(connection, held)).broken
        assert broken is not None
        assert broken.number == LINKS
        assert "made anew" in broken.what


ANEW = """
CREATE FUNCTION pg_temp.anew() RETURNS void LANGUAGE plpgsql AS $$
DECLARE link record; prior bytea; made bytea;
BEGIN
    SELECT hash INTO prior FROM ledger.links WHERE number = 4;
    UPDATE ledger.links SET (body, entries_hash) = (SELECT body, entries_hash FROM ledger.links WHERE number = 3)
    WHERE number = 5;
    FOR link IN SELECT * FROM ledger.links WHERE number >= 5 ORDER BY number LOOP
        made := sha256(int8send(link.number) || prior
            || int8send((extract(epoch FROM link.recorded_at) * 1000)::bigint) || link.entries_hash);
        UPDATE ledger.links SET previous = prior, hash = made WHERE number = link.number;
        prior := made;
    END LOOP;
END $$;
SELECT pg_temp.anew();
"""


COPY_OF = """
INSERT INTO {0} SELECT (jsonb_populate_record(one, {1})).* FROM (
    SELECT {0} AS one FROM {0} WHERE episode = (SELECT episode FROM events WHERE sequence = 12)
) AS found
"""

LOGS = {
    "an event edited": (
        "UPDATE events SET body = 'x' WHERE sequence = 12",
        ["event 12: in the log it is not what was recorded"],
    ),
    "whose an event is edited": (
        "UPDATE events SET journey = 'J-2', unit = NULL, severity = 'low' WHERE sequence = 12",
        ["event 12: in the log its journey, severity, unit is not what was recorded"],
    ),
    "what and when an event was edited": (
        """UPDATE events SET (id, episode, subject_kind, subject, seal, type, transition, revision, time, recorded_at, late, responsible)
        = (gen_random_uuid(), gen_random_uuid(), 'seal', 's', 's', 't', 'cleared', 7, time - interval '1 us', now(), true, 'HP')
        WHERE sequence IN (12, 21)""",
        [
            f"event {number}: in the log its id, episode, subject_kind, subject, seal, type, transition, revision, time, recorded_at, "
            "late, responsible is not what was recorded"
            for number in (12, 21)
        ],
    ),
    "an event removed": ("DELETE FROM events WHERE sequence = 12", ["event 12: is missing from the log"]),
    "an event slipped in between": (
        "UPDATE events SET sequence = 15 WHERE sequence = 12",
        ["event 12: is missing from the log", "event 15: is in the log, and nothing recorded it"],
    ),
    "an event slipped in at the end": (
        "UPDATE events SET sequence = 999 WHERE sequence = 120",
        ["event 120: is missing from the log", "event 999: is in the log, and nothing recorded it"],
    ),
    "an action edited": (
        "UPDATE actions SET actor = 'somebody else' WHERE id = 4",
        ["action 4: in the log it is not what was recorded there"],
    ),
    "the last action removed": (
        "DELETE FROM actions WHERE id = (SELECT max(id) FROM actions)",
        ["an action is missing at the end of the log: SHA-256 "],
    ),
    "an action slipped in": (
        "INSERT INTO actions (space, at, actor, role, kind, subject, body) VALUES ('live', now(), 'a', 'b', 'c', 'd', '{}')",
        [r"action \d+: is in the log, and nothing recorded it"],
    ),
    "the first events removed": (
        "DELETE FROM events WHERE sequence < 12",
        [f"event {number}: is missing from the log" for number in (1, 2, 11)],
    ),
    "an event slipped in before the first": (
        "UPDATE events SET sequence = 0, recorded_at = now() WHERE sequence = 12",
        ["event 12: is missing from the log", "event 0: is in the log, and nothing recorded it"],
    ),
    "an episode edited": (
        "UPDATE episodes SET severity = 'low' WHERE episode = (SELECT episode FROM events WHERE sequence = 12)",
        ["episode/.*: in its table it is not what link 2 says"],
    ),
    "an episode's evidence edited": (
        "UPDATE episodes SET evidence = '{}' WHERE episode = (SELECT episode FROM events WHERE sequence = 12)",
        ["episode/.*: in its table it is not what link 2 says"],
    ),
    "an episode's revision edited": (
        "UPDATE episodes SET revision = 7 WHERE episode = (SELECT episode FROM events WHERE sequence = 12)",
        ["episode/.*: in its table it is not what link 2 says"],
    ),
    "when an episode changed edited": (
        "UPDATE episodes SET changed_at = '2026-01-01' WHERE episode = (SELECT episode FROM events WHERE sequence = 12)",
        ["episode/.*: changed_at in its table is .*, and link 2 says .*"],
    ),
    "an episode taken back by hand": (
        "UPDATE episodes SET retracted = true WHERE episode = (SELECT episode FROM events WHERE sequence = 12)",
        ["episode/.*: in its table it is not what link 2 says"],
    ),
    "an episode brought back by hand": (
        "UPDATE episodes SET retracted = false WHERE episode = (SELECT episode FROM events WHERE sequence = 1)",
        ["episode/.*: in its table it is not what link 12 says"],
    ),
    "an episode removed": (
        "DELETE FROM episodes WHERE episode = (SELECT episode FROM events WHERE sequence = 12)",
        ["episode/.*: is missing from its table; link 2 says how it stands"],
    ),
    "an episode slipped in": (
        COPY_OF.format("episodes", "jsonb_build_object('episode', gen_random_uuid())"),
        ["episode/.*: is in its table, and nothing recorded it"],
    ),
    "an alarm closed by hand": (
        "UPDATE alarms SET state = 'closed' WHERE episode = (SELECT episode FROM events WHERE sequence = 12)",
        ["alarm/.*: in its table it is not what link 2 says"],
    ),
    "an alarm's words edited": (
        "UPDATE alarms SET body = '{}' WHERE episode = (SELECT episode FROM events WHERE sequence = 12)",
        ["alarm/.*: in its table it is not what link 2 says"],
    ),
    "from when a plan holds edited": (
        "UPDATE plan_versions SET valid_from = now()",
        ["plan/1: in its table it is not what link 1 says"],
    ),
    "a plan's files edited": (
        """UPDATE plan_versions SET files = '{"zones.geojson":"x"}'""",
        ["plan/1: in its table it is not what link 1 says"],
    ),
    "a plan removed": (
        "DELETE FROM plan_versions",
        ["plan/1: is missing from its table; link 1 says how it stands"],
    ),
    "a plan slipped in": (
        """INSERT INTO plan_versions (space, version, recorded_at, digest, files) VALUES ('live', 2, '2020-01-01', '', '{}')""",
        ["plan/2: is in its table, and nothing recorded it"],
    ),
    "an alarm put into another group": (
        "UPDATE alarms SET group_id = gen_random_uuid() WHERE episode = (SELECT episode FROM events WHERE sequence = 12)",
        ["alarm/.*: in its table it is not what link 2 says"],
    ),
    "an alarm that no longer begins its group": (
        "UPDATE alarms SET begins = false WHERE episode = (SELECT episode FROM events WHERE sequence = 12)",
        ["alarm/.*: in its table it is not what link 2 says"],
    ),
    "when an alarm was opened edited": (
        "UPDATE alarms SET opened_at = now() WHERE episode = (SELECT episode FROM events WHERE sequence = 12)",
        ["alarm/.*: in its table it is not what link 2 says"],
    ),
    "an alarm removed": (
        "DELETE FROM alarms WHERE episode = (SELECT episode FROM events WHERE sequence = 12)",
        ["alarm/.*: is missing from its table; link 2 says how it stands"],
    ),
    "an alarm slipped in": (
        """INSERT INTO alarms (id, space, state, severity, type, raised_at, updated_at, opened_at, repeats, body)
        VALUES (gen_random_uuid(), 'live', 'closed', 'low', 't', now(), now(), '2020-01-01', 1, '{}')""",
        ["alarm/.*: is in its table, and nothing recorded it"],
    ),
    "a journey slipped in": (
        """INSERT INTO journeys (space, id, version, state, regime, changed_at, edited, body)
        VALUES ('live', 'J-x', 1, 'ARMED', 'transit', '2020-01-01', false, '{}')""",
        ["journey/J-x: is in its table, and nothing recorded it"],
    ),
    "a journey of the first link removed": (
        "DELETE FROM journeys",
        ["journey/J-5: is missing from its table; link 1 says how it stands"],
    ),
    "versions of a journey removed": (
        "TRUNCATE journey_versions",
        ["journey/J-5 version 1: is missing from its table; link 1 says how it stands"],
    ),
    "a version of a journey edited": (
        "UPDATE journey_versions SET actor = 'somebody else', effective_at = now()",
        ["journey/J-5 version 1: in its table it is not what link 1 says"],
    ),
    "what a version says edited": (
        "UPDATE journey_versions SET body = '{}'",
        ["journey/J-5 version 1: in its table it is not what link 1 says"],
    ),
    "a version of a journey slipped in": (
        """INSERT INTO journey_versions SELECT space, journey, 2, verb, state, effective_at, '2020-01-01', actor, role, reason, body
        FROM journey_versions""",
        ["journey/J-5 version 2: is in its table, and nothing recorded it"],
    ),
    "a hand-over's note edited": (
        "UPDATE hand_overs SET note = 'all quiet'",
        ["hand_over/.*: in its table it is not what link 1 says"],
    ),
    "a hand-over removed": (
        "DELETE FROM hand_overs",
        ["hand_over/.*: is missing from its table; link 1 says how it stands"],
    ),
    "a suppression made longer": (
        "UPDATE suppressions SET until_at = until_at + interval '1 day'",
        ["suppression/.*: in its table it is not what link 1 says"],
    ),
    "a suppression removed": (
        "DELETE FROM suppressions",
        ["suppression/.*: is missing from its table; link 1 says how it stands"],
    ),
    "a situation reopened": (
        "UPDATE situations SET state = 'open', journeys = '{J-5}'",
        ["restricted/.*: in its table it is not what link 1 says"],
    ),
    "a kept report rewritten": (
        """UPDATE kept_reports SET body = '{"late":0}'""",
        ["report/.*: in its table it is not what link 1 says"],
    ),
    "a situation's version rewritten": (
        "UPDATE situation_versions SET body = '{\"a\":2}'",
        ["restricted/.* version 1: in its table it is not what link 1 says"],
    ),
    "a link taken from a journey": (
        "DELETE FROM ledger.journeys WHERE journey = 'J-1' AND number = 5",
        ["ledger.journeys: its links of journey J-1 are not those that tell of it"],
    ),
    "a link given to a journey": (
        "INSERT INTO ledger.journeys (journey, number) VALUES ('J-other', 5)",
        ["ledger.journeys: lists links of journey J-other, and none tells of it"],
    ),
    "nothing": ("SELECT 1", []),
}


@pytest.mark.parametrize("how", LOGS)
async def test_what_people_see_is_held_against_the_ledger(
    embedded: EmbeddedParts, filled: str, how: str
) -> None:
    """Events and actions of the log, which the service's own role could change: each that differs is named."""
    statement, faults = LOGS[how]
    async with superuser_of(embedded, filled) as connection:
        await connection.execute(statement)
        found = await verified_ledger(InTransaction(connection), [], [])
    assert (found.broken_at, found.links) == (None, LINKS)
    assert found.whole == (not faults)
    assert len(found.log_faults) == len(faults)
    for fault, pattern in zip(found.log_faults, faults, strict=True):
        assert re.match(pattern, fault), fault


class InTransaction:
    """A connection whose transaction is another's to begin and end."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    async def execute(self, query: str) -> None:
        assert query.startswith(("BEGIN", "COMMIT"))


async def test_a_change_between_two_commits_breaks_the_chain_at_the_next(
    embedded: EmbeddedParts, postgres_dsn: str
) -> None:
    """The writer goes on from what it wrote, not from what the table says, so no checkpoint ever signs a forgery."""
    async with opened(postgres_dsn) as store:
        for number in range(3):
            await store.commit(told(10 * number))
        true_head = await store.ledger_head()
        async with superuser_of(embedded, postgres_dsn) as connection:
            await connection.execute(
                "UPDATE ledger.links SET hash = sha256('forged') WHERE number = 3; COMMIT; BEGIN"
            )
        assert await store.ledger_head() == true_head
        await store.commit(told(100))
        connection = await connect(postgres_dsn, "test", 5)
        check = await checked(connection)
        await connection.close()
        assert check.broken is not None
        assert check.broken.number == 3


async def test_a_database_without_a_ledger_says_what_to_run(embedded: EmbeddedParts, empty_dsn: str) -> None:
    """An upgrade of a production database needs a superuser once, and the message says for what."""
    server, _, name = empty_dsn.rpartition("/")
    superuser = await asyncpg.connect(embedded.superuser_dsn.rpartition("/")[0] + f"/{name}")
    await superuser.execute("DROP SCHEMA ledger CASCADE")
    with pytest.raises(SchemaMismatch, match=rf"seal-tracker ledger prepare \| psql --dbname {name}"):
        await Store.open(empty_dsn)
    await prepare_ledger(embedded.superuser_dsn.rpartition("/")[0] + f"/{name}")
    await superuser.execute("GRANT UPDATE ON ledger.links TO seal_tracker")
    with pytest.raises(SchemaMismatch, match="role seal_tracker could change the ledger"):
        await Store.open(empty_dsn)
    await superuser.execute("REVOKE UPDATE ON ledger.links FROM seal_tracker")
    await superuser.close()
    async with opened(f"{server}/{name}") as store:
        await store.commit(told(0))


async def test_an_embedded_database_of_an_older_release_gets_its_ledger(embedded: EmbeddedParts) -> None:
    """At the next start; it needs nobody."""
    address = embedded.superuser_dsn.rpartition("/")[0] + "/seal_tracker"
    superuser = await asyncpg.connect(address)
    try:
        await superuser.execute("DROP SCHEMA ledger CASCADE")
        for _ in range(2):
            await _ensure_database(urlsplit(address).port or 0, embedded.credentials)
            assert await superuser.fetchval("SELECT to_regclass('ledger.checkpoints') IS NOT NULL")
    finally:
        await superuser.close()


def test_production_makes_the_ledger_as_the_embedded_database_does() -> None:
    """One file for the first start of production's database, and in it the very words of the other."""
    script = files("seal_tracker").joinpath("store", "ledger_owner.sql").read_text()
    assert script in (DEPLOY / "postgres" / "owner.sql").read_text()


async def test_a_link_is_read_back_as_it_was_written(filled: str) -> None:
    """Times to the millisecond, bytes as bytes."""
    connection = await connect(filled, "test", 5)
    pages = [page async for page in all_links(connection)]
    await connection.close()
    links = [link for page in pages for link in page]
    assert [link.number for link in links] == list(range(1, LINKS + 1))
    for link in links:
        assert isinstance(link, Link)
        assert all(isinstance(value, bytes) for value in link[2:])
        assert abs(link.recorded_ms - links[0].recorded_ms) < 60_000
