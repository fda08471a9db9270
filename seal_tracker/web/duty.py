"""``/api/v1/shifts``, ``/hand-overs`` and ``/duty``: who watches when, what one leaves to the next, and what was let pass."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final
from uuid import UUID, uuid4

import msgspec
from aiohttp import web
from msgspec import UNSET

from seal_tracker.alarms.responsibility import answering
from seal_tracker.clock import clock_ms
from seal_tracker.model import LIVE, iso_ms, iso_or_none
from seal_tracker.prepared import Prepared
from seal_tracker.store.duty_reads import LateQuery, ShiftFilter
from seal_tracker.store.duty_rows import HandOverRow, ShiftRow
from seal_tracker.supervision.duty import DutyDesk
from seal_tracker.supervision.duty_rules import on_duty
from seal_tracker.supervision.journey_changes import Actor
from seal_tracker.web.accounts import Right, rights_of
from seal_tracker.web.alarms import moment_ms
from seal_tracker.web.auth import PRINCIPAL, scope_of, units_of
from seal_tracker.web.context import CONTEXT
from seal_tracker.web.cursors import ShiftCursor, encode_cursor
from seal_tracker.web.duty_answers import duty_item, late_item, shift_item
from seal_tracker.web.duty_bodies import (
    DutyItem,
    HandOver,
    HandOverItem,
    LateAnswer,
    LateItem,
    LateUnitItem,
    LateWanted,
    ListedAlarm,
    NewShift,
    ShiftId,
    ShiftItem,
    ShiftsQuery,
)
from seal_tracker.web.errors import BadParameter, InvalidBody, Missing
from seal_tracker.web.queries import NoQuery, cursor_of, read_body, read_query
from seal_tracker.web.reading import encoded
from seal_tracker.web.refusals import refusals_told
from seal_tracker.web.routes import Route
from seal_tracker.web.scope import sees, units_below
from seal_tracker.web.versions import check_version, etag
from seal_tracker.web.wire import Page

if TYPE_CHECKING:
    from seal_tracker.deeds import Deed
    from seal_tracker.plans import Unit
    from seal_tracker.space import SpaceJudge

__all__ = ["ROUTES"]

LAST_MS: Final = 253_402_300_799_999
"""The end of the year 9999."""


async def list_shifts(request: web.Request) -> web.Response:
    """Shifts by when they begin."""
    query = read_query(request, ShiftsQuery)
    from_ms, to_ms = period(query)
    which = ShiftFilter(from_ms=from_ms, to_ms=to_ms, unit=query.unit or None, scope=scope_of(request))
    cursor = cursor_of(query.after, ShiftCursor)
    after = (cursor.begins_ms, cursor.shift) if cursor else (0, UUID(int=0))
    store = request.app[CONTEXT].store
    rows, more = await store.shifts(which, after=after, limit=query.limit)
    following = encode_cursor(ShiftCursor(rows[-1].begins_ms, rows[-1].id)) if more else None
    handed = await store.hand_overs_of([row.id for row in rows])
    return encoded(Page([shift_item(row, handed.get(row.id)) for row in rows], following))


async def plan_shift(request: web.Request) -> web.Response:
    """Plan a shift."""
    read_query(request, NoQuery)
    given = await read_body(request, NewShift)
    begins_ms, ends_ms = moment_ms(given.begins_at, "begins_at"), moment_ms(given.ends_at, "ends_at")
    assert begins_ms is not None and ends_ms is not None  # noqa: PT018 - both are members that must be given
    check_who(request, given)
    shift = ShiftRow(
        id=uuid4(), unit=given.unit, officer=given.officer, begins_ms=begins_ms, ends_ms=ends_ms, notes=given.notes,
        version=1, made_by=request[PRINCIPAL].account.username, changed_ms=clock_ms(),
    )  # fmt: skip
    await acted(request, lambda: desk_of(request).plan(shift))
    return await shift_answer(request, shift.id, status=201)


async def show_shift(request: web.Request) -> web.Response:
    """One shift."""
    read_query(request, NoQuery)
    return await shift_answer(request, path_uuid(request, "shift"))


async def hand_over(request: web.Request) -> web.Response:
    """Hand a shift over."""
    read_query(request, NoQuery)
    shift = path_uuid(request, "shift")
    given = await read_body(request, HandOver)
    to = None if given.to is None else UUID(given.to)

    async def work() -> Deed:
        desk = desk_of(request)
        unit = (await desk.shift(shift)).unit
        units = None if unit is None else units_below(unit, plan_units(request))
        return await desk.hand_over(
            shift, to, given.note, lambda version: check_version(request, version), units, clock_ms()
        )

    deed = await acted(request, work)
    return hand_over_answer(deed.hand_overs[0], status=201)


async def show_hand_over(request: web.Request) -> web.Response:
    """One hand-over."""
    read_query(request, NoQuery)
    with refusals_told():
        return hand_over_answer(await desk_of(request).seen(path_uuid(request, "hand_over")))


async def take(request: web.Request) -> web.Response:
    """Take over."""
    read_query(request, NoQuery)
    wanted = path_uuid(request, "hand_over")
    check: Callable[[int], None] = lambda version: check_version(request, version)  # noqa: E731
    deed = await acted(request, lambda: desk_of(request).take(wanted, check, clock_ms()))
    return hand_over_answer(deed.hand_overs[0])


async def show_now(request: web.Request) -> web.Response:
    """Who is on duty now."""
    read_query(request, NoQuery)
    now_ms, scope, units = clock_ms(), scope_of(request), plan_units(request)
    store = request.app[CONTEXT].store
    at_once = ShiftFilter(from_ms=now_ms, to_ms=now_ms + 1, scope=scope)
    shifts, _ = await store.shifts(at_once, limit=MOST_ON_DUTY)
    shown = [unit for unit in (None, *(unit.id for unit in units)) if sees(scope, unit)]
    handed = await store.hand_overs_of([shift.id for shift in shifts])
    return encoded(Page([duty_item(one, handed) for one in on_duty(units, shown, shifts)], None))


MOST_ON_DUTY: Final = 10_000
"""Officers on duty at once that are told."""


async def show_accountability(request: web.Request) -> web.Response:
    """What is open past its deadline now."""
    query = read_query(request, LateWanted)
    (from_ms, to_ms), now_ms = period(query), clock_ms()
    asked = LateQuery(
        now_ms=now_ms, from_ms=from_ms, to_ms=to_ms, unit=query.unit or None, scope=scope_of(request)
    )
    late, alarms = await request.app[CONTEXT].store.late(LIVE, asked)
    by_unit: dict[str | None, list[LateItem]] = defaultdict(list)
    for alarm in alarms:
        by_unit[alarm.unit].append(late_item(alarm))
    units = plan_units(request)
    items = [
        LateUnitItem(
            unit=row.unit,
            head=answering(units, row.unit)[0].head,
            late=row.late,
            not_acknowledged=row.not_acknowledged,
            not_closed=row.not_closed,
            oldest_due_at=iso_ms(row.oldest_ms),
            escalations=row.escalations,
            alarms=by_unit[row.unit],
        )
        for row in late
    ]
    return encoded(LateAnswer(iso_ms(now_ms), items))


async def acted(request: web.Request, decide: Callable[[], Awaitable[Deed]]) -> Deed:
    """Decide between two batches, commit, and give what was committed."""
    done: list[Deed] = []

    async def work(_: SpaceJudge) -> tuple[Prepared, Deed]:
        done.append(await decide())
        return Prepared(), done[-1]

    with refusals_told():
        await request.app[CONTEXT].live.act(LIVE, work)
    return done[-1]


def desk_of(request: web.Request) -> DutyDesk:
    """A desk for one request."""
    account = request[PRINCIPAL].account
    return DutyDesk(request.app[CONTEXT].store, Actor(account.username, account.role), scope_of(request))


def check_who(request: web.Request, given: NewShift) -> None:
    """Refuse a unit that is not there for the asker, and an officer who cannot watch it.

    Raises
    ------
    InvalidBody
        As said.
    """
    scope = scope_of(request)
    known = given.unit is None or any(unit.id == given.unit for unit in plan_units(request))
    if not known or not sees(scope, given.unit):
        named = "headquarters are not yours" if given.unit is None else f"there is no unit {given.unit!r}"
        raise InvalidBody(f"unit: {named}; name one that GET /api/v1/units lists", field="unit")
    account = request.app[CONTEXT].accounts.get(given.officer)
    if account is None or account.disabled or Right.KEEP_DUTY not in rights_of(account):
        raise InvalidBody(f"officer: there is no account {given.officer!r} that keeps duty", field="officer")
    if not sees(units_of(request.app, account), given.unit):
        raise InvalidBody(f"officer: {given.officer} does not see that unit", field="officer")


def plan_units(request: web.Request) -> tuple[Unit, ...]:
    """The units of the live plan."""
    plan = request.app[CONTEXT].live.plan(LIVE)
    return tuple(plan.units) if plan else ()


def period(query: ShiftsQuery | LateWanted) -> tuple[int, int]:
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


async def shift_answer(request: web.Request, shift: UUID, status: int = 200) -> web.Response:
    """The shift as it stands, with its version."""
    with refusals_told():
        row = await desk_of(request).shift(shift)
    handed = await request.app[CONTEXT].store.hand_overs_of([shift])
    response = encoded(shift_item(row, handed.get(shift)), status=status)
    response.headers["ETag"] = etag(row.version)
    return response


def hand_over_answer(row: HandOverRow, status: int = 200) -> web.Response:
    """The hand-over with its version."""
    item = HandOverItem(
        id=str(row.id), shift=str(row.shift), to=None if row.to_shift is None else str(row.to_shift), unit=row.unit,
        note=row.note, alarms_open=row.alarms_open, alarms=msgspec.json.decode(row.alarms, type=list[ListedAlarm]),
        handed_at=iso_ms(row.handed_ms), handed_by=row.handed_by, taken_at=iso_or_none(row.taken_ms),
        taken_by=row.taken_by, version=row.version,
    )  # fmt: skip
    response = encoded(item, status=status)
    response.headers["ETag"] = etag(row.version)
    return response


SHIFT: Final = {"shift": ShiftId}
HAND_OVER: Final = {"hand_over": ShiftId}

ROUTES: Final[tuple[Route, ...]] = (
    Route("GET", "/api/v1/shifts", list_shifts, Right.READ, "Shifts by when they begin.", query=ShiftsQuery, answer=Page[ShiftItem]),
    Route(
        "POST", "/api/v1/shifts", plan_shift, Right.KEEP_DUTY, "Plan a shift; nobody is on two at once.",
        body=NewShift, answer=ShiftItem, status=201, problems=(409,),
    ),
    Route(
        "GET", "/api/v1/shifts/{shift}", show_shift, Right.READ, "One shift, with its version.",
        path_types=SHIFT, answer=ShiftItem, problems=(404,),
    ),
    Route(
        "POST", "/api/v1/shifts/{shift}/hand-over", hand_over, Right.KEEP_DUTY,
        "Hand a shift over with a note; the open alarms list themselves.",
        body=HandOver, path_types=SHIFT, answer=HandOverItem, status=201, problems=(404, 409), edits=True,
    ),
    Route(
        "GET", "/api/v1/hand-overs/{hand_over}", show_hand_over, Right.READ, "One hand-over, with its version.",
        path_types=HAND_OVER, answer=HandOverItem, problems=(404,),
    ),
    Route(
        "POST", "/api/v1/hand-overs/{hand_over}/take", take, Right.KEEP_DUTY, "Take over.",
        path_types=HAND_OVER, answer=HandOverItem, problems=(404, 409), edits=True,
    ),
    Route(
        "GET", "/api/v1/duty/now", show_now, Right.READ, "Who is on duty for each unit now: a shift's officer, else the head.",
        answer=Page[DutyItem],
    ),
    Route(
        "GET", "/api/v1/duty/accountability", show_accountability, Right.READ,
        "What is open past its deadline now, by unit and head, and who saw it first.",
        query=LateWanted, answer=LateAnswer,
    ),
)  # fmt: skip
