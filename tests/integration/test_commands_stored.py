"""Commands on a real database: two persons and the clock move them on, a crash loses and doubles none, and a seal's answer ends them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any, cast
from uuid import UUID, uuid4

import pytest
from story import T0_MS, Ground, batch, iso, ping

from seal_tracker.commands.ledger import verified_ledger
from seal_tracker.downlink.answers import AnswerDesk
from seal_tracker.downlink.dispatch import Dispatcher
from seal_tracker.downlink.messages import SealAnswer
from seal_tracker.downlink.states import ANSWER_GRACE_MS, Command, command_in
from seal_tracker.model import LIVE, DeadLetter
from seal_tracker.pipeline import Pipeline
from seal_tracker.plans.model import Plan
from seal_tracker.prepared import Prepared
from seal_tracker.sources.framing import RawMessage
from seal_tracker.space import SpaceJudge
from seal_tracker.store import PendingMessage, Store
from seal_tracker.store.command_reads import CommandFilter, CommandPlace
from seal_tracker.store.connections import connect
from seal_tracker.supervision.commands import CommandDesk, Wanted
from seal_tracker.supervision.errors import Clash, Unfit, Unknown, WrongState

SEALS = tuple(f"S{n}" for n in range(1, 8))
VALID_S = 900


def plan() -> Plan:
    """Seals on journeys of one unit that are bound for a port, and may be unlocked there for an hour."""
    made = Ground().zone("Z-port", 0, 0, 1_000, "unlock_allowed")
    for seal in SEALS:
        leave = {"from": iso(0), "to": iso(3600), "by": "chi"}
        made.journey(seal, unit="u1", destination_zone="Z-port", authorisations=[leave])
    return replace(made.plan(), version=1)


class Duty:
    """The live space, the committing around it, the desk and the dispatcher; the clock stands at ``now_s`` of the story."""

    def __init__(
        self, store: Store, sequence: int = 1, now_s: float = 120.0, *, connected: bool = True
    ) -> None:
        self.store, self.now_s, self.connected = store, now_s, connected
        self.judging = SpaceJudge(LIVE, store)
        self.pipeline = Pipeline(
            cast("Any", None), store, {LIVE: self.judging}, lambda _: None,
            tenant="demo", instance="test", next_sequence=sequence, clock_ms=lambda: self.now_ms,
            answers=AnswerDesk(store, lambda: self.now_ms),
        )  # fmt: skip
        self.dispatcher = Dispatcher(
            store, self.pipeline.act, lambda: self.connected, tenant="demo", clock_ms=lambda: self.now_ms
        )  # fmt: skip

    @property
    def now_ms(self) -> int:
        return T0_MS + round(self.now_s * 1000)

    async def open(self) -> Duty:
        await self.pipeline.commit_prepared(LIVE, await self.judging.open([(0, plan())]))
        return self

    async def again(self) -> Duty:
        """What a start finds after a kill: the store, and nothing else."""
        return await Duty(self.store, await self.store.last_sequence() + 1, self.now_s).open()

    async def hear(self, seal: str, x_m: float = 0.0, lock: str = "closed") -> None:
        await self.judging.know({seal})
        heard = batch([ping(self.now_s - 5, x_m, lock=lock)], self.judging.numbers, seal)
        await self.pipeline.commit_prepared(LIVE, await self.judging.prepare(heard))

    def desk(self, by: str, scope: Any = None, *, listens: bool = True, alone: bool = False) -> CommandDesk:
        return CommandDesk(
            self.store, lambda: self.now_ms, (by, "supervisor"), scope, lambda _: listens, position_alone=alone
        )  # fmt: skip

    async def ask(
        self, seal: str, kind: Any = "unlock", desk: CommandDesk | None = None, **more: Any
    ) -> UUID:
        wanted = Wanted(id=uuid4(), kind=kind, seal=seal, reason="arrived", **{"valid_s": VALID_S, **more})
        await self._act((desk or self.desk("an")).request, wanted)
        return wanted.id

    async def approve(self, command: UUID, by: str = "binh", scope: Any = None) -> None:
        await self._act(self.desk(by, scope).approve, command, lambda _: None)

    async def cancel(self, command: UUID) -> None:
        await self._act(self.desk("binh").cancel, command, "wrong lorry", lambda _: None)

    async def _act(self, verb: Any, *given: Any) -> None:
        async def work(judging: SpaceJudge) -> Any:
            return Prepared(), await verb(judging, *given)

        await self.pipeline.act(LIVE, work)

    async def approved(self, seal: str, kind: Any = "unlock", **more: Any) -> UUID:
        await self.hear(seal)
        command = await self.ask(seal, kind, **more)
        await self.approve(command)
        return command

    async def answer(self, seal: str, command: UUID, result: str = "done", **more: Any) -> None:
        body = json.dumps({"id": str(command), "result": result, "time": iso(self.now_s), **more})
        message = RawMessage(f"eseal/v1/demo/dev/{seal}/answer", body.encode(), 1, self.now_ms)
        await self.pipeline._answered([SealAnswer(seal, message)])

    async def state(self, command: UUID) -> Command:
        row = await self.store.command(LIVE, command)
        assert row is not None
        return command_in(row)

    async def outbox(self, seal: str) -> list[PendingMessage]:
        return [
            row
            for row in await self.store.outbox_pending(0, 1000)
            if row.topic == f"eseal/v1/demo/cmd/{seal}"
        ]

    async def letters(self) -> list[DeadLetter]:
        return [stored.letter for stored in await self.store.dead_letters(LIVE, limit=1000)]


@pytest.fixture
async def duty(module_dsn: str) -> AsyncIterator[Duty]:
    """On a database that the tests share, each with a seal of its own."""
    store = await Store.open(module_dsn)
    yield await Duty(store, await store.last_sequence() + 1).open()
    await store.close()


async def test_an_unlock_is_asked_for_approved_sent_and_acknowledged(duty: Duty, module_dsn: str) -> None:
    """Each step is in the audit trail with who took it, and the ledger tells them all."""
    command = await duty.approved("S1")
    await duty.dispatcher.look()
    (row,) = await duty.outbox("S1")
    told = json.loads(row.payload)
    assert (told["id"], told["kind"], told["expires_at"], row.retain) == (
        str(command),
        "unlock",
        iso(120 + VALID_S),
        False,
    )
    await duty.answer("S1", command)
    one = await duty.state(command)
    assert (one.state, one.journey, one.unit, one.version) == ("acknowledged", "J-S1", "u1", 4)
    steps = await duty.store.actions_of(LIVE, f"command/{command}")
    assert [(s.action.kind, s.action.actor, s.action.role, s.action.journey) for s in reversed(steps)] == [
        ("command.requested", "an", "supervisor", "J-S1"),
        ("command.approved", "binh", "supervisor", "J-S1"),
        ("command.sent", "system", "service", "J-S1"),
        ("command.acknowledged", "S1", "seal", "J-S1"),
    ]
    connection = await connect(module_dsn, "test", 30)
    found = await verified_ledger(connection, [], [])
    await connection.close()
    assert found.whole, found.log_faults


async def test_a_kill_between_approval_and_sending_loses_and_doubles_nothing(duty: Duty) -> None:
    """What was approved is sent by the next start, once; what was sent is in the outbox, and no start sends it again."""
    command = await duty.approved("S2")
    for _ in range(2):
        duty = await duty.again()
        for _ in range(2):
            await duty.dispatcher.look()
        (row,) = await duty.outbox("S2")
        assert json.loads(row.payload)["id"] == str(command)
    assert (await duty.state(command)).version == 3


async def test_what_no_longer_holds_is_withheld(duty: Duty) -> None:
    """The lorry has left the port between approval and sending: nothing goes out, and the command says why."""
    command = await duty.approved("S3")
    duty.now_s += 120
    await duty.hear("S3", 2_000)
    await duty.dispatcher.look()
    one = await duty.state(command)
    assert (one.state, await duty.outbox("S3")) == ("withheld", [])
    assert "is in no zone" in (one.why or "")
    with pytest.raises(WrongState, match="not approved: the seal is in no zone"):
        await duty.approve(await duty.ask("S3"))


async def test_while_the_broker_is_away_nothing_is_sent_and_in_the_end_it_expires(duty: Duty) -> None:
    """It waits where it can still be taken back, not in the outbox."""
    command = await duty.approved("S4", "interval", interval_s=60)
    taken_back = await duty.approved("S4", "position")
    duty.connected = False
    await duty.dispatcher.look()
    assert ((await duty.state(command)).state, await duty.outbox("S4")) == ("approved", [])
    await duty.cancel(taken_back)
    duty.now_s += VALID_S
    duty.connected = True
    await duty.dispatcher.look()
    assert (await duty.state(command)).why == f"it could not be sent by {iso(120 + VALID_S)}"
    assert [(await duty.state(c)).state for c in (command, taken_back)] == ["expired", "cancelled"]
    assert await duty.outbox("S4") == []


async def test_who_may_ask_and_approve(duty: Duty) -> None:
    """Two persons; of one's own units alone; a seal that can read it; one of a kind at a time."""
    await duty.hear("S5")
    with pytest.raises(Unknown, match="has ever been heard of"):
        await duty.ask("S-none")
    with pytest.raises(Unknown, match="has ever been heard of"):
        await duty.ask("S5", desk=duty.desk("an", {"u2"}))
    with pytest.raises(Clash, match="no MQTT account of its own"):
        await duty.ask("S5", desk=duty.desk("an", listens=False))
    for kind, more in (("interval", {}), ("unlock", {"interval_s": 60}), ("unlock", {"valid_s": 1_801})):
        with pytest.raises(Unfit):
            await duty.ask("S5", kind, **more)
    command = await duty.ask("S5", desk=duty.desk("an", {"u1"}))
    with pytest.raises(Clash, match=str(command)):
        await duty.ask("S5")
    with pytest.raises(WrongState, match="nobody approves their own"):
        await duty.approve(command, "an")
    with pytest.raises(Unknown):
        await duty.approve(command, "binh", {"u2"})
    alone = await duty.ask("S5", "position", duty.desk("an", alone=True))
    one = await duty.state(alone)
    assert (one.state, one.approved_by, one.version) == ("approved", None, 2)


async def test_an_answer_is_believed_only_of_the_seal_that_was_told(duty: Duty) -> None:
    """All else is kept with its reason; twice the same counts once; what comes late is what happened."""
    command = await duty.approved("S6")
    before = len(await duty.letters())
    await duty.answer("S6", command)
    await duty.dispatcher.look()
    await duty.answer("S7", command)
    await duty.answer("S6", uuid4())
    reasons = [letter.reason for letter in (await duty.letters())[before:]]
    assert [
        any(word in reason for reason in reasons)
        for word in ("cannot have been heard", "was given to seal S6", "there is none")
    ] == [True] * 3
    duty.now_s += VALID_S + ANSWER_GRACE_MS / 1000
    await duty.dispatcher.look()
    assert (await duty.state(command)).state == "timed_out"
    for _ in range(2):
        await duty.answer("S6", command, "refused", reason="motor_stuck")
    one = await duty.state(command)
    assert (one.state, one.why, one.version) == ("refused", "motor_stuck", 5)
    assert (await duty.store.stats(LIVE)).discards["command_answers_repeated"] == 1


async def test_commands_are_listed_newest_first_page_by_page(duty: Duty) -> None:
    """Of a seal, of a journey, of one's units, and those alone that are under way."""
    await duty.hear("S7")
    made = []
    for _ in range(3):
        duty.now_s += 1
        made.append(await duty.ask("S7", "position"))
        await duty.cancel(made[-1])
    duty.now_s += 1
    made.append(await duty.ask("S7", "position"))
    rows, more = await duty.store.commands(LIVE, CommandFilter(seal="S7"), limit=3)
    assert ([row.id for row in rows], more) == (made[:0:-1], True)
    place = CommandPlace(rows[-1].requested_ms, rows[-1].id)
    rest, more = await duty.store.commands(LIVE, CommandFilter(journey="J-S7"), before=place, limit=3)
    assert ([row.id for row in rest], more) == (made[:1], False)
    under_way, _ = await duty.store.commands(LIVE, CommandFilter(seal="S7", under_way=True))
    assert [row.id for row in under_way] == made[-1:]
    assert await duty.store.commands(LIVE, CommandFilter(scope=frozenset({"u2"}))) == ([], False)
