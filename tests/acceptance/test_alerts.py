"""What an integrator gets over MQTT: CloudEvents in order, retained states, the service's own presence; and no right to speak."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from comparing import CLOCKED, by_id, folded
from parts import wait_until
from running import PLANS, Running, Talker, seal_tracker, serving
from traffic import iso

NOW_S = int(time.time())
BEGIN_S = NOW_S - 3 * 3600
PORT = {"lon": 106.68, "lat": 20.86}
IN_DEPOT = {"lon": 106.47, "lat": 20.82}
BESIDE_DEPOT = {"lon": 106.47, "lat": 20.79}

ENVELOPE = {
    "specversion", "id", "source", "type", "subject", "time", "recordedtime", "datacontenttype", "severitytext",
    "sequence", "data",
}  # fmt: skip
PROPERTIES = {
    "event", "transition", "episode", "journey", "seal", "regime", "unit", "started_at", "late", "inferred",
    "evidence", "plan_version", "exercise", "references",
}  # fmt: skip
ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
KINDS = ("evt", "alarm", "journey", "svc")
HAVE_MOSQUITTO = shutil.which("mosquitto_sub") is not None


def ping(after_s: float, place: dict[str, float], **more: Any) -> dict[str, Any]:
    return {"time": iso(BEGIN_S + after_s), **place, "valid": True, "lock": "closed", "interval_s": 60} | more


def drive(minutes: range, place: dict[str, float], **more: Any) -> list[dict[str, Any]]:
    return [ping(60 * m, place, **more) for m in minutes]


STORY: list[tuple[str, list[dict[str, Any]]]] = [
    ("SEAL-1", drive(range(3), PORT)),
    ("SEAL-1", [ping(180, PORT, lock="cut", facts=["rope_cut"])]),  # latched: stays
    ("SEAL-2", drive(range(2), BESIDE_DEPOT)),
    ("SEAL-2", drive(range(2, 6), IN_DEPOT)),  # a prohibited zone, entered …
    ("SEAL-2", drive(range(6, 10), BESIDE_DEPOT)),  # … and left
    ("SEAL-3", drive(range(15), PORT, battery_pct=25)),
    ("SEAL-4", drive(range(3), PORT)),
    ("SEAL-4", drive(range(40, 43), PORT)),  # silent for 37 minutes …
    ("SEAL-4", drive(range(3, 40), PORT)),  # … but it was only the network
]
"""Messages in order of sending; each is answered by events before the next is sent."""


@dataclass
class Told:
    """A running service after the story, and the integrator who listened."""

    service: Running
    integrator: Talker
    events: list[dict[str, Any]]
    earlier: set[str]
    """Ids of what was told before anybody listened: at its first look at the clock the service misses every seal."""
    mosquitto: list[tuple[str, bytes]]

    def of(self, seal: str, kind: str) -> list[dict[str, Any]]:
        return [
            e["data"]["properties"]
            for e in self.events
            if e["data"]["properties"]["seal"] == seal and e["data"]["properties"]["event"] == kind
        ]


@pytest.fixture(scope="module")
def told(session_folder: Path) -> Iterator[Told]:
    folder = session_folder / "alerts"
    folder.mkdir(mode=0o755)
    plan = shutil.copytree(PLANS / "live", folder / "plan")
    armed = [json.loads(line) for line in (plan / "journeys.jsonl").read_text().splitlines()]
    armed_at = iso(BEGIN_S - 60)  # nobody was silent before the story
    (plan / "journeys.jsonl").write_text(
        "".join(json.dumps(j | {"armed_at": armed_at}) + "\n" for j in armed)
    )
    with (
        serving(folder, plan) as service,
        service.mqtt("integrator", "integrator-1") as integrator,
        service.mqtt("gateway", "gateway-1") as gateway,
    ):
        wait_until(lambda: len(service.events()) >= len(armed), what="the service misses every seal")
        earlier = {event["id"] for event in service.events()}
        assert all(integrator.subscribe(f"eseal/v1/+/{kind}/#") for kind in KINDS)
        listening = mosquitto_sub(service, folder / "heard") if HAVE_MOSQUITTO else None
        for sent in range(len(STORY)):
            seal, pings = STORY[sent]
            stored = service.stats()["pings_stored"]
            gateway.wait_acknowledged([gateway.ping(seal, pings)])
            service.wait_for(pings_stored=stored + len(pings))
        service.wait_calm()  # what only the clock tells is told, so that all below speak of the same events
        events = service.events()
        to_hear = len(events) - len(earlier)
        wait_until(
            lambda: len({e["id"] for e in integrator.bodies("evt")} - earlier) >= to_hear,
            what="the integrator has every event",
        )
        heard: list[tuple[str, bytes]] = []
        if listening is not None:
            wait_until(
                lambda: (
                    sum(b"/evt/" in line for line in (folder / "heard").read_bytes().splitlines()) >= to_hear
                ),
                what="mosquitto_sub has every event",
            )
            listening.terminate()
            listening.wait()
            for line in (folder / "heard").read_text().splitlines():
                topic, _, payload = line.partition(" ")
                heard.append((topic, bytes.fromhex(payload)))
        yield Told(service, integrator, events, earlier, heard)


def mosquitto_sub(service: Running, into: Path) -> subprocess.Popen[bytes]:
    account, at = service.account("integrator"), service.ready["mqtt"]
    who = ["-h", at["host"], "-p", str(at["port"]), "-u", account["username"], "-P", account["password"]]
    topics = [word for kind in KINDS for word in ("-t", f"eseal/v1/+/{kind}/#")]
    with into.open("wb") as out:
        process = subprocess.Popen(
            ["mosquitto_sub", *who, "-q", "1", *topics, "-F", "%t %x"], stdout=out, stderr=subprocess.STDOUT
        )
    wait_until(lambda: b"/svc/" in into.read_bytes(), what="mosquitto_sub hears the service's retained state")
    return process


def test_story_gives_these_transitions(told: Told) -> None:
    """A cut rope stays, a zone is left, a battery is low, a silence that was none is taken back."""
    assert [p["transition"] for p in told.of("SEAL-1", "SEAL_TAMPER")] == ["raised"]
    assert [p["transition"] for p in told.of("SEAL-2", "PROHIBITED_ZONE")] == ["raised", "cleared"]
    assert [p["transition"] for p in told.of("SEAL-3", "BATTERY_LOW")] == ["raised"]
    of_seal_4 = told.of("SEAL-4", "SIGNAL_LOST")  # in the end it is silent for good: another episode
    silence = [p["transition"] for p in of_seal_4 if p["started_at"] < iso(BEGIN_S + 60 * 40)]
    assert silence[0] == "raised"
    assert silence[-1] == "retracted"


def test_envelope_is_a_cloudevent_as_documented(told: Told) -> None:
    """Structured CloudEvents 1.0 with these members and no others; data a GeoJSON feature with the properties named."""
    for event in told.integrator.bodies("evt"):
        assert event.keys() == ENVELOPE
        properties = event["data"]["properties"]
        assert event["specversion"] == "1.0"
        assert event["source"] == f"/seal-tracker/{told.service.tenant}"
        assert event["type"] == f"vn.eseal.{properties['event']}.{properties['transition']}"
        assert event["datacontenttype"] == "application/geo+json"
        assert re.fullmatch(r"\d{20}", event["sequence"])
        assert ISO.fullmatch(event["time"])
        assert ISO.fullmatch(event["recordedtime"])
        assert event["data"].keys() == {"type", "geometry", "properties"}
        assert event["data"]["type"] == "Feature"
        assert properties.keys() >= PROPERTIES
        assert properties["exercise"] is False
        assert properties["unit"] == "north"
        of_seal = properties["event"] == "BATTERY_LOW"  # of the seal, journey or none
        assert event["subject"].startswith("seal/" if of_seal else "journey/")
        assert properties["regime"] == (None if of_seal else "transit")


def test_subject_time_and_place_are_those_of_what_happened(told: Told) -> None:
    """The subject is the journey, the time that of the fix that raised it, the geometry where that was, lon before lat."""
    [event] = [e for e in told.events if e["type"] == "vn.eseal.SEAL_TAMPER.raised"]
    assert event["subject"] == "journey/J-1"
    assert event["severitytext"] == "critical"
    assert event["time"] == iso(BEGIN_S + 180)
    assert datetime.fromisoformat(event["recordedtime"]).timestamp() >= NOW_S
    assert event["data"]["geometry"] == {"type": "Point", "coordinates": [106.68, 20.86]}
    assert event["data"]["properties"]["evidence"]["fixes"]


def test_topic_says_severity_type_kind_and_subject(told: Told) -> None:
    """``evt/{severity}/{type}/{kind}/{id}``, so that a response team can subscribe to what is critical alone."""
    for message in told.integrator.of("evt"):
        event = json.loads(message.payload)
        kind, _, subject = event["subject"].partition("/")
        levels = (event["severitytext"], event["data"]["properties"]["event"], kind, subject)
        assert message.topic == f"eseal/v1/{told.service.tenant}/evt/{'/'.join(levels)}"
        assert not message.retain


def test_order_is_that_of_sequence_for_each_subject(told: Told) -> None:
    """One subject's events come in the order they were committed."""
    by_subject: dict[str, list[str]] = defaultdict(list)
    for event in told.integrator.bodies("evt"):
        by_subject[event["subject"]].append(event["sequence"])
    assert by_subject.keys() >= {"seal/SEAL-3", *(f"journey/J-{n}" for n in range(1, 5))}
    assert all(sequences == sorted(sequences) for sequences in by_subject.values())


def test_mqtt_and_api_tell_the_same_events_to_the_byte(told: Told) -> None:
    """The event that was missed can be had from the API, and is the same; folded they are the episodes."""
    over_mqtt = {e["id"]: e for e in told.integrator.bodies("evt") if e["id"] not in told.earlier}
    assert over_mqtt == {e["id"]: e for e in told.events if e["id"] not in told.earlier}
    assert folded(told.events) == by_id(told.service.episodes())


def test_ids_follow_from_what_happened(told: Told, tmp_path: Path) -> None:
    """A back-test of the same pings, in another process, gives the events the same ids."""
    trace = tmp_path / "trace.ndjson"
    with trace.open("w") as file:
        for seal, pings in STORY[:6]:
            topic = f"eseal/v1/{told.service.tenant}/dev/{seal}/ping"
            received = iso(NOW_S)
            file.write(
                json.dumps({"topic": topic, "payload": json.dumps(pings), "received": received}) + "\n"
            )
    done = seal_tracker("backtest", PLANS / "live", trace, "--events", tmp_path / "events")
    assert done.returncode == 0, done.stderr
    events = [json.loads(line) for line in (tmp_path / "events").read_text().splitlines()]
    ids = {e["type"]: e["id"] for e in events if e["data"]["properties"]["event"] not in CLOCKED}
    assert ids.keys() >= {"vn.eseal.SEAL_TAMPER.raised", "vn.eseal.PROHIBITED_ZONE.cleared"}
    assert ids.items() <= {e["type"]: e["id"] for e in told.events}.items()


def test_newcomer_is_told_the_alarms_that_need_somebody(told: Told) -> None:
    """Retained: the cut rope waits, the zone was left unseen, the silence that was none is gone."""
    alarms = told.service.retained("alarm")
    states = {(a["seal"], a["type"]): a["state"] for a in alarms.values()}
    assert states["SEAL-1", "SEAL_TAMPER"] == "unacknowledged"
    assert states["SEAL-2", "PROHIBITED_ZONE"] == "returned_unacknowledged"
    assert states["SEAL-3", "BATTERY_LOW"] == "unacknowledged"
    retracted = {p["episode"] for p in told.of("SEAL-4", "SIGNAL_LOST") if p["transition"] == "retracted"}
    assert not retracted & {a["episode"] for a in alarms.values()}
    assert all(name == a["alarm"] for name, a in alarms.items())


def test_alarm_that_closed_was_emptied(told: Told) -> None:
    """An integrator who followed sees the state first and an empty payload at the end."""
    of_silence = {
        m.topic
        for m in told.integrator.of("alarm")
        if m.payload
        and json.loads(m.payload)["type"] == "SIGNAL_LOST"
        and json.loads(m.payload)["seal"] == "SEAL-4"
    }
    last = {m.topic: m.payload for m in told.integrator.of("alarm")}
    assert of_silence
    assert any(last[topic] == b"" for topic in of_silence)


def test_newcomer_is_told_where_journeys_stand(told: Told) -> None:
    """Retained: status, progress and open alarms, which are the ids of the alarms' topics."""
    states = told.service.retained("journey")
    assert states.keys() >= {f"J-{n}/state" for n in range(1, 5)}
    first = states["J-1/state"]
    assert first["journey"] == "J-1"
    assert first["status"] in {"IN_TRANSIT", "AT_STOP"}
    assert first["progress_pct"] is not None
    alarms = told.service.retained("alarm")
    assert {alarms[a]["type"] for a in first["open_alarms"]} >= {"SEAL_TAMPER"}


@pytest.mark.skipif(not HAVE_MOSQUITTO, reason="mosquitto_sub is not installed (mosquitto-clients)")
def test_mosquitto_sub_hears_what_paho_hears(told: Told) -> None:
    """The client that the README prints gets the same events, byte for byte."""
    heard = {json.loads(p)["id"]: p for topic, p in told.mosquitto if "/evt/" in topic}
    by_paho = {json.loads(m.payload)["id"]: m.payload for m in told.integrator.of("evt")}
    assert {i: p for i, p in heard.items() if i not in told.earlier} == {
        i: p for i, p in by_paho.items() if i not in told.earlier
    }


def test_integrator_speaks_to_nobody(told: Told) -> None:
    """What an integrator publishes reaches neither the service nor other integrators; what seals send is not for them."""
    root = f"eseal/v1/{told.service.tenant}"
    before = told.service.stats()
    with told.service.mqtt("integrator") as forger:
        forger.publish(f"{root}/dev/SEAL-1/ping", json.dumps(ping(600, PORT)))
        time.sleep(0.5)
    with told.service.mqtt("integrator") as forger:
        forger.publish(f"{root}/evt/critical/SEAL_TAMPER/journey/J-5", b'{"forged":true}')
        forger.publish(f"{root}/alarm/1", b'{"forged":true}')
        time.sleep(0.5)
    with told.service.mqtt("integrator") as eavesdropper:
        assert not eavesdropper.subscribe(f"{root}/dev/#")
    assert not [m for m in told.integrator.messages if b"forged" in m.payload]
    after = told.service.stats()
    assert (after["pings_stored"], after["dead_letters"]) == (before["pings_stored"], before["dead_letters"])


def test_gateway_cannot_forge_alerts_nor_listen(told: Told) -> None:
    """Who may publish for seals may not say what the service alone says, nor hear what it says."""
    root = f"eseal/v1/{told.service.tenant}"
    with told.service.mqtt("gateway") as forger:
        forger.publish(f"{root}/evt/critical/SEAL_TAMPER/journey/J-5", b'{"forged":true}')
        forger.publish(f"{root}/svc/main", b'{"forged":true}')
        time.sleep(0.5)
    with told.service.mqtt("gateway") as eavesdropper:
        assert not eavesdropper.subscribe(f"{root}/evt/#")
    assert not [m for m in told.integrator.messages if b"forged" in m.payload]


def test_presence_follows_the_process(told: Told) -> None:
    """Retained ``svc/main``: online; offline by last will when the process is killed; online again; offline at its end."""

    def presence() -> list[str]:
        return [json.loads(m.payload)["state"] for m in told.integrator.of("svc")]  # its canary is not for us

    def last_is(state: str) -> None:
        wait_until(lambda: presence()[-1] == state, what=f"svc/main is {state}")

    last_is("online")
    assert told.service.retained("svc")["main"]["version"]
    told.service.kill()
    last_is("offline")
    wait_until(
        lambda: told.service.retained("svc")["main"]["state"] == "offline", what="a newcomer is told as well"
    )
    told.service.start()
    last_is("online")
    assert told.service.events()[: len(told.events)] == told.events  # nothing that was told is told otherwise
    assert told.service.terminate() == 0
    assert presence()[-1] == "offline"
