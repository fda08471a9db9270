"""Which events, episodes and journeys a list has, and the statement that finds fewest rows to look through for them. Pure.

In all of them ``units`` are those that the asker may see, or of those the one asked for; None is everybody's and nobody's.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

from seal_tracker.model import NO_TIME
from seal_tracker.store.connections import END_OF_TIME

__all__ = [
    "ALL_EPISODES",
    "ALL_EVENTS",
    "FEW_UNITS",
    "EpisodeFilter",
    "EventFilter",
    "JourneyFilter",
    "is_short",
]

SHORT_MS: Final = 92 * 86_400_000
"""A period whose every day is looked through, whatever else is asked for: 3,000 events a day are three milliseconds in ten days."""

FEW_UNITS: Final = 20
"""Units that are read one by one; with more of them the whole list is nearly theirs, and a type or a severity leads to fewer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _OfWhatHappened:
    """What events and episodes are filtered by; None: any. The period is [from_ms, to_ms)."""

    units: Collection[str] | None = None
    journeys: Collection[str] | None = None
    seal: str | None = None
    type: str | None = None
    severity: str | None = None
    from_ms: int | None = None
    to_ms: int | None = None

    @property
    def has_few_units(self) -> bool:
        """Whether it is of so few units that they are read one by one."""
        return self.units is not None and len(self.units) <= FEW_UNITS

    @property
    def is_short(self) -> bool:
        """Whether it is of a period so short that it is looked through."""
        return is_short(self.from_ms, self.to_ms)

    @property
    def arguments(self) -> Sequence[Any]:
        """The filters, in the order in which the statements take them."""
        return (
            None if self.units is None else list(self.units),
            None if self.journeys is None else list(self.journeys),
            self.seal,
            self.type,
            self.severity,
            NO_TIME if self.from_ms is None else self.from_ms,
            END_OF_TIME if self.to_ms is None else self.to_ms,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFilter(_OfWhatHappened):
    """Which events; the period is when they happened."""

    @property
    def after(self) -> tuple[str, Sequence[Any]]:
        """The statement for those after a sequence, and its arguments beyond those that all have."""
        return self._leads[0], self.arguments

    @property
    def before(self) -> tuple[str, Sequence[Any]]:
        """The same for those before one, newest first."""
        return self._leads[1], self.arguments

    @property
    def _leads(self) -> tuple[str, str]:
        """What finds fewest to look through."""
        timed = self.from_ms is not None or self.to_ms is not None
        in_time = ("events_after_in_time", "events_before_in_time")
        ways = (
            (self.journeys is not None, ("events_after_of_journeys", "events_before_of_journeys")),
            (self.seal is not None, ("events_after_of_seal", "events_before_of_seal")),
            (self.is_short, in_time),
            (self.has_few_units, ("events_after_of_units", "events_before_of_units")),
            (self.type is not None, ("events_after_of_type", "events_before_of_type")),
            (self.severity is not None, ("events_after_of_severity", "events_before_of_severity")),
            (timed, in_time),
        )
        return next(
            (names for leads, names in ways if leads), ("events_after_of_units", "events_before_of_units")
        )


ALL_EVENTS: Final = EventFilter()
"""The whole log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EpisodeFilter(_OfWhatHappened):
    """Which episodes; the period is when they were raised."""

    open_only: bool = False

    @property
    def query(self) -> str:
        """The statement for pages that finds fewest to look through."""
        of_units = "episodes_open_of_units" if self.open_only else "episodes_newest_of_units"
        ways = (
            (self.journeys is not None, "episodes_of_journeys"),
            (self.seal is not None, "episodes_of_seal"),
            (self.has_few_units, of_units),
            (self.open_only and self.units is None, "episodes_open"),
            (self.type is not None, "episodes_of_type"),
            (self.severity is not None, "episodes_of_severity"),
            (self.units is not None, of_units),
        )
        return next((name for leads, name in ways if leads), "episodes_newest")

    @property
    def query_in_order(self) -> str:
        """The statement for the list in its published order."""
        if self.journeys is not None:
            return "episodes_in_order_of_journeys"
        return "episodes_in_order" if self.seal is None else "episodes_in_order_of_seal"


ALL_EPISODES: Final = EpisodeFilter()
"""Every one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JourneyFilter:
    """Which journeys; None: any. ``text`` is how the declaration or box begins, ``box`` all of it, the period is when they were
    armed.
    """

    units: Sequence[str] | None = None
    state: str | None = None
    regime: str | None = None
    route: str | None = None
    seal: str | None = None
    box: str | None = None
    text: str | None = None
    from_ms: int | None = None
    to_ms: int | None = None

    @property
    def query(self) -> tuple[str, list[Any]]:
        """The statement that finds fewest to look through, and its arguments beyond those that all have."""
        by_name = {
            "journeys_of_seal": None if self.seal is None else [self.seal],
            "journeys_of_box": None if self.box is None else [self.box.upper()],
            "journeys_with_text": None
            if self.text is None
            else [self.text.upper(), self.text.upper() + chr(0x10FFFF)],
        }
        named = next(((name, more) for name, more in by_name.items() if more is not None), None)
        return (self._found_by, []) if named is None else named

    @property
    def _found_by(self) -> str:
        """What leads to few of them where none is named."""
        ways = (
            (self.route is not None, "journeys_of_route"),
            (is_short(self.from_ms, self.to_ms), "journeys_in_time"),
            (self.units is not None and len(self.units) <= FEW_UNITS, "journeys_of_units"),
            (
                self.regime is not None and self.state in (None, "CLOSED"),
                "journeys_of_regime",
            ),  # nearly all are closed
            (self.state is not None, "journeys_of_state"),
        )
        return next((name for leads, name in ways if leads), "journeys_listed")


def is_short(from_ms: int | None, to_ms: int | None) -> bool:
    """Whether a period has two ends that are not far apart."""
    return from_ms is not None and to_ms is not None and 0 <= to_ms - from_ms <= SHORT_MS
