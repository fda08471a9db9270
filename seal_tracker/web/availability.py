"""``/api/v1/equipment/availability``: how available cameras, scanners and readers were over a period: in all, by unit and kind, each."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
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

if TYPE_CHECKING:
    from seal_tracker.plans import Plan

__all__ = ["ROUTES"]

BEHIND_MS: Final = 15_000
"""The live space hears its own time every 5 s; three missed, and it is behind or cut off (as for ``/readyz``)."""

Kind = Literal["camera", "scanner", "weighbridge", "reader"]


class AvailabilityQuery(PageQuery, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Over which time [from, to), the seven days until now where nothing is said; of one unit or kind where that is named."""

    from_: Moment | UnsetType = msgspec.field(default=UNSET, name="from")
    to: Moment | UnsetType = UNSET
    unit: Id | UnsetType = UNSET
    kind: Kind | UnsetType = UNSET


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
    period = asked_period(request, query)
    known = period[0], min(period[1], max(period[0], now_of(request, query.space)))
    found = await available(request, query, known)
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


async def available(request: web.Request, query: AvailabilityQuery, period: Interval) -> list[Available]:
    """Each piece that the asker may see and that was watched in the period."""
    context, scope = request.app[CONTEXT], scope_of(request)
    versions, is_live = context.live.plan_versions(query.space), query.space == LIVE
    stays = await asyncio.to_thread(stays_asked, versions, is_live, query, scope)
    ids = {piece.id for piece in stays}
    offline = await context.store.offline_times(query.space, *period, ids)
    maintenance = await context.store.maintenance_times(query.space, *period, ids)
    return await asyncio.to_thread(availability, period, stays, ended_by(period[1], offline), maintenance)


def stays_asked(
    versions: Sequence[tuple[int, Plan]],
    is_live: bool,
    query: AvailabilityQuery,
    scope: frozenset[str] | None,
) -> Mapping[Piece, Moments]:
    """When each piece that is asked for, and may be seen, was watched."""
    return {
        piece: watched
        for piece, watched in stays_of(versions, is_live=is_live).items()
        if (scope is None or piece.unit in scope)
        and query.unit in {UNSET, piece.unit}
        and query.kind in {UNSET, piece.kind}
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
        to_ms = now_of(request, query.space)
    return within_a_year(from_ms, to_ms)


def now_of(request: web.Request, space: str) -> int:
    """Up to when a space has been judged: an exercise by its own clock, the live one up to now unless it is behind."""
    own, now_ms = request.app[CONTEXT].live.now_ms(space), clock_ms()
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
