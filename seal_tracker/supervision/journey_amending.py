"""What was declared of a journey, and is otherwise: which members may be amended in which state. Pure.

Before arming all may. On the way those that describe it, and those by which its end is judged: they count from the arming, as if
they had been declared so. Route and devices change at a moment, and have orders of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from seal_tracker.journey_record import UNDER_WAY, JourneyRecord, State, state_of
from seal_tracker.model import iso_ms
from seal_tracker.supervision.errors import Unfit, WrongState

__all__ = ["AMENDABLE", "DESCRIBING", "JUDGED", "amended"]

DESCRIBING = frozenset({"declaration", "box", "vehicle", "cargo", "carrier", "consignee"})
"""Members that no fix is judged by."""

JUDGED = frozenset({"due_at_ms", "origin_zone", "destination_zone", "minerals"})
"""Members by which the end of a journey, where it may be opened, and its cargo's mass are judged: on the way they are for superiors to change."""

BEFORE = DESCRIBING | JUDGED | {"regime", "route", "unit", "permit", "trailer", "load"}

AMENDABLE: Mapping[State, frozenset[str]] = (
    dict.fromkeys((State.DECLARED, State.ASSIGNED), BEFORE)
    | dict.fromkeys(UNDER_WAY, DESCRIBING | JUDGED)
    | {State.DISARMED: DESCRIBING}
)
"""Members of the record by state."""

INSTEAD = {
    "route": "divert it",
    "unit": "its alarms go by jurisdiction; what was raised for a unit stays with it",
    "regime": "cancel it and declare it anew",
    "permit": "cancel it and declare it anew",
    "trailer": "cancel it and declare it anew",
    "load": "cancel it and declare it anew",
}


def amended(record: JourneyRecord, changes: Mapping[str, Any], reason: str | None) -> JourneyRecord:
    """The record with other values of some members.

    Raises
    ------
    WrongState
        One of them is settled in this state.
    Unfit
        Nothing would change, or it was armed and nobody says why.
    """
    state = state_of(record)
    for member in sorted(changes.keys() - AMENDABLE[state]):
        name = member.removesuffix("_ms")
        remedy = INSTEAD.get(member, "close it with a note that says so")
        raise WrongState(f"journey {record.id!r} is {state}: {name} is settled; {remedy}", field=name)
    if "vehicle" in changes and record.vehicles:
        raise WrongState(
            f"journey {record.id!r} has another vehicle since {iso_ms(record.vehicles[-1].at_ms)}; correct the transfer",
            field="vehicle",
        )
    differing = {member: value for member, value in changes.items() if getattr(record, member) != value}
    if not differing:
        raise Unfit("nothing of it would change; name a member and its new value", field="body")
    if record.armed_at_ms is not None and not reason:
        raise Unfit("reason: say why what was declared is otherwise", field="reason")
    return replace(record, **differing)
