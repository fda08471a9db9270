"""A score as text for people and as JSON for programs. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from simulators.lab.scoring import Case, Figures, Score, Told
from simulators.lab.truth.record import Deed
from simulators.wire import instant

__all__ = ["as_json", "as_text", "in_words"]

SHOWN = 40
HEADINGS = f"{'':28} {'must':>5} {'hit':>5} {'recall':>7} {'told':>5} {'false':>5} {'precision':>10} {'taken back':>10} {'median s':>9} {'p90 s':>8}"


def as_json(score: Score) -> dict[str, Any]:
    """The whole score; shares are None where there is nothing to share."""
    return {
        "rules": {name: _figures(f) for name, f in sorted(score.rules.items())},
        "faults": {name: _figures(f) for name, f in sorted(score.faults.items())},
        "misses": [_miss(case, deed) for case, deed in score.misses],
        "false_alarms": [_false_alarm(*one) for one in score.false_alarms],
    }


def as_text(score: Score) -> Iterator[str]:
    """Lines to read: figures by rule and by fault, then each miss and false alarm."""
    for title, figures in (("by rule", score.rules), ("by what was wrong with the device", score.faults)):
        yield f"{title}"
        yield HEADINGS
        for name, f in sorted(figures.items()):
            yield _row(name, f)
    for title, lines in (
        ("missed", [in_words(case, deed) for case, deed in score.misses]),
        ("false alarms", [in_words(case, told, faults) for case, told, faults in score.false_alarms]),
    ):
        yield f"{title}: {len(lines) or 'none'}"
        yield from (f"  {line}" for line in lines[:SHOWN])
        if len(lines) > SHOWN:
            yield f"  and {len(lines) - SHOWN} more: --json has all"


def in_words(case: Case, one: Deed | Told, faults: tuple[str, ...] = ()) -> str:
    """A miss or a false alarm in a line."""
    where = f" at {one.object}" if one.object else ""
    if isinstance(one, Deed):
        who, begun, ended = one.seal or one.journey, one.from_, one.to
        what = f"{one.what} ({one.seconds:.0f} s, {one.fixes} fixes)"
        faults = one.faults
    else:
        who = one.seal or one.subject
        begun, ended = _moment(one.started_s), None if one.ended_s is None else _moment(one.ended_s)
        what = f"{one.severity}, raised {_moment(one.raised_s)[11:19]}, nothing of it happened"
    meanwhile = f"; {', '.join(faults)}" if faults else ""
    until = ended[11:19] if ended else "the end"
    return f"{case.head.scenario}: {one.rule}{where}, {who}, {begun[11:19]} to {until}: {what}{meanwhile}"


def _row(name: str, f: Figures) -> str:
    def share(value: float | None) -> str:
        return "-" if value is None else f"{value:.0%}"

    def seconds(value: float | None) -> str:
        return "-" if value is None else f"{value:.0f}"

    return (
        f"{name:28} {f.must:5} {f.hit:5} {share(f.recall):>7} {f.told:5} {f.false:5} {share(f.precision):>10} {f.taken_back:10} "
        f"{seconds(f.delay_median_s):>9} {seconds(f.delay_p90_s):>8}"
    )


def _figures(f: Figures) -> dict[str, Any]:
    return {
        "must": f.must,
        "hit": f.hit,
        "told": f.told,
        "false": f.false,
        "taken_back": f.taken_back,
        "recall": f.recall,
        "precision": f.precision,
        "delay_median_s": f.delay_median_s,
        "delay_p90_s": f.delay_p90_s,
    }


def _miss(case: Case, deed: Deed) -> dict[str, Any]:
    members = {name.rstrip("_"): getattr(deed, name) for name in deed.__struct_fields__}
    return {"scenario": case.head.scenario, "seed": case.head.seed} | members


def _false_alarm(case: Case, told: Told, faults: tuple[str, ...]) -> dict[str, Any]:
    return {
        "scenario": case.head.scenario,
        "seed": case.head.seed,
        "rule": told.rule,
        "episode": told.episode,
        "subject": told.subject,
        "seal": told.seal,
        "object": told.object,
        "severity": told.severity,
        "started": _moment(told.started_s),
        "raised": _moment(told.raised_s),
        "ended": None if told.ended_s is None else _moment(told.ended_s),
        "place": told.place,
        "faults": faults,
    }


def _moment(time_s: float) -> str:
    return instant(round(time_s * 1000))
