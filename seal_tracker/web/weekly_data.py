"""The figures of the weekly report, gathered: for who asks over HTTP, and for the schedule. What it says is worked out in ``reports``."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import msgspec

from seal_tracker.equipment.availability import Available, sum_of
from seal_tracker.reports.details import SITUATIONS_TOLD
from seal_tracker.reports.model import Names, Report
from seal_tracker.reports.queries import Document, Queries
from seal_tracker.reports.weekly import Lists, weekly
from seal_tracker.reports.weeks import Frame, Week
from seal_tracker.situations.kinds import Kinds
from seal_tracker.situations.states import Situation, situation_in
from seal_tracker.store.alarm_reads import RateQuery
from seal_tracker.store.situation_reads import SituationFilter
from seal_tracker.web.availability import available, known_period, part_of
from seal_tracker.web.report_answers import summary_answer
from seal_tracker.web.tasks import task_figures_answer

if TYPE_CHECKING:
    from seal_tracker.plans import Unit
    from seal_tracker.web.context import Live, Reading

__all__ = ["Wanted", "weekly_report"]

RESTRICTED_TOLD: Final = 1000
"""All there can be of a week, and more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which report: of a space and a period as long as the one before it; of ``unit`` and those below it, or of all that is seen.

    ``scope`` are the units that are seen, of those asked for (None: all, and what is no unit's).
    """

    space: str
    from_ms: int
    to_ms: int
    unit: str | None
    scope: frozenset[str] | None
    now_ms: int
    organisation: Names
    kinds: Kinds
    restricted: bool = False


async def weekly_report(store: Reading, live: Live, wanted: Wanted) -> Report:
    """The report as it is now."""
    plan = live.plan(wanted.space)
    units = [unit for unit in (plan.units if plan else ()) if sees(wanted, unit)]
    before_ms = wanted.from_ms - (wanted.to_ms - wanted.from_ms)
    now, pieces = await week(store, live, wanted, wanted.from_ms, wanted.to_ms)
    before, _ = await week(store, live, wanted, before_ms, wanted.from_ms)
    period = wanted.from_ms, wanted.to_ms
    frame = Frame(
        unit=wanted.unit, units=units, kinds=wanted.kinds, organisation=wanted.organisation, made_ms=wanted.now_ms,
        known_ms=known_period(live, wanted.space, period)[1], restricted=wanted.restricted,
    )  # fmt: skip
    situations, more = await situations_of(store, wanted, restricted=False, limit=SITUATIONS_TOLD)
    hidden: Sequence[Situation] = ()
    if wanted.restricted:
        hidden, _ = await situations_of(store, wanted, restricted=True, limit=RESTRICTED_TOLD)
    asked = RateQuery(from_ms=wanted.from_ms, to_ms=wanted.to_ms, scope=wanted.scope)
    lists = Lists(
        situations=situations, situations_more=more, restricted=hidden, equipment=pieces,
        late=await store.late_persons(wanted.space, asked, wanted.now_ms),
    )  # fmt: skip
    return await asyncio.to_thread(weekly, frame, now, before, lists)


def sees(wanted: Wanted, unit: Unit) -> bool:
    """Whether a unit is one of the report's."""
    return wanted.scope is None or unit.id in wanted.scope


async def week(
    store: Reading, live: Live, wanted: Wanted, from_ms: int, to_ms: int
) -> tuple[Week, Sequence[Document]]:
    """One week's answers, and each piece of equipment as it was in it."""
    asked = RateQuery(from_ms=from_ms, to_ms=to_ms, scope=wanted.scope)
    summary = await store.report_summary(wanted.space, asked, min(wanted.now_ms, to_ms))
    known = known_period(live, wanted.space, (from_ms, to_ms))
    found = await available(live, store, wanted.space, known, wanted.scope)
    queries = Queries(wanted.space, from_ms, to_ms, wanted.unit)
    of_units: dict[str | None, list[Available]] = {}
    for piece in found:
        of_units.setdefault(piece.piece.unit, []).append(piece)
    answer: Any = msgspec.to_builtins(summary_answer(wanted.space, asked, summary))
    pieces = [{"id": p.id, "kind": p.kind, "unit": p.unit, **part_of(figures)} for p, figures in found]
    equipment_of = {unit: tallied(pieces) for unit, pieces in of_units.items()}
    asked = replace(asked, now_ms=wanted.now_ms)
    tasks: Any = msgspec.to_builtins(
        task_figures_answer(asked, await store.task_figures(wanted.space, asked))
    )
    return Week(queries, answer, tallied(found), equipment_of, tasks), pieces


def tallied(pieces: Sequence[Available]) -> Document:
    """Pieces together, as the answer has them."""
    return part_of(sum_of(piece.tally for piece in pieces))


async def situations_of(
    store: Reading, wanted: Wanted, *, restricted: bool, limit: int
) -> tuple[Sequence[Situation], bool]:
    """The week's situations, newest first, and whether there are more."""
    which = SituationFilter(
        from_ms=wanted.from_ms, to_ms=wanted.to_ms, units=wanted.scope, restricted=restricted
    )
    rows, more = await store.situations(wanted.space, which, limit=limit)
    return [situation_in(row) for row in rows], more
