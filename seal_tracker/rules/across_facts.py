"""What a policy may set for the rules across facts. Immutable, no I/O; the rules themselves are in ``seal_tracker.facts``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from seal_tracker.rules.keys import COUNTED, PolicyKey, common_keys

__all__ = ["ACROSS_FACTS", "FACT_KEYS", "MASS_BALANCE"]

MASS_BALANCE: Final = "MASS_BALANCE"

MASS_KEYS: Final[Mapping[str, PolicyKey]] = common_keys(
    "high", raise_=(1, 0), clear=(1, 0), latched=True, idle=COUNTED
) | {
    "tolerance_kg": PolicyKey(
        "number", 100.0, "kilograms that two masses may differ by; a weighbridge for lorries reads in steps of 20 kg"
    ),
    "tolerance_pct": PolicyKey(
        "number",
        0.5,
        "percent of the greater mass that two may differ by, where that is more than tolerance_kg: rain, fuel, dust",
    ),
    "fastest_kmh": PolicyKey(
        "number", 90.0, "mean speed over the route above which a trip was too short for its distance: no loaded lorry drives so fast", minimum=1
    ),
    "slowest_kmh": PolicyKey(
        "number", 15.0, "mean speed over the route below which a trip was too long", minimum=1
    ),
    "grace_s": PolicyKey("number", 3600.0, "seconds beside that which a trip may take: loading papers, the queue at the gate"),
    "loading_m": PolicyKey(
        "number", 200.0, "metres that a lorry may be from its licence's zones as it is sealed or weighed out of them"
    ),
    "mixing_s": PolicyKey("number", 900.0, "seconds of a stop in which cargo may have been added or changed"),
    "mixing_m": PolicyKey(
        "number", 100.0, "metres from another mine or yard, or another lorry with minerals, within which it may have been"
    ),
}  # fmt: skip

FACT_KEYS: Final[Mapping[str, Mapping[str, PolicyKey]]] = {MASS_BALANCE: MASS_KEYS}
"""By rule."""

ACROSS_FACTS: Final = frozenset(FACT_KEYS)
"""Event types of the second stage across facts: the first must leave their stored episodes alone."""
