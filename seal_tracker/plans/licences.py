"""``licences.jsonl``: under which licence minerals are dug, where, how much, and for how long. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from geofences.catalog import Fault, FaultSink, Fields
from geofences.catalog.faults import quoted
from geofences.catalog.text import as_text
from seal_tracker.plans.lines import objects_of
from seal_tracker.plans.references import References

__all__ = ["QUOTA_UNITS", "Licence", "read_licences"]

QUOTA_UNITS: tuple[str, ...] = ("kg", "t", "m3")

KG_OF: Final = {"kg": 1.0, "t": 1000.0}
"""Kilograms of one; a cubic metre has the licence's own density."""

MEMBERS: Final = frozenset(
    {"id", "number", "holder", "mineral", "mines", "yards", "quota", "quota_unit", "density_t_m3", "valid_from", "valid_to", "unit"}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Licence:
    """A licence to dig a mineral; journeys name its ``id``.

    Attributes
    ----------
    number
        as it is printed on it.
    mines, yards
        zones in which what is dug under it may be loaded.
    quota_kg
        how much may leave them in all, ``quota`` of ``quota_unit``; None: not limited.
    valid_from_ms, valid_to_ms
        when it holds, [from, to) in epoch ms; None: without an end there.
    """

    id: str
    number: str
    holder: str
    mineral: str
    mines: tuple[str, ...]
    yards: tuple[str, ...] = ()
    quota: float | None = None
    quota_unit: str | None = None
    quota_kg: int | None = None
    valid_from_ms: int | None = None
    valid_to_ms: int | None = None
    unit: str | None = None

    def holds(self, at_ms: int) -> bool:
        """Whether it is in force at a moment."""
        begun = self.valid_from_ms is None or at_ms >= self.valid_from_ms
        return begun and (self.valid_to_ms is None or at_ms < self.valid_to_ms)


def read_licences(text: str | bytes, file: str, references: References) -> tuple[list[Licence], list[Fault]]:
    """Licences of a JSON Lines file, and every fault."""
    sink = FaultSink(file)
    found = []
    for fields in objects_of(as_text(text, sink), sink):
        one = _licence(fields, references)
        if one is not None and not sink.is_faulty(fields.row):
            found.append(one)
    return found, sink.in_order()


def _licence(fields: Fields, references: References) -> Licence | None:
    fields.only(MEMBERS)
    for key, remedy in (
        ("number", "write its number as it is printed on it"),
        ("holder", "write to whom it was given"),
        ("mineral", "write what may be dug"),
        ("mines", 'write the zones of its mine: ["…"]'),
    ):
        fields.require(key, remedy)
    number, holder, mineral = (fields.text(key) for key in ("number", "holder", "mineral"))
    mines, yards = (_zones(fields, key, references) for key in ("mines", "yards"))
    valid_from_ms, valid_to_ms = fields.period_ms("valid_from", "valid_to")
    unit = references.unit(fields, "unit")
    quota, quota_unit, quota_kg = _quota(fields)
    if number is None or holder is None or mineral is None:
        return None
    return Licence(
        fields.label, number, holder, mineral, mines, yards, quota, quota_unit, quota_kg, valid_from_ms, valid_to_ms, unit
    )  # fmt: skip


def _quota(fields: Fields) -> tuple[float | None, str | None, int | None]:
    """How much, of which unit, and that in whole kilograms."""
    quota, unit = fields.number("quota", above=0), fields.choice("quota_unit", QUOTA_UNITS)
    density = fields.number("density_t_m3", above=0, at_most=25, unit="t/m³")
    if quota is None:
        for key in ("quota_unit", "density_t_m3"):
            if fields.values.get(key) is not None:
                fields.error(
                    key, "stands without quota", "nothing is measured by it", "write quota, or leave it out"
                )
        return None, None, None
    if not fields.require("quota_unit", f"write one of {', '.join(QUOTA_UNITS)}") or unit is None:
        return quota, None, None
    if unit == "m3" and not fields.require(
        "density_t_m3", "write how many tonnes a cubic metre has: lorries are weighed"
    ):
        return quota, unit, None
    if unit != "m3" and density is not None:
        fields.error("density_t_m3", f"stands beside a quota in {unit}", "a mass needs none", "leave it out")
    per_unit = KG_OF.get(unit) or (density or 0.0) * 1000
    return quota, unit, round(quota * per_unit)


def _zones(fields: Fields, key: str, references: References) -> tuple[str, ...]:
    """Ids of zones, each once."""
    given = fields.values.get(key)
    if given is None:
        return ()
    if not isinstance(given, list) or not given or not all(isinstance(one, str) for one in given):
        fields.error(key, f"is {quoted(given)}", "it must be a list of zones", 'write their ids: ["…"]')
        return ()
    for one in given:
        references.zone(fields.within(key, {"zone": one}), "zone")
    return tuple(dict.fromkeys(given))
