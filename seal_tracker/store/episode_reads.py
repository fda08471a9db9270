"""Episodes out of the store: pages for people, the whole list in its published order, and what re-judgement needs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any, Final
from uuid import UUID

import msgspec
import numpy as np
from numpy.typing import NDArray

from seal_tracker.model import NO_TIME, Episode
from seal_tracker.store.binary_copy import TIME_MAX_MS, TIME_MIN_MS
from seal_tracker.store.connections import END_OF_TIME
from seal_tracker.store.database import Database
from seal_tracker.store.filters import ALL_EPISODES, EpisodeFilter
from seal_tracker.store.ping_rows import ints
from seal_tracker.store.queries import sql
from seal_tracker.store.records import EpisodePage, EpisodeRow

__all__ = ["EpisodeReads", "cursor_text", "read_cursor"]

STREAM_PAGE: Final = 2000
"""Rows fetched at once when the whole list is read: some 2 MB, a few tens of ms."""

LAST_ID: Final = UUID(int=2**128 - 1)
"""Sorts after every id, for the first page of a list read backwards."""


class EpisodeReads(Database):
    """Reads of episodes; retracted ones appear in none but ``revisions``."""

    async def episodes(
        self, space: str, which: EpisodeFilter = ALL_EPISODES, *, cursor: str | None = None, limit: int = 100
    ) -> EpisodePage:
        """A page of a space's episodes, newest ``raised_at`` first.

        Raises
        ------
        ValueError
            ``cursor`` is not one that an earlier page gave.
        """
        last_place = (END_OF_TIME, LAST_ID) if which.to_ms is None else (which.to_ms, UUID(int=0))
        before = last_place if cursor is None else read_cursor(cursor)
        async with self._reading() as connection:
            rows = await connection.fetch(
                sql(which.query), space, *before, limit + 1, which.open_only, *which.arguments
            )
        items = [episode_of(row) for row in rows[:limit]]
        last = items[-1].episode if len(rows) > limit else None
        return EpisodePage(items, None if last is None else cursor_text(last.raised_at_ms, last.episode))

    async def stream_episodes(
        self, space: str, which: EpisodeFilter = ALL_EPISODES
    ) -> AsyncIterator[Episode]:
        """A space's episodes by (journey or else seal, type, object or "", started_at, id), strings in code point order. Read page
        by page: no connection is held meanwhile, and a change between two pages may show in the later one.
        """
        place: tuple[Any, ...] = ("", "", "", NO_TIME, UUID(int=0))
        while True:
            async with self._reading() as connection:
                rows = await connection.fetch(
                    sql(which.query_in_order), space, *place, STREAM_PAGE, *which.arguments, which.open_only
                )
            for row in rows:
                episode = episode_of(row).episode
                yield episode
                place = (
                    episode.seal if episode.journey is None else episode.journey,
                    episode.type,
                    episode.object or "",
                    episode.started_at_ms,
                    episode.episode,
                )
            if len(rows) < STREAM_PAGE:
                return

    async def unsettled_episodes(
        self, seals: Sequence[int] | NDArray[np.int32], after_ms: Sequence[int] | NDArray[np.int64]
    ) -> list[EpisodeRow]:
        """Episodes of these seals (by number) that facts after each one's time can still change: not settled, or
        settled after it (``NO_TIME``: all). Sorted by (seal's name, start, id).
        """
        async with self._reading() as connection:
            rows = await connection.fetch(sql("unsettled_episodes"), ints(seals), ints(after_ms))
        return [episode_of(row) for row in rows]

    async def revisions(self, ids: Iterable[UUID]) -> dict[UUID, int]:
        """The last revision of each of these episodes that was ever stored, retracted ones included."""
        async with self._composing() as connection:
            rows = await connection.fetch(sql("revisions"), list(ids))
        return {row["episode"]: row["revision"] for row in rows}


def episode_of(row: Any) -> EpisodeRow:
    """An episode from a row that has ``episode`` … ``settled_at`` and ``revision``, in the order of the queries."""
    values = tuple(row)
    episode = Episode(
        episode=values[0], type=values[1], severity=values[2], subject_kind=values[3], subject=values[4],
        journey=values[5], seal=values[6], object=values[7], started_at_ms=values[8], raised_at_ms=values[9],
        ended_at_ms=values[10], cleared_at_ms=values[11], inferred=values[12], latched=values[13],
        evidence=msgspec.json.decode(values[14]), plan_version=values[15], regime=values[16], unit=values[17],
        changed_ms=values[18], settled_ms=values[19],
    )  # fmt: skip
    return EpisodeRow(episode, values[20])


def cursor_text(time_ms: int, item: UUID) -> str:
    """A place in a list that is newest first."""
    return f"{time_ms}.{item.hex}"


def read_cursor(cursor: str) -> tuple[int, UUID]:
    """The place a cursor stands for.

    Raises
    ------
    ValueError
        It is none of ours.
    """
    time_text, _, item = cursor.partition(".")
    try:
        time_ms, last = int(time_text), UUID(hex=item)
    except ValueError as error:
        raise ValueError(f"not a cursor of this list: {cursor!r}") from error
    if not TIME_MIN_MS <= time_ms < TIME_MAX_MS:
        raise ValueError(f"not a cursor of this list: {cursor!r}")
    return time_ms, last
