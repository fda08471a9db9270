"""Figures that were reached, and what got worse since. Pure.

A baseline says for each scenario and rule how often it must be told, was, was told at all, was made up, and the median delay; and, where
that is not as it should be, why (``known``). It is a floor: who makes it better writes it anew, who makes it worse is told which figure of which case.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from simulators.lab.scoring import Figures, Score

__all__ = ["Baseline", "Reached", "reached", "regressions"]

DELAY_SLACK_S = 1.0
"""Delays are of fixes some 30 s apart: one fix later is worse, a second of rounding is not."""


class Reached(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Figures of one rule in one scenario, or in all."""

    must: int = 0
    hit: int = 0
    told: int = 0
    false: int = 0
    delay_median_s: float | None = None
    delay_p90_s: float | None = None


class Baseline(msgspec.Struct, frozen=True, kw_only=True):
    """Figures by scenario and rule, by rule and by fault over all; ``known`` says of a scenario why it is not as it should be."""

    seeds: tuple[int, ...]
    known: dict[str, str]
    rules: dict[str, Reached]
    faults: dict[str, Reached]
    scenarios: dict[str, dict[str, Reached]]


def reached(figures: Mapping[str, Figures]) -> dict[str, Reached]:
    """What a score has reached, by rule or by fault, in order of their names."""
    return {
        key: Reached(
            must=f.must,
            hit=f.hit,
            told=f.told,
            false=f.false,
            delay_median_s=f.delay_median_s,
            delay_p90_s=f.delay_p90_s,
        )
        for key, f in sorted(figures.items())
    }


def regressions(scenario: str, stored: Mapping[str, Reached], score: Score) -> Iterator[str]:
    """What is worse than it was, each a sentence that names the scenario, the rule and the figure."""
    now = reached(score.rules)
    for rule in sorted(stored.keys() | now.keys()):
        was, is_now = stored.get(rule, Reached()), now.get(rule, Reached())
        if is_now.must != was.must:
            yield f"{scenario}: {rule} must be told {is_now.must} times, it was {was.must}: the truth is another; write the baseline anew"
        if is_now.hit < was.hit:
            yield f"{scenario}: {rule} was told {is_now.hit} times of {is_now.must}, it was {was.hit}{_first(score.misses, rule)}"
        if is_now.false > was.false:
            yield f"{scenario}: {rule} has {is_now.false} false alarms, it had {was.false}{_first(score.false_alarms, rule)}"
        for name in ("delay_median_s", "delay_p90_s"):
            before, after = getattr(was, name), getattr(is_now, name)
            if before is not None and after is not None and after > before + DELAY_SLACK_S:
                yield f"{scenario}: {rule} has a {name} of {after}, it was {before}"


def _first(cases: list[Any], rule: str) -> str:
    """The first miss or false alarm of a rule, to look at."""
    one = next((c[1] for c in cases if c[1].rule == rule), None)
    if one is None:
        return ""
    return (
        f"; for one {one.what}, from {one.from_}"
        if hasattr(one, "from_")
        else f"; for one episode {one.episode} of {one.subject}"
    )
