"""Whether a seal may be unlocked from afar now, and why not: armed, closed, with leave, and where the leave is for. Pure.

Asked when an unlock is approved and again when it is sent. It is stricter than the rules that judge an unlocking afterwards, so
that what is sent raises neither ``SEAL_TAMPER`` nor ``SEAL_OPENED_OUTSIDE_ZONE``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from seal_tracker.journey import Authorisation, Journey
from seal_tracker.model import Lock, iso_ms

__all__ = ["PLACE_AGE_MS", "SealFacts", "unlock_refusal"]

PLACE_AGE_MS: Final = 600_000
"""Oldest fix that still says where a seal is, as for the rules: a lorry is 15 km on by then."""

AHEAD_MS: Final = 300_000
"""A device's clock is believed so far ahead of ours."""

DESTINATIONS: Final = frozenset({"port", "gate"})
"""Kinds of zones that minerals are bound for, where their journey does not name one."""


@dataclass(frozen=True, slots=True)
class SealFacts:
    """What is known of a seal now. ``zones`` and ``kinds`` are of the zones in force that hold its last fix, of ``fix_ms``.

    ``journey``: the one that the seal is armed on.
    """

    seal: str
    journey: Journey | None
    lock: Lock
    fix_ms: int | None
    zones: frozenset[str] = frozenset()
    kinds: frozenset[str] = frozenset()

    @property
    def unit(self) -> str | None:
        """Whose it is."""
        return None if self.journey is None else self.journey.unit


def unlock_refusal(facts: SealFacts, now_ms: int) -> str | None:
    """Why the seal may not be unlocked now, and what would have to be done; None: it may."""
    journey = facts.journey
    if journey is None:
        return f"seal {facts.seal} is on no journey that is armed: there is nothing to unlock it from"
    leaves = [a for a in journey.authorisations if a.from_ms <= now_ms < a.to_ms]
    if not leaves:
        return (
            f"journey {journey.id} has no leave to unlock at {iso_ms(now_ms)}; give it: "
            f"POST /api/v1/journeys/{journey.id}/authorise"
        )
    if facts.lock is not Lock.CLOSED:
        return f"the lock was last said to be {facts.lock.name.lower()}: only one that is closed is unlocked from afar"
    if facts.fix_ms is None or not -AHEAD_MS <= now_ms - facts.fix_ms <= PLACE_AGE_MS:
        last = "it has none" if facts.fix_ms is None else f"its last is of {iso_ms(facts.fix_ms)}"
        return f"seal {facts.seal} must have a fix of the last {PLACE_AGE_MS // 60_000} min, and {last}; ask for its position"
    if not any(_is_where(leave, journey, facts) for leave in leaves):
        here = ", ".join(sorted(facts.zones)) or "no zone"
        wanted = " or ".join(sorted({_place_of(leave, journey) for leave in leaves}))
        return f"the seal is in {here} (fix of {iso_ms(facts.fix_ms)}), its leave to unlock is for {wanted}"
    return None


def _is_where(leave: Authorisation, journey: Journey, facts: SealFacts) -> bool:
    """Whether the seal is where that leave is for: its zone, else the destination; minerals at their destination always."""
    if leave.zone is not None and leave.zone not in facts.zones:
        return False
    if leave.zone is None and "unlock_allowed" not in facts.kinds:
        return False
    if leave.zone is not None and journey.regime != "minerals":
        return True
    if journey.destination_zone is not None:
        return journey.destination_zone in facts.zones
    return journey.regime != "minerals" or bool(DESTINATIONS & facts.kinds)


def _place_of(leave: Authorisation, journey: Journey) -> str:
    if leave.zone is not None and journey.regime != "minerals":
        return f"zone {leave.zone}"
    end = (
        f"its destination {journey.destination_zone}"
        if journey.destination_zone is not None
        else "a port or gate" if journey.regime == "minerals" else "anywhere"
    )  # fmt: skip
    return f"zone {leave.zone} at {end}" if leave.zone is not None else f"{end} where unlocking is allowed"
