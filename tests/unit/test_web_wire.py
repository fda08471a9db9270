"""What goes out over HTTP: units, cursors, problems, the content security policy."""

from __future__ import annotations

import base64

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seal_tracker.model import Lock
from seal_tracker.web.context import WebConfig
from seal_tracker.web.cursors import EventCursor, NameCursor, decode_cursor, encode_cursor
from seal_tracker.web.errors import CursorError, encode_problem
from seal_tracker.web.middlewares import content_security_policy
from seal_tracker.web.wire import PositionRow, seal_item


def test_a_position_is_told_in_outer_units():
    """Degrees with at most seven decimals, words for the lock, null for what is unknown."""
    row = PositionRow(
        seal="S1",
        time_ms=1795316400000,
        lon_e7=np.int32(1066812345),
        lat_e7=np.int32(208645601),
        speed_kmh=np.float32(43.5),
        course_deg=float("nan"),
        lock=Lock.CUT,
        battery_pct=float("inf"),
    )
    said = msgspec.json.decode(msgspec.json.encode(seal_item(row)))
    assert (said["lon"], said["lat"], said["speed_kmh"], said["lock"]) == (
        106.6812345,
        20.8645601,
        43.5,
        "cut",
    )
    assert said["course_deg"] is None
    assert said["battery_pct"] is None
    assert said["journey"] is None


def test_a_seal_without_a_fix_has_no_position():
    """Null island is not where it is."""
    item = seal_item(PositionRow(seal="S1", time_ms=0))
    assert (item.lon, item.lat) == (None, None)


@given(st.integers(0, 2**63 - 1))
def test_a_cursor_comes_back_as_it_was(sequence):
    """For every sequence there can be; and it fits an address as it is."""
    text = encode_cursor(EventCursor(sequence))
    assert text.replace("-", "").replace("_", "").isalnum()
    assert decode_cursor(text, EventCursor) == EventCursor(sequence)


@given(
    st.one_of(
        st.text(max_size=40), st.binary(max_size=40).map(lambda b: base64.urlsafe_b64encode(b).decode())
    )
)
def test_what_is_no_cursor_is_refused_as_such(text):
    """Whatever it is, and never with another exception."""
    with pytest.raises(CursorError):
        decode_cursor(text, EventCursor)


@pytest.mark.parametrize(
    "content",
    [
        b'["event1",-1]',
        b'["event1",9223372036854775808]',
        b'["event2",1]',
        b'["event1",1,2]',
        b'["event1"]',
        b'["name1","a\\n"]',
    ],
)
def test_a_cursor_out_of_range_or_of_another_version_is_refused(content):
    """So that a number PostgreSQL cannot hold never reaches it."""
    with pytest.raises(CursorError):
        decode_cursor(base64.urlsafe_b64encode(content).decode().rstrip("="), EventCursor)


def test_a_cursor_of_one_list_is_refused_by_another():
    """A name is no sequence."""
    with pytest.raises(CursorError):
        decode_cursor(encode_cursor(NameCursor("S1")), EventCursor)


def test_a_problem_can_quote_what_is_not_text():
    """A lone surrogate, which JSON and addresses let through, is escaped."""
    body = msgspec.json.decode(encode_problem(400, "bad \ud800", "/x\udfff", field="\ud800"))
    assert (body["detail"], body["instance"], body["field"]) == ("bad \\ud800", "/x\\udfff", "\\ud800")
    assert (body["type"], body["title"], body["status"]) == ("about:blank", "Bad Request", 400)


@pytest.mark.parametrize(
    ("tile_url", "origin"),
    [
        (None, ""),
        ("https://tiles.example:8443/{z}/{x}/{y}.png?key=1", " https://tiles.example:8443"),
        ("/tiles/{z}/{x}/{y}.png", ""),
    ],
)
def test_the_policy_lets_tiles_come_from_where_the_configuration_says_and_nothing_else(tile_url, origin):
    """No inline script, no other host."""
    policy = content_security_policy(WebConfig(tenant="t", version="1", tile_url=tile_url))
    assert f"img-src 'self' data: blob:{origin};" in policy
    assert f"connect-src 'self'{origin};" in policy
    assert "unsafe" not in policy
    assert policy.startswith("default-src 'self';")
