"""The page's own tests, its basemap configuration and its build, as far as they need no browser."""

from __future__ import annotations

import gzip
import importlib.util
import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import pytest

from seal_tracker.alarms.life_cycle import CLOSING_CODES
from seal_tracker.alarms.states import STATES
from seal_tracker.journey_record import State
from seal_tracker.plans.model import EQUIPMENT_KINDS
from seal_tracker.risk.inspections import FINDINGS
from seal_tracker.rules.policy import POLICY_KEYS, REGIMES
from seal_tracker.supervision.life_cycle import Verb
from seal_tracker.web.app import ROUTES
from seal_tracker.web.openapi import describe

ROOT = Path(__file__).parents[2]
UI = ROOT / "seal_tracker" / "web" / "ui"
SCRIPT_BYTES = 600_000
BASEMAP = ROOT / "seal_tracker" / "web" / "basemaps" / "viet_nam.json"

needs_npm = pytest.mark.skipif(
    shutil.which("npm") is None
    or not (UI / "node_modules" / "typescript").is_dir()
    or not (UI / "tools" / "types" / "node_modules").is_dir(),
    reason="the page's development packages are not there (npm ci in seal_tracker/web/ui, and in tools/types there)",
)


def load_hook() -> ModuleType:
    pytest.importorskip("hatchling", reason="hatchling, which builds the wheel, is not installed")
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def labels() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(BASEMAP.read_text())["labels"]
    return found


@needs_npm
@pytest.mark.parametrize("script", ["check", "test"])
def test_page_passes_its_own_checks(script: str) -> None:
    """The TypeScript compiler, as strict as it can be, against the API as it describes itself today; and the tests of the pure parts."""
    if script == "check":
        described = msgspec.json.encode(describe(ROUTES, version=""))
        subprocess.run(["npm", "run", "types"], cwd=UI, input=described, capture_output=True, check=True)
    done = subprocess.run(["npm", "run", script], cwd=UI, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(
    not (UI / "dist" / "manifest.json").is_file(),
    reason="the page is not built (npm run build in seal_tracker/web/ui)",
)
def test_all_script_of_the_page_is_small() -> None:
    """Compressed, every view with map and plots together, at most 600 kB; all but what shows the API to developers."""
    api = json.loads((UI / "dist" / "manifest.json").read_text())["api.js"]
    sizes = {
        path.name: len(gzip.compress(path.read_bytes()))
        for path in (UI / "dist" / "assets").glob("*.js")
        if path.name != Path(api).name
    }
    assert sum(sizes.values()) <= SCRIPT_BYTES, sorted(sizes.items(), key=lambda one: -one[1])[:8]


@pytest.mark.parametrize(
    ("name", "lon", "lat"), [("Hoàng\u00a0Sa", 112.0, 16.5), ("Trường\u00a0Sa", 113.0, 8.6)]
)
def test_map_of_viet_nam_names_its_archipelagos(name: str, lon: float, lat: float) -> None:
    """As its law requires: both are named, in either language, where they are, from the farthest zoom on."""
    label = next(each for each in labels() if each["kind"] == "archipelago" and name in each["name"])
    assert name in label["name_en"]
    assert (label["lon"], label["lat"]) == (lon, lat)
    assert "min_zoom" not in label
    west, south, east, north = json.loads(BASEMAP.read_text())["start_bounds"]
    assert west < lon < east
    assert south < lat < north


def test_every_place_is_named_once_in_both_languages() -> None:
    """A name twice would be drawn twice."""
    for key in ("name", "name_en"):
        names = [(label["kind"], label[key]) for label in labels()]
        assert len(set(names)) == len(names)
        assert all(name.strip() for _, name in names)


def test_page_is_built_again_when_a_source_is_newer(tmp_path: Path) -> None:
    """Fresh means built after the last change; a page never built is not, and a file taken away is a change."""
    hook = load_hook()
    (tmp_path / "src").mkdir()
    source, built = tmp_path / "src" / "main.ts", tmp_path / "dist" / "index.html"
    source.write_text("")
    assert not hook.is_fresh(tmp_path)
    built.parent.mkdir()
    built.write_text("")
    for path in (source, source.parent):
        os.utime(path, (1000, 1000))
    os.utime(built, (2000, 2000))
    assert hook.is_fresh(tmp_path)
    os.utime(source, (3000, 3000))
    assert not hook.is_fresh(tmp_path)
    os.utime(source, (1000, 1000))
    os.utime(source.parent, (3000, 3000))
    assert not hook.is_fresh(tmp_path)


@pytest.mark.parametrize(("version", "usable"), [("v18.20.4", False), ("v20.19.0", True), ("v24.1.0", True)])
def test_only_a_node_new_enough_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, usable: bool
) -> None:
    """An older Node on PATH is passed over, and one from PyPI asked for."""
    hook = load_hook()
    for name in ("node", "npm"):
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\necho {version}\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert (hook.system_node() is not None) == usable


def words_of(language: str, section: str) -> set[str]:
    """Keys of a section of the page's texts."""
    text = (UI / "src" / "i18n" / f"{language}.ts").read_text()
    inside = re.search(
        rf"^  {section}: \{{(.*?)^  \}}|^  {section}: \{{(.*?)\}},$", text, re.MULTILINE | re.DOTALL
    )
    assert inside is not None, section
    return set(re.findall(r"(\w+): \"", inside[1] or inside[2]))


@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize(
    ("section", "known"),
    [
        ("event", set(POLICY_KEYS)),
        ("journeyState", {str(state) for state in State}),
        ("journeyVerb", {str(verb) for verb in Verb}),
        ("regime", set(REGIMES)),
        ("equipmentKind", set(EQUIPMENT_KINDS)),
        ("closingCode", set(CLOSING_CODES)),
        ("alarmState", set(STATES)),
        ("finding", set(FINDINGS)),
    ],
)
def test_the_page_has_a_word_for_all_that_the_service_says(
    language: str, section: str, known: set[str]
) -> None:
    """In both languages: nobody on duty should read a code."""
    assert known <= words_of(language, section)
