"""What a start reads before anything arrives: the plan, every space by its stored versions, what differs from what was stored.

No state; ``app`` calls it in this order: `load_plan`, `taken_plan`, `open_spaces`, and once the pipeline stands `commit_opened`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import structlog

from seal_tracker.clock import clock_ms
from seal_tracker.config import Settings
from seal_tracker.model import LIVE
from seal_tracker.pipeline import Pipeline
from seal_tracker.planning import (
    DatedPlan,
    changed_journeys,
    new_diversions,
    read_plan,
    record_newest,
    spans_of_both,
    stored_plans,
    to_import,
    with_newest,
)
from seal_tracker.plans.check import render_faults
from seal_tracker.plans.folder import JOURNEYS, empty_plan, errors_of, load_stored, read_folder
from seal_tracker.plans.model import Diversion, Plan
from seal_tracker.rejudge import Span
from seal_tracker.space import Prepared, SpaceJudge
from seal_tracker.store import Store
from seal_tracker.supervision.custody import moved_along, with_moves
from seal_tracker.supervision.journey_changes import PLAN
from seal_tracker.supervision.journey_plan import PlanJourneys, import_plan, kept_journeys
from seal_tracker.supervision.journeys import deed_of

__all__ = [
    "FolderPlan",
    "Opened",
    "PlanFaultyError",
    "commit_opened",
    "load_plan",
    "open_spaces",
    "taken_plan",
]

log = structlog.get_logger(__name__)


class PlanFaultyError(ValueError):
    """The plan has faults; the text says all of them, as ``check`` does."""


@dataclass(frozen=True)
class FolderPlan:
    """What a plan folder holds: its plan, or why it is none; ``digest`` where all its files can be read at all."""

    plan: Plan | None = None
    refused: PlanFaultyError | None = None
    digest: str | None = None


async def load_plan(settings: Settings) -> FolderPlan:
    """The plan of the folder that the settings name; none where they name none.

    Raises
    ------
    PlanFaultyError
        The folder cannot be read.
    """
    if settings.plan is None:
        return FolderPlan()
    try:
        files = await asyncio.to_thread(read_folder, settings.plan)
    except OSError as fault:
        raise PlanFaultyError(f"the plan cannot be read: {fault}") from fault
    plan, faults = await read_plan(files)
    if plan is None:
        rest, _ = await read_plan(files, load_stored)
        return FolderPlan(
            None, PlanFaultyError(render_faults(errors_of(faults))), None if rest is None else rest.digest
        )
    for found in faults:
        log.warning("plan.warning", file=found.file, feature=found.feature, what=found.what, why=found.why)
    return FolderPlan(plan, None, plan.digest)


async def taken_plan(store: Store, folder: FolderPlan) -> Plan | None:
    """The plan to take up from a folder. None: there is none, or it is the one taken up before, refused by now: what is stored
    of it stands, but for what is left out.

    Raises
    ------
    PlanFaultyError
        It has faults, and is not what was taken up before.
    """
    if folder.refused is None:
        return folder.plan
    last = await store.last_import(LIVE)
    if last is None or last[0] != folder.digest:
        raise folder.refused
    log.error(
        "plan.folder_refused",
        consequence="what was taken up from it before stands",
        faults=str(folder.refused),
    )
    return None


@dataclass(frozen=True)
class Opened:
    """What is to be done once the pipeline stands: commit what loading a space found, judge seals whose journeys changed
    again, and then record the plan (``new_plans``, by which all this was judged) as a version.
    """

    loaded: Prepared
    changed: Mapping[str, Span]
    diverted: Mapping[str, Sequence[Diversion]]
    brought: PlanJourneys
    new_plans: list[DatedPlan] | None = None


async def open_spaces(store: Store, plan: Plan | None) -> tuple[dict[str, SpaceJudge], dict[str, Opened]]:
    """The judging of every space, by its stored plan; the live one's is ``plan`` from now on, where that is new."""
    spaces: dict[str, SpaceJudge] = {}
    opened: dict[str, Opened] = {}
    for row in await store.spaces():
        plans = await stored_plans(store, row.name, plan if row.name == LIVE else None)
        stored = plans[-1][1] if plans else empty_plan()
        all_read = not any(one.file == JOURNEYS for one in stored.left_out)
        kept = await kept_journeys(store, row.name, stored.journeys, clock_ms(), all_read=all_read)
        judging = spaces[row.name] = SpaceJudge(row.name, store)
        # By what it was judged by; what changed is judged again from there.
        loaded = await judging.open(plans, kept)
        newest = plans
        if row.name == LIVE and plan is not None:
            wanted, conflicts = await to_import(store, LIVE, plan, plans)
            newest = plans if wanted is None else with_newest(wanted, plans, clock_ms())
            for one in conflicts:
                log.warning("plan.edited_here_too", file=one.file, object=one.id, what=one.what)
        brought = PlanJourneys()
        if newest is not plans:
            brought = await import_plan(store, row.name, newest[-1][1].journeys, clock_ms())
            await judging.use_plans(newest, brought.taken_over(kept))
        for fault in brought.faults:
            log.warning(
                "plan.journey_left_alone", journey=fault.feature, what=fault.what, remedy=fault.remedy
            )
        changed = changed_journeys(brought.before, brought.after)
        if newest is not plans and plans:
            # A device's clock may be minutes ahead: what it sent is judged by the version of its event time all the same.
            changed = spans_of_both(judging.judged_past(newest[-1][0]), changed)
        opened[row.name] = Opened(
            loaded,
            changed,
            new_diversions(brought.before, brought.after),
            brought,
            None if newest is plans else newest,
        )
    return spaces, opened


async def commit_opened(
    store: Store, pipeline: Pipeline, opened: Mapping[str, Opened], plan: Plan | None
) -> None:
    """Commit what opening the spaces has found; ``plan`` is the folder's."""
    for space, one in opened.items():
        await pipeline.commit_prepared(space, one.loaded)
        again = await pipeline.spaces[space].rejudge_since(one.changed, one.diverted, one.brought.judged)
        deed = deed_of(one.brought.changes)
        if space == LIVE:
            deed = with_moves(
                deed, await moved_along(store, one.brought.judged, PLAN, clock_ms(), strict=False)
            )
        await pipeline.commit_prepared(space, again, deed)
        if one.new_plans is not None:
            await record_newest(store, space, one.new_plans, clock_ms(), plan)
