"""The rules, in the order in which they judge, and what a policy may set for each. To add one, add its file here."""

from __future__ import annotations

from collections.abc import Mapping

from seal_tracker.rules import (
    checkpoints,
    conflicts,
    convoy,
    deadlines,
    detachment,
    deviation,
    direction,
    equipment,
    foreseen,
    gaps,
    gnss,
    hours,
    locks,
    overrun,
    seals,
    sharing,
    signal,
    speed,
    stops,
    structures,
    zones,
)
from seal_tracker.rules.across_facts import FACT_KEYS
from seal_tracker.rules.keys import PolicyKey
from seal_tracker.rules.pairs import PairRule
from seal_tracker.rules.rule import Rule

__all__ = ["BITS", "OF_EVERY_SEAL", "OF_EVERY_TRACKER", "PAIR_RULES", "POLICY_KEYS", "RULES"]

OF_EVERY_SEAL: tuple[Rule, ...] = (
    seals.SEAL_TAMPER,
    seals.BATTERY_LOW,
    locks.SEAL_OPENED_OUTSIDE_ZONE,
    locks.UNLOCK_REFUSED,
    locks.UNLOCKED_TOO_LONG,
    signal.RULE,
    gnss.GPS_LOST,
    gnss.JAMMING_SUSPECTED,
    conflicts.POSITION_CONFLICT,
    conflicts.CLOCK_SKEW,
)
"""What a seal says of itself: judged for each seal of a journey; the rest for the lead alone, whose track is the journey's."""

OF_EVERY_TRACKER: tuple[Rule, ...] = (
    seals.BATTERY_LOW,
    signal.RULE,
    gnss.GPS_LOST,
    gnss.JAMMING_SUSPECTED,
    conflicts.POSITION_CONFLICT,
    conflicts.CLOCK_SKEW,
)
"""Of these, what says whether a tracker can be relied on: judged for a journey's escorts, which seal nothing."""

RULES: tuple[Rule, ...] = (
    *OF_EVERY_SEAL,
    deviation.RULE,
    direction.RULE,
    checkpoints.CHECKPOINT_REACHED,
    checkpoints.CHECKPOINT_MISSED,  # before what is late: it is not, once it is missed
    checkpoints.CHECKPOINT_LATE,
    zones.PROHIBITED_ZONE,
    zones.ZONE_ENTERED,
    stops.RULE,
    overrun.RULE,
    speed.RULE,
    hours.RULE,
    deadlines.ARRIVAL_LATE,
    deadlines.TRANSIT_LIMIT,
    gaps.RULE,
    structures.STOP_ON_STRUCTURE,
    structures.STRUCTURE_SPEED,
    equipment.RULE,
)

PAIR_RULES: tuple[PairRule, ...] = (
    detachment.RULE,
    convoy.RULE,
    sharing.RULE,
    foreseen.RULE,
)
"""Rules across devices: the second stage, over tracks that the first has accepted."""

POLICY_KEYS: Mapping[str, Mapping[str, PolicyKey]] = (
    {rule.name: rule.keys for rule in RULES} | {rule.name: rule.keys for rule in PAIR_RULES} | dict(FACT_KEYS)
)

BITS: Mapping[str, int] = {rule.name: 1 << i for i, rule in enumerate(RULES)}
"""The bit of each rule in a seal's ``active``; the layout of a state names the rules in their order, so they agree."""
