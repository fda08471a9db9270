"""``/api/v1/equipment/availability``: how available cameras, scanners and readers were over a period: in all, by unit and kind, each."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec
from aiohttp import web
from msgspec import UNSET, UnsetType

from seal_tracker.clock import clock_ms
from seal_tracker.equipment.availability import Available, Piece, Tally, availability, stays_of, sum_of
from seal_tracker.equipment.intervals import Interval, Moments, ended_by
from seal_tracker.model import LIVE, iso_ms
from seal_tracker.web.accounts import Right
from seal_tracker.web.auth import scope_of
from seal_tracker.web.context import CONTEXT
from seal_tracker.web.queries import Id, Moment, PageQuery, period_of, read_query, within_a_year
from seal_tracker.web.reading import encoded, known_space, page_of
from seal_tracker.web.routes import Route
from seal_tracker.web.scope import units_asked, units_with_below

if TYPE_CHECKING:
    from seal_tracker.plans import Plan
    from seal_tracker.web.context import Live, Reading

__all__ = ["ROUTES", "available", "known_period"]

BEHIND_MS: Final = 15_000
"""The live space hears its own time every 5 s; three missed, and it is behind or cut off (as for ``/readyz``)."""

Kind = Literal["camera", "scanner", "weighbridge", "reader"]


class AvailabilityQuery(PageQuery, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Over which time [from, to), the seven days until now where nothing is said; of one unit (``below``: and those below it) or kind where that is named; ``no_unit``: of what is no
    unit's alone, which headquarters see.
    """

    from_: Moment | UnsetType = msgspec.field(default=UNSET, name="from")
    to: Moment | UnsetType = UNSET
    unit: Id | UnsetType = UNSET
    kind: Kind | UnsetType = UNSET
    below: bool = False
    no_unit: bool = False


class AvailabilityPart(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds, exact to the millisecond: watched, of these in planned maintenance, of the rest offline, and offline in maintenance; how
    often it went offline when none was planned; and the share of the time watched, but for maintenance, in which it was not offline, null
    where there is no such time.
    """

    watched_s: float
    maintenance_s: float
    down_s: float
    excused_s: float
    failures: int
    availability: float | None


class AvailabilityGroup(AvailabilityPart, frozen=True, kw_only=True):
    """So many pieces of one kind of one unit together; of no unit: null."""

    unit: str | None
    kind: str
    pieces: int


class AvailabilityItem(AvailabilityPart, frozen=True, kw_only=True):
    """One piece, as it belonged to a unit: one that changed hands in the period is told for each."""

    id: str
    unit: str | None
    kind: str


class AvailabilityAnswer(msgspec.Struct, frozen=True, kw_only=True, rename={"from_": "from"}):
    """A period up to ``known_until``, which is not after now: all that was asked for, by unit and kind, and a page of the pieces."""

    space: str
    from_: str
    to: str
    known_until: str
    total: AvailabilityPart
    groups: Sequence[AvailabilityGroup]
    items: Sequence[AvailabilityItem]
    next: str | None


async def show_availability(request: web.Request) -> web.Response:
    """How available equipment was."""
    query = read_query(request, AvailabilityQuery)
    known_space(request, query.space)
    period, context = asked_period(request, query), request.app[CONTEXT]
    known = known_period(context.live, query.space, period)
    units = units_of(request, query)
    found = await available(context.live, context.store, query.space, known, units, query.kind or None)
    page, following = page_of({one.piece.id for one in found}, str, query)
    on_page = set(page)
    shown = [one for one in found if one.piece.id in on_page]
    answer = AvailabilityAnswer(
        space=query.space,
        from_=iso_ms(period[0]),
        to=iso_ms(period[1]),
        known_until=iso_ms(known[1]),
        total=AvailabilityPart(**part_of(sum_of(one.tally for one in found))),
        groups=groups_of(found),
        items=[
            AvailabilityItem(id=p.id, unit=p.unit, kind=p.kind, **part_of(figures)) for p, figures in shown
        ],
        next=following,
    )
    return encoded(answer)


def units_of(request: web.Request, query: AvailabilityQuery) -> Collection[str | None] | None:
    """Whose equipment is asked for, as far as the asker sees it; None: everybody's, and what is nobody's."""
    scope, unit = scope_of(request), query.unit or None
    if query.no_unit:
        return [None] if scope is None and unit is None else []
    if query.below:
        return units_with_below(scope, unit, request.app[CONTEXT].live.plan(query.space))
    return units_asked(scope, unit)


async def available(
    live: Live,
    store: Reading,
    space: str,
    period: Interval,
    units: Collection[str | None] | None,
    kind: str | None = None,
) -> list[Available]:
    """Each piece of these units (None: all, and what is no unit's) that was watched in the period."""
    versions, is_live = live.plan_versions(space), space == LIVE
    stays = await asyncio.to_thread(stays_asked, versions, is_live, units, kind)
    ids = {piece.id for piece in stays}
    offline = await store.offline_times(space, *period, ids)
    maintenance = await store.maintenance_times(space, *period, ids)
    return await asyncio.to_thread(availability, period, stays, ended_by(period[1], offline), maintenance)


def stays_asked(
    versions: Sequence[tuple[int, Plan]],
    is_live: bool,
    units: Collection[str | None] | None,
    kind: str | None,
) -> Mapping[Piece, Moments]:
    """When each piece of these units and this kind was watched."""
    return {
        piece: watched
        for piece, watched in stays_of(versions, is_live=is_live).items()
        if (units is None or piece.unit in units) and kind in {None, piece.kind}
    }


def asked_period(request: web.Request, query: AvailabilityQuery) -> Interval:
    """The period that is asked for, epoch ms.

    Raises
    ------
    BadParameter
        It is empty or longer than a year.
    """
    from_ms, to_ms = period_of(query.from_, query.to)
    if from_ms is None and to_ms is None:
        to_ms = known_now(request.app[CONTEXT].live, query.space)
    return within_a_year(from_ms, to_ms)


def known_period(live: Live, space: str, period: Interval) -> Interval:
    """The period as far as the space has been judged."""
    return period[0], min(period[1], max(period[0], known_now(live, space)))


def known_now(live: Live, space: str) -> int:
    """Up to when a space has been judged: an exercise by its own clock, the live one up to now unless it is behind."""
    own, now_ms = live.now_ms(space), clock_ms()
    if own is None or (space == LIVE and now_ms - own <= BEHIND_MS):
        return now_ms
    return own


def groups_of(found: Iterable[Available]) -> list[AvailabilityGroup]:
    """By unit and kind; what is no unit's last."""
    groups: dict[tuple[str | None, str], list[Tally]] = {}
    for piece, figures in found:
        groups.setdefault((piece.unit, piece.kind), []).append(figures)
    return [
        AvailabilityGroup(unit=unit, kind=kind, pieces=len(tallies), **part_of(sum_of(tallies)))
        for (unit, kind), tallies in sorted(
            groups.items(), key=lambda item: (item[0][0] is None, item[0][0] or "", item[0][1])
        )
    ]


def part_of(figures: Tally) -> dict[str, Any]:
    """A tally in outer units."""
    share = figures.availability
    return {
        "watched_s": figures.watched_ms / 1000,
        "maintenance_s": figures.maintenance_ms / 1000,
        "down_s": figures.down_ms / 1000,
        "excused_s": figures.excused_ms / 1000,
        "failures": figures.failures,
        "availability": None if share is None else round(share, 6),
    }


ROUTES: Final = (
    Route(
        "GET", "/api/v1/equipment/availability", show_availability, Right.READ,
        "How available equipment was over a period: in all, by unit and kind, and each piece.",
        query=AvailabilityQuery, answer=AvailabilityAnswer, problems=(404,),
    ),
)  # fmt: skip
