"""Reports out of the store: the figures of a period, for each unit and in all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from seal_tracker.store.alarm_reads import LONGEST_SHIFT, NOT_BY_PERSONS, RateQuery
from seal_tracker.store.duty_reads import SERVICE
from seal_tracker.store.kept_report_reads import KeptReportReads
from seal_tracker.store.late_reads import LateReads
from seal_tracker.store.late_reads import within as until_now
from seal_tracker.store.queries import sql

__all__ = [
    "AlarmFigures",
    "Answering",
    "Figures",
    "JourneyFigures",
    "LateFigures",
    "ReportReads",
    "Silence",
    "Summary",
]

SILENCES_TOLD: Final = 10
"""The longest so many are told."""


class JourneyFigures(NamedTuple):
    """Journeys armed and ended in the period, those of the ended that are closed by now, and those under way at its end."""

    armed: int = 0
    ended: int = 0
    closed: int = 0
    under_way: int = 0


class AlarmFigures(NamedTuple):
    """Alarms of a type and severity; ``escalated`` are of the raised ones. Silent ones are not counted as raised."""

    type: str
    severity: str
    raised: int
    closed: int
    open: int
    escalated: int


class Answering(NamedTuple):
    """How long persons took with so many alarms; None where there were none."""

    alarms: int = 0
    median_s: float | None = None
    p90_s: float | None = None


class LateFigures(NamedTuple):
    """Alarms that were to be acknowledged, and to be closed, within the period and were not by then; and open past a deadline at its end."""

    acknowledge: int = 0
    close: int = 0
    open: int = 0


class Silence(NamedTuple):
    """The longest silence of a seal, up to the period's end; ``is_over``: it was heard of again by then."""

    seal: str
    journey: str | None
    unit: str | None
    started_ms: int
    silent_s: float
    is_over: bool


@dataclass(slots=True)
class Figures:
    """Those of one unit, or of all. ``codes`` is how persons closed alarms, ``episodes`` counts by type, ``operator_hours`` by shifts.

    ``situations`` are those that occurred in the period, by kind, and those open at its end; restricted ones are in no figure.
    """

    journeys: JourneyFigures = field(default_factory=JourneyFigures)
    alarms: list[AlarmFigures] = field(default_factory=list)
    acknowledge: Answering = field(default_factory=Answering)
    close: Answering = field(default_factory=Answering)
    codes: dict[str, int] = field(default_factory=dict)
    episodes: dict[str, int] = field(default_factory=dict)
    late: LateFigures = field(default_factory=LateFigures)
    operator_hours: float = 0.0
    situations: dict[str, int] = field(default_factory=dict)
    situations_open: int = 0


@dataclass(slots=True)
class Summary:
    """The figures of a period: in all, and of each unit that has any; those of no unit are under None."""

    total: Figures = field(default_factory=Figures)
    units: dict[str | None, Figures] = field(default_factory=dict)
    silences: Sequence[Silence] = ()

    def of(self, row: Any) -> Figures:
        """The figures that a row, which begins with ``in_all`` and ``unit``, belongs to."""
        return self.total if row[0] else self.units.setdefault(row[1], Figures())


class ReportReads(LateReads, KeptReportReads):
    """Reads of figures, and of what was late."""

    async def report_summary(self, space: str, asked: RateQuery, until_ms: int) -> Summary:
        """The figures of a period, of which ``until_ms`` is over: a silence is told up to then, and nobody was on duty after."""
        scope = None if asked.scope is None else sorted(asked.scope)
        within = space, asked.from_ms, asked.to_ms, asked.unit, scope
        by_service = list(NOT_BY_PERSONS)
        async with self._counting() as connection:
            journeys = await connection.fetch(sql("report_journeys"), *within)
            alarms = await connection.fetch(sql("report_alarms"), *within)
            answers = await connection.fetch(sql("report_answers"), *within, by_service)
            outcomes = await connection.fetch(sql("report_outcomes"), *within, by_service)
            episodes = await connection.fetch(sql("report_episodes"), *within)
            late = await connection.fetch(sql("report_late"), space, *until_now(asked, until_ms), SERVICE)
            hours = await connection.fetch(
                sql("report_operator_hours"), space, *until_now(asked, until_ms), LONGEST_SHIFT
            )
            situations = await connection.fetch(sql("report_situations"), *within)
            silences = await connection.fetch(sql("report_silences"), *within, until_ms, SILENCES_TOLD)
        summary = Summary(silences=[Silence(*row) for row in silences])
        for row in journeys:
            summary.of(row).journeys = JourneyFigures(*tuple(row)[2:])
        for row in alarms:
            summary.of(row).alarms.append(AlarmFigures(row[2], row[3], *map(int, tuple(row)[4:])))
        for row in answers:
            figures = summary.of(row)
            figures.acknowledge = Answering(row[2], *(row[3] or ()))
            figures.close = Answering(row[4], *(row[5] or ()))
        for row in late:
            summary.of(row).late = LateFigures(*tuple(row)[2:])
        for row in situations:
            figures = summary.of(row)
            figures.situations_open += int(row[4])
            if row[3]:
                figures.situations[row[2]] = int(row[3])
        for row in hours:
            summary.of(row).operator_hours = row[2] or 0.0
        for row in outcomes:
            summary.of(row).codes[row[2]] = row[3]
        for row in episodes:
            summary.of(row).episodes[row[2]] = row[3]
        return summary
