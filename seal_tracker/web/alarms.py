"""``/api/v1/alarms``: the operator's list, one alarm with its history and texts, and how often there are any."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

import msgspec
from aiohttp import web
from msgspec import UNSET, UnsetType

from seal_tracker.alarms.rows import alarm_in
from seal_tracker.alarms.states import CLOSED, OPEN_STATES, STATES
from seal_tracker.alarms.texts import TEXTS, AlarmTexts, texts_of
from seal_tracker.comments import Comment
from seal_tracker.model import EPOCH, Severity, iso_ms
from seal_tracker.publishing.cloudevents import AlarmState
from seal_tracker.store.alarm_reads import AlarmFilter, StoredAction
from seal_tracker.store.records import AlarmRow
from seal_tracker.supervision.alarms import may_see
from seal_tracker.web.accounts import Right
from seal_tracker.web.acting import path_uuid
from seal_tracker.web.alarm_seen import SeenItem, note_seen, saw, seen_item
from seal_tracker.web.auth import scope_of
from seal_tracker.web.beside import beside, comments_on
from seal_tracker.web.context import CONTEXT
from seal_tracker.web.cursors import AlarmCursor, encode_cursor
from seal_tracker.web.errors import BadParameter, Missing
from seal_tracker.web.queries import (
    Box,
    EventType,
    Id,
    Moment,
    NoQuery,
    PageQuery,
    SpaceQuery,
    cursor_of,
    period_of,
    read_query,
)
from seal_tracker.web.reading import encoded, journeys_asked, known_space
from seal_tracker.web.refusals import refusals_told
from seal_tracker.web.routes import Route
from seal_tracker.web.versions import versioned
from seal_tracker.web.wire import Page

__all__ = ["ALARM_ID", "ROUTES", "AlarmItem", "alarm_answer"]

AlarmStateName = Literal[
    "unacknowledged", "returned_unacknowledged", "acknowledged", "shelved", "suppressed", "closed"
]
assert AlarmStateName.__args__ == STATES  # type: ignore[attr-defined]

Begin = Annotated[str, msgspec.Meta(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]*\Z")]
AlarmId = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")]
ALARM_ID: Final = {"alarm": AlarmId}

HISTORY_TOLD: Final = 200
"""Steps of an alarm that are told with it, the newest; one that chatters in a shelf for a month has more."""


class AlarmsQuery(PageQuery, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which alarms, and in which order: ``priority`` is open alarms by severity and by when they are due, ``newest`` by when they
    were raised. ``collapse`` lists of each group only what comes first. Closed ones are told where they are asked for by ``state=closed`` or ``open=false``. ``text`` begins a
    journey's declaration, box or id, or a seal's id; ``since`` is when they were first known.
    """

    order: Literal["priority", "newest"] | UnsetType = UNSET
    collapse: bool = False
    open: bool | UnsetType = UNSET
    state: AlarmStateName | UnsetType = UNSET
    severity: Severity | UnsetType = UNSET
    type: EventType | UnsetType = UNSET
    unit: Id | UnsetType = UNSET
    journey: Id | UnsetType = UNSET
    seal: Id | UnsetType = UNSET
    group: AlarmId | UnsetType = UNSET
    box: Box | UnsetType = UNSET
    text: Begin | UnsetType = UNSET
    from_: Moment | UnsetType = msgspec.field(default=UNSET, name="from")
    to: Moment | UnsetType = UNSET
    since: Moment | UnsetType = UNSET


class AlarmStep(msgspec.Struct, frozen=True, kw_only=True):
    """A step of an alarm: what, when, who (``system``: the service itself), the state it led to, and what was said."""

    step: str
    at: str
    by: str
    role: str
    state: str
    version: int
    detail: Mapping[str, Any]


class AlarmLine(AlarmState, frozen=True, kw_only=True):
    """An alarm in a list, and how many of its group are open."""

    open_in_group: int


class AlarmItem(AlarmState, frozen=True, kw_only=True):
    """An alarm with its history, newest first, what its type means, what the driver declared of it, and who has seen it, in the order
    in which they did.
    """

    texts: AlarmTexts | None
    history: Sequence[AlarmStep]
    comments: Sequence[Comment]
    seen: Sequence[SeenItem]


async def list_alarms(request: web.Request) -> web.Response:
    """Alarms, open ones by priority unless asked otherwise."""
    query = read_query(request, AlarmsQuery)
    known_space(request, query.space)
    states = states_of(query)
    by_priority = order_of(query, states) == "priority"
    if query.collapse and not by_priority:
        raise BadParameter("collapse: groups are collapsed by priority alone; leave it out", field="collapse")
    from_ms, to_ms = period_of(query.from_, query.to)
    wanted = AlarmFilter(
        states=states,
        severity=query.severity or None,
        type=query.type or None,
        unit=query.unit or None,
        journeys=await journeys_asked(request, query.space, query.journey, query.box),
        seal=query.seal or None,
        group=UUID(query.group) if query.group else None,
        text=query.text or None,
        since_ms=moment_ms(query.since, "since"),
        from_ms=from_ms,
        to_ms=to_ms,
        scope=scope_of(request),
    )
    cursor = cursor_of(query.after, AlarmCursor)
    try:
        rows, following = await request.app[CONTEXT].store.alarms(
            query.space,
            wanted,
            open_only=CLOSED not in states,
            by_priority=by_priority,
            collapse=query.collapse,
            cursor=cursor.place if cursor else None,
            limit=query.limit,
        )
    except ValueError as error:
        raise BadParameter(
            "after: a cursor of this list in another order; start again without one", field="after"
        ) from error
    after = encode_cursor(AlarmCursor(following)) if following else None
    groups = {row.group for row in rows if row.group is not None}
    open_ = await request.app[CONTEXT].store.alarms_in_groups(query.space, groups, wanted.scope)
    return encoded(Page([line_of(row, open_) for row in rows], after))


async def show_alarm(request: web.Request) -> web.Response:
    """One alarm; whoever handles alarms has seen it by that."""
    query = read_query(request, SpaceQuery)
    known_space(request, query.space)
    alarm = path_uuid(request, "alarm")
    row = await request.app[CONTEXT].store.alarm(query.space, alarm)
    if row is None or not may_see(scope_of(request), row):
        raise Missing(f"there is no alarm {str(alarm)!r}", field="alarm")
    if row.state != CLOSED:
        await note_seen(request, query.space, alarm)
    return await alarm_answer(request, query.space, row)


async def mark_seen(request: web.Request) -> web.Response:
    """Who asks has seen an alarm, wherever it was shown to them."""
    query = read_query(request, SpaceQuery)
    known_space(request, query.space)
    alarm = path_uuid(request, "alarm")
    with refusals_told():
        await saw(request, query.space, alarm)
    row = await request.app[CONTEXT].store.alarm(query.space, alarm)
    assert row is not None, "it was just found"
    return await alarm_answer(request, query.space, row)


async def show_texts(request: web.Request) -> web.Response:
    """What each type of alarm means."""
    read_query(request, NoQuery)
    return encoded(TEXTS)


async def alarm_answer(request: web.Request, space: str, row: AlarmRow) -> web.Response:
    """The alarm as it stands, with its version."""
    steps = await request.app[CONTEXT].store.actions_of(space, f"alarm/{row.id}", limit=HISTORY_TOLD)
    alarm, seen = alarm_in(row), await request.app[CONTEXT].store.alarm_seen(space, row.id)
    comments = await comments_on(request, space, [alarm.journey] if alarm.journey else [])
    episodes = await request.app[CONTEXT].store.episodes_of_ids([alarm.episode]) if comments else {}
    item = AlarmItem(
        **msgspec.structs.asdict(alarm),
        texts=texts_of(alarm.type),
        history=[step_item(s) for s in steps],
        comments=[one for found in episodes.values() for one in beside(found.episode, comments)],
        seen=[seen_item(one) for one in seen],
    )
    return versioned(item, row.version)


def line_of(row: AlarmRow, open_in_groups: Mapping[UUID, int]) -> AlarmLine:
    """An alarm of a list."""
    open_ = 0 if row.group is None else open_in_groups.get(row.group, 0)
    return AlarmLine(**msgspec.structs.asdict(alarm_in(row)), open_in_group=open_)


def states_of(query: AlarmsQuery) -> tuple[str, ...]:
    """The states that are asked for."""
    if query.state is not UNSET:
        if query.open is not UNSET and query.open is (query.state == CLOSED):
            raise BadParameter("open: contradicts `state`; leave it out", field="open")
        return (query.state,)
    return STATES if query.open is False else OPEN_STATES


def order_of(query: AlarmsQuery, states: Sequence[str]) -> str:
    """By priority unless asked otherwise; closed alarms have none, nor have those of one group or journey in a look back."""
    if query.order == "priority" and CLOSED in states:
        raise BadParameter("order: only open alarms have a priority; ask for order=newest", field="order")
    return query.order or ("newest" if CLOSED in states else "priority")


def moment_ms(moment: datetime | UnsetType, field: str) -> int | None:
    """Epoch ms of a time that was given.

    Raises
    ------
    BadParameter
        It lies outside any calendar that is kept here.
    """
    if moment is UNSET:
        return None
    ms = round((moment - EPOCH).total_seconds() * 1000)
    if not 0 <= ms < 253_402_300_800_000:  # noqa: PLR2004 - the year 10000
        raise BadParameter(f"{field}: {moment.isoformat()} is before 1970 or after 9999", field=field)
    return ms


def step_item(stored: StoredAction) -> AlarmStep:
    """A step in outer units."""
    action = stored.action
    said = msgspec.json.decode(action.body, type=dict[str, Any])
    return AlarmStep(
        step=action.kind.partition(".")[2],
        at=iso_ms(action.at_ms),
        by=action.actor,
        role=action.role,
        state=said.pop("state", ""),
        version=said.pop("version", 0),
        detail=said,
    )


ROUTES: Final[tuple[Route, ...]] = (
    Route(
        "GET", "/api/v1/alarms", list_alarms, Right.READ,
        "Alarms, open ones by priority unless asked otherwise.", query=AlarmsQuery, answer=Page[AlarmLine], problems=(404,),
        leads={"/api/v1/alarms/{alarm}": {"alarm": "/items/0/alarm"}},
    ),
    Route(
        "GET", "/api/v1/alarms/texts", show_texts, Right.READ,
        "What each type of alarm means: cause, consequence and response.", answer=dict[str, AlarmTexts],
    ),
    Route(
        "GET", "/api/v1/alarms/{alarm}", show_alarm, Right.READ,
        "One alarm, with its history and what its type means.",
        query=SpaceQuery, path_types=ALARM_ID, answer=AlarmItem, problems=(404,), versioned=True,
    ),
    Route(
        "POST", "/api/v1/alarms/{alarm}/seen", mark_seen, Right.HANDLE_ALARMS,
        "Who asks has seen an alarm: noted once, with no new version. Opening one (GET) is noted by itself.",
        query=SpaceQuery, path_types=ALARM_ID, answer=AlarmItem, problems=(404,), versioned=True,
    ),
)  # fmt: skip
