"""Seals as assets as rows, and what is counted of them. No behaviour; times are epoch ms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

__all__ = ["AssetRow", "BatteryDay", "BookEntry", "FaultCount", "Health", "MovementRow", "Stock"]


class AssetRow(NamedTuple):
    """A seal as it stands; ``body`` is the asset as JSON.

    Attributes
    ----------
    number
        of its last movement.
    unit
        which answers for it.
    other_unit
        which has to do with it besides: to which it is under way, or whose journey it is on, or was last.
    due_ms
        when it is to be back, where that is waited for; None: it is not.
    timer_ms
        when the clock looks at it; None: never.
    calibrate_by
        a day, ``YYYY-MM-DD``.
    """

    seal: str
    version: int
    number: int
    state: str
    unit: str
    other_unit: str | None
    model: str | None
    officer: str | None
    journey: str | None
    due_ms: int | None
    timer_ms: int | None
    calibrate_by: str | None
    registered_ms: int
    body: bytes


class MovementRow(NamedTuple):
    """A movement; ``body`` is it as JSON. Never changes. ``from_state`` and ``from_unit`` are None of the first."""

    seal: str
    number: int
    move: str
    at_ms: int
    recorded_ms: int
    from_state: str | None
    from_unit: str | None
    state: str
    unit: str
    journey: str | None
    body: bytes


class BookEntry(NamedTuple):
    """A movement in the book of all seals; ``entry`` counts in the order in which they were recorded."""

    entry: int
    movement: MovementRow


class Stock(NamedTuple):
    """How many seals there were at a moment: by unit and state, retired ones by unit apart."""

    cells: Mapping[tuple[str, str], int]

    @property
    def retired(self) -> int:
        """How many were retired."""
        return sum(count for (_, state), count in self.cells.items() if state == "retired")

    @property
    def registered(self) -> int:
        """How many had ever been registered."""
        return sum(self.cells.values())


class BatteryDay(NamedTuple):
    """What a seal said of its battery on a day (UTC): from which reading to which, the last, and how many."""

    day_ms: int
    least_pct: float
    most_pct: float
    last_pct: float
    readings: int


class FaultCount(NamedTuple):
    """How often something was raised of a seal, and when last."""

    type: str
    times: int
    last_ms: int


class Health(NamedTuple):
    """What a seal said of itself in a period."""

    battery: list[BatteryDay]
    faults: list[FaultCount]
