"""Journeys of a plan folder into those that are kept: new ones in, changed ones anew, but not over what a person has changed.

What the folder says of a journey is remembered by its digest: only a line that differs from its last import counts as changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from msgspec.structs import replace

from geofences.catalog import Fault
from seal_tracker.in_force import HELD_MS, InForce, JourneyStore, journeys_held
from seal_tracker.journey import Journey
from seal_tracker.journey_record import JourneyRecord, as_judged, digest_of, read_record, record_of, written
from seal_tracker.model import LIVE, NO_TIME
from seal_tracker.store.journey_reads import Overlap
from seal_tracker.store.journey_rows import JourneyChange, JourneyRow
from seal_tracker.store.records import Commit
from seal_tracker.supervision.journey_changes import PLAN, change_of
from seal_tracker.supervision.journeys import deed_of, wanted_of

__all__ = ["PlanJourneys", "commit_of", "import_plan", "kept_journeys"]

FILE = "journeys.jsonl"

LEFT_OUT = b""
"""Digest of what the plan brought once and has no longer."""


class Planned(Protocol):
    """What is read."""

    async def journeys_planned(self, space: str) -> dict[str, tuple[bytes, bool]]: ...
    async def journeys_known(self, space: str, ids: Iterable[str]) -> set[str]: ...
    async def journeys_named(self, space: str, ids: Iterable[str]) -> dict[str, JourneyRow]: ...
    async def journeys_overlapping(
        self, space: str, wanted: Sequence[tuple[str, str, int, int | None]]
    ) -> list[Overlap]: ...


class PlanKeeping(Planned, JourneyStore, Protocol):
    """What is read, and where it is committed at a start."""

    async def commit(self, commit: Commit) -> list[int]: ...


@dataclass(frozen=True)
class PlanJourneys:
    """What a plan changes of the journeys: rows, (as judged before, after), and what was left alone and why."""

    changes: Sequence[JourneyChange] = ()
    judged: Sequence[tuple[Journey | None, Journey | None]] = ()
    faults: Sequence[Fault] = ()

    @property
    def before(self) -> tuple[Journey, ...]:
        """What was judged of those that change."""
        return tuple(journey for journey, _ in self.judged if journey is not None)

    @property
    def after(self) -> tuple[Journey, ...]:
        """What is judged of them from now on."""
        return tuple(journey for _, journey in self.judged if journey is not None)

    def taken_over(self, kept: InForce) -> InForce:
        """The journeys in force with these changes."""
        return kept.changed({j.id: None for j in self.before} | {j.id: j for j in self.after})


async def import_plan(
    store: Planned, space: str, journeys: Sequence[Journey], now_ms: int, *, all_read: bool = True
) -> PlanJourneys:
    """Find what a plan's journeys change of those kept. Not ``all_read``: those that are not among them stay as they are."""
    planned = await store.journeys_planned(space)
    records = {journey.id: record_of(journey) for journey in journeys}
    digests = {name: digest_of(written(record)) for name, record in records.items()}
    new = [name for name in records if name not in planned]
    taken = await store.journeys_known(space, new) if new else set()
    changed = [n for n in records if n in planned and planned[n][0] != digests[n]]
    faults = [_conflict(n, "was declared here by a person") for n in sorted(taken)]
    faults += [_conflict(n, "has been changed here by a person") for n in changed if planned[n][1]]
    left_out = [
        n
        for n, (was, edited) in planned.items()
        if all_read and n not in records and not edited and was != LEFT_OUT
    ]
    wanted = [n for n in new if n not in taken] + [n for n in changed if not planned[n][1]]
    if not wanted and not left_out:
        return PlanJourneys(faults=faults)
    before = await store.journeys_named(space, [*changed, *left_out])
    overlapping = await store.journeys_overlapping(space, wanted_of(records[n] for n in wanted))
    among = {*wanted, *left_out}
    clashes = {o.journey: o for o in overlapping if o.other not in among}
    faults += [_conflict(o.journey, f"needs “{o.seal}”, armed for “{o.other}”") for o in clashes.values()]
    after = {n: records[n] for n in wanted if n not in clashes}
    after |= {n: _withdrawn(before[n]) for n in left_out}
    changes = [
        change_of(
            record,
            before.get(name),
            PLAN,
            "import" if name in records else "withdraw",
            at_ms=now_ms,
            now_ms=now_ms,
            plan_digest=digests.get(name, LEFT_OUT),
        )
        for name, record in after.items()
    ]
    was = {name: as_judged(read_record(row.body)) for name, row in before.items()}
    judged = [(was.get(name), as_judged(record)) for name, record in after.items()]
    return PlanJourneys(changes, [(a, b) for a, b in judged if a != b], faults)


async def kept_journeys(
    store: PlanKeeping, space: str, journeys: Sequence[Journey], now_ms: int, *, all_read: bool = True
) -> InForce:
    """The journeys by which a space has been judged up to now, those of its newest stored plan among them.

    A database from before journeys were kept has them in the plan alone: they are committed first.
    """
    brought = await import_plan(store, space, journeys, now_ms, all_read=all_read)
    if brought.changes:
        await store.commit(commit_of(space, brought))
    held_from_ms = now_ms - HELD_MS if space == LIVE else NO_TIME
    return InForce(await journeys_held(store, space, held_from_ms), held_from_ms)


def commit_of(space: str, brought: PlanJourneys) -> Commit:
    """What a plan brings, to be committed by itself."""
    deed = deed_of(brought.changes)
    return Commit(space=space, journeys=deed.journeys, actions=deed.actions)


def _withdrawn(row: JourneyRow) -> JourneyRecord:
    return replace(read_record(row.body), withdrawn=True)


def _conflict(journey: str, what: str) -> Fault:
    return Fault(
        FILE,
        journey,
        "",
        what,
        "it is left as it is",
        "change it over the API, or leave the line out",
        "warning",
    )
