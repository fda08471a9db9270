"""Risk, draws and inspections over HTTP on a real database: what is counted, who is drawn, what was found, who may see it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from store_stories import episode
from web_support import Answer, World, assert_problem, plan_files

from seal_tracker.alarms.deadlines import DEFAULT_TERMS, with_deadlines
from seal_tracker.alarms.rows import row_of
from seal_tracker.clock import clock_ms
from seal_tracker.deeds import Deed
from seal_tracker.journey_record import JourneyRecord
from seal_tracker.model import LIVE, iso_ms
from seal_tracker.plans import load_files
from seal_tracker.prepared import Prepared
from seal_tracker.publishing.cloudevents import AlarmState
from seal_tracker.risk.draw import verified
from seal_tracker.store import Commit, EpisodeRow
from seal_tracker.store.records import AlarmRow
from seal_tracker.supervision.journey_changes import Actor, change_of

pytest_plugins = ["web_fixtures"]

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
POLICIES = "[transit.RISK]\nregime_points = 7\nnight_points = 0\nnewcomer_points = 0\n"


@pytest.fixture
async def world(world: World) -> World:
    """Whose policy gives a regime points; deeds are committed as they are."""
    plan, faults = load_files(plan_files() | {"policies.toml": POLICIES})
    assert plan is not None, faults
    world.fleet.plans[LIVE] = plan

    async def act(space: str, work: Callable[[Any], Awaitable[tuple[Prepared, Deed]]]) -> None:
        _, deed = await work(SimpleNamespace(space=space, plan=plan, now_ms=None))
        await world.store.commit(Commit(space=space, actions=deed.actions, **deed.brought()))

    vars(world.fleet)["act"] = act
    return world


async def journeys(world: World, *records: JourneyRecord) -> None:
    now_ms, actor = clock_ms(), Actor("operator", "operator")
    changes = [change_of(one, None, actor, "declare", at_ms=now_ms, now_ms=now_ms) for one in records]
    await world.store.commit(Commit(space=LIVE, journeys=changes))


def journey(name: str, *, unit: str = "u1", days_ago: float = 0.1, **more: Any) -> JourneyRecord:
    armed_ms = round(clock_ms() - days_ago * DAY_MS)
    seal = (f"S-{name}", "seal")
    return JourneyRecord(id=name, regime="transit", unit=unit, devices=(seal,), armed_at_ms=armed_ms, **more)


def ended(name: str, days_ago: float) -> JourneyRecord:
    """One of An Bình's that is over."""
    end_ms = round(clock_ms() - days_ago * DAY_MS)
    return journey(name, days_ago=days_ago + 1, carrier="An Bình", disarmed_at_ms=end_ms)


def alarm(n: int, journey_id: str, code: str | None, severity: str = "high") -> AlarmRow:
    """An alarm of a journey, closed by a code where one is given."""
    at_ms = clock_ms() - HOUR_MS
    made = AlarmState(
        alarm=str(UUID(int=n)), state="closed" if code else "unacknowledged", episode=UUID(int=n + 1000), type="SEAL_TAMPER",
        severity=severity, subject=f"journey/{journey_id}", journey=journey_id, seal=None, object=None, unit="u1",
        responsible="u1", group=str(UUID(int=n)), raised_at=iso_ms(at_ms), opened_at=iso_ms(at_ms), ended_at=None,
        updated_at=iso_ms(at_ms), exercise=False, code=code, closed_at=iso_ms(at_ms) if code else None,
    )  # fmt: skip
    return row_of(with_deadlines(made, at_ms, DEFAULT_TERMS), [])


async def send(world: World, path: str, role: str = "supervisor", **body: Any) -> Answer:
    return await world.ask(path, role, "POST", json=body, headers={"If-Match": "*"})


async def test_every_point_of_a_risk_is_explained(world: World):
    """The regime's points, the carrier's past, the seal's faults, gaps and alarms: each a line, and the sum of them."""
    await journeys(
        world, journey("J", carrier="An Bình"), journey("K", carrier="Chi"), ended("E1", 10), ended("E2", 20), ended("E3", 800)
    )  # fmt: skip
    at_ms = clock_ms() - HOUR_MS
    told = [("GPS_LOST", "J"), ("UNOBSERVED_GAP", "J"), ("BATTERY_LOW", "X"), ("OVERSPEED", "J")]
    at = {"started_at_ms": at_ms, "raised_at_ms": at_ms, "ended_at_ms": None}
    episodes = [
        episode(n, type=type_, seal="S-J", journey=of, subject=of, **at) for n, (type_, of) in enumerate(told)
    ]
    await world.store.commit(
        Commit(
            space=LIVE,
            episodes=[EpisodeRow(one, 1) for one in episodes],
            alarms=[
                alarm(1, "E1", "confirmed"), alarm(2, "E1", "confirmed"), alarm(3, "E2", "false_alarm"), alarm(4, "E3", "confirmed"),
                alarm(5, "J", None), alarm(6, "J", "authorised"), alarm(7, "J", None, "medium"),
            ],
        )
    )  # fmt: skip
    answer = await world.ask("/api/v1/journeys/J/risk", "operator")
    assert answer.status == 200, answer.body
    found = answer.json()
    assert {one["indicator"]: (one["count"], one["points"]) for one in found["lines"] if one["points"]} == {
        "regime": (1, 7), "carrier_history": (1, 10), "seal_faults": (2, 10), "gaps": (2, 10), "alarms": (1, 15),
    }  # fmt: skip
    assert (found["score"], found["level"], found["carrier"]) == (52, "high", "An Bình")
    history = next(one for one in found["lines"] if one["indicator"] == "carrier_history")
    assert history["words"]["en"].startswith("1 of 2 earlier journeys of An Bình in 365 days")
    listed = (await world.ask("/api/v1/risk?limit=1", "operator")).json()
    assert [(one["journey"], one["score"]) for one in listed["items"]] == [("J", 52)]
    assert (listed["journeys"], listed["levels"]) == (2, {"high": 1, "medium": 0, "low": 1})
    assert_problem(await world.ask("/api/v1/journeys/nobody/risk", "operator"), 404, "journey")
    assert_problem(await world.ask("/api/v1/risk", "integrator"), 403)


async def test_a_draw_is_promised_made_once_and_recomputed(world: World):
    """Before it is made nothing tells the secret; then everything is there, an inspection for each, and the ledger's own."""
    await journeys(world, *(journey(f"J{n:02}") for n in range(20)), journey("other", unit="u2"))
    wanted = {"reason": "week 49", "quotas": {"low": {"share_pct": 25}}, "population": {"unit": "u1"}}
    assert_problem(await send(world, "/api/v1/draws", "operator", **wanted), 403)
    assert_problem(await send(world, "/api/v1/draws", **(wanted | {"quotas": {"low": {}}})), 422, "quotas")
    assert_problem(
        await send(world, "/api/v1/draws", **(wanted | {"population": {"unit": "u9"}})),
        422,
        "population.unit",
    )
    answer = await send(world, "/api/v1/draws", **wanted, public_source="XSMB 2026-12-01")
    assert answer.status == 201, answer.body
    draw = answer.json()
    path = f"/api/v1/draws/{draw['id']}"
    assert (draw["state"], draw["secret"], draw["frame"], draw["drawn"]) == ("committed", None, None, [])
    (kept,) = await world.store.actions_of(LIVE, f"draw/{draw['id']}", limit=9)
    assert json.loads(kept.action.body)["secret"] is None
    assert_problem(await send(world, path + "/make"), 422, "public")
    made = (await send(world, path + "/make", public="48213")).json()
    assert (made["state"], len(made["drawn"]), made["commitment"]) == ("drawn", 5, draw["commitment"])
    assert verified((await world.ask(path, "auditor")).body, draw["commitment"]).seed == made["seed"]
    assert made["frame"].count("\n") == 20
    assert_problem(await send(world, path + "/make", public="1"), 409)
    assert_problem(await send(world, path + "/cancel", reason="another"), 409)
    listed = (await world.ask(f"/api/v1/inspections?draw={draw['id']}&limit=3", "auditor")).json()
    rest = (
        await world.ask(f"/api/v1/inspections?draw={draw['id']}&after={listed['next']}", "auditor")
    ).json()
    subjects = [one["subject"] for one in listed["items"] + rest["items"]]
    assert sorted(subjects) == sorted(one["id"] for one in made["drawn"])
    assert {one["stands_for"] for one in listed["items"]} == {4.0}
    assert_problem(await world.ask("/api/v1/inspections", "operator"), 403)


async def test_what_is_found_says_what_an_indicator_is_worth(world: World):
    """Recorded, corrected with a note, counted; and the carrier's next journey is riskier."""
    await journeys(world, *(journey(f"J{n}", carrier="An Bình") for n in range(4)))
    await world.store.commit(Commit(space=LIVE, alarms=[alarm(n, f"J{n}", None) for n in range(2)]))
    ids = []
    for n in range(4):
        answer = await send(world, "/api/v1/inspections", subject=f"J{n}", reason="looks repaired")
        assert answer.status == 201, answer.body
        ids.append(answer.json()["id"])
    path = "/api/v1/inspections/" + ids[0]
    early = iso_ms(clock_ms() - DAY_MS)
    assert_problem(await send(world, path + "/record", findings=["papers"], at=early), 422, "at")
    assert_problem(await send(world, path + "/record", done=False), 422, "note")
    assert_problem(
        await send(world, path + "/record", done=False, findings=["papers"], note="x"), 422, "findings"
    )
    for one, findings in zip(ids[:3], (["papers"], [], []), strict=True):
        answer = await send(world, f"/api/v1/inspections/{one}/record", findings=findings)
        assert (answer.status, answer.json()["found"]) == (200, bool(findings)), answer.body
    assert_problem(await send(world, path + "/record", findings=["papers", "cargo_differs"]), 422, "note")
    corrected = (await send(world, path + "/record", findings=["cargo_differs"], note="counted again")).json()
    assert (corrected["version"], corrected["findings"]) == (3, ["cargo_differs"])
    assert [step["step"] for step in corrected["history"]] == ["corrected", "recorded", "ordered"]
    assert (await send(world, f"/api/v1/inspections/{ids[3]}/cancel", reason="left")).json()[
        "state"
    ] == "cancelled"
    worth = (await world.ask("/api/v1/risk/indicators?basis=ordered", "auditor")).json()
    alarms = next(one for one in worth["indicators"] if one["name"] == "alarms")
    assert [(alarms[side]["inspected"], alarms[side]["found"]) for side in ("where", "elsewhere")] == [
        (2, 1),
        (1, 0),
    ]
    assert (await world.ask("/api/v1/risk/indicators", "auditor")).json()["inspections"] == 0
    risk = (await world.ask("/api/v1/journeys/J3/risk", "operator")).json()
    assert next(one["points"] for one in risk["lines"] if one["indicator"] == "carrier_findings") == 20
    states = Counter(
        one["state"] for one in (await world.ask("/api/v1/inspections", "auditor")).json()["items"]
    )
    assert states == {"done": 3, "cancelled": 1}


async def test_units_are_drawn_by_their_journeys(world: World):
    """One that supervises nothing is not there to be drawn; what was called off stays in the list."""
    await journeys(world, journey("J1"), journey("J2"), journey("J3", unit="u2"))
    wanted = {"kind": "unit", "reason": "a look", "quotas": {"low": {"share_pct": 100}}}
    draw = (await send(world, "/api/v1/draws", **wanted)).json()
    made = (await send(world, f"/api/v1/draws/{draw['id']}/make")).json()
    assert made["frame"] == "u1\tlow\t7\nu2\tlow\t7\n"
    assert verified(json.dumps(made).encode())
    inspections = (await world.ask("/api/v1/inspections?due=true", "auditor")).json()["items"]
    assert {(one["kind"], one["subject"], one["unit"]) for one in inspections} == {
        ("unit", "u1", "u1"),
        ("unit", "u2", "u2"),
    }
    drawn = f"/api/v1/inspections/{inspections[0]['id']}/cancel"
    assert_problem(await send(world, drawn, reason="no time"), 409)
    again = (await send(world, "/api/v1/draws", **wanted)).json()
    assert (await send(world, f"/api/v1/draws/{again['id']}/cancel", reason="typed twice")).status == 200
    listed = (await world.ask("/api/v1/draws", "auditor")).json()["items"]
    assert [(one["state"], one["cancelled_why"]) for one in listed] == [
        ("cancelled", "typed twice"),
        ("drawn", None),
    ]
