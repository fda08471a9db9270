"""The schema moves forward once, in order; named queries are complete; the lists that people wait for use their index."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import numpy as np
import pytest
from listed import GENERIC_PLAN
from store_stories import START_MS, assert_same_pings, episode, event, in_order, number_id, pings

from seal_tracker.alarms.states import OPEN_STATES, STATES
from seal_tracker.facts.marks import box_mark
from seal_tracker.journey import plate_of
from seal_tracker.model import NO_TIME, PingBatch
from seal_tracker.store import AlarmRow, Commit, CommitRefused, SchemaMismatch, Store
from seal_tracker.store.alarm_reads import AlarmFilter
from seal_tracker.store.connections import connect
from seal_tracker.store.filters import EpisodeFilter, EventFilter
from seal_tracker.store.migrations import MIGRATIONS, Migration, apply_migrations, missing_migrations
from seal_tracker.store.ping_rows import copy_pings
from seal_tracker.store.queries import QUERIES, _whole, parse_queries, sql

READ_IN_ORDER = {
    "events_after", "events_before", "last_sequence", "dead_letters", "alarms_open", "alarms_newest", "alarms_by_priority",
}  # fmt: skip
"""Logs without end: a page must not cost a sort of all of it."""

EVENT_INDEXES = "events_of_space|events_pkey"
"""Which of the two is cheaper depends on the space's share of all events (of dead letters alike); both give them in order."""

SOURCE = Path(__file__).parents[2] / "seal_tracker" / "store"


@asynccontextmanager
async def opened(dsn: str, **options: Any) -> AsyncIterator[Store]:
    store = await Store.open(dsn, **options)
    try:
        yield store
    finally:
        await store.close()


async def execute(dsn: str, statement: str) -> None:
    connection = await asyncpg.connect(dsn)
    await connection.execute(statement)
    await connection.close()


async def test_opening_twice_migrates_once(empty_dsn: str) -> None:
    """What was applied is recorded and not applied again."""
    for migrate in (True, True, False):
        async with opened(empty_dsn, migrate=migrate):
            pass
    connection = await asyncpg.connect(empty_dsn)
    rows = await connection.fetch("SELECT version, name FROM schema_migrations ORDER BY version")
    assert [tuple(row) for row in rows] == [(step.version, step.name) for step in MIGRATIONS]
    await connection.close()


async def test_a_new_database_is_refused_without_leave_to_migrate(empty_dsn: str) -> None:
    """``migrate=False`` names what is missing and changes nothing."""
    with pytest.raises(SchemaMismatch, match=r"lacks migrations \(001_spaces_seals_and_pings"):
        await Store.open(empty_dsn, migrate=False)
    connection = await asyncpg.connect(empty_dsn)
    assert (
        await connection.fetchval("SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace")
        == 0
    )
    await connection.close()


async def test_a_database_newer_than_the_program_is_refused(empty_dsn: str) -> None:
    """An old program must not write by rules that no longer hold, and leaves the lock free."""
    async with opened(empty_dsn):
        pass
    await execute(empty_dsn, "INSERT INTO schema_migrations VALUES (999, 'from_the_future', 'x')")
    with pytest.raises(SchemaMismatch, match=r"at migration 999 \(from_the_future\)"):
        await Store.open(empty_dsn)
    await execute(empty_dsn, "DELETE FROM schema_migrations WHERE version = 999")
    async with opened(empty_dsn, lock_wait_s=0):
        pass


async def test_an_applied_migration_that_was_edited_is_refused(empty_dsn: str) -> None:
    """Two databases of one version must be the same."""
    async with opened(empty_dsn):
        pass
    await execute(empty_dsn, "UPDATE schema_migrations SET checksum = 'other' WHERE version = 2")
    with pytest.raises(SchemaMismatch, match="migration 2"):
        await Store.open(empty_dsn)


async def test_pings_from_before_there_were_weeks_stay_where_they_lie_and_are_found(
    empty_dsn: str,
) -> None:
    """An upgrade makes one table of all of them but those of no believable time, and the next pings go on from there."""
    connection = await connect(empty_dsn, "test", 30)
    await apply_migrations(connection, MIGRATIONS[:13])
    await connection.execute("INSERT INTO seals (space, name) VALUES ('live', 'S-0'), ('live', 'S-1')")
    old = pings([1, 2], 40, start_ms=START_MS - 300 * 86_400_000)
    odd = pings([1], 2, seed=2).with_columns(
        time_ms=np.array([-1, 4_102_444_800_000]), clock_ok=np.ones(2, bool)
    )
    before = PingBatch.concat([old, odd])
    await copy_pings(connection, before)
    (step,) = await apply_migrations(connection, MIGRATIONS[:14])
    assert step.name == "pings_in_weeks"
    counts = "SELECT tableoid::regclass::text AS table, count(*) FROM pings GROUP BY 1"
    expected = {"pings_before": int(old.clock_ok.sum()), "pings_unclocked": int((~old.clock_ok).sum())}
    assert dict(map(tuple, await connection.fetch(counts))) == expected | {"pings_other_weeks": 2}
    async with opened(empty_dsn) as store:
        new = pings([1, 2], 5, seed=3)
        await store.commit(Commit(space="live", pings=new))
        found = await store.pings_after([1, 2], [NO_TIME] * 2)
        assert_same_pings(found, in_order(PingBatch.concat([before, new])))
        with pytest.raises(CommitRefused, match="duplicate key"):
            await store.commit(Commit(space="live", pings=old))
    await connection.close()


async def test_journeys_of_before_are_found_by_their_vehicles(empty_dsn: str) -> None:
    """As those that are written now; what has no vehicle, was never armed or holds what cannot be read is left as it is."""
    step = next(one for one in MIGRATIONS if one.name == "journeys_are_found_by_their_vehicles")
    bodies = {
        "J-1": '{"vehicle": "29c-123.45"}',
        "J-2": "{}",
        "J-3": '{"vehicle": "1", "cargo": "\\u0000"}',
        "J-4": '{"vehicle": " - "}',
    }
    async with opened(empty_dsn):
        connection = await connect(empty_dsn, "test", 30)
        await connection.execute(
            "INSERT INTO spaces (name, created_at) VALUES ('live', now()) ON CONFLICT DO NOTHING"
        )
        for name, body in bodies.items():
            await connection.execute(
                "INSERT INTO journeys (space, id, version, state, regime, armed_at, changed_at, edited, body) "
                f"VALUES ('live', '{name}', 1, 'ARMED', 'transit', now(), now(), false, '{body}')"
            )
        await connection.execute(step.text)
        await connection.execute(step.text)
        rows = await connection.fetch("SELECT journey, device, role, is_armed FROM journey_devices")
        assert [tuple(row) for row in rows] == [("J-1", "plate/29C12345", "vehicle", False)]
        await connection.close()


async def test_a_migration_that_fails_leaves_those_before_it(empty_dsn: str) -> None:
    """Each step stands or falls as a whole, and the next start goes on from there."""
    good = Migration(1, "good", "CREATE TABLE one (a int)")
    bad = Migration(2, "bad", "CREATE TABLE two (a int); SELECT 1/0")
    mended = Migration(2, "bad", "CREATE TABLE two (a int)")
    connection = await connect(empty_dsn, "test", 5)
    with pytest.raises(asyncpg.DivisionByZeroError):
        await apply_migrations(connection, [good, bad])
    assert await connection.fetchval("SELECT to_regclass('one') IS NOT NULL AND to_regclass('two') IS NULL")
    assert await apply_migrations(connection, [good, mended]) == [mended]
    assert await connection.fetchval("SELECT to_regclass('two') IS NOT NULL")
    await connection.close()


def test_line_endings_do_not_change_a_migration() -> None:
    """The same step checked out on another system is the same step."""
    unix, windows = Migration(1, "a", "x\ny\n"), Migration(1, "a", "x\r\ny\r\n")
    assert missing_migrations([(1, "a", unix.checksum)], [windows]) == []


def test_a_step_whose_comment_was_corrected_is_the_one_that_was_applied():
    """It says what it was; a step that does not is refused."""
    before = Migration(1, "a", "-- Takes 20 s.\nSELECT 1;\n")
    after = Migration(1, "a", f"-- Takes 65 s.\n-- formerly {before.checksum}\nSELECT 1;\n")
    assert missing_migrations([(1, "a", before.checksum)], [after]) == []
    with pytest.raises(SchemaMismatch, match="must not be edited"):
        missing_migrations([(1, "a", before.checksum)], [Migration(1, "a", "-- Takes 65 s.\nSELECT 1;\n")])


def test_every_query_used_exists_and_every_query_is_used() -> None:
    """No misspelt name waits for its first call, and no dead statement stays behind."""
    code = "".join(path.read_text() for path in SOURCE.glob("*.py"))
    called = set(re.findall(r'sql\("(\w+)"\)', code))
    called |= set(re.findall(r'send\(\s*connection, "(\w+)"', code))
    called |= set(re.findall(r'"(\w+_to_verify)": ', code))
    called |= set(re.findall(r'parts\.add(?:_rows)?\(\s*"(\w+)"', code))
    chosen = set(re.findall(r'"([a-z]+(?:_[a-z]+)+)"', code))
    assert called <= set(QUERIES)
    assert set(QUERIES) == called | (chosen & set(QUERIES))


def test_a_query_without_description_is_refused() -> None:
    """Named SQL says what it is for."""
    (one,) = parse_queries("-- of the file\n\n-- name: a\n-- Why.\n-- More.\nSELECT 1;\n")
    assert (one.name, one.description, one.text) == ("a", "Why. More.", "SELECT 1")
    with pytest.raises(ValueError, match="'b' lacks its description"):
        list(parse_queries("-- name: b\nSELECT 1;\n"))
    found = {
        q.name: q for q in parse_queries("-- part: c\n-- Of d.\nx, y\n\n-- name: d\n-- Why.\nSELECT {c};\n")
    }
    assert (found["c"].is_part, _whole(found["d"].text, found)) == (True, "SELECT x, y")
    with pytest.raises(ValueError, match="there is no part 'e'"):
        _whole("SELECT {e}", found)


ANY = EpisodeFilter().arguments
OPEN_ALARMS = AlarmFilter(states=OPEN_STATES).arguments()


def of(**wanted: Any) -> list[Any]:
    """Arguments of a list of alarms in any state."""
    return AlarmFilter(states=STATES, **wanted).arguments()


@pytest.fixture(scope="module")
def asked() -> dict[str, tuple[tuple[Any, ...], str]]:
    """Queries of lists, with arguments and the index each must be read by."""
    top = (START_MS * 2, number_id(0))
    return {
        "episodes_newest": (("live", *top, 100, False, *ANY), "episodes_newest"),
        "episodes_open": (("live", *top, 100, True, *ANY), "episodes_open"),
        "episodes_of_journeys": (
            ("live", *top, 100, True, *EpisodeFilter(journeys=["J-3"]).arguments),
            "episodes_of_journey",
        ),
        "episodes_of_seal": (
            ("live", *top, 100, False, *EpisodeFilter(seal="S-3").arguments),
            "episodes_of_seal",
        ),
        "episodes_in_order": (
            ("live", "J-2", "", "", START_MS, number_id(0), 1000, *ANY, False),
            "episodes_in_order",
        ),
        "commands_due": (("live", START_MS, 100), "seal_commands_due"),
        "command_under_way": (("live", "S-1", "position"), "seal_commands_under_way"),
        **{
            name: (("live", *top, seal, journey, units, under_way, 100), index)
            for name, seal, journey, units, under_way, index in (
                ("commands_listed", None, None, None, False, "seal_commands_newest"),
                ("commands_of_seal", "S-3", None, None, False, "seal_commands_of_seal"),
                ("commands_of_journey", None, "J-3", ["u3"], False, "seal_commands_of_journey"),
                ("commands_of_units", None, None, ["u3", "u4"], False, "seal_commands_of_unit"),
                ("commands_under_way", None, None, None, True, "seal_commands_due|seal_commands_under_way"),
            )
        },
        "facts_named": (("live", [number_id(3)]), "equipment_facts_pkey"),
        "facts_of_journeys": (("live", ["J-3", "J-4"]), "equipment_facts_of_journey"),
        "facts_of_plates": (
            ("live", ["P3"], [START_MS], [START_MS + 86_400_000]),
            "equipment_facts_of_plate",
        ),
        "facts_of_seals": (
            ("live", ["S-3"], [START_MS], [START_MS + 9]),
            "equipment_facts_of_seal",
        ),
        "facts_of_boxes": (
            ("live", ["B-3"], [START_MS], [START_MS + 9]),
            "equipment_facts_of_box",
        ),
        "facts_at": (("live", ["W-3"], [START_MS], [START_MS + 9]), "equipment_facts_of_equipment"),
        "journeys_at_gates": (("live", ["G"], [START_MS], [START_MS + 9]), "episodes_at_gates"),
        "facts_since": (("live", ["weighing"], START_MS), "equipment_facts_newest"),
        **{
            name: (("live", "weighing", *top, units, piece, journey, 100), index)
            for name, units, piece, journey, index in (
                ("facts_listed", None, None, None, "equipment_facts_newest"),
                ("facts_listed_of_units", ["u3", "u4"], None, None, "equipment_facts_of_unit"),
                ("facts_listed_of_equipment", None, "W-3", None, "equipment_facts_of_equipment"),
                ("facts_listed_of_journey", None, None, "J-3", "equipment_facts_of_journey"),
            )
        },
        "lines_of_journeys": (("live", ["J-3"]), "licence_lines_pkey"),
        "lines_of_licences": (("live", ["L-3"]), "licence_lines_of_licence"),
        "lines_before": (("live", ["J-3"]), "licence_lines_of_licence"),
        "lines_listed": (
            ("live", "L-3", START_MS, "J-3", START_MS, START_MS + 86_400_000, 100),
            "licence_lines_of_licence",
        ),
        "lines_summed": (("live", "L-3", START_MS, START_MS + 86_400_000), "licence_lines_of_licence"),
        "stops_of_minerals": (("live", START_MS, START_MS + 60_000), "episodes_stops_of_minerals"),
        "episodes_of_types": (("live", ["J-3"], ["T3"]), "episodes_of_journey"),
        "equipment_silent": (("live", START_MS, START_MS, 100), "episodes_offline"),
        "tickets_behind": (("live", 100), "equipment_tickets_under_way"),
        "ticket_times": (
            ("live", START_MS, START_MS + 86_400_000, None, None),
            "equipment_tickets_newest|equipment_tickets_repaired",
        ),
        **{
            name: (("live", *top, piece, units, None, under_way, 100), index)
            for name, piece, units, under_way, index in (
                ("tickets_listed", None, None, False, "equipment_tickets_newest"),
                ("tickets_of_piece", "C-3", None, False, "equipment_tickets_of_piece"),
                ("tickets_of_units", None, ["u3", "u4"], False, "equipment_tickets_of_unit"),
                ("tickets_under_way", None, None, True, "equipment_tickets_under_way"),
            )
        },
        "draws_listed": (("live", *top, None, 100), "draws_newest"),
        **{
            name: (("live", *top, draw, kind, subject, units, due, 100), index)
            for name, draw, kind, subject, units, due, index in (
                ("inspections_listed", None, None, None, None, False, "inspections_newest"),
                ("inspections_to_make", None, None, None, None, True, "inspections_due"),
                ("inspections_of_draw", number_id(3), None, None, ["u3"], False, "inspections_of_draw"),
                ("inspections_of_subject", None, "journey", "J-3", None, False, "inspections_of_subject"),
                ("inspections_of_units", None, None, None, ["u3", "u4"], False, "inspections_of_unit"),
            )
        },
        "inspections_made": (("live", START_MS, START_MS + 86_400_000, None), "inspections_by_end"),
        "risk_carriers": (("live", ["An"], [START_MS], START_MS * 2), "journeys_of_carrier"),
        "unsettled_episodes": (([1, 2, 3], [START_MS] * 3), "episodes_unsettled"),
        "revisions": (([number_id(1)],), "episodes_pkey"),
        "events_after": (("live", 3_000, 100), EVENT_INDEXES),
        "events_before": (("live", 3_000, 100), EVENT_INDEXES),
        **{
            f"events_{way}_{lead}": (("live", 3_000, 100, *EventFilter(**which).arguments), index)
            for way in ("after", "before")
            for lead, which, index in (
                ("of_journeys", {"journeys": ["J-3"]}, "events_of_journey"),
                ("of_seal", {"seal": "S-3"}, "events_of_seal"),
                ("of_type", {"type": "T7"}, "events_of_type"),
                ("of_severity", {"severity": "critical"}, "events_of_severity"),
                ("in_time", {"from_ms": START_MS, "to_ms": START_MS + 86_400_000}, "events_of_day"),
            )
        },
        "episodes_of_type": (
            ("live", *top, 100, False, *EpisodeFilter(type="T7").arguments),
            "episodes_of_type",
        ),
        "episodes_of_severity": (
            ("live", *top, 100, False, *EpisodeFilter(severity="critical").arguments),
            "episodes_of_severity",
        ),
        "last_sequence": ((), "events_pkey"),
        "known_pings": (([1, 2], [START_MS] * 2, START_MS, START_MS), "pings_20260921_pkey"),
        "pings_after": (([1, 2], [START_MS] * 2, START_MS), "pings_20260921_pkey"),
        "pings_portion": (
            ([1, 2], [START_MS] * 2, [START_MS + 90_000] * 2, 100, START_MS, START_MS + 90_000),
            "pings_20260921_pkey",
        ),
        "checkpoints_ahead": (([1, 2], [START_MS] * 2, 2), "checkpoints_pkey"),
        "newest_checkpoints": (([1, 2], [START_MS + 9] * 2), "checkpoints_pkey"),
        "alarms_open": (("live", *OPEN_ALARMS, 100, *top), "alarms_open"),
        "alarms_newest": (("live", *of(), 100, *top), "alarms_newest"),
        "alarms_by_priority": (("live", *OPEN_ALARMS, 100, 0, 0, number_id(0)), "alarms_by_priority"),
        "alarms_of_journeys": (("live", *of(journeys=["J-1"]), 100, *top), "alarms_of_journey"),
        "alarms_of_seal": (("live", *of(seal="S-1"), 100, *top), "alarms_of_seal"),
        "alarms_of_group": (("live", *of(group=number_id(7)), 100, *top), "alarms_of_group"),
        "alarms_of_type": (("live", *of(type="T7"), 100, *top), "alarms_of_type"),
        "alarms_by_group": (("live", *OPEN_ALARMS, 100, 0, 0, number_id(0)), "alarms_by_priority"),
        "alarms_in_groups": (("live", [number_id(7)], None), "alarms_of_group"),
        "alarm_of_id": (("live", number_id(1)), "alarms_pkey"),
        "alarms_concerned": (([number_id(1)], [number_id(2)]), "alarms_of_episodes"),
        "alarms_alike": (("live", ["journey/J-1"], ["T"], [None]), "alarms_alike"),
        "alarms_beginning": (("live", ["T7"], [START_MS], [START_MS + 9]), "alarms_beginning"),
        "alarms_timed": (("live", START_MS, 100), "alarms_by_timer"),
        "alarm_count": (("live", START_MS, START_MS + 999, None, None), "alarms_by_opening"),
        "alarm_outcomes": (("live", START_MS, START_MS + 999, None, None, ["merged"]), "alarms_by_closing"),
        "actions_of": (("live", "alarm/1", 1 << 62, 100), "actions_of_subject"),
        "comments_of": (("live", ["comment/J-1"]), "actions_of_subject"),
        "episodes_of_ids": (([number_id(1)],), "episodes_pkey"),
        "dead_letters": (("live", 1 << 62, 100), "dead_letters_newest|dead_letters_pkey"),
        "seals_named": (("live", ["S-1"]), "seals_space_name_key"),
        "session_get": ((b"x", START_MS), "sessions_pkey"),
        "sessions_purge": ((START_MS,), "sessions_by_expiry"),
    }


async def fill(store: Store, space: str, start: int) -> None:
    """Enough rows that reading all of a table is never the cheaper way; few episodes open."""
    await store.add_space(space)
    seals = list((await store.intern_seals(space, [f"S-{n}" for n in range(2000)])).values())
    numbers = range(start, start + 6_000)
    episodes = [
        episode(
            n,
            type=f"T{n % 50}",
            severity="low" if n % 40 else "critical",
            seal=f"S-{n % 2000}",
            journey=f"J-{n % 2000}",
            settled_ms=START_MS - 9,
            ended_at_ms=n % 99 or None,
        )
        for n in numbers
    ]
    events = [event(e, sequence, space=space) for sequence, e in enumerate(episodes, start + 1)]
    alarms = [
        AlarmRow(
            number_id(n),
            number_id(n),
            "closed" if n % 3 else "unacknowledged",
            "low",
            f"T{n % 50}",
            f"J-{n % 2000}",
            f"S-{n % 2000}",
            None,
            START_MS + n,
            n,
            1,
            b"{}",
            subject=f"journey/J-{n % 2000}",
            episodes=(number_id(n),),
            group=number_id(n - n % 3),
            opened_at_ms=START_MS + n,
            timer_ms=None if n % 3 else START_MS * 2,
            closed_at_ms=START_MS + n if n % 3 else None,
            code="resolved" if n % 3 else None,
        )
        for n in numbers
    ]
    commit = Commit(
        space=space,
        pings=pings(seals, 20),
        episodes=[(e, 1, False) for e in episodes],
        events=events,
        event_bodies=[b"x" * 200] * len(events),
        alarms=alarms,
        checkpoints=[(seal, START_MS + n, b"state" * 20) for seal in seals for n in range(4)],
    )
    await store.commit(commit)


def nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(node for child in plan.get("Plans", []) for node in nodes(child))]


async def test_lists_are_read_by_their_index(
    postgres_dsn: str, asked: dict[str, tuple[tuple[Any, ...], str]]
) -> None:
    """On a filled table no list is found by reading all of it, with a plan for any arguments as for these."""
    async with opened(postgres_dsn) as store:
        for number, space in enumerate(["live", "drill", "rehearsal"]):
            await fill(store, space, number * 6_000)
    connection = await connect(postgres_dsn, "test", 30)
    many = "INSERT INTO {} SELECT {} FROM generate_series(1, 20000) AS n"
    await connection.execute(
        many.format(
            "dead_letters (space, received_at, topic, payload, reason)", "'live', now(), 't', 'x', 'r'"
        )
    )
    await connection.execute(
        many.format(
            "actions (space, at, actor, role, kind, subject, body)",
            "'live', now(), 'a', 'r', 'alarm.noted', 'alarm/' || n % 500, '{}'",
        )
    )
    await connection.execute(
        many.format("sessions", "n::text::bytea, 'u', 'c', now(), now() + n * interval '1 day', 1")
    )
    await connection.execute(
        many.format(
            "seal_commands",
            "'live', gen_random_uuid(), 1, 'position', 'acknowledged', 'S-' || n, 'J-' || n % 999, 'u' || n % 50, "
            "now() - n * interval '1 minute', CASE WHEN n < 20 THEN now() END, '{}'",
        )
    )
    await connection.execute(
        many.format(
            "equipment_facts",
            "'live', gen_random_uuid(), 'weighing', 'W-' || n % 99, to_timestamp(n), CASE WHEN n % 2 = 0 THEN 'J-' || n % 999 END, "
            "'P' || n % 999, 'u' || n % 50, 1, false, now(), '{}'",
        )
    )
    await connection.execute(
        many.format(
            "licence_lines",
            "'live', 'J-' || n, 'L-' || n % 99, 'u' || n % 50, to_timestamp(n), 1, 1, 1, NULL, NULL",
        )
    )
    await connection.execute(
        many.format(
            "equipment_tickets",
            "'live', gen_random_uuid(), 1, 'closed', n < 20, 'C-' || n % 999, 'camera', 'u' || n % 50, gen_random_uuid(), "
            "now() - n * interval '1 hour', now(), now() - n * interval '1 hour', now() - n * interval '1 hour', NULL, '{}'",
        )
    )
    await connection.execute(
        many.format(
            "draws",
            "'live', gen_random_uuid(), 1, 'drawn', 'u' || n % 50, now() - n * interval '1 minute', 's', 'f', '{}'",
        )
    )
    await connection.execute(
        many.format(
            "inspections",
            "'live', gen_random_uuid(), 1, CASE WHEN n % 99 = 0 THEN 'due' ELSE 'done' END, 'journey', 'J-' || n % 999, 'u' || n % 50, "
            "'C' || n % 99, gen_random_uuid(), now() - n * interval '1 minute', to_timestamp(n), n % 9 = 0, '{}'",
        )
    )
    await connection.execute(
        many.format(
            "journeys (space, id, version, state, regime, armed_at, ended_at, changed_at, edited, body)",
            "'live', 'J' || n, 1, 'DISARMED', 'transit', to_timestamp(n), to_timestamp(n), now(), false, "
            "('{\"carrier\": \"C' || n % 99 || '\"}')::json",
        )
    )
    await connection.execute("ANALYZE")
    await connection.execute(GENERIC_PLAN)
    for mode in ("custom", "generic"):
        for name, (args, index) in asked.items():
            if mode == "generic":
                text = await connection.fetchval("SELECT pg_temp.generic_plan($1)", sql(name))
            else:
                text = await connection.fetchval(f"EXPLAIN (FORMAT JSON) {sql(name)}", *args)
            steps = nodes(json.loads(text)[0]["Plan"])
            assert set(index.split("|")) & {step.get("Index Name") for step in steps}, (mode, name, text)
            whole = {step["Relation Name"] for step in steps if step["Node Type"] == "Seq Scan"}
            # Two are empty; and journeys whose text is asked for are looked up once, if it is.
            assert whole <= {"pings_other_weeks", "suppressions", "journeys"}, (mode, name, text)
            if name in READ_IN_ORDER and mode == "custom":  # of a guess at so few rows a sort costs nothing
                assert not [step for step in steps if step["Node Type"] == "Sort"], (mode, name, text)
    await connection.close()


async def test_journeys_of_before_are_found_by_what_gates_read(empty_dsn: str) -> None:
    """An upgrade writes their plates and containers as the service does."""
    connection = await connect(empty_dsn, "test", 30)
    before = [step for step in MIGRATIONS if step.version < 38]
    await apply_migrations(connection, before)
    body = json.dumps({"vehicle": "29C-1O3.45", "box": "csqu 305438-3"})
    await connection.execute(
        "INSERT INTO journeys (space, id, version, state, regime, armed_at, changed_at, edited, body) "
        "VALUES ('live', 'J-1', 1, 'ARMED', 'transit', now(), now(), false, $1), ('live', 'J-2', 1, 'DECLARED', 'transit', NULL, now(), false, $1)",
        body,
    )
    await apply_migrations(connection, MIGRATIONS)
    found = await connection.fetch("SELECT journey, device FROM journey_devices ORDER BY device")
    plate, box = plate_of("29C-1O3.45"), box_mark("csqu 305438-3")
    assert [tuple(row) for row in found] == [("J-1", f"box/{box}"), ("J-1", f"plate/{plate}")]
    await connection.close()
