"""``/api/v1/readings``: what cameras, readers and scanners read at gates: recorded by who collects it, listed, corrected, and by journey."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final

import msgspec
from aiohttp import web
from msgspec import UNSET, UnsetType

from seal_tracker.clock import clock_ms
from seal_tracker.facts.model import NEAR_MS, READING, EquipmentFact, attached, keys_of
from seal_tracker.facts.readings import MOST_CONTAINERS, Image, Mark, OwnId, Reading, Verdict, reading_in
from seal_tracker.in_force import judged_of
from seal_tracker.journey import Journey
from seal_tracker.model import iso_ms
from seal_tracker.store.fact_reads import FactPlace
from seal_tracker.supervision.readings import ReadingDesk
from seal_tracker.web.accounts import Right
from seal_tracker.web.acting import actor_of, paged, place_of
from seal_tracker.web.alarms import AlarmId, AlarmStep
from seal_tracker.web.auth import scope_of
from seal_tracker.web.context import CONTEXT
from seal_tracker.web.errors import Missing
from seal_tracker.web.fact_answers import FactAnswers
from seal_tracker.web.queries import Id, Moment, PageQuery, Said, SpaceQuery, path_id, read_query
from seal_tracker.web.reading import known_space
from seal_tracker.web.routes import Route
from seal_tracker.web.scope import sees
from seal_tracker.web.wire import Page

__all__ = ["ROUTES"]

ReadingId = AlarmId
PATH: Final = {"reading": ReadingId}
FOREVER_MS: Final = 1 << 42

Containers = Annotated[tuple[Mark, ...], msgspec.Meta(max_length=MOST_CONTAINERS)]
Confidence = Annotated[float, msgspec.Meta(ge=0, le=1)]


class ReadingsQuery(PageQuery, frozen=True, forbid_unknown_fields=True):
    """Readings of a piece of equipment, or of all, newest first; ``journey``: those that name it. All that are of a journey, also by what was
    read, are at `/api/v1/journeys/{id}/readings`.
    """

    equipment: Id | UnsetType = UNSET
    journey: Id | UnsetType = UNSET


class NewReading(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One lorry at a gate. ``id`` is what the equipment calls it: the same again is the same reading."""

    equipment: Id
    id: OwnId
    time: Moment
    plate: Mark | None = None
    trailer: Mark | None = None
    containers: Containers = ()
    seal: OwnId | None = None
    journey: OwnId | None = None
    confidence: Confidence | None = None
    verdict: Verdict | None = None
    image: Image | None = None


class ReadingCorrection(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """What the picture shows instead, and who says why; a member that is left out stays, null empties it."""

    reason: Said
    time: Moment | UnsetType = UNSET
    plate: Mark | UnsetType | None = UNSET
    trailer: Mark | UnsetType | None = UNSET
    containers: Containers | UnsetType = UNSET
    seal: OwnId | UnsetType | None = UNSET
    journey: OwnId | UnsetType | None = UNSET
    confidence: Confidence | UnsetType | None = UNSET
    verdict: Verdict | UnsetType | None = UNSET


class ReadingVoid(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why it stands for nothing."""

    reason: Said


class ReadingLine(msgspec.Struct, frozen=True, kw_only=True):
    """A reading in a list; ``own_id`` is what the equipment calls it, ``revision`` counts its corrections, ``void`` was taken back."""

    id: str
    equipment: str
    own_id: str
    unit: str | None
    time: str
    plate: str | None
    trailer: str | None
    containers: Sequence[str]
    seal: str | None
    journey: str | None
    confidence: float | None
    verdict: Verdict | None
    image: str | None
    revision: int
    void: bool
    recorded_at: str


class ReadingItem(ReadingLine, frozen=True, kw_only=True):
    """A reading with its versions, newest first."""

    history: Sequence[AlarmStep]


async def list_readings(request: web.Request) -> web.Response:
    """Readings, newest first."""
    query = read_query(request, ReadingsQuery)
    return await ANSWERS.listed(request, query, query.equipment, query.journey)


async def list_of_journey(request: web.Request) -> web.Response:
    """Readings that are a journey's, newest first."""
    query = read_query(request, PageQuery)
    known_space(request, query.space)
    name, context = path_id(request, "id"), request.app[CONTEXT]
    journey = await context.live.journey(query.space, name)
    if journey is None or not sees(scope_of(request), journey.unit):
        raise Missing(
            f"there is no journey {name!r} that was armed; GET /api/v1/journeys lists them", field="journey"
        )
    place = place_of(query.after)
    before = FactPlace(*place) if place else FactPlace()
    its = [
        fact for fact in await _readings_of(request, query.space, journey) if (fact.at_ms, fact.id) < before
    ]
    its.sort(key=lambda fact: (fact.at_ms, fact.id), reverse=True)
    return paged(its[: query.limit], line_of, lambda row: row.at_ms, more=len(its) > query.limit)


async def _readings_of(request: web.Request, space: str, journey: Journey) -> list[EquipmentFact]:
    """Those that name it, and those that its rules take for its own by what was read."""
    store = request.app[CONTEXT].store
    end_ms = FOREVER_MS if journey.disarmed_at_ms is None else journey.disarmed_at_ms
    spans = [(key, journey.armed_at_ms, end_ms) for key in keys_of(journey)]
    found = [fact for fact in await store.facts_of(space, [journey.id], spans) if fact.kind == READING]
    since = {key: journey.armed_at_ms - NEAR_MS for fact in found for key in fact.keys}
    others = judged_of(await store.journeys_of_devices(space, since)) if since else []
    known = [*(other for other in others if other.id != journey.id), journey]
    return [fact for fact in found if attached(fact, known) == journey.id]


async def show_reading(request: web.Request) -> web.Response:
    """One reading."""
    return await ANSWERS.shown(request)


async def record_reading(request: web.Request) -> web.Response:
    """Record a reading."""
    return await ANSWERS.recorded(request, NewReading, "equipment", Reading)


async def correct_reading(request: web.Request) -> web.Response:
    """Say otherwise what a reading says."""
    return await ANSWERS.corrected(request, ReadingCorrection)


async def void_reading(request: web.Request) -> web.Response:
    """Take a reading back."""
    return await ANSWERS.voided(request, ReadingVoid)


def desk_of(request: web.Request) -> ReadingDesk:
    """A desk for one request."""
    return ReadingDesk(request.app[CONTEXT].store, clock_ms, actor_of(request), scope_of(request))


def line_of(row: EquipmentFact) -> ReadingLine:
    """A reading of a list."""
    said = reading_in(row)
    return ReadingLine(
        id=str(row.id), equipment=row.equipment, own_id=said.id, unit=row.unit, time=iso_ms(row.at_ms), plate=said.plate,
        trailer=said.trailer, containers=said.containers, seal=said.seal, journey=said.journey, confidence=said.confidence,
        verdict=said.verdict, image=said.image, revision=row.revision, void=row.void, recorded_at=iso_ms(row.recorded_ms),
    )  # fmt: skip


ANSWERS: Final = FactAnswers(READING, line_of, ReadingItem, desk_of)

ONE: Final = "/api/v1/readings/{reading}"

ROUTES: Final[tuple[Route, ...]] = (
    Route(
        "GET", "/api/v1/readings", list_readings, Right.READ, "What was read at gates, newest first.",
        query=ReadingsQuery, answer=Page[ReadingLine], problems=(404,), leads={ONE: {"reading": "/items/0/id"}},
    ),
    Route(
        "POST", "/api/v1/readings", record_reading, Right.RECORD_READINGS,
        "Record what a camera, a reader or a scanner read; the same again changes nothing.",
        query=SpaceQuery, body=NewReading, answer=ReadingItem, status=201, problems=(404, 409), versioned=True,
        leads={ONE: {"reading": "/id"}},
    ),
    Route(
        "GET", ONE, show_reading, Right.READ, "One reading, with its versions.",
        query=SpaceQuery, path_types=PATH, answer=ReadingItem, problems=(404,), versioned=True,
    ),
    Route(
        "POST", f"{ONE}/correct", correct_reading, Right.HANDLE_ALARMS, "Say what the picture shows instead; what rests on it is judged again.",
        query=SpaceQuery, body=ReadingCorrection, path_types=PATH, answer=ReadingItem, edits=True, problems=(404, 409),
    ),
    Route(
        "POST", f"{ONE}/void", void_reading, Right.ORDER, "Take it back: it was a mistake, and stands for nothing.",
        query=SpaceQuery, body=ReadingVoid, path_types=PATH, answer=ReadingItem, edits=True, problems=(404, 409),
    ),
    Route(
        "GET", "/api/v1/journeys/{id}/readings", list_of_journey, Right.READ,
        "What was read of a journey's lorry at gates, by what it declares or by its seal, newest first.",
        query=PageQuery, answer=Page[ReadingLine], problems=(404,),
    ),
)  # fmt: skip
