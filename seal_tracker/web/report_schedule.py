"""``/api/v1/reports/schedule``: when the weekly report is made by itself, and who is mailed it. Headquarters' to change."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
from aiohttp import web

from seal_tracker.clock import clock_ms
from seal_tracker.deeds import Deed
from seal_tracker.model import LIVE, iso_ms
from seal_tracker.reports.rows import ScheduleRow
from seal_tracker.reports.schedule import Clock, Recipient, Schedule, Weekday, schedule_in
from seal_tracker.space import SpaceJudge
from seal_tracker.store.records import Action
from seal_tracker.supervision.errors import Unfit
from seal_tracker.web.accounts import Right
from seal_tracker.web.acting import acted, actor_of
from seal_tracker.web.auth import headquarters_only, scope_of
from seal_tracker.web.context import CONTEXT
from seal_tracker.web.queries import NoQuery, read_body, read_query
from seal_tracker.web.routes import Route
from seal_tracker.web.scope import sees
from seal_tracker.web.versions import check_version, versioned

__all__ = ["ROUTES"]

Recipients = Annotated[list[Recipient], msgspec.Meta(max_length=100)]


class ScheduleBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """On which weekday, at which time of Viet Nam, and who is mailed which unit's report, in which language; or not at all."""

    enabled: bool
    weekday: Weekday
    time: Clock
    recipients: Recipients = []


async def show_schedule(request: web.Request) -> web.Response:
    """When reports are made; a unit is told who gets its own and those of units below it."""
    read_query(request, NoQuery)
    schedule, scope = schedule_in(await request.app[CONTEXT].store.report_schedule()), scope_of(request)
    shown = [one for one in schedule.recipients if sees(scope, one.unit)]
    schedule = msgspec.structs.replace(schedule, recipients=shown)
    return versioned(schedule, schedule.version)


async def set_schedule(request: web.Request) -> web.Response:
    """Say when reports are made."""
    read_query(request, NoQuery)
    headquarters_only(request, "the schedule of reports")
    given, by, now = await read_body(request, ScheduleBody), actor_of(request), iso_ms(clock_ms())
    store, done = request.app[CONTEXT].store, list[Schedule]()

    async def work(judging: SpaceJudge) -> Deed:
        before = schedule_in(await store.report_schedule())
        check_version(request, before.version)
        check_units(given, {unit.id for unit in judging.plan.units} if judging.plan else set())
        same_time = (before.enabled, before.weekday, before.time) == (
            given.enabled,
            given.weekday,
            given.time,
        )
        after = Schedule(
            version=before.version + 1, enabled=given.enabled, weekday=given.weekday, time=given.time,
            recipients=given.recipients, since=before.since if same_time else now, changed_by=by.name, changed_at=now,
        )  # fmt: skip
        body = msgspec.json.encode(after)
        action = Action(clock_ms(), by.name, by.role, "report.scheduled", "report_schedule", None, None, body)
        done.append(after)
        return Deed(report_schedules=[ScheduleRow(after.version, body)], actions=[action])

    await acted(request, work, LIVE)
    return versioned(done[-1], done[-1].version)


def check_units(given: ScheduleBody, known: set[str]) -> None:
    """Refuse a unit that the plan does not have, and an address that would get a unit's report twice.

    Raises
    ------
    Unfit
        As said.
    """
    seen: set[tuple[str, str | None]] = set()
    for one in given.recipients:
        if one.unit is not None and one.unit not in known:
            raise Unfit(f"recipients: the plan in force has no unit {one.unit!r}", field="recipients")
        if (one.address, one.unit) in seen:
            raise Unfit(f"recipients: {one.address} is named twice for the same report", field="recipients")
        seen.add((one.address, one.unit))


ROUTES: Final = (
    Route(
        "GET", "/api/v1/reports/schedule", show_schedule, Right.ORDER, "When the weekly report is made by itself, and who is mailed it.",
        answer=Schedule, versioned=True, leads={"/api/v1/reports/schedule": {}},
    ),
    Route(
        "PUT", "/api/v1/reports/schedule", set_schedule, Right.ORDER,
        "Say when the weekly report is made by itself, and who is mailed it; version 0 is where nobody has yet.",
        body=ScheduleBody, answer=Schedule, edits=True,
    ),
)  # fmt: skip
