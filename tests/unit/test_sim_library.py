"""The library of scenarios through the service's core: no figure may get worse than the stored baseline."""

from __future__ import annotations

import random
import re

import pytest
from lab import BASELINE, KNOWN, SEEDS, judged, of_all_seeds, stored

from seal_tracker.episodes_file import episode_line
from simulators.lab.baseline import regressions
from simulators.lab.loading import library
from simulators.lab.running import run_file

REMEDY = "if that is meant, look at the case (docs/testers-lab.md) and write the baseline anew: python tests/lab.py"


@pytest.fixture(scope="module")
def baseline():
    return stored()


@pytest.mark.parametrize("name", library())
def test_no_figure_of_a_scenario_gets_worse(name, baseline):
    """What was told, how soon, and what was made up: as good as it was, or better."""
    assert name in baseline.scenarios, f"{name} is not in {BASELINE.name}: {REMEDY}"
    worse = list(regressions(name, baseline.scenarios[name], of_all_seeds(library()[name])))
    assert worse == [], REMEDY


def test_the_baseline_is_of_this_library_and_says_why_where_it_is_not_as_it_should_be(baseline):
    assert set(baseline.scenarios) == set(library())
    assert (baseline.seeds, baseline.known) == (SEEDS, KNOWN)
    wrong = {
        name
        for name, rules in baseline.scenarios.items()
        if any(f.false or f.hit < f.must for f in rules.values())
    }
    assert wrong <= set(KNOWN), wrong - set(KNOWN)


@pytest.mark.parametrize(
    "name",
    ["bridge-shared", "checkpoint-missed", "convoy-separated", "deviation-buffered", "gap-unobserved", "gps-coarse",
     "arrival-late", "overrun", "prohibited-yard", "signal-small-buffer", "tamper-shell-offline", "zone-stay"],
)  # fmt: skip
def test_the_order_of_arrival_changes_no_byte_of_the_episodes(name):
    """As they came, backwards, and shuffled; when they were received is left out, as it is a fact of its own about clocks."""
    run = run_file(library()[name], 1)
    lines = [re.sub(rb',"received":"[^"]*"', b"", line) for line in run.pings.splitlines(keepends=True)]
    shuffled = random.Random(7).sample(lines, len(lines))
    first, *others = (
        [episode_line(e) for e in judged(run.plan, b"".join(order), run.now_ms).episodes]
        for order in (lines, lines[::-1], shuffled)
    )
    assert first
    assert all(other == first for other in others)
