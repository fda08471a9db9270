"""Inferred crossings beside those of MobilityDB, by its library MEOS: an implementation of our own idea by others.

Both take the line between two fixes as straight in longitude and latitude, travelled at one speed: MEOS is given
degrees as a plane without a reference system (``tgeompoint``, SRID 0), which is the line that RFC 7946 means and that
``ZoneSet`` computes with. Zones are those drawn by the property tests: stars, some with holes or a second part.
"""

import numpy as np
import pytest
import shapely
from shapes import random_star

from geofences.zones import ZoneGeometry, ZoneSet

pymeos = pytest.importorskip("pymeos", reason="pip install '.[test]' on Linux or macOS")
meos = pytest.importorskip("pymeos_cffi", reason="comes with pymeos")

SEGMENTS, ZONES = 10_000, 300
GAP_MS = 300_000
"""A pair of fixes as far apart as crossings are inferred at all."""

TOLERANCE_MS = 0.01
"""MEOS keeps whole microseconds, and cuts in floating point; ours is exact to a rounding of 1e-16 of the way."""


@pytest.fixture(scope="module", autouse=True)
def _library():
    pymeos.pymeos_initialize()
    yield
    pymeos.pymeos_finalize()


def drawn(rng):
    """Zones of 1 to 30 km over two degrees, and segments of 10 m to 60 km among them; on the grid of 1e-7 degree."""
    shapes = [
        random_star(
            rng, *rng.uniform((105, 19), (107, 21)), 10 ** rng.uniform(-2, -0.5), int(rng.integers(3, 40))
        )
        for _ in range(ZONES)
    ]
    begin = rng.uniform((104.9, 18.9), (107.1, 21.1), (SEGMENTS, 2))
    end = begin + rng.normal(0, 1, (SEGMENTS, 2)) * 10 ** rng.uniform(-4, -0.5, (SEGMENTS, 1))
    return shapes, np.rint(np.stack([begin, end], axis=1) * 1e7).astype(np.int64)


def meos_says(shapes, segments):
    """(segment, zone) → (enter, leave) in ms, by a ``tgeompoint`` at a geometry, wherever boxes meet."""
    lines = shapely.linestrings(segments / 1e7)
    near = np.stack(shapely.STRtree(shapes).query(shapely.box(*shapely.bounds(lines).T)), axis=1)
    geometries = [meos.geom_in(shapely.to_wkt(shape, rounding_precision=7), -1) for shape in shapes]
    begin, end = "2026-01-01 00:00:00+00", "2026-01-01 00:05:00+00"
    ways = [
        meos.tgeompoint_in(f"[POINT({x0!r} {y0!r})@{begin}, POINT({x1!r} {y1!r})@{end}]")
        for (x0, y0), (x1, y1) in (segments / 1e7).tolist()
    ]
    found = {}
    for i, zone in near.tolist():
        inside = meos.tgeo_at_geom(ways[i], geometries[zone])
        if inside is not None:
            first, last = meos.temporal_start_timestamptz(inside), meos.temporal_end_timestamptz(inside)
            origin = meos.temporal_start_timestamptz(ways[i])
            found[i, zone] = (first - origin) / 1000, (last - origin) / 1000
    return found


def test_inferred_crossings_agree_with_mobilitydb_on_ten_thousand_segments():
    """The same zones crossed by the same segments, entered and left at the same millisecond."""
    shapes, segments = drawn(np.random.default_rng(20_261))
    theirs = meos_says(shapes, segments)
    zone_set = ZoneSet.build([ZoneGeometry(str(i), shape) for i, shape in enumerate(shapes)])
    lon, lat = segments.reshape(-1, 2).T
    path, zone, enter, leave = zone_set.crossed(lon, lat, 2 * np.arange(SEGMENTS + 1))
    pairs = list(zip(path.tolist(), zone.tolist(), strict=True))
    assert len(pairs) > 5_000
    assert set(pairs) == set(theirs)
    times_ms = np.array([theirs[pair] for pair in pairs])
    assert np.abs(np.stack([enter, leave], axis=1) * GAP_MS - times_ms).max() <= TOLERANCE_MS
