"""What the plan registers beside its geometry: equipment with its heartbeats, and every threshold with where it is set."""

from __future__ import annotations

import tomllib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

import msgspec
from aiohttp import web

from seal_tracker.model import iso_ms, iso_or_none
from seal_tracker.plans.probes import where_of
from seal_tracker.rules.policy import SETTABLE_KEYS
from seal_tracker.web.accounts import Right
from seal_tracker.web.auth import scope_of
from seal_tracker.web.context import CONTEXT
from seal_tracker.web.queries import PageQuery, SpaceQuery, read_query
from seal_tracker.web.reading import encoded, known_space, page_of
from seal_tracker.web.routes import Route
from seal_tracker.web.wire import EquipmentItem, EquipmentRow, EquipmentState, Page, PolicyItem, ProbeItem

if TYPE_CHECKING:
    from seal_tracker.plans import Plan

__all__ = ["ROUTES", "equipment_item"]

POLICIES: Final = "policies.toml"
OF_OBJECTS: Final = ("route", "zone")

Settings = dict[tuple[str, str], dict[str, Any]]
"""(rule, key) to table to value."""


async def equipment(request: web.Request) -> web.Response:
    """Cameras, scanners and readers by id."""
    query = read_query(request, PageQuery)
    known_space(request, query.space)
    scope = scope_of(request)
    rows = [
        row
        for row in request.app[CONTEXT].live.equipment(query.space)
        if scope is None or row.equipment.unit in scope
    ]
    page, following = page_of(rows, lambda row: row.equipment.id, query)
    return encoded(Page([equipment_item(row) for row in page], following))


def equipment_item(row: EquipmentRow) -> EquipmentItem:
    """The row in outer units."""
    one = row.equipment
    heard: EquipmentState = "never_heard" if row.last_ms is None else "heard"
    missed: EquipmentState = heard if row.offline_since_ms is None else "down"
    return EquipmentItem(
        id=one.id,
        kind=one.kind,
        unit=one.unit,
        lon=one.lon_deg,
        lat=one.lat_deg,
        heartbeat_s=one.heartbeat_s,
        zone=one.zone,
        reads=one.reads,
        probe=probe_item(row),
        last_heard_at=None if row.last_ms is None else iso_ms(row.last_ms),
        offline_since=iso_or_none(row.offline_since_ms),
        flapping_since=iso_or_none(row.flapping_since_ms),
        state=missed if row.flapping_since_ms is None else "flapping",
    )


def probe_item(row: EquipmentRow) -> ProbeItem | None:
    """Where it is asked and what came of that; of the address no more than may be told."""
    probe, found = row.equipment.probe, row.probed
    if probe is None:
        return None
    return ProbeItem(
        url=where_of(probe.url).shown,
        every_s=probe.every_s,
        timeout_s=probe.timeout_s,
        asked_at=None if found is None else iso_ms(found.at_ms),
        answers=None if found is None else found.ok,
        why=None if found is None else found.why,
        took_ms=None if found is None else found.took_ms,
        failing_since=None if found is None else iso_or_none(found.failing_since_ms),
    )


async def policies(request: web.Request) -> web.Response:
    """Every key that a policy may set, with its default and what the plan in force says."""
    query = read_query(request, SpaceQuery)
    known_space(request, query.space)
    plan = request.app[CONTEXT].live.plan(query.space)
    said = settings_of(plan) if plan else {}
    items = [
        PolicyItem(
            rule=rule, key=name, kind=key.kind, default=key.default, minimum=key.minimum, maximum=key.maximum,
            doc=key.doc, set=said.get((rule, name), {}),
        )
        for rule, keys in SETTABLE_KEYS.items()
        for name, key in keys.items()
    ]  # fmt: skip
    return web.Response(body=msgspec.json.encode(Page(items, None)), content_type="application/json")


def settings_of(plan: Plan) -> Settings:
    """What a plan sets: in its policy file, and in the properties of its routes and zones."""
    found: Settings = defaultdict(dict)
    tables = tomllib.loads(plan.files[POLICIES]) if POLICIES in plan.files else {}
    features = [("route", route) for route in plan.routes] + [("zone", zone) for zone in plan.zones]
    of_features = ((f"{kind}.{feature.id}", feature.policy) for kind, feature in features if feature.policy)
    for table, rules in [*of_features, *_tables(tables)]:  # the file last: it is nearer to who reads it
        for rule, keys in rules.items():
            for key, value in keys.items():
                found[rule, key][table] = value
    return found


def _tables(tables: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, table in tables.items():
        if name in OF_OBJECTS:
            yield from ((f"{name}.{key}", rules) for key, rules in table.items())
        else:
            yield name, table


ROUTES: Final = (
    Route(
        "GET", "/api/v1/equipment", equipment, Right.READ, "Cameras, scanners and readers, and when they were last heard.",
        query=PageQuery, answer=Page[EquipmentItem], problems=(404,),
    ),
    Route(
        "GET", "/api/v1/policies", policies, Right.READ, "Every threshold: its default, its bounds, and where this plan sets it.",
        query=SpaceQuery, answer=Page[PolicyItem], problems=(404,),
    ),
)  # fmt: skip
