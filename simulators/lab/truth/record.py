"""Lines of a truth file: what happened, what was wrong with devices, and where it was. Immutable."""

from __future__ import annotations

from typing import Literal

import msgspec

__all__ = ["Deed", "FaultLine", "Head", "Line", "Map", "Verdict"]

Verdict = Literal["must", "may", "must not"]
"""Whether the service must tell it, may (it is at the edge of what can be seen, or of the limit), or must not."""


class Head(msgspec.Struct, frozen=True, kw_only=True, tag_field="line", tag="scenario"):
    """First line: which scenario, from which seed, from when to when; ``now`` is the moment to judge at."""

    scenario: str
    title: str
    about: str
    case: str
    seed: int
    start: str
    now: str


class Deed(msgspec.Struct, frozen=True, kw_only=True, tag_field="line", tag="truth"):
    """Something that really happened, or looked like it.

    Attributes
    ----------
    rule, journey, seal, object
        what it should be told as, and of whom; None: of none, or of any.
    from_, to
        when it began and ended; ``to`` None: it has not.
    verdict, what
        whether it must be told, and in words why.
    metres, seconds, fixes
        how detectable: how far beyond the limit (None: no distance), how long, and how many usable fixes arrived of it.
    faults
        what was wrong with its device meanwhile.
    """

    rule: str
    journey: str | None
    seal: str | None
    object: str | None
    from_: str = msgspec.field(name="from")
    to: str | None
    verdict: Verdict
    what: str
    metres: float | None
    seconds: float
    fixes: int
    faults: tuple[str, ...] = ()


class FaultLine(msgspec.Struct, frozen=True, kw_only=True, tag_field="line", tag="fault"):
    """When something was wrong with a device."""

    fault: str
    who: str
    from_: str = msgspec.field(name="from")
    to: str | None


class Map(msgspec.Struct, frozen=True, kw_only=True, tag_field="line", tag="map"):
    """What to draw, all ``[lon, lat]``: routes, zones (kinds and ring; circles as rings), and by device its true track and the fixes of
    it that arrived, both with UTC epoch ms in front.
    """

    routes: dict[str, list[tuple[float, float]]]
    half_width_m: dict[str, float]
    zones: dict[str, tuple[str, list[tuple[float, float]]]]
    tracks: dict[str, list[tuple[int, float, float]]]
    said: dict[str, list[tuple[int, float, float]]] = {}


Line = Head | Deed | FaultLine | Map
