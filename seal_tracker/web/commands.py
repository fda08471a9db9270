"""``/api/v1/commands``: what seals are told to do, requested by one supervisor and approved by another. Off by default; live only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final
from uuid import UUID, uuid4

import msgspec
from aiohttp import web
from msgspec import UNSET, UnsetType

from seal_tracker.clock import clock_ms
from seal_tracker.downlink.messages import CommandId, Kind
from seal_tracker.downlink.states import Command, command_in
from seal_tracker.model import LIVE
from seal_tracker.store.command_reads import CommandFilter, CommandPlace
from seal_tracker.supervision.commands import CommandDesk, Wanted
from seal_tracker.web.accounts import Right
from seal_tracker.web.acting import acted, checking, paged, path_uuid, place_of
from seal_tracker.web.alarms import AlarmStep, step_item
from seal_tracker.web.auth import PRINCIPAL, scope_of
from seal_tracker.web.context import CONTEXT
from seal_tracker.web.errors import Conflict, Missing
from seal_tracker.web.queries import Id, ListQuery, NoQuery, Said, read_body, read_query
from seal_tracker.web.routes import Route
from seal_tracker.web.versions import versioned
from seal_tracker.web.wire import Page

__all__ = ["ROUTES"]

PATH: Final = {"command": CommandId}
HISTORY_TOLD: Final = 20
"""A command has five steps at most, seven with a late answer."""

USUAL_S: Final = 900
"""A quarter of an hour: for a second supervisor to look, and for a seal that reports each minute to hear of it."""


class CommandsQuery(ListQuery, frozen=True, forbid_unknown_fields=True):
    """Commands, newest first; ``under_way``: those alone that are requested, approved or sent."""

    seal: Id | UnsetType = UNSET
    journey: Id | UnsetType = UNSET
    under_way: bool = False


class NewCommand(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a seal is to do, why, and within which time it must have been approved, sent and obeyed; an unlock within half an hour.

    ``interval_s`` is of the kind ``interval`` alone, which needs it.
    """

    seal: Id
    kind: Kind
    reason: Said
    valid_s: Annotated[int, msgspec.Meta(ge=60, le=86_400)] = USUAL_S
    interval_s: Annotated[int, msgspec.Meta(ge=10, le=7_200)] | None = None


class CommandApproval(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing need be said."""


class CommandCancel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why it is taken back."""

    reason: Said


class CommandItem(Command, frozen=True, kw_only=True):
    """A command with its steps, newest first."""

    history: Sequence[AlarmStep]


async def list_commands(request: web.Request) -> web.Response:
    """Commands, newest first."""
    query = read_query(request, CommandsQuery)
    commands_on(request)
    place = place_of(query.after)
    which = CommandFilter(
        seal=query.seal or None, journey=query.journey or None, under_way=query.under_way, scope=scope_of(request)
    )  # fmt: skip
    rows, more = await request.app[CONTEXT].store.commands(
        LIVE, which, before=CommandPlace(*place) if place else None, limit=query.limit
    )
    return paged(rows, command_in, lambda row: row.requested_ms, more=more)


async def show_command(request: web.Request) -> web.Response:
    """One command."""
    read_query(request, NoQuery)
    commands_on(request)
    return await command_answer(request, path_uuid(request, "command"))


async def request_command(request: web.Request) -> web.Response:
    """Ask for a command."""
    read_query(request, NoQuery)
    given = await read_body(request, NewCommand)
    commands_on(request)
    wanted = Wanted(id=uuid4(), **msgspec.structs.asdict(given))
    desk = desk_of(request)
    await acted(request, lambda judging: desk.request(judging, wanted))
    return await command_answer(request, wanted.id, status=201)


async def approve_command(request: web.Request) -> web.Response:
    """Approve what another has asked for."""
    read_query(request, NoQuery)
    await read_body(request, CommandApproval)
    commands_on(request)
    command, desk = path_uuid(request, "command"), desk_of(request)
    await acted(request, lambda judging: desk.approve(judging, command, checking(request)))
    return await command_answer(request, command)


async def cancel_command(request: web.Request) -> web.Response:
    """Take back what has not been sent."""
    read_query(request, NoQuery)
    given = await read_body(request, CommandCancel)
    commands_on(request)
    command, desk = path_uuid(request, "command"), desk_of(request)
    await acted(request, lambda judging: desk.cancel(judging, command, given.reason, checking(request)))
    return await command_answer(request, command)


def commands_on(request: web.Request) -> None:
    """Refuse everything where no commands are given.

    Raises
    ------
    Conflict
        They are off.
    """
    if not request.app[CONTEXT].config.commands:
        raise Conflict(
            "commands to seals are off here: who installs the service turns them on with SEAL_TRACKER_COMMANDS=true "
            "(docs/commands.md); those of before stand in the ledger"
        )


def desk_of(request: web.Request) -> CommandDesk:
    """A desk for one request."""
    context, account = request.app[CONTEXT], request[PRINCIPAL].account
    keeper = context.live.credentials

    def listens(seal: str) -> bool:
        row = keeper.get(seal)
        return row is not None and row.revoked_ms is None

    return CommandDesk(
        context.store, clock_ms, (account.username, str(account.role)), scope_of(request), listens,
        position_alone=context.config.commands_position_alone,
    )  # fmt: skip


async def command_answer(request: web.Request, command: UUID, status: int = 200) -> web.Response:
    """A command as it stands, with its version and its steps."""
    store, scope = request.app[CONTEXT].store, scope_of(request)
    row = await store.command(LIVE, command)
    if row is None or not (scope is None or row.unit in scope):
        raise Missing(f"there is no command {str(command)!r}", field="command")
    steps = await store.actions_of(LIVE, f"command/{command}", limit=HISTORY_TOLD)
    item = CommandItem(**msgspec.structs.asdict(command_in(row)), history=[step_item(step) for step in steps])
    return versioned(item, row.version, status=status, location=f"/api/v1/commands/{command}")


ONE: Final = "/api/v1/commands/{command}"

ROUTES: Final[tuple[Route, ...]] = (
    Route(
        "GET", "/api/v1/commands", list_commands, Right.READ, "Commands to seals, newest first.",
        query=CommandsQuery, answer=Page[Command], problems=(409,), leads={ONE: {"command": "/items/0/id"}},
    ),
    Route(
        "POST", "/api/v1/commands", request_command, Right.COMMAND,
        "Ask that a seal tells its position, reports at another interval, or unlocks at its destination; another supervisor approves.",
        body=NewCommand, answer=CommandItem, status=201, problems=(404, 409), versioned=True, leads={ONE: {"command": "/id"}},
    ),
    Route(
        "GET", ONE, show_command, Right.READ, "One command, with its steps.",
        path_types=PATH, answer=CommandItem, problems=(404, 409), versioned=True,
    ),
    Route(
        "POST", f"{ONE}/approve", approve_command, Right.COMMAND,
        "Approve what another supervisor has asked for; it is sent at once, if the seal may then still be told so.",
        body=CommandApproval, path_types=PATH, answer=CommandItem, edits=True, problems=(404, 409),
    ),
    Route(
        "POST", f"{ONE}/cancel", cancel_command, Right.COMMAND, "Take it back before it is sent.",
        body=CommandCancel, path_types=PATH, answer=CommandItem, edits=True, problems=(404, 409),
    ),
)  # fmt: skip
