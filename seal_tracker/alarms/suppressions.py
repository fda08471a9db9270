"""Orders that suppress alarms by design: given before there is any, for works that are planned, a closed bridge, an exercise. Pure.

An order says which alarms (by type, seal, journey, equipment, unit, zone, circle; all that it names must hold) of what is raised in which time. An
alarm that it covers is suppressed as it is opened, and comes back when the order ends or is cancelled.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Final, Literal
from uuid import UUID

import msgspec

from seal_tracker.alarms.deadlines import ms_of
from seal_tracker.alarms.grouping import distance_m
from seal_tracker.alarms.of_episodes import Place
from seal_tracker.publishing.cloudevents import AlarmState, SetAside
from seal_tracker.store.records import SuppressionRow

__all__ = [
    "LONGEST_MS",
    "NO_ORDERS",
    "Circle",
    "Orders",
    "StateName",
    "Suppression",
    "order_in",
    "orders_in",
    "row_of_order",
    "state_at",
]

LONGEST_MS: Final = 90 * 86_400_000
"""As an alarm that is suppressed by hand."""


StateName = Literal["planned", "standing", "over", "cancelled"]


class Circle(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A place, in degrees, and how far around it."""

    lon: float
    lat: float
    radius_m: float


class Suppression(msgspec.Struct, frozen=True, kw_only=True):
    """An order as it stands; None and empty: whichever. Times are ISO 8601, of what is raised in [from_at, until).

    Attributes
    ----------
    equipment
        whose alarms: a camera's, scanner's, weighbridge's or reader's, which is in planned maintenance then.
    unit
        whose alarms, those of the units below it too: of its journeys, and those that it answers for.
    zone, circle
        where the alarm's place must lie.
    """

    id: str
    version: int = 1
    types: tuple[str, ...] = ()
    seal: str | None = None
    journey: str | None = None
    unit: str | None = None
    zone: str | None = None
    circle: Circle | None = None
    equipment: str | None = None
    from_at: str
    until: str
    reason: str
    made_by: str
    made_at: str
    changed_by: str
    changed_at: str
    cancelled_by: str | None = None
    cancelled_at: str | None = None


def _nowhere(_place: Place | None, _zone: str) -> bool:
    return False


def _itself(unit: str | None) -> Collection[str]:
    return () if unit is None else (unit,)


@dataclass(frozen=True, slots=True)
class Orders:
    """Orders that may cover what is raised; ``lies_in`` says whether a place is in a zone, ``upwards`` a unit and those above it."""

    standing: tuple[Suppression, ...] = ()
    lies_in: Callable[[Place | None, str], bool] = _nowhere
    upwards: Callable[[str | None], Collection[str]] = _itself

    def covering(self, alarm: AlarmState, now_ms: int) -> SetAside | None:
        """How the alarm, raised now or earlier, is set aside: by the order that ends last; None: by none."""
        orders = [
            order for order in self.standing if ms_of(order.until) > now_ms and self._covers(order, alarm)
        ]
        if not orders:
            return None
        last = max(orders, key=lambda order: (order.until, order.id))
        return SetAside(until=last.until, by=last.changed_by, reason=last.reason, order=last.id)

    def _covers(self, order: Suppression, alarm: AlarmState) -> bool:
        return (
            order.cancelled_at is None
            and order.from_at <= alarm.raised_at < order.until
            and (not order.types or alarm.type in order.types)
            and order.seal in {None, alarm.seal}
            and order.journey in {None, alarm.journey}
            and (order.equipment is None or alarm.subject == f"equipment/{order.equipment}")
            and (
                order.unit is None
                or order.unit in {*self.upwards(alarm.unit), *self.upwards(alarm.responsible)}
            )
            and (order.zone is None or self.lies_in(alarm.place, order.zone))
            and (order.circle is None or _within(alarm.place, order.circle))
        )


NO_ORDERS: Final = Orders()


def state_at(order: Suppression, now_ms: int) -> StateName:
    """Where an order is in its life."""
    if order.cancelled_at is not None:
        return "cancelled"
    if now_ms < ms_of(order.from_at):
        return "planned"
    return "standing" if now_ms < ms_of(order.until) else "over"


def order_in(row: SuppressionRow) -> Suppression:
    """The order of a row."""
    return _decode(row.body)


def orders_in(rows: Iterable[SuppressionRow]) -> tuple[Suppression, ...]:
    """The orders of rows."""
    return tuple(map(order_in, rows))


def row_of_order(order: Suppression) -> SuppressionRow:
    """The row of an order."""
    cancelled_ms = None if order.cancelled_at is None else ms_of(order.cancelled_at)
    return SuppressionRow(
        UUID(order.id), order.version, order.unit, ms_of(order.from_at), ms_of(order.until), cancelled_ms,
        msgspec.json.encode(order),
    )  # fmt: skip


_decode: Final = msgspec.json.Decoder(Suppression).decode


def _within(place: Place | None, circle: Circle) -> bool:
    return place is not None and distance_m(place, (circle.lon, circle.lat)) <= circle.radius_m
