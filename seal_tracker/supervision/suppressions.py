"""The desk at which alarms are suppressed by design: orders are given, changed and cancelled, with what that does to alarms.

Every method is run by `Pipeline.act`, between two batches; what it refuses it raises, and nothing was changed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol
from uuid import UUID

import msgspec

from seal_tracker.alarming import action_of
from seal_tracker.alarms.deadlines import Terms, ms_of
from seal_tracker.alarms.due import back_again
from seal_tracker.alarms.rows import alarm_in, row_of
from seal_tracker.alarms.suppressions import LONGEST_MS, Suppression, order_in, row_of_order
from seal_tracker.alarms.texts import TEXTS
from seal_tracker.deeds import Deed, Step
from seal_tracker.model import iso_ms
from seal_tracker.plans.model import Plan
from seal_tracker.publishing.cloudevents import AlarmState, SetAside
from seal_tracker.space import SpaceJudge
from seal_tracker.store.records import Action, AlarmRow, SuppressionRow
from seal_tracker.supervision.clocks import space_now_ms
from seal_tracker.supervision.errors import Unfit, Unknown, WrongState
from seal_tracker.supervision.journey_changes import Actor

__all__ = ["SuppressionDesk", "SuppressionKeeping"]

AHEAD_MS: Final = 366 * 86_400_000
"""Works are planned a year ahead at most."""


class SuppressionKeeping(Protocol):
    """What is read."""

    async def suppression(self, space: str, order: UUID) -> SuppressionRow | None: ...  # noqa: D102
    async def alarms_suppressed_by(self, space: str, order: UUID) -> Sequence[AlarmRow]: ...  # noqa: D102


@dataclass(frozen=True)
class SuppressionDesk:
    """Works with a store; ``actor`` is who acts, ``scope`` the units whose alarms they may suppress (None: all)."""

    store: SuppressionKeeping
    terms: Terms
    clock_ms: Callable[[], int]
    actor: Actor
    scope: Collection[str] | None

    async def order(self, judging: SpaceJudge, wanted: Callable[[int], Suppression]) -> Deed:
        """Give an order; ``wanted`` is given the space's now.

        Raises
        ------
        Unfit
            It names nothing, or what there is not; its times cannot be; it is for units that are not the actor's.
        """
        now_ms = self.now_ms(judging)
        order = wanted(now_ms)
        self._check(order, judging.plan, now_ms)
        return Deed(suppressions=[row_of_order(order)], actions=[self._action("ordered", order)])

    async def change(
        self, judging: SpaceJudge, order: UUID, until_ms: int, reason: str, check: Callable[[int], None]
    ) -> Deed:
        """Let an order end at another time; what it has suppressed comes back then.

        Raises
        ------
        Unknown, WrongState, Unfit
            There is no such order to see; it is over or cancelled; the time cannot be.
        """
        before, now_ms = await self._standing(judging, order, check), self.now_ms(judging)
        after = self._next(before, now_ms, until=iso_ms(until_ms), reason=reason)
        self._check_times(after, now_ms)
        aside = SetAside(until=after.until, by=after.changed_by, reason=reason, order=after.id)
        changes = [
            (row, msgspec.structs.replace(alarm_in(row), suppression=aside, **self._changed(row, now_ms)))
            for row in await self.store.alarms_suppressed_by(judging.space, order)
        ]
        return self._deed("changed", after, "suppressed", changes, now_ms)

    async def cancel(
        self, judging: SpaceJudge, order: UUID, reason: str, check: Callable[[int], None]
    ) -> Deed:
        """Take an order back: what it has suppressed calls again, with the whole time.

        Raises
        ------
        Unknown, WrongState
            There is no such order to see; it is over or cancelled.
        """
        before, now_ms = await self._standing(judging, order, check), self.now_ms(judging)
        taken_back = {"cancelled_by": self.actor.name, "cancelled_at": iso_ms(now_ms)}
        after = self._next(before, now_ms, reason=reason, **taken_back)
        changes = [
            (
                row,
                msgspec.structs.replace(
                    back_again(alarm_in(row), now_ms, self.terms), changed_by=self.actor.name
                ),
            )
            for row in await self.store.alarms_suppressed_by(judging.space, order)
        ]
        return self._deed("cancelled", after, "unsuppressed", changes, now_ms)

    def now_ms(self, judging: SpaceJudge) -> int:
        """An exercise's clock is its own."""
        return space_now_ms(judging, self.clock_ms)

    async def _standing(self, judging: SpaceJudge, order: UUID, check: Callable[[int], None]) -> Suppression:
        row = await self.store.suppression(judging.space, order)
        if row is None or not (self.scope is None or row.unit in self.scope):
            raise Unknown(f"there is no suppression {str(order)!r}", field="suppression")
        check(row.version)
        found = order_in(row)
        if found.cancelled_at is not None:
            raise WrongState(f"{found.cancelled_by} cancelled it at {found.cancelled_at}; give another order")
        if row.until_ms <= self.now_ms(judging):
            raise WrongState(f"it ended at {found.until}; give another order")
        return found

    def _check(self, order: Suppression, plan: Plan | None, now_ms: int) -> None:
        named = (
            order.types,
            order.seal,
            order.journey,
            order.unit,
            order.zone,
            order.circle,
            order.equipment,
        )
        if not any(named):
            raise Unfit(
                "name what is suppressed: types, seal, journey, equipment, unit, zone or circle; everything is never suppressed",
                field="types",
            )
        if self.scope is not None and order.unit not in self.scope:
            raise Unfit("unit: name a unit of yours; only its alarms may you suppress", field="unit")
        for type_ in order.types:
            if type_ not in TEXTS:
                raise Unfit(
                    f"types: there is no type {type_!r}; GET /api/v1/alarms/texts lists them", field="types"
                )
        if order.zone is not None and (plan is None or order.zone not in plan.zone_index):
            raise Unfit(f"zone: the plan in force has no zone {order.zone!r}", field="zone")
        if order.unit is not None and plan is not None and order.unit not in {u.id for u in plan.units}:
            raise Unfit(f"unit: the plan in force has no unit {order.unit!r}", field="unit")
        self._check_equipment(order, plan)
        self._check_times(order, now_ms)

    def _check_equipment(self, order: Suppression, plan: Plan | None) -> None:
        """Maintenance is of a piece that the plan has and the actor may see, whole: wherever it is, whatever it says."""
        if order.equipment is None:
            return
        if any((order.seal, order.journey, order.zone, order.circle)):
            raise Unfit(
                "equipment: stands still and is on no journey; name it without seal, journey, zone and circle",
                field="equipment",
            )
        units = {one.id: one.unit for one in plan.equipment} if plan is not None else {}
        if order.equipment not in units or not (self.scope is None or units[order.equipment] in self.scope):
            raise Unfit(
                f"equipment: the plan in force has no {order.equipment!r} of yours", field="equipment"
            )

    @staticmethod
    def _check_times(order: Suppression, now_ms: int) -> None:
        from_ms, until_ms = ms_of(order.from_at), ms_of(order.until)
        if not now_ms < until_ms <= from_ms + LONGEST_MS or until_ms <= from_ms:
            raise Unfit(
                f"until: must be after now ({iso_ms(now_ms)}) and after it begins ({order.from_at}), by {LONGEST_MS // 86_400_000} "
                f"days at most, not {order.until}",
                field="until",
            )
        if from_ms > now_ms + AHEAD_MS:
            raise Unfit(f"from: may be a year ahead at most, not {order.from_at}", field="from")

    def _next(self, order: Suppression, now_ms: int, **changes: Any) -> Suppression:
        stamp = {"version": order.version + 1, "changed_by": self.actor.name, "changed_at": iso_ms(now_ms)}
        return msgspec.structs.replace(order, **stamp, **changes)

    def _changed(self, row: AlarmRow, now_ms: int) -> dict[str, Any]:
        at = iso_ms(now_ms)
        return {"version": row.version + 1, "updated_at": at, "changed_by": self.actor.name, "changed_at": at}

    def _deed(
        self,
        verb: str,
        order: Suppression,
        step: str,
        changes: Sequence[tuple[AlarmRow, AlarmState]],
        now_ms: int,
    ) -> Deed:
        """An order as it stands from now on, and what that does to alarms, each as a step of its own."""
        rows = [row_of(alarm, row.episodes) for row, alarm in changes]
        detail = {"order": order.id, "until": order.until, "reason": order.reason}
        told, name, role = msgspec.json.encode(detail), self.actor.name, self.actor.role
        return Deed(
            suppressions=[row_of_order(order)],
            alarms=rows,
            steps=[Step(row, row.version, step, now_ms, name, told) for row in rows],
            actions=[
                self._action(verb, order),
                *(action_of(row, step, name, role, self.clock_ms(), detail) for row in rows),
            ],
        )

    def _action(self, verb: str, order: Suppression) -> Action:
        body = msgspec.json.encode(order)
        return Action(
            self.clock_ms(), self.actor.name, self.actor.role, f"suppression.{verb}", f"suppression/{order.id}",
            order.journey, order.unit, body,
        )  # fmt: skip
