"""A person edits a plan: new files, read and checked like any, become its next version, which holds from now on.

files ─ change ─ read and check ─┬─ faulty: every fault told, nothing changed
└─ between two batches: judged by it, recorded with who and why, in one commit
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import msgspec

from geofences.catalog import Fault
from seal_tracker.deeds import Deed
from seal_tracker.journey import Journey
from seal_tracker.planning import DatedPlan, newest_row, read_plan, sharing, with_newest
from seal_tracker.plans.folder import empty_plan
from seal_tracker.plans.model import Plan
from seal_tracker.prepared import Prepared
from seal_tracker.space import SpaceJudge
from seal_tracker.store.records import Action, NewPlan
from seal_tracker.tracking.terrains import terrain_of

__all__ = [
    "CalendarInUseError",
    "Change",
    "Editor",
    "InUseError",
    "PlanEdited",
    "PlanMovedError",
    "RouteInUseError",
    "edit_plan",
]

Act = Callable[[str, Callable[[SpaceJudge], Awaitable[tuple[Prepared, Deed]]]], Awaitable[None]]
Change = Callable[[Mapping[str, str]], dict[str, str]]
MOVED: Final = "the plan has been changed meanwhile; read it again, and make your change to it"


class PlanMovedError(ValueError):
    """The plan has another version than the edit was made on."""


class InUseError(ValueError):
    """Journeys under way need what the edit removes."""


class CalendarInUseError(InUseError):
    """Permits of journeys under way name a calendar that the edit removes: what it forbids would be allowed, and nobody told."""


class RouteInUseError(InUseError):
    """Journeys under way follow a route that the edit removes: nothing would be judged by it any more, and nobody told."""


@dataclass(frozen=True, slots=True)
class Editor:
    """Who edits, in which role, why, and the digest of the plan that was looked at; None: whichever is in force."""

    username: str
    role: str
    note: str | None = None
    seen: str | None = None


@dataclass(frozen=True, slots=True)
class PlanEdited:
    """What became of an edit: the new version as recorded, None where it was refused or changed nothing; every fault."""

    row: NewPlan | None
    faults: Sequence[Fault]


async def edit_plan(
    act: Act, judging: SpaceJudge, change: Change, editor: Editor, clock_ms: Callable[[], int]
) -> PlanEdited:
    """Make ``change`` of the files of the plan in force its next version.

    Raises
    ------
    PlanMovedError
        Somebody else's edit was quicker.
    InUseError
        It removes the route of a journey under way, or a calendar that its permit names.
    """
    base = judging.plan or empty_plan()
    if editor.seen is not None and editor.seen != base.digest:
        raise PlanMovedError(MOVED)
    files = await asyncio.to_thread(change, base.files)
    plan, faults = await read_plan(files)
    if plan is None or plan.digest == base.digest:
        return PlanEdited(None, faults)
    plan = sharing(plan, base)
    # Seconds for thousands of routes: in a thread, and before its turn, so that pings go on being judged meanwhile.
    terrain = await asyncio.to_thread(terrain_of, replace(plan, version=base.version + 1))
    rows: list[NewPlan] = []

    async def work(now_judging: SpaceJudge) -> tuple[Prepared, Deed]:
        if (now_judging.plan or empty_plan()).digest != base.digest:
            raise PlanMovedError(MOVED)
        _leave_nobody(base, plan, now_judging.journeys.journeys)
        before: list[DatedPlan] = [(v.from_ms, v.plan) for v in now_judging.versions if v.plan.version]
        now_ms = max([clock_ms(), *(at + 1 for at, _ in before)])
        plans = with_newest(plan, before, now_ms)
        await now_judging.use_plans(plans, terrains={terrain.version: terrain})
        try:
            prepared = await now_judging.rejudge_since(now_judging.judged_past(plans[-1][0]))
        except BaseException:
            await now_judging.use_plans(before)
            raise
        row = newest_row(plans, now_ms, author=editor.username, note=editor.note)
        rows.append(row)
        said = msgspec.json.encode(
            {"version": row.version, "note": editor.note, "changes": msgspec.Raw(row.changes or b"{}")}
        )
        action = Action(
            now_ms, editor.username, editor.role, "plan.edit", f"plan/{row.version}", None, None, said
        )
        return prepared, Deed(actions=[action], plans=[row])

    await act(judging.space, work)
    return PlanEdited(rows[0], faults)


def _leave_nobody(base: Plan, plan: Plan, journeys: Iterable[Journey]) -> None:
    """Refuse to take from a journey under way its route, or a calendar. Those of the plan's own file are told as its faults."""
    _leave_calendars(base, plan, journeys)
    removed = base.route_index.keys() - plan.route_index.keys()
    if not removed:
        return
    followed = {j.id: route for j in journeys if (route := _route_now(j)) in removed}
    if followed:
        first = min(followed)
        more = f" and {len(followed) - 1} more" if len(followed) > 1 else ""
        raise RouteInUseError(
            f"journey {first!r}{more} under way by route {followed[first]!r}; divert or disarm what is on it, then remove it"
        )


def _leave_calendars(base: Plan, plan: Plan, journeys: Iterable[Journey]) -> None:
    removed = {calendar.id for calendar in base.calendars} - {calendar.id for calendar in plan.calendars}
    if not removed:
        return
    for journey in journeys:
        named = removed.intersection((journey.permit or {}).get("calendars") or ())
        if named and journey.disarmed_at_ms is None:
            raise CalendarInUseError(
                f"the permit of journey {journey.id!r}, which is under way, names calendar {min(named)!r}; empty it, or remove it "
                "when the journey is over"
            )


def _route_now(journey: Journey) -> str | None:
    """The route that a journey under way follows; None where it has none, or is over."""
    if journey.disarmed_at_ms is not None:
        return None
    return max(journey.diversions, key=lambda d: d.at_ms).route if journey.diversions else journey.route
