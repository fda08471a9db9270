"""``/api/v1/draws``: who is inspected unannounced, drawn so that anybody can recompute it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Final
from uuid import UUID, uuid4

import msgspec
from aiohttp import web
from msgspec import UNSET, UnsetType

from seal_tracker.alarms.deadlines import ms_of
from seal_tracker.clock import clock_ms
from seal_tracker.model import NO_TIME, iso_ms
from seal_tracker.plans.model import Plan
from seal_tracker.risk.draw import Quota
from seal_tracker.risk.inspections import Draw, Kind, Population, draw_in
from seal_tracker.risk.score import Level, level_of, policy_of
from seal_tracker.rules.policy import PolicyTable
from seal_tracker.store.risk_reads import JourneysAtRisk, RiskPlace
from seal_tracker.supervision.inspections import Candidate, InspectionDesk, NewDraw
from seal_tracker.supervision.risk import Assessed, assessed
from seal_tracker.web.accounts import Right
from seal_tracker.web.acting import acted, actor_of, checking, now_of, paged, path_uuid, place_of
from seal_tracker.web.alarms import AlarmId, AlarmStep, moment_ms, step_item
from seal_tracker.web.auth import scope_of
from seal_tracker.web.context import CONTEXT
from seal_tracker.web.errors import Conflict, Missing
from seal_tracker.web.journey_bodies import RegimeName
from seal_tracker.web.queries import (
    Id,
    Moment,
    PageQuery,
    Said,
    SpaceQuery,
    read_body,
    read_query,
    within_a_year,
)
from seal_tracker.web.reading import known_space
from seal_tracker.web.risk import MOST_JOURNEYS, TOO_MANY
from seal_tracker.web.routes import Route
from seal_tracker.web.scope import sees, units_below
from seal_tracker.web.versions import versioned
from seal_tracker.web.wire import Page

if TYPE_CHECKING:
    from seal_tracker.store.alarm_reads import StoredAction

__all__ = ["ROUTES", "desk_of", "journey_candidate", "told_step", "unit_candidates"]

DrawId = AlarmId
PATH: Final = {"draw": DrawId}
HISTORY_TOLD: Final = 20

Public = Annotated[str, msgspec.Meta(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+\Z")]


class DrawQuota(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many of a level are drawn: ``share_pct`` of them, rounded up, and at least ``least``, as far as there are any."""

    share_pct: Annotated[int, msgspec.Meta(ge=0, le=100)] = 0
    least: Annotated[int, msgspec.Meta(ge=0, le=1000)] = 0


class DrawPopulation(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"from_": "from"}
):
    """Who may be drawn: journeys that are under way when the draw is made; with ``from`` and ``to`` those armed then. ``unit`` includes
    those below it. Units are drawn by the journeys of theirs that these are.
    """

    unit: Id | None = None
    regime: RegimeName | None = None
    route: Id | None = None
    from_: Moment | UnsetType = UNSET
    to: Moment | UnsetType = UNSET


class NewDrawBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be drawn. ``public_source`` names what nobody can know yet and everybody will, such as a lottery of tomorrow: the draw
    then needs what it came to.
    """

    kind: Kind = "journey"
    reason: Said
    population: DrawPopulation = DrawPopulation()
    quotas: Mapping[Level, DrawQuota]
    public_source: Said | None = None


class MakeDraw(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the public source came to, as it was published; without one nothing."""

    public: Public | None = None


class DrawCancel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why it is called off."""

    reason: Said


class DrawItem(Draw, frozen=True, kw_only=True):
    """A draw, whoever could be drawn (once it is made), and its versions, newest first."""

    frame: str | None
    history: Sequence[AlarmStep]


async def list_draws(request: web.Request) -> web.Response:
    """Draws, newest first."""
    query = read_query(request, PageQuery)
    known_space(request, query.space)
    place = place_of(query.after)
    rows, more = await request.app[CONTEXT].store.draws(
        query.space, scope_of(request), before=RiskPlace(*place) if place else None, limit=query.limit
    )
    return paged(rows, draw_in, lambda row: row.committed_ms, more=more)


async def show_draw(request: web.Request) -> web.Response:
    """One draw."""
    query = read_query(request, SpaceQuery)
    known_space(request, query.space)
    return await draw_answer(request, query.space, path_uuid(request, "draw"))


async def commit_draw(request: web.Request) -> web.Response:
    """Promise a draw."""
    query = read_query(request, SpaceQuery)
    known_space(request, query.space)
    given = await read_body(request, NewDrawBody)
    asked, period = given.population, period_of(given.population)
    wanted = NewDraw(
        id=uuid4(),
        kind=given.kind,
        reason=given.reason,
        population=Population(
            unit=asked.unit, regime=asked.regime, route=asked.route,
            from_at=iso_ms(period[0]) if period else None, to_at=iso_ms(period[1]) if period else None,
        ),
        quotas={level: Quota(quota.share_pct, quota.least) for level, quota in given.quotas.items()},
        public_source=given.public_source,
    )  # fmt: skip
    await acted(request, lambda judging: desk_of(request).commit(judging, wanted), query.space)
    return await draw_answer(request, query.space, wanted.id, status=201)


async def make_draw(request: web.Request) -> web.Response:
    """Draw."""
    query = read_query(request, SpaceQuery)
    known_space(request, query.space)
    given, draw = await read_body(request, MakeDraw), path_uuid(request, "draw")
    row = await request.app[CONTEXT].store.draw(query.space, draw)
    if row is None or not sees(scope_of(request), row.unit):
        raise Missing(f"there is no draw {str(draw)!r}", field="draw")
    candidates = await candidates_of(request, query.space, draw_in(row))
    desk = desk_of(request)
    await acted(
        request,
        lambda judging: desk.make(judging, draw, candidates, given.public, checking(request)),
        query.space,
    )
    return await draw_answer(request, query.space, draw)


async def cancel_draw(request: web.Request) -> web.Response:
    """Call a draw off."""
    query = read_query(request, SpaceQuery)
    known_space(request, query.space)
    given, draw = await read_body(request, DrawCancel), path_uuid(request, "draw")
    desk = desk_of(request)
    await acted(
        request, lambda judging: desk.cancel_draw(judging, draw, given.reason, checking(request)), query.space
    )
    return await draw_answer(request, query.space, draw)


def period_of(asked: DrawPopulation) -> tuple[int, int] | None:
    """When they were armed, epoch ms; None: whatever is under way."""
    from_ms, to_ms = moment_ms(asked.from_, "population.from"), moment_ms(asked.to, "population.to")
    return None if from_ms is None and to_ms is None else within_a_year(from_ms, to_ms)


async def candidates_of(request: web.Request, space: str, draw: Draw) -> list[Candidate]:
    """Everybody who may be drawn now, with the risk that makes their stratum."""
    context, now_ms, of = request.app[CONTEXT], now_of(request, space), draw.population
    plan = context.live.plan(space)
    below = None if of.unit is None else units_below(of.unit, plan.units if plan else ())
    which = JourneysAtRisk(to_ms=now_ms, after_ms=now_ms, units=below, regime=of.regime, route=of.route)
    if of.from_at is not None and of.to_at is not None:
        which = replace(which, from_ms=ms_of(of.from_at), to_ms=ms_of(of.to_at), after_ms=NO_TIME)
    rows = await context.store.risk_journeys(space, which, MOST_JOURNEYS + 1)
    if len(rows) > MOST_JOURNEYS:
        raise Conflict(TOO_MANY, field="draw")
    found = await assessed(context.store, space, plan, rows, now_ms)
    return (
        [journey_candidate(one) for one in found] if draw.kind == "journey" else unit_candidates(found, plan)
    )


def journey_candidate(found: Assessed) -> Candidate:
    """A journey that may be drawn."""
    journey, risk = found
    return Candidate(journey.id, journey.unit, risk.level, risk.score, journey.carrier, risk.lines)


def unit_candidates(found: Sequence[Assessed], plan: Plan | None) -> list[Candidate]:
    """Units that may be drawn, each with the mean of its journeys' points, rounded down; what is no unit's is left out."""
    scores: dict[str, list[int]] = defaultdict(list)
    for journey, risk in found:
        if journey.unit is not None:
            scores[journey.unit].append(risk.score)
    policy = policy_of(PolicyTable() if plan is None else plan.policies, -1, -1)
    means = {unit: sum(points) // len(points) for unit, points in scores.items()}
    return [Candidate(unit, unit, level_of(mean, policy), mean) for unit, mean in sorted(means.items())]


def desk_of(request: web.Request) -> InspectionDesk:
    """A desk for one request."""
    return InspectionDesk(request.app[CONTEXT].store, clock_ms, actor_of(request), scope_of(request))


async def draw_answer(request: web.Request, space: str, draw: UUID, status: int = 200) -> web.Response:
    """A draw as it stands, with its version."""
    store = request.app[CONTEXT].store
    row = await store.draw(space, draw)
    if row is None or not sees(scope_of(request), row.unit):
        raise Missing(f"there is no draw {str(draw)!r}", field="draw")
    steps = await store.actions_of(space, f"draw/{draw}", limit=HISTORY_TOLD)
    item = DrawItem(
        **{name: getattr(draw_in(row), name) for name in Draw.__struct_fields__},
        frame=row.frame,
        history=[told_step(step) for step in steps],
    )
    return versioned(item, row.version, status=status, location=f"/api/v1/draws/{draw}")


def told_step(step: StoredAction) -> AlarmStep:
    """A step without what the draw says itself."""
    item = step_item(step)
    return msgspec.structs.replace(item, detail={})


ONE: Final = "/api/v1/draws/{draw}"

ROUTES: Final[tuple[Route, ...]] = (
    Route(
        "GET", "/api/v1/draws", list_draws, Right.SEE_INSPECTIONS, "Draws for inspection, newest first.",
        query=PageQuery, answer=Page[Draw], problems=(404,), leads={ONE: {"draw": "/items/0/id"}},
    ),
    Route(
        "POST", "/api/v1/draws", commit_draw, Right.INSPECT,
        "Promise a draw: who may be drawn, how many of each level of risk, and the SHA-256 of a secret.",
        query=SpaceQuery, body=NewDrawBody, answer=DrawItem, status=201, problems=(404,), versioned=True,
        leads={ONE: {"draw": "/id"}},
    ),
    Route(
        "GET", ONE, show_draw, Right.SEE_INSPECTIONS, "One draw, with all that recomputes it.",
        query=SpaceQuery, path_types=PATH, answer=DrawItem, problems=(404,), versioned=True,
    ),
    Route(
        "POST", "/api/v1/draws/{draw}/make", make_draw, Right.INSPECT,
        "Draw: who may be drawn is frozen, the secret told, an inspection ordered for each that is drawn.",
        query=SpaceQuery, body=MakeDraw, path_types=PATH, answer=DrawItem, edits=True, problems=(404, 409),
    ),
    Route(
        "POST", "/api/v1/draws/{draw}/cancel", cancel_draw, Right.INSPECT, "Call it off before it is made; it stays in the list.",
        query=SpaceQuery, body=DrawCancel, path_types=PATH, answer=DrawItem, edits=True, problems=(404, 409),
    ),
)  # fmt: skip
