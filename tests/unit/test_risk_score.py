"""A journey's risk: every point of it is a line, and every line says what was counted."""

from __future__ import annotations

import string
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from seal_tracker.risk.score import (
    DAY_MS,
    HOUR_MS,
    INDICATORS,
    RiskFacts,
    RiskPolicy,
    assess,
    night_ms,
    policy_of,
)
from seal_tracker.risk.texts import TEXTS, words_of
from seal_tracker.rules.policy import REGIMES, PolicyTable, check_policies
from seal_tracker.rules.risk import RISK_KEYS

DEFAULTS = policy_of(PolicyTable(), -1, -1)
NOON_MS = 20_000 * DAY_MS + 5 * HOUR_MS
"""Twelve o'clock in Viet Nam."""

FACTS = RiskFacts(
    journey="J",
    regime="transit",
    carrier="An Bình",
    armed_ms=NOON_MS,
    until_ms=NOON_MS + HOUR_MS,
    carrier_journeys=10,
)


def points(facts: RiskFacts, policy: RiskPolicy = DEFAULTS) -> dict[str, int]:
    """Points of the indicators that give any."""
    found = assess(facts, policy)
    assert found.score == sum(line.points for line in found.lines)
    assert [line.indicator for line in found.lines] == list(INDICATORS)
    return {line.indicator: line.points for line in found.lines if line.points}


def test_a_journey_of_a_known_carrier_by_day_is_no_risk() -> None:
    """Nothing is counted, and every line is told all the same."""
    assert points(FACTS) == {}
    assert assess(FACTS, DEFAULTS).level == "low"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"carrier_confirmed": 2}, {"carrier_history": 20}),
        ({"carrier_confirmed": 9}, {"carrier_history": 30}),
        ({"carrier_findings": 1}, {"carrier_findings": 20}),
        ({"carrier_journeys": 2}, {"newcomer": 5}),
        ({"carrier_journeys": 3}, {}),
        ({"carrier": None, "carrier_journeys": 0}, {"newcomer": 5}),
        ({"faults": {"BATTERY_LOW": 1, "GPS_LOST": 1}}, {"seal_faults": 10}),
        ({"gaps": {"UNOBSERVED_GAP": 6}}, {"gaps": 25}),
        ({"alarms": {"SEAL_TAMPER": 1}}, {"alarms": 15}),
        ({"until_ms": NOON_MS + 12 * HOUR_MS}, {"night": 4}),
        ({"until_ms": NOON_MS + 24 * HOUR_MS}, {"night": 12}),
    ],
)
def test_what_is_counted_gives_its_points(change: dict[str, Any], expected: dict[str, int]) -> None:
    """So many each, and no more than the most."""
    assert points(replace(FACTS, **change)) == expected


def test_the_nearest_table_gives_the_points() -> None:
    """Regime and route have points of their own, and a route's table goes before its regime's."""
    tables = {
        "minerals": {"RISK": {"regime_points": 15, "medium_from": 10}},
        "route": {"R": {"RISK": {"route_points": 40, "regime_points": 20}}},
    }
    assert check_policies(tables, routes=["R"]) == []
    table = PolicyTable(tables, routes=["R"])
    minerals = REGIMES.index("minerals")
    assert points(replace(FACTS, regime="minerals"), policy_of(table, minerals, -1)) == {"regime": 15}
    both = replace(FACTS, regime="minerals", route="R")
    assert points(both, policy_of(table, minerals, 0)) == {"regime": 20, "route": 40}
    assert assess(both, policy_of(table, minerals, 0)).level == "high"
    assert assess(replace(FACTS, regime="minerals"), policy_of(table, minerals, -1)).level == "medium"


def test_a_policy_of_risk_that_cannot_be_is_named() -> None:
    """As of any rule; and no zone has a risk."""
    faults = check_policies(
        {"default": {"RISK": {"gap_points": -1, "gap_point": 1}}, "zone": {"Z": {"RISK": {}}}}, zones=["Z"]
    )
    assert [(f.where, f.level) for f in faults] == [
        ("default.RISK.gap_points", "error"),
        ("default.RISK.gap_point", "error"),
        ("zone.Z.RISK", "warning"),
    ]


def test_night_is_counted_exactly() -> None:
    """Against a look at every minute, over borders of nights and days, and for nights that begin after midnight."""
    rng = np.random.default_rng(1)
    for begin_h, end_h in ((22, 5), (0, 5), (21, 0), (6, 6)):
        policy = DEFAULTS._replace(night_from_h=begin_h, night_to_h=end_h)
        for _ in range(40):
            start_min = int(rng.integers(20_000 * 1440, 20_003 * 1440))
            length_min = int(rng.integers(0, 3000))
            hours = (np.arange(start_min, start_min + length_min) + 7 * 60) // 60 % 24
            inside = (hours - begin_h) % 24 < (end_h - begin_h) % 24
            got_ms = night_ms(start_min * 60_000, (start_min + length_min) * 60_000, policy)
            assert got_ms == int(inside.sum()) * 60_000


def test_every_line_is_told_in_both_languages() -> None:
    """Each indicator has its words, which say no more than was counted."""
    facts = replace(FACTS, carrier=None, faults={"GPS_LOST": 2}, route="R")
    for line in assess(facts, DEFAULTS).lines:
        for text in (TEXTS[line.indicator].vi[1], TEXTS[line.indicator].en[1]):
            named = {name for _, name, _, _ in string.Formatter().parse(text) if name}
            assert named <= {"count", *line.found}
        assert "{" not in words_of(line).vi + words_of(line).en
    assert set(TEXTS) == {*INDICATORS, "nothing", "undeclared"}
    faults = next(line for line in assess(facts, DEFAULTS).lines if line.indicator == "seal_faults")
    assert words_of(faults).en == "The journey's seals had 2 faults in 90 days: GPS_LOST 2"


def test_every_key_says_what_it_is() -> None:
    """Defaults are values of their kind."""
    for key in RISK_KEYS.values():
        assert key.doc
        assert key.fault_of(key.default) is None
