"""The desk at which persons keep journeys: it looks at the store, decides, and gives what is to be committed.

    work(judging) ── read ── decide (life_cycle, journey_orders) ── SpaceJudge.change_journeys ── (Prepared, Deed)

Every method is run by `Pipeline.act`, between two batches: what it has read stands until its deed is committed. A refusal is
raised (see ``errors``), and nothing was changed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from geofences.catalog import Fault
from seal_tracker.custody.rows import AssetRow
from seal_tracker.deeds import Deed
from seal_tracker.journey import Journey
from seal_tracker.journey_record import JourneyRecord, as_judged, read_record
from seal_tracker.model import LIVE, iso_ms
from seal_tracker.plans.admission import Reason, refusals
from seal_tracker.plans.model import Plan
from seal_tracker.plans.on_route import named_besides, structures_on
from seal_tracker.prepared import Prepared
from seal_tracker.publishing.cloudevents import JourneyState, state_payload
from seal_tracker.publishing.topics import journey_topic
from seal_tracker.rules.catalog import POLICY_KEYS
from seal_tracker.space import SpaceJudge
from seal_tracker.store.journey_reads import Overlap
from seal_tracker.store.journey_rows import JourneyChange, JourneyRow
from seal_tracker.store.records import OutboxMessage
from seal_tracker.supervision.custody import moved_along, with_moves
from seal_tracker.supervision.errors import Clash, NotAdmitted, Unfit, Unknown
from seal_tracker.supervision.journey_changes import Actor, action_of, change_of
from seal_tracker.supervision.journey_orders import Order, applied
from seal_tracker.supervision.journey_reading import JourneysRead, faulty_lines, line_of
from seal_tracker.supervision.life_cycle import Verb

__all__ = ["JourneyDesk", "JourneyKeeping", "admit", "deed_of", "reasons_against", "seen_by", "wanted_of"]

Work = tuple[Prepared, Deed]


class JourneyKeeping(Protocol):
    """What is read."""

    async def journey(self, space: str, journey: str) -> JourneyRow | None: ...  # noqa: D102
    async def journeys_known(self, space: str, ids: Iterable[str]) -> set[str]: ...  # noqa: D102
    async def journeys_overlapping(  # noqa: D102
        self, space: str, wanted: Sequence[tuple[str, str, int, int | None]]
    ) -> list[Overlap]: ...
    async def journeys_named(self, space: str, ids: Iterable[str]) -> Mapping[str, JourneyRow]: ...  # noqa: D102
    async def seal_assets_named(self, space: str, seals: Iterable[str]) -> Mapping[str, AssetRow]: ...  # noqa: D102


@dataclass(frozen=True)
class JourneyDesk:
    """Works with a store; ``clock_ms`` is our clock, ``tenant`` that of the topics, ``scope`` the units that the asker may see (None: all);
    ``registered_only``: of seals those alone are armed that are registered as assets.
    """

    store: JourneyKeeping
    tenant: str
    clock_ms: Callable[[], int]
    scope: Collection[str] | None = None
    registered_only: bool = False

    async def declare(self, judging: SpaceJudge, record: JourneyRecord, actor: Actor) -> Work:
        """Take in one journey.

        Raises
        ------
        Clash
            The id is taken, or a seal is armed for another journey.
        NotAdmitted
            It is armed, and of an oversized vehicle that may not go.
        """
        if await self.store.journeys_known(judging.space, [record.id]):
            raise Clash(f"there is a journey {record.id!r} already; choose another id", field="id")
        await self._check_free(judging.space, [record])
        admit(judging, record)
        return await self._take_in(judging, [record], actor, "declare")

    async def import_all(self, judging: SpaceJudge, read: JourneysRead, actor: Actor) -> Work:
        """Take in all journeys of a file, or none.

        Raises
        ------
        Unfit
            With every fault of the file, and one for each journey whose id is taken, whose seal is armed for another journey, or
            that is armed with an oversized vehicle that may not go.
        """
        faults = [fault for fault in read.faults if fault.level == "error"]
        faults += await self._taken(judging.space, read)
        faults += _not_admitted(judging, read)
        if faults:
            lines = faulty_lines(faults)
            text = f"{len(faults)} faults; nothing was taken in. Lines: {lines or 'none can be told'}"
            raise Unfit(
                text, field="body", faults=sorted(faults, key=lambda fault: line_of(fault.where) or 0)
            )
        if not read.records:
            raise Unfit("the file has no journeys; write one on each line", field="body")
        return await self._take_in(judging, read.records, actor, "import")

    async def _taken(self, space: str, read: JourneysRead) -> list[Fault]:
        """A fault for each journey that contradicts what is stored."""
        known = await self.store.journeys_known(space, [record.id for record in read.records])
        why, remedy = "an id names one journey", "leave the line out, or rename it"
        faults = [
            Fault("", name, f"line {read.lines.get(name, 0)}: id", "is there already", why, remedy)
            for name in sorted(known)
        ]
        for overlap in await self._overlapping(space, read.records):
            what = f"“{overlap.seal}” is armed for {overlap.other} {_span(overlap)}"
            where = f"line {read.lines.get(overlap.journey, 0)}: armed_at"
            why, remedy = "a seal serves one journey at a time", f"disarm {overlap.other} before"
            faults.append(Fault("", overlap.journey, where, what, why, remedy))
        return faults

    async def order(
        self, judging: SpaceJudge, row: JourneyRow, order: Order, actor: Actor
    ) -> tuple[JourneyChange, Work]:
        """Do to a journey, as it stands, what was ordered.

        Raises
        ------
        WrongState, Unfit, Clash, NotAdmitted
            As their names say.
        """
        _check_names(judging, order)
        before = read_record(row.body)
        record = applied(before, order, self.clock_ms())
        if order.verb in {Verb.ARM, Verb.TRANSFER, Verb.CORRECT}:
            await self._check_free(judging.space, [record])
        if order.verb is Verb.ARM:
            admit(judging, record)
        change = change_of(
            record,
            row,
            actor,
            order.verb,
            at_ms=order.at_ms,
            now_ms=self.clock_ms(),
            reason=order.reason,
        )
        judged = [(as_judged(before), as_judged(record))]
        moves = await self._moves(judging, judged, actor)
        prepared = await _judged(judging, judged)
        deed = deed_of([change], outbox=self._told(judging, change, record))
        return change, (prepared, with_moves(deed, moves))

    async def _take_in(
        self, judging: SpaceJudge, records: Sequence[JourneyRecord], actor: Actor, verb: str
    ) -> Work:
        judged = [(None, as_judged(record)) for record in records]
        moves = await self._moves(judging, judged, actor)
        deed = await asyncio.to_thread(_declared, records, actor, verb, self.clock_ms())
        prepared = await _judged(judging, judged)
        return prepared, with_moves(deed, moves)

    async def _moves(
        self, judging: SpaceJudge, pairs: Sequence[tuple[Journey | None, Journey | None]], actor: Actor
    ) -> Deed:
        """What it does to seals as assets, which are live alone."""
        if judging.space != LIVE:
            return Deed()
        return await moved_along(
            self.store, pairs, actor, self.clock_ms(), registered_only=self.registered_only
        )

    async def _check_free(self, space: str, records: Sequence[JourneyRecord]) -> None:
        for taken in await self._overlapping(space, records):
            raise Clash(
                f"seal {taken.seal!r} is armed for {taken.other} {_span(taken)}; a seal serves one journey at a time: "
                f"disarm {taken.other} before, or choose another seal",
                field="at",
            )

    async def _overlapping(self, space: str, records: Sequence[JourneyRecord]) -> list[Overlap]:
        """Which seals are taken then, ``other`` saying by what, as far as the asker may see it."""
        found = await self.store.journeys_overlapping(space, wanted_of(records))
        if not found:
            return []
        others = await self.store.journeys_named(space, {overlap.other for overlap in found})
        seen = {name for name, row in others.items() if self.scope is None or row.unit in self.scope}
        return [
            replace(o, other=f"journey {o.other!r}" if o.other in seen else "a journey of another unit")
            for o in found
        ]

    def _told(self, judging: SpaceJudge, change: JourneyChange, record: JourneyRecord) -> list[OutboxMessage]:
        """The retained state of a journey whose seal is off it: that it waits to be closed, or nothing any more."""
        state = change.row.state
        if state not in {"DISARMED", "CLOSED", "CANCELLED"}:
            return []
        topic = journey_topic(self.tenant, record.id, judging.space)
        judged = as_judged(record)
        payload = b""
        if state == "DISARMED" and judged is not None:
            payload = state_payload(
                JourneyState(
                    journey=record.id,
                    state=state,
                    seal=judged.lead,
                    status=state,
                    route=record.route,
                    progress_pct=None,
                    eta=None,
                    open_alarms=(),
                    updated_at=iso_ms(change.row.changed_ms),
                    exercise=judging.space != LIVE,
                )
            )
        return [OutboxMessage(f"{judging.space} journey/{record.id}", topic, payload, retain=True)]


def _declared(records: Sequence[JourneyRecord], actor: Actor, verb: str, now_ms: int) -> Deed:
    """Their first versions. In a thread: 10,000 take half a second, in which others are answered."""
    return deed_of([change_of(r, None, actor, verb, at_ms=now_ms, now_ms=now_ms) for r in records])


def seen_by(row: JourneyRow | None, journey: str, scope: Collection[str] | None) -> JourneyRow:
    """The row, where there is one and it is of a unit of the scope (None: all).

    Raises
    ------
    Unknown
        Else.
    """
    if row is None or (scope is not None and row.unit not in scope):
        raise Unknown(f"there is no journey {journey!r}")
    return row


def wanted_of(records: Iterable[JourneyRecord]) -> list[tuple[str, str, int, int | None]]:
    """(journey, seal, from, to) of the seals that these journeys have armed."""
    judged = (journey for record in records if (journey := as_judged(record)) is not None)
    return [
        (j.id, s.device, s.from_ms, s.to_ms) for j in judged for s in j.served if s.leads or s.role == "seal"
    ]


def deed_of(changes: Sequence[JourneyChange], *, outbox: Sequence[OutboxMessage] = ()) -> Deed:
    """The changes with their actions."""
    return Deed(actions=[action_of(change) for change in changes], journeys=changes, outbox=outbox)


async def _judged(judging: SpaceJudge, pairs: Sequence[tuple[Journey | None, Journey | None]]) -> Prepared:
    """What it changes, where what is judged changes at all."""
    differing = [(before, after) for before, after in pairs if before != after]
    return await judging.change_journeys(differing) if differing else Prepared()


def admit(judging: SpaceJudge, record: JourneyRecord) -> None:
    """Refuse to arm an oversized vehicle that may not go.

    Raises
    ------
    NotAdmitted
        With every reason.
    """
    reasons = reasons_against(judging.plan, record)
    if reasons:
        raise NotAdmitted(record.id, reasons)


def reasons_against(plan: Plan | None, record: JourneyRecord, at_ms: int | None = None) -> list[Reason]:
    """Why a journey may not be armed when it is, or at ``at_ms``; none where it is not armed at all."""
    at_ms = record.armed_at_ms if at_ms is None else at_ms
    if at_ms is None or (record.permit is None and record.regime != "oversized"):
        return []
    structures = structures_on(plan, record.route, at_ms) if plan else []
    if plan is not None and record.permit is not None and record.permit.get("structures"):
        zones = {one["zone"]: plan.zone_index.get(one["zone"]) for one in record.permit["structures"]}
        drawn = {name: plan.zones[i] for name, i in zones.items() if i is not None}
        structures += named_besides(record.permit, structures, drawn, at_ms)
    return refusals(record, structures, plan.registry if plan else {}, at_ms)


def _not_admitted(judging: SpaceJudge, read: JourneysRead) -> Iterator[Fault]:
    """A fault for each reason why a journey of a file may not be armed."""
    for record in read.records:
        for reason in reasons_against(judging.plan, record):
            where = f"line {read.lines.get(record.id, 0)}: {reason.field}"
            yield Fault("", record.id, where, reason.text.en, reason.text.vi, "correct it, or do not arm it")


def _check_names(judging: SpaceJudge, order: Order) -> None:
    """Refuse what names a route, zone or rule that there is not."""
    plan = judging.plan
    known: Mapping[str, tuple[str | None, Collection[str]]] = {
        "route": (order.route, plan.route_index if plan else ()),
        "zone": (order.zone, plan.zone_index if plan else ()),
        "rule": (order.rule, POLICY_KEYS),
    }
    for field, (name, names) in known.items():
        if name is not None and name not in names:
            raise Unfit(f"{field}: there is no {field} {name!r}; name one of the plan in force", field=field)


def _span(overlap: Overlap) -> str:
    begin = f"from {iso_ms(overlap.from_ms)}"
    return f"{begin} on" if overlap.to_ms is None else f"{begin} to {iso_ms(overlap.to_ms)}"
