"""The queries that reproduce a report's figures: addresses of the API over one period and the report's units. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self
from urllib.parse import urlencode

from seal_tracker.model import LIVE, iso_ms
from seal_tracker.reports.model import Figure, Form

__all__ = ["Document", "Queries", "at_pointer"]

Document = Mapping[str, Any]
"""An answer of the API, as JSON has it."""

SUMMARY = "/api/v1/reports/summary"


def at_pointer(document: Any, pointer: str) -> Any:
    """What stands at an RFC 6901 pointer; ids and types need no escapes. None where it leads nowhere."""
    found = document
    for part in pointer.split("/")[1:]:
        if isinstance(found, Sequence):
            found = found[int(part)] if int(part) < len(found) else None
        else:
            found = (found or {}).get(part)
    return found


@dataclass(frozen=True, slots=True)
class Queries:
    """Addresses over [from_ms, to_ms) of a space; of ``unit``, with ``below`` and those below it (None: all that the asker sees)."""

    space: str
    from_ms: int
    to_ms: int
    unit: str | None
    below: bool = True

    def of_unit(self, unit: str) -> Self:
        """The same of one unit alone."""
        return replace(self, unit=unit, below=False)

    def address(self, path: str, **parameters: str | None) -> str:
        """The address of a path over the period; parameters of None are left out."""
        period = {"from": iso_ms(self.from_ms), "to": iso_ms(self.to_ms)}
        return self.timeless(path, **period, **parameters)

    def timeless(self, path: str, **parameters: str | None) -> str:
        """The address of a path whatever the period; parameters of None are left out."""
        asked = {name: value for name, value in parameters.items() if value is not None}
        if self.unit is not None:
            asked |= {"unit": self.unit} | ({"below": "true"} if self.below else {})
        if self.space != LIVE:
            asked["space"] = self.space
        return f"{path}?{urlencode(asked)}"

    def listed(self, value: float | None, path: str, **parameters: str | None) -> Figure:
        """A figure that is the number of a list's items."""
        return Figure(value=value, query=self.address(path, **parameters))

    def of_summary(
        self, document: Document, pointer: str, form: Form = "count", held_at: str | None = None
    ) -> Figure:
        """A figure of the summary: its value stands in ``document`` at ``held_at``, in the answer to its query at ``pointer``."""
        value = at_pointer(document, held_at or pointer)
        if value is None and form == "count":
            value = 0
        return Figure(value=value, form=form, query=self.address(SUMMARY), pointer=pointer)

    def of_situations(self, value: float, **parameters: str | None) -> Figure:
        """A figure that is the number of special situations."""
        return self.listed(value, "/api/v1/situations", restricted="false", **parameters)

    def open_situations(self, value: float) -> Figure:
        """The number of special situations that were open when the period ended."""
        address = self.timeless("/api/v1/situations", open_at=iso_ms(self.to_ms), restricted="false")
        return Figure(value=value, query=address)

    def of_availability(
        self, document: Document | None, member: str, form: Form, **parameters: str | None
    ) -> Figure:
        """A figure of how available equipment was; null where there is none."""
        value = None if document is None else document[member]
        query = self.address("/api/v1/equipment/availability", **parameters)
        return Figure(value=value, form=form, query=query, pointer=f"/total/{member}")

    def of_tasks(self, value: float | None, member: str) -> Figure:
        """A figure of units' tasks."""
        return Figure(value=value, query=self.address("/api/v1/tasks/figures"), pointer=f"/total/{member}")

    def of_late(self, value: float | None, what: str, **parameters: str | None) -> Figure:
        """The number of alarms that were late."""
        return self.listed(value, "/api/v1/reports/late", what=what, **parameters)
