"""Draws and inspections as rows, and what risk is counted from. No behaviour."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

__all__ = ["CarrierRow", "DrawRow", "InspectionRow", "RiskJourneyRow"]


class DrawRow(NamedTuple):
    """A draw as it stands; ``body`` is the draw as JSON, without its frame and, until it is made, its secret."""

    id: UUID
    version: int
    state: str
    unit: str | None
    committed_ms: int
    secret: str
    frame: str | None
    body: bytes


class InspectionRow(NamedTuple):
    """An inspection as it stands; ``body`` is the inspection as JSON. ``found`` is None while nothing was looked at."""

    id: UUID
    version: int
    state: str
    kind: str
    subject: str
    unit: str | None
    carrier: str | None
    draw: UUID | None
    ordered_ms: int
    done_ms: int | None
    found: bool | None
    body: bytes


class RiskJourneyRow(NamedTuple):
    """A journey that was armed, as its risk is counted."""

    id: str
    regime: str
    route: str | None
    unit: str | None
    armed_ms: int
    ended_ms: int | None
    carrier: str | None
    seals: tuple[str, ...]


class CarrierRow(NamedTuple):
    """Journeys of a carrier that ended from a time on, how many had an alarm that was confirmed, and inspections that found something."""

    carrier: str
    from_ms: int
    journeys: int
    confirmed: int
    findings: int
