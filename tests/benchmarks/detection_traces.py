"""Real drives as labelled trips: the other half of `bench_detection`.

A dense trace is cut into drives, and each drive's own true route is drawn from it: jumps dropped, the places of each
second smoothed, the line simplified to 4 m. Error slower than the smoothing stays in the drawn route, therefore the
receiver's error of `detection_errors` is added on top of the recorded fixes.
"""

from __future__ import annotations

import csv
import gzip
import json
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import shapely

__all__ = ["TRACES", "Recorded", "recorded"]

TRACES = Path(__file__).resolve().parents[3] / "shared/data/traces"

GAP_S = 60.0
JUMP_M_S = 50.0
DRIVING_M_S = 2.5
"""Mean speed over two minutes either side below which nobody drives."""
SHORTEST_M = 1500.0
SMOOTH_S = 2.5
"""Standard deviation of the smoothing: a junction at 10 m/s is cut by 10 m, white noise of 1 Hz fixes falls to a third."""
SIMPLE_M = 4.0
M_PER_DEG = 111_195.0


@dataclass(frozen=True)
class Recorded:
    """One drive: recorded ``t_s``, ``xy`` in metres, ``true_xy`` smoothed at the same times, ``route`` float64[k, 2]."""

    name: str
    t_s: np.ndarray
    xy: np.ndarray
    true_xy: np.ndarray
    route: np.ndarray


def recorded() -> list[Recorded]:
    """Every drive of the traces that is long enough; empty where the folder is absent."""
    if not TRACES.is_dir():
        return []
    tracks = [("munich", _munich()), ("limerick", _limerick()), *_geolife()]
    return [_drawn(name, *drive) for name, track in tracks for drive in _drives(*_metres(track))]


def _munich():
    rows = json.loads((TRACES / "munich_drive_1s.json").read_text())
    places = [re.findall(r"[\d.]+", row["point"]) for row in rows]
    times = [datetime.strptime(row["time"], "%Y-%m-%d %H:%M:%S%z").timestamp() for row in rows]
    return np.array([(t, float(x), float(y)) for t, (x, y) in zip(times, places, strict=True)])


def _limerick():
    text = (TRACES / "limerick_bus_1s.gpx").read_text()
    found = re.findall(r'<trkpt lat="([-\d.]+)" lon="([-\d.]+)">.*?<time>(.*?)</time>', text, re.DOTALL)
    return np.array([(datetime.fromisoformat(t).timestamp(), float(x), float(y)) for y, x, t in found])


def _geolife():
    tracks: dict[str, list[tuple[float, float, float]]] = {}
    with gzip.open(TRACES / "geolife_000_002.csv.gz", "rt") as lines:
        for row in csv.DictReader(lines):
            when = datetime.fromisoformat(row["ts"]).timestamp()
            tracks.setdefault(row["track_id"], []).append((when, float(row["lon"]), float(row["lat"])))
    return [(f"geolife {name}", np.array(rows)) for name, rows in tracks.items()]


def _metres(track):
    track = track[np.argsort(track[:, 0], kind="stable")]
    track = track[np.diff(track[:, 0], prepend=-1) > 0]
    lon, lat = np.median(track[:, 1]), np.median(track[:, 2])
    east = (track[:, 1] - lon) * M_PER_DEG * np.cos(np.radians(lat))
    return track[:, 0], np.column_stack([east, (track[:, 2] - lat) * M_PER_DEG])


def _drives(t, xy):
    """Stretches without gaps in which the vehicle drives, jumps dropped."""
    good = np.ones(len(t), bool)
    for _ in range(3):
        step = np.hypot(*np.diff(xy[good], axis=0).T) / np.diff(t[good])
        good[np.flatnonzero(good)[1:][step > JUMP_M_S]] = False
    t, xy = t[good], xy[good]
    for part in np.split(np.arange(len(t)), np.flatnonzero(np.diff(t) > GAP_S) + 1):
        at = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(xy[part], axis=0).T))])
        fast = (np.interp(t[part] + 120, t[part], at) - np.interp(t[part] - 120, t[part], at)) / 240
        edges = np.flatnonzero(np.diff(np.r_[False, fast > DRIVING_M_S, False]))
        for a, b in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
            stretch = part[a:b]
            speeds = np.hypot(*np.diff(xy[stretch], axis=0).T) / np.diff(t[stretch])
            if b - a > 60 and at[b - 1] - at[a] > SHORTEST_M and np.percentile(speeds, 85) > 8:
                yield t[stretch] - t[stretch[0]], xy[stretch]


def _drawn(name, t, xy):
    every = np.arange(0.0, t[-1] + 1)
    dense = np.column_stack([np.interp(every, t, xy[:, k]) for k in (0, 1)])
    reach = np.arange(-8, 9)
    weight = np.exp(-((reach / SMOOTH_S) ** 2) / 2)
    padded = np.pad(dense, ((8, 8), (0, 0)), mode="edge")
    smooth = np.column_stack([np.convolve(padded[:, k], weight / weight.sum(), "valid") for k in (0, 1)])
    route = shapely.get_coordinates(shapely.LineString(smooth).simplify(SIMPLE_M))
    true_xy = np.column_stack([np.interp(t, every, smooth[:, k]) for k in (0, 1)])
    return Recorded(name, t, xy, true_xy, route)
