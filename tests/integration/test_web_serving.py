"""Health, metrics, the page, headers, logs, and an end that does not hang."""

from __future__ import annotations

import asyncio
import gzip
import shutil
from dataclasses import replace

import aiohttp
import pytest
import structlog
from web_support import CREDENTIALS, World, assert_problem, restarted
from yarl import URL

from seal_tracker.web.runner import start_web
from seal_tracker.web.stream import HEARTBEAT_S

pytest_plugins = ["web_fixtures"]


async def test_the_process_is_alive(world: World):
    """Without signing in, and whatever its parts do."""
    world.fleet.parts = [("broker", False, "gone")]
    answer = await world.raw("/healthz")
    assert (answer.status, answer.json()) == (200, {"status": "alive"})


async def test_it_is_ready_when_every_part_is(world: World):
    """Each is named."""
    answer = await world.raw("/readyz")
    assert answer.status == 200
    assert {check["name"]: check["ok"] for check in answer.json()["checks"]} == {
        "database": True, "broker": True, "ingest": True, "page": True
    }  # fmt: skip


@pytest.mark.parametrize("part", ["broker", "page", "database"])
async def test_it_is_not_ready_when_one_part_is_not(world: World, part: str):
    """503 with the part that is missing."""
    if part == "broker":
        world.fleet.parts = [("broker", False, "connection refused")]
    elif part == "page":
        shutil.rmtree(world.context.config.page)
    else:
        await world.store.close()
    answer = await world.raw("/readyz")
    assert (answer.status, answer.json()["ready"]) == (503, False)
    assert [check["name"] for check in answer.json()["checks"] if not check["ok"]] == [part]


async def test_a_database_that_is_away_is_told_as_such(world: World):
    """503 and when to come back, not a 500; also where lines were to be streamed."""
    await world.store.close()
    for path in ("/api/v1/stats", "/api/v1/events", "/api/v1/episodes?format=ndjson", "/api/v1/stream"):
        answer = await world.ask(path)
        assert_problem(answer, 503)
        assert answer.headers["Retry-After"] == "5"


async def test_metrics_are_given_in_the_format_of_prometheus(world: World):
    """Of the registry it was given."""
    answer = await world.raw("/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain; version=")
    assert b"pings_total 3.0" in answer.body


async def test_the_page_is_served_and_asked_for_anew(world: World):
    """An upgrade reaches who reloads."""
    answer = await world.raw("/")
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("text/html")
    assert answer.headers["Cache-Control"] == "no-cache"


async def test_assets_with_a_hash_are_kept_for_good_and_others_are_not(world: World):
    """The name changes with the content."""
    hashed = await world.raw("/assets/main-3f9a01bc.js")
    assert hashed.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert hashed.headers["Content-Type"].startswith("text/javascript")
    plain = await world.raw("/icon.svg")
    assert plain.headers["Cache-Control"] == "no-cache"


async def test_an_asset_packed_by_the_build_is_sent_packed_with_its_own_type(world: World):
    """To who can unpack it; the others get it plain."""
    script = world.context.config.page / "assets" / "main-3f9a01bc.js"
    script.with_name(script.name + ".gz").write_bytes(gzip.compress(script.read_bytes()))
    for accepted, encoding in (("gzip", "gzip"), ("identity", None)):
        answer = await world.raw(f"/assets/{script.name}", headers={"Accept-Encoding": accepted})
        assert answer.body == script.read_bytes()
        assert answer.headers.get("Content-Encoding") == encoding
        assert answer.headers["Content-Type"].startswith("text/javascript")
        assert "Accept-Encoding" in answer.headers["Vary"]


async def test_nothing_outside_the_page_is_served(world: World):
    """Nor a folder."""
    for path in (
        "/..%2fsecret.txt",
        "/assets/..%2f..%2fsecret.txt",
        "/secret.txt",
        "/assets",
        "/.env",
        "/assets/%00",
    ):
        async with world.client.get(URL(world.url + path, encoded=True)) as answer:
            assert answer.status == 404


async def test_a_link_out_of_the_page_is_not_followed(world: World):
    """Only what the build put there."""
    page = world.context.config.page
    (page / "out.txt").symlink_to(page.parent / "secret.txt")
    assert_problem(await world.raw("/out.txt"), 404)


async def test_without_a_built_page_it_is_said_how_to_build_it(world: World):
    """503 in plain words; the API works."""
    shutil.rmtree(world.context.config.page)
    answer = await world.raw("/")
    assert answer.status == 503
    assert b"pip install" in answer.body
    assert (await world.ask("/api/v1/stats")).status == 200


async def test_every_answer_carries_the_security_headers(world: World):
    """Also a refusal; and nobody is told the version of the library."""
    for path in (
        "/",
        "/healthz",
        "/api/v1/stats",
        "/nowhere",
        "/assets/main-3f9a01bc.js",
    ):
        headers = (await world.raw(path)).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert "default-src 'self'" in headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert headers["Server"] == "seal-tracker"
        assert "Access-Control-Allow-Origin" not in headers
        assert len(headers["X-Request-ID"]) == 32


async def test_no_page_of_another_site_is_let_in(world: World):
    """No answer to a preflight, nor to what a browser sends without one, allows it; with a session and without."""
    signed_in = {"username": "operator", "password": CREDENTIALS["operator"]["password"]}
    assert (await world.raw("/api/v1/session", "POST", json=signed_in)).status == 200
    asked = {"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "POST"}
    for method, path in (
        ("OPTIONS", "/api/v1/journeys"),
        ("GET", "/api/v1/journeys"),
        ("OPTIONS", "/healthz"),
        ("GET", "/"),
    ):
        answer = await world.raw(path, method, headers=asked)
        assert not [name for name in answer.headers if name.lower().startswith("access-control-")]
        assert method == "GET" or answer.status == 405


async def test_a_request_keeps_its_id_where_that_is_fit(world: World):
    """So that a request can be followed through; what is unfit is replaced, not logged."""
    for given, kept in (
        ("abc-1:2", True),
        ("a b", False),
        ("x" * 65, False),
        ("\u00ff", False),
    ):
        answer = await world.raw("/healthz", headers={"X-Request-ID": given})
        assert (answer.headers["X-Request-ID"] == given) is kept


async def test_each_request_is_one_line_in_the_log(world: World):
    """Method, path, status, how long."""
    with structlog.testing.capture_logs() as logs:
        await world.ask("/api/v1/stats?space=live")
    (line,) = [entry for entry in logs if entry["event"] == "http_request"]
    assert (line["method"], line["path"], line["status"]) == ("GET", "/api/v1/stats", 200)
    assert line["duration_ms"] >= 0
    assert line["bytes"] > 0


async def test_a_fault_of_ours_tells_nothing_and_is_logged_whole(world: World):
    """500 as a problem; the traceback is in the log alone."""
    world.fleet.rows = None
    async with (
        aiohttp.ClientSession() as client
    ):  # not the world's, for which an answer that is not described is an error
        with structlog.testing.capture_logs() as logs:
            answer = await replace(world, client=client).ask("/api/v1/seals")
    assert_problem(answer, 500)
    assert b"NoneType" not in answer.body
    assert [entry for entry in logs if entry["event"] == "http_failed"]


async def test_the_server_stops_promptly_while_streams_are_open(world: World):
    """Each stream ends by itself; none is waited for until its heartbeat."""
    server = await restarted(world)
    headers = {"Authorization": "Bearer token-of-operator"}
    streams = [await world.client.get(server.url + "/api/v1/stream", headers=headers) for _ in range(5)]
    for stream in streams:
        await stream.content.readline()
    async with asyncio.timeout(HEARTBEAT_S - 1):
        await server.close()
        for stream in streams:
            await stream.read()


async def test_an_address_in_use_is_an_error_at_once(world: World):
    """With nothing left behind."""
    port = int(world.url.rsplit(":", 1)[1])
    with pytest.raises(OSError, match="address already in use"):
        await start_web(world.context, "127.0.0.1", port)
