"""Since when equipment is watched, by the versions of the plan."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from story import T0_MS, Ground

from seal_tracker.equipment.availability import OFFLINE, Piece, stays_of
from seal_tracker.model import NO_TIME
from seal_tracker.plans.model import Plan


def plan(version: int = 1, unit: str | None = None, **policy: Any) -> Plan:
    ground = Ground().equipment("CAM-1", 60)
    made = (ground.policy(f"default.{OFFLINE}", **policy) if policy else ground).plan(version)
    return replace(
        made, recorded_ms=T0_MS, equipment=tuple(replace(one, unit=unit) for one in made.equipment)
    )


def test_it_is_watched_from_the_version_on_that_has_it() -> None:
    """Versions that change nothing of it make no second stay; one that takes it out ends the stay, one that brings it back begins another."""
    without = Ground().plan(3)
    versions = [(NO_TIME, plan()), (T0_MS + 10, plan(2)), (T0_MS + 20, without), (T0_MS + 30, plan(4))]
    ((piece, stays),) = stays_of(versions, is_live=True).items()
    assert piece == Piece("CAM-1", "camera", None)
    assert [begin for begin, _ in stays] == [T0_MS, T0_MS + 30]
    assert stays[0][1] == T0_MS + 20


def test_in_an_exercise_the_first_version_always_held() -> None:
    """When it was recorded says nothing of the exercise's own clock."""
    (stays,) = stays_of([(NO_TIME, plan())], is_live=False).values()
    assert stays[0][0] == NO_TIME


def test_each_unit_has_had_it_in_its_time() -> None:
    """Whoever it belonged to then."""
    versions = [(NO_TIME, plan(unit="u1")), (T0_MS + 10, plan(2, unit="u2"))]
    found = {piece.unit: stays[0] for piece, stays in stays_of(versions, is_live=True).items()}
    assert found["u1"] == (T0_MS, T0_MS + 10)
    assert found["u2"][0] == T0_MS + 10


def test_what_a_policy_does_not_judge_is_not_watched() -> None:
    """Nobody would know that it was offline."""
    versions = [(NO_TIME, plan()), (T0_MS + 10, plan(2, enabled=False))]
    assert list(stays_of(versions, is_live=True).values()) == [((T0_MS, T0_MS + 10),)]
