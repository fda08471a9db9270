"""``/api/v1/hooks``: webhooks, each its owner's; what became of them, and sending again from a cursor."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal
from uuid import UUID, uuid4

import msgspec
from aiohttp import web
from msgspec import UNSET, UnsetType

from seal_tracker.alarms.texts import TEXTS
from seal_tracker.clock import clock_ms
from seal_tracker.deeds import Deed
from seal_tracker.hooks.rows import HookRow, Progress
from seal_tracker.hooks.rules import refusal_of
from seal_tracker.hooks.sender import deliver, open_session
from seal_tracker.hooks.signing import new_secret
from seal_tracker.model import LIVE, Severity, iso_ms, iso_or_none
from seal_tracker.prepared import Prepared
from seal_tracker.store.records import AccountRow, Action
from seal_tracker.web.accounts import Right, Role, rights_of
from seal_tracker.web.auth import PRINCIPAL, Principal, scope_of
from seal_tracker.web.context import CONTEXT
from seal_tracker.web.cursors import EventCursor, encode_cursor
from seal_tracker.web.errors import Conflict, Forbidden, InvalidBody, Missing
from seal_tracker.web.queries import Cursor, EventType, Id, NoQuery, cursor_of, read_body, read_query
from seal_tracker.web.reading import encoded, known_space
from seal_tracker.web.routes import Route
from seal_tracker.web.scope import units_below
from seal_tracker.web.versions import check_version, etag, versioned
from seal_tracker.web.wire import Page

if TYPE_CHECKING:
    from seal_tracker.plans import Unit

__all__ = ["ROUTES", "units_heard"]

Url = Annotated[str, msgspec.Meta(min_length=8, max_length=2000, pattern=r"^https?://[\x21-\x7e]+\Z")]
Types = Annotated[list[EventType], msgspec.Meta(max_length=100)]
Severities = Annotated[list[Severity], msgspec.Meta(max_length=5)]
Units = Annotated[list[Id], msgspec.Meta(max_length=1000)]
HookId = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")]

Verb = Literal["pause", "resume", "remove"]


class NewHook(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A webhook to be made: where to, and what of. Empty filters let everything pass; ``after`` begins in the past."""

    url: Url
    space: Id = LIVE
    types: Types = []
    severities: Severities = []
    units: Units | UnsetType = UNSET
    after: Cursor | UnsetType = UNSET


class ReplayFrom(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Send again everything after this cursor of ``/api/v1/events``."""

    after: Cursor


class HookItem(msgspec.Struct, frozen=True, kw_only=True):
    """A webhook and how it does. ``state`` is ``active``, ``paused`` (by a person) or ``given_up`` (after too many failures)."""

    id: str
    space: str
    url: str
    owner: str
    types: Sequence[str]
    severities: Sequence[str]
    units: Sequence[str] | None
    state: str
    after: str
    delivered: int
    failures: int
    next_try_at: str | None
    last_success_at: str | None
    last_failure_at: str | None
    last_error: str | None
    created_at: str


class HookMade(msgspec.Struct, frozen=True, kw_only=True):
    """A webhook that was made; its secret is told this once."""

    hook: HookItem
    secret: str


class TestAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an event that was sent as a test."""

    delivered: bool
    status: int | None
    detail: str


async def list_hooks(request: web.Request) -> web.Response:
    """One's own webhooks; an administrator sees all."""
    read_query(request, NoQuery)
    found = [pair for pair in await request.app[CONTEXT].store.hooks() if is_mine(request, pair[0])]
    return encoded(Page([hook_item(*pair) for pair in found], None))


async def show_hook(request: web.Request) -> web.Response:
    """One webhook."""
    read_query(request, NoQuery)
    hook, progress = await mine(request)
    return told(hook, progress)


async def make_hook(request: web.Request) -> web.Response:
    """Make a webhook; what happens from now on is sent, or from a cursor."""
    read_query(request, NoQuery)
    wanted = await read_body(request, NewHook)
    known_space(request, wanted.space)
    context = request.app[CONTEXT]
    if refusal := refusal_of(wanted.url, private=context.config.webhook_private):
        raise InvalidBody(f"url: {wanted.url[:200]} {refusal}", field="url")
    if unknown := [name for name in wanted.types if name not in TEXTS]:
        raise InvalidBody(
            f"types: there is no type {unknown[0]!r}, nothing would be sent; GET /api/v1/alarms/texts lists them",
            field="types",
        )
    cursor = cursor_of(wanted.after, EventCursor)
    now_ms = clock_ms()
    hook = HookRow(
        uuid4(), wanted.space, wanted.url, request[PRINCIPAL].account.username, new_secret(), tuple(wanted.types),
        tuple(wanted.severities), units_of(request, wanted.units), "active", 1, now_ms, now_ms,
    )  # fmt: skip
    sequence = cursor.sequence if cursor else await context.store.last_sequence()
    progress = Progress(hook.id, sequence, 0, 0, now_ms, None, None, None, None)
    await commit(request, hook, "make", progress)
    body = HookMade(hook=hook_item(hook, progress), secret=hook.secret)
    return web.Response(
        status=201, body=msgspec.json.encode(body), content_type="application/json",
        headers={"ETag": etag(hook.version), "Location": f"/api/v1/hooks/{hook.id}"},
    )  # fmt: skip


async def pause_hook(request: web.Request) -> web.Response:
    """Send nothing until it is resumed; what happens meanwhile is sent then."""
    return await changed(request, "paused", "pause")


async def resume_hook(request: web.Request) -> web.Response:
    """Go on where it stopped, also after it was given up."""
    return await changed(request, "active", "resume")


async def remove_hook(request: web.Request) -> web.Response:
    """Remove a webhook."""
    read_query(request, NoQuery)
    hook, _ = await mine(request)
    check_version(request, hook.version)
    now_ms = clock_ms()
    await commit(
        request, hook._replace(state="removed", version=hook.version + 1, changed_ms=now_ms), "remove"
    )
    return web.Response(status=204)


async def replay_hook(request: web.Request) -> web.Response:
    """Send again everything after a cursor; receivers leave out what has a known id."""
    read_query(request, NoQuery)
    wanted = await read_body(request, ReplayFrom)
    hook, progress = await mine(request)
    check_version(request, hook.version)
    cursor = cursor_of(wanted.after, EventCursor)
    assert cursor is not None, "the body must have it"
    now_ms = clock_ms()
    hook = hook._replace(version=hook.version + 1, changed_ms=now_ms)
    progress = progress._replace(sequence=cursor.sequence, failures=0, gave_up_ms=None, due_ms=now_ms)
    await commit(request, hook, "replay", progress)
    return told(hook, progress)


async def test_hook(request: web.Request) -> web.Response:
    """Send an event that says it is a test, once, now; and tell what became of it."""
    read_query(request, NoQuery)
    hook, _ = await mine(request)
    config = request.app[CONTEXT].config
    now_ms = clock_ms()
    message = str(uuid4())
    event = {
        "specversion": "1.0",
        "id": message,
        "source": f"/seal-tracker/{config.tenant}",
        "type": "vn.eseal.hook.test",
        "subject": f"hook/{hook.id}",
        "time": iso_ms(now_ms),
        "datacontenttype": "application/geo+json",
        "data": {"type": "Feature", "geometry": None, "properties": {"event": "TEST", "exercise": True}},
    }
    async with open_session(private=config.webhook_private) as session:
        status, why = await deliver(
            session, hook, message, msgspec.json.encode(event), now_ms, private=config.webhook_private
        )
    taken = status is not None and 200 <= status < 300  # noqa: PLR2004 - success, in HTTP
    return encoded(TestAnswer(delivered=taken, status=status, detail=why))


async def changed(request: web.Request, state: str, verb: str) -> web.Response:
    """Give a webhook another state."""
    read_query(request, NoQuery)
    hook, progress = await mine(request)
    check_version(request, hook.version)
    now_ms = clock_ms()
    hook = hook._replace(state=state, version=hook.version + 1, changed_ms=now_ms)
    if state == "active":
        progress = progress._replace(failures=0, gave_up_ms=None, due_ms=now_ms)
    await commit(request, hook, verb, progress)
    return told(hook, progress)


async def commit(request: web.Request, hook: HookRow, verb: str, progress: Progress | None = None) -> None:
    """Store a webhook as it now stands, with who did it; where it is to go on from, if that is new."""
    principal: Principal = request[PRINCIPAL]
    said: dict[str, Any] = {"url": hook.url, "state": hook.state, "types": hook.types, "units": hook.units}
    action = Action(
        clock_ms(), principal.account.username, principal.account.role, f"hook.{verb}", f"hook/{hook.id}",
        None, None, msgspec.json.encode(said),
    )  # fmt: skip

    async def work(_: object) -> tuple[Prepared, Deed]:
        if verb == "make":
            await check_room(request, hook.owner)
        moved = () if progress is None else (progress,)
        return Prepared(), Deed(actions=[action], hooks=[hook], hook_progress=moved)

    await request.app[CONTEXT].live.act(hook.space, work)


async def check_room(request: web.Request, owner: str) -> None:
    """Refuse one webhook more than an account may have; asked between two batches, so that of two at once one counts the other."""
    most = request.app[CONTEXT].config.webhooks_per_account
    has = sum(hook.owner == owner for hook, _ in await request.app[CONTEXT].store.hooks())
    if has >= most:
        raise Conflict(
            f"{owner} has {has} webhooks of {most} that an account may have: remove one, or set SEAL_TRACKER_WEBHOOKS_PER_ACCOUNT"
        )


async def mine(request: web.Request) -> tuple[HookRow, Progress]:
    """The webhook of the path, if the asker may see it."""
    try:
        asked = UUID(request.match_info["hook"])
    except ValueError:
        asked = None
    for hook, progress in await request.app[CONTEXT].store.hooks():
        if hook.id == asked and is_mine(request, hook):
            return hook, progress
    raise Missing("there is no such webhook; GET /api/v1/hooks lists them", field="hook")


def is_mine(request: web.Request, hook: HookRow) -> bool:
    """Whether the asker owns it, or administers everything."""
    account = request[PRINCIPAL].account
    return hook.owner == account.username or (
        account.role == Role.ADMINISTRATOR and scope_of(request) is None
    )


def units_of(request: web.Request, asked: Sequence[str] | UnsetType) -> tuple[str, ...] | None:
    """Units whose events are sent: those asked for, never more than the asker may see; None: all."""
    scope = scope_of(request)
    if asked is UNSET:
        return None if scope is None else tuple(sorted(scope))
    if scope is not None and (beyond := sorted(set(asked) - scope)):
        raise Forbidden(f"units: you may not see {beyond[0]!r}", field="units")
    return tuple(asked)


def units_heard(account: AccountRow | None, units: Iterable[Unit]) -> frozenset[str] | None:
    """Units whose events an account's webhooks may carry now: those it sees; none where it may have no webhooks any more."""
    if account is None or account.disabled or Right.MANAGE_HOOKS not in rights_of(account):
        return frozenset()
    return None if account.unit is None else units_below(account.unit, units)


def hook_item(hook: HookRow, progress: Progress) -> HookItem:
    """The webhook in outer units."""
    given_up = hook.state == "active" and progress.gave_up_ms is not None
    waits = hook.state == "active" and progress.failures > 0 and not given_up
    return HookItem(
        id=str(hook.id),
        space=hook.space,
        url=hook.url,
        owner=hook.owner,
        types=hook.types,
        severities=hook.severities,
        units=hook.units,
        state="given_up" if given_up else hook.state,
        after=encode_cursor(EventCursor(progress.sequence)),
        delivered=progress.delivered,
        failures=progress.failures,
        next_try_at=iso_ms(progress.due_ms) if waits else None,
        last_success_at=iso_or_none(progress.last_success_ms),
        last_failure_at=iso_or_none(progress.last_failure_ms),
        last_error=progress.last_error,
        created_at=iso_ms(hook.created_ms),
    )


def told(hook: HookRow, progress: Progress) -> web.Response:
    """A webhook with its version."""
    return versioned(hook_item(hook, progress), hook.version)


def _routes() -> tuple[Route, ...]:
    all_, one, right = "/api/v1/hooks", "/api/v1/hooks/{hook}", Right.MANAGE_HOOKS
    types = {"hook": HookId}
    return (
        Route("GET", all_, list_hooks, right, "One's own webhooks; all, for an administrator.", answer=Page[HookItem], leads={one: {"hook": "/items/0/id"}}),
        Route("POST", all_, make_hook, right, "Make a webhook.", body=NewHook, answer=HookMade, status=201, problems=(404, 409), versioned=True, leads={one: {"hook": "/hook/id"}}),
        Route("GET", one, show_hook, right, "One webhook, and how it does.", path_types=types, answer=HookItem, versioned=True),
        Route("DELETE", one, remove_hook, right, "Remove a webhook.", path_types=types, status=204, edits=True),
        Route("POST", f"{one}/pause", pause_hook, right, "Send nothing for now.", path_types=types, answer=HookItem, edits=True),
        Route("POST", f"{one}/resume", resume_hook, right, "Go on where it stopped.", path_types=types, answer=HookItem, edits=True),
        Route(
            "POST", f"{one}/replay", replay_hook, right, "Send again everything after a cursor.",
            path_types=types, body=ReplayFrom, answer=HookItem, edits=True,
        ),
        Route("POST", f"{one}/test", test_hook, right, "Send a test, and tell what became of it.", path_types=types, answer=TestAnswer),
    )  # fmt: skip


ROUTES: Final = _routes()
