"""Which devices are compared with which: all pairs of a space's journeys, as columns. Pure, immutable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from seal_tracker.journey import Journey
from seal_tracker.rules.catalog import PAIR_RULES
from seal_tracker.rules.pairs import Pair

__all__ = ["UNKNOWN", "PairTable"]

I8 = NDArray[np.int64]

UNKNOWN = -1
"""Number of a device that was never heard of."""


@dataclass(frozen=True)
class PairTable:
    """All pairs, grouped by rule in the order of the rules.

    ``lead``, ``other`` int64[P] device numbers; ``rule`` int64[P] the rule's position; ``from_ms``, ``to_ms`` int64[P].
    """

    pairs: tuple[Pair, ...]
    rule: I8
    lead: I8
    other: I8
    from_ms: I8
    to_ms: I8

    @classmethod
    def build(cls, journeys: Sequence[Journey], names: Mapping[int, str]) -> PairTable:
        """``names`` of devices heard of, by number; a journey given twice counts once.

        A journey of one device without a permit, as nearly all are, is compared with nothing, and no rule is asked about it.
        """
        told = (j for j in journeys if len(j.devices) > 1 or j.permit is not None or j.transfers)
        journeys = list({journey.id: journey for journey in told}.values())
        found = [(i, pair) for i, rule in enumerate(PAIR_RULES) for pair in rule.pairs(journeys)]
        pairs = tuple(pair for _, pair in found)
        devices = {device for pair in pairs for device in (pair.lead, pair.other)}
        numbers = {name: number for number, name in names.items() if name in devices} if devices else {}
        return cls(
            pairs=pairs,
            rule=np.array([i for i, _ in found], np.int64),
            lead=np.array([numbers.get(p.lead, UNKNOWN) for p in pairs], np.int64),
            other=np.array([numbers.get(p.other, UNKNOWN) for p in pairs], np.int64),
            from_ms=np.array([p.from_ms for p in pairs], np.int64),
            to_ms=np.array([p.to_ms for p in pairs], np.int64),
        )

    def __len__(self) -> int:
        return len(self.pairs)

    @cached_property
    def devices(self) -> I8:
        """Numbers of all devices compared, ascending."""
        devices: I8 = np.unique(np.concatenate([self.lead, self.other]))
        known: I8 = devices[devices != UNKNOWN]
        return known

    @cached_property
    def of_journey(self) -> dict[str, tuple[int, ...]]:
        """The pairs that each journey's episodes come from."""
        found: dict[str, list[int]] = {}
        for i, pair in enumerate(self.pairs):
            found.setdefault(pair.journey, []).append(i)
        return {journey: tuple(of) for journey, of in found.items()}

    def touching(self, devices: I8) -> NDArray[np.bool_]:
        """bool[P], the pairs that one of some devices belongs to."""
        touched: NDArray[np.bool_] = np.isin(self.lead, devices) | np.isin(self.other, devices)
        return touched
