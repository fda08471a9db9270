"""Which fixes the track accepts: at most 180 km/h and 100 m from the one before, or believed by the one after."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from geofences.projection import distance_m
from seal_tracker.model import NO_TIME
from seal_tracker.tracking.plausibility import Accepted, Candidates, accept
from seal_tracker.tracking.state import TRACK, blank_rows

E7_PER_M = 1e7 / 110_574
"""Along a meridian at the equator, where one degree of latitude is 110.574 km."""


def rows(n: int = 1) -> NDArray[np.void]:
    found: NDArray[np.void] = blank_rows(n)["track"].copy()
    return found


def fixes(*where: tuple[float, float], row: int = 0) -> Candidates:
    """Fixes at (seconds, metres) along a meridian."""
    n = len(where)
    time_ms = np.array([round(t * 1000) for t, _ in where], np.int64)
    lat = np.array([round(m * E7_PER_M) for _, m in where], np.int64)
    unknown = np.zeros(n, np.float32)
    return Candidates(np.full(n, row), time_ms, np.zeros(n, np.int64), lat, unknown, unknown)


def taken(*where: tuple[float, float]) -> tuple[list[int], int, NDArray[np.void]]:
    """Positions accepted, outliers, and the state after."""
    track = rows()
    found = accept(track, fixes(*where))
    return found.order.tolist(), found.outliers, track


def test_the_first_fix_is_accepted() -> None:
    """There is nothing to doubt it by."""
    assert taken((0, 9e6))[:2] == ([0], 0)


@pytest.mark.parametrize(
    ("metres", "accepted"), [(600, True), (599.9, True), (600.2, False), (-600.2, False)]
)
def test_a_fix_within_180_kmh_and_100_m_is_accepted(metres: float, *, accepted: bool) -> None:
    """In 10 s: 50 m/s and 100 m of slack make 600 m."""
    order, outliers, track = taken((0, 0), (10, metres))
    assert (order, outliers) == ([0, 1] if accepted else [0], 0)
    assert (track["held_ms"][0] == NO_TIME) == accepted


def test_a_jump_that_the_next_fix_refutes_is_an_outlier() -> None:
    """C compatible with P: H is an outlier."""
    order, outliers, track = taken((0, 0), (10, 9000), (20, 100))
    assert (order, outliers) == ([0, 2], 1)
    assert track["held_ms"][0] == NO_TIME


def test_a_jump_that_the_next_fix_believes_is_accepted() -> None:
    """C compatible with H, not with P: both are accepted."""
    assert taken((0, 0), (10, 9000), (20, 9100))[:2] == ([0, 1, 2], 0)


def test_of_two_jumps_that_disagree_the_later_is_held() -> None:
    """Else H is an outlier and C is held."""
    order, outliers, track = taken((0, 0), (10, 9000), (20, -9000))
    assert (order, outliers) == ([0], 1)
    assert track["held_ms"][0] == 20_000
    assert taken((0, 0), (10, 9000), (20, -9000), (30, -9100))[:2] == ([0, 2, 3], 1)


def test_a_fix_compatible_with_both_refutes_the_jump() -> None:
    """P is asked first."""
    assert taken((0, 0), (10, 700), (20, 650))[:2] == ([0, 2], 1)


def test_waiting_makes_a_jump_possible() -> None:
    """A fix far away is within reach an hour later."""
    assert taken((0, 0), (3600, 170_000))[:2] == ([0, 1], 0)


def test_a_fix_held_before_is_decided_by_the_next_batch() -> None:
    """-1 - row stands for it in the order, and the candidate that let it in is named."""
    track = rows(3)
    accept(track, fixes((0, 0), (10, 9000), row=2))
    found = accept(track, fixes((20, 9100), (30, 9200), row=2))
    assert (found.order.tolist(), found.decided_by.tolist()) == ([-3, 0, 1], [0, 0, 1])
    assert track["held_ms"][2] == NO_TIME


def thrown(found: Accepted) -> list[tuple[int, bool, int, int]]:
    """Who decided, whether it was believed, and when the fix and the accepted one before it were, in seconds."""
    columns = (found.thrown[name].tolist() for name in ("by", "believed", "time_ms", "from_ms"))
    return [
        (by, believed, at // 1000, since // 1000) for by, believed, at, since in zip(*columns, strict=True)
    ]


def test_what_was_decided_about_a_fix_is_said_by_the_fix_that_decided() -> None:
    """Refused or believed; from where it could not be reached; a fix held while it decides is both."""
    found = accept(
        rows(), fixes((0, 0), (10, 9000), (20, 100), (30, 200), (40, -9000), (50, 9000), (60, 9100))
    )
    assert thrown(found) == [(2, False, 10, 0), (5, False, 40, 30), (6, True, 50, 30)]
    assert found.held.tolist() == [1, 4, 5]
    assert accept(rows(), fixes((0, 0), (10, 100))).held.tolist() == []


def test_what_was_held_before_is_decided_with_the_same_words() -> None:
    """Its time and place come from the state, and say the same as in one batch."""
    track = rows()
    accept(track, fixes((0, 0), (10, 9000)))
    found = accept(track, fixes((20, 9100)))
    assert thrown(found) == [(0, True, 10, 0)]
    whole = accept(rows(), fixes((0, 0), (10, 9000), (20, 9100)))
    assert found.thrown[["believed", "lat", "from_lat"]] == whole.thrown[["believed", "lat", "from_lat"]]


def test_what_is_held_keeps_its_claimed_accuracy() -> None:
    """It is judged later with what it said of itself."""
    track = rows()
    jump = fixes((0, 0), (10, 9000))
    jump.accuracy_m[1] = 7
    accept(track, jump)
    assert track["held_accuracy_m"][0] == 7


def test_no_fixes_change_nothing() -> None:
    """An empty pass is no pass."""
    track = rows()
    found = accept(track, fixes())
    assert (len(found.order), found.outliers) == (0, 0)
    assert track.tobytes() == rows().tobytes()


@dataclass
class Slow:
    """The same rule, one fix at a time, as it is written in the contract."""

    accepted: tuple[int, int] | None = None
    held: tuple[int, int] | None = None
    track: list[tuple[int, int]] = field(default_factory=list)
    outliers: int = 0
    jumps: int = 0

    def see(self, fix: tuple[int, int]) -> None:
        if self.accepted is None or (self.held is None and compatible(self.accepted, fix)):
            self.take(fix)
        elif self.held is None:
            self.held = fix
        elif compatible(self.accepted, fix):
            self.outliers += 1
            self.held = None
            self.take(fix)
        elif compatible(self.held, fix):
            self.jumps += 1
            self.take(self.held)
            self.held = None
            self.take(fix)
        else:
            self.outliers += 1
            self.held = fix

    def take(self, fix: tuple[int, int]) -> None:
        self.track.append(fix)
        self.accepted = fix


def compatible(a: tuple[int, int], b: tuple[int, int]) -> bool:
    (t0, lat0), (t1, lat1) = a, b
    metres = distance_m(np.array([0]), np.array([lat0]), np.array([0]), np.array([lat1]))[0]
    return bool(round(metres * 1000) <= 50 * (t1 - t0) + 100_000)


@st.composite
def wanderings(draw: st.DrawFn) -> tuple[list[list[tuple[float, float]]], list[int]]:
    """Fixes of three seals, some of them jumping, and where their stream is cut into batches."""
    tracks = []
    for _ in range(3):
        t, m, track = 0.0, 0.0, []
        for _ in range(draw(st.integers(0, 12))):
            t += draw(st.sampled_from([1, 10, 60]))
            m += draw(st.sampled_from([0, 100, -500, 2000, -2000, 9000, -9000]))
            track.append((t, m))
        tracks.append(track)
    return tracks, sorted(draw(st.lists(st.integers(0, 12), max_size=4)))


@settings(max_examples=300, deadline=None)
@given(wanderings())
def test_arrays_accept_what_one_fix_at_a_time_accepts(
    case: tuple[list[list[tuple[float, float]]], list[int]],
) -> None:
    """For several seals at once and however the fixes are cut into batches."""
    tracks, cuts = case
    slow = [Slow() for _ in tracks]
    for one, track in zip(slow, tracks, strict=True):
        for t, m in track:
            one.see((round(t * 1000), round(m * E7_PER_M)))
    state = rows(len(tracks))
    seen: list[list[tuple[int, int]]] = [[] for _ in tracks]
    outliers, jumps = 0, 0
    for a, b in zip([0, *cuts], [*cuts, 99], strict=True):
        parts = [fixes(*track[a:b], row=r) for r, track in enumerate(tracks)]
        given_ = joined(parts)
        before = state.copy()
        found = accept(state, given_)
        outliers += found.outliers
        jumps += int(found.thrown["believed"].sum())
        for r, fix in picked(found, given_, before):
            seen[r].append(fix)
    assert seen == [one.track for one in slow]
    assert outliers == sum(one.outliers for one in slow)
    assert jumps == sum(one.jumps for one in slow)
    for r, one in enumerate(slow):
        assert state["held_ms"][r] == (one.held[0] if one.held else NO_TIME)
        assert state["fix_ms"][r] == (one.accepted[0] if one.accepted else NO_TIME)


def joined(parts: list[Candidates]) -> Candidates:
    def column(name: str) -> NDArray[np.int64]:
        return np.concatenate([getattr(p, name) for p in parts])

    accuracy_m = np.concatenate([p.accuracy_m for p in parts])
    return Candidates(
        column("row"), column("time_ms"), column("lon_e7"), column("lat_e7"), accuracy_m, accuracy_m
    )


def picked(
    found: Accepted, candidates: Candidates, before: NDArray[np.void]
) -> list[tuple[int, tuple[int, int]]]:
    """(row, (time, lat)) of each fix accepted; every row's in the order of time, decided not before its own time."""
    out = []
    for k, by in zip(found.order.tolist(), found.decided_by.tolist(), strict=True):
        if k >= 0:
            row, fix = int(candidates.row[k]), (int(candidates.time_ms[k]), int(candidates.lat_e7[k]))
        else:
            row = -1 - k
            fix = (int(before["held_ms"][row]), int(before["held_lat"][row]))
        assert candidates.row[by] == row
        assert candidates.time_ms[by] >= fix[0]
        out.append((row, fix))
    assert [r for r, _ in out] == sorted(r for r, _ in out)
    return out


def test_a_track_row_is_as_small_as_it_says() -> None:
    """A few hundred bytes a seal."""
    assert TRACK.itemsize < 160
