"""``/api/v1/equipment/repairs``: how long faults waited and repairs took over a period: in all, by unit and kind, and what was at fault."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

import msgspec
from aiohttp import web
from msgspec import UNSET, UnsetType

from seal_tracker.clock import clock_ms
from seal_tracker.model import LIVE, iso_ms
from seal_tracker.repairs.figures import RepairFigures, figures_of
from seal_tracker.repairs.states import CAUSES
from seal_tracker.web.accounts import Right
from seal_tracker.web.auth import scope_of
from seal_tracker.web.availability import Kind
from seal_tracker.web.context import CONTEXT
from seal_tracker.web.queries import Id, Moment, period_of, read_query, within_a_year
from seal_tracker.web.reading import encoded
from seal_tracker.web.routes import JSON, Route
from seal_tracker.web.scope import units_asked
from seal_tracker.web.tickets import CSV, csv_answer

__all__ = ["ROUTES"]


class RepairsQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Over which time [from, to), the seven days until now where nothing is said; of one unit or kind where that is named."""

    from_: Moment | UnsetType = msgspec.field(default=UNSET, name="from")
    to: Moment | UnsetType = UNSET
    unit: Id | UnsetType = UNSET
    kind: Kind | UnsetType = UNSET
    format: Literal["json", "csv"] = "json"


class RepairsPart(msgspec.Struct, frozen=True, kw_only=True):
    """How many tickets were opened, acknowledged and repaired in the period; the mean seconds from opening to acknowledging, from
    failure to repair (``mean_to_repair_s``, the MTTR) and the longest of these, null where there were none; and the causes found.
    """

    opened: int
    acknowledged: int
    mean_to_acknowledge_s: float | None
    repaired: int
    mean_to_repair_s: float | None
    longest_to_repair_s: float | None
    causes: Mapping[str, int]


class RepairsGroup(RepairsPart, frozen=True, kw_only=True):
    """Of one kind of one unit, as it was when the ticket was opened; of no unit: null."""

    unit: str | None
    kind: str


class RepairsAnswer(msgspec.Struct, frozen=True, kw_only=True, rename={"from_": "from"}):
    """A period: all that was asked for, and by unit and kind."""

    from_: str
    to: str
    total: RepairsPart
    groups: Sequence[RepairsGroup]


async def show_repairs(request: web.Request) -> web.Response:
    """How long repairs took."""
    query = read_query(request, RepairsQuery)
    begin_ms, end_ms = period_of(query.from_, query.to)
    if begin_ms is None and end_ms is None:
        end_ms = clock_ms()
    from_ms, to_ms = within_a_year(begin_ms, end_ms)
    units = units_asked(scope_of(request), query.unit or None)
    times = await request.app[CONTEXT].store.ticket_times(LIVE, from_ms, to_ms, units, query.kind or None)
    total, groups = figures_of(times, from_ms, to_ms)
    in_order = sorted(groups, key=lambda key: (key[0] is None, key[0] or "", key[1]))
    answer = RepairsAnswer(
        from_=iso_ms(from_ms),
        to=iso_ms(to_ms),
        total=RepairsPart(**part_of(total)),
        groups=[RepairsGroup(unit=unit, kind=kind, **part_of(groups[unit, kind])) for unit, kind in in_order],
    )
    return encoded(answer) if query.format == "json" else as_csv(answer)


def part_of(figures: RepairFigures) -> dict[str, Any]:
    """Figures in outer units."""
    return {
        "opened": figures.opened,
        "acknowledged": figures.acknowledged,
        "mean_to_acknowledge_s": _mean_s(figures.to_acknowledge_ms, figures.acknowledged),
        "repaired": figures.repaired,
        "mean_to_repair_s": _mean_s(figures.to_repair_ms, figures.repaired),
        "longest_to_repair_s": figures.longest_ms / 1000 if figures.repaired else None,
        "causes": {cause: figures.causes[cause] for cause in CAUSES if figures.causes[cause]},
    }


def as_csv(answer: RepairsAnswer) -> web.Response:
    """A line for all, and for each kind of each unit; causes one after another."""
    lines: list[dict[str, Any]] = [{"unit": "", "kind": "all", **msgspec.structs.asdict(answer.total)}]
    lines += [msgspec.structs.asdict(group) for group in answer.groups]
    for line in lines:
        line["causes"] = " ".join(f"{cause}:{times}" for cause, times in line["causes"].items())
    columns = ("unit", "kind", *RepairsPart.__struct_fields__)
    return csv_answer(f"repairs-{answer.from_[:10]}-{answer.to[:10]}", columns, lines)


def _mean_s(sum_ms: int, n: int) -> float | None:
    return round(sum_ms / n / 1000, 3) if n else None


ROUTES: Final = (
    Route(
        "GET", "/api/v1/equipment/repairs", show_repairs, Right.READ,
        "How long faults of equipment waited and took to repair over a period: in all, by unit and kind; as CSV too.",
        query=RepairsQuery, answer=RepairsAnswer, media=(JSON, CSV),
    ),
)  # fmt: skip
