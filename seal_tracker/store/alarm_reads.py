"""Alarms out of the store: the operator's lists, what an event or the clock concerns, their history, and how often there are any."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

from seal_tracker.model import LIVE, NO_TIME
from seal_tracker.store.binary_copy import TIME_MAX_MS, TIME_MIN_MS
from seal_tracker.store.connections import END_OF_TIME
from seal_tracker.store.database import Database
from seal_tracker.store.duty_rows import LONGEST_SHIFT_MS
from seal_tracker.store.episode_reads import LAST_ID, cursor_text, episode_of, read_cursor
from seal_tracker.store.filters import FEW_UNITS
from seal_tracker.store.queries import sql
from seal_tracker.store.records import Action, AlarmRow, EpisodeRow
from seal_tracker.store.together import as_union
from seal_tracker.ways import Way

__all__ = [
    "AlarmFilter",
    "AlarmRates",
    "AlarmReads",
    "Alike",
    "Around",
    "Asked",
    "Chatter",
    "Flood",
    "Outcome",
    "RateQuery",
    "StoredAction",
]

FLOOD_ALARMS: Final = 10
"""More alarms than this within ten minutes are a flood: nobody can look at each."""

FLOOD_S: Final = 600
CHATTER_TIMES: Final = 3
CHATTER_S: Final = 3600
CHATTER_TOLD: Final = 100
"""The worst so many chatterers are told."""

STALE_MS: Final = 24 * 3600 * 1000
"""An alarm that is open for longer stands there as furniture."""

RANKS: Final[Mapping[str, int]] = {"critical": 1, "high": 2, "medium": 3, "low": 4}
"""As the table's own column; others are 5."""

LONGEST_SHIFT: Final = timedelta(milliseconds=LONGEST_SHIFT_MS)

FALSE_ALARM: Final = "false_alarm"
NOT_BY_PERSONS: Final = ("retracted", "merged")


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmFilter:
    """Which alarms are asked for; None: whichever. ``text`` begins a journey's declaration, its box or its id, or a seal's id;
    ``since_ms`` is when they were first known, [``from_ms``, ``to_ms``) when they were raised; ``scope`` are the units that the
    asker may see.
    """

    states: tuple[str, ...]
    severity: str | None = None
    type: str | None = None
    unit: str | None = None
    journeys: Collection[str] | None = None
    seal: str | None = None
    group: UUID | None = None
    text: str | None = None
    since_ms: int | None = None
    from_ms: int | None = None
    to_ms: int | None = None
    scope: frozenset[str] | None = None

    @property
    def few_units(self) -> list[str] | None:
        """The unit asked for, else those that the asker may see, where they are so few that they are read one by one."""
        if self.unit is not None:
            return [self.unit]
        return None if self.scope is None or len(self.scope) > FEW_UNITS else sorted(self.scope)

    def arguments(self) -> list[Any]:
        """$2 to $13 of the lists."""
        scope = None if self.scope is None else sorted(self.scope)
        journeys = None if self.journeys is None else list(self.journeys)
        begin, end = (
            NO_TIME if self.from_ms is None else self.from_ms,
            END_OF_TIME if self.to_ms is None else self.to_ms,
        )
        return [
            list(self.states), self.severity, self.type, self.unit, journeys, self.seal, self.group, self.text,
            self.since_ms, scope, begin, end,
        ]  # fmt: skip


class Alike(NamedTuple):
    """What a repeat has in common with what it repeats."""

    subject: str
    type: str
    object: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which alarms the events of a commit ask for.

    Attributes
    ----------
    episodes, first_ids
        alarms in any state that stand for one of these episodes, or have one of these ids.
    alike
        open alarms about the same as something raised.
    windows
        alarms that began a group, of each type within its own [after, before].
    """

    episodes: Collection[UUID] = ()
    first_ids: Collection[UUID] = ()
    alike: Collection[Alike] = ()
    windows: Mapping[str, tuple[int, int]] = field(default_factory=dict)


class Around(NamedTuple):
    """What `Asked` found, each in no order."""

    concerned: list[AlarmRow]
    alike: list[AlarmRow]
    beginnings: list[AlarmRow]


class StoredAction(NamedTuple):
    """An action of the audit trail, and its number there."""

    id: int
    action: Action


@dataclass(frozen=True, slots=True, kw_only=True)
class RateQuery:
    """Over which time [from_ms, to_ms), of which unit, and what the asker may see; from ``now_ms`` on nobody has been on duty yet."""

    from_ms: int
    to_ms: int
    unit: str | None = None
    scope: frozenset[str] | None = None
    now_ms: int | None = None


class Flood(NamedTuple):
    """A stretch in which too many alarms came, from the first to the last of them."""

    from_ms: int
    to_ms: int
    alarms: int


class Chatter(NamedTuple):
    """A subject that raised one type again and again: the most within an hour, and all."""

    subject: str
    type: str
    within_hour: int
    times: int


class Outcome(NamedTuple):
    """How many alarms of a type persons closed under a code."""

    type: str
    code: str
    alarms: int


class AlarmRates(NamedTuple):
    """How the alarms of a time were; ``operator_hours`` are those of all who were on duty, together."""

    alarms: int
    operator_hours: float
    floods: list[Flood]
    chattering: list[Chatter]
    stale: dict[str, int]
    outcomes: list[Outcome]


class AlarmReads(Database):
    """Reads of alarms and of what was done to them."""

    async def alarm(self, space: str, alarm: UUID) -> AlarmRow | None:
        """One alarm, None where there is none of that id."""
        async with self._reading() as connection:
            row = await connection.fetchrow(sql("alarm_of_id"), space, alarm)
        return None if row is None else alarm_of(row)

    async def alarms(
        self,
        space: str,
        wanted: AlarmFilter,
        *,
        open_only: bool = False,
        by_priority: bool = False,
        collapse: bool = False,
        cursor: str | None = None,
        limit: int = 100,
    ) -> tuple[list[AlarmRow], str | None]:
        """A page of a space's alarms and the cursor of the next one, None at the end: newest first; or open ones by severity, and
        of one severity by when they are due, and then (``collapse``) of each group the first alone.

        Raises
        ------
        ValueError
            The cursor is none of this list's.
        """
        query = self._list(wanted, open_only=open_only, by_priority=by_priority)
        query = "alarms_by_group" if collapse else query
        place: tuple[Any, ...] = priority_place(cursor) if by_priority else newest_place(cursor, wanted.to_ms)
        if (
            query == "alarms_of_units"
        ):  # which asks for them itself: asked for twice, they would all be sorted
            place = (*place, wanted.few_units)
            wanted = replace(wanted, scope=None) if wanted.unit is None else replace(wanted, unit=None)
        async with self._reading() as connection:
            rows = await connection.fetch(sql(query), space, *wanted.arguments(), limit + 1, *place)
        items = [alarm_of(row) for row in rows[:limit]]
        if len(rows) <= limit:
            return items, None
        last = items[-1]
        return items, priority_cursor(last) if by_priority else cursor_text(last.raised_at_ms, last.id)

    @staticmethod
    def _list(wanted: AlarmFilter, *, open_only: bool, by_priority: bool) -> str:
        """The query whose index leads to few rows besides those wanted."""
        ways = (
            (by_priority, "alarms_by_priority"),
            (wanted.group is not None, "alarms_of_group"),
            (wanted.journeys is not None, "alarms_of_journeys"),
            (wanted.seal is not None, "alarms_of_seal"),
            (open_only, "alarms_open"),
            (wanted.text is not None, "alarms_of_text"),
            (wanted.few_units is not None, "alarms_of_units"),
            (wanted.type is not None, "alarms_of_type"),
            (wanted.severity is not None, "alarms_of_severity"),
        )
        return next((name for leads, name in ways if leads), "alarms_newest")

    async def alarms_in_groups(
        self, space: str, groups: Iterable[UUID], scope: frozenset[str] | None
    ) -> dict[UUID, int]:
        """How many alarms of each group are open, of those that the asker may see."""
        units = None if scope is None else sorted(scope)
        async with self._reading() as connection:
            rows = await connection.fetch(sql("alarms_in_groups"), space, list(groups), units)
        return dict(map(tuple, rows))

    async def alarms_around(self, space: str, asked: Asked) -> Around:
        """The alarms that events of one commit may change or go by; one answer to wait for, none where nothing is asked."""
        windows = asked.windows
        parts: tuple[tuple[str, tuple[Any, ...]], ...] = (
            ("alarms_concerned", (list(asked.episodes), list(asked.first_ids))),
            ("alarms_alike", (space, *map(list, zip(*asked.alike, strict=True)))),
            ("alarms_beginning", (space, list(windows), *map(list, zip(*windows.values(), strict=True)))),
        )
        around = Around([], [], [])
        wanted = [
            (part, into)
            for part, into, rows in zip(parts, around, (asked.episodes, asked.alike, windows), strict=True)
            if rows
        ]
        if wanted:
            query = as_union(tuple(name for (name, _), _ in wanted))
            async with self._composing() as connection:
                for number, *row in await connection.fetch(
                    query, *(a for (_, given), _ in wanted for a in given)
                ):
                    wanted[number][1].append(alarm_of(row))
        return around

    async def ways(self, space: str) -> dict[str, Way]:
        """By which way each seal of a space is heard; those that never said are left out."""
        async with self._reading() as connection:
            rows = await connection.fetch(sql("ways_of_seals"), space)
        return {seal: Way(*way) for seal, *way in map(tuple, rows)}

    async def alarms_timed(self, space: str, now_ms: int, limit: int) -> list[AlarmRow]:
        """Alarms that the clock changes by now, the longest overdue first."""
        async with self._reading() as connection:
            rows = await connection.fetch(sql("alarms_timed"), space, now_ms, limit)
        return [alarm_of(row) for row in rows]

    async def episodes_of_ids(self, episodes: Iterable[UUID]) -> dict[UUID, EpisodeRow]:
        """Episodes as they stand, by id, retracted ones too."""
        async with self._reading() as connection:
            rows = await connection.fetch(sql("episodes_of_ids"), list(episodes))
        return {row["episode"]: episode_of(row) for row in rows}

    async def actions_of(
        self, space: str, subject: str, *, before_id: int | None = None, limit: int = 100
    ) -> list[StoredAction]:
        """What was done to something (``alarm/ID``), newest first."""
        before = END_OF_TIME if before_id is None else before_id
        async with self._reading() as connection:
            rows = await connection.fetch(sql("actions_of"), space, subject, before, limit)
        found = []
        for number, *columns, body in map(tuple, rows):
            found.append(StoredAction(number, Action._make((*columns, body.encode()))))
        return found

    async def alarm_rates(self, space: str, asked: RateQuery) -> AlarmRates:
        """How often there were alarms, in floods, chattering, left standing, and how persons closed them."""
        scope = None if asked.scope is None else sorted(asked.scope)
        within = space, asked.from_ms, asked.to_ms, asked.unit, scope
        stale_ms = asked.to_ms - STALE_MS
        async with self._counting() as connection:
            count = await connection.fetchval(sql("alarm_count"), *within)
            on_duty_to_ms = min(asked.to_ms, asked.to_ms if asked.now_ms is None else asked.now_ms)
            on_duty = asked.from_ms, on_duty_to_ms, LONGEST_SHIFT, asked.unit, scope
            hours = await connection.fetchval(sql("operator_hours"), *on_duty) if space == LIVE else 0.0
            floods = await connection.fetch(
                sql("alarm_floods"), *within, FLOOD_ALARMS, timedelta(seconds=FLOOD_S)
            )
            chatter = await connection.fetch(
                sql("alarm_chatter"), *within, CHATTER_TIMES, timedelta(seconds=CHATTER_S), CHATTER_TOLD
            )
            stale = await connection.fetch(sql("alarm_stale"), space, stale_ms, asked.unit, scope)
            outcomes = await connection.fetch(sql("alarm_outcomes"), *within, list(NOT_BY_PERSONS))
        return AlarmRates(
            alarms=count,
            operator_hours=hours,
            floods=[Flood(*row) for row in floods],
            chattering=[Chatter(*row) for row in chatter],
            stale=dict(map(tuple, stale)),
            outcomes=[Outcome(*row) for row in outcomes],
        )


def alarm_of(row: Any) -> AlarmRow:
    """An alarm from a row that has its columns in their order."""
    alarm = AlarmRow._make(row)
    return alarm._replace(body=str(alarm.body).encode(), episodes=tuple(alarm.episodes))


def newest_place(cursor: str | None, to_ms: int | None = None) -> tuple[int, UUID]:
    """The place before which a list that is newest first goes on, or begins where it ends at a time: an index is read from there."""
    if cursor is not None:
        return read_cursor(cursor)
    return (END_OF_TIME, LAST_ID) if to_ms is None else (to_ms, UUID(int=0))


def priority_cursor(row: AlarmRow) -> str:
    """A place in the list by priority."""
    due = "" if row.due_ms is None else row.due_ms
    return f"{RANKS.get(row.severity, 5)}.{due}.{row.id.hex}"


def priority_place(cursor: str | None) -> tuple[int, int, UUID]:
    """The place after which a list by priority goes on.

    Raises
    ------
    ValueError
        The cursor is none of this list's.
    """
    if cursor is None:
        return 0, 0, UUID(int=0)
    try:
        rank, due, alarm = cursor.split(".")
        place = int(rank), int(due) if due else END_OF_TIME, UUID(hex=alarm)
    except ValueError as error:
        raise ValueError(f"not a cursor of this list: {cursor!r}") from error
    if not 0 <= place[0] <= len(RANKS) + 1 or (due and not TIME_MIN_MS <= place[1] < TIME_MAX_MS):
        raise ValueError(f"not a cursor of this list: {cursor!r}")
    return place
