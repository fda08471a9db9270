"""What a satellite receiver makes of a place: error that is correlated over minutes, and what disturbs it. Pure but for its generator.

The error is a first-order Gauss-Markov process, as satellites move and reflections change slowly. On top of it come disturbances, each
with its span: street canyons (a larger, quicker error with reflections), single reflections that throw fixes off, jamming, spoofing (a false track
that is walked off or held still), and firmware that claims an accuracy it does not have. Under a mountain there is no fix.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, exp, radians, sin, sqrt
from typing import NamedTuple

import numpy as np

from simulators.drive import Spot
from simulators.earth import metres_per_degree_at
from simulators.roads import Stretch
from simulators.world.spans import Span, is_in_any

__all__ = ["Canyon", "CorrelatedError", "Fix", "Jump", "Receiver", "Spoof"]

CORRELATION_S = 150.0
"""GNSS error forgets itself over minutes: satellites move and reflections change slowly."""
CANYON_CORRELATION_S = 45.0
"""Between houses reflections change with every street corner."""
REFLECTED_SHARE = 0.12
"""Of the fixes in a canyon, those that a reflection throws off by some times the canyon's error."""
LYING_CLAIM_M = 2.0
"""What firmware claims that smooths its track: a jump of 200 m came with 1.7 m in practice."""


class CorrelatedError:
    """First-order Gauss-Markov error east and north; exact for any spacing of fixes."""

    def __init__(
        self, rng: np.random.Generator, sigma_m: float, correlation_s: float = CORRELATION_S
    ) -> None:
        self._rng, self._sigma_m, self._correlation_s, self._time_s = rng, sigma_m, correlation_s, 0.0
        self._x_m, self._y_m = (float(v) for v in rng.normal(0.0, sigma_m, 2))

    def at(self, time_s: float) -> tuple[float, float]:
        """Metres east and north at a time not before the last one asked for."""
        kept = exp(-(time_s - self._time_s) / self._correlation_s)
        fresh = self._sigma_m * sqrt(max(0.0, 1.0 - kept * kept))
        x, y = self._rng.standard_normal(2).tolist()
        self._x_m, self._y_m = kept * self._x_m + fresh * x, kept * self._y_m + fresh * y
        self._time_s = time_s
        return self._x_m, self._y_m

    def applied(self, spot: Spot, time_s: float) -> tuple[float, float]:
        """A true place as the receiver reports it, degrees to 1e-6 (a decimetre)."""
        return moved(spot.lon, spot.lat, *self.at(time_s))


def moved(lon: float, lat: float, east_m: float, north_m: float) -> tuple[float, float]:
    """A place so many metres away, degrees to 1e-6."""
    east, north = metres_per_degree_at(lat)
    return round(lon + east_m / east, 6), round(lat + north_m / north, 6)


class Canyon(NamedTuple):
    """High walls: the error is ``sigma_m`` instead of the receiver's own, and some fixes are reflections."""

    span: Span
    sigma_m: float


class Jump(NamedTuple):
    """Reflections that throw all fixes of a span to one side."""

    span: Span
    bearing_deg: float
    metres: float


class Spoof(NamedTuple):
    """A false track: walked off the true one within ``ramp_s``; or, ``held``, standing where it began while the truck drives on."""

    span: Span
    bearing_deg: float
    metres: float
    ramp_s: float
    held: bool


class Fix(NamedTuple):
    """What the receiver says; all but ``satellites`` is None where it has no fix."""

    lon: float | None
    lat: float | None
    speed_kmh: float | None
    course_deg: int | None
    accuracy_m: int | None
    satellites: int
    jammed: bool

    @property
    def valid(self) -> bool:
        """Whether there is a position."""
        return self.lon is not None


@dataclass(slots=True)
class Receiver:
    """One receiver; ask it for fixes in order of time."""

    rng: np.random.Generator
    sigma_m: float
    tunnels: Sequence[Stretch] = ()
    canyons: Sequence[Canyon] = ()
    jumps: Sequence[Jump] = ()
    spoofs: Sequence[Spoof] = ()
    jammed: Sequence[Span] = ()
    blind: Sequence[Span] = ()
    """When no satellite is seen for another reason: a shed, an aerial that came off."""
    lying: Sequence[Span] = ()
    _own: CorrelatedError | None = None
    _canyon: CorrelatedError | None = None
    _held: Spot | None = None

    def fix(self, spot: Spot, time_s: float) -> Fix:
        """What it makes of a place."""
        jitter, claimed, sky, reflected = self.rng.random(4).tolist()
        jammed = is_in_any(self.jammed, time_s)
        if jammed or is_in_any(self.blind, time_s) or any(t.holds(spot.chainage_m) for t in self.tunnels):
            return Fix(None, None, None, None, None, 0, jammed)
        spot = self._spoofed(spot, time_s)
        canyon = next((c for c in self.canyons if c.span.holds(time_s)), None)
        east_m, north_m = self._error(canyon, reflected, time_s)
        lon, lat = moved(spot.lon, spot.lat, east_m, north_m)
        sigma_m = canyon.sigma_m if canyon else self.sigma_m
        lies = is_in_any(self.lying, time_s)
        speed = max(0.0, spot.speed_kmh + 2.4 * (jitter - 0.5)) if spot.speed_kmh > 0 else 0.0
        accuracy = LYING_CLAIM_M if lies else round(sigma_m * (1.0 + 0.7 * claimed))
        satellites = 5 + int(3 * sky) if canyon else 8 + int(7 * sky)
        return Fix(
            lon, lat, round(speed, 1), round(spot.course_deg) % 360, int(accuracy), satellites, jammed=False
        )

    def _error(self, canyon: Canyon | None, reflected: float, time_s: float) -> tuple[float, float]:
        self._own = self._own or CorrelatedError(self.rng, self.sigma_m)
        east_m, north_m = self._own.at(time_s)
        if canyon is not None:
            self._canyon = self._canyon or CorrelatedError(self.rng, canyon.sigma_m, CANYON_CORRELATION_S)
            east_m, north_m = self._canyon.at(time_s)
            if reflected < REFLECTED_SHARE:
                east_m, north_m = 2.5 * east_m, 2.5 * north_m
        for jump in self.jumps:
            if jump.span.holds(time_s):
                east_m += jump.metres * sin(radians(jump.bearing_deg))
                north_m += jump.metres * cos(radians(jump.bearing_deg))
        return east_m, north_m

    def _spoofed(self, spot: Spot, time_s: float) -> Spot:
        spoof = next((s for s in self.spoofs if s.span.holds(time_s)), None)
        if spoof is None:
            self._held = None
            return spot
        if spoof.held:
            self._held = self._held or spot._replace(speed_kmh=0.0)
            return self._held
        share = min(1.0, (time_s - spoof.span.from_s) / spoof.ramp_s) if spoof.ramp_s > 0 else 1.0
        bearing = radians(spoof.bearing_deg)
        lon, lat = moved(
            spot.lon, spot.lat, share * spoof.metres * sin(bearing), share * spoof.metres * cos(bearing)
        )
        return spot._replace(lon=lon, lat=lat)
