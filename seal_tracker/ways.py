"""By which way seals are heard: the mobile network that carries them, and the gateway that hands them on. Pure but for what it keeps.

Seals or their gateways say it in their pings, as ``cell.carrier`` and ``gateway``. What has one way fails together, so alarms of one type
that have one in common are one group (see ``alarms.grouping``). Nothing is judged by it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from seal_tracker.decoders.native import NativePing

__all__ = ["UNKNOWN_WAY", "Way", "Ways"]

NAME: Final = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
"""What a network (``452-04``) or a gateway may be called; anything else is as good as nothing."""


class Way(NamedTuple):
    """The network and the gateway of a seal; None: unknown."""

    carrier: str | None = None
    gateway: str | None = None


UNKNOWN_WAY: Final = Way()


class Ways:
    """The ways that are stored, of spaces that were loaded.

    State: one entry a seal that ever said its way. Use it on the event loop.
    """

    def __init__(self) -> None:
        self._stored: dict[str, dict[str, Way]] = {}

    def __contains__(self, space: str) -> bool:
        """Whether a space was loaded."""
        return space in self._stored

    def load(self, space: str, stored: Mapping[str, Way]) -> None:
        """Begin with what is stored of a space."""
        self._stored[space] = dict(stored)

    def of(self, space: str) -> dict[str, Way]:
        """The ways of a space's seals."""
        return self._stored[space]

    def news(self, space: str, pings: Iterable[NativePing], seals: Iterable[str]) -> dict[str, Way]:
        """Seals whose way is another than what is stored, by the last of these pings that says it; buffered ones say what was."""
        found: dict[str, Way] = {}
        for ping, seal in zip(pings, seals, strict=True):
            if (ping.gateway is not None or ping.cell is not None) and not ping.buffered:
                way = way_of(ping)
                if way != UNKNOWN_WAY:
                    found[seal] = way
        stored = self._stored[space]
        return {seal: way for seal, way in found.items() if stored.get(seal) != way}

    def remember(self, space: str, news: Mapping[str, Way]) -> None:
        """They are stored."""
        self._stored[space] |= news


def way_of(ping: NativePing) -> Way:
    """The way that a ping says it came by."""
    return Way(name_in(None if ping.cell is None else ping.cell.carrier), name_in(ping.gateway))


def name_in(value: Any) -> str | None:
    """A name, where the value is one."""
    return value if isinstance(value, str) and NAME.fullmatch(value) else None
