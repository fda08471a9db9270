"""``docs/testers-lab.md`` is carried out as it stands, and names all that a scenario can say."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from pathlib import Path
from typing import get_args

import pytest
from click.testing import CliRunner

from seal_tracker.cli import cli as tracker
from simulators.cli import cli as sim
from simulators.lab import acts, language
from simulators.lab.loading import LIBRARY

GUIDE = (Path(__file__).parents[2] / "docs" / "testers-lab.md").read_text()
COMMANDS = re.findall(r"^\$ (.+)$", GUIDE, re.MULTILINE)


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What each line of the guide answers, in one folder and in its order but for the scores of the folder, which come last."""
    folder = tmp_path_factory.mktemp("lab")
    shutil.copy(LIBRARY / "base" / "truck.toml", folder)
    (scenario,) = re.findall(r"```toml\n(.*?)```", GUIDE, re.DOTALL)
    (folder / "mine.toml").write_text(scenario)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        return {line: _answer(line) for line in sorted(COMMANDS, key=lambda c: "score lab " in c)}


def _answer(line: str) -> str:
    program, *arguments = shlex.split(line)
    result = CliRunner().invoke({"seal-sim": sim, "seal-tracker": tracker}[program], arguments)
    assert result.exit_code == 0, (line, result.output, result.exception)
    return result.stdout


def test_every_line_can_be_typed_as_it_stands(answers: dict[str, str]) -> None:
    assert len(answers) == len(set(COMMANDS)) >= 10


def test_what_must_be_told_of_its_scenarios_is_told(answers: dict[str, str]) -> None:
    """Of the library's and of the reader's own, nothing is missed and nothing made up."""
    (figures,) = (json.loads(a) for line, a in answers.items() if line.endswith("--json"))
    assert figures["rules"]["ROUTE_DEVIATION"]["must"] == 2
    assert figures["rules"]["PROHIBITED_ZONE"]["hit"] == 1
    assert (figures["misses"], figures["false_alarms"]) == ([], [])


def test_a_run_says_the_line_that_judges_it(answers: dict[str, str]) -> None:
    (said,) = (a for line, a in answers.items() if line.startswith("seal-sim run mine.toml"))
    assert "seal-tracker backtest lab/mine/plan lab/mine/pings.ndjson --now 2026-11-22T02:00:00.000Z" in said


@pytest.mark.parametrize("act", get_args(acts.Act), ids=lambda a: a.__name__)
def test_every_act_is_in_the_guide_with_its_members(act: type) -> None:
    row = next(r for r in GUIDE.splitlines() if r.startswith(f"| `{act.__struct_config__.tag}` |"))
    assert [
        m for m in act.__struct_fields__ if m != "who" and f"`{m}`" not in row and m not in _moments(act)
    ] == []


def _moments(act: type) -> tuple[str, ...]:
    """Said of all acts on a seal at once."""
    return ("at_min", "at_km") if issubclass(act, acts.TimedAct) else ()


@pytest.mark.parametrize(
    "name",
    [
        "Scenario",
        "Route",
        "Zone",
        "Vehicle",
        "Device",
        "Journey",
        "Equipment",
        "Calendar",
        "Licence",
        "Checkpoint",
    ],
)
def test_every_member_of_a_table_is_in_the_guide(name: str) -> None:
    tables = {"route", "zone", "vehicle", "device", "journey", "equipment", "calendar", "licence", "script"}
    wanted = set(getattr(language, name).__struct_fields__) - (tables if name == "Scenario" else set())
    row = {"Scenario": "| the file |", "Checkpoint": "| `[route]`"}.get(name, f"[[{name.lower()}]]` |")
    (text,) = (r for r in GUIDE.splitlines() if row in r)
    assert {m for m in wanted if f"`{m}`" not in text} == set()
