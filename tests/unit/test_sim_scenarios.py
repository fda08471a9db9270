"""Scenario files: read, included, refused with a reason; run to the same bytes; and a library that tries every rule three ways."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from seal_tracker.plans import load_files
from seal_tracker.rules.catalog import POLICY_KEYS
from simulators.cli import cli
from simulators.errors import ScenarioError
from simulators.lab.loading import LIBRARY, find_scenario, library, load_scenario
from simulators.lab.running import run_file
from simulators.lab.truth.record import Deed

BASE = f'include = ["{LIBRARY}/base/truck.toml"]\ntitle = "T"\nabout = "SIGNAL_LOST"\ncase = "true"\n'
CUT = '[[script]]\ndo = "lock"\nwho = "S-1"\nact = "cut_rope"\n'
STOP = '[[script]]\ndo = "stop"\nwho = "{}"\nat_km = {}\nfor_min = 3\n'
FOLLOWER = '[[vehicle]]\nid = "b"\nfollows = "truck"\n'


def written(folder: Path, text: str) -> Path:
    path = folder / "mine.toml"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("text", "key", "says"),
    [
        ("title = 3 =", "", "is no TOML"),
        ('title = "T"', "about", "is missing"),
        (BASE + "minuts = 3\n", "", "unknown field `minuts`"),
        (BASE + 'minutes = "long"\n', "minutes", "Expected `float`"),
        (BASE + '[[script]]\ndo = "jamm"\nwho = "S-1"\n', "script[0].do", "did you mean 'jam'?"),
        (BASE + '[[script]]\ndo = "jam"\nwho = "S-1"\nat_min = 3\n', "script[0]", "for_min"),
        (
            BASE + '[[script]]\ndo = "jam"\nwho = "S-1"\nfor_min = 3\n',
            "script[0]",
            "neither of at_min and at_km",
        ),
        (
            BASE + '[[script]]\ndo = "jam"\nwho = "S-1"\nat_min = 3\nfor_min = 3\nhow = 1\n',
            "script[0].how",
            "its members are",
        ),
        (
            BASE + '[[script]]\ndo = "jam"\nwho = "S-9"\nat_min = 3\nfor_min = 3\n',
            "script[0].who",
            "known are S-1",
        ),
        (
            BASE + '[[script]]\ndo = "jam"\nwho = "S-1"\nat_km = 99\nfor_min = 3\n',
            "script[0].at_km",
            "never comes there",
        ),
        (BASE + '[[zone]]\nid = "z"\nkind = "interest"\n', "zone[2]", "has no shape"),
        (BASE + '[[device]]\nid = "X"\non = "boat"\n', "device[1].on", "'boat' is no vehicle"),
        (BASE + '[route]\nroad = "R-HP-XX"\n', "route[0].road", "is no road"),
        (BASE + 'start = "tomorrow"\n', "start", "a moment with its zone"),
        (
            BASE + '[[zone]]\nid = "z"\nkind = "interest"\nat_km = 60\nradius_m = 9\n',
            "zone[2].at_km",
            "36.0 km long",
        ),
        (
            BASE + '[[script]]\ndo = "stop"\nwho = "truck"\nat_km = 3\nfor_min = -2\n',
            "script[0].for_min",
            "> 0",
        ),
        (
            BASE + '[[vehicle]]\nid = "b"\nfollows = "truck"\n[[vehicle]]\nid = "c"\nfollows = "b"\n',
            "vehicle[2].follows",
            "a leader drives",
        ),
        (
            BASE + '[[journey]]\nid = "J-1"\npermit = { number = "1", structures = [{ zone = "b" }] }\n',
            "journey[0].permit.structures[0].zone",
            "no zone",
        ),
        (BASE + f"{CUT}at_min = 60\n", "script[0].at_min", "over after 60"),
        (
            BASE + f'{CUT}at_km = 35\n[[vehicle]]\nid = "truck"\npace = 0.4\n',
            "script[0].at_km",
            "all is over",
        ),
        (BASE + STOP.format("truck", 90), "script[0].at_km", "drives from 0.0 to 36.0"),
        (BASE + FOLLOWER + STOP.format("b", 9), "script[0].who", "follows 'truck'"),
        (BASE + "minutes = inf\n", "minutes", "20160"),
        (
            BASE
            + STOP.replace("stop", "turn_back").replace("for_min = 3", "back_to_km = 9").format("truck", 8),
            "script[0].back_to_km",
            "turns at 8",
        ),
        ('include = "truck.toml"\n', "include", "it is a list"),
        (BASE + "script = 3\n", "script", "Expected `array`"),
        (BASE + "[route]\nline = [[1, 2], [1, 200]]\n", "route[0].line", "<= 90"),
        (BASE + '[[vehicle]]\nid = "truck"\nfrom_km = 99\n', "vehicle[0].from_km", "ends at 36.0 km"),
        ('include = ["none.toml"]\n', "include", "there is no"),
        ('include = ["mine.toml"]\n', "include", "include one another"),
    ],
)
def test_a_wrong_scenario_is_refused_with_file_key_reason_and_remedy(tmp_path, text, key, says):
    with pytest.raises(ScenarioError) as caught:
        run_file(written(tmp_path, text), 1)
    error = caught.value
    assert "mine.toml" in error.file
    assert error.key == key or key in str(error)
    assert says in str(error)
    assert error.what
    assert error.why
    assert error.remedy


def test_an_including_file_wins_and_tables_of_one_id_are_merged(tmp_path):
    scenario = load_scenario(
        written(tmp_path, BASE + 'minutes = 5\n[[device]]\nid = "S-1"\ninterval_s = 7\n')
    )
    assert scenario.minutes == 5
    (device,) = scenario.device
    assert (device.on, device.interval_s) == ("truck", 7)
    assert scenario.route[0].road == "R-HP-LC"


def test_an_unknown_name_is_answered_with_those_like_it():
    with pytest.raises(ScenarioError, match="stop-shoulder"):
        find_scenario("stop-sholder")


@pytest.mark.parametrize("name", ["conflict-flapping", "detached", "network-disorder"])
def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(name):
    path = library()[name]
    one, again, other = run_file(path, 1), run_file(path, 1), run_file(path, 2)
    assert (one.pings, one.plan) == (again.pings, again.plan)
    assert msgspec.json.encode(one.truth) == msgspec.json.encode(again.truth)
    assert one.pings != other.pings


def test_pings_are_in_order_of_arrival_and_the_newest_is_sent_before_the_past():
    lines = [msgspec.json.decode(x) for x in run_file(library()["signal-buffered"], 1).pings.splitlines()]
    received = [x["received"] for x in lines]
    assert received == sorted(received)
    flush = next(i for i, x in enumerate(lines) if isinstance(x["payload"], list))
    assert lines[flush - 1]["payload"]["time"] > lines[flush]["payload"][-1]["time"]
    assert all(p["buffered"] for p in lines[flush]["payload"])


@pytest.fixture(scope="module")
def scenarios():
    return {name: load_scenario(path) for name, path in library().items()}


@pytest.fixture(scope="module")
def runs():
    return {name: run_file(path, 1) for name, path in library().items()}


def test_every_rule_is_tried_three_ways(scenarios):
    """Its case, something that looks like it, and a fault that could provoke it; no scenario is about another rule."""
    cases = defaultdict(set)
    for scenario in scenarios.values():
        cases[scenario.about].add(scenario.case)
    assert set(cases) == set(POLICY_KEYS), "write scenarios: docs/testers-lab.md"
    assert {rule: its for rule, its in cases.items() if its != {"true", "near_miss", "fault"}} == {}


@pytest.mark.parametrize("case", ["true", "near_miss", "fault"])
def test_the_truth_of_a_scenario_is_what_its_case_says(scenarios, runs, case):
    """What is true must be told; of what only looks like it nothing must."""
    for name, scenario in scenarios.items():
        if (
            scenario.case != case or name == "refused-offline-doubled"
        ):  # there a true refusal must be told once
            continue
        deeds = [d for d in runs[name].truth if isinstance(d, Deed) and d.rule == scenario.about]
        told = {d.verdict for d in deeds}
        assert ("must" in told) == (case == "true"), (name, deeds)


def test_every_plan_of_the_library_is_sound(runs):
    for name, run in runs.items():
        _plan, faults = load_files(run.plan)
        assert faults == [], name


def test_the_command_writes_a_folder_and_says_how_to_judge_it(tmp_path):
    result = CliRunner().invoke(cli, ["run", "tamper-rope", "--seed", "3", "--out", str(tmp_path / "t")])
    assert result.exit_code == 0, result.output
    assert "must     SEAL_TAMPER" in result.output
    assert "seal-tracker backtest" in result.output
    assert {p.name for p in (tmp_path / "t").iterdir()} == {"pings.ndjson", "truth.jsonl", "plan"}
