"""Cameras, scanners and readers among the devices: which numbers are theirs, and how often they must be heard of. Pure.

A heartbeat is a ping without position of the device `device_name`: so it is deduplicated, stored, checkpointed and
judged again as any other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seal_tracker.model import EQUIPMENT_PREFIX, NO_TIME
from seal_tracker.plans.model import Equipment, Plan

__all__ = ["Heartbeats", "device_name", "heartbeats_of"]


def device_name(equipment: str) -> str:
    """What a piece of equipment is called among the devices of a space."""
    return EQUIPMENT_PREFIX + equipment


@dataclass(frozen=True, slots=True)
class Heartbeats:
    """The equipment of one plan version: ``number`` int64[E] ascending, ``every_ms`` int64[E]; by number, its ``unit`` and
    ``place_e7``, the (longitude, latitude) where it stands.

    ``watched_from_ms`` is when the version began to hold; of one that always held when it was recorded, if that is known.
    """

    number: NDArray[np.int64]
    every_ms: NDArray[np.int64]
    unit: Mapping[int, str | None]
    place_e7: Mapping[int, tuple[int, int]]
    watched_from_ms: int

    @classmethod
    def of(
        cls, equipment: Iterable[Equipment], numbers: Mapping[str, int], watched_from_ms: int = NO_TIME
    ) -> Heartbeats:
        """Equipment whose name has no number is left out."""
        known = sorted((numbers[device_name(e.id)], e) for e in equipment if device_name(e.id) in numbers)
        return cls(
            np.array([n for n, _ in known], np.int64),
            np.array([round(e.heartbeat_s * 1000) for _, e in known], np.int64),
            {n: e.unit for n, e in known},
            {n: (round(e.lon_deg * 1e7), round(e.lat_deg * 1e7)) for n, e in known},
            watched_from_ms,
        )

    def due_ms(self, device: NDArray[np.int64]) -> NDArray[np.int64]:
        """How often devices, by number, must be heard of; 0 for those that are no equipment of this version."""
        if not len(self.number):
            return np.zeros(len(device), np.int64)
        at = np.minimum(np.searchsorted(self.number, device), len(self.number) - 1)
        return np.where(self.number[at] == device, self.every_ms[at], 0)


def heartbeats_of(plans: Iterable[tuple[int, Plan]], numbers: Mapping[str, int]) -> Mapping[int, Heartbeats]:
    """The equipment of each plan version by when that begins to hold; empty where no version has any."""
    made = {
        from_ms: Heartbeats.of(plan.equipment, numbers, _begins_ms(from_ms, plan)) for from_ms, plan in plans
    }
    return made if any(len(one.number) for one in made.values()) else {}


def _begins_ms(from_ms: int, plan: Plan) -> int:
    return plan.recorded_ms if from_ms == NO_TIME and plan.recorded_ms is not None else from_ms
