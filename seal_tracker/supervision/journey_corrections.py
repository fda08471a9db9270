"""An order that was recorded wrongly, put right: it took effect at another time, or never. Pure.

Every version stays, the wrong ones too; what the journey's track gives is judged again by what was really so. A close is only taken
back; that and the taking back of a cancelling are the way on for journeys that are over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import TypeVar

import msgspec
from msgspec.structs import replace

from seal_tracker.journey import Authorisation, Diversion, Reset, Suspension, Transfer
from seal_tracker.journey_record import JourneyRecord, State, state_of, transferred_at
from seal_tracker.model import iso_ms
from seal_tracker.supervision.errors import Unfit, WrongState

__all__ = ["CORRECTABLE", "Correction", "corrected"]

Dated = TypeVar("Dated")

CORRECTABLE = (
    "arm",
    "disarm",
    "suspend",
    "divert",
    "authorise",
    "transfer",
    "reset",
    "cancel",
    "close",
)
"""Orders whose time, or whose being given at all, is corrected; the end of a suspension is corrected with it."""

ONLY: Mapping[State, tuple[str, ...]] = {
    State.ASSIGNED: ("authorise",),
    State.CLOSED: ("close",),
    State.CANCELLED: ("cancel",),
}
"""What may be corrected where that is not everything: what came last goes first."""


class Correction(msgspec.Struct, frozen=True, kw_only=True):
    """What was recorded wrongly: the order ``what``, of several the one recorded to begin at ``was_ms``.

    It took effect at ``at_ms``, and lasted until ``to_ms`` (None: as recorded); ``struck``: never.
    """

    what: str
    was_ms: int | None = None
    at_ms: int | None = None
    to_ms: int | None = None
    struck: bool = False


def corrected(record: JourneyRecord, correction: Correction) -> JourneyRecord:
    """The record as it would be, had the order been recorded rightly.

    Raises
    ------
    WrongState
        Something else has to be corrected before.
    Unfit
        There is no such order, nothing would change, or what was ordered besides does not go with it.
    """
    what, state = correction.what, state_of(record)
    if what not in ONLY.get(state, CORRECTABLE):
        said = ", ".join(ONLY[state])
        raise WrongState(f"journey {record.id!r} is {state}: correct {said} first", field="what")
    if correction.struck and (correction.at_ms, correction.to_ms) != (None, None):
        raise Unfit("struck: what never was has no time; leave at and to out", field="struck")
    after = _CORRECT[what](record, correction)
    if after == record:
        raise Unfit("at: it is recorded so already; write when it was, or strike it", field="at")
    _check_whole(after)
    return after


def _arm(record: JourneyRecord, correction: Correction) -> JourneyRecord:
    at_ms = _moment(record.armed_at_ms, correction)
    on_the_way = (
        *record.diversions, *record.suspensions, *record.transfers, *record.vehicles, *record.resets,
    )  # fmt: skip
    if at_ms is None and (on_the_way or record.disarmed_at_ms is not None):
        raise Unfit("struck: there are orders from on the way; strike those first", field="struck")
    return replace(record, armed_at_ms=at_ms)


def _disarm(record: JourneyRecord, correction: Correction) -> JourneyRecord:
    """With it the suspensions that it ended."""
    was_ms, at_ms = record.disarmed_at_ms, _moment(record.disarmed_at_ms, correction)
    suspensions = tuple(
        Suspension(s.from_ms, at_ms, s.by) if s.to_ms == was_ms else s for s in record.suspensions
    )
    return replace(record, disarmed_at_ms=at_ms, suspensions=suspensions)


def _cancel(record: JourneyRecord, correction: Correction) -> JourneyRecord:
    return replace(record, cancelled_at_ms=_moment(record.cancelled_at_ms, correction))


def _close(record: JourneyRecord, correction: Correction) -> JourneyRecord:
    if not correction.struck:
        raise Unfit("struck: a close is struck, and then ordered anew", field="struck")
    return replace(record, closing=None)


def _moment(recorded_ms: int | None, correction: Correction) -> int | None:
    """When it was, None: never."""
    if recorded_ms is None:
        raise Unfit(f"what: there is no {correction.what} to correct", field="what")
    if correction.to_ms is not None:
        raise Unfit(f"to: {correction.what} has no end; write at", field="to")
    if not correction.struck and correction.at_ms is None:
        raise Unfit("at: write when it was, or strike it", field="at")
    return correction.at_ms


def _suspend(record: JourneyRecord, correction: Correction) -> JourneyRecord:
    def moved(one: Suspension, at_ms: int | None, to_ms: int | None) -> Suspension:
        return Suspension(at_ms or one.from_ms, to_ms or one.to_ms, one.by)

    found = _each(record.suspensions, lambda s: s.from_ms, moved, correction, has_end=True)
    return replace(record, suspensions=tuple(sorted(found, key=lambda s: s.from_ms)))


def _divert(record: JourneyRecord, correction: Correction) -> JourneyRecord:
    def moved(one: Diversion, at_ms: int | None, _: int | None) -> Diversion:
        return Diversion(at_ms or one.at_ms, one.route, one.by, one.reason)

    found = _each(record.diversions, lambda d: d.at_ms, moved, correction)
    return replace(record, diversions=tuple(sorted(found, key=lambda d: d.at_ms)))


def _authorise(record: JourneyRecord, correction: Correction) -> JourneyRecord:
    def moved(one: Authorisation, at_ms: int | None, to_ms: int | None) -> Authorisation:
        return Authorisation(at_ms or one.from_ms, to_ms or one.to_ms, one.zone, one.by)

    found = _each(record.authorisations, lambda a: a.from_ms, moved, correction, has_end=True)
    return replace(record, authorisations=tuple(found))


def _transfer(record: JourneyRecord, correction: Correction) -> JourneyRecord:
    """All that was replaced at that moment: device, vehicle or both."""
    meant_ms = _meant(transferred_at(record), correction)
    at_ms = correction.at_ms or meant_ms
    transfers = [
        t if t.at_ms != meant_ms else Transfer(at_ms, t.device, t.to, t.by, t.reason)
        for t in record.transfers
        if t.at_ms != meant_ms or not correction.struck
    ]
    vehicles = [
        v if v.at_ms != meant_ms else replace(v, at_ms=at_ms)
        for v in record.vehicles
        if v.at_ms != meant_ms or not correction.struck
    ]
    return replace(
        record,
        transfers=tuple(sorted(transfers, key=lambda t: t.at_ms)),
        vehicles=tuple(sorted(vehicles, key=lambda v: v.at_ms)),
    )


def _reset(record: JourneyRecord, correction: Correction) -> JourneyRecord:
    def moved(one: Reset, at_ms: int | None, _: int | None) -> Reset:
        return Reset(at_ms or one.at_ms, one.rule, one.object, one.by)

    found = _each(record.resets, lambda r: r.at_ms, moved, correction)
    return replace(record, resets=tuple(sorted(found, key=lambda r: r.at_ms)))


def _each(
    items: tuple[Dated, ...],
    begin_of: Callable[[Dated], int],
    moved: Callable[[Dated, int | None, int | None], Dated],
    correction: Correction,
    *,
    has_end: bool = False,
) -> list[Dated]:
    """The items, the one that is meant moved or left out. Of two that begin at one moment the one recorded last is meant."""
    meant_ms = _meant([begin_of(item) for item in items], correction, has_end=has_end)
    meant = max(i for i, item in enumerate(items) if begin_of(item) == meant_ms)
    now = [] if correction.struck else [moved(items[meant], correction.at_ms, correction.to_ms)]
    return [*items[:meant], *now, *items[meant + 1 :]]


def _meant(times: Iterable[int], correction: Correction, *, has_end: bool = False) -> int:
    """When what is meant was recorded to begin."""
    begins, was_ms = sorted(set(times)), correction.was_ms
    if not begins:
        raise Unfit(f"what: there is no {correction.what} to correct", field="what")
    if (was_ms is None and len(begins) > 1) or (was_ms is not None and was_ms not in begins):
        said = ", ".join(map(iso_ms, begins))
        raise Unfit(f"was: write which one is meant by when it is recorded to begin: {said}", field="was")
    if not has_end and correction.to_ms is not None:
        raise Unfit(f"to: {correction.what} has no end; write at", field="to")
    if not correction.struck and correction.at_ms is None and correction.to_ms is None:
        raise Unfit("at: write when it was, or strike it", field="at")
    return begins[0] if was_ms is None else was_ms


def _check_whole(record: JourneyRecord) -> None:
    """Refuse a record whose parts contradict each other."""
    for leave in record.authorisations:
        if leave.to_ms <= leave.from_ms:
            raise Unfit("to: leave to unlock would end before it begins", field="to")
    if record.armed_at_ms is None:
        return
    ends = [at for at in (record.disarmed_at_ms, record.cancelled_at_ms) if at is not None]
    end_ms = min(ends, default=None)
    if end_ms is not None and end_ms <= record.armed_at_ms:
        raise Unfit(f"at: it would end before it is armed, {iso_ms(record.armed_at_ms)}", field="at")
    _check_within(record, record.armed_at_ms, end_ms)
    _check_suspensions(record.suspensions)
    if len({v.at_ms for v in record.vehicles}) != len(record.vehicles):
        raise Unfit("at: another vehicle took over at that moment; correct that first", field="at")
    if len({d.at_ms for d in record.diversions}) != len(record.diversions):
        raise Unfit("at: it is diverted at that moment already; it follows one route at a time", field="at")
    _check_successions(record)


def _check_within(record: JourneyRecord, armed_ms: int, end_ms: int | None) -> None:
    facts: dict[str, list[int]] = {
        "divert": [d.at_ms for d in record.diversions],
        "suspend": [s.from_ms for s in record.suspensions],
        "reset": [r.at_ms for r in record.resets],
        "transfer": transferred_at(record),
    }
    for what, times in facts.items():
        for at_ms in times:
            if at_ms < armed_ms or (end_ms is not None and at_ms >= end_ms):
                end = "on" if end_ms is None else f"to {iso_ms(end_ms)}"
                raise Unfit(
                    f"at: {what} at {iso_ms(at_ms)} would lie outside of the journey, {iso_ms(armed_ms)} {end}; "
                    "correct that first",
                    field="at",
                )


def _check_suspensions(suspensions: Sequence[Suspension]) -> None:
    for one in suspensions:
        if one.to_ms is not None and one.to_ms <= one.from_ms:
            raise Unfit("to: the suspension would end before it begins", field="to")
    for one, following in pairwise(suspensions):
        if one.to_ms is None or following.from_ms < one.to_ms:
            raise Unfit(
                f"at: the suspensions from {iso_ms(one.from_ms)} and {iso_ms(following.from_ms)} would overlap; "
                "correct one of them first",
                field="at",
            )


def _check_successions(record: JourneyRecord) -> None:
    """Each device that is replaced is on the journey then, since before that moment."""
    since: dict[str, int | None] = {device: record.armed_at_ms for device, _ in record.devices}
    for one in record.transfers:
        begun = since.pop(one.device, None)
        if begun is None or one.at_ms <= begun:
            raise Unfit(
                f"at: {one.device!r}, which {one.to!r} replaced at {iso_ms(one.at_ms)}, would not be on the journey then; "
                "correct that transfer first",
                field="at",
            )
        since[one.to] = one.at_ms


_CORRECT: Mapping[str, Callable[[JourneyRecord, Correction], JourneyRecord]] = {
    "arm": _arm,
    "disarm": _disarm,
    "suspend": _suspend,
    "divert": _divert,
    "authorise": _authorise,
    "transfer": _transfer,
    "reset": _reset,
    "cancel": _cancel,
    "close": _close,
}
assert tuple(_CORRECT) == CORRECTABLE
