"""Keys that change nothing: `check` warns of them, and which these are is what the rules ask for while they judge."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from story import Ground
from test_evidence import STORIES, backtested

from seal_tracker.plans.check import check_paths
from seal_tracker.rules.keys import COUNTED
from seal_tracker.rules.policy import POLICY_KEYS, check_policies
from seal_tracker.rules.table import Policies

COMMON = {"enabled", "severity", *COUNTED, "latched"}
ASKED_ELSEWHERE = {"clear_margin_m", "fence_m", "moving_kmh", "standing_raise_s", "standing_clear_s"}
"""Own keys that zones may set and that are asked for only where a track leaves, or may seem to have come in."""


def test_a_key_has_an_effect_where_its_rule_asks_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What every rule has, and whether a zone may set it: as the stories of all rules show."""
    asked, of_zone = defaultdict(set), defaultdict(set)

    def recording(ask: Any) -> Any:
        def recorded(self: Policies, rule: str, key: str, regime: Any, route: Any, zone: Any = None) -> Any:
            asked[rule].add(key)
            if zone is not None and (np.asarray(zone) >= 0).any():
                of_zone[rule].add(key)
            return ask(self, rule, key, regime, route, zone)

        return recorded

    monkeypatch.setattr(Policies, "everywhere", lambda *_: None)  # else one answer serves for good
    for name in ("value", "at"):
        monkeypatch.setattr(Policies, name, recording(getattr(Policies, name)))
    for tell in STORIES.values():
        backtested(*tell(), tmp_path)
    for rule, keys in POLICY_KEYS.items():
        idle = {name for name, key in keys.items() if not key.has_effect}
        assert idle == COMMON - asked[rule], rule
        by_zone = {name for name, key in keys.items() if key.by_zone and key.has_effect}
        assert of_zone[rule] <= by_zone <= of_zone[rule] | ASKED_ELSEWHERE, rule


@pytest.mark.parametrize(
    ("tables", "where", "why"),
    [
        ({"default": {"SIGNAL_LOST": {"raise_s": 900}}}, "default.SIGNAL_LOST.raise_s", "on SIGNAL_LOST"),
        (
            {"transit": {"CHECKPOINT_LATE": {"latched": True}}},
            "transit.CHECKPOINT_LATE.latched",
            "on CHECKPOINT_LATE",
        ),
        (
            {"zone": {"Z": {"CHECKPOINT_MISSED": {"unobserved_gap_s": 60}}}},
            "zone.Z.CHECKPOINT_MISSED.unobserved_gap_s",
            "for a zone",
        ),
        ({"zone": {"Z": {"OVERSPEED": {"severity": "high"}}}}, "zone.Z.OVERSPEED", "not judged by zone"),
    ],
)
def test_what_changes_nothing_is_a_warning(tables: dict[str, Any], where: str, why: str) -> None:
    """One for each key, or for a table of a rule that knows no zones; it says what to do instead."""
    (fault,) = check_policies(tables, zones=("Z",))
    assert (fault.level, fault.where) == ("warning", where)
    assert why in fault.why
    assert fault.remedy


def test_a_faulty_key_without_effect_is_a_fault_all_the_same() -> None:
    """Both are said."""
    found = check_policies({"default": {"SIGNAL_LOST": {"raise_s": "long"}}})
    assert [fault.level for fault in found] == ["error", "warning"]


def test_check_shows_the_warning_with_file_key_reason_and_remedy(tmp_path: Path) -> None:
    """Of policies.toml, and of what a zone says of its own policy; the plan can be used."""
    made = Ground().zone("Z", 0, 0, 100, "interest", policy={"STOP_UNPLANNED": {"raise_s": 60}})
    for name, content in made.policy("default.SIGNAL_LOST", raise_s=900).files().items():
        (tmp_path / name).write_text(content)
    report = check_paths([tmp_path])
    assert report.exit_code == 0
    shown = report.render()
    assert "warning  default.SIGNAL_LOST.raise_s: 900" in shown
    assert "has no effect on SIGNAL_LOST; remove it; what has: enabled, severity, latched, intervals" in shown
    assert "warning  Z properties.policy.STOP_UNPLANNED: STOP_UNPLANNED" in shown
    assert (
        "is not judged by zone, so this has no effect; set it for a route, [route.ID.STOP_UNPLANNED]" in shown
    )
