"""The summary of a period: against counting by hand, and by its indexes."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from report_stories import HOUR, UNITS, T, counted, seeds, silences
from store_stories import episode

from seal_tracker.alarms.suppressions import Suppression, row_of_order
from seal_tracker.model import LIVE, iso_ms
from seal_tracker.store import Commit, Store
from seal_tracker.store.alarm_reads import RateQuery
from seal_tracker.store.connections import connect
from seal_tracker.store.queries import sql
from seal_tracker.store.records import EpisodeRow
from seal_tracker.store.report_reads import Figures, Summary


@pytest.fixture
async def seeded(module_dsn: str) -> AsyncIterator[Store]:
    """One database for all that only reads."""
    opened = await Store.open(module_dsn)
    try:
        if not (await opened.episodes(LIVE, limit=1)).items:
            await opened.commit(seeds(LIVE))
        yield opened
    finally:
        await opened.close()


def assert_same(found: Figures, expected: Figures) -> None:
    for name in ("journeys", "alarms", "codes", "episodes"):
        assert getattr(found, name) == getattr(expected, name), name
    assert found.acknowledge == pytest.approx(expected.acknowledge)
    assert found.close == pytest.approx(expected.close)


@pytest.mark.parametrize(
    "asked",
    [
        RateQuery(from_ms=T, to_ms=T + 72 * HOUR),
        RateQuery(from_ms=T + 20 * HOUR, to_ms=T + 50 * HOUR),
        RateQuery(from_ms=T + 20 * HOUR, to_ms=T + 50 * HOUR, unit="north"),
        RateQuery(from_ms=T, to_ms=T + 50 * HOUR, scope=frozenset({"south", "port"})),
        RateQuery(from_ms=T, to_ms=T + 50 * HOUR, scope=frozenset({"south"}), unit="north"),
        RateQuery(from_ms=T + 9000 * HOUR, to_ms=T + 9001 * HOUR),
    ],
    ids=["all of it", "part of it", "one unit", "a scope", "out of scope", "when nothing was"],
)
async def test_the_figures_are_those_counted_by_hand(seeded: Store, asked: RateQuery) -> None:
    """In all and for each unit; what is no unit's is headquarters' alone."""
    units = {u for u in UNITS if asked.unit in {None, u} and (asked.scope is None or u in asked.scope)}
    until = asked.to_ms - HOUR
    found: Summary = await seeded.report_summary(LIVE, asked, until)
    assert_same(found.total, counted(asked, units, until))
    assert found.silences == silences(asked, units, until)
    assert set(found.units) <= units
    for unit in units:
        assert_same(found.units.get(unit, Figures()), counted(asked, {unit}, until))
    if asked.to_ms == T + 72 * HOUR:
        assert set(found.units) == set(UNITS)
        assert all(one.raised and one.closed and one.open for one in found.total.alarms)
        assert {one.is_over for one in found.silences} == {True, False}


async def test_another_space_has_figures_of_its_own(seeded: Store) -> None:
    """None of those of the live one."""
    await seeded.add_space("drill")
    period = RateQuery(from_ms=T, to_ms=T + 72 * HOUR)
    found = await seeded.report_summary("drill", period, period.to_ms)
    assert found == Summary(silences=[])


FILL = """
INSERT INTO spaces (name) VALUES ('filled');
INSERT INTO alarms (id, space, state, severity, type, unit, raised_at, updated_at, repeats, body, opened_at, closed_at, code)
SELECT gen_random_uuid(), 'filled', CASE WHEN n % 100 = 0 THEN 'unacknowledged' ELSE 'closed' END, 'high', 'T' || n % 9, 'U' || n % 30, at,
    at, 1, json_build_object('acknowledge_by', at + interval '5 min', 'close_by', at + interval '1 hour'), at, CASE WHEN n % 100 > 0 THEN at + interval '1 hour' END, CASE WHEN n % 100 > 0 THEN 'resolved' END
FROM (SELECT n, to_timestamp(1790000000 + n * 300) AS at FROM generate_series(1, 12000) AS n) AS made;
INSERT INTO actions (space, at, actor, role, kind, subject, body)
SELECT 'filled', opened_at, 'a', 'r', 'alarm.acknowledged', 'alarm/' || id, '{}' FROM alarms WHERE space = 'filled';
INSERT INTO episodes (episode, space, type, severity, subject_kind, subject, seal, started_at, raised_at, ended_at, inferred, latched,
    evidence, plan_version, unit, changed_at, revision, retracted)
SELECT id, space, 'SIGNAL_LOST', 'high', 'seal', 'S', 'S', opened_at, opened_at, closed_at, false, false, '{}', 1, unit, opened_at, 1, false
FROM alarms WHERE space = 'filled';
INSERT INTO journeys (space, id, version, state, regime, unit, armed_at, ended_at, changed_at, edited, body)
SELECT space, id, 1, 'CLOSED', 'transit', unit, opened_at, closed_at, opened_at, false, '{}' FROM alarms WHERE space = 'filled';
INSERT INTO situations (space, id, version, kind, severity, unit, state, restricted, occurred_at, registered_at, closed_at, journeys, body)
SELECT space, id, 1, 'complaint', 'high', unit, 'closed', false, opened_at, opened_at, opened_at, '{}', '{}' FROM alarms WHERE space = 'filled';
ANALYZE;
"""

BEGIN_MS = (1790000000 + 11_700 * 300) * 1000
WITHIN: tuple[Any, ...] = ("filled", BEGIN_MS, BEGIN_MS + 24 * HOUR)
READ_BY: dict[str, tuple[tuple[Any, ...], set[str]]] = {
    "report_journeys": ((), {"journeys_by_end"}),
    "report_alarms": ((), {"alarms_by_opening", "alarms_by_closing", "actions_of_subject"}),
    "report_answers": ((["retracted"],), {"alarms_by_opening", "alarms_by_closing", "actions_of_subject"}),
    "report_outcomes": ((["retracted"],), {"alarms_by_closing"}),
    "report_episodes": ((), {"episodes_newest"}),
    "report_situations": ((), {"situations_by_end"}),
    "report_late": (
        ("service",),
        {"alarms_by_acknowledge_by", "alarms_by_close_by", "alarms_by_closing", "actions_of_subject"},
    ),
    "report_late_persons": (("service",), {"alarms_by_acknowledge_by", "alarms_by_close_by"}),
    "report_operator_hours": ((timedelta(hours=48),), set()),  # there are none here
    "report_silences": ((BEGIN_MS + HOUR, 10), {"episodes_newest", "episodes_open"}),
}


def nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(node for child in plan.get("Plans", []) for node in nodes(child))]


async def test_a_week_of_many_can_be_read_by_index(seeded: Store, module_dsn: str) -> None:
    """No table has to be read from end to end."""

    connection = await connect(module_dsn, "test", 30)
    await connection.execute(FILL)
    await connection.execute(
        "SET enable_seqscan = off"
    )  # of so few rows it is near a tie; without an index it is taken all the same
    for name, (more, indexes) in READ_BY.items():
        (text,) = await connection.fetchrow(f"EXPLAIN (FORMAT JSON) {sql(name)}", *WITHIN, None, None, *more)
        steps = nodes(json.loads(text)[0]["Plan"])
        assert not [step for step in steps if step["Node Type"] == "Seq Scan"], (name, text)
        assert indexes <= {step.get("Index Name") for step in steps}, (name, text)
    await connection.close()


async def test_maintenance_counts_from_when_it_was_ordered_until_it_ends(
    seeded: Store, module_dsn: str
) -> None:
    """Of one piece, of the alarms of its being offline; not what was cancelled before it began."""
    await seeded.add_space("works")
    plain = {"equipment": "CAM-1", "from_at": 0, "until": 100, "made_at": -50}
    given: list[tuple[dict[str, Any], tuple[int, int] | None]] = [
        (plain, (0, 100)),
        (plain | {"types": ("EQUIPMENT_OFFLINE", "BATTERY_LOW"), "made_at": 40}, (40, 100)),
        (plain | {"until": 80, "cancelled_at": 30}, (0, 30)),
        (plain | {"cancelled_at": -10}, None),
        (plain | {"types": ("BATTERY_LOW",)}, None),
        (plain | {"equipment": "CAM-2"}, None),
        (plain | {"equipment": None, "unit": "north"}, None),
        (plain | {"from_at": 200, "until": 300}, None),
    ]
    rows = [row_of_order(maintenance(i, **order)) for i, (order, _) in enumerate(given)]
    await seeded.commit(Commit(space="works", suppressions=rows))
    found = await seeded.maintenance_times("works", T, T + 150, {"CAM-1"})
    expected = sorted((T + times[0], T + times[1]) for _, times in given if times is not None)
    assert {name: sorted(times) for name, times in found.items()} == {"CAM-1": expected}
    connection = await connect(module_dsn, "test", 30)
    await connection.execute("SET enable_seqscan = off")
    asked = ("works", T, T + 150, ["CAM-1"])
    (text,) = await connection.fetchrow(f"EXPLAIN (FORMAT JSON) {sql('maintenance_times')}", *asked)
    read = {step["Index Name"] for step in nodes(json.loads(text)[0]["Plan"]) if "Index Name" in step}
    assert read == {"suppressions_of_equipment"}, text
    await connection.close()


def maintenance(number: int, **fields: Any) -> Suppression:
    times = {
        name: iso_ms(T + value) if isinstance(value, int) else value
        for name, value in fields.items()
    }  # fmt: skip
    return Suppression(
        id=str(UUID(int=number + 1)),
        reason="works",
        made_by="an",
        changed_by="an",
        changed_at=iso_ms(T),
        **times,
    )


async def test_equipment_offline_in_a_period_is_read_from_an_index_alone(
    seeded: Store, module_dsn: str
) -> None:
    """What began before it and what is not over are in it; what touches its edges, and what others had, is not."""
    await seeded.add_space("cameras")
    times = {"CAM-1": [(-9, 0), (-5, 1), (2, 3), (9, 30), (10, 20)], "CAM-2": [(4, None)], "CAM-3": [(4, 5)]}
    made = [
        episode(
            100_000 + 100 * i + j, type="EQUIPMENT_OFFLINE", subject_kind="equipment", subject=name, journey=None, seal=f"equip/{name}",
            started_at_ms=T + begin, raised_at_ms=T + begin, ended_at_ms=None if end is None else T + end,
        )
        for i, (name, found) in enumerate(times.items())
        for j, (begin, end) in enumerate(found)
    ]  # fmt: skip
    await seeded.commit(Commit(space="cameras", episodes=[EpisodeRow(one, 1) for one in made]))
    found = await seeded.offline_times("cameras", T, T + 10, {"CAM-1", "CAM-2"})
    assert found == {"CAM-1": [(T - 5, T + 1), (T + 2, T + 3), (T + 9, T + 30)], "CAM-2": [(T + 4, None)]}
    connection = await connect(module_dsn, "test", 30)
    await connection.execute("ANALYZE episodes; SET enable_seqscan = off")
    asked = ("cameras", T, T + 10, ["CAM-1"])
    (text,) = await connection.fetchrow(f"EXPLAIN (FORMAT JSON) {sql('offline_times')}", *asked)
    read = {
        (step["Node Type"], step["Index Name"])
        for step in nodes(json.loads(text)[0]["Plan"])
        if "Index Name" in step
    }
    assert read == {("Index Only Scan", "episodes_offline")}, text
    await connection.close()
