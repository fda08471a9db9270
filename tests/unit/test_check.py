"""`check` reads plans from disk and says what it found, to people and to programs, with an exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from seal_tracker.plans.check import check_paths, plan_file_of

EMPTY = '{"type": "FeatureCollection", "features": []}'
BOW_TIE = [[106.0, 20.0], [106.1, 20.1], [106.1, 20.0], [106.0, 20.1], [106.0, 20.0]]


def zones(*coordinates: list[list[float]]) -> str:
    features = [
        {
            "type": "Feature",
            "id": f"Z{i}",
            "geometry": {"type": "Polygon", "coordinates": [ring]},
            "properties": {"kind": "prohibited"},
        }
        for i, ring in enumerate(coordinates)
    ]
    return json.dumps({"type": "FeatureCollection", "features": features})


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    """A folder with a sound plan of one zone and no route."""
    (tmp_path / "zones.geojson").write_text(zones([*BOW_TIE[:1], [106.1, 20.0], [106.1, 20.1], BOW_TIE[0]]))
    (tmp_path / "routes.geojson").write_text(EMPTY)
    return tmp_path


def test_a_sound_folder_exits_with_0_and_is_counted(plan: Path) -> None:
    """The last line sums up what there is."""
    report = check_paths([plan])
    assert report.exit_code == 0
    assert report.render() == "0 errors, 0 warnings (1 zone found sound): the plan can be used"
    assert report.counts["zones"] == 1


def test_warnings_alone_exit_with_0(plan: Path) -> None:
    """What is only suspicious does not keep a plan from being used."""
    (plan / "routes.geojson").write_text("\ufeff" + EMPTY, encoding="utf-8")
    report = check_paths([plan])
    assert report.exit_code == 0
    assert "1 warning" in report.render().splitlines()[-1]


def test_an_error_exits_with_1_and_is_shown_under_its_file(plan: Path) -> None:
    """File, feature, place, what, why and remedy: all that is needed to mend it."""
    (plan / "zones.geojson").write_text(zones(BOW_TIE, BOW_TIE[:-1]))
    report = check_paths([plan])
    assert report.exit_code == 1
    assert report.render().splitlines() == [
        f"{plan}/zones.geojson",
        "  error    Z0 geometry: the outline crosses itself at 106.050000, 20.050000",
        "           what is inside cannot be told; move or remove the vertices there, or split the zone in two",
        "  error    Z1 coordinates[0]: the ring is not closed: it begins and ends at [106, 20] and [106, 20.1]",
        "           a ring's last position is its first again; repeat the first position at the end",
        "",
        "2 errors, 0 warnings (nothing found sound): the plan cannot be used",
    ]


def test_programs_get_the_same_as_one_object(plan: Path) -> None:
    """Every member is always there."""
    (plan / "zones.geojson").write_text(zones(BOW_TIE))
    told = json.loads(check_paths([plan]).to_json())
    (fault,) = told.pop("faults")
    assert told == {
        "ok": False,
        "exit_code": 1,
        "errors": 1,
        "warnings": 0,
        "counts": {"zones": 0, "routes": 0, "journeys": 0, "units": 0, "equipment": 0},
        "unreadable": [],
        "alone": [],
    }
    assert set(fault) == {"file", "feature", "where", "what", "why", "remedy", "level"}
    assert (fault["file"], fault["feature"], fault["level"]) == (str(plan / "zones.geojson"), "Z0", "error")


def test_a_path_that_cannot_be_read_exits_with_2_and_the_others_are_checked(plan: Path) -> None:
    """2 says that the check itself could not be done; what could be done is done."""
    (plan / "zones.geojson").write_text(zones(BOW_TIE))
    odd = plan / "plan.xlsx"
    odd.write_bytes(b"PK")
    report = check_paths([plan / "nowhere.geojson", odd, plan])
    assert report.exit_code == 2
    assert [path for path, _ in report.unreadable] == [str(plan / "nowhere.geojson"), str(odd)]
    assert "crosses itself" in report.render()
    assert "not everything could be read" in report.render()


def test_an_empty_folder_lacks_both_needed_files(tmp_path: Path) -> None:
    """A folder is a plan only with zones and routes."""
    report = check_paths([tmp_path])
    assert report.exit_code == 1
    assert [Path(f.file).name for f in report.faults] == ["zones.geojson", "routes.geojson"]


def test_a_single_file_is_checked_alone_and_says_so(plan: Path) -> None:
    """Whatever it names in other files is not looked up."""
    journeys = plan / "journeys.jsonl"
    journeys.write_text(
        '{"id":"J","seal":"S","route":"somewhere","regime":"transit","armed_at":"2026-11-22T03:00:00Z"}\n'
    )
    report = check_paths([journeys])
    assert report.exit_code == 0
    assert "checked alone" in report.render()
    assert check_paths([plan]).exit_code == 1


@pytest.mark.parametrize(
    ("name", "plan_file"),
    [
        ("zones.geojson", "zones.geojson"),
        ("hai-phong-zones.geojson", "zones.geojson"),
        ("Zones.json", "zones.geojson"),
        ("route_north.geojson", "routes.geojson"),
        ("journeys-2026.jsonl", "journeys.jsonl"),
        ("units.toml", "units.toml"),
    ],
)
def test_a_single_file_goes_by_its_name(name: str, plan_file: str) -> None:
    """Exports carry names of their own."""
    assert plan_file_of(Path("export") / name) == plan_file


def test_a_name_that_says_nothing_is_refused() -> None:
    """Better no check than the wrong one."""
    with pytest.raises(ValueError, match=r"zones\.geojson"):
        plan_file_of(Path("map.geojson"))
