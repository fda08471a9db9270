"""Roads, zones beside them and seals that drive them: a seeded workload for benchmarks, made in process."""

from __future__ import annotations

import math

import numpy as np
import shapely

__all__ = ["EVERY_S", "M_PER_DEG", "drive", "random_route", "random_zone", "scaled"]

M_PER_DEG = 111_195.0

EVERY_S = 30.0
"""Seconds between the fixes of a seal."""

ASTRAY = 12
"""Fixes of a tenth of the seals that leave their corridor, by up to 1.2 km: for six minutes."""


def scaled(line) -> np.ndarray:
    """A line in metres, every vertex with the scale of its own latitude."""
    return np.c_[line[:, 0] * np.cos(np.radians(line[:, 1])), line[:, 1]] * M_PER_DEG


def random_route(rng) -> np.ndarray:
    """A wandering road of 500 vertices, 150 to 450 m apart."""
    lon, lat = rng.uniform(103, 109), rng.uniform(10, 22)
    heading = rng.uniform(0, 2 * math.pi) + np.cumsum(rng.normal(0, 0.12, 500))
    step = rng.uniform(150, 450, 500)
    east, north = np.cumsum(step * np.sin(heading)), np.cumsum(step * np.cos(heading))
    return np.c_[lon + east / (M_PER_DEG * math.cos(math.radians(lat))), lat + north / M_PER_DEG].round(6)


def random_zone(rng, lines) -> shapely.Polygon:
    """A star of 8 to 64 corners, three in five beside a route; without lines in another part of the world."""
    centre = np.array([rng.uniform(103, 109), rng.uniform(10, 22)])
    if lines is None:
        centre[0] += 10
    elif rng.random() < 0.6:
        line = lines[rng.integers(len(lines))]
        centre = line[rng.integers(len(line))] + rng.normal(0, 0.01, 2)
    corners = int(rng.integers(8, 65))
    radius = math.exp(rng.uniform(math.log(100), math.log(5000))) * rng.uniform(0.6, 1, corners)
    angle = np.sort(rng.uniform(0, 2 * math.pi, corners))
    east, north = radius * np.sin(angle), radius * np.cos(angle)
    ring = centre + np.c_[east / math.cos(math.radians(centre[1])), north] / M_PER_DEG
    shape = shapely.Polygon(ring.round(6))
    return shape if shape.is_valid else shape.convex_hull


def drive(rng, lines, seals, pings):
    """Route, longitude and latitude (1e-7 degree) of all pings, in time order."""
    route = rng.integers(0, len(lines), seals)
    lon, lat = np.empty((pings, seals)), np.empty((pings, seals))
    for seal, number in enumerate(route):
        line = lines[number]
        flat = scaled(line)
        run = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(flat, axis=0).T))])
        at = rng.uniform(0, run[-1] * 0.8) + rng.uniform(8, 20) * EVERY_S * np.arange(pings)
        lon[:, seal], lat[:, seal] = np.interp(at, run, line[:, 0]), np.interp(at, run, line[:, 1])
    away = np.zeros((pings, seals))
    for seal in np.flatnonzero(rng.random(seals) < 0.1):
        begin = int(rng.integers(0, max(pings - ASTRAY, 1)))
        away[begin : begin + ASTRAY, seal] = 1000.0 * np.sin(np.linspace(0, math.pi, ASTRAY))[: pings - begin]
    lon += (rng.normal(0, 8, lon.shape) + away) / M_PER_DEG
    lat += (rng.normal(0, 8, lat.shape) + 0.7 * away) / M_PER_DEG
    to_e7 = lambda degrees: np.rint(degrees * 1e7).astype(np.int64).ravel()  # noqa: E731
    return np.tile(route, pings), to_e7(lon), to_e7(lat)
