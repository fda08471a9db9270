"""A thousandth of a year's database, made as the whole one is; every list's plan reads its page by its index."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from filling import Sizes, fill
from listed import GENERIC_PLAN, LISTS, Asked

from seal_tracker.model import LIVE
from seal_tracker.store import Store
from seal_tracker.store.connections import connect
from seal_tracker.store.queries import sql

SIZES = Sizes(pings=50_000, events=1_000, journeys=100, until_ms=1_764_115_200_000)
DISABLED = 1e10
"""What a plan costs more that has to read all of a table though that is switched off."""


SITUATIONS = """
INSERT INTO situations (
    space, id, version, kind, severity, unit, state, restricted, occurred_at, registered_at, closed_at, journeys, body
)
SELECT 'live', gen_random_uuid(), 1, 'kind' || n % 6, 'high', 'U' || n % 30, CASE n % 50 WHEN 0 THEN 'open' ELSE 'closed' END, false, at, at,
       CASE n % 50 WHEN 0 THEN NULL ELSE at END, ARRAY['J-' || n], '{}'
FROM (SELECT n, '2025-01-01Z'::timestamptz + n * '1 hour'::interval AS at FROM generate_series(1, 5000) AS n) AS made;
ANALYZE situations
"""
"""Special situations of a few years."""


class BrokenOff(Exception):  # noqa: N818 - no error
    """As by the hand of whoever fills."""


def break_off(what: str) -> None:
    if what.startswith("pings"):
        raise BrokenOff


class Overheard:
    """A connection that keeps what is asked of it."""

    def __init__(self, connection: Any, heard: list[tuple[str, tuple[Any, ...]]]) -> None:
        self._connection, self._heard = connection, heard

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._connection, name)

        def call(query: str, *args: Any, **more: Any) -> Any:
            self._heard.append((query, args))
            return method(query, *args, **more)

        return call


class OverheardStore(Store):
    """A store whose questions can be explained afterwards."""

    def __init__(self, dsn: str, **options: Any) -> None:
        super().__init__(dsn, **options)
        self.heard: list[tuple[str, tuple[Any, ...]]] = []

    @asynccontextmanager
    async def _reading(self) -> AsyncIterator[Any]:
        async with super()._reading() as connection:
            yield Overheard(connection, self.heard)


def nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(node for child in plan.get("Plans", []) for node in nodes(child))]


async def test_every_list_is_read_by_its_index(empty_dsn: str) -> None:
    """Reading all of a table is the cheaper way for so few rows, so it is switched off: what is left must be the list's own index."""
    with pytest.raises(BrokenOff):
        await fill(empty_dsn, SIZES, break_off)
    await fill(empty_dsn, SIZES)  # goes on where it was
    with pytest.raises(ValueError, match="name another folder"):
        await fill(empty_dsn, replace(SIZES, pings=100))
    store = await OverheardStore.open(empty_dsn)
    names = await store.seal_names(LIVE)
    asked = Asked(store, SIZES, {name: number for number, name in names.items()})
    connection = await connect(empty_dsn, "explain", 30)
    await connection.execute(SITUATIONS)
    await connection.execute("SET enable_seqscan = off")
    wrong = []
    for one in LISTS:
        store.heard.clear()
        await one.ask(asked)
        query, args = store.heard[-1]
        (text,) = await connection.fetchrow(f"EXPLAIN (FORMAT JSON) {query}", *args)
        plan = json.loads(text)[0]["Plan"]
        read_by = {
            re.sub(r"^pings_\d+_", "pings_", n["Index Name"]) for n in nodes(plan) if "Index Name" in n
        }
        if not read_by & set(one.index.split("|")) or plan["Total Cost"] > DISABLED:
            wrong.append((one.name, one.index, read_by, plan["Total Cost"]))
    assert not wrong, "\n".join(map(str, wrong))
    await connection.execute(GENERIC_PLAN)
    for name in ("alarms_by_priority", "alarms_by_group"):
        text = await connection.fetchval("SELECT pg_temp.generic_plan($1)", sql(name))
        read_by = {n["Index Name"] for n in nodes(json.loads(text)[0]["Plan"]) if "Index Name" in n}
        assert "alarms_by_priority" in read_by, (name, read_by)
        assert "alarms_open" not in read_by, (name, read_by)
    stats = await store.stats(LIVE)
    assert (stats.events, stats.pings_stored, len(await store.ping_weeks())) == (999, 50_000, 53)
    await connection.close()
    await store.close()
