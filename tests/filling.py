"""A database as large as a customs service's after a year, made by COPY, the same from the same seed: for tests and benchmarks of size.

A year of journeys, one after the other, each of one of some seals; three events an episode, alarms of all that is not for
information, what persons did to them, the ledger of all that, and pings 30 s apart. A hundredth of the journeys is under way and one
alarm in forty is open.

What was begun goes on where it stopped: journeys, what is told of them, and each half million pings are a transaction each, which notes in
`filled` that it is done.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import numpy as np
from filling_kept import copy_assets, copy_tasks, copy_weighings
from msgspec.structs import replace as changed

from seal_tracker.alarms.deadlines import ms_of
from seal_tracker.alarms.rows import row_of
from seal_tracker.journey_record import Closing, JourneyRecord
from seal_tracker.judge import judge
from seal_tracker.ledger.chain import GENESIS, Head, link_after
from seal_tracker.model import LIVE, NO_TIME, PING_DTYPES, Episode, Event, PingBatch, event_id, iso_ms
from seal_tracker.plans.folder import empty_plan
from seal_tracker.publishing.cloudevents import AlarmState, cloud_event
from seal_tracker.store import EpisodeRow, Store
from seal_tracker.store.binary_copy import encode_copy
from seal_tracker.store.committing import alarm_row, episode_row, event_row
from seal_tracker.store.connections import Connection, connect
from seal_tracker.store.journey_rows import JourneyChange
from seal_tracker.store.ping_rows import ping_columns
from seal_tracker.store.ping_weeks import week_of
from seal_tracker.supervision.journey_changes import Actor, change_of
from seal_tracker.tracking.epochs import Facts, JourneyTable, Version
from seal_tracker.tracking.state import SealStates
from seal_tracker.tracking.terrains import terrain_of

__all__ = ["Sizes", "fill"]

DAY_MS: Final = 86_400_000
YEAR_MS: Final = 365 * DAY_MS
STEP_MS: Final = 30_000
UNITS: Final = tuple(f"U{n}" for n in range(40))
ROUTES: Final = tuple(f"R{n}" for n in range(60))
TYPES: Final = {
    "CHECKPOINT_REACHED": ("info", 30), "ZONE_ENTERED": ("info", 20), "SIGNAL_LOST": ("high", 10),
    "STOP_UNPLANNED": ("medium", 10), "OVERSPEED": ("medium", 9), "ROUTE_DEVIATION": ("high", 8), "GPS_LOST": ("medium", 5),
    "BATTERY_LOW": ("low", 4), "UNOBSERVED_GAP": ("medium", 2), "SEAL_TAMPER": ("critical", 1),
    "PROHIBITED_ZONE": ("critical", 1),
}  # fmt: skip
"""What is told, how severe it is, and in how many of a hundred cases."""

OFFICER: Final = Actor("an", "supervisor")
AT_ONCE: Final = 5_000
"""Rows of a COPY."""

AT_ONCE_PINGS: Final = 500_000
"""Pings of a transaction: half a minute that is lost when it is broken off."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much there is, until when, and from which seed."""

    pings: int
    events: int
    journeys: int
    until_ms: int
    seed: int = 1

    @property
    def seals(self) -> int:
        """A seal makes fifty journeys in the year."""
        return max(10, self.journeys // 50)

    def begins_ms(self, journey: int) -> int:
        """When a journey is armed: they come evenly over the year."""
        return self.until_ms - YEAR_MS + journey * (YEAR_MS // self.journeys)

    @property
    def pings_each(self) -> int:
        """How many pings a journey has."""
        return self.pings // self.journeys

    @property
    def lasts_ms(self) -> int:
        """How long each takes."""
        return STEP_MS * self.pings_each


DONE: Final = "CREATE TABLE IF NOT EXISTS filled (part text PRIMARY KEY, of text NOT NULL)"
ALL: Final = "all"


async def fill(dsn: str, sizes: Sizes, tell: Callable[[str], None] = lambda _: None) -> None:
    """Fill a database that is empty, or whose filling was broken off; nothing where it is filled.

    Raises
    ------
    ValueError
        What is there is of other sizes, or was not filled by this.
    """
    connection = await connect(dsn, "fill", 3600)
    try:
        known, begun = await connection.fetchrow(
            "SELECT to_regclass('journeys') IS NOT NULL, to_regclass('filled') IS NOT NULL"
        )
        if known and not begun and await connection.fetchval("SELECT EXISTS (SELECT FROM journeys)"):
            raise ValueError("this database has something else in it: name another folder")
        await connection.execute(DONE)
        done = dict(map(tuple, await connection.fetch("SELECT part, of FROM filled")))
        if other := next((of for of in done.values() if of != str(sizes)), None):
            raise ValueError(f"this database is filled with {other}, not {sizes}: name another folder")
        if ALL not in done:
            await fill_rest(connection, dsn, sizes, done, tell)
    finally:
        await connection.close()


async def fill_rest(
    connection: Connection, dsn: str, sizes: Sizes, done: Collection[str], tell: Callable[[str], None]
) -> None:
    """What is not there yet."""
    names, numbers = await prepare(dsn, sizes)
    for part, copy_part in (("journeys", copy_journeys), ("told", copy_told), ("kept", copy_kept)):
        if part not in done:
            tell(f"copying what is to be there: {part}")
            async with connection.transaction():
                await copy_part(connection, sizes)
                await note(connection, part, sizes)
    every = np.array([numbers[name] for name in names], np.int32)
    parts = ping_parts(sizes)
    for at, (begin, end) in enumerate(parts):
        if (part := f"pings {begin}") not in done:
            async with connection.transaction():
                await copy_pings(connection, pings_of(range(begin, end), sizes, every))
                await note(connection, part, sizes)
            tell(f"pings: {at + 1} of {len(parts)} parts")
    if "states" not in done:
        async with connection.transaction():
            await copy_states(connection, sizes, every)
            await note(connection, "states", sizes)
    tell("vacuum and statistics")
    await connection.execute("VACUUM ANALYZE")
    await note(connection, ALL, sizes)


async def note(connection: Connection, part: str, sizes: Sizes) -> None:
    """A part is there."""
    await connection.execute("INSERT INTO filled (part, of) VALUES ($1, $2)", part, str(sizes))


async def prepare(dsn: str, sizes: Sizes) -> tuple[list[str], dict[str, int]]:
    """Seals, by name and number, and tables of the weeks."""
    store = await Store.open(dsn)
    names = [f"S-{n}" for n in range(sizes.seals)]
    numbers = await store.intern_seals(LIVE, names)
    first, last = (week_of(at) for at in (sizes.begins_ms(0), sizes.until_ms + sizes.lasts_ms))
    async with store._turn:
        await store._make_weeks(range(first, last + 1))
    await store.close()
    return names, numbers


async def copy(
    connection: Any, table: str, columns: str, rows: Iterable[Sequence[Any]], schema: str | None = None
) -> None:
    """Rows into a table, some thousands at a time."""
    rows = iter(rows)
    while page := list(itertools.islice(rows, AT_ONCE)):
        await connection.copy_records_to_table(
            table, schema_name=schema, records=page, columns=columns.split()
        )


async def copy_journeys(connection: Connection, sizes: Sizes) -> None:
    """Journeys, three versions of each, and their devices."""
    changes = [change_of_number(n, sizes) for n in range(sizes.journeys)]
    await copy(
        connection, "journeys",
        "space id version state regime unit route declaration box armed_at ended_at changed_at plan_digest edited body",
        ((LIVE, *c.row[:-1], c.row.body.decode()) for c in changes),
    )  # fmt: skip
    versions = (
        (LIVE, c.row.id, *c.made_by._replace(version=number)[:-1], c.made_by.body.decode())
        for c in changes
        for number in (1, 2, 3)
    )
    await copy(
        connection, "journey_versions",
        "space journey version verb state effective_at recorded_at actor role reason body", versions,
    )  # fmt: skip
    devices = ((LIVE, c.row.id, *device) for c in changes for device in c.devices)
    await copy(connection, "journey_devices", "space journey device role is_armed from_at to_at", devices)


def change_of_number(number: int, sizes: Sizes) -> JourneyChange:
    """A journey as it stands: the last hundredth are armed, one in fifty before them waits to be closed."""
    begins, armed = sizes.begins_ms(number), number >= sizes.journeys * 99 // 100
    ends = None if armed else begins + sizes.lasts_ms
    closing = (
        None
        if ends is None or number % 50 == 0
        else Closing(code="arrived", note="", at_ms=ends + 1, by="an")
    )
    record = JourneyRecord(
        id=f"J-{number:07}",
        regime="transit" if number % 5 else "minerals",
        devices=((f"S-{number % sizes.seals}", "seal"),),
        route=ROUTES[number % len(ROUTES)],
        unit=UNITS[number % len(UNITS)],
        declaration=f"10{number:08}/HQ",
        box=f"MSKU{number % (sizes.journeys // 3 + 1):07}",
        cargo="rice in bags, 25 t",
        armed_at_ms=begins,
        disarmed_at_ms=ends,
        closing=closing,
    )
    return change_of(record, None, OFFICER, "import", at_ms=begins, now_ms=begins)


async def copy_told(connection: Connection, sizes: Sizes) -> None:
    """Episodes, their events, alarms, what was done to these, and the ledger of it all."""
    chance = random.Random(sizes.seed)
    per_page = AT_ONCE // 3
    head, sequence = Head(0, GENESIS), 0
    for begin in range(0, sizes.events // 3, per_page):
        told = [
            episode_of_number(n, sizes, chance)
            for n in range(begin, min(begin + per_page, sizes.events // 3))
        ]
        await copy(
            connection, "episodes", EPISODE_COLUMNS, ((LIVE, *episode_row(EpisodeRow(e, 3))) for e in told)
        )
        events = [event for e in told for event in events_of(e)]
        rows = [
            (LIVE, *event_row(changed_event, body))
            for number, (event, body) in enumerate(events, sequence + 1)
            for changed_event in (changed(event, sequence=number),)
        ]
        await copy(connection, "events", EVENT_COLUMNS, rows)
        sequence += len(rows)
        alarms = [alarm_of(e, chance) for e in told if e.severity != "info"]
        await copy(
            connection, "alarms", ALARM_COLUMNS,
            ((LIVE, *alarm_row(row)[:16], list(row.episodes), *alarm_row(row)[17:]) for row in (row_of(a, [a.episode]) for a in alarms)),
        )  # fmt: skip
        await copy(
            connection, "actions", "space at actor role kind subject journey unit body", actions_of(alarms)
        )
        links, of_journeys = [], []
        for at in range(0, len(rows), 5):
            link = link_after(head, told[at // 3].raised_at_ms, [body for _, body in events[at : at + 5]])
            head = Head(link.number, link.hash)
            links.append(link)
            of_journeys += sorted(
                {(told[i // 3].journey, link.number) for i in range(at, min(at + 5, len(rows)))}
            )
        await copy(connection, "links", "number recorded_at previous entries_hash hash body", links, "ledger")
        await copy(connection, "journeys", "journey number", of_journeys, "ledger")
        signed = [(n.number, n.recorded_ms, "x" * 300) for n in links if n.number % 60 == 0]
        await copy(connection, "checkpoints", "number signed_at jws", signed, "ledger")
    letters = (
        (LIVE, sizes.until_ms - n, "eseal/v1/demo/dev/x/ping", b"{" * 200, "not JSON")
        for n in range(sizes.pings // 1000)
    )
    await copy(connection, "dead_letters", "space received_at topic payload reason", letters)
    counts = (("events", sequence), ("pings_stored", sizes.pings), ("dead_letters", sizes.pings // 1000))
    await copy(connection, "counters", "space name value", ((LIVE, *count) for count in counts))


async def copy_kept(connection: Connection, sizes: Sizes) -> None:
    """What persons keep beside journeys."""
    await copy_tasks(copy, connection, sizes, UNITS)
    await copy_weighings(copy, connection, sizes, UNITS)
    await copy_assets(copy, connection, sizes, UNITS)


EPISODE_COLUMNS: Final = (
    "space episode type severity subject_kind subject journey seal object started_at raised_at ended_at cleared_at inferred latched "
    "evidence plan_version regime unit changed_at settled_at revision retracted"
)
EVENT_COLUMNS: Final = "space sequence id episode subject_kind subject journey seal type transition severity revision time recorded_at late body unit"
ALARM_COLUMNS: Final = (
    "space id episode state severity type journey seal unit raised_at updated_at repeats body version subject object responsible "
    "episodes group_id opened_at due_at timer_at closed_at code silent"
)


def episode_of_number(number: int, sizes: Sizes, chance: random.Random) -> Episode:
    """An episode of the journey that is under way when it is its turn; one in a hundred is not over."""
    journey = number * sizes.journeys // (sizes.events // 3)
    (kind,) = chance.choices(list(TYPES), [weight for _, weight in TYPES.values()])
    started = sizes.begins_ms(journey) + chance.randrange(sizes.lasts_ms)
    over = chance.random() >= 0.01
    ended = started + chance.randrange(60_000, 3_600_000) if over else None
    fixes = [
        {"time": iso_ms(started + STEP_MS * i), "lon": 106.68123 + i / 1000, "lat": 20.86456 - i / 1400}
        for i in range(6)
    ]
    return Episode(
        episode=UUID(int=chance.getrandbits(128)), type=kind, severity=TYPES[kind][0], subject_kind="journey",
        subject=f"J-{journey:07}", journey=f"J-{journey:07}", seal=f"S-{journey % sizes.seals}",
        object=None if number % 3 else f"Z-{number % 200}", started_at_ms=started, raised_at_ms=started + 30_000,
        ended_at_ms=ended, cleared_at_ms=ended, inferred=False, latched=False,
        evidence={"cross_track_m": 412.3, "limit_m": 200, "fixes": fixes}, plan_version=1, regime="transit",
        unit=UNITS[journey % len(UNITS)], changed_ms=ended or started + 30_000, settled_ms=ended,
    )  # fmt: skip


def events_of(episode: Episode) -> Iterator[tuple[Event, bytes]]:
    """The three events of an episode and their bodies; what is told of the later ones is as long as what is told first."""
    raised = Event(
        id=event_id(episode.episode, 1), sequence=0, space=LIVE, episode=episode, transition="raised", revision=1,
        time_ms=episode.raised_at_ms, recorded_ms=episode.raised_at_ms + 900, late=False,
    )  # fmt: skip
    body = cloud_event(raised, "demo")
    yield raised, body
    for revision, transition, time_ms in (
        (2, "updated", episode.raised_at_ms + 60_000),
        (3, "cleared", episode.changed_ms),
    ):
        yield (
            changed(
                raised,
                id=event_id(episode.episode, revision),
                transition=transition,
                revision=revision,
                time_ms=time_ms,
            ),
            body.replace(b"raised", transition.encode()),
        )


def alarm_of(episode: Episode, chance: random.Random) -> AlarmState:
    """The alarm of an episode: one in forty is open."""
    opened, identity = episode.raised_at_ms + 1000, UUID(int=chance.getrandbits(128))
    alarm = AlarmState(
        alarm=str(identity), state="unacknowledged", episode=episode.episode, type=episode.type, severity=episode.severity,
        subject=f"journey/{episode.journey}", journey=episode.journey, seal=episode.seal, object=episode.object, unit=episode.unit,
        responsible=chance.choice((None, None, None, *UNITS[:3])), group=str(identity), raised_at=iso_ms(episode.raised_at_ms),
        opened_at=iso_ms(opened), ended_at=None, updated_at=iso_ms(opened), exercise=False, place=(106.68, 20.86),
        acknowledge_by=iso_ms(opened + 300_000), close_by=iso_ms(opened + 3_600_000), escalates_at=iso_ms(opened + 300_000),
    )  # fmt: skip
    if chance.random() < 1 / 40:
        return alarm
    closed = iso_ms(opened + chance.randrange(60_000, 36_000_000))
    return changed(
        alarm, state="closed", code=chance.choice(("resolved", "false_alarm", "retracted")), closed_at=closed, closed_by="an",
        updated_at=closed, version=3, acknowledge_by=None, close_by=None, escalates_at=None,
    )  # fmt: skip


def actions_of(alarms: Iterable[AlarmState]) -> Iterator[tuple[Any, ...]]:
    """What was done to alarms: those closed were acknowledged, one in eight was escalated."""
    for number, alarm in enumerate(alarms):
        on = f"alarm/{alarm.alarm}", alarm.journey, alarm.unit, "{}"
        if alarm.closed_at is not None:
            yield (LIVE, ms_of(alarm.opened_at) + 30_000, "an", "operator", "alarm.acknowledged", *on)
            yield (LIVE, ms_of(alarm.closed_at), "an", "operator", "alarm.closed", *on)
        if number % 8 == 0:
            yield (LIVE, ms_of(alarm.opened_at) + 300_000, "service", "service", "alarm.escalated", *on)


def ping_parts(sizes: Sizes) -> list[tuple[int, int]]:
    """Journeys [begin, end) whose pings are copied at once, in the order of their time."""
    at_once = max(1, AT_ONCE_PINGS // sizes.pings_each)
    return [(at, min(at + at_once, sizes.journeys)) for at in range(0, sizes.journeys, at_once)]


async def copy_pings(connection: Connection, batch: PingBatch) -> None:
    """Pings, in the order of their time."""
    columns = ping_columns(batch)
    source, names = memoryview(encode_copy(columns)), [c.name for c in columns]
    await connection.copy_to_table("pings", source=source, columns=names, format="binary")


async def copy_states(connection: Connection, sizes: Sizes, numbers: np.ndarray[Any, Any]) -> None:
    """A state of each seal after its last ping, which is of its last journey."""
    last: dict[int, PingBatch] = {}
    for begin, end in ping_parts(sizes):
        if end <= sizes.journeys - sizes.seals:
            continue
        batch = pings_of(range(begin, end), sizes, numbers)
        _, newest = np.unique(batch.seal[::-1], return_index=True)
        for row in (len(batch) - 1 - newest).tolist():
            last[int(batch.seal[row])] = batch.take(slice(row, row + 1))
    plan = empty_plan()
    facts = Facts(
        LIVE,
        (Version(NO_TIME, plan, terrain_of(plan)),),
        JourneyTable.build((), {}),
        {int(n): "" for n in numbers},
    )
    blank = SealStates()
    verdict = judge(blank, PingBatch.concat(list(last.values())), facts)
    states = [
        (int(seal), int(verdict.rows["track"]["last_ms"][i]), verdict.state(i, blank).dump())
        for i, seal in enumerate(verdict.seals.tolist())
    ]
    await copy(connection, "checkpoints", "seal at state", states)


def pings_of(journeys: range, sizes: Sizes, numbers: np.ndarray[Any, Any]) -> PingBatch:
    """The pings of some journeys, in the order of their time; one in two hundred from a clock that is not believed."""
    each = sizes.pings_each
    chance = np.random.default_rng([sizes.seed, journeys.start])
    number, n = np.repeat(np.array(journeys), each), len(journeys) * each
    step = np.tile(np.arange(each), len(journeys))
    time_ms = sizes.begins_ms(0) + number * (YEAR_MS // sizes.journeys) + STEP_MS * step
    odd = chance.random(n) < 0.005
    nothing = np.full(n, np.nan, np.float32)
    columns = {
        "seal": numbers[number % sizes.seals], "time_ms": np.where(odd, time_ms - 20 * YEAR_MS, time_ms),
        "received_ms": time_ms + 900, "lon_e7": 1_060_000_000 + step * 3_000 + chance.integers(0, 999, n),
        "lat_e7": 208_000_000 + step * 2_000 + chance.integers(0, 999, n), "has_position": np.ones(n, bool),
        "valid": np.ones(n, bool), "speed_kmh": chance.random(n) * 70, "course_deg": nothing, "accuracy_m": nothing,
        "battery_pct": np.full(n, 80), "satellites": chance.integers(4, 14, n), "rssi_dbm": np.full(n, -70), "seq": step,
        "lock": np.ones(n), "mode": np.zeros(n), "facts": np.zeros(n), "interval_s": np.zeros(n), "buffered": np.zeros(n, bool),
        "clock_ok": ~odd, "digest": chance.integers(-(2**63), 2**63 - 1, n, dtype=np.int64),
    }  # fmt: skip
    batch = PingBatch(
        **{name: np.asarray(columns[name]).astype(dtype) for name, dtype in PING_DTYPES.items()}
    )
    return batch.take(np.argsort(time_ms, kind="stable"))
