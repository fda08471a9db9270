"""What may happen to a seal, wherever the truck is: each plot alters the seal at a time of the journey and says what is true.

Times are whole seconds from the journey's start.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from simulators.draft import Happening
from simulators.seal import Seal
from simulators.world.lock import LockChange
from simulators.world.modem import Outage
from simulators.world.spans import Span

__all__ = ["SEAL_PLOTS"]


def rope_cut(seal: Seal, at_s: float, _rng: np.random.Generator) -> Happening:
    """The rope is cut and stays cut."""
    seal.lock_changes.append(LockChange(at_s, "cut", ("rope_cut", "vibration")))
    return Happening("rope_cut", at_s, at_s, ("SEAL_TAMPER",))


def shell_opened(seal: Seal, at_s: float, _rng: np.random.Generator) -> Happening:
    """The shell is opened while the lock stays closed."""
    seal.lock_changes.append(LockChange(at_s, "closed", ("shell_opened",)))
    return Happening("shell_opened", at_s, at_s, ("SEAL_TAMPER",))


def opened(seal: Seal, at_s: float, rng: np.random.Generator) -> Happening:
    """The lock opens with nobody's leave; half of them are closed again after some minutes, which heals nothing."""
    seal.lock_changes.append(LockChange(at_s, "open", ()))
    to_s = at_s
    if rng.integers(2):
        to_s = at_s + float(rng.integers(180, 480))
        seal.lock_changes.append(LockChange(to_s, "closed", ()))
    return Happening("opened", at_s, to_s, ("SEAL_TAMPER",), detail={"closed_again": to_s > at_s})


def refused(seal: Seal, at_s: float, _rng: np.random.Generator) -> Happening:
    """Somebody tries a card the lock does not know: it stays closed."""
    seal.lock_changes.append(LockChange(at_s, "closed", ("illegal_card",)))
    return Happening("refused", at_s, at_s, ("UNLOCK_REFUSED",), ("SEAL_TAMPER",))


def silent(seal: Seal, at_s: float, rng: np.random.Generator) -> Happening:
    """The modem is dead for 15 to 40 minutes, and what it would have said is gone: where it went meanwhile nobody knows."""
    span = Span(at_s, at_s + float(rng.integers(15 * 60, 40 * 60)))
    seal.outages.append(Outage(span, buffered=False))
    return Happening("silent", *span, ("SIGNAL_LOST", "UNOBSERVED_GAP"))


def patchy(seal: Seal, at_s: float, rng: np.random.Generator) -> Happening:
    """Out of coverage for 9 to 25 minutes, all of it sent afterwards: whoever raised an alarm must take it back."""
    span = Span(at_s, at_s + float(rng.integers(9 * 60, 25 * 60)))
    seal.outages.append(Outage(span, buffered=True))
    return Happening("patchy", *span, near_miss_of=("SIGNAL_LOST", "UNOBSERVED_GAP"))


def jammed(seal: Seal, at_s: float, rng: np.random.Generator) -> Happening:
    """Satellites are drowned for twelve minutes while the seal goes on talking: too short for a gap that hides a detour."""
    span = Span(at_s, at_s + float(rng.integers(690, 770)))
    seal.jammed.append(span)
    return Happening("jammed", *span, ("GPS_LOST", "JAMMING_SUSPECTED"), ("UNOBSERVED_GAP",))


def battery_low(seal: Seal, at_s: float, rng: np.random.Generator) -> Happening:
    """An old battery falls below 30 %."""
    return _drained(seal, at_s, 30.0, float(rng.uniform(2.5, 4.5)), "battery_low")


def battery_critical(seal: Seal, at_s: float, rng: np.random.Generator) -> Happening:
    """A worn out battery falls below 10 %."""
    return _drained(seal, at_s, 10.0, float(rng.uniform(1.5, 2.5)), "battery_critical")


SEAL_PLOTS: Mapping[str, Callable[[Seal, float, np.random.Generator], Happening]] = {
    "rope_cut": rope_cut,
    "shell_opened": shell_opened,
    "opened": opened,
    "refused": refused,
    "silent": silent,
    "patchy": patchy,
    "jammed": jammed,
    "battery_low": battery_low,
    "battery_critical": battery_critical,
}


def _drained(seal: Seal, at_s: float, level_pct: float, drain_pct_h: float, what: str) -> Happening:
    seal.drain_pct_h = drain_pct_h
    seal.battery_pct = level_pct + drain_pct_h * at_s / 3600.0
    return Happening(what, at_s, at_s, ("BATTERY_LOW",), detail={"level_pct": level_pct})
