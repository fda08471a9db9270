"""Probes: a real HTTP server and a small RTSP answerer on sockets are asked; what may not be asked is not, and nothing secret is told."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from story import Ground

from seal_tracker.config import ConfigError
from seal_tracker.plans.folder import load_files
from seal_tracker.plans.model import Plan
from seal_tracker.plans.probes import Probe, refusal_of, where_of
from seal_tracker.probing.asking import Credentials, authorization, head_of
from seal_tracker.probing.exchange import Asker, Result
from seal_tracker.probing.prober import Prober
from seal_tracker.probing.settings import networks_in, read_credentials

HERE = [ip_network("127.0.0.0/8"), ip_network("::1/128")]
WHO = Credentials("viewer", "hunter2")
REALM, NONCE = "cam", "abc123"


def md5(*parts: str) -> str:
    return hashlib.md5(":".join(parts).encode()).hexdigest()


class RtspCamera:
    """Answers OPTIONS to everybody, and DESCRIBE to who knows the password by Digest, on the connection that its nonce was given on."""

    def __init__(self, stream: int = 200, *, asks: bool = True, says: bytes | None = None) -> None:
        self.stream, self.asks, self.says = stream, asks, says
        self.heard: list[str] = []

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                request = (await reader.readuntil(b"\r\n\r\n")).decode()
                self.heard.append(request)
                writer.write(self.says if self.says is not None else self.answer(request))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    def answer(self, request: str) -> bytes:
        method, uri = request.split(" ")[:2]
        found = re.search(r"CSeq: (\d+)", request)
        assert found is not None
        if method == "OPTIONS":
            return f"RTSP/1.0 200 OK\r\nCSeq: {found[1]}\r\nPublic: OPTIONS, DESCRIBE\r\n\r\n".encode()
        sent = re.search(r'response="(\w+)"', request)
        expected = md5(md5(WHO.username, REALM, WHO.password), NONCE, md5(method, uri))
        if self.asks and (sent is None or sent[1] != expected):
            asks = f'WWW-Authenticate: Digest realm="{REALM}", nonce="{NONCE}"\r\nWWW-Authenticate: Basic realm="{REALM}"'
            return f"RTSP/1.0 401 Unauthorized\r\nCSeq: {found[1]}\r\n{asks}\r\nContent-Length: 4\r\n\r\noops".encode()
        word = "OK" if self.stream == 200 else "Stream Not Found"
        return f"RTSP/1.0 {self.stream} {word}\r\nCSeq: {found[1]}\r\nContent-Length: 3\r\n\r\nv=0".encode()


@asynccontextmanager
async def listening(camera: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]) -> AsyncIterator[int]:  # fmt: skip
    server = await asyncio.start_server(camera, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


@asynccontextmanager
async def web_camera(handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> AsyncIterator[int]:
    app = web.Application()
    app.router.add_get("/{tail:.*}", handler)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


async def ask(url: str, credentials: Credentials | None = None, timeout_s: float = 5.0) -> Result:
    return await Asker(HERE).ask(Probe(url, 60, timeout_s), credentials)


@pytest.mark.parametrize(
    ("camera", "credentials", "expected"),
    [
        (RtspCamera(asks=False), None, (True, "DESCRIBE answered 200 OK")),
        (RtspCamera(), WHO, (True, "DESCRIBE answered 200 OK")),
        (RtspCamera(), None, (True, "DESCRIBE answered 401 Unauthorized")),
        (RtspCamera(), Credentials("viewer", "wrong"), (False, "DESCRIBE answered 401 Unauthorized: refuses the credentials")),
        (RtspCamera(404), WHO, (False, "DESCRIBE answered 404 Stream Not Found")),
        (RtspCamera(says=b"SSH-2.0-x\x1b[31m\r\n\r\n"), None, (False, "answers 'SSH-2.0-x?[31m', which is neither HTTP nor RTSP")),
        (RtspCamera(says=b"RTSP/1.0 200 OK\r\n" + b"X: y\r\n" * 9000 + b"\r\n"), None, (False, "hung up, or went on, before its answer was whole")),
    ],
    ids=["open", "digest", "asks", "refused", "no-stream", "another-protocol", "endless"],
)  # fmt: skip
async def test_a_camera_is_asked_by_rtsp(
    camera: RtspCamera, credentials: Credentials | None, expected: tuple[bool, str]
) -> None:
    """Whether it is there and its stream; one that wants a password which nobody has is there all the same."""
    async with listening(camera) as port:
        assert await ask(f"rtsp://127.0.0.1:{port}/stream1?channel=1", credentials) == expected
    assert camera.heard[0].startswith(f"OPTIONS rtsp://127.0.0.1:{port}/stream1?channel=1 RTSP/1.0\r\n")
    assert not any(WHO.password in request for request in camera.heard)


async def test_a_web_server_is_asked_by_http() -> None:
    """By GET, its page unread and its redirects not followed; Basic is not sent in the clear."""
    heard: list[web.Request] = []

    async def page(request: web.Request) -> web.StreamResponse:
        heard.append(request)
        if request.path == "/away":
            raise web.HTTPFound("http://169.254.169.254/")
        if request.path == "/gone":
            raise web.HTTPNotFound
        if request.path == "/digest" and "Authorization" not in request.headers:
            head = (
                f'Digest realm="{REALM}", nonce="{NONCE}", qop="auth,auth-int", algorithm=SHA-256, opaque="o"'
            )
            return web.Response(status=401, headers={"WWW-Authenticate": head}, text="no")
        if request.path == "/basic":
            return web.Response(status=401, headers={"WWW-Authenticate": "Basic realm=x"}, text="no")
        return web.Response(body=b"x" * 1_000_000)

    async with web_camera(page) as port:
        at = f"http://127.0.0.1:{port}"
        assert await ask(f"{at}/big") == (True, "GET answered 200 OK")
        assert await ask(f"{at}/away") == (True, "GET answered 302 Found")
        assert await ask(f"{at}/gone") == (False, "GET answered 404 Not Found")
        assert await ask(f"{at}/basic", WHO) == (True, "GET answered 401 Unauthorized")
        assert await ask(f"{at}/digest", WHO) == (True, "GET answered 200 OK")
    assert [request.path for request in heard] == ["/big", "/away", "/gone", "/basic", "/digest", "/digest"]
    signed = heard[-1].headers["Authorization"]
    said = dict(re.findall(r'(\w+)="?([^",]+)', signed.removeprefix("Digest ")))
    h = lambda *parts: hashlib.sha256(":".join(parts).encode()).hexdigest()  # noqa: E731
    ha1, ha2 = h(WHO.username, REALM, WHO.password), h("GET", "/digest")
    assert said["response"] == h(ha1, NONCE, "00000001", said["cnonce"], "auth", ha2)
    assert (said["opaque"], said["qop"], said["algorithm"]) == ("o", "auth", "SHA-256")


async def test_what_is_silent_or_closed_fails_in_its_time() -> None:
    """A port where nobody is, and one where somebody takes the connection and says nothing."""

    async def mute(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with listening(mute) as port:
        assert await ask(f"http://127.0.0.1:{port}", timeout_s=0.1) == (False, "did not answer within 0.1 s")
    result = await ask(f"http://127.0.0.1:{port}")
    assert (result.ok, "refused" in result.why.lower() or "connect" in result.why.lower()) == (False, True)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]"])
async def test_only_networks_that_were_named_are_asked(host: str) -> None:
    """By the address that a name leads to; nobody is connected to, so a plan cannot be a way into the server's own machine."""
    reached = False

    async def camera(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        nonlocal reached
        reached = True

    async with listening(camera) as port:
        asker = Asker([ip_network("10.20.0.0/16")])
        result = await asker.ask(Probe(f"http://{host}:{port}/", 60), None)
    assert result == (False, "its address lies in no network of SEAL_TRACKER_PROBE_NETWORKS")
    assert not reached


def test_basic_is_sent_over_verified_tls_alone() -> None:
    """And as RFC 7617 says."""
    head = head_of(b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=x\r\n\r\n")
    where = where_of("https://cam/")
    assert authorization(head, "GET", where, WHO, "c", basic=False) is None
    assert authorization(head, "GET", where, WHO, "c", basic=True) == "Basic dmlld2VyOmh1bnRlcjI="


def test_a_password_is_never_in_a_plan_and_a_query_is_never_shown() -> None:
    """Credentials say no more of themselves; a plan that holds a password is refused without telling it."""
    secret = "rtsp://admin:hunter2@10.20.0.5/stream"
    assert "must not carry a user or a password" in (refusal_of(secret) or "")
    for probe in (secret, {"url": secret}):
        _, faults = load_files(Ground().equipment("CAM-1", probe=probe).files())
        told = " ".join(f"{f.where} {f.what} {f.why} {f.remedy}" for f in faults)
        assert "probe.url" in told
        assert "hunter2" not in told
    assert where_of("http://10.20.0.5:81/x?token=hunter2").shown == "http://10.20.0.5:81/x?…"
    assert "hunter2" not in f"{WHO} {[WHO]}"


@pytest.mark.parametrize("url", ["ftp://10.0.0.1/", "rtsp://", "http://10.0.0.1:0/", "http://[", "http://10.0.0.1/\r\nX: y", "rtsp://10.0.0.1/ø"])  # fmt: skip
def test_an_address_that_cannot_be_asked_is_refused(url: str) -> None:
    """Before anybody tries, by `check` and by the API."""
    assert refusal_of(url) is not None


def test_settings_name_networks_and_credentials(tmp_path: Path) -> None:
    """What is wrong is told without what stands in the file."""
    assert [str(n) for n in networks_in(" 10.20.0.0/16, fd00::/8")] == ["10.20.0.0/16", "fd00::/8"]
    with pytest.raises(ConfigError, match="PROBE_NETWORKS"):
        networks_in("10.20.0.1/16")
    file = tmp_path / "credentials.toml"
    file.write_text('["CAM-1"]\nusername = "viewer"\npassword = "hunter2"\n')
    assert read_credentials(file) == {"CAM-1": WHO}
    for wrong in ('["CAM-1"]\nusername = "viewer"\npasswort = "hunter2"', '"CAM-1" = "hunter2', "a = 1"):
        file.write_text(wrong)
        with pytest.raises(ConfigError) as told:
            read_credentials(file)
        assert "hunter2" not in str(told.value)
    with pytest.raises(ConfigError, match="No such file"):
        read_credentials(tmp_path / "none.toml")


class Slow:
    """Answers when it is let."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.answers: dict[str, asyncio.Future[Result]] = {}

    async def ask(self, probe: Probe, _credentials: Credentials | None) -> Result:
        self.asked.append(probe.url)
        return await self.answers.setdefault(probe.url, asyncio.get_running_loop().create_future())

    async def answer(self, url: str, result: Result) -> None:
        for _ in range(3):
            await asyncio.sleep(0)
        self.answers.pop(url).set_result(result)
        for _ in range(3):
            await asyncio.sleep(0)


def asked_plan(**probes: Any) -> Plan:
    made = Ground()
    for name, probe in probes.items():
        made.equipment(name, 60, probe=probe)
    return made.plan()


async def test_each_is_asked_in_its_rhythm_and_an_answer_is_a_heartbeat() -> None:
    """One that has not answered yet is not asked twice; failures say since when; a plan that drops one forgets it."""
    slow, beats, now = Slow(), list[tuple[str, int]](), [1000]
    plan = [asked_plan(A="http://a/", B={"url": "http://b/", "every_s": 10})]
    prober = Prober(slow, lambda: plan[0], lambda *beat: beats.append(beat), {}, clock_ms=lambda: now[0])
    prober.look(0)
    prober.look(60)
    await slow.answer("http://a/", Result(True, "fine"))
    assert sorted(slow.asked) == ["http://a/", "http://b/"]
    prober.look(75)
    assert sorted(slow.asked) == ["http://a/", "http://b/"]
    await slow.answer("http://b/", Result(False, "dark"))
    now[0] = 2000
    prober.look(76)
    await slow.answer("http://b/", Result(False, "dark"))
    assert beats == [("A", 1000)]
    assert (prober.found["B"].ok, prober.found["B"].failing_since_ms, prober.found["B"].at_ms) == (
        False,
        1000,
        2000,
    )
    plan[0] = asked_plan(A="http://a/")
    prober.look(77)
    assert sorted(prober.found) == ["A"]
