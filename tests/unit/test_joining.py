"""Parts of a message that arrive one by one: joined, bounded, told when one is missing, and acknowledged only with their pings."""

from __future__ import annotations

import json
from collections import Counter
from functools import reduce
from operator import xor

from hypothesis import given, settings
from hypothesis import strategies as st

from seal_tracker.intake import SpaceIntake, take_in
from seal_tracker.joining import MAX_WAITING, WAIT_MS, Joining
from seal_tracker.sources.framing import RawMessage
from seal_tracker.sources.trace_ndjson import read_ndjson

NOW = 1_795_316_400_000
DEVICE = "013912345678"
REPORT = bytes.fromhex("0000000000000002013e5e30065bd38e000501b30080261122110000")
BATCH = b"\x00\x04\x01" + (b"\x00\x1c" + REPORT) * 4
"""Four reports of a blind area."""


def parts(total: int, serial: int = 20, kind: int = 0x0704, body: bytes = BATCH) -> list[bytes]:
    """A message as so many frames of JT/T 808."""
    size = -(-len(body) // total)
    frames = []
    for number in range(1, total + 1):
        piece = body[(number - 1) * size : number * size]
        head = kind.to_bytes(2, "big") + (len(piece) | 0x2000).to_bytes(2, "big") + bytes.fromhex(DEVICE)
        data = head + b"".join(n.to_bytes(2, "big") for n in (serial + number - 1, total, number)) + piece
        data += bytes([reduce(xor, data)])
        frames.append(b"~" + data.replace(b"}", b"}\x01").replace(b"~", b"}\x02") + b"~")
    return frames


def arrived(payload: bytes, mid: int = 1, at_ms: int = NOW, device: str = DEVICE) -> RawMessage:
    return RawMessage(f"eseal/v1/demo/raw/jt808/{device}", payload, mid, at_ms)


def read(ready: list[RawMessage], again: tuple[RawMessage, ...] = ()) -> SpaceIntake:
    return take_in(ready, tenant="demo", instance="main", known_spaces=("live",), again=again).of("live")


def test_parts_wait_for_their_others_and_are_acknowledged_together() -> None:
    """In any order, and what comes between is not held up."""
    joining = Joining()
    one, two, three = (arrived(frame, mid) for mid, frame in enumerate(parts(3), 1))
    other = RawMessage("eseal/v1/demo/dev/S-1/ping", b"{}", 9, NOW)
    assert joining.receive([three, one]) == ([], [], [], [])
    assert joining.receive([other]) == ([other], [other], [], [])
    ready, settled, *_ = joining.receive([two])
    assert settled == [three, one, two]
    into = read(ready)
    assert [ping.seq for ping in into.pings] == [20] * 4
    assert (into.dead_letters, joining.held) == ([], 0)


def test_a_part_that_does_not_come_is_named_and_its_others_are_kept() -> None:
    """After a minute; the reports that are whole before the gap are read."""
    joining = Joining()
    frames = parts(6)
    joining.receive([arrived(frames[0], 1), arrived(frames[1], 2), arrived(frames[4], 3, NOW + 5)])
    tick = RawMessage("eseal/v1/demo/svc/main/ping", b"{}", 8, NOW + WAIT_MS - 1)
    assert joining.receive([tick]).ready == [tick]
    tick.received_ms += 1
    ready, settled, *_ = joining.receive([tick])
    assert [message.mid for message in settled] == [8, 1, 2, 3]
    into = read([message for message in ready if message is not tick])
    (letter,) = into.dead_letters
    assert letter.payload == frames[0] + frames[1] + frames[4]
    assert letter.reason == "byte 13: parts 1, 2, 5 of 6 of message 0x0704: parts 3, 4, 6 did not come"
    assert len(into.pings) == 1


def test_a_part_that_comes_twice_is_one() -> None:
    """While it waits and after: every delivery is acknowledged, nothing is read twice, and what came again is counted."""
    joining = Joining()
    first, second = parts(2)
    ready, settled, again, _ = joining.receive([arrived(first, 1), arrived(first, 2), arrived(second, 3)])
    assert ([len(ready), len(settled), len(again)], joining.held) == ([1, 3, 0], 0)
    ready, settled, again, _ = joining.receive([arrived(second, 4)])
    assert ([*ready], [m.mid for m in settled]) == ([], [4])
    assert read([*ready], tuple(again)).counts == {"frame_part_again": 1}


def test_a_device_that_begins_anew_with_the_same_number_loses_nothing() -> None:
    joining = Joining()
    old, new = parts(2), parts(2, body=BATCH[:-6] + b"\x27" + BATCH[-5:])
    ready, *_ = joining.receive([arrived(old[1], 1), arrived(new[1], 2), arrived(new[0], 3)])
    into = read([*ready])
    assert (len(into.pings), [letter.payload for letter in into.dead_letters]) == (4, [old[1]])


def test_devices_are_kept_apart() -> None:
    joining = Joining()
    first, second = parts(2)
    assert joining.receive([arrived(first), arrived(second, device="13912345678")]).ready == []
    assert joining.held == 2


def test_a_device_may_go_on_by_another_gateway() -> None:
    joining = Joining()
    first, second = (arrived(frame) for frame in parts(2))
    first.topic = first.topic.replace("jt808", "jt808@gw-1")
    assert len(joining.receive([first, second]).ready) == 1


def test_what_waits_is_bounded_and_who_sends_most_pays_for_it() -> None:
    """The other device's part still waits for its rest."""
    joining = Joining()
    first, second = parts(2)
    joining.receive([arrived(first, device="13912345678")])
    flood = [arrived(parts(2, serial=20 + n)[0], mid=n) for n in range(2 * MAX_WAITING)]
    given_up, settled, *_ = joining.receive(flood)
    assert joining.held == MAX_WAITING
    assert [m.mid for m in settled] == [*range(len(given_up))] == [*range(MAX_WAITING + 1)]
    assert len(read([*joining.receive([arrived(second, device="13912345678")]).ready]).pings) == 4


def test_parts_that_hold_nothing_to_store_do_not_wait() -> None:
    """A photo's hundred parts are counted one by one."""
    joining = Joining()
    ready, *_ = joining.receive([arrived(parts(3, kind=0x0801)[1])])
    assert read([*ready]).counts == {"frame_holds_no_ping": 1}


def test_a_recording_is_joined_as_what_arrives() -> None:
    first, second, third = parts(3)
    rows = [(first, 0), (third, 5), (second, 9), (parts(2, serial=70)[1], 10)]
    lines = [
        {
            "topic": f"eseal/v1/demo/raw/jt808/{DEVICE}",
            "payload_hex": frame.hex(),
            "received": f"2026-11-22T03:00:{s:02}Z",
        }
        for frame, s in rows
    ]
    found = read_ndjson([json.dumps(line).encode() for line in lines], "t")
    assert (found.read, len(found.seal), found.seals) == (4, 4, (DEVICE,))
    assert [(fault.line, fault.reason.partition(": ")[2]) for fault in found.faults] == [
        (4, "part 2 of 2 of message 0x0704: part 1 did not come")
    ]


MESSAGES = {serial: parts(total, serial=serial) for serial, total in ((10, 2), (40, 3), (90, 5))}
OTHER = b"no frame"
DELIVERIES = st.sampled_from([*(frame for frames in MESSAGES.values() for frame in frames), OTHER])
STEPS = st.lists(
    st.tuples(st.lists(DELIVERIES, max_size=6), st.sampled_from([0, 1, WAIT_MS // 2, WAIT_MS])), max_size=12
)


@settings(max_examples=60, deadline=None)
@given(steps=STEPS)
def test_every_delivery_is_acknowledged_once_and_none_is_lost(
    steps: list[tuple[list[bytes], int]],
) -> None:
    """Every delivery's bytes are in what was read, or it came again; each message is read no more often than it was whole."""
    joining, now_ms = Joining(), NOW
    sent, settled, read, again = [], [], [], []
    for frames, pause_ms in [*steps, ([OTHER], WAIT_MS)]:
        now_ms += pause_ms
        batch = [arrived(frame, mid=len(sent) + n, at_ms=now_ms) for n, frame in enumerate(frames)]
        sent += batch
        joined = joining.receive(batch)
        settled += joined.settled
        read += joined.ready
        again += joined.again
        assert joining.held <= MAX_WAITING
        assert joining.held == len(sent) - len(settled)
    assert Counter(map(id, settled)) == Counter(map(id, sent))
    assert joining.held == 0
    for message in sent:
        assert any(message.payload in one.payload for one in (*read, *again))
    for frames in MESSAGES.values():
        whole = sum(one.payload == b"".join(frames) for one in read)
        assert whole <= min(Counter(message.payload for message in sent)[frame] for frame in frames)


def test_what_was_read_before_a_restart_is_known_after_it() -> None:
    """By what whoever joins has kept; a part with other bytes, or another device's, is none of those."""
    first, second = (arrived(frame) for frame in parts(2))
    joined = Joining().receive([first, second])
    after = Joining(joined.read)
    assert len(joined.read) == 2
    assert after.receive([second]).again == [second]
    assert after.held == 0
    other = arrived(second.payload, device="013912345679")
    assert after.receive([other]).again == []
    assert after.held == 1
