"""``docs/adding-a-device.md`` is carried out as it stands: the format it adds works in a copy of the project."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from seal_tracker.decoders.formats import formats

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "adding-a-device.md").read_text()
TESTS = (
    "tests/unit/test_decoder_frames.py",
    "tests/unit/test_gateway_stream.py",
    "tests/property/test_decoder_laws.py",
)


def files() -> dict[str, str]:
    """The files that the guide writes: a path in backticks on a line of its own, then its content."""
    return dict(
        re.findall(r"^`([\w/.]+\.(?:py|jsonl))`:\n\n```\w+\n(.*?)```$", GUIDE, re.MULTILINE | re.DOTALL)
    )


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project after the guide."""
    folder = tmp_path_factory.mktemp("guide")
    away = shutil.ignore_patterns("__pycache__", "ui", ".*cache")
    shutil.copytree(ROOT / "seal_tracker", folder / "seal_tracker", ignore=away)
    for name in ("tests/frames", "tests/fuzz"):
        shutil.copytree(ROOT / name, folder / name, ignore=away)
    for name in TESTS:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    for path, text in files().items():
        (folder / path).write_text(text)
    return folder


def run(project: Path, *command: str, given: str = "") -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(project), str(project / "tests")])
    return subprocess.run(
        [sys.executable, *command],
        cwd=project,
        env=os.environ
        | {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        input=given,
        capture_output=True,
        text=True,
        check=False,
    )


def test_it_writes_one_file_and_one_table() -> None:
    assert sorted(files()) == ["seal_tracker/decoders/formats/beacon.py", "tests/frames/beacon.jsonl"]


def test_the_tests_that_hold_every_format_hold_the_new_one(project: Path) -> None:
    """As the guide names them; the mutator too. A few are enough here: the others hold formats that are tested elsewhere."""
    assert all(test in GUIDE for test in TESTS)
    result = run(project, "-m", "pytest", "-q", *TESTS, "-k", "beacon or every_format", "-p", "no:cacheprovider", "-c", os.devnull,
                 f"--rootdir={project}")  # fmt: skip
    assert result.returncode == 0, result.stdout + result.stderr
    assert int(re.search(r"(\d+) passed", result.stdout)[1]) >= 20
    mutated = run(project, "tests/fuzz/mutated_frames.py", "--format", "beacon", "--frames", "2000")
    assert mutated.returncode == 0, mutated.stderr
    assert "2,000 frames of seed 1 (beacon)" in mutated.stdout


def test_its_command_decodes(project: Path) -> None:
    """The line of the guide; and the help of the gateway names it."""
    (line,) = re.findall(r"\$ echo '(.*)' \| seal-tracker decode beacon", GUIDE)
    result = run(project, "-m", "seal_tracker", "decode", "beacon", given=line)
    assert result.returncode == 0, result.stderr
    assert '"seal":"77001"' in result.stdout


def test_the_table_names_every_format() -> None:
    assert re.findall(r"^\| `(\w+)` \|", GUIDE, re.MULTILINE) == list(formats())
