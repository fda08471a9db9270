"""``docs/adding-a-rule.md`` is carried out as it stands: the rule it adds works in a copy of the project."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "adding-a-rule.md").read_text()
MOST_LINES = 30


def files() -> dict[str, str]:
    """The files that the guide writes: a path in backticks on a line of its own, then its content."""
    return dict(re.findall(r"^`([\w/]+\.py)`:\n\n```python\n(.*?)```$", GUIDE, re.MULTILINE | re.DOTALL))


def changes() -> list[tuple[str, str]]:
    """The lines that it changes, before and after."""
    diffs = re.findall(r"^```diff\n(.*?)```$", GUIDE, re.MULTILINE | re.DOTALL)
    side = lambda diff, sign: "".join(f"{x[1:]}\n" for x in diff.splitlines() if x[0] == sign)  # noqa: E731
    return [(side(diff, "-"), side(diff, "+")) for diff in diffs]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project after the guide."""
    folder = tmp_path_factory.mktemp("guide")
    away = shutil.ignore_patterns("__pycache__", "ui", ".*cache")
    for name in ("seal_tracker", "geofences"):
        shutil.copytree(ROOT / name, folder / name, ignore=away)
    (folder / "tests" / "unit").mkdir(parents=True)
    shutil.copy(ROOT / "tests" / "story.py", folder / "tests")
    for name in (".importlinter", "pyproject.toml"):
        shutil.copy(ROOT / name, folder)
    for path, text in files().items():
        (folder / path).write_text(text)
    catalog, contracts = changes()
    change(folder / "seal_tracker" / "rules" / "catalog.py", *catalog)
    change(folder / "seal_tracker" / "rules" / "catalog.py", "from seal_tracker.rules import", IMPORT)
    change(folder / ".importlinter", *contracts)
    return folder


IMPORT = "from seal_tracker.rules import handling  # and the others\nfrom seal_tracker.rules import"


def change(path: Path, before: str, after: str) -> None:
    text = path.read_text()
    assert text.count(before) == 1, f"{path.name} has {before!r} {text.count(before)} times"
    path.write_text(text.replace(before, after))


def run(project: Path, *command: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(project), str(project / "tests")])
    return subprocess.run(
        [sys.executable, *command],
        cwd=project,
        env=os.environ | {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_test_of_the_guide_passes(project: Path) -> None:
    """With the rule in its place, against the same stories that hold the others."""
    result = run(project, "-m", "pytest", "-q", "tests/unit/test_rule_handling.py", "-p", "no:cacheprovider",
                 "-o", "addopts=", "-o", f"testpaths={project / 'tests'}")  # fmt: skip
    assert result.returncode == 0, result.stdout + result.stderr
    assert "2 passed" in result.stdout


def test_a_policy_may_set_what_it_says(project: Path) -> None:
    """``check --policy-keys`` is made from the code."""
    result = run(project, "-m", "seal_tracker", "check", "--policy-keys")
    assert "ROUGH_HANDLING" in result.stdout
    assert "still_kmh" in result.stdout


def test_the_rule_takes_thirty_lines() -> None:
    """Blank ones and the docstring aside."""
    (text,) = (text for path, text in files().items() if path.startswith("seal_tracker/rules/"))
    lines = [line for line in text.split("\n")[1:] if line.strip()]
    assert len(lines) <= MOST_LINES


def test_what_it_tells_of_a_context_is_there() -> None:
    """The names in the table of what a rule sees."""
    from seal_tracker.rules.context import Context  # noqa: PLC0415

    named = set(re.findall(r"`ctx\.(\w+)", GUIDE))
    assert len(named) >= 9
    assert named <= {*Context.__annotations__, *vars(Context)}
