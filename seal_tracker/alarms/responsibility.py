"""Who answers for an alarm: the unit in whose jurisdiction it lies, else the journey's; and whom it goes to when nobody does. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Final, NamedTuple

import numpy as np

from seal_tracker.plans.model import Plan, Unit

__all__ = ["NOBODY", "Answering", "answering", "deputy_of", "lies_in", "responsible_unit", "upwards"]


class Answering(NamedTuple):
    """A unit and its head, who answers for it; None where the plan names none. While the head is absent a ``deputy`` acts."""

    unit: str | None
    head: str | None
    deputy: str | None = None

    @property
    def acting(self) -> str | None:
        """Whom an alarm goes to."""
        return self.deputy or self.head


NOBODY: Final = Answering(None, None)
"""Headquarters: what nobody below answers for."""

Place = tuple[float, float]
"""[lon, lat] in degrees."""


def responsible_unit(plan: Plan | None, place: Place | None, origin: str | None) -> str | None:
    """The unit in whose jurisdiction zone the place lies, the lowest of several in the tree of units; else ``origin``."""
    if plan is None or place is None:
        return origin
    zoned = [u for u in plan.units if u.jurisdiction_zone in plan.zone_index]
    if not zoned:
        return origin
    zone = np.array([plan.zone_index[u.jurisdiction_zone or ""] for u in zoned], np.int64)
    lon_e7, lat_e7 = (np.full(len(zoned), round(degrees * 1e7), np.int64) for degrees in place)
    holds = plan.zone_set.holds(lon_e7, lat_e7, zone).tolist()
    units = {u.id: u for u in plan.units}
    holding = [u for u, is_in in zip(zoned, holds, strict=True) if is_in]
    lowest = min(holding, key=lambda u: (-len(upwards(units, u.id)), u.id), default=None)
    return origin if lowest is None else lowest.id


def lies_in(plan: Plan | None, place: Place | None, zone: str) -> bool:
    """Whether a place lies in a zone of the plan; the boundary belongs to it. What has no place lies nowhere."""
    if plan is None or place is None or zone not in plan.zone_index:
        return False
    lon_e7, lat_e7 = (np.array([round(degrees * 1e7)], np.int64) for degrees in place)
    return bool(plan.zone_set.holds(lon_e7, lat_e7, np.array([plan.zone_index[zone]], np.int64))[0])


def answering(
    units: Iterable[Unit], unit: str | None, absent: Collection[str] = frozenset()
) -> list[Answering]:
    """The heads to whom an alarm of a unit goes, one after the other: its own, then those above it. Never empty.

    For a head who is ``absent`` a deputy acts; where none is there the unit is left out, unless no other were left.
    """
    known = {u.id: u for u in units}
    above = upwards(known, unit)
    line = [Answering(u.id, u.head, deputy_of(u, absent)) for u in above]
    with_head = [one for one in line if one.head is not None]
    there = [one for one in with_head if one.acting not in absent]
    return there or with_head or line or [NOBODY]


def deputy_of(unit: Unit, absent: Collection[str]) -> str | None:
    """Who acts for the head now; None: the head does, or nobody is there."""
    if unit.head not in absent:
        return None
    return next((name for name in unit.deputies if name not in absent), None)


def upwards(units: Mapping[str, Unit], unit: str | None) -> list[Unit]:
    """A unit and those above it; a circle is gone round once."""
    line: dict[str, Unit] = {}
    while unit is not None and unit in units and unit not in line:
        line[unit] = units[unit]
        unit = units[unit].parent
    return list(line.values())
