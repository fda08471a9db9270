"""Events against the truth: what counts as told, missed, made up; delays; regressions; the command and its page."""

from __future__ import annotations

import json
import re

import msgspec
import pytest
from click.testing import CliRunner

from simulators.cli import cli
from simulators.errors import ScoreError
from simulators.lab.baseline import Reached, regressions
from simulators.lab.scoring import Score, case_of, read_told, read_truth, score
from simulators.lab.truth.record import Deed, FaultLine, Head, Map

DAY = "2026-11-22T"
HEAD = Head(
    scenario="s",
    title="S",
    about="STOP_UNPLANNED",
    case="true",
    seed=1,
    start=f"{DAY}01:00:00.000Z",
    now=f"{DAY}03:00:00.000Z",
)
GROUND = Map(
    routes={"R": [(105.0, 21.0), (105.2, 21.0)]},
    half_width_m={"R": 200.0},
    zones={"<yard>": ("prohibited", [(105.1, 21.0), (105.11, 21.0), (105.1, 21.01)])},
    tracks={"S-1": [(1_795_309_200_000 + k * 20_000, 105.0 + k * 1e-3, 21.0) for k in range(200)]},
)


def deed(begins: str = "01:20", ends: str | None = "01:40", **members) -> Deed:
    given = {
        "rule": "STOP_UNPLANNED",
        "journey": "J-1",
        "seal": None,
        "object": None,
        "verdict": "must",
        "what": "stood",
    }
    given |= {"metres": None, "seconds": 1200.0, "fixes": 40} | members
    return Deed(from_=f"{DAY}{begins}:00.000Z", to=f"{DAY}{ends}:00.000Z" if ends else None, **given)


def event(begins: str = "01:20", raised: str = "01:35", ends: str | None = "01:40", **members) -> bytes:
    properties = {
        "event": "STOP_UNPLANNED", "transition": "raised", "episode": "e1", "revision": 1, "journey": "J-1", "seal": "S-1",
        "object": None, "severity": "medium", "started_at": f"{DAY}{begins}:00.000Z", "raised_at": f"{DAY}{raised}:00.000Z",
        "ended_at": f"{DAY}{ends}:00.000Z" if ends else None,
    } | members  # fmt: skip
    geometry = {"type": "Point", "coordinates": [105.05, 21.001]}
    return json.dumps(
        {
            "subject": "journey/J-1",
            "sequence": f"{properties['revision']:020}",
            "data": {"geometry": geometry, "properties": properties},
        }
    ).encode()


def of(deeds: list[Deed], events: list[bytes], faults: list[FaultLine] = ()) -> Score:  # type: ignore[assignment]
    return score(case_of([HEAD, GROUND, *faults, *deeds]), read_told(events))


def test_what_must_be_told_and_was_is_a_hit_with_its_delay():
    found = of([deed()], [event()])
    figures = found.rules["STOP_UNPLANNED"]
    assert (figures.must, figures.hit, figures.told, figures.false) == (1, 1, 1, 0)
    assert (figures.recall, figures.precision, figures.delay_median_s) == (1.0, 1.0, 900.0)
    assert (found.misses, found.false_alarms) == ([], [])


@pytest.mark.parametrize(
    "other",
    [
        {"event": "OVERSPEED"},
        {"journey": "J-2"},
        {"begins": "02:20", "raised": "02:35", "ends": "02:40"},
        {"transition": "retracted"},
    ],
    ids=["rule", "journey", "time", "retracted"],
)
def test_what_is_told_of_something_else_or_taken_back_is_no_hit(other):
    found = of([deed()], [event(**other)])
    assert len(found.misses) == 1
    assert len(found.false_alarms) == (0 if "transition" in other else 1)


def test_an_object_must_be_the_same():
    assert of([deed(object="a")], [event(object="b")]).misses
    assert not of([deed(object="a")], [event(object="a")]).misses


def test_what_may_be_told_is_neither_missed_nor_made_up():
    assert of([deed(verdict="may")], []).rules == {}
    found = of([deed(verdict="may")], [event()])
    assert (found.rules["STOP_UNPLANNED"].told, found.rules["STOP_UNPLANNED"].false) == (1, 0)


def test_what_must_not_be_told_and_was_is_a_false_alarm_with_the_fault_that_provoked_it():
    jam = FaultLine(fault="jam", who="S-1", from_=f"{DAY}01:10:00.000Z", to=f"{DAY}01:30:00.000Z")
    other = FaultLine(fault="clock", who="S-2", from_=f"{DAY}01:10:00.000Z", to=None)
    found = of([deed(verdict="must not")], [event()], [jam, other])
    assert found.false_alarms[0][2] == ("jam",)
    assert found.faults["jam"].false == 1
    assert "clock" not in found.faults
    assert found.rules["STOP_UNPLANNED"].precision == 0.0


def test_an_episode_counts_as_it_was_told_last():
    later = event(ends="01:50", revision=2, transition="cleared")
    assert len(read_told([event(ends=None), later])) == 1
    closed = event(revision=2, transition="closed", alarm="A-1")
    found = of([deed()], [event(), event(revision=2, transition="retracted"), closed])
    figures = found.rules["STOP_UNPLANNED"]
    assert (figures.told, figures.false, figures.taken_back, len(found.misses)) == (0, 0, 1, 1)


def test_a_regression_names_the_case_the_figure_and_one_to_look_at():
    good, missed = of([deed()], [event()]), of([deed()], [])
    stored = {"STOP_UNPLANNED": Reached(must=1, hit=1, told=1, delay_median_s=900.0, delay_p90_s=900.0)}
    assert list(regressions("s", stored, good)) == []
    (line,) = regressions("s", stored, missed)
    assert line.startswith("s: STOP_UNPLANNED was told 0 times of 1, it was 1; for one stood")
    (slower, _p90) = regressions("s", stored, of([deed()], [event(raised="01:37")]))
    assert "delay_median_s of 1020.0, it was 900.0" in slower
    (false,) = regressions("s", {}, of([], [event()]))
    assert "1 false alarms, it had 0; for one episode e1" in false


def test_files_that_are_none_are_refused_with_their_line():
    with pytest.raises(ScoreError, match=r"t:1: is no line of a truth"):
        read_truth([b"{}"], "t")
    with pytest.raises(ScoreError, match=r"e:2: is no event"):
        read_told([event(), b'{"specversion":"1.0"}'], "e")
    with pytest.raises(ScoreError, match=r"e:1: is no event .*raised_at"):
        read_told([event().replace(b"raised_at", b"seen_at")], "e")
    with pytest.raises(ScoreError, match="0 scenarios"):
        read_truth([], "t")


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "s").mkdir()
    lines = [HEAD, GROUND, deed(), deed("02:00", "02:20", verdict="may")]
    (tmp_path / "s" / "truth.jsonl").write_bytes(b"".join(msgspec.json.encode(x) + b"\n" for x in lines))
    (tmp_path / "s" / "events.ndjson").write_bytes(
        event("02:40", "02:50", "02:55", object="<script>") + b"\n"
    )
    return tmp_path


def test_the_command_tells_figures_misses_and_false_alarms(folder):
    result = CliRunner().invoke(
        cli, ["score", str(folder / "s" / "truth.jsonl"), str(folder / "s" / "events.ndjson")]
    )
    assert result.exit_code == 0, result.output
    assert re.search(r"STOP_UNPLANNED +1 +0 +0% +1 +1 +0%", result.output)
    assert "missed: 1" in result.output
    assert "false alarms: 1" in result.output
    as_json = json.loads(CliRunner().invoke(cli, ["score", str(folder), "--json"]).output)
    assert as_json["rules"]["STOP_UNPLANNED"]["false"] == 1
    assert [m["what"] for m in as_json["misses"]] == ["stood"]


def test_the_page_asks_nobody_and_draws_the_worst_cases(folder):
    result = CliRunner().invoke(cli, ["score", str(folder), "--html", str(folder / "page.html")])
    assert result.exit_code == 0, result.output
    page = (folder / "page.html").read_text()
    assert "default-src 'none'" in page
    assert not re.search(r"(?:src|href)=|https?://", page)
    assert page.count("<svg") == 2
    assert "<script>" not in page
    assert "&lt;yard&gt;: prohibited" in page


def test_a_folder_without_truths_or_events_is_refused(folder):
    (folder / "s" / "events.ndjson").unlink()
    result = CliRunner().invoke(cli, ["score", str(folder)])
    assert isinstance(result.exception, ScoreError)
    assert "backtest" in str(result.exception)
    assert CliRunner().invoke(cli, ["score", str(folder / "s" / "truth.jsonl")]).exit_code == 2
