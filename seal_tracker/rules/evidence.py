"""How fixes are written into evidence. Pure."""

from __future__ import annotations

from typing import Any

import numpy as np

from seal_tracker.model import iso_ms
from seal_tracker.rules.context import Fixes
from seal_tracker.rules.runs import Transitions

__all__ = ["fix_evidence", "place_evidence", "run_evidence"]


def place_evidence(time_ms: int, lon_e7: int, lat_e7: int) -> dict[str, Any]:
    """A moment and a place."""
    return {"time": iso_ms(int(time_ms)), "lon": int(lon_e7) / 1e7, "lat": int(lat_e7) / 1e7}


def fix_evidence(fixes: Fixes, i: int) -> dict[str, Any]:
    """One fix, with the accuracy it claimed."""
    out = place_evidence(int(fixes.time_ms[i]), int(fixes.lon_e7[i]), int(fixes.lat_e7[i]))
    accuracy = float(fixes.accuracy_m[i])
    return out if np.isnan(accuracy) else out | {"accuracy_m": round(accuracy, 2)}


def run_evidence(found: Transitions, k: int, fixes: Fixes, i: int) -> list[dict[str, Any]]:
    """The first fix of the run that raised, and fix ``i`` that completed it; one fix where they are the same."""
    last = fix_evidence(fixes, i)
    if found.n[k] <= 1:
        return [last]
    return [place_evidence(int(found.began_ms[k]), int(found.began_lon[k]), int(found.began_lat[k])), last]
