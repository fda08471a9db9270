"""The native decoder: what is right becomes pings, what is wrong says where, and nothing makes it fall."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from seal_tracker.decoders.errors import DecodeError
from seal_tracker.decoders.native import MAX_FAULTS, Cell, NativePing, decode

GOOD: dict[str, Any] = {"time": "2026-11-22T03:00:00Z", "lon": 106.68123, "lat": 20.86456}


def payload(**members: Any) -> bytes:
    return json.dumps(GOOD | members).encode()


def one(data: bytes, seal: str | None = None) -> NativePing:
    pings, faults = decode(data, seal)
    assert not faults
    (ping,) = pings
    return ping


def refusal(data: bytes, seal: str | None = None) -> str:
    with pytest.raises(DecodeError) as caught:
        decode(data, seal)
    return caught.value.reason


def test_every_member_of_the_interface_is_read() -> None:
    """The example of INTERFACES.md, member for member."""
    ping = one(
        b'{"time":"2026-11-22T03:00:00Z","lon":106.68123,"lat":20.86456,"valid":true,"speed_kmh":43.5,"course_deg":128,'
        b'"accuracy_m":8,"satellites":11,"battery_pct":82,"seq":1024,"lock":"closed","facts":["rope_cut"],'
        b'"mode":"awake","interval_s":30,"buffered":false,"cell":{"rssi_dbm":-71}}'
    )
    assert ping.time.isoformat() == "2026-11-22T03:00:00+00:00"
    assert (ping.lon, ping.lat, ping.valid) == (106.68123, 20.86456, True)
    assert (ping.speed_kmh, ping.course_deg, ping.accuracy_m, ping.satellites) == (43.5, 128, 8, 11)
    assert (ping.battery_pct, ping.seq, ping.lock, ping.facts, ping.mode) == (
        82,
        1024,
        "closed",
        ["rope_cut"],
        "awake",
    )
    assert (ping.interval_s, ping.buffered, ping.cell) == (30, False, Cell(-71))


def test_an_array_is_a_buffer_flush_in_its_order() -> None:
    """One payload gives any number of pings, none included."""
    data = json.dumps([GOOD | {"seq": n} for n in (3, 1, 2)]).encode()
    assert [ping.seq for ping in decode(data).pings] == [3, 1, 2]
    assert decode(b" [] ") == ([], [])


def test_members_and_words_not_known_are_no_fault() -> None:
    """Newer firmware says more; a rope cut must not be lost because of it."""
    ping = one(
        payload(colour="red", nested={"a": [1]}, facts=["rope_cut", "tilted"], lock="ajar", mode="dreaming")
    )
    assert ping.facts == ["rope_cut", "tilted"]


def test_null_is_unknown() -> None:
    """A member that is null is as one that is absent."""
    assert one(
        payload(**dict.fromkeys(("speed_kmh", "seq", "lock", "facts", "cell", "received", "seal")))
    ) == one(payload())


def test_without_a_position_a_ping_must_say_so() -> None:
    """Required are the time, and lon with lat or valid false."""
    assert one(b'{"time":"2026-11-22T03:00:00Z","valid":false}').valid is False
    for members in ({}, {"lon": 1}, {"lat": 1}, {"valid": True}, {"lon": None, "lat": 1}):
        missing = "lat" if members.get("lon") else "lon"
        data = json.dumps({"time": GOOD["time"]} | members).encode()
        assert refusal(data) == f"{missing} is missing: expected lon and lat, or valid false"
    assert (
        refusal(b'{"lon":1,"lat":2}')
        == "time is missing: expected ISO 8601 with a zone, such as 2026-11-22T03:00:00Z"
    )


@pytest.mark.parametrize(
    ("member", "value", "reason"),
    [
        (
            "time",
            "2026-11-22T03:00:00",
            'time "2026-11-22T03:00:00": must state its zone, such as Z or +07:00',
        ),
        ("time", 1795316400, "time 1795316400: must be ISO 8601 with a zone, such as 2026-11-22T03:00:00Z"),
        ("time", "yesterday", 'time "yesterday": must be ISO 8601 with a zone, such as 2026-11-22T03:00:00Z'),
        ("time", "2026-11-31T03:00:00Z", "must be ISO 8601"),
        ("time", "0001-01-01T00:00:00Z", "must be from 1970 to 2199"),
        ("time", None, "must be ISO 8601"),
        ("received", "2500-01-01T00:00:00Z", 'received "2500-01-01T00:00:00Z": must be from 1970 to 2199'),
        ("received", 5, "received 5: must be ISO 8601"),
        ("lon", "106.68", 'lon "106.68": must be a number'),
        ("lat", True, "lat true: must be a number"),
        ("speed_kmh", [], "speed_kmh []: must be a number"),
        ("interval_s", {}, "interval_s {}: must be a number"),
        ("satellites", 11.5, "satellites 11.5: must be a whole number"),
        ("seq", "7", 'seq "7": must be a whole number'),
        ("valid", "true", 'valid "true": must be true or false'),
        ("buffered", 1, "buffered 1: must be true or false"),
        ("lock", 1, "lock 1: must be a string"),
        ("facts", "rope_cut", 'facts "rope_cut": must be an array of strings'),
        ("facts", [1], "facts [1]: must be an array of strings"),
        ("cell", -71, "cell -71: must be an object"),
        ("cell", {"rssi_dbm": "x"}, 'cell {"rssi_dbm":"x"}: rssi_dbm must be a number'),
        ("mode", ["x" * 500], "…: must be a string"),
    ],
)
def test_a_wrong_member_is_named_with_its_value_and_what_was_expected(
    member: str, value: Any, reason: str
) -> None:
    """The reason goes into the dead letter; whoever reads it must not have to guess, nor scroll."""
    told = refusal(payload(**{member: value}))
    assert reason in told
    assert len(told) < 200


@pytest.mark.parametrize("member", ["seal", "id"])
def test_a_ping_that_names_another_seal_is_refused(member: str) -> None:
    """A seal may publish only under its own id; a payload that says otherwise is not believed."""
    assert one(payload(**{member: "S-1"}), "S-1").lon == GOOD["lon"]
    told = refusal(payload(**{member: "S-2"}), "S-1")
    assert told == f'{member} "S-2": names another seal than the topic, which says "S-1"'
    assert refusal(payload(**{member: 7}), "7").startswith(f"{member} 7: names another seal")


def test_a_bad_element_is_refused_alone() -> None:
    """The others of a buffer are kept; the fault has the element's index and bytes."""
    good = json.dumps(GOOD)
    decoded = decode(f'[{good}, {{"lon":"x"}},{good},17]'.encode(), "S-1")
    assert len(decoded.pings) == 2
    assert [(fault.element, fault.reason, fault.payload) for fault in decoded.faults] == [
        (1, 'element 1: lon "x": must be a number', b'{"lon":"x"}'),
        (3, "element 3: 17: expected a JSON object", b"17"),
    ]


def test_a_flood_of_bad_elements_is_told_once() -> None:
    """A hundred are told one by one, the rest with the whole payload: a hostile array costs a hundred dead letters."""
    data = b"[" + b"1," * 50_000 + json.dumps(GOOD).encode() + b"]"
    decoded = decode(data)
    assert len(decoded.pings) == 1
    assert len(decoded.faults) == MAX_FAULTS + 1
    assert decoded.faults[-1] == (None, "49900 more faulty elements after the first 100", data)


HOSTILE = {
    "empty": b"",
    "blank": b" \n\t",
    "no UTF-8": b"\xff\xfe{}",
    "no UTF-8 within": b'{"time":"\xff"}',
    "not a number": b'{"time":"2026-11-22T03:00:00Z","lon":NaN,"lat":1}',
    "infinity": b'{"time":"2026-11-22T03:00:00Z","lon":Infinity,"lat":1}',
    "a number beyond all": b'{"time":"2026-11-22T03:00:00Z","lon":1e999,"lat":1}',
    "an integer beyond all": b'{"time":"2026-11-22T03:00:00Z","lon":1' + b"0" * 5000 + b',"lat":1}',
    "deep array": b"[" * 200_000,
    "deep object": b'{"a":' * 200_000,
    "deep unknown member": b'{"time":"2026-11-22T03:00:00Z","lon":1,"lat":2,"x":'
    + b"[" * 100_000
    + b"]" * 100_000
    + b"}",
    "deep id": b'{"time":"2026-11-22T03:00:00Z","lon":1,"lat":2,"id":' + b"[" * 900 + b"]" * 900 + b"}",
    "trailing": b"{} {}",
    "cut short": payload()[:-1],
    "null": b"null",
    "text": b'"ping"',
    "10 MB of text": b'"' + b"x" * 10_000_000 + b'"',
    "10 MB of nothing": b" " * 10_000_000,
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_payload_is_refused_with_a_reason(data: bytes) -> None:
    """Whatever comes, the answer is a reason short enough to store."""
    assert 0 < len(refusal(data, "S-1")) < 300


def test_a_huge_buffer_is_read() -> None:
    """10 MB of good pings are pings."""
    data = b"[" + b",".join([payload()] * 140_000) + b"]"
    assert len(data) > 9_000_000
    assert len(decode(data).pings) == 140_000


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)
members = st.dictionaries(st.sampled_from([*NativePing.__struct_fields__, "other"]), json_values)


@given(
    st.binary()
    | st.builds(lambda value: json.dumps(value).encode(), members | st.lists(members | json_values))
)
@example(b'{"time":"2026-11-22T03:00:00Z","lon":1,"lat":2,"seq":99999999999999999999999999}')
def test_any_bytes_give_pings_and_faults_or_a_reason(data: bytes) -> None:
    """The law: nothing but DecodeError leaves, and every element is a ping or a fault."""
    try:
        decoded = decode(data, "S-1")
    except DecodeError:
        return
    parsed = json.loads(data)
    elements = parsed if isinstance(parsed, list) else [parsed]
    assert len(decoded.pings) + len(decoded.faults) == len(elements)


@given(st.lists(st.booleans(), max_size=20))
def test_good_elements_are_kept_whatever_stands_between(pattern: list[bool]) -> None:
    """The good pings of an array are those it has without its bad elements."""
    elements = [GOOD | {"seq": n} if good else {"time": "never"} for n, good in enumerate(pattern)]
    decoded = decode(json.dumps(elements).encode())
    assert [ping.seq for ping in decoded.pings] == [n for n, good in enumerate(pattern) if good]
    assert [fault.element for fault in decoded.faults] == [n for n, good in enumerate(pattern) if not good]
