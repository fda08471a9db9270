"""MQTT packets out of a byte stream: the same messages however the network cut it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seal_tracker.sources.errors import ProtocolError
from seal_tracker.sources.framing import RawMessage, puback, publish_packet, split_packets

Plain = tuple[str, bytes, int, bool, bool]


def length_of(count: int) -> bytes:
    out = bytearray()
    while True:
        count, low = count >> 7, count & 0x7F
        out.append(low | (0x80 if count else 0))
        if not count:
            return bytes(out)


def packet(message: Plain) -> bytes:
    topic, payload, mid, retain, duplicate = message
    name = topic.encode()
    body = len(name).to_bytes(2, "big") + name + (mid.to_bytes(2, "big") if mid else b"") + payload
    head = 0x30 | (0x02 if mid else 0) | (0x01 if retain else 0) | (0x08 if duplicate else 0)
    return bytes([head]) + length_of(len(body)) + body


def plain(message: RawMessage) -> Plain:
    return (message.topic, message.payload, message.mid, message.retain, message.duplicate)


messages = st.tuples(
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=20),
    st.binary(max_size=300),
    st.integers(0, 65_535),
    st.booleans(),
    st.booleans(),
)
ACKNOWLEDGED = b"\x40\x02\x12\x34"
others = st.sampled_from([b"\x20\x02\x00\x00", b"\xd0\x00", b"\x90\x03\x00\x01\x01", ACKNOWLEDGED])


@given(st.lists(messages | others, max_size=15), st.lists(st.integers(1, 400), max_size=30))
def test_cuts_do_not_show(stream: list[Plain | bytes], cuts: list[int]) -> None:
    """Packets come out whole and in order wherever reads end; packet ids that were acknowledged too; other packets go to the client library as they are."""
    data = b"".join(part if isinstance(part, bytes) else packet(part) for part in stream)
    buffer, got, rest, at, mids = bytearray(), [], b"", 0, []
    for size in [*cuts, len(data)]:
        buffer += data[at : at + size]
        at += size
        found = split_packets(buffer, 5)
        del buffer[: found.used]
        got += found.messages
        rest += found.others
        mids += found.acknowledged
    assert not buffer
    assert [plain(message) for message in got] == [part for part in stream if not isinstance(part, bytes)]
    assert rest == b"".join(part for part in stream if isinstance(part, bytes) and part != ACKNOWLEDGED)
    assert mids == [0x1234] * stream.count(ACKNOWLEDGED)
    assert all(message.received_ms == 5 for message in got)


@pytest.mark.parametrize("size", [0, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152])
def test_lengths_of_every_size_are_read(size: int) -> None:
    """One to four bytes of length, at both sides of each limit."""
    message: Plain = ("t", b"x" * size, 1, False, False)
    assert [plain(found) for found in split_packets(bytearray(packet(message)), 0).messages] == [message]


@pytest.mark.parametrize("data", [b"\x32\xff\xff\xff\xff\x01", b"\x32\x04\x00\x09ab", b"\x32\x03\x00\x01t"])
def test_what_is_no_mqtt_is_an_error(data: bytes) -> None:
    """A length without end, a topic longer than its packet, a packet id that is not there."""
    with pytest.raises(ProtocolError):
        split_packets(bytearray(data + b"\0" * 20), 0)


def test_acknowledgements_are_packets_in_a_row() -> None:
    """Four bytes each, as the standard has them: type, length two, packet id."""
    assert puback([1, 0x1234, 65_535]) == b"\x40\x02\x00\x01\x40\x02\x12\x34\x40\x02\xff\xff"


@pytest.mark.parametrize("size", [0, 121, 122, 16_383, 300_000])
def test_what_is_written_is_read_again(size: int) -> None:
    """A publish of any length comes back as it was given, whatever its length takes to say."""
    written = publish_packet("eseal/v1/demo/journey/Hải/state", b"x" * size, 65_535, retain=True)

    found = split_packets(bytearray(written), 5)

    assert [plain(m) for m in found.messages] == [
        ("eseal/v1/demo/journey/Hải/state", b"x" * size, 65_535, True, False)
    ]
    assert found.used == len(written)


def test_acknowledgements_are_told_apart_from_what_is_the_librarys() -> None:
    """Packet ids in order; a PINGRESP between them is left."""
    found = split_packets(bytearray(puback([7, 65_535]) + b"\xd0\x00" + puback([8])), 5)

    assert found.acknowledged == [7, 65_535, 8]
    assert found.others == b"\xd0\x00"


@pytest.mark.parametrize("topic", ["", "a/+", "#", "a\0b", "x" * 65_536])
def test_a_topic_that_nobody_may_publish_on_is_refused(topic: str) -> None:
    """It would end the connection, and all that is in flight on it."""
    with pytest.raises(ValueError, match="topic"):
        publish_packet(topic, b"", 1)
