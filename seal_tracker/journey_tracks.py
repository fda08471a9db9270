"""The tracks of a journey's devices out of the store: what of their pings is left, and from when on.

Safe to call at any time; the store is only read. Pings come in portions, so what is held is one device's time on the journey.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Protocol

from seal_tracker.model import PingBatch
from seal_tracker.plans.model import Journey
from seal_tracker.replaying import FOREVER_MS, PORTION_PINGS
from seal_tracker.store.records import Portion
from seal_tracker.tracks import DeviceTrack, accepted_pings

__all__ = ["TrackStore", "read_tracks"]


class TrackStore(Protocol):
    """What is read."""

    async def pings_portion(  # noqa: D102
        self, seals: Sequence[int], after_ms: Sequence[int], until_ms: Sequence[int], most: int
    ) -> Portion: ...
    async def pings_gone(self, seals: Sequence[int]) -> dict[int, int]: ...  # noqa: D102


async def read_tracks(
    store: TrackStore, numbers: Mapping[str, int], journey: Journey
) -> Sequence[DeviceTrack]:
    """The track of each device of a journey while it was armed; devices that are not among ``numbers`` never said anything."""
    found = []
    for device, role, _, from_ms, to_ms in journey.served:
        if device not in numbers:
            continue
        until_ms = FOREVER_MS if to_ms is None else to_ms - 1
        pings = await _pings(store, numbers[device], from_ms - 1, until_ms)
        gone_ms = (await store.pings_gone([numbers[device]])).get(
            numbers[device]
        )  # after: some may just have gone
        if gone_ms is not None:
            gone_ms = None if gone_ms < from_ms else min(gone_ms, until_ms)
        track = await asyncio.to_thread(accepted_pings, pings)
        found.append(DeviceTrack(device, role, track, gone_ms))
    return found


async def _pings(store: TrackStore, seal: int, after_ms: int, until_ms: int) -> PingBatch:
    """A seal's pings in (after, until], read in portions."""
    parts = []
    while True:
        portion = await store.pings_portion([seal], [after_ms], [until_ms], PORTION_PINGS)
        parts.append(portion.pings)
        (after_ms,) = portion.through_ms
        if after_ms >= until_ms:
            return PingBatch.concat(parts)
