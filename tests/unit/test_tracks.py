"""A track in each format says the same fixes; what we write, we read again."""

from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import geojson
import msgspec
import numpy as np
import pytest

from seal_tracker.model import PingBatch
from seal_tracker.sources.file import read_trace
from seal_tracker.tracks import FORMATS, DeviceTrack, accepted_pings

DRIVE = """seal,time,lon,lat,valid,speed_kmh,course_deg,accuracy_m,satellites,battery_pct,seq,lock,facts,mode,interval_s
S1,2026-11-22T03:00:00Z,106.0000001,20.0000001,true,40.5,90,5,9,80,1,closed,,awake,30
S1,2026-11-22T03:00:30Z,106.0030000,20.0000000,true,,,,,,2,open,illegal_card|vibration,awake,30
S1,2026-11-22T03:01:00Z,106.0060000,20.0000000,false,,,,,,3,closed,,,
S1,2026-11-22T03:01:30Z,107.5000000,20.0000000,true,40,,,,,4,closed,,,
S1,2026-11-22T03:02:00Z,106.0120000,20.0000000,true,40,,,,,5,closed,,,
S1,2026-11-22T03:02:30Z,106.0150000,20.0000000,true,40,,,,,6,closed,,asleep,1800
"""
SEEN = [
    "2026-11-22T03:00:00.000Z",
    "2026-11-22T03:00:30.000Z",
    "2026-11-22T03:02:00.000Z",
    "2026-11-22T03:02:30.000Z",
]


@pytest.fixture
def track(tmp_path: Path) -> DeviceTrack:
    path = tmp_path / "drive.csv"
    path.write_text(DRIVE)
    return DeviceTrack("S1", "seal", accepted_pings(batch_of(path)))


def batch_of(path: Path) -> PingBatch:
    trace = read_trace(path)
    assert not trace.faults
    return trace.batch()


def written(track: DeviceTrack, name: str) -> bytes:
    return FORMATS[name][1]("J1", [track])


def test_a_track_is_what_judging_accepts(track: DeviceTrack) -> None:
    """Not the fix without GNSS, not the one 150 km away."""
    assert track.times == SEEN


def test_csv_is_a_trace_that_reads_back_as_the_same_pings(track: DeviceTrack, tmp_path: Path) -> None:
    path = tmp_path / "back.csv"
    path.write_bytes(written(track, "csv"))
    again = accepted_pings(batch_of(path))
    for name in (
        "time_ms",
        "lon_e7",
        "lat_e7",
        "speed_kmh",
        "lock",
        "facts",
        "mode",
        "interval_s",
        "seq",
        "satellites",
    ):
        np.testing.assert_array_equal(getattr(again, name), getattr(track.pings, name), name)


def test_gpx_reads_back_as_the_same_places(track: DeviceTrack, tmp_path: Path) -> None:
    path = tmp_path / "S1.gpx"
    path.write_bytes(written(track, "gpx"))
    again = batch_of(path)
    np.testing.assert_array_equal(again.time_ms, track.pings.time_ms)
    np.testing.assert_array_equal(again.lon_e7, track.pings.lon_e7)
    np.testing.assert_array_equal(again.lat_e7, track.pings.lat_e7)


GPX_POINT = ["time", "sat", "extensions"]
"""Of the members that GPX 1.1's ``wptType`` has, in its order, those that are written."""


def test_gpx_has_its_members_in_the_order_of_its_schema(track: DeviceTrack) -> None:
    """They are an ``xsd:sequence``: a reader that checks refuses another order. A longitude is less than 180."""
    east = replace(track, pings=replace(track.pings, lon_e7=np.full_like(track.pings.lon_e7, 1_800_000_000)))
    for root in map(ET.fromstring, (written(track, "gpx"), written(east, "gpx"))):
        names = [child.tag.rpartition("}")[2] for child in root]
        assert (root.attrib["version"], names) == ("1.1", ["metadata", "trk"])
        trk = root[1]
        assert [child.tag.rpartition("}")[2] for child in trk] == ["name", "type", "trkseg"]
        for point in trk[2]:
            members = [child.tag.rpartition("}")[2] for child in point]
            assert members == [name for name in GPX_POINT if name in members]
            assert "time" in members
            assert -180 <= float(point.attrib["lon"]) < 180
            own = {child.tag.partition("}")[0] for child in point[-1]}
            assert "{http://www.topografix.com/GPX/1/1" not in own


def test_geojson_is_valid_and_has_a_value_for_every_position(track: DeviceTrack) -> None:
    text = written(track, "geojson")
    found = geojson.loads(text)
    assert found.is_valid, found.errors()
    (feature,) = msgspec.json.decode(text)["features"]  # the library rounds to six decimals
    assert feature["geometry"]["coordinates"][0] == [106.0000001, 20.0000001]
    beside: dict[str, Any] = feature["properties"]["coordinateProperties"]
    assert beside["times"] == SEEN
    assert beside["lock"] == ["closed", "open", "closed", "closed"]
    assert beside["speed_kmh"] == [40.5, None, 40.0, 40.0]
    assert {len(values) for values in beside.values()} == {len(SEEN)}


def test_moving_features_have_as_many_instants_as_places(track: DeviceTrack) -> None:
    (feature,) = msgspec.json.decode(written(track, "mf-json"))["features"]
    moving = feature["temporalGeometry"]
    assert moving["type"] == "MovingPoint"
    assert moving["datetimes"] == SEEN
    assert moving["coordinates"] == track.positions
    (speed,) = feature["temporalProperties"]
    assert speed["speed"]["values"] == [40.5, 40.0, 40.0]
    assert len(speed["datetimes"]) == 3
    assert (moving["interpolation"], speed["speed"]["form"]) == ("Linear", "KMH")
    assert moving["datetimes"] == sorted(set(moving["datetimes"]))
    nowhere = DeviceTrack("S1", "seal", PingBatch.empty())
    assert msgspec.json.decode(written(nowhere, "mf-json"))["features"] == []


def test_what_is_no_longer_kept_is_said_where_the_format_has_a_place_for_it(track: DeviceTrack) -> None:
    """CSV has none: it is a trace to be read again. There, and where a device has nothing left, the answer's header alone says it."""
    gone = replace(track, gone_ms=1_795_316_400_000)
    whole = replace(track, device="S2")
    for name in ("geojson", "mf-json"):
        found = msgspec.json.decode(FORMATS[name][1]("J1", [gone, whole]))
        assert found["gone_until"] == "2026-11-22T03:00:00.000Z"
        told = [feature["properties"]["gone_until"] for feature in found["features"]]
        assert told == [found["gone_until"], None]
        assert msgspec.json.decode(written(whole, name))["gone_until"] is None
    (_, trk) = ET.fromstring(written(gone, "gpx"))
    members = {child.tag.rpartition("}")[2]: child for child in trk}
    assert list(members) == ["name", "desc", "type", "extensions", "trkseg"]
    assert "2026-11-22T03:00:00.000Z" in (members["desc"].text or "")
    assert [child.text for child in members["extensions"]] == ["2026-11-22T03:00:00.000Z"]
    assert written(gone, "csv") == written(track, "csv")


@pytest.mark.parametrize("name", FORMATS)
def test_nothing_seen_is_an_empty_track_not_an_error(name: str) -> None:
    assert written(DeviceTrack("S1", "seal", PingBatch.empty()), name)
