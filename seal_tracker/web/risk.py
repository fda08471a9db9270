"""``/api/v1/risk`` and ``/api/v1/journeys/{id}/risk``: what a journey's risk is, line by line, and what each indicator was worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Final, Literal

import msgspec
from aiohttp import web
from msgspec import UNSET, UnsetType

from seal_tracker.model import iso_ms, iso_or_none
from seal_tracker.risk.draw import LEVELS
from seal_tracker.risk.hits import Worth, worths_of
from seal_tracker.risk.inspections import inspected_in
from seal_tracker.risk.score import Level, RiskLine
from seal_tracker.risk.texts import Words, title_of, words_of
from seal_tracker.store.risk_reads import JourneysAtRisk
from seal_tracker.supervision.risk import Assessed, assessed
from seal_tracker.web.accounts import Right
from seal_tracker.web.acting import now_of
from seal_tracker.web.alarms import moment_ms
from seal_tracker.web.auth import scope_of
from seal_tracker.web.context import CONTEXT
from seal_tracker.web.errors import BadParameter, Missing
from seal_tracker.web.journey_bodies import RegimeName
from seal_tracker.web.queries import Id, Moment, SpaceQuery, path_id, read_query, within_a_year
from seal_tracker.web.reading import encoded, known_space
from seal_tracker.web.routes import Route
from seal_tracker.web.scope import sees, units_asked

__all__ = ["MOST_JOURNEYS", "ROUTES", "TOO_MANY", "RiskItem", "risk_item"]

MOST_JOURNEYS: Final = 50_000
"""Journeys that are assessed for one answer; more are asked for by unit, regime or route."""

TOO_MANY: Final = (
    f"there are more than {MOST_JOURNEYS} such journeys; name a unit, a regime, a route or a shorter time"
)


class RiskQuery(SpaceQuery, frozen=True, forbid_unknown_fields=True):
    """Journeys under way, the riskiest first; ``level``: of that level alone."""

    unit: Id | UnsetType = UNSET
    regime: RegimeName | UnsetType = UNSET
    route: Id | UnsetType = UNSET
    level: Level | UnsetType = UNSET
    limit: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 100


class WorthQuery(SpaceQuery, frozen=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    """Inspections made in [from, to): a week where one end is not given, the last 90 days where neither is. ``basis``: drawn ones alone,
    which alone are fair, or those that somebody ordered.
    """

    from_: Moment | UnsetType = UNSET
    to: Moment | UnsetType = UNSET
    basis: Literal["drawn", "ordered", "all"] = "drawn"


class RiskLineItem(RiskLine, frozen=True, kw_only=True):
    """A line of an assessment: what the indicator is, what was found, and in words."""

    title: Words
    words: Words


class RiskItem(msgspec.Struct, frozen=True, kw_only=True):
    """A journey's risk at ``at``: the points of all lines, and the level that they make by the version of the plan."""

    journey: str
    regime: str
    route: str | None
    unit: str | None
    carrier: str | None
    armed_at: str
    ended_at: str | None
    at: str
    score: int
    level: Level
    lines: Sequence[RiskLineItem]
    plan_version: int


class RiskAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The riskiest of the journeys under way, and how many there are of each level among all of them."""

    items: Sequence[RiskItem]
    journeys: int
    levels: Mapping[Level, int]
    at: str


class WorthAnswer(msgspec.Struct, frozen=True, kw_only=True, rename={"from_": "from"}):
    """What inspections of a period found where each indicator gave points and where it gave none, and by level."""

    from_: str
    to: str
    basis: str
    inspections: int
    indicators: Sequence[Worth]
    levels: Sequence[Worth]


async def show_risk(request: web.Request) -> web.Response:
    """One journey's risk."""
    query = read_query(request, SpaceQuery)
    known_space(request, query.space)
    journey, store = path_id(request, "id"), request.app[CONTEXT].store
    rows = await store.risk_journeys_named(query.space, [journey])
    if not rows or not sees(scope_of(request), rows[0].unit):
        raise Missing(f"there is no journey {journey!r} that was armed", field="journey")
    now_ms, plan = now_of(request, query.space), request.app[CONTEXT].live.plan(query.space)
    (found,) = await assessed(store, query.space, plan, rows, now_ms)
    return encoded(risk_item(found, now_ms, 0 if plan is None else plan.version))


async def list_risk(request: web.Request) -> web.Response:
    """The riskiest journeys under way."""
    query = read_query(request, RiskQuery)
    known_space(request, query.space)
    context, now_ms = request.app[CONTEXT], now_of(request, query.space)
    plan = context.live.plan(query.space)
    which = JourneysAtRisk(
        to_ms=now_ms, after_ms=now_ms, units=units_asked(scope_of(request), query.unit or None),
        regime=query.regime or None, route=query.route or None,
    )  # fmt: skip
    rows = await context.store.risk_journeys(query.space, which, MOST_JOURNEYS + 1)
    if len(rows) > MOST_JOURNEYS:
        raise BadParameter(TOO_MANY, field="unit")
    found = await assessed(context.store, query.space, plan, rows, now_ms)
    levels = {level: sum(one.assessment.level == level for one in found) for level in LEVELS}
    wanted = [one for one in found if query.level in (UNSET, one.assessment.level)]
    wanted.sort(key=lambda one: (-one.assessment.score, one.journey.id))
    version = 0 if plan is None else plan.version
    return encoded(
        RiskAnswer(
            items=[risk_item(one, now_ms, version) for one in wanted[: query.limit]],
            journeys=len(found),
            levels=levels,
            at=iso_ms(now_ms),
        )
    )


async def show_worth(request: web.Request) -> web.Response:
    """What each indicator was worth."""
    query = read_query(request, WorthQuery)
    known_space(request, query.space)
    from_ms, to_ms = moment_ms(query.from_, "from"), moment_ms(query.to, "to")
    if from_ms is None and to_ms is None:
        to_ms = now_of(request, query.space) + 1
        from_ms = to_ms - USUAL_MS
    else:
        from_ms, to_ms = within_a_year(from_ms, to_ms)
    bodies = await request.app[CONTEXT].store.inspections_made(query.space, from_ms, to_ms, scope_of(request))
    made = [one for basis, one in map(inspected_in, bodies) if query.basis in ("all", basis)]
    indicators, levels = worths_of(made)
    return encoded(
        WorthAnswer(
            from_=iso_ms(from_ms), to=iso_ms(to_ms), basis=query.basis, inspections=len(made), indicators=indicators, levels=levels
        )
    )  # fmt: skip


USUAL_MS: Final = 90 * 86_400_000


def risk_item(found: Assessed, now_ms: int, plan_version: int) -> RiskItem:
    """A journey's risk in outer units and words."""
    journey, assessment = found
    lines = [
        RiskLineItem(**msgspec.structs.asdict(line), title=title_of(line.indicator), words=words_of(line))
        for line in assessment.lines
    ]
    return RiskItem(
        journey=journey.id, regime=journey.regime, route=journey.route, unit=journey.unit, carrier=journey.carrier,
        armed_at=iso_ms(journey.armed_ms), ended_at=iso_or_none(journey.ended_ms), at=iso_ms(now_ms),
        score=assessment.score, level=assessment.level, lines=lines, plan_version=plan_version,
    )  # fmt: skip


ROUTES: Final[tuple[Route, ...]] = (
    Route(
        "GET", "/api/v1/risk", list_risk, Right.SEE_RISK, "The riskiest journeys under way, each explained line by line.",
        query=RiskQuery, answer=RiskAnswer, problems=(404,), leads={"/api/v1/journeys/{id}/risk": {"id": "/items/0/journey"}},
    ),
    Route(
        "GET", "/api/v1/journeys/{id}/risk", show_risk, Right.SEE_RISK, "A journey's risk now, line by line.",
        query=SpaceQuery, path_types={"id": Id}, answer=RiskItem, problems=(404,),
    ),
    Route(
        "GET", "/api/v1/risk/indicators", show_worth, Right.SEE_INSPECTIONS,
        "What inspections found where each indicator of risk gave points, and where it gave none.",
        query=WorthQuery, answer=WorthAnswer, problems=(404,),
    ),
)  # fmt: skip
