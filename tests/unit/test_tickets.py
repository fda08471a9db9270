"""Tickets about equipment: which step follows which, who counts as having seen to it, and what is refused in which words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from seal_tracker.model import iso_ms
from seal_tracker.repairs import states
from seal_tracker.repairs.states import NEXT, UNDER_WAY, StateName, Ticket, row_of, ticket_in
from seal_tracker.supervision.errors import Refused, Unfit, WrongState

NOW = 1_795_316_400_000
MINUTE = 60_000
ID = "6f1c2a34-9b1d-4c57-8a52-0d4be9a1c001"
EPISODE = "6f1c2a34-9b1d-4c57-8a52-0d4be9a1c002"
STATES = StateName.__args__  # type: ignore[attr-defined]

STEPS: dict[str, Callable[[Ticket], Ticket]] = {
    "assign": lambda t: states.assigned(t, "an", "Cty Minh", None, NOW),
    "start": lambda t: states.started(t, "an", None, NOW),
    "note": lambda t: states.noted(t, "an", "rings twice", NOW),
    "repaired": lambda t: states.repaired(t, "an", "power", None, NOW, NOW),
    "reopen": lambda t: states.reopened(t, "an", "dark again", NOW),
    "close": lambda t: states.closed(t, "binh", None, NOW),
    "cancel": lambda t: states.cancelled(t, "binh", "was switched off", NOW),
}

TAKEN = {
    "open": {"assign": "assigned", "start": "in_repair", "note": "open", "repaired": "repaired", "cancel": "cancelled"},
    "assigned": {"assign": "assigned", "start": "in_repair", "note": "assigned", "repaired": "repaired", "cancel": "cancelled"},
    "in_repair": {"assign": "assigned", "note": "in_repair", "repaired": "repaired", "cancel": "cancelled"},
    "repaired": {"note": "repaired", "reopen": "assigned", "close": "closed", "cancel": "cancelled"},
    "closed": {},
    "cancelled": {},
}  # fmt: skip
"""State to step to the state after it; what is not here is refused."""


def ticket(state: StateName = "open", **changes: Any) -> Ticket:
    """A camera that fails for an hour, and has had its ticket for half of it."""
    failed, opened = iso_ms(NOW - 60 * MINUTE), iso_ms(NOW - 30 * MINUTE)
    more = {"repaired_by": "an", "repaired_at": iso_ms(NOW), "cause": "wear"} if state == "repaired" else {}
    given: dict[str, Any] = {
        "id": ID, "state": state, "equipment": "CAM-1", "kind": "camera", "unit": "u1", "fault": "dark", "episode": EPISODE,
        "opened_by": "system", "opened_at": opened, "failed_at": failed, "changed_by": "system", "changed_at": opened,
    }  # fmt: skip
    return Ticket(**(given | more | changes))


@pytest.mark.parametrize("state", STATES)
def test_each_step_is_taken_or_refused_by_the_state_alone(state: StateName) -> None:
    """What is taken makes one version more; what is refused says since when it is what it is."""
    for step, take in STEPS.items():
        if step not in TAKEN[state]:
            with pytest.raises(WrongState, match=r"since 2026"):
                take(ticket(state))
            continue
        after = take(ticket(state))
        assert (after.state, after.version, after.changed_at) == (TAKEN[state][step], 2, iso_ms(NOW))
        assert after.state in NEXT[state]
        assert (after.ended_at is None) is (after.state in UNDER_WAY)
        assert row_of(after).under_way is (after.state in UNDER_WAY)
        assert ticket_in(row_of(after)) == after


def test_the_first_person_who_does_anything_has_acknowledged_it() -> None:
    """Who comes later, or the service's own news of the episode, is not it."""
    heard = states.heard_again(ticket(), NOW - MINUTE, NOW)
    assert (heard.acknowledged_at, heard.heard_again_at, heard.state) == (
        None,
        iso_ms(NOW - MINUTE),
        "open",
    )
    first = states.noted(heard, "an", "I go there", NOW + MINUTE)
    later = states.assigned(first, "binh", "Cty Minh", None, NOW + 2 * MINUTE)
    assert (later.acknowledged_by, later.acknowledged_at) == ("an", iso_ms(NOW + MINUTE))


def test_nobody_verifies_their_own_repair() -> None:
    """Another may."""
    with pytest.raises(WrongState, match="an repaired it: another must look"):
        states.closed(ticket("repaired"), "an", None, NOW)
    assert states.closed(ticket("repaired"), "binh", "looked", NOW).ended_by == "binh"


@pytest.mark.parametrize("minutes", [-61, 1])
def test_a_repair_lies_between_the_failure_and_now(minutes: int) -> None:
    """The edges are inside."""
    with pytest.raises(Unfit, match="between its failure"):
        states.repaired(ticket(), "an", "power", None, NOW + minutes * MINUTE, NOW)
    for edge_ms in (NOW - 60 * MINUTE, NOW):
        assert states.repaired(ticket(), "an", "power", None, edge_ms, NOW).repaired_at == iso_ms(edge_ms)


def test_what_was_not_repaired_after_all_has_no_repair() -> None:
    """Nor has what was no fault: neither counts."""
    for after in (STEPS["reopen"](ticket("repaired")), STEPS["cancel"](ticket("repaired"))):
        assert (after.repaired_at, after.repaired_by, after.cause) == (None, None, None)


def test_an_episode_that_late_data_took_back_cancels_what_nobody_has_touched() -> None:
    """What somebody is at goes on, without it; a person says what it was."""
    untouched = states.without_episode(ticket(), NOW)
    assert (untouched.state, untouched.episode, untouched.ended_by) == ("cancelled", None, "system")
    touched = states.without_episode(STEPS["start"](ticket()), NOW)
    assert (touched.state, touched.episode) == ("in_repair", None)


def test_a_refusal_changes_nothing() -> None:
    """A ticket is a value."""
    before = ticket("closed")
    for take in STEPS.values():
        with pytest.raises(Refused):
            take(before)
    assert msgspec.json.encode(before) == msgspec.json.encode(ticket("closed"))
