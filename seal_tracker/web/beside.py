"""What stands beside an episode though nothing is judged by it: the comments of drivers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from aiohttp import web

from seal_tracker.comments import Comment, concerning, read_comment
from seal_tracker.model import Episode
from seal_tracker.web.context import CONTEXT

__all__ = ["beside", "comments_on"]


async def comments_on(request: web.Request, space: str, journeys: Iterable[str]) -> dict[str, list[Comment]]:
    """The comments on some journeys, by journey, oldest first; those without any are absent."""
    found: dict[str, list[Comment]] = {}
    wanted = sorted(set(journeys))
    for body in await request.app[CONTEXT].store.comments_of(space, wanted) if wanted else ():
        comment = read_comment(body)
        found.setdefault(comment.journey, []).append(comment)
    return found


def beside(episode: Episode, comments: Mapping[str, Sequence[Comment]]) -> list[Comment]:
    """Those that are about an episode."""
    return concerning(episode, comments.get(episode.journey or "", ()))
