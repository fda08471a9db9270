"""What a journey declares of minerals under a licence: its members, checked. It is kept as it is written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from geofences.catalog import Fields
from seal_tracker.plans.references import References

__all__ = ["HEAVIEST_KG", "check_minerals"]

HEAVIEST_KG: Final = 1_000_000
"""No road bridge carries more."""

MEMBERS: Final = frozenset({"licence", "loaded_kg", "weighbridge_out", "weighbridge_in"})


def check_minerals(minerals: Mapping[str, Any], journey: Fields, references: References) -> None:
    """Note every fault of ``minerals``."""
    if not minerals:
        return
    if journey.values.get("regime") != "minerals":
        journey.error(
            "minerals", f"stands on a journey of regime {journey.values.get('regime')!r}",
            "another regime's cargo is not held against a licence", 'write "regime": "minerals", or leave it out',
        )  # fmt: skip
    fields = journey.within("minerals", minerals)
    fields.only(MEMBERS)
    fields.require("licence", "write the id of the licence under which it is dug")
    references.licence(fields, "licence")
    loaded = fields.number("loaded_kg", above=0, at_most=HEAVIEST_KG, unit="kg")
    if loaded is not None and loaded != int(loaded):
        fields.error("loaded_kg", f"is {loaded}", "masses are whole kilograms", "round it")
    for key in ("weighbridge_out", "weighbridge_in"):
        references.weighbridge(fields, key)
