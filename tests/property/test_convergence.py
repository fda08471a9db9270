"""Convergence: the final episodes are a function of the set of dated facts, whatever the order and manner they come in."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest
from arrivals import Service
from happenings import LATER, Script, scripts
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from story import T0_MS, Core, Ping, batch
from wanderings import NOW_S, PLAN, stories

from seal_tracker.rules.catalog import RULES

EXAMPLES = int(os.environ.get("LAW_EXAMPLES", "200"))
"""Few enough for every run; 2,000 in CI, always the same ones; before a release 20,000 others (LAW_EXAMPLES=20000)."""

IN_CI = 2000

PARTS = [f"part {n}" for n in range(1, 5)]
"""Of the law's examples, each with a seed of its own, so that they can be tried beside each other; see ``conftest.py``."""

LONG_AFTER_MS = T0_MS + 1_000_000_000

CORPUS = 400
"""Tracks, always the same, among which every rule must have something to say."""


@pytest.mark.parametrize("part", PARTS)
def test_episodes_are_a_function_of_the_dated_facts(part: str) -> None:
    """Any order and batching of pings, duplicates, starts, looks at the clock, and facts told late: the same episodes.

    They are those of the sorted pings in one batch with every fact known, at the same now; and the events told on the way,
    folded in the order of their sequence, give them too; and each that needs a person has its alarm. What was discarded is
    counted as it is of the sorted pings.
    """
    always_the_same = EXAMPLES <= IN_CI

    @settings(
        max_examples=EXAMPLES // len(PARTS),
        deadline=None,
        derandomize=always_the_same,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(scripts())
    def holds(script: Script) -> None:
        service = script.played()
        lines, discarded = script.outcome()
        assert service.lines().decode() == lines.decode()
        assert service.discarded(discarded) == discarded
        assert service.folded()
        assert service.alarms_fit()

    (seed(part)(holds) if always_the_same else holds)()


def test_these_stories_raise_every_rule_and_take_back_what_a_journey_that_was_none_has_raised() -> None:
    """A law that is proven over stories in which a rule is silent is not proven of that rule."""
    raising: dict[str, list[Ping]] = {}

    @settings(max_examples=CORPUS, derandomize=True, deadline=None, database=None, phases=[Phase.generate])
    @given(stories(16), st.booleans())
    def tell(track: list[Ping], replanned: bool) -> None:
        core = Core(PLAN, LATER if replanned else ())
        core.tell(track, NOW_S)
        raising.update((e.type, track) for e in core.episodes.values() if not replanned)
        raising.update((e.type, []) for e in core.episodes.values() if e.type not in raising)

    tell()
    assert {rule.name for rule in RULES} - raising.keys() == set()
    told = {id(track): track for track in raising.values()}
    for key, track in told.items():
        mine = {rule.name for rule in RULES if rule.per_journey and id(raising[rule.name]) == key}
        assert_taken_back(mine, track)


def assert_taken_back(rules: set[str], track: list[Ping]) -> None:
    """Episodes of some rules are retracted, with what they rested on, once it turns out that no journey was armed."""
    service = Service(Core(PLAN))
    service.feed(batch(track, service.core.numbers))
    service.tick(NOW_S)
    raised = {e.episode: e.type for e in service.store.episodes if e.type in rules}
    assert set(raised.values()) == rules
    service.learn(
        [replace(j, armed_at_ms=LONG_AFTER_MS, disarmed_at_ms=None) for j in PLAN.journeys],
        service.core.versions,
    )
    last = {event.episode.episode: event for event in service.events}
    assert {last[key].transition for key in raised} <= {"retracted"}
    assert all(last[key].episode.evidence["fixes"] is not None for key in raised)
    assert service.folded()
