"""Alarms beside judging: what a commit's events make of them, and what the clock does. Reads the store; writes nothing.

events ─ alarms concerned, alike, nearby ─ derived ─┐
now ──── alarms whose time has come ─────── timed ──┴─ rows, steps, actions ─ (commit)

No state of its own: all there is to know of an alarm is its row.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

import msgspec

from seal_tracker.alarms.deadlines import Terms
from seal_tracker.alarms.derive import Derived, derived
from seal_tracker.alarms.due import SYSTEM, timed
from seal_tracker.alarms.grouping import GROUP_WINDOW_MS
from seal_tracker.alarms.of_episodes import alarming, first_alarm_id, subject_of
from seal_tracker.alarms.responsibility import answering, lies_in, responsible_unit, upwards
from seal_tracker.alarms.rows import alarm_in, row_of
from seal_tracker.alarms.states import SUPPRESSED
from seal_tracker.alarms.suppressions import NO_ORDERS, Orders, orders_in
from seal_tracker.alarms.surroundings import Surroundings
from seal_tracker.deeds import Deed, Step
from seal_tracker.hooks.letters import escalation_mail
from seal_tracker.model import LIVE, Event, key_of
from seal_tracker.space import SpaceJudge
from seal_tracker.store import AlarmRow
from seal_tracker.store.alarm_reads import Alike, Around, Asked
from seal_tracker.store.records import Action, SuppressionRow
from seal_tracker.tracking.epochs import JourneyTable
from seal_tracker.ways import Way

__all__ = ["AlarmStore", "Changed", "action_of", "alarms_after", "alarms_due"]

TIMED_AT_ONCE = 500
"""Alarms that the clock changes in one commit; the rest in the next, at once."""

SERVICE_ROLE = "service"


class AlarmStore(Protocol):
    """What is read of alarms."""

    async def alarms_around(self, space: str, asked: Asked) -> Around: ...  # noqa: D102
    async def suppressions_standing(  # noqa: D102
        self, space: str, from_ms: int, to_ms: int
    ) -> list[SuppressionRow]: ...
    async def alarms_timed(self, space: str, now_ms: int, limit: int) -> list[AlarmRow]: ...  # noqa: D102
    async def absent_officers(self, at_ms: int) -> frozenset[str]: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Changed:
    """Alarms as they stand after a commit, by id, and the actions of the service itself that led there; ``steps``: those that are told."""

    rows: Mapping[UUID, AlarmRow]
    actions: Sequence[Action] = ()
    steps: Sequence[Step] = ()


async def alarms_after(
    store: AlarmStore,
    judging: SpaceJudge,
    events: Sequence[Event],
    acted: Mapping[UUID, AlarmRow],
    terms: Terms,
    ways: Mapping[str, Way],
) -> Changed:
    """What a commit's events make of alarms, those that persons change in the same commit (``acted``) among them.

    ``ways`` are by which way seals are heard, as of this commit.
    """
    concerned = [e for e in events if alarming(e.episode) or e.references]
    if not concerned:
        return Changed(acted)
    found, orders = await asyncio.gather(  # beside each other: an alert waits for the slowest alone
        store.alarms_around(judging.space, _asked(concerned)), _orders(store, judging, concerned)
    )
    around = _surroundings(judging, found, acted, terms, ways, orders)
    after = derived(events, [acted.get(row.id, row) for row in found.concerned], around)
    return Changed({**acted, **after.rows}, _actions(after), _steps(after))


async def alarms_due(
    store: AlarmStore, judging: SpaceJudge, now_ms: int, recorded_ms: int, terms: Terms
) -> Deed:
    """What the clock makes of alarms by the space's now: at most `TIMED_AT_ONCE` of them."""
    rows = await store.alarms_timed(judging.space, now_ms, TIMED_AT_ONCE)
    units = judging.plan.units if judging.plan else ()
    absent = await store.absent_officers(now_ms) if rows and judging.space == LIVE else frozenset()
    contacts = {unit.id: unit.contact for unit in units}
    after, steps, actions, mails = [], [], [], []
    for row in rows:
        alarm = alarm_in(row)
        while (step := timed(alarm, now_ms, terms, answering(units, alarm.responsible, absent))) is not None:
            alarm = step.alarm
            changed = row_of(alarm, row.episodes)
            steps.append(Step(changed, alarm.version, step.name, now_ms, SYSTEM, _encoded(step.detail)))
            actions.append(action_of(changed, step.name, SYSTEM, SERVICE_ROLE, recorded_ms, step.detail))
            if step.name == "escalated" and judging.space == LIVE:
                mails.append(
                    escalation_mail(steps[-1], alarm, step.detail, contacts.get(step.detail["unit"]))
                )
        if alarm.version != row.version:
            after.append(row_of(alarm, row.episodes))
    return Deed(
        alarms=after, steps=steps, actions=actions, mails=[mail for mail in mails if mail is not None]
    )


def action_of(
    row: AlarmRow, step: str, actor: str, role: str, at_ms: int, detail: Mapping[str, Any]
) -> Action:
    """A step of an alarm as the audit trail keeps it, with the state and version it led to."""
    body = {"state": row.state, "version": row.version, **detail}
    return Action(
        at_ms, actor, role, f"alarm.{step}", f"alarm/{row.id}", row.journey, row.unit, _encoded(body)
    )


def _asked(concerned: Sequence[Event]) -> Asked:
    """The alarms there may be about what is told. An episode told of for the first time has none of its own."""
    again = [e.episode.episode for e in concerned if e.revision > 1]
    raised = [e for e in concerned if e.transition == "raised"]
    return Asked(
        episodes={*again, *(r for e in concerned for r in e.references)},
        first_ids=list(map(first_alarm_id, again)),
        alike=sorted(
            {Alike(subject_of(e.episode), e.episode.type, e.episode.object) for e in raised}, key=str
        ),
        windows=_windows(raised),
    )


def _surroundings(
    judging: SpaceJudge,
    found: Around,
    acted: Mapping[UUID, AlarmRow],
    terms: Terms,
    ways: Mapping[str, Way],
    orders: Orders,
) -> Surroundings:
    plan, table = judging.plan, judging.journeys
    return Surroundings(
        now_ms=None if judging.space == LIVE else judging.now_ms,
        terms=terms,
        responsible=lambda place, unit: responsible_unit(plan, place, unit),
        declaration=lambda journey: _declaration(table, journey),
        ways=ways,
        orders=orders,
        alike=[acted.get(row.id, row) for row in found.alike],
        beginnings=found.beginnings,
    )


async def _orders(store: AlarmStore, judging: SpaceJudge, concerned: Sequence[Event]) -> Orders:
    """Orders that may cover what is raised, or has become worse, and how to tell."""
    times = [e.episode.raised_at_ms for e in concerned if e.transition in {"raised", "updated"}]
    if not times:
        return NO_ORDERS
    rows = await store.suppressions_standing(judging.space, min(times), max(times))
    plan = judging.plan
    units = {unit.id: unit for unit in plan.units} if plan else {}
    return Orders(
        orders_in(rows),
        lambda place, zone: lies_in(plan, place, zone),
        lambda unit: [above.id for above in upwards(units, unit)] or ([unit] if unit else []),
    )


def _windows(raised: Iterable[Event]) -> dict[str, tuple[int, int]]:
    """For each type the time in which a group may have begun that something raised belongs to."""
    found: dict[str, tuple[int, int]] = {}
    for event in raised:
        at_ms, type_ = event.episode.raised_at_ms, event.episode.type
        after, before = found.get(type_, (at_ms, at_ms))
        found[type_] = (min(after, at_ms), max(before, at_ms))
    return {type_: (a - GROUP_WINDOW_MS, b + GROUP_WINDOW_MS) for type_, (a, b) in found.items()}


def _declaration(table: JourneyTable, journey: str | None) -> str | None:
    at = None if journey is None else table.by_key.get(key_of(journey))
    return None if at is None else table.journeys[at].declaration


def _actions(found: Derived) -> list[Action]:
    return [
        action_of(found.rows[p.alarm], p.name, SYSTEM, SERVICE_ROLE, p.at_ms, p.detail)
        for p in found.passages
        if p.alarm in found.rows
    ]


def _steps(found: Derived) -> list[Step]:
    """What no event of the episode itself tells: that an order has suppressed an alarm."""
    return [
        Step(row, row.version, p.name, p.at_ms, SYSTEM, _encoded(p.detail))
        for p in found.passages
        if p.name == SUPPRESSED and (row := found.rows.get(p.alarm)) is not None
    ]


def _encoded(value: Mapping[str, Any]) -> bytes:
    return msgspec.json.encode(value)
