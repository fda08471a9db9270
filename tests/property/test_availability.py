"""Availability: what is summed from intervals is what counting every millisecond gives."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from seal_tracker.equipment.availability import Piece, Tally, availability, sum_of, tally
from seal_tracker.equipment.intervals import contains, intersection, length_ms, union, without

END = 40
"""So short a time that every millisecond can be looked at, and intervals meet, touch and lie in one another."""

MOMENT = st.integers(-5, END + 5)
INTERVALS = st.lists(st.tuples(MOMENT, MOMENT), max_size=6)
EPISODES = st.lists(st.tuples(MOMENT, st.integers(0, 15)), max_size=6).map(
    lambda found: [(begin, begin + lasts) for begin, lasts in found]
)
PERIOD = st.tuples(MOMENT, MOMENT)


def moments(intervals: list[tuple[int, int]]) -> set[int]:
    """Every millisecond of them, one by one."""
    return {at for begin, end in intervals for at in range(begin, end)}


def counted(
    period: tuple[int, int],
    watched: list[tuple[int, int]],
    offline: list[tuple[int, int]],
    maintenance: list[tuple[int, int]],
) -> Tally:
    seen = moments([period]) & moments(watched)
    planned = seen & moments(maintenance)
    counts = seen - planned
    silent = moments(offline)
    failures = sum(begin in counts for begin, _ in offline)
    return Tally(len(seen), len(planned), len(counts & silent), len(planned & silent), failures)


@given(INTERVALS, INTERVALS, MOMENT)
def test_sets_of_moments_are_those_of_their_milliseconds(
    a: list[tuple[int, int]], b: list[tuple[int, int]], at: int
) -> None:
    """Joined, common and left over; each in order, apart and not empty."""
    one, other = union(a), union(b)
    for found, expected in (
        (one, moments(a)),
        (intersection(one, other), moments(a) & moments(b)),
        (without(one, other), moments(a) - moments(b)),
    ):
        assert moments(list(found)) == expected
        assert length_ms(found) == len(expected)
        assert all(begin < end for begin, end in found)
        assert all(end < begin for (_, end), (begin, _) in itertools.pairwise(found))
        assert contains(found, at) is (at in expected)


@given(PERIOD, INTERVALS, EPISODES, INTERVALS)
def test_availability_is_what_counting_every_millisecond_gives(
    period: tuple[int, int],
    watched: list[tuple[int, int]],
    offline: list[tuple[int, int]],
    maintenance: list[tuple[int, int]],
) -> None:
    """Whatever overlaps whatever, touches it, lies outside or is reversed."""
    found = tally(period, watched, offline, maintenance)
    assert found == counted(period, watched, offline, maintenance)
    share = found.availability
    assert (share is None) is (found.counted_ms == 0)
    assert share is None or 0 <= share <= 1


@given(st.lists(MOMENT, min_size=2, max_size=5), INTERVALS, EPISODES, INTERVALS)
def test_parts_of_a_period_add_up_to_the_whole(
    cuts: list[int],
    watched: list[tuple[int, int]],
    offline: list[tuple[int, int]],
    maintenance: list[tuple[int, int]],
) -> None:
    """Days to a week, units to all of them: to the millisecond."""
    cuts = sorted(cuts)
    parts = [tally(part, watched, offline, maintenance) for part in itertools.pairwise(cuts)]
    assert sum_of(parts) == tally((cuts[0], cuts[-1]), watched, offline, maintenance)


def test_what_changes_hands_is_counted_for_each_who_had_it() -> None:
    """Down over the change it is down with both; what nobody watched is not told."""
    old, new = Piece("CAM-1", "camera", "u1"), Piece("CAM-1", "camera", "u2")
    never = Piece("CAM-2", "camera", "u1")
    stays = {new: ((10, 99),), old: ((0, 10),), never: ((50, 60),)}
    found = availability((0, 20), stays, {"CAM-1": [(8, 13)]}, {"CAM-1": [(12, 14)]})
    assert [(piece.unit, figures) for piece, figures in found] == [
        ("u1", Tally(10, 0, 2, 0, 1)),
        ("u2", Tally(10, 2, 2, 1, 0)),
    ]
