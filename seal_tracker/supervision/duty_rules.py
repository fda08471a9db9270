"""What may be done with shifts and hand-overs, and who is on duty. Pure: times are arguments, refusals are raised."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple
from uuid import UUID

from seal_tracker.alarms.responsibility import Answering, answering
from seal_tracker.model import iso_ms
from seal_tracker.plans.model import Unit
from seal_tracker.store.duty_rows import HandOverRow, ShiftRow
from seal_tracker.supervision.errors import Clash, Unfit, WrongState

__all__ = [
    "LONGEST_MS",
    "OnDuty",
    "cancelled",
    "check_free",
    "check_standing",
    "check_times",
    "check_to",
    "edited",
    "on_duty",
    "taken_over",
]

LONGEST_MS: Final = 48 * 3_600_000
"""Nobody watches for longer."""


class OnDuty(NamedTuple):
    """Who is on duty for a unit (None: headquarters): the officers of its shifts, else who acts of those that ``answers``."""

    unit: str | None
    shifts: tuple[ShiftRow, ...]
    answers: Answering


def check_times(begins_ms: int, ends_ms: int, now_ms: int) -> None:
    """Refuse a shift that ends before it begins, is over already, or is too long.

    Raises
    ------
    Unfit
        As said.
    """
    if ends_ms <= begins_ms:
        raise Unfit("ends_at: a shift ends after it begins", field="ends_at")
    if ends_ms - begins_ms > LONGEST_MS:
        raise Unfit(
            f"ends_at: a shift lasts {LONGEST_MS // 3_600_000} h at most; plan several", field="ends_at"
        )
    if ends_ms <= now_ms:
        raise Unfit("ends_at: this shift would be over already", field="ends_at")


def edited(shift: ShiftRow, changes: Mapping[str, Any], handed: UUID | None, now_ms: int) -> ShiftRow:
    """The shift with another officer, times or notes; ``handed`` is the hand-over by which it was handed over.

    Raises
    ------
    WrongState, Unfit
        It is over, cancelled or handed over, or has begun with that officer; nothing would change, or the times cannot be.
    """
    check_standing(shift, handed, now_ms)
    after = shift._replace(**changes)
    if after == shift:
        raise Unfit("nothing of it would change; say what is to", field="body")
    if shift.begins_ms <= now_ms and (after.officer, after.begins_ms) != (shift.officer, shift.begins_ms):
        field = "officer" if after.officer != shift.officer else "begins_at"
        raise WrongState(f"it has begun: {field} is settled; hand it over", field=field)
    check_times(after.begins_ms, after.ends_ms, now_ms)
    return after._replace(version=shift.version + 1, changed_ms=now_ms)


def cancelled(shift: ShiftRow, handed: UUID | None, waiting: UUID | None, now_ms: int) -> ShiftRow:
    """The shift, which nobody watches after all; ``waiting`` is a hand-over that its officer is to take.

    Raises
    ------
    WrongState
        It has begun, or somebody relies on it.
    """
    check_standing(shift, handed, now_ms)
    if shift.begins_ms <= now_ms:
        raise WrongState("it has begun; hand it over, or let it end sooner")
    if waiting is not None:
        raise WrongState(f"hand-over {waiting} goes to it; give the shift to another officer")
    return shift._replace(version=shift.version + 1, changed_ms=now_ms, cancelled_ms=now_ms)


def check_standing(shift: ShiftRow, handed: UUID | None, now_ms: int) -> None:
    """Refuse to change a shift that is no more than a record.

    Raises
    ------
    WrongState
        It was cancelled or handed over, or is over.
    """
    if shift.cancelled_ms is not None:
        raise WrongState(f"it was cancelled at {iso_ms(shift.cancelled_ms)}; plan another one")
    if handed is not None:
        raise WrongState(f"it was handed over: hand-over {handed}")
    if shift.ends_ms <= now_ms:
        raise WrongState(f"it was over at {iso_ms(shift.ends_ms)}; what was stays")


def check_free(shift: ShiftRow, others: Iterable[ShiftRow]) -> None:
    """Refuse a shift whose officer is on another one at the time.

    Raises
    ------
    Clash
        As said, and which one.
    """
    for other in others:
        meets = other.begins_ms < shift.ends_ms and shift.begins_ms < other.ends_ms
        if other.officer == shift.officer and other.id != shift.id and meets:
            raise Clash(
                f"{shift.officer} has shift {other.id} from {iso_ms(other.begins_ms)} to {iso_ms(other.ends_ms)};"
                " nobody is on two at once",
                field="officer",
            )


def check_to(shift: ShiftRow, to: ShiftRow, now_ms: int) -> None:
    """Refuse to hand a shift over to itself, to another unit's, or to one that is over.

    Raises
    ------
    Unfit
        As said.
    """
    if to.id == shift.id or to.unit != shift.unit:
        raise Unfit("to: name another shift of the same unit", field="to")
    if to.cancelled_ms is not None:
        raise Unfit(f"to: that shift was cancelled at {iso_ms(to.cancelled_ms)}", field="to")
    if to.ends_ms <= now_ms:
        raise Unfit(f"to: that shift was over at {iso_ms(to.ends_ms)}", field="to")


def taken_over(
    row: HandOverRow, shift: ShiftRow, to: ShiftRow | None, by: str, now_ms: int
) -> tuple[HandOverRow, list[ShiftRow]]:
    """The hand-over once somebody took it, and the shifts whose times that changes: where it was to a shift, the one ends and the
    other begins now, if they have not yet. Without one nobody follows, and the shift runs to its end.

    Raises
    ------
    WrongState
        It was taken already, or this person cannot take it.
    """
    if row.taken_ms is not None:
        raise WrongState(f"{row.taken_by} took it at {iso_ms(row.taken_ms)}")
    if to is not None and to.officer != by:
        raise WrongState(f"it was handed over to {to.officer}, who alone can take it")
    if to is None and by in (row.handed_by, shift.officer):
        raise WrongState("somebody else must take it than the one who hands over")
    taken = row._replace(taken_ms=now_ms, taken_by=by, version=row.version + 1)
    if to is None:
        return taken, []
    changed = []
    # A shift has a length, however soon it is taken over.
    ends_ms = max(min(shift.ends_ms, now_ms), shift.begins_ms + 1)
    if ends_ms != shift.ends_ms:
        changed.append(shift._replace(ends_ms=ends_ms, version=shift.version + 1, changed_ms=now_ms))
    begins_ms = min(to.begins_ms, now_ms)
    if begins_ms != to.begins_ms:
        if to.ends_ms - begins_ms > LONGEST_MS:
            raise WrongState(f"shift {to.id} would last too long; it begins at {iso_ms(to.begins_ms)}")
        changed.append(to._replace(begins_ms=begins_ms, version=to.version + 1, changed_ms=now_ms))
    return taken, changed


def on_duty(
    units: Sequence[Unit],
    shown: Iterable[str | None],
    shifts: Iterable[ShiftRow],
    absent: Collection[str] = frozenset(),
) -> Iterable[OnDuty]:
    """Who is on duty for each of ``shown``, given the shifts of the moment and which heads and deputies are absent."""
    by_unit: Mapping[str | None, list[ShiftRow]] = {unit: [] for unit in shown}
    for shift in shifts:
        if shift.unit in by_unit:
            by_unit[shift.unit].append(shift)
    for unit, mine in by_unit.items():
        yield OnDuty(unit, tuple(mine), answering(units, unit, absent)[0])
