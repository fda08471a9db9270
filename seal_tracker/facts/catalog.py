"""The rules across facts, in the order in which they judge. To add one, add its file here and its keys in ``rules.across_facts``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from seal_tracker.facts import gates, mass
from seal_tracker.facts.model import READING, WEIGHING, EquipmentFact
from seal_tracker.facts.readings import decode_reading, reading_fact
from seal_tracker.facts.rules import FactRule
from seal_tracker.facts.weighing import decode_weighing, weighing_fact
from seal_tracker.plans.model import Equipment

__all__ = ["FACT_READERS", "FACT_RULES", "KINDS", "READS"]

FACT_RULES: tuple[FactRule, ...] = (mass.RULE, gates.RULE)

KINDS = frozenset().union(*(rule.kinds for rule in FACT_RULES))
"""Kinds of facts that some rule judges."""

READS = frozenset().union(*(rule.reads for rule in FACT_RULES))
"""Types of the first stage's episodes that some rule looks at."""


def _weighing(payload: bytes, one: Equipment, received_ms: int, check_clock: bool) -> EquipmentFact:
    return weighing_fact(decode_weighing(payload), one, received_ms, check_clock=check_clock)


def _reading(payload: bytes, one: Equipment, received_ms: int, check_clock: bool) -> EquipmentFact:
    return reading_fact(decode_reading(payload), one, received_ms, check_clock=check_clock)


FACT_READERS: Final[Mapping[str, Callable[[bytes, Equipment, int, bool], EquipmentFact]]] = {
    WEIGHING: _weighing,
    READING: _reading,
}
"""What reads the facts of each leaf: payload, who sent it, when it was received, and whether its clock must fit that."""
