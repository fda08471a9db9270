"""``/api/v1/inspections``: unscheduled inspections of journeys and units, drawn or ordered, and what they found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final
from uuid import UUID, uuid4

import msgspec
from aiohttp import web
from msgspec import UNSET, UnsetType

from seal_tracker.risk.inspections import Finding, Inspection, Kind, inspection_in
from seal_tracker.store.risk_reads import InspectionFilter, JourneysAtRisk, RiskPlace
from seal_tracker.supervision.inspections import Candidate, Result
from seal_tracker.supervision.risk import assessed
from seal_tracker.web.accounts import Right
from seal_tracker.web.acting import acted, checking, now_of, paged, path_uuid, place_of
from seal_tracker.web.alarms import AlarmId, AlarmStep, moment_ms
from seal_tracker.web.auth import scope_of
from seal_tracker.web.context import CONTEXT
from seal_tracker.web.draws import desk_of, journey_candidate, told_step, unit_candidates
from seal_tracker.web.errors import InvalidBody, Missing
from seal_tracker.web.queries import Id, Moment, PageQuery, Said, SpaceQuery, read_body, read_query
from seal_tracker.web.reading import known_space
from seal_tracker.web.risk import MOST_JOURNEYS
from seal_tracker.web.routes import Route
from seal_tracker.web.scope import sees
from seal_tracker.web.versions import versioned
from seal_tracker.web.wire import Page

__all__ = ["ROUTES"]

PATH: Final = {"inspection": AlarmId}
HISTORY_TOLD: Final = 50


class InspectionsQuery(PageQuery, frozen=True, forbid_unknown_fields=True):
    """Inspections, newest first: of a draw, a journey or unit, a unit's; ``due``: those alone that are still to be made."""

    draw: AlarmId | UnsetType = UNSET
    kind: Kind | UnsetType = UNSET
    subject: Id | UnsetType = UNSET
    due: bool = False


class NewInspection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which journey or unit is to be inspected, and why."""

    kind: Kind = "journey"
    subject: Id
    reason: Said


class InspectionResult(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What it came to: ``findings`` (none: all was in order) at ``at`` (now, where not given); or not ``done``, and why in ``note``.
    Said again it corrects what was said before, and ``note`` tells why.
    """

    done: bool = True
    findings: Annotated[list[Finding], msgspec.Meta(max_length=20)] = []
    at: Moment | UnsetType = UNSET
    note: Said | None = None


class InspectionCancel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why it is taken back."""

    reason: Said


class InspectionItem(Inspection, frozen=True, kw_only=True):
    """An inspection, and its versions, newest first."""

    history: Sequence[AlarmStep]


async def list_inspections(request: web.Request) -> web.Response:
    """Inspections, newest first."""
    query = read_query(request, InspectionsQuery)
    known_space(request, query.space)
    place = place_of(query.after)
    which = InspectionFilter(
        draw=UUID(query.draw) if query.draw else None, kind=query.kind or None, subject=query.subject or None,
        due=query.due, scope=scope_of(request),
    )  # fmt: skip
    rows, more = await request.app[CONTEXT].store.inspections(
        query.space, which, before=RiskPlace(*place) if place else None, limit=query.limit
    )
    return paged(rows, inspection_in, lambda row: row.ordered_ms, more=more)


async def show_inspection(request: web.Request) -> web.Response:
    """One inspection."""
    query = read_query(request, SpaceQuery)
    known_space(request, query.space)
    return await inspection_answer(request, query.space, path_uuid(request, "inspection"))


async def order_inspection(request: web.Request) -> web.Response:
    """Have a journey or a unit inspected."""
    query = read_query(request, SpaceQuery)
    known_space(request, query.space)
    given, inspection = await read_body(request, NewInspection), uuid4()
    one = await candidate_of(request, query.space, given)
    desk = desk_of(request)
    await acted(
        request, lambda judging: desk.order(judging, inspection, given.kind, one, given.reason), query.space
    )
    return await inspection_answer(request, query.space, inspection, status=201)


async def record_inspection(request: web.Request) -> web.Response:
    """Say what it came to."""
    query = read_query(request, SpaceQuery)
    known_space(request, query.space)
    given, inspection = await read_body(request, InspectionResult), path_uuid(request, "inspection")
    if given.findings and not given.done:
        raise InvalidBody("findings: what was not made has found nothing; leave them out", field="findings")
    at_ms = moment_ms(given.at, "at")
    result = Result(
        done=given.done, at_ms=at_ms, findings=tuple(sorted(set(given.findings))), note=given.note
    )
    desk = desk_of(request)
    await acted(
        request, lambda judging: desk.record(judging, inspection, result, checking(request)), query.space
    )
    return await inspection_answer(request, query.space, inspection)


async def cancel_inspection(request: web.Request) -> web.Response:
    """Take an order back."""
    query = read_query(request, SpaceQuery)
    known_space(request, query.space)
    given, inspection = await read_body(request, InspectionCancel), path_uuid(request, "inspection")
    desk = desk_of(request)
    await acted(
        request,
        lambda judging: desk.cancel(judging, inspection, given.reason, checking(request)),
        query.space,
    )
    return await inspection_answer(request, query.space, inspection)


async def candidate_of(request: web.Request, space: str, given: NewInspection) -> Candidate:
    """The journey or unit to be inspected, and its risk now.

    Raises
    ------
    Missing
        There is none of that id that was armed; the unit has nothing under way.
    """
    context, now_ms = request.app[CONTEXT], now_of(request, space)
    plan, store = context.live.plan(space), context.store
    if given.kind == "journey":
        rows = await store.risk_journeys_named(space, [given.subject])
        found = await assessed(store, space, plan, rows, now_ms)
        candidates = [journey_candidate(one) for one in found]
    else:
        which = JourneysAtRisk(to_ms=now_ms, after_ms=now_ms, units=[given.subject])
        rows = await store.risk_journeys(space, which, MOST_JOURNEYS)
        candidates = unit_candidates(await assessed(store, space, plan, rows, now_ms), plan)
        known = {unit.id for unit in plan.units} if plan else set()
        if not candidates and given.subject in known:
            candidates = [Candidate(given.subject, given.subject, "low", 0)]
    if not candidates or not sees(scope_of(request), candidates[0].unit):
        raise Missing(f"there is no {given.kind} {given.subject!r} to inspect", field="subject")
    return candidates[0]


async def inspection_answer(
    request: web.Request, space: str, inspection: UUID, status: int = 200
) -> web.Response:
    """An inspection as it stands, with its version."""
    store = request.app[CONTEXT].store
    row = await store.inspection(space, inspection)
    if row is None or not sees(scope_of(request), row.unit):
        raise Missing(f"there is no inspection {str(inspection)!r}", field="inspection")
    steps = await store.actions_of(space, f"inspection/{inspection}", limit=HISTORY_TOLD)
    found = inspection_in(row)
    item = InspectionItem(
        **{name: getattr(found, name) for name in Inspection.__struct_fields__},
        history=[told_step(step) for step in steps],
    )
    return versioned(item, row.version, status=status, location=f"/api/v1/inspections/{inspection}")


ONE: Final = "/api/v1/inspections/{inspection}"

ROUTES: Final[tuple[Route, ...]] = (
    Route(
        "GET", "/api/v1/inspections", list_inspections, Right.SEE_INSPECTIONS, "Unscheduled inspections, newest first.",
        query=InspectionsQuery, answer=Page[Inspection], problems=(404,), leads={ONE: {"inspection": "/items/0/id"}},
    ),
    Route(
        "POST", "/api/v1/inspections", order_inspection, Right.INSPECT, "Have a journey or a unit inspected that nobody drew.",
        query=SpaceQuery, body=NewInspection, answer=InspectionItem, status=201, problems=(404,), versioned=True,
        leads={ONE: {"inspection": "/id"}},
    ),
    Route(
        "GET", ONE, show_inspection, Right.SEE_INSPECTIONS, "One inspection, with the risk it was made for.",
        query=SpaceQuery, path_types=PATH, answer=InspectionItem, problems=(404,), versioned=True,
    ),
    Route(
        "POST", "/api/v1/inspections/{inspection}/record", record_inspection, Right.INSPECT,
        "Say what it came to; said again, it corrects that.",
        query=SpaceQuery, body=InspectionResult, path_types=PATH, answer=InspectionItem, edits=True, problems=(404, 409),
    ),
    Route(
        "POST", "/api/v1/inspections/{inspection}/cancel", cancel_inspection, Right.INSPECT,
        "Take back what was ordered; what was drawn is made, or not made.",
        query=SpaceQuery, body=InspectionCancel, path_types=PATH, answer=InspectionItem, edits=True, problems=(404, 409),
    ),
)  # fmt: skip
