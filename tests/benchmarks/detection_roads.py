"""Random roads and how a vehicle drives them, in metres of a local plane: the simulated half of `bench_detection`.

A road is a polyline. Four kinds: `city` (blocks of 80 to 300 m, turns of 90°), `highway` (long curves, interchanges with
loop ramps), `hairpin` (serpentines whose legs lie 60 to 160 m apart), `rural` (legs of 150 to 700 m, bends). A drive
rounds the corners, keeps to its lane, brakes for bends and waits at lights.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

__all__ = ["KINDS", "Drive", "along", "chainages", "detour", "drive", "map_of", "road"]

GRID_M = 4.0
"""Spacing at which a drive is laid out before it is timed."""

KINDS = ("city", "highway", "hairpin", "rural")

STRAIGHT_M = 3000.0
"""A detour no longer than this runs straight."""

TOP_M_S = {"city": 14.0, "highway": 28.0, "hairpin": 14.0, "rural": 22.0}
CURVE_M = {"city": 9.0, "highway": 25.0, "hairpin": 10.0, "rural": 20.0}
MAP_FAULT_KM = 40.0
LATERAL_M_S2 = 2.0
"""Sideways acceleration that a driver accepts in a bend; braking and speeding up likewise."""


@dataclass(frozen=True)
class Drive:
    """Where the vehicle truly is: ``t_s`` every second, ``xy`` float64[n, 2], ``rests`` whether it stands."""

    t_s: np.ndarray
    xy: np.ndarray
    rests: np.ndarray


def road(rng: np.random.Generator, kind: str, length_m: float) -> np.ndarray:
    """A polyline of a kind, float64[k, 2], about as long as asked."""
    aim = heading = rng.uniform(0, 2 * np.pi)
    here, points, gone = np.zeros(2), [np.zeros(2)], 0.0
    while gone < length_m:
        pieces = PIECES[kind](rng)
        if kind != "city":
            heading -= 0.3 * (np.remainder(heading - aim + np.pi, 2 * np.pi) - np.pi)
        for turn, step in pieces:
            heading += turn
            here = here + step * np.array([np.cos(heading), np.sin(heading)])
            points.append(here)
            gone += step
    return np.array(points)


def _city(rng):
    turn = rng.choice([0, 0, 0, np.pi / 2, -np.pi / 2])
    return [(turn, rng.uniform(80, 300))]


def _highway(rng):
    if rng.random() < 0.02:  # a loop ramp of 270° from one motorway to another
        radius, side = rng.uniform(45, 90), rng.choice([-1, 1])
        return [(side * np.pi / 12, radius * np.pi / 12)] * 18
    bend = rng.normal(0, 0.04)
    return [(bend, rng.uniform(60, 140)) for _ in range(int(rng.integers(4, 15)))]


def _hairpin(rng):
    side, radius = rng.choice([-1, 1]), rng.uniform(12, 25)
    leg = [(rng.normal(0, 0.15), rng.uniform(40, 80)) for _ in range(int(rng.integers(3, 8)))]
    return [
        *leg,
        *[(side * np.pi / 6, radius * np.pi / 6)] * 6,
        *leg,
        *[(-side * np.pi / 6, radius * np.pi / 6)] * 6,
    ]


def _rural(rng):
    return [(rng.normal(0, 0.35), rng.uniform(150, 700))]


PIECES = {"city": _city, "highway": _highway, "hairpin": _hairpin, "rural": _rural}


def map_of(rng: np.random.Generator, line: np.ndarray, offset_m: float = 4.0) -> np.ndarray:
    """The road as a map has it: simplified to 3 m, off by ``offset_m`` (standard deviation) as a whole and 2 m at each vertex.

    Once in `MAP_FAULT_KM` the map is plainly wrong: a rebuilt junction, a slip road drawn as the main one.
    """
    at = np.unique(np.concatenate([chainages(line), np.arange(0, chainages(line)[-1], 50.0)]))
    drawn = along(line, at)
    for _ in range(rng.poisson(at[-1] / 1000 / MAP_FAULT_KM)):
        wrong = np.exp(-(((at - rng.uniform(0, at[-1])) / rng.uniform(50, 200)) ** 2))
        drawn = drawn + wrong[:, None] * _lane(drawn) * rng.choice([-1, 1]) * rng.uniform(15, 50)
    simple = shapely.get_coordinates(shapely.LineString(drawn).simplify(3.0))
    return simple + rng.normal(0, offset_m, 2) + rng.normal(0, 2.0, simple.shape)


def detour(
    rng: np.random.Generator, line: np.ndarray, off_m: float, length_m: float, *, dead_end: bool = False
) -> tuple[np.ndarray, tuple[float, float]]:
    """``line`` with a stretch replaced by another street, and the chainages at which it leaves and is back.

    The other street leaves at 40° to 90°, runs ``off_m`` beside for about ``length_m`` and returns; a dead end goes
    out ``off_m`` and comes back the same way. Up to `STRAIGHT_M` it follows the chord, farther the road's own shape.
    """
    at = chainages(line)
    length_m = min(length_m, at[-1] * 0.4)
    a = rng.uniform(0.2 * at[-1], 0.8 * at[-1] - length_m)
    b = a + (20.0 if dead_end else length_m)
    p, q = along(line, np.array([a, b]))
    chord = (q - p) / max(float(np.hypot(*(q - p))), 1.0)
    normal = np.array([-chord[1], chord[0]]) * rng.choice([-1, 1])
    lean = 0.0 if dead_end else rng.choice([0.0, 0.5, 1.0]) * min(off_m, 0.3 * length_m)
    out = np.array([p + normal * off_m + chord * lean, q + normal * off_m - chord * lean])
    if dead_end:
        out = out[:1]
    elif length_m > STRAIGHT_M:
        out = line[(at > a) & (at < b)] + normal * off_m
    street = np.vstack([[p], out, [q]])
    new = np.vstack([line[at < a], street, line[at > b]])
    return new, (a, a + float(chainages(street)[-1]))


def chainages(line: np.ndarray) -> np.ndarray:
    """Metres along a polyline at each vertex."""
    return np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])


def along(line: np.ndarray, at_m: np.ndarray) -> np.ndarray:
    """Places at some chainages of a polyline."""
    have = chainages(line)
    return np.column_stack([np.interp(at_m, have, line[:, k]) for k in (0, 1)])


def drive(
    rng: np.random.Generator, line: np.ndarray, kind: str, waits: tuple[tuple[float, float], ...] = ()
) -> Drive:
    """Drive a road: corners rounded, own lane, bends at a bearable speed, lights in a city; ``waits`` are more stops.

    Each wait is (chainage, seconds). Stops at the beginning and the end are the caller's to ask for.
    """
    at = np.arange(0.0, chainages(line)[-1], GRID_M)
    path = _rounded(along(line, at), CURVE_M[kind])
    path = path + _lane(path) * rng.uniform(1.5, 5.0)
    stops = [*waits, *_lights(rng, line, kind, at[-1])]
    speed = _speeds(rng, path, kind, np.array([s for s, _ in stops]), at)
    t = np.concatenate([[0.0], np.cumsum(GRID_M / np.maximum((speed[1:] + speed[:-1]) / 2, 1.0))])
    dwell = np.zeros(len(at))
    for where, seconds in stops:
        dwell[np.searchsorted(at, where) if where < at[-1] else -1] += seconds
    leave = t + np.cumsum(dwell)
    both_t = np.column_stack([leave - dwell, leave + 1e-6 * np.arange(len(at))]).ravel()
    t_s = np.arange(0.0, both_t[-1])
    xy = np.column_stack([np.interp(t_s, both_t, np.repeat(path[:, k], 2)) for k in (0, 1)])
    rests = np.hypot(*np.diff(xy, axis=0, append=xy[-1:]).T) < 0.3
    return Drive(t_s, xy, rests)


def _rounded(path: np.ndarray, curve_m: float) -> np.ndarray:
    """Corners rounded by a running mean whose ends stay: a vehicle cuts a junction, the map does not."""
    half = max(int(curve_m / GRID_M), 1)
    padded = np.vstack([np.repeat(path[:1], half, axis=0), path, np.repeat(path[-1:], half, axis=0)])
    sums = np.vstack([np.zeros((1, 2)), np.cumsum(padded, axis=0)])
    return (sums[2 * half + 1 :] - sums[: -2 * half - 1]) / (2 * half + 1)


def _lane(path: np.ndarray) -> np.ndarray:
    """Unit vectors to the right of the path."""
    along_it = np.gradient(path, axis=0)
    unit = along_it / np.maximum(np.hypot(*along_it.T), 1e-9)[:, None]
    return np.column_stack([unit[:, 1], -unit[:, 0]])


def _lights(rng, line, kind, end_m):
    """Waits of 5 to 90 s at a third of a city's junctions; rarely elsewhere."""
    corners = chainages(line)[1:-1]
    chosen = corners[rng.random(len(corners)) < {"city": 0.3, "rural": 0.05}.get(kind, 0.003)]
    return [(float(c), float(rng.uniform(5, 90))) for c in chosen if c < end_m - GRID_M]


def _speeds(rng, path, kind, stops, at):
    """Speed at each grid point: what bends allow, with braking and speeding up at 2 m/s², zero at stops."""
    heading = np.unwrap(np.arctan2(*np.gradient(path, axis=0).T[::-1]))
    bend = np.abs(np.gradient(heading)) / GRID_M
    limit = np.sqrt(LATERAL_M_S2 / np.maximum(bend, LATERAL_M_S2 / TOP_M_S[kind] ** 2))
    limit *= np.interp(
        at,
        np.linspace(0, at[-1], max(int(at[-1] / 800), 2)),
        rng.uniform(0.6, 1.0, max(int(at[-1] / 800), 2)),
    )
    for s in stops:
        limit[min(int(s / GRID_M), len(at) - 1)] = 0.0
    reach = 2 * LATERAL_M_S2 * at
    ahead = np.minimum.accumulate(limit**2 - reach) + reach
    back = (np.minimum.accumulate((limit**2 + reach)[::-1]))[::-1] - reach
    return np.sqrt(np.maximum(np.minimum(ahead, back), 0.25))
