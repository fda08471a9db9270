"""A report in one language, as tables of cells: what HTML, PDF and XLSX then only draw. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from seal_tracker.model import LIVE
from seal_tracker.reports.model import Figure, Form, Line, Report, SituationLine
from seal_tracker.reports.numbers import NOTHING, change, moment, written
from seal_tracker.reports.texts import Language, named, say

__all__ = ["Cell", "Document", "Sheet", "document", "line_name"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """What stands in a cell: ``text`` for people, of a number its ``form``, of a figure its ``value`` and the address that reproduces it."""

    text: str
    value: float | None = None
    form: Form | None = None
    address: str | None = None
    heading: bool = False
    depth: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A table: ``key`` in the texts, column headings, rows; ``widths`` are shares of the page, ``note`` stands below."""

    key: str
    title: str
    name: str
    columns: Sequence[str]
    widths: Sequence[float]
    rows: Sequence[Sequence[Cell]]
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """The whole report in one language."""

    language: Language
    organisation: str
    title: str
    heads: Sequence[str]
    warnings: Sequence[str]
    sheets: Sequence[Sheet]


def document(report: Report, language: Language, base: str | None = "") -> Document:
    """The report in a language; addresses begin with ``base``, None: there are none."""
    words = _Words(report, language, base)
    whose = words.text("page", "of_all")
    if report.unit is not None:
        whose = words.text("page", "of_unit", name=words.unit(report.unit))
    warnings = [words.text("page", "restricted")] if report.restricted else []
    if report.space != LIVE:
        warnings.append(words.text("page", "exercise", space=report.space))
    return Document(
        language=language,
        organisation=report.organisation.get(language) or next(iter(report.organisation.values()), ""),
        title=words.text("page", "title"),
        heads=(
            whose,
            words.text("page", "period", **{"from": words.at(report.from_), "to": words.at(report.to)}),
            words.text("page", "compared", **{"from": words.at(report.before_from)}),
            words.text("page", "made", at=words.at(report.made_at), known=words.at(report.known_until)),
            words.text("page", "how"),
        ),
        warnings=warnings,
        sheets=list(words.sheets()),
    )


def line_name(language: Language, report: Report, line: Line) -> str:
    """What a line is called."""
    name = ""
    if line.of is not None:
        kind = report.kinds.get(line.of)
        name = (
            kind.get(language, line.of)
            if kind and line.key == "of_kind"
            else named(language, "type", line.of)
        )
    return say(language, "figure", line.key, name=name)


@dataclass(frozen=True, slots=True)
class _Words:
    """A report being put into a language."""

    report: Report
    language: Language
    base: str | None

    def address(self, path: str | None) -> str | None:
        return None if path is None or self.base is None else self.base + path

    def text(self, table: str, key: str, **values: object) -> str:
        return say(self.language, table, key, **values)

    def at(self, iso: str) -> str:
        return moment(self.language, iso)

    def unit(self, unit: str | None) -> str:
        if unit is None:
            return self.text("page", "no_unit")
        names = self.report.names.get(unit, {})
        return names.get(self.language) or next(iter(names.values()), unit)

    def figure(self, one: Figure) -> Cell:
        address = self.address(one.query)
        if address is not None and one.pointer is not None:
            address += f"#{one.pointer}"
        text = written(self.language, one.value, one.form)
        return Cell(text=text, value=one.value, form=one.form, address=address)

    def sheets(self) -> Iterator[Sheet]:
        yield self.sheet("figures", ("figure", "now", "before", "change"), (46, 18, 18, 18), self.figures())
        columns = ("unit", *self.report.columns)
        yield self.sheet("units", columns, (19, *(9.0 for _ in self.report.columns)), self.units())
        note = self.text("page", "more") if self.report.situations_more else None
        yield self.situations("situations", self.report.situations, note)
        if self.report.restricted:
            yield self.situations("restricted", self.report.restricted_situations)
        yield self.sheet("late", ("unit", "person", "acknowledged", "closed"), (36, 28, 18, 18), self.late())
        yield self.sheet(
            "equipment", ("equipment", "kind", "unit", "down", "failures", "availability"), (22, 14, 24, 16, 10, 14),
            self.equipment(),
        )  # fmt: skip
        yield self.sheet(
            "silent", ("seal", "journey", "unit", "silent", "over"), (22, 24, 24, 18, 12), self.silent()
        )

    def sheet(
        self,
        key: str,
        columns: Sequence[str],
        widths: Sequence[float],
        rows: Iterable[Sequence[Cell]],
        note: str | None = None,
    ) -> Sheet:
        return Sheet(
            key=key, title=self.text("heading", key), name=self.text("sheet", key),
            columns=[self.text("column", column) for column in columns], widths=widths, rows=list(rows), note=note,
        )  # fmt: skip

    def figures(self) -> Iterator[Sequence[Cell]]:
        for section in self.report.sections:
            yield [Cell(text=self.text("section", section.key), heading=True)]
            for line in section.lines:
                name = Cell(text=line_name(self.language, self.report, line))
                by = change(self.language, line.now.value, line.before.value, line.now.form)
                yield [
                    name,
                    self.figure(line.now),
                    self.figure(line.before),
                    Cell(text=by, form=line.now.form),
                ]

    def units(self) -> Iterator[Sequence[Cell]]:
        for line in self.report.units:
            cells = [self.figure(line.cells[column]) for column in self.report.columns]
            yield [Cell(text=self.unit(line.unit), depth=line.depth), *cells]

    def situations(self, key: str, lines: Sequence[SituationLine], note: str | None = None) -> Sheet:
        columns = ("occurred", "kind", "unit", "severity", "state", "narrative")
        return self.sheet(key, columns, (13, 14, 15, 10, 9, 39), map(self.situation, lines), note)

    def situation(self, one: SituationLine) -> Sequence[Cell]:
        kind = self.report.kinds.get(one.kind, {}).get(self.language, one.kind)
        said = [
            one.narrative,
            one.last_follow_up and f"→ {one.last_follow_up}",
            one.outcome and f"■ {one.outcome}",
        ]
        exercise = "" if self.report.space == LIVE else f"?space={self.report.space}"
        address = self.address(f"/api/v1/situations/{one.id}{exercise}")
        return [
            Cell(text=self.at(one.occurred_at), address=address), Cell(text=kind), Cell(text=self.unit(one.unit)),
            Cell(text=self.text("severity", one.severity)), Cell(text=self.text("state", one.state)),
            Cell(text="\n".join(text for text in said if text)),
        ]  # fmt: skip

    def late(self) -> Iterator[Sequence[Cell]]:
        for one in self.report.late:
            who = self.text("page", "nobody") if one.by is None else one.by
            yield [
                Cell(text=self.unit(one.unit)),
                Cell(text=who),
                self.figure(one.acknowledged),
                self.figure(one.closed),
            ]

    def equipment(self) -> Iterator[Sequence[Cell]]:
        for one in self.report.equipment:
            kind = named(self.language, "equipment", one.kind)
            figures = [self.figure(each) for each in (one.down, one.failures, one.availability)]
            yield [Cell(text=one.id), Cell(text=kind), Cell(text=self.unit(one.unit)), *figures]

    def silent(self) -> Iterator[Sequence[Cell]]:
        for one in self.report.silent:
            over = self.text("number", "yes" if one.is_over else "no")
            names = (one.seal, one.journey or NOTHING, self.unit(one.unit))
            yield [*(Cell(text=name) for name in names), self.figure(one.silent), Cell(text=over)]
