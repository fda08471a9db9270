"""Places between two fixes, as they are written into evidence."""

from __future__ import annotations

import numpy as np
import pytest

from seal_tracker.tracking.passes import _between

DEGREE_E7 = 10_000_000


@pytest.mark.parametrize(
    ("lon_deg", "share", "expected_deg"),
    [
        ([106.0, 106.002], 0.25, 106.0005),
        ([179.999, -179.999], 0.25, 179.9995),
        ([179.999, -179.999], 0.75, -179.9995),
        ([-179.999, 179.999], 0.75, 179.9995),
        ([106.0, 106.0], 0.5, 106.0),
    ],
    ids=["eastwards", "before the antimeridian", "beyond it", "westwards over it", "standing still"],
)
def test_a_place_between_two_fixes_lies_on_the_short_way(
    lon_deg: list[float], share: float, expected_deg: float
) -> None:
    """Over the antimeridian too: the other way would put a crossing on the far side of the earth."""
    lon0, lon1 = (np.array([round(x * DEGREE_E7)]) for x in lon_deg)
    lat = np.array([20 * DEGREE_E7])
    found = [int(column[0]) for column in _between([lon0, lat, lon1, lat], np.array([share]))]
    assert found == pytest.approx([expected_deg * DEGREE_E7, 20 * DEGREE_E7], abs=1)
