"""Times to repair: what is summed is what looking at each ticket for each group gives, and parts add up to the whole."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from seal_tracker.repairs.figures import RepairFigures, TicketTimes, figures_of

MOMENT = st.integers(0, 40)
"""So short a time that tickets meet the edges of periods."""


@st.composite
def tickets(draw: st.DrawFn) -> list[TicketTimes]:
    """Failed, opened, then perhaps acknowledged and perhaps repaired, which may be before it was opened: somebody was quick."""
    found = []
    for _ in range(draw(st.integers(0, 8))):
        failed = draw(MOMENT)
        opened = failed + draw(MOMENT)
        acknowledged = draw(st.none() | MOMENT.map(lambda after, since=opened: since + after))
        repaired = draw(st.none() | MOMENT.map(lambda after, since=failed: since + after))
        unit, kind = draw(st.sampled_from(["u1", "u2", None])), draw(st.sampled_from(["camera", "reader"]))
        cause = draw(st.sampled_from(["power", "wear"]))
        found.append(TicketTimes(unit, kind, opened, failed, acknowledged, repaired, cause))
    return found


def mean(times: list[int]) -> Fraction | None:
    return Fraction(sum(times), len(times)) if times else None


def counted(found: RepairFigures) -> tuple[object, ...]:
    to_acknowledge = Fraction(found.to_acknowledge_ms, found.acknowledged) if found.acknowledged else None
    to_repair = Fraction(found.to_repair_ms, found.repaired) if found.repaired else None
    return found.opened, to_acknowledge, to_repair, found.longest_ms, dict(found.causes)


def by_looking(some: list[TicketTimes], begin: int, end: int) -> tuple[object, ...]:
    within = range(begin, end)
    done = [t for t in some if t.repaired_ms is not None and t.repaired_ms in within]
    seen = [t.acknowledged_ms - t.opened_ms for t in some if t.acknowledged_ms is not None and t.acknowledged_ms in within]  # fmt: skip
    took = [t.repaired_ms - t.failed_ms for t in done if t.repaired_ms is not None]
    causes = {cause: n for cause in ("power", "wear") if (n := sum(t.cause == cause for t in done))}
    return sum(t.opened_ms in within for t in some), mean(seen), mean(took), max(took, default=0), causes


@given(tickets(), MOMENT, MOMENT)
def test_figures_are_those_of_each_ticket_looked_at(some: list[TicketTimes], begin: int, lasts: int) -> None:
    """In all and of each unit and kind; a group of nothing is not there."""
    total, groups = figures_of(some, begin, begin + lasts)
    assert counted(total) == by_looking(some, begin, begin + lasts)
    for unit in ("u1", "u2", None):
        for kind in ("camera", "reader"):
            theirs = [t for t in some if (t.unit, t.kind) == (unit, kind)]
            found = groups.get((unit, kind), RepairFigures())
            assert counted(found) == by_looking(theirs, begin, begin + lasts)


@given(tickets(), MOMENT, MOMENT, MOMENT)
def test_two_periods_add_up_to_the_one_of_both(
    some: list[TicketTimes], begin: int, one: int, other: int
) -> None:
    """To the millisecond; so days add up to a week."""
    whole, _ = figures_of(some, begin, begin + one + other)
    first, _ = figures_of(some, begin, begin + one)
    second, _ = figures_of(some, begin + one, begin + one + other)
    for name in ("opened", "acknowledged", "to_acknowledge_ms", "repaired", "to_repair_ms"):
        assert getattr(whole, name) == getattr(first, name) + getattr(second, name)
    assert whole.causes == first.causes + second.causes
