"""Plan folders written in code, and what tests ask of them."""

from __future__ import annotations

import json
from typing import Any

from drawing import collection

from geofences.catalog import Fault
from seal_tracker.plans import Plan, load_files
from seal_tracker.plans.folder import errors_of

ARMED = "2026-11-22T03:00:00Z"


def square(lon: float, lat: float) -> list[list[float]]:
    return [[lon, lat], [lon + 0.1, lat], [lon + 0.1, lat + 0.1], [lon, lat + 0.1], [lon, lat]]


def zone(id_: str, lon: float, **properties: Any) -> dict[str, Any]:
    geometry = {"type": "Polygon", "coordinates": [square(lon, 20.8)]}
    return {"type": "Feature", "id": id_, "geometry": geometry, "properties": {"kind": "gate"} | properties}


def route(id_: str, **properties: Any) -> dict[str, Any]:
    geometry = {"type": "LineString", "coordinates": [[106.7, 20.85], [106.3, 20.9], [105.9, 21.0]]}
    return {
        "type": "Feature",
        "id": id_,
        "geometry": geometry,
        "properties": {"half_width_m": 200} | properties,
    }


UNITS = """
[HQ]
name = {vi = "Cục Hải quan", en = "Customs"}

[HQ-HP]
name = "Hải Phòng"
parent = "HQ"
head = "Nguyễn Văn A"
contact = "+84 225 000 000"
jurisdiction_zone = "gate-a"
"""

POLICIES = """
[default.ROUTE_DEVIATION]
raise_fixes = 4
[transit.ROUTE_DEVIATION]
raise_fixes = 5
[route.hp-lc.ROUTE_DEVIATION]
raise_fixes = 6
"""


def journey(**members: Any) -> dict[str, Any]:
    return {"id": "J1", "seal": "S1", "route": "hp-lc", "regime": "transit", "armed_at": ARMED} | members


def files(journeys: list[dict[str, Any]] | None = None, **changed: str | None) -> dict[str, str]:
    """A sound plan, with some files changed or (None) left out; ``units`` stands for ``units.toml``, and so on."""
    content: dict[str, str | None] = {
        "zones.geojson": collection(zone("gate-a", 106.65, unit="HQ-HP"), zone("gate-b", 105.9)),
        "routes.geojson": collection(route("hp-lc", checkpoints=[{"zone": "gate-a"}])),
        "journeys.jsonl": "\n".join(json.dumps(j) for j in journeys or [journey()]),
        "policies.toml": POLICIES,
        "units.toml": UNITS,
        "equipment.jsonl": '{"id":"CAM1","kind":"camera","unit":"HQ-HP","lon":106.7,"lat":20.8,"heartbeat_s":30}\n',
    }
    names = {name.partition(".")[0]: name for name in content}
    content |= {names[short]: text for short, text in changed.items()}
    return {name: text for name, text in content.items() if text is not None}


def plan_of(content: dict[str, str]) -> Plan:
    plan, faults = load_files(content)
    assert plan is not None, faults
    assert faults == []
    return plan


def assert_only_error(faults: list[Fault], file: str, feature: str, where: str, says: str) -> None:
    """Just one error says so, and no other error is reported; warnings may be."""
    (fault,) = errors_of(faults)
    text = f"{fault.what}; {fault.why}; {fault.remedy}"
    assert (fault.file, fault.feature) == (file, feature), fault
    assert where in fault.where, fault
    assert says in text, fault
