"""The README and the notes say what the code does: commands, settings, events, files."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click import Group

from seal_tracker.cli import cli
from seal_tracker.config import PREFIX, Settings
from seal_tracker.rules.catalog import POLICY_KEYS
from simulators.cli import cli as sim_cli

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), ROOT / "deploy" / "README.md"]


def commands_in(text: str, program: str) -> set[str]:
    """Of lines that run a container, ``seal-tracker`` is the image."""
    lines = [line for line in text.splitlines() if "docker" not in line]
    return set(re.findall(rf"\b{program} ([a-z]+)\b", "\n".join(lines)))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda p: p.name)
@pytest.mark.parametrize(("program", "group"), [("seal-tracker", cli), ("seal-sim", sim_cli)])
def test_every_command_that_is_named_exists(document: Path, program: str, group: Group) -> None:
    """A command of a document can be typed as it stands."""
    assert commands_in(document.read_text(), program) <= set(group.commands)


def test_every_command_is_in_the_readme() -> None:
    """Nobody has to read code to find one."""
    assert set(cli.commands) <= commands_in(README, "seal-tracker")


def test_the_events_of_the_readme_are_the_rules() -> None:
    """The table names each rule once, and no other."""
    rows = re.findall(r"^\| ((?:`[A-Z_]+`(?:, )?)+) \|", README, re.MULTILINE)
    named = [name for row in rows for name in re.findall(r"[A-Z_]+", row)]
    assert sorted(named) == sorted(POLICY_KEYS)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda p: p.name)
def test_every_link_leads_to_a_file(document: Path) -> None:
    """Links within the project are relative and stand."""
    links = re.findall(r"\]\(([^)#:]+)\)", document.read_text())
    assert [link for link in links if not (document.parent / link).exists()] == []


def test_every_setting_that_is_named_exists() -> None:
    """Settings of the README are the service's own."""
    known = {PREFIX + name.upper() for name in Settings.model_fields} | {f"{PREFIX}CONFIG", PREFIX}
    assert set(re.findall(rf"{PREFIX}[A-Z_]*", README)) <= known


def test_the_benchmarks_of_the_readme_exist() -> None:
    """Each figure can be measured again by its command."""
    scripts = re.findall(r"`python (?:-m )?(tests[./]benchmarks[./]\w+)", README)
    assert len(scripts) >= 4
    assert [s for s in scripts if not (ROOT / f"{s.replace('.', '/')}.py").exists()] == []
