"""A plan that was sound when it was stored and is refused by now: what is refused is left out and named, the rest is judged by."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any, cast

import pytest
from drawing import collection
from folders import UNITS, files, journey, plan_of, zone
from hypothesis import given, settings
from hypothesis import strategies as st
from story import Core, batch, ping
from structlog.testing import capture_logs
from wanderings import ground

from seal_tracker.backtest import run_backtest
from seal_tracker.config import Settings
from seal_tracker.opening import FolderPlan, PlanFaultyError, load_plan, taken_plan
from seal_tracker.planning import PlanRefusedError, sharing, stored_plans
from seal_tracker.plans import load_files
from seal_tracker.plans.folder import load_stored
from seal_tracker.plans.model import Plan
from seal_tracker.sources.trace import in_arrival_order
from seal_tracker.sources.trace_csv import read_csv
from seal_tracker.store.records import PlanVersion
from seal_tracker.supervision.journey_plan import import_plan

WHOLE = ground()
"""A plan with all kinds of things that refer to each other."""

SHAPELESS = zone("gate-a", 106.65) | {"geometry": {}}
OF_NOWHERE = {"type": "Feature", "id": "hp-lc", "geometry": {}, "properties": {"half_width_m": 200}}

FAULTY: dict[str, tuple[dict[str, str], tuple[str, str]]] = {
    "a zone that a checkpoint and a unit name": (
        files(zones=collection(SHAPELESS, zone("gate-b", 105.9))),
        ("zones.geojson", "gate-a"),
    ),
    "the route of a journey": (files(routes=collection(OF_NOWHERE)), ("routes.geojson", "hp-lc")),
    "a journey": (
        files([journey(), journey(id="J2", seal="S2", regime="sea")]),
        ("journeys.jsonl", "J2"),
    ),
    "a unit": (files(units=UNITS + "[HQ-QN]\n"), ("units.toml", "HQ-QN")),
    "a key of a policy": (
        files(policies="[default.ROUTE_DEVIATION]\nraise_fixes = 4\nraise_minutes = 3\n"),
        ("policies.toml", "default.ROUTE_DEVIATION.raise_minutes"),
    ),
    "a zone's own policy": (
        files(zones=collection(zone("gate-a", 106.65, policy={"NONE": {}, "ZONE_ENTERED": {"raise_s": -1}}))),
        ("zones.geojson", "gate-a"),
    ),
    "a piece of equipment": (
        files(equipment='{"id":"CAM1","kind":"tape","lon":106.7,"lat":20.8,"heartbeat_s":30}'),
        ("equipment.jsonl", "CAM1"),
    ),
}


def stored(content: dict[str, str]) -> Plan:
    plan, _ = load_stored(content)
    assert plan is not None
    return plan


@pytest.mark.parametrize("of", FAULTY)
def test_what_is_refused_is_left_out_and_named_and_the_rest_is_judged_by(of: str) -> None:
    """Whatever named it goes on without it: a journey without its route, a route without its checkpoint."""
    content, (file, name) = FAULTY[of]
    assert load_files(content)[0] is None
    plan = stored(content)
    assert {(one.file, one.feature) for one in plan.left_out} == {(file, name)}
    assert dict(plan.files) == content
    rows = [f"S1,2026-11-22T03:{m:02}:00Z,106.7,{20.85 + (m > 1)},cut" for m in range(9)]
    trace = in_arrival_order(
        "t.csv", read_csv(["seal,time,lon,lat,lock\n", *(f"{r}\n" for r in rows)], "t.csv")
    )
    found = {e.type for e in run_backtest(plan, [trace]).episodes}
    assert found >= {"SEAL_TAMPER"}
    assert ("ROUTE_DEVIATION" in found) == (name != "hp-lc")


def test_a_key_of_a_policy_that_is_refused_takes_no_other_with_it() -> None:
    plan = stored(FAULTY["a key of a policy"][0])
    assert plan.policies.default("ROUTE_DEVIATION", "raise_fixes") == 4
    assert plan.policies.default("ROUTE_DEVIATION", "raise_s") == 0


def test_a_sound_plan_is_read_as_ever() -> None:
    plan = stored(files())
    assert (plan.left_out, plan.digest) == ((), plan_of(files()).digest)


def test_where_zones_are_mended_the_route_has_its_checkpoint_again() -> None:
    """What two versions have in common is kept once; but of these the routes differ, though their file does not."""
    mended = sharing(plan_of(files()), stored(FAULTY["a zone that a checkpoint and a unit name"][0]))
    assert [c.zone for c in mended.routes[0].checkpoints] == ["gate-a"]


class Kept:
    """A store of versions of one plan, the last of them imported from a folder."""

    def __init__(self, *versions: dict[str, str]) -> None:
        self.versions = versions

    async def plan_versions(self, _space: str) -> list[PlanVersion]:
        return [
            PlanVersion(n, None if n == 1 else n, n, "", content)
            for n, content in enumerate(self.versions, start=1)
        ]

    async def last_import(self, _space: str) -> tuple[str, dict[str, str]]:
        return stored(self.versions[-1]).digest, self.versions[-1]

    async def journeys_planned(self, _space: str) -> dict[str, tuple[bytes, bool]]:
        return {"J1": (b"as it was", False), "J2": (b"as it was", False)}

    async def journeys_named(self, _space: str, _ids: Any) -> dict[str, Any]:
        return {}

    async def journeys_overlapping(self, _space: str, _wanted: Any) -> list[Any]:
        return []


async def test_a_start_says_which_object_of_which_version_it_leaves_out() -> None:
    content = FAULTY["a zone that a checkpoint and a unit name"][0]
    with capture_logs() as log:
        plans = await stored_plans(cast("Any", Kept(files(), content)), "live")
    assert [len(plan.left_out) for _, plan in plans] == [0, 1]
    (said,) = log
    assert (said["log_level"], said["version"], said["file"], said["object"]) == (
        "error", 2, "zones.geojson", "gate-a",
    )  # fmt: skip
    assert "geometry" in said["where"]
    assert said["remedy"]


async def test_a_stored_version_of_which_a_whole_file_is_unreadable_ends_the_start_with_every_fault() -> None:
    with pytest.raises(PlanRefusedError, match=r"(?s)version 1 of space 'live'.*zones\.geojson"):
        await stored_plans(cast("Any", Kept(files(zones="{"))), "live")


async def test_a_journey_that_cannot_be_read_any_more_is_not_withdrawn() -> None:
    """It is judged by what is kept of it; only a plan that was read whole can leave one out."""
    plan = stored(FAULTY["a journey"][0])
    store: Any = Kept(files())
    brought = await import_plan(store, "live", plan.journeys, 0, all_read=False)
    assert "J2" not in {one.id for one in (*brought.before, *brought.after)}


async def test_a_folder_that_was_taken_up_before_and_is_refused_by_now_stops_no_start(tmp_path: Path) -> None:
    """What is stored of it stands. Once somebody has changed it, it is theirs to mend."""
    content = FAULTY["the route of a journey"][0]
    for name, text in content.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    folder = await load_plan(Settings(plan=tmp_path))
    store: Any = Kept(content)
    with capture_logs() as log:
        assert await taken_plan(store, folder) is None
    assert [said["event"] for said in log] == ["plan.folder_refused"]
    (tmp_path / "zones.geojson").write_text(collection(zone("gate-a", 106.7)), encoding="utf-8")
    with pytest.raises(PlanFaultyError, match="hp-lc"):
        await taken_plan(store, await load_plan(Settings(plan=tmp_path)))
    assert await taken_plan(store, FolderPlan()) is None


BROKEN: list[Any] = [None, {}, [], "x", -1, 1e9, "a\u0000b", True, [[]], {"a": 1}]


def places(of: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where something stands in JSON, as the names and positions that lead there."""
    inner = of.items() if isinstance(of, dict) else enumerate(of) if isinstance(of, list) else ()
    return [at, *(place for name, value in inner for place in places(value, (*at, name)))]


@settings(max_examples=30, deadline=None, derandomize=True)
@given(st.sampled_from(["zones.geojson", "routes.geojson", "journeys.jsonl"]), st.data())
def test_whatever_is_refused_of_an_object_the_rest_can_be_judged_by(name: str, data: st.DataObject) -> None:
    """One value anywhere in an object is another, or gone: it is named or sound, and nothing that refers to it stops the start."""
    whole = WHOLE.files() | {"units.toml": '[U]\nname = "u"\njurisdiction_zone = "P"\n'}
    lines = whole[name].splitlines() if name == "journeys.jsonl" else None
    objects = [json.loads(line) for line in lines] if lines else json.loads(whole[name])["features"]
    one = data.draw(st.sampled_from(objects))
    *way, last = data.draw(st.sampled_from(places(one)[1:]))
    inner = one
    for step in way:
        inner = inner[step]
    inner[last] = deepcopy(data.draw(st.sampled_from(BROKEN)))
    whole[name] = "\n".join(json.dumps(o) for o in objects) if lines else collection(*objects)
    core = Core(stored(whole))
    core.feed(batch([ping(60 * i, 600 * i, lock="open") for i in range(20)], core.numbers))
    core.pass_time(9000)
