"""Which thresholds a journey is judged by: the nearest table wins; every fault of a policy is named."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from seal_tracker.rules.catalog import RULES
from seal_tracker.rules.keys import SEVERITIES, PolicyKey
from seal_tracker.rules.policy import POLICY_KEYS, REGIMES, PolicyTable, check_policies

RULE = "ZONE_ENTERED"
ROUTES, ZONES = ("R", "Q"), ("Z", "Y", "X")

COUNTED = ("raise_fixes", "raise_s", "clear_fixes", "clear_s", "latched")
"""Keys of a rule that is debounced."""


def value(tables: dict[str, Any], key: str = "raise_fixes", *, rule: str = RULE, **where: str | None) -> Any:
    """The threshold for one journey: regime, route and zone by name."""
    policy = PolicyTable(tables, routes=ROUTES, zones=ZONES)
    index = {
        name: np.array([-1 if where.get(name) is None else names.index(where[name])])
        for name, names in (("regime", REGIMES), ("route", ROUTES), ("zone", ZONES))
    }
    zone = index["zone"] if "zone" in where else None
    found = policy.value(rule, key, index["regime"], index["route"], zone)
    return found.tolist()[0] if isinstance(found, np.ndarray) else found


LEVELS = ("default", "transit", "route", "zone")


@pytest.mark.parametrize("given", [c for n in range(5) for c in itertools.combinations(LEVELS, n)])
def test_the_nearest_table_wins(given: tuple[str, ...]) -> None:
    """Zone over route over regime over default over what the code says, for every choice of those given."""
    numbers = dict(zip(LEVELS, (11, 12, 13, 14), strict=True))
    tables: dict[str, Any] = {}
    for level in given:
        table = {RULE: {"raise_fixes": numbers[level]}}
        tables |= (
            {"route": {"R": table}}
            if level == "route"
            else {"zone": {"Z": table}}
            if level == "zone"
            else {level: table}
        )
    here = {"regime": "transit", "route": "R", "zone": "Z"}
    assert value(tables, **here) == (numbers[given[-1]] if given else 2)
    elsewhere = {"regime": "bonded", "route": "Q", "zone": "Y"}
    assert value(tables, **elsewhere) == (11 if "default" in given else 2)
    without_zone = [level for level in given if level != "zone"]
    assert value(tables, **here | {"zone": "X"}) == (numbers[without_zone[-1]] if without_zone else 2)


def test_who_has_no_regime_or_route_gets_the_default() -> None:
    """A seal without a journey is of no regime, whichever regimes and routes say something."""
    tables = {r: {RULE: {"raise_fixes": 9}} for r in REGIMES} | {
        "route": {r: {RULE: {"raise_fixes": 8}} for r in ROUTES}
    }
    assert value(tables, regime=None, route=None) == 2
    assert value(tables, regime="minerals", route=None) == 9
    assert value(tables, regime="minerals", route="Q") == 8


def test_values_come_for_many_rows_at_once() -> None:
    """One value a row where rows differ, a scalar where no table makes them."""
    policy = PolicyTable(
        {"bonded": {RULE: {"raise_s": 90}}, "zone": {"Y": {RULE: {"raise_s": 5}}}}, routes=ROUTES, zones=ZONES
    )
    regime, route = np.array([0, 1, 1, -1]), np.array([0, -1, 1, -1])
    assert np.asarray(policy.value(RULE, "raise_s", regime, route)).tolist() == [30, 90, 90, 30]
    found = policy.value(RULE, "raise_s", regime, route, np.array([1, 0, 1, 2]))
    assert np.asarray(found).tolist() == [5, 90, 5, 30]
    assert policy.value(RULE, "raise_fixes", regime, route) == 2


def test_a_key_that_is_unset_stays_unset_beside_one_that_is_set() -> None:
    """None is the rule's own choice: NaN where other rows have numbers."""
    tables = {"zone": {"Y": {RULE: {"clear_margin_m": 7}}}}
    assert value({}, "clear_margin_m", regime="transit", zone="Z") is None
    assert value(tables, "clear_margin_m", regime="transit", zone="Y") == 7
    assert np.isnan(value(tables, "clear_margin_m", regime="transit", zone="Z"))


def test_severities_and_flags_are_overridden_like_numbers() -> None:
    """Every kind of key, in every table."""
    tables = {
        "default": {RULE: {"severity": "low", "enabled": False}},
        "route": {"R": {RULE: {"severity": "high"}}},
    }
    tables["zone"] = {"Z": {RULE: {"enabled": True, "severity": "critical"}}}
    assert value(tables, "severity", regime="transit", route="R") == "high"
    assert value(tables, "severity", regime="transit", route="R", zone="Z") == "critical"
    assert value(tables, "enabled", regime="transit", route="R", zone="Z") is True
    assert value(tables, "enabled", regime="transit", route="R", zone="Y") is False


def test_the_catalogue_has_the_defaults_of_the_contract() -> None:
    """Raise and clear of each rule, its severity, and what is latched: the table in SEMANTICS."""
    expected = {
        "SEAL_TAMPER": ("critical", 1, 0, 1, 0, True),
        "ROUTE_DEVIATION": ("high", 3, 0, 2, 0, False),
        "ZONE_ENTERED": ("info", 2, 30, 2, 0, False),
        "PROHIBITED_ZONE": ("critical", 1, 0, 2, 0, False),
        "STOP_UNPLANNED": ("medium", 2, 900, 2, 60, False),
        "BATTERY_LOW": ("low", 2, 600, 1, 0, False),
    }
    found = {r: tuple(POLICY_KEYS[r][k].default for k in ("severity", *COUNTED)) for r in expected}
    assert found == expected
    more = [
        ("ROUTE_DEVIATION", "raise_excess_m_s", 3500),
        ("ROUTE_DEVIATION", "accuracy_cap_m", 30),
        ("ROUTE_DEVIATION", "accuracy_unknown_m", 10),
        ("CHECKPOINT_REACHED", "severity", "info"),
        ("STOP_UNPLANNED", "radius_m", 100),
        ("STOP_UNPLANNED", "moved_m", 200),
        ("STOP_UNPLANNED", "long_s", 5400),
        ("STOP_UNPLANNED", "long_severity", "high"),
        ("SIGNAL_LOST", "severity", "high"),
        ("SIGNAL_LOST", "latched", False),
        ("SIGNAL_LOST", "intervals", 3),
        ("SIGNAL_LOST", "awake_floor_s", 600),
        ("SIGNAL_LOST", "asleep_floor_s", 3900),
        ("BATTERY_LOW", "low_pct", 30),
        ("BATTERY_LOW", "clear_pct", 35),
        ("BATTERY_LOW", "critical_pct", 10),
        ("BATTERY_LOW", "critical_severity", "high"),
    ]
    assert [(r, k, POLICY_KEYS[r][k].default) for r, k, _ in more] == more


@pytest.mark.parametrize("rule", [r.name for r in RULES])
def test_every_rule_may_be_switched_off_and_documents_its_keys(rule: str) -> None:
    """Every rule has a severity; one that counts fixes lets all of its counting be set; defaults are values of their kind."""
    keys = POLICY_KEYS[rule]
    assert keys["enabled"].default is True
    assert keys["severity"].default in SEVERITIES
    assert set(COUNTED) <= set(keys) or not {"raise_fixes", "clear_fixes"} & set(keys)
    for key in keys.values():
        assert key.doc
        assert key.default is None or key.fault_of(key.default) is None


FAULTY: list[tuple[dict[str, Any], str, str, str]] = [
    ({"defualt": {}}, "defualt", "unknown table", "default"),
    ({"default": {"ZONE_ENTRED": {}}}, "default.ZONE_ENTRED", "unknown rule", "ZONE_ENTERED"),
    ({"transit": {RULE: {"raise_fix": 2}}}, f"transit.{RULE}.raise_fix", "unknown key", "raise_fixes"),
    ({"route": {"RR": {RULE: {}}}}, "route.RR", "unknown route", "R"),
    ({"zone": {"W": {RULE: {}}}}, "zone.W", "unknown zone", "known"),
    ({"zone": {"Z": {RULE: {"raise_fixes": 0}}}}, f"zone.Z.{RULE}.raise_fixes", "within 1", "consecutive"),
    ({"default": {RULE: {"raise_fixes": 2.5}}}, f"default.{RULE}.raise_fixes", "whole number", "consecutive"),
    ({"default": {RULE: {"raise_fixes": True}}}, f"default.{RULE}.raise_fixes", "a number", "consecutive"),
    ({"default": {RULE: {"raise_s": "30"}}}, f"default.{RULE}.raise_s", "a number", "seconds"),
    ({"default": {RULE: {"raise_s": -1}}}, f"default.{RULE}.raise_s", "within 0", "seconds"),
    ({"default": {RULE: {"raise_s": float("nan")}}}, f"default.{RULE}.raise_s", "within 0", "seconds"),
    ({"default": {RULE: {"severity": "Critical"}}}, f"default.{RULE}.severity", "one of critical", "bad"),
    ({"default": {RULE: {"enabled": 1}}}, f"default.{RULE}.enabled", "true or false", "judge"),
    ({"default": {"BATTERY_LOW": {"low_pct": 101}}}, "default.BATTERY_LOW.low_pct", "within 0", "battery"),
    ({"default": 3}, "default", "not a table", "[default.RULE]"),
    ({"default": {RULE: 3}}, f"default.{RULE}", "not a table", f"[default.{RULE}]"),
    ({"zone": [1]}, "zone", "not a table", "[zone.ID.RULE]"),
]


@pytest.mark.parametrize(("tables", "where", "why", "remedy"), FAULTY, ids=[f[1] for f in FAULTY])
def test_a_fault_says_where_why_and_what_to_do(
    tables: dict[str, Any], where: str, why: str, remedy: str
) -> None:
    """One fault for one mistake; a near miss of a name is suggested."""
    (fault,) = check_policies(tables, routes=ROUTES, zones=ZONES)
    assert fault.where == where
    assert why in fault.why
    assert remedy in fault.remedy


def test_every_fault_of_a_policy_is_found() -> None:
    """All in one go, in the order they are written; a sound one has none."""
    tables = {"default": {RULE: {"raise_fixes": 0, "x": 1}}, "lost": {}, "zone": {"Z": {"NO": {}}}}
    found = check_policies(tables, routes=ROUTES, zones=ZONES)
    assert [f.where for f in found] == [
        f"default.{RULE}.raise_fixes", f"default.{RULE}.x", "lost", "zone.Z.NO",
    ]  # fmt: skip
    sound: dict[str, Any] = {"zone": {"Z": {RULE: {"clear_margin_m": 0}}}}
    sound |= {regime: {RULE: {"severity": s}} for regime, s in zip(REGIMES, SEVERITIES, strict=False)}
    assert check_policies(sound, routes=ROUTES, zones=ZONES) == []


def test_a_key_takes_what_its_kind_says() -> None:
    """Whole numbers are numbers; truth values are not."""
    number = PolicyKey("number", 1.0, "a number", minimum=0, maximum=5)
    assert [number.fault_of(v) is None for v in (0, 5, 2.5, True, "1", None, 5.1)] == [True] * 3 + [False] * 4
