"""What reports answer: the figures of a period in outer units, as JSON and as CSV. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import msgspec

from seal_tracker.alarms.life_cycle import CLOSING_CODES
from seal_tracker.model import iso_ms
from seal_tracker.reports.groups import DEVIATIONS, TAMPERING
from seal_tracker.store.alarm_reads import FALSE_ALARM, RateQuery
from seal_tracker.store.report_reads import Figures, Summary

__all__ = ["SummaryAnswer", "as_csv", "summary_answer"]

SUMMED: Final = ("raised", "escalated", "closed", "open")
CSV_COLUMNS: Final = ("of", "unit", "figure", "type", "severity", "code", "seal", "value")


class JourneysPart(msgspec.Struct, frozen=True, kw_only=True):
    """Journeys armed and ended (disarmed or cancelled) in the period, those of the ended that are closed by now, and those under way
    at its end.
    """

    armed: int
    ended: int
    closed: int
    under_way: int


class AlarmsPart(msgspec.Struct, frozen=True, kw_only=True):
    """Alarms of a type and severity: raised in the period and called for somebody, and how many of these were escalated; closed in
    it; open at its end.
    """

    type: str
    severity: str
    raised: int
    escalated: int
    closed: int
    open: int


class AnswerPart(msgspec.Struct, frozen=True, kw_only=True):
    """How long persons took with so many alarms, seconds; null where there were none."""

    alarms: int
    median_s: float | None
    p90_s: float | None


class CodePart(msgspec.Struct, frozen=True, kw_only=True):
    """How many alarms persons closed under a code, and its share of all that they closed."""

    code: str
    alarms: int
    share: float


class SumsPart(msgspec.Struct, frozen=True, kw_only=True):
    """The same of all types and severities together."""

    raised: int
    escalated: int
    closed: int
    open: int


class LatePart(msgspec.Struct, frozen=True, kw_only=True):
    """Alarms that were to be acknowledged, and to be closed, within the period and were not by then; and those open at its end past a
    deadline, whenever that was.
    """

    acknowledge: int
    close: int
    open: int


class WorkloadPart(msgspec.Struct, frozen=True, kw_only=True):
    """Hours on duty by shifts, up to now, and the alarms raised for each of them; null where nobody was on duty."""

    operator_hours: float
    per_operator_hour: float | None


class SituationsPart(msgspec.Struct, frozen=True, kw_only=True):
    """Special situations that occurred in the period, also by kind, and those open at its end; restricted ones are never counted."""

    occurred: int
    open: int
    kinds: Mapping[str, int]


class FiguresPart(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of a period. ``acknowledge`` is of alarms raised in it, ``close`` and ``codes`` of those that persons closed in it;
    ``false_share`` is null where they closed none; ``episodes`` counts what was raised in it, by type, ``deviations`` and ``tampering``
    types of these.
    """

    journeys: JourneysPart
    alarms: Sequence[AlarmsPart]
    sums: SumsPart
    late: LatePart
    workload: WorkloadPart
    situations: SituationsPart
    acknowledge: AnswerPart
    close: AnswerPart
    codes: Sequence[CodePart]
    false_share: float | None
    episodes: Mapping[str, int]
    deviations: int
    tampering: int


class UnitFigures(FiguresPart, frozen=True, kw_only=True):
    """Those of one unit; null: of none. An alarm counts for the unit whose head answers."""

    unit: str | None


class SilenceItem(msgspec.Struct, frozen=True, kw_only=True):
    """The longest silence of a seal, as far as it lies before the period's end; ``is_over``: it was heard of again by then."""

    seal: str
    journey: str | None
    unit: str | None
    started_at: str
    silent_s: float
    is_over: bool


class SummaryAnswer(msgspec.Struct, frozen=True, kw_only=True, rename={"from_": "from"}):
    """A period in figures: in all, each unit that has any, and the ten seals that were silent longest."""

    space: str
    from_: str
    to: str
    total: FiguresPart
    units: Sequence[UnitFigures]
    silent: Sequence[SilenceItem]


def summary_answer(space: str, asked: RateQuery, found: Summary) -> SummaryAnswer:
    """The figures in outer units; those of no unit last."""
    units = sorted(found.units, key=lambda unit: (unit is None, unit or ""))
    return SummaryAnswer(
        space=space,
        from_=iso_ms(asked.from_ms),
        to=iso_ms(asked.to_ms),
        total=figures_part(found.total),
        units=[
            UnitFigures(unit=unit, **msgspec.structs.asdict(figures_part(found.units[unit])))
            for unit in units
        ],
        silent=[
            SilenceItem(
                seal=one.seal,
                journey=one.journey,
                unit=one.unit,
                started_at=iso_ms(one.started_ms),
                silent_s=round(one.silent_s, 3),
                is_over=one.is_over,
            )
            for one in found.silences
        ],
    )


def figures_part(found: Figures) -> FiguresPart:
    """The figures of one unit, or of all."""
    closed = sum(found.codes.values())
    sums = SumsPart(**{name: sum(getattr(one, name) for one in found.alarms) for name in SUMMED})
    hours = found.operator_hours
    codes = sorted(found.codes, key=lambda code: (code not in CLOSING_CODES, code))
    return FiguresPart(
        journeys=JourneysPart(**found.journeys._asdict()),
        alarms=[AlarmsPart(**one._asdict()) for one in found.alarms],
        acknowledge=AnswerPart(**found.acknowledge._asdict()),
        close=AnswerPart(**found.close._asdict()),
        codes=[CodePart(code=c, alarms=found.codes[c], share=round(found.codes[c] / closed, 4)) for c in codes],
        false_share=round(found.codes.get(FALSE_ALARM, 0) / closed, 4) if closed else None,
        episodes=found.episodes,
        sums=sums,
        late=LatePart(**found.late._asdict()),
        workload=WorkloadPart(
            operator_hours=round(hours, 3), per_operator_hour=round(sums.raised / hours, 3) if hours else None
        ),
        situations=SituationsPart(
            occurred=sum(found.situations.values()), open=found.situations_open, kinds=found.situations
        ),
        deviations=sum(n for type_, n in found.episodes.items() if type_ in DEVIATIONS),
        tampering=sum(n for type_, n in found.episodes.items() if type_ in TAMPERING),
    )  # fmt: skip


def as_csv(answer: SummaryAnswer) -> bytes:
    """The summary, a figure a line: whose (``all``, or ``unit`` with its id), what, and its value; empty where there is none."""
    out = io.StringIO()
    write = csv.DictWriter(out, CSV_COLUMNS, restval="", lineterminator="\r\n")
    write.writeheader()
    for line in lines_of(answer.total):
        write.writerow({"of": "all"} | line)
    for unit in answer.units:
        for line in lines_of(unit):
            write.writerow({"of": "unit", "unit": unit.unit or ""} | line)
    for one in answer.silent:
        write.writerow(
            {"of": "seal", "unit": one.unit or "", "figure": "silent_s", "seal": one.seal, "value": one.silent_s}
        )  # fmt: skip
    return out.getvalue().encode()


def lines_of(figures: FiguresPart) -> Iterator[dict[str, str | float | None]]:
    """A line for each figure."""
    for name, value in msgspec.structs.asdict(figures.journeys).items():
        yield {"figure": f"journeys_{name}", "value": value}
    for part in figures.alarms:
        for name in SUMMED:
            value = getattr(part, name)
            yield {"figure": f"alarms_{name}", "type": part.type, "severity": part.severity, "value": value}
    yield from lines_of_answers(figures)
    for code in figures.codes:
        yield {"figure": "closed_as", "code": code.code, "value": code.alarms}
        yield {"figure": "closed_as_share", "code": code.code, "value": code.share}
    yield {"figure": "false_share", "value": figures.false_share}
    for type_, episodes in figures.episodes.items():
        yield {"figure": "episodes", "type": type_, "value": episodes}


def lines_of_answers(figures: FiguresPart) -> Iterator[dict[str, str | float | None]]:
    """Those of how things were answered, and of what officers reported."""
    for prefix, counts in (("late", figures.late), ("workload", figures.workload)):
        for name, value in msgspec.structs.asdict(counts).items():
            yield {"figure": f"{prefix}_{name}", "value": value}
    yield {"figure": "situations_open", "value": figures.situations.open}
    for kind, occurred in figures.situations.kinds.items():
        yield {"figure": "situations_occurred", "type": kind, "value": occurred}
    for what, answer in (("acknowledge", figures.acknowledge), ("close", figures.close)):
        for name, value in msgspec.structs.asdict(answer).items():
            yield {"figure": f"{what}_{name}", "value": value}
