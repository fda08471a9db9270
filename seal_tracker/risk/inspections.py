"""Draws and inspections as they stand, and what may be done to them. Pure.

draw        committed ── made ──> drawn                an inspection for each that was drawn
└────── cancelled
inspection  due ── recorded ──> done | not_done ── corrected ──> done | not_done
└── cancelled (one that was ordered, not one that was drawn)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Literal, get_args
from uuid import UUID, uuid5

import msgspec

from seal_tracker.model import iso_ms
from seal_tracker.risk.draw import Drawn, Quota
from seal_tracker.risk.hits import Inspected
from seal_tracker.risk.rows import DrawRow, InspectionRow
from seal_tracker.risk.score import Level, RiskLine

__all__ = [
    "FINDINGS",
    "Basis",
    "Draw",
    "DrawState",
    "Finding",
    "Inspection",
    "InspectionState",
    "Kind",
    "Population",
    "draw_in",
    "inspected_in",
    "inspection_id",
    "inspection_in",
    "row_of_draw",
    "row_of_inspection",
    "stamp",
]

Kind = Literal["journey", "unit"]
DrawState = Literal["committed", "drawn", "cancelled"]
InspectionState = Literal["due", "done", "not_done", "cancelled"]
Basis = Literal["drawn", "ordered"]
Finding = Literal[
    "seal_tampered",
    "cargo_differs",
    "undeclared_cargo",
    "papers",
    "vehicle_differs",
    "route_left",
    "duty_neglected",
    "other",
]
FINDINGS: Final[tuple[str, ...]] = get_args(Finding)


class Population(msgspec.Struct, frozen=True, kw_only=True):
    """Who may be drawn: journeys under way when the draw is made, or armed in [from_at, to_at); units by such journeys of theirs."""

    unit: str | None = None
    regime: str | None = None
    route: str | None = None
    from_at: str | None = None
    to_at: str | None = None


class Draw(msgspec.Struct, frozen=True, kw_only=True):
    """A draw as it stands; what is null is not known yet. See `seal_tracker.risk.draw` for how its parts follow from each other."""

    id: str
    version: int = 1
    state: DrawState = "committed"
    kind: Kind
    reason: str
    population: Population
    quotas: Mapping[Level, Quota]
    public_source: str | None
    commitment: str
    committed_by: str
    committed_at: str
    changed_by: str
    changed_at: str
    secret: str | None = None
    public: str | None = None
    frame_hash: str | None = None
    seed: str | None = None
    drawn_at: str | None = None
    drawn: Sequence[Drawn] = ()
    cancelled_why: str | None = None


class Inspection(msgspec.Struct, frozen=True, kw_only=True):
    """An inspection as it stands: of which journey or unit, why, what its risk was then, and what was found.

    ``stands_for`` is how many of its stratum were not drawn for each that was, itself among them; 1 where it was ordered.
    """

    id: str
    version: int = 1
    state: InspectionState = "due"
    kind: Kind
    subject: str
    unit: str | None
    basis: Basis
    draw: str | None = None
    reason: str
    carrier: str | None = None
    level: Level
    score: int
    lines: tuple[RiskLine, ...] = ()
    stands_for: float = 1.0
    ordered_by: str
    ordered_at: str
    changed_by: str
    changed_at: str
    done_at: str | None = None
    found: bool | None = None
    findings: tuple[Finding, ...] = ()
    note: str | None = None


_decode_draw: Final = msgspec.json.Decoder(Draw).decode
_decode_inspection: Final = msgspec.json.Decoder(Inspection).decode


def draw_in(row: DrawRow) -> Draw:
    """The draw that a row tells."""
    return _decode_draw(row.body)


def row_of_draw(draw: Draw, committed_ms: int, secret: str, frame: str | None) -> DrawRow:
    """A draw's row."""
    return DrawRow(
        UUID(draw.id), draw.version, draw.state, draw.population.unit, committed_ms, secret, frame, msgspec.json.encode(draw)
    )  # fmt: skip


def inspection_id(draw: UUID, subject: str) -> UUID:
    """The id of the inspection of one who was drawn."""
    return uuid5(draw, subject)


def inspection_in(row: InspectionRow) -> Inspection:
    """The inspection that a row tells."""
    return _decode_inspection(row.body)


def row_of_inspection(inspection: Inspection, ordered_ms: int, done_ms: int | None) -> InspectionRow:
    """An inspection's row."""
    one = inspection
    return InspectionRow(
        UUID(one.id), one.version, one.state, one.kind, one.subject, one.unit, one.carrier,
        None if one.draw is None else UUID(one.draw), ordered_ms, done_ms, one.found, msgspec.json.encode(one),
    )  # fmt: skip


def inspected_in(body: bytes | str) -> tuple[Basis, Inspected]:
    """What an inspection that was made says of the indicators."""
    one = _decode_inspection(body)
    pointed = frozenset(line.indicator for line in one.lines if line.points)
    return one.basis, Inspected(one.level, pointed, bool(one.found), one.stands_for)


def stamp(at_ms: int, by: str, version: int) -> Mapping[str, object]:
    """What every change says."""
    return {"version": version + 1, "changed_by": by, "changed_at": iso_ms(at_ms)}
