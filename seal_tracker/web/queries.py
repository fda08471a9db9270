"""Query parameters and JSON bodies, checked before anything uses them. Every text that reaches the database has passed a
pattern here or in ``storable``, so that no NUL byte or lone surrogate gets that far. A parameter not given is ``UNSET``, not None,
which msgspec would also read from the text ``null``.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Annotated, Final, Literal, TypeVar

import msgspec
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from msgspec import UNSET, UnsetType

from seal_tracker.model import EPOCH, ID_PATTERN, LIVE, Severity
from seal_tracker.web.cursors import CursorT, decode_cursor
from seal_tracker.web.errors import (
    BadBody,
    BadParameter,
    CursorError,
    InvalidBody,
    Missing,
    TooLarge,
    WrongContentType,
)

__all__ = [
    "DAY_MS",
    "NO_YEAR",
    "WEEK_MS",
    "Box",
    "EpisodesQuery",
    "EventsQuery",
    "HappenedQuery",
    "ListQuery",
    "Moment",
    "NewPassword",
    "NoQuery",
    "PageQuery",
    "Said",
    "SignIn",
    "SpaceFiles",
    "SpaceQuery",
    "StreamQuery",
    "cursor_of",
    "ms_of",
    "path_id",
    "period_of",
    "read_body",
    "read_query",
    "within_a_year",
]

DAY_MS: Final = 86_400_000
WEEK_MS: Final = 7 * DAY_MS
LONGEST_MS: Final = 366 * DAY_MS
NO_YEAR: Final = "from: must be before `to`, by a year at most"

SMALL_BODY_BYTES = 16 * 1024
"""A sign-in and the like."""

PLAN_BODY_BYTES = 64 * 1024 * 1024
"""A plan folder: 100,000 zones are about 40 MB of GeoJSON."""

BODY_TIMEOUT_S = 60.0
"""A body slower than this holds a connection for nothing; a plan of 40 MB takes as long at 5 Mbit/s."""

Id = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_.:-]{1,64}\Z")]
"""The ids of INTERFACES.md; also the names of spaces."""

EventType = Annotated[str, msgspec.Meta(pattern=r"^[A-Z][A-Z0-9_]{0,63}\Z")]
FileName = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9_.-]{1,64}\Z")]
Limit = Annotated[int, msgspec.Meta(ge=1, le=1000)]
Secret = Annotated[str, msgspec.Meta(min_length=1, max_length=1024)]
Said = Annotated[str, msgspec.Meta(min_length=1, max_length=2000, pattern=r"^[^\x00]*\Z")]
"""What a person writes: a note, a reason."""

Moment = Annotated[datetime, msgspec.Meta(tz=True)]
"""RFC 3339 with its zone."""

Box = Annotated[str, msgspec.Meta(pattern=r"^[^\x00-\x1f\x7f]{1,500}\Z")]
Cursor = Annotated[str, msgspec.Meta(min_length=1, max_length=1024, pattern=r"^[A-Za-z0-9_=-]+\Z")]


NUMBER = re.compile(r"\s*[-+]?[0-9.]+(e[-+]?[0-9]+)?\s*", re.IGNORECASE)


class NoQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """No parameters."""


class SpaceQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which space; the live one unless named."""

    space: Id = LIVE


class PageQuery(SpaceQuery, frozen=True, forbid_unknown_fields=True):
    """One page of a list: at most ``limit`` items after the cursor."""

    limit: Limit = 100
    after: Cursor | UnsetType = UNSET


class ListQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One page of a list that is of no space."""

    limit: Limit = 100
    after: Cursor | UnsetType = UNSET


class HappenedQuery(SpaceQuery, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What happened [from, to), and to whom. ``unit`` is the one that answers, with ``below`` those below it, too; ``box`` is the number of a container, in any case of
    letters: what happened on its journeys.
    """

    from_: Moment | UnsetType = msgspec.field(default=UNSET, name="from")
    to: Moment | UnsetType = UNSET
    unit: Id | UnsetType = UNSET
    severity: Severity | UnsetType = UNSET
    type: EventType | UnsetType = UNSET
    journey: Id | UnsetType = UNSET
    seal: Id | UnsetType = UNSET
    box: Box | UnsetType = UNSET
    below: bool = False


class EventsQuery(HappenedQuery, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Events in order of ``sequence``, which is that in which they became known; ``desc`` goes backwards from the newest. Their time,
    which is when they happened, lies in [from, to).
    """

    order: Literal["asc", "desc"] = "asc"
    limit: Limit = 100
    after: Cursor | UnsetType = UNSET


class EpisodesQuery(HappenedQuery, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Episodes that were raised in [from, to), newest first; ``ndjson`` is a file of them all, which comes whole, in its own order."""

    format: Literal["json", "ndjson"] = "json"
    open: bool | UnsetType = UNSET
    limit: Limit | UnsetType = UNSET
    after: Cursor | UnsetType = UNSET


class StreamQuery(SpaceQuery, frozen=True, forbid_unknown_fields=True):
    """Where a stream resumes; the header ``Last-Event-ID`` is newer and wins."""

    last_event_id: Cursor | UnsetType = UNSET


class SignIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who signs in."""

    username: Secret
    password: Secret


class NewPassword(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One's own password, and the one to come."""

    current: Secret
    new: Secret


class SpaceFiles(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An exercise space and the plan folder it is judged by, file names to their text."""

    space: Id
    files: Annotated[dict[FileName, str], msgspec.Meta(max_length=16)]


QueryT = TypeVar("QueryT", bound=msgspec.Struct)
BodyT = TypeVar("BodyT", bound=msgspec.Struct)


def read_query(request: web.Request, kind: type[QueryT]) -> QueryT:
    """The request's query parameters as ``kind``.

    Raises
    ------
    BadParameter
        Unknown, repeated or unfit parameter; ``field`` names it.
    """
    values: dict[str, str] = {}
    for name, value in request.query.items():
        if name in values:
            raise BadParameter(f"{name} is given twice; give it once", field=name)
        values[name] = value
    for name in times_of(kind) & values.keys():
        if NUMBER.fullmatch(values[name]):  # which would be taken for seconds since 1970
            raise BadParameter(
                f"{name}: {values[name][:40]!r} is no time like 2026-11-22T03:00:00Z", field=name
            )
    try:
        return msgspec.convert(values, kind, strict=False)
    except (msgspec.ValidationError, UnicodeEncodeError) as error:
        known = ", ".join(kind.__struct_encode_fields__) or "none"
        field = field_of(error)
        raise BadParameter(
            f"{field or 'parameter'}: {error} (parameters here: {known})", field=field
        ) from error


@cache
def times_of(kind: type[msgspec.Struct]) -> frozenset[str]:
    """Names of the parameters that are times."""
    fields = msgspec.json.schema_components([kind])[1][kind.__name__].get("properties", {})
    return frozenset(name for name, schema in fields.items() if schema.get("format") == "date-time")


def path_id(request: web.Request, name: str) -> str:
    """The id in the request's path.

    Raises
    ------
    Missing
        No object can have it.
    """
    value = request.match_info[name]
    if ID_PATTERN.fullmatch(value) is None:
        raise Missing(f"{name}: an id is 1 to 64 of A-Z a-z 0-9 _ . : -", field=name)
    return value


def cursor_of(text: str | UnsetType, kind: type[CursorT], field: str = "after") -> CursorT | None:
    """The cursor a parameter holds, None where it was not given.

    Raises
    ------
    BadParameter
        Not a cursor of this list.
    """
    if text is UNSET:
        return None
    try:
        return decode_cursor(text, kind)
    except CursorError as error:
        raise BadParameter(f"{field}: {error}", field=field) from error


def period_of(begin: datetime | UnsetType, end: datetime | UnsetType) -> tuple[int | None, int | None]:
    """[``from``, ``to``) as UTC epoch ms; None where it is open.

    Raises
    ------
    BadParameter
        It ends before it begins.
    """
    if begin is not UNSET and end is not UNSET and end <= begin:
        raise BadParameter(
            f"to: {end.isoformat()} is not after `from`, {begin.isoformat()}; give a later one", field="to"
        )
    return (None if begin is UNSET else ms_of(begin)), (None if end is UNSET else ms_of(end))


def within_a_year(from_ms: int | None, to_ms: int | None) -> tuple[int, int]:
    """A period of which one end is given at least, of a week where the other is not; epoch ms.

    Raises
    ------
    BadParameter
        It is empty or longer than a year.
    """
    if from_ms is None:
        assert to_ms is not None, "one of them is given"
        from_ms = to_ms - WEEK_MS
    elif to_ms is None:
        to_ms = from_ms + WEEK_MS
    if not 0 < to_ms - from_ms <= LONGEST_MS:
        raise BadParameter(NO_YEAR, field="from")
    return from_ms, to_ms


def ms_of(moment: datetime) -> int:
    """UTC epoch ms, whole ones before a fraction."""
    return (moment - EPOCH) // timedelta(milliseconds=1)


async def read_body(
    request: web.Request,
    kind: type[BodyT],
    max_bytes: int = SMALL_BODY_BYTES,
    takes: Sequence[str] = ("application/json",),
) -> BodyT:
    """The request's JSON body as ``kind``; never more than ``max_bytes`` of it are held, unpacked.

    Raises
    ------
    WrongContentType, TooLarge, BadBody, InvalidBody
        As their names say; ``InvalidBody.field`` names the member.
    """
    if request.content_type not in takes:
        raise WrongContentType(f"send {takes[0]}, not {request.content_type}", field="Content-Type")
    if (request.content_length or 0) > max_bytes:
        raise TooLarge(f"at most {max_bytes} bytes are read here")
    content = await read_content(request, max_bytes)
    try:
        return msgspec.json.decode(content, type=kind)
    except msgspec.ValidationError as error:
        raise InvalidBody(str(error), field=field_of(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadBody(f"not JSON: {error}") from error


async def read_content(request: web.Request, max_bytes: int) -> bytes:
    """The body, unpacked, as far as it is not too large, too slow or damaged."""
    content = bytearray()
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            async for chunk in request.content.iter_chunked(64 * 1024):
                content += chunk
                if len(content) > max_bytes:
                    raise TooLarge(f"at most {max_bytes} bytes are read here")
    except TimeoutError as error:
        raise BadBody(f"the body did not arrive within {BODY_TIMEOUT_S:.0f} s") from error
    except (web.RequestPayloadError, HttpProcessingError) as error:
        raise BadBody("the body is damaged: it is not what its headers say") from error
    return bytes(content)


def field_of(error: Exception) -> str | None:
    """The parameter or member that msgspec's message names."""
    found = re.search(r"unknown field `([^`]*)`|missing required field `([^`]*)`|`\$\.([^`.\[]+)", str(error))
    return next((name for name in found.groups() if name), None) if found else None


def storable(text: str) -> bool:
    """Whether PostgreSQL can hold the text: it has no NUL, which JSON allows."""
    return "\0" not in text
