"""The desk at which it is said that a head or deputy of a unit is away, so that who acts for them is called.

Every method is run by `Pipeline.act`, between two batches. A refusal is raised (see ``errors``), and nothing was changed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

import msgspec

from seal_tracker.deeds import Deed
from seal_tracker.model import iso_ms
from seal_tracker.plans.model import Unit
from seal_tracker.store.duty_rows import LONGEST_ABSENCE_MS, AbsenceRow
from seal_tracker.store.records import Action
from seal_tracker.supervision.errors import Unfit, Unknown, WrongState
from seal_tracker.supervision.journey_changes import Actor

__all__ = ["AbsenceDesk", "AbsenceKeeping", "check_absence"]


class AbsenceKeeping(Protocol):
    """What is read."""

    async def absence(self, absence: UUID) -> AbsenceRow | None: ...  # noqa: D102


@dataclass(frozen=True)
class AbsenceDesk:
    """Works with a store; ``actor`` is who acts, ``scope`` the units that they may see (None: all), ``units`` those of the plan."""

    store: AbsenceKeeping
    actor: Actor
    scope: Collection[str] | None
    units: Iterable[Unit]

    async def add(self, absence: AbsenceRow) -> Deed:
        """Note an absence.

        Raises
        ------
        Unfit
            It is of nobody who answers for a unit that the asker sees, or its times cannot be.
        """
        unit = next((u for u in self.units if u.id == absence.unit and self._sees(u.id)), None)
        if unit is None:
            raise Unfit(f"unit: there is no unit {absence.unit!r}; name one that you see", field="unit")
        names = [name for name in (unit.head, *unit.deputies) if name is not None]
        if absence.officer not in names:
            said = ", ".join(names) or "nobody"
            raise Unfit(
                f"officer: head and deputies of {unit.id} are {said}; name one of them", field="officer"
            )
        check_absence(absence, absence.changed_ms)
        return self._deed(absence, "added", _told(absence))

    async def edit(
        self, wanted: UUID, changes: Mapping[str, Any], check: Callable[[int], None], now_ms: int
    ) -> Deed:
        """Give an absence other times or another reason; ``check`` refuses a version that is outdated.

        Raises
        ------
        Unknown, Unfit, WrongState
            There is none to see; nothing would change or the times cannot be; it is over, or was cancelled.
        """
        row = await self.seen(wanted)
        check(row.version)
        _check_standing(row, now_ms)
        after = row._replace(**changes)
        if after == row:
            raise Unfit("nothing of it would change; say what is to", field="body")
        if after.begins_ms != row.begins_ms and row.begins_ms <= now_ms:
            raise WrongState("it has begun: when is settled", field="begins_at")
        check_absence(after, now_ms)
        after = after._replace(version=row.version + 1, changed_ms=now_ms)
        return self._deed(after, "edited", _told(after))

    async def cancel(self, wanted: UUID, reason: str, check: Callable[[int], None], now_ms: int) -> Deed:
        """Whoever was to be away is not; where they have been, it ends now.

        Raises
        ------
        Unknown, WrongState
            There is none to see; it is over, or was cancelled.
        """
        row = await self.seen(wanted)
        check(row.version)
        _check_standing(row, now_ms)
        after = row._replace(version=row.version + 1, changed_ms=now_ms)
        after = (
            after._replace(ends_ms=now_ms) if row.begins_ms < now_ms else after._replace(cancelled_ms=now_ms)
        )
        return self._deed(after, "cancelled", {**_told(after), "why": reason})

    async def seen(self, absence: UUID) -> AbsenceRow:
        """An absence that the asker may see; ``Unknown`` where there is none."""
        row = await self.store.absence(absence)
        if row is None or not self._sees(row.unit):
            raise Unknown(f"there is no absence {str(absence)!r}", field="absence")
        return row

    def _sees(self, unit: str) -> bool:
        return self.scope is None or unit in self.scope

    def _deed(self, row: AbsenceRow, step: str, said: Mapping[str, Any]) -> Deed:
        action = Action(
            row.changed_ms, self.actor.name, self.actor.role, f"absence.{step}", f"absence/{row.id}", None, row.unit,
            msgspec.json.encode(said),
        )  # fmt: skip
        return Deed(actions=[action], absences=[row])


def check_absence(absence: AbsenceRow, now_ms: int) -> None:
    """Refuse an absence that ends before it begins, is over already, or lasts over a year.

    Raises
    ------
    Unfit
        As said.
    """
    if absence.ends_ms <= absence.begins_ms:
        raise Unfit("ends_at: an absence ends after it begins", field="ends_at")
    if absence.ends_ms - absence.begins_ms > LONGEST_ABSENCE_MS:
        raise Unfit(
            "ends_at: an absence lasts a year at most; let the plan name another head", field="ends_at"
        )
    if absence.ends_ms <= now_ms:
        raise Unfit("ends_at: this absence would be over already", field="ends_at")


def _check_standing(row: AbsenceRow, now_ms: int) -> None:
    if row.cancelled_ms is not None:
        raise WrongState(f"it was cancelled at {iso_ms(row.cancelled_ms)}; note another one")
    if row.ends_ms <= now_ms:
        raise WrongState(f"it was over at {iso_ms(row.ends_ms)}; what was stays")


def _told(row: AbsenceRow) -> dict[str, Any]:
    return {
        "version": row.version,
        "officer": row.officer,
        "begins_at": iso_ms(row.begins_ms),
        "ends_at": iso_ms(row.ends_ms),
        "reason": row.reason,
    }
