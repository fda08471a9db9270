"""``/api/v1/duty``: who is on duty now, and what was let pass."""

from __future__ import annotations

from collections import defaultdict
from typing import Final

from aiohttp import web

from seal_tracker.alarms.responsibility import answering, deputy_of
from seal_tracker.clock import clock_ms
from seal_tracker.model import LIVE, iso_ms
from seal_tracker.store.duty_reads import LateQuery, ShiftFilter
from seal_tracker.supervision.duty_rules import on_duty
from seal_tracker.web.accounts import Right
from seal_tracker.web.acting import place_of
from seal_tracker.web.auth import scope_of
from seal_tracker.web.context import CONTEXT
from seal_tracker.web.cursors import DutyCursor, encode_cursor
from seal_tracker.web.duty_answers import duty_item, late_item
from seal_tracker.web.duty_bodies import DutyItem, LateAnswer, LateItem, LateUnitItem, LateWanted
from seal_tracker.web.duty_requests import period, plan_units
from seal_tracker.web.queries import NoQuery, read_query
from seal_tracker.web.reading import encoded
from seal_tracker.web.routes import Route
from seal_tracker.web.scope import sees
from seal_tracker.web.wire import Page

__all__ = ["ROUTES"]


async def show_now(request: web.Request) -> web.Response:
    """Who is on duty now."""
    read_query(request, NoQuery)
    now_ms, scope, units = clock_ms(), scope_of(request), plan_units(request)
    store = request.app[CONTEXT].store
    at_once = ShiftFilter(from_ms=now_ms, to_ms=now_ms + 1, scope=scope)
    shifts, _ = await store.shifts(at_once, limit=MOST_ON_DUTY)
    shown = [unit for unit in (None, *(unit.id for unit in units)) if sees(scope, unit)]
    handed = await store.hand_overs_of([shift.id for shift in shifts])
    absent = await store.absent_officers(now_ms)
    return encoded(Page([duty_item(one, handed) for one in on_duty(units, shown, shifts, absent)], None))


MOST_ON_DUTY: Final = 10_000
"""Officers on duty at once that are told."""


async def show_accountability(request: web.Request) -> web.Response:
    """What is open past its deadline now."""
    query = read_query(request, LateWanted)
    (from_ms, to_ms), now_ms = period(query), clock_ms()
    asked = LateQuery(
        now_ms=now_ms, from_ms=from_ms, to_ms=to_ms, unit=query.unit or None, scope=scope_of(request)
    )
    store = request.app[CONTEXT].store
    late, alarms, more = await store.late(LIVE, asked, after=place_of(query.after), limit=query.limit)
    following = encode_cursor(DutyCursor(alarms[-1].due_ms, alarms[-1].id)) if more else None
    by_unit: dict[str | None, list[LateItem]] = defaultdict(list)
    for alarm in alarms:
        by_unit[alarm.unit].append(late_item(alarm))
    units, absent = plan_units(request), await store.absent_officers(now_ms)
    known = {unit.id: unit for unit in units}
    items = [
        LateUnitItem(
            unit=row.unit,
            head=(answers := answering(units, row.unit)[0]).head,
            deputy=deputy_of(known[answers.unit], absent) if answers.unit in known else None,
            late=row.late,
            not_acknowledged=row.not_acknowledged,
            not_closed=row.not_closed,
            oldest_due_at=iso_ms(row.oldest_ms),
            escalations=row.escalations,
            alarms=by_unit[row.unit],
        )
        for row in late
    ]
    return encoded(LateAnswer(iso_ms(now_ms), items, following))


ROUTES: Final[tuple[Route, ...]] = (
    Route(
        "GET", "/api/v1/duty/now", show_now, Right.READ,
        "Who is on duty for each unit now: a shift's officer, else the head or who acts for them.",
        answer=Page[DutyItem],
    ),
    Route(
        "GET", "/api/v1/duty/accountability", show_accountability, Right.READ,
        "What is open past its deadline now, by unit and head, and who has seen it and when.",
        query=LateWanted, answer=LateAnswer,
    ),
)  # fmt: skip
