"""Leave to unlock: which moments of which seals a person has authorised, and in which zone. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geofences.masks import some
from seal_tracker.journey import Authorisation, Journey

__all__ = ["ANYWHERE", "NOWHERE", "Authorisations"]

I8 = NDArray[np.int64]

ANYWHERE, NOWHERE = -1, -2
"""In place of a zone's index: the authorisation names no zone, or one that this plan version does not have."""


@dataclass(frozen=True, slots=True)
class Authorisations:
    """What allows the seals of a pass to be unlocked; looked up only for those that say they are open.

    Attributes
    ----------
    some
        bool by row, whether its journey has any.
    journey_of
        the journey of a row that has some.
    zone_index
        zone index of each zone id of the plan version in force.
    """

    some: NDArray[np.bool_]
    journey_of: Callable[[int], Journey]
    zone_index: Mapping[str, int]

    def until_ms(self, row: I8, time_ms: I8) -> I8:
        """When the last of the authorisations [from, to) over each moment (row, time) ends; 0 where there is none."""
        until = np.zeros(len(row), np.int64)
        moment, _, to_ms = self._over(row, time_ms)
        np.maximum.at(until, moment, to_ms)
        return until

    def covering(self, row: I8, time_ms: I8) -> tuple[I8, I8]:
        """Every pair of a moment (row, time) and an authorisation over it.

        Returns
        -------
        moment, zone
            int64[k], ascending in moment; a zone's index, `ANYWHERE` or `NOWHERE`.
        """
        moment, zone, _ = self._over(row, time_ms)
        return moment, zone

    def _over(self, row: I8, time_ms: I8) -> tuple[I8, I8, I8]:
        """Every pair of a moment and an authorisation over it: the moment, the zone, when the authorisation ends."""
        asked = self.some[row]
        if not some(asked):
            none = np.zeros(0, np.int64)
            return none, none, none
        rows = np.unique(row[asked]).tolist()
        found = [(r, a.from_ms, a.to_ms, self._zone(a)) for r in rows for a in self._of(r)]
        owner, from_ms, to_ms, zone = np.array(found, np.int64).reshape(-1, 4).T
        first = np.searchsorted(owner, row)
        n = np.searchsorted(owner, row, side="right") - first
        moment = np.repeat(np.arange(len(row)), n)
        span = np.arange(len(moment)) + np.repeat(first - (np.cumsum(n) - n), n)
        holds = (from_ms[span] <= time_ms[moment]) & (time_ms[moment] < to_ms[span])
        return moment[holds], zone[span[holds]], to_ms[span[holds]]

    def at(self, row: int, time_ms: int) -> list[Authorisation]:
        """The authorisations over one moment of one row, as the journey has them."""
        return [a for a in self._of(row) if a.from_ms <= time_ms < a.to_ms] if self.some[row] else []

    def _of(self, row: int) -> tuple[Authorisation, ...]:
        return self.journey_of(row).authorisations

    def _zone(self, authorisation: Authorisation) -> int:
        return ANYWHERE if authorisation.zone is None else self.zone_index.get(authorisation.zone, NOWHERE)
