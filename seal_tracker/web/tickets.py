"""``/api/v1/tickets``: faults of equipment, from the first sight of one to its verified repair. Live only: what is exercised is not broken."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal
from uuid import UUID, uuid4

import msgspec
from aiohttp import web
from msgspec import UNSET, UnsetType

from seal_tracker.clock import clock_ms
from seal_tracker.model import LIVE
from seal_tracker.repairs import states
from seal_tracker.repairs.rows import TicketRow
from seal_tracker.repairs.states import Cause, StateName, Ticket, ticket_in
from seal_tracker.store.ticket_reads import TicketFilter, TicketPlace
from seal_tracker.supervision.tickets import Change, TicketDesk
from seal_tracker.web.accounts import Right
from seal_tracker.web.acting import acted, checking, paged, path_uuid, place_of
from seal_tracker.web.alarms import AlarmId, AlarmStep, moment_ms, step_item
from seal_tracker.web.auth import PRINCIPAL, scope_of
from seal_tracker.web.context import CONTEXT
from seal_tracker.web.cursors import DutyCursor, encode_cursor
from seal_tracker.web.errors import Missing
from seal_tracker.web.queries import Id, ListQuery, Moment, NoQuery, Said, read_body, read_query
from seal_tracker.web.routes import JSON, Route
from seal_tracker.web.scope import sees, units_asked
from seal_tracker.web.versions import versioned
from seal_tracker.web.wire import Page

__all__ = ["CSV", "ROUTES", "csv_answer"]

TicketId = AlarmId
PATH: Final = {"ticket": TicketId}
HISTORY_TOLD: Final = 200
CSV: Final = "text/csv"

CSV_COLUMNS: Final = tuple(Ticket.__struct_fields__)

FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""Begins of a cell that spreadsheets take for a formula, whoever wrote it."""

Who = Annotated[str, msgspec.Meta(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]*\Z")]


class TicketsQuery(ListQuery, frozen=True, forbid_unknown_fields=True):
    """Tickets, newest first; ``under_way``: those alone that are neither closed nor cancelled."""

    equipment: Id | UnsetType = UNSET
    unit: Id | UnsetType = UNSET
    state: StateName | UnsetType = UNSET
    under_way: bool = False
    format: Literal["json", "csv"] = "json"


class NewTicket(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is wrong with a piece of equipment, and since when: now, where nothing is said."""

    equipment: Id
    fault: Said
    failed_at: Moment | UnsetType = UNSET


class TicketAssign(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who is to repair it: an officer or a company."""

    to: Who
    note: Said | None = None


class TicketNote(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What there is to say."""

    note: Said


class TicketStep(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing need be said."""

    note: Said | None = None


class TicketRepaired(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was at fault, and when it worked again: now, where nothing is said."""

    cause: Cause
    note: Said | None = None
    repaired_at: Moment | UnsetType = UNSET


class TicketReason(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why."""

    reason: Said


class TicketItem(Ticket, frozen=True, kw_only=True):
    """A ticket with its steps, newest first."""

    history: Sequence[AlarmStep]


async def list_tickets(request: web.Request) -> web.Response:
    """Tickets, newest first."""
    query = read_query(request, TicketsQuery)
    place, units = place_of(query.after), units_asked(scope_of(request), query.unit or None)
    which = TicketFilter(
        equipment=query.equipment or None, units=units, state=query.state or None, under_way=query.under_way
    )
    rows, more = await request.app[CONTEXT].store.tickets(
        LIVE, which, before=TicketPlace(*place) if place else None, limit=query.limit
    )
    if query.format == "json":
        return paged(rows, ticket_in, lambda row: row.opened_ms, more=more)
    lines = [msgspec.structs.asdict(ticket_in(row)) for row in rows]
    answer = csv_answer("tickets", CSV_COLUMNS, lines)
    if more:
        answer.headers["Next-Cursor"] = encode_cursor(DutyCursor(rows[-1].opened_ms, rows[-1].id))
    return answer


def csv_answer(name: str, columns: Sequence[str], lines: Sequence[dict[str, Any]]) -> web.Response:
    """A table as CSV; a text that a spreadsheet would run is written after an apostrophe."""
    out = io.StringIO()
    write = csv.DictWriter(out, columns, restval="", lineterminator="\r\n")
    write.writeheader()
    for line in lines:
        write.writerow({key: _cell(value) for key, value in line.items()})
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
    return web.Response(body=out.getvalue().encode(), content_type=CSV, charset="utf-8", headers=headers)


def _cell(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


async def show_ticket(request: web.Request) -> web.Response:
    """One ticket."""
    read_query(request, NoQuery)
    return await ticket_answer(request, path_uuid(request, "ticket"))


async def open_ticket(request: web.Request) -> web.Response:
    """Open a ticket."""
    read_query(request, NoQuery)
    given, ticket = await read_body(request, NewTicket), uuid4()
    failed_ms = moment_ms(given.failed_at, "failed_at")
    desk = desk_of(request)
    await acted(request, lambda judging: desk.open(judging, ticket, given.equipment, given.fault, failed_ms))
    return await ticket_answer(request, ticket, status=201)


async def assign_ticket(request: web.Request) -> web.Response:
    """Say who is to repair it."""
    read_query(request, NoQuery)
    given = await read_body(request, TicketAssign)
    return await _changed(
        request, "assigned", lambda t, by, at: states.assigned(t, by, given.to, given.note, at)
    )


async def start_ticket(request: web.Request) -> web.Response:
    """Say that somebody is at it."""
    read_query(request, NoQuery)
    given = await read_body(request, TicketStep)
    return await _changed(request, "started", lambda t, by, at: states.started(t, by, given.note, at))


async def repaired_ticket(request: web.Request) -> web.Response:
    """Say that it works again."""
    read_query(request, NoQuery)
    given = await read_body(request, TicketRepaired)
    repaired_ms = moment_ms(given.repaired_at, "repaired_at")

    def change(ticket: Ticket, by: str, at_ms: int) -> Ticket:
        when_ms = at_ms if repaired_ms is None else repaired_ms
        return states.repaired(ticket, by, given.cause, given.note, when_ms, at_ms)

    return await _changed(request, "repaired", change)


async def reopen_ticket(request: web.Request) -> web.Response:
    """Say that it does not work after all."""
    read_query(request, NoQuery)
    given = await read_body(request, TicketReason)
    return await _changed(request, "reopened", lambda t, by, at: states.reopened(t, by, given.reason, at))


async def note_ticket(request: web.Request) -> web.Response:
    """Say something about it."""
    read_query(request, NoQuery)
    given = await read_body(request, TicketNote)
    return await _changed(request, "noted", lambda t, by, at: states.noted(t, by, given.note, at))


async def close_ticket(request: web.Request) -> web.Response:
    """Verify a repair."""
    read_query(request, NoQuery)
    given = await read_body(request, TicketStep)
    return await _changed(request, "closed", lambda t, by, at: states.closed(t, by, given.note, at))


async def cancel_ticket(request: web.Request) -> web.Response:
    """Say that it was no fault."""
    read_query(request, NoQuery)
    given = await read_body(request, TicketReason)
    return await _changed(request, "cancelled", lambda t, by, at: states.cancelled(t, by, given.reason, at))


async def _changed(request: web.Request, step: str, change: Change) -> web.Response:
    ticket, desk = path_uuid(request, "ticket"), desk_of(request)
    await acted(request, lambda _: desk.change(ticket, step, change, checking(request)))
    return await ticket_answer(request, ticket)


def desk_of(request: web.Request) -> TicketDesk:
    """A desk for one request."""
    account = request[PRINCIPAL].account
    return TicketDesk(
        request.app[CONTEXT].store, clock_ms, (account.username, str(account.role)), scope_of(request)
    )


async def ticket_answer(request: web.Request, ticket: UUID, status: int = 200) -> web.Response:
    """A ticket as it stands, with its version and its steps."""
    store = request.app[CONTEXT].store
    row: TicketRow | None = await store.ticket(LIVE, ticket)
    if row is None or not sees(scope_of(request), row.unit):
        raise Missing(f"there is no ticket {str(ticket)!r}", field="ticket")
    steps = await store.actions_of(LIVE, f"ticket/{ticket}", limit=HISTORY_TOLD)
    item = TicketItem(**msgspec.structs.asdict(ticket_in(row)), history=[step_item(step) for step in steps])
    return versioned(item, row.version, status=status, location=f"/api/v1/tickets/{ticket}")


ONE: Final = "/api/v1/tickets/{ticket}"


def _step(name: str, handler: Any, body: type[Any], right: Right, summary: str) -> Route:
    return Route(
        "POST", f"{ONE}/{name}", handler, right, summary,
        body=body, path_types=PATH, answer=TicketItem, edits=True, problems=(404, 409),
    )  # fmt: skip


ROUTES: Final[tuple[Route, ...]] = (
    Route(
        "GET", "/api/v1/tickets", list_tickets, Right.READ, "Faults of equipment, newest first; as CSV too.",
        query=TicketsQuery, answer=Page[Ticket], media=(JSON, CSV), leads={ONE: {"ticket": "/items/0/id"}},
        says={"Next-Cursor": "Of CSV: the cursor after which the list goes on; not there on its last page."},
    ),
    Route(
        "POST", "/api/v1/tickets", open_ticket, Right.HANDLE_ALARMS, "Open a ticket about a fault that somebody saw.",
        body=NewTicket, answer=TicketItem, status=201, problems=(404,), versioned=True, leads={ONE: {"ticket": "/id"}},
    ),
    Route(
        "GET", ONE, show_ticket, Right.READ, "One ticket, with its steps.",
        path_types=PATH, answer=TicketItem, problems=(404,), versioned=True,
    ),
    _step("assign", assign_ticket, TicketAssign, Right.HANDLE_ALARMS, "Say who is to repair it."),
    _step("start", start_ticket, TicketStep, Right.HANDLE_ALARMS, "Say that somebody is at it."),
    _step("note", note_ticket, TicketNote, Right.HANDLE_ALARMS, "Say something about it."),
    _step("repaired", repaired_ticket, TicketRepaired, Right.HANDLE_ALARMS, "Say that it works again, since when, and what was at fault."),
    _step("reopen", reopen_ticket, TicketReason, Right.HANDLE_ALARMS, "Say that it does not work after all."),
    _step("close", close_ticket, TicketStep, Right.ORDER, "Verify a repair that another has made."),
    _step("cancel", cancel_ticket, TicketReason, Right.ORDER, "Say that it was no fault; it counts in no figure."),
)  # fmt: skip
