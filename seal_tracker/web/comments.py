"""``/api/v1/journeys/{id}/comments``: what drivers declare, by a program with a token for just that, or by an operator for them.

Who may only comment is told nothing of the journey but their own words.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final, get_args
from uuid import UUID, uuid4

import msgspec
from aiohttp import web

from seal_tracker.clock import clock_ms
from seal_tracker.comments import KINDS, Comment, CommentKind
from seal_tracker.supervision.comments import CommentDesk, Said
from seal_tracker.web.accounts import Right
from seal_tracker.web.acting import acted, actor_of
from seal_tracker.web.auth import scope_of
from seal_tracker.web.context import CONTEXT
from seal_tracker.web.queries import Moment, SpaceQuery, ms_of, path_id, read_body, read_query
from seal_tracker.web.reading import encoded, known_space
from seal_tracker.web.routes import Route

if TYPE_CHECKING:
    from seal_tracker.deeds import Deed
    from seal_tracker.space import SpaceJudge

__all__ = ["ROUTES"]

Words = Annotated[str, msgspec.Meta(min_length=1, max_length=1000, pattern=r"^[^\x00]*\S[^\x00]*\Z")]
Name = Annotated[str, msgspec.Meta(pattern=r"^[^\x00]{1,200}\Z")]
assert get_args(CommentKind) == KINDS


class NewComment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the driver says: of which kind, in which words, when it was so (now, where not given), and who says it.

    It is laid beside what happened at that time; or, where ``episode`` names it, beside that alone.
    """

    kind: CommentKind
    text: Words
    at: Moment | None = None
    said_by: Name | None = None
    episode: UUID | None = None


async def add_comment(request: web.Request) -> web.Response:
    """Record what a driver says."""
    query = read_query(request, SpaceQuery)
    known_space(request, query.space)
    journey = path_id(request, "id")
    given = await read_body(request, NewComment)
    said = Said(
        id=uuid4(), kind=given.kind, text=given.text, said_by=given.said_by, episode=given.episode,
        at_ms=None if given.at is None else ms_of(given.at),
    )  # fmt: skip
    desk = CommentDesk(request.app[CONTEXT].store, clock_ms, actor_of(request), scope_of(request))
    made: list[Comment] = []

    async def work(judging: SpaceJudge) -> Deed:
        comment, deed = await desk.comment(judging, journey, said)
        made.append(comment)
        return deed

    await acted(request, work, query.space)
    return encoded(made[-1], status=201)


ROUTES: Final = (
    Route(
        "POST", "/api/v1/journeys/{id}/comments", add_comment, Right.COMMENT,
        "What the driver declares: why they stopped, who ordered a detour. It stands beside what happened then, and judges nothing.",
        query=SpaceQuery, body=NewComment, answer=Comment, status=201, problems=(404, 409),
    ),
)  # fmt: skip
