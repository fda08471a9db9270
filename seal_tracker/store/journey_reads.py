"""Journeys out of the store: one, pages of them, what is judged still, and what overlaps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from seal_tracker.store.database import Database
from seal_tracker.store.filters import JourneyFilter
from seal_tracker.store.journey_rows import JourneyRow, JourneyVersion
from seal_tracker.store.queries import sql

__all__ = ["JourneyReads", "Overlap"]

BOX_JOURNEYS: Final = 1000
"""A container makes some ten journeys a year; more than this is a text that is no container's number."""


@dataclass(frozen=True, slots=True)
class Overlap:
    """A seal that is to be armed for ``journey`` while it is armed for ``other``, within [from_ms, to_ms)."""

    journey: str
    seal: str
    other: str
    from_ms: int
    to_ms: int | None


class JourneyReads(Database):
    """Reads of journeys."""

    async def journey(self, space: str, journey: str) -> JourneyRow | None:
        """A journey as it stands; None where there is none of that id."""
        async with self._reading() as connection:
            row = await connection.fetchrow(sql("journey"), space, journey)
        return None if row is None else journey_of(row)

    async def journeys_named(self, space: str, ids: Iterable[str]) -> dict[str, JourneyRow]:
        """Those of these journeys that there are, by id."""
        async with self._reading() as connection:
            rows = await connection.fetch(sql("journeys_named"), space, list(ids))
        return {row["id"]: journey_of(row) for row in rows}

    async def comments_of(self, space: str, journeys: Iterable[str]) -> list[bytes]:
        """What drivers declared of these journeys, oldest first: each a `Comment` as JSON."""
        subjects = [f"comment/{journey}" for journey in journeys]
        async with self._reading() as connection:
            rows = await connection.fetch(sql("comments_of"), space, subjects)
        return [row["body"].encode() for row in rows]

    async def journeys_known(self, space: str, ids: Iterable[str]) -> set[str]:
        """Which of these ids are taken."""
        async with self._reading() as connection:
            return {row["id"] for row in await connection.fetch(sql("journeys_known"), space, list(ids))}

    async def journeys_planned(self, space: str) -> dict[str, tuple[bytes, bool]]:
        """What plans have brought: the digest of what the plan said, and whether a person has changed it since."""
        async with self._reading() as connection:
            rows = await connection.fetch(sql("journeys_planned"), space)
        return {row["id"]: (row["plan_digest"], row["edited"]) for row in rows}

    async def journeys_waiting(self, space: str) -> list[str]:
        """Journeys that a person has disarmed and nobody has closed."""
        async with self._reading() as connection:
            return [row["id"] for row in await connection.fetch(sql("journeys_waiting"), space)]

    async def journeys_ending_after(self, space: str, after_ms: int) -> list[str]:
        """Records (JSON) of armed journeys that end after a time, and of all that have a permit."""
        async with self._reading() as connection:
            rows = await connection.fetch(sql("journeys_ending_after"), space, after_ms)
        return [row["body"] for row in rows]

    async def journeys_of_devices(self, space: str, after_ms: Mapping[str, int]) -> list[str]:
        """Records (JSON) of armed journeys that these devices are or were on, and that end after a time of each."""
        async with self._reading() as connection:
            rows = await connection.fetch(
                sql("journeys_of_devices"), space, list(after_ms), list(after_ms.values())
            )
        return [row["body"] for row in rows]

    async def journeys_overlapping(
        self, space: str, wanted: Sequence[tuple[str, str, int, int | None]]
    ) -> list[Overlap]:
        """For (journey, seal, from, to) that are to be armed: other journeys that have the seal then."""
        if not wanted:
            return []
        async with self._reading() as connection:
            rows = await connection.fetch(
                sql("journeys_overlapping"), space, *(list(column) for column in zip(*wanted, strict=True))
            )
        return [Overlap(*row) for row in rows]

    async def journey_versions(self, space: str, journey: str) -> list[JourneyVersion]:
        """Every version of a journey, oldest first."""
        async with self._reading() as connection:
            rows = await connection.fetch(sql("journey_versions"), space, journey)
        return [JourneyVersion._make((*tuple(row)[:-1], row["body"].encode())) for row in rows]

    async def journey_alarms_open(self, space: str, ids: Iterable[str]) -> dict[str, int]:
        """How many alarms of these journeys are not closed; those that have none are absent."""
        async with self._reading() as connection:
            rows = await connection.fetch(sql("journey_alarms_open"), space, list(ids))
        return {row["journey"]: row["n"] for row in rows}

    async def journeys_with_box(self, space: str, box: str) -> list[str]:
        """Ids of the journeys that a box is or was on, however it is written: at most the last ``BOX_JOURNEYS`` by id."""
        async with self._reading() as connection:
            rows = await connection.fetch(sql("journeys_with_box"), space, box.upper(), BOX_JOURNEYS)
        return [row["id"] for row in rows]

    async def journeys(
        self, space: str, which: JourneyFilter, *, after: str = "", limit: int = 100
    ) -> tuple[list[JourneyRow], bool]:
        """A page of journeys with ids after one, in order of id; and whether there are more."""
        query, more = which.query
        units = None if which.units is None else list(which.units)
        async with self._reading() as connection:
            rows = await connection.fetch(
                sql(query), space, after, limit + 1, units, which.state, which.regime, which.route,
                which.from_ms, which.to_ms, *more,
            )  # fmt: skip
        return [journey_of(row) for row in rows[:limit]], len(rows) > limit


def journey_of(row: Any) -> JourneyRow:
    """A journey from a row whose last column is its body."""
    *columns, body = tuple(row)
    return JourneyRow._make((*columns, body.encode()))
