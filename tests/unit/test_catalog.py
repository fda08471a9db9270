"""Every fault of a GeoJSON file and its zones is named, with its feature, its place and what to do about it."""

from __future__ import annotations

from typing import Any

import pytest
from drawing import (
    BOW_TIE,
    ROAD,
    SQUARE,
    assert_fault,
    circle,
    collection,
    polygon,
    square,
    zone,
    zone_faults,
)

from geofences.catalog import parse_time_ms, read_routes, read_zones


def test_sound_zones_are_read_with_all_their_properties() -> None:
    """A zone keeps what its file says of it; one kind and several are the same thing."""
    text = collection(
        zone(
            "Z1",
            name="Cảng Đình Vũ",
            kind=["port", "approved_stop"],
            max_stop_min=90,
            speed_limit_kmh=30,
            unit="HQ-HP",
            valid_from="2026-11-22T03:00:00Z",
            valid_to="2026-11-23T10:00:00.500+07:00",
            policy={"OVERSPEED": {"raise_fixes": 3}},
        ),
        circle(radius_m=250, reason="bridge limit", kind="prohibited"),
    )
    (first, second), faults = read_zones(text, "zones.geojson")
    assert faults == []
    assert (first.id, first.name, first.kinds) == ("Z1", "Cảng Đình Vũ", {"port", "approved_stop"})
    assert (first.max_stop_min, first.speed_limit_kmh, first.unit) == (90, 30, "HQ-HP")
    assert first.valid_to_ms is not None
    assert first.valid_from_ms is not None
    assert first.valid_to_ms - first.valid_from_ms == 86_400_500
    assert first.policy == {"OVERSPEED": {"raise_fixes": 3}}
    assert first.geometry.geometry.area == pytest.approx(0.01)
    assert (second.name, second.reason, second.geometry.geometry.radius_m) == ("C", "bridge limit", 250)


def test_holes_and_parts_of_polygons_stay_with_their_own_feature() -> None:
    """Geometries are built over arrays of all features together; none may take a ring of another."""
    hole = [[106.02, 20.02], [106.02, 20.04], [106.04, 20.04], [106.02, 20.02]]
    parts = [square(107, 20)["coordinates"], [*square(108, 20)["coordinates"]]]
    text = collection(
        zone("plain"),
        zone("holed", polygon(SQUARE, hole)),
        zone("broken", polygon(BOW_TIE)),
        zone("parts", {"type": "MultiPolygon", "coordinates": parts}),
        zone("last", square(109, 20)),
    )
    zones, faults = read_zones(text, "zones.geojson")
    areas = {z.id: z.geometry.geometry.area for z in zones}
    assert areas == pytest.approx({"plain": 0.01, "holed": 0.01 - 0.0002, "parts": 0.02, "last": 0.01})
    assert [z.geometry.geometry.geom_type for z in zones] == ["Polygon", "Polygon", "MultiPolygon", "Polygon"]
    assert [f.feature for f in faults] == ["broken"]


def test_altitudes_and_clockwise_rings_are_no_fault() -> None:
    """Other tools write both; neither changes which points a zone holds."""
    zones, faults = read_zones(collection(zone(geometry=polygon([[*p, 12.5] for p in SQUARE[::-1]]))), "z")
    assert faults == []
    assert not zones[0].geometry.geometry.has_z


@pytest.mark.parametrize(
    ("geometry", "where", "says"),
    [
        (polygon(SQUARE[:-1]), "coordinates[0]", "not closed"),
        (polygon(SQUARE[:2] + SQUARE[:1]), "coordinates[0]", "at least 4 positions"),
        (polygon(BOW_TIE), "geometry", "crosses itself at 106.050000, 20.050000"),
        (polygon(SQUARE, square(107, 20)["coordinates"][0]), "geometry", "hole lies outside"),
        (polygon(SQUARE, SQUARE), "geometry", "rings cross or overlap"),
        (polygon([SQUARE[0], SQUARE[1], SQUARE[1], SQUARE[0]]), "geometry", "fewer than three"),
        (polygon([[106, 20], [190, 20], [106, 21], [106, 20]]), "coordinates[0][1]", "out of range"),
        (polygon([[20, 106], [20.1, 106], [20.1, 106.1], [20, 106]]), "coordinates[0][0]", "[106, 20]"),
        (polygon([[2e6, 1e6], [2e6, 2e6], [3e6, 2e6], [2e6, 1e6]]), "coordinates[0][0]", "EPSG:4326"),
        (polygon([[10**400, 20], *SQUARE[1:4], [10**400, 20]]), "coordinates[0][0]", "out of range"),
        (polygon([["106", "20"], *SQUARE[1:4], SQUARE[0]]), "coordinates[0][0]", "without quotes"),
        (polygon([[106], *SQUARE[1:4], SQUARE[0]]), "coordinates[0][0]", "longitude, latitude"),
        (polygon([None, *SQUARE[1:4], SQUARE[0]]), "coordinates[0][0]", "is null"),
        (polygon([[True, False], *SQUARE[1:4], SQUARE[0]]), "coordinates[0][0]", "longitude, latitude"),
        ({"type": "Polygon", "coordinates": []}, "coordinates", "is empty"),
        ({"type": "MultiPolygon", "coordinates": [[]]}, "coordinates[0]", "is empty"),
        ({"type": "Polygon"}, "coordinates", "is null"),
        ({"type": "LineString", "coordinates": ROAD}, "geometry", "routes.geojson"),
        ({"type": "GeometryCollection", "geometries": []}, "geometry", "GeometryCollection"),
        (
            {"type": "MultiPolygon", "coordinates": [[SQUARE], square(106.02, 20.02, 0.01)["coordinates"]]},
            "geometry",
            "",
        ),
        ({"type": "Point", "coordinates": [106, 95]}, "coordinates", "out of range"),
        ({"type": "Point", "coordinates": ["106", 20]}, "coordinates", "without quotes"),
    ],
)
def test_a_faulty_zone_geometry_is_named_with_its_place(geometry: Any, where: str, says: str) -> None:
    """What is wrong with a shape is said with the ring, the position or the coordinates where it is."""
    faulty = zone(geometry=geometry, radius_m=5)
    zones, faults = read_zones(collection(faulty, zone("sound")), "zones.geojson")
    assert_fault(faults, says, feature="Z", where=where)
    assert [z.id for z in zones] == ["sound"]
    assert len(faults) == 1


@pytest.mark.parametrize("geometry", [None, {}, [], "text"], ids=repr)
def test_a_zone_without_a_geometry_is_named(geometry: Any) -> None:
    """An empty object is none either: the zone must not be left out unsaid."""
    zones, faults = read_zones(collection(zone() | {"geometry": geometry}), "zones.geojson")
    assert zones == []
    assert_fault(faults, "a feature without a place cannot be judged", feature="Z", where="geometry")


@pytest.mark.parametrize(
    ("properties", "where", "says"),
    [
        ({"kind": "prohibitted"}, "kind", "did you mean 'prohibited'"),
        ({"kind": None}, "kind", "is missing"),
        ({"kind": []}, "kind", "is missing"),
        ({"kind": ["port", 7]}, "kind", "is 7"),
        ({"max_stop_min": 0}, "max_stop_min", "more than 0"),
        ({"max_stop_min": "90"}, "max_stop_min", "leave out the quotes"),
        ({"speed_limit_kmh": True}, "speed_limit_kmh", "must be a number"),
        ({"name": 7}, "name", "must be a text"),
        ({"name": "\ud800"}, "name", "half a character"),
        ({"name": "a\0b"}, "name", "holds NUL"),
        ({"valid_from": "2026-11-22"}, "valid_from", "no time of day"),
        ({"valid_from": "2026-11-22T03:00:00"}, "valid_from", "no time zone"),
        ({"valid_to": "2026-11-31T03:00:00Z"}, "valid_to", "ISO 8601"),
        ({"valid_to": 1763780400}, "valid_to", "not a text"),
        (
            {"valid_from": "2026-11-22T03:00:00Z", "valid_to": "2026-11-22T03:00:00Z"},
            "valid_to",
            "is not after",
        ),
        ({"policy": [1]}, "policy", "must be an object"),
    ],
)
def test_a_faulty_zone_property_is_named(properties: dict[str, Any], where: str, says: str) -> None:
    """A value that would be ignored or misread is refused."""
    assert_fault(zone_faults(zone(**properties)), says, feature="Z", where=f"properties.{where}")


@pytest.mark.parametrize(
    ("properties", "says"),
    [
        ({}, "is missing"),
        ({"radius_m": 0}, "more than 0"),
        ({"radius_m": -5}, "more than 0"),
        ({"radius_m": "9"}, "quotes"),
    ],
)
def test_a_point_needs_a_radius(properties: dict[str, Any], says: str) -> None:
    """A Point is a zone only as a circle."""
    assert_fault(zone_faults(circle(**properties)), says, feature="C", where="properties.radius_m")


@pytest.mark.parametrize("properties", [[], "", 0, False], ids=repr)
def test_properties_that_are_no_object_are_named(properties: Any) -> None:
    """GeoJSON allows null for none; anything else was meant to say something."""
    faults = zone_faults(zone() | {"properties": properties})
    assert_fault(faults, "must be an object", feature="#1", where="properties")


def test_every_fault_of_a_file_comes_out_in_one_run() -> None:
    """Who mends a plan sees all that is wrong at once, in the order of the file; several in one feature too."""
    twice = zone("Z1", polygon(BOW_TIE), kind="nothing", max_stop_min=-1)
    faults = zone_faults(zone("Z1"), twice, "text", zone(None), zone("a b"), zone("Z5", polygon(SQUARE[:-1])))
    assert [f.feature for f in faults] == ["Z1", "Z1", "Z1", "Z1", "#3", "#4", "a b", "Z5"]
    assert_fault(faults, "#2 has the id of #1", feature="Z1", where="id")
    assert_fault(faults, "crosses itself", feature="Z1")
    assert_fault(faults, "has no id", feature="#4", where="id")
    assert_fault(faults, "1 to 64", feature="a b", where="id")


def test_the_id_may_stand_at_the_top_or_in_the_properties() -> None:
    """GeoJSON puts it at the top, GIS tools among the columns; the top one wins, a number is its digits."""
    inside = zone(None, id="inside")
    both = zone("top", id="inside")
    zones, faults = read_zones(collection(inside, both, zone(17)), "zones.geojson")
    assert faults == []
    assert [z.id for z in zones] == ["inside", "top", "17"]


@pytest.mark.parametrize(
    ("text", "where", "says"),
    [
        ('{"type": "FeatureCollection",\n "features": [}', "line 2, column 15", "is not JSON"),
        ("", "", "is empty"),
        (b" \r\n", "", "is empty"),
        ("[" * 200_000, "line 1", "nested too deeply"),
        ('{"type": "Feature"}', "type", "not a FeatureCollection"),
        ("[]", "type", "not a FeatureCollection"),
        ('{"type": "FeatureCollection"}', "features", "is null"),
        (
            '{"type": "FeatureCollection", "features": [], "crs": {"properties": {"name": "EPSG:3405"}}}',
            "crs",
            "EPSG:3405",
        ),
        (b"\xff\xfe{\x00}\x00", "byte 0", "UTF-16"),
        (b'{"type":\n"\xe9"}', "line 2", "not UTF-8"),
    ],
)
def test_a_file_that_is_no_feature_collection_is_named_with_the_place(
    text: str | bytes, where: str, says: str
) -> None:
    """A file that cannot be read says where; both readers do."""
    for read in (read_zones, read_routes):
        features, faults = read(text, "f.geojson")
        assert features == []
        assert_fault(faults, says, feature="", where=where)
        assert len(faults) == 1


def test_not_a_number_is_named_with_its_line_and_its_feature() -> None:
    """Some tools write NaN, which is not JSON; the reading goes on, so that the feature is named too."""
    text = collection(zone(), zone("N", circle(float("nan"))["geometry"], radius_m=5)).replace(" {", "\n{")
    zones, faults = read_zones(text, "zones.geojson")
    assert [z.id for z in zones] == ["Z"]
    assert_fault(faults, "NaN is not a JSON number", feature="", where="line ")
    assert_fault(faults, "out of range", feature="N", where="coordinates")


def test_a_byte_order_mark_is_only_a_warning() -> None:
    """The file is read all the same."""
    zones, faults = read_zones(b"\xef\xbb\xbf" + collection(zone()).encode(), "zones.geojson")
    assert len(zones) == 1
    assert_fault(faults, "byte order mark", feature="", level="warning")


def test_a_member_like_one_of_ours_misspelt_is_a_warning_and_another_tools_is_none() -> None:
    """GIS tools add columns of their own; `max_stop` was meant for us."""
    faults = zone_faults(zone(max_stop=30, fill="#ff0000", name_vi="Cảng"))
    assert len(faults) == 1
    assert_fault(faults, "max_stop_min", feature="Z", where="properties.max_stop", level="warning")


def test_a_zone_over_the_antimeridian_in_one_piece_is_a_warning() -> None:
    """Drawn from 179 to -179 other programs fill the rest of the earth; two parts are how GeoJSON has it."""
    faults = zone_faults(zone(geometry=polygon([[179, 0], [-179, 0], [-179, 1], [179, 1], [179, 0]])))
    assert_fault(faults, "in one piece", feature="Z", level="warning")
    parts = [square(179, 0, 1)["coordinates"], square(-180, 0, 1)["coordinates"]]
    assert zone_faults(zone(geometry={"type": "MultiPolygon", "coordinates": parts})) == []


@pytest.mark.parametrize(
    ("ring", "says"),
    [
        ([[-100, 0], [0, 0], [100, 0], [100, 9], [0, 9], [-100, 9], [-100, 0]], "spans 200 degrees"),
        ([[-120, 80], [0, 81], [120, 80], [-120, 80]], "goes round a pole"),
    ],
)
def test_a_zone_of_half_the_earth_is_refused(ring: list[list[float]], says: str) -> None:
    """Longitudes taken the short way round cannot tell its inside."""
    zones, faults = read_zones(collection(zone(geometry=polygon(ring))), "zones.geojson")
    assert zones == []
    assert_fault(faults, says, feature="Z", where="geometry")


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T07:00:00.001+07:00", 1),
        ("1969-12-31T23:59:59.9999Z", -1),
        ("2026-11-22T03:00:00.123456Z", 1795316400123),
    ],
)
def test_times_are_cut_to_milliseconds_of_utc(text: str, ms: int) -> None:
    """Any zone is understood; finer digits are cut, never rounded up into the next second."""
    assert parse_time_ms(text) == ms
