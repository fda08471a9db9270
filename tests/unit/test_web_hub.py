"""The hub between the pipeline and everyone who watches."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from seal_tracker.model import LIVE
from seal_tracker.web.cursors import EventCursor, decode_cursor
from seal_tracker.web.sse import Hub, event_frame
from seal_tracker.web.wire import PositionRow


def event(sequence: int) -> tuple[int, bytes]:
    return sequence, b'{"sequence":"%d"}' % sequence


def row(seal: str, time_ms: int = 0) -> PositionRow:
    return PositionRow(seal=seal, time_ms=time_ms)


def data_of(frame: bytes) -> dict:
    return msgspec.json.decode(frame.split(b"data: ", 1)[1])


async def settle() -> None:
    for _ in range(3):
        await asyncio.sleep(0.01)


@pytest.fixture
async def hub():
    hub = Hub(position_interval_s=0.001, queue_limit=10)
    yield hub
    hub.close()


def test_an_event_is_framed_with_its_cursor_and_its_body():
    """The id is what ``Last-Event-ID`` brings back."""
    lines = event_frame(17, b'{"a":1}').decode().split("\n")
    assert lines[1:] == ["event: event", 'data: {"a":1}', "", ""]
    assert decode_cursor(lines[0].removeprefix("id: "), EventCursor) == EventCursor(17)


def test_a_line_break_in_a_body_cannot_break_the_frame():
    """Each line of a body is a data line."""
    assert b"\ndata: {\ndata: }\n\n" in event_frame(1, b"{\n}")


async def test_events_reach_every_client_of_the_space_and_no_other(hub):
    """Spaces do not mix."""
    with hub.subscribe(LIVE) as one, hub.subscribe(LIVE) as two, hub.subscribe("exercise") as other:
        hub.publish_events(LIVE, [event(1), event(2)])
        assert [s for s, _ in one.take_events()] == [1, 2] == [s for s, _ in two.take_events()]
        assert other.take_events() == []


async def test_a_client_that_falls_behind_is_told_to_read_the_database(hub):
    """Its queue is emptied, nothing more is kept for it, and the others are not touched."""
    with hub.subscribe(LIVE) as slow, hub.subscribe(LIVE) as quick:
        for sequence in range(1, 21):
            hub.publish_events(LIVE, [event(sequence)])
            assert [s for s, _ in quick.take_events()] == [sequence]
        assert slow.behind
        assert slow.take_events() == []
        slow.caught_up_from_here()
        hub.publish_events(LIVE, [event(21)])
        assert [s for s, _ in slow.take_events()] == [21]
        assert not slow.behind


async def test_a_commit_larger_than_the_queue_puts_its_clients_behind(hub):
    """Rather than growing without bound."""
    with hub.subscribe(LIVE) as client:
        hub.publish_events(LIVE, [event(sequence) for sequence in range(1, 12)])
        assert client.behind


async def test_of_several_positions_of_a_seal_the_newest_is_sent(hub):
    """Coalesced per seal."""
    with hub.subscribe(LIVE) as client:
        hub.publish_positions(LIVE, [row("A", 1), row("B", 1)])
        hub.publish_positions(LIVE, [row("A", 2)])
        await settle()
        times = {
            item["seal"]: item["time"] for frame in client.take_states() for item in data_of(frame)["items"]
        }
        assert {seal: time[-6:] for seal, time in times.items()} == {"A": "0.002Z", "B": "0.001Z"}
        assert client.take_states() == []


async def test_a_client_that_keeps_up_gets_changes_only(hub):
    """Not the whole fleet each second."""
    with hub.subscribe(LIVE) as client:
        hub.publish_positions(LIVE, [row("A"), row("B")])
        await settle()
        client.take_states()
        hub.publish_positions(LIVE, [row("B")])
        await settle()
        (frame,) = client.take_states()
        assert [item["seal"] for item in data_of(frame)["items"]] == ["B"]
        assert data_of(frame)["whole"] is False


async def test_a_client_that_missed_frames_gets_the_whole_state_once(hub):
    """It loses old positions, never the newest of any seal."""
    with hub.subscribe(LIVE) as client:
        for time_ms in (1, 2, 3):
            hub.publish_positions(LIVE, [row("A", time_ms), row(f"only-{time_ms}", time_ms)])
            await settle()
        (frame,) = client.take_states()
        times = {item["seal"]: item["time"] for item in data_of(frame)["items"]}
        assert data_of(frame)["whole"] is True
        assert set(times) == {"A", "only-1", "only-2", "only-3"}
        assert times["A"].endswith("00.003Z")


async def test_one_frame_is_encoded_for_all_clients(hub):
    """The very same bytes object."""
    with hub.subscribe(LIVE) as one, hub.subscribe(LIVE) as two:
        hub.publish_positions(LIVE, [row("A")])
        hub.publish_events(LIVE, [event(1)])
        await settle()
        assert one.take_states()[0] is two.take_states()[0]
        assert one.take_events()[0][1] is two.take_events()[0][1]


async def test_positions_go_out_at_most_once_an_interval():
    """However often they come in."""
    hub = Hub(position_interval_s=30.0)
    with hub.subscribe(LIVE) as client:
        hub.publish_positions(LIVE, [row("A", 1)])
        await settle()
        assert len(client.take_states()) == 1
        for time_ms in range(2, 50):
            hub.publish_positions(LIVE, [row("A", time_ms)])
            await asyncio.sleep(0)
        assert client.take_states() == []
    hub.close()


async def test_nothing_new_makes_no_frame(hub):
    """A round in which no seal moved is not sent."""
    with hub.subscribe(LIVE) as client:
        hub.publish_positions(LIVE, [])
        hub.publish_journeys(LIVE, {})
        await settle()
        assert client.take_states() == []
        assert not await client.wait(0.01)


async def test_who_comes_back_after_a_restart_learns_that_no_alarm_is_left(hub):
    """Were it nothing at all that is open: what he shows would stay for ever."""
    with hub.subscribe(LIVE) as early:
        assert early.take_states() == []
        hub.publish_alarms(LIVE, {})
        await settle()
        with hub.subscribe(LIVE) as late:
            for client in (early, late):
                (frame,) = client.take_states()
                assert data_of(frame) == {"items": [], "whole": True}
        hub.publish_alarms(LIVE, {})
        await settle()
        assert early.take_states() == []


async def test_a_large_frame_is_several_messages(hub):
    """The first says that it is whole, each but the last that there is more, and together they tell everything once."""
    with hub.subscribe(LIVE) as client:
        hub.publish_positions(LIVE, [row(f"S{n}") for n in range(1201)])
        await settle()
        client.take_states()
    with hub.subscribe(LIVE) as late:
        (frame,) = late.take_states()
    messages = [data_of(b"event" + message) for message in frame.split(b"event")[1:]]
    assert [len(message["items"]) for message in messages] == [500, 500, 201]
    assert [message["whole"] for message in messages] == [True, False, False]
    assert [message.get("more", False) for message in messages] == [True, True, False]
    assert len({item["seal"] for message in messages for item in message["items"]}) == 1201


async def test_an_alarm_that_is_gone_is_said_to_be_gone(hub):
    """By name to who keeps up; by its absence from the whole to who comes later."""
    with hub.subscribe(LIVE) as client:
        hub.publish_alarms(LIVE, {"1": {"id": "1"}, "2": {"id": "2"}})
        await settle()
        client.take_states()
        hub.publish_alarms(LIVE, {"1": None})
        await settle()
        (frame,) = client.take_states()
        assert frame.startswith(b"event: alarm\n")
        assert data_of(frame) == {"items": [], "whole": False, "gone": ["1"]}
    with hub.subscribe(LIVE) as later:
        (frame,) = later.take_states()
        assert data_of(frame) == {"items": [{"id": "2"}], "whole": True}


async def test_a_client_of_a_unit_is_told_what_is_its_own(hub):
    """Events, positions, alarms, journeys and commands of other units, and of none, never reach it; nor does it wake for them."""
    rows = [
        PositionRow(seal=name, time_ms=0, unit=unit) for name, unit in (("A", "u1"), ("B", "u2"), ("C", None))
    ]
    with hub.subscribe(LIVE, frozenset({"u1"})) as client, hub.subscribe(LIVE) as everyone:
        hub.publish_events(LIVE, [event(1), event(2), event(3)], [("u1",), ("u2",), (None,)])
        hub.publish_positions(LIVE, rows)
        hub.publish_alarms(LIVE, {"1": {"id": "1"}, "2": {"id": "2"}}, {"1": ("u2", "u1"), "2": ("u2",)})
        hub.publish_journeys(LIVE, {"J1": {"id": "J1"}, "J2": {"id": "J2"}}, {"J1": ("u1",)})
        hub.publish_commands(LIVE, {"C1": {"id": "C1"}, "C2": {"id": "C2"}}, {"C1": ("u1",), "C2": ("u2",)})
        await settle()
        assert [sequence for sequence, _ in client.take_events()] == [1]
        assert [sequence for sequence, _ in everyone.take_events()] == [1, 2, 3]
        said = [data_of(frame)["items"] for frame in client.take_states()]
        assert [[item.get("seal") or item["id"] for item in items] for items in said] == [
            ["A"],
            ["1"],
            ["J1"],
            ["C1"],
        ]
        assert [len(data_of(frame)["items"]) for frame in everyone.take_states()] == [3, 2, 2, 2]
        await client.wait(0.001)
        hub.publish_events(LIVE, [event(4)], [("u2",)])
        assert not await client.wait(0.01)


async def test_what_goes_to_another_unit_is_gone_for_the_first(hub):
    """And what was never its own is not even said to be gone."""
    with hub.subscribe(LIVE, frozenset({"u1"})) as first, hub.subscribe(LIVE, frozenset({"u2"})) as second:
        hub.publish_alarms(LIVE, {"1": {"id": "1"}, "2": {"id": "2"}}, {"1": ("u1",), "2": ("u2",)})
        await settle()
        first.take_states(), second.take_states()
        hub.publish_alarms(LIVE, {"1": {"id": "1"}, "2": None}, {"1": ("u2",)})
        await settle()
        (frame,) = first.take_states()
        assert data_of(frame) == {"items": [], "whole": False, "gone": ["1"]}
        (frame,) = second.take_states()
        assert data_of(frame) == {"items": [{"id": "1"}], "whole": False, "gone": ["2"]}


async def test_a_flood_of_other_units_does_not_make_a_client_fall_behind(hub):
    """Its queue holds its own events alone."""
    with hub.subscribe(LIVE, frozenset({"u1"})) as client:
        for sequence in range(1, 100):
            hub.publish_events(LIVE, [event(sequence)], [("u2",)])
        hub.publish_events(LIVE, [event(100)], [("u1",)])
        assert not client.behind
        assert [sequence for sequence, _ in client.take_events()] == [100]


async def test_who_waits_is_woken_and_who_leaves_is_forgotten(hub):
    """No polling, no leak."""
    with hub.subscribe(LIVE) as client:
        waiting = asyncio.create_task(client.wait(20))
        await settle()
        hub.publish_events(LIVE, [event(1)])
        assert await waiting
        assert not await client.wait(0.01)
        assert hub.watchers == 1
    assert hub.watchers == 0


async def test_closing_ends_every_subscription_those_to_come_too(hub):
    """At shutdown nobody waits for a heartbeat."""
    with hub.subscribe(LIVE) as client:
        waiting = asyncio.create_task(client.wait(20))
        await settle()
        hub.close()
        assert await waiting
        assert client.closed
        assert hub.subscribe(LIVE).closed
        hub.publish_positions(LIVE, [row("A")])
