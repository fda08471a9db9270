"""What no seal should send: each bad payload is kept with its reason and counted, and the good ones beside it are judged."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from parts import wait_until
from running import Running, Talker
from traffic import iso

NOW_S = time.time()
HERE: dict[str, Any] = {"time": iso(NOW_S), "lon": 106.6, "lat": 20.9, "valid": True}
DEEP = b"[" * 50_000 + b"]" * 50_000


def wrong(**members: Any) -> bytes:
    """A ping with some members replaced; None leaves one out."""
    return json.dumps({k: v for k, v in (HERE | members).items() if v is not None}).encode()


BAD: dict[bytes, str] = {
    b"": "payload is empty",
    b"   ": "payload is empty",
    b"not json": "not JSON",
    b'{"time":"2026-': "not JSON",
    b"\xff\xfe\x00": "not JSON",
    b'{"time":"\xff"}': "not",
    b"42": "42: expected a JSON object",
    b'"a ping"': "expected a JSON object",
    b"null": "null: expected a JSON object",
    b'{"lon":NaN}': "not JSON",
    DEEP: "nested too deeply",
    b"x" * 900_000: "not JSON",
    wrong(time=None): "time is missing",
    wrong(time="2026-11-22T03:00:00"): "must state its zone",
    wrong(time="yesterday"): 'time "yesterday": must be ISO 8601',
    wrong(time=7): "time 7: must be ISO 8601",
    wrong(time="0001-01-01T00:00:00Z"): "must be from 1970",
    wrong(time="9999-12-31T23:59:59Z"): "must be from 1970 to",
    wrong(lon=None): "lon is missing",
    wrong(lat=None): "lat is missing",
    wrong(lon="106.6"): 'lon "106.6": must be a number',
    wrong(lon="\0"): "lon",
    wrong(lat=[20.9]): "lat [20.9]: must be a number",
    wrong(valid="yes"): 'valid "yes": must be true or false',
    wrong(facts="rope_cut"): 'facts "rope_cut": must be an array of strings',
    wrong(facts=[1]): "facts [1]: must be an array of strings",
    wrong(satellites=7.5): "satellites 7.5: must be a whole number",
    wrong(cell=3): "cell 3: must be an object",
    wrong(seal="ANOTHER"): "names another seal than the topic",
    wrong(id="\0ANOTHER"): "names another seal than the topic",
}
"""Payloads that are no ping, and what the reason says of each."""

ODD: list[bytes] = [
    wrong(lon=999.0),
    wrong(lat=-91),
    wrong(lon=1e308),
    wrong(speed_kmh=1e300, course_deg=-1e300, accuracy_m=1e300),
    wrong(battery_pct=-5, interval_s=1e300),
    wrong(seq=10**18, satellites=10**9),
    wrong(lock="welded", mode="dreaming", facts=["\0", "sang", "x" * 10_000]),
    wrong(lock="\0"),
    wrong(valid=False, lon=None, lat=None),
    wrong(time="1970-01-01T00:00:00Z"),
    wrong(time=iso(NOW_S + 10 * 365 * 86_400)),
    wrong(unknown={"deeply": [[[[{}]]]]}),
    b" " * 100_000 + wrong(),
]
"""Pings all right, though what they say is not to be believed: stored, never a dead letter."""

BAD_TOPICS: dict[str, str] = {
    "eseal/v1/{tenant}/dev/{long}/ping": "must be 1 to 64",
    "eseal/v1/{tenant}/dev/s%c3%a9al/ping": "must be 1 to 64",
    "eseal/v1/{tenant}/dev/sceau-cassé/ping": "must be 1 to 64",
    "eseal/v1/{tenant}/raw/morse/013912345678": "protocol 'morse': no decoder",
    "eseal/v1/{tenant}/raw/jt808/013912345678": "byte 0: ",
    "eseal-exercise/v1/{tenant}/nowhere/dev/SEAL-9/ping": "space 'nowhere': no such exercise",
    "eseal-exercise/v1/{tenant}/no%where/dev/SEAL-9/ping": "space",
}
"""Topics that good pings must not come on, and what the reason says of each."""


@dataclass(frozen=True)
class Letter:
    topic: str
    payload: bytes
    reason: str


@dataclass
class Aftermath:
    """What the garbage left: figures before and after, and the dead letters of the time between."""

    before: dict[str, int]
    after: dict[str, int]
    letters: list[Letter]
    good: int


@pytest.fixture(scope="module")
def gateway(service: Running) -> Iterator[Talker]:
    with service.mqtt("gateway", "garbage") as talker:
        yield talker


@pytest.fixture(scope="module")
def aftermath(service: Running, gateway: Talker) -> Aftermath:
    """Every bad payload, every odd one and every bad topic, a good ping after each."""
    before = service.stats()
    newest = newest_letter(service)
    root = f"eseal/v1/{service.tenant}/dev"
    mids, good = [], 0
    published = [(f"{root}/BAD-{i}/ping", payload) for i, payload in enumerate(BAD)]
    published += [(f"{root}/ODD-{i}/ping", payload) for i, payload in enumerate(ODD)]
    published += [
        (topic.format(tenant=service.tenant, long="x" * 65), wrong(seq=i))
        for i, topic in enumerate(BAD_TOPICS)
    ]
    for i, (topic, payload) in enumerate(published):
        mids.append(gateway.publish(topic, payload))
        mids.append(gateway.ping("GOOD-1", HERE | {"time": iso(NOW_S - 3600 + i)}))
        good += 1
    mixed = [HERE | {"time": iso(NOW_S - 3600 - i)} for i in range(1, 6)]
    mixed[2]["lon"] = "east"
    mids.append(gateway.ping("MIXED-1", mixed))
    mids.append(gateway.ping("MIXED-1", []))
    gateway.wait_acknowledged(mids)
    good += len(ODD) + len(mixed) - 1
    dead = len(BAD) + len(BAD_TOPICS) + 1
    after = service.wait_for(
        pings_stored=before["pings_stored"] + good, dead_letters=before["dead_letters"] + dead
    )
    return Aftermath(before, after, letters_after(service, newest), good)


def newest_letter(service: Running) -> int:
    [row] = service.rows("SELECT coalesce(max(id), 0) AS id FROM dead_letters")
    return int(row["id"])


def letters_after(service: Running, newest: int) -> list[Letter]:
    rows = service.rows("SELECT topic, payload, reason FROM dead_letters WHERE id > $1 ORDER BY id", newest)
    return [Letter(row["topic"], bytes(row["payload"]), row["reason"]) for row in rows]


def test_every_bad_payload_is_a_dead_letter_and_nothing_else_is(aftermath: Aftermath) -> None:
    """Bad payloads, bad topics and one bad element of an array: counted, and a row for each."""
    dead = len(BAD) + len(BAD_TOPICS) + 1
    assert len(aftermath.letters) == dead
    assert aftermath.after["dead_letters"] - aftermath.before["dead_letters"] == dead


def test_good_pings_beside_the_bad_are_stored(aftermath: Aftermath) -> None:
    """Not one is missing: those in between, the good elements of the array, and what is odd but a ping."""
    assert aftermath.after["pings_stored"] - aftermath.before["pings_stored"] == aftermath.good


def test_reason_and_raw_bytes_can_be_read_in_the_table(aftermath: Aftermath) -> None:
    """The row has the topic and the bytes as they came, and says in words what was wrong with which value."""
    kept = {letter.topic.split("/")[4]: letter for letter in aftermath.letters}
    for i, (payload, said) in enumerate(BAD.items()):
        letter = kept[f"BAD-{i}"]
        assert letter.payload == payload
        assert said in letter.reason
        assert len(letter.reason) < 1_000


def test_bad_topic_is_told_with_the_topic(service: Running, aftermath: Aftermath) -> None:
    """What is wrong with the topic, or that there is no such exercise or protocol; the payload is kept."""
    kept = {letter.topic: letter for letter in aftermath.letters}
    for i, (topic, said) in enumerate(BAD_TOPICS.items()):
        letter = kept[topic.format(tenant=service.tenant, long="x" * 65)]
        assert letter.payload == wrong(seq=i)
        assert said in letter.reason


def test_bad_element_of_an_array_is_told_alone(aftermath: Aftermath) -> None:
    """Its number, its value and its own bytes; its neighbours are good pings."""
    [letter] = [x for x in aftermath.letters if "MIXED-1" in x.topic]
    assert letter.reason.startswith("element 2: ")
    assert letter.reason.count("element 2") == 1
    assert json.loads(letter.payload)["lon"] == "east"


def test_payload_beyond_the_brokers_limit_ends_its_sender_alone(
    service: Running, aftermath: Aftermath
) -> None:
    """The broker hangs up on who sends more than a megabyte; the service and others go on."""
    before = service.stats()
    with service.mqtt("gateway", "too-much") as boor:
        boor.publish(f"eseal/v1/{service.tenant}/dev/BAD-BIG/ping", b"x" * 1_200_000, qos=0)
        wait_until(lambda: not boor.paho.is_connected(), what="the broker hangs up")
    with service.mqtt("gateway", "after") as polite:
        polite.wait_acknowledged([polite.ping("GOOD-2", HERE)])
    service.wait_for(pings_stored=before["pings_stored"] + 1)
    assert service.stats()["dead_letters"] == before["dead_letters"]


def test_largest_flush_is_taken_whole(service: Running, gateway: Talker) -> None:
    """A seal that empties a buffer of 5,000 pings in one message loses none."""
    before = service.stats()["pings_stored"]
    flush = [HERE | {"time": iso(NOW_S - 86_400 + i)} for i in range(5_000)]
    gateway.wait_acknowledged([gateway.ping("FLUSH-1", flush)])
    service.wait_for(pings_stored=before + 5_000)


def test_service_is_as_ready_as_before(service: Running, aftermath: Aftermath) -> None:
    """Nothing of all this leaves a mark: no part is in trouble, and no commit was refused."""
    assert service.readyz()[0] == 200
    assert "commit_refused" not in service.log.read_text()
