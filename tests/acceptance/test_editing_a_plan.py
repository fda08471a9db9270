"""A plan is edited while seals are under way: from then on it is judged by, and neither a restart nor the folder undoes it."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from owslib.ogcapi.features import Features
from parts import wait_until
from running import PLANS, Running
from traffic import iso

SQUARE = [[106.0, 21.0], [106.01, 21.0], [106.01, 21.01], [106.0, 21.01], [106.0, 21.0]]


def zone(name: str = "NEW", kind: str = "prohibited", **properties: Any) -> dict[str, Any]:
    geometry = {"type": "Polygon", "coordinates": [SQUARE]}
    return {
        "type": "Feature",
        "id": name,
        "geometry": geometry,
        "properties": {"name": name, "kind": kind, **properties},
    }


@pytest.fixture(scope="module")
def edited(session_folder: Path) -> Iterator[Running]:
    """A service of its own, on a copy of the plan that the folder's owner may change."""
    folder = session_folder / "edited"
    folder.mkdir(mode=0o755)
    shutil.copytree(PLANS / "live", folder / "plan")
    service = Running(folder, folder / "plan")
    try:
        yield service.start()
    finally:
        service.end()


def drive_into(service: Running, seal: str, begin_s: float) -> None:
    """Two fixes within the square, after ``begin_s``."""
    with service.mqtt("gateway") as gateway:
        pings = [
            {
                "time": iso(begin_s + 20 * i),
                "lon": 106.005,
                "lat": 21.005 + i / 1e5,
                "lock": "closed",
                "mode": "awake",
            }
            for i in range(2)
        ]
        gateway.wait_acknowledged([gateway.ping(seal, pings)])


def events_of(service: Running, kind: str) -> list[dict[str, Any]]:
    return [e for e in service.episodes() if e["type"] == kind]


def test_a_zone_that_is_put_is_judged_by_from_then_on_and_is_in_the_history(edited: Running) -> None:
    seal = edited.get("/api/v1/journeys")["items"][0]["seal"]
    made = edited.ask("PUT", "/api/v1/zones/NEW?note=depot%20closed", zone(), account="supervisor")
    assert made.status == 201, made.body
    assert made.json()["changes"] == {"zones": {"added": ["NEW"], "changed": [], "removed": []}}
    drive_into(edited, seal, time.time() + 60)  # after the edit, whatever our clock does
    wait_until(lambda: events_of(edited, "PROHIBITED_ZONE"), what="the new zone is judged by", limit_s=30)
    (episode,) = events_of(edited, "PROHIBITED_ZONE")
    assert episode["object"] == "NEW"
    newest, first = edited.get("/api/v1/plan-versions")["items"]
    assert (newest["author"], newest["note"], newest["imported"]) == ("supervisor", "depot closed", False)
    assert (first["version"], first["imported"]) == (1, True)
    old = edited.get("/api/v1/plan-versions/1/zones")
    assert "NEW" not in [f["id"] for f in old["features"]]


def test_an_edit_is_tried_before_it_is_saved(edited: Running) -> None:
    """Which journeys it touches, and which episodes of what was driven it would take away or bring; nothing is changed by it."""
    version = edited.get("/api/v1/plan-versions")["items"][0]["version"]
    routes = {f["id"]: f for f in edited.get("/api/v1/routes")["features"]}
    journey = edited.get("/api/v1/journeys")["items"][0]
    route = routes[journey["route"]]
    lon, lat = route["geometry"]["coordinates"][0][:2]
    with edited.mqtt("gateway") as gateway:
        pings = [
            {"time": iso(time.time() - 600 + i), "lon": lon, "lat": lat, "lock": "closed"}
            for i in (0, 30, 60)
        ]
        gateway.wait_acknowledged([gateway.ping(journey["seal"], pings)])
    there = zone("TRIED")
    there["geometry"] = {"type": "Point", "coordinates": [lon, lat]}
    there["properties"]["radius_m"] = 400
    answer: dict[str, Any] = {}

    def is_judged() -> bool:  # the broker has the pings, the service soon
        tried = edited.ask("POST", "/api/v1/plan-trials", {"zones": [there]}, account="supervisor")
        assert tried.status == 200, tried.body
        answer.update(tried.json())
        return bool(answer["gained"])

    wait_until(is_judged, what="the fixes in the zone are tried", limit_s=30)
    assert journey["id"] in answer["under_way"]
    assert answer["tried"] >= 1
    gained = [(e["type"], e["object"]) for e in answer["gained"] if e["journey"] == journey["id"]]
    assert ("PROHIBITED_ZONE", "TRIED") in gained
    assert answer["counts"]["gained"] == len(answer["gained"])
    assert answer["lost"] == []
    assert answer["counts"]["changed"] == 0
    removed = edited.ask(
        "POST", "/api/v1/plan-trials", {"remove_routes": [route["id"]]}, account="supervisor"
    )
    assert removed.status == 422, "the plan's own journeys name it"
    assert (
        edited.ask("POST", "/api/v1/plan-trials", {"zones": [{"type": "Feature", "geometry": None}]}).status
        == 422
    )
    assert edited.get("/api/v1/plan-versions")["items"][0]["version"] == version


def test_an_edit_needs_the_version_it_was_made_on(edited: Running) -> None:
    shown = edited.ask("GET", "/api/v1/zones/NEW")
    tag = shown.headers["ETag"]
    assert edited.ask("PUT", "/api/v1/zones/NEW", zone(reason="x")).status == 428
    assert edited.ask("PUT", "/api/v1/zones/NEW", zone(reason="x"), If_Match='"other"').status == 412
    put = edited.ask("PUT", "/api/v1/zones/NEW", zone(reason="x"), If_Match=tag)
    assert put.status == 200
    assert put.headers["ETag"] == edited.ask("GET", "/api/v1/zones/NEW").headers["ETag"], "to edit on with"
    assert edited.ask("PUT", "/api/v1/zones/NEW", zone(reason="y"), If_Match=tag).status == 412
    assert edited.get("/api/v1/zones/NEW")["properties"]["reason"] == "x"


def test_a_faulty_edit_is_refused_with_its_faults_and_changes_nothing(edited: Running) -> None:
    crossed = zone("BOW")
    crossed["geometry"]["coordinates"] = [[[106, 21], [106.1, 21.1], [106.1, 21], [106, 21.1], [106, 21]]]
    refused = edited.ask("PUT", "/api/v1/zones/BOW", crossed)
    assert refused.status == 422
    problem = refused.json()
    assert problem["faults"][0]["feature"] == "BOW"
    assert "BOW" in problem["detail"]
    assert edited.ask("GET", "/api/v1/zones/BOW").status == 404
    assert edited.ask("PUT", "/api/v1/zones/BOW", zone("OTHER")).status == 422
    assert edited.ask("PUT", "/api/v1/zones/BOW", zone("BOW"), account="operator").status == 403


def test_qgis_finds_what_was_edited(edited: Running) -> None:
    """The links of the landing page lead to the features, as a client of OGC API - Features follows them."""
    ours = edited.ready["http"].rstrip("/")

    def leads(document: dict[str, Any], rel: str) -> str:
        """Where a link leads, below our address: older releases of QGIS follow whole addresses alone."""
        href: str = next(link["href"] for link in document["links"] if link["rel"] == rel)
        assert href.startswith(f"{ours}/api/v1/"), href
        return href.removeprefix(ours)

    landing = edited.get("/api/v1/ogc")
    data, told = leads(landing, "data"), leads(landing, "conformance")
    classes = {name.rpartition("/")[2] for name in edited.get(told)["conformsTo"]}
    assert classes == {"core", "geojson"}, "and not oas30: the API is described in OpenAPI 3.1"
    zones = next(c for c in edited.get(data)["collections"] if c["id"] == "zones")
    items = leads(zones, "items")
    found = edited.get(f"{items}?bbox=106.002,21.002,106.003,21.003")
    assert [f["id"] for f in found["features"]] == ["NEW"]
    assert found["numberMatched"] == 1
    whole = edited.get(f"{items}?limit=100000")  # more than a page has: as many as there are, and no refusal
    assert whole["numberReturned"] == whole["numberMatched"] == len(whole["features"])
    seen, page = [], edited.get(f"{items}?limit=2")
    while True:
        seen += [f["id"] for f in page["features"]]
        if not any(link["rel"] == "next" for link in page["links"]):
            break
        page = edited.get(leads(page, "next"))
    assert seen == sorted(seen)
    assert len(seen) == page["numberMatched"]


def test_another_library_reads_the_collections_as_a_server_of_ogc_api_features(edited: Running) -> None:
    """OWSLib, which knows nothing of us: landing page, conformance, collections, features, pages and filters.

    It asks for a description in OpenAPI 3.0 alone; ours is 3.1, and says so.
    """
    bearer = {"Authorization": f"Bearer {edited.account('operator')['token']}"}
    server = Features(edited.ready["http"].rstrip("/") + "/api/v1/ogc", headers=bearer)
    assert server.links
    core = "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core"
    assert core in server.conformance()["conformsTo"]
    names = server.feature_collections()
    assert set(names) == {"zones", "routes", "seals"}
    for name in names:
        told = server.collection(name)
        assert told["id"] == name
        west, south, east, north = told["extent"]["spatial"]["bbox"][0]
        assert -180 <= west <= east <= 180, name
        assert -90 <= south <= north <= 90, name
        page = server.collection_items(name, limit=2)
        assert page["type"] == "FeatureCollection"
        assert page["numberReturned"] == len(page["features"]) <= 2
        if page["features"]:
            first = page["features"][0]
            assert server.collection_item(name, first["id"])["id"] == first["id"]
    found = server.collection_items("zones", bbox=[106.002, 21.002, 106.003, 21.003])
    assert [feature["id"] for feature in found["features"]] == ["NEW"]
    assert server.collection_items("zones", datetime_="2020-01-01T00:00:00Z/..")["numberMatched"] > 0
    with pytest.raises(RuntimeError, match="400"):
        server.collection_items("zones", bbox=[1, 2, 3])
    with pytest.raises(RuntimeError, match="404"):
        server.collection_item("zones", "NOT-THERE")


def test_a_restart_keeps_edits_and_a_changed_folder_is_joined_with_them(edited: Running) -> None:
    """The folder as it was imported adds nothing; changed, it brings its change, and leaves alone what was edited here."""
    assert edited.terminate() == 0
    edited.start()
    assert edited.get("/api/v1/zones/NEW")["properties"]["reason"] == "x"
    version = edited.get("/api/v1/plan-versions")["items"][0]["version"]
    assert edited.plan is not None
    path = edited.plan / "zones.geojson"
    folder = json.loads(path.read_text())
    folder["features"] += [zone("FROM_FOLDER", "interest"), zone("NEW", "interest")]
    path.write_text(json.dumps(folder))
    assert edited.terminate() == 0
    edited.start()
    newest = edited.get("/api/v1/plan-versions")["items"][0]
    assert (newest["version"], newest["imported"]) == (version + 1, True)
    assert newest["changes"] == {"zones": {"added": ["FROM_FOLDER"], "changed": [], "removed": []}}
    assert edited.get("/api/v1/zones/NEW")["properties"]["kind"] == "prohibited"
    assert "plan.edited_here_too" in edited.tail()


def test_a_zone_that_is_removed_is_judged_by_no_more(edited: Running) -> None:
    tag = edited.ask("GET", "/api/v1/zones/NEW").headers["ETag"]
    assert edited.ask("DELETE", "/api/v1/zones/NEW", If_Match=tag).status == 200
    before = len(events_of(edited, "PROHIBITED_ZONE"))
    seal = edited.get("/api/v1/journeys")["items"][1]["seal"]
    drive_into(edited, seal, time.time() + 120)
    edited.wait_for(pings_stored=4)
    assert len(events_of(edited, "PROHIBITED_ZONE")) == before
