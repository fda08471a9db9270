"""The desk at which persons keep duty: shifts, and what one leaves to the next.

Every method is run by `Pipeline.act`, between two batches: what it has read stands until its deed is committed. A refusal is raised
(see ``errors``), and nothing was changed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol
from uuid import UUID, uuid4

import msgspec

from seal_tracker.alarms.rows import alarm_in
from seal_tracker.alarms.states import OPEN_STATES
from seal_tracker.deeds import Deed
from seal_tracker.model import LIVE, iso_ms, iso_or_none
from seal_tracker.store.alarm_reads import AlarmFilter
from seal_tracker.store.duty_rows import HandOverRow, ShiftRow
from seal_tracker.store.records import Action, AlarmRow
from seal_tracker.supervision.duty_rules import (
    cancelled,
    check_free,
    check_times,
    check_to,
    edited,
    taken_over,
)
from seal_tracker.supervision.errors import Unfit, Unknown, WrongState
from seal_tracker.supervision.journey_changes import Actor

__all__ = ["DutyDesk", "DutyKeeping"]

Scope = Collection[str] | None

ALARMS_LISTED: Final = 1000
"""Open alarms that a hand-over lists, the first by priority."""


class DutyKeeping(Protocol):
    """What is read."""

    async def shift(self, shift: UUID) -> ShiftRow | None: ...  # noqa: D102
    async def shifts_of_officer(  # noqa: D102
        self, officer: str, from_ms: int, to_ms: int
    ) -> Sequence[ShiftRow]: ...
    async def hand_over(self, hand_over: UUID) -> HandOverRow | None: ...  # noqa: D102
    async def hand_overs_of(self, shifts: Iterable[UUID]) -> dict[UUID, UUID]: ...  # noqa: D102
    async def hand_over_waiting_for(self, shift: UUID) -> UUID | None: ...  # noqa: D102
    async def alarms_open_count(self, space: str, units: Scope) -> int: ...  # noqa: D102
    async def alarms(  # noqa: D102
        self, space: str, wanted: AlarmFilter, *, open_only: bool, by_priority: bool, limit: int
    ) -> tuple[Sequence[AlarmRow], str | None]: ...


@dataclass(frozen=True)
class DutyDesk:
    """Works with a store; ``actor`` is who acts, ``scope`` the units that they may see (None: all)."""

    store: DutyKeeping
    actor: Actor
    scope: Scope

    async def plan(self, shift: ShiftRow) -> Deed:
        """Add a shift.

        Raises
        ------
        Unfit, Clash
            Its times cannot be, or its officer is on another one then.
        """
        check_times(shift.begins_ms, shift.ends_ms, shift.changed_ms)
        await self._check_free(shift)
        return Deed(actions=[self._planned(shift)], shifts=[shift])

    async def edit(
        self,
        shift_id: UUID,
        changes: Callable[[ShiftRow], Mapping[str, Any]],
        check: Callable[[int], None],
        now_ms: int,
        reason: str | None = None,
    ) -> Deed:
        """Change a shift; ``changes`` says what, given it as it stands, ``check`` refuses a version that is outdated.

        Raises
        ------
        Unknown, Unfit, WrongState, Clash
            There is no such shift to see; its times cannot be; it is over, handed over or cancelled; its officer is on another.
        """
        shift = await self.shift(shift_id)
        check(shift.version)
        handed = (await self.store.hand_overs_of([shift.id])).get(shift.id)
        after = edited(shift, changes(shift), handed, now_ms)
        await self._check_free(after)
        body = {"version": after.version, "officer": after.officer, "notes": after.notes, **times(after)}
        if reason is not None:
            body["reason"] = reason
        done = self._action("shift.edited", f"shift/{after.id}", after.unit, now_ms, body)
        return Deed(actions=[done], shifts=[after])

    async def cancel(self, shift_id: UUID, reason: str, check: Callable[[int], None], now_ms: int) -> Deed:
        """Cancel a shift that has not begun; ``check`` refuses a version that is outdated.

        Raises
        ------
        Unknown, WrongState
            There is no such shift to see; it has begun, is over or cancelled, or is to be handed something.
        """
        shift = await self.shift(shift_id)
        check(shift.version)
        handed = (await self.store.hand_overs_of([shift.id])).get(shift.id)
        after = cancelled(shift, handed, await self.store.hand_over_waiting_for(shift.id), now_ms)
        body = {"version": after.version, "officer": after.officer, "reason": reason, **times(after)}
        done = self._action("shift.cancelled", f"shift/{after.id}", after.unit, now_ms, body)
        return Deed(actions=[done], shifts=[after])

    async def hand_over(
        self,
        shift_id: UUID,
        to_id: UUID | None,
        note: str,
        check: Callable[[int], None],
        units: frozenset[str] | None,
        now_ms: int,
    ) -> Deed:
        """Hand a shift over with the alarms of ``units`` (None: all) that are open; ``check`` refuses a version that is outdated.

        Raises
        ------
        Unknown, Unfit, WrongState
            There is no such shift to see; it cannot be handed over to that one; it has not begun, or was handed over.
        """
        shift = await self.shift(shift_id)
        check(shift.version)
        if shift.cancelled_ms is not None:
            raise WrongState(f"it was cancelled at {iso_ms(shift.cancelled_ms)}; nobody was on it")
        if now_ms < shift.begins_ms:
            raise WrongState(f"it begins at {iso_ms(shift.begins_ms)}; nothing is there to hand over yet")
        if known := (await self.store.hand_overs_of([shift.id])).get(shift.id):
            raise WrongState(f"it was handed over already: hand-over {known}")
        if to_id is not None:
            to = await self.store.shift(to_id)
            if to is None:
                raise Unfit(f"to: there is no shift {str(to_id)!r}", field="to")
            check_to(shift, to, now_ms)
        wanted = AlarmFilter(states=OPEN_STATES, scope=units)
        rows, _ = await self.store.alarms(LIVE, wanted, open_only=True, by_priority=True, limit=ALARMS_LISTED)
        listed = [listed_alarm(row) for row in rows]
        row = HandOverRow(
            id=uuid4(), shift=shift.id, to_shift=to_id, unit=shift.unit, note=note,
            alarms=msgspec.json.encode(listed).decode(),
            alarms_open=await self.store.alarms_open_count(LIVE, units),
            handed_ms=now_ms, handed_by=self.actor.name, taken_ms=None, taken_by=None, version=1,
        )  # fmt: skip
        told = {
            "to": to_id,
            "note": note,
            "alarms_open": row.alarms_open,
            "alarms": [a["alarm"] for a in listed],
        }
        done = self._action(
            "hand_over.handed", f"hand_over/{row.id}", row.unit, now_ms, {"shift": shift.id, **told}
        )
        return Deed(actions=[done], hand_overs=[row])

    async def take(self, hand_over_id: UUID, check: Callable[[int], None], now_ms: int) -> Deed:
        """Take over what was handed over.

        Raises
        ------
        Unknown, WrongState, Clash
            There is no such one to see; it was taken, or is another's to take; who takes it is on another shift.
        """
        row = await self.seen(hand_over_id)
        check(row.version)
        shift = await self.shift(row.shift)
        to = None if row.to_shift is None else await self.shift(row.to_shift)
        taken, shifts = taken_over(row, shift, to, self.actor.name, now_ms)
        for changed in shifts:
            if to is not None and changed.id == to.id:
                await self._check_free(changed, but=shift.id)
        subject = f"hand_over/{row.id}"
        done = self._action(
            "hand_over.taken", subject, row.unit, now_ms, {"shift": shift.id, "to": row.to_shift}
        )
        moved = [
            self._action("shift.moved", f"shift/{s.id}", s.unit, now_ms, {"version": s.version, **times(s)})
            for s in shifts
        ]
        return Deed(actions=[done, *moved], hand_overs=[taken], shifts=shifts)

    async def shift(self, shift: UUID) -> ShiftRow:
        """A shift that the asker may see; ``Unknown`` where there is none."""
        row = await self.store.shift(shift)
        if row is None or not (self.scope is None or row.unit in self.scope):
            raise Unknown(f"there is no shift {str(shift)!r}", field="shift")
        return row

    async def seen(self, hand_over: UUID) -> HandOverRow:
        """A hand-over that the asker may see; ``Unknown`` where there is none."""
        row = await self.store.hand_over(hand_over)
        if row is None or not (self.scope is None or row.unit in self.scope):
            raise Unknown(f"there is no hand-over {str(hand_over)!r}", field="hand_over")
        return row

    async def _check_free(self, shift: ShiftRow, but: UUID | None = None) -> None:
        others = await self.store.shifts_of_officer(shift.officer, shift.begins_ms, shift.ends_ms)
        check_free(shift, [other for other in others if other.id != but])

    def _planned(self, shift: ShiftRow) -> Action:
        body = {"officer": shift.officer, "notes": shift.notes, **times(shift)}
        return self._action("shift.planned", f"shift/{shift.id}", shift.unit, shift.changed_ms, body)

    def _action(self, kind: str, subject: str, unit: str | None, at_ms: int, body: Any) -> Action:
        encoded = msgspec.json.encode(body)
        return Action(at_ms, self.actor.name, self.actor.role, kind, subject, None, unit, encoded)


def times(shift: ShiftRow) -> dict[str, str]:
    """From when to when."""
    return {"begins_at": iso_ms(shift.begins_ms), "ends_at": iso_ms(shift.ends_ms)}


def listed_alarm(row: AlarmRow) -> dict[str, Any]:
    """An alarm as a hand-over lists it."""
    alarm = alarm_in(row)
    return {
        "alarm": alarm.alarm, "type": alarm.type, "severity": alarm.severity, "state": alarm.state,
        "due_at": iso_or_none(row.due_ms),
    }  # fmt: skip
