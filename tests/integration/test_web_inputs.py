"""Odd input over HTTP: it is refused by name, and never a server error."""

from __future__ import annotations

import asyncio
import gzip
import re
import socket
from urllib.parse import quote, urlsplit

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from web_support import World, assert_problem, plan_files
from yarl import URL

from seal_tracker.web.cursors import EventCursor, NameCursor, encode_cursor

pytest_plugins = ["web_fixtures"]

LISTS = ["journeys", "seals", "events", "episodes"]
ODD = [
    "",
    "\0",
    "a\0b",
    "%",
    "\ud800",
    "é",
    " ",
    "x" * 65,
    "a\n",
    "../x",
    "-1",
    "1e400",
    "NaN",
    "9" * 400,
    "null",
    "[]",
]
ADMINISTRATOR = {"Authorization": "Bearer token-of-administrator"}


def quoted(text: str) -> str:
    return quote(text.encode("utf-8", "surrogatepass"), safe="")


async def ask_encoded(world: World, path: str):
    """The path as it stands, without the client's tidying."""
    async with world.client.get(URL(world.url + path, encoded=True), headers=ADMINISTRATOR) as answer:
        return answer.status, await answer.read()


async def test_a_limit_out_of_range_is_refused_by_name(world: World):
    """1 to 1000."""
    for name in LISTS:
        for limit in ("0", "-1", "1001", "x", "1.5", "", "9" * 60, "0x10", "\u0661", "null"):
            assert_problem(await world.ask(f"/api/v1/{name}", params={"limit": limit}), 400, "limit")


async def test_an_unknown_parameter_is_refused_by_name(world: World):
    """A misspelt filter must not look like one that found everything."""
    for path in ("stats", "session", "config", "zones", "spaces", "stream", "units", *LISTS):
        assert_problem(await world.ask(f"/api/v1/{path}?opne=true"), 400, "opne")


async def test_a_repeated_parameter_is_refused_by_name(world: World):
    """Which one would hold?"""
    assert_problem(await world.ask("/api/v1/events?limit=1&limit=2"), 400, "limit")


async def test_a_bad_cursor_is_refused_by_name(world: World):
    """Also one of another list."""
    for name in LISTS:
        for cursor in ("x", "AAAA", "!!!!", "9" * 900, "x" * 1025, "null", ""):
            assert_problem(await world.ask(f"/api/v1/{name}", params={"after": cursor}), 400, "after")
        other = encode_cursor(EventCursor(1) if name in ("journeys", "seals") else NameCursor("S1"))
        assert_problem(await world.ask(f"/api/v1/{name}", params={"after": other}), 400, "after")


async def test_the_greatest_cursor_there_can_be_reaches_the_database_whole(world: World):
    """2^63 - 1 is a bigint."""
    greatest = encode_cursor(EventCursor(2**63 - 1))
    assert (await world.ask(f"/api/v1/events?after={greatest}")).json()["items"] == []
    assert (await world.ask(f"/api/v1/events?order=desc&after={greatest}")).status == 200


@pytest.mark.parametrize(
    "parameter",
    [
        "space",
        "type",
        "journey",
        "seal",
        "open",
        "format",
        "order",
        "after",
        "limit",
        "last_event_id",
        "unit",
        "severity",
        "from",
        "to",
        "box",
    ],
)
async def test_an_odd_value_is_never_a_server_error(world: World, parameter: str):
    """NUL bytes, lone surrogates, huge numbers, in every parameter of every list."""
    for name in (*LISTS, "stats", "zones"):
        for odd in ODD:
            status, body = await ask_encoded(world, f"/api/v1/{name}?{parameter}={quoted(odd)}")
            happened = name in ("events", "episodes")
            names = (
                *(("journey",) if happened else ()),
                *(("seal", "unit", "box") if happened or name == "journeys" else ()),
            )
            fits = parameter in names and re.fullmatch(r"[A-Za-z0-9_.:-]{1,64}", odd, re.ASCII)
            if parameter == "box" and parameter in names:  # whatever can be painted on one
                fits = fits or re.fullmatch(r"[^\x00-\x1f\x7f]{1,500}", odd)
            assert status == 200 if fits else status in (400, 404), (
                name,
                odd,
                status,
                body,
            )


async def test_an_odd_path_is_not_found(world: World):
    """As a problem, and without a header broken by it."""
    for path in (
        "/%00",
        "/%ff",
        "/..%2f..%2fetc/passwd",
        "/api/v1/%ED%A0%80",
        "/api/v1/events/",
        "//",
        "/a%0d%0ab",
    ):
        status, body = await ask_encoded(world, path)
        assert status == 404, body
        assert msgspec.json.decode(body)["status"] == 404


async def test_a_method_that_is_not_there_is_refused_with_those_that_are(world: World):
    """405 with Allow; no CORS answer to anybody."""
    for method, path in (
        ("POST", "/api/v1/events"),
        ("DELETE", "/api/v1/spaces"),
        ("PUT", "/"),
        ("OPTIONS", "/api/v1/stats"),
    ):
        answer = await world.ask(path, method=method)
        assert_problem(answer, 405)
        assert "GET" in answer.headers["Allow"]
        assert not [name for name in answer.headers if name.lower().startswith("access-control")]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.text(max_size=12), st.text(max_size=30), max_size=4))
async def test_whatever_the_query_it_is_never_a_server_error(world: World, query: dict[str, str]):
    """Any names, any values."""
    text = "&".join(f"{quoted(name)}={quoted(value)}" for name, value in query.items())
    for name in ("episodes", "seals"):
        status, body = await ask_encoded(world, f"/api/v1/{name}?{text}")
        assert status in (200, 400, 404), body


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.one_of(
        st.binary(max_size=60),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(["space", "files", "username", "password", "x"]), inner, max_size=4
                )
            ),
            max_leaves=8,
        ).map(msgspec.json.encode),
    )
)
async def test_whatever_the_body_it_is_never_a_server_error(world: World, body: bytes):
    """Bytes or JSON of any shape."""
    headers = {"Content-Type": "application/json"}
    for path in ("/api/v1/session", "/api/v1/spaces"):
        answer = await world.ask(path, method="POST", data=body, headers=headers)
        assert answer.status in (400, 401, 403, 409, 422, 429), answer.body


async def test_a_body_that_will_not_do_is_refused_by_name(world: World):
    """400 what is not JSON, 422 what is not this."""
    for body, status, field in (
        (b"", 400, None),
        (b"{", 400, None),
        (b"\xff\xfe", 400, None),
        (b'{"username":"\\ud800","password":"x"}', 400, None),
        (b"[" * 10_000, 422, None),
        (b"[]", 422, None),
        (b"{}", 422, "username"),
        (b'{"username":"a"}', 422, "password"),
        (b'{"username":1,"password":"x"}', 422, "username"),
        (b'{"username":"","password":"x"}', 422, "username"),
        (b'{"username":"a","password":"x","role":"administrator"}', 422, "role"),
        (b'{"username":"a\\u0000","password":"\\u0000"}', 401, "password"),
    ):
        answer = await world.raw(
            "/api/v1/session", "POST", data=body, headers={"Content-Type": "application/json"}
        )
        assert_problem(answer, status, field)


async def test_a_body_of_another_type_is_refused(world: World):
    """415: a form of another site cannot sign in either."""
    for content_type in (
        "text/plain",
        "application/x-www-form-urlencoded",
        "",
        "multipart/form-data",
    ):
        answer = await world.raw(
            "/api/v1/session", "POST", data=b"{}", headers={"Content-Type": content_type}
        )
        assert_problem(answer, 415, "Content-Type")


async def test_a_body_too_large_is_refused_unread(world: World):
    """By its announced length, by what comes, and by what it unpacks to."""
    headers = {"Content-Type": "application/json"}
    large = b'{"username":"' + b"a" * 20_000 + b'","password":"x"}'
    assert_problem(await world.raw("/api/v1/session", "POST", data=large, headers=headers), 413)

    async def parts():
        for _ in range(40):
            yield b" " * 1000

    assert_problem(await world.raw("/api/v1/session", "POST", data=parts(), headers=headers), 413)
    packed = gzip.compress(b" " * 10_000_000)
    answer = await world.raw(
        "/api/v1/session", "POST", data=packed, headers=headers | {"Content-Encoding": "gzip"}
    )
    assert_problem(answer, 413)


async def test_a_body_that_is_not_what_its_headers_say_is_refused(world: World):
    """Damaged on the way, or made to do damage: 4xx, and the service goes on."""
    for headers, body in (
        ({"Content-Encoding": "gzip"}, b"this is not packed"),
        ({"Content-Encoding": "gzip"}, gzip.compress(b"{}" * 5000)[:-20]),
        ({"Content-Encoding": "deflate"}, b"\xff" * 20),
        ({"Content-Encoding": "br"}, b"{}"),
        ({"Transfer-Encoding": "chunked"}, b"zz\r\n{}\r\n0\r\n\r\n"),
    ):
        address = urlsplit(world.url)
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        lines = {"Host": "x", "Content-Type": "application/json", "Content-Length": str(len(body)), **headers}
        if "Transfer-Encoding" in headers:
            del lines["Content-Length"]
        head = "POST /api/v1/session HTTP/1.1\r\n" + "".join(
            f"{name}: {value}\r\n" for name, value in lines.items()
        )
        writer.write(head.encode() + b"\r\n" + body)
        status = (await asyncio.wait_for(reader.readline(), 60)).split()[1]
        assert status.startswith(b"4"), status
        writer.close()
        assert (await world.raw("/healthz")).status == 200


async def test_plan_files_that_cannot_be_kept_are_refused_by_name(world: World):
    """NUL characters, paths, too many."""
    for files, field in (
        ({"zones.geojson": "a\0b"}, "files.zones.geojson"),
        ({"../zones.geojson": "x"}, "files"),
        ({"zones.geojson": 1}, "files"),
        ({f"f{n}": "" for n in range(17)}, "files"),
    ):
        body = {"space": "ex-1", "files": plan_files() | files if len(files) == 1 else files}
        assert_problem(await world.ask("/api/v1/spaces", method="POST", json=body), 422, field)


async def test_a_space_is_named_like_everything_else(world: World):
    """Its name becomes part of topics."""
    for space in (
        "",
        "a b",
        "a/b",
        "x" * 65,
        "a\n",
        "+",
        "#",
    ):
        body = {"space": space, "files": plan_files()}
        assert_problem(await world.ask("/api/v1/spaces", method="POST", json=body), 422, "space")


async def test_what_is_not_http_gets_a_refusal_and_the_service_goes_on(world: World):
    """400 or a closed connection; the next request is served."""
    for head in (
        b"GARBAGE\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 20_000 + b"\r\n\r\n",
    ):
        address = urlsplit(world.url)
        reader, writer = await asyncio.open_connection(address.hostname, address.port, family=socket.AF_INET)
        writer.write(head)
        answer = await asyncio.wait_for(reader.read(300), 60)
        assert answer == b"" or b" 400 " in answer.split(b"\r\n")[0], answer
        writer.close()
        assert (await world.raw("/healthz")).status == 200
