"""Tries an edit of the plan on what was driven lately, before anybody saves it: nothing is changed by it.

edit ── read as any plan ── journeys it touches ── their pings ── judged by both plans ── what would be gained and lost
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol

from geofences.catalog import Fault
from seal_tracker.backtest import Compared, compare
from seal_tracker.journey import Journey
from seal_tracker.journey_record import as_judged, read_record
from seal_tracker.model import LIVE, PingBatch
from seal_tracker.planning import read_plan
from seal_tracker.plans.edits import COLLECTIONS, differences, features_of
from seal_tracker.plans.model import Plan
from seal_tracker.replaying import FOREVER_MS, PORTION_PINGS
from seal_tracker.store.records import Portion
from seal_tracker.supervision.plan_editing import Change
from seal_tracker.trial import judged_by, routes_near

__all__ = ["MOST_JOURNEYS", "PlanTried", "TrialStore", "try_plan"]

MOST_JOURNEYS: Final = 100
"""Journeys whose tracks are judged anew, the last armed first: seconds of a core, while pings go on being judged."""


class TrialStore(Protocol):
    """What is read."""

    async def journeys_ending_after(self, space: str, after_ms: int) -> list[str]: ...  # noqa: D102
    async def pings_portion(  # noqa: D102
        self, seals: Sequence[int], after_ms: Sequence[int], until_ms: Sequence[int], most: int
    ) -> Portion: ...


@dataclass(frozen=True, slots=True)
class PlanTried:
    """What an edit would do.

    Attributes
    ----------
    faults
        of the edited plan; with an error among them nothing else was tried.
    under_way
        journeys that are under way and that the edit touches.
    touched, tried
        how many journeys of the period it touches, and how many of their tracks were judged.
    compared
        what would be gained, lost and changed; None where nothing was tried.
    """

    faults: Sequence[Fault]
    under_way: Sequence[str] = ()
    touched: int = 0
    tried: int = 0
    pings: int = 0
    compared: Compared | None = None


async def try_plan(
    store: TrialStore,
    numbers: Mapping[str, int],
    base: Plan,
    change: Change,
    *,
    from_ms: int,
    now_ms: int,
    units: Collection[str] | None,
) -> PlanTried:
    """Try ``change`` of the files of ``base`` on journeys that were under way since ``from_ms``; of some units alone where given."""
    files = await asyncio.to_thread(change, base.files)
    plan, faults = await read_plan(files)
    if plan is None:
        return PlanTried(faults)
    touched_routes = await asyncio.to_thread(_touched, base.files, files)
    records = [read_record(body) for body in await store.journeys_ending_after(LIVE, from_ms)]
    judged = [journey for record in records if (journey := as_judged(record)) is not None]
    touched = [
        one
        for one in judged
        if (one.disarmed_at_ms is None or one.disarmed_at_ms > from_ms)
        and {one.route, *(d.route for d in one.diversions)} & touched_routes
        and (units is None or one.unit in units)
    ]
    touched.sort(key=lambda one: -one.armed_at_ms)
    chosen = [one for one in touched if one.lead in numbers][:MOST_JOURNEYS]
    pings = PingBatch.concat([part for one in chosen for part in await _pings(store, numbers, one, now_ms)])
    compared = (
        await asyncio.to_thread(_compared, base, plan, chosen, numbers, pings, now_ms) if len(pings) else None
    )
    under_way = [one.id for one in touched if one.disarmed_at_ms is None]
    return PlanTried(faults, sorted(under_way), len(touched), len(chosen), len(pings), compared)


def _compared(
    base: Plan,
    plan: Plan,
    journeys: Sequence[Journey],
    numbers: Mapping[str, int],
    pings: PingBatch,
    now_ms: int,
) -> Compared:
    # Of one number: an episode that is told by another version alone is no other.
    both = base, replace(plan, version=base.version)
    return compare(*(judged_by(one, journeys, numbers, pings, now_ms) for one in both))


def _touched(before: Mapping[str, str], after: Mapping[str, str]) -> set[str]:
    """Routes that are others, and those that pass zones that are others, there or gone."""
    changed = differences(before, after)
    found: set[str] = set()
    both = [
        {name: features_of(files[file]) for name, file in COLLECTIONS.items()} for files in (before, after)
    ]
    for name, what in changed.items():
        ids = {*what.added, *what.changed, *what.removed}
        if name == "routes":
            found |= ids
        elif name == "zones":
            zones: list[Mapping[str, Any]] = [
                side["zones"][one] for side in both for one in ids & side["zones"].keys()
            ]
            found |= set(routes_near(zones, {**both[0]["routes"], **both[1]["routes"]}))
    return found


async def _pings(
    store: TrialStore, numbers: Mapping[str, int], journey: Journey, now_ms: int
) -> list[PingBatch]:
    """What the journey's leading devices sent while it was armed."""
    parts = []
    for served in journey.served:
        if not served.leads or served.device not in numbers:
            continue
        after_ms, until_ms = (
            served.from_ms - 1,
            min(now_ms, FOREVER_MS if served.to_ms is None else served.to_ms - 1),
        )
        while after_ms < until_ms:
            portion = await store.pings_portion(
                [numbers[served.device]], [after_ms], [until_ms], PORTION_PINGS
            )
            parts.append(portion.pings)
            (after_ms,) = portion.through_ms
    return parts
