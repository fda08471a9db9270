"""Order, duplicates and variants: identity is (seal, fix time, judged content); equal moments are judged as one."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from story import T0_MS, Core, Ground, Ping, batch, iso, one, ping, seconds, told

from seal_tracker.model import NO_TIME, Fact, Lock, PingBatch
from seal_tracker.tracking.order import effective_time_ms, fresh, in_order, merge_variants, usable_fix

NUMBERS = {"S1": 1, "S2": 2}


def pings(*story: Ping) -> PingBatch:
    return batch(story, NUMBERS)


def merged(*story: Ping) -> PingBatch:
    return merge_variants(in_order(pings(*story)))


def test_order_is_by_seal_event_time_sequence_and_hash() -> None:
    """Whatever the order of arrival, the same rows come out in the same order."""
    story = [ping(60, 0), ping(0, 0, seq=2), ping(0, 0, seq=1), ping(0, 5, seq=1), ping(-5, 0, of="S2")]
    expected = None
    for shuffled in permutations(story):
        found = in_order(pings(*shuffled))
        rows = list(zip(found.seal, found.time_ms, found.seq, found.digest, strict=True))
        expected = expected or rows
        assert rows == expected == sorted(rows)


def test_a_plausible_ping_counts_at_its_fix_time_another_at_its_arrival() -> None:
    """More than 5 min ahead, before 2020, over a year old: dated to the receive time."""
    ahead, ok = ping(400, 0, received_s=99), ping(400, 0, received_s=100)
    old = ping(0, 0, received_s=366 * 86_400)
    early = ping(0, 0, received_s=7) | {"time": "2019-12-31T23:59:59.999Z"}
    found = pings(ahead, ok, old, early)
    assert found.clock_ok.tolist() == [False, True, False, False]
    assert [seconds(int(t)) for t in effective_time_ms(found)] == [99, 400, 366 * 86_400, 7]


def test_without_a_receive_time_every_clock_is_plausible() -> None:
    """There is nothing to doubt it by, and nothing to date it to."""
    lone = pings(ping(400, 0)).with_columns(received_ms=np.array([NO_TIME]), clock_ok=np.array([False]))
    assert effective_time_ms(lone).tolist() == [T0_MS + 400_000]


def test_a_fix_is_usable_when_valid_somewhere_and_dated() -> None:
    """No GNSS validity, (0, 0), out of range, or a wrong clock: the ping does not move the track."""
    nowhere = {"lon": 0.0, "lat": 0.0}
    found = pings(
        ping(0, 0),
        ping(1),
        ping(2, 0, valid=False),
        ping(3, 0) | nowhere,
        ping(4, 0) | {"lat": 91.0},
        ping(900, 0, received_s=5),
        ping(6, 0) | {"lon": 0.0},
    )
    assert usable_fix(found).tolist() == [True, False, False, False, False, False, True]


def test_the_same_ping_again_is_not_fresh() -> None:
    """Raw bytes, `buffered`, the cell and the arrival make no other ping; any judged member does."""
    again = [
        ping(0, 0, battery_pct=50),
        ping(0, 0, battery_pct=50, buffered=True, cell={"rssi_dbm": -70}, received_s=9),
    ]
    others = [
        ping(0, 0),
        ping(0, 1, battery_pct=50),
        ping(0, 0, battery_pct=51),
        ping(0, 0, battery_pct=50, of="S2"),
    ]
    assert fresh(pings(*again, *others, *again)).tolist() == [True, False, *[True] * 4, False, False]


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ({"satellites": 3}, {"valid": False, "satellites": 12}),
        ({"satellites": 9, "accuracy_m": 90}, {"satellites": 8, "accuracy_m": 1}),
        ({"satellites": 4}, {}),
        ({"satellites": 9, "accuracy_m": 4}, {"satellites": 9, "accuracy_m": 5}),
        ({"satellites": 9, "accuracy_m": 4}, {"satellites": 9}),
        ({}, {"lat": 0.0, "lon": 0.0, "satellites": 20}),
    ],
)
def test_the_better_fix_of_one_moment_is_taken(better: Ping, worse: Ping) -> None:
    """Valid, then more satellites, then a smaller claimed accuracy, whichever came first."""
    a, b = ping(0, 100) | better, ping(0, 200) | worse
    good = pings(a)
    for story in ((a, b), (b, a)):
        found = merged(*story)
        assert len(found) == 1
        assert (found.lon_e7[0], found.digest[0]) == (good.lon_e7[0], good.digest[0])


def test_variants_that_nothing_else_tells_apart_are_told_apart_by_their_hash() -> None:
    """The choice is the same in every order."""
    story = [ping(0, x) for x in (100, 200, 300)]
    assert len({int(merged(*shuffled).lon_e7[0]) for shuffled in permutations(story)}) == 1


def test_variants_give_the_union_of_facts_and_the_worst_lock() -> None:
    """Cut over open over closed over unknown; three variants, and neighbours untouched."""
    found = merged(
        ping(-1, 0, lock="closed"),
        ping(0, 0, lock="closed", facts=["vibration"], satellites=9),
        ping(0, 0, lock="open", facts=["removed"]),
        ping(0, facts=["jamming", "vibration"]),
        ping(1, 0, lock="unknown"),
    )
    assert found.lock.tolist() == [Lock.CLOSED, Lock.OPEN, Lock.UNKNOWN]
    assert found.facts.tolist() == [0, int(Fact.VIBRATION | Fact.REMOVED | Fact.JAMMING), 0]
    assert merged(ping(0, lock="cut"), ping(0, 0, lock="open")).lock.tolist() == [Lock.CUT]


def test_what_the_device_claimed_is_kept_beside_when_the_ping_counts() -> None:
    """In the order of counting; only a wrong clock makes the two differ."""
    found = in_order(pings(ping(9000, 0, received_s=60), ping(30, 0, received_s=90)))
    assert [seconds(int(t)) for t in found.time_ms] == [30, 60]
    assert [seconds(int(t)) for t in found.claimed_ms] == [30, 9000]


def test_variants_say_how_far_apart_they_lie() -> None:
    """From the fix taken to the farthest other usable one; 0 where there is no other, and of neighbours."""
    found = merged(
        ping(-1, 900),
        ping(0, 0, satellites=9),
        ping(0, 80, satellites=8),
        ping(0, -300, satellites=4),
        ping(0, 5000, valid=False),
        ping(1, 0),
        ping(1, 0, lock="open"),
        ping(2),
        ping(2, seq=1),
    )
    assert found.apart_mm / 1000 == pytest.approx([0, 300, 0, 0], abs=0.1)


def test_rules_count_distinct_fix_times() -> None:
    """Three variants of one moment are one fix: no zone is entered, no road left by them alone."""
    made = (
        Ground()
        .route("R", (0, 0), (9000, 0))
        .journey(route="R")
        .policy("default.STOP_UNPLANNED", enabled=False)
    )
    story = [ping(0, 0, 900, seq=i) for i in range(3)] + [ping(10, 0, 900, seq=i) for i in range(3)]
    assert not told(made, story)
    assert one(told(made, [*story, ping(20, 0, 900)]), "ROUTE_DEVIATION").evidence["n_fixes"] == 3


def test_discards_are_counted_by_name() -> None:
    """Unusable fixes, wrong clocks and outliers, each under its name."""
    core = Core(Ground().journey().plan())
    counts = core.feed(pings(ping(0, 0), ping(1), ping(999, 0, received_s=2), ping(3, 30_000), ping(4, 10)))
    assert counts == {"fix_unusable": 2, "clock_implausible": 1, "fix_outlier": 1}


def test_a_moment_is_written_in_one_way() -> None:
    """ISO 8601, milliseconds, Z."""
    assert iso(0.001) == "2026-09-21T14:13:20.001Z"
