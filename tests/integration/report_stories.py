"""Alarms, journeys and episodes by chance, and the figures of a report counted by hand over them."""

from __future__ import annotations

import random
from collections import Counter
from uuid import UUID

import msgspec
import numpy as np
from store_stories import episode

from seal_tracker.alarms.deadlines import DEFAULT_TERMS, ms_of
from seal_tracker.alarms.life_cycle import CLOSING_CODES, Act, taken
from seal_tracker.alarms.rows import row_of
from seal_tracker.alarms.states import CLOSED
from seal_tracker.model import Episode, iso_ms
from seal_tracker.publishing.cloudevents import AlarmState
from seal_tracker.store import Commit
from seal_tracker.store.alarm_reads import RateQuery
from seal_tracker.store.journey_rows import JourneyChange, JourneyRow, JourneyVersion
from seal_tracker.store.records import Action
from seal_tracker.store.report_reads import AlarmFigures, Answering, Figures, JourneyFigures, Silence

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
