"""By which way a seal is heard: what it says last, where that is a name, and no more often than it changes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from seal_tracker.decoders.native import decode
from seal_tracker.ways import Way, Ways, way_of

PING = {"time": datetime(2026, 11, 22, tzinfo=UTC), "lon": 106.7, "lat": 20.9}


def said(**members: Any) -> Any:
    """A ping that says so, decoded."""
    [ping] = decode(msgspec.json.encode(PING | members)).pings
    return ping


@pytest.mark.parametrize(
    ("members", "way"),
    [
        ({"gateway": "gw-1", "cell": {"carrier": "452-04"}}, Way("452-04", "gw-1")),
        ({"cell": {"rssi_dbm": -71}}, Way()),
        ({"gateway": 7, "cell": {"carrier": ["x"]}}, Way()),
        ({"gateway": "a gateway", "cell": {"carrier": "x" * 65}}, Way()),
        ({}, Way()),
    ],
)
def test_a_way_is_read_where_it_is_a_name_and_never_costs_a_ping(members: Any, way: Way) -> None:
    """A rope cut is not lost because firmware calls its gateway by a number."""
    assert way_of(said(**members)) == way


def test_only_what_has_changed_is_news() -> None:
    """The last ping that says a way counts; what comes from a buffer tells of another day."""
    ways, one, other = Ways(), said(gateway="gw-1"), said(gateway="gw-2")
    ways.load("live", {})
    ways.load("drill", {"B": Way(None, "gw-2")})
    assert ways.news("live", [one, said()], ["A", "B"]) == {"A": (None, "gw-1")}
    assert ways.news("live", [other, one], ["A", "A"]) == {"A": (None, "gw-1")}
    ways.remember("live", {"A": Way(None, "gw-1")})
    assert ways.news("live", [one, said(gateway="gw-2", buffered=True)], ["A", "A"]) == {}
    assert ways.news("drill", [one, other], ["A", "B"]) == {"A": (None, "gw-1")}
    assert ways.news("live", [other], ["A"]) == {"A": (None, "gw-2")}
