"""Alarms on a real database: what officers and the clock make of them, that it outlives late data and a start, and who was first."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any, cast
from uuid import UUID, uuid4

import pytest
from story import T0_MS, Ground, at, batch, ping

from seal_tracker.alarms.deadlines import DEFAULT_TERMS, ms_of
from seal_tracker.alarms.grouping import own_group
from seal_tracker.alarms.life_cycle import Act
from seal_tracker.alarms.rows import alarm_in, row_of
from seal_tracker.alarms.states import OPEN_STATES, STATES, Verb
from seal_tracker.alarms.suppressions import Suppression, order_in
from seal_tracker.commands.ledger import verified_ledger
from seal_tracker.deeds import Deed
from seal_tracker.episodes_file import episode_members
from seal_tracker.facts.catalog import FACT_READERS
from seal_tracker.facts.settling import Noted
from seal_tracker.model import LIVE, PingBatch, iso_ms
from seal_tracker.pipeline import Committed, Pipeline
from seal_tracker.plans.folder import load_files
from seal_tracker.plans.model import Plan
from seal_tracker.prepared import Prepared
from seal_tracker.publishing.cloudevents import AlarmState
from seal_tracker.repairs import states
from seal_tracker.repairs.opener import TicketOpener
from seal_tracker.repairs.states import Ticket, ticket_in
from seal_tracker.space import SpaceJudge
from seal_tracker.store import AlarmRow, Commit, Store
from seal_tracker.store.alarm_reads import AlarmFilter, Asked
from seal_tracker.store.connections import connect
from seal_tracker.store.duty_rows import AbsenceRow
from seal_tracker.store.filters import EpisodeFilter, EventFilter
from seal_tracker.store.migrations import MIGRATIONS, apply_migrations
from seal_tracker.store.ticket_reads import TicketFilter, TicketPlace
from seal_tracker.supervision.alarms import AlarmDesk
from seal_tracker.supervision.errors import Stale, Unfit, Unknown, WrongState
from seal_tracker.supervision.journey_changes import Actor
from seal_tracker.supervision.journey_orders import Order
from seal_tracker.supervision.journey_plan import import_plan
from seal_tracker.supervision.journeys import JourneyDesk, deed_of
from seal_tracker.supervision.life_cycle import Verb as JourneyVerb
from seal_tracker.supervision.suppressions import SuppressionDesk
from seal_tracker.supervision.tickets import TicketDesk
from seal_tracker.ways import Way

UNITS = """
[hq]
name = {en = "Headquarters"}
head = "Director"
[port]
name = {en = "Port"}
parent = "hq"
head = "Minh"
jurisdiction_zone = "Z-port"
contact = "port@hai-quan.example"
[inland]
name = {en = "Inland"}
parent = "hq"
head = "Lan"
deputies = ["Hoa"]
"""
MINUTE_S = 60.0
ALL = AlarmFilter(states=STATES)
OPEN = AlarmFilter(states=OPEN_STATES)


def plan(seals: int = 2, *, silences: bool = False) -> Plan:
    """Journeys of the inland unit, and a port with a jurisdiction of 5 km about the origin; what seals say is judged alone."""
    made = Ground().zone("Z-port", 0, 0, 5_000, "jurisdiction")
    for n in range(1, seals + 1):
        made.journey(f"S{n}", unit="inland", declaration=f"TK-{n:04}")
    made.policy("default.SIGNAL_LOST", enabled=silences)
    for rule in ("UNOBSERVED_GAP", "STOP_UNPLANNED"):
        made.policy(f"default.{rule}", enabled=False)
    files = dict(made.plan().files)
    read, faults = load_files({**files, "units.toml": UNITS})
    assert read is not None, faults
    return replace(read, version=1)


class Watch:
    """The live space, the committing around it, and the desk; the clock stands at ``now_s`` of the story."""

    def __init__(self, store: Store, made: Plan, sequence: int = 1, now_s: float = 120.0) -> None:
        self.store, self.plan, self.now_s = store, made, now_s
        self.judging = SpaceJudge(LIVE, store)
        self.told: list[Committed] = []
        self.pipeline = Pipeline(
            cast("Any", None), store, {LIVE: self.judging}, self.told.append,
            tenant="demo", instance="test", next_sequence=sequence, clock_ms=lambda: self.now_ms,
        )  # fmt: skip

    @property
    def now_ms(self) -> int:
        return T0_MS + round(self.now_s * 1000)

    async def open(self) -> Watch:
        await self.pipeline.commit_prepared(LIVE, await self.judging.open([(0, self.plan)]))
        return self

    async def again(self) -> Watch:
        """The watch after a restart: what the store says is all there is."""
        sequence = await self.store.last_sequence() + 1
        return await Watch(self.store, self.plan, sequence, self.now_s).open()

    async def hear(self, *pings: dict[str, Any], seal: str = "S1") -> None:
        heard = batch(pings, self.judging.numbers, seal)
        await self.pipeline.commit_prepared(LIVE, await self.judging.prepare(heard))

    async def clock(self, second: float) -> None:
        """Hear the canary."""
        self.now_s = second
        await self.pipeline._time(self.judging, self.now_ms)

    async def act(
        self,
        verb: Verb,
        alarm: str,
        by: str = "an",
        *,
        version: int | None = None,
        scope: Any = None,
        order: Any = None,
        **said: Any,
    ) -> AlarmState:
        desk = self.desk()

        def check(row: AlarmRow) -> None:
            if version not in {None, row.version}:
                raise Stale(f"{alarm_in(row).changed_by} changed it")

        async def work(judging: SpaceJudge) -> tuple[Prepared, Deed]:
            made = lambda at_ms: Act(verb=verb, by=by, role="operator", at_ms=at_ms, **said)  # noqa: E731
            return await desk.one(judging, UUID(alarm), made, scope, check, order)

        await self.pipeline.act(LIVE, work)
        row = desk.outcomes[-1].row
        assert row is not None
        return alarm_in(row)

    async def kept(self) -> None:
        """Take in the plan's journeys, as a start does, so that orders can be given of them."""
        brought = await import_plan(self.store, LIVE, self.plan.journeys, self.now_ms)
        await self.pipeline.commit_prepared(LIVE, Prepared(), deed_of(brought.changes))

    def desk(self) -> AlarmDesk:
        journeys = JourneyDesk(self.store, "demo", lambda: self.now_ms)
        return AlarmDesk(self.store, DEFAULT_TERMS, lambda: self.now_ms, journeys)

    async def alarms(self, wanted: AlarmFilter = OPEN, **how: Any) -> list[AlarmState]:
        rows, _ = await self.store.alarms(LIVE, wanted, **how)
        return [alarm_in(row) for row in rows]

    async def only(self) -> AlarmState:
        (alarm,) = await self.alarms()
        return alarm

    async def history(self, alarm: AlarmState) -> list[tuple[str, str]]:
        """(step, who), oldest first."""
        rows = await self.store.actions_of(LIVE, f"alarm/{alarm.alarm}")
        return [(row.action.kind.removeprefix("alarm."), row.action.actor) for row in reversed(rows)]

    async def events(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in await self.store.events_after(LIVE, 0, 1000)]


@pytest.fixture
async def store(postgres_dsn: str) -> AsyncIterator[Store]:
    """A store; whatever a test does by it, the ledger tells in the end what the tables hold."""
    opened = await Store.open(postgres_dsn)
    yield opened
    await opened.close()
    connection = await connect(postgres_dsn, "test", 30)
    found = await verified_ledger(connection, [], [])
    await connection.close()
    assert found.whole, found.log_faults


@pytest.fixture
async def watch(store: Store) -> Watch:
    return await Watch(store, plan()).open()


def cut(second: float, x_m: float = 50_000) -> dict[str, Any]:
    return ping(second, x_m, lock="cut")


async def test_an_alarm_that_an_officer_acknowledged_survives_a_late_ping_that_moves_its_start(
    watch: Watch,
) -> None:
    """And a restart in between: the episode is another, the alarm and all that was made of it are the same."""
    await watch.hear(ping(0, 50_000), cut(100))
    raised = await watch.only()
    await watch.act("ack", raised.alarm)
    await watch.act("assign", raised.alarm, to="binh")
    await watch.act("note", raised.alarm, note="lái xe không trả lời")
    watch = await watch.again()
    await watch.hear(cut(60))
    now = await watch.only()
    assert now.episode != raised.episode
    assert (now.alarm, now.state, now.acked_by, now.assignee, now.note) == (
        raised.alarm, "acknowledged", "an", "binh", "lái xe không trả lời",
    )  # fmt: skip
    assert await watch.history(now) == [("acknowledged", "an"), ("assigned", "an"), ("noted", "an")]
    row = await watch.store.alarm(LIVE, UUID(now.alarm))
    assert row is not None
    assert row.episodes == (now.episode,)


async def test_of_two_officers_who_act_at_once_one_wins_and_the_other_is_told(watch: Watch) -> None:
    """Whoever comes second meets what the first has left: by state, and by version; nothing is overwritten."""
    await watch.hear(ping(0, 0), cut(100))
    alarm = (await watch.only()).alarm
    both = await asyncio.gather(
        *(watch.act("ack", alarm, by) for by in ("an", "binh")), return_exceptions=True
    )
    assert isinstance(both[0], AlarmState)
    assert isinstance(both[1], WrongState)
    assert str(both[1]) == f"an acknowledged it at {iso_ms(watch.now_ms)}"
    seen = both[0].version
    both = await asyncio.gather(
        *(watch.act("assign", alarm, by, version=seen, to=by) for by in ("binh", "an")),
        return_exceptions=True,
    )
    assert isinstance(both[0], AlarmState)
    assert isinstance(both[1], Stale)
    assert (await watch.only()).assignee == "binh"
    assert await watch.history(await watch.only()) == [("acknowledged", "an"), ("assigned", "binh")]


async def test_each_step_is_an_event_and_events_still_fold_to_the_episodes(watch: Watch) -> None:
    """In the log, with who and what; who folds events by episode finds each as it stands, whatever was done to its alarm."""
    await watch.hear(ping(0, 0), cut(100))
    alarm = await watch.only()
    await watch.act("ack", alarm.alarm)
    await watch.act("shelve", alarm.alarm, until_ms=watch.now_ms + 600_000, reason="works")
    await watch.act("unshelve", alarm.alarm)
    await watch.act("dispatch", alarm.alarm, to="team 3")
    await watch.act("close", alarm.alarm, code="confirmed", note="rope cut")
    events = await watch.events()
    assert [e["type"] for e in events] == [
        f"vn.eseal.SEAL_TAMPER.{step}"
        for step in ("raised", "acknowledged", "shelved", "unshelved", "dispatched", "closed")
    ]
    closed = events[-1]
    told = closed["data"]["properties"]
    assert (told["alarm"], told["state"], told["by"]) == (alarm.alarm, "closed", "an")
    assert told["detail"] == {"code": "confirmed", "note": "rope cut"}
    assert closed["sequence"] == f"{len(events):020}"
    assert len({e["id"] for e in events}) == len(events)
    last: dict[str, Any] = {}
    for one in events:
        last[one["data"]["properties"]["episode"]] = one["data"]["properties"]
    (stored,) = [e async for e in watch.store.stream_episodes(LIVE)]
    members = {k: v for k, v in episode_members(stored).items() if k != "type"}
    assert {k: last[str(stored.episode)][k] for k in members} == json.loads(json.dumps(members, default=str))


async def test_what_waits_is_put_before_the_head_of_whose_jurisdiction_it_is(watch: Watch) -> None:
    """In the port's jurisdiction the port's head, elsewhere that of the journey's unit; then headquarters'; over a restart.

    While a head is absent their deputy is called.
    """
    away_ms = T0_MS + round((120 + 1 * MINUTE_S) * 1000)
    absence = AbsenceRow(
        UUID(int=7), "inland", "Lan", away_ms, away_ms + 3_600_000, "leave", 1, "an", away_ms
    )
    await watch.store.commit(Commit(space=LIVE, absences=[absence]))
    await watch.hear(ping(0, 0), cut(100, 0))
    await watch.hear(ping(0, 50_000), cut(110), seal="S2")
    at_port, inland = sorted(await watch.alarms(), key=lambda a: a.seal or "")
    assert (at_port.unit, at_port.responsible, inland.responsible) == ("inland", "port", "inland")
    await watch.clock(120 + 2 * MINUTE_S)
    watch = await watch.again()
    await watch.clock(120 + 4 * MINUTE_S)
    found = [
        (e["data"]["properties"]["seal"], e["data"]["properties"]["detail"]["to"])
        for e in await watch.events()
        if e["type"].endswith(".escalated")
    ]
    assert sorted(found) == [("S1", "Director"), ("S1", "Minh"), ("S2", "Director"), ("S2", "Hoa")]
    assert [a.escalated_to for a in await watch.alarms()] == ["Director", "Director"]
    assert await watch.history(at_port) == [("escalated", "system")] * 2
    for which in (EventFilter(units=["port"]), EventFilter(units=["port"], seal="S1")):
        seen = [event.sequence for event in await watch.store.events_after(LIVE, 0, 100, which)]
        assert len(seen) == 2, (
            "who answers for an alarm is told its steps, though the journey is another unit's"
        )
        assert [e.sequence for e in await watch.store.events_before(LIVE, None, 9, which)] == seen[::-1]
    (mail,) = await watch.store.mails(LIVE, None, 10)
    assert (mail.recipient, mail.sent_ms, mail.failures) == ("port@hai-quan.example", None, 0)
    both = EventFilter(units=["port", "inland"])
    assert len(await watch.store.events_after(LIVE, 0, 100, both)) == 6
    assert await watch.store.event_count(LIVE, ["port"]) == 2
    assert await watch.store.event_count(LIVE, ["port", "inland"]) == 6


async def test_seals_of_one_gateway_are_one_group_however_far_apart(watch: Watch) -> None:
    """The way is kept with what else a commit brings, and is known again after a restart."""
    await watch.store.commit(Commit(space=LIVE, ways={"S1": Way("452-04"), "S2": Way("452-01", "gw-1")}))
    await watch.store.commit(Commit(space=LIVE, ways={"S1": Way("452-04", "gw-1")}))
    ways = {"S1": ("452-04", "gw-1"), "S2": ("452-01", "gw-1")}
    assert await watch.store.ways(LIVE) == ways
    watch = await watch.again()
    await watch.hear(ping(0, 0), cut(100, 0))
    await watch.hear(ping(0, 90_000), cut(110, 90_000), seal="S2")
    one, other = await watch.alarms()
    assert one.group == other.group
    assert {(a.carrier, a.gateway) for a in (one, other)} == set(ways.values())


async def test_a_shelf_expires_by_the_clock_even_over_a_restart(watch: Watch) -> None:
    """While it holds nobody is called; then the alarm is back, and waits anew."""
    await watch.hear(ping(0, 50_000), cut(100))
    alarm = await watch.only()
    until_ms = watch.now_ms + 30 * 60_000
    await watch.act("shelve", alarm.alarm, until_ms=until_ms, reason="the driver is on his way")
    await watch.clock(120 + 29 * MINUTE_S)
    watch = await watch.again()
    assert (await watch.only()).state == "shelved"
    await watch.clock(120 + 30 * MINUTE_S)
    assert (await watch.only()).state == "unacknowledged"
    await watch.clock(120 + 32 * MINUTE_S)
    assert await watch.history(alarm) == [("shelved", "an"), ("unshelved", "system"), ("escalated", "system")]


async def test_a_cell_outage_is_one_group_of_two_hundred(store: Store) -> None:
    """Two hundred seals within a few kilometres fall silent: two hundred alarms, one group, one line to look at."""
    watch = await Watch(store, plan(200, silences=True), now_s=60).open()
    await watch.hear(*(ping(n / 10, 10_000 + 50 * n, of=f"S{n}") for n in range(1, 201)))
    await watch.clock(60)
    await watch.clock(3600)
    alarms = await watch.alarms(limit=1000)
    assert [a.type for a in alarms] == ["SIGNAL_LOST"] * 200
    (group,) = {a.group for a in alarms}
    of_group = AlarmFilter(states=OPEN_STATES, group=UUID(group))
    assert len(await watch.alarms(of_group, limit=1000)) == 200


async def test_a_unit_handles_what_is_its_own_or_what_it_answers_for(watch: Watch) -> None:
    """What another unit's is does not exist for it."""
    await watch.hear(ping(0, 0), cut(100, 0))
    alarm = await watch.only()
    with pytest.raises(Unknown, match="there is no alarm"):
        await watch.act("ack", alarm.alarm, scope=frozenset({"elsewhere"}))
    for scope in ({"inland"}, {"port"}):
        rows = await watch.alarms(AlarmFilter(states=OPEN_STATES, scope=frozenset(scope)))
        assert [a.alarm for a in rows] == [alarm.alarm]
    assert await watch.alarms(AlarmFilter(states=OPEN_STATES, scope=frozenset({"hq"}))) == []
    assert (await watch.act("ack", alarm.alarm, scope=frozenset({"port"}))).state == "acknowledged"


async def test_several_are_acknowledged_each_whatever_becomes_of_the_others(watch: Watch) -> None:
    """One commit; who was too late, or asked for what there is not, is told of that one alone."""
    await watch.hear(ping(0, 50_000), cut(100))
    await watch.hear(ping(0, 50_000), cut(100), seal="S2")
    first, second = await watch.alarms()
    await watch.act("ack", first.alarm, "binh")
    desk = watch.desk()
    ids = [UUID(first.alarm), UUID(second.alarm), UUID(int=7), UUID(second.alarm)]

    async def work(judging: SpaceJudge) -> tuple[Prepared, Deed]:
        made = lambda at_ms: Act(verb="ack", by="an", role="operator", at_ms=at_ms)  # noqa: E731
        return await desk.many(judging, ids, made, None)

    commits = len(watch.told)
    await watch.pipeline.act(LIVE, work)
    assert len(watch.told) == commits + 1
    became = {o.alarm: str(o.refused) if o.refused else None for o in desk.outcomes}
    assert became == {
        ids[0]: f"binh acknowledged it at {iso_ms(watch.now_ms)}",
        ids[1]: None,
        ids[2]: f"there is no alarm {str(ids[2])!r}",
    }
    assert {a.acked_by for a in await watch.alarms()} == {"an", "binh"}


async def test_the_alarm_of_a_latched_episode_that_was_closed_stays_closed_over_a_start(watch: Watch) -> None:
    """Its retained state is emptied, it is off the open list, and nothing but worse brings it back."""
    await watch.hear(ping(0, 50_000), cut(100))
    alarm = await watch.only()
    await watch.act("close", alarm.alarm, code="confirmed")
    retained = [m for m in watch.told[-1].outbox if m.retain]
    assert [(m.topic.rpartition("/")[2], m.payload) for m in retained] == [(alarm.alarm, b"")]
    watch = await watch.again()
    await watch.hear(cut(130), cut(140))
    assert await watch.alarms() == []
    (closed,) = await watch.alarms(ALL)
    assert (closed.state, closed.code, closed.closed_by) == ("closed", "confirmed", "an")


async def test_closing_with_a_reset_ends_the_latched_episode_too(watch: Watch) -> None:
    """One commit: the alarm closes and the journey has the reset, where the episode ends by the next canary; a later cut is news."""
    await watch.kept()
    await watch.hear(ping(0, 50_000), cut(100))
    alarm = await watch.only()
    commits = len(watch.told)
    watch.now_s = 200
    reset = lambda found, at_ms: Order(  # noqa: E731
        verb=JourneyVerb.RESET, at_ms=at_ms, by="an", rule=found.type, object=found.object
    )
    await watch.act("close", alarm.alarm, order=reset, code="resolved")
    assert len(watch.told) == commits + 1
    reset_ms = watch.now_ms
    await watch.clock(205)
    await watch.clock(210)
    (closed,) = await watch.alarms(ALL)
    assert (closed.state, closed.code, closed.ended_at) == ("closed", "resolved", iso_ms(reset_ms))
    (episode,) = [e async for e in watch.store.stream_episodes(LIVE)]
    assert (episode.ended_at_ms, episode.cleared_at_ms) == (reset_ms, reset_ms)
    assert [e["type"].rpartition(".")[2] for e in await watch.events()] == ["raised", "closed", "cleared"]
    await watch.hear(ping(300, 50_000), cut(310))
    news = await watch.only()
    assert news.alarm != alarm.alarm
    assert news.repeats == 1


async def test_an_alarm_orders_its_journey_to_follow_another_route_or_nothing_is_done(watch: Watch) -> None:
    """The order stands in the journey's history, the step in the alarm's; a route that there is not changes neither."""
    await watch.kept()
    await watch.hear(ping(0, 50_000), cut(100))
    alarm = await watch.only()

    def divert(route: str | None) -> Any:
        return lambda _found, at_ms: Order(
            verb=JourneyVerb.DIVERT, at_ms=at_ms, by="an", route=route, reason="flood"
        )

    with pytest.raises(Unfit, match="there is no route 'nowhere'"):
        await watch.act("divert", alarm.alarm, order=divert("nowhere"), to="nowhere", reason="flood")
    assert await watch.only() == alarm
    after = await watch.act("divert", alarm.alarm, order=divert(None), reason="flood")
    assert (after.state, after.version) == ("unacknowledged", alarm.version + 1)
    row = await watch.store.journey(LIVE, alarm.journey or "")
    assert row is not None
    assert row.state == "DIVERTED"
    assert await watch.history(after) == [("diverted", "an")]


async def test_alarms_of_an_earlier_release_go_on_with_deadlines_from_the_upgrade(empty_dsn: str) -> None:
    """What was open is open under its id, due from now on; an officer can handle it, and the clock escalates it."""
    before = [step for step in MIGRATIONS if step.version < 8]
    connection = await connect(empty_dsn, "test", 30)
    await apply_migrations(connection, before)
    old = {
        "alarm": str(UUID(int=1)), "state": "unacknowledged", "episode": str(UUID(int=2)), "type": "SEAL_TAMPER",
        "severity": "critical", "subject": "journey/J-1", "journey": "J-1", "seal": "S1", "object": None, "unit": "inland",
        "raised_at": "2026-09-21T14:13:20.000Z", "ended_at": None, "updated_at": "2026-09-21T14:13:20.000Z", "exercise": False,
    }  # fmt: skip
    await connection.execute(
        "INSERT INTO alarms VALUES ($1, 'live', $2, $3, 'critical', 'SEAL_TAMPER', 'J-1', 'S1', 'inland', $4, $4, 1, $5)",
        UUID(int=1), UUID(int=2), "unacknowledged", T0_MS, json.dumps(old),
    )  # fmt: skip
    await connection.close()
    store = await Store.open(empty_dsn)
    row = await store.alarm(LIVE, UUID(int=1))
    assert row is not None
    alarm = alarm_in(row)
    assert (row.episodes, row.subject, row.begins) == ((UUID(int=2),), "journey/J-1", True)
    assert alarm.group == str(row.group) == own_group(alarm.alarm)
    assert row_of(alarm, row.episodes)._replace(body=b"") == row._replace(body=b"")
    upgraded_ms = ms_of(alarm.escalates_at or "") - 120_000
    assert [r.id for r in await store.alarms_timed(LIVE, upgraded_ms + 120_000, 10)] == [row.id]
    assert await store.alarms_timed(LIVE, upgraded_ms + 119_999, 10) == []
    assert (await store.alarms_around(LIVE, Asked(episodes=[UUID(int=2)]))).concerned == [row]
    await store.close()


def desk_of(watch: Watch, scope: Any = None) -> SuppressionDesk:
    return SuppressionDesk(
        watch.store, DEFAULT_TERMS, lambda: watch.now_ms, Actor("binh", "supervisor"), scope
    )


def works(watch: Watch, **named: Any) -> Callable[[int], Suppression]:
    """An order of an hour."""
    stamp = {"made_by": "binh", "changed_by": "binh"}
    return lambda now_ms: Suppression(
        id=str(uuid4()), from_at=iso_ms(now_ms - 120_000), until=iso_ms(now_ms + 3_600_000), reason="works",
        made_at=iso_ms(now_ms), changed_at=iso_ms(now_ms), **stamp, **named,
    )  # fmt: skip


async def ordered(watch: Watch, work: Callable[[SpaceJudge], Awaitable[Deed]]) -> Suppression:
    """What became of an order."""
    deeds: list[Deed] = []

    async def done(judging: SpaceJudge) -> tuple[Prepared, Deed]:
        deeds.append(await work(judging))
        return Prepared(), deeds[-1]

    await watch.pipeline.act(LIVE, done)
    return order_in(deeds[-1].suppressions[0])


async def test_an_order_stands_before_any_alarm_is_changed_and_is_taken_back(watch: Watch) -> None:
    """In the port alone: what is raised there is suppressed, told so, and calls again when the order is cancelled; all in the log."""
    desk, any_version = desk_of(watch), lambda _version: None
    order = await ordered(watch, lambda j: desk.order(j, works(watch, zone="Z-port", types=("SEAL_TAMPER",))))
    await watch.hear(ping(0, 0), cut(100, 0))
    await watch.hear(ping(0, 50_000), cut(110), seal="S2")
    (suppressed,) = await watch.alarms(AlarmFilter(states=("suppressed",)))
    assert suppressed.seal == "S1"
    assert [a.seal for a in await watch.alarms(AlarmFilter(states=("unacknowledged",)))] == ["S2"]
    await watch.clock(120 + 30 * MINUTE_S)
    watch = await watch.again()
    desk = desk_of(watch)
    later = watch.now_ms + 2 * 3_600_000
    changed = await ordered(watch, lambda j: desk.change(j, UUID(order.id), later, "longer", any_version))
    assert (changed.version, changed.until) == (2, iso_ms(later))
    (moved,) = await watch.alarms(AlarmFilter(states=("suppressed",)))
    assert moved.suppression is not None
    assert (moved.suppression.until, moved.version) == (iso_ms(later), suppressed.version + 1)
    await ordered(watch, lambda j: desk.cancel(j, UUID(order.id), "done early", any_version))
    (back,) = [a for a in await watch.alarms() if a.seal == "S1"]
    assert (back.state, back.suppression, back.changed_by) == ("unacknowledged", None, "binh")
    assert back.acknowledge_by == iso_ms(watch.now_ms + 120_000)
    history = [("suppressed", "system"), ("suppressed", "binh"), ("unsuppressed", "binh")]
    assert await watch.history(back) == history
    told = [
        e["type"].rpartition(".")[2] for e in await watch.events() if e["data"]["properties"]["seal"] == "S1"
    ]
    assert told == ["raised", "suppressed", "suppressed", "unsuppressed"]
    kinds = [s.action.kind for s in await watch.store.actions_of(LIVE, f"suppression/{order.id}")]
    assert kinds == ["suppression.cancelled", "suppression.changed", "suppression.ordered"]
    rows, more = await watch.store.suppressions(LIVE)
    assert ([row.version for row in rows], more) == ([3], False)
    assert (await watch.store.suppressions(LIVE, standing_at_ms=watch.now_ms))[0] == []
    with pytest.raises(WrongState, match="binh cancelled it at"):
        await ordered(watch, lambda j: desk.cancel(j, UUID(order.id), "again", any_version))


async def test_an_order_that_cannot_be_is_refused_in_words(watch: Watch) -> None:
    """Everything is never suppressed; nor is what there is not, another unit's, or for ever."""
    hour = watch.now_ms + 3_600_000
    for scope, named, field in (
        (None, {}, "types"),
        (None, {"types": ("NOISE",)}, "types"),
        (None, {"zone": "Z-none"}, "zone"),
        (None, {"unit": "nowhere"}, "unit"),
        ({"port"}, {"seal": "S1"}, "unit"),
        ({"port"}, {"seal": "S1", "unit": "inland"}, "unit"),
    ):
        with pytest.raises(Unfit) as refused:
            await ordered(watch, lambda j, s=scope, n=named: desk_of(watch, s).order(j, works(watch, **n)))
        assert refused.value.field == field
    own = await ordered(watch, lambda j: desk_of(watch, {"port"}).order(j, works(watch, unit="port")))
    with pytest.raises(Unknown):
        await ordered(
            watch, lambda j: desk_of(watch, {"inland"}).cancel(j, UUID(own.id), "x", lambda _: None)
        )
    for until_ms in (watch.now_ms, hour + 91 * 86_400_000):
        with pytest.raises(Unfit, match="until: must be after now"):
            await ordered(
                watch, lambda j, u=until_ms: desk_of(watch).change(j, UUID(own.id), u, "x", lambda _: None)
            )


class Repairs:
    """Cameras of a heartbeat a minute, what opens their tickets after ten, and the desk at which they are followed."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch
        self.opener = TicketOpener(
            watch.store, watch.pipeline.act, after_ms=600_000, clock_ms=lambda: watch.now_ms
        )

    async def clock(self, second: float) -> None:
        await self.watch.clock(second)
        await self.opener.look()

    async def beat(self, second: float, camera: str = "CAM-1") -> None:
        await self.watch.hear(ping(second, of=f"equip/{camera}"), seal=f"equip/{camera}")

    async def tickets(self, **which: Any) -> list[Ticket]:
        rows, _ = await self.watch.store.tickets(LIVE, TicketFilter(**which))
        return [ticket_in(row) for row in rows]

    async def act(self, work: Callable[[TicketDesk, SpaceJudge], Awaitable[Deed]], by: str = "an", scope: Any = None) -> None:  # fmt: skip
        desk = TicketDesk(self.watch.store, lambda: self.watch.now_ms, (by, "operator"), scope)

        async def done(judging: SpaceJudge) -> tuple[Prepared, Deed]:
            return Prepared(), await work(desk, judging)

        await self.watch.pipeline.act(LIVE, done)

    async def step(self, ticket: Ticket, step: str, change: Any, by: str = "an", scope: Any = None) -> None:
        await self.act(
            lambda desk, _: desk.change(UUID(ticket.id), step, change, lambda _version: None), by, scope
        )


@pytest.fixture
async def repairs(store: Store) -> Repairs:
    """Three cameras that were heard at the beginning."""
    made = Ground().equipment("CAM-1", unit="u1").equipment("CAM-2").equipment("CAM-3").plan()
    found = Repairs(await Watch(store, replace(made, version=1)).open())
    for camera in ("CAM-1", "CAM-2", "CAM-3"):
        await found.beat(0, camera)
    return found


async def test_what_is_down_for_long_gets_a_ticket_and_is_followed_to_its_verified_repair(
    repairs: Repairs,
) -> None:
    """One, over a restart; not what is in planned maintenance, until that ends; late heartbeats take one back that nobody has seen to."""
    watch = repairs.watch
    works = Suppression(
        id=str(uuid4()), equipment="CAM-2", from_at=iso_ms(T0_MS), until=iso_ms(T0_MS + 1_200_000), reason="lens",
        made_by="binh", made_at=iso_ms(T0_MS), changed_by="binh", changed_at=iso_ms(T0_MS),
    )  # fmt: skip
    await ordered(watch, lambda j: desk_of(watch).order(j, lambda _now_ms: works))
    await repairs.clock(599)
    assert await repairs.tickets() == []
    await repairs.clock(600)
    repairs = Repairs(await watch.again())
    await repairs.clock(700)
    opened = {ticket.equipment: ticket for ticket in await repairs.tickets(under_way=True)}
    assert sorted(opened) == ["CAM-1", "CAM-3"]
    ticket = opened["CAM-1"]
    assert (ticket.unit, ticket.opened_by, ticket.failed_at) == ("u1", "system", iso_ms(T0_MS))
    assert ticket.opened_at == iso_ms(T0_MS + 600_000)
    await repairs.step(ticket, "assigned", lambda t, by, at: states.assigned(t, by, "Cty Minh", None, at))
    for second in range(60, 700, 60):
        await repairs.beat(second, "CAM-3")  # as it says now that its line is back
    await repairs.beat(720)
    await repairs.clock(730)
    (taken_back,) = await repairs.tickets(equipment="CAM-3")
    assert (taken_back.state, taken_back.ended_by) == ("cancelled", "system")
    (ticket,) = await repairs.tickets(equipment="CAM-1", units=["u1"])
    assert (ticket.state, ticket.heard_again_at) == ("assigned", iso_ms(T0_MS + 720_000))
    await repairs.clock(1_250)
    assert [t.equipment for t in await repairs.tickets(state="open")] == ["CAM-2"]
    at_ms = T0_MS + 720_000
    repaired = lambda t, by, now: states.repaired(t, by, "power", "new fuse", at_ms, now)  # noqa: E731
    await repairs.step(ticket, "repaired", repaired)
    await repairs.step(ticket, "closed", lambda t, by, at: states.closed(t, by, None, at), by="binh")
    kinds = [s.action.kind for s in await watch.store.actions_of(LIVE, f"ticket/{ticket.id}")]
    assert kinds == [f"ticket.{s}" for s in ("closed", "repaired", "heard_again", "assigned", "opened")]
    (times,) = await watch.store.ticket_times(LIVE, at_ms, at_ms + 1, ["u1"], "camera")
    assert (times.failed_ms, times.repaired_ms, times.cause) == (T0_MS, at_ms, "power")
    assert await watch.store.ticket_times(LIVE, at_ms, at_ms + 1, ["u2"], None) == []


async def test_a_ticket_is_opened_by_hand_for_equipment_of_ones_own(repairs: Repairs) -> None:
    """While it is under way nothing opens another; a page goes on where the last ended."""
    opened = uuid4()
    await repairs.act(lambda desk, j: desk.open(j, opened, "CAM-1", "=lens dirty", T0_MS), scope={"u1"})
    with pytest.raises(Unknown, match="no equipment 'CAM-2'"):
        await repairs.act(lambda desk, j: desk.open(j, uuid4(), "CAM-2", "dark", None), scope={"u1"})
    with pytest.raises(Unfit, match="lies in the future"):
        await repairs.act(lambda desk, j: desk.open(j, uuid4(), "CAM-1", "dark", T0_MS * 2))
    (ticket,) = await repairs.tickets()
    with pytest.raises(Unknown):
        await repairs.step(ticket, "noted", states.noted, scope={"u2"})
    await repairs.clock(300)
    await repairs.clock(700)
    rows, more = await repairs.watch.store.tickets(LIVE, TicketFilter(), limit=2)
    assert (sorted(row.equipment for row in rows), more) == (["CAM-2", "CAM-3"], True)
    place = TicketPlace(rows[-1].opened_ms, rows[-1].id)
    rest, more = await repairs.watch.store.tickets(LIVE, TicketFilter(), before=place)
    assert ([row.id for row in rest], more) == ([opened], False)


GATE_BOX, OTHER_BOX = "CSQU3054383", "MSCU6639870"


async def test_what_a_gate_reads_is_found_by_box_seal_and_place_in_the_database(store: Store) -> None:
    """Another plate on the declared container, another container under the seal; a gate whose camera is in planned maintenance has missed
    nobody, one whose camera is there has; and a start finds the same.
    """
    made = Ground().route("R", (0, 0), (9_000, 0), checkpoints=[{"zone": f"G{n}"} for n in (1, 2, 3)])
    for n in (1, 2, 3):
        lon, lat = at(2_500 * n, 0)
        made.zone(f"G{n}", 2_500 * n, 0, 150, "gate")
        made.equipment(f"CAM-{n}", 600, zone=f"G{n}", reads=["plate"], lon=lon, lat=lat)
    made.journey("S1", route="R", vehicle="29C-123.45", box=GATE_BOX)
    watch = await Watch(store, replace(made.plan(), version=1)).open()
    works = Suppression(
        id=str(uuid4()), equipment="CAM-1", from_at=iso_ms(T0_MS), until=iso_ms(T0_MS + 5_000_000), reason="lens",
        made_by="binh", made_at=iso_ms(T0_MS), changed_by="binh", changed_at=iso_ms(T0_MS),
    )  # fmt: skip
    await ordered(watch, lambda j: desk_of(watch).order(j, lambda _now_ms: works))
    for second in range(0, 901, 100):
        await watch.hear(ping(second, 10.0 * second))
    for camera in ("CAM-1", "CAM-2", "CAM-3"):
        for second in (0, 900, 1_800, 2_700):
            await watch.hear(ping(second, of=f"equip/{camera}"), seal=f"equip/{camera}")
    for said in (
        {
            "id": "1",
            "time": iso_ms(T0_MS + 50_000),
            "plate": "30F-999.11",
            "containers": [OTHER_BOX, GATE_BOX],
        },
        {"id": "2", "time": iso_ms(T0_MS + 700_000), "seal": "S1", "containers": [OTHER_BOX]},
    ):
        fact = FACT_READERS["reading"](
            json.dumps(said).encode(), watch.judging.equipment["CAM-2"], watch.now_ms, False
        )
        noted = await watch.judging.settle([Noted(fact, "reading")])
        prepared = await watch.judging.prepare(PingBatch.empty(), noted.facts)
        await watch.pipeline.commit_prepared(LIVE, prepared)
    for _ in range(2):
        await watch.clock(3_000)
        await watch.clock(3_100)
        found = [
            row.episode for row in (await store.episodes(LIVE, EpisodeFilter(type="GATE_MISMATCH"))).items
        ]
        told = {(e.object, e.evidence.get("gate"), (e.started_at_ms - T0_MS) // 1000) for e in found}
        assert {one for one in told if one[0] in ("plate", "container")} == {
            ("plate", "G2", 50),
            ("container", "G2", 700),
        }
        assert [one[1] for one in told if one[0] == "no_plate"] == ["G3"]
        watch = await watch.again()
