"""Every role on every route, on what is its own unit's and on what is another's, by one table, against the whole service.

Whoever adds a route adds its line to ``ROUTE_TABLE``: whose objects it shows or changes. What a role may do follows from the route's
right; what a unit may see, from the line.
"""

from __future__ import annotations

import asyncio
import functools
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

import aiohttp
import msgspec
import pytest
from described import described_session
from parts import Broker, LoopThread, wait_until

from seal_tracker.app import running
from seal_tracker.config import load_settings
from seal_tracker.embedded import EmbeddedParts
from seal_tracker.web import auth
from seal_tracker.web.accounts import PEOPLE, RIGHTS, Right, Role
from seal_tracker.web.app import ROUTES
from seal_tracker.web.auth import Open
from seal_tracker.web.links import plain_path
from seal_tracker.web.passwords import digest
from seal_tracker.web.routes import Route

OPEN, COMMON, LIST, OBJECT, ASKERS = "open", "common", "list", "object", "asker's"
"""Whose what a route is about is: nobody's secret; everybody's who may read; lists what the asker sees; one object of a unit; the
asker's own, whatever the unit."""

IN_AN_HOUR = (datetime.now(UTC) + timedelta(hours=1)).isoformat()

ROUTE_TABLE: dict[str, tuple[str, Any]] = {
    "GET /healthz": (OPEN, None),
    "GET /readyz": (OPEN, None),
    "GET /metrics": (OPEN, None),
    "GET /": (OPEN, None),
    "GET /{path}": (OPEN, None),
    "GET /api/v1/openapi.json": (OPEN, None),
    "GET /api/v1/asyncapi.json": (OPEN, None),
    "GET /api/v1/docs": (OPEN, None),
    "POST /api/v1/session": (OPEN, None),
    "GET /api/v1/session": (ASKERS, None),
    "DELETE /api/v1/session": (ASKERS, None),
    "PUT /api/v1/accounts/me/password": (ASKERS, None),
    "GET /api/v1/tokens": (ASKERS, None),
    "POST /api/v1/tokens": (ASKERS, None),
    "DELETE /api/v1/tokens/{token}": (ASKERS, None),
    "GET /api/v1/hooks": (ASKERS, None),
    "POST /api/v1/hooks": (ASKERS, None),
    "GET /api/v1/hooks/{hook}": (ASKERS, None),
    "DELETE /api/v1/hooks/{hook}": (ASKERS, None),
    "POST /api/v1/hooks/{hook}/pause": (ASKERS, None),
    "POST /api/v1/hooks/{hook}/resume": (ASKERS, None),
    "POST /api/v1/hooks/{hook}/replay": (ASKERS, None),
    "POST /api/v1/hooks/{hook}/test": (ASKERS, None),
    "GET /api/v1/accounts": (LIST, "account"),
    "POST /api/v1/accounts": (COMMON, None),
    "GET /api/v1/accounts/{username}": (OBJECT, "account"),
    "PATCH /api/v1/accounts/{username}": (OBJECT, ("account", {"disabled": False})),
    "POST /api/v1/accounts/{username}/password": (OBJECT, ("account", {})),
    "GET /api/v1/config": (COMMON, None),
    "GET /api/v1/units": (COMMON, None),
    "GET /api/v1/policies": (COMMON, None),
    "GET /api/v1/spaces": (COMMON, None),
    "POST /api/v1/spaces": (COMMON, None),
    "GET /api/v1/zones": (COMMON, None),
    "PUT /api/v1/zones": (COMMON, None),
    "GET /api/v1/zones/{id}": (COMMON, None),
    "PUT /api/v1/zones/{id}": (COMMON, None),
    "DELETE /api/v1/zones/{id}": (COMMON, None),
    "GET /api/v1/routes": (COMMON, None),
    "PUT /api/v1/routes": (COMMON, None),
    "GET /api/v1/routes/{id}": (COMMON, None),
    "PUT /api/v1/routes/{id}": (COMMON, None),
    "DELETE /api/v1/routes/{id}": (COMMON, None),
    "GET /api/v1/vehicles": (COMMON, None),
    "GET /api/v1/vehicles/{id}": (COMMON, None),
    "PUT /api/v1/vehicles/{id}": (COMMON, None),
    "DELETE /api/v1/vehicles/{id}": (COMMON, None),
    "GET /api/v1/calendars": (COMMON, None),
    "GET /api/v1/calendars/{id}": (COMMON, None),
    "PUT /api/v1/calendars/{id}": (COMMON, None),
    "DELETE /api/v1/calendars/{id}": (COMMON, None),
    "GET /api/v1/licences": (LIST, "licence"),
    "GET /api/v1/licences/{id}": (OBJECT, "licence"),
    "PUT /api/v1/licences/{id}": (
        OBJECT,
        ("licence", {"number": "1/GP", "holder": "A", "mineral": "coal", "mines": ["Z1"], "unit": "u1"}),
    ),
    "DELETE /api/v1/licences/{id}": (OBJECT, ("licence", {})),
    "GET /api/v1/licences/{id}/balance": (OBJECT, "licence"),
    "GET /api/v1/licences/{id}/journeys": (OBJECT, "licence"),
    "GET /api/v1/readings": (LIST, "reading"),
    "POST /api/v1/readings": (COMMON, None),
    "GET /api/v1/readings/{reading}": (OBJECT, "reading"),
    "POST /api/v1/readings/{reading}/correct": (OBJECT, ("reading", {"reason": "a test", "plate": "29C-1"})),
    "POST /api/v1/readings/{reading}/void": (OBJECT, ("reading", {"reason": "a test"})),
    "GET /api/v1/journeys/{id}/readings": (OBJECT, "journey"),
    "GET /api/v1/weighings": (LIST, "weighing"),
    "POST /api/v1/weighings": (COMMON, None),
    "GET /api/v1/weighings/{weighing}": (OBJECT, "weighing"),
    "POST /api/v1/weighings/{weighing}/correct": (OBJECT, ("weighing", {"reason": "a test", "net_kg": 7})),
    "POST /api/v1/weighings/{weighing}/void": (OBJECT, ("weighing", {"reason": "a test"})),
    "GET /api/v1/plan-versions": (COMMON, None),
    "POST /api/v1/plan-trials": (COMMON, None),
    "GET /api/v1/plan-versions/{version}/{collection}": (COMMON, None),
    "GET /api/v1/ogc": (COMMON, None),
    "GET /api/v1/ogc/": (COMMON, None),
    "GET /api/v1/ogc/conformance": (COMMON, None),
    "GET /api/v1/ogc/collections": (COMMON, None),
    "GET /api/v1/ogc/collections/{collection}": (COMMON, None),
    "GET /api/v1/ogc/collections/{collection}/items": (LIST, "seal"),
    "GET /api/v1/ogc/collections/{collection}/items/{feature}": (OBJECT, "seal"),
    "GET /api/v1/stats": (COMMON, None),
    "GET /api/v1/stream": (LIST, "seal"),
    "GET /api/v1/events": (LIST, "journey"),
    "GET /api/v1/episodes": (LIST, "journey"),
    "GET /api/v1/seals": (LIST, "seal"),
    "GET /api/v1/seals/{seal}/account": (COMMON, None),
    "POST /api/v1/seals/{seal}/account": (COMMON, None),
    "DELETE /api/v1/seals/{seal}/account": (COMMON, None),
    "GET /api/v1/equipment": (LIST, "equipment"),
    "GET /api/v1/equipment/availability": (LIST, "equipment"),
    "GET /api/v1/equipment/repairs": (COMMON, None),
    "GET /api/v1/equipment/{id}": (OBJECT, "equipment"),
    "PUT /api/v1/equipment/{id}": (COMMON, None),
    "DELETE /api/v1/equipment/{id}": (COMMON, None),
    "GET /api/v1/tracks/{journey}": (OBJECT, "journey"),
    "GET /api/v1/reports": (COMMON, None),
    "GET /api/v1/reports/summary": (COMMON, None),
    "GET /api/v1/reports/late": (COMMON, None),
    "GET /api/v1/reports/weekly": (COMMON, None),
    "GET /api/v1/reports/style.css": (COMMON, None),
    "GET /api/v1/reports/schedule": (COMMON, None),
    "PUT /api/v1/reports/schedule": (COMMON, None),
    "GET /api/v1/reports/kept": (COMMON, None),
    "GET /api/v1/reports/kept/{report}": (COMMON, None),
    "GET /api/v1/reports/kept/{report}/mails": (COMMON, None),
    "GET /api/v1/ledger": (COMMON, None),
    "GET /api/v1/ledger/links/{number}": (COMMON, None),
    "GET /api/v1/ledger/checkpoints": (COMMON, None),
    "GET /api/v1/ledger/bundles/{journey}": (OBJECT, "journey"),
    "GET /api/v1/journeys": (LIST, "journey"),
    "POST /api/v1/journeys": (COMMON, None),
    "POST /api/v1/journeys/import": (COMMON, None),
    "GET /api/v1/journeys/{id}": (OBJECT, "journey"),
    "GET /api/v1/journeys/{id}/unseen": (OBJECT, "journey"),
    "POST /api/v1/journeys/{id}/assign": (
        OBJECT,
        ("journey", {"devices": [{"id": "S-new", "role": "seal"}]}),
    ),
    "POST /api/v1/journeys/{id}/arm": (OBJECT, ("journey", {})),
    "POST /api/v1/journeys/{id}/disarm": (OBJECT, ("journey", {})),
    "POST /api/v1/journeys/{id}/suspend": (OBJECT, ("journey", {})),
    "POST /api/v1/journeys/{id}/resume": (OBJECT, ("journey", {})),
    "POST /api/v1/journeys/{id}/divert": (OBJECT, ("journey", {"route": None})),
    "POST /api/v1/journeys/{id}/authorise": (OBJECT, ("journey", {"to": IN_AN_HOUR})),
    "POST /api/v1/journeys/{id}/transfer": (OBJECT, ("journey", {"vehicle": "29C-123.45"})),
    "POST /api/v1/journeys/{id}/cancel": (OBJECT, ("journey", {"reason": "a test"})),
    "POST /api/v1/journeys/{id}/close": (OBJECT, ("journey", {"code": "completed", "note": "a test"})),
    "POST /api/v1/journeys/{id}/reset": (OBJECT, ("journey", {"rule": "SEAL_TAMPER"})),
    "POST /api/v1/journeys/{id}/amend": (OBJECT, ("journey", {"cargo": "rice", "reason": "a test"})),
    "GET /api/v1/journeys/{id}/passage": (OBJECT, "journey"),
    "POST /api/v1/journeys/{id}/comments": (OBJECT, ("journey", {"kind": "other", "text": "a test"})),
    "POST /api/v1/journeys/{id}/correct": (
        OBJECT,
        ("journey", {"what": "arm", "struck": True, "reason": "a test"}),
    ),
    "GET /api/v1/alarms": (LIST, "journey"),
    "GET /api/v1/alarms/texts": (COMMON, None),
    "GET /api/v1/alarms/rates": (COMMON, None),
    "GET /api/v1/alarms/{alarm}": (OBJECT, "alarm"),
    "POST /api/v1/alarms/ack": (COMMON, None),
    "POST /api/v1/alarms/{alarm}/seen": (OBJECT, "alarm"),
    "POST /api/v1/alarms/{alarm}/ack": (OBJECT, ("alarm", {})),
    "POST /api/v1/alarms/{alarm}/note": (OBJECT, ("alarm", {"note": "seen"})),
    "POST /api/v1/alarms/{alarm}/assign": (OBJECT, ("alarm", {"to": "operator-u1"})),
    "POST /api/v1/alarms/{alarm}/dispatch": (OBJECT, ("alarm", {"to": "patrol"})),
    "POST /api/v1/alarms/{alarm}/divert": (OBJECT, ("alarm", {"route": None, "reason": "a test"})),
    "POST /api/v1/alarms/{alarm}/shelve": (OBJECT, ("alarm", {"until": IN_AN_HOUR, "reason": "a test"})),
    "POST /api/v1/alarms/{alarm}/unshelve": (OBJECT, ("alarm", {})),
    "POST /api/v1/alarms/{alarm}/suppress": (OBJECT, ("alarm", {"until": IN_AN_HOUR, "reason": "a test"})),
    "POST /api/v1/alarms/{alarm}/unsuppress": (OBJECT, ("alarm", {})),
    "POST /api/v1/alarms/{alarm}/close": (OBJECT, ("alarm", {"code": "false_alarm"})),
    "GET /api/v1/suppressions": (LIST, "suppression"),
    "POST /api/v1/suppressions": (COMMON, None),
    "GET /api/v1/suppressions/{suppression}": (OBJECT, "suppression"),
    "POST /api/v1/suppressions/{suppression}/change": (
        OBJECT,
        ("suppression", {"until": IN_AN_HOUR, "reason": "a test"}),
    ),
    "POST /api/v1/suppressions/{suppression}/cancel": (OBJECT, ("suppression", {"reason": "a test"})),
    "GET /api/v1/commands": (LIST, "command"),
    "POST /api/v1/commands": (COMMON, None),
    "GET /api/v1/commands/{command}": (OBJECT, "command"),
    "POST /api/v1/commands/{command}/approve": (OBJECT, ("command", {})),
    "POST /api/v1/commands/{command}/cancel": (OBJECT, ("command", {"reason": "a test"})),
    "GET /api/v1/tickets": (LIST, "ticket"),
    "POST /api/v1/tickets": (COMMON, None),
    "GET /api/v1/tickets/{ticket}": (OBJECT, "ticket"),
    "POST /api/v1/tickets/{ticket}/assign": (OBJECT, ("ticket", {"to": "Minh"})),
    "POST /api/v1/tickets/{ticket}/start": (OBJECT, ("ticket", {})),
    "POST /api/v1/tickets/{ticket}/note": (OBJECT, ("ticket", {"note": "a test"})),
    "POST /api/v1/tickets/{ticket}/repaired": (OBJECT, ("ticket", {"cause": "power"})),
    "POST /api/v1/tickets/{ticket}/reopen": (OBJECT, ("ticket", {"reason": "a test"})),
    "POST /api/v1/tickets/{ticket}/close": (OBJECT, ("ticket", {})),
    "POST /api/v1/tickets/{ticket}/cancel": (OBJECT, ("ticket", {"reason": "a test"})),
    "GET /api/v1/situations": (LIST, "situation"),
    "POST /api/v1/situations": (COMMON, None),
    "GET /api/v1/situations/kinds": (COMMON, None),
    "GET /api/v1/situations/{situation}": (OBJECT, "situation"),
    "GET /api/v1/situations/{situation}/versions": (OBJECT, "situation"),
    "POST /api/v1/situations/{situation}/correct": (
        OBJECT,
        ("situation", {"severity": "low", "reason": "a test"}),
    ),
    "POST /api/v1/situations/{situation}/follow-ups": (OBJECT, ("situation", {"text": "a test"})),
    "POST /api/v1/situations/{situation}/close": (OBJECT, ("situation", {"outcome": "a test"})),
    "POST /api/v1/situations/{situation}/reopen": (OBJECT, ("situation", {"reason": "a test"})),
    "GET /api/v1/seal-assets": (LIST, "asset"),
    "POST /api/v1/seal-assets": (COMMON, None),
    "POST /api/v1/seal-assets/import": (COMMON, None),
    "GET /api/v1/seal-moves": (LIST, "asset"),
    "POST /api/v1/seal-moves": (COMMON, None),
    "GET /api/v1/seal-assets/{seal}": (OBJECT, "asset"),
    "PATCH /api/v1/seal-assets/{seal}": (OBJECT, ("asset", {"note": "a test"})),
    "GET /api/v1/seal-assets/{seal}/moves": (OBJECT, "asset"),
    "POST /api/v1/seal-assets/{seal}/moves": (OBJECT, ("asset", {"move": "issue", "officer": "Minh"})),
    "GET /api/v1/seal-assets/{seal}/health": (OBJECT, "asset"),
    "GET /api/v1/seal-stock": (COMMON, None),
    "GET /api/v1/tasks": (LIST, "task"),
    "POST /api/v1/tasks": (COMMON, None),
    "GET /api/v1/tasks/figures": (COMMON, None),
    "GET /api/v1/tasks/{task}": (OBJECT, "task"),
    "POST /api/v1/tasks/{task}/accept": (OBJECT, ("task", {})),
    "POST /api/v1/tasks/{task}/progress": (OBJECT, ("task", {"percent": 5, "note": "begun"})),
    "POST /api/v1/tasks/{task}/done": (OBJECT, ("task", {"note": "all"})),
    "POST /api/v1/tasks/{task}/confirm": (OBJECT, ("task", {})),
    "POST /api/v1/tasks/{task}/return": (OBJECT, ("task", {"reason": "a test"})),
    "POST /api/v1/tasks/{task}/cancel": (OBJECT, ("task", {"reason": "a test"})),
    "POST /api/v1/tasks/{task}/change": (OBJECT, ("task", {"text": "more", "reason": "a test"})),
    "POST /api/v1/tasks/{task}/attachments": (OBJECT, ("task", {})),
    "GET /api/v1/attachments/{attachment}": (OBJECT, "attachment"),
    "GET /api/v1/risk": (LIST, "journey"),
    "GET /api/v1/risk/indicators": (COMMON, None),
    "GET /api/v1/journeys/{id}/risk": (OBJECT, "journey"),
    "GET /api/v1/draws": (LIST, "draw"),
    "POST /api/v1/draws": (COMMON, None),
    "GET /api/v1/draws/{draw}": (OBJECT, "draw"),
    "POST /api/v1/draws/{draw}/make": (OBJECT, ("draw", {})),
    "POST /api/v1/draws/{draw}/cancel": (OBJECT, ("draw", {"reason": "a test"})),
    "GET /api/v1/inspections": (LIST, "inspection"),
    "POST /api/v1/inspections": (COMMON, None),
    "GET /api/v1/inspections/{inspection}": (OBJECT, "inspection"),
    "POST /api/v1/inspections/{inspection}/record": (OBJECT, ("inspection", {"note": "a test"})),
    "POST /api/v1/inspections/{inspection}/cancel": (OBJECT, ("inspection", {"reason": "a test"})),
    "GET /api/v1/shifts": (LIST, "shift"),
    "POST /api/v1/shifts": (COMMON, None),
    "GET /api/v1/shifts/{shift}": (OBJECT, "shift"),
    "PATCH /api/v1/shifts/{shift}": (OBJECT, ("shift", {"notes": "a test"})),
    "POST /api/v1/shifts/{shift}/cancel": (OBJECT, ("shift", {"reason": "a test"})),
    "GET /api/v1/absences": (LIST, "absence"),
    "POST /api/v1/absences": (COMMON, None),
    "GET /api/v1/absences/{absence}": (OBJECT, "absence"),
    "PATCH /api/v1/absences/{absence}": (OBJECT, ("absence", {"reason": "a test"})),
    "POST /api/v1/absences/{absence}/cancel": (OBJECT, ("absence", {"reason": "a test"})),
    "POST /api/v1/shifts/{shift}/hand-over": (OBJECT, ("shift", {"note": "all quiet"})),
    "GET /api/v1/hand-overs": (LIST, "hand_over"),
    "GET /api/v1/hand-overs/{hand_over}": (OBJECT, "hand_over"),
    "POST /api/v1/hand-overs/{hand_over}/take": (OBJECT, ("hand_over", {})),
    "GET /api/v1/duty/now": (LIST, "shift"),
    "GET /api/v1/duty/accountability": (COMMON, None),
}
"""Method and path; whose it is; and the kind of object, with the body of a request that changes one."""

UNITS = """
[u1]
name = {vi = "Chi cục 1", en = "Office 1"}
head = "An"
[u11]
name = {vi = "Đội 1", en = "Team 1"}
parent = "u1"
head = "Bình"
[u2]
name = {vi = "Chi cục 2", en = "Office 2"}
head = "Chi"
deputies = ["Dung"]
"""
OWN, FOREIGN = ("u1", "u11"), ("u2", "none")
ZONE = {
    "type": "Feature",
    "id": "Z1",
    "geometry": {"type": "Point", "coordinates": [106.5, 20.5]},
    "properties": {"name": "Z1", "kind": "interest", "radius_m": 500},
}
TRACK = {
    "type": "Feature",
    "id": "R1",
    "geometry": {"type": "LineString", "coordinates": [[106.0, 20.0], [106.5, 20.5]]},
    "properties": {"name": "R1", "half_width_m": 200},
}


def collection(*features: dict[str, Any]) -> str:
    return json.dumps({"type": "FeatureCollection", "features": features})


def plan_files() -> dict[str, str]:
    """A journey, its seal and a camera of each unit, and of none."""
    armed = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    units = {name: {} if name == "none" else {"unit": name} for name in OWN + FOREIGN}
    journeys = [
        {
            "id": f"J-{name}",
            "seal": f"S-{name}",
            "route": "R1",
            "regime": "minerals",
            "minerals": {"licence": f"L-{name}"},
            "armed_at": armed,
            **unit,
        }
        for name, unit in units.items()
    ]
    cameras = [
        {"id": f"E-{name}", "kind": "camera", "lon": 106.5, "lat": 20.5, "heartbeat_s": 3600, **unit}
        for name, unit in units.items()
    ]
    cameras += [
        one | {"id": f"W-{name}", "kind": "weighbridge"} for name, one in zip(units, cameras, strict=True)
    ]
    licences = [
        {"id": f"L-{name}", "number": "1/GP", "holder": "A", "mineral": "coal", "mines": ["Z1"], **unit}
        for name, unit in units.items()
    ]
    return {
        "licences.jsonl": "\n".join(map(json.dumps, licences)),
        "zones.geojson": collection(ZONE),
        "routes.geojson": collection(TRACK),
        "journeys.jsonl": "\n".join(map(json.dumps, journeys)),
        "equipment.jsonl": "\n".join(map(json.dumps, cameras)),
        "units.toml": UNITS,
    }


def accounts_file() -> str:
    """Each role of headquarters, of u1, and an auditor of u2; tokens alone."""
    people = [(role.value, unit) for role in Role for unit in (None, "u1")] + [("auditor", "u2")]
    return json.dumps(
        {
            "accounts": [
                {
                    "username": name_of(role, unit),
                    "role": role,
                    "unit": unit,
                    "token_sha256": [digest(name_of(role, unit)).hex()],
                }
                for role, unit in people
            ]
        }
    )


def name_of(role: str, unit: str | None) -> str:
    """The name of an account, which is its token too."""
    return f"{role}-{unit}" if unit else role


class Answer(NamedTuple):
    status: int
    text: str


class Service:
    """The whole service on real parts, with something of every kind in each unit."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.objects: dict[str, dict[str, str]] = {
            "journey": {name: f"J-{name}" for name in OWN + FOREIGN},
            "seal": {name: f"S-{name}" for name in OWN + FOREIGN},
            "equipment": {name: f"E-{name}" for name in OWN + FOREIGN},
            "licence": {name: f"L-{name}" for name in OWN + FOREIGN},
            "account": {"u1": "operator-u1", "u2": "auditor-u2", "none": "operator"},
        }

    async def ask(
        self,
        client: aiohttp.ClientSession,
        asker: str | None,
        method: str,
        path: str,
        body: Any = None,
    ) -> Answer:
        headers = {} if asker is None else {"Authorization": f"Bearer {asker}"}
        if body is not None:
            headers["If-Match"] = "*"
        async with client.request(method, self.url + path, headers=headers, json=body) as answer:
            if answer.content_type == "text/event-stream":
                return Answer(answer.status, await first_states(answer))
            return Answer(answer.status, await answer.text(errors="replace"))

    def path(self, route: Route, unit: str, kind: str) -> str:
        """The route's path on the object of that unit."""
        filled = plain_path(route).replace("{collection}", "seals").replace("{version}", "1")
        return re.sub(r"\{\w+(:[^}]*)?\}", lambda _: self.objects.get(kind, {}).get(unit, "X"), filled)


async def first_states(answer: aiohttp.ClientResponse) -> str:
    """What a stream begins with: the positions, alarms and journeys there are."""
    text = ""
    async with asyncio.timeout(30):
        while not all(f"event: {topic}\n" in text for topic in ("position", "alarm", "journey")):
            text += (await answer.content.readuntil(b"\n\n")).decode()
    return text


@pytest.fixture(scope="module")
def service(
    embedded: EmbeddedParts, module_dsn: str, nats_broker: Broker, session_folder: Path
) -> Iterator[Service]:
    folder = session_folder / "rights"
    (folder / "plan").mkdir(parents=True)
    for name, text in plan_files().items():
        (folder / "plan" / name).write_text(text)
    (folder / "accounts.json").write_text(accounts_file())
    mine = embedded.credentials.service
    settings = load_settings(
        database_dsn=module_dsn,
        mqtt_host=embedded.mqtt.host,
        mqtt_port=embedded.mqtt.port,
        mqtt_username=mine.username,
        mqtt_password=mine.password,
        http="127.0.0.1:0",
        instance="rights",
        plan=folder / "plan",
        accounts_file=folder / "accounts.json",
        ledger_key_file=folder / "ledger.key",
        commands=True,
    )
    thread = LoopThread()
    context = running(settings)
    try:
        found = Service(thread.run(context.__aenter__()).http)
        with nats_broker.client("gateway") as gateway:
            now = datetime.now(UTC).isoformat()
            ping = {"time": now, "lon": 106.0, "lat": 20.0, "valid": True, "facts": ["rope_cut"]}
            for name in OWN + FOREIGN:
                gateway.publish(f"eseal/v1/demo/dev/S-{name}/ping", json.dumps(ping))
            alarms: dict[str, str] = {}
            wait_until(
                lambda: len(alarms.update(open_alarms(found)) or alarms) == len(OWN + FOREIGN), what="alarms"
            )
        found.objects["alarm"] = alarms
        found.objects["suppression"] = asyncio.run(suppressed(found))
        found.objects["weighing"] = asyncio.run(weighed(found))
        found.objects["reading"] = asyncio.run(was_read(found))
        found.objects["situation"] = asyncio.run(reported(found))
        found.objects["command"] = asyncio.run(commanded(found))
        found.objects["ticket"] = asyncio.run(broken(found))
        found.objects["draw"], found.objects["inspection"] = asyncio.run(inspected(found))
        found.objects["shift"], found.objects["hand_over"] = asyncio.run(on_duty(found))
        found.objects["absence"] = asyncio.run(absent(found))
        found.objects["asset"] = asyncio.run(registered(found))
        found.objects["task"], found.objects["attachment"] = asyncio.run(instructed(found))
        yield found
    finally:
        thread.run(context.__aexit__(None, None, None))
        thread.close()


async def weighed(service: Service) -> dict[str, str]:
    """Weighings by the unit of their weighbridge."""
    weighings = {}
    async with described_session() as client:
        for unit in OWN + FOREIGN:
            told = weighing(f"W-{unit}", f"J-{unit}")
            answer = await service.ask(client, "administrator", "POST", "/api/v1/weighings", told)
            assert answer.status == 201, answer.text
            weighings[unit] = json.loads(answer.text)["id"]
    return weighings


async def was_read(service: Service) -> dict[str, str]:
    """Readings by the unit of their camera; an integrator's system tells them."""
    readings = {}
    async with described_session() as client:
        for unit in OWN + FOREIGN:
            told = {
                "equipment": f"E-{unit}",
                "id": "R-1",
                "time": datetime.now(UTC).isoformat(),
                "journey": f"J-{unit}",
            }
            answer = await service.ask(client, "integrator", "POST", "/api/v1/readings", told)
            assert answer.status == 201, answer.text
            readings[unit] = json.loads(answer.text)["id"]
    return readings


def weighing(weighbridge: str, journey: str) -> dict[str, Any]:
    now = datetime.now(UTC).isoformat()
    return {
        "weighbridge": weighbridge,
        "id": "T-1",
        "time": now,
        "direction": "out",
        "net_kg": 9,
        "journey": journey,
    }


async def suppressed(service: Service) -> dict[str, str]:
    """Orders by unit, of a type that nothing raises here."""
    orders = {}
    async with described_session() as client:
        for unit in OFFICERS:
            wanted = {
                "unit": None if unit == "none" else unit,
                "types": ["OVERSPEED"],
                "until": IN_AN_HOUR,
                "reason": "works",
            }
            answer = await service.ask(client, "administrator", "POST", "/api/v1/suppressions", wanted)
            assert answer.status == 201, answer.text
            orders[unit] = json.loads(answer.text)["id"]
    return orders


def situation(unit: str | None, kind: str = "complaint") -> dict[str, Any]:
    occurred = datetime.now(UTC).isoformat()
    words = f"Chủ hàng ở {unit} phản ánh: xe chờ quá lâu"
    return {"kind": kind, "severity": "high", "unit": unit, "occurred_at": occurred, "narrative": words}


async def reported(service: Service) -> dict[str, str]:
    """Special situations by unit, open for all of it to see."""
    situations = {}
    async with described_session() as client:
        for unit in OFFICERS:
            told = situation(None if unit == "none" else unit)
            answer = await service.ask(client, "administrator", "POST", "/api/v1/situations", told)
            assert answer.status == 201, answer.text
            situations[unit] = json.loads(answer.text)["id"]
    return situations


async def commanded(service: Service) -> dict[str, str]:
    """Commands by unit, which wait for a second supervisor."""
    commands = {}
    async with described_session() as client:
        for unit in OFFICERS:
            seal = f"S-{unit}"
            given = await service.ask(client, "administrator", "POST", f"/api/v1/seals/{seal}/account")
            assert given.status == 201, given.text
            wanted = {"seal": seal, "kind": "position", "reason": "a test"}
            answer = await service.ask(client, "supervisor", "POST", "/api/v1/commands", wanted)
            assert answer.status == 201, answer.text
            commands[unit] = json.loads(answer.text)["id"]
    return commands


async def broken(service: Service) -> dict[str, str]:
    """Tickets by unit, about its camera."""
    tickets = {}
    async with described_session() as client:
        for unit in OWN + FOREIGN:
            wanted = {"equipment": f"E-{unit}", "fault": "dark"}
            answer = await service.ask(client, "administrator", "POST", "/api/v1/tickets", wanted)
            assert answer.status == 201, answer.text
            tickets[unit] = json.loads(answer.text)["id"]
    return tickets


async def inspected(service: Service) -> tuple[dict[str, str], dict[str, str]]:
    """A draw of each unit, and an inspection of its journey."""
    draws, inspections = {}, {}
    async with described_session() as client:
        for unit in OFFICERS:
            population = {"unit": None if unit == "none" else unit}
            wanted = {"reason": "a test", "quotas": {"low": {"least": 1}}, "population": population}
            answer = await service.ask(client, "administrator", "POST", "/api/v1/draws", wanted)
            assert answer.status == 201, answer.text
            draws[unit] = json.loads(answer.text)["id"]
            wanted = {"reason": "a test", "subject": f"J-{unit}"}
            answer = await service.ask(client, "administrator", "POST", "/api/v1/inspections", wanted)
            assert answer.status == 201, answer.text
            inspections[unit] = json.loads(answer.text)["id"]
    return draws, inspections


OFFICERS = {"u1": "operator-u1", "u11": "supervisor-u1", "u2": "unit_head", "none": "administrator"}


async def on_duty(service: Service) -> tuple[dict[str, str], dict[str, str]]:
    """Shifts and their hand-overs by unit, each shift going on."""
    shifts, hand_overs = {}, {}
    begins = datetime.now(UTC) - timedelta(minutes=5)
    async with described_session() as client:
        for unit, officer in OFFICERS.items():
            shift = {"unit": None if unit == "none" else unit, "officer": officer}
            times = {"begins_at": begins.isoformat(), "ends_at": IN_AN_HOUR}
            answer = await service.ask(client, "administrator", "POST", "/api/v1/shifts", shift | times)
            assert answer.status == 201, answer.text
            shifts[unit] = json.loads(answer.text)["id"]
            path = f"/api/v1/shifts/{shifts[unit]}/hand-over"
            answer = await service.ask(client, "administrator", "POST", path, {"note": "all quiet"})
            assert answer.status == 201, answer.text
            hand_overs[unit] = json.loads(answer.text)["id"]
    return shifts, hand_overs


async def absent(service: Service) -> dict[str, str]:
    """Absences by unit, each in the days to come."""
    absences = {}
    times = {"begins_at": IN_AN_HOUR, "ends_at": (datetime.now(UTC) + timedelta(days=9)).isoformat()}
    async with described_session() as client:
        for unit, officer in {"u1": "An", "u11": "Bình", "u2": "Dung"}.items():
            absence = {"unit": unit, "officer": officer, "reason": "leave", **times}
            answer = await service.ask(client, "administrator", "POST", "/api/v1/absences", absence)
            assert answer.status == 201, answer.text
            absences[unit] = json.loads(answer.text)["id"]
    return absences


async def registered(service: Service) -> dict[str, str]:
    """Seals in the stores of units."""
    seals = {unit: f"A-{unit}" for unit in ("u1", "u11", "u2")}
    async with described_session() as client:
        for unit, seal in seals.items():
            asked = {"seal": seal, "unit": unit, "model": "JT701"}
            answer = await service.ask(client, "administrator", "POST", "/api/v1/seal-assets", asked)
            assert answer.status == 201, answer.text
    return seals


async def instructed(service: Service) -> tuple[dict[str, str], dict[str, str]]:
    """Tasks by unit, given by headquarters, and a file of each."""
    tasks, files = {}, {}
    async with described_session() as client:
        for unit in ("u1", "u11", "u2"):
            wanted = {"title": "count the seals", "due": IN_AN_HOUR, "units": [unit]}
            answer = await service.ask(client, "supervisor", "POST", "/api/v1/tasks", wanted)
            assert answer.status == 201, answer.text
            (tasks[unit],) = (item["id"] for item in json.loads(answer.text)["items"])
            url = f"{service.url}/api/v1/tasks/{tasks[unit]}/attachments?name=list.txt"
            headers = {"Authorization": "Bearer supervisor", "Content-Type": "text/plain", "If-Match": "*"}
            async with client.post(url, data=b"one, two", headers=headers) as reply:
                assert reply.status == 201, await reply.text()
                (files[unit],) = (file["id"] for file in (await reply.json())["attachments"])
    return tasks, files


def open_alarms(service: Service) -> dict[str, str]:
    """Alarms by unit, as headquarters see them."""

    async def read() -> Answer:
        async with described_session() as client:
            return await service.ask(client, "administrator", "GET", "/api/v1/alarms")

    answer = asyncio.run(read())
    assert answer.status == 200, answer.text
    items = json.loads(answer.text)["items"]
    return {item["unit"] or "none": item["alarm"] for item in items if item["type"] == "SEAL_TAMPER"}


def named(route: Route) -> str:
    return f"{route.method} {plain_path(route)}"


def test_every_route_has_its_line_and_every_line_its_route():
    """Who adds a route says whose it is; a line without a route promises what nobody keeps."""
    assert {named(route) for route in ROUTES} == set(ROUTE_TABLE)
    assert len({route.handler for route in ROUTES}) == len(ROUTES), "a right is a handler's"
    assert {named(route) for route in ROUTES if route.right is Open.TO_ALL} == {
        name for name, (whose, _) in ROUTE_TABLE.items() if whose == OPEN
    }


async def test_who_is_not_signed_in_is_told_so_everywhere(service: Service):
    """401, but for what is open to all."""
    async with described_session() as client:
        for route in ROUTES:
            answer = await service.ask(client, None, route.method, service.path(route, "u1", ""))
            assert (answer.status == 401) is (route.right is not Open.TO_ALL), (named(route), answer)


@pytest.mark.parametrize("role", list(Role))
async def test_a_role_meets_every_route_as_its_rights_say(service: Service, role: Role):
    """403 exactly where the role lacks the route's right, whatever the path and the body are."""
    async with described_session() as client:
        for route in ROUTES:
            if route.right is Open.TO_ALL:
                continue
            allowed = bool(RIGHTS[role]) if isinstance(route.right, Open) else route.right in RIGHTS[role]
            answer = await service.ask(client, role.value, route.method, service.path(route, "X", ""))
            assert (answer.status != 403) is allowed, (named(route), answer)
            assert answer.status not in {401, 500}, (named(route), answer)


async def test_headquarters_see_everything(service: Service):
    """Who has no unit sees all units', and what is nobody's."""
    async with described_session() as client:
        for route in ROUTES:
            whose, detail = ROUTE_TABLE[named(route)]
            if whose != LIST:
                continue
            answer = await service.ask(client, "administrator", "GET", service.path(route, "u1", ""))
            missing = [name for name in service.objects[detail].values() if name not in answer.text]
            assert not missing, (named(route), missing)


@pytest.mark.parametrize("role", PEOPLE)
async def test_a_unit_is_told_what_is_its_own_and_nothing_else(service: Service, role: Role):
    """Lists and the stream name its objects and those of units below, and no other's."""
    async with described_session() as client:
        for route, whose, kind, _ in routes_of(role):
            if route.method != "GET" or whose == OBJECT:
                continue
            answer = await service.ask(client, name_of(role, "u1"), "GET", service.path(route, "1", ""))
            assert answer.status in {200, 404}, (named(route), answer)
            assert_tells_nothing_of_others(service, route, answer)
            if whose == LIST:
                missing = [
                    name for unit in OWN if (name := service.objects[kind].get(unit, "")) not in answer.text
                ]
                assert not missing, (named(route), missing)


@pytest.mark.parametrize("role", PEOPLE)
async def test_a_unit_reads_its_own_objects_and_no_others(service: Service, role: Role):
    """An object of another unit, or of none, is not there for it; its own and those of units below are."""
    async with described_session() as client:
        for route, whose, kind, _ in routes_of(role):
            if whose == OBJECT and route.method == "GET":
                await meets_objects(service, client, name_of(role, "u1"), route, kind, None)


@pytest.mark.parametrize("role", PEOPLE)
async def test_a_unit_changes_its_own_objects_and_no_others(service: Service, role: Role):
    """Nor can it guess which there are: 404, whatever it wants."""
    async with described_session() as client:
        for route, whose, kind, body in routes_of(role):
            if whose == OBJECT and route.method != "GET":
                await meets_objects(service, client, name_of(role, "u1"), route, kind, body)


@pytest.mark.parametrize("unit", ["u2", None])
async def test_a_unit_makes_nothing_for_another(service: Service, unit: str | None):
    """Neither a journey, a shift or an absence nor an account, a token or a seal's account; nor what concerns all, the plan."""
    times = {"begins_at": IN_AN_HOUR, "ends_at": (datetime.now(UTC) + timedelta(hours=2)).isoformat()}
    bodies: dict[str, Any] = {
        "/api/v1/journeys": {"id": "J-new", "regime": "transit", "unit": unit},
        "/api/v1/accounts": {"username": "new", "role": "operator", "unit": unit},
        "/api/v1/shifts": {"officer": "administrator-u1", "unit": unit, **times},
        "/api/v1/absences": {"officer": "Chi", "unit": unit or "none", "reason": "leave", **times},
        "/api/v1/tokens": {
            "account": "integrator",
            "name": "x",
            "scopes": ["read"],
            "expires_at": times["ends_at"],
        },
        "/api/v1/seals/S-u2/account": {},
        "/api/v1/seal-assets": {"seal": "A-new", "unit": unit or "none"},
        "/api/v1/seal-moves": {"seals": ["A-u2"], "move": "issue", "officer": "An"},
        "/api/v1/weighings": weighing(f"W-{unit or 'none'}", "J-u1"),
        "/api/v1/readings": {"equipment": f"E-{unit or 'none'}", "id": "R-9", "time": IN_AN_HOUR},
        "/api/v1/tasks": {"title": "x", "due": IN_AN_HOUR, "units": [unit or "none"]},
    }
    async with described_session() as client:
        for path, body in bodies.items():
            answer = await service.ask(client, "administrator-u1", "POST", path, body)
            assert answer.status in {403, 404, 422}, (path, answer)
            assert_tells_nothing_of_others(service, None, answer, asked=path + str(body))
        for name, feature in (("zones", ZONE), ("routes", TRACK)):
            for method, path, body in (
                ("PUT", f"/api/v1/{name}/X", feature | {"id": "X"}),
                ("PUT", f"/api/v1/{name}", json.loads(collection(feature))),
                ("DELETE", f"/api/v1/{name}/{feature['id']}", {}),
            ):
                answer = await service.ask(client, "administrator-u1", method, path, body)
                assert answer.status == 403, (method, path, answer)


async def test_a_seal_that_another_units_journey_has_is_refused_without_its_name(service: Service):
    """Whoever declares must know that it is taken, not by what."""
    journey = {"id": "J-mine", "regime": "transit", "unit": "u1", "seal": "S-u2"}
    journey |= {"armed_at": datetime.now(UTC).isoformat()}
    lines = json.dumps(journey)
    async with described_session() as client:
        answer = await service.ask(client, "operator-u1", "POST", "/api/v1/journeys", journey)
        assert (answer.status, "J-u2" in answer.text) == (409, False), answer
        headers = {"Authorization": "Bearer operator-u1", "Content-Type": "application/x-ndjson"}
        url = service.url + "/api/v1/journeys/import"
        async with client.post(url, data=lines, headers=headers) as reply:
            assert (reply.status, "J-u2" in await reply.text()) == (422, False)


async def test_equipment_is_registered_by_headquarters_and_asked_where_an_administrator_says(
    service: Service,
):
    """Each edit is a version of the plan; who may not say where it is asked leaves that as it is."""
    path, camera = "/api/v1/equipment/E-new", {"kind": "camera", "lon": 106.5, "lat": 20.5, "heartbeat_s": 60}
    probe = {"probe": {"url": "http://10.20.0.5/?key=secret"}}
    async with described_session() as client:
        ask = functools.partial(service.ask, client)
        assert (await ask("administrator-u1", "PUT", path, camera)).status == 403
        assert (
            await ask("administrator", "PUT", path, camera)
        ).status == 412  # to be changed, it must be there
        headers = {"Authorization": "Bearer supervisor"}
        async with client.put(service.url + path, headers=headers, json=camera) as made:
            assert (made.status, (await made.json())["changes"]["equipment"]["added"]) == (201, ["E-new"])
        refused = await ask("supervisor", "PUT", path, camera | probe)
        assert (refused.status, json.loads(refused.text)["field"]) == (403, "probe")
        assert (await ask("administrator", "PUT", path, camera | probe)).status == 200
        assert (await ask("supervisor", "PUT", path, camera | {"heartbeat_s": 30})).status == 200
        told = await ask("auditor", "GET", path)
        assert "secret" not in told.text
        item = json.loads(told.text)
        assert (item["heartbeat_s"], item["probe"]["url"]) == (30, "http://10.20.0.5/?…")
        assert (await ask("administrator", "PUT", path, camera | {"probe": {"url": "ftp://x"}})).status == 422
        assert (await ask("supervisor", "DELETE", path, {})).status == 200
        assert (await ask("auditor", "GET", path)).status == 404


FOREIGN_FILTERS = {
    "unit": "u2", "journey": "J-u2", "seal": "S-u2", "subject": "J-u2", "box": "B-u2", "text": "J-u2", "account": "auditor-u2",
}  # fmt: skip
"""What somebody of u1 may ask for by a filter, to find what is not theirs."""


async def test_what_is_refused_is_logged_wherever_it_is(service: Service, monkeypatch: pytest.MonkeyPatch):
    """Also what a handler finds out itself, and what is another unit's and so not there."""
    amend = {"due_at": IN_AN_HOUR, "reason": "a test"}
    logged: list[tuple[str, Any]] = []
    monkeypatch.setattr(auth.log, "warning", lambda event, **more: logged.append((event, more["path"])))
    async with described_session() as client:
        first = await service.ask(client, "operator", "GET", "/api/v1/journeys/J-none")
        for asker, path, body, status in (
            ("operator-u1", "/api/v1/journeys/J-u2", None, 404),
            ("operator", "/api/v1/journeys/J-none/amend", amend, 403),
        ):
            logged.clear()
            answer = await service.ask(client, asker, "GET" if body is None else "POST", path, body)
            assert answer.status == status, (first, answer)
            assert logged == [("access_refused", path)]


async def test_no_filter_finds_what_is_anothers(service: Service):
    """Asked for by name it is not there, in no list and for no role."""
    asked = 0
    async with described_session() as client:
        for route in ROUTES:
            whose, _ = ROUTE_TABLE[named(route)]
            if (
                route.method != "GET"
                or whose == OPEN
                or route.query is None
                or route.path.endswith("/stream")
            ):
                continue
            fields = {field.encode_name for field in msgspec.structs.fields(route.query)}
            for name in sorted(fields & FOREIGN_FILTERS.keys()):
                path = f"{service.path(route, 'u1', '')}?{name}={FOREIGN_FILTERS[name]}"
                answer = await service.ask(client, "administrator-u1", "GET", path)
                assert answer.status in {200, 400, 404}, (path, answer)
                assert_tells_nothing_of_others(service, route, answer, asked=path)
                asked += 1
    assert asked > 15


async def test_a_unit_plans_maintenance_of_its_own_equipment_alone(service: Service):
    """And its availability does not count the time."""
    order = {"unit": "u1", "until": IN_AN_HOUR, "reason": "a new lens"}
    async with described_session() as client:
        for camera, more, status in (
            ("E-u2", {}, 422),
            ("E-none", {}, 422),
            ("E-u11", {"zone": "Z1"}, 422),
            ("E-u11", {}, 201),
        ):
            wanted = order | {"equipment": camera} | more
            answer = await service.ask(client, "supervisor-u1", "POST", "/api/v1/suppressions", wanted)
            assert answer.status == status, (camera, answer.text)
        answer = await service.ask(client, "supervisor-u1", "GET", "/api/v1/equipment/availability")
    spared = {item["id"]: item["maintenance_s"] > 0 for item in json.loads(answer.text)["items"]}
    assert {name: spared[name] for name in ("E-u1", "E-u11")} == {"E-u1": False, "E-u11": True}


async def test_a_report_has_figures_of_the_askers_units_alone(service: Service):
    """Headquarters' of every unit and of what is none's."""
    now = datetime.now(UTC)
    period = {"from": (now - timedelta(days=1)).isoformat(), "to": (now + timedelta(days=1)).isoformat()}
    path = f"/api/v1/reports/summary?{urlencode(period)}"
    async with described_session() as client:
        for asker, units in (
            ("auditor-u1", ["u1", "u11"]),
            ("auditor-u2", ["u2"]),
            ("auditor", ["u1", "u11", "u2", None]),
        ):
            report = json.loads((await service.ask(client, asker, "GET", path)).text)
            assert [one["unit"] for one in report["units"]] == units
            assert report["total"]["episodes"]["SEAL_TAMPER"] == len(units)
            assert report["total"]["journeys"]["armed"] == len(units)
            tampered = [one["raised"] for one in report["total"]["alarms"] if one["type"] == "SEAL_TAMPER"]
            assert tampered == [len(units)]


async def test_the_schedule_of_reports_is_headquarters_alone(service: Service):
    """Who says when and to whom; by version, and of units that there are."""
    path = "/api/v1/reports/schedule"
    wanted = {
        "enabled": False,
        "weekday": "friday",
        "time": "16:30",
        "recipients": [{"address": "a@haiquan.vn", "unit": "u1"}],
    }
    async with described_session() as client:
        for asker, reads, sets in (
            ("supervisor-u1", 200, 403),
            ("unit_head", 200, 200),
            ("operator", 403, 403),
        ):
            assert (await service.ask(client, asker, "PUT", path, wanted)).status == sets, asker
            assert (await service.ask(client, asker, "GET", path)).status == reads, asker
        told = json.loads((await service.ask(client, "administrator", "GET", path)).text)
        assert (told["version"], told["weekday"], told["changed_by"]) == (1, "friday", "unit_head")
        for recipient in ({"address": "a@haiquan.vn", "unit": "u9"}, {"address": "nobody"}):
            bad = wanted | {"recipients": [recipient]}
            assert (await service.ask(client, "administrator", "PUT", path, bad)).status == 422
        headers = {"Authorization": "Bearer administrator", "If-Match": '"0"'}
        async with client.put(service.url + path, json=wanted, headers=headers) as reply:
            assert reply.status == 412


async def test_misconduct_is_known_to_those_alone_who_have_the_right(service: Service):
    """Anybody on duty may report it, of any unit; then no list, answer or entry of the ledger tells others of it, nor does any count."""
    counted = "/api/v1/situations?limit=1000"
    see = {"supervisor", "auditor", "administrator"}
    people = [(role.value, unit) for role in PEOPLE for unit in (None, "u1")]
    async with described_session() as client:
        before = {p: (await service.ask(client, name_of(*p), "GET", counted)).text for p in people}
        told = situation("u2", "misconduct") | {"narrative": "Nhận tiền của chủ xe"}
        answer = await service.ask(client, "operator-u1", "POST", "/api/v1/situations", told)
        assert answer.status == 201, answer.text
        secret = json.loads(answer.text)["id"]
        one = f"/api/v1/situations/{secret}"
        for role, unit in people:
            asker, sees = name_of(role, unit), unit is None and role in see
            listed = (await service.ask(client, asker, "GET", counted)).text
            assert (secret in listed) is sees, asker
            assert sees or listed == before[role, unit]
            for path in (one, f"{one}/versions"):
                assert (await service.ask(client, asker, "GET", path)).status == (200 if sees else 404)
            asked = await service.ask(client, asker, "GET", "/api/v1/situations?restricted=true")
            assert (asked.status, '"items":[]' in asked.text) == (200, not sees)
            acted = await service.ask(client, asker, "POST", f"{one}/follow-ups", {"text": "đã hỏi"})
            keeps = Right.KEEP_DUTY in RIGHTS[role]
            assert acted.status == (403 if not keeps else 200 if sees else 404), (asker, acted)
        (link, *_) = json.loads((await service.ask(client, "auditor", "GET", "/api/v1/ledger")).text)["items"]
        texts = {}
        for asker in ("unit_head", "unit_head-u1", "auditor-u2", "auditor"):
            for number in range(link["number"] - 2, link["number"] + 1):
                path = f"/api/v1/ledger/links/{number}"
                texts[asker] = texts.get(asker, "") + (await service.ask(client, asker, "GET", path)).text
        assert [asker for asker, text in texts.items() if secret in text] == ["auditor"]
        assert not any(
            "đã hỏi" in text or '"u2"' in text for text in texts.values()
        )  # salts may have u2 in them
        changed = await service.ask(
            client, "supervisor", "POST", f"{one}/correct", {"kind": "complaint", "reason": "x"}
        )
        assert (changed.status, json.loads(changed.text)["field"]) == (422, "kind")
        closed = await service.ask(client, "supervisor", "POST", f"{one}/close", {"outcome": "kỷ luật"})
        assert closed.status == 200, closed.text


async def test_a_unit_acknowledges_no_others_alarm_among_many(service: Service):
    """Of several named at once those of others are not there for it, and stay as they are."""
    foreign = [service.objects["alarm"][unit] for unit in FOREIGN]
    async with described_session() as client:
        body = {"ids": [*foreign, service.objects["alarm"]["u1"]]}
        answer = await service.ask(client, "operator-u1", "POST", "/api/v1/alarms/ack", body)
        done = {item["alarm"]: item["done"] for item in json.loads(answer.text)["items"]}
        assert [done[alarm] for alarm in foreign] == [False, False]
        for alarm in foreign:
            stands = await service.ask(client, "administrator", "GET", f"/api/v1/alarms/{alarm}")
            assert '"acked_by":null' in stands.text, stands
            (told,) = [item for item in json.loads(answer.text)["items"] if item["alarm"] == alarm]
            assert (told["state"], told["version"]) == (None, None)


def routes_of(role: Role) -> Iterator[tuple[Route, str, str, Any]]:
    """(route, whose it is about, kind of object, body) of the routes that a role may ask."""
    for route in ROUTES:
        whose, detail = ROUTE_TABLE[named(route)]
        if whose != OPEN and (isinstance(route.right, Open) or route.right in RIGHTS[role]):
            kind, body = detail if isinstance(detail, tuple) else (detail or "", None)
            yield route, whose, kind, body


async def meets_objects(
    service: Service, client: aiohttp.ClientSession, asker: str, route: Route, kind: str, body: Any
) -> None:
    """404 for those of others; anything but that, and no refusal for who asks, for one's own."""
    for unit in (unit for unit in FOREIGN if unit in service.objects[kind]):
        answer = await service.ask(client, asker, route.method, service.path(route, unit, kind), body)
        assert answer.status == 404, (named(route), unit, answer)
    for unit in (unit for unit in OWN if unit in service.objects[kind]):
        answer = await service.ask(client, asker, route.method, service.path(route, unit, kind), body)
        assert answer.status not in {401, 403, 404, 422, 500}, (named(route), unit, answer)
        assert_tells_nothing_of_others(service, route, answer)


def assert_tells_nothing_of_others(
    service: Service, route: Route | None, answer: Answer, asked: str = ""
) -> None:
    """No name of an object that another unit has, but what was ``asked`` for; a group of alarms, which may span units, has the id of its first."""
    text = re.sub(r'"group":"[^"]*"', "", answer.text)
    foreign = {
        name
        for kind, of_units in service.objects.items()
        for unit, name in of_units.items()
        if unit in FOREIGN and (kind, unit) != ("account", "none")
    }
    told = {name for name in foreign if name not in asked and re.search(rf"\b{re.escape(name)}\b", text)}
    if asked and answer.status == 200:  # what is asked for is in no item of the answer
        told |= {name for name in foreign if re.search(rf'"{re.escape(name)}"', text)}
    assert not told, (route and named(route), asked, told)


async def test_what_a_weighbridge_says_is_in_its_licences_balance_until_it_is_taken_back(
    service: Service, nats_broker: Broker
):
    """Over MQTT, twice, and once what is no weighing; corrected by an officer with a reason, who sees what becomes of the sums."""
    at = datetime.now(UTC).isoformat()
    said = {"id": "T-9", "time": at, "direction": "out", "journey": "J-u2", "net_kg": 20_000}
    with nats_broker.client("gateway") as gateway:
        topic = "eseal/v1/demo/equip/W-u2/weighing"
        sent = {gateway.publish(topic, json.dumps(payload)) for payload in (said, said, {"id": "T-9"})}
        wait_until(lambda: sent <= gateway.acknowledged, what="the broker has them")

    async def balance(client: aiohttp.ClientSession) -> dict[str, Any]:
        return json.loads((await service.ask(client, "auditor", "GET", "/api/v1/licences/L-u2/balance")).text)

    async with described_session() as client:
        for _ in range(600):  # half a minute
            stats = json.loads((await service.ask(client, "auditor", "GET", "/api/v1/stats")).text)
            if stats["discards"].get("facts_again") and stats["dead_letters"]:
                break
            await asyncio.sleep(0.05)
        assert (stats["discards"]["facts_again"], stats["dead_letters"]) == (1, 1)
        assert (await balance(client))["out_kg"] == 20_000
        found = await service.ask(client, "auditor", "GET", "/api/v1/weighings?weighbridge=W-u2&limit=1")
        weighing_id = json.loads(found.text)["items"][0]["id"]
        path = f"/api/v1/weighings/{weighing_id}"
        came = {"weighbridge": "W-u2", "id": "T-10", "time": datetime.now(UTC).isoformat(), "direction": "in"}
        answer = await service.ask(
            client, "supervisor", "POST", "/api/v1/weighings", came | {"journey": "J-u2", "net_kg": 15_000}
        )
        assert answer.status == 201, answer.text

        async def missing_kg() -> list[int]:
            told = "/api/v1/episodes?type=MASS_BALANCE&journey=J-u2"
            items = json.loads((await service.ask(client, "auditor", "GET", told)).text)["items"]
            return [one["evidence"]["difference_kg"] for one in items if one["object"] == "weighed"]

        assert await missing_kg() == [-5_000]
        right = {"reason": "a digit was lost", "net_kg": 20_000}
        path = f"/api/v1/weighings/{json.loads(answer.text)['id']}/correct"
        assert (await service.ask(client, "supervisor", "POST", path, right)).status == 200
        assert await missing_kg() == []
        path = f"/api/v1/weighings/{weighing_id}"
        correction = {"reason": "the tare was wrong", "net_kg": 18_000}
        answer = await service.ask(client, "supervisor", "POST", f"{path}/correct", correction)
        assert answer.status == 200, answer.text
        told = json.loads(answer.text)
        assert (told["mass_kg"], told["revision"]) == (18_000, 2)
        assert [(step["step"], step["by"]) for step in told["history"]] == [
            ("correct", "supervisor"),
            ("record", "equip/W-u2"),
        ]
        assert (await balance(client))["out_kg"] == 18_000
        lines = await service.ask(client, "auditor", "GET", "/api/v1/licences/L-u2/journeys?format=csv")
        assert "J-u2" in lines.text
        assert "18000" in lines.text
        answer = await service.ask(client, "supervisor", "POST", f"{path}/void", {"reason": "a mistake"})
        assert answer.status == 200, answer.text
        assert (await balance(client))["out_kg"] == 9, "the weighing before it counts"
        assert (
            await service.ask(client, "supervisor", "POST", f"{path}/void", {"reason": "again"})
        ).status == 409


async def test_what_a_gate_reads_is_held_against_its_journey_until_somebody_looks_at_the_picture(
    service: Service, nats_broker: Broker
):
    """Over MQTT and by an integrator's system; the same again is the same; corrected with a reason, and the mismatch is taken back."""
    at = datetime.now(UTC).isoformat()
    said = {"id": "R-7", "time": at, "seal": "S-u2", "journey": "J-u2", "image": "gate/7.jpg"}
    with nats_broker.client("gateway") as gateway:
        read = gateway.publish("eseal/v1/demo/equip/E-u2/reading", json.dumps(said | {"seal": "S-STRANGE"}))
        wait_until(lambda: read in gateway.acknowledged, what="the broker has it")

    async def mismatches(client: aiohttp.ClientSession) -> list[Any]:
        path = "/api/v1/episodes?type=GATE_MISMATCH&journey=J-u2"
        found = json.loads((await service.ask(client, "auditor", "GET", path)).text)["items"]
        return [e["evidence"]["readings"][0] for e in found if e["object"] == "seal"]

    async with described_session() as client:
        for _ in range(600):  # half a minute
            if found := await mismatches(client):
                break
            await asyncio.sleep(0.05)
        (told,) = found
        assert (told["seal"], told["image"]) == ("S-STRANGE", "gate/7.jpg")
        again = {"equipment": "E-u2", **said, "seal": "S-STRANGE"}
        answer = await service.ask(client, "integrator", "POST", "/api/v1/readings", again)
        assert (answer.status, json.loads(answer.text)["id"]) == (201, told["reading"])
        answer = await service.ask(client, "integrator", "POST", "/api/v1/readings", again | {"seal": "S-u2"})
        assert answer.status == 409
        path = f"/api/v1/readings/{told['reading']}"
        correction = {"reason": "its number is hidden by mud", "seal": "S-u2"}
        answer = await service.ask(client, "operator", "POST", f"{path}/correct", correction)
        assert answer.status == 200, answer.text
        steps = [(step["step"], step["by"]) for step in json.loads(answer.text)["history"]]
        assert steps == [("correct", "operator")]
        assert await mismatches(client) == []
        its = json.loads((await service.ask(client, "auditor", "GET", "/api/v1/journeys/J-u2/readings")).text)
        assert told["reading"] in {item["id"] for item in its["items"]}
