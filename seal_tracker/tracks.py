"""A journey's track as the world reads it: GeoJSON, GPX 1.1, CSV in the form of a trace, OGC Moving Features JSON. Pure.

A track is what judging accepted: usable fixes in the order of event time, variants of one moment as one, outliers left out.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from xml.etree import ElementTree as ET

import msgspec
import numpy as np

from seal_tracker.model import Fact, Lock, Mode, PingBatch, iso_ms, iso_or_none
from seal_tracker.tracking.order import in_order, merge_variants, usable_fix
from seal_tracker.tracking.plausibility import Candidates, accept
from seal_tracker.tracking.state import blank_rows

__all__ = ["FORMATS", "DeviceTrack", "accepted_pings", "gone_until"]

GPX: Final = "http://www.topografix.com/GPX/1/1"
GPX_OWN: Final = "urn:seal-tracker:gpx"

CSV_COLUMNS: Final = (
    "seal", "time", "lon", "lat", "valid", "speed_kmh", "course_deg", "accuracy_m", "satellites", "battery_pct",
    "seq", "lock", "facts", "mode", "interval_s", "received",
)  # fmt: skip
MIN_LINE: Final = 2
"""A GeoJSON LineString has at least two positions."""

ANTIMERIDIAN: Final = 180.0
"""In GPX it is -180 alone."""


@dataclass(frozen=True, slots=True)
class DeviceTrack:
    """The accepted fixes of one device of a journey, in the order of time, as the pings they came with. What it sent up to ``gone_ms`` is
    no longer kept; None: all is there.
    """

    device: str
    role: str
    pings: PingBatch
    gone_ms: int | None = None

    @property
    def gone_until(self) -> str | None:
        """Up to when nothing is kept, as ISO 8601."""
        return iso_or_none(self.gone_ms)

    @property
    def positions(self) -> list[list[float]]:
        """``[lon, lat]`` of each fix, in degrees."""
        lon, lat = self.pings.lon_e7 / 1e7, self.pings.lat_e7 / 1e7
        positions: list[list[float]] = np.round(np.stack([lon, lat], axis=1), 7).tolist()
        return positions

    @property
    def times(self) -> list[str]:
        """When each fix was, as ISO 8601."""
        return [iso_ms(at) for at in self.pings.time_ms.tolist()]


def accepted_pings(pings: PingBatch) -> PingBatch:
    """Of one device's pings those whose fixes move its track, in the order of time."""
    ordered = merge_variants(in_order(pings))
    usable = ordered.take(np.flatnonzero(usable_fix(ordered)))
    if not len(usable):
        return usable
    found = Candidates(
        row=np.zeros(len(usable), np.int64),
        time_ms=usable.time_ms,
        lon_e7=usable.lon_e7.astype(np.int64),
        lat_e7=usable.lat_e7.astype(np.int64),
        accuracy_m=usable.accuracy_m,
        speed_kmh=usable.speed_kmh,
    )
    order = accept(blank_rows(1)["track"], found).order
    return usable.take(np.sort(order[order >= 0]))


def gone_until(tracks: Sequence[DeviceTrack]) -> str | None:
    """Up to when any of these tracks lacks what is no longer kept, as ISO 8601."""
    return max((track.gone_until for track in tracks if track.gone_until), default=None)


def as_geojson(journey: str, tracks: Sequence[DeviceTrack]) -> bytes:
    """A FeatureCollection of one feature a device; ``coordinateProperties`` has an element for each position, ``gone_until`` says up to
    when nothing is kept.
    """
    features = [_feature(journey, track) for track in tracks]
    return msgspec.json.encode(
        {"type": "FeatureCollection", "gone_until": gone_until(tracks), "features": features}
    )


def as_gpx(journey: str, tracks: Sequence[DeviceTrack]) -> bytes:
    """GPX 1.1, one ``trk`` a device; speed (km/h) and lock as extensions, and up to when nothing is kept, which ``desc`` says in words."""
    ET.register_namespace("", GPX)
    ET.register_namespace("seal", GPX_OWN)
    root = ET.Element(f"{{{GPX}}}gpx", {"version": "1.1", "creator": "Seal Tracker"})
    ET.SubElement(ET.SubElement(root, f"{{{GPX}}}metadata"), f"{{{GPX}}}name").text = journey
    for track in tracks:
        trk = ET.SubElement(root, f"{{{GPX}}}trk")
        ET.SubElement(trk, f"{{{GPX}}}name").text = track.device
        if gone := track.gone_until:
            ET.SubElement(trk, f"{{{GPX}}}desc").text = f"What it sent up to {gone} is no longer kept."
        ET.SubElement(trk, f"{{{GPX}}}type").text = track.role
        if gone:
            more = ET.SubElement(trk, f"{{{GPX}}}extensions")
            ET.SubElement(more, f"{{{GPX_OWN}}}gone_until").text = gone
        segment = ET.SubElement(trk, f"{{{GPX}}}trkseg")
        p = track.pings
        columns = zip(
            track.positions,
            track.times,
            p.satellites.tolist(),
            p.speed_kmh.tolist(),
            p.lock.tolist(),
            strict=True,
        )
        for (lon, lat), time, satellites, speed_kmh, lock in columns:
            west = lon if lon < ANTIMERIDIAN else -ANTIMERIDIAN
            point = ET.SubElement(segment, f"{{{GPX}}}trkpt", {"lat": f"{lat:.7f}", "lon": f"{west:.7f}"})
            ET.SubElement(point, f"{{{GPX}}}time").text = time
            if satellites >= 0:
                ET.SubElement(point, f"{{{GPX}}}sat").text = str(satellites)
            more = ET.SubElement(point, f"{{{GPX}}}extensions")
            if math.isfinite(speed_kmh):
                ET.SubElement(more, f"{{{GPX_OWN}}}speed_kmh").text = f"{speed_kmh:.1f}"
            ET.SubElement(more, f"{{{GPX_OWN}}}lock").text = Lock(lock).name.lower()
    written: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return written


def as_csv(_journey: str, tracks: Sequence[DeviceTrack]) -> bytes:
    """A trace, as ``replay`` and ``backtest`` read it; devices one after another."""
    out = io.StringIO()
    write = csv.writer(out, lineterminator="\n")
    write.writerow(CSV_COLUMNS)
    for track in tracks:
        p = track.pings
        rows = zip(
            track.positions, track.times, p.speed_kmh.tolist(), p.course_deg.tolist(), p.accuracy_m.tolist(),
            p.satellites.tolist(), p.battery_pct.tolist(), p.seq.tolist(), p.lock.tolist(), p.facts.tolist(),
            p.interval_s.tolist(), p.mode.tolist(), strict=True,
        )  # fmt: skip
        for (
            lon,
            lat,
        ), time, speed, course, accuracy, satellites, battery, seq, lock, facts, interval_s, mode in rows:
            write.writerow((
                track.device, time, f"{lon:.7f}", f"{lat:.7f}", "true", _number(speed), _number(course), _number(accuracy),
                satellites if satellites >= 0 else "", _number(battery), seq if seq >= 0 else "", Lock(lock).name.lower(),
                "|".join(fact.name.lower() for fact in Fact(facts) if fact.name), Mode(mode).name.lower() if mode else "", interval_s or "", "",
            ))  # fmt: skip
    return out.getvalue().encode()


def as_mf_json(journey: str, tracks: Sequence[DeviceTrack]) -> bytes:
    """OGC Moving Features JSON (19-045r3): a moving point a device, speed as a temporal property. A device that was seen nowhere is left
    out: a movement has at least an instant. ``gone_until`` says up to when nothing is kept.
    """
    features = []
    for track in tracks:
        if not len(track.positions):
            continue
        known = np.flatnonzero(np.isfinite(track.pings.speed_kmh))
        speeds = np.round(track.pings.speed_kmh[known].astype(np.float64), 1).tolist()
        times = track.times
        features.append(
            {
                "type": "Feature",
                "id": f"{journey}/{track.device}",
                "properties": _about(journey, track),
                "temporalGeometry": {
                    "type": "MovingPoint",
                    "datetimes": times,
                    "coordinates": track.positions,
                    "interpolation": "Linear",
                },
                "temporalProperties": [
                    {
                        "datetimes": [times[i] for i in known.tolist()],
                        "speed": {
                            "type": "Measure",
                            "form": "KMH",
                            "values": speeds,
                            "interpolation": "Step",
                        },
                    }
                ]
                if len(known)
                else [],
            }
        )
    reference = {"type": "Name", "properties": {"name": "urn:ogc:def:crs:OGC:1.3:CRS84"}}
    calendar = {"type": "Name", "properties": {"name": "urn:ogc:data:time:iso8601"}}
    return msgspec.json.encode({
        "type": "FeatureCollection", "crs": reference, "trs": calendar, "gone_until": gone_until(tracks),
        "features": features,
    })  # fmt: skip


FORMATS: Final[Mapping[str, tuple[str, Callable[[str, Sequence[DeviceTrack]], bytes]]]] = {
    "geojson": ("application/geo+json", as_geojson),
    "gpx": ("application/gpx+xml", as_gpx),
    "csv": ("text/csv", as_csv),
    "mf-json": ("application/mf+json", as_mf_json),
}
"""By name: content type and how it is written."""


def _feature(journey: str, track: DeviceTrack) -> dict[str, Any]:
    positions, p = track.positions, track.pings
    geometry: dict[str, Any] | None = None
    if len(positions) >= MIN_LINE:
        geometry = {"type": "LineString", "coordinates": positions}
    elif positions:
        geometry = {"type": "Point", "coordinates": positions[0]}
    return {
        "type": "Feature",
        "id": f"{journey}/{track.device}",
        "geometry": geometry,
        "properties": {
            **_about(journey, track),
            "coordinateProperties": {
                "times": track.times,
                "speed_kmh": [_rounded(v) for v in p.speed_kmh.tolist()],
                "course_deg": [_rounded(v) for v in p.course_deg.tolist()],
                "accuracy_m": [_rounded(v) for v in p.accuracy_m.tolist()],
                "battery_pct": [_rounded(v) for v in p.battery_pct.tolist()],
                "lock": [Lock(v).name.lower() for v in p.lock.tolist()],
            },
        },
    }


def _about(journey: str, track: DeviceTrack) -> dict[str, Any]:
    return {
        "journey": journey,
        "device": track.device,
        "role": track.role,
        "gone_until": track.gone_until,
    }


def _rounded(value: float) -> float | None:
    return round(value, 1) if math.isfinite(value) else None


def _number(value: float) -> str:
    return f"{value:.1f}" if math.isfinite(value) else ""
