"""What a driver declares of a journey: why they stopped, who ordered the detour. Dated, kept beside what it concerns, never judged by.

A comment is an action on ``comment/JOURNEY``: said once, in the ledger, changed by nobody. Nothing that judges reads it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol
from uuid import UUID

import msgspec

from seal_tracker.comments import AFTER_MS, Comment, CommentKind, read_comment, subject_of
from seal_tracker.deeds import Deed
from seal_tracker.journey_record import State
from seal_tracker.model import iso_ms
from seal_tracker.space import SpaceJudge
from seal_tracker.store.journey_rows import JourneyRow
from seal_tracker.store.records import Action, EpisodeRow
from seal_tracker.supervision.errors import Clash, Unfit, Unknown, WrongState
from seal_tracker.supervision.journey_changes import Actor
from seal_tracker.supervision.journey_orders import AHEAD_MS
from seal_tracker.supervision.journeys import seen_by

__all__ = ["MOST", "CommentDesk", "Said"]

MOST: Final = 100
"""Of one journey: a driver says a handful; a program that repeats itself is stopped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What is to be recorded; ``at_ms`` None: it is so now."""

    id: UUID
    kind: CommentKind
    text: str
    at_ms: int | None = None
    said_by: str | None = None
    episode: UUID | None = None


class CommentKeeping(Protocol):
    """What is read."""

    async def journey(self, space: str, journey: str) -> JourneyRow | None: ...
    async def episodes_of_ids(self, episodes: Collection[UUID]) -> Mapping[UUID, EpisodeRow]: ...
    async def comments_of(self, space: str, journeys: Collection[str]) -> Sequence[bytes]: ...


@dataclass(frozen=True)
class CommentDesk:
    """Works with a store; ``scope``: the units whose journeys the actor may speak of (None: all)."""

    store: CommentKeeping
    clock_ms: Callable[[], int]
    actor: Actor
    scope: Collection[str] | None

    async def comment(self, judging: SpaceJudge, journey: str, said: Said) -> tuple[Comment, Deed]:
        """Record a comment; the same again, as a telephone without reception repeats it, is the first one.

        Raises
        ------
        Unknown, WrongState, Unfit, Clash
            There is no such journey to see; it was never armed, or called off; the comment is dated where nothing was, or names an
            episode that is not the journey's; there are too many.
        """
        row = seen_by(await self.store.journey(judging.space, journey), journey, self.scope)
        if row.armed_ms is None:
            raise WrongState(
                f"journey {journey!r} is {row.state}: nothing has happened on it that could be commented on"
            )
        now_ms = self.clock_ms()
        at_ms = now_ms if said.at_ms is None else said.at_ms
        _check_time(row, at_ms, now_ms)
        if said.episode is not None:
            await self._check_episode(journey, said.episode)
        known = [read_comment(body) for body in await self.store.comments_of(judging.space, [journey])]
        made = Comment(
            id=str(said.id), journey=journey, kind=said.kind, text=said.text, at=iso_ms(at_ms), recorded_at=iso_ms(now_ms),
            by=self.actor.name, role=self.actor.role, said_by=said.said_by,
            episode=None if said.episode is None else str(said.episode),
        )  # fmt: skip
        for one in known:
            if said.at_ms is not None and _content(one) == _content(made):
                return one, Deed()
        if len(known) >= MOST:
            raise Clash(
                f"journey {journey!r} has {MOST} comments; write what more there is into a note of its alarm"
            )
        action = Action(
            now_ms, self.actor.name, self.actor.role, "comment.added", subject_of(journey), journey, row.unit,
            msgspec.json.encode(made),
        )  # fmt: skip
        return made, Deed(actions=[action])

    async def _check_episode(self, journey: str, episode: UUID) -> None:
        found = (await self.store.episodes_of_ids([episode])).get(episode)
        if found is None or found.episode.journey != journey:
            raise Unknown(f"journey {journey!r} has no episode {str(episode)!r}", field="episode")


def _check_time(row: JourneyRow, at_ms: int, now_ms: int) -> None:
    if at_ms > now_ms + AHEAD_MS:
        raise Unfit("at: it lies in the future; say it when it is so", field="at")
    if row.armed_ms is not None and at_ms < row.armed_ms:
        raise Unfit(f"at: the journey began at {iso_ms(row.armed_ms)}; write a later time", field="at")
    if row.state == State.CANCELLED or (row.ended_ms is not None and at_ms > row.ended_ms + AFTER_MS):
        ended = "was called off" if row.ended_ms is None else f"ended at {iso_ms(row.ended_ms)}"
        raise Unfit(f"at: the journey {ended}; write when it was", field="at")


def _content(comment: Comment) -> tuple[str | None, ...]:
    return comment.kind, comment.text, comment.at, comment.said_by, comment.episode, comment.by
