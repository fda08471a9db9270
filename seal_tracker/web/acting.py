"""What routes share by which persons work on what has versions: done between two batches, refused as a problem, listed by pages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeVar
from uuid import UUID

from aiohttp import web
from msgspec import UnsetType

from seal_tracker.clock import clock_ms
from seal_tracker.model import LIVE
from seal_tracker.prepared import Prepared
from seal_tracker.supervision.journey_changes import Actor
from seal_tracker.web.auth import PRINCIPAL
from seal_tracker.web.context import CONTEXT
from seal_tracker.web.cursors import DutyCursor, encode_cursor
from seal_tracker.web.errors import Missing
from seal_tracker.web.queries import cursor_of
from seal_tracker.web.reading import encoded
from seal_tracker.web.refusals import refusals_told
from seal_tracker.web.versions import check_version
from seal_tracker.web.wire import Page

if TYPE_CHECKING:
    from seal_tracker.deeds import Deed
    from seal_tracker.space import SpaceJudge

__all__ = ["acted", "actor_of", "checking", "judged", "now_of", "paged", "path_uuid", "place_of"]

Work = Callable[["SpaceJudge"], Awaitable["Deed"]]


class Listed(Protocol):
    """What a list has: rows by id."""

    @property
    def id(self) -> UUID: ...


RowT = TypeVar("RowT", bound=Listed)


async def acted(request: web.Request, work: Work, space: str = LIVE) -> Deed:
    """Have it decided between two batches, committed, and give what was; what the desk refuses is told as a problem."""
    done: list[Deed] = []

    async def decided(judging: SpaceJudge) -> tuple[Prepared, Deed]:
        done.append(await work(judging))
        return Prepared(), done[-1]

    await judged(request, decided, space)
    return done[-1]


async def judged(
    request: web.Request, work: Callable[[SpaceJudge], Awaitable[tuple[Prepared, Deed]]], space: str
) -> None:
    """As `acted`, of a work that says what is judged anew by it."""
    with refusals_told():
        await request.app[CONTEXT].live.act(space, work)


def now_of(request: web.Request, space: str) -> int:
    """The space's now: of the live one our clock's; of an exercise its own, once it has any."""
    own = None if space == LIVE else request.app[CONTEXT].live.now_ms(space)
    return clock_ms() if own is None else own


def actor_of(request: web.Request) -> Actor:
    """Who asks."""
    account = request[PRINCIPAL].account
    return Actor(account.username, str(account.role))


def checking(request: web.Request) -> Callable[[int], None]:
    """What refuses another version than the request names in ``If-Match``."""
    return lambda version: check_version(request, version)


def path_uuid(request: web.Request, name: str) -> UUID:
    """The id in the path.

    Raises
    ------
    Missing
        Nothing can have that id.
    """
    try:
        return UUID(request.match_info[name])
    except ValueError as error:
        raise Missing(f"{name}: an id is a UUID", field=name) from error


def place_of(after: str | UnsetType) -> tuple[int, UUID] | None:
    """The place (epoch ms, id) after which a page begins; None: at the list's own beginning."""
    cursor = cursor_of(after, DutyCursor)
    return (cursor.at_ms, cursor.id) if cursor else None


def paged(rows: Sequence[RowT], line: Callable[[RowT], Any], at: Callable[[RowT], int], *, more: bool) -> web.Response:  # fmt: skip
    """A page of a list in the order of ``at`` (epoch ms) and id."""
    following = encode_cursor(DutyCursor(at(rows[-1]), rows[-1].id)) if more else None
    return encoded(Page([line(row) for row in rows], following))
