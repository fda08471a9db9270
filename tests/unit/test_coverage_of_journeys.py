"""Which stretches of a journey nobody saw: passages by geometry, against looking at every moment; and what was offline in them."""

from __future__ import annotations

import numpy as np
import pytest

from geofences.projection import distance_m
from seal_tracker.equipment.availability import Piece
from seal_tracker.equipment.coverage import GAP_MS, Way, passages, unseen
from seal_tracker.equipment.intervals import contains
from seal_tracker.plans.model import Equipment

SECOND = 1000
EAST_E7 = 1_000_000
"""A tenth of a degree: some 10.4 km at 20.8 degrees north."""


def camera(name: str, lon_deg: float, lat_deg: float = 20.8, kind: str = "camera") -> Equipment:
    return Equipment(name, kind, lon_deg, lat_deg, 60)


def eastward(fixes: int = 21, every_ms: int = 60 * SECOND) -> Way:
    """A drive of a tenth of a degree from 106.7 degrees east, a fix every minute; chainage is metres times ten thousand."""
    step = np.arange(fixes)
    lon = 1_067_000_000 + np.rint(step * EAST_E7 / 20).astype(np.int64)
    return Way(step * every_ms, lon, np.full(fixes, 208_000_000), step * 500.0)


@pytest.mark.parametrize("seed", range(5))
def test_a_passage_is_what_looking_at_every_moment_gives(seed: int) -> None:
    """Of tracks that wander, stand and leave gaps; but for a millisecond at each end."""
    rng = np.random.default_rng(seed)
    lasts = rng.choice([1, 7, 30, 301], 40, p=[0.3, 0.3, 0.3, 0.1]) * SECOND
    step = rng.integers(-9000, 9000, (2, 40)) * rng.choice([0, 1], 40)
    way = Way(
        np.cumsum(lasts), 1_067_000_000 + np.cumsum(step[0]), 208_000_000 + np.cumsum(step[1]), np.zeros(40)
    )
    found = passages(way, camera("C", 106.7), 700)
    at = np.arange(way.time_ms[0], way.time_ms[-1], 97)
    lon, lat = (np.interp(at, way.time_ms, each) for each in (way.lon_e7, way.lat_e7))
    away = distance_m(
        np.full(len(at), 1_067_000_000), np.full(len(at), 208_000_000), np.rint(lon), np.rint(lat)
    )
    of = np.searchsorted(way.time_ms, at, side="right") - 1
    joined = np.diff(way.time_ms)[of] <= GAP_MS
    clear = np.abs(away - 700) > 1
    expected = (away < 700) & joined
    told = np.array([contains(found, moment) for moment in at.tolist()])
    edges = np.isin(at, way.time_ms)
    assert (told == expected)[clear & ~edges].all()
    assert expected.any()
    assert not expected.all()


def test_a_stretch_is_unseen_where_what_stands_there_was_offline() -> None:
    """As far as it was; one of its kind that saw all of it is named, a reader is none."""
    way = eastward()
    stand = {"A": camera("A", 106.75), "B": camera("B", 106.75), "R": camera("R", 106.75, kind="reader")}
    places = {Piece(one.id, one.kind, None): one for one in stand.values()}
    stays = dict.fromkeys(places, ((0, 2_000_000),))
    ((begin, end),) = passages(way, stand["A"], 500)
    middle = (begin + end) // 2
    (one,) = unseen(way, places, stays, {"A": [(0, middle)]}, 500)
    assert (one.piece.id, one.from_ms, one.to_ms, one.seen_by) == ("A", begin, middle, ("B",))
    both = unseen(way, places, stays, {"A": [(0, middle)], "B": [(begin + 9, end)]}, 500)
    assert [(u.piece.id, u.from_ms, u.to_ms, u.seen_by) for u in both] == [
        ("A", begin, middle, ()),
        ("B", begin + 9, end, ()),
    ]
    assert way.chainage_at(one.to_ms) == pytest.approx(5000, abs=1)


def test_what_was_not_watched_or_lies_elsewhere_is_not_missed() -> None:
    """Nor is what was offline at another time."""
    way, here, far = eastward(), camera("A", 106.75), camera("F", 106.75, 20.9)
    a, f = (Piece(one.id, one.kind, None) for one in (here, far))
    always = {"A": [(0, 2_000_000)], "F": [(0, 2_000_000)]}
    assert not unseen(way, {f: far}, {f: ((0, 2_000_000),)}, always, 500)
    assert not unseen(way, {a: here}, {a: ((1_300_000, 2_000_000),)}, always, 500)
    assert not unseen(way, {a: here}, {a: ((0, 2_000_000),)}, {"A": [(0, 60_000)]}, 500)
