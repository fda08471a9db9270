"""Traffic to judge: a plan of parallel corridors and seals that drive them, stray, stop and are tampered with. Seeded."""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

__all__ = ["Sent", "Traffic"]

LON0, LAT0 = 105.2, 20.3
M_PER_DEG_LAT, M_PER_DEG_LON = 110_700.0, 104_400.0
EVERY_S = 30
HALF_WIDTH_M = 200
BETWEEN_M = 3_000
"""Between two corridors: nobody strays as far as the next one."""

BUFFER = range(40, 60)
"""Pings that a seal out of coverage sends afterwards, the newest first."""

Sent = tuple[str, dict[str, Any]]
"""A seal and its ping."""


def at(x_m: float, y_m: float) -> tuple[float, float]:
    """Longitude and latitude of a place in metres east and north of the corner."""
    return round(LON0 + x_m / M_PER_DEG_LON, 7), round(LAT0 + y_m / M_PER_DEG_LAT, 7)


@dataclass
class Traffic:
    """``seals`` seals of ``pings`` pings each from ``begin_s`` (epoch seconds) on; the same seed gives the same traffic."""

    begin_s: int
    seals: int = 50
    pings: int = 100
    seed: int = 20_260
    sent: list[Sent] = field(init=False)

    def __post_init__(self) -> None:
        self.sent = list(self._in_order_of_arrival())

    def name(self, seal: int) -> str:
        return f"T{seal:03}"

    def write_plan(self, folder: Path) -> Path:
        """The plan folder: a corridor a seal, zones on each."""
        folder.mkdir()
        routes = [
            feature(
                f"R{i}",
                "LineString",
                [at(0, i * BETWEEN_M), at(60_000, i * BETWEEN_M)],
                half_width_m=HALF_WIDTH_M,
            )
            for i in range(self.seals)
        ]
        zones = [zone for i in range(self.seals) for zone in self._zones(i)]
        write_collection(folder / "routes.geojson", routes)
        write_collection(folder / "zones.geojson", zones)
        armed_at = iso(self.begin_s - 60)
        with (folder / "journeys.jsonl").open("w") as file:
            for i in range(self.seals):
                journey = {"id": f"J-{self.name(i)}", "seal": self.name(i), "route": f"R{i}"}
                file.write(json.dumps(journey | {"regime": "transit", "armed_at": armed_at}) + "\n")
        return folder

    def write_trace(self, path: Path, sent: Sequence[Sent] | None = None) -> Path:
        """What was sent, as a trace."""
        columns = [
            "seal",
            "time",
            "lon",
            "lat",
            "valid",
            "speed_kmh",
            "accuracy_m",
            "battery_pct",
            "seq",
            "lock",
            "facts",
        ]
        with path.open("w", newline="") as file:
            rows = csv.DictWriter(file, columns)
            rows.writeheader()
            for seal, ping in self.sent if sent is None else sent:
                facts = "|".join(ping.get("facts", []))
                rows.writerow(ping | {"seal": seal, "valid": str(ping["valid"]).lower(), "facts": facts})
        return path

    def _zones(self, i: int) -> Iterator[dict[str, Any]]:
        y = i * BETWEEN_M
        for k, x in enumerate((8_000, 21_000, 33_000)):
            yield feature(f"Z{i}-{k}", "Point", at(x, y), kind="interest", radius_m=700)
        ring = [at(x, y + dy) for x, dy in ((12e3, 450), (16e3, 450), (16e3, 900), (12e3, 900), (12e3, 450))]
        yield feature(f"P{i}", "Polygon", [ring], kind="prohibited", reason="depot")

    def _in_order_of_arrival(self) -> Iterator[Sent]:
        drives = [self._drive(i) for i in range(self.seals)]
        for k in range(self.pings):
            for i, drive in enumerate(drives):
                buffers = i % 5 == 0
                if not (buffers and k in BUFFER):
                    yield self.name(i), drive[k]
                if buffers and k == BUFFER.stop:
                    yield from ((self.name(i), drive[j]) for j in reversed(BUFFER))

    def _drive(self, i: int) -> list[dict[str, Any]]:
        dice = random.Random(self.seed * 1_000 + i)
        x, y, battery = 0.0, 0.0, dice.choice([90.0, 31.0])
        strays = {dice.randrange(8, 20): dice.randrange(8, 16), dice.randrange(50, 60): dice.randrange(5, 15)}
        stops = dice.randrange(65, 75) if i % 4 == 0 else -1
        cut = dice.randrange(20, 90) if i % 9 == 0 else -1
        stray_left, pings = 0, []
        for k in range(self.pings):
            stray_left = strays.get(k, stray_left - 1)
            y = (600.0 if stray_left > 0 else 0.0) + dice.gauss(0, 15)
            if not 0 <= k - stops < 33 or stops < 0:
                x += EVERY_S * dice.uniform(12, 18)
            battery -= 0.05
            lon, lat = at(x, i * BETWEEN_M + y)
            ping: dict[str, Any] = {"time": iso(self.begin_s + EVERY_S * k), "lon": lon, "lat": lat}
            ping |= {"valid": True, "seq": k, "accuracy_m": 8, "battery_pct": round(battery, 1)}
            ping["lock"] = "cut" if k == cut else "closed"
            if k == cut:
                ping["facts"] = ["rope_cut"]
            pings.append(ping)
        return pings


def feature(name: str, kind_of_geometry: str, coordinates: Any, **properties: Any) -> dict[str, Any]:
    return {
        "type": "Feature",
        "id": name,
        "geometry": {"type": kind_of_geometry, "coordinates": coordinates},
        "properties": {"name": name, **properties},
    }


def write_collection(path: Path, features: list[dict[str, Any]]) -> None:
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))


def iso(epoch_s: float) -> str:
    moment = datetime.fromtimestamp(epoch_s, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
