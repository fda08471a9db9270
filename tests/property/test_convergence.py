"""Convergence: the final episodes are a function of the set of pings, whatever the order, batching and duplicates."""

from __future__ import annotations

import os

from arrivals import Service
from hypothesis import given, settings
from hypothesis import strategies as st
from story import Core, Ping, batch
from wanderings import NOW_S, PLAN, SECOND, THIRD, tracks

EXAMPLES = int(os.environ.get("SEAL_TRACKER_EXAMPLES", "200"))
"""Few enough for every run; before a release run 20,000 (SEAL_TRACKER_EXAMPLES=20000)."""


@st.composite
def arrivals(draw: st.DrawFn) -> tuple[list[Ping], list[list[int]], list[bool]]:
    """A track; the order in which it arrives, in batches, some twice; and after which batches time is looked at."""
    track = draw(tracks())
    n = len(track)
    kind = draw(st.sampled_from(["any", "lifo live, fifo past", "in order"]))
    if kind == "any":
        order = list(draw(st.permutations(range(n))))
    elif kind == "in order":
        order = list(range(n))
    else:
        cut = draw(st.integers(0, n))
        live, past = list(range(cut, n)), list(range(cut))
        order = [i for pair in zip(live, past, strict=False) for i in pair]
        order += live[len(past) :] + past[len(live) :]
    order += draw(st.lists(st.integers(0, n - 1), max_size=4))
    cuts = sorted(draw(st.lists(st.integers(0, len(order)), max_size=6)))
    batches = [order[a:b] for a, b in zip([0, *cuts], [*cuts, len(order)], strict=True)]
    return track, batches, [draw(st.booleans()) for _ in batches]


@settings(max_examples=EXAMPLES, deadline=None)
@given(arrivals(), st.booleans())
def test_episodes_do_not_depend_on_arrival(
    case: tuple[list[Ping], list[list[int]], list[bool]], replanned: bool
) -> None:
    """Any order, batching, duplication and looking at the clock gives the episodes of the sorted set in one batch.

    And the events told on the way, folded in the order of their sequence, give them too.
    """
    track, batches, ticks = case
    later = ((500, SECOND), (1200, THIRD)) if replanned else ()
    whole = Core(PLAN, later)
    whole.feed(batch(track, whole.numbers))
    whole.pass_time(NOW_S)
    service = Service(Core(PLAN, later))
    for rows, tick in zip(batches, ticks, strict=True):
        if rows:
            service.feed(batch([track[i] for i in rows], service.core.numbers))
        if tick:
            service.tick(NOW_S)
    service.tick(NOW_S)
    assert service.lines().decode() == whole.lines().decode()
    assert service.folded()
