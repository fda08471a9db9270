"""A plan folder becomes one plan, or every fault of all its files; what a file names in another is looked up."""

from __future__ import annotations

import json
import pickle
import tracemalloc
from pathlib import Path
from random import Random
from typing import Any

import pytest
from drawing import collection
from folders import assert_only_error, files, journey, plan_of, zone
from hypothesis import given, settings
from hypothesis import strategies as st

from seal_tracker.config import Settings
from seal_tracker.opening import PlanFaultyError, load_plan
from seal_tracker.plans import load_files, load_folder
from seal_tracker.plans.folder import errors_of
from seal_tracker.plans.packed import PackedTexts


def test_a_sound_folder_becomes_a_plan(tmp_path: Path) -> None:
    """Everything the files say is there, numbered as in the sets; files of other names are ignored."""
    for name, text in files().items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "notes.txt").write_text("not ours")
    plan, faults = load_folder(tmp_path)
    assert faults == []
    assert plan is not None
    assert (plan.version, plan.valid_from_ms) == (0, None)
    assert plan.zone_index == {"gate-a": 0, "gate-b": 1}
    assert (plan.zone_set.ids, plan.corridors.ids) == (("gate-a", "gate-b"), ("hp-lc",))
    assert plan.route_index == {"hp-lc": 0}
    assert plan.files == files()
    assert [(u.id, u.parent, dict(u.name)) for u in plan.units] == [
        ("HQ", None, {"vi": "Cục Hải quan", "en": "Customs"}),
        ("HQ-HP", "HQ", {"vi": "Hải Phòng", "en": "Hải Phòng"}),
    ]
    assert [(e.id, e.kind, e.lon_deg, e.lat_deg, e.heartbeat_s, e.unit) for e in plan.equipment] == [
        ("CAM1", "camera", 106.7, 20.8, 30, "HQ-HP")
    ]
    assert plan.policies.default("ROUTE_DEVIATION", "raise_fixes") == 4


@pytest.mark.parametrize(("make", "says"), [("none", "is not a folder"), ("inside", "Is a directory")])
async def test_a_plan_that_cannot_be_read_says_which_and_why(make: str, says: str, tmp_path: Path) -> None:
    """The service that is told of a folder that is not there, or of files that are none, ends with the words."""
    plan = tmp_path / "plan"
    if make == "inside":
        (plan / "zones.geojson").mkdir(parents=True)
    with pytest.raises(PlanFaultyError, match=rf"cannot be read: .*{says}") as told:
        await load_plan(Settings(plan=plan))
    assert str(plan) in str(told.value)


def test_only_zones_and_routes_are_needed() -> None:
    """Without units, a unit's name is not looked up."""
    needed = files(policies=None, units=None, equipment=None)
    del needed["journeys.jsonl"]
    plan = plan_of(needed)
    assert (plan.units, plan.journeys) == ((), ())
    _, faults = load_files({"routes.geojson": collection()})
    assert_only_error(faults, "zones.geojson", "", "", "is not there")


def test_the_digest_is_of_what_the_files_say_not_of_their_layout() -> None:
    """A folder saved again by another editor is the same version; any changed value is another."""
    plan = plan_of(files())
    spread = {
        name: json.dumps(json.loads(text), indent=2)
        if name.endswith("geojson")
        else "\n" + text.replace("\n", "\n\n")
        for name, text in files().items()
    }
    assert plan_of(spread).digest == plan.digest
    assert plan_of(files([journey(cargo="rice")])).digest != plan.digest
    assert plan_of(files(policies=None)).digest != plan.digest


def test_a_fault_of_a_zone_is_not_repeated_by_who_names_it() -> None:
    """A faulty zone is there all the same: one mistake gives one fault."""
    faulty = collection(zone("gate-a", 106.65, kind="gat"), zone("gate-b", 105.9))
    plan, faults = load_files(files([journey(origin_zone="gate-a")], zones=faulty))
    assert plan is None
    assert_only_error(faults, "zones.geojson", "gate-a", "kind", "did you mean 'gate'")


def test_an_unreadable_file_makes_no_other_name_unknown() -> None:
    """While zones cannot be read, nobody knows which zones there are."""
    policies = "[zone.gate-a.ZONE_ENTERED]\nenabled = false\n"
    _, faults = load_files(files([journey(origin_zone="gate-a")], zones="{", policies=policies))
    assert_only_error(faults, "zones.geojson", "", "line 1", "is not JSON")


def test_faults_of_all_files_come_out_in_one_run() -> None:
    """Grouped by file, in the order that a folder is read."""
    broken = dict.fromkeys(("zones", "routes", "policies", "units", "equipment"), "?")
    plan, faults = load_files(files(**broken) | {"journeys.jsonl": "?\n\n{}\n"})
    assert plan is None
    found = [(f.file.partition(".")[0], f.where) for f in errors_of(faults)]
    assert [file for file, _ in found] == [
        "zones",
        "routes",
        *["journeys"] * 5,
        "policies",
        "units",
        "equipment",
    ]
    assert found[2] == ("journeys", "line 1, column 1")
    assert [where for _, where in found[3:7]] == [
        f"line 3: {m}" for m in ("id", "seal", "regime", "armed_at")
    ]


@pytest.mark.parametrize(
    ("text", "feature", "where", "says"),
    [
        ("[default.ROUTE_DEVIATION\n", "", "line 1, column 25", "is not TOML"),
        ("[default.ROUTE_DEVIATON]\n", "default.ROUTE_DEVIATON", "", "ROUTE_DEVIATION"),
        (
            "[default.ROUTE_DEVIATION]\nraise_fix = 3\n",
            "default.ROUTE_DEVIATION.raise_fix",
            "",
            "raise_fixes",
        ),
        (
            "[default.ROUTE_DEVIATION]\nraise_fixes = '3'\n",
            "default.ROUTE_DEVIATION.raise_fixes",
            "",
            "number",
        ),
        ("[default.ROUTE_DEVIATION]\nraise_fixes = 0\n", "default.ROUTE_DEVIATION.raise_fixes", "", "within"),
        ("[tranist.ROUTE_DEVIATION]\n", "tranist", "", "transit"),
        ("[route.hp-lx.ROUTE_DEVIATION]\n", "route.hp-lx", "", "hp-lc"),
        ("[zone.gate-c.ZONE_ENTERED]\n", "zone.gate-c", "", "gate-"),
    ],
)
def test_a_faulty_policy_is_named_with_its_table_and_key(
    text: str, feature: str, where: str, says: str
) -> None:
    """A mistyped key would otherwise leave the default in force unnoticed."""
    _, faults = load_files(files(policies=text))
    assert_only_error(faults, "policies.toml", feature, where, says)


def test_a_zone_may_bring_its_own_policy() -> None:
    """It is what [zone.ID.RULE] would say: checked alike, and refused where both are there."""
    own = collection(
        zone("gate-a", 106.65, policy={"ZONE_ENTERED": {"raise_fixes": 7}}), zone("gate-b", 105.9)
    )
    plan_of(files(zones=own))
    _, faults = load_files(files(zones=own, policies="[zone.gate-a.ZONE_ENTERED]\nenabled = false\n"))
    assert_only_error(faults, "zones.geojson", "gate-a", "properties.policy", "keep one of them")
    _, faults = load_files(files(zones=own.replace("raise_fixes", "raise_fix")))
    assert_only_error(
        faults, "zones.geojson", "gate-a", "properties.policy.ZONE_ENTERED.raise_fix", "raise_fixes"
    )


@pytest.mark.parametrize(
    ("text", "feature", "where", "says"),
    [
        ('[HQ-HP]\nname = "A"\nparent = "HQ"\n', "HQ-HP", "parent", "there is no unit “HQ”"),
        (
            '[HQ-HP]\nname = "A"\nparent = "B"\n[B]\nname = "B"\nparent = "HQ-HP"',
            "HQ-HP",
            "parent",
            "HQ-HP → B → HQ-HP",
        ),
        ('[HQ-HP]\nname = "A"\nparent = "HQ-HP"\n', "HQ-HP", "parent", "HQ-HP → HQ-HP"),
        ('[HQ-HP]\nname = "A"\njurisdiction_zone = "x"\n', "HQ-HP", "jurisdiction_zone", "there is no zone"),
        ('[HQ-HP]\nname = "A"\nhead = "B"\ndeputies = "C"\n', "HQ-HP", "deputies", "in the order"),
        ('[HQ-HP]\nname = {vn = "A"}\n', "HQ-HP", "name.vn", "vi"),
        ('[HQ-HP]\nhead = "A"\n', "HQ-HP", "name", "is missing"),
        ('[HQ-HP]\nname = "A"\njurisdiction = "gate-a"\n', "HQ-HP", "jurisdiction", "jurisdiction_zone"),
        ("HQ-HP = 7\n", "HQ-HP", "", "a unit is a table"),
        ('["HQ HP"]\nname = "A"\n[HQ-HP]\nname = "A"\n', "HQ HP", "", "1 to 64"),
    ],
)
def test_a_faulty_unit_is_named(text: str, feature: str, where: str, says: str) -> None:
    """A unit needs a name and, up to the top, units above it."""
    _, faults = load_files(files(units=text))
    assert_only_error(faults, "units.toml", feature, where, says)


def test_a_zone_of_an_unknown_unit_is_named() -> None:
    """Nobody would answer for it."""
    _, faults = load_files(files(units='[HQ]\nname = "A"\n', equipment=None))
    assert_only_error(faults, "zones.geojson", "gate-a", "properties.unit", "there is no unit “HQ-HP”")


@pytest.mark.parametrize(
    ("members", "where", "says"),
    [
        ({"kind": "camra"}, "kind", "did you mean 'camera'"),
        ({"lat": 96}, "lat", "within -90 and 90"),
        ({"heartbeat_s": 0}, "heartbeat_s", "more than 0"),
        ({"heartbeat_s": None}, "heartbeat_s", "is missing"),
        ({"unit": "nobody"}, "unit", "there is no unit"),
    ],
)
def test_faulty_equipment_is_named(members: dict[str, Any], where: str, says: str) -> None:
    """What is to be heard of needs a place and a pulse."""
    camera = {"id": "CAM1", "kind": "camera", "lon": 106.7, "lat": 20.8, "heartbeat_s": 30} | members
    _, faults = load_files(files(equipment=json.dumps(camera)))
    assert_only_error(faults, "equipment.jsonl", "CAM1", f"line 1: {where}", says)


coordinate = st.one_of(
    st.sampled_from(
        [0, 20, 106.05, 179.5, -179.5, 180, -180, 90, -90, 106, 1e9, "20", None, True, float("nan")]
    ),
    st.floats(-200, 200),
)
position = st.lists(coordinate, min_size=1, max_size=3)
line = st.lists(position, max_size=6).map(lambda p: [*p, *p[:1]])
geometry = st.one_of(
    st.builds(lambda c: {"type": "Point", "coordinates": c}, position),
    st.builds(lambda c: {"type": "LineString", "coordinates": c}, line),
    st.builds(lambda c: {"type": "Polygon", "coordinates": c}, st.lists(line, max_size=2)),
    st.builds(
        lambda c: {"type": "MultiPolygon", "coordinates": c}, st.lists(st.lists(line, max_size=2), max_size=2)
    ),
)
anything = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=4,
)
properties = st.fixed_dictionaries(
    {
        "kind": st.just("port") | anything,
        "radius_m": st.just(5) | anything,
        "half_width_m": st.just(100) | anything,
    },
    optional={"name": anything, "valid_from": anything, "checkpoints": anything, "policy": anything},
)
feature = st.builds(
    lambda id_, geometry, properties: {
        "type": "Feature",
        "id": id_,
        "geometry": geometry,
        "properties": properties,
    },
    st.integers(0, 9) | anything,
    geometry | anything,
    properties,
)


@settings(deadline=None)
@given(st.lists(feature, max_size=3), st.lists(feature, max_size=3))
def test_whatever_is_drawn_becomes_a_plan_or_its_errors(zones: list[Any], routes: list[Any]) -> None:
    """What `check` finds no error in can be judged by; nothing that a file can hold makes the reading fail."""
    plan, faults = load_files({"zones.geojson": collection(*zones), "routes.geojson": collection(*routes)})
    assert (plan is None) == bool(errors_of(faults))


@settings(deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["id", "seal", "devices", "route", "permit", "armed_at", "unit"]), anything
    )
)
def test_whatever_a_journey_says_becomes_a_plan_or_its_errors(members: dict[str, Any]) -> None:
    """The same of journeys."""
    plan, faults = load_files(files([journey(**members)]))
    assert (plan is None) == bool(errors_of(faults))


@pytest.mark.parametrize("size", [10, 400_000])
def test_the_files_of_a_plan_are_read_back_and_take_no_memory_meanwhile(size: int) -> None:
    """Large ones lie in a file without a name; pickled to another process they arrive whole."""
    texts = {"zones.geojson": "Đồng Đăng", "routes.geojson": Random(1).randbytes(size).hex()}
    tracemalloc.start()
    packed = PackedTexts(texts)
    held_bytes, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    again = pickle.loads(pickle.dumps(packed))
    assert dict(packed) == dict(again) == texts
    assert (len(packed), "units.toml" in packed) == (2, False)
    assert held_bytes < 20_000
