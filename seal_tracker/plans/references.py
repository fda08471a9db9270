"""What the files of a plan may name in each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from geofences.catalog import Fields, Ids

__all__ = ["References"]


@dataclass(frozen=True, slots=True)
class References:
    """Ids by what they name; ``weighbridges`` are the equipment of that kind.

    Of each sound route ``legs`` is the number of its legs, ``in_force`` since and until when it holds (ms, None: ever).
    """

    zones: Ids = field(default_factory=Ids.unchecked)
    routes: Ids = field(default_factory=Ids.unchecked)
    units: Ids = field(default_factory=Ids.unchecked)
    licences: Ids = field(default_factory=Ids.unchecked)
    weighbridges: Ids = field(default_factory=Ids.unchecked)
    legs: Mapping[str, int] = field(default_factory=dict)
    in_force: Mapping[str, tuple[int | None, int | None]] = field(default_factory=dict)
    calendars: Ids = field(default_factory=Ids.unchecked)

    def zone(self, fields: Fields, key: str) -> str | None:
        """The id of a zone at ``key``."""
        return fields.reference(key, self.zones, "zone")

    def route(self, fields: Fields, key: str) -> str | None:
        """The id of a route at ``key``."""
        return fields.reference(key, self.routes, "route")

    def unit(self, fields: Fields, key: str) -> str | None:
        """The id of a unit at ``key``."""
        return fields.reference(key, self.units, "unit")

    def calendar(self, fields: Fields, key: str) -> str | None:
        """The id of a calendar at ``key``."""
        return fields.reference(key, self.calendars, "calendar")

    def licence(self, fields: Fields, key: str) -> str | None:
        """The id of a licence at ``key``."""
        return fields.reference(key, self.licences, "licence")

    def weighbridge(self, fields: Fields, key: str) -> str | None:
        """The id of a weighbridge at ``key``."""
        return fields.reference(key, self.weighbridges, "weighbridge")
