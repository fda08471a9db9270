"""``/api/v1/weighings``: what weighbridges weighed, listed; recorded by hand, corrected and taken back, with who and why."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from aiohttp import web
from msgspec import UNSET, UnsetType

from seal_tracker.clock import clock_ms
from seal_tracker.deeds import Deed
from seal_tracker.facts.model import WEIGHING, EquipmentFact
from seal_tracker.facts.weighing import Direction, Kg, OwnId, Plate, Weighing, weighing_in
from seal_tracker.model import iso_ms
from seal_tracker.prepared import Prepared
from seal_tracker.space import SpaceJudge
from seal_tracker.store.fact_reads import FactFilter, FactPlace
from seal_tracker.supervision.weighings import WeighingDesk
from seal_tracker.web.accounts import Right
from seal_tracker.web.acting import actor_of, checking, paged, path_uuid, place_of
from seal_tracker.web.alarms import AlarmId, AlarmStep, step_item
from seal_tracker.web.auth import scope_of
from seal_tracker.web.context import CONTEXT
from seal_tracker.web.errors import Missing
from seal_tracker.web.queries import Id, Moment, PageQuery, SpaceQuery, read_body, read_query
from seal_tracker.web.reading import known_space
from seal_tracker.web.refusals import refusals_told
from seal_tracker.web.routes import Route
from seal_tracker.web.scope import sees
from seal_tracker.web.versions import versioned
from seal_tracker.web.wire import Page

__all__ = ["ROUTES"]

WeighingId = AlarmId
PATH: Final = {"weighing": WeighingId}
HISTORY_TOLD: Final = 200

Said = Annotated[str, msgspec.Meta(min_length=1, max_length=2000, pattern=r"^[^\x00]*\Z")]


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
    known_space(request, query.space)
    place = place_of(query.after)
    which = FactFilter(
        kind=WEIGHING,
        equipment=query.weighbridge or None,
        journey=query.journey or None,
        scope=scope_of(request),
    )
    rows, more = await request.app[CONTEXT].store.facts(
        query.space, which, before=FactPlace(*place) if place else None, limit=query.limit
    )
    return paged(rows, line_of, lambda row: row.at_ms, more=more)


async def show_weighing(request: web.Request) -> web.Response:
    """One weighing."""
    query = read_query(request, SpaceQuery)
    known_space(request, query.space)
    return await weighing_answer(request, query.space, path_uuid(request, "weighing"))


async def record_weighing(request: web.Request) -> web.Response:
    """Record a weighing by hand."""
    query = read_query(request, SpaceQuery)
    known_space(request, query.space)
    given = msgspec.structs.asdict(await read_body(request, NewWeighing))
    weighbridge = given.pop("weighbridge")
    weighing = Weighing(**given)
    recorded: list[EquipmentFact] = []

    async def work(judging: SpaceJudge) -> tuple[Prepared, Deed]:
        prepared, deed, fact = await desk_of(request).record(judging, weighbridge, weighing)
        recorded.append(fact)
        return prepared, deed

    await _acted(request, query.space, work)
    return await weighing_answer(request, query.space, recorded[-1].id, status=201)


async def correct_weighing(request: web.Request) -> web.Response:
    """Say otherwise what a weighing says."""
    query = read_query(request, SpaceQuery)
    known_space(request, query.space)
    given: dict[str, Any] = msgspec.structs.asdict(await read_body(request, WeighingCorrection))
    reason = given.pop("reason")
    changes = {name: value for name, value in given.items() if value is not UNSET}
    weighing = path_uuid(request, "weighing")
    await _acted(
        request,
        query.space,
        lambda judging: desk_of(request).correct(judging, weighing, changes, reason, checking(request)),
    )
    return await weighing_answer(request, query.space, weighing)


async def void_weighing(request: web.Request) -> web.Response:
    """Take a weighing back."""
    query = read_query(request, SpaceQuery)
    known_space(request, query.space)
    given, weighing = await read_body(request, WeighingVoid), path_uuid(request, "weighing")
    await _acted(
        request,
        query.space,
        lambda judging: desk_of(request).void(judging, weighing, given.reason, checking(request)),
    )
    return await weighing_answer(request, query.space, weighing)


async def _acted(
    request: web.Request, space: str, work: Callable[[SpaceJudge], Awaitable[tuple[Prepared, Deed]]]
) -> None:
    with refusals_told():
        await request.app[CONTEXT].live.act(space, work)


def desk_of(request: web.Request) -> WeighingDesk:
    """A desk for one request."""
    return WeighingDesk(request.app[CONTEXT].store, clock_ms, actor_of(request), scope_of(request))


async def weighing_answer(
    request: web.Request, space: str, weighing: UUID, status: int = 200
) -> web.Response:
    """A weighing as it stands, with its version."""
    store = request.app[CONTEXT].store
    row = next(iter(await store.facts_named(space, [weighing])), None)
    if row is None or row.kind != WEIGHING or not sees(scope_of(request), row.unit):
        raise Missing(f"there is no weighing {str(weighing)!r}", field="weighing")
    steps = await store.actions_of(space, f"weighing/{weighing}", limit=HISTORY_TOLD)
    item = WeighingItem(**msgspec.structs.asdict(line_of(row)), history=[step_item(step) for step in steps])
    return versioned(item, row.revision, status=status, location=f"/api/v1/weighings/{weighing}")


def line_of(row: EquipmentFact) -> WeighingLine:
    """A weighing of a list."""
    said = weighing_in(row)
    return WeighingLine(
        id=str(row.id), weighbridge=row.equipment, ticket=said.id, unit=row.unit, time=iso_ms(row.at_ms), direction=said.direction,
        journey=said.journey, plate=said.plate, gross_kg=said.gross_kg, tare_kg=said.tare_kg, net_kg=said.net_kg,
        mass_kg=said.mass_kg, revision=row.revision, void=row.void, recorded_at=iso_ms(row.recorded_ms),
    )  # fmt: skip


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
