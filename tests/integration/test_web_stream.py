"""The live stream: nothing lost, nothing twice, nobody waits for anybody."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest
from web_support import CREDENTIALS, NOON_MS, World, assert_problem, eventually, plan_files, restarted

from seal_tracker.model import LIVE
from seal_tracker.web import stream as module
from seal_tracker.web.cursors import EventCursor, encode_cursor
from seal_tracker.web.wire import PositionRow

pytest_plugins = ["web_fixtures"]


@dataclass
class Frame:
    """One frame of a stream as a browser reads it."""

    event: str = ""
    id: str = ""
    data: str = ""
    retry: str = ""
    comments: list[str] = field(default_factory=list)

    @classmethod
    def parse(cls, text: str) -> Frame:
        frame = cls()
        for line in text.splitlines():
            name, _, value = line.partition(": ")
            if line.startswith(":"):
                frame.comments.append(line[1:].strip())
            elif line:
                setattr(frame, name, getattr(frame, name) + value)
        return frame

    def json(self) -> Any:
        return msgspec.json.decode(self.data)


class Reader:
    """A client of the stream on a socket of its own, which reads only when asked to."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: str) -> None:
        self.reader, self.writer, self.head = reader, writer, head
        self.frames: list[Frame] = []

    @classmethod
    async def open(
        cls, url: str, query: str = "", headers: dict[str, str] | None = None, buffer: int = 0
    ) -> Reader:
        address = urlsplit(url)
        connection = socket.socket()
        if buffer:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        connection.setblocking(False)
        await asyncio.get_running_loop().sock_connect(connection, (address.hostname, address.port))
        reader, writer = await asyncio.open_connection(sock=connection, limit=2**22)
        given = {"Host": "x", "Authorization": "Bearer token-of-operator", **(headers or {})}
        lines = [
            f"GET /api/v1/stream{query} HTTP/1.0",
            *(f"{name}: {value}" for name, value in given.items()),
        ]
        writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        return cls(reader, writer, head)

    async def next(self) -> Frame:
        """The next frame."""
        text = await asyncio.wait_for(self.reader.readuntil(b"\n\n"), 60)
        self.frames.append(Frame.parse(text.decode()))
        return self.frames[-1]

    async def events(self, count: int) -> list[int]:
        """Sequences of the next so many events; other frames are passed over."""
        found: list[int] = []
        while len(found) < count:
            frame = await self.next()
            if frame.event == "event":
                found.append(int(frame.json()["sequence"]))
        return found

    async def events_to_the_end(self) -> list[int]:
        """Sequences of all events until the server cuts the connection."""
        found: list[int] = []
        while True:
            try:
                found += await self.events(1)
            except (asyncio.IncompleteReadError, ConnectionError):
                return found

    async def positions(self) -> dict[str, Any]:
        """The next frame of positions."""
        while (frame := await self.next()).event != "position":
            pass
        return frame.json()

    @property
    def last_id(self) -> str:
        return next(frame.id for frame in reversed(self.frames) if frame.id)

    def stand_still(self) -> None:
        """Take nothing more from the socket until asked to go on."""
        self.writer.transport.pause_reading()

    def go_on(self) -> None:
        self.writer.transport.resume_reading()

    def close(self) -> None:
        self.writer.transport.abort()


@pytest.fixture
def small_buffers(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server's sockets hold a few kB, so that a client that stands still is soon felt."""
    begin = module.begin

    async def shrink(request, sequence):
        connection = request.transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8192)
        return await begin(request, sequence)

    monkeypatch.setattr(module, "begin", shrink)


def resume(reader: Reader) -> dict[str, str]:
    return {"Last-Event-ID": reader.last_id}


async def test_a_stream_begins_with_its_retry_time_and_its_place(world: World):
    """Who is cut off before the first event resumes all the same."""
    await world.commit([1, 2])
    reader = await Reader.open(world.url)
    assert "200 OK" in reader.head
    assert "Content-Type: text/event-stream" in reader.head
    assert "Cache-Control: no-store" in reader.head
    assert "X-Accel-Buffering: no" in reader.head
    first = await reader.next()
    assert (first.retry, first.id) == ("2000", encode_cursor(EventCursor(2)))
    reader.close()
    await world.commit([3])
    again = await Reader.open(world.url, headers=resume(reader))
    assert await again.events(1) == [3]
    again.close()


async def test_events_arrive_as_they_are_committed(world: World):
    """Only what comes after the start, as published, in order."""
    await world.commit([1])
    reader = await Reader.open(world.url)
    await reader.next()
    await world.commit([2, 3])
    await world.commit([4])
    assert await reader.events(3) == [2, 3, 4]
    assert reader.frames[-1].json()["specversion"] == "1.0"
    reader.close()


@pytest.mark.parametrize("by_header", [True, False])
async def test_a_stream_resumes_after_the_last_id_without_gap_or_repetition(world: World, by_header: bool):
    """By the browser's header, or by the parameter where a header cannot be set; more than one page was missed."""
    await world.commit(range(1, 1301))
    cursor = encode_cursor(EventCursor(7))
    reader = await Reader.open(
        world.url,
        "" if by_header else f"?last_event_id={cursor}",
        {"Last-Event-ID": cursor} if by_header else {},
    )
    await world.commit([1301])
    assert await reader.events(1294) == list(range(8, 1302))
    reader.close()


async def test_the_header_is_newer_than_the_parameter_and_wins(world: World):
    """A browser that comes back sends both: the address it began with, and what it has seen since."""
    await world.commit(range(1, 6))
    old, new = encode_cursor(EventCursor(1)), encode_cursor(EventCursor(4))
    reader = await Reader.open(world.url, f"?last_event_id={old}", {"Last-Event-ID": new})
    assert await reader.events(1) == [5]
    reader.close()


async def test_events_committed_while_a_stream_catches_up_are_neither_lost_nor_repeated(world: World):
    """The database and the live feed overlap; each event is sent once."""
    await world.commit(range(1, 601))
    stop = asyncio.Event()

    async def write() -> int:
        number = 600
        while not stop.is_set():
            number += 1
            await world.commit([number])
        return number

    writing = asyncio.create_task(write())
    readers = []
    for _ in range(12):
        readers.append(await Reader.open(world.url, f"?last_event_id={encode_cursor(EventCursor(0))}"))
        await asyncio.sleep(0.02)
    stop.set()
    last = await writing
    for reader in readers:
        assert await reader.events(last) == list(range(1, last + 1))
        reader.close()


async def test_a_reader_that_falls_behind_loses_positions_but_no_event(world: World, small_buffers: None):
    """It reads nothing while far more is published than its queue and all buffers hold; then it has every event once,
    and the newest of every seal, though not every position there was.
    """
    slow = await Reader.open(world.url, buffer=4096)
    slow.stand_still()
    quick = await Reader.open(world.url)
    for first in range(1, 4001, 200):
        await world.commit(range(first, first + 200))
        world.hub.publish_positions(
            LIVE, [PositionRow(seal=f"S{n}", time_ms=NOON_MS + first, unit="u" * 50) for n in range(300)]
        )
        assert await quick.events(200) == list(range(first, first + 200))
    quick.close()
    slow.go_on()
    assert await slow.events(4000) == list(range(1, 4001))
    newest: dict[str, str] = {}
    frames = 0
    for frame in slow.frames:
        if frame.event == "position":
            frames += 1
            newest |= {item["seal"]: item["time"] for item in frame.json()["items"]}
    while set(newest.values()) != {"2026-11-22T04:00:03.801Z"} or len(newest) < 300:
        frames += 1
        newest |= {item["seal"]: item["time"] for item in (await slow.positions())["items"]}
    assert frames < 10
    slow.close()


async def test_one_that_does_not_read_holds_nobody_up(world: World, small_buffers: None):
    """Others get each event while it stands still; fan-out waits for no client."""
    stuck = [await Reader.open(world.url, buffer=4096) for _ in range(3)]
    for reader in stuck:
        reader.stand_still()
    quick = await Reader.open(world.url)
    for first in range(1, 2001, 500):
        await world.commit(range(first, first + 500))
        assert await quick.events(500) == list(range(first, first + 500))
    for reader in [*stuck, quick]:
        reader.close()


async def test_one_that_takes_nothing_for_long_is_cut_and_resumes(
    world: World, small_buffers: None, monkeypatch: pytest.MonkeyPatch
):
    """Its place is freed; with its last id it comes back to everything."""
    monkeypatch.setattr(module, "WRITE_TIMEOUT_S", 0.3)
    stuck = await Reader.open(world.url, buffer=4096)
    await stuck.next()
    stuck.stand_still()
    await world.commit(range(1, 5001))
    await eventually(lambda: world.hub.watchers == 0, "the stuck client is let go")
    stuck.go_on()
    seen = await stuck.events_to_the_end()
    monkeypatch.setattr(module, "WRITE_TIMEOUT_S", 30.0)
    again = await Reader.open(world.url, headers=resume(stuck))
    assert seen + await again.events(5000 - len(seen)) == list(range(1, 5001))
    again.close()


async def test_a_new_watcher_is_shown_where_all_seals_are(world: World):
    """Then only what changes."""
    first = await Reader.open(world.url)
    world.hub.publish_positions(LIVE, [PositionRow(seal=f"S{n}", time_ms=NOON_MS) for n in range(5)])
    assert len((await first.positions())["items"]) == 5
    second = await Reader.open(world.url)
    shown = await second.positions()
    assert (len(shown["items"]), shown["whole"]) == (5, True)
    world.hub.publish_positions(
        LIVE, [PositionRow(seal="S1", time_ms=NOON_MS + 5, lon_e7=1066812345, lat_e7=208645601)]
    )
    for reader in (first, second):
        changed = await reader.positions()
        assert [(item["seal"], item["lon"]) for item in changed["items"]] == [("S1", 106.6812345)]
        reader.close()


async def test_spaces_are_streamed_apart(world: World):
    """An exercise never shows among live cargo."""
    await world.fleet.create_space("ex-1", plan_files())
    await world.store.add_space("ex-1")
    live, exercise = await Reader.open(world.url), await Reader.open(world.url, "?space=ex-1")
    await world.commit([1], space="ex-1")
    world.hub.publish_positions("ex-1", [PositionRow(seal="X", time_ms=0)])
    await world.commit([2])
    assert await exercise.events(1) == [1]
    assert await live.events(1) == [2]
    assert [frame.event for frame in live.frames if frame.event] == ["event"]
    live.close()
    exercise.close()


async def test_a_quiet_stream_is_kept_alive_by_comments(world: World, monkeypatch: pytest.MonkeyPatch):
    """Which scripts do not see and proxies do."""
    monkeypatch.setattr(module, "HEARTBEAT_S", 0.05)
    reader = await Reader.open(world.url)
    await reader.next()
    assert (await reader.next()).comments == ["alive"]
    reader.close()


async def test_a_stream_ends_with_its_session(world: World, monkeypatch: pytest.MonkeyPatch):
    """Whoever signed out sees no more."""
    monkeypatch.setattr(module, "HEARTBEAT_S", 0.05)
    body = {"username": "operator", "password": CREDENTIALS["operator"]["password"]}
    csrf = (await world.raw("/api/v1/session", "POST", json=body)).json()["csrf"]
    async with world.client.get(world.url + "/api/v1/stream") as answer:
        assert answer.status == 200
        await world.raw("/api/v1/session", "DELETE", headers={"X-CSRF-Token": csrf})
        async with asyncio.timeout(60):
            await answer.read()


async def test_a_stream_that_is_never_quiet_ends_with_its_token_too(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    """Who may come in is asked at every heartbeat, not only in silence."""
    monkeypatch.setattr(module, "HEARTBEAT_S", 0.05)
    busy = await Reader.open(world.url)
    (token,) = [token for token in world.accounts.tokens() if token.username == "operator"]
    world.accounts.install(tokens=[token._replace(revoked_ms=1)])

    async def ended() -> bool:
        world.hub.publish_positions(LIVE, [PositionRow(seal="S1", time_ms=0)])
        return world.hub.watchers == 0

    await eventually(ended, "the stream has ended")
    busy.close()


async def test_a_client_that_left_is_forgotten(world: World):
    """At the next thing there is to say."""
    reader = await Reader.open(world.url)
    await reader.next()
    reader.close()

    async def forgotten() -> bool:
        world.hub.publish_positions(LIVE, [PositionRow(seal="S1", time_ms=0)])
        return world.hub.watchers == 0

    await eventually(forgotten, "the client is forgotten")


async def test_the_streams_last_id_survives_a_restart(world: World):
    """Cursors are of the database, not of the process."""
    reader = await Reader.open(world.url)
    await world.commit([1, 2])
    assert await reader.events(2) == [1, 2]
    reader.close()
    await world.commit([3], tell=False)
    server = await restarted(world)
    again = await Reader.open(server.url, headers=resume(reader))
    assert await again.events(1) == [3]
    again.close()
    await server.close()


@pytest.mark.parametrize(("header", "field"), [(True, "Last-Event-ID"), (False, "last_event_id")])
async def test_an_id_that_is_none_is_refused_by_name(world: World, header: bool, field: str):
    """So is one ahead of the database, as after a restore: what was seen is not what is here."""
    for value in ("x", encode_cursor(EventCursor(99))):
        if header:
            answer = await world.ask("/api/v1/stream", headers={"Last-Event-ID": value})
        else:
            answer = await world.ask(f"/api/v1/stream?last_event_id={value}")
        assert_problem(answer, 400, field)


async def test_each_write_leaves_at_once(world: World, monkeypatch: pytest.MonkeyPatch):
    """Nagle's algorithm is off on the server's socket."""
    options = []
    begin = module.begin

    async def watch(request, sequence):
        response = await begin(request, sequence)
        connection = request.transport.get_extra_info("socket")
        options.append(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        return response

    monkeypatch.setattr(module, "begin", watch)
    reader = await Reader.open(world.url)
    await reader.next()
    assert options == [1]
    reader.close()
