"""The lock of a seal: its state from moment to moment, and what the seal says when somebody touches it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

__all__ = ["LOCK_ACTS", "LockChange", "lock_acted", "lock_at"]


class LockChange(NamedTuple):
    """The lock's state from a whole second on, with what the seal says about it once."""

    at_s: float
    lock: str
    facts: tuple[str, ...]


LOCK_ACTS: Mapping[str, tuple[str | None, tuple[str, ...]]] = {
    "cut_rope": ("cut", ("rope_cut",)),
    "open_shell": (None, ("shell_opened",)),
    "remove": (None, ("removed",)),
    "open_by_force": ("open", ()),
    "open_by_officer": ("open", ("unlock_ok",)),
    "close": ("closed", ()),
    "illegal_card": (None, ("illegal_card",)),
    "wrong_password": (None, ("wrong_password",)),
    "refused_outside_fence": (None, ("unlock_refused",)),
    "shake": (None, ("vibration",)),
    "open_cover": (None, ("cover_open",)),
    "stick": (None, ("motor_stuck",)),
}
"""What can be done to a lock: its state afterwards (None: as before), and the facts that the seal then reports."""


def lock_at(changes: Sequence[LockChange], time_s: float) -> str:
    """State of the lock, closed at arming; ``changes`` in order of time."""
    return next((c.lock for c in reversed(changes) if c.at_s <= time_s), "closed")


def lock_acted(acts: Sequence[tuple[float, str]]) -> list[LockChange]:
    """Changes from acts (time, name in ``LOCK_ACTS``), in order of time; a rope once cut stays cut."""
    changes: list[LockChange] = []
    state = "closed"
    for at_s, act in sorted(acts):
        new, facts = LOCK_ACTS[act]
        state = state if new is None or state == "cut" else new
        changes.append(LockChange(float(round(at_s)), state, facts))
    return changes
