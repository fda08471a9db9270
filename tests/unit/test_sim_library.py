"""The library of scenarios through the service's core: no figure may get worse than the stored baseline."""

from __future__ import annotations

import pytest
from lab import BASELINE, KNOWN, SEEDS, of_all_seeds, stored

from simulators.lab.baseline import regressions
from simulators.lab.loading import library

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
