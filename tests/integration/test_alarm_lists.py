"""Lists of alarms against plain filtering, page by page; and how often there were any, against counting by hand."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import msgspec
import pytest
from parts import LoopThread
from store_stories import episode

from seal_tracker.alarms.deadlines import DEFAULT_TERMS, due_ms, ms_of, with_deadlines
from seal_tracker.alarms.life_cycle import CLOSING_CODES, Act, taken
from seal_tracker.alarms.rows import alarm_in, row_of
from seal_tracker.alarms.states import CLOSED, OPEN_STATES, STATES
from seal_tracker.journey_record import JourneyRecord
from seal_tracker.model import LIVE, Episode, iso_ms
from seal_tracker.publishing.cloudevents import AlarmState
from seal_tracker.store import AccountRow, Commit, Store
from seal_tracker.store.alarm_reads import RANKS, AlarmFilter, AlarmRates, RateQuery
from seal_tracker.store.duty_rows import ShiftRow
from seal_tracker.supervision.journey_changes import PLAN, change_of

T = 1_790_000_000_000
MINUTE, HOUR = 60_000, 3_600_000
TYPES = ("SEAL_TAMPER", "SIGNAL_LOST", "ROUTE_DEVIATION")
UNITS = (None, "north", "south", "port")


ACCOUNT = AccountRow("an", "operator", None, None, False, False, "api", None, 1, T, T)
SHIFTS = [
    ShiftRow(UUID(int=n + 1), unit, "an", T + begin * HOUR, T + end * HOUR, "", 1, "an", T)
    for n, (unit, begin, end) in enumerate(
        [("north", -2, 6), (None, 6, 14), ("port", 14, 22), ("port", 40, 60)]
    )
]


def made(n: int, rng: random.Random) -> AlarmState:
    """One alarm, by chance; a third of them in a burst of ten minutes, so that there is a flood."""
    at = T + (rng.randrange(10 * MINUTE) if n % 3 == 0 else rng.randrange(72 * HOUR))
    journey = rng.randrange(40)
    alarm = AlarmState(
        alarm=str(UUID(int=n + 1)), state="unacknowledged", episode=UUID(int=n + 10_000), type=rng.choice(TYPES),
        severity=rng.choice(("critical", "high", "medium", "low")), subject=f"journey/J-{journey}", journey=f"J-{journey}",
        seal=f"S-{journey}", object=None, unit=rng.choice(UNITS), responsible=rng.choice(UNITS),
        declaration=f"TK{journey:03}", group=str(UUID(int=n // 5 * 5 + 1)), raised_at=iso_ms(at),
        opened_at=iso_ms(at + rng.randrange(3) * 1000), ended_at=None, updated_at=iso_ms(at), silent=rng.random() < 0.1,
        exercise=False,
    )  # fmt: skip
    alarm = with_deadlines(alarm, ms_of(alarm.opened_at), DEFAULT_TERMS)
    later = at + rng.randrange(48 * HOUR) + MINUTE
    match rng.randrange(6):
        case 0:
            alarm = taken(alarm, Act(verb="ack", by="an", role="operator", at_ms=later), DEFAULT_TERMS)
        case 1 | 2:
            code = rng.choice(CLOSING_CODES)
            alarm = taken(
                alarm, Act(verb="close", by="an", role="operator", at_ms=later, code=code), DEFAULT_TERMS
            )
        case 3:
            gone = {"state": CLOSED, "code": "retracted", "closed_at": iso_ms(later), "escalates_at": None}
            alarm = msgspec.structs.replace(alarm, **gone)
    return alarm


RNG = random.Random(5)
ALARMS = [made(n, RNG) for n in range(400)]
EPISODES = [
    episode(n, type=RNG.choice(TYPES), subject=f"J-{n % 30}", raised_at_ms=T + RNG.randrange(24 * HOUR), unit=RNG.choice(UNITS))
    for n in range(300)
] + [episode(n, type="SIGNAL_LOST", subject="J-bad", raised_at_ms=T + n * MINUTE, unit="north") for n in range(300, 320)]  # fmt: skip


JOURNEYS = [
    change_of(
        JourneyRecord(id=f"J-{n}", regime="transit", declaration=f"TK{n:03}", box=f"MSKU{n}"), None, PLAN, "declare", at_ms=T, now_ms=T
    )
    for n in range(40)
]  # fmt: skip


@pytest.fixture(scope="module")
def thread() -> Iterator[LoopThread]:
    running = LoopThread()
    yield running
    running.close()


@pytest.fixture(scope="module")
def store(thread: LoopThread, module_dsn: str) -> Iterator[Store]:
    """One database for all that only reads."""
    opened = thread.run(Store.open(module_dsn))
    rows = [row_of(alarm, [alarm.episode]) for alarm in ALARMS]
    commit = Commit(
        space=LIVE,
        alarms=rows,
        episodes=[(e, 1, False) for e in EPISODES],
        journeys=JOURNEYS,
        accounts=[ACCOUNT],
        shifts=SHIFTS,
    )
    thread.run(opened.commit(commit))
    yield opened
    thread.run(opened.close())


def fits(alarm: AlarmState, wanted: AlarmFilter) -> bool:
    """The filter in words."""
    mine = (alarm.unit, alarm.responsible)
    journey = (alarm.journey or "").removeprefix("J-")
    named = [f"TK{int(journey):03}", f"MSKU{journey}", f"J-{journey}", alarm.seal or ""]
    return (
        alarm.state in wanted.states
        and wanted.severity in {None, alarm.severity}
        and wanted.type in {None, alarm.type}
        and (wanted.unit is None or wanted.unit in mine)
        and (wanted.journeys is None or alarm.journey in wanted.journeys)
        and wanted.seal in {None, alarm.seal}
        and wanted.group in {None, UUID(alarm.group)}
        and (wanted.text is None or any(t.startswith((wanted.text, wanted.text.upper())) for t in named))
        and (wanted.from_ms is None or ms_of(alarm.raised_at) >= wanted.from_ms)
        and (wanted.to_ms is None or ms_of(alarm.raised_at) < wanted.to_ms)
        and (wanted.since_ms is None or ms_of(alarm.opened_at) >= wanted.since_ms)
        and (wanted.scope is None or any(unit in wanted.scope for unit in mine))
    )


def pages(thread: LoopThread, store: Store, wanted: AlarmFilter, **how: Any) -> list[str]:
    """Ids of the whole list, in pages of seven."""
    found, cursor = [], None
    while True:
        rows, cursor = thread.run(store.alarms(LIVE, wanted, cursor=cursor, limit=7, **how))
        found += [alarm_in(row).alarm for row in rows]
        if cursor is None:
            return found


FILTERS: dict[str, dict[str, Any]] = {
    "all": {},
    "severity": {"severity": "high"},
    "type": {"type": "SIGNAL_LOST"},
    "unit": {"unit": "port"},
    "journey": {"journeys": ["J-7"]},
    "journeys": {"journeys": ["J-7", "J-8"]},
    "no journey": {"journeys": []},
    "seal": {"seal": "S-7"},
    "group": {"group": UUID(int=11)},
    "declaration": {"text": "tk01"},
    "box": {"text": "MSKU7"},
    "seals that begin so": {"text": "S-2"},
    "journeys that begin so": {"text": "J-1"},
    "since": {"since_ms": T + 24 * HOUR},
    "time": {"from_ms": T + 6 * HOUR, "to_ms": T + 9 * HOUR},
    "scope": {"scope": frozenset({"north"})},
    "several": {"scope": frozenset({"north", "port"}), "type": "SEAL_TAMPER", "severity": "critical"},
}


@pytest.mark.parametrize("name", FILTERS)
def test_a_list_is_what_its_filter_says_page_by_page(thread: LoopThread, store: Store, name: str) -> None:
    """Newest first in any state; open ones also by severity and by when they are due; no alarm twice, none left out."""
    whole = AlarmFilter(states=STATES, **FILTERS[name])
    newest = sorted(
        (a for a in ALARMS if fits(a, whole)), key=lambda a: (ms_of(a.raised_at), a.alarm), reverse=True
    )
    assert pages(thread, store, whole) == [a.alarm for a in newest]
    open_ = AlarmFilter(states=OPEN_STATES, **FILTERS[name])
    still = [a for a in newest if a.state in OPEN_STATES]
    assert pages(thread, store, open_, open_only=True) == [a.alarm for a in still]
    by_priority = sorted(still, key=lambda a: (RANKS[a.severity], due_ms(a) or float("inf"), a.alarm))
    assert pages(thread, store, open_, open_only=True, by_priority=True) == [a.alarm for a in by_priority]
    first = {a.group: a.alarm for a in reversed(by_priority)}
    collapsed = [a.alarm for a in by_priority if first[a.group] == a.alarm]
    assert pages(thread, store, open_, open_only=True, by_priority=True, collapse=True) == collapsed
    counts = thread.run(store.alarms_in_groups(LIVE, map(UUID, first), open_.scope))
    mine = Counter(a.group for a in ALARMS if fits(a, AlarmFilter(states=OPEN_STATES, scope=open_.scope)))
    assert counts == {UUID(group): mine[group] for group in first}


def test_a_page_is_stable_under_what_comes_in(thread: LoopThread, store: Store) -> None:
    """An alarm that is newer, or more urgent, than the cursor shifts nothing."""
    wanted = AlarmFilter(states=OPEN_STATES, severity="low", scope=frozenset({"south"}))
    for how in ({}, {"by_priority": True}):
        before = pages(thread, store, wanted, open_only=True, **how)
        _, cursor = thread.run(store.alarms(LIVE, wanted, limit=3, open_only=True, **how))
        new = with_deadlines(
            msgspec.structs.replace(
                ALARMS[0], alarm=str(UUID(int=2**127)), state="unacknowledged", severity="low", unit="south",
                raised_at=iso_ms(T + 99 * HOUR if not how else T), acked_at=None, closed_at=None, code=None, shelf=None, silent=False,
            ),
            T - HOUR,
            DEFAULT_TERMS,
        )  # fmt: skip
        thread.run(store.commit(Commit(space=LIVE, alarms=[row_of(new, [])])))
        rows, _ = thread.run(store.alarms(LIVE, wanted, limit=100, cursor=cursor, open_only=True, **how))
        closed = msgspec.structs.replace(new, state=CLOSED, silent=True, opened_at=iso_ms(0))
        thread.run(store.commit(Commit(space=LIVE, alarms=[row_of(closed, [])])))
        assert [alarm_in(row).alarm for row in rows] == before[3:]


def test_a_cursor_of_another_list_is_refused(thread: LoopThread, store: Store) -> None:
    """Rather than answering from the wrong place."""
    everything = AlarmFilter(states=OPEN_STATES)
    for cursor in (
        "",
        "x",
        "1.2",
        "9..00000000000000000000000000000001",
        "1.x.00000000000000000000000000000001",
    ):
        with pytest.raises(ValueError, match="not a cursor of this list"):
            thread.run(store.alarms(LIVE, everything, by_priority=True, open_only=True, cursor=cursor))


def counted(asked: RateQuery) -> AlarmRates:
    """The same by hand, slowly."""
    mine = [a for a in ALARMS if sees(asked, a.unit) or sees(asked, a.responsible)]
    called = sorted(
        ms_of(a.opened_at) for a in mine if not a.silent and asked.from_ms <= ms_of(a.opened_at) < asked.to_ms
    )
    full = []
    for begin in called:
        window = [t for t in called if begin <= t <= begin + 10 * MINUTE]
        if len(window) > 10:
            full.append((begin, window[-1]))
    joined: list[tuple[int, int]] = []
    for begin, end in full:
        if joined and begin <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((begin, end))
    closed = [
        a for a in mine if a.closed_at and a.closed_by and asked.from_ms <= ms_of(a.closed_at) < asked.to_ms
    ]
    open_ = [a for a in mine if a.state != CLOSED and ms_of(a.opened_at) <= asked.to_ms - 24 * HOUR]
    now_ms = asked.to_ms if asked.now_ms is None else asked.now_ms
    shifts = [s for s in SHIFTS if sees(asked, s.unit)]
    on_duty = [min(s.ends_ms, asked.to_ms, now_ms) - max(s.begins_ms, asked.from_ms) for s in shifts]
    return AlarmRates(
        alarms=len(called),
        operator_hours=sum(ms / 1000 for ms in on_duty if ms > 0) / 3600,
        floods=[(b, e, sum(b <= t <= e for t in called)) for b, e in joined],  # type: ignore[misc]
        chattering=sorted(chatter(asked), key=lambda c: (-c[2], c[0], c[1])),  # type: ignore[arg-type]
        stale=dict(Counter(a.severity for a in open_)),
        outcomes=sorted((t, c, n) for (t, c), n in Counter((a.type, a.code) for a in closed).items()),  # type: ignore[arg-type]
    )


def chatter(asked: RateQuery) -> Iterator[tuple[str, str, int, int]]:
    mine = [e for e in EPISODES if asked.from_ms <= e.raised_at_ms < asked.to_ms and sees(asked, e.unit)]
    by_subject: dict[tuple[str, str], list[Episode]] = {}
    for one in mine:
        by_subject.setdefault((f"{one.subject_kind}/{one.subject}", one.type), []).append(one)
    for (subject, type_), of in by_subject.items():
        times = [e.raised_at_ms for e in of]
        most = max(sum(t <= other <= t + HOUR for other in times) for t in times)
        if most >= 3:
            yield subject, type_, most, len(of)


def sees(asked: RateQuery, unit: str | None) -> bool:
    return asked.unit in {None, unit} and (asked.scope is None or unit in asked.scope)


@pytest.mark.parametrize(
    "asked",
    [
        RateQuery(from_ms=T, to_ms=T + 72 * HOUR),
        RateQuery(from_ms=T + 5 * MINUTE, to_ms=T + 30 * HOUR),
        RateQuery(from_ms=T, to_ms=T + 72 * HOUR, now_ms=T + 15 * HOUR),
        RateQuery(from_ms=T, to_ms=T + 72 * HOUR, scope=frozenset({"north"})),
        RateQuery(from_ms=T, to_ms=T + 48 * HOUR, unit="port"),
        RateQuery(from_ms=T + 900 * HOUR, to_ms=T + 901 * HOUR),
    ],
    ids=["three days", "part of it", "up to now", "one unit's sight", "of one unit", "when nothing was"],
)
def test_rates_are_those_counted_by_hand(thread: LoopThread, store: Store, asked: RateQuery) -> None:
    """Alarms, floods, chattering, what stands open, and how persons closed them: by SQL exactly."""
    found, expected = thread.run(store.alarm_rates(LIVE, asked)), counted(asked)
    assert found == expected
    if asked.unit is None and asked.scope is None and asked.from_ms < T + 900 * HOUR:
        assert found.floods
        assert found.chattering
        assert found.stale
        assert {code for _, code, _ in found.outcomes} <= set(CLOSING_CODES)
