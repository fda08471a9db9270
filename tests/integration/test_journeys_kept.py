"""Journeys on a real database: what an order changes of what was judged, and that it outlives a start."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from itertools import count
from typing import Any, cast

import pytest
from hypothesis import given, settings
from movements import ASKED, counted, recorded
from parts import LoopThread
from story import T0_MS, Ground, batch, ping

from seal_tracker.commands.ledger import verified_ledger
from seal_tracker.custody.asset import movement_row_of, row_of
from seal_tracker.custody.moves import Wanted
from seal_tracker.custody.registry import NewSeal
from seal_tracker.deeds import Deed
from seal_tracker.journey_record import JourneyRecord, State, as_judged
from seal_tracker.model import LIVE, Event
from seal_tracker.pipeline import Committed, Pipeline
from seal_tracker.plans.model import Plan, Unit
from seal_tracker.prepared import Prepared
from seal_tracker.space import SpaceJudge
from seal_tracker.store import Commit, Store
from seal_tracker.store.connections import connect
from seal_tracker.supervision.custody import moved_along
from seal_tracker.supervision.errors import Clash, Refused, Unfit, Unknown, WrongState
from seal_tracker.supervision.journey_changes import Actor
from seal_tracker.supervision.journey_corrections import Correction
from seal_tracker.supervision.journey_orders import Order
from seal_tracker.supervision.journey_plan import import_plan, kept_journeys
from seal_tracker.supervision.journey_reading import JourneysRead
from seal_tracker.supervision.journeys import JourneyDesk, deed_of, seen_by
from seal_tracker.supervision.life_cycle import Verb
from seal_tracker.supervision.seal_stock import SealDesk

OFFICER = Actor("an", "supervisor")
HOUR_S = 3600.0


SPACES = (f"space{n}" for n in count(1))


@pytest.fixture
async def store(module_dsn: str) -> AsyncIterator[Store]:
    opened = await Store.open(module_dsn)
    yield opened
    await opened.close()


class Office:
    """A space, the committing around it, and the desk; its clock stands at ``now_s`` of the story."""

    def __init__(self, store: Store, plan: Plan, space: str, now_s: float = 48 * HOUR_S) -> None:
        self.store, self.plan, self.now_ms = store, plan, T0_MS + round(now_s * 1000)
        self.space, self.judging = space, SpaceJudge(space, store)
        self.events: list[Event] = []
        self.told: list[Committed] = []
        self.pipeline = Pipeline(
            cast("Any", None), store, {space: self.judging}, self._tell,
            tenant="demo", instance="test", next_sequence=1, clock_ms=lambda: self.now_ms,
        )  # fmt: skip
        self.desk = JourneyDesk(store, "demo", lambda: self.now_ms)

    def _tell(self, done: Committed) -> None:
        self.events += done.events
        self.told.append(done)

    async def open(self, old: Plan | None = None) -> None:
        """As a start does; ``old`` is the plan that the last one knew."""
        await self.store.add_space(self.space)
        self.pipeline._composer._next_sequence = await self.store.last_sequence() + 1
        known = old or self.plan
        kept = await kept_journeys(self.store, self.space, known.journeys, self.now_ms)
        await self.pipeline.commit_prepared(self.space, await self.judging.open([(0, known)], kept))
        brought = await import_plan(self.store, self.space, self.plan.journeys, self.now_ms)
        await self.judging.use_plans([(0, self.plan)])
        found = await self.judging.change_journeys(brought.judged) if brought.judged else Prepared()
        await self.pipeline.commit_prepared(self.space, found, deed_of(brought.changes))
        self.faults = brought.faults

    async def again(self, plan: Plan | None = None) -> Office:
        """The office after a restart."""
        office = Office(self.store, plan or self.plan, self.space, (self.now_ms - T0_MS) / 1000)
        await office.open(self.plan)
        return office

    async def declare(self, name: str, **more: Any) -> None:
        record = JourneyRecord(id=name, regime="transit", **more)
        await self.pipeline.act(self.space, lambda judging: self.desk.declare(judging, record, OFFICER))

    async def order(self, name: str, verb: Verb, second: float, **more: Any) -> None:
        given = Order(verb=verb, at_ms=T0_MS + round(second * 1000), by=OFFICER.name, **more)

        async def work(judging: SpaceJudge) -> tuple[Prepared, Deed]:
            row = seen_by(await self.store.journey(self.space, name), name, None)
            _, found = await self.desk.order(judging, row, given, OFFICER)
            return found

        await self.pipeline.act(self.space, work)

    async def armed(self, name: str = "J1", seal: str = "S1", second: float = 0, **more: Any) -> None:
        await self.declare(name, devices=((seal, "seal"),), **more)
        await self.order(name, Verb.ARM, second)

    async def hear(self, *pings: dict[str, Any], seal: str = "S1") -> None:
        for one in pings:
            await self.judging.know({seal})
            heard = batch([one], self.judging.numbers, seal)
            await self.pipeline.commit_prepared(self.space, await self.judging.prepare(heard))

    async def pass_time(self, second: float) -> None:
        now_ms = T0_MS + round(second * 1000)
        await self.pipeline.commit_prepared(self.space, await self.judging.pass_time(now_ms))

    def said(self) -> list[tuple[str, str]]:
        return [(e.episode.type, e.transition) for e in self.events]

    async def state(self, name: str) -> str | None:
        row = await self.store.journey(self.space, name)
        return None if row is None else row.state


def two_roads() -> Ground:
    """Two roads, 5 km apart; the truck drives on the second, Q."""
    made = Ground().route("R", (0, 5000), (9000, 5000)).route("Q", (0, 0), (9000, 0))
    return made.policy("default.STOP_UNPLANNED", enabled=False)


@pytest.fixture
async def office(store: Store) -> Office:
    opened = Office(store, two_roads().zone("gate", 0, 0, 200, "unlock_allowed").plan(), next(SPACES))
    await opened.open()
    return opened


def on_q(*seconds: float, **more: Any) -> list[dict[str, Any]]:
    return [ping(second, second, **more) for second in seconds]


async def test_a_journey_of_the_api_is_judged_and_outlives_a_start(office: Office) -> None:
    await office.armed(route="R")
    await office.hear(*on_q(0, 30, 60, 90))
    assert office.said() == [("ROUTE_DEVIATION", "raised")]
    after = await office.again()
    assert await after.state("J1") == State.ARMED
    await after.pass_time(91)
    assert after.said() == []
    await after.hear(*(ping(second, second, 5000) for second in (400, 430)))
    assert ("ROUTE_DEVIATION", "cleared") in after.said()


async def test_a_diversion_recorded_late_takes_back_what_only_the_old_plan_raised(office: Office) -> None:
    """And keeps what was raised before it, closed at its moment."""
    await office.armed("J1", "S1", route="R")
    await office.armed("J2", "S2", route="R")
    await office.hear(*on_q(0, 30, 60, 90), seal="S1")
    await office.hear(*(ping(s, s, 5000) for s in (0, 30)), *on_q(400, 430, 460), seal="S2")
    assert office.said() == [("ROUTE_DEVIATION", "raised")] * 2
    await office.pass_time(480)
    office.events.clear()
    await office.order("J1", Verb.DIVERT, 200, route="Q", reason="flood")
    await office.pass_time(481)
    (closed,) = office.events
    assert (closed.transition, closed.episode.evidence["closed_by"]) == ("cleared", "plan_changed")
    assert closed.episode.ended_at_ms == T0_MS + 200_000
    office.events.clear()
    await office.order("J2", Verb.DIVERT, 300, route="Q", reason="flood")
    (retracted,) = office.events
    assert retracted.transition == "retracted"
    assert retracted.episode.evidence["diversion"]["by"] == "an"
    office.events.clear()
    await office.hear(*on_q(500, 530, 560), seal="S2")
    assert office.said() == []
    assert (await office.again()).said() == []


async def test_a_late_disarming_takes_back_what_came_after_it(office: Office) -> None:
    await office.armed(route="R")
    await office.hear(*on_q(0), ping(300, 300, lock="cut"))
    assert ("SEAL_TAMPER", "raised") in office.said()
    office.events.clear()
    await office.order("J1", Verb.DISARM, 200)
    assert ("SEAL_TAMPER", "retracted") in office.said()
    assert await office.state("J1") == State.DISARMED


async def test_a_disarming_recorded_wrongly_is_taken_back_and_judged_as_if_it_had_never_been(
    office: Office,
) -> None:
    """What came after it is raised; and again nothing of it, once it is said when it really was."""
    await office.armed(route="R")
    await office.hear(*on_q(0))
    await office.order("J1", Verb.DISARM, 200)
    await office.hear(ping(300, 300, lock="cut"))
    assert ("SEAL_TAMPER", "raised") not in office.said()
    wrong = Correction(what="disarm", struck=True)
    await office.order("J1", Verb.CORRECT, 400, reason="another journey was meant", correction=wrong)
    assert ("SEAL_TAMPER", "raised") in office.said()
    assert await office.state("J1") == State.ARMED
    await office.order("J1", Verb.DISARM, 400)
    office.events.clear()
    moved = Correction(what="disarm", at_ms=T0_MS + 250_000)
    await office.order("J1", Verb.CORRECT, 500, reason="the clock of the gate", correction=moved)
    assert ("SEAL_TAMPER", "retracted") in office.said()
    await office.declare("J2", devices=(("S1", "seal"),))
    await office.order("J2", Verb.ARM, 260)
    with pytest.raises(Clash, match="'J2'"):
        await office.order("J1", Verb.CORRECT, 500, reason="no", correction=wrong)
    versions = await office.store.journey_versions(office.space, "J1")
    assert [v.verb for v in versions] == ["declare", "arm", "disarm", "correct", "disarm", "correct"]


async def test_leave_to_unlock_that_is_ended_early_is_no_leave_after_that(office: Office) -> None:
    await office.armed(route="Q")
    await office.order("J1", Verb.AUTHORISE, 30, to_ms=T0_MS + 600_000, zone="gate")
    await office.hear(*on_q(0), ping(60, 60, lock="open"), ping(90, 90, lock="closed"))
    assert office.said() == []
    ended = Correction(what="authorise", to_ms=T0_MS + 50_000)
    await office.order("J1", Verb.CORRECT, 40, reason="the wrong container", correction=ended)
    assert office.said() == [("SEAL_TAMPER", "raised")]


async def test_leave_to_unlock_recorded_late_takes_back_the_tampering(office: Office) -> None:
    await office.armed(route="Q")
    await office.hear(*on_q(0), ping(60, 60, lock="open"), ping(90, 90, lock="closed"))
    assert office.said() == [("SEAL_TAMPER", "raised")]
    office.events.clear()
    leave = {"to_ms": T0_MS + 600_000, "zone": "gate", "reason": "inspection"}
    await office.order("J1", Verb.AUTHORISE, 30, **leave)
    assert office.said() == [("SEAL_TAMPER", "retracted")]


async def test_a_suspension_stops_the_route_and_a_reset_ends_what_is_latched(office: Office) -> None:
    await office.armed(route="R")
    await office.hear(*on_q(0, 30, 60), ping(90, 90, lock="cut"))
    await office.pass_time(97)
    await office.order("J1", Verb.SUSPEND, 95, reason="customs")
    await office.pass_time(98)
    assert ("ROUTE_DEVIATION", "cleared") in office.said()
    assert await office.state("J1") == State.SUSPENDED
    office.events.clear()
    await office.order("J1", Verb.RESET, 96, rule="SEAL_TAMPER", reason="seen")
    await office.pass_time(99)
    assert office.said() == [("SEAL_TAMPER", "cleared")]
    await office.order("J1", Verb.RESUME, 100)
    assert await office.state("J1") == State.ARMED


async def test_a_transferred_journey_is_told_by_its_new_seal(office: Office) -> None:
    """What the old seal had open ends; the new one is judged from then on, and its past is nobody's."""
    await office.armed(route="R")
    await office.hear(*on_q(0, 30, 60, 90))
    await office.hear(ping(100, 100, lock="cut"), seal="S9")
    assert office.said() == [("ROUTE_DEVIATION", "raised")]
    await office.pass_time(201)
    office.events.clear()
    await office.order("J1", Verb.TRANSFER, 200, to="S9", reason="battery")
    await office.pass_time(202)
    assert office.said() == [("ROUTE_DEVIATION", "cleared")]
    office.events.clear()
    await office.hear(*on_q(210, 240, 270, lock="closed"), seal="S9")
    await office.hear(ping(300, 300, lock="cut"), seal="S1")
    (deviation,) = office.events
    assert deviation.episode.type == "ROUTE_DEVIATION"
    assert (deviation.episode.subject, deviation.episode.seal) == ("J1", "S9")
    row = await office.store.journey(office.space, "J1")
    assert row is not None
    assert row.state == State.TRANSFERRED
    again = await office.again()
    await again.pass_time(310)
    assert again.said() == []


async def test_a_seal_is_armed_for_one_journey_at_a_time(office: Office) -> None:
    await office.armed("J1", "S1", second=100)
    await office.declare("J2", devices=(("T2", "tractor"), ("S1", "seal")))
    await office.declare("J3", devices=(("S3", "seal"),))
    await office.order("J3", Verb.ARM, 0)
    for second in (0, 100, 200):
        with pytest.raises(Clash, match="'J1'"):
            await office.order("J2", Verb.ARM, second)
    with pytest.raises(Clash, match="'J1'"):
        await office.order("J3", Verb.TRANSFER, 300, to="S1")
    await office.order("J1", Verb.DISARM, 200)
    with pytest.raises(Clash, match="'J1'"):
        await office.order("J2", Verb.ARM, 199)
    await office.order("J2", Verb.ARM, 200)
    assert await office.state("J2") == State.ARMED
    with pytest.raises(Clash, match="there is a journey 'J2'"):
        await office.declare("J2")


async def test_every_version_says_who_when_and_why(office: Office) -> None:
    await office.armed(route="Q")
    await office.order("J1", Verb.DISARM, 100, reason="arrived")
    with pytest.raises(WrongState):
        await office.order("J1", Verb.RESUME, 300)
    await office.order("J1", Verb.CLOSE, 400, code="completed", reason="all well")
    versions = await office.store.journey_versions(office.space, "J1")
    assert [(v.version, v.verb, v.state, v.actor, v.role, v.reason) for v in versions] == [
        (1, "declare", "ASSIGNED", "an", "supervisor", None),
        (2, "arm", "ARMED", "an", "supervisor", None),
        (3, "disarm", "DISARMED", "an", "supervisor", "arrived"),
        (4, "close", "CLOSED", "an", "supervisor", "all well"),
    ]
    assert versions[2].effective_ms == T0_MS + 100_000
    assert versions[2].recorded_ms == office.now_ms


async def test_the_retained_state_waits_for_the_close_and_is_emptied_by_it(office: Office) -> None:
    await office.armed(route="Q")
    await office.order("J1", Verb.DISARM, 100)
    await office.order("J1", Verb.CLOSE, 400, code="completed", reason="all well")
    told = [m for done in office.told for m in done.outbox if m.topic.endswith("journey/J1/state")]
    assert [bool(message.payload) for message in told] == [True, False]
    assert b'"status":"DISARMED"' in told[0].payload
    assert all(message.retain for message in told)


def lines_of(*records: JourneyRecord) -> JourneysRead:
    """As a file without a fault says them, one on each line."""
    return JourneysRead(records, (), {record.id: number for number, record in enumerate(records, 1)})


async def test_many_are_taken_in_or_none(office: Office) -> None:
    await office.armed("J1", "S1")
    records = [JourneyRecord(id=f"K{i}", regime="transit", devices=((f"K{i}", "seal"),)) for i in range(50)]
    taken = JourneyRecord(id="J1", regime="transit")
    busy = JourneyRecord(id="K99", regime="transit", devices=(("S1", "seal"),), armed_at_ms=T0_MS + 1)
    with pytest.raises(Unfit) as refusal:
        await office.pipeline.act(
            office.space,
            lambda judging: office.desk.import_all(judging, lines_of(*records, taken, busy), OFFICER),
        )
    assert [(f.feature, f.where) for f in refusal.value.faults] == [
        ("J1", "line 51: id"),
        ("K99", "line 52: armed_at"),
    ]
    assert await office.state("K0") is None
    commits = len(office.told)
    await office.pipeline.act(
        office.space, lambda judging: office.desk.import_all(judging, lines_of(*records), OFFICER)
    )
    assert await office.state("K49") == State.ASSIGNED
    assert len(office.told) == commits + 1


async def test_what_a_person_has_changed_the_plan_does_not_change_back(store: Store) -> None:
    """A line of the folder that differs is a conflict; one that is as it was says nothing; one left out ends unedited ones."""
    made = two_roads().journey("S1", route="R").journey("S2", route="R").journey("S3", route="R")
    office = Office(store, made.plan(), next(SPACES))
    await office.open()
    assert await office.state("J-S1") == State.ARMED
    await office.hear(*on_q(0, 30, 60, 90), seal="S1")
    await office.hear(*on_q(0, 30, 60, 90), seal="S3")
    await office.order("J-S1", Verb.DIVERT, 50, route="Q", reason="flood")
    same = await office.again()
    assert (same.said(), list(same.faults)) == ([], [])
    assert await same.state("J-S1") == State.DIVERTED
    for one in made.journeys[:2]:
        one["cargo"] = "maize"
    del made.journeys[2]
    other = await same.again(made.plan())
    assert [(f.feature, f.level) for f in other.faults] == [("J-S1", "warning")]
    assert other.said() == [("ROUTE_DEVIATION", "retracted")]
    assert await other.state("J-S1") == State.DIVERTED
    assert await other.state("J-S3") == State.CANCELLED
    row = await store.journey(office.space, "J-S2")
    assert row is not None
    assert b"maize" in row.body
    versions = await store.journey_versions(office.space, "J-S2")
    assert [(v.verb, v.actor) for v in versions] == [("import", "plan")] * 2
    assert (await other.again(made.plan())).said() == []


async def test_a_plan_may_say_what_no_column_can_hold(store: Store) -> None:
    """NUL in a text, which a plan read by an older version may hold, is no reason not to start; it is kept as it was written."""
    plan = Ground().journey("S1", declaration="1a", permit={"number": "1"}).plan()
    (journey,) = plan.journeys
    odd = replace(journey, declaration="1\0a", permit={"number": "1\0"})
    office = Office(store, replace(plan, journeys=(odd,)), next(SPACES))
    await office.open()
    row = await store.journey(office.space, "J-S1")
    assert row is not None
    assert row.declaration == "1A"
    assert office.judging.journey("J-S1") == office.plan.journeys[0]
    (body,) = await store.journeys_ending_after(office.space, office.now_ms + 1)
    assert "1\\u0000" in body


async def test_journeys_that_ended_long_ago_are_read_when_late_pings_tell_of_them(store: Store) -> None:
    """Memory holds what may still be judged; what comes late is judged by the journey of its time all the same."""
    office = Office(store, two_roads().plan(), LIVE, now_s=30 * 24 * HOUR_S)
    await office.open()
    await office.armed("J1", "S1", route="R")
    await office.order("J1", Verb.DISARM, HOUR_S)
    await office.armed("J2", "S1", 29 * 24 * HOUR_S, route="Q")
    heard = [ping(29 * 24 * HOUR_S + 30 * i, 10 * i) for i in range(80)]  # enough for a checkpoint
    await office.judging.know({"S1"})
    found = await office.judging.prepare(batch(heard, office.judging.numbers))
    await office.pipeline.commit_prepared(LIVE, found)
    after = await office.again()
    assert after.judging.journey("J1") is None
    assert after.judging.journey("J2") is not None
    await after.hear(*on_q(0, 30, 60, 90))
    assert ("ROUTE_DEVIATION", "raised") in after.said()
    (event,) = [e for e in after.events if e.transition == "raised" and e.episode.type == "ROUTE_DEVIATION"]
    assert event.episode.journey == "J1"
    assert event.late
    assert ((await after.again()).said()) == []


async def test_journeys_are_let_go_days_after_their_end(store: Store) -> None:
    office = Office(store, two_roads().plan(), LIVE)
    await office.open()
    await office.armed("L1", "L1", route="Q")
    await office.hear(*on_q(0, 30), seal="L1")
    await office.order("L1", Verb.DISARM, 60)
    for day in (0.1, 0.2, 5):
        assert office.judging.journey("L1") is not None
        await office.pass_time(day * 24 * HOUR_S)
    assert office.judging.journey("L1") is None
    office.events.clear()
    await office.hear(ping(45, 45, lock="cut"), seal="L1")
    assert office.said()[0] == ("SEAL_TAMPER", "raised")


async def test_a_refused_order_leaves_the_judging_as_it_was(office: Office) -> None:
    await office.armed(route="R")
    table = office.judging.journeys
    with pytest.raises(Unfit, match="no route"):
        await office.order("J1", Verb.DIVERT, 50, route="X")
    assert office.judging.journeys is table
    row = await office.store.journey(office.space, "J1")
    assert row is not None
    assert row.version == 2
    record = as_judged(JourneyRecord(id="J1", regime="transit"))
    assert record is None


STORE_UNITS = (Unit("port", {"en": "Port"}), Unit("gate", {"en": "Gate"}))


class Storeroom(Office):
    """The live office, and the storekeeper's desk beside it."""

    def seals(self, *scope: str) -> SealDesk:
        return SealDesk(self.store, lambda: self.now_ms, OFFICER, frozenset(scope) or None, STORE_UNITS)

    async def keep(self, work: Any) -> None:
        async def done(_: SpaceJudge) -> tuple[Prepared, Deed]:
            return Prepared(), await work

        await self.pipeline.act(LIVE, done)

    async def register(self, *seals: str, **more: Any) -> None:
        await self.keep(
            self.seals().register([NewSeal(**{"seal": one, "unit": "port"} | more) for one in seals])
        )

    async def move(self, seal: str, move: Any, *scope: str, **more: Any) -> None:
        await self.keep(self.seals(*scope).move([seal], Wanted(move=move, **more), None))

    async def stands(self, seal: str) -> tuple[str, str | None]:
        row = (await self.store.seal_assets_named(LIVE, [seal]))[seal]
        return row.state, row.journey

    async def chain(self, seal: str) -> list[str]:
        rows, _ = await self.store.seal_movements(LIVE, seal)
        return [row.move for row in reversed(rows)]


async def test_seals_move_with_their_journeys(store: Store):
    """Arming, transfer, correction and disarming record it in the same commit; what cannot be is refused, and the journey stays as it was."""
    office = Storeroom(store, two_roads().plan(), LIVE)
    await office.open()
    await office.armed("M-0", "A-0", HOUR_S)
    await office.register("A-0", "A-1", "A-2", "A-3")
    assert await office.stands("A-0") == ("on_journey", "M-0"), "it was armed before anybody registered it"
    await office.move("A-1", "issue", officer="Minh")
    await office.armed("M-1", "A-1", 2 * HOUR_S, unit="gate")
    assert await office.stands("A-1") == ("on_journey", "M-1")
    with pytest.raises(WrongState, match="armed on journey M-1"):
        await office.move("A-1", "return")
    await office.order("M-1", Verb.TRANSFER, 3 * HOUR_S, device="A-1", to="A-2")
    assert (await office.stands("A-1"), await office.stands("A-2")) == (
        ("taken_off", None),
        ("on_journey", "M-1"),
    )
    await office.order("M-1", Verb.DISARM, 4 * HOUR_S)
    wrong = Correction(what="disarm", was_ms=T0_MS + 4 * HOUR_S * 1000, struck=True)
    await office.order("M-1", Verb.CORRECT, 4 * HOUR_S, correction=wrong, reason="another lorry")
    assert await office.stands("A-2") == ("on_journey", "M-1")
    await office.order("M-1", Verb.DISARM, 5 * HOUR_S)
    await office.move("A-2", "return", "gate")
    assert await office.chain("A-2") == ["register", "arm", "disarm", "arm", "disarm", "return"]
    assert (await store.seal_assets_named(LIVE, ["A-2"]))["A-2"].unit == "gate"
    await office.move("A-3", "retire", reason="worn")
    await office.declare("M-2", devices=(("A-3", "seal"),))
    with pytest.raises(Clash, match="retired"):
        await office.order("M-2", Verb.ARM, 6 * HOUR_S)
    assert (await store.journey(LIVE, "M-2")).state == "ASSIGNED"  # type: ignore[union-attr]
    by_plan = as_judged(
        JourneyRecord(
            id="P-1", regime="transit", devices=(("A-3", "seal"), ("A-1", "seal")), armed_at_ms=T0_MS
        )
    )
    found = await moved_along(
        store, [(None, by_plan)], OFFICER, office.now_ms, strict=False
    )  # a plan asks nobody
    assert [(row.seal, row.move) for row in found.seal_movements] == [("A-1", "arm")]
    await office.armed("M-3", "A-9", HOUR_S)  # not registered: nobody's asset
    office.desk = replace(office.desk, registered_only=True)
    await office.declare("M-4", devices=(("A-8", "seal"),))
    with pytest.raises(Clash, match="A-8 is not registered"):
        await office.order("M-4", Verb.ARM, 6 * HOUR_S)
    told = await store.actions_of(LIVE, "seal_asset/A-1")
    assert [(one.action.kind, one.action.journey) for one in told] == [
        ("seal_asset.disarm", "M-1"), ("seal_asset.arm", "M-1"), ("seal_asset.issue", None), ("seal_asset.register", None),
    ]  # fmt: skip


async def test_a_unit_moves_its_own_seals_and_takes_in_what_is_sent_to_it(store: Store):
    """What is another's is not there for it; under way only the two between which it goes know of it."""
    office = Storeroom(store, two_roads().plan(), LIVE)
    await office.open()
    await office.register("D-1", "D-2")
    with pytest.raises(Unknown, match="D-1"):
        await office.move("D-1", "issue", "gate", officer="Lan")
    with pytest.raises(Unfit, match="no unit of the plan in force that is yours"):
        await office.keep(office.seals("gate").register([NewSeal(seal="D-3", unit="port")]))
    await office.move("D-1", "send", "port", to_unit="gate")
    with pytest.raises(Clash, match="port answers for seal D-1"):
        await office.move("D-1", "lose", "gate", reason="never came")
    with pytest.raises(Unfit, match="unit: gate is no unit"):
        await office.move("D-1", "receive", "port", unit="gate")
    await office.move("D-1", "receive", "gate")
    assert (await store.seal_assets_named(LIVE, ["D-1"]))["D-1"].unit == "gate"
    with pytest.raises(Unknown, match="D-1"):
        await office.move("D-1", "issue", "port", officer="Minh")
    await office.move("D-1", "send", "gate", to_unit="port")
    await office.move("D-1", "receive", "gate")  # the lorry turned back
    assert await office.stands("D-1") == ("in_store", None)
    assert (await store.seal_assets_named(LIVE, ["D-1"]))["D-1"].unit == "gate"


def test_the_stores_count_is_that_by_brute_force_whatever_was_recorded(module_dsn: str):
    """At the moment of each movement, just before it, and now."""
    thread = LoopThread()
    store = thread.run(Store.open(module_dsn))
    examples = count()

    @settings(max_examples=30)
    @given(ASKED)
    def law(asked: list[tuple[str, str, str, int]]) -> None:
        model = f"example {next(examples)}"
        assets, chain = recorded(asked, f"{model.replace(' ', '-')}-", model)
        rows = [row_of(one) for one in assets.values()]
        moves = [movement_row_of(one) for one in chain]
        thread.run(store.commit(Commit(space=LIVE, seal_assets=rows, seal_movements=moves)))
        for at_ms in sorted({row.at_ms - less for row in moves for less in (0, 1)})[:6]:
            assert thread.run(store.seal_stock(LIVE, at_ms, model=model)).cells == counted(chain, at_ms)
        now = thread.run(store.seal_stock(LIVE, model=model))
        assert (now.registered, now.retired) == (len(rows), sum(row.state == "retired" for row in rows))

    try:
        law()
    finally:
        thread.run(store.close())
        thread.close()


async def test_stock_is_that_of_the_seals_at_every_moment(store: Store, module_dsn: str):
    """Against a count of the chains one by one; two who record at once are one after the other; the ledger holds chain and seal."""
    office = Storeroom(store, two_roads().plan(), LIVE)
    await office.open()
    chance, units, names = random.Random(3), ["port", "gate"], [f"B-{n}" for n in range(8)]
    await office.register(*names, model="B")
    for _ in range(30):
        office.now_ms += chance.randrange(3) * 1000
        move: Any = chance.choice(
            ["issue", "return", "send", "receive", "repair", "take_back", "lose", "find", "retire"]
        )
        more = {"issue": {"officer": "Minh"}, "send": {"to_unit": chance.choice(units)}, "repair": {"place": "x"},
                "lose": {"reason": "x"}, "retire": {"reason": "x"}}.get(move, {})  # fmt: skip
        with suppress(Refused):
            await office.move(chance.choice(names), move, **more)
    rows = [row for name in names for row in reversed((await store.seal_movements(LIVE, name))[0])]
    assert len({row.move for row in rows}) > 4
    for at_ms in sorted({row.at_ms for row in rows}):
        last = {row.seal: (row.unit, row.state) for row in rows if row.at_ms <= at_ms}
        assert (await store.seal_stock(LIVE, at_ms, model="B")).cells == Counter(last.values())
    now = await store.seal_stock(LIVE, model="B")
    assert (now.registered, now.retired) == (8, sum(row.move == "retire" for row in rows))
    await office.register("C-1")
    both = [office.move("C-1", "issue", officer=officer) for officer in ("Minh", "Lan")]
    done = await asyncio.gather(*both, return_exceptions=True)
    assert [type(one) for one in done] == [type(None), WrongState]
    assert await office.chain("C-1") == ["register", "issue"]
    connection = await connect(module_dsn, "test", 30)
    found = await verified_ledger(connection, [], [])
    assert found.whole, found.log_faults
    await connection.execute("UPDATE seal_movements SET unit = 'gate' WHERE seal = 'C-1'")
    await connection.execute("UPDATE seal_assets SET officer = 'Nobody' WHERE seal = 'C-1'")
    found = await verified_ledger(connection, [], [])
    await connection.close()
    assert sorted(fault.partition(":")[0] for fault in found.log_faults) == [
        "seal_asset/C-1", "seal_movement/C-1/1", "seal_movement/C-1/2",
    ]  # fmt: skip
