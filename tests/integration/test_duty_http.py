"""Duty over HTTP on a real database: shifts, what one leaves to the next, who is on duty, and what was let pass."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid4

import pytest
from listed import GENERIC_PLAN
from story import batch, iso, ping
from web_support import Answer, World, assert_problem, plan_files

from seal_tracker.alarming import action_of
from seal_tracker.alarms.deadlines import DEFAULT_TERMS, with_deadlines
from seal_tracker.alarms.rows import row_of
from seal_tracker.clock import clock_ms
from seal_tracker.commands.ledger import verified_ledger
from seal_tracker.deeds import Deed
from seal_tracker.model import LIVE, iso_ms
from seal_tracker.overdue import OverdueClock
from seal_tracker.plans import load_files
from seal_tracker.prepared import Prepared
from seal_tracker.publishing.cloudevents import AlarmState
from seal_tracker.store import Commit
from seal_tracker.store.alarm_reads import RateQuery
from seal_tracker.store.asset_reads import AssetFilter
from seal_tracker.store.connections import connect
from seal_tracker.store.duty_reads import LONGEST, LONGEST_ABSENCE
from seal_tracker.store.queries import sql
from seal_tracker.store.records import AlarmRow
from seal_tracker.store.task_reads import TaskFilter
from seal_tracker.tasking.attached import MAX_BYTES
from seal_tracker.tasking.states import Task
from seal_tracker.tasking.states import row_of as row_of_task

pytest_plugins = ["web_fixtures"]

UNITS = """
[hq]
name = {en = "Headquarters"}
head = "Director"
[port]
name = {en = "Port"}
parent = "hq"
head = "Minh"
deputies = ["Lan", "Hoa"]
[gate]
name = {en = "Gate"}
parent = "port"
"""
HOUR_MS = 3_600_000


@pytest.fixture
async def world(world: World) -> World:
    """With a tree of three units; deeds are committed as they are."""
    plan, faults = load_files(plan_files() | {"units.toml": UNITS})
    assert plan is not None, faults
    world.fleet.plans[LIVE] = plan

    turn = asyncio.Lock()  # as the pipeline's: what a desk has read stands until its deed is committed

    async def act(space: str, work: Callable[[Any], Awaitable[tuple[Prepared, Deed]]]) -> None:
        async with turn:
            _, deed = await work(None)
            await world.store.commit(Commit(space=space, actions=deed.actions, **deed.brought()))

    vars(world.fleet)["act"] = act
    return world


def in_hours(hours: float) -> str:
    return (datetime.now(UTC) + timedelta(hours=hours)).isoformat()


async def plan(
    world: World, officer: str = "operator", begins: float = -1, ends: float = 7, **more: Any
) -> Answer:
    body = {
        "officer": officer,
        "unit": "port",
        "begins_at": in_hours(begins),
        "ends_at": in_hours(ends),
        **more,
    }
    return await world.ask("/api/v1/shifts", "supervisor", "POST", json=body)


async def send(world: World, path: str, role: str, version: int | str = "*", **body: Any) -> Answer:
    tag = "*" if version == "*" else f'"{version}"'
    return await world.ask(path, role, "POST", json=body or None, headers={"If-Match": tag})


def alarm(n: int, unit: str, opened_ms: int, **more: Any) -> AlarmRow:
    """An alarm of a unit, opened then."""
    made = AlarmState(
        alarm=str(UUID(int=n)), state="unacknowledged", episode=UUID(int=n + 1000), type="SEAL_TAMPER", severity="high",
        subject=f"journey/J-{n}", journey=f"J-{n}", seal=None, object=None, unit=unit, responsible=unit,
        group=str(UUID(int=n)), raised_at=iso_ms(opened_ms), opened_at=iso_ms(opened_ms), ended_at=None,
        updated_at=iso_ms(opened_ms), exercise=False, **more,
    )  # fmt: skip
    return row_of(with_deadlines(made, opened_ms, DEFAULT_TERMS), [])


async def test_a_shift_goes_to_the_next_with_its_open_alarms(world: World):
    """The list writes itself: the unit's and those below it, as they stand at that moment, and it does not change later."""
    now_ms = clock_ms()
    rows = [alarm(1, "port", now_ms), alarm(2, "gate", now_ms - HOUR_MS), alarm(3, "hq", now_ms)]
    await world.store.commit(Commit(space=LIVE, alarms=rows))
    shift = (await plan(world)).json()
    following = (await plan(world, "unit_head", 7, 15)).json()
    path = f"/api/v1/shifts/{shift['id']}/hand-over"
    body = {"note": "the crane is blocked", "to": following["id"]}
    assert_problem(await world.ask(path, "operator", "POST", json=body), 428, "If-Match")
    assert_problem(await send(world, path, "operator", 7, **body), 412, "If-Match")
    answer = await send(world, path, "operator", 1, **body)
    assert answer.status == 201, answer.body
    made = answer.json()
    assert (made["note"], made["handed_by"], made["taken_by"]) == ("the crane is blocked", "operator", None)
    assert made["alarms_open"] == 2
    assert [(a["alarm"], a["type"], a["severity"], a["state"]) for a in made["alarms"]] == [
        (str(UUID(int=2)), "SEAL_TAMPER", "high", "unacknowledged"),
        (str(UUID(int=1)), "SEAL_TAMPER", "high", "unacknowledged"),
    ]
    assert made["alarms"][1]["due_at"] == iso_ms(now_ms + 5 * 60_000)
    assert_problem(await send(world, path, "operator", 1, **body), 409)

    await world.store.commit(Commit(space=LIVE, alarms=[alarm(4, "port", now_ms)]))
    taking = f"/api/v1/hand-overs/{made['id']}"
    assert (await world.ask(taking)).json() == made
    assert_problem(await send(world, taking + "/take", "operator"), 409)
    assert_problem(await send(world, taking + "/take", "unit_head", 9), 412, "If-Match")
    answer = await send(world, taking + "/take", "unit_head", 1)
    assert answer.status == 200, answer.body
    taken = answer.json()
    assert (taken["taken_by"], taken["version"], answer.headers["ETag"]) == ("unit_head", 2, '"2"')
    assert taken["alarms"] == made["alarms"]
    assert_problem(await send(world, taking + "/take", "unit_head", 2), 409)

    (port,) = [d for d in (await world.ask("/api/v1/duty/now")).json()["items"] if d["unit"] == "port"]
    assert port["on_duty"] == ["unit_head"]
    ended = (await world.ask(f"/api/v1/shifts/{shift['id']}")).json()
    assert (ended["ends_at"], ended["version"], ended["hand_over"]) == (taken["taken_at"], 2, made["id"])
    told = await world.store.actions_of(LIVE, f"hand_over/{made['id']}")
    assert [(a.action.actor, a.action.kind, a.action.unit) for a in told] == [
        ("unit_head", "hand_over.taken", "port"),
        ("operator", "hand_over.handed", "port"),
    ]
    assert json.loads(told[1].action.body)["alarms"] == [a["alarm"] for a in made["alarms"]]


async def test_who_is_on_duty_is_a_shifts_officer_else_the_head(world: World):
    """A unit without a head has that above it."""
    assert (await plan(world)).status == 201
    assert (await plan(world, "unit_head", 1, 9)).status == 201
    items = (await world.ask("/api/v1/duty/now")).json()["items"]
    assert {d["unit"]: (d["on_duty"], d["answers_for"]) for d in items} == {
        None: ([], None),
        "hq": (["Director"], "hq"),
        "port": (["operator"], "port"),
        "gate": (["Minh"], "port"),
    }


async def change(world: World, path: str, version: int | str = "*", **body: Any) -> Answer:
    tag = "*" if version == "*" else f'"{version}"'
    return await world.ask(path, "supervisor", "PATCH", json=body, headers={"If-Match": tag})


async def test_a_shift_is_changed_and_cancelled(world: World):
    """Before it begins in everything but its unit; then its end and notes alone; a cancelled one is nobody's and stays."""
    shift = (await plan(world, begins=2, ends=9)).json()
    path = f"/api/v1/shifts/{shift['id']}"
    answer = await world.ask(path, "supervisor", "PATCH", json={"notes": "x"})
    assert_problem(answer, 428, "If-Match")
    assert_problem(await change(world, path, 7, notes="x"), 412, "If-Match")
    assert_problem(await change(world, path), 422, "body")
    assert_problem(await change(world, path, officer="nobody"), 422, "officer")
    assert_problem(await change(world, path, ends_at=in_hours(1)), 422, "ends_at")
    changed = await change(world, path, 1, officer="unit_head", begins_at=in_hours(3), reason="illness")
    assert changed.status == 200, changed.body
    assert (changed.json()["officer"], changed.headers["ETag"]) == ("unit_head", '"2"')
    other = (await plan(world, "operator", 5, 8)).json()
    assert_problem(await change(world, path, officer="operator"), 409, "officer")
    assert_problem(await send(world, path + "/cancel", "supervisor", 1, reason="no ship"), 412, "If-Match")
    cancelled = await send(world, path + "/cancel", "supervisor", 2, reason="no ship")
    assert cancelled.status == 200, cancelled.body
    assert cancelled.json()["cancelled_at"] == cancelled.json()["changed_at"]
    assert_problem(await change(world, path, notes="x"), 409)
    assert_problem(await send(world, path + "/hand-over", "operator", note="x"), 409)
    listed = (await world.ask("/api/v1/shifts")).json()["items"]
    assert [item["id"] for item in listed] == [other["id"]]
    assert (await plan(world, "unit_head", 4, 8)).status == 201
    told = await world.store.actions_of(LIVE, f"shift/{shift['id']}")
    kinds = [(a.action.kind, json.loads(a.action.body).get("reason")) for a in told]
    assert kinds == [("shift.cancelled", "no ship"), ("shift.edited", "illness"), ("shift.planned", None)]

    going_on = (await plan(world, "supervisor")).json()
    path = f"/api/v1/shifts/{going_on['id']}"
    assert_problem(await change(world, path, officer="operator"), 409, "officer")
    assert_problem(await send(world, path + "/cancel", "supervisor", reason="no"), 409)
    assert (await change(world, path, ends_at=in_hours(1))).status == 200
    handed = await send(world, path + "/hand-over", "supervisor", note="quiet", to=other["id"])
    assert handed.status == 201, handed.body
    assert_problem(await change(world, path, notes="x"), 409)
    other_path = f"/api/v1/shifts/{other['id']}"
    refused = await send(world, other_path + "/cancel", "supervisor", reason="no")
    assert_problem(refused, 409)
    assert handed.json()["id"] in refused.json()["detail"]


async def test_hand_overs_are_listed_newest_first(world: World):
    """Of a unit and a time; those that wait to be taken by themselves; without the alarms, which each has."""
    ids = []
    for officer, unit in (("operator", "port"), ("supervisor", "gate"), ("unit_head", "port")):
        shift = (await plan(world, officer, unit=unit)).json()
        answer = await send(world, f"/api/v1/shifts/{shift['id']}/hand-over", "operator", note=officer)
        ids.append(answer.json()["id"])
    first = (await world.ask("/api/v1/hand-overs?limit=2")).json()
    rest = (await world.ask(f"/api/v1/hand-overs?limit=2&after={first['next']}")).json()
    assert [item["id"] for item in first["items"] + rest["items"]] == ids[::-1]
    assert rest["next"] is None
    assert "alarms" not in first["items"][0]
    assert (await send(world, f"/api/v1/hand-overs/{ids[0]}/take", "administrator")).status == 200
    waiting = (await world.ask("/api/v1/hand-overs?waiting=true&unit=port")).json()["items"]
    assert [item["id"] for item in waiting] == [ids[2]]
    none = (await world.ask("/api/v1/hand-overs", params={"to": in_hours(-3)})).json()["items"]
    assert none == []


async def test_a_deputy_acts_for_a_head_who_is_absent(world: World):
    """The first who is there; where nobody is, the unit above answers. It is noted, changed and ended by who may order."""
    body = {
        "unit": "port",
        "officer": "Minh",
        "begins_at": in_hours(-1),
        "ends_at": in_hours(40),
        "reason": "leave",
    }
    assert_problem(await world.ask("/api/v1/absences", "operator", "POST", json=body), 403)
    assert_problem(
        await world.ask("/api/v1/absences", "supervisor", "POST", json=body | {"officer": "Ann"}),
        422,
        "officer",
    )
    assert_problem(
        await world.ask("/api/v1/absences", "supervisor", "POST", json=body | {"unit": "moon"}), 422, "unit"
    )
    made = await world.ask("/api/v1/absences", "supervisor", "POST", json=body)
    assert made.status == 201, made.body

    async def acting() -> tuple[list[str], str | None, str | None]:
        items = (await world.ask("/api/v1/duty/now")).json()["items"]
        (port,) = [item for item in items if item["unit"] == "port"]
        return port["on_duty"], port["head"], port["deputy"]

    assert await acting() == (["Lan"], "Minh", "Lan")
    away = [made.json()]
    for name in ("Lan", "Hoa"):
        answer = await world.ask("/api/v1/absences", "supervisor", "POST", json=body | {"officer": name})
        away.append(answer.json())
        assert await acting() == (
            (["Hoa"], "Minh", "Hoa") if name == "Lan" else (["Director"], "Director", None)
        )
    listed = (await world.ask("/api/v1/absences?limit=2")).json()
    rest = (await world.ask(f"/api/v1/absences?after={listed['next']}")).json()
    assert {item["officer"] for item in listed["items"] + rest["items"]} == {"Minh", "Lan", "Hoa"}
    path = f"/api/v1/absences/{away[0]['id']}"
    assert_problem(await change(world, path, 9, reason="x"), 412, "If-Match")
    assert_problem(await change(world, path, begins_at=in_hours(2)), 409, "begins_at")
    assert (await change(world, path, 1, ends_at=in_hours(2))).json()["version"] == 2
    ended = await send(world, path + "/cancel", "supervisor", 2, reason="back early")
    assert (ended.status, ended.json()["cancelled_at"]) == (200, None)
    assert_problem(await send(world, path + "/cancel", "supervisor", reason="again"), 409)
    assert await acting() == (["Minh"], "Minh", None)
    assert (await world.ask(path)).json()["ends_at"] == ended.json()["changed_at"]


async def test_what_cannot_be_a_shift_is_refused(world: World):
    first = (await plan(world)).json()
    clash = await plan(world, begins=6, ends=9, unit="gate")
    assert_problem(clash, 409, "officer")
    assert first["id"] in clash.json()["detail"]
    assert (await plan(world, "unit_head", 6, 9)).status == 201
    assert_problem(await plan(world, "nobody"), 422, "officer")
    assert_problem(await plan(world, "auditor"), 422, "officer")
    assert_problem(await plan(world, "supervisor", unit="moon"), 422, "unit")
    assert_problem(await plan(world, "supervisor", 3, 2), 422, "ends_at")
    assert_problem(await plan(world, "supervisor", 0, 49), 422, "ends_at")
    assert_problem(await world.ask(f"/api/v1/shifts/{uuid4()}"), 404, "shift")
    later = (await plan(world, "supervisor", 9, 12)).json()
    assert_problem(await send(world, f"/api/v1/shifts/{later['id']}/hand-over", "supervisor", note=""), 409)


async def test_shifts_are_listed_page_by_page(world: World):
    """Every one once, by when it begins; of a unit, and of a time."""
    ids = []
    for n in range(7):
        unit = "port" if n % 2 else "gate"
        ids.append((await plan(world, begins=n, ends=n + 1, unit=unit)).json()["id"])
    seen: list[str] = []
    after = ""
    while True:
        page = (await world.ask(f"/api/v1/shifts?limit=3{after}")).json()
        seen += [item["id"] for item in page["items"]]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    assert seen == ids
    gate = (await world.ask("/api/v1/shifts?unit=gate")).json()["items"]
    assert [item["id"] for item in gate] == ids[::2]
    params = {"from": in_hours(2.5), "to": in_hours(4.5)}
    within = (await world.ask("/api/v1/shifts", params=params)).json()["items"]
    assert [item["id"] for item in within] == ids[2:5]
    backwards = {"from": params["to"], "to": params["from"]}
    assert_problem(await world.ask("/api/v1/shifts", params=backwards), 400, "from")


async def test_what_was_let_pass_is_told_of_unit_and_head(world: World):
    """Alarms past a deadline alone, the oldest, and who has seen each and when."""
    now_ms = clock_ms()
    old, older, fresh = now_ms - 20 * 60_000, now_ms - 2 * HOUR_MS, now_ms
    rows = [
        alarm(1, "port", old),
        alarm(2, "port", older, escalations=0),
        alarm(3, "port", fresh),
        alarm(4, "hq", older),
    ]
    did = [
        action_of(rows[1], "escalated", "system", "service", older + 1, {}),
        action_of(rows[1], "seen", "an", "operator", older + 2, {}),
        action_of(rows[1], "noted", "an", "operator", older + 2, {}),
        action_of(rows[1], "noted", "binh", "operator", older + 3, {}),
    ]
    await world.store.commit(Commit(space=LIVE, alarms=rows, actions=did))
    items = (await world.ask("/api/v1/duty/accountability")).json()["items"]
    assert [(i["unit"], i["head"], i["late"], i["not_acknowledged"], i["not_closed"]) for i in items] == [
        ("hq", "Director", 1, 1, 1),
        ("port", "Minh", 2, 2, 1),
    ]
    port = items[1]
    assert port["oldest_due_at"] == iso_ms(older + 5 * 60_000)
    assert [(a["alarm"], a["seen"]) for a in port["alarms"]] == [
        (str(UUID(int=2)), [{"by": "an", "at": iso_ms(older + 2)}, {"by": "binh", "at": iso_ms(older + 3)}]),
        (str(UUID(int=1)), []),
    ]
    since = {"from": iso_ms(now_ms - HOUR_MS), "unit": "port"}
    (port,) = (await world.ask("/api/v1/duty/accountability", params=since)).json()["items"]
    assert (port["late"], [a["alarm"] for a in port["alarms"]]) == (1, [str(UUID(int=1))])

    pages: list[dict[str, Any]] = []
    while not pages or pages[-1]["next"]:
        params = {"limit": "2"} | ({"after": pages[-1]["next"]} if pages else {})
        pages.append((await world.ask("/api/v1/duty/accountability", params=params)).json())
    told = [[a["alarm"] for i in page["items"] for a in i["alarms"]] for page in pages]
    assert told == [[str(UUID(int=4)), str(UUID(int=2))], [str(UUID(int=1))]]
    assert {i["late"] for page in pages for i in page["items"] if i["unit"] == "port"} == {2}


async def test_who_opens_an_alarm_has_seen_it_once_and_a_list_is_no_seeing(world: World):
    """Persons who handle alarms alone; nobody's version is outdated by it, and it is an action like any other."""
    row, over = alarm(5, "port", clock_ms()), alarm(6, "port", clock_ms())._replace(state="closed")
    await world.store.commit(Commit(space=LIVE, alarms=[row, over]))
    path = f"/api/v1/alarms/{row.id}"
    for _ in range(2):
        assert (await world.ask("/api/v1/alarms", "operator")).status == 200
        assert (await world.ask(path, "auditor")).json()["seen"] == []
    opened = await asyncio.gather(*(world.ask(path, "operator") for _ in range(4)))
    assert {answer.headers["ETag"] for answer in opened} == {f'"{row.version}"'}
    said = await world.ask(f"{path}/seen", "supervisor", "POST")
    again = await world.ask(f"{path}/seen", "supervisor", "POST")
    assert [(one["by"]) for one in said.json()["seen"]] == ["operator", "supervisor"]
    assert again.json()["seen"] == said.json()["seen"]
    assert [(step["step"], step["by"]) for step in again.json()["history"]] == [
        ("seen", "supervisor"),
        ("seen", "operator"),
    ]
    assert_problem(await world.ask(f"/api/v1/alarms/{uuid4()}/seen", "operator", "POST"), 404, "alarm")
    assert_problem(await world.ask(f"{path}/seen", "auditor", "POST"), 403)
    assert (await world.ask(f"/api/v1/alarms/{over.id}", "operator")).json()["seen"] == []


async def test_an_account_has_so_many_webhooks_at_most(world: World):
    """Each account by itself; one that is removed makes room."""
    config = replace(world.context.config, webhooks_per_account=2)
    object.__setattr__(world.context, "config", config)
    body = {"url": "https://example.org/hook"}
    asked = [world.ask("/api/v1/hooks", "integrator", "POST", json=body) for _ in range(3)]
    made = sorted([await answer for answer in asked], key=lambda answer: answer.status)
    assert [answer.status for answer in made] == [201, 201, 409]
    assert "SEAL_TRACKER_WEBHOOKS_PER_ACCOUNT" in made[2].json()["detail"]
    assert (await world.ask("/api/v1/hooks", "administrator", "POST", json=body)).status == 201
    first = made[0].headers
    gone = await world.ask(first["Location"], "integrator", "DELETE", headers={"If-Match": first["ETag"]})
    assert gone.status == 204
    assert (await world.ask("/api/v1/hooks", "integrator", "POST", json=body)).status == 201


async def test_lists_of_duty_are_read_by_their_index(world: World, postgres_dsn: str):
    """However many shifts there were."""
    connection = await connect(postgres_dsn, "test", 30)
    await connection.execute(
        "INSERT INTO shifts SELECT gen_random_uuid(), 'u' || n % 50, 'operator', t, t + interval '1 hour', '', 1, 'an', t"
        " FROM generate_series(1, 20000) AS n, LATERAL (SELECT now() - n * interval '1 hour' AS t) AS at"
    )
    await connection.execute(
        "INSERT INTO hand_overs SELECT gen_random_uuid(), id, NULL, unit, '', '[]', 0, ends_at, 'an', NULL, NULL, 1 FROM shifts"
    )
    await connection.execute(
        "INSERT INTO absences SELECT gen_random_uuid(), 'port', 'Minh', t, t + interval '1 day', '', 1, 'an', t"
        " FROM generate_series(1, 20000) AS n, LATERAL (SELECT now() - n * interval '1 day' AS t) AS at"
    )
    await connection.execute(
        "INSERT INTO actions (space, at, actor, role, kind, subject, body) SELECT 'live', now(), 'an', 'operator',"
        " 'alarm.seen', 'alarm/' || gen_random_uuid(), '{}' FROM generate_series(1, 20000)"
    )
    await connection.execute(
        "INSERT INTO alarms (space, id, state, severity, type, raised_at, updated_at, repeats, body, unit, opened_at, due_at)"
        " SELECT 'live', gen_random_uuid(), CASE n % 9 WHEN 0 THEN 'unacknowledged' ELSE 'closed' END, 'high', 'SEAL_TAMPER', t,"
        " t, 1, json_build_object('acknowledge_by', t, 'close_by', t), 'port', t, t"
        " FROM generate_series(1, 20000) AS n, LATERAL (SELECT now() - n * interval '1 minute' AS t) AS at"
    )
    await connection.execute("VACUUM ANALYZE")
    now_ms = clock_ms()
    late = LIVE, now_ms, 0, now_ms, None, None
    asked: dict[str, tuple[tuple[Any, ...], str]] = {
        "shifts_listed": ((now_ms, now_ms + 1, LONGEST, 0, UUID(int=0), None, None, 101), "shifts_by_begin"),
        "shifts_of_officer": (("operator", now_ms, now_ms + 1, LONGEST), "shifts_of_officer"),
        "shift_of_id": ((UUID(int=1),), "shifts_pkey"),
        "hand_over_of_id": ((UUID(int=1),), "hand_overs_pkey"),
        "hand_overs_listed": ((0, now_ms, now_ms, UUID(int=0), None, None, False, 101), "hand_overs_newest"),
        "hand_over_waiting_for": ((UUID(int=1),), "hand_overs_waiting"),
        "absence_of_id": ((UUID(int=1),), "absences_pkey"),
        "absences_listed": (
            (now_ms, now_ms + 1, LONGEST_ABSENCE, 0, UUID(int=0), None, None, 101),
            "absences_by_begin",
        ),
        "absent_officers": ((now_ms, LONGEST_ABSENCE), "absences_by_begin"),
        "hand_overs_of_shifts": (([UUID(int=1)],), "hand_overs_shift_key"),
        "overdue_by_unit": (late, "alarms_late"),
        "overdue_alarms": ((*late, 0, UUID(int=0), 101, "service"), "alarms_late"),
        "alarm_seen": ((LIVE, f"alarm/{UUID(int=1)}", "service"), "actions_of_subject"),
    }
    await connection.execute(GENERIC_PLAN)
    for mode in ("custom", "generic"):
        for name, (args, index) in asked.items():
            if mode == "generic":
                text = await connection.fetchval("SELECT pg_temp.generic_plan($1)", sql(name))
            else:
                text = await connection.fetchval(f"EXPLAIN (FORMAT JSON) {sql(name)}", *args)
            assert f'"{index}"' in text, (mode, name, text)
            assert "Seq Scan" not in text, (mode, name, text)
    await connection.close()


TASKS = "/api/v1/tasks"
PDF = b"%PDF-1.7 a scan"


async def give(world: World, role: str = "supervisor", **more: Any) -> Any:
    body = {
        "title": "Kiểm kê niêm phong",
        "due": in_hours(24),
        "units": ["port"],
        "document": "12/GSQL",
        **more,
    }
    answer = await world.ask(TASKS, role, "POST", json=body)
    assert answer.status == 201, answer.body
    return answer.json()


async def listed(world: World, query: str = "") -> list[str]:
    answer = await world.ask(f"{TASKS}{query}")
    assert answer.status == 200, answer.body
    return [item["id"] for item in answer.json()["items"]]


async def test_a_task_goes_its_way_and_every_step_says_who(world: World):
    """Given to each unit apart, taken on, reported, sent back, done, confirmed; the ledger holds the row as it stands."""
    assert_problem(
        await world.ask(
            TASKS, "supervisor", "POST", json={"title": "x", "due": in_hours(-1), "units": ["port"]}
        ),
        422,
        "due",
    )
    assert_problem(
        await world.ask(
            TASKS, "supervisor", "POST", json={"title": "x", "due": in_hours(1), "units": ["sea"]}
        ),
        422,
        "units",
    )
    given = await give(world, units=["port", "gate"], supporting=["hq"])
    task, other = (item["id"] for item in given["items"])
    path = f"{TASKS}/{task}"
    assert_problem(await send(world, f"{path}/progress", "operator", 1, percent=10, note="begun"), 409)
    assert_problem(await send(world, f"{path}/progress", "operator", 7, percent=1, note="x"), 412, "If-Match")
    for step, role, body in (
        ("accept", "operator", {}),
        ("progress", "operator", {"percent": 40, "note": "two of five stores"}),
        ("done", "supervisor", {"note": "all five"}),
        ("return", "unit_head", {"reason": "no list"}),
        ("done", "supervisor", {"note": "with a list"}),
    ):
        answer = await world.ask(f"{path}/{step}", role, "POST", json=body, headers={"If-Match": "*"})
        assert answer.status == 200, answer.body
    own = await world.ask(f"{path}/confirm", "supervisor", "POST", json={}, headers={"If-Match": "*"})
    assert_problem(own, 409)
    answer = await world.ask(f"{path}/confirm", "unit_head", "POST", json={}, headers={"If-Match": '"6"'})
    one = answer.json()
    assert (one["state"], one["version"], one["percent"], answer.headers["ETag"]) == (
        "confirmed",
        7,
        100,
        '"7"',
    )
    assert [(s["step"], s["by"]) for s in one["history"]] == [
        ("confirmed", "unit_head"), ("done", "supervisor"), ("returned", "unit_head"), ("done", "supervisor"),
        ("progress", "operator"), ("accepted", "operator"), ("given", "supervisor"),
    ]  # fmt: skip
    assert one["history"][4]["detail"] == {"percent": 40, "note": "two of five stores"}
    assert await listed(world, f"?giving={given['giving']}&open=true") == [other]
    figures = (await world.ask(f"{TASKS}/figures?from={quote(in_hours(-1))}&to={quote(in_hours(1))}")).json()
    counts = {u["unit"]: (u["given"], u["done_in_time"], u["open"], u["overdue"]) for u in figures["units"]}
    assert counts == {"gate": (1, 0, 1, 0), "port": (1, 1, 0, 0)}
    assert (figures["total"]["given"], figures["total"]["done_in_time"]) == (2, 1)


async def test_tasks_are_found_by_what_leads_to_them(world: World):
    """A unit, a document in any letters, words without accents, given together, open, past their time; a page at a time."""
    first = (await give(world, document="7/tchq"))["items"][0]["id"]
    second = (await give(world, units=["gate"], title="Đôn đốc trả niêm phong"))["items"][0]["id"]
    for query, wanted in (
        ("", [second, first]), ("?unit=gate", [second]), ("?document=7/TCHQ", [first]), ("?text=don%20doc", [second]),
        ("?text=!!", []), ("?state=given", [second, first]), ("?state=done", []), ("?overdue=true", []),
        (f"?to={quote(in_hours(-1))}", []),
    ):  # fmt: skip
        assert await listed(world, query) == wanted, query
    page = (await world.ask(f"{TASKS}?limit=1")).json()
    assert await listed(world, f"?limit=1&after={page['next']}") == [first]
    now_ms = clock_ms() + 25 * HOUR_MS
    which = TaskFilter(scope=frozenset({"gate", "port"}), overdue_at_ms=now_ms)
    rows, more = await world.store.tasks(LIVE, which)
    assert ([str(row.id) for row in rows], more) == ([second, first], False)
    seen, _ = await world.store.tasks(LIVE, TaskFilter(scope=frozenset({"gate", "hq"})))
    assert [str(row.id) for row in seen] == [second]


async def test_a_file_is_kept_as_it_came_and_only_to_be_saved(world: World, postgres_dsn: str):
    """Its hash stands in the ledger: content that somebody exchanges is found."""
    task = (await give(world))["items"][0]["id"]
    path = f"{TASKS}/{task}/attachments"
    for query, kind, content, status, field in (
        ("?name=a.html", "text/html", PDF, 415, "Content-Type"),
        ("?name=a.pdf", "application/pdf", b"<html>", 422, "body"),
        ("?name=..%2Fa.pdf", "application/pdf", PDF, 400, "name"),
        ("?name=a.pdf", "application/pdf", b"%PDF-" + bytes(MAX_BYTES), 413, None),
    ):
        headers = {"Content-Type": kind, "If-Match": "*"}
        assert_problem(
            await world.ask(path + query, "operator", "POST", data=content, headers=headers), status, field
        )
    headers = {"Content-Type": "application/pdf", "If-Match": '"1"'}
    answer = await world.ask(f"{path}?name=%C4%91%C6%A1n.pdf", "operator", "POST", data=PDF, headers=headers)
    assert answer.status == 201, answer.body
    (file,) = answer.json()["attachments"]
    assert (file["name"], file["bytes"], file["sha256"]) == ("đơn.pdf", len(PDF), sha256(PDF).hexdigest())
    saved = await world.ask(answer.headers["Location"])
    assert (saved.body, saved.headers["Content-Type"]) == (PDF, "application/pdf")
    assert saved.headers["Content-Disposition"] == "attachment; filename*=UTF-8''%C4%91%C6%A1n.pdf"
    assert (saved.headers["X-Content-Type-Options"], saved.headers["Cache-Control"]) == (
        "nosniff",
        "private, no-store",
    )
    connection = await connect(postgres_dsn, "test", 30)
    assert (await verified_ledger(connection, [], [])).whole
    await connection.execute("UPDATE attachment_contents SET content = content || 'x'")
    await connection.execute("UPDATE tasks SET due_at = due_at + interval '1 day'")
    found = await verified_ledger(connection, [], [])
    await connection.close()
    named = {fault.partition(":")[0].partition("/")[0] for fault in found.log_faults}
    assert (found.whole, named) == (False, {"task", "attachment"}), found.log_faults


async def test_the_head_is_told_of_an_overdue_task_once_over_restarts(world: World):
    """Note, mail and step are one commit: whoever looks again, after a kill as well, finds it told."""
    task = UUID((await give(world))["items"][0]["id"])
    later_ms = clock_ms() + 25 * HOUR_MS

    async def act(space: str, work: Any) -> None:
        judging = SimpleNamespace(plan=replace(world.fleet.plans[LIVE], units=(
            *(replace(unit, contact="minh@example.org") for unit in world.fleet.plans[LIVE].units),
        )))  # fmt: skip
        _, deed = await work(judging)
        await world.store.commit(Commit(space=space, actions=deed.actions, **deed.brought()))

    for _ in range(2):
        await OverdueClock(world.store, act, clock_ms=lambda: later_ms).look()
    steps = await world.store.actions_of(LIVE, f"task/{task}")
    assert [step.action.kind for step in steps] == ["task.escalated", "task.given"]
    (mail,) = await world.store.mails_due(later_ms, 10)
    assert (mail.recipient, "Kiểm kê niêm phong" in mail.body) == ("minh@example.org", True)


SEALS = "/api/v1/seal-assets"
MOVES = "/api/v1/seal-moves"
REGISTRY = "seal,unit,model,calibrate_by\r\nS-1,port,JT701,2026-01-01\r\nS-2,port,JT701,\r\nS-3,gate,,\r\n"


async def taken_in(world: World, content: str = REGISTRY) -> Answer:
    headers = {"Content-Type": "text/csv"}
    return await world.ask(f"{SEALS}/import", "operator", "POST", data=content.encode(), headers=headers)


async def names(world: World, query: str = "") -> list[str]:
    answer = await world.ask(f"{SEALS}{query}")
    assert answer.status == 200, answer.body
    return [item["seal"] for item in answer.json()["items"]]


async def test_a_registry_is_taken_in_and_every_movement_is_kept(world: World):
    """One seal with its version, many at once or none; the chain says who, and the stock of any moment adds up."""
    assert_problem(await taken_in(world, REGISTRY + "S 4,port,,\r\nS-5,sea,,\r\n"), 422, "body")
    assert (await taken_in(world)).json() == {"registered": 3}
    assert_problem(await taken_in(world), 409, "seal")
    assert_problem(await world.ask(SEALS, "auditor", "POST", json={"seal": "S-4", "unit": "port"}), 403)
    new = await world.ask(
        SEALS, "operator", "POST", json={"seal": "S-4", "unit": "hq", "bought_on": "2025-03-01"}
    )
    assert (new.status, new.headers["ETag"], new.headers["Location"]) == (201, '"1"', f"{SEALS}/S-4")
    path = f"{SEALS}/S-2"
    issue = {"move": "issue", "officer": "Lan", "due": in_hours(10), "document": "PX-12"}
    assert_problem(await world.ask(f"{path}/moves", "operator", "POST", json=issue), 428, "If-Match")
    assert_problem(await send(world, f"{path}/moves", "operator", 7, **issue), 412, "If-Match")
    assert_problem(await send(world, f"{path}/moves", "operator", 1, move="issue"), 422, "officer")
    issued = (await send(world, f"{path}/moves", "operator", 1, **issue)).json()
    assert (issued["state"], issued["officer"], issued["version"], issued["overdue"]) == (
        "issued",
        "Lan",
        2,
        False,
    )
    assert_problem(await send(world, f"{SEALS}/S-1/moves", "operator", 1, **issue), 409)  # to be calibrated
    away = {"seals": ["S-1", "S-2"], "move": "calibrate", "place": "institute"}
    refused = await world.ask(MOVES, "operator", "POST", json=away)
    assert_problem(refused, 409)
    assert await names(world, "?state=in_calibration") == []
    await world.ask(MOVES, "operator", "POST", json=away | {"seals": ["S-1", "S-3"]})
    assert_problem(await send(world, f"{SEALS}/S-4/moves", "operator", move="retire", reason="worn"), 403)
    assert (await send(world, f"{SEALS}/S-4/moves", "supervisor", move="retire", reason="worn")).status == 200
    edit = await world.ask(path, "operator", "PATCH", json={"note": "=1+1"}, headers={"If-Match": '"2"'})
    assert (edit.json()["note"], edit.headers["ETag"]) == ("=1+1", '"3"')
    chain = (await world.ask(f"{path}/moves?limit=1")).json()
    (last,) = chain["items"]
    assert [last[name] for name in ("move", "by", "from_state", "officer", "document")] == [
        "issue", "operator", "in_store", "Lan", "PX-12",
    ]  # fmt: skip
    (first,) = (await world.ask(f"{path}/moves?after={chain['next']}")).json()["items"]
    assert (first["move"], first["from_state"]) == ("register", None)
    stock = (await world.ask("/api/v1/seal-stock")).json()
    assert (stock["registered"], stock["retired"], stock["total"]) == (4, 1, 3)
    told = {
        u["unit"]: (u["in_store"], u["issued"], u["in_calibration"], u["total"], u["retired"])
        for u in stock["units"]
    }
    assert told == {"gate": (0, 0, 1, 1, 0), "hq": (0, 0, 0, 0, 1), "port": (0, 1, 1, 2, 0)}
    before = (await world.ask(f"/api/v1/seal-stock?at={quote(in_hours(-1))}&model=JT701")).json()
    assert (before["registered"], before["units"]) == (0, [])
    csv = (await world.ask("/api/v1/seal-stock?format=csv")).body.decode("utf-8-sig").splitlines()
    assert csv[-1] == ",0,1,0,0,0,0,2,0,3,1"
    book = (await world.ask(f"{MOVES}?limit=2")).json()
    older = (await world.ask(f"{MOVES}?after={book['next']}")).json()["items"]
    assert [(one["seal"], one["move"]) for one in [*book["items"], *older]] == [
        ("S-4", "retire"), ("S-3", "calibrate"), ("S-1", "calibrate"), ("S-2", "issue"), ("S-4", "register"), ("S-3", "register"),
        ("S-2", "register"), ("S-1", "register"),
    ]  # fmt: skip
    for query, wanted in (
        ("?unit=gate", 2),
        ("?move=issue", 1),
        (f"?to={quote(in_hours(-1))}", 0),
        (f"?from={quote(in_hours(-1))}&to={quote(in_hours(1))}", 8),
    ):
        assert len((await world.ask(MOVES + query)).json()["items"]) == wanted, query

    lines = (
        (await world.ask(f"{MOVES}?format=csv&to={quote(in_hours(1))}")).body.decode("utf-8-sig").splitlines()
    )
    assert (len(lines), lines[1].split(",")[1:6]) == (9, ["S-4", "retire", "hq", "in_store", "hq"])


async def test_seals_are_found_by_what_leads_to_them(world: World):
    """Unit, state, model, officer, what should be back, what is to be calibrated; a page at a time, or all as CSV."""
    await taken_in(world)
    await world.ask(
        MOVES, "operator", "POST", json={"seals": ["S-2", "S-3"], "move": "issue", "officer": "=Lan"}
    )
    for query, wanted in (
        ("", ["S-1", "S-2", "S-3"]), ("?unit=gate", ["S-3"]), ("?state=in_store", ["S-1"]), ("?model=JT701", ["S-1", "S-2"]),
        ("?officer==Lan", ["S-2", "S-3"]), ("?journey=J-9", []), ("?overdue=true", []), ("?calibrate_by=2026-01-01", ["S-1"]),
    ):  # fmt: skip
        assert await names(world, query) == wanted, query
    page = (await world.ask(f"{SEALS}?limit=2")).json()
    assert await names(world, f"?limit=2&after={page['next']}") == ["S-3"]
    lines = (await world.ask(f"{SEALS}?format=csv&limit=1")).body.decode("utf-8-sig").splitlines()
    assert (len(lines), lines[2].startswith("S-2,,JT701,port,issued,"), ",'=Lan," in lines[2]) == (
        4,
        True,
        True,
    )
    later_ms = clock_ms() + 8 * 24 * HOUR_MS
    which = AssetFilter(scope=frozenset({"port"}), awaited_ms=later_ms)
    assert [row.seal for row in (await world.store.seal_assets(LIVE, which))[0]] == ["S-2"]
    assert [row.seal for row in await world.store.seal_assets_due(LIVE, later_ms, 10)] == ["S-2", "S-3"]
    await world.ask(MOVES, "operator", "POST", json={"seals": ["S-1"], "move": "send", "to_unit": "hq"})
    seen, _ = await world.store.seal_assets(LIVE, AssetFilter(scope=frozenset({"hq", "gate"})))
    assert [row.seal for row in seen] == ["S-1", "S-3"]


async def test_a_seals_battery_and_faults_are_told_by_day_and_type(world: World):
    await taken_in(world)
    numbers = await world.store.intern_seals(LIVE, {"S-1"})
    told = [ping(n * 600.0, n, battery_pct=90.0 - n) for n in range(3)]
    await world.store.commit(Commit(space=LIVE, pings=batch(told, numbers, "S-1")))
    period = f"from={quote(iso(-60))}&to={quote(iso(3600))}"
    answer = await world.ask(f"{SEALS}/S-1/health?{period}")
    assert answer.status == 200, answer.body
    (day,) = answer.json()["battery"]
    assert [day[name] for name in ("least_pct", "most_pct", "last_pct", "readings")] == [88.0, 90.0, 88.0, 3]
    assert_problem(
        await world.ask(f"{SEALS}/S-1/health?from={quote(in_hours(-900))}&to={quote(in_hours(0))}"),
        400,
        "from",
    )
    assert_problem(await world.ask(f"{SEALS}/S-9/health"), 404, "seal")


async def test_the_figures_of_tasks_are_a_count_of_them_one_by_one(world: World):
    """At any period: what was given before its end is done, cancelled or open by then."""
    chance, begin = random.Random(5), 1_764_115_200_000
    rows = []
    for number in range(60):
        given, state = (
            begin + chance.randrange(100),
            chance.choice(["given", "returned", "done", "confirmed", "cancelled"]),
        )
        ended = None if state in {"given", "returned"} else iso_ms(given + chance.randrange(60))
        task = Task(
            id=str(UUID(int=number)), giving=str(UUID(int=0)), state=state, title="x", text="", by_unit=None,
            unit=chance.choice(["port", "gate"]), due=iso_ms(given + 30), given_by="an", given_at=iso_ms(given), changed_by="an",
            changed_at=iso_ms(given), done_at=None if state == "cancelled" else ended, ended_at=ended,
        )  # fmt: skip
        rows.append(row_of_task(task))
    await world.store.commit(Commit(space=LIVE, tasks=rows))
    for _ in range(12):
        from_ms, to_ms = sorted(begin + chance.randrange(170) for _ in range(2))
        asked = RateQuery(from_ms=from_ms, to_ms=to_ms)
        found = await world.store.task_figures(LIVE, asked)
        done = [row for row in rows if row.settled_ms is not None and row.state != "cancelled"]
        ended = [row for row in done if from_ms <= (row.settled_ms or 0) < to_ms]
        still = [
            row
            for row in rows
            if row.given_ms < to_ms and (row.settled_ms is None or row.settled_ms >= to_ms)
        ]
        assert found.total == (
            sum(from_ms <= row.given_ms < to_ms for row in rows), sum((row.settled_ms or 0) <= row.due_ms for row in ended),
            sum((row.settled_ms or 0) > row.due_ms for row in ended),
            sum(row.state == "cancelled" and from_ms <= (row.settled_ms or 0) < to_ms for row in rows), len(still),
            sum(row.due_ms <= to_ms for row in still),
        )  # fmt: skip
        assert tuple(map(sum, zip(*found.units.values(), strict=True))) == found.total or not found.units
