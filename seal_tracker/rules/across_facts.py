"""What a policy may set for the rules across facts. Immutable, no I/O; the rules themselves are in ``seal_tracker.facts``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from seal_tracker.rules.keys import COUNTED, PolicyKey, common_keys

__all__ = ["ACROSS_FACTS", "FACT_KEYS", "GATE_MISMATCH", "MASS_BALANCE"]

MASS_BALANCE: Final = "MASS_BALANCE"
GATE_MISMATCH: Final = "GATE_MISMATCH"

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
    "grace_s": PolicyKey("number", 3600.0, "seconds beside that which a trip may take, and a weighing after arming and disarming: papers, the queue at the gate"),
    "loading_m": PolicyKey(
        "number", 200.0, "metres that a lorry may be from its licence's zones as it is sealed or weighed out of them"
    ),
    "mixing_s": PolicyKey("number", 900.0, "seconds of a stop in which cargo may have been added or changed"),
    "mixing_m": PolicyKey(
        "number", 100.0, "metres from another mine or yard, or another lorry with minerals, within which it may have been"
    ),
}  # fmt: skip

GATE_KEYS: Final[Mapping[str, PolicyKey]] = common_keys("high", raise_=(1, 0), clear=None) | {
    "least_confidence": PolicyKey(
        "number", 0.7, "confidence below which what was read is held against nobody; equipment that says none is believed", maximum=1
    ),
    "misreads": PolicyKey("flag", default=True, doc="characters that cameras mistake for each other (O and 0, I and 1, B and 8…) are the same"),
    "plate_errors": PolicyKey(
        "number", 1.0, "characters of a registration that may be misread, missing or too many", maximum=4
    ),
    "passage_s": PolicyKey("number", 120.0, "seconds between readings of one gate within which they are of one passage"),
    "near_m": PolicyKey("number", 1000.0, "metres from the equipment, outside its zone, within which the seal must be as its lorry is read"),
    "needs_ping": PolicyKey("flag", default=True, doc="a lorry that is read without its seal being heard there is a mismatch"),
    "wait_s": PolicyKey("number", 1800.0, "seconds after which a seal that was not heard since its lorry was read is waited for no more"),
    "needs_plate": PolicyKey("flag", default=True, doc="a seal that passes readers which read no lorry of its own is a mismatch"),
    "around_s": PolicyKey("number", 300.0, "seconds before and after a seal's time at a gate in which its lorry may be read there", maximum=3600),
}  # fmt: skip

FACT_KEYS: Final[Mapping[str, Mapping[str, PolicyKey]]] = {
    MASS_BALANCE: MASS_KEYS,
    GATE_MISMATCH: GATE_KEYS,
}
"""By rule."""

ACROSS_FACTS: Final = frozenset(FACT_KEYS)
"""Event types of the second stage across facts: the first must leave their stored episodes alone."""
