"""Journeys as they are held for judging: a change touches what it changes, and comes to the same as everything made anew."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np

from seal_tracker.in_force import InForce
from seal_tracker.journey import Diversion, Journey, Suspension, Transfer
from seal_tracker.tracking.epochs import JourneyTable

DEVICES = [f"S-{i}" for i in range(12)]
NUMBERS = {device: number for number, device in enumerate(reversed(DEVICES), 1)}
ROLES = ("seal", "tractor", "trailer", "escort")


def drawn(name: str, by: random.Random) -> Journey:
    """A journey of one to three devices, at any time, some with a permit, orders and another seal on the way."""
    lead, *others = by.sample(DEVICES, by.randint(1, 3))
    armed_ms = by.randrange(100)
    journey = Journey(
        name, lead, ((lead, "seal"), *((d, by.choice(ROLES)) for d in others)), by.choice(["R", "Q", None]), "transit",
        armed_ms, by.choice([None, armed_ms + by.randint(1, 60)]),
    )  # fmt: skip
    if others and by.random() < 0.5:
        journey = replace(journey, permit={"escorts": [{"device": d, "gap_m": 100} for d in others]})
    if by.random() < 0.3:
        at = armed_ms + by.randrange(50)
        journey = replace(
            journey,
            diversions=(Diversion(at, "Q", "an officer"),),
            suspensions=(Suspension(at, at + 9, "an officer"),),
        )
    if by.random() < 0.3:
        journey = replace(
            journey, transfers=(Transfer(armed_ms + 5, lead, by.choice(DEVICES), "an officer"),)
        )
    return journey


def n_devices(journey: Journey) -> int:
    return len(journey.devices)


def routes(table: JourneyTable) -> list[str | None]:
    names, codes = table._coded_routes
    return [names[code] for code in codes.tolist()]


def assert_same_table(one: JourneyTable, other: JourneyTable) -> None:
    """Column by column, phase by phase."""
    assert (one.journeys, one.phases) == (other.journeys, other.phases)
    for name in ("seal", "from_ms", "to_ms", "key"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), name)
    for name, column in one.with_none._asdict().items():
        np.testing.assert_array_equal(column, getattr(other.with_none, name), name)
    assert routes(one) == routes(other) == [phase.route for phase in one.phases]
    np.testing.assert_array_equal(one.column(n_devices, -1), other.column(n_devices, -1))


def test_a_change_of_some_journeys_gives_the_table_of_all() -> None:
    """Whatever is armed, amended, handed on or let go: as if all journeys had been read at once."""
    by = random.Random(7)
    held = InForce([drawn(f"J-{i}", by) for i in range(8)])
    held.build(NUMBERS)
    for step in range(150):
        held.table.column(n_devices, -1)
        names = by.sample([*held.journeys, *(f"J-{8 + 3 * step + k}" for k in range(3))], by.randint(1, 3))
        changes = {name: None if by.random() < 0.3 else drawn(name, by) for name in names}
        then = held.changed(changes)
        then.build(NUMBERS)
        anew = InForce(list(then.journeys.values()))
        anew.build(NUMBERS)
        assert_same_table(then.table, anew.table)
        then.extend([drawn(f"OLD-{step}", by)], {})
        then.build(NUMBERS)
        anew = InForce(list(then.journeys.values()))
        anew.build(NUMBERS)
        assert_same_table(then.table, anew.table)
        held = then if by.random() < 0.8 else held  # the commit may fail: what was held is as it was
    assert len(held.table.phases) > len(held.journeys) > 8
