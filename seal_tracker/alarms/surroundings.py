"""What an alarm takes from around it when it is derived from an event. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from seal_tracker.alarms.deadlines import DEFAULT_TERMS, Terms
from seal_tracker.alarms.of_episodes import Place
from seal_tracker.alarms.suppressions import NO_ORDERS, Orders
from seal_tracker.store.records import AlarmRow
from seal_tracker.ways import Way

__all__ = ["Surroundings"]


def _origin(_place: Place | None, unit: str | None) -> str | None:
    return unit


def _undeclared(_journey: str | None) -> str | None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What an alarm takes from around it.

    Attributes
    ----------
    now_ms
        the space's own now, where its clock is not ours: an exercise's.
    responsible
        the unit that answers for a place, given the journey's unit.
    declaration
        of a journey, by its id.
    ways
        by which way seals are heard, by name.
    orders
        by which alarms are suppressed before they are raised.
    alike
        open alarms about the same as what is raised.
    beginnings
        alarms that began a group, within its window of what is raised.
    """

    now_ms: int | None = None
    terms: Terms = field(default_factory=lambda: DEFAULT_TERMS)
    responsible: Callable[[Place | None, str | None], str | None] = _origin
    declaration: Callable[[str | None], str | None] = _undeclared
    ways: Mapping[str, Way] = field(default_factory=dict)
    orders: Orders = NO_ORDERS
    alike: Sequence[AlarmRow] = ()
    beginnings: Sequence[AlarmRow] = ()
