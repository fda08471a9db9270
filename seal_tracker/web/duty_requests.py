"""What the routes of duty share: the desk, the units of the plan, times, and a deed done between two batches."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from aiohttp import web
from msgspec import UNSET

from seal_tracker.model import LIVE
from seal_tracker.prepared import Prepared
from seal_tracker.supervision.duty import DutyDesk
from seal_tracker.supervision.journey_changes import Actor
from seal_tracker.web.alarms import moment_ms
from seal_tracker.web.auth import PRINCIPAL, scope_of
from seal_tracker.web.context import CONTEXT
from seal_tracker.web.duty_bodies import AbsencesQuery, HandOversQuery, LateWanted, ShiftsQuery
from seal_tracker.web.errors import BadParameter, Missing
from seal_tracker.web.refusals import refusals_told
from seal_tracker.web.versions import check_version

if TYPE_CHECKING:
    from seal_tracker.deeds import Deed
    from seal_tracker.plans import Unit
    from seal_tracker.space import SpaceJudge

__all__ = [
    "acted",
    "actor_of",
    "checking",
    "desk_of",
    "given_of",
    "path_uuid",
    "period",
    "plan_units",
]

LAST_MS: Final = 253_402_300_799_999
"""The end of the year 9999."""


async def acted(request: web.Request, decide: Callable[[], Awaitable[Deed]]) -> Deed:
    """Decide between two batches, commit, and give what was committed."""
    done: list[Deed] = []

    async def work(_: SpaceJudge) -> tuple[Prepared, Deed]:
        done.append(await decide())
        return Prepared(), done[-1]

    with refusals_told():
        await request.app[CONTEXT].live.act(LIVE, work)
    return done[-1]


def actor_of(request: web.Request) -> Actor:
    """Who asks."""
    account = request[PRINCIPAL].account
    return Actor(account.username, account.role)


def desk_of(request: web.Request) -> DutyDesk:
    """A desk for one request."""
    return DutyDesk(request.app[CONTEXT].store, actor_of(request), scope_of(request))


def checking(request: web.Request) -> Callable[[int], None]:
    """What refuses another version than the request names in ``If-Match``."""
    return lambda version: check_version(request, version)


def given_of(body: Any) -> dict[str, Any]:
    """The members of an edit that were given, times as the rows have them."""
    found: dict[str, Any] = {}
    for name in body.__struct_fields__:
        value = getattr(body, name)
        if value is UNSET:
            continue
        if name in {"begins_at", "ends_at"}:
            found[name.replace("_at", "_ms")] = moment_ms(value, name)
        else:
            found[name] = value
    return found


def plan_units(request: web.Request) -> tuple[Unit, ...]:
    """The units of the live plan."""
    plan = request.app[CONTEXT].live.plan(LIVE)
    return tuple(plan.units) if plan else ()


def period(query: ShiftsQuery | LateWanted | HandOversQuery | AbsencesQuery) -> tuple[int, int]:
    """[from, to) in epoch ms; what is not said is without end.

    Raises
    ------
    BadParameter
        It ends before it begins.
    """
    from_ms, to_ms = moment_ms(query.from_, "from") or 0, moment_ms(query.to, "to")
    to_ms = LAST_MS if query.to is UNSET or to_ms is None else to_ms
    if from_ms >= to_ms:
        raise BadParameter("from: must be before `to`", field="from")
    return from_ms, to_ms


def path_uuid(request: web.Request, name: str) -> UUID:
    """The id in the path; ``Missing`` where it can be none."""
    try:
        return UUID(request.match_info[name])
    except ValueError as error:
        raise Missing(f"{name}: an id is a UUID", field=name) from error
