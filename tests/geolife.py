"""Real fixes of three people in Beijing as seals under way, and a plan in which they break something of most kinds."""

from __future__ import annotations

import gzip
import os
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from story import Ground

from seal_tracker.decoders.columns import to_batch
from seal_tracker.decoders.native import decode
from seal_tracker.model import NO_TIME, PingBatch, iso_ms
from seal_tracker.plans.model import Plan

DATA = Path(os.environ.get("SEAL_TRACKER_DATA", Path(__file__).parents[2] / "shared/data"))
GEOLIFE = DATA / "traces/geolife_000_002.csv.gz"


@cache
def rows() -> list[tuple[str, str, str, str]]:
    """(seal, time, lon, lat) of 47,217 fixes, jumps and same-time conflicts left in; a person's days of one month are a seal."""
    if not GEOLIFE.exists():
        pytest.skip(f"{GEOLIFE} is not here: the real traces are not part of the project")
    with gzip.open(GEOLIFE, "rt") as file:
        read = [line.rstrip().split(",") for line in file][1:]
    numbers = {name: i + 1 for i, name in enumerate(sorted({row[0][:10] for row in read}))}
    return [(f"G{numbers[row[0][:10]]:03}", row[2], row[4], row[3]) for row in read]


@cache
def geolife() -> PingBatch:
    """The fixes as pings; seal ``Gnnn`` has number n."""
    payload = ",".join(f'{{"time":"{t}","lon":{lon},"lat":{lat}}}' for _, t, lon, lat in rows())
    numbers = np.array([int(row[0][1:]) for row in rows()], np.int32)
    return to_batch(
        decode(f"[{payload}]".encode()).pings, numbers, NO_TIME
    )  # of 2008: any receive time would be wrong


ROAD = [[116.30, 39.90], [116.318, 39.985], [116.33, 40.01], [116.40, 39.99]]
PLACES = [
    (116.3186, 39.9847, 0.004, "interest"),
    (116.327, 40.0, 0.003, "prohibited"),
    (116.32, 40.008, 0.002, "checkpoint"),
    (116.3103, 39.9937, 0.001, "approved_stop"),
]


@cache
def beijing() -> Plan:
    """Every seal armed a minute after its first fix, on a road through the west of Beijing where these people went."""
    made = Ground().route("R", (0, 0), (1, 0), half_width_m=150, checkpoints=[{"zone": "Z2"}])
    made.routes[0]["geometry"]["coordinates"] = ROAD
    for i, (lon, lat, half_deg, kind) in enumerate(PLACES):
        made.zone(f"Z{i}", 0, 0, 1, kind)
        corners = [(-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1)]
        ring = [[lon + dx * half_deg, lat + dy * half_deg] for dx, dy in corners]
        made.zones[-1]["geometry"]["coordinates"] = [ring]
    pings = geolife()
    for seal in np.unique(pings.seal).tolist():
        first_ms = int(pings.time_ms[pings.seal == seal].min())
        made.journey(f"G{seal:03}", route="R", armed_at=iso_ms(first_ms + 60_000))
    return made.plan()
