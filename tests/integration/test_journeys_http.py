"""Journeys over HTTP on the service as it runs: who may do what, versions, files, and what MQTT is told."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from described import assert_described
from parts import Broker, Client, LoopThread, wait_until
from story import Ground, at

from seal_tracker.app import Ready, running
from seal_tracker.config import Settings
from seal_tracker.web.journey_bodies import BODIES, Declaration

UNITS = '[hq]\nname = {vi = "Cục", en = "HQ"}\n[port]\nname = {vi = "Cảng", en = "Port"}\nparent = "hq"\n'


def ago(minutes: float = 0) -> str:
    return (datetime.now(UTC) - timedelta(minutes=minutes)).isoformat()


@dataclass
class Reply:
    """An answer that was read."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Api:
    """The service and a client of it."""

    ready: Ready
    told: Client
    gateway: Client
    number: int = field(default=0)

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        role: str = "administrator",
        content_type: str = "application/json",
        **headers: str,
    ) -> Reply:
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        given = {"Authorization": f"Bearer {self.ready.accounts[role]['token']}"}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        if data is not None:
            given["Content-Type"] = content_type
        request = urllib.request.Request(
            f"{self.ready.http}/api/v1/journeys{path}".replace("/journeys/..", ""), data, given, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                reply = Reply(answer.status, dict(answer.headers), answer.read())
        except urllib.error.HTTPError as error:
            reply = Reply(error.code, dict(error.headers), error.read())
        assert_described(method, urlsplit(request.full_url).path, reply.status, reply.headers, reply.body)
        return reply

    def name(self) -> str:
        """An id that no other test uses."""
        self.number += 1
        return f"T{self.number}"

    def declared(self, **more: Any) -> str:
        """A journey of a seal of its own."""
        name = self.name()
        reply = self.ask(
            "POST", "", {"id": name, "regime": "transit", "seal": f"S-{name}", "route": "R", **more}
        )
        assert reply.status == 201, reply.body
        return name

    def order(self, name: str, verb: str, body: Any = None, **more: Any) -> Reply:
        """An order of whoever has just read the journey."""
        tag = self.ask("GET", f"/{name}").headers["ETag"]
        return self.ask("POST", f"/{name}/{verb}", body or {}, **({"If_Match": tag} | more))

    def show(self, name: str) -> Any:
        return self.ask("GET", f"/{name}").json()


def problem(reply: Reply, status: int, name: str | None = None) -> Any:
    assert reply.status == status, reply.body
    assert reply.headers["Content-Type"].startswith("application/problem+json")
    told = reply.json()
    assert told.get("field") == name, told
    return told


@pytest.fixture(scope="module")
def api(session_folder: Path) -> Iterator[Api]:
    made = Ground().route("R", (0, 5000), (9000, 5000)).route("Q", (0, 0), (9000, 0))
    files = dict(
        made.zone("gate", 100, 0, 300, "unlock_allowed")
        .zone("yard", 8000, 0, 300, "port")
        .zone("bridge", 4000, 0, 50, "structure", max_mass_kg=90_000)
        .plan()
        .files
    )
    plan, data = session_folder / "journeys_plan", session_folder / "journeys_data"
    for folder in (plan, data):
        folder.mkdir()
    for name, text in (files | {"units.toml": UNITS}).items():
        (plan / name).write_text(text)
    thread, stack = LoopThread(), AsyncExitStack()
    settings = Settings(http="127.0.0.1:0", plan=plan)
    ready = thread.run(stack.enter_async_context(running(settings, embedded=data)))
    accounts = {
        name: (ready.accounts[name]["username"], ready.accounts[name]["password"])
        for name in ("gateway", "integrator")
    }
    broker = Broker("nats", ready.mqtt_host, ready.mqtt_port, ready.tenant, accounts)
    with broker.client("gateway") as gateway, broker.client("integrator") as told:
        told.subscribe(f"eseal/v1/{ready.tenant}/journey/+/state")
        yield Api(ready, told, gateway)
    thread.run(stack.aclose())
    thread.close()


def test_a_journey_goes_through_its_life(api: Api) -> None:
    """Each step has a version, an author and an ETag; the end is told on MQTT and emptied by the close."""
    name = api.declared(declaration="105/HQ", box="MSKU1")
    shown = api.ask("GET", f"/{name}")
    assert (shown.headers["ETag"], shown.json()["state"]) == ('"1"', "ASSIGNED")
    for verb, body, state in (
        ("arm", {"at": ago(30)}, "ARMED"),
        ("suspend", {"at": ago(20), "reason": "inspection"}, "SUSPENDED"),
        ("resume", {"at": ago(18)}, "ARMED"),
        ("divert", {"route": "Q", "at": ago(15), "reason": "flood"}, "DIVERTED"),
        ("authorise", {"from": ago(14), "to": ago(10), "zone": "gate"}, "DIVERTED"),
        ("transfer", {"to": f"N-{name}", "at": ago(12)}, "TRANSFERRED"),
        ("reset", {"rule": "SEAL_TAMPER", "at": ago(11)}, "TRANSFERRED"),
        ("disarm", {"at": ago(5)}, "DISARMED"),
        ("close", {"code": "completed", "note": "all well"}, "CLOSED"),
    ):
        reply = api.order(name, verb, body)
        assert reply.status == 200, (verb, reply.body)
        assert (reply.json()["state"], reply.headers["ETag"]) == (state, f'"{reply.json()["version"]}"')
    final = api.show(name)
    assert [v["verb"] for v in final["history"]][:3] == ["declare", "arm", "suspend"]
    assert {v["by"] for v in final["history"]} == {"administrator"}
    assert [d["id"] for d in final["devices"]] == [f"S-{name}", f"N-{name}"]
    assert final["closing"]["code"] == "completed"
    topic = f"eseal/v1/{api.ready.tenant}/journey/{name}/state"
    wait_until(
        lambda: [m.payload for m in api.told.messages if m.topic == topic][-1:] == [b""], what="emptied"
    )
    told = [json.loads(m.payload) for m in api.told.messages if m.topic == topic and m.payload]
    assert told[-1]["status"] == "DISARMED"


def test_what_was_declared_or_recorded_wrongly_is_put_right(api: Api) -> None:
    """With who, when, why and what it was before; what its end is judged by is for superiors once it is armed."""
    name = api.declared(cargo="rice", unit="port")
    due = datetime.now(UTC) + timedelta(hours=5)
    body = {"cargo": "maize", "consignee": "An Bình", "route": "Q", "unit": "hq", "due_at": due.isoformat()}
    assert api.order(name, "amend", body, role="operator").status == 200
    api.order(name, "arm", {"at": ago(30)})
    problem(api.order(name, "amend", {"cargo": "wheat"}), 422, "reason")
    problem(api.order(name, "amend", {"route": "R", "reason": "no"}), 409, "route")
    problem(api.order(name, "amend", {"box": "x" * 600, "reason": "no"}), 422, "box")
    problem(api.order(name, "amend", {"destination_zone": "none", "reason": "no"}), 422, "destination_zone")
    problem(api.order(name, "amend", {"reason": "no"}), 422, "body")
    late = {"due_at": None, "reason": "held at the gate"}
    problem(api.order(name, "amend", late, role="operator"), 403, "due_at")
    amended = api.order(name, "amend", late | {"box": "MSKU2"}).json()
    assert (amended["due_at"], amended["box"], amended["consignee"]) == (None, "MSKU2", "An Bình")
    *_, last = amended["history"]
    assert last["changed"]["box"] == {"before": None, "after": "MSKU2"}
    assert last["changed"]["due_at"]["before"][:16] == due.isoformat()[:16]
    api.order(name, "disarm", {"at": ago(9)})
    problem(
        api.order(name, "correct", {"what": "disarm", "struck": True, "reason": "no"}, role="operator"), 403
    )
    problem(api.order(name, "correct", {"what": "disarm", "struck": True}), 422, "reason")
    problem(api.order(name, "correct", {"what": "lock", "struck": True, "reason": "no"}), 422, "what")
    moved = api.order(name, "correct", {"what": "disarm", "at": ago(4), "reason": "misread"}).json()
    assert (moved["history"][-1]["verb"], moved["history"][-1]["reason"]) == ("correct", "misread")
    assert list(moved["history"][-1]["changed"]) == ["disarmed_at"]
    back = api.order(name, "correct", {"what": "disarm", "struck": True, "reason": "not this one"}).json()
    assert (back["state"], back["disarmed_at"]) == ("ARMED", None)


def test_two_officers_with_one_version_are_not_both_obeyed(api: Api) -> None:
    name = api.declared()
    replies: list[Reply] = []

    def arm() -> None:
        replies.append(api.ask("POST", f"/{name}/arm", {}, If_Match='"1"'))

    officers = [Thread(target=arm) for _ in range(2)]
    for officer in officers:
        officer.start()
    for officer in officers:
        officer.join()
    assert sorted(reply.status for reply in replies) == [200, 412]
    assert api.show(name)["version"] == 2
    problem(api.ask("POST", f"/{name}/disarm", {}), 428, "If-Match")


def test_what_the_state_forbids_is_refused_in_words(api: Api) -> None:
    name = api.declared()
    told = problem(api.order(name, "disarm"), 409)
    assert told["detail"] == (
        f"journey '{name}' is ASSIGNED: disarm is for journeys that are ARMED, DIVERTED, SUSPENDED, TRANSFERRED; arm it first"
    )
    api.order(name, "arm", {"at": ago(9)})
    other = api.name()
    body = {"id": other, "regime": "transit", "seal": f"S-{name}", "armed_at": ago(1)}
    assert f"'{name}'" in problem(api.ask("POST", "", body), 409, "at")["detail"]
    problem(api.ask("POST", "", {"id": name, "regime": "transit"}), 409, "id")


def test_members_that_cannot_be_are_named(api: Api) -> None:
    name = api.declared()
    problem(api.ask("POST", "", {"id": "X1", "regime": "transit", "route": "none"}), 422, "route")
    problem(api.ask("POST", "", {"id": "X 1", "regime": "transit"}), 422, "id")
    problem(api.ask("POST", "", {"id": "X1", "regime": "transit", "due_at": "soon"}), 422, "due_at")
    problem(api.order(name, "arm", {"at": ago(-20)}), 422, "at")
    problem(api.order(name, "arm", {"colour": "red"}), 422, "colour")
    api.order(name, "arm", {"at": ago(5)})
    problem(api.order(name, "divert", {"route": "none"}), 422, "route")
    problem(api.order(name, "authorise", {"to": ago(-9), "zone": "none"}), 422, "zone")
    problem(api.order(name, "reset", {"rule": "NONE"}), 422, "rule")
    problem(api.ask("GET", "/none"), 404)
    problem(api.ask("POST", "/none/arm", {}, If_Match="*"), 404)
    problem(api.ask("GET", f"/{name}?space=none"), 404, "space")
    problem(api.ask("GET", "?state=LOST"), 400, "state")


ODD: tuple[Any, ...] = (
    None, True, 0, -1, 1e400, "", "\x00", "\ud800", "x" * 600, "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00",
    "2026-11-22", [], [[]], [{"id": "S\x00", "role": "seal"}], {}, {"number": "\x00"}, {"number": "1", "windows": [{"days": 7}]}, {"number": "1", "deep": json.loads("[" * 600 + "]" * 600)},
)  # fmt: skip


def test_no_odd_value_is_a_server_error(api: Api) -> None:
    """In any member of any body: what cannot be is refused by name, and the journey stays what it was."""
    name = api.declared()
    api.order(name, "arm", {"at": ago(60)})
    bodies = {str(verb): kind for verb, kind in BODIES.items()} | {"": Declaration}
    for verb, kind in bodies.items():
        for member in kind.__struct_encode_fields__:
            for odd in ODD:
                body = {"id": api.name(), "regime": "transit"} if not verb else {}
                path = f"/{name}/{verb}" if verb else ""
                reply = api.ask("POST", path, body | {member: odd}, If_Match='"1"')
                assert reply.status in (201, 400, 409, 412, 422), (verb, member, odd, reply.body)
    for query in (
        "from=9999-12-31T23:59:59-14:00",
        "to=0001-01-01T00:00:00%2B14:00",
        "text=%00",
        "text=%ed%a0%80",
    ):
        assert api.ask("GET", f"?{query}").status in (200, 400), query
    for odd in (b"\xff\xfe", b"\x00", b"[" * 5000, b'{"id":"\\ud800","regime":"transit"}', b'{"id":1}\n{}'):
        for kind_of in ("text/csv", "application/x-ndjson"):
            assert api.ask("POST", "/import", odd, content_type=kind_of).status == 422, (odd, kind_of)
    assert api.show(name)["version"] == 2


PERMIT = {
    "number": "GP-1",
    "issuer": "Cục Đường bộ",
    "corridor": "Q",
    "mass_kg": 100_000,
    "registrations": ["51C-1"],
}


def test_an_oversized_vehicle_is_armed_when_permit_registry_and_structures_allow_it(api: Api) -> None:
    """On its tractor's tracker alone. Every reason is told at once, in both languages; nothing was changed."""
    devices = [{"id": f"T-{api.number}", "role": "tractor"}]
    oversized = {"regime": "oversized", "route": "Q", "permit": PERMIT, "devices": devices, "seal": None}
    name = api.declared(**oversized, vehicle="29A-9")
    told = problem(api.order(name, "arm"), 409, "vehicle")
    assert [(one["code"], one["field"], one["limit"]) for one in told["reasons"]] == [
        ("vehicle_not_permitted", "vehicle", "51C-1"),
        ("exceeds_structure", "load.mass_kg", 90_000),
    ]
    assert told["reasons"][1]["structure"] == "bridge"
    assert "vượt mức 90000 kg" in told["reasons"][1]["text"]["vi"]
    assert "above the 90000 kg of structure" in told["detail"]
    assert api.show(name)["version"] == 1
    passage = api.ask("GET", f"/{name}/passage").json()
    assert (passage["admitted"], passage["reasons"]) == (False, told["reasons"])
    (bridge,) = passage["structures"]
    assert (bridge["zone"], bridge["max_mass_kg"], bridge["passed"], bridge["due_from"]) == (
        "bridge",
        90_000,
        None,
        None,
    )
    assert (round(bridge["enter_m"]), round(bridge["leave_m"])) == (3950, 4050)
    problem(api.order(name, "amend", {"load": {"mass_kg": -1}}), 422, "load")
    assert api.order(name, "amend", {"vehicle": "51C-1", "load": {"mass_kg": 80_000}}).status == 200
    vehicle = {"kind": "tractor", "max_mass_kg": 70_000}
    made = api.ask("PUT", "/../vehicles/51C-1", vehicle)
    assert (made.status, made.json()["changes"]["vehicles"]["added"]) == (201, ["51C-1"])
    (reason,) = problem(api.order(name, "arm"), 409, "load.mass_kg")["reasons"]
    assert (reason["code"], reason["registration"]) == ("exceeds_registration", "51C-1")
    problem(api.ask("PUT", "/../vehicles/51C-1", vehicle | {"max_mass_kg": 90_000}), 428, "If-Match")
    tag = api.ask("GET", "/../vehicles/51C-1").headers["ETag"]
    problem(api.ask("DELETE", "/../vehicles/51C-1", role="operator", If_Match=tag), 403)
    assert api.ask("PUT", "/../vehicles/51C-1", vehicle | {"max_mass_kg": 90_000}, If_Match=tag).status == 200
    assert [one["id"] for one in api.ask("GET", "/../vehicles").json()["items"]] == ["51C-1"]
    assert api.order(name, "arm", {"at": ago(1)}).status == 200
    line = json.dumps(
        {
            "id": api.name(),
            "armed_at": ago(1),
            **oversized,
            "load": {"mass_kg": 95_000},
            "devices": [{"id": "T-x", "role": "tractor"}],
        }
    )
    faults = problem(
        api.ask("POST", "/import", line.encode(), content_type="application/x-ndjson"), 422, "body"
    )["faults"]
    assert [fault["where"] for fault in faults] == ["line 1: load.mass_kg", "line 1: load.mass_kg"]
    tag = api.ask("GET", "/../vehicles/51C-1").headers["ETag"]
    assert api.ask("DELETE", "/../vehicles/51C-1", If_Match=tag).status == 200


def told_by_tractor(api: Api, name: str, minutes: float, x_m: float) -> None:
    lon, lat = at(x_m, 0)
    body = {"time": ago(minutes), "lon": lon, "lat": lat, "speed_kmh": 30.0}
    api.gateway.publish(f"eseal/v1/{api.ready.tenant}/dev/TR-{name}/ping", json.dumps(body))


def test_a_tractor_alone_is_judged_live_and_what_its_driver_says_stands_beside(api: Api) -> None:
    """The road is closed today by a calendar that its permit names. A program with a token for comments says what the driver does."""
    local = datetime.now(UTC) + timedelta(hours=7)
    today = {
        "periods": [{"from": str(local.date() - timedelta(days=1)), "to": str(local.date()), "name": "Tết"}]
    }
    assert api.ask("PUT", "/../calendars/tet", today).status == 201
    name = api.name()
    permit = PERMIT | {"calendars": ["tet"], "registrations": ["51C-7"]}
    body = {
        "id": name, "regime": "oversized", "route": "Q", "permit": permit, "load": {"mass_kg": 80_000}, "unit": "port",
        "devices": [{"id": f"TR-{name}", "role": "tractor"}], "armed_at": ago(9),
    }  # fmt: skip
    assert api.ask("POST", "", body).json()["state"] == "ARMED"
    for minutes, x_m in ((-0.1, 500), (-1.2, 1000), (-2.3, 1500)):  # the calendar holds from now on
        told_by_tractor(api, name, minutes, x_m)
    where = f"/../episodes?journey={name}&type=OUTSIDE_TIME_WINDOW"
    wait_until(lambda: api.ask("GET", where).json()["items"], what="the episode")
    (episode,) = api.ask("GET", where).json()["items"]
    passage = api.ask("GET", f"/{name}/passage").json()
    (bridge,) = passage["structures"]
    assert (passage["admitted"], bridge["passed"]) == (True, False)
    assert ago(0) < bridge["due_from"] < bridge["due_to"] < ago(-10)
    assert (episode["seal"], episode["evidence"]["reason"]) == (f"TR-{name}", "forbidden_date")
    assert "comments" not in episode
    said = {"kind": "detour_by_order", "text": "CSGT yêu cầu đi tiếp", "at": ago(2), "said_by": "Trần Văn B"}
    first = api.ask("POST", f"/{name}/comments", said, role="integrator")
    again = api.ask("POST", f"/{name}/comments", said, role="integrator")
    assert (first.status, again.json()) == (201, first.json())
    old = api.ask(
        "POST", f"/{name}/comments", {"kind": "other", "text": "rời kho", "at": ago(8.9)}, role="operator"
    )
    about_it = {"kind": "other", "text": "đã gọi", "episode": episode["episode"]}
    named = api.ask("POST", f"/{name}/comments", about_it, role="operator")
    for wrong, status, member in (
        ({"at": ago(-20)}, 422, "at"), ({"at": ago(10)}, 422, "at"), ({"text": " "}, 422, "text"), ({"kind": "song"}, 422, "kind"),
        ({"episode": str(uuid4())}, 404, "episode"), ({"said_by": "\x00"}, 422, "said_by"),
    ):  # fmt: skip
        problem(api.ask("POST", f"/{name}/comments", said | wrong), status, member)
    problem(api.ask("POST", f"/{name}/comments", said, role="auditor"), 403)
    problem(api.ask("POST", f"/{api.declared()}/comments", said), 409)
    shown = api.show(name)
    ids = [reply.json()["id"] for reply in (first, old, named)]
    assert [(one["id"], one["episodes"]) for one in shown["comments"]] == [
        (one, [episode["episode"]]) for one in ids
    ]
    assert (shown["comments"][0]["by"], shown["version"]) == (api.ready.accounts["integrator"]["username"], 1)
    (beside,) = api.ask("GET", where).json()["items"]
    assert [one["id"] for one in beside["comments"]] == ids
    assert {key: value for key, value in beside.items() if key != "comments"} == episode
    tag = api.ask("GET", "/../calendars/tet").headers["ETag"]
    assert name in problem(api.ask("DELETE", "/../calendars/tet", If_Match=tag), 409)["detail"]
    (alarm,) = api.ask("GET", f"/../alarms?journey={name}&type=OUTSIDE_TIME_WINDOW").json()["items"]
    answer = api.ask("GET", f"/../alarms/{alarm['alarm']}").json()
    assert [one["text"] for one in answer["comments"]] == ["CSGT yêu cầu đi tiếp", "rời kho", "đã gọi"]


def test_orders_are_for_superiors_and_an_auditor_changes_nothing(api: Api) -> None:
    name = api.declared()
    assert api.order(name, "arm", {"at": ago(5)}, role="operator").status == 200
    for verb, body in (
        ("divert", {"route": "Q"}),
        ("authorise", {"to": ago(-5)}),
        ("suspend", {}),
        ("cancel", {}),
    ):
        problem(api.order(name, verb, body, role="operator"), 403)
        problem(api.order(name, verb, body, role="auditor"), 403)
    assert api.order(name, "divert", {"route": "Q"}, role="supervisor").status == 200
    assert api.ask("GET", f"/{name}", role="auditor").json()["history"][-1]["by"] == "supervisor"


def test_a_file_is_taken_in_whole_or_not_at_all(api: Api) -> None:
    lines = [{"id": f"F{i}", "regime": "bonded", "seal": f"F-{i}", "unit": "port"} for i in range(40)]
    bad = [*lines, {"id": "F40", "regime": "bonded", "route": "none"}, {"id": "F3", "regime": "bonded"}]
    file = "\n".join(map(json.dumps, bad)).encode()
    told = problem(api.ask("POST", "/import", file, content_type="application/x-ndjson"), 422, "body")
    assert "Lines: 41-42" in told["detail"]
    assert [(f["feature"], f["where"]) for f in told["faults"]] == [
        ("F40", "line 41: route"),
        ("F3", "line 42: id"),
    ]
    assert api.ask("GET", "/F0").status == 404
    file = "\n".join(map(json.dumps, lines)).encode()
    reply = api.ask("POST", "/import", file, content_type="application/x-ndjson")
    assert (reply.status, reply.json()) == (201, {"imported": 40})
    again = problem(api.ask("POST", "/import", file, content_type="application/x-ndjson"), 422, "body")
    assert (again["fault_count"], again["faults"][39]["where"]) == (40, "line 40: id")
    csv = b'id,regime,seal,cargo\nF50,transit,F-50,"rice, white"\n'
    assert api.ask("POST", "/import", csv, content_type="text/csv").json() == {"imported": 1}
    problem(api.ask("POST", "/import", csv, content_type="text/html"), 415, "Content-Type")
    problem(api.ask("POST", "/import", b"", content_type="text/csv"), 422, "body")
    listed = api.ask("GET", "?unit=port&regime=bonded&limit=30").json()
    assert [item["id"] for item in listed["items"]][:2] == ["F0", "F1"]
    rest = api.ask("GET", f"?unit=port&regime=bonded&after={listed['next']}").json()
    assert (len(listed["items"]), len(rest["items"]), rest["next"]) == (30, 10, None)


def test_an_exercise_has_journeys_of_its_own(api: Api) -> None:
    """Those of its plan, and those declared in it; the live ones are not there, nor they among the live."""
    made = Ground().route("X", (0, 0), (9000, 0)).journey("E-1", route="X").plan()
    body = json.dumps({"space": "drill", "files": dict(made.files)}).encode()
    assert api.ask("POST", "/../spaces", body).status == 201
    assert [item["id"] for item in api.ask("GET", "?space=drill").json()["items"]] == ["J-E-1"]
    assert api.ask("POST", "?space=drill", {"id": "D1", "regime": "transit", "route": "X"}).status == 201
    reply = api.ask("POST", "/J-E-1/disarm?space=drill", {}, If_Match='"1"')
    assert (reply.status, reply.json()["state"]) == (200, "DISARMED")
    assert api.ask("GET", "/D1").status == 404
    problem(api.ask("POST", "?space=drill", {"id": "D2", "regime": "transit", "route": "R"}), 422, "route")


def test_lists_find_journeys_by_what_is_written_on_them(api: Api) -> None:
    name = api.declared(declaration="Tk-77/hq", box="zzxu0001", unit="hq")
    api.order(name, "arm", {"at": ago(100 * 24 * 60)})
    api.order(name, "disarm", {"at": ago(99 * 24 * 60)})
    for query in ("text=tk-77", "text=ZZXU", f"seal=S-{name}", "unit=hq&state=DISARMED"):
        assert [item["id"] for item in api.ask("GET", f"?{query}").json()["items"]] == [name], query
    span = "from={}&to={}".format(*(ago(d * 24 * 60).replace("+", "%2B") for d in (101, 98)))
    assert [item["id"] for item in api.ask("GET", f"?{span}").json()["items"]] == [name]
    assert api.ask("GET", "?text=none").json() == {"items": [], "next": None}


def test_a_track_says_where_a_journey_is_and_how_many_alarms_it_has(api: Api) -> None:
    """In transit off its route, then in the zone that it is bound for."""
    name = api.declared(destination_zone="yard", route="R")
    api.order(name, "arm", {"at": ago(20)})
    assert api.show(name)["derived"] is None
    topic = f"eseal/v1/{api.ready.tenant}/dev/S-{name}/ping"

    def say(minutes: float, x_m: float) -> None:
        lon, lat = at(x_m, 0)
        api.gateway.publish(
            topic, json.dumps({"time": ago(minutes), "lon": lon, "lat": lat, "lock": "closed"})
        )

    for minute, x_m in ((15, 3000), (14.5, 3300), (14, 3600)):
        say(minute, x_m)
    wait_until(lambda: api.show(name)["open_alarms"] == 1, what="an alarm")
    assert api.show(name)["derived"] == "IN_TRANSIT"
    say(8, 8000)
    wait_until(lambda: api.show(name)["derived"] == "ARRIVED", what="arrived")
    state = f"eseal/v1/{api.ready.tenant}/journey/{name}/state"
    wait_until(
        lambda: any(b'"state":"ARMED"' in m.payload for m in api.told.messages if m.topic == state),
        what="told on MQTT",
    )
