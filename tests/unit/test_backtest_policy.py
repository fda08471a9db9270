"""``backtest --policy``: the same pings judged by another policy, and what that would gain, lose and change."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from story import Ground, at, drive, iso

from seal_tracker.cli import cli

STRICT = "[default.ROUTE_DEVIATION]\nraise_fixes = 1\nraise_excess_m_s = 0\n[default.ZONE_ENTERED]\nenabled = false\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A plan and a trace: S1 passes a yard, is twice 400 m off for one fix, and once for ten minutes."""
    made = Ground().route("R", (0, 0), (90_000, 0), half_width_m=200).zone("I", 6000, 0, 1000, "interest")
    made.journey(route="R")
    folder = tmp_path_factory.mktemp("policy")
    (folder / "plan").mkdir()
    collection = {"type": "FeatureCollection"}
    (folder / "plan/zones.geojson").write_text(json.dumps(collection | {"features": made.zones}))
    (folder / "plan/routes.geojson").write_text(json.dumps(collection | {"features": made.routes}))
    (folder / "plan/journeys.jsonl").write_text("\n".join(json.dumps(j) for j in made.journeys))
    pings = drive(0, 3000, 30)
    for i in (20, 30, *range(60, 80)):
        pings[i]["lat"] = at(0, 400)[1]
    lines = [f"S1,{p['time']},{p['lon']},{p['lat']},true" for p in pings]
    (folder / "trace.csv").write_text("\n".join(["seal,time,lon,lat,valid", *lines]) + "\n")
    (folder / "strict.toml").write_text(STRICT)
    return folder


def backtest(folder: Path, *options: str) -> Result:
    return CliRunner().invoke(
        cli, ["backtest", str(folder / "plan"), str(folder / "trace.csv"), *options], catch_exceptions=False
    )


def test_it_says_what_is_gained_lost_changed_and_the_same(folder: Path) -> None:
    """One fix off now suffices: two more deviations, the long one raised earlier; the yard is no longer told of."""
    result = backtest(folder, "--policy", str(folder / "strict.toml"), "--json")
    assert result.exit_code == 0, result.output
    figures = json.loads(result.stdout)
    assert figures["compared"] == {
        "episodes": 2,
        "by_type": {"ROUTE_DEVIATION": 1, "ZONE_ENTERED": 1},
        "gained": {"ROUTE_DEVIATION": 2},
        "lost": {"ZONE_ENTERED": 1},
        "changed": {"ROUTE_DEVIATION": 1},
        "kept": 0,
    }


def test_figures_and_files_are_those_of_the_second_judgement_alone(folder: Path, tmp_path: Path) -> None:
    """What a program reads must not mix two policies."""
    result = backtest(
        folder, "--policy", str(folder / "strict.toml"), "--json",
        "--episodes", str(tmp_path / "episodes"), "--events", str(tmp_path / "events"),
    )  # fmt: skip
    assert json.loads(result.stdout)["by_type"] == {"ROUTE_DEVIATION": 3}
    episodes = [json.loads(line) for line in (tmp_path / "episodes").read_text().splitlines()]
    assert [e["type"] for e in episodes] == ["ROUTE_DEVIATION"] * 3
    raised = [json.loads(line) for line in (tmp_path / "events").read_text().splitlines()]
    assert sum(e["type"].endswith(".raised") for e in raised) == 3


def test_the_same_policy_changes_nothing(folder: Path) -> None:
    """Two judgements of the same are the same: all are kept."""
    (folder / "none.toml").write_text("")
    compared = json.loads(backtest(folder, "--policy", str(folder / "none.toml"), "--json").stdout)[
        "compared"
    ]
    del compared["by_type"]
    assert compared == {"episodes": 2, "gained": {}, "lost": {}, "changed": {}, "kept": 2}


def test_people_are_told_each_episode_in_a_line(folder: Path) -> None:
    """When, whose, how bad: enough to look it up."""
    text = backtest(folder, "--policy", str(folder / "strict.toml")).output
    assert f"ROUTE_DEVIATION high, J-S1, {iso(600)} to {iso(630)}" in text
    assert "ZONE_ENTERED info, J-S1 at I," in text
    assert f"{iso(1800)} to {iso(2400)}; raised was {iso(1830)}" in text
    assert "3  ROUTE_DEVIATION  (was 1)" in text
    assert "0  ZONE_ENTERED  (was 1)" in text


def test_a_seal_that_no_journey_has_armed_is_named(folder: Path, tmp_path: Path) -> None:
    """Most rules do not judge it: that nothing is told of it is no good news, and a plan of another year is soon taken."""
    text = (folder / "trace.csv").read_text()
    strangers = "".join(f"X{i},{iso(60)},106,20,true\n" for i in range(7))
    (tmp_path / "trace.csv").write_text(text.replace("S1,", "S2,") + strangers)
    (tmp_path / "plan").symlink_to(folder / "plan")
    assert "S2, X0, X1, X2, X3 and 3 more" in backtest(tmp_path).output
    assert "no journey" not in backtest(folder).output
    (tmp_path / "trace.csv").write_text(f"seal,time,valid\nS1,{iso(-60)},false\nS1,{iso(-1)},false\n")
    assert "do not judge them: S1\n" in backtest(tmp_path).output


def test_a_file_that_cannot_be_written_is_told_before_the_work(folder: Path) -> None:
    """Not after an hour of it."""
    result = backtest(folder, "--episodes", str(folder / "nowhere" / "episodes"))
    assert (result.exit_code, result.stdout) == (1, "")
    assert f"there is no folder {folder / 'nowhere'}" in result.output


def test_a_faulty_policy_is_refused_by_its_file_and_key(folder: Path) -> None:
    """Nothing is judged by half a policy."""
    (folder / "typo.toml").write_text(
        "[default.ROUTE_DEVIATION]\nraise_fixs = 1\n[zone.NOWHERE.ZONE_ENTERED]\n"
    )
    result = backtest(folder, "--policy", str(folder / "typo.toml"))
    assert result.exit_code == 1
    assert "typo.toml" in result.output
    assert "raise_fixs" in result.output
    assert "NOWHERE" in result.output
