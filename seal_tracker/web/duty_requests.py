"""What the routes of duty share: the desk, the units of the plan, times, and a deed done between two batches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aiohttp import web
from msgspec import UNSET

from seal_tracker.model import LIVE
from seal_tracker.store.duty_reads import ShiftFilter
from seal_tracker.supervision.duty import DutyDesk
from seal_tracker.web.acting import actor_of
from seal_tracker.web.alarms import moment_ms
from seal_tracker.web.auth import scope_of
from seal_tracker.web.context import CONTEXT
from seal_tracker.web.duty_bodies import ShiftsQuery
from seal_tracker.web.errors import BadParameter

if TYPE_CHECKING:
    from seal_tracker.plans import Unit

__all__ = [
    "desk_of",
    "given_of",
    "period",
    "plan_units",
    "shifts_asked",
]

LAST_MS: Final = 253_402_300_799_999
"""The end of the year 9999."""


def desk_of(request: web.Request) -> DutyDesk:
    """A desk for one request."""
    return DutyDesk(request.app[CONTEXT].store, actor_of(request), scope_of(request))


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


def shifts_asked(request: web.Request, query: ShiftsQuery) -> ShiftFilter:
    """Which shifts, hand-overs or absences are asked for, of those that the asker may see."""
    from_ms, to_ms = period(query)
    return ShiftFilter(from_ms=from_ms, to_ms=to_ms, unit=query.unit or None, scope=scope_of(request))


def period(query: ShiftsQuery) -> tuple[int, int]:
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
