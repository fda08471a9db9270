"""How messages that have been read are handed on: bounded in number and in bytes, in order, none left behind."""

from __future__ import annotations

import pytest

from seal_tracker.sources.framing import RawMessage
from seal_tracker.sources.mqtt import MAX_BATCH_BYTES, Broker, MqttSource


async def batches(sizes: list[int], max_messages: int) -> list[list[int]]:
    """Payload sizes of each batch, of messages of these sizes that have all been read."""
    source = MqttSource(Broker("127.0.0.1", 1), "test", ["#"], clock_ms=lambda: 0)
    source.received([RawMessage("t", bytes(size), mid, 0) for mid, size in enumerate(sizes, 1)])
    source.finish()
    found = [[len(message.payload) for message in batch] async for batch in source.batches(max_messages)]
    assert source.queued == 0
    assert [size for batch in found for size in batch] == sizes
    return found


HALF = MAX_BATCH_BYTES // 2


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([10] * 7, [[10] * 3, [10] * 3, [10]]),
        ([HALF, HALF, 1], [[HALF, HALF], [1]]),
        ([1, MAX_BATCH_BYTES, 1], [[1], [MAX_BATCH_BYTES], [1]]),
        ([MAX_BATCH_BYTES + 1, 5], [[MAX_BATCH_BYTES + 1], [5]]),
    ],
    ids=["short ones", "as many bytes as fit", "a long one between", "one beyond the bound"],
)
async def test_a_batch_is_bounded_in_messages_and_in_bytes(
    sizes: list[int], expected: list[list[int]]
) -> None:
    """Judging a batch takes memory by the ping, and one message may hold thousands; yet none waits for ever."""
    assert await batches(sizes, 3) == expected
