"""Orders that suppress alarms by design: which they cover, for how long, and that nothing raised is ever lost by them."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from alarm_stories import MINUTE, Board, T, episode, event, over

from seal_tracker.alarms.deadlines import DEFAULT_TERMS, ms_of
from seal_tracker.alarms.due import timed
from seal_tracker.alarms.responsibility import NOBODY
from seal_tracker.alarms.rows import row_of
from seal_tracker.alarms.suppressions import (
    Circle,
    Orders,
    Suppression,
    order_in,
    row_of_order,
    state_at,
)
from seal_tracker.alarms.surroundings import Surroundings
from seal_tracker.model import iso_ms

HOUR = 60 * MINUTE
AT = T + 10 * MINUTE
"""When the story's silence is raised."""


def order(**changes: Any) -> Suppression:
    """Works of two hours from T on."""
    fields: dict[str, Any] = {
        "id": "o-1", "from_at": iso_ms(T), "until": iso_ms(T + 2 * HOUR), "reason": "works", "made_by": "binh",
        "made_at": iso_ms(T - HOUR), "changed_by": "binh", "changed_at": iso_ms(T - HOUR),
    }  # fmt: skip
    return Suppression(**fields | changes)


def board(*orders: Suppression) -> Board:
    """Alarms under these orders; unit "gate" is below "port", zone Z-1 lies east of 106°."""
    upwards = {"gate": ["gate", "port"], "port": ["port"]}
    standing = Orders(
        orders, lambda place, zone: place is not None and zone == "Z-1" and place[0] > 106, lambda unit: upwards.get(unit or "", [])
    )  # fmt: skip
    return Board(Surroundings(orders=standing))


COVERED = {
    "its type": {"types": ("SIGNAL_LOST", "GPS_LOST")},
    "its seal": {"seal": "S-1"},
    "its journey": {"journey": "J-1"},
    "its unit": {"unit": "gate"},
    "a unit above": {"unit": "port"},
    "a zone it lies in": {"zone": "Z-1"},
    "a circle around it": {"circle": Circle(lon=106.5, lat=20.0, radius_m=6_000)},
    "all of it": {"types": ("SIGNAL_LOST",), "seal": "S-1", "journey": "J-1", "unit": "gate", "zone": "Z-1"},
}
NOT_COVERED = {
    "another type": {"types": ("GPS_LOST",)},
    "another seal": {"seal": "S-2"},
    "another journey": {"journey": "J-2"},
    "another unit": {"unit": "inland"},
    "another zone": {"zone": "Z-2"},
    "a circle elsewhere": {"circle": Circle(lon=106.5, lat=20.0, radius_m=5_000)},
    "its type elsewhere": {"types": ("SIGNAL_LOST",), "seal": "S-2"},
    "before it begins": {"seal": "S-1", "from_at": iso_ms(AT + 1)},
    "after it ended": {"seal": "S-1", "from_at": iso_ms(T - HOUR), "until": iso_ms(AT)},
    "a cancelled one": {"seal": "S-1", "cancelled_by": "binh", "cancelled_at": iso_ms(T)},
}
FIXES = {"fixes": [{"lon": 106.55, "lat": 20.0}]}


@pytest.mark.parametrize("name", [*COVERED, *NOT_COVERED])
def test_an_order_covers_what_is_all_that_it_names(name: str) -> None:
    """In its time; the alarm is there, suppressed, with the order, and calls nobody before it ends."""
    made = board(order(**COVERED.get(name) or NOT_COVERED[name]))
    alarm = made.hear(event(episode(unit="gate", evidence=FIXES), "raised")).only
    if name in NOT_COVERED:
        assert (alarm.state, alarm.suppression, made.passages) == ("unacknowledged", None, [])
        return
    assert (alarm.state, alarm.acked_by, made.passages) == ("suppressed", None, ["suppressed"])
    aside = alarm.suppression
    assert aside is not None
    assert (aside.order, aside.by, aside.reason, aside.until) == (
        "o-1",
        "binh",
        "works",
        iso_ms(T + 2 * HOUR),
    )
    assert made.row().timer_ms == T + 2 * HOUR
    assert made.row().due_ms is None


def test_an_order_of_a_camera_covers_that_camera() -> None:
    """Whatever it says; not another's, nor a journey's of that name."""
    maintenance = order(equipment="CAM-1")
    for kind, subject, state in (
        ("equipment", "CAM-1", "suppressed"),
        ("equipment", "CAM-2", "unacknowledged"),
        ("journey", "CAM-1", "unacknowledged"),
    ):
        told = episode(type="EQUIPMENT_OFFLINE", subject_kind=kind, subject=subject, journey=None)
        assert board(maintenance).hear(event(told, "raised")).only.state == state


def test_of_several_orders_the_one_that_ends_last_holds() -> None:
    """So that no alarm calls in between."""
    late = order(id="o-2", until=iso_ms(T + 3 * HOUR), seal="S-1")
    alarm = board(order(seal="S-1"), late, order(id="o-3", seal="S-9")).hear(event(episode(), "raised")).only
    assert alarm.suppression is not None
    assert alarm.suppression.order == "o-2"


def test_what_an_order_suppressed_comes_back_when_it_ends_and_has_the_whole_time() -> None:
    """It was not lost: what still goes on has to be acknowledged."""
    made = board(order(seal="S-1")).hear(event(episode(), "raised"))
    end = T + 2 * HOUR
    assert timed(made.only, end - 1, DEFAULT_TERMS, [NOBODY]) is None
    step = timed(made.only, end, DEFAULT_TERMS, [NOBODY])
    assert step is not None
    assert (step.name, step.alarm.state) == ("unsuppressed", "unacknowledged")
    assert step.detail == {"until": iso_ms(end), "by": "binh"}
    assert row_of(step.alarm, ()).due_ms == end + 5 * MINUTE


def test_repeats_under_an_order_call_nobody_and_acknowledged_ones_are_not_asked_again() -> None:
    """An alarm that somebody acknowledged before the works is not raised anew by what the works do."""
    first = episode(-2400)
    made = board(order(seal="S-1")).hear(event(first, "raised"))
    assert made.only.state == "unacknowledged", "raised before the works"
    made.act("ack", made.row(), T - 25 * MINUTE)
    made.hear(event(over(first, 600), "cleared", 2), event(episode(-1100), "raised"))
    assert (made.only.repeats, made.only.state) == (2, "unacknowledged"), "minutes before the works"
    made.act("ack", made.row(), T - 5 * MINUTE)
    made.hear(event(episode(60), "raised"))
    assert (made.only.repeats, made.only.state) == (3, "suppressed")


def test_what_is_told_after_the_works_is_not_suppressed_any_more() -> None:
    """It happened under the order, and is known when that is over: somebody has to look."""
    made = board(order(seal="S-1"))
    alarm = made.hear(event(episode(), "raised", recorded_ms=T + 3 * HOUR)).only
    assert (alarm.state, ms_of(alarm.opened_at)) == ("unacknowledged", T + 3 * HOUR)


def test_an_order_is_kept_as_it_was_given_and_knows_where_it_is_in_its_life() -> None:
    one = order(
        id="00000000-0000-0000-0000-000000000001",
        types=("GPS_LOST",),
        circle=Circle(lon=1.5, lat=2.5, radius_m=3.5),
    )
    row = row_of_order(one)
    assert order_in(row) == one
    assert (row.from_ms, row.until_ms, row.cancelled_ms) == (T, T + 2 * HOUR, None)
    assert [state_at(one, T + hours * HOUR) for hours in (-1, 0, 2)] == ["planned", "standing", "over"]
    gone = msgspec.structs.replace(one, cancelled_at=iso_ms(T))
    assert state_at(gone, T) == "cancelled"
