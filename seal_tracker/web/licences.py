"""``/api/v1/licences``: under which licence minerals are dug, edited one by one; and what became of what was dug under each.

Each edit is the plan's next version, as one of a zone is: so it has a history with who and why, and each journey is judged by the licence
as it was in force. Who is of a unit sees and edits that unit's licences.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal, cast, get_args

import msgspec
from aiohttp import web
from msgspec import UNSET, UnsetType

from seal_tracker.facts.balance import Line
from seal_tracker.model import NO_TIME, iso_ms, iso_or_none
from seal_tracker.plans.edits import edited, feature_tag, objects_in
from seal_tracker.plans.licences import QUOTA_UNITS, Licence
from seal_tracker.rules.across_facts import MASS_BALANCE
from seal_tracker.rules.policy import REGIMES
from seal_tracker.store.connections import END_OF_TIME
from seal_tracker.store.fact_reads import LineSums
from seal_tracker.web.accounts import Right
from seal_tracker.web.alarms import moment_ms
from seal_tracker.web.auth import scope_of
from seal_tracker.web.context import CONTEXT
from seal_tracker.web.cursors import LineCursor, encode_cursor
from seal_tracker.web.errors import BadParameter, Conflict, InvalidBody, Missing, Outdated
from seal_tracker.web.plans import EditAnswer, EditQuery, edit
from seal_tracker.web.queries import (
    Id,
    Moment,
    PageQuery,
    SpaceQuery,
    cursor_of,
    path_id,
    read_body,
    read_query,
)
from seal_tracker.web.reading import encoded, known_space, page_of
from seal_tracker.web.routes import JSON, Route
from seal_tracker.web.scope import sees
from seal_tracker.web.tickets import CSV, csv_answer
from seal_tracker.web.versions import check_version, etag, versioned
from seal_tracker.web.wire import Page

__all__ = ["ROUTES"]

QuotaUnit = Literal["kg", "t", "m3"]
assert get_args(QuotaUnit) == QUOTA_UNITS

COLLECTION: Final = "licences"
MOST_LINES: Final = 20_000
"""Of one CSV: what a large mine sends in a year."""

Text = Annotated[str, msgspec.Meta(pattern=r"^[^\x00]{1,500}\Z")]
Zones = Annotated[list[Id], msgspec.Meta(min_length=1, max_length=100)]
Above0 = Annotated[float, msgspec.Meta(gt=0, le=1e12)]


class LicenceBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """A licence: its number as printed, to whom it was given, what may be dug, in which zones it may be loaded, how much (``quota`` of
    ``quota_unit``; of a volume with its density), from when to when. What is left out is not limited.
    """

    number: Text
    holder: Text
    mineral: Text
    mines: Zones
    yards: Zones | None = None
    quota: Above0 | None = None
    quota_unit: QuotaUnit | None = None
    density_t_m3: Annotated[float, msgspec.Meta(gt=0, le=25)] | None = None
    valid_from: Moment | None = None
    valid_to: Moment | None = None
    unit: Id | None = None


class LicenceItem(LicenceBody, frozen=True, kw_only=True, omit_defaults=True):
    """A licence and its id, by which journeys name it."""

    id: Id


class BalanceQuery(SpaceQuery, frozen=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    """Of journeys weighed out, or else armed, in [from, to); all of them where nothing is said."""

    from_: Moment | UnsetType = UNSET
    to: Moment | UnsetType = UNSET


class LinesQuery(PageQuery, frozen=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    """The same journeys, in the order in which they take from the quota; as CSV all of them at once."""

    from_: Moment | UnsetType = UNSET
    to: Moment | UnsetType = UNSET
    format: Literal["json", "csv"] = "json"


class BalanceAnswer(msgspec.Struct, frozen=True, kw_only=True, rename={"from_": "from"}):
    """What journeys of a period come to. ``used_kg`` is each one's mass as weighed out, else in, else declared; ``remaining_kg`` is the
    quota less what all journeys ever took from it (null: no quota); the tolerance is today's policy. ``lines`` is the query of the
    journeys that the figures are sums of.
    """

    licence: str
    from_: str | None
    to: str | None
    journeys: int
    weighed_out: int
    weighed_in: int
    declared_kg: int
    out_kg: int
    in_kg: int
    used_kg: int
    quota_kg: int | None
    used_of_quota_kg: int
    remaining_kg: int | None
    tolerance_kg: float
    tolerance_pct: float
    lines: str


class BalanceLine(msgspec.Struct, frozen=True, kw_only=True):
    """A journey: what it declared, and what it weighed; ``counted_kg`` is what it takes from the quota, ``difference_kg`` weighed in less
    weighed out. ``weighing_out`` and ``weighing_in`` are the ids of the weighings.
    """

    journey: str
    unit: str | None
    at: str
    declared_kg: int | None
    out_kg: int | None
    in_kg: int | None
    counted_kg: int
    difference_kg: int | None
    weighing_out: str | None
    weighing_in: str | None


async def list_licences(request: web.Request) -> web.Response:
    """Licences by id."""
    query = read_query(request, PageQuery)
    known_space(request, query.space)
    scope, pieces = scope_of(request), await _pieces(request, query.space)
    mine = [name for name, one in pieces.items() if sees(scope, one.get("unit"))]
    page, following = page_of(mine, lambda name: name, query)
    return encoded(Page([pieces[name] for name in page], following))


async def show_licence(request: web.Request) -> web.Response:
    """One licence."""
    query = read_query(request, SpaceQuery)
    known_space(request, query.space)
    piece = await _piece(request, query.space)
    return versioned(piece, feature_tag(piece))


async def put_licence(request: web.Request) -> web.Response:
    """Make a licence, or replace it."""
    query = read_query(request, EditQuery)
    known_space(request, query.space)
    name, scope = path_id(request, "id"), scope_of(request)
    given = msgspec.to_builtins(await read_body(request, LicenceBody))
    there = (await _pieces(request, query.space)).get(name)
    if there is not None:
        if not sees(scope, there.get("unit")):
            raise Missing(f"there is no licence {name!r} of yours", field="id")
        check_version(request, feature_tag(there))
    elif request.if_match:
        raise Outdated(f"there is no {name!r} any more; put it without If-Match to make it anew", field="If-Match")  # fmt: skip
    if not sees(scope, given.get("unit")):
        raise InvalidBody("unit: name one of yours", field="unit")
    piece = {"id": name, **given}
    plan = request.app[CONTEXT].live.plan(query.space)
    made = await edit(request, query, lambda files: edited(files, COLLECTION, [piece]), plan)
    made.set_status(201 if there is None else 200)
    made.headers["ETag"] = etag(feature_tag(piece))  # of what the address shows from now on
    return made


async def remove_licence(request: web.Request) -> web.Response:
    """Remove a licence."""
    query = read_query(request, EditQuery)
    known_space(request, query.space)
    piece = await _piece(request, query.space)
    check_version(request, feature_tag(piece))
    context = request.app[CONTEXT]
    if (ever := await context.store.lines_summed(query.space, piece["id"])).journeys:
        raise Conflict(
            f"{ever.journeys} journeys were under licence {piece['id']!r}: it stays, for their balance; let it end by valid_to",
            field="id",
        )
    plan = context.live.plan(query.space)
    return await edit(request, query, lambda files: edited(files, COLLECTION, [], [piece["id"]]), plan)


async def show_balance(request: web.Request) -> web.Response:
    """What was declared, weighed out and weighed in under a licence, and what is left of its quota."""
    query = read_query(request, BalanceQuery)
    known_space(request, query.space)
    licence, period = await _licence(request, query.space), _period_ms(query)
    store = request.app[CONTEXT].store
    sums = await store.lines_summed(query.space, licence.id, period)
    ever = await store.lines_summed(query.space, licence.id)
    return encoded(_balance(request, query, licence, sums, ever))


async def list_lines(request: web.Request) -> web.Response:
    """The journeys under a licence, with what each was declared and weighed."""
    query = read_query(request, LinesQuery)
    known_space(request, query.space)
    licence, period = await _licence(request, query.space), _period_ms(query)
    cursor, store = cursor_of(query.after, LineCursor), request.app[CONTEXT].store
    after = (cursor.at_ms, cursor.name) if cursor else (NO_TIME, "")
    limit = query.limit if query.format == "json" else MOST_LINES
    rows, more = await store.lines(query.space, licence.id, period=period, after=after, limit=limit)
    items = [line_item(row) for row in rows]
    if query.format == "json":
        following = encode_cursor(LineCursor(rows[-1].at_ms, rows[-1].journey)) if more else None
        return encoded(Page(items, following))
    if more:
        raise BadParameter(
            f"from, to: there are more than {MOST_LINES:,} journeys; ask for a shorter period", field="from"
        )
    return csv_answer(
        f"licence-{licence.id}", BalanceLine.__struct_fields__, [msgspec.structs.asdict(i) for i in items]
    )


def line_item(row: Line) -> BalanceLine:
    """A line in outer units."""
    both = row.out_kg is not None and row.in_kg is not None
    return BalanceLine(
        journey=row.journey, unit=row.unit, at=iso_ms(row.at_ms), declared_kg=row.declared_kg, out_kg=row.out_kg, in_kg=row.in_kg,
        counted_kg=row.counted_kg, difference_kg=(row.in_kg or 0) - (row.out_kg or 0) if both else None,
        weighing_out=row.out_id, weighing_in=row.in_id,
    )  # fmt: skip


def _balance(
    request: web.Request, query: BalanceQuery, licence: Licence, sums: LineSums, ever: LineSums
) -> BalanceAnswer:
    plan = request.app[CONTEXT].live.plan(query.space)
    assert plan is not None, "the licence is of a plan"
    tolerance = [
        cast("float", plan.policies.at(MASS_BALANCE, key, REGIMES.index("minerals"), -1))
        for key in ("tolerance_kg", "tolerance_pct")
    ]
    from_ms, to_ms = moment_ms(query.from_, "from"), moment_ms(query.to, "to")
    asked = {"space": query.space, "from": iso_or_none(from_ms), "to": iso_or_none(to_ms)}
    words = "&".join(f"{name}={value}" for name, value in asked.items() if value is not None)
    return BalanceAnswer(
        licence=licence.id, from_=asked["from"], to=asked["to"], journeys=sums.journeys, weighed_out=sums.weighed_out,
        weighed_in=sums.weighed_in, declared_kg=sums.declared_kg, out_kg=sums.out_kg, in_kg=sums.in_kg, used_kg=sums.used_kg,
        quota_kg=licence.quota_kg, used_of_quota_kg=ever.used_kg,
        remaining_kg=None if licence.quota_kg is None else licence.quota_kg - ever.used_kg,
        tolerance_kg=tolerance[0], tolerance_pct=tolerance[1], lines=f"/api/v1/licences/{licence.id}/journeys?{words}",
    )  # fmt: skip


def _period_ms(query: BalanceQuery | LinesQuery) -> tuple[int, int]:
    from_ms, to_ms = moment_ms(query.from_, "from"), moment_ms(query.to, "to")
    if from_ms is not None and to_ms is not None and to_ms <= from_ms:
        raise BadParameter("to: must be after from", field="to")
    return NO_TIME if from_ms is None else from_ms, END_OF_TIME if to_ms is None else to_ms


async def _pieces(request: web.Request, space: str) -> dict[str, dict[str, Any]]:
    plan = request.app[CONTEXT].live.plan(space)
    return await asyncio.to_thread(objects_in, plan.files, COLLECTION) if plan else {}


async def _piece(request: web.Request, space: str) -> dict[str, Any]:
    """The licence in the path, as it is written."""
    name = path_id(request, "id")
    found = (await _pieces(request, space)).get(name)
    if found is None or not sees(scope_of(request), found.get("unit")):
        raise Missing(f"there is no licence {name!r}", field="id")
    return found


async def _licence(request: web.Request, space: str) -> Licence:
    """The licence in the path, as it is judged by."""
    piece, plan = await _piece(request, space), request.app[CONTEXT].live.plan(space)
    assert plan is not None, "it has the licence"
    return plan.licences[piece["id"]]


PATH: Final = "/api/v1/licences"
ONE: Final = f"{PATH}/{{id}}"
IDS: Final = {"id": Id}

ROUTES: Final[Sequence[Route]] = (
    Route(
        "GET", PATH, list_licences, Right.READ, "Licences under which minerals are dug, by id.",
        query=PageQuery, answer=Page[LicenceItem], problems=(404,),
        leads={ONE: {"id": "/items/0/id"}, f"{ONE}/balance": {"id": "/items/0/id"}, f"{ONE}/journeys": {"id": "/items/0/id"}},
    ),
    Route(
        "GET", ONE, show_licence, Right.READ, "One of them.",
        query=SpaceQuery, path_types=IDS, answer=LicenceItem, problems=(404,), versioned=True,
    ),
    Route(
        "PUT", ONE, put_licence, Right.EDIT_PLANS, "Make one, or replace it (with `If-Match`); the next version of the plan.",
        query=EditQuery, body=LicenceBody, path_types=IDS, answer=EditAnswer, may_make=True, versioned=True, problems=(404, 409),
    ),
    Route(
        "DELETE", ONE, remove_licence, Right.EDIT_PLANS, "Remove one; the next version of the plan.",
        query=EditQuery, path_types=IDS, answer=EditAnswer, edits=True, problems=(404, 409, 422),
    ),
    Route(
        "GET", f"{ONE}/balance", show_balance, Right.READ,
        "Its mass balance: declared, weighed out, weighed in, what the quota has left; each figure a sum of the journeys that `lines` asks for.",
        query=BalanceQuery, path_types=IDS, answer=BalanceAnswer, problems=(404,),
    ),
    Route(
        "GET", f"{ONE}/journeys", list_lines, Right.READ, "The journeys under it, with what each was declared and weighed; as CSV too.",
        query=LinesQuery, path_types=IDS, answer=Page[BalanceLine], media=(JSON, CSV), problems=(404,),
    ),
)  # fmt: skip
