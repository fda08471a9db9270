"""Lists of journeys on a filled table: each is read by its index, whatever plan the database prefers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from seal_tracker.store import Store
from seal_tracker.store.connections import connect
from seal_tracker.store.filters import JourneyFilter
from seal_tracker.store.queries import sql

N = 30_000
START_MS = 1_790_000_000_000
STATES = ("ARMED", "DISARMED", "CLOSED", "CLOSED", "CLOSED")

FILL = f"""
INSERT INTO journeys (space, id, version, state, regime, unit, route, declaration, box, armed_at, ended_at, changed_at,
    plan_digest, edited, body)
SELECT 'live', 'J' || lpad(n::text, 6, '0'), 1, (ARRAY{list(STATES)})[n % 5 + 1], 'transit', 'U' || n % 40, 'R' || n % 50,
    'D' || n, 'BOX' || n, to_timestamp(1790000000 + n), CASE WHEN n % 5 > 0 THEN to_timestamp(1790000000 + n + 3600) END,
    now(), CASE WHEN n % 100 = 0 THEN '\\x00'::bytea END, false,
    json_build_object('id', 'J' || lpad(n::text, 6, '0'), 'regime', 'transit', 'devices', json_build_array())
FROM generate_series(0, {N - 1}) AS n;
INSERT INTO journey_devices SELECT 'live', id, 'S' || right(id, 4), 'seal', true, armed_at, ended_at FROM journeys;
INSERT INTO journey_versions SELECT 'live', id, 1, 'declare', state, now(), now(), 'a', 'r', null, '{{}}' FROM journeys;
ANALYZE;
"""

PAGE: tuple[Any, ...] = ("live", "J000100", 101)
ASKED: dict[str, tuple[tuple[Any, ...], str]] = {
    "journey": (("live", "J000007"), "journeys_pkey"),
    "journeys_known": (("live", ["J000007", "K"]), "journeys_pkey"),
    "journeys_named": (("live", ["J000007", "K"]), "journeys_pkey"),
    "journeys_planned": (("live",), "journeys_of_plan"),
    "journeys_waiting": (("live",), "journeys_of_state"),
    "journeys_ending_after": (("live", START_MS + 33_500_000), "journeys_by_end"),
    "journeys_of_devices": (("live", ["S0007"], [START_MS]), "journey_devices_of_device"),
    "journeys_overlapping": (
        ("live", ["K"], ["S0007"], [START_MS], [START_MS + 1]),
        "journey_devices_of_device",
    ),
    "journey_versions": (("live", "J000007"), "journey_versions_pkey"),
    "journeys_listed": ((*PAGE, None, None, "transit", None, START_MS, None), "journeys_pkey"),
    "journeys_of_state": ((*PAGE, None, "ARMED", None, None, None, None), "journeys_of_state"),
    "journeys_of_units": ((*PAGE, ["U1", "U2"], None, None, None, None, None), "journeys_of_unit"),
    "journeys_of_route": ((*PAGE, ["U1", "U2"], None, None, "R7", None, None), "journeys_of_route"),
    "journeys_of_seal": (
        (*PAGE, None, None, None, None, None, None, "S0007"),
        "journey_devices_of_device",
    ),
    "journeys_of_box": ((*PAGE, None, None, None, None, None, None, "BOX777"), "journeys_of_box"),
    "journeys_with_box": (("live", "BOX777", 100), "journeys_of_box"),
    "journeys_with_text": (
        (*PAGE, None, None, None, None, None, None, "BOX777", "BOX777\U0010ffff"),
        "journeys_of_box",
    ),
}


def nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(node for child in plan.get("Plans", []) for node in nodes(child))]


async def test_lists_of_journeys_are_read_by_their_index(module_dsn: str) -> None:
    store = await Store.open(module_dsn)
    connection = await connect(module_dsn, "test", 30)
    await connection.execute(FILL)
    for mode in ("force_custom_plan", "force_generic_plan"):
        await connection.execute(f"SET plan_cache_mode = {mode}")
        for name, (args, index) in ASKED.items():
            (text,) = await connection.fetchrow(f"EXPLAIN (FORMAT JSON) {sql(name)}", *args)
            steps = nodes(json.loads(text)[0]["Plan"])
            assert index in {step.get("Index Name") for step in steps}, (mode, name, text)
            assert not [step for step in steps if step["Node Type"] == "Seq Scan"], (mode, name, text)
    await connection.close()
    await store.close()


@pytest.mark.parametrize(
    ("which", "expected"),
    [
        (JourneyFilter(), 250),
        (JourneyFilter(state="ARMED"), 50),
        (JourneyFilter(units=["U1", "U2"]), 14),
        (JourneyFilter(units=[f"U{n}" for n in range(30)], regime="transit"), 190),
        (JourneyFilter(units=["U1"], state="CLOSED", route="R1"), 0),
        (JourneyFilter(route="R7", state="CLOSED"), 5),
        (JourneyFilter(seal="S0100"), 1),
        (JourneyFilter(text="box20"), 11),
        (JourneyFilter(box="box20"), 1),
        (JourneyFilter(box="Box20", units=["U21"]), 0),
        (JourneyFilter(text="D24", units=["U0", "U1"]), 2),
        (JourneyFilter(from_ms=START_MS + 3_800_000, to_ms=START_MS + 3_900_000), 90),
        (JourneyFilter(units=[]), 0),
    ],
)
async def test_pages_of_a_filter_join_without_a_gap(
    module_dsn: str, which: JourneyFilter, expected: int
) -> None:
    """Page by page the same as at once, in order of id; what is inserted behind the cursor moves nothing."""
    store = await Store.open(module_dsn)
    connection = await connect(module_dsn, "test", 30)
    try:
        async with connection.transaction():
            await connection.execute("DELETE FROM journeys WHERE id >= 'J000250'")
        ids: list[str] = []
        more = True
        while more:
            rows, more = await store.journeys("live", which, after=ids[-1] if ids else "", limit=7)
            ids += [row.id for row in rows]
        assert ids == sorted(set(ids))
        assert len(ids) == expected
    finally:
        await connection.close()
        await store.close()
