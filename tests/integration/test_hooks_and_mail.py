"""Webhooks and mail on the real database, sent to real servers: in order, again after an outage, and never twice unless told."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import aiohttp
import msgspec
import pytest
import pytest_asyncio
from aiohttp import web
from aiosmtpd.controller import Controller
from store_stories import episode, event
from web_support import eventually

from seal_tracker.embedded.ports import choose_port
from seal_tracker.hooks.mailer import Mailer, SmtpServer
from seal_tracker.hooks.rows import HookRow, Mail, Progress
from seal_tracker.hooks.sender import HookSender, PublicResolver, deliver, open_session, public_socket
from seal_tracker.hooks.signing import new_secret, signature
from seal_tracker.model import Severity
from seal_tracker.store import Commit, Store
from seal_tracker.store.hook_reads import MailRow

NOW_MS = 1_800_000_000_000


@dataclass
class Clock:
    """Our clock, moved by hand: pauses of minutes cost none."""

    now_ms: int = NOW_MS

    def __call__(self) -> int:
        return self.now_ms


@dataclass
class Receiver:
    """Somebody's HTTP server, which may be told to refuse."""

    url: str = ""
    status: int = 204
    taken: list[tuple[str, bytes, dict[str, str]]] = field(default_factory=list)
    refused: int = 0

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        if self.status >= 300:
            self.refused += 1
            return web.Response(status=self.status, text="no\nroom", headers={"Location": "http://10.0.0.1/"})
        self.taken.append((request.headers["webhook-id"], body, dict(request.headers)))
        return web.Response(status=self.status)

    @property
    def sequences(self) -> list[int]:
        return [int(msgspec.json.decode(body)["sequence"]) for _, body, _ in self.taken]


@pytest_asyncio.fixture
async def store(postgres_dsn: str) -> AsyncIterator[Store]:
    store = await Store.open(postgres_dsn)
    yield store
    await store.close()


@pytest_asyncio.fixture
async def receiver() -> AsyncIterator[Receiver]:
    made = Receiver()
    app = web.Application()
    app.router.add_post("/in", made.take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    made.url = f"http://{host}:{port}/in"
    yield made
    await runner.cleanup()


async def add_hook(store: Store, url: str, **more: Any) -> HookRow:
    hook = HookRow(
        uuid4(), "live", url, "integrator", new_secret(), (), (), None, "active", 1, NOW_MS, NOW_MS
    )
    hook = hook._replace(**more)
    start = Progress(hook.id, await store.last_sequence(), 0, 0, NOW_MS, None, None, None, None)
    await store.commit(Commit(space="live", hooks=[hook], hook_progress=[start]))
    return hook


async def add_events(
    store: Store, first: int, count: int, severity: Severity = "high", unit: str | None = None
) -> None:
    episodes = [episode(number, severity=severity, unit=unit) for number in range(first, first + count)]
    events = [event(e, sequence) for sequence, e in enumerate(episodes, first)]
    bodies = [
        msgspec.json.encode(
            {
                "id": str(e.id), "sequence": f"{e.sequence:020}", "severitytext": severity,
                "data": {"properties": {"event": e.episode.type, "unit": unit}},
            }
        )
        for e in events
    ]  # fmt: skip
    rows = [(e, 1, False) for e in episodes]
    await store.commit(Commit(space="live", episodes=rows, events=events, event_bodies=bodies))


@contextlib.asynccontextmanager
async def sending(store: Store, clock: Clock, **how: Any) -> AsyncIterator[None]:
    task = asyncio.create_task(HookSender(store, private=True, clock_ms=clock, **how).run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def progress_of(store: Store, hook: HookRow) -> Progress:
    return next(p for h, p in await store.hooks() if h.id == hook.id)


async def test_events_come_in_order_signed_and_go_on_after_a_restart(
    store: Store, receiver: Receiver
) -> None:
    hook = await add_hook(store, receiver.url)
    await add_events(store, 1, 5)
    async with sending(store, Clock()):
        await eventually(lambda: len(receiver.taken) == 5, "five are taken")
    await add_events(store, 6, 3)
    async with sending(store, Clock()):
        await eventually(lambda: len(receiver.taken) == 8, "three more are taken")
    assert receiver.sequences == list(range(1, 9))
    for message, body, headers in receiver.taken:
        signed = signature(hook.secret, message, int(headers["webhook-timestamp"]), body)
        assert headers["webhook-signature"] == signed
        assert headers["Content-Type"].startswith("application/cloudevents+json")
    assert (await progress_of(store, hook)).delivered == 8


async def test_an_outage_loses_nothing_and_is_told(store: Store, receiver: Receiver) -> None:
    """While it refuses, the same event is tried after longer and longer pauses; then everything comes, in order."""
    clock, receiver.status = Clock(), 503
    hook = await add_hook(store, receiver.url)
    await add_events(store, 1, 3)
    async with sending(store, clock):
        await eventually(lambda: receiver.refused == 1, "it is tried")
        await until_failures(store, hook, 1)
        failed = await progress_of(store, hook)
        assert (failed.due_ms - clock.now_ms, failed.last_error) == (5_000, "answered 503: no room")
        clock.now_ms += 5_000
        await until_failures(store, hook, 2)
        receiver.status = 200
        clock.now_ms += 10_000
        await eventually(lambda: len(receiver.taken) == 3, "all come")
    assert receiver.sequences == [1, 2, 3]
    assert (await progress_of(store, hook)).failures == 0


async def until_failures(store: Store, hook: HookRow, count: int) -> None:
    async def failed() -> bool:
        return (await progress_of(store, hook)).failures >= count

    await eventually(failed, f"it failed {count} times")


async def test_what_is_gone_is_given_up_at_once_and_holds_up_nobody(store: Store, receiver: Receiver) -> None:
    other = Receiver(status=410)
    app = web.Application()
    app.router.add_post("/in", other.take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    gone = await add_hook(store, f"http://127.0.0.1:{runner.addresses[0][1]}/in")
    await add_hook(store, receiver.url)
    await add_events(store, 1, 2)
    async with sending(store, Clock()):
        await eventually(lambda: len(receiver.taken) == 2, "the other goes on")
        await until_failures(store, gone, 1)
    assert (await progress_of(store, gone)).gave_up_ms == NOW_MS
    assert other.refused == 1
    await runner.cleanup()


async def test_filters_hold_and_what_is_not_wanted_is_passed_by(store: Store, receiver: Receiver) -> None:
    hook = await add_hook(store, receiver.url, severities=("critical",), units=("HP",))
    await add_events(store, 1, 2, "high", "HP")
    await add_events(store, 3, 1, "critical", "HP")
    await add_events(store, 4, 1, "critical", "LC")
    async with sending(store, Clock()):
        await eventually(lambda: len(receiver.taken) == 1, "one is taken")

        async def passed_by() -> bool:
            return (await progress_of(store, hook)).sequence == 4

        await eventually(passed_by, "the last is passed by")
    assert receiver.sequences == [3]


async def test_an_owner_who_was_moved_hears_no_more_than_they_see_now(
    store: Store, receiver: Receiver
) -> None:
    """The webhook was made by somebody who saw every unit; its owner answers for one now."""
    hook = await add_hook(store, receiver.url)
    await add_events(store, 1, 2, unit="HP")
    await add_events(store, 3, 1, unit="LC")
    async with sending(store, Clock(), sees=lambda _: {"LC"}):
        await eventually(lambda: len(receiver.taken) == 1, "one is taken")
    assert receiver.sequences == [3]
    assert hook.units is None


async def test_a_cursor_set_back_sends_the_same_ids_again(store: Store, receiver: Receiver) -> None:
    hook = await add_hook(store, receiver.url)
    await add_events(store, 1, 3)
    async with sending(store, Clock()):
        await eventually(lambda: len(receiver.taken) == 3, "three are taken")
    await store.set_progress((await progress_of(store, hook))._replace(sequence=1))
    async with sending(store, Clock()):
        await eventually(lambda: len(receiver.taken) == 5, "two come again")
    ids = [message for message, _, _ in receiver.taken]
    assert ids[3:] == ids[1:3]


async def test_paused_and_removed_hooks_and_those_of_disabled_accounts_send_nothing(
    store: Store, receiver: Receiver
) -> None:
    await add_hook(store, receiver.url, state="paused")
    await add_hook(store, receiver.url, state="removed")
    assert await store.hooks_due(NOW_MS) == []
    assert [h.state for h, _ in await store.hooks()] == ["paused"]


async def test_a_redirect_is_not_followed_and_a_private_name_is_not_connected_to(receiver: Receiver) -> None:
    receiver.status = 307
    hook = HookRow(UUID(int=1), "live", receiver.url, "x", new_secret(), (), (), None, "active", 1, 0, 0)
    async with open_session(private=True) as session:
        status, _ = await deliver(session, hook, "1", b"{}", NOW_MS, private=True)
    assert (status, receiver.taken) == (307, [])
    with pytest.raises(OSError, match="private address"):
        await PublicResolver().resolve("localhost", 443)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "localhost.", "0x7f.1", "[::ffff:127.0.0.1]"])
async def test_no_way_of_writing_it_leads_to_a_private_address(receiver: Receiver, host: str) -> None:
    """However the host is written, and whatever a name was found to be when it was looked at first: a connection is refused."""
    url = receiver.url.replace("127.0.0.1", host)
    async with open_session(private=False) as session:
        with pytest.raises(OSError, match=r"private address|not known"):
            await session.post(url, data=b"{}")
    connector = aiohttp.TCPConnector(
        socket_factory=public_socket
    )  # names lead where they lead, as after a rebinding
    async with aiohttp.ClientSession(connector=connector) as session:
        with pytest.raises(OSError, match=r"private address|not known"):
            await session.post(url, data=b"{}")
    assert receiver.taken == []


class Letterbox:
    """A real SMTP server's other side."""

    def __init__(self) -> None:
        self.mails: list[Any] = []
        self.full = False

    async def handle_DATA(  # noqa: N802 - the name that the server calls
        self, _server: Any, _session: Any, envelope: Any
    ) -> str:
        if self.full:
            return "452 no room"
        self.mails.append(envelope)
        return "250 kept as 77"


async def test_mail_goes_out_once_and_its_receipt_is_kept(store: Store) -> None:
    box, clock = Letterbox(), Clock()
    controller = Controller(box, hostname="127.0.0.1", port=choose_port())
    controller.start()
    mail = Mail(UUID(int=9), "truong@hai-quan.example", "Báo động quá hạn", "Seal bị cắt lúc 03:00Z.", NOW_MS)
    await store.commit(Commit(space="live", mails=[mail]))
    await store.commit(Commit(space="live", mails=[mail]))  # told again after a broken connection
    box.full = True
    server = SmtpServer("127.0.0.1", controller.port, "seals@hai-quan.example", security="none")
    task = asyncio.create_task(Mailer(store, server, clock_ms=clock).run())

    async def row() -> MailRow:
        (only,) = await store.mails("live", None, 10)
        return only

    async def refused() -> bool:
        return (await row()).failures == 1

    async def sent() -> bool:
        return (await row()).sent_ms is not None

    try:
        await eventually(refused, "the server has no room")
        assert "no room" in ((await row()).receipt or "")
        box.full = False
        clock.now_ms += 60_000
        await eventually(sent, "it is sent")
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        controller.stop()
    assert ((await row()).receipt, len(box.mails)) == ("kept as 77", 1)
    text = box.mails[0].content.decode()
    assert "To: truong@hai-quan.example" in text
    assert "Message-ID: <mail-1@hai-quan.example>" in text
