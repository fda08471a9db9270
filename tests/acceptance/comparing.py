"""Ways to compare what a service holds with what it ought to hold."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from running import seal_tracker

from seal_tracker.rules.catalog import RULES

CLOCKED = frozenset(rule.name for rule in RULES if rule.pass_time is not None)
"""Judged by the time of day as well, so not the same in a back-test that is run later."""

EPISODE_MEMBERS = (
    "episode", "type", "severity", "journey", "seal", "object", "started_at", "raised_at", "ended_at",
    "cleared_at", "inferred", "latched", "evidence",
)  # fmt: skip


def unclocked(episodes: Iterable[Mapping[str, Any]]) -> Counter[str]:
    """Episodes as wholes, evidence and ids with them, but for what the clock decides."""
    return Counter(json.dumps(e) for e in episodes if e["type"] not in CLOCKED)


def backtested(plan: Path, trace: Path, into: Path) -> list[dict[str, Any]]:
    """Episodes that a back-test finds."""
    done = seal_tracker("backtest", plan, trace, "--episodes", into)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in into.read_text().splitlines()]


def folded(events: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """What events amount to in order of sequence: the last word on each episode, by id, without those retracted or replaced."""
    last: dict[str, dict[str, Any]] = {}
    for event in sorted(events, key=lambda e: e["sequence"]):
        properties = event["data"]["properties"]
        for gone in [*properties["references"], properties["episode"]]:
            last.pop(gone, None)
        if properties["transition"] != "retracted":
            said = properties | {"type": properties["event"]}
            last[properties["episode"]] = {name: said[name] for name in EPISODE_MEMBERS}
    return last


def by_id(episodes: Iterable[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    return {e["episode"]: e for e in episodes}
