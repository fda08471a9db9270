"""Every list that people and programs page through, asked of a filled database as the API asks it, and the index each is read by.

The arguments differ from call to call (a random journey, seal, place in the list), so that what is measured is not one page in memory.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

import numpy as np
from filling import ROUTES, STEP_MS, TYPES, UNITS, YEAR_MS, Sizes

from seal_tracker.alarms.states import OPEN_STATES, STATES
from seal_tracker.model import LIVE
from seal_tracker.store import Store
from seal_tracker.store.alarm_reads import AlarmFilter, RateQuery
from seal_tracker.store.asset_reads import AssetFilter, BookFilter
from seal_tracker.store.duty_reads import LateQuery
from seal_tracker.store.episode_reads import cursor_text
from seal_tracker.store.fact_reads import FactFilter
from seal_tracker.store.filters import EpisodeFilter, EventFilter, JourneyFilter
from seal_tracker.store.late_reads import LateOnes, LateWhat
from seal_tracker.store.situation_reads import SituationFilter
from seal_tracker.store.task_reads import TaskFilter

__all__ = ["GENERIC_PLAN", "LISTS", "Asked", "Listed"]

GENERIC_PLAN: Final = """
CREATE FUNCTION pg_temp.generic_plan(query text) RETURNS text LANGUAGE plpgsql AS $f$ DECLARE plan text; BEGIN
    EXECUTE 'EXPLAIN (GENERIC_PLAN, FORMAT JSON) ' || query INTO plan;
    RETURN plan;
END $f$"""
"""What shows the plan that a statement has for whatever it is asked with, as the database makes one after some times; EXPLAIN of a statement
that has its arguments shows the other, whatever ``plan_cache_mode`` says.
"""

DAY_MS: Final = 86_400_000
PAGE: Final = 100
MIDDLE_ID: Final = UUID(int=2**127)


@dataclass(frozen=True, slots=True)
class Listed:
    """A list: how it is asked for, and the index (or one of these) that its page must come by."""

    name: str
    index: str
    ask: Callable[[Asked], Awaitable[Any]]


@dataclass(slots=True)
class Asked:
    """A store to ask, and who asks for what by chance."""

    store: Store
    sizes: Sizes
    numbers: dict[str, int]
    chance: random.Random = field(default_factory=lambda: random.Random(7))

    @property
    def journey(self) -> str:
        return f"J-{self.chance.randrange(self.sizes.journeys):07}"

    @property
    def seal(self) -> str:
        return f"S-{self.chance.randrange(self.sizes.seals)}"

    @property
    def unit(self) -> str:
        return self.chance.choice(UNITS)

    @property
    def type(self) -> str:
        return self.chance.choice(list(TYPES))

    @property
    def severity(self) -> str:
        return self.chance.choice(["critical", "high", "medium", "low", "info"])

    @property
    def sequence(self) -> int:
        return self.chance.randrange(1, self.sizes.events)

    @property
    def place(self) -> str:
        """A cursor somewhere in a list that is newest first."""
        return cursor_text(self.moment, MIDDLE_ID)

    @property
    def moment(self) -> int:
        return self.sizes.until_ms - self.chance.randrange(YEAR_MS)

    def time(self, days: int) -> dict[str, int]:
        """A period of so many days."""
        begin = self.moment
        return {"from_ms": begin, "to_ms": begin + days * DAY_MS}

    def episodes(self, cursor: str | None = None, **which: Any) -> Awaitable[Any]:
        return self.store.episodes(LIVE, EpisodeFilter(**which), cursor=cursor, limit=PAGE)

    def after(self, sequence: int | None = None, **which: Any) -> Awaitable[Any]:
        return self.store.events_after(
            LIVE, self.sequence if sequence is None else sequence, PAGE, EventFilter(**which)
        )

    def before(self, sequence: int | None = None, **which: Any) -> Awaitable[Any]:
        return self.store.events_before(LIVE, sequence, PAGE, EventFilter(**which))

    def alarms(self, cursor: str | None = None, **which: Any) -> Awaitable[Any]:
        return self.store.alarms(LIVE, AlarmFilter(**({"states": STATES} | which)), cursor=cursor, limit=PAGE)

    def open_alarms(
        self, *, by_priority: bool = False, collapse: bool = False, **which: Any
    ) -> Awaitable[Any]:
        wanted = AlarmFilter(states=OPEN_STATES, **which)
        return self.store.alarms(
            LIVE, wanted, open_only=True, by_priority=by_priority, collapse=collapse, limit=PAGE
        )

    def journeys(self, after: str | None = None, **which: Any) -> Awaitable[Any]:
        return self.store.journeys(
            LIVE, JourneyFilter(**which), after=self.journey if after is None else after, limit=PAGE
        )

    def assets(self, **which: Any) -> Awaitable[Any]:
        return self.store.seal_assets(LIVE, AssetFilter(**which), limit=PAGE)

    def book(self, **which: Any) -> Awaitable[Any]:
        return self.store.seal_book(LIVE, BookFilter(**which), limit=PAGE)

    def health(self) -> Awaitable[Any]:
        begin = self.moment
        return self.store.seal_health(LIVE, self.seal, begin, begin + 30 * DAY_MS)

    def weighings(self, **which: Any) -> Awaitable[Any]:
        return self.store.facts(LIVE, FactFilter(kind="weighing", **which), limit=PAGE)

    def tasks(self, **which: Any) -> Awaitable[Any]:
        return self.store.tasks(LIVE, TaskFilter(**which), limit=PAGE)

    async def alarm_subject(self) -> str:
        """An alarm that there is."""
        (row, *_), _ = await self.alarms(self.place)
        return f"alarm/{row.id}"

    async def actions(self) -> Any:
        return await self.store.actions_of(LIVE, await self.alarm_subject(), limit=PAGE)

    async def track(self) -> Any:
        """The pings of a journey, as its track is made of."""
        number = self.chance.randrange(self.sizes.journeys)
        begins, ends = self.sizes.begins_ms(number), self.sizes.begins_ms(number) + self.sizes.lasts_ms
        seal = self.numbers[f"S-{number % self.sizes.seals}"]
        return await self.store.pings_portion([seal], [begins - 1], [ends], 50_000)

    async def late_pings(self) -> Any:
        """What judging asks for a batch with late pings of 200 seals: which are stored, and those of the last hour."""
        seals = self.chance.sample(sorted(self.numbers.values()), min(200, len(self.numbers)))
        until = self.moment
        return await self.store.pings_portion(
            seals, [until - 3_600_000] * len(seals), [until] * len(seals), 256
        )

    async def known(self) -> Any:
        number = self.chance.randrange(self.sizes.journeys)
        at = self.sizes.begins_ms(number) + STEP_MS * np.arange(100)
        return await self.store.known_pings(
            np.full(100, self.numbers[f"S-{number % self.sizes.seals}"], np.int32), at
        )


def situations(asked: Asked, **which: Any) -> Awaitable[Any]:
    """A page of special situations."""
    return asked.store.situations(LIVE, SituationFilter(**which), limit=PAGE)


def late(asked: Asked, what: LateWhat) -> Awaitable[Any]:
    """A page of what was late in a week."""
    period = RateQuery(**asked.time(7))
    return asked.store.late_answers(
        LIVE, LateOnes(what=what, asked=period, until_ms=period.to_ms), limit=PAGE
    )


LISTS: Final = (
    Listed("events, newest first", "events_of_space|events_pkey", lambda a: a.before()),
    Listed("events after a sequence", "events_of_space|events_pkey", lambda a: a.after()),
    Listed("events of a unit", "events_of_unit", lambda a: a.before(units=[a.unit])),
    Listed("events of 15 units", "events_of_unit", lambda a: a.before(units=UNITS[:15])),
    Listed("events of a journey", "events_of_journey", lambda a: a.before(journeys=[a.journey])),
    Listed(
        "events of 50 journeys (a box)",
        "events_of_journey",
        lambda a: a.before(journeys=[a.journey for _ in range(50)]),
    ),
    Listed("events of a seal", "events_of_seal", lambda a: a.before(seal=a.seal)),
    Listed("events of a type", "events_of_type", lambda a: a.before(a.sequence, type=a.type)),
    Listed(
        "events of a type and severity, none",
        "events_of_type",
        lambda a: a.before(type="SEAL_TAMPER", severity="info"),
    ),
    Listed("events of a severity", "events_of_severity", lambda a: a.after(severity=a.severity)),
    Listed("events of a day", "events_of_day", lambda a: a.after(0, **a.time(1))),
    Listed("events of a month, newest first", "events_of_day", lambda a: a.before(**a.time(30))),
    Listed(
        "events of a severity in a week",
        "events_of_day",
        lambda a: a.before(severity=a.severity, **a.time(7)),
    ),
    Listed("events of a type in a week", "events_of_day", lambda a: a.before(type=a.type, **a.time(7))),
    Listed("events of a unit in a week", "events_of_day", lambda a: a.before(units=[a.unit], **a.time(7))),
    Listed(
        "events of a unit and type",
        "events_of_unit|events_of_type",
        lambda a: a.before(units=[a.unit], type="SEAL_TAMPER"),
    ),
    Listed("events of 40 units and a type", "events_of_type", lambda a: a.before(units=UNITS, type=a.type)),
    Listed("episodes, newest first", "episodes_newest", lambda a: a.episodes()),
    Listed("episodes, from the middle", "episodes_newest", lambda a: a.episodes(a.place)),
    Listed("open episodes", "episodes_open", lambda a: a.episodes(open_only=True)),
    Listed("episodes of a unit", "episodes_of_unit", lambda a: a.episodes(units=[a.unit])),
    Listed(
        "open episodes of a unit",
        "episodes_open_of_unit",
        lambda a: a.episodes(units=[a.unit], open_only=True),
    ),
    Listed("episodes of a journey", "episodes_of_journey", lambda a: a.episodes(journeys=[a.journey])),
    Listed("episodes of a seal", "episodes_of_seal|episodes_unsettled", lambda a: a.episodes(seal=a.seal)),
    Listed("episodes of a type", "episodes_of_type", lambda a: a.episodes(a.place, type=a.type)),
    Listed(
        "episodes of a type and severity, none",
        "episodes_of_type",
        lambda a: a.episodes(type="SEAL_TAMPER", severity="info"),
    ),
    Listed("episodes of a severity", "episodes_of_severity", lambda a: a.episodes(severity=a.severity)),
    Listed("episodes of a week", "episodes_newest", lambda a: a.episodes(**a.time(7))),
    Listed(
        "episodes of a type in a week", "episodes_of_type", lambda a: a.episodes(type=a.type, **a.time(7))
    ),
    Listed(
        "episodes of a unit and type",
        "episodes_of_unit|episodes_of_type",
        lambda a: a.episodes(units=[a.unit], type="SEAL_TAMPER"),
    ),
    Listed("alarms by priority", "alarms_by_priority", lambda a: a.open_alarms(by_priority=True)),
    Listed(
        "alarms by priority of a unit",
        "alarms_by_priority",
        lambda a: a.open_alarms(by_priority=True, unit=a.unit),
    ),
    Listed(
        "alarms by priority, a line a group",
        "alarms_by_priority",
        lambda a: a.open_alarms(by_priority=True, collapse=True),
    ),
    Listed("open alarms, newest first", "alarms_open", lambda a: a.open_alarms()),
    Listed(
        "open alarms of a unit",
        "alarms_open|alarms_of_unit",
        lambda a: a.open_alarms(scope=frozenset([a.unit])),
    ),
    Listed("alarms in any state", "alarms_newest", lambda a: a.alarms(a.place)),
    Listed("alarms of a journey", "alarms_of_journey", lambda a: a.alarms(journeys=(a.journey,))),
    Listed("alarms of a seal", "alarms_of_seal", lambda a: a.alarms(seal=a.seal)),
    Listed("alarms of a type", "alarms_of_type", lambda a: a.alarms(a.place, type="SIGNAL_LOST")),
    Listed(
        "alarms of a type in a week", "alarms_of_type", lambda a: a.alarms(type="SIGNAL_LOST", **a.time(7))
    ),
    Listed(
        "alarms of a severity", "alarms_of_severity|alarms_newest", lambda a: a.alarms(severity=a.severity)
    ),
    Listed("alarms of a unit", "alarms_of_unit|alarms_of_responsible", lambda a: a.alarms(unit=a.unit)),
    Listed(
        "alarms of a unit's own sight",
        "alarms_of_unit|alarms_of_responsible",
        lambda a: a.alarms(scope=frozenset([a.unit])),
    ),
    Listed(
        "alarms of a unit, none", "alarms_of_unit|alarms_of_responsible", lambda a: a.alarms(unit="nowhere")
    ),
    Listed("alarms of a week", "alarms_newest", lambda a: a.alarms(**a.time(7))),
    Listed(
        "alarms by text",
        "alarms_of_journey",
        lambda a: a.alarms(text=f"MSKU{a.chance.randrange(a.sizes.journeys // 3):07}"),
    ),
    Listed("actions of an alarm", "actions_of_subject", lambda a: a.actions()),
    Listed("journeys", "journeys_pkey", lambda a: a.journeys()),
    Listed("journeys armed", "journeys_of_state", lambda a: a.journeys("", state="ARMED")),
    Listed("journeys of a unit", "journeys_of_unit", lambda a: a.journeys(units=[a.unit])),
    Listed(
        "journeys of a unit, armed",
        "journeys_of_unit|journeys_of_state",
        lambda a: a.journeys("", units=[a.unit], state="ARMED"),
    ),
    Listed("journeys of a route", "journeys_of_route", lambda a: a.journeys(route=a.chance.choice(ROUTES))),
    Listed(
        "journeys of a route, none",
        "journeys_of_route|journeys_of_regime",
        lambda a: a.journeys("", route="R1", regime="bonded"),
    ),
    Listed("journeys of a seal", "journey_devices_of_device", lambda a: a.journeys("", seal=a.seal)),
    Listed(
        "journeys of a box",
        "journeys_of_box",
        lambda a: a.journeys("", box=f"MSKU{a.chance.randrange(a.sizes.journeys // 3):07}"),
    ),
    Listed("journeys by text", "journeys_of_declaration", lambda a: a.journeys("", text="100000123")),
    Listed("journeys armed in a week", "journeys_in_time", lambda a: a.journeys("", **a.time(7))),
    Listed("journeys of a regime, none", "journeys_of_regime", lambda a: a.journeys("", regime="bonded")),
    Listed(
        "versions of a journey", "journey_versions_pkey", lambda a: a.store.journey_versions(LIVE, a.journey)
    ),
    Listed("track of a journey", "pings_pkey", lambda a: a.track()),
    Listed("pings of 200 seals in an hour", "pings_pkey", lambda a: a.late_pings()),
    Listed("pings that are known", "pings_pkey", lambda a: a.known()),
    Listed("ledger, newest first", "links_pkey", lambda a: a.store.links(None, PAGE)),
    Listed("ledger of a journey", "journeys_pkey", lambda a: a.store.links(None, PAGE, a.journey)),
    Listed("checkpoints of the ledger", "checkpoints_pkey", lambda a: a.store.ledger_checkpoints(None, PAGE)),
    Listed(
        "dead letters",
        "dead_letters_newest|dead_letters_pkey",
        lambda a: a.store.dead_letters(LIVE, limit=PAGE),
    ),
    Listed(
        "who is late, of a week's alarms",
        "alarms_late",
        lambda a: a.store.late(LIVE, LateQuery(now_ms=a.sizes.until_ms, **a.time(7))),
    ),
    Listed(
        "who is late",
        "alarms_late",
        lambda a: a.store.late(LIVE, LateQuery(now_ms=a.sizes.until_ms, from_ms=0, to_ms=a.sizes.until_ms)),
    ),
    Listed(
        "events of a type in half a year", "events_of_type", lambda a: a.before(type=a.type, **a.time(182))
    ),
    Listed(
        "events of a severity in half a year",
        "events_of_severity",
        lambda a: a.before(severity=a.severity, **a.time(182)),
    ),
    Listed("acknowledged late, of a week", "alarms_by_acknowledge_by", lambda a: late(a, "acknowledge")),
    Listed("closed late, of a week", "alarms_by_close_by", lambda a: late(a, "close")),
    Listed("reports that were kept", "kept_reports_newest", lambda a: a.store.kept_reports(None, None)),
    Listed("situations", "situations_newest", situations),
    Listed("situations of a kind", "situations_of_kind", lambda a: situations(a, kind="complaint")),
    Listed("situations of a unit", "situations_of_unit", lambda a: situations(a, units=[a.unit])),
    Listed("situations of a journey", "situations_of_journey", lambda a: situations(a, journey=a.journey)),
    Listed("situations, open", "situations_open", lambda a: situations(a, state="open")),
    Listed("seals by name", "seal_assets_pkey", lambda a: a.assets()),
    Listed("seals of a unit", "seal_assets_of_unit", lambda a: a.assets(unit=a.unit)),
    Listed(
        "seals that a unit has to do with",
        "seal_assets_of_other_unit",
        lambda a: a.assets(scope=frozenset({a.unit})),
    ),
    Listed("seals in a state", "seal_assets_in_state", lambda a: a.assets(state="issued")),
    Listed("seals of a model", "seal_assets_of_model", lambda a: a.assets(model="JT703")),
    Listed("seals of an officer", "seal_assets_of_officer", lambda a: a.assets(officer="officer 3")),
    Listed("seals on a journey", "seal_assets_on_journey", lambda a: a.assets(journey=a.journey)),
    Listed("seals not back", "seal_assets_awaited", lambda a: a.assets(awaited_ms=a.sizes.until_ms)),
    Listed("seals to be calibrated", "seal_assets_calibrated", lambda a: a.assets(calibrate_by="2030-02-01")),
    Listed("seals due", "seal_assets_due", lambda a: a.store.seal_assets_due(LIVE, a.sizes.until_ms, PAGE)),
    Listed(
        "custody chain of a seal",
        "seal_movements_pkey",
        lambda a: a.store.seal_movements(LIVE, a.seal, limit=PAGE),
    ),
    Listed("movements, newest first", "seal_movements_newest", lambda a: a.book()),
    Listed("movements of a unit", "seal_movements_of_unit", lambda a: a.book(units=[a.unit])),
    Listed(
        "movements of a week",
        "seal_movements_since",
        lambda a: a.book(**a.time(7)),
    ),
    Listed(
        "stock a week ago",
        "seal_movements_since",
        lambda a: a.store.seal_stock(LIVE, a.sizes.until_ms - 7 * DAY_MS),
    ),
    Listed("faults of a seal in a month", "episodes_of_seal|episodes_unsettled", lambda a: a.health()),
    Listed("weighings, newest first", "equipment_facts_newest", lambda a: a.weighings()),
    Listed("weighings of units", "equipment_facts_of_unit", lambda a: a.weighings(scope=frozenset({a.unit}))),
    Listed(
        "weighings of a weighbridge", "equipment_facts_of_equipment", lambda a: a.weighings(equipment="WB-7")
    ),
    Listed("weighings of a journey", "equipment_facts_of_journey", lambda a: a.weighings(journey=a.journey)),
    Listed(
        "journeys of a licence",
        "licence_lines_of_licence",
        lambda a: a.store.lines(LIVE, "L-7", after=(a.moment, ""), limit=PAGE),
    ),
    Listed(
        "a licence's balance of a year",
        "licence_lines_of_licence",
        lambda a: a.store.lines_summed(LIVE, "L-7"),
    ),
    Listed("tasks, newest first", "tasks_newest", lambda a: a.tasks()),
    Listed("tasks in a state", "tasks_newest", lambda a: a.tasks(state="confirmed")),
    Listed("tasks of a unit", "tasks_of_unit", lambda a: a.tasks(unit=a.unit)),
    Listed("tasks that a unit sees", "task_units_pkey", lambda a: a.tasks(scope=frozenset({a.unit}))),
    Listed("tasks of a document", "tasks_of_document", lambda a: a.tasks(document="7/TCHQ-GSQL")),
    Listed("tasks given together", "tasks_of_giving", lambda a: a.tasks(giving=UUID(int=7))),
    Listed("tasks with words", "tasks_with_words", lambda a: a.tasks(words="'niem':* & '7':*")),
    Listed("open tasks", "tasks_open", lambda a: a.tasks(open_only=True)),
    Listed("overdue tasks", "tasks_open", lambda a: a.tasks(overdue_at_ms=a.sizes.until_ms)),
    Listed("tasks due", "tasks_due", lambda a: a.store.tasks_due(LIVE, a.sizes.until_ms, PAGE)),
    Listed(
        "tasks of a week, counted",
        "tasks_settled",
        lambda a: a.store.task_figures(LIVE, RateQuery(**a.time(7))),
    ),
)
"""What is listed. ``pings_pkey`` stands for that of any table of pings."""
