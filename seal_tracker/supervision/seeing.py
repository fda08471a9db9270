"""Who has seen an alarm: noted once for each person and open alarm, as an action beside those that change it.

A list shows hundreds at a glance and is no seeing; an alarm is seen by whoever opens it, says so, or does anything with it. It gets no new
version by that: who looks stands in nobody's way.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol
from uuid import UUID

from seal_tracker.alarming import action_of
from seal_tracker.alarms.states import CLOSED
from seal_tracker.deeds import Deed
from seal_tracker.store.duty_rows import Seen
from seal_tracker.store.records import AlarmRow
from seal_tracker.supervision.alarms import may_see
from seal_tracker.supervision.errors import Unknown
from seal_tracker.supervision.journey_changes import Actor

__all__ = ["SeenKeeping", "seen"]


class SeenKeeping(Protocol):
    """What is read."""

    async def alarm(self, space: str, alarm: UUID) -> AlarmRow | None: ...  # noqa: D102
    async def alarm_seen(self, space: str, alarm: UUID) -> Sequence[Seen]: ...  # noqa: D102


async def seen(
    store: SeenKeeping,
    space: str,
    alarm: UUID,
    actor: Actor,
    scope: Collection[str] | None,
    now_ms: int,
) -> Deed:
    """That a person has seen an alarm; nothing where they have before, or where it is closed and nobody need see it any more.

    Raises
    ------
    Unknown
        There is no such alarm to see.
    """
    row = await store.alarm(space, alarm)
    if row is None or not may_see(scope, row):
        raise Unknown(f"there is no alarm {str(alarm)!r}", field="alarm")
    if row.state == CLOSED or any(one.by == actor.name for one in await store.alarm_seen(space, alarm)):
        return Deed()
    return Deed(actions=[action_of(row, "seen", actor.name, actor.role, now_ms, {})])
