"""Plan versions of a space: imported when a folder has changed, read back at a start, applied to the judging.

A large plan is read in a process of its own: reading it here would stop the event loop for seconds, and leave the memory
that a hundred megabytes of JSON took in pieces too small to give back.
"""

from __future__ import annotations

import asyncio
import pickle
import tempfile
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Protocol

import msgspec
import structlog

from geofences.catalog import Fault
from seal_tracker.model import NO_TIME
from seal_tracker.plans.check import render_faults
from seal_tracker.plans.edits import Conflict, differences, joined
from seal_tracker.plans.folder import errors_of, load_files, load_stored
from seal_tracker.plans.model import Diversion, Journey, Plan
from seal_tracker.rejudge import Span
from seal_tracker.store.records import Commit, NewPlan, PlanVersion

__all__ = [
    "DatedPlan",
    "PlanRefusedError",
    "PlanStore",
    "changed_journeys",
    "new_diversions",
    "newest_row",
    "read_plan",
    "record_newest",
    "sharing",
    "spans_of_both",
    "stored_plans",
    "to_import",
    "with_newest",
]

READ_HERE_BYTES = 2_000_000
"""Plans up to this are read in a thread: a tenth of a second, less than a process takes to start."""

DatedPlan = tuple[int, Plan]
"""(in force from, plan); the first version holds from the beginning."""


log = structlog.get_logger(__name__)


class PlanRefusedError(ValueError):
    """A plan stored earlier can no longer be read by this version of the service."""


class Named(Protocol):
    """What a plan has many of, each by its id."""

    @property
    def id(self) -> str: ...


class PlanStore(Protocol):
    """What plan versions are kept in."""

    async def plan_versions(self, space: str) -> list[PlanVersion]: ...  # noqa: D102
    async def commit(self, commit: Commit) -> list[int]: ...  # noqa: D102
    async def last_import(self, space: str) -> tuple[str, dict[str, str]] | None: ...  # noqa: D102


Reader = Callable[[Mapping[str, str | bytes]], tuple[Plan | None, list[Fault]]]


async def read_plan(
    files: Mapping[str, str | bytes], reader: Reader = load_files
) -> tuple[Plan | None, list[Fault]]:
    """The plan that these files make, or None where one has an error; and every fault."""
    if sum(len(text) for text in files.values()) <= READ_HERE_BYTES:
        return await asyncio.to_thread(reader, files)
    with tempfile.TemporaryDirectory() as folder, ProcessPoolExecutor(1, get_context("spawn")) as apart:
        given, made = Path(folder) / "files", Path(folder) / "plan"
        given.write_bytes(pickle.dumps(dict(files), protocol=5))
        await asyncio.get_running_loop().run_in_executor(apart, _read_packed, reader, given, made)
        found: tuple[Plan | None, list[Fault]] = pickle.loads(made.read_bytes())  # noqa: S301 - our own child's
    return found


def _read_packed(reader: Reader, given: Path, made: Path) -> None:
    """What ``reader`` makes of the files in ``given``, into ``made``: pipes take 20 s for what a file takes none."""
    made.write_bytes(pickle.dumps(reader(pickle.loads(given.read_bytes())), protocol=5))  # noqa: S301 - our own parent's


async def stored_plans(store: PlanStore, space: str, known: Plan | None = None) -> list[DatedPlan]:
    """Every version of a space's plan, oldest first; ``known`` is taken where a version is the same.

    What was sound when it was stored and is refused by now is left out of its version, and told: seals are judged by the rest.

    Raises
    ------
    PlanRefusedError
        A whole file of one cannot be read any more.
    """
    plans: list[DatedPlan] = []
    for row in await store.plan_versions(space):
        plan: Plan | None = known
        if known is None or known.digest != row.digest:
            plan, faults = await read_plan(row.files, load_stored)
            if plan is None:
                raise PlanRefusedError(
                    f"plan version {row.version} of space {space!r} cannot be read any more:\n"
                    f"{render_faults(errors_of(faults))}"
                )
            _tell_left_out(space, row.version, plan)
        assert plan is not None
        plan = sharing(plan, plans[-1][1]) if plans else plan
        plans.append(_dated(plan, row.version, row.valid_from_ms, row.recorded_ms))
    return plans


def _tell_left_out(space: str, version: int, plan: Plan) -> None:
    for one in plan.left_out:
        log.error(
            "plan.left_out",
            space=space,
            version=version,
            file=one.file,
            object=one.feature,
            where=one.where,
            what=one.what,
            why=one.why,
            remedy=one.remedy,
            consequence="seals are judged without it, until it is mended in a new version of the plan",
        )


def sharing(plan: Plan, before: Plan) -> Plan:
    """The plan with what it has in common with the version before: all versions stay in memory, for pings that come late."""
    if plan.left_out or before.left_out:
        return plan  # of two equal files not the same may stand
    if plan.files.get("routes.geojson") == before.files.get("routes.geojson"):
        plan = replace(plan, routes=before.routes, route_index=before.route_index, corridors=before.corridors)
    if plan.files.get("zones.geojson") == before.files.get("zones.geojson"):
        plan = replace(plan, zones=before.zones, zone_index=before.zone_index, zone_set=before.zone_set)
    known = {journey.id: journey for journey in before.journeys}
    journeys = ((known.get(now.id), now) for now in plan.journeys)
    return replace(plan, journeys=tuple(now if old is None or old != now else old for old, now in journeys))


def _dated(plan: Plan, version: int, valid_from_ms: int | None, recorded_ms: int) -> DatedPlan:
    at = NO_TIME if valid_from_ms is None else valid_from_ms
    return at, replace(plan, version=version, valid_from_ms=valid_from_ms, recorded_ms=recorded_ms)


def with_newest(plan: Plan, before: list[DatedPlan], now_ms: int) -> list[DatedPlan]:
    """``before`` and ``plan`` as a new version, unless it is the newest already; the first holds always, others from now."""
    if before and before[-1][1].digest == plan.digest:
        return before
    version = before[-1][1].version + 1 if before else 1
    return [*before, _dated(plan, version, now_ms if before else None, now_ms)]


async def to_import(
    store: PlanStore, space: str, folder: Plan, plans: list[DatedPlan]
) -> tuple[Plan | None, list[Conflict]]:
    """What a plan folder makes of a space's plan: the folder's, or it with the edits made here since its last import.

    Returns
    -------
    plan, conflicts
        None where the folder is as it was when it was imported last; objects left as they are here.

    Raises
    ------
    PlanRefusedError
        Together they make no sound plan: the folder needs something, say, that was removed here.
    """
    last = await store.last_import(space)
    if last is None or not plans:
        return folder, []
    digest, files = last
    if digest == folder.digest:
        return None, []
    if plans[-1][1].digest == digest:
        return folder, []
    both, conflicts = joined(files, plans[-1][1].files, folder.files)
    plan, faults = await read_plan(both)
    if plan is None:
        found = render_faults(errors_of(faults))
        raise PlanRefusedError(
            f"the folder and what was edited here since its last import do not go together:\n{found}"
        )
    return plan, conflicts


def newest_row(
    plans: list[DatedPlan],
    now_ms: int,
    *,
    author: str | None = None,
    note: str | None = None,
    folder: Plan | None = None,
) -> NewPlan:
    """The newest version as it is recorded, with what it changes of the one before; ``folder``: it was imported from there."""
    plan = plans[-1][1]
    recorded_ms = now_ms if plan.recorded_ms is None else plan.recorded_ms
    before = plans[-2][1].files if len(plans) > 1 else {}
    found = {name: asdict(one) for name, one in differences(before, plan.files).items()}
    return NewPlan(
        plan.version, plan.valid_from_ms, recorded_ms, plan.digest, plan.files, author, note, msgspec.json.encode(found),
        None if folder is None else folder.digest,
        None if folder is None or folder.digest == plan.digest else folder.files,
    )  # fmt: skip


async def record_newest(
    store: PlanStore, space: str, plans: list[DatedPlan], now_ms: int, folder: Plan | None = None
) -> None:
    """Record the newest version for good.

    Do it when everything is judged by it: a start that is cut short before then finds it new again, and judges again.
    """
    await store.commit(Commit(space=space, plans=[newest_row(plans, now_ms, folder=folder)]))


def changed_journeys(old: tuple[Journey, ...], new: tuple[Journey, ...]) -> dict[str, Span]:
    """Seals whose journeys differ, and when: judged again from there."""
    before, after = ({j.id: j for j in journeys} for journeys in (old, new))
    changed: dict[str, Span] = {}
    for key in before.keys() | after.keys():
        a, b = before.get(key), after.get(key)
        span = None if a == b else _changed(a, b)
        if span is None:
            continue
        for journey in (a, b):
            for seal in () if journey is None else {served.device for served in journey.watched}:
                known = changed.get(seal)
                changed[seal] = _together([span, *([known] if known else [])])
    return changed


def spans_of_both(a: Mapping[str, Span], b: Mapping[str, Span]) -> dict[str, Span]:
    """For each seal of either the stretch that holds what both say of it."""
    return {s: _together([x[s] for x in (a, b) if s in x]) for s in a.keys() | b.keys()}


def new_diversions(old: tuple[Journey, ...], new: tuple[Journey, ...]) -> dict[str, tuple[Diversion, ...]]:
    """Diversions that were not known before, by journey."""
    known = {(j.id, d) for j in old for d in j.diversions}
    found = {j.id: tuple(d for d in j.diversions if (j.id, d) not in known) for j in new}
    return {journey: diversions for journey, diversions in found.items() if diversions}


def _changed(a: Journey | None, b: Journey | None) -> Span | None:
    """When two states of one journey are judged differently: from its arming on, or only where what was ordered of it differs."""
    if a is None or b is None or _without_orders(a) != _without_orders(b):
        return Span(min(j.armed_at_ms for j in (a, b) if j is not None), None)
    spans = [Span(x.from_ms, x.to_ms) for x in set(a.authorisations) ^ set(b.authorisations)]
    spans += [Span(s.from_ms, s.to_ms) for s in set(a.suspensions) ^ set(b.suspensions)]
    spans += [Span(d.at_ms, None) for d in set(a.diversions) ^ set(b.diversions)]
    spans += [Span(r.at_ms, r.at_ms + 1) for r in set(a.resets) ^ set(b.resets)]
    spans += [Span(t.at_ms, None) for t in set(a.transfers) ^ set(b.transfers)]
    if a.disarmed_at_ms != b.disarmed_at_ms:
        ends = [e for e in (a.disarmed_at_ms, b.disarmed_at_ms) if e is not None]
        spans.append(Span(min(ends), max(ends) if len(ends) > 1 else None))
    return _together(spans) if spans else None


def _without_orders(journey: Journey) -> Journey:
    """What is judged from the arming on: neither orders, which have times of their own, nor what only describes it.

    What equipment's facts are held against is judged by them alone (``fact_space``).
    """
    return replace(
        journey, declaration=None, cargo=None, vehicle=None, trailer=None, load=None, box=None, vehicles=(), minerals=None,
        disarmed_at_ms=None, authorisations=(), diversions=(), suspensions=(), resets=(), transfers=(),
    )  # fmt: skip


def _together(spans: Iterable[Span]) -> Span:
    """One stretch that holds all of some."""
    begins, ends = zip(*spans, strict=True)
    return Span(min(begins), None if None in ends else max(ends))
