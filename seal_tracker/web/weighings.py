"""``/api/v1/weighings``: what weighbridges weighed, listed; recorded by hand, corrected and taken back, with who and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec
from aiohttp import web
from msgspec import UNSET, UnsetType

from seal_tracker.clock import clock_ms
from seal_tracker.facts.model import WEIGHING, EquipmentFact
from seal_tracker.facts.weighing import Direction, Kg, OwnId, Plate, Weighing, weighing_in
from seal_tracker.model import iso_ms
from seal_tracker.supervision.weighings import WeighingDesk
from seal_tracker.web.accounts import Right
from seal_tracker.web.acting import actor_of
from seal_tracker.web.alarms import AlarmId, AlarmStep
from seal_tracker.web.auth import scope_of
from seal_tracker.web.context import CONTEXT
from seal_tracker.web.fact_answers import FactAnswers
from seal_tracker.web.queries import Id, Moment, PageQuery, Said, SpaceQuery, read_query
from seal_tracker.web.routes import Route
from seal_tracker.web.wire import Page

__all__ = ["ROUTES"]

WeighingId = AlarmId
PATH: Final = {"weighing": WeighingId}


class WeighingsQuery(PageQuery, frozen=True, forbid_unknown_fields=True):
    """Weighings, newest first; ``journey``: those that name it. What was found by its plate is in its licence's balance."""

    weighbridge: Id | UnsetType = UNSET
    journey: Id | UnsetType = UNSET


class NewWeighing(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A lorry on a weighbridge: ``out`` of the mine or yard, or ``in`` to the port or gate, by ``journey`` or else ``plate``; the cargo's
    mass is ``net_kg``, or ``gross_kg`` less ``tare_kg``. ``id`` is the weighbridge's ticket: the same again is the same weighing.
    """

    weighbridge: Id
    id: OwnId
    time: Moment
    direction: Direction
    journey: OwnId | None = None
    plate: Plate | None = None
    gross_kg: Kg | None = None
    tare_kg: Kg | None = None
    net_kg: Kg | None = None


class WeighingCorrection(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """What it says otherwise, and why; a member that is left out stays, null empties it."""

    reason: Said
    time: Moment | UnsetType = UNSET
    direction: Direction | UnsetType = UNSET
    journey: OwnId | UnsetType | None = UNSET
    plate: Plate | UnsetType | None = UNSET
    gross_kg: Kg | UnsetType | None = UNSET
    tare_kg: Kg | UnsetType | None = UNSET
    net_kg: Kg | UnsetType | None = UNSET


class WeighingVoid(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why it stands for nothing."""

    reason: Said


class WeighingLine(msgspec.Struct, frozen=True, kw_only=True):
    """A weighing in a list; ``mass_kg`` is the cargo's, ``revision`` counts its corrections, ``void`` was taken back."""

    id: str
    weighbridge: str
    ticket: str
    unit: str | None
    time: str
    direction: Direction
    journey: str | None
    plate: str | None
    gross_kg: int | None
    tare_kg: int | None
    net_kg: int | None
    mass_kg: int
    revision: int
    void: bool
    recorded_at: str


class WeighingItem(WeighingLine, frozen=True, kw_only=True):
    """A weighing with its versions, newest first."""

    history: Sequence[AlarmStep]


async def list_weighings(request: web.Request) -> web.Response:
    """Weighings, newest first."""
    query = read_query(request, WeighingsQuery)
    return await ANSWERS.listed(request, query, query.weighbridge, query.journey)


async def show_weighing(request: web.Request) -> web.Response:
    """One weighing."""
    return await ANSWERS.shown(request)


async def record_weighing(request: web.Request) -> web.Response:
    """Record a weighing by hand."""
    return await ANSWERS.recorded(request, NewWeighing, "weighbridge", Weighing)


async def correct_weighing(request: web.Request) -> web.Response:
    """Say otherwise what a weighing says."""
    return await ANSWERS.corrected(request, WeighingCorrection)


async def void_weighing(request: web.Request) -> web.Response:
    """Take a weighing back."""
    return await ANSWERS.voided(request, WeighingVoid)


def desk_of(request: web.Request) -> WeighingDesk:
    """A desk for one request."""
    return WeighingDesk(request.app[CONTEXT].store, clock_ms, actor_of(request), scope_of(request))


def line_of(row: EquipmentFact) -> WeighingLine:
    """A weighing of a list."""
    said = weighing_in(row)
    return WeighingLine(
        id=str(row.id), weighbridge=row.equipment, ticket=said.id, unit=row.unit, time=iso_ms(row.at_ms), direction=said.direction,
        journey=said.journey, plate=said.plate, gross_kg=said.gross_kg, tare_kg=said.tare_kg, net_kg=said.net_kg,
        mass_kg=said.mass_kg, revision=row.revision, void=row.void, recorded_at=iso_ms(row.recorded_ms),
    )  # fmt: skip


ANSWERS: Final = FactAnswers(WEIGHING, line_of, WeighingItem, desk_of)

ONE: Final = "/api/v1/weighings/{weighing}"

ROUTES: Final[tuple[Route, ...]] = (
    Route(
        "GET", "/api/v1/weighings", list_weighings, Right.READ, "What weighbridges weighed, newest first.",
        query=WeighingsQuery, answer=Page[WeighingLine], problems=(404,), leads={ONE: {"weighing": "/items/0/id"}},
    ),
    Route(
        "POST", "/api/v1/weighings", record_weighing, Right.KEEP_JOURNEYS, "Record a weighing by hand; the same again changes nothing.",
        query=SpaceQuery, body=NewWeighing, answer=WeighingItem, status=201, problems=(404, 409), versioned=True,
        leads={ONE: {"weighing": "/id"}},
    ),
    Route(
        "GET", ONE, show_weighing, Right.READ, "One weighing, with its versions.",
        query=SpaceQuery, path_types=PATH, answer=WeighingItem, problems=(404,), versioned=True,
    ),
    Route(
        "POST", ONE + "/correct", correct_weighing, Right.ORDER, "Say otherwise what it says; what rests on it is judged again.",
        query=SpaceQuery, body=WeighingCorrection, path_types=PATH, answer=WeighingItem, edits=True, problems=(404, 409),
    ),
    Route(
        "POST", ONE + "/void", void_weighing, Right.ORDER, "Take it back: it was a mistake, and stands for nothing.",
        query=SpaceQuery, body=WeighingVoid, path_types=PATH, answer=WeighingItem, edits=True, problems=(404, 409),
    ),
)  # fmt: skip
