"""Events as CloudEvents and the topics they go to: the words of INTERFACES.md, member for member."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seal_tracker.model import Episode, Event, episode_id, event_id
from seal_tracker.publishing.cloudevents import AlarmState, JourneyState, cloud_event, state_payload
from seal_tracker.publishing.errors import TopicError
from seal_tracker.publishing.topics import (
    Address,
    alarm_topic,
    canary_topic,
    device_topic,
    event_topics,
    ingest_filters,
    journey_topic,
    parse,
    service_topic,
)

TIME_MS = 1_795_316_400_000
FIXES = [
    {"time": "2026-11-22T03:00:00.000Z", "lon": 106.5, "lat": 20.5},
    {"time": "2026-11-22T03:00:30.000Z", "lon": 106.6, "lat": 20.6, "accuracy_m": 8.0},
]


def event_of(
    *, space: str = "live", old_severity: Any = None, references: tuple[UUID, ...] = (), **episode: Any
) -> Event:
    fields: dict[str, Any] = {
        "episode": episode_id(space, "J-2026-000123", "ROUTE_DEVIATION", None, TIME_MS),
        "type": "ROUTE_DEVIATION",
        "severity": "high",
        "subject_kind": "journey",
        "subject": "J-2026-000123",
        "journey": "J-2026-000123",
        "seal": "S-1",
        "object": None,
        "started_at_ms": TIME_MS,
        "raised_at_ms": TIME_MS + 30_000,
        "ended_at_ms": None,
        "cleared_at_ms": None,
        "inferred": False,
        "latched": False,
        "evidence": {"cross_track_m": 412.3, "limit_m": 200, "fixes": FIXES},
        "plan_version": 17,
        "regime": "transit",
        "unit": "HQ-03",
        "changed_ms": TIME_MS + 30_000,
        "settled_ms": None,
    }
    of_it = Episode(**fields | episode)
    return Event(
        id=event_id(of_it.episode, 1),
        sequence=1234,
        space=space,
        episode=of_it,
        transition="raised",
        revision=1,
        time_ms=TIME_MS + 30_000,
        recorded_ms=TIME_MS + 31_007,
        late=False,
        old_severity=old_severity,
        references=references,
    )


def read(event: Event) -> dict[str, Any]:
    decoded: dict[str, Any] = json.loads(cloud_event(event, "demo"))
    return decoded


def test_the_envelope_is_that_of_the_interface() -> None:
    """CloudEvents 1.0, structured; the members and their spelling are what integrators wrote their code for."""
    event = event_of()
    envelope = read(event)
    data = envelope.pop("data")
    assert envelope == {
        "specversion": "1.0",
        "id": str(event.id),
        "source": "/seal-tracker/demo",
        "type": "vn.eseal.ROUTE_DEVIATION.raised",
        "subject": "journey/J-2026-000123",
        "time": "2026-11-22T03:00:30.000Z",
        "recordedtime": "2026-11-22T03:00:31.007Z",
        "datacontenttype": "application/geo+json",
        "severitytext": "high",
        "sequence": "00000000000000001234",
    }
    assert data["type"] == "Feature"
    assert data["geometry"] == {"type": "Point", "coordinates": [106.6, 20.6]}


def test_the_properties_hold_the_whole_episode() -> None:
    """Events folded by sequence give the stored episodes, so nothing of an episode may be missing."""
    reference = UUID(int=7)
    event = event_of(
        old_severity="medium", references=(reference,), ended_at_ms=TIME_MS + 60_000, object="Z-1"
    )
    properties = read(event)["data"]["properties"]
    assert properties == {
        "event": "ROUTE_DEVIATION",
        "transition": "raised",
        "episode": str(event.episode.episode),
        "revision": 1,
        "journey": "J-2026-000123",
        "seal": "S-1",
        "regime": "transit",
        "unit": "HQ-03",
        "object": "Z-1",
        "severity": "high",
        "old_severity": "medium",
        "started_at": "2026-11-22T03:00:00.000Z",
        "raised_at": "2026-11-22T03:00:30.000Z",
        "ended_at": "2026-11-22T03:01:00.000Z",
        "cleared_at": None,
        "late": False,
        "inferred": False,
        "latched": False,
        "evidence": {"cross_track_m": 412.3, "limit_m": 200, "fixes": FIXES},
        "plan_version": 17,
        "exercise": False,
        "references": [str(reference)],
    }
    assert read(event_of(space="drill-1"))["data"]["properties"]["exercise"] is True


@pytest.mark.parametrize(
    ("evidence", "inferred", "geometry"),
    [
        (
            {"fixes": FIXES, "path": [[106.5, 20.5], [106.6, 20.6]]},
            True,
            ("LineString", [[106.5, 20.5], [106.6, 20.6]]),
        ),
        ({"fixes": FIXES, "path": [[106.5, 20.5], [106.6, 20.6]]}, False, ("Point", [106.6, 20.6])),
        ({"fixes": FIXES, "path": [[106.5, 20.5]]}, True, ("Point", [106.6, 20.6])),
        ({"fixes": []}, False, None),
        ({}, True, None),
        ({"fixes": [{"time": "2026-11-22T03:00:00.000Z"}]}, False, None),
    ],
)
def test_the_geometry_is_the_fix_or_the_stretch_of_track(
    evidence: Any, inferred: bool, geometry: Any
) -> None:
    """A crossing between two fixes is a line, everything else its last fix; what has no place has none."""
    expected = None if geometry is None else {"type": geometry[0], "coordinates": geometry[1]}
    assert read(event_of(evidence=evidence, inferred=inferred))["data"]["geometry"] == expected


@pytest.mark.parametrize("inferred", [False, True])
def test_the_feature_is_written_in_one_order_and_to_the_last_digit(inferred: bool) -> None:
    """The bytes are compared and hashed; a position keeps its seven decimals, as it is stored."""
    evidence = {
        "path": [[106.1234567, -20.7654321], [106.1234568, 20.0]],
        "fixes": [{"lon": 179.9999999, "lat": -0.0000001}],
    }
    data = cloud_event(event_of(evidence=evidence, inferred=inferred), "demo").partition(b'"data":')[2]
    geometry = (
        b'{"type":"LineString","coordinates":[[106.1234567,-20.7654321],[106.1234568,20.0]]}'
        if inferred
        else b'{"type":"Point","coordinates":[179.9999999,-1e-7]}'
    )
    assert data.startswith(
        b'{"type":"Feature","geometry":' + geometry + b',"properties":{"event":"ROUTE_DEVIATION",'
    )


def test_an_event_without_a_place_is_a_feature_all_the_same() -> None:
    """RFC 7946, 3.2: a feature that lies nowhere has the geometry null."""
    assert b'"data":{"type":"Feature","geometry":null,"properties":{' in cloud_event(
        event_of(evidence={}), "demo"
    )


def test_an_event_is_encoded_the_same_each_time() -> None:
    """It is committed as bytes, and those bytes are what the topic and the stream send."""
    assert cloud_event(event_of(), "demo") == cloud_event(event_of(), "demo")


def test_a_changed_severity_is_told_on_both_topics() -> None:
    """Who follows one severity only must learn that an episode has left it, or come to it."""
    assert event_topics(event_of(), "demo") == (
        "eseal/v1/demo/evt/high/ROUTE_DEVIATION/journey/J-2026-000123",
    )
    assert event_topics(event_of(old_severity="medium"), "demo") == (
        "eseal/v1/demo/evt/medium/ROUTE_DEVIATION/journey/J-2026-000123",
        "eseal/v1/demo/evt/high/ROUTE_DEVIATION/journey/J-2026-000123",
    )
    assert event_topics(event_of(old_severity="high"), "demo") == event_topics(event_of(), "demo")


def test_exercises_have_topics_of_their_own() -> None:
    """A drill never reaches who subscribes to live alarms."""
    assert event_topics(event_of(space="drill-1"), "demo") == (
        "eseal-exercise/v1/demo/drill-1/evt/high/ROUTE_DEVIATION/journey/J-2026-000123",
    )
    assert device_topic("demo", "S-1") == "eseal/v1/demo/dev/S-1/ping"
    assert device_topic("demo", "S-1", "drill-1") == "eseal-exercise/v1/demo/drill-1/dev/S-1/ping"
    assert alarm_topic("demo", "A-1") == "eseal/v1/demo/alarm/A-1"
    assert journey_topic("demo", "J-1", "drill-1") == "eseal-exercise/v1/demo/drill-1/journey/J-1/state"
    assert service_topic("demo", "one") == "eseal/v1/demo/svc/one"


@pytest.mark.parametrize(
    ("topic", "address"),
    [
        ("eseal/v1/demo/dev/S.1:a_b-C/ping", Address("live", "dev", "S.1:a_b-C", "ping")),
        ("eseal/v1/demo/dev/S-1/status", Address("live", "dev", "S-1", "status")),
        ("eseal/v1/demo/equip/CAM-1/status", Address("live", "equip", "CAM-1", "status")),
        ("eseal/v1/demo/raw/jt701/8000012345", Address("live", "raw", "8000012345", "jt701")),
        ("eseal/v1/demo/raw/jt701@gw-1/80000", Address("live", "raw", "80000", "jt701", "gw-1")),
        ("eseal/v1/demo/svc/one/ping", Address("live", "svc", "one", "ping")),
        ("eseal-exercise/v1/demo/drill-1/dev/S-1/ping", Address("drill-1", "dev", "S-1", "ping")),
    ],
)
def test_incoming_topics_are_taken_apart(topic: str, address: Address) -> None:
    """Space, kind, id and the last level."""
    assert parse(topic, "demo") == address


@pytest.mark.parametrize(
    ("topic", "reason"),
    [
        ("eseal/v1/other/dev/S-1/ping", "is not of tenant demo"),
        ("eseal/v1/demo2/dev/S-1/ping", "is not of tenant demo"),
        ("", "is not of tenant demo"),
        ("eseal/v1/demo/dev/S-1", "expected dev/ID/ping"),
        ("eseal/v1/demo/dev/S-1/ping/x", "expected dev/ID/ping"),
        ("eseal/v1/demo/evt/high/ping", "expected dev/ID/ping"),
        ("eseal/v1/demo/dev/S-1/position", "ends in 'position'"),
        ("eseal/v1/demo/dev//ping", "id '': must be"),
        ("eseal/v1/demo/dev/" + "S" * 65 + "/ping", "must be 1 to 64"),
        ("eseal/v1/demo/dev/S 1/ping", "id 'S 1': must be"),
        ("eseal/v1/demo/dev/S-1\n/ping", "must be 1 to 64"),
        ("eseal-exercise/v1/demo/dev/S-1/ping", "expected dev/ID/ping"),
        ("eseal-exercise/v1/demo/a b/dev/S-1/ping", "space 'a b': must be"),
    ],
)
def test_other_topics_are_refused_with_a_reason(topic: str, reason: str) -> None:
    """The reason is stored with the dead letter."""
    with pytest.raises(TopicError, match=reason):
        parse(topic, "demo")


@pytest.mark.parametrize("bad", ["", "a/b", "+", "#", "é", "a b", "x" * 65])
def test_no_topic_is_built_of_what_fits_none(bad: str) -> None:
    """An id with a slash or a wildcard would reach other topics."""
    for build in (device_topic, alarm_topic, journey_topic, service_topic, canary_topic):
        with pytest.raises(TopicError, match="must be 1 to 64"):
            build("demo", bad)
    with pytest.raises(TopicError):
        event_topics(event_of(subject=bad), "demo")
    with pytest.raises(TopicError):
        device_topic(bad, "S-1")


ids = st.from_regex(r"\A[A-Za-z0-9_.:-]{1,64}\Z")


@given(ids, ids, st.just("live") | ids)
def test_what_is_built_is_parsed_back_and_subscribed_to(tenant: str, seal: str, space: str) -> None:
    """The ingest subscription covers every topic that a seal or the canary uses."""
    topic = device_topic(tenant, seal, space)
    assert parse(topic, tenant) == Address(space, "dev", seal, "ping")
    for incoming in (topic, canary_topic(tenant, seal, space)):
        assert any(matches(pattern, incoming) for pattern in ingest_filters(tenant))


def matches(pattern: str, topic: str) -> bool:
    """MQTT 3.1.1, 4.7, for filters without ``#``."""
    levels, wanted = topic.split("/"), pattern.split("/")
    return len(levels) == len(wanted) and all(
        w in ("+", level) for w, level in zip(wanted, levels, strict=True)
    )


def test_states_are_plain_json() -> None:
    """Retained on their topics: who subscribes late reads the state as it is."""
    journey = JourneyState(
        journey="J-1", seal="S-1", state="ARMED", status="IN_TRANSIT", route="R-1", progress_pct=41.5, eta=None,
        open_alarms=("A-1",), updated_at="2026-11-22T03:00:00.000Z", exercise=False,
    )  # fmt: skip
    assert json.loads(state_payload(journey))["open_alarms"] == ["A-1"]
    alarm = AlarmState(
        alarm="A-1", state="unacknowledged", episode=UUID(int=1), type="SEAL_TAMPER", severity="critical", subject="J-1",
        journey="J-1", seal="S-1", object=None, unit=None, raised_at="2026-11-22T03:00:00.000Z", ended_at=None,
        updated_at="2026-11-22T03:00:00.000Z", exercise=False,
    )  # fmt: skip
    assert json.loads(state_payload(alarm))["episode"] == "00000000-0000-0000-0000-000000000001"
