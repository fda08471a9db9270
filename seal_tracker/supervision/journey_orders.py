"""What persons order of a journey, and what it makes of the journey's record. Pure: time is an argument.

Each order says from when it holds (``at_ms``); it may be recorded later than that, never long before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from msgspec.structs import replace

from seal_tracker.journey import Authorisation, Diversion, Reset, Suspension, Transfer
from seal_tracker.journey_record import (
    Closing,
    JourneyRecord,
    VehicleChange,
    lead_of,
    state_of,
    transferred_at,
)
from seal_tracker.model import iso_ms
from seal_tracker.supervision.errors import Unfit
from seal_tracker.supervision.journey_amending import amended
from seal_tracker.supervision.journey_corrections import Correction, corrected
from seal_tracker.supervision.life_cycle import Verb, check_allowed

__all__ = ["AHEAD_MS", "CLOSING_CODES", "EARLIEST_MS", "Order", "applied"]

AHEAD_MS = 5 * 60_000
"""How far ahead of our clock an order may be dated: clocks of offices differ, plans belong into the plan (SEMANTICS, *Clock*)."""

EARLIEST_MS = 1_577_836_800_000
"""2020-01-01: pings from before are not believed either."""

LONGEST_MS = 366 * 86_400_000
"""How long leave to unlock or a suspension may be ordered for: what never ends is forgotten."""

CLOSING_CODES = ("completed", "completed_with_findings", "aborted", "other")
"""How a journey can have ended."""


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """One order. Which members count depends on the verb; see the functions below.

    ``at_ms`` is when it takes effect, ``from_ms`` and ``to_ms`` the span of what has two ends. ``changes`` are members of the record
    that are amended, ``correction`` what was recorded wrongly.
    """

    verb: Verb
    at_ms: int
    by: str
    reason: str | None = None
    devices: tuple[tuple[str, str], ...] = ()
    vehicle: str | None = None
    route: str | None = None
    zone: str | None = None
    to_ms: int | None = None
    device: str | None = None
    to: str | None = None
    code: str | None = None
    rule: str | None = None
    object: str | None = None
    changes: Mapping[str, Any] = {}
    correction: Correction | None = None


def applied(record: JourneyRecord, order: Order, now_ms: int) -> JourneyRecord:
    """The record as the order makes it.

    Raises
    ------
    WrongState
        The journey's state does not allow it.
    Unfit
        Its times or devices cannot be.
    """
    check_allowed(order.verb, state_of(record), record.id)
    _check_times(order if order.correction is None else _meant(order, order.correction), now_ms)
    return _APPLY[order.verb](record, order)


def _check_times(order: Order, now_ms: int) -> None:
    """Refuse what is dated where nobody can have meant it; leave alone may be given for later."""
    is_leave = order.verb is Verb.AUTHORISE
    field = "from" if is_leave and order.correction is None else "at"
    if order.at_ms > now_ms + (LONGEST_MS if is_leave else AHEAD_MS):
        raise Unfit(f"{field}: it lies in the future; record it when it has happened", field=field)
    if order.at_ms < EARLIEST_MS:
        raise Unfit(f"{field}: it is before 2020; correct the year", field=field)
    if order.to_ms is not None and order.to_ms > order.at_ms + LONGEST_MS:
        raise Unfit("to: it is over a year later; give it anew then", field="to")


def _assign(record: JourneyRecord, order: Order) -> JourneyRecord:
    if lead_of(order.devices) is None:
        raise Unfit(
            "devices: none has the role seal or tractor; a journey's track is its seal's", field="devices"
        )
    if len({name for name, _ in order.devices}) != len(order.devices):
        raise Unfit("devices: one is there twice; a device has one role on a journey", field="devices")
    return replace(record, devices=order.devices, vehicle=order.vehicle or record.vehicle)


def _arm(record: JourneyRecord, order: Order) -> JourneyRecord:
    return replace(record, armed_at_ms=order.at_ms)


def _disarm(record: JourneyRecord, order: Order) -> JourneyRecord:
    if order.at_ms <= (record.armed_at_ms or 0):
        raise _before_arming(record)
    begun = transferred_at(record)
    if begun and order.at_ms <= max(begun):
        raise Unfit(f"at: it was transferred at {iso_ms(max(begun))}; disarm it after that", field="at")
    at, ended = order.at_ms, record.suspensions
    suspensions = tuple(replace_end(s, at) if s.to_ms is None and s.from_ms < at else s for s in ended)
    return replace(
        record, disarmed_at_ms=at, suspensions=tuple(s for s in suspensions if s.to_ms is not None)
    )


def _suspend(record: JourneyRecord, order: Order) -> JourneyRecord:
    _check_under_way(record, order.at_ms)
    to_ms = order.to_ms
    if to_ms is None and record.disarmed_at_ms is not None:
        to_ms = record.disarmed_at_ms
    if to_ms is not None and to_ms <= order.at_ms:
        raise Unfit("to: it is not after at; the suspension would hold at no time", field="to")
    for known in record.suspensions:
        if order.at_ms < (known.to_ms or order.at_ms + 1) and known.from_ms < (to_ms or known.from_ms + 1):
            raise Unfit(
                f"at: it is suspended since {iso_ms(known.from_ms)} already; leave that stretch out",
                field="at",
            )
    found = (*record.suspensions, Suspension(order.at_ms, to_ms, order.by))
    return replace(record, suspensions=tuple(sorted(found, key=lambda s: s.from_ms)))


def _resume(record: JourneyRecord, order: Order) -> JourneyRecord:
    (open_,) = (s for s in record.suspensions if s.to_ms is None)
    if order.at_ms <= open_.from_ms:
        raise Unfit(f"at: it was suspended at {iso_ms(open_.from_ms)}; resume it after that", field="at")
    others = tuple(s for s in record.suspensions if s is not open_)
    return replace(record, suspensions=(*others, replace_end(open_, order.at_ms)))


def _divert(record: JourneyRecord, order: Order) -> JourneyRecord:
    _check_under_way(record, order.at_ms)
    if any(d.at_ms == order.at_ms for d in record.diversions):
        raise Unfit("at: it is diverted at that moment already; it follows one route at a time", field="at")
    found = (*record.diversions, Diversion(order.at_ms, order.route, order.by, order.reason))
    return replace(record, diversions=tuple(sorted(found, key=lambda d: d.at_ms)))


def _authorise(record: JourneyRecord, order: Order) -> JourneyRecord:
    if order.to_ms is None or order.to_ms <= order.at_ms:
        raise Unfit("to: it is not after from; leave to unlock would hold at no time", field="to")
    leave = Authorisation(order.at_ms, order.to_ms, order.zone, order.by)
    return replace(record, authorisations=(*record.authorisations, leave))


def _transfer(record: JourneyRecord, order: Order) -> JourneyRecord:
    _check_under_way(record, order.at_ms)
    if order.vehicle is not None:
        record = _with_vehicle(record, order, order.vehicle)
    elif order.to is None:
        raise Unfit("to: name the device or the vehicle that takes over", field="to")
    return record if order.to is None else _with_device(record, order, order.to)


def _with_vehicle(record: JourneyRecord, order: Order, vehicle: str) -> JourneyRecord:
    if any(v.at_ms == order.at_ms for v in record.vehicles):
        raise Unfit("at: another vehicle took over at that moment; correct that first", field="at")
    change = VehicleChange(at_ms=order.at_ms, vehicle=vehicle, by=order.by, reason=order.reason)
    return replace(record, vehicles=tuple(sorted((*record.vehicles, change), key=lambda v: v.at_ms)))


def _with_device(record: JourneyRecord, order: Order, to: str) -> JourneyRecord:
    on_it, were = _devices_now(record), {d for d, _ in record.devices} | {t.to for t in record.transfers}
    device = order.device or on_it[lead_of(record.devices) or ""]
    if device not in on_it.values():
        raise Unfit(
            f"device: {device!r} is not on the journey; it has {', '.join(on_it.values())}", field="device"
        )
    if to in were:
        raise Unfit(f"to: {to!r} is or was on this journey; take another device", field="to")
    last = max((t.at_ms for t in record.transfers if t.to == device), default=record.armed_at_ms or 0)
    if order.at_ms <= last:
        raise Unfit(
            f"at: {device!r} is on the journey since {iso_ms(last)}; transfer it after that", field="at"
        )
    change = Transfer(order.at_ms, device, to, order.by, order.reason)
    return replace(record, transfers=(*record.transfers, change))


def _cancel(record: JourneyRecord, order: Order) -> JourneyRecord:
    if record.armed_at_ms is not None:
        if order.reason is None:
            raise Unfit("reason: say why a journey that is under way is called off", field="reason")
        if order.at_ms <= record.armed_at_ms:
            raise _before_arming(record)
    return replace(record, cancelled_at_ms=order.at_ms)


def _close(record: JourneyRecord, order: Order) -> JourneyRecord:
    if order.code not in CLOSING_CODES:
        raise Unfit(f"code: write one of {', '.join(CLOSING_CODES)}", field="code")
    if not order.reason:
        raise Unfit("note: say in a sentence how the journey ended", field="note")
    return replace(
        record, closing=Closing(code=order.code, note=order.reason, at_ms=order.at_ms, by=order.by)
    )


def _amend(record: JourneyRecord, order: Order) -> JourneyRecord:
    return amended(record, order.changes, order.reason)


def _correct(record: JourneyRecord, order: Order) -> JourneyRecord:
    if order.correction is None:
        raise Unfit("what: name the order that was recorded wrongly", field="what")
    if not order.reason:
        raise Unfit("reason: say what was wrong with what is corrected", field="reason")
    return corrected(record, order.correction)


def _meant(order: Order, correction: Correction) -> Order:
    """The order that should have been recorded, for its times to be looked at."""
    at_ms = next(at for at in (correction.at_ms, correction.was_ms, order.at_ms) if at is not None)
    verb = Verb.AUTHORISE if correction.what == "authorise" else order.verb
    return replace(order, verb=verb, at_ms=at_ms, to_ms=correction.to_ms)


def _reset(record: JourneyRecord, order: Order) -> JourneyRecord:
    if order.rule is None:
        raise Unfit("rule: write the type of the episode, like SEAL_TAMPER", field="rule")
    _check_under_way(record, order.at_ms)
    found = (*record.resets, Reset(order.at_ms, order.rule, order.object, order.by))
    return replace(record, resets=tuple(sorted(found, key=lambda r: r.at_ms)))


def _check_under_way(record: JourneyRecord, at_ms: int) -> None:
    """What is ordered before arming or after disarming would do nothing."""
    if record.armed_at_ms is None or at_ms < record.armed_at_ms:
        raise _before_arming(record)
    if record.disarmed_at_ms is not None and at_ms >= record.disarmed_at_ms:
        raise Unfit(
            f"at: the journey was disarmed at {iso_ms(record.disarmed_at_ms)}; write when it was ordered",
            field="at",
        )


def _before_arming(record: JourneyRecord) -> Unfit:
    when = "never" if record.armed_at_ms is None else f"at {iso_ms(record.armed_at_ms)}"
    return Unfit(f"at: the journey was armed {when}; write a later time", field="at")


def _devices_now(record: JourneyRecord) -> dict[str, str]:
    """What has the place of each device that the journey began with."""
    now = {device: device for device, _ in record.devices}
    for transfer in sorted(record.transfers, key=lambda t: t.at_ms):
        now = {first: transfer.to if d == transfer.device else d for first, d in now.items()}
    return now


def replace_end(suspension: Suspension, to_ms: int) -> Suspension:
    """The suspension, over at ``to_ms``."""
    return Suspension(suspension.from_ms, to_ms, suspension.by)


_APPLY: Mapping[Verb, Callable[[JourneyRecord, Order], JourneyRecord]] = {
    Verb.ASSIGN: _assign,
    Verb.ARM: _arm,
    Verb.DISARM: _disarm,
    Verb.SUSPEND: _suspend,
    Verb.RESUME: _resume,
    Verb.DIVERT: _divert,
    Verb.AUTHORISE: _authorise,
    Verb.TRANSFER: _transfer,
    Verb.CANCEL: _cancel,
    Verb.CLOSE: _close,
    Verb.RESET: _reset,
    Verb.AMEND: _amend,
    Verb.CORRECT: _correct,
}
