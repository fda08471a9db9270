"""What an officer does with an alarm, over HTTP, and what integrators are told of it, over MQTT; kill -9 forgets none of it.

The tests are one story on one service, told in order.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from parts import wait_until
from receiving import receiving
from running import PLANS, Reply, Running, seal_tracker, serving
from traffic import iso

from seal_tracker.hooks.signing import signature
from seal_tracker.publishing.cloudevents import AlarmState
from seal_tracker.rules.across_facts import FACT_KEYS
from seal_tracker.rules.catalog import PAIR_RULES, RULES

DEADLINES = '{"critical": {"acknowledge_min": 0.2, "close_min": 600}, "high": {"acknowledge_min": 0.001, "close_min": 600}}'
"""What is critical may wait 12 s, longer than the story takes to acknowledge it; the silence of the other seals not at all."""

SEALS = ("SEAL-1", "SEAL-2", "SEAL-3")


@pytest.fixture(scope="module")
def service(session_folder: Path) -> Iterator[Running]:
    folder = session_folder / "alarms"
    folder.mkdir(mode=0o755)
    with serving(
        folder, PLANS / "live", SEAL_TRACKER_ALARM_DEADLINES=DEADLINES, SEAL_TRACKER_WEBHOOK_PRIVATE="true"
    ) as running:
        now_s = int(time.time())
        with running.mqtt("gateway", "alarms") as gateway:
            pings = [
                {"time": iso(now_s - 30), "lon": 106.68, "lat": 20.86},
                {
                    "time": iso(now_s),
                    "valid": False,
                    "lock": "cut",
                    "gateway": "gw-1",
                    "cell": {"carrier": "452-04"},
                },
            ]
            mids = [gateway.ping(seal, one) for seal in SEALS for one in pings]
            gateway.wait_acknowledged(mids)
        wait_until(lambda: len(tampers(running)) == 3, what="three cut ropes")
        yield running


def tampers(service: Running, query: str = "") -> dict[str, dict[str, Any]]:
    """Alarms of cut ropes by seal."""
    found = service.get(f"/api/v1/alarms?type=SEAL_TAMPER{query}", "operator")["items"]
    return {alarm["seal"]: alarm for alarm in found}


def act(
    service: Running, seal: str, verb: str, body: Any, account: str = "operator", **headers: str
) -> Reply:
    alarm = tampers(service, "&open=false")[seal]
    headers = {"If_Match": f'"{alarm["version"]}"'} | headers
    return service.ask("POST", f"/api/v1/alarms/{alarm['alarm']}/{verb}", body, account, **headers)


def in_minutes(minutes: float) -> str:
    return (datetime.now(UTC) + timedelta(minutes=minutes)).isoformat()


def test_of_two_officers_at_once_one_wins_and_the_other_is_told(service: Running) -> None:
    """One answer is the alarm, acknowledged; the others name who was first and when."""
    roles = ["operator", "supervisor", "unit_head", "administrator"]
    with ThreadPoolExecutor(4) as pool:
        replies = list(pool.map(lambda role: act(service, "SEAL-1", "ack", {}, role), roles))
    won = [reply for reply in replies if reply.status == 200]
    lost = [reply.json() for reply in replies if reply.status in {409, 412}]
    assert (len(won), len(lost)) == (1, 3)
    alarm = won[0].json()
    assert alarm["state"] == "acknowledged"
    assert won[0].headers["ETag"] == f'"{alarm["version"]}"'
    by = {problem["acked_by"] for problem in lost}
    assert by == {alarm["acked_by"]}
    assert all(
        alarm["acked_by"] in problem["detail"] and problem["acked_at"] == alarm["acked_at"]
        for problem in lost
    )


def test_an_edit_names_the_version_it_has_seen(service: Running) -> None:
    """428 without, 412 with an old one, and nothing was changed; acknowledging and noting need none."""
    alarm = tampers(service)["SEAL-1"]
    path = f"/api/v1/alarms/{alarm['alarm']}"
    assert service.ask("POST", f"{path}/assign", {"to": "supervisor"}).status == 428
    refused = service.ask("POST", f"{path}/assign", {"to": "supervisor"}, If_Match='"1"')
    assert refused.status == 412
    assert refused.json()["version"] == alarm["version"]
    assert service.ask("POST", f"{path}/note", {"note": "lái xe không trả lời"}).status == 200
    name = service.account("supervisor")["username"]
    assert act(service, "SEAL-1", "assign", {"to": name}).json()["assignee"] == name
    assert act(service, "SEAL-1", "assign", {"to": "nobody"}).json()["field"] == "to"


def test_integrators_see_the_state_and_hear_each_step(service: Running) -> None:
    """Retained on alarm/ID what it is now; on evt/ that it was acknowledged, by whom."""
    alarm = tampers(service)["SEAL-1"]
    retained = service.retained("alarm")[alarm["alarm"]]
    told = msgspec.json.decode(json.dumps(retained), type=AlarmState)
    assert (told.state, told.assignee, told.note) == (
        "acknowledged",
        alarm["assignee"],
        "lái xe không trả lời",
    )
    assert told.place == (106.68, 20.86)
    assert told.close_by is not None
    steps = [e for e in service.events() if e["data"]["properties"].get("alarm") == alarm["alarm"]]
    assert [e["type"] for e in steps] == [
        f"vn.eseal.SEAL_TAMPER.{s}" for s in ("acknowledged", "noted", "assigned")
    ]
    assert steps[0]["data"]["properties"]["by"] == alarm["acked_by"]


def test_an_alarm_tells_its_history_and_what_to_do(service: Running) -> None:
    """Each step with who and when, newest first; cause, consequence and response in both languages."""
    alarm = tampers(service)["SEAL-1"]
    reply = service.ask("GET", f"/api/v1/alarms/{alarm['alarm']}")
    shown = reply.json()
    assert [step["step"] for step in shown["history"]] == ["assigned", "noted", "acknowledged"]
    assert shown["history"][1]["detail"] == {"note": "lái xe không trả lời"}
    texts = service.get("/api/v1/alarms/texts", "auditor")
    assert set(texts) == {rule.name for rule in (*RULES, *PAIR_RULES)} | set(FACT_KEYS)
    assert shown["texts"] == texts["SEAL_TAMPER"]
    assert {k: v for k, v in shown.items() if k not in {"texts", "history", "seen", "comments"}} | {
        "open_in_group": 3
    } == alarm


def test_an_outage_is_one_line(service: Running) -> None:
    """Three ropes cut at one place and time: one line, which says how many there are."""
    [line] = service.get("/api/v1/alarms?type=SEAL_TAMPER&collapse=true", "operator")["items"]
    assert (line["open_in_group"], line["gateway"], line["carrier"]) == (3, "gw-1", "452-04")
    members = service.get(f"/api/v1/alarms?group={line['group']}", "operator")["items"]
    assert {alarm["seal"] for alarm in members} == set(SEALS)


def test_several_are_acknowledged_at_once(service: Running) -> None:
    """Each answer says what became of that one."""
    by_seal = tampers(service)
    ids = [by_seal[seal]["alarm"] for seal in SEALS] + ["00000000-0000-4000-8000-000000000000"]
    reply = service.ask("POST", "/api/v1/alarms/ack", {"ids": ids, "note": "đã gọi"}, "operator")
    items = reply.json()["items"]
    assert [(item["alarm"], item["done"]) for item in items] == list(
        zip(ids, (False, True, True, False), strict=True)
    )
    assert "acknowledged it at" in items[0]["detail"]
    assert {a["state"] for a in tampers(service).values()} == {"acknowledged"}


def test_roles_do_what_is_theirs(service: Running) -> None:
    """An auditor reads and changes nothing; suppressing is an order."""
    aside = {"until": in_minutes(60), "reason": "works"}
    assert act(service, "SEAL-2", "note", {"note": "x"}, "auditor").status == 403
    assert act(service, "SEAL-2", "suppress", aside, "operator").status == 403
    assert act(service, "SEAL-2", "suppress", aside, "supervisor").json()["state"] == "suppressed"
    assert act(service, "SEAL-2", "unsuppress", {}, "supervisor").json()["state"] == "acknowledged"
    assert act(service, "SEAL-2", "shelve", aside | {"until": in_minutes(-1)}).json()["field"] == "until"


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("state=open", "state"), ("order=priority&open=false", "order"), ("open=true&state=closed", "open"), ("text=%00", "text"),
        ("since=yesterday", "since"), ("group=1", "group"), ("limit=0", "limit"), ("after=x", "after"), ("colour=red", "colour"),
    ],
)  # fmt: skip
def test_a_list_refuses_what_it_does_not_know_and_names_it(service: Running, query: str, field: str) -> None:
    """Never an empty list for a misspelt filter."""
    reply = service.ask("GET", f"/api/v1/alarms?{query}")
    assert (reply.status, reply.json()["field"]) == (400, field)


def test_what_nobody_acknowledges_is_escalated_by_the_clock(service: Running) -> None:
    """Seals that were never heard, by a deadline set to nothing: told to whoever answers, once each."""

    def escalated() -> list[dict[str, Any]]:
        return [
            e["data"]["properties"] for e in service.events() if e["type"] == "vn.eseal.SIGNAL_LOST.escalated"
        ]

    wait_until(lambda: len(escalated()) == 6, what="the clock escalates")
    told = escalated()[0]
    assert (told["by"], told["detail"]["deadline"], told["severity"]) == ("system", "acknowledge", "high")
    alarms = service.get("/api/v1/alarms?type=SIGNAL_LOST&state=unacknowledged", "operator")["items"]
    assert {(alarm["seal"], alarm["escalations"]) for alarm in alarms} == {
        (f"SEAL-{n}", 1) for n in (4, 5, 6)
    }


def test_an_integrators_webhook_through_its_life(service: Running) -> None:
    """Made with a secret told once, sent the log from a cursor on in order and signed, paused, resumed, replayed, removed; nobody else's."""

    def order(verb: str, body: Any = None, account: str = "integrator") -> Reply:
        shown = service.ask("GET", one, account=account)
        return service.ask("POST", f"{one}/{verb}", body, account, If_Match=shown.headers.get("ETag", "*"))

    def sequences() -> list[int]:
        return [int(json.loads(body)["sequence"]) for _, body in receiver.taken]

    first = service.get("/api/v1/events?limit=1", "integrator")["next"]
    log = [
        int(event["sequence"]) for event in service.get(f"/api/v1/events?limit=1000&after={first}")["items"]
    ]
    with receiving() as receiver:
        made = service.ask("POST", "/api/v1/hooks", {"url": receiver.url, "after": first}, "integrator")
        assert made.status == 201
        one, secret = made.headers["Location"], made.json()["secret"]
        wait_until(lambda: sequences()[: len(log)] == log, what="the log from the cursor on")
        for headers, body in receiver.taken:
            signed = signature(secret, headers["webhook-id"], int(headers["webhook-timestamp"]), body)
            assert headers["webhook-signature"] == signed
            assert headers["webhook-id"] == json.loads(body)["id"]
        assert secret not in service.ask("GET", one, account="integrator").body.decode()
        assert service.ask("GET", one, account="operator").status == 403
        assert order("pause").json()["state"] == "paused"
        assert service.ask("POST", f"{one}/resume", account="integrator").status == 428
        assert service.ask("POST", f"{one}/resume", account="integrator", If_Match='"1"').status == 412
        receiver.taken.clear()
        assert order("replay", {"after": first}).status == 200
        assert order("resume").json()["state"] == "active"
        wait_until(lambda: sequences()[: len(log)] == log, what="the same again")
        receiver.status = 410
        tested = order("test").json()
        assert (tested["delivered"], tested["status"]) == (False, 410)
        for body, status, field in (
            ({"url": "https://user@there.example/"}, 422, "url"),
            ({"url": "gopher://there.example/"}, 422, "url"),
            ({"url": receiver.url, "after": "x"}, 400, "after"),
            ({"url": receiver.url, "severities": ["grave"]}, 422, "severities"),
            ({"url": receiver.url, "types": ["SEAL_TEMPER"]}, 422, "types"),
        ):
            refused = service.ask("POST", "/api/v1/hooks", body, "integrator")
            assert (refused.status, refused.json()["field"]) == (status, field), refused.body
        version = service.ask("GET", one, account="integrator").headers["ETag"]
        assert service.ask("DELETE", one, None, "integrator", If_Match=version).status == 204
        assert service.ask("GET", one, account="integrator").status == 404


def test_a_kill_forgets_nothing_and_closing_empties_what_is_retained(service: Running) -> None:
    """kill -9 in the middle of it: what was answered stands; then it is closed with its reason, and counted."""
    before = tampers(service)
    service.kill()
    service.start(SEAL_TRACKER_ALARM_DEADLINES=DEADLINES)
    assert tampers(service) == before
    history = service.get(f"/api/v1/alarms/{before['SEAL-1']['alarm']}")["history"]
    assert [step["step"] for step in history] == ["assigned", "noted", "acknowledged"]
    assert (
        act(service, "SEAL-1", "close", {"code": "false_alarm", "note": "a test of the seal"}).status == 200
    )
    assert act(service, "SEAL-2", "close", {"code": "confirmed"}).status == 200
    again = act(service, "SEAL-2", "close", {"code": "resolved"}, "supervisor")
    assert (again.status, again.json()["state"]) == (409, "closed")
    assert set(tampers(service)) == {"SEAL-3"}
    closed = before["SEAL-1"]["alarm"]
    wait_until(lambda: closed not in service.retained("alarm"), what="emptied")
    wait_until(lambda: closed not in service.retained("journey")["J-1/state"]["open_alarms"], what="told")
    assert before["SEAL-3"]["alarm"] in service.retained("journey")["J-3/state"]["open_alarms"]
    rates = service.get("/api/v1/alarms/rates", "auditor")
    [outcome] = rates["outcomes"]
    assert (outcome["type"], outcome["codes"], outcome["false_share"]) == (
        "SEAL_TAMPER",
        {"confirmed": 1, "false_alarm": 1},
        0.5,
    )
    assert rates["alarms"] >= 4
    assert rates["per_hour"] == pytest.approx(rates["alarms"] / 24, abs=0.001)
    assert (rates["operator_hours"], rates["per_operator_hour"]) == (0, None)
    shift = {"officer": "operator", "begins_at": in_minutes(-60), "ends_at": in_minutes(60)}
    assert service.ask("POST", "/api/v1/shifts", shift, "supervisor").status == 201
    rates = service.get("/api/v1/alarms/rates", "auditor")
    assert rates["operator_hours"] == pytest.approx(1, abs=0.01)
    assert rates["per_operator_hour"] == pytest.approx(rates["alarms"] / rates["operator_hours"], rel=0.01)


def test_after_all_that_the_tables_are_what_the_ledger_tells(service: Running) -> None:
    """Whatever people and late data did to alarms, journeys and episodes stands as it was recorded."""
    done = seal_tracker("ledger", "verify", "--embedded", service.data)
    assert done.returncode == 0, done.stdout + done.stderr
