"""The summary of a period: against counting by hand, by its indexes, and as it is served."""

from __future__ import annotations

import csv
import io
import json
import random
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import numpy as np
import pytest
from store_stories import episode
from web_support import World, assert_problem

from seal_tracker.alarms.deadlines import DEFAULT_TERMS, ms_of
from seal_tracker.alarms.life_cycle import CLOSING_CODES, Act, taken
from seal_tracker.alarms.rows import row_of
from seal_tracker.alarms.states import CLOSED
from seal_tracker.model import LIVE, Episode, iso_ms
from seal_tracker.publishing.cloudevents import AlarmState
from seal_tracker.store import Commit, Store
from seal_tracker.store.alarm_reads import RateQuery
from seal_tracker.store.connections import connect
from seal_tracker.store.journey_rows import JourneyChange, JourneyRow, JourneyVersion
from seal_tracker.store.queries import sql
from seal_tracker.store.records import Action
from seal_tracker.store.report_reads import AlarmFigures, Answering, Figures, JourneyFigures, Silence, Summary
from seal_tracker.web.reports import last_week

pytest_plugins = ["web_fixtures"]

T = 1_790_000_000_000
MINUTE, HOUR = 60_000, 3_600_000
UNITS = (None, "north", "south", "port")
TYPES = ("SEAL_TAMPER", "SIGNAL_LOST", "ROUTE_DEVIATION")
RNG = random.Random(11)


def made_alarm(n: int) -> tuple[AlarmState, list[Action]]:
    """One alarm by chance, and what was done to it: acknowledged twice, escalated, closed by a person or by itself."""
    opened = T + RNG.randrange(72 * HOUR)
    alarm = AlarmState(
        alarm=str(UUID(int=n + 1)),
        state="unacknowledged",
        episode=UUID(int=n + 10_000),
        type=RNG.choice(TYPES),
        severity=RNG.choice(("critical", "high", "medium")),
        subject=f"journey/J-{n}",
        journey=f"J-{n}",
        seal=f"S-{n % 20}",
        object=None,
        unit=RNG.choice(UNITS),
        responsible=RNG.choice((None, None, *UNITS)),
        group=str(UUID(int=n + 1)),
        raised_at=iso_ms(opened - 5000),
        opened_at=iso_ms(opened),
        ended_at=None,
        updated_at=iso_ms(opened),
        silent=RNG.random() < 0.15,
        exercise=False,
    )
    done: list[Action] = []

    def do(step: str, at_ms: int) -> None:
        done.append(
            Action(at_ms, "an", "operator", f"alarm.{step}", f"alarm/{alarm.alarm}", None, None, b"{}")
        )

    later = opened + RNG.randrange(12 * HOUR) + 1
    if n % 5 == 0:
        do("escalated", opened + MINUTE)
    if n % 3 == 0:
        do("noted", opened + 1)
        do("acknowledged", later)
        do("acknowledged", later + HOUR)
    end = later + RNG.randrange(36 * HOUR)
    match n % 4:
        case 0 | 1:
            act = Act(verb="close", by="an", role="operator", at_ms=end, code=RNG.choice(CLOSING_CODES))
            alarm = taken(alarm, act, DEFAULT_TERMS)
            do("closed", end)
        case 2:
            gone = {"state": CLOSED, "code": "retracted", "closed_at": iso_ms(end)}
            alarm = msgspec.structs.replace(alarm, **gone)
    return alarm, done


def made_journey(n: int) -> JourneyChange:
    """One journey by chance: not armed, under way, disarmed, cancelled or closed."""
    armed = None if n % 7 == 0 else T + RNG.randrange(-48, 72) * HOUR
    ended = None if armed is None or n % 4 == 0 else armed + RNG.randrange(1, 60) * HOUR
    state = (
        "ASSIGNED"
        if armed is None
        else "ARMED"
        if ended is None
        else RNG.choice(("DISARMED", "CANCELLED", "CLOSED"))
    )
    row = JourneyRow(
        f"J-{n}",
        1,
        state,
        "transit",
        RNG.choice(UNITS),
        None,
        None,
        None,
        armed,
        ended,
        T,
        None,
        True,
        b'{"devices":[]}',
    )
    return JourneyChange(row, JourneyVersion(1, "declare", state, T, T, "an", "operator", None, b"{}"), ())


def made_episode(n: int) -> Episode:
    """One episode by chance; a third are silences, some of them from before and not over."""
    raised = T + RNG.randrange(-48 * HOUR, 72 * HOUR)
    ended = None if n % 20 == 1 else raised + RNG.randrange(30 * HOUR)
    return episode(
        n,
        type=TYPES[n % 3],
        seal=f"S-{n % 25}",
        unit=UNITS[n % 25 % 4],
        started_at_ms=raised - 10 * MINUTE,
        raised_at_ms=raised,
        ended_at_ms=ended,
        cleared_at_ms=ended,
    )


STORIES = [made_alarm(n) for n in range(300)]
ALARMS = [alarm for alarm, _ in STORIES]
JOURNEYS = [made_journey(n) for n in range(120)]
EPISODES = [made_episode(n) for n in range(300)]
RETRACTED = [made_episode(n) for n in range(300, 320)]


def seeds(space: str) -> Commit:
    return Commit(
        space=space,
        alarms=[row_of(alarm, [alarm.episode]) for alarm in ALARMS],
        actions=[action for _, actions in STORIES for action in actions],
        journeys=JOURNEYS,
        episodes=[(e, 1, False) for e in EPISODES] + [(e, 1, True) for e in RETRACTED],
    )


@pytest.fixture
async def seeded(module_dsn: str) -> AsyncIterator[Store]:
    """One database for all that only reads."""
    opened = await Store.open(module_dsn)
    try:
        if not (await opened.episodes(LIVE, limit=1)).items:
            await opened.commit(seeds(LIVE))
        yield opened
    finally:
        await opened.close()


def answering(seconds: list[float]) -> Answering:
    if not seconds:
        return Answering()
    return Answering(len(seconds), *(float(np.percentile(seconds, p)) for p in (50, 90)))


def counted(asked: RateQuery, units: set[str | None], until_ms: int) -> Figures:
    """The figures of those units by hand, slowly."""

    def within(ms: int | None) -> bool:
        return ms is not None and asked.from_ms <= ms < asked.to_ms

    rows = [change.row for change in JOURNEYS if change.row.unit in units and change.row.armed_ms is not None]
    ended = [row for row in rows if within(row.ended_ms)]
    journeys = JourneyFigures(
        sum(within(row.armed_ms) for row in rows),
        len(ended),
        sum(row.state == "CLOSED" for row in ended),
        sum(
            row.armed_ms < asked.to_ms and (row.ended_ms is None or row.ended_ms >= asked.to_ms)
            for row in rows
        ),  # type: ignore[operator]
    )
    mine = [(a, done) for a, done in STORIES if (a.responsible or a.unit) in units]
    tally: dict[str, Counter[tuple[str, str]]] = {
        name: Counter() for name in ("raised", "closed", "open", "escalated")
    }
    acknowledged, closed, codes = [], [], Counter[str]()
    for alarm, done in mine:
        key, opened = (alarm.type, alarm.severity), ms_of(alarm.opened_at)
        end = ms_of(alarm.closed_at) if alarm.closed_at else None
        if within(opened) and not alarm.silent:
            tally["raised"][key] += 1
            tally["escalated"][key] += any(a.kind == "alarm.escalated" for a in done)
            seen = [a.at_ms for a in done if a.kind in {"alarm.acknowledged", "alarm.closed"}]
            acknowledged += [(min(seen) - opened) / 1000] if seen else []
        if within(end):
            tally["closed"][key] += 1
            if alarm.closed_by and alarm.code:
                codes[alarm.code] += 1
                closed.append((end - opened) / 1000)  # type: ignore[operator]
        tally["open"][key] += opened < asked.to_ms and (end is None or end >= asked.to_ms)
    keys = sorted({key for counts in tally.values() for key, n in counts.items() if n})
    alarms = [
        AlarmFigures(*k, *(tally[name][k] for name in ("raised", "closed", "open", "escalated")))
        for k in keys
    ]
    types = Counter(e.type for e in EPISODES if e.unit in units and within(e.raised_at_ms))
    return Figures(journeys, alarms, answering(acknowledged), answering(closed), dict(codes), dict(types))


def silences(asked: RateQuery, units: set[str | None], until_ms: int) -> list[Silence]:
    longest: dict[str, Silence] = {}
    for e in EPISODES:
        before = e.raised_at_ms < asked.from_ms and e.ended_at_ms is None
        if (
            e.type != "SIGNAL_LOST"
            or e.unit not in units
            or not (before or asked.from_ms <= e.raised_at_ms < asked.to_ms)
        ):
            continue
        end = min(e.ended_at_ms or until_ms, until_ms)
        over = e.ended_at_ms is not None and e.ended_at_ms <= until_ms
        one = Silence(e.seal, e.journey, e.unit, e.started_at_ms, (end - e.started_at_ms) / 1000, over)
        if e.seal not in longest or one.silent_s > longest[e.seal].silent_s:
            longest[e.seal] = one
    return sorted(longest.values(), key=lambda s: (-s.silent_s, s.seal))[:10]


def assert_same(found: Figures, expected: Figures) -> None:
    for name in ("journeys", "alarms", "codes", "episodes"):
        assert getattr(found, name) == getattr(expected, name), name
    assert found.acknowledge == pytest.approx(expected.acknowledge)
    assert found.close == pytest.approx(expected.close)


@pytest.mark.parametrize(
    "asked",
    [
        RateQuery(from_ms=T, to_ms=T + 72 * HOUR),
        RateQuery(from_ms=T + 20 * HOUR, to_ms=T + 50 * HOUR),
        RateQuery(from_ms=T + 20 * HOUR, to_ms=T + 50 * HOUR, unit="north"),
        RateQuery(from_ms=T, to_ms=T + 50 * HOUR, scope=frozenset({"south", "port"})),
        RateQuery(from_ms=T, to_ms=T + 50 * HOUR, scope=frozenset({"south"}), unit="north"),
        RateQuery(from_ms=T + 9000 * HOUR, to_ms=T + 9001 * HOUR),
    ],
    ids=["all of it", "part of it", "one unit", "a scope", "out of scope", "when nothing was"],
)
async def test_the_figures_are_those_counted_by_hand(seeded: Store, asked: RateQuery) -> None:
    """In all and for each unit; what is no unit's is headquarters' alone."""
    units = {u for u in UNITS if asked.unit in {None, u} and (asked.scope is None or u in asked.scope)}
    until = asked.to_ms - HOUR
    found: Summary = await seeded.report_summary(LIVE, asked, until)
    assert_same(found.total, counted(asked, units, until))
    assert found.silences == silences(asked, units, until)
    assert set(found.units) <= units
    for unit in units:
        assert_same(found.units.get(unit, Figures()), counted(asked, {unit}, until))
    if asked.to_ms == T + 72 * HOUR:
        assert set(found.units) == set(UNITS)
        assert all(one.raised and one.closed and one.open for one in found.total.alarms)
        assert {one.is_over for one in found.silences} == {True, False}


async def test_another_space_has_figures_of_its_own(seeded: Store) -> None:
    """None of those of the live one."""
    await seeded.add_space("drill")
    period = RateQuery(from_ms=T, to_ms=T + 72 * HOUR)
    found = await seeded.report_summary("drill", period, period.to_ms)
    assert found == Summary(silences=[])


FILL = """
INSERT INTO spaces (name) VALUES ('filled');
INSERT INTO alarms (id, space, state, severity, type, unit, raised_at, updated_at, repeats, body, opened_at, closed_at, code)
SELECT gen_random_uuid(), 'filled', CASE WHEN n % 100 = 0 THEN 'unacknowledged' ELSE 'closed' END, 'high', 'T' || n % 9, 'U' || n % 30, at,
    at, 1, '{}', at, CASE WHEN n % 100 > 0 THEN at + interval '1 hour' END, CASE WHEN n % 100 > 0 THEN 'resolved' END
FROM (SELECT n, to_timestamp(1790000000 + n * 300) AS at FROM generate_series(1, 12000) AS n) AS made;
INSERT INTO actions (space, at, actor, role, kind, subject, body)
SELECT 'filled', opened_at, 'a', 'r', 'alarm.acknowledged', 'alarm/' || id, '{}' FROM alarms WHERE space = 'filled';
INSERT INTO episodes (episode, space, type, severity, subject_kind, subject, seal, started_at, raised_at, ended_at, inferred, latched,
    evidence, plan_version, unit, changed_at, revision, retracted)
SELECT id, space, 'SIGNAL_LOST', 'high', 'seal', 'S', 'S', opened_at, opened_at, closed_at, false, false, '{}', 1, unit, opened_at, 1, false
FROM alarms WHERE space = 'filled';
INSERT INTO journeys (space, id, version, state, regime, unit, armed_at, ended_at, changed_at, edited, body)
SELECT space, id, 1, 'CLOSED', 'transit', unit, opened_at, closed_at, opened_at, false, '{}' FROM alarms WHERE space = 'filled';
ANALYZE;
"""

BEGIN_MS = (1790000000 + 11_700 * 300) * 1000
WITHIN: tuple[Any, ...] = ("filled", BEGIN_MS, BEGIN_MS + 24 * HOUR)
READ_BY: dict[str, tuple[tuple[Any, ...], set[str]]] = {
    "report_journeys": ((), {"journeys_by_end"}),
    "report_alarms": ((), {"alarms_by_opening", "alarms_by_closing", "actions_of_subject"}),
    "report_answers": ((["retracted"],), {"alarms_by_opening", "alarms_by_closing", "actions_of_subject"}),
    "report_outcomes": ((["retracted"],), {"alarms_by_closing"}),
    "report_episodes": ((), {"episodes_newest"}),
    "report_silences": ((BEGIN_MS + HOUR, 10), {"episodes_newest", "episodes_open"}),
}


def nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(node for child in plan.get("Plans", []) for node in nodes(child))]


async def test_a_week_of_many_can_be_read_by_index(seeded: Store, module_dsn: str) -> None:
    """No table has to be read from end to end."""

    connection = await connect(module_dsn, "test", 30)
    await connection.execute(FILL)
    await connection.execute(
        "SET enable_seqscan = off"
    )  # of so few rows it is near a tie; without an index it is taken all the same
    for name, (more, indexes) in READ_BY.items():
        (text,) = await connection.fetchrow(f"EXPLAIN (FORMAT JSON) {sql(name)}", *WITHIN, None, None, *more)
        steps = nodes(json.loads(text)[0]["Plan"])
        assert not [step for step in steps if step["Node Type"] == "Seq Scan"], (name, text)
        assert indexes <= {step.get("Index Name") for step in steps}, (name, text)
    await connection.close()


@pytest.mark.parametrize(
    ("now", "monday"),
    [
        ("2026-11-26T09:00:00+00:00", "2026-11-16"),
        ("2026-11-23T00:00:00+07:00", "2026-11-16"),
        ("2026-11-22T23:59:59+07:00", "2026-11-09"),
        ("2027-01-01T00:00:00+00:00", "2026-12-21"),
    ],
)
def test_the_last_whole_week_is_from_monday_to_monday(now: str, monday: str) -> None:
    """At midnight in Viet Nam, whatever the day and the year."""
    begin, end = last_week(round(datetime.fromisoformat(now).timestamp() * 1000))
    assert datetime.fromisoformat(f"{monday}T00:00:00+07:00").timestamp() * 1000 == begin
    assert end - begin == 7 * 24 * HOUR


async def test_a_summary_is_served_as_json_and_as_csv(world: World) -> None:
    """The same figures in both; the list names the report and every parameter that it takes."""
    await world.store.commit(seeds(LIVE))
    (item,) = (await world.ask("/api/v1/reports")).json()["items"]
    assert set(item["parameters"]) == {"from", "to", "unit", "space", "format"}
    period = f"?from={iso_ms(T)}&to={iso_ms(T + 72 * HOUR)}"
    told = (await world.ask(item["path"] + period, "auditor")).json()
    asked = RateQuery(from_ms=T, to_ms=T + 72 * HOUR)
    expected = counted(asked, set(UNITS), asked.to_ms)
    assert told["total"]["journeys"] == expected.journeys._asdict()
    assert told["total"]["episodes"] == expected.episodes
    assert {code["code"]: code["alarms"] for code in told["total"]["codes"]} == expected.codes
    assert told["total"]["false_share"] == round(
        expected.codes["false_alarm"] / sum(expected.codes.values()), 4
    )
    assert [unit["unit"] for unit in told["units"]] == ["north", "port", "south", None]
    answer = await world.ask(f"{item['path']}{period}&format=csv")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    lines = list(csv.DictReader(io.StringIO(answer.body.decode())))
    whole = {
        (line["figure"], line["type"], line["severity"], line["code"]): line["value"]
        for line in lines
        if line["of"] == "all"
    }
    for one in expected.alarms:
        assert whole["alarms_raised", one.type, one.severity, ""] == str(one.raised)
        assert whole["alarms_open", one.type, one.severity, ""] == str(one.open)
    assert float(whole["close_p90_s", "", "", ""]) == pytest.approx(expected.close.p90_s)
    silent = [(line["seal"], float(line["value"])) for line in lines if line["of"] == "seal"]
    assert silent == [(one["seal"], one["silent_s"]) for one in told["silent"]]


async def test_a_period_that_cannot_be_is_refused_and_half_of_one_is_a_week(world: World) -> None:
    """Without any it is the last whole week."""
    path = "/api/v1/reports/summary"
    for bad in (
        "?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z",
        "?from=9999-12-30T00:00:00Z",
        "?from=2020-01-01T00:00:00Z&to=2026-01-01T00:00:00Z",
    ):
        assert_problem(await world.ask(path + bad), 400, "from")
    assert_problem(await world.ask(path + "?space=nowhere"), 404, "space")
    half = (await world.ask(path + "?from=2026-01-01T00:00:00Z")).json()
    assert half["to"] == "2026-01-08T00:00:00.000Z"
    assert (await world.ask(path + "?to=2026-01-08T00:00:00Z")).json()["from"] == half["from"]
    week = (await world.ask(path)).json()
    begin = datetime.fromisoformat(week["from"]).astimezone(UTC)
    assert (begin.weekday(), begin.hour) == (6, 17)
    assert datetime.fromisoformat(week["to"]) - begin == timedelta(days=7)
    assert week["total"]["alarms"] == []
    assert week["total"]["false_share"] is None
