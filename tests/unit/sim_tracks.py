"""What a fleet publishes, put back together as a receiver would: tracks of fixes in time order, in arrival order too."""

from __future__ import annotations

import itertools
import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from sim_plan import Point, apart_m, to_line

from simulators.playback import Delivery


@dataclass
class Fix:
    """One published ping with its time in seconds and when it was sent."""

    at_s: float
    sent_s: float
    ping: dict

    @property
    def valid(self) -> bool:
        return self.ping["valid"]

    @property
    def point(self) -> Point:
        return self.ping["lon"], self.ping["lat"]


def seconds(text: str) -> float:
    return datetime.fromisoformat(text).astimezone(UTC).timestamp()


def arrivals(deliveries: Iterable[Delivery]) -> dict[str, list[Fix]]:
    """Fixes of each seal in the order in which they were sent."""
    found = defaultdict(list)
    for after_s, message in deliveries:
        content = json.loads(message.payload)
        pings = content if isinstance(content, list) else [content]
        seal = message.topic.split("/")[4]
        found[seal] += [Fix(seconds(p["time"]), after_s, p) for p in pings]
    return found


def tracks(found: dict[str, list[Fix]]) -> dict[str, list[Fix]]:
    """The same by time of the fix."""
    return {seal: sorted(fixes, key=lambda f: f.at_s) for seal, fixes in found.items()}


def between(track: list[Fix], from_s: float, to_s: float) -> list[Fix]:
    """Fixes from a time on and before another; those of a moment where both are one."""
    return [f for f in track if from_s <= f.at_s < to_s or f.at_s == from_s]


def gaps(track: list[Fix]) -> list[tuple[Fix, Fix]]:
    """Neighbours that would be silence by the default limit: 3 intervals, at least 10 min awake, 65 min asleep."""
    floor_s = {"awake": 600.0, "asleep": 3900.0}
    return [
        (a, b)
        for a, b in itertools.pairwise(track)
        if b.at_s - a.at_s > max(floor_s[a.ping["mode"]], 3 * a.ping["interval_s"])
    ]


def deviation_evidence(track: list[Fix], route: dict) -> float:
    """The most metres-seconds beyond the limit that any unbroken run of at least 3 fixes gathers."""
    line = np.array(route["geometry"]["coordinates"])
    widths = route["properties"]["half_width_m"]
    most, run = 0.0, []
    for fix in (f for f in track if f.valid):
        away_m, leg, _ = to_line(line, fix.point)
        beyond_m = away_m - widths[leg] - min(fix.ping["accuracy_m"], 30)
        if beyond_m <= 0:
            run = []
            continue
        run.append((fix.at_s, beyond_m))
        if len(run) >= 3:
            pairs = itertools.pairwise(run)
            most = max(most, sum((m + n) / 2 * min(t - s, 60) for (s, m), (t, n) in pairs))
    return most


def longest_stop_s(track: list[Fix], allowed: list) -> float:
    """Longest time within 100 m of a run's first fix, counting only fixes for which no zone of ``allowed`` holds."""
    longest, first = 0.0, None
    for fix in (f for f in track if f.valid):
        if any(zone_holds(fix.point) for zone_holds in allowed):
            first = None
        elif first is None or apart_m(first.point, fix.point) > 100:
            first = fix
        else:
            longest = max(longest, fix.at_s - first.at_s)
    return longest
