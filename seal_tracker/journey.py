"""A journey: one supervised movement, and the dated facts that gate its judgement. Immutable; times are UTC epoch ms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Authorisation", "Diversion", "Journey", "Reset", "Suspension"]


@dataclass(frozen=True, slots=True)
class Authorisation:
    """Leave to unlock within [from_ms, to_ms), in ``zone`` (None: anywhere), given by ``by``."""

    from_ms: int
    to_ms: int
    zone: str | None
    by: str


@dataclass(frozen=True, slots=True)
class Diversion:
    """From ``at_ms`` on the journey is judged by another route (None: by none), as ``by`` ordered."""

    at_ms: int
    route: str | None
    by: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Suspension:
    """Within [from_ms, to_ms) route, stops and times are not judged; ``to_ms`` None: until further notice."""

    from_ms: int
    to_ms: int | None
    by: str


@dataclass(frozen=True, slots=True)
class Reset:
    """An officer's word that the latched episode of ``rule`` and ``object`` open at ``at_ms`` is dealt with."""

    at_ms: int
    rule: str
    object: str | None
    by: str


@dataclass(frozen=True, slots=True)
class Journey:
    """One supervised movement, armed in [armed_at_ms, disarmed_at_ms).

    ``seal`` is the lead device; ``devices`` are (id, role), the lead among them. ``permit`` is the oversized
    vehicle's, as written in the file and checked.
    """

    id: str
    seal: str
    devices: tuple[tuple[str, str], ...]
    route: str | None
    regime: str
    armed_at_ms: int
    disarmed_at_ms: int | None = None
    unit: str | None = None
    due_at_ms: int | None = None
    declaration: str | None = None
    cargo: str | None = None
    origin_zone: str | None = None
    destination_zone: str | None = None
    authorisations: tuple[Authorisation, ...] = ()
    diversions: tuple[Diversion, ...] = ()
    suspensions: tuple[Suspension, ...] = ()
    resets: tuple[Reset, ...] = ()
    permit: Mapping[str, Any] | None = None

    @property
    def seals(self) -> tuple[str, ...]:
        """The lead device, then the journey's secondary seals: every other device of role seal."""
        return (self.seal, *(d for d, role in self.devices if role == "seal" and d != self.seal))
