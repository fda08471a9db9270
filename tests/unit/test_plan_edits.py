"""Edits of a plan: what is put stands, what differs is named, and what two changed is nobody's silent loss."""

import json
from typing import Any

import pytest

from seal_tracker.plans.edits import (
    Conflict,
    Differences,
    differences,
    edited,
    feature_tag,
    features_of,
    joined,
)


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
