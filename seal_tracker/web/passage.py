"""``/api/v1/journeys/{id}/passage``: whether an oversized vehicle may go, and the structures on its way with when it is due on each."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import msgspec
from aiohttp import web

from geofences.catalog import parse_time_ms
from seal_tracker.clock import clock_ms
from seal_tracker.journey_record import JourneyRecord, read_record
from seal_tracker.model import iso_ms
from seal_tracker.plans.admission import Reason
from seal_tracker.plans.on_route import OnRoute, structures_on
from seal_tracker.rules.policy import REGIMES
from seal_tracker.supervision.journeys import reasons_against, seen_by
from seal_tracker.web.accounts import Right
from seal_tracker.web.auth import scope_of
from seal_tracker.web.context import CONTEXT
from seal_tracker.web.queries import SpaceQuery, path_id, read_query
from seal_tracker.web.reading import encoded, known_space
from seal_tracker.web.refusals import refusals_told
from seal_tracker.web.routes import Route

if TYPE_CHECKING:
    from seal_tracker.plans import Plan
    from seal_tracker.web.wire import UnderWay

__all__ = ["ROUTES"]

RULE: Final = "STRUCTURE_MEETING"
"""By whose policy it is worked out when a vehicle is due."""


class PassedItem(msgspec.Struct, frozen=True, kw_only=True):
    """A structure on the way, metres along the route; what it bears by itself, and what the permit says of it (null: nothing).

    ``due_from`` and ``due_to`` are null while it is not known where the vehicle is, and once it is past (``passed``).
    """

    zone: str
    name: str
    enter_m: float
    leave_m: float
    max_mass_kg: float | None
    max_axle_kg: float | None
    max_height_m: float | None
    max_width_m: float | None
    alone: bool
    permit: Mapping[str, Any] | None
    passed: bool | None
    due_from: str | None
    due_to: str | None


class PassageAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What stands against arming the journey (when it was armed; now, where it is not), and the structures on the route it follows."""

    journey: str
    route: str | None
    admitted: bool
    reasons: Sequence[Reason]
    structures: Sequence[PassedItem]


async def show_passage(request: web.Request) -> web.Response:
    """Whether a vehicle may go, and over which structures."""
    query = read_query(request, SpaceQuery)
    known_space(request, query.space)
    name, context = path_id(request, "id"), request.app[CONTEXT]
    with refusals_told():
        row = seen_by(await context.store.journey(query.space, name), name, scope_of(request))
    record, plan, now_ms = read_record(row.body), context.live.plan(query.space), clock_ms()
    seen = context.live.under_way(query.space, [name]).get(name)
    answer = await asyncio.to_thread(passage_of, record, plan, seen, now_ms)
    return encoded(answer)


def passage_of(record: JourneyRecord, plan: Plan | None, seen: UnderWay | None, now_ms: int) -> PassageAnswer:
    """The answer for a journey as it stands."""
    route = max(record.diversions, key=lambda d: d.at_ms).route if record.diversions else record.route
    at_ms = now_ms if record.armed_at_ms is None else record.armed_at_ms
    reasons = reasons_against(plan, record, at_ms)
    structures = structures_on(plan, route, now_ms) if plan else []
    return PassageAnswer(
        journey=record.id,
        route=route,
        admitted=not reasons,
        reasons=reasons,
        structures=list(_items(structures, record, route, plan, seen)) if plan else [],
    )


def _items(
    structures: Sequence[OnRoute], record: JourneyRecord, route: str | None, plan: Plan, seen: UnderWay | None
) -> Iterator[PassedItem]:
    named = {one["zone"]: one for one in (record.permit or {}).get("structures") or ()}
    number = plan.route_index.get(route or "", -1)
    length_m = float(plan.corridors.length_m[number]) if structures else 0.0
    at_m = None if seen is None or seen.progress_pct is None else seen.progress_pct / 100 * length_m
    for one in structures:
        due: tuple[str | None, str | None] = (None, None)
        if at_m is not None and at_m <= one.leave_m and seen is not None and seen.time is not None:
            due = _due(one, at_m, seen.time, record.regime, number, plan)
        yield PassedItem(
            zone=one.zone,
            name=one.name,
            enter_m=round(one.enter_m, 1),
            leave_m=round(one.leave_m, 1),
            max_mass_kg=one.limits.max_mass_kg,
            max_axle_kg=one.limits.max_axle_kg,
            max_height_m=one.limits.max_height_m,
            max_width_m=one.limits.max_width_m,
            alone=one.limits.alone or named.get(one.zone, {}).get("alone") is True,
            permit=named.get(one.zone),
            passed=None if at_m is None else at_m > one.leave_m,
            due_from=due[0],
            due_to=due[1],
        )


def _due(
    one: OnRoute, at_m: float, seen_at: str, regime: str, route: int, plan: Plan
) -> tuple[str | None, str | None]:
    """When a vehicle that was at ``at_m`` when it was last seen is on a structure, first and last, by the policy's mean speed."""

    def policy(key: str) -> float:
        zone = plan.zone_index[one.zone]
        return float(plan.policies.at(RULE, key, REGIMES.index(regime), route, zone) or 0)

    m_ms, spread = policy("mean_speed_kmh") / 3600, policy("spread_pct") / 100
    begin_ms = parse_time_ms(seen_at)
    first_ms = max(one.enter_m - at_m, 0) / (m_ms * (1 + spread))
    last_ms = (one.leave_m - at_m) / (m_ms * (1 - spread))
    return iso_ms(begin_ms + round(first_ms)), iso_ms(begin_ms + round(last_ms))


ROUTES: Final = (
    Route(
        "GET", "/api/v1/journeys/{id}/passage", show_passage, Right.READ,
        "Whether an oversized vehicle may go, with every reason against it, and the structures on its way with when it is due on each.",
        query=SpaceQuery, answer=PassageAnswer, problems=(404,),
    ),
)  # fmt: skip
