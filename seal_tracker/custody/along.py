"""What journeys move: a seal is put on at arming, and taken off at disarming; by transfers and corrections as well. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from seal_tracker.journey import Journey

__all__ = ["Put", "puts_of"]


class Put(NamedTuple):
    """A seal that comes on a journey, or off it (``on`` False), and when; ``is_seal``: that is its role there."""

    seal: str
    on: bool
    journey: str
    unit: str | None
    at_ms: int
    is_seal: bool


def puts_of(pairs: Iterable[tuple[Journey | None, Journey | None]]) -> list[Put]:
    """What changes of journeys, (as judged before, as from now on), put on and take off; what comes off first."""
    off: list[Put] = []
    on: list[Put] = []
    for before, after in pairs:
        was, is_now = _on(before), _on(after)
        ends = {} if after is None else {s.device: s.to_ms for s in after.served}
        for seal in was.keys() - is_now.keys():
            assert before is not None, "it was on it"
            end_ms = ends.get(seal)
            at_ms = was[seal][0] if end_ms is None else end_ms
            off.append(
                Put(seal, on=False, journey=before.id, unit=before.unit, at_ms=at_ms, is_seal=was[seal][1])
            )
        for seal in is_now.keys() - was.keys():
            assert after is not None, "it is on it"
            at_ms, is_seal = is_now[seal]
            on.append(Put(seal, on=True, journey=after.id, unit=after.unit, at_ms=at_ms, is_seal=is_seal))
    return sorted(off) + sorted(on)


def _on(journey: Journey | None) -> Mapping[str, tuple[int, bool]]:
    """What is on a journey until further notice: since when, and whether as a seal."""
    if journey is None:
        return {}
    return {
        s.device: (s.from_ms, s.role == "seal")
        for s in journey.served
        if s.to_ms is None and (s.leads or s.role == "seal")
    }
