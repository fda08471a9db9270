"""Thousands of zones from one file: every invalid one is named, with what is wrong with it, and no other."""

import json

import pytest

from geofences.catalog import read_zones
from geofences.zones import ZoneSet

ZONES = 5_000
EVERY = 100
"""One zone in so many is spoilt."""


def crossed(ring):
    """The outline crosses itself."""
    return [ring[0], ring[2], ring[1], ring[3], ring[0]]


SPOILT = {
    "not closed": lambda ring: [*ring[:-1], [ring[0][0] + 0.001, ring[0][1]]],
    "2 positions": lambda ring: ring[:2],
    "out of range": lambda ring: [[x + 360, y] for x, y in ring],
    "crosses itself": crossed,
    "is ['106', 20.0]": lambda ring: [*ring[:2], ["106", 20.0], *ring[3:]],
}
"""What the fault says, and how a ring comes to deserve it."""


def plan():
    """A layer of squares, and the fault that each spoilt one must be given."""
    features, wanted = [], {}
    for i in range(ZONES):
        lon, lat = 102.0 + i % 100 * 0.05, 9.0 + i // 100 * 0.05
        ring = [[lon, lat], [lon + 0.02, lat], [lon + 0.02, lat + 0.02], [lon, lat + 0.02], [lon, lat]]
        if i % EVERY == 0:
            says = list(SPOILT)[i // EVERY % len(SPOILT)]
            ring, wanted[f"z{i}"] = SPOILT[says](ring), says
        geometry = {"type": "Polygon", "coordinates": [ring]}
        features.append(
            {"type": "Feature", "id": f"z{i}", "properties": {"kind": "interest"}, "geometry": geometry}
        )
    return json.dumps({"type": "FeatureCollection", "features": features}), wanted


@pytest.fixture(scope="module")
def read():
    """Zones, faults, and the faults wanted."""
    text, wanted = plan()
    return *read_zones(text, "zones.geojson"), wanted


def test_every_invalid_zone_is_named_with_its_kind_of_fault(read):
    """One fault each, in the order of the file; nothing is said of a sound zone."""
    _, faults, wanted = read
    assert [fault.feature for fault in faults] == list(wanted)
    for fault in faults:
        assert wanted[fault.feature] in f"{fault.what}; {fault.why}", fault
        assert fault.level == "error"
        assert fault.remedy


def test_every_sound_zone_is_kept_in_order_and_can_be_indexed(read):
    """The others do not suffer."""
    zones, _, wanted = read
    names = [zone.id for zone in zones]
    assert names == [f"z{i}" for i in range(ZONES) if f"z{i}" not in wanted]
    assert len(ZoneSet.build([zone.geometry for zone in zones])) == ZONES - len(wanted)
