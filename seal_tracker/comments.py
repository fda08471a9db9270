"""What drivers declare of their journeys, and which episodes that is about. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

import msgspec

from seal_tracker.model import Episode, iso_ms

__all__ = ["AFTER_MS", "KINDS", "Comment", "CommentKind", "concerning", "read_comment", "subject_of"]

CommentKind = Literal["stop_reason", "detour_by_order", "delay", "breakdown", "seal", "other"]
KINDS: Final = ("stop_reason", "detour_by_order", "delay", "breakdown", "seal", "other")

BEFORE_MS: Final = 15 * 60_000
"""So long before an episode began a comment may be dated that concerns it: the police wave first, then the road is left."""

AFTER_MS: Final = 30 * 60_000
"""So long after it ended: who has stopped says why when they drive again."""


class Comment(msgspec.Struct, frozen=True, kw_only=True):
    """What was declared: ``at`` is when it was so, ``recorded_at`` when it was said, ``by`` who recorded it, ``said_by`` whose words they are.

    ``episode``: the one that it is about, where that was named.
    """

    id: str
    journey: str
    kind: CommentKind
    text: str
    at: str
    recorded_at: str
    by: str
    role: str
    said_by: str | None = None
    episode: str | None = None


def read_comment(body: bytes) -> Comment:
    """The comment that an action's body is."""
    return msgspec.json.decode(body, type=Comment)


def subject_of(journey: str) -> str:
    """What the comments of a journey are actions on."""
    return f"comment/{journey}"


def concerning(episode: Episode, comments: Sequence[Comment]) -> list[Comment]:
    """Those comments of its journey that an episode is what they are about: by its name, or by when it was."""
    from_at = iso_ms(episode.started_at_ms - BEFORE_MS)
    to_at = None if episode.ended_at_ms is None else iso_ms(episode.ended_at_ms + AFTER_MS)
    return [
        one
        for one in comments
        if one.journey == episode.journey
        and (
            one.episode == str(episode.episode)
            if one.episode is not None
            else from_at <= one.at and (to_at is None or one.at <= to_at)
        )
    ]
