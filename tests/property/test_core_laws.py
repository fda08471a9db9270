"""Laws of the core: batches, duplicates, time's origin and other seals change nothing of what is told.

Stories are those of the convergence test: a handful of pings that can raise and clear every rule.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from arrivals import Service
from evidence import assert_written_well
from geolife import beijing, geolife
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from story import T0_MS, Core, Ground, Ping, at, batch, iso, moment_by_moment
from wanderings import NOW_S, PLAN, SECOND, THIRD, ground, second_ground, tracks

from geofences.projection import distance_m
from seal_tracker.model import PingBatch, iso_ms
from seal_tracker.tracking.order import effective_time_ms
from seal_tracker.tracking.state import SealState

EXAMPLES = int(os.environ.get("LAW_EXAMPLES", "200")) // 40 + 40
"""Beside the law of convergence, which is these and more, but says less of what is wrong."""

WEEK_S = 7 * 86_400
LATER = ((500, SECOND), (1200, THIRD))


def whole(track: Sequence[Ping], now_s: float = NOW_S) -> Core:
    core = Core(PLAN, LATER)
    core.tell(track, now_s)
    return core


def cut_at(pings: PingBatch, cuts: Sequence[int]) -> list[PingBatch]:
    """In the order of time, cut between moments: the cuts count moments."""
    moments = moment_by_moment(pings)
    ends = [*sorted(min(c, len(moments)) for c in cuts), len(moments)]
    return [PingBatch.concat(moments[a:b]) for a, b in zip([0, *ends], ends, strict=False) if a < b]


@settings(max_examples=EXAMPLES, deadline=None)
@given(tracks(), st.lists(st.integers(0, 24), max_size=6))
def test_batches_change_nothing(track: list[Ping], cuts: list[int]) -> None:
    """Pings in order, however they are cut: the same episodes, and the same state to the byte."""
    one = whole(track)
    cut = Core(PLAN, LATER)
    for part in cut_at(batch(track, cut.numbers), cuts):
        cut.feed(part)
    cut.pass_time(NOW_S)
    assert cut.lines().decode() == one.lines().decode()
    assert cut.states.one(1).dump() == one.states.one(1).dump()


@settings(max_examples=EXAMPLES, deadline=None)
@given(tracks())
def test_all_evidence_is_written_well(track: list[Ping]) -> None:
    """Whatever is told: fixes in the order of time, and no number longer than it was measured."""
    for episode in whole(track).episodes.values():
        assert_written_well(episode)


@settings(max_examples=EXAMPLES, deadline=None)
@given(tracks(), st.lists(st.integers(0, 24), max_size=6))
def test_a_state_that_was_bytes_is_the_state(track: list[Ping], cuts: list[int]) -> None:
    """Between any two batches the state may go through a checkpoint."""
    kept = Core(PLAN, LATER)
    for part in cut_at(batch(track, kept.numbers), cuts):
        kept.feed(part)
        kept.states.install(1, SealState.load(kept.states.one(1).dump()))
    kept.pass_time(NOW_S)
    assert kept.lines().decode() == whole(track).lines().decode()


@settings(max_examples=EXAMPLES, deadline=None)
@given(tracks(), st.data())
def test_duplicates_change_nothing(track: list[Ping], data: st.DataObject) -> None:
    """The same ping again, in the same batch or a later one, is no ping: no episode, no event."""
    again = data.draw(st.lists(st.sampled_from(track), max_size=8))
    service, twice = Service(Core(PLAN, LATER)), Service(Core(PLAN, LATER))
    service.feed(batch(track, service.core.numbers))
    twice.feed(batch([*track, *again], twice.core.numbers))
    events = len(twice.events)
    twice.feed(batch([p | {"buffered": True, "cell": {"rssi_dbm": -99}} for p in again], twice.core.numbers))
    assert len(twice.events) == events
    assert twice.lines().decode() == service.lines().decode()
    assert twice.events == service.events


@settings(max_examples=EXAMPLES, deadline=None)
@given(tracks(), st.integers(-165, 165).map(lambda weeks: weeks * WEEK_S))
def test_time_has_no_origin(track: list[Ping], shift_s: int) -> None:
    """Pings, journeys, leave, versions and now all moved by as much: the same episodes, as much later.

    By whole weeks, as permits know the days of the week.
    """

    def moved(text: str) -> str:
        at_ms = np.datetime64(text[:-1], "ms").astype(np.int64)
        return iso_ms(int(at_ms) + shift_s * 1000)

    def later(one: Ping) -> Ping:
        came = {"received_s": one["received_s"] + shift_s} if "received_s" in one else {}
        return one | {"time": moved(one["time"])} | came

    def moved_in(features: list[dict[str, Any]]) -> Any:
        return json.loads(re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", lambda m: moved(m[0]), json.dumps(features)))

    elsewhere = Ground(zones=ground().zones, routes=moved_in(ground().routes), policies=ground().policies)
    elsewhere.journeys = moved_in(ground().journeys)
    here, there = Core(PLAN), Core(elsewhere.plan())
    here.tell(track, NOW_S)
    there.tell([later(p) for p in track], NOW_S + shift_s)
    assert without_ids(there.lines().decode()) == without_ids(
        re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", lambda m: moved(m[0]), here.lines().decode())
    )


def without_ids(lines: str) -> list[str]:
    """Episodes of two seals that are alike but for their ids stand in the order of those: so sorted without."""
    # A local time is not written in UTC.
    return sorted(re.sub(r'"(episode|local_time)":"[^"]+"', "", line) for line in lines.splitlines())


@settings(max_examples=EXAMPLES, deadline=None)
@given(tracks(), tracks(), st.integers(0, 6000))
def test_one_seals_pings_change_nothing_of_anothers(mine: list[Ping], other: list[Ping], cut_s: int) -> None:
    """Judged in batches with another seal of other journeys, or alone in one: the same."""
    alone, together = (Core(TWO, ((500, TWO_SECOND),)) for _ in range(2))
    alone.tell(mine, NOW_S)
    both = batch([*(p | {"of": "S2"} for p in other), *mine], together.numbers)
    early = effective_time_ms(both) <= T0_MS + cut_s * 1000
    together.feed(both.take(early))
    together.feed(both.take(~early))
    together.pass_time(NOW_S)
    own, own_alone = (
        [line for line in core.lines().splitlines() if b'"seal":"S1"' in line] for core in (together, alone)
    )
    assert own == own_alone


def for_two(made: Ground) -> Ground:
    made.journey("S2", armed_s=30, disarmed_s=2500, route="R")
    return made.journey("S2", id="J-S2b", armed_s=2600)


TWO, TWO_SECOND = for_two(ground()).plan(1), for_two(second_ground()).plan(2)


@pytest.mark.parametrize("n_batches", [10, 300])
def test_real_traces_shuffled_tell_what_they_tell_in_order(n_batches: int) -> None:
    """47,217 real fixes in order and in disorder, in few and in many batches: byte-equal episodes."""
    pings = geolife()
    whole = Core(beijing())
    assert all(whole.numbers[f"G{seal:03}"] == seal for seal in np.unique(pings.seal).tolist())
    whole.feed(pings)
    found = {e.type for e in whole.episodes.values()}
    assert found >= {"ROUTE_DEVIATION", "ZONE_ENTERED", "PROHIBITED_ZONE", "STOP_UNPLANNED", "SIGNAL_LOST"}
    delay_ms = np.random.default_rng(5).integers(0, 900_000, len(pings))
    for order in (
        np.argsort(pings.time_ms, kind="stable"),
        np.argsort(pings.time_ms + delay_ms, kind="stable"),
    ):
        service = Service(Core(beijing()))
        for part in cut_in(pings, order, n_batches):
            service.feed(part)
        assert service.lines() == whole.lines()
        assert service.folded()


def cut_in(pings: PingBatch, order: NDArray[np.int64], n: int) -> list[PingBatch]:
    return [pings.take(rows) for rows in np.array_split(order, n)]


def test_the_story_is_placed_where_it_says() -> None:
    """The plane's own scale, against which expectations are worked out, is good to a part in a thousand."""
    (a, b), (c, d) = at(0, 0), at(3000, 4000)
    lon, lat = (np.array([round(v * 1e7)]) for v in (a, b))
    lon2, lat2 = (np.array([round(v * 1e7)]) for v in (c, d))
    assert distance_m(lon, lat, lon2, lat2)[0] == pytest.approx(5000, rel=1e-3)
    assert iso(0) == iso_ms(T0_MS)
