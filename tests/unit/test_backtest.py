"""A back-test: recorded traces through the service's core, with the newest event time as now."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest
from arrivals import Service
from story import T0_MS, Core, Ground, Ping, batch, drive, one, only, ping, seconds, span

from seal_tracker import backtest
from seal_tracker.backtest import Outcome, run_backtest
from seal_tracker.changes import fold
from seal_tracker.episodes_file import episode_line
from seal_tracker.sources.file import read_trace
from seal_tracker.sources.trace import Trace

COLUMNS = ("time", "lon", "lat", "valid", "accuracy_m", "satellites", "battery_pct", "lock")


def ground() -> Ground:
    """A road with a yard on it and two journeys."""
    made = Ground().route("R", (0, 0), (90_000, 0), half_width_m=200).zone("I", 6000, 0, 1000, "interest")
    return made.journey("S1", route="R").journey("S2", route="R", disarmed_s=5000)


def story() -> list[Ping]:
    """S1 drives, leaves the road and comes back, S2 is cut and falls silent; one fix is held at the end."""
    s1 = [*drive(0, 600, 30), *drive(630, 900, 30, y_m=900), *drive(930, 1500, 30), ping(1510, 80_000)]
    return [*s1, *({**p, "of": "S2"} for p in (ping(0, 0), ping(60, 500, lock="cut"), ping(120, 900)))]


def trace(folder: Path, pings: Sequence[Ping], name: str = "trace.csv") -> Trace:
    """The story written as a recorded trace, and read."""

    def cell(value: object) -> str:
        return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)

    lines = [",".join(("seal", *COLUMNS))]
    lines += [",".join((p.get("of", "S1"), *(cell(p.get(c)) for c in COLUMNS))) for p in pings]
    path = folder / name
    path.write_text("\n".join(lines) + "\n")
    found = read_trace(path)
    assert not found.faults
    return found


def lines(outcome: Outcome) -> bytes:
    return b"".join(episode_line(e) for e in outcome.episodes)


def test_a_back_test_tells_what_the_service_would_have_told(tmp_path: Path) -> None:
    """The same core, the same plan: the episodes of pings that came one by one, with the same now."""
    outcome = run_backtest(ground().plan(), [trace(tmp_path, story())])
    service = Service(Core(ground().plan()))
    for p in story():
        service.feed(batch([p], service.core.numbers))
    service.tick(1510)
    assert lines(outcome) == service.lines()
    assert {e.type for e in outcome.episodes} == {
        "ROUTE_DEVIATION",
        "ZONE_ENTERED",
        "SEAL_TAMPER",
        "SIGNAL_LOST",
    }


def test_the_order_of_arrival_does_not_matter(tmp_path: Path) -> None:
    """A shuffled trace gives the same bytes, and so does one cut into files."""
    expected = lines(run_backtest(ground().plan(), [trace(tmp_path, story())]))
    shuffled = story()
    random.Random(3).shuffle(shuffled)
    assert lines(run_backtest(ground().plan(), [trace(tmp_path, shuffled)])) == expected
    parts = [trace(tmp_path, shuffled[i::3], f"{i}.csv") for i in range(3)]
    assert lines(run_backtest(ground().plan(), parts)) == expected
    assert lines(run_backtest(ground().plan(), parts[::-1])) == expected


def test_now_is_the_newest_event_time_unless_it_is_given(tmp_path: Path) -> None:
    """S2's silence is seen from S1's last ping; a later now sees S1's too, and the end of S2's journey."""
    recorded = [trace(tmp_path, story())]
    outcome = run_backtest(ground().plan(), recorded)
    assert seconds(outcome.now_ms) == 1510
    assert span(one(outcome.episodes, "SIGNAL_LOST")) == (120, 720, None, None)
    later = run_backtest(ground().plan(), recorded, now_ms=T0_MS + 6_000_000)
    silences = only(later.episodes, "SIGNAL_LOST")
    assert {(e.seal, span(e)) for e in silences} == {
        ("S1", (1510, 2110, None, None)),
        ("S2", (120, 720, 5000, 5000)),
    }
    early = run_backtest(ground().plan(), recorded, now_ms=T0_MS + 720_000)
    assert not only(early.episodes, "SIGNAL_LOST")


def test_time_alone_is_judged_up_to_a_now_that_is_given(tmp_path: Path) -> None:
    """A seal never heard and one that falls silent are late alike; without a ping or a now there is no time to judge."""
    made = ground().zone("C", 3000, 0, 100, "checkpoint").policy("default.TRANSIT_LIMIT", limit_h=0.5)
    made.routes[0]["properties"]["checkpoints"] = [{"zone": "C", "after_min": 10, "tolerance_min": 1}]
    for heard in ([], [ping(0, 0)]):
        recorded = [trace(tmp_path, heard)]
        found = run_backtest(made.plan(), recorded, now_ms=T0_MS + 2_200_000)
        assert {(e.type, e.seal, seconds(e.raised_at_ms)) for e in found.episodes} == {
            (rule, seal, at)
            for seal in ("S1", "S2")
            for rule, at in (("SIGNAL_LOST", 600), ("CHECKPOINT_LATE", 660), ("TRANSIT_LIMIT", 2100))
        }
        assert fold(found.events).keys() == {e.episode for e in found.episodes}
        assert not run_backtest(made.plan(), recorded).episodes


def test_events_fold_to_the_episodes(tmp_path: Path) -> None:
    """Numbered from 1 in the order of event time; none is late, for nothing was told before."""
    outcome = run_backtest(ground().plan(), [trace(tmp_path, story())])
    assert fold(outcome.events) == {
        e.episode: msgspec.structs.replace(e, changed_ms=0, settled_ms=None) for e in outcome.episodes
    }
    assert [e.sequence for e in outcome.events] == list(range(1, len(outcome.events) + 1))
    assert [e.time_ms for e in outcome.events] == sorted(e.time_ms for e in outcome.events)
    assert not any(e.late for e in outcome.events)


def test_episodes_are_in_the_order_of_the_file(tmp_path: Path) -> None:
    """By journey or seal, rule, object, start."""
    found = run_backtest(ground().plan(), [trace(tmp_path, story())]).episodes
    keys = [(e.journey or e.seal, e.type, e.object or "", e.started_at_ms) for e in found]
    assert keys == sorted(keys)


def test_what_was_left_out_or_doubted_is_counted(tmp_path: Path) -> None:
    """Duplicates, unusable fixes, outliers, what is still held, positions that are on no earth."""
    extra = [*story(), *story()[:5], ping(1600), ping(1610, 0) | {"lat": 91.0}]
    outcome = run_backtest(ground().plan(), [trace(tmp_path, extra)])
    assert outcome.pings == len(extra)
    assert outcome.discards == {
        "duplicates": 5,
        "fix_pending": 1,
        "fix_unusable": 2,
        "position_out_of_range": 1,
    }
    back = run_backtest(ground().plan(), [trace(tmp_path, [*story(), ping(1540, 23_000)])])
    assert back.discards == {"fix_outlier": 1}


def test_seals_are_judged_whole_however_many_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks hold all pings of each of their seals; progress ends at the number of pings."""
    expected = lines(run_backtest(ground().plan(), [trace(tmp_path, story())]))
    for size in (1, 4, 60):
        done: list[int] = []
        monkeypatch.setattr(backtest, "CHUNK_PINGS", size)
        outcome = run_backtest(ground().plan(), [trace(tmp_path, story())], progress=done.append)
        assert lines(outcome) == expected
        assert done == sorted(done)
        assert done[-1] == len(story())


def test_seals_that_the_plan_does_not_know_are_judged_without_a_journey(tmp_path: Path) -> None:
    """Their battery counts, their lock does not."""
    stranger = [ping(s, 0, lock="cut", battery_pct=4, of="X-9") for s in (0, 700)]
    found = run_backtest(ground().plan(), [trace(tmp_path, stranger)]).episodes
    of_it = [e for e in found if e.seal == "X-9"]
    assert [(e.type, e.journey, e.severity) for e in of_it] == [("BATTERY_LOW", None, "high")]


def test_an_empty_trace_is_no_news(tmp_path: Path) -> None:
    """No pings, no now, no episodes."""
    outcome = run_backtest(ground().plan(), [trace(tmp_path, [])])
    assert (outcome.pings, outcome.episodes, outcome.events, outcome.now_ms) == (0, [], [], None)
