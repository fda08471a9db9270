"""``/api/v1/alarms/rates``: how often there were alarms, and what became of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
from aiohttp import web
from msgspec import UNSET, UnsetType

from seal_tracker.clock import clock_ms
from seal_tracker.model import iso_ms
from seal_tracker.store.alarm_reads import FALSE_ALARM, AlarmRates, RateQuery
from seal_tracker.web.accounts import Right
from seal_tracker.web.alarms import moment_ms
from seal_tracker.web.auth import scope_of
from seal_tracker.web.context import CONTEXT
from seal_tracker.web.errors import BadParameter
from seal_tracker.web.queries import Id, Moment, SpaceQuery, read_query
from seal_tracker.web.reading import encoded, known_space
from seal_tracker.web.routes import Route

__all__ = ["ROUTES"]

HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS
LONGEST_MS: Final = 366 * DAY_MS


class RatesQuery(SpaceQuery, frozen=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    """Over which time, the last day where nothing is said, and of which unit."""

    from_: Moment | UnsetType = UNSET
    to: Moment | UnsetType = UNSET
    unit: Id | UnsetType = UNSET


class FloodItem(msgspec.Struct, frozen=True, kw_only=True, rename={"from_": "from"}):
    """A stretch with more than ten alarms in ten minutes."""

    from_: str
    to: str
    alarms: int


class ChatterItem(msgspec.Struct, frozen=True, kw_only=True):
    """A subject that raised one type three times or more within an hour."""

    subject: str
    type: str
    within_hour: int
    times: int


class OutcomeItem(msgspec.Struct, frozen=True, kw_only=True):
    """What persons closed of a type, by code, and the share of it that was no true alarm."""

    type: str
    closed: int
    codes: Mapping[str, int]
    false_share: float


class RatesAnswer(msgspec.Struct, frozen=True, kw_only=True, rename={"from_": "from"}):
    """How the alarms of a time were.

    ``operator_hours`` are the hours of all who were on duty by their shifts, up to now: two officers for eight hours are sixteen. With
    ``unit`` they are those of its shifts, else of all that the asker sees; in an exercise there are none. ``per_operator_hour`` is the alarms
    for each of these hours, null where nobody was on duty.
    """

    from_: str
    to: str
    hours: float
    alarms: int
    per_hour: float
    operator_hours: float
    per_operator_hour: float | None
    floods: Sequence[FloodItem]
    chattering: Sequence[ChatterItem]
    stale: Mapping[str, int]
    outcomes: Sequence[OutcomeItem]


async def show_rates(request: web.Request) -> web.Response:
    """How the alarms of a time were."""
    query = read_query(request, RatesQuery)
    known_space(request, query.space)
    to_ms = moment_ms(query.to, "to") or clock_ms()
    from_ms = moment_ms(query.from_, "from") or to_ms - DAY_MS
    if not 0 < to_ms - from_ms <= LONGEST_MS:
        raise BadParameter("from: must be before `to`, by a year at most", field="from")
    asked = RateQuery(
        from_ms=from_ms, to_ms=to_ms, unit=query.unit or None, scope=scope_of(request), now_ms=clock_ms()
    )
    rates = await request.app[CONTEXT].store.alarm_rates(query.space, asked)
    return encoded(rates_answer(asked, rates))


def rates_answer(asked: RateQuery, rates: AlarmRates) -> RatesAnswer:
    """The rates in outer units."""
    hours = (asked.to_ms - asked.from_ms) / HOUR_MS
    codes: dict[str, dict[str, int]] = {}
    for outcome in rates.outcomes:
        codes.setdefault(outcome.type, {})[outcome.code] = outcome.alarms
    return RatesAnswer(
        from_=iso_ms(asked.from_ms),
        to=iso_ms(asked.to_ms),
        hours=round(hours, 3),
        alarms=rates.alarms,
        per_hour=round(rates.alarms / hours, 3),
        operator_hours=round(rates.operator_hours, 3),
        per_operator_hour=round(rates.alarms / rates.operator_hours, 3) if rates.operator_hours else None,
        floods=[
            FloodItem(from_=iso_ms(f.from_ms), to=iso_ms(f.to_ms), alarms=f.alarms) for f in rates.floods
        ],
        chattering=[ChatterItem(**c._asdict()) for c in rates.chattering],
        stale=rates.stale,
        outcomes=[
            OutcomeItem(
                type=type_,
                closed=sum(by_code.values()),
                codes=by_code,
                false_share=round(by_code.get(FALSE_ALARM, 0) / sum(by_code.values()), 4),
            )
            for type_, by_code in codes.items()
        ],
    )


ROUTES: Final[tuple[Route, ...]] = (
    Route(
        "GET", "/api/v1/alarms/rates", show_rates, Right.READ,
        "How often there were alarms: floods, chattering, left standing, and how they were closed.",
        query=RatesQuery, answer=RatesAnswer, problems=(404,),
    ),
)  # fmt: skip
