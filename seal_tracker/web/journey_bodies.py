"""What crosses the API of journeys, as types: declarations, orders, and journeys as they stand. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, get_args

import msgspec
from msgspec import UNSET, UnsetType

from seal_tracker.comments import Comment
from seal_tracker.journey_record import State
from seal_tracker.plans.model import ROLES
from seal_tracker.rules.policy import REGIMES
from seal_tracker.supervision.journey_corrections import CORRECTABLE, Correction
from seal_tracker.supervision.journey_orders import CLOSING_CODES, Order
from seal_tracker.supervision.life_cycle import Verb
from seal_tracker.web.permit_schema import PERMIT
from seal_tracker.web.queries import Box, EventType, Id, Moment, PageQuery, ms_of

__all__ = [
    "BODIES",
    "Declaration",
    "DeviceItem",
    "FaultItem",
    "ImportAnswer",
    "JourneyDetail",
    "JourneyItem",
    "JourneysQuery",
    "OrderBody",
    "VersionItem",
    "order_of",
]

Text = Annotated[str, msgspec.Meta(pattern=r"^[^\x00]{1,500}\Z")]
Prefix = Annotated[str, msgspec.Meta(pattern=r"^[^\x00-\x1f\x7f]{1,64}\Z")]
StateName = Literal[
    "DECLARED", "ASSIGNED", "ARMED", "SUSPENDED", "DIVERTED", "TRANSFERRED", "DISARMED", "CLOSED", "CANCELLED"
]
RegimeName = Literal["transit", "bonded", "oversized", "minerals"]
RoleName = Literal["seal", "tractor", "trailer", "escort"]
ClosingCode = Literal["completed", "completed_with_findings", "aborted", "other"]
CorrectableName = Literal[
    "arm", "disarm", "suspend", "divert", "authorise", "transfer", "reset", "cancel", "close"
]
assert (get_args(StateName), get_args(RegimeName)) == (tuple(map(str, State)), tuple(REGIMES))
assert (get_args(RoleName), get_args(ClosingCode)) == (tuple(ROLES), CLOSING_CODES)
assert get_args(CorrectableName) == CORRECTABLE


class JourneysQuery(PageQuery, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One page of journeys by id, armed at some time in [from, to). ``text`` is how the declaration or the box begins, ``box`` the whole
    number of a container; both in any case of letters.
    """

    state: StateName | UnsetType = UNSET
    unit: Id | UnsetType = UNSET
    regime: RegimeName | UnsetType = UNSET
    seal: Id | UnsetType = UNSET
    route: Id | UnsetType = UNSET
    box: Box | UnsetType = UNSET
    text: Prefix | UnsetType = UNSET
    from_: Moment | UnsetType = msgspec.field(default=UNSET, name="from")
    to: Moment | UnsetType = UNSET


class DeviceBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A device and what it does on the journey."""

    id: Id
    role: RoleName


Permit = Annotated[dict[str, Any], msgspec.Meta(extra_json_schema=PERMIT)]
Above0 = Annotated[float, msgspec.Meta(gt=0)]


class LoadBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """An oversized vehicle with its load, as declared. What is left out is taken as the permit says it."""

    length_m: Above0 | None = None
    width_m: Above0 | None = None
    height_m: Above0 | None = None
    mass_kg: Above0 | None = None
    axle_loads_kg: Annotated[list[Above0], msgspec.Meta(max_length=100)] | None = None


class Declaration(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """A journey to declare; with a device it is assigned, with ``armed_at`` armed.

    ``permit`` is an oversized vehicle's, ``load`` what is declared of its size and mass; ``vehicle`` and ``trailer`` are registrations.
    ``minerals`` (``licence``, ``loaded_kg``, ``weighbridge_out``, ``weighbridge_in``) is what is declared of minerals under a licence.
    """

    id: Id
    regime: RegimeName
    seal: Id | None = None
    devices: Annotated[list[DeviceBody], msgspec.Meta(max_length=20)] = []
    route: Id | None = None
    unit: Id | None = None
    due_at: Moment | None = None
    declaration: Text | None = None
    box: Text | None = None
    vehicle: Text | None = None
    trailer: Text | None = None
    cargo: Text | None = None
    carrier: Text | None = None
    consignee: Text | None = None
    origin_zone: Id | None = None
    destination_zone: Id | None = None
    permit: Permit | None = None
    load: LoadBody | None = None
    minerals: dict[str, Any] | None = None
    armed_at: Moment | None = None
    disarmed_at: Moment | None = None


class OrderBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An order: when it took effect (now, where not given; it may be recorded late), and why."""

    at: Moment | None = None
    reason: Text | None = None


class AssignBody(OrderBody, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The devices of the journey, in place of those it had; one of role seal or tractor leads."""

    devices: Annotated[list[DeviceBody], msgspec.Meta(min_length=1, max_length=20)]
    vehicle: Text | None = None


class SuspendBody(OrderBody, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Route, stops and times are not judged from ``at`` on; until ``to`` where that is known already."""

    to: Moment | None = None


class DivertBody(OrderBody, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The route to follow from ``at`` on; null: none is judged."""

    route: Id | None


class AuthoriseBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Leave to unlock from ``from`` (now, where not given) to ``to``, in a zone; without one, anywhere."""

    to: Moment
    from_: Moment | None = msgspec.field(default=None, name="from")
    zone: Id | None = None
    reason: Text | None = None


class TransferBody(OrderBody, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """From ``at`` on the device ``to`` takes the place of ``device`` (the lead, where not given); or another vehicle."""

    device: Id | None = None
    to: Id | None = None
    vehicle: Text | None = None


class CloseBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How the journey ended."""

    code: ClosingCode
    note: Text


class ResetBody(OrderBody, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The latched episode of a rule, and its object where it has one, is dealt with."""

    rule: EventType
    object: Id | None = None


class AmendBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """What was declared and is otherwise; a member that is left out stays, null empties it. ``reason`` is needed once it is armed.

    ``regime``, ``route``, ``unit``, ``permit``, ``trailer`` and ``load`` are settled by arming. On the way ``due_at``, ``minerals`` and
    the zones are for who orders.
    """

    regime: RegimeName | UnsetType = UNSET
    route: Id | UnsetType | None = UNSET
    unit: Id | UnsetType | None = UNSET
    due_at: Moment | UnsetType | None = UNSET
    declaration: Text | UnsetType | None = UNSET
    box: Text | UnsetType | None = UNSET
    vehicle: Text | UnsetType | None = UNSET
    cargo: Text | UnsetType | None = UNSET
    carrier: Text | UnsetType | None = UNSET
    consignee: Text | UnsetType | None = UNSET
    origin_zone: Id | UnsetType | None = UNSET
    destination_zone: Id | UnsetType | None = UNSET
    permit: Permit | UnsetType | None = UNSET
    trailer: Text | UnsetType | None = UNSET
    load: LoadBody | UnsetType | None = UNSET
    minerals: dict[str, Any] | UnsetType | None = UNSET
    reason: Text | None = None


class CorrectBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An order that was recorded wrongly (of several of a kind the one recorded to begin at ``was``), and why that is known.

    It took effect at ``at``, and lasted until ``to`` where it has an end; or, ``struck``, never.
    """

    what: CorrectableName
    reason: Text
    was: Moment | None = None
    at: Moment | None = None
    to: Moment | None = None
    struck: bool = False


BODIES: Mapping[Verb, type[msgspec.Struct]] = {
    Verb.ASSIGN: AssignBody,
    Verb.ARM: OrderBody,
    Verb.DISARM: OrderBody,
    Verb.SUSPEND: SuspendBody,
    Verb.RESUME: OrderBody,
    Verb.DIVERT: DivertBody,
    Verb.AUTHORISE: AuthoriseBody,
    Verb.TRANSFER: TransferBody,
    Verb.CANCEL: OrderBody,
    Verb.CLOSE: CloseBody,
    Verb.RESET: ResetBody,
    Verb.AMEND: AmendBody,
    Verb.CORRECT: CorrectBody,
}


class DeviceItem(msgspec.Struct, frozen=True, kw_only=True):
    """A device on a journey and from when to when; null while it is not armed, or until further notice."""

    id: str
    role: str
    from_: str | None = msgspec.field(name="from")
    to: str | None


class JourneyItem(msgspec.Struct, frozen=True, kw_only=True):
    """A journey as it stands.

    ``state`` is what persons made of it; ``derived`` (``IN_TRANSIT``, ``AT_STOP``, ``ARRIVED``) is told by its track while it is
    armed, as are ``progress_pct``, ``off_route_m`` and ``time``. ``open_alarms`` counts those that are not closed.
    """

    id: str
    version: int
    state: str
    derived: str | None
    seal: str | None
    devices: Sequence[DeviceItem]
    vehicle: str | None
    trailer: str | None
    box: str | None
    route: str | None
    regime: str
    unit: str | None
    armed_at: str | None
    disarmed_at: str | None
    due_at: str | None
    declaration: str | None
    cargo: str | None
    carrier: str | None
    consignee: str | None
    origin_zone: str | None
    destination_zone: str | None
    progress_pct: float | None
    off_route_m: float | None
    time: str | None
    open_alarms: int
    changed_at: str


class CommentItem(Comment, frozen=True, kw_only=True):
    """A comment, and the episodes of its journey that it is about."""

    episodes: Sequence[str]


class ChangedItem(msgspec.Struct, frozen=True, kw_only=True):
    """A member of a journey before and after; null: there was none."""

    before: Any
    after: Any


class VersionItem(msgspec.Struct, frozen=True, kw_only=True):
    """What one deed made of a journey: ``at`` is from when it holds, ``recorded_at`` when it was said.

    ``changed`` names the members of the journey that are others since, each with what it was and what it is.
    """

    version: int
    verb: str
    state: str
    at: str
    recorded_at: str
    by: str
    role: str
    reason: str | None
    changed: Mapping[str, ChangedItem]


class JourneyDetail(JourneyItem, frozen=True, kw_only=True):
    """A journey with everything that was ordered of it, its permit, what it declares of minerals, what its driver declared, and its history."""

    authorisations: Sequence[Mapping[str, Any]]
    diversions: Sequence[Mapping[str, Any]]
    suspensions: Sequence[Mapping[str, Any]]
    resets: Sequence[Mapping[str, Any]]
    transfers: Sequence[Mapping[str, Any]]
    vehicles: Sequence[Mapping[str, Any]]
    closing: Mapping[str, Any] | None
    cancelled_at: str | None
    permit: Mapping[str, Any] | None
    load: Mapping[str, Any] | None
    comments: Sequence[CommentItem]
    minerals: Mapping[str, Any] | None
    history: Sequence[VersionItem]


class FaultItem(msgspec.Struct, frozen=True, kw_only=True):
    """A line that cannot be taken in: what is there, why that is wrong, what to do."""

    feature: str
    where: str
    what: str
    why: str
    remedy: str


class ImportAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """How many journeys were taken in."""

    imported: int


def order_of(verb: Verb, body: Any, by: str, now_ms: int) -> Order:
    """The order that a body gives; members that its verb does not have are absent. Amending is `amending`'s."""
    if isinstance(body, CorrectBody):
        was, at_ms, to_ms = (None if m is None else ms_of(m) for m in (body.was, body.at, body.to))
        meant = Correction(what=body.what, was_ms=was, at_ms=at_ms, to_ms=to_ms, struck=body.struck)
        return Order(verb=verb, at_ms=now_ms, by=by, reason=body.reason, correction=meant)
    given: dict[str, Any] = {name: getattr(body, name) for name in body.__struct_fields__}
    at, begin, end = given.pop("at", None), given.pop("from_", None), given.pop("to", None)
    moment = begin if verb is Verb.AUTHORISE else at
    if "note" in given:
        given["reason"] = given.pop("note")
    if "devices" in given:
        given["devices"] = tuple((device.id, device.role) for device in given["devices"])
    if isinstance(end, datetime):
        given["to_ms"] = ms_of(end)
    elif end is not None:
        given["to"] = end
    return Order(verb=verb, at_ms=now_ms if moment is None else ms_of(moment), by=by, **given)
