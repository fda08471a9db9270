"""``/api/v1/seal-stock``: how many seals each unit has in which state, at any moment; and how a seal fares."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from seal_tracker.clock import clock_ms
from seal_tracker.custody.asset import STATES
from seal_tracker.custody.rows import Stock
from seal_tracker.model import LIVE, iso_ms
from seal_tracker.web.accounts import Right
from seal_tracker.web.alarms import moment_ms
from seal_tracker.web.auth import scope_of
from seal_tracker.web.context import CONTEXT
from seal_tracker.web.errors import BadParameter
from seal_tracker.web.queries import DAY_MS, WEEK_MS, path_id, read_query
from seal_tracker.web.reading import encoded
from seal_tracker.web.routes import JSON, Route
from seal_tracker.web.seal_assets import visible_asset
from seal_tracker.web.seal_bodies import (
    HealthQuery,
    SealBatteryItem,
    SealFaultItem,
    SealHealthAnswer,
    StockAnswer,
    StockQuery,
    StockUnitItem,
)
from seal_tracker.web.seal_files import stock_csv

__all__ = ["ROUTES"]

CSV: Final = "text/csv"
LONGEST_MS: Final = 31 * DAY_MS
"""A seal that reports each half minute says 90,000 times in 31 days how its battery is; they are read in a tenth of a second."""


async def show_stock(request: web.Request) -> web.Response:
    """Stock at a moment."""
    query = read_query(request, StockQuery)
    at_ms, model = moment_ms(query.at, "at"), query.model or None
    found = await request.app[CONTEXT].store.seal_stock(LIVE, at_ms, model=model, scope=scope_of(request))
    answer = stock_answer(found, clock_ms() if at_ms is None else at_ms)
    if query.format == "json":
        return encoded(answer)
    headers = {"Content-Disposition": f'attachment; filename="seal-stock-{answer.at[:10]}.csv"'}
    return web.Response(body=stock_csv(answer), content_type=CSV, charset="utf-8", headers=headers)


def stock_answer(found: Stock, at_ms: int) -> StockAnswer:
    """Stock in outer units."""
    units = [_of_unit(found, unit) for unit in sorted({unit for unit, _ in found.cells})]
    return StockAnswer(
        at=iso_ms(at_ms),
        registered=found.registered,
        retired=found.retired,
        total=sum(one.total for one in units),
        units=units,
    )


def _of_unit(found: Stock, unit: str) -> StockUnitItem:
    counts = {state: found.cells.get((unit, state), 0) for state in STATES}
    return StockUnitItem(unit=unit, total=sum(counts.values()) - counts["retired"], **counts)


async def show_health(request: web.Request) -> web.Response:
    """Battery and faults of a seal."""
    query, seal = read_query(request, HealthQuery), path_id(request, "seal")
    await visible_asset(request, seal)
    from_ms, to_ms = moment_ms(query.from_, "from"), moment_ms(query.to, "to")
    to_ms = (clock_ms() if from_ms is None else from_ms + WEEK_MS) if to_ms is None else to_ms
    from_ms = to_ms - WEEK_MS if from_ms is None else from_ms
    if not 0 < to_ms - from_ms <= LONGEST_MS:
        raise BadParameter("from: must be before `to`, by 31 days at most", field="from")
    found = await request.app[CONTEXT].store.seal_health(LIVE, seal, from_ms, to_ms, scope_of(request))
    answer = SealHealthAnswer(
        seal=seal,
        from_=iso_ms(from_ms),
        to=iso_ms(to_ms),
        battery=[
            SealBatteryItem(
                day=iso_ms(one.day_ms)[:10], least_pct=one.least_pct, most_pct=one.most_pct, last_pct=one.last_pct,
                readings=one.readings,
            )
            for one in found.battery
        ],
        faults=[
            SealFaultItem(type=one.type, times=one.times, last_at=iso_ms(one.last_ms))
            for one in found.faults
        ],
    )  # fmt: skip
    return encoded(answer)


ROUTES: Final[tuple[Route, ...]] = (
    Route(
        "GET", "/api/v1/seal-stock", show_stock, Right.READ,
        "How many seals each unit answers for, by state, now or at any moment before.",
        query=StockQuery, answer=StockAnswer, media=(JSON, CSV), tag="seal-assets",
    ),
    Route(
        "GET", "/api/v1/seal-assets/{seal}/health", show_health, Right.READ,
        "What a seal said of its battery, by day, and what was raised of it, by type.",
        query=HealthQuery, answer=SealHealthAnswer, problems=(404,),
    ),
)  # fmt: skip
