"""Every fault of routes is named, and what only shows when they are seen together with zones."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from drawing import ROAD, SQUARE, assert_fault, circle, collection, polygon, route, route_faults, square, zone
from geographiclib.geodesic import Geodesic

from geofences.catalog import Fault, Ids, cross_check, read_routes, read_zones

WGS84 = Geodesic.WGS84


def test_a_sound_route_has_a_half_width_for_each_leg() -> None:
    """One number serves all legs; a list gives each its own."""
    text = collection(
        route(id_="one", checkpoints=[{"zone": "Z", "after_min": 30, "tolerance_min": 10}, {"zone": "Y"}]),
        route(id_="each", half_width_m=[100, 50.5], speed_limit_kmh=80),
    )
    (one, each), faults = read_routes(text, "routes.geojson")
    assert faults == []
    assert one.geometry.half_width_m.tolist() == [200, 200]
    assert each.geometry.half_width_m.tolist() == [100, 50.5]
    assert np.c_[one.geometry.lon_deg, one.geometry.lat_deg].tolist() == ROAD
    assert [(c.zone, c.after_min, c.tolerance_min) for c in one.checkpoints] == [
        ("Z", 30, 10),
        ("Y", None, 0),
    ]


def test_a_route_may_cross_and_retrace_itself() -> None:
    """Roads do, in spirals of ramps and at dead ends."""
    assert (
        route_faults(route([[106, 20], [106.1, 20.1], [106.1, 20], [106, 20.1], [106.1, 20], [106.1, 20.1]]))
        == []
    )


@pytest.mark.parametrize(
    ("feature", "where", "says"),
    [
        (route(half_width_m=0), "half_width_m", "more than 0"),
        (route(half_width_m=None), "half_width_m", "is missing"),
        (route(half_width_m=[100]), "half_width_m", "1 values for 2 legs"),
        (route(half_width_m=[]), "half_width_m", "0 values for 2 legs"),
        (route(half_width_m=[100, -1]), "half_width_m[1]", "more than 0"),
        (route(half_width_m="200"), "half_width_m", "quotes"),
        (route([ROAD[0], ROAD[0]]), "coordinates", "no length"),
        (route([[106, 20], [106.00000001, 20]]), "coordinates", "no length"),
        (route([ROAD[0]]), "coordinates", "at least 2 positions"),
        (route([[-100, 0], [0, 1], [100, 0]]), "coordinates", "spans 200 degrees"),
        (route([[20.0, 106.0], [20.1, 106.1]]), "coordinates[0]", "[106, 20]"),
        (route(checkpoints=[{"zone": "Z", "after_min": -1}]), "checkpoints[0].after_min", "at least 0"),
        (route(checkpoints=[{"after_min": 1}]), "checkpoints[0].zone", "is missing"),
        (route(checkpoints=[{"zone": "Z", "after": 1}]), "checkpoints[0].after", "after_min"),
        (route(checkpoints={"zone": "Z"}), "checkpoints", "list of objects"),
        (route(checkpoints=["Z"]), "checkpoints[0]", "must be an object"),
        (route(checkpoints=[{"zone": "Z"}] * 65), "checkpoints[64]", "at most 64 checkpoints"),
        (
            route() | {"geometry": {"type": "MultiLineString", "coordinates": [ROAD]}},
            "geometry",
            "join the parts",
        ),
        (route() | {"geometry": None}, "geometry", "no geometry"),
    ],
)
def test_a_faulty_route_is_named_with_its_place(feature: dict[str, Any], where: str, says: str) -> None:
    """A corridor needs legs with length, and metres on each side of them."""
    routes, faults = read_routes(collection(feature, route(id_="sound")), "routes.geojson")
    assert_fault(faults, says, feature="R", where=where)
    assert [r.id for r in routes] == ["sound"]


@pytest.mark.parametrize(
    ("feature", "says"),
    [
        (route([[106, 20], [106.1, 20], [106.1, 22]]), "222 km long"),
        (route([ROAD[0], ROAD[1], ROAD[1], ROAD[2]]), "same position"),
        (route([[106, 20], [106.1, 20]]), "single straight leg"),
        (route(half_width_m=20_000), "check that it is in metres"),
        (
            route(checkpoints=[{"zone": "A", "after_min": 9}, {"zone": "B", "after_min": 3}]),
            "the order they are passed",
        ),
        (route(half_widht_m=3), "did you mean 'half_width_m'"),
    ],
)
def test_a_suspicious_route_is_only_warned_of(feature: dict[str, Any], says: str) -> None:
    """It may be meant so."""
    routes, faults = read_routes(collection(feature), "routes.geojson")
    assert len(routes) == 1
    assert_fault(faults, says, feature="R", level="warning")


def crossed(zones: list[Any], routes: list[Any]) -> list[Fault]:
    return cross_check(read_zones(collection(*zones), "z")[0], read_routes(collection(*routes), "r")[0])


def test_a_checkpoint_names_a_zone_that_there_is() -> None:
    """The nearest name is proposed, even where the route has another fault; without zones nothing is looked up."""
    faulty = route(half_width_m=0, checkpoints=[{"zone": "gaet"}, {"zone": "gate"}])
    _, faults = read_routes(collection(faulty), "routes.geojson", zone_ids=Ids({"gate"}))
    assert len(faults) == 2
    assert_fault(faults, "did you mean 'gate'", feature="R", where="checkpoints[0].zone")
    assert len(route_faults(faulty)) == 1


def test_a_checkpoint_that_the_corridor_does_not_meet_is_a_warning() -> None:
    """By metres from the corridor's edge to the zone's, polygon or circle."""
    checkpoints = [{"zone": "gate"}, {"zone": "far"}, {"zone": "C"}]
    there, away = zone("gate", square(106.05, 20.0)), zone("far", square(106.3, 20.1))
    faults = crossed([there, away, circle(106.2, 20.11, radius_m=1000)], [route(checkpoints=checkpoints)])
    assert len(faults) == 1
    fault = assert_fault(
        faults, "outside the corridor", feature="R", where="checkpoints[1].zone", level="warning"
    )
    metres = float(fault.what.split(" m ")[0].split()[-1])
    assert metres == pytest.approx(WGS84.Inverse(20.1, 106.2, 20.1, 106.3)["s12"] - 200, rel=0.01)


THERE_AND_BACK = [[106.0, 20.0], [106.4, 20.0], [106.4, 20.001], [106.0, 20.001]]


@pytest.mark.parametrize(
    ("listed", "coordinates", "says"),
    [
        (["gate", "gate"], THERE_AND_BACK, None),
        (["gate", "end", "gate"], THERE_AND_BACK, None),
        (["end", "end"], THERE_AND_BACK, "listed 2 times, and the route goes through it once"),
        (["gate", "end", "gate"], THERE_AND_BACK[:2], "goes through it once"),
        (["gate", "gate", "gate"], THERE_AND_BACK, "listed 3 times, and the route goes through it 2 times"),
        (["beside", "beside"], THERE_AND_BACK, "goes through it not once"),
    ],
)
def test_a_checkpoint_listed_more_often_than_the_road_passes_is_warned_of(
    listed: list[str], coordinates: list[list[float]], says: str | None
) -> None:
    """Visits that no way tells apart count as one; a plan on which a seal is always one short should not go unnoticed."""
    zones = [
        zone("gate", square(106.2, 20.0)),
        zone("end", square(106.4, 20.0)),
        circle(106.1, 20.003, radius_m=200),
    ]
    zones[2]["id"] = "beside"
    faults = crossed(
        zones,
        [
            route(checkpoints=[{"zone": z} for z in listed])
            | {"geometry": {"type": "LineString", "coordinates": coordinates}}
        ],
    )
    found = [f for f in faults if "listed" in f.what]
    assert [f.where for f in found] == (
        [] if says is None else [f"properties.checkpoints[{len(listed) - 1}].zone"]
    )
    assert says is None or says in found[0].what


def test_a_feature_with_swapped_axes_is_told_from_one_that_is_only_far() -> None:
    """Only where its swapped position would lie among the rest is it taken for swapped."""
    near = [zone(f"Z{i}", square(30 + i, 10 + i)) for i in range(6)]
    faults = crossed([*near, zone("swapped", square(12, 33)), zone("far", square(80, -40))], [])
    assert len(faults) == 2
    assert_fault(faults, "axes swapped", feature="swapped", level="warning")
    assert_fault(faults, "from every other feature", feature="far", level="warning")
    few = crossed([near[0], near[1], zone("far", square(80, -40))], [])
    assert [fault.feature for fault in few] == ["far"], "in a small plan too"


def test_zones_of_one_shape_are_warned_of() -> None:
    """Mostly one was imported twice; where its outline begins does not matter."""
    turned = [*SQUARE[2:], *SQUARE[1:3]]
    faults = crossed(
        [zone("A"), zone("B", polygon(turned)), circle(radius_m=9), circle(radius_m=9) | {"id": "D"}], []
    )
    assert len(faults) == 2
    assert_fault(faults, "same shape as zone “A”", feature="B", level="warning")
    assert_fault(faults, "same shape as zone “C”", feature="D", level="warning")
