"""A journey: one supervised movement, and the dated facts that gate its judgement. Immutable; times are UTC epoch ms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Authorisation", "Journey"]


@dataclass(frozen=True, slots=True)
class Authorisation:
    """Leave to unlock within [from_ms, to_ms), in ``zone`` (None: anywhere), given by ``by``."""

    from_ms: int
    to_ms: int
    zone: str | None
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
    permit: Mapping[str, Any] | None = None
