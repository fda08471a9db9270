"""Facts of equipment, out of the store."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple
from uuid import UUID

from seal_tracker.facts.balance import Line
from seal_tracker.facts.model import EquipmentFact
from seal_tracker.model import BOX_PREFIX, NO_TIME, PLATE_PREFIX, Episode
from seal_tracker.store.connections import END_OF_TIME
from seal_tracker.store.database import Database
from seal_tracker.store.episode_reads import LAST_ID, episode_of
from seal_tracker.store.filters import FEW_UNITS
from seal_tracker.store.queries import sql
from seal_tracker.store.records import EpisodeRow

__all__ = ["FactFilter", "FactPlace", "FactReads", "LineSums"]


KEYS: Final = (("facts_of_plates", PLATE_PREFIX), ("facts_of_boxes", BOX_PREFIX), ("facts_of_seals", ""))
"""The statement for each kind of key, and what such a key begins with."""


class FactPlace(NamedTuple):
    """Before which a page goes on: when the last fact of the page before was, and its id."""

    at_ms: int = END_OF_TIME
    id: UUID = LAST_ID


@dataclass(frozen=True, slots=True, kw_only=True)
class FactFilter:
    """Which facts of a kind; ``scope``: the units whose equipment's are seen (None: all, and what is nobody's)."""

    kind: str
    equipment: str | None = None
    journey: str | None = None
    scope: frozenset[str] | None = None

    @property
    def query(self) -> str:
        """The statement that finds fewest to look through."""
        ways = (
            (self.journey is not None, "facts_listed_of_journey"),
            (self.equipment is not None, "facts_listed_of_equipment"),
            (self.scope is not None and len(self.scope) <= FEW_UNITS, "facts_listed_of_units"),
        )
        return next((name for leads, name in ways if leads), "facts_listed")


class LineSums(NamedTuple):
    """What the lines of a balance come to; ``weighed_out`` and ``weighed_in`` count journeys."""

    journeys: int
    declared_kg: int
    out_kg: int
    in_kg: int
    weighed_out: int
    weighed_in: int
    used_kg: int


class FactReads(Database):
    """Reads of facts."""

    async def facts_named(self, space: str, ids: Iterable[UUID]) -> list[EquipmentFact]:
        """Those of these facts that there are."""
        async with self._reading() as connection:
            rows = await connection.fetch(sql("facts_named"), space, list(ids))
        return [fact_of(row) for row in rows]

    async def facts_of(
        self, space: str, journeys: Iterable[str], keys: Sequence[tuple[str, int, int]]
    ) -> list[EquipmentFact]:
        """Facts that name some journeys, and those that name none, of some keys (with from and to when, epoch ms)."""
        async with self._reading() as connection:
            rows = await connection.fetch(sql("facts_of_journeys"), space, list(journeys))
            for query, prefix in KEYS:
                if asked := [(k.removeprefix(prefix), a, b) for k, a, b in keys if _prefix(k) == prefix]:
                    rows += await connection.fetch(sql(query), space, *_columns(asked))
        return list({fact.id: fact for fact in map(fact_of, rows)}.values())

    async def facts_since(self, space: str, kinds: Iterable[str], after_ms: int) -> tuple[set[str], set[str]]:
        """Journeys that facts since a time name, and the keys of those that name none."""
        async with self._reading() as connection:
            rows = await connection.fetch(sql("facts_since"), space, sorted(kinds), after_ms)
        journeys = {row["journey"] for row in rows if row["journey"] is not None}
        columns = (("plate", PLATE_PREFIX), ("seal", ""), ("box", BOX_PREFIX), ("other_box", BOX_PREFIX))
        keys = {f"{prefix}{row[name]}" for row in rows for name, prefix in columns if row[name] is not None}
        return journeys, keys

    async def readings_at(self, space: str, spans: Sequence[tuple[str, int, int]]) -> list[EquipmentFact]:
        """Readings of some pieces of equipment (with from and to when, epoch ms)."""
        async with self._reading() as connection:
            rows = await connection.fetch(sql("facts_at"), space, *_columns(spans)) if spans else []
        return list({fact.id: fact for fact in map(fact_of, rows)}.values())

    async def journeys_at_gates(self, space: str, spans: Sequence[tuple[str, int, int]]) -> set[str]:
        """Journeys that passed some gates, by their zones (with from and to when, epoch ms)."""
        async with self._reading() as connection:
            rows = await connection.fetch(sql("journeys_at_gates"), space, *_columns(spans)) if spans else []
        return {row["journey"] for row in rows}

    async def episodes_of_types(
        self, space: str, journeys: Iterable[str], types: Iterable[str]
    ) -> list[EpisodeRow]:
        """Episodes of some types that some journeys have."""
        async with self._reading() as connection:
            rows = await connection.fetch(sql("episodes_of_types"), space, list(journeys), list(types))
        return [episode_of(row) for row in rows]

    async def lines_of(
        self, space: str, *, journeys: Iterable[str] = (), licences: Iterable[str] = ()
    ) -> list[Line]:
        """Lines of balances: of some journeys, and all of some licences."""
        async with self._reading() as connection:
            rows = await connection.fetch(sql("lines_of_journeys"), space, list(journeys))
            rows += await connection.fetch(sql("lines_of_licences"), space, list(licences))
        return list({line.journey: line for line in map(Line._make, rows)}.values())

    async def lines_before(self, space: str, journeys: Iterable[str]) -> dict[str, int]:
        """What the journeys before each of some have taken from its licence's quota, by journey."""
        async with self._reading() as connection:
            rows = await connection.fetch(sql("lines_before"), space, list(journeys))
        return {row["journey"]: int(row["used_kg"]) for row in rows}

    async def lines(
        self,
        space: str,
        licence: str,
        *,
        period: tuple[int, int] = (NO_TIME, END_OF_TIME),
        after: tuple[int, str] = (NO_TIME, ""),
        limit: int = 100,
    ) -> tuple[list[Line], bool]:
        """A page of a licence's lines in the order in which they take from its quota, and whether there are more."""
        async with self._reading() as connection:
            rows = await connection.fetch(sql("lines_listed"), space, licence, *after, *period, limit + 1)
        return [Line._make(row) for row in rows[:limit]], len(rows) > limit

    async def lines_summed(
        self, space: str, licence: str, period: tuple[int, int] = (NO_TIME, END_OF_TIME)
    ) -> LineSums:
        """What a licence's lines of a period [from, to) come to."""
        async with self._reading() as connection:
            return LineSums(*await connection.fetchrow(sql("lines_summed"), space, licence, *period))

    async def stops_of_minerals(self, space: str, from_ms: int, to_ms: int) -> list[Episode]:
        """Stops of lorries with minerals that touch a stretch of time."""
        async with self._reading() as connection:
            rows = await connection.fetch(sql("stops_of_minerals"), space, from_ms, to_ms)
        return [episode_of(row).episode for row in rows]

    async def facts(
        self, space: str, which: FactFilter, *, before: FactPlace | None = None, limit: int = 100
    ) -> tuple[list[EquipmentFact], bool]:
        """A page of facts of a kind, newest first, and whether there are more."""
        units = None if which.scope is None else sorted(which.scope)
        async with self._reading() as connection:
            rows = await connection.fetch(
                sql(which.query), space, which.kind, *(before or FactPlace()), units, which.equipment, which.journey, limit + 1
            )  # fmt: skip
        return [fact_of(row) for row in rows[:limit]], len(rows) > limit


def _prefix(key: str) -> str:
    return next((prefix for prefix in (PLATE_PREFIX, BOX_PREFIX) if key.startswith(prefix)), "")


def _columns(spans: Sequence[tuple[str, int, int]]) -> list[list[Any]]:
    return [list(column) for column in zip(*spans, strict=True)]


def fact_of(row: Any) -> EquipmentFact:
    """A fact from a row that has its columns in their order."""
    fact = EquipmentFact._make(row)
    return fact._replace(body=str(fact.body).encode())
