"""Edits of a plan: what is put stands, what differs is named, and what two changed is nobody's silent loss."""

import json
import threading
from collections.abc import Mapping
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest
from memory_store import MemoryStore

from seal_tracker import space
from seal_tracker.in_force import InForce
from seal_tracker.journey import Diversion, Journey
from seal_tracker.model import LIVE
from seal_tracker.planning import sharing
from seal_tracker.plans import load_files
from seal_tracker.plans.edits import (
    Conflict,
    Differences,
    differences,
    edited,
    feature_tag,
    features_of,
    joined,
    objects_in,
)
from seal_tracker.plans.model import Plan
from seal_tracker.space import SpaceJudge
from seal_tracker.supervision import plan_editing
from seal_tracker.supervision.plan_editing import Editor, PlanMovedError, RouteInUseError, edit_plan
from seal_tracker.tracking.terrains import terrain_of


def zone(name: str, /, **properties: Any) -> dict[str, Any]:
    return {"type": "Feature", "id": name, "geometry": None, "properties": properties}


def plan(*zones: dict[str, Any], **files: str) -> dict[str, str]:
    text = json.dumps({"type": "FeatureCollection", "features": list(zones)})
    return {"zones.geojson": text, "routes.geojson": '{"type": "FeatureCollection", "features": []}', **files}


def test_a_feature_that_is_put_takes_the_place_of_its_namesake() -> None:
    after = edited(plan(zone("A"), zone("B"), zone("C")), "zones", [zone("B", name="new"), zone("D")], ["C"])
    assert list(features_of(after["zones.geojson"])) == ["A", "B", "D"]
    assert features_of(after["zones.geojson"])["B"]["properties"] == {"name": "new"}


def test_differences_name_what_was_added_changed_and_removed() -> None:
    before, after = plan(zone("A"), zone("B"), zone("C")), plan(zone("B", name="new"), zone("C"), zone("D"))
    assert differences(before, after) == {"zones": Differences(("D",), ("B",), ("A",))}


def test_layout_and_the_order_of_members_are_no_difference() -> None:
    before = plan(zone("A", name="a", kind="depot"))
    after = plan(
        {"properties": {"kind": "depot", "name": "a"}, "id": "A", "geometry": None, "type": "Feature"}
    )
    assert differences(before, after) == {}


def test_a_tag_changes_with_the_feature_and_with_nothing_else() -> None:
    assert feature_tag(zone("A", a=1, b=2)) == feature_tag(zone("A", b=2, a=1))
    assert feature_tag(zone("A", a=1)) != feature_tag(zone("A", a=2))


def test_joining_takes_what_the_folder_changed_and_keeps_what_was_edited() -> None:
    base = plan(zone("A"), zone("B"), zone("C"))
    ours = plan(zone("A"), zone("B", name="ours"), zone("C"), zone("E"))
    theirs = plan(zone("A", name="theirs"), zone("B"), zone("D"))
    out, conflicts = joined(base, ours, theirs)
    found = features_of(out["zones.geojson"])
    assert (list(found), conflicts) == (["A", "B", "E", "D"], [])
    assert (found["A"]["properties"], found["B"]["properties"]) == ({"name": "theirs"}, {"name": "ours"})


@pytest.mark.parametrize(
    ("ours", "theirs", "what"),
    [
        ([zone("A", name="ours")], [zone("A", name="theirs")], "was changed"),
        ([], [zone("A", name="theirs")], "was removed"),
        ([zone("A", name="ours")], [], "was changed"),
    ],
)
def test_what_both_changed_is_a_conflict_and_ours_stands(ours: Any, theirs: Any, what: str) -> None:
    out, conflicts = joined(plan(zone("A")), plan(*ours), plan(*theirs))
    (conflict,) = conflicts
    assert (conflict.file, conflict.id) == ("zones.geojson", "A")
    assert conflict.what.startswith(f"this zone {what} here")
    assert list(features_of(out["zones.geojson"]).values()) == ours


def test_the_same_change_on_both_sides_is_no_conflict() -> None:
    _, conflicts = joined(plan(zone("A")), plan(zone("A", name="x")), plan(zone("A", name="x")))
    assert conflicts == []


def test_other_files_are_joined_whole() -> None:
    base, theirs = plan(**{"units.toml": "a"}), plan(**{"units.toml": "b"})
    assert joined(base, base, theirs)[0]["units.toml"] == "b"
    out, conflicts = joined(base, plan(**{"units.toml": "c"}), theirs)
    assert out["units.toml"] == "c"
    assert [type(c) for c in conflicts] == [Conflict]
    assert "units.toml" not in joined(base, base, plan())[0]


def lines(*objects: dict[str, Any]) -> str:
    return "".join(json.dumps(one) + "\n" for one in objects)


def test_vehicles_and_calendars_are_edited_compared_and_joined_one_by_one() -> None:
    """As zones are, though their files have an object a line; a folder that leaves the file out takes its objects away."""
    base = plan(**{"vehicles.jsonl": lines({"id": "V1"}, {"id": "V2"}, {"id": "V3"})})
    ours = edited(base, "vehicles", [{"id": "V2", "owner": "ours"}, {"id": "V4"}], ["V3"])
    assert list(objects_in(ours, "vehicles")) == ["V1", "V2", "V4"]
    assert differences(base, ours) == {"vehicles": Differences(("V4",), ("V2",), ("V3",))}
    theirs = plan(
        **{
            "vehicles.jsonl": lines(
                {"id": "V1", "owner": "theirs"}, {"id": "V2", "owner": "theirs"}, {"id": "V3"}
            )
        }
    )
    out, (conflict,) = joined(base, ours, theirs)
    assert (conflict.id, conflict.what[:24]) == ("V2", "this vehicle was changed")
    assert [one.get("owner") for one in objects_in(out, "vehicles").values()] == ["theirs", "ours", None]
    assert list(objects_in(joined(base, base, plan())[0], "vehicles")) == []
    assert objects_in(edited(plan(), "calendars", [{"id": "tet"}]), "calendars") == {"tet": {"id": "tet"}}


def loaded(*zones: dict[str, Any], version: int = 1) -> Plan:
    """A version with these zones and always the same route."""
    line = {"type": "LineString", "coordinates": [[106.0, 20.0], [106.5, 20.2]]}
    route = {"type": "Feature", "id": "R", "geometry": line, "properties": {"name": "r", "half_width_m": 200}}
    made, faults = load_files(plan(*zones, **{"routes.geojson": collection(route)}))
    assert made is not None, faults
    return replace(made, version=version)


def collection(*features: dict[str, Any]) -> str:
    return json.dumps({"type": "FeatureCollection", "features": features})


def drawn(name: str, /, **properties: Any) -> dict[str, Any]:
    place = {"type": "Point", "coordinates": [106.2, 20.1]}
    told = {"name": name, "kind": "depot", "radius_m": 100} | properties
    return {"type": "Feature", "id": name, "geometry": place, "properties": told}


def test_versions_share_what_they_have_in_common() -> None:
    """All of them stay in memory, for pings that come late: a day of editing zones is not a day of copies of the routes."""
    before = loaded(drawn("A"), drawn("B"))
    after = sharing(loaded(drawn("A"), drawn("B", name="other")), before)
    assert after.corridors is before.corridors
    assert after.routes[0] is before.routes[0]
    assert after.zones[1].name == "other"
    assert after.zone_set is not before.zone_set
    assert sharing(loaded(drawn("A"), drawn("B")), before).zone_set is before.zone_set


async def test_an_edit_is_made_ready_in_a_thread_before_its_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pings are judged meanwhile; in its turn nothing is left to be worked out, and versions come in the order of their turns."""
    judging = SpaceJudge(LIVE, MemoryStore())
    await judging.open([(0, loaded(drawn("A")))])
    steps: list[str] = []

    def noted(made: Plan) -> Any:
        steps.append("made" if threading.current_thread() is not threading.main_thread() else "made here")
        return terrain_of(made)

    for module in (space, plan_editing):
        monkeypatch.setattr(module, "terrain_of", noted)

    async def act(_space: str, work: Any) -> None:
        steps.append("turn")
        await work(judging)
        steps.append("done")

    def change(files: Mapping[str, str]) -> dict[str, str]:
        return {**files, "zones.geojson": collection(drawn("A"), drawn("B"))}

    edited = await edit_plan(act, judging, change, Editor("an", "supervisor"), lambda: 1_000)
    assert edited.row is not None
    assert (edited.row.version, steps) == (2, ["made", "turn", "done"])
    assert [v.terrain.version for v in judging.versions] == [1, 2]


async def test_an_edit_that_was_checked_against_an_older_plan_is_refused_before_anything_is_made() -> None:
    """Between the look at a feature's version and the edit another edit may have been made: it is not written over."""
    judging = cast("SpaceJudge", SimpleNamespace(space=LIVE, plan=None))

    async def never(*_given: object) -> None:
        raise AssertionError("nothing is to be done")

    with pytest.raises(PlanMovedError, match="read it again"):
        await edit_plan(never, judging, dict, Editor("lan", "supervisor", seen="another plan's digest"), int)


def followed(name: str, **told: Any) -> Journey:
    return Journey(
        id=name,
        seal=f"S-{name}",
        devices=((f"S-{name}", "seal"),),
        **{"route": "R", "regime": "transit", "armed_at_ms": 500} | told,
    )


@pytest.mark.parametrize(
    ("journey", "refused"),
    [
        (followed("J-1"), True),
        (followed("J-2", route=None, diversions=(Diversion(600, "R", "an"),)), True),
        (followed("J-3", diversions=(Diversion(700, None, "an"), Diversion(600, "R", "an"))), False),
        (followed("J-4", disarmed_at_ms=700), False),
        (followed("J-5", route="other"), False),
    ],
)
async def test_no_route_is_removed_under_a_journey_that_follows_it(journey: Journey, refused: bool) -> None:
    """It would be judged by none from then on, and nobody would know."""
    judging = SpaceJudge(LIVE, MemoryStore())
    await judging.open([(0, loaded(drawn("A")))], InForce([journey]))

    async def act(_space: str, work: Any) -> None:
        await work(judging)

    def change(files: Mapping[str, str]) -> dict[str, str]:
        return {**files, "routes.geojson": collection()}

    editing = edit_plan(act, judging, change, Editor("an", "supervisor"), lambda: 1_000)
    if refused:
        with pytest.raises(RouteInUseError, match=f"journey '{journey.id}' under way by route 'R'"):
            await editing
        assert [len(v.plan.routes) for v in judging.versions] == [1]
    else:
        assert (await editing).row is not None
