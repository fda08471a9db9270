"""Cameras, scanners and readers among the devices: which numbers are theirs, and how often they must be heard of. Pure.

A heartbeat is a ping without position of the device `device_name`: so it is deduplicated, stored, checkpointed and
judged again as any other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seal_tracker.model import EQUIPMENT_PREFIX
from seal_tracker.plans.model import Equipment, Plan

__all__ = ["Heartbeats", "device_name", "heartbeats_of"]


def device_name(equipment: str) -> str:
    """What a piece of equipment is called among the devices of a space."""
    return EQUIPMENT_PREFIX + equipment


@dataclass(frozen=True, slots=True)
class Heartbeats:
    """The equipment of one plan version: ``number`` int64[E] ascending, ``every_ms`` int64[E], ``unit`` by number."""

    number: NDArray[np.int64]
    every_ms: NDArray[np.int64]
    unit: Mapping[int, str | None]

    @classmethod
    def of(cls, equipment: Iterable[Equipment], numbers: Mapping[str, int]) -> Heartbeats:
        """Equipment whose name has no number is left out."""
        known = sorted((numbers[device_name(e.id)], e) for e in equipment if device_name(e.id) in numbers)
        return cls(
            np.array([n for n, _ in known], np.int64),
            np.array([round(e.heartbeat_s * 1000) for _, e in known], np.int64),
            {n: e.unit for n, e in known},
        )

    def due_ms(self, device: NDArray[np.int64]) -> NDArray[np.int64]:
        """How often devices, by number, must be heard of; 0 for those that are no equipment of this version."""
        if not len(self.number):
            return np.zeros(len(device), np.int64)
        at = np.minimum(np.searchsorted(self.number, device), len(self.number) - 1)
        return np.where(self.number[at] == device, self.every_ms[at], 0)


def heartbeats_of(plans: Iterable[tuple[int, Plan]], numbers: Mapping[str, int]) -> Mapping[int, Heartbeats]:
    """The equipment of each plan version by when that begins to hold; empty where no version has any."""
    made = {from_ms: Heartbeats.of(plan.equipment, numbers) for from_ms, plan in plans}
    return made if any(len(one.number) for one in made.values()) else {}
