"""What a scenario's script can do: to vehicles, to seals, by officers and to equipment. Minutes count from the scenario's start.

Every act names ``who`` it is about. Where something happens is given by ``at_km`` along the vehicle's route, when by ``at_min``; acts on a
seal take either, ``at_km`` then means when its vehicle first comes by.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

__all__ = [
    "Act",
    "Authorise",
    "Battery",
    "Blind",
    "Canyon",
    "Charge",
    "Clock",
    "Detour",
    "Divert",
    "Fail",
    "FallBehind",
    "Jam",
    "Jump",
    "LeaveBehind",
    "Lie",
    "Lock",
    "Network",
    "Outage",
    "Pace",
    "Queue",
    "Read",
    "Reboot",
    "Reset",
    "Sleep",
    "Spoof",
    "Stop",
    "Suspend",
    "Swap",
    "TimedAct",
    "TurnBack",
]

Positive = Annotated[float, Meta(gt=0)]
Since = Annotated[float, Meta(ge=0)]
Share = Annotated[float, Meta(ge=0, le=1)]

LockAct = Literal[
    "cut_rope",
    "open_shell",
    "remove",
    "open_by_force",
    "open_by_officer",
    "close",
    "illegal_card",
    "wrong_password",
    "refused_outside_fence",
    "shake",
    "open_cover",
    "stick",
]


class _Act(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="do", tag=str.lower
):
    """Something that happens to somebody."""

    who: str


class Stop(_Act, frozen=True, kw_only=True):
    """A vehicle halts, pulled over ``left_m`` of the line (right: negative; 5 is its lane)."""

    at_km: Since
    for_min: Positive
    left_m: float = -5.0


class Queue(_Act, frozen=True, kw_only=True):
    """Stop and go."""

    at_km: Since
    for_min: Positive


class Detour(_Act, frozen=True, kw_only=True):
    """A vehicle drives beside its road, ``left_m`` of the line between two chainages, with ramps before and after."""

    from_km: Since
    to_km: Since
    left_m: float
    speed_kmh: Positive = 40.0


class Pace(_Act, frozen=True, kw_only=True):
    """A vehicle holds a speed of its own."""

    from_km: Since
    to_km: Since
    speed_kmh: Positive


class TurnBack(_Act, frozen=True, kw_only=True, tag="turn_back"):
    """A vehicle turns, drives back, turns again and goes on."""

    at_km: Since
    back_to_km: Since


class FallBehind(_Act, frozen=True, kw_only=True, tag="fall_behind"):
    """A follower's lag behind its leader becomes ``behind_s`` seconds, within ``over_min``."""

    at_min: Since
    behind_s: float
    over_min: Positive = 3.0


class TimedAct(_Act, frozen=True, kw_only=True):
    """An act on a seal, at a minute or at a kilometre."""

    at_min: Since | None = None
    at_km: Since | None = None


class LeaveBehind(TimedAct, frozen=True, kw_only=True, tag="leave_behind"):
    """A device's carrier is left standing, or (``onto``) goes on with another vehicle."""

    onto: str | None = None


class Lock(TimedAct, frozen=True, kw_only=True):
    """Somebody touches the lock."""

    act: LockAct


class Outage(TimedAct, frozen=True, kw_only=True):
    """No coverage; what is not buffered is lost."""

    for_min: Positive
    buffered: bool = True


class Network(TimedAct, frozen=True, kw_only=True):
    """A network that doubles and overtakes messages: shares of 1, and how late the overtaken are at most."""

    for_min: Positive
    doubled: Share = 0.0
    overtaken: Share = 0.0
    late_s: Since = 60.0


class Sleep(TimedAct, frozen=True, kw_only=True):
    """The seal dozes and reports every half hour."""

    for_min: Positive


class Reboot(TimedAct, frozen=True, kw_only=True):
    """It restarts: silent for some seconds, its sequence from 0."""

    for_s: Positive = 60.0


class Jam(TimedAct, frozen=True, kw_only=True):
    """Somebody drowns the satellites; the receiver notices, the modem goes on."""

    for_min: Positive


class Blind(TimedAct, frozen=True, kw_only=True):
    """No satellite is seen: a shed, an aerial that came off."""

    for_min: Positive


class Canyon(TimedAct, frozen=True, kw_only=True):
    """Between high walls the error is larger, and reflections throw some fixes off."""

    for_min: Positive
    sigma_m: Positive = 35.0


class Jump(TimedAct, frozen=True, kw_only=True):
    """A reflection throws fixes off for some seconds; ``lying``: with a claimed accuracy of 2 m."""

    metres: float
    bearing_deg: float = 90.0
    for_s: Positive = 30.0
    lying: bool = False


class Spoof(TimedAct, frozen=True, kw_only=True):
    """A false track: walked off within ``ramp_min``, or ``held`` standing where it began."""

    for_min: Positive
    metres: float = 0.0
    bearing_deg: float = 0.0
    ramp_min: Since = 10.0
    held: bool = False


class Lie(TimedAct, frozen=True, kw_only=True):
    """The receiver claims 2 m whatever its error."""

    for_min: Positive


class Clock(TimedAct, frozen=True, kw_only=True):
    """The seal's clock is ahead (behind: negative) and drifts."""

    for_min: Positive
    ahead_s: float
    drift_s_h: float = 0.0


class Battery(TimedAct, frozen=True, kw_only=True):
    """From now on the battery has so much, and drains from there."""

    pct: Annotated[float, Meta(ge=0, le=100)]


class Charge(TimedAct, frozen=True, kw_only=True):
    """It hangs on a charger."""

    for_min: Positive


class Authorise(_Act, frozen=True, kw_only=True):
    """An officer gives leave to unlock a journey's seal; ``zone``: only there."""

    at_min: Since
    for_min: Positive
    zone: str | None = None
    by: str = "officer-1"


class Divert(_Act, frozen=True, kw_only=True):
    """An officer orders a journey onto another route."""

    at_min: Since
    route: str
    by: str = "officer-1"


class Suspend(_Act, frozen=True, kw_only=True):
    """An officer suspends a journey's rules of route, stops and times."""

    at_min: Since
    for_min: Positive
    by: str = "officer-1"


class Reset(_Act, frozen=True, kw_only=True):
    """An officer has dealt with a latched episode."""

    at_min: Since
    rule: str
    by: str = "officer-1"


class Fail(_Act, frozen=True, kw_only=True):
    """A camera, scanner or reader is silent; ``told``: its broker says so by the last will."""

    at_min: Since
    for_min: Positive
    told: bool = False


class Weigh(_Act, frozen=True, kw_only=True):
    """A weighbridge weighs a journey's lorry: what it carries, and what the bridge errs by. One ``ticket`` is one weighing, its highest
    ``revision`` the right one; it is sent ``late_min`` afterwards, so many ``times``.
    """

    at_min: Since
    journey: str
    direction: Literal["out", "in"]
    tare_kg: Annotated[int, Meta(ge=0)] = 15_000
    error_kg: int = 0
    ticket: str | None = None
    revision: Annotated[int, Meta(ge=1)] = 1
    late_min: Since = 0.0
    times: Annotated[int, Meta(ge=1, le=10)] = 1


class Read(_Act, frozen=True, kw_only=True):
    """A camera, reader or scanner at a gate reads a journey's lorry as it comes by, or ``at_min``: what it shows, where nothing else is said. One
    ``reading`` is one, its highest ``revision`` the right one; it is sent ``late_min`` afterwards, so many ``times``.
    """

    journey: str
    at_min: Since | None = None
    plate: str | None = None
    containers: list[str] | None = None
    confidence: Share | None = None
    reading: str | None = None
    revision: Annotated[int, Meta(ge=1)] = 1
    late_min: Since = 0.0
    times: Annotated[int, Meta(ge=1, le=10)] = 1


class Swap(_Act, frozen=True, kw_only=True):
    """A journey goes on by a lorry with another plate, or with another container; its seal with it."""

    at_min: Since
    plate: str | None = None
    box: str | None = None


class Load(_Act, frozen=True, kw_only=True):
    """Cargo is put on a journey's lorry on the way, or with a negative mass taken off."""

    at_min: Since
    kg: int


Act = (
    Stop | Queue | Detour | Pace | TurnBack | FallBehind | LeaveBehind | Lock | Outage | Network | Sleep | Reboot
    | Jam | Blind | Canyon | Jump | Spoof | Lie | Clock | Battery | Charge | Authorise | Divert | Suspend | Reset | Fail
    | Weigh | Load | Read | Swap
)  # fmt: skip
