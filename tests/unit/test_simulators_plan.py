"""The demo's plan: drawn by hand, so it is checked against what its README and the roads' geography promise."""

from __future__ import annotations

import itertools
import json
import tomllib
import unicodedata
from pathlib import Path

import pytest
from sim_plan import PLAN, apart_m, features, in_ring, inside, kinds, middle, to_line

ROUTES, ZONES = features("routes.geojson"), features("zones.geojson")

VIET_NAM = [
    (102.1, 22.4), (103.5, 22.85), (104.8, 22.9), (105.4, 23.45), (106.8, 22.95), (106.6, 22.1), (107.1, 21.9), (108.2, 21.6),
    (108.0, 21.2), (107.0, 20.5), (106.0, 19.5), (106.1, 18.5), (107.3, 17.1), (108.4, 16.3), (109.5, 13.5), (109.4, 11.3),
    (107.5, 10.2), (106.6, 8.4), (104.4, 8.3), (103.9, 10.4), (105.0, 11.0), (105.7, 11.1), (105.9, 11.8), (107.5, 12.4), (107.2, 14.8),
    (106.4, 16.5), (105.1, 18.5), (103.8, 19.5), (104.0, 20.5), (102.1, 22.4),
]  # fmt: skip
"""Its outline to some twenty kilometres, enough to notice swapped axes or a slipped digit."""

ENDS = {
    "R-HP-LC": ((106.91, 20.79), (103.94, 22.51)),
    "R-HP-HN": ((106.91, 20.79), (106.71, 21.97)),
    "R-HP-MC": ((106.78, 20.84), (107.98, 21.52)),
    "R-DN-LB": ((108.22, 16.12), (106.60, 16.62)),
    "R-CL-MB": ((106.79, 10.76), (106.18, 11.07)),
}
"""Where the ports and gates are, to a hundredth of a degree or two."""

SHARED_PROVINCES = Path(__file__).resolve().parents[3] / "shared" / "data" / "geo" / "vn_provinces"


def line(route: str) -> list[tuple[float, float]]:
    return [tuple(p) for p in ROUTES[route]["geometry"]["coordinates"]]


def test_every_vertex_of_every_route_lies_in_viet_nam():
    """A transit corridor does not leave the country."""
    for route in ROUTES:
        assert [p for p in line(route) if not in_ring(VIET_NAM, p)] == []


def test_routes_begin_at_their_port_and_end_at_their_gate():
    """Both ends are where these places are in the world, and inside the zones drawn for them."""
    assert set(ROUTES) == set(ENDS)
    for route, (start, end) in ENDS.items():
        assert apart_m(line(route)[0], start) < 2500
        assert apart_m(line(route)[-1], end) < 2500
        ports = [z for z in ZONES.values() if "port" in kinds(z) and inside(z, line(route)[0])]
        gates = [z for z in ZONES.values() if "gate" in kinds(z) and inside(z, line(route)[-1])]
        assert len(ports) == len(gates) == 1
        assert "unlock_allowed" in kinds(gates[0])


@pytest.mark.parametrize("route", ENDS)
def test_a_route_follows_its_road_closely_and_has_a_half_width_for_each_leg(route: str):
    """60 to 200 vertices, no leg over 5 km, half-widths from 100 to 400 m that vary along the way."""
    vertices, widths = line(route), ROUTES[route]["properties"]["half_width_m"]
    assert 60 <= len(vertices) <= 200
    assert max(apart_m(a, b) for a, b in itertools.pairwise(vertices)) < 5000
    assert len(widths) == len(vertices) - 1
    assert all(100 <= w <= 400 for w in widths)
    assert len(set(widths)) > 1


@pytest.mark.parametrize("route", ENDS)
def test_checkpoints_lie_on_their_corridor_in_the_order_they_are_reached(route: str):
    """Each checkpoint's middle is within the half-width there, chainages and planned times grow."""
    checkpoints = ROUTES[route]["properties"]["checkpoints"]
    places = [to_line(line(route), middle(ZONES[c["zone"]])) for c in checkpoints]
    widths = ROUTES[route]["properties"]["half_width_m"]
    assert all(away_m <= widths[leg] for away_m, leg, _ in places)
    assert [p[2] for p in places] == sorted(p[2] for p in places)
    planned = [c["after_min"] for c in checkpoints]
    assert planned == sorted(planned)
    assert all(kinds(ZONES[c["zone"]]) & {"checkpoint", "gate"} for c in checkpoints)


def test_prohibited_zones_lie_beside_the_corridors_with_a_reason():
    """Whoever stays on the road never touches one: 100 m of room at least between corridor and zone."""
    banned = [z for z in ZONES.values() if "prohibited" in kinds(z)]
    assert len(banned) >= 20
    for zone in banned:
        assert zone["properties"]["reason"]
        for route in ROUTES:
            for corner in zone["geometry"]["coordinates"][0]:
                away_m, leg, _ = to_line(line(route), tuple(corner))
                assert away_m > ROUTES[route]["properties"]["half_width_m"][leg] + 100


def test_rest_areas_can_be_driven_into_without_leaving_the_corridor():
    """The middle of each lies within the half-width of some route."""
    for zone in (z for z in ZONES.values() if kinds(z) == {"approved_stop"}):
        nearest = [(to_line(line(r), middle(zone)), ROUTES[r]["properties"]["half_width_m"]) for r in ROUTES]
        assert any(away_m < widths[leg] for (away_m, leg, _), widths in nearest), zone["id"]


def test_each_kind_of_zone_that_the_demo_needs_is_there():
    """Ports, gates, checkpoints, stops, districts, bans, warehouses, jurisdictions."""
    there = set().union(*(kinds(z) for z in ZONES.values()))
    needed = "port gate checkpoint approved_stop unlock_allowed interest prohibited bonded jurisdiction"
    assert there >= set(needed.split())


def test_units_have_a_parent_and_a_jurisdiction_that_exist():
    """units.toml names only units and zones that are there, and zones only units that are there."""
    units = tomllib.loads((PLAN / "units.toml").read_text())
    assert {u["parent"] for u in units.values() if "parent" in u} <= set(units)
    assert all(
        kinds(ZONES[u["jurisdiction_zone"]]) == {"jurisdiction"} for u in units.values() if "parent" in u
    )
    assert {z["properties"]["unit"] for z in ZONES.values() if "unit" in z["properties"]} <= set(units)


def test_names_are_vietnamese_in_composed_letters():
    """Diacritics are there, and in NFC, as search and fonts expect."""
    names = [f["properties"]["name"] for f in (*ZONES.values(), *ROUTES.values())]
    assert all(unicodedata.is_normalized("NFC", n) for n in names)
    assert sum(not n.isascii() for n in names) > len(names) * 0.9


def test_the_demo_runs_on_the_default_limits():
    """No policy is shipped: what the demo shows is what the product does out of the box."""
    assert not (PLAN / "policies.toml").exists()


def test_ports_routes_and_gates_agree_with_a_survey_of_the_provinces():
    """Against real province outlines: nine of ten vertices on land, the others at most 3 km off a shore (bridges, quays)."""
    if not SHARED_PROVINCES.is_dir():
        pytest.skip(f"no province outlines at {SHARED_PROVINCES}")
    shapely = pytest.importorskip("shapely")
    shapes = [
        shapely.geometry.shape(json.loads(f.read_text())["features"][0]["geometry"])
        for f in sorted(SHARED_PROVINCES.glob("*.geojson"))
    ]
    land = shapely.union_all([shapely.make_valid(s) for s in shapes])
    shapely.prepare(land)
    for route in ROUTES:
        points = shapely.points(line(route))
        on_land = shapely.covers(land, points)
        assert on_land.mean() > 0.9, route
        assert all(shapely.distance(land, p) < 0.03 for p in points[~on_land]), route
