"""The desk of unscheduled inspections: draws are committed, made and cancelled, inspections ordered, recorded and corrected.

Every method is run by `Pipeline.act`, between two batches; what it refuses it raises, and nothing was changed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

import msgspec

from seal_tracker.alarms.deadlines import ms_of
from seal_tracker.deeds import Deed
from seal_tracker.model import iso_ms
from seal_tracker.risk.draw import (
    Drawn,
    Quota,
    Subject,
    commitment_of,
    drawn_of,
    frame_of,
    new_secret,
    seed_of,
)
from seal_tracker.risk.inspections import (
    Draw,
    Inspection,
    Kind,
    Population,
    draw_in,
    inspection_id,
    inspection_in,
    row_of_draw,
    row_of_inspection,
    stamp,
)
from seal_tracker.risk.rows import DrawRow, InspectionRow
from seal_tracker.risk.score import Level, RiskLine
from seal_tracker.space import SpaceJudge
from seal_tracker.store.records import Action
from seal_tracker.supervision.clocks import space_now_ms
from seal_tracker.supervision.errors import Unfit, Unknown, WrongState
from seal_tracker.supervision.journey_changes import Actor

__all__ = ["Candidate", "InspectionDesk", "InspectionKeeping", "NewDraw", "Result"]


class InspectionKeeping(Protocol):
    """What is read."""

    async def draw(self, space: str, draw: UUID) -> DrawRow | None: ...  # noqa: D102
    async def inspection(self, space: str, inspection: UUID) -> InspectionRow | None: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Candidate:
    """One that may be drawn or is to be inspected, and what its risk is."""

    id: str
    unit: str | None
    level: Level
    score: int
    carrier: str | None = None
    lines: tuple[RiskLine, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDraw:
    """What is to be drawn; see `Draw`."""

    id: UUID
    kind: Kind
    reason: str
    population: Population
    quotas: Mapping[Level, Quota]
    public_source: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What an inspection came to: ``done`` with what was found (nothing: in order), or not done, with ``note`` why."""

    done: bool
    at_ms: int | None
    findings: tuple[Any, ...]
    note: str | None


@dataclass(frozen=True)
class InspectionDesk:
    """Works with a store; ``actor`` is who acts, ``scope`` the units of which they may have something inspected (None: all)."""

    store: InspectionKeeping
    clock_ms: Callable[[], int]
    actor: Actor
    scope: Collection[str] | None

    async def commit(self, judging: SpaceJudge, wanted: NewDraw) -> Deed:
        """Promise a draw: what may be drawn, how many, and a secret that is told when it is made.

        Raises
        ------
        Unfit
            It would draw nobody; it is of a unit that is not the actor's or that there is not.
        """
        unit, now_ms = wanted.population.unit, self.now_ms(judging)
        if self.scope is not None and unit not in self.scope:
            raise Unfit("unit: name a unit of yours; others' are not yours to draw", field="population.unit")
        if unit is not None and judging.plan is not None and unit not in {u.id for u in judging.plan.units}:
            raise Unfit(f"unit: the plan in force has no unit {unit!r}", field="population.unit")
        if not any(quota.share_pct or quota.least for quota in wanted.quotas.values()):
            raise Unfit("quotas: nobody would be drawn; give a level a share_pct or a least", field="quotas")
        secret, now = new_secret(), iso_ms(now_ms)
        draw = Draw(
            id=str(wanted.id), kind=wanted.kind, reason=wanted.reason, population=wanted.population, quotas=wanted.quotas,
            public_source=wanted.public_source, commitment=commitment_of(secret), committed_by=self.actor.name, committed_at=now,
            changed_by=self.actor.name, changed_at=now,
        )  # fmt: skip
        row = row_of_draw(draw, now_ms, secret, None)
        return Deed(draws=[row], actions=[self._drew("committed", draw)])

    async def make(
        self,
        judging: SpaceJudge,
        draw: UUID,
        candidates: Sequence[Candidate],
        public: str | None,
        check: Callable[[int], None],
    ) -> Deed:
        """Draw: freeze who may be drawn, tell the secret, and order an inspection for each that is drawn.

        Raises
        ------
        Unknown, WrongState, Unfit
            There is no such draw to see; it was made or cancelled; what was agreed on as public is missing, or was not agreed on.
        """
        row, before = await self._committed(judging, draw, check)
        if (public is None) != (before.public_source is None):
            why = (
                f"public: tell what {before.public_source!r} came to; this draw was committed to it"
                if public is None
                else "public: this draw was committed without a public source; leave it out"
            )
            raise Unfit(why, field="public")
        by_id, now_ms = {one.id: one for one in candidates}, self.now_ms(judging)
        subjects = [Subject(one.id, one.level, one.score) for one in candidates]
        frame = frame_of(subjects)
        seed = seed_of(row.secret, public or "", frame)
        drawn = drawn_of(seed, subjects, before.quotas)
        after = msgspec.structs.replace(
            before, state="drawn", secret=row.secret, public=public or "", frame_hash=commitment_of(frame), seed=seed,
            drawn_at=iso_ms(now_ms), drawn=drawn, **stamp(now_ms, self.actor.name, before.version),
        )  # fmt: skip
        inspections = [self._of_drawn(after, one, by_id[one.id], now_ms) for one in drawn]
        return Deed(
            draws=[row_of_draw(after, row.committed_ms, row.secret, frame)],
            inspections=[row_of_inspection(one, now_ms, None) for one in inspections],
            actions=[
                self._drew("made", after),
                *(self._inspected("ordered", one) for one in inspections),
            ],
        )

    async def cancel_draw(
        self, judging: SpaceJudge, draw: UUID, reason: str, check: Callable[[int], None]
    ) -> Deed:
        """Call a draw off that was not made; it stays in the list, with who called it off and why.

        Raises
        ------
        Unknown, WrongState
            There is no such draw to see; it was made or cancelled.
        """
        row, before = await self._committed(judging, draw, check)
        after = msgspec.structs.replace(
            before, state="cancelled", cancelled_why=reason,
            **stamp(self.now_ms(judging), self.actor.name, before.version),
        )  # fmt: skip
        return Deed(
            draws=[row_of_draw(after, row.committed_ms, row.secret, None)],
            actions=[self._drew("cancelled", after)],
        )

    async def order(
        self, judging: SpaceJudge, inspection: UUID, kind: Kind, one: Candidate, reason: str
    ) -> Deed:
        """Have one inspected that nobody drew.

        Raises
        ------
        Unknown
            It is not of the actor's units.
        """
        if not self._seen(one.unit):
            raise Unknown(f"there is no {kind} {one.id!r}", field="subject")
        now_ms = self.now_ms(judging)
        now = iso_ms(now_ms)
        ordered = Inspection(
            id=str(inspection), kind=kind, subject=one.id, unit=one.unit, basis="ordered", reason=reason, carrier=one.carrier,
            level=one.level, score=one.score, lines=one.lines, ordered_by=self.actor.name, ordered_at=now,
            changed_by=self.actor.name, changed_at=now,
        )  # fmt: skip
        return Deed(
            inspections=[row_of_inspection(ordered, now_ms, None)],
            actions=[self._inspected("ordered", ordered)],
        )

    async def record(
        self, judging: SpaceJudge, inspection: UUID, result: Result, check: Callable[[int], None]
    ) -> Deed:
        """Say what an inspection came to, or say it otherwise than before.

        Raises
        ------
        Unknown, WrongState, Unfit
            There is no such inspection to see; it was cancelled; a time that cannot be, or nobody says why it was not done or is
            said otherwise now.
        """
        row, before = await self._standing(judging, inspection, check)
        now_ms = self.now_ms(judging)
        done_ms = now_ms if result.at_ms is None else result.at_ms
        if not ms_of(before.ordered_at) <= done_ms <= now_ms:
            raise Unfit(f"at: must be between {before.ordered_at}, when it was ordered, and now", field="at")
        corrected = before.state != "due"
        if (corrected or not result.done) and not result.note:
            raise Unfit(
                "note: say why it was not made" if not corrected else "note: say why it is corrected",
                field="note",
            )
        after = msgspec.structs.replace(
            before, state="done" if result.done else "not_done", done_at=iso_ms(done_ms) if result.done else None,
            found=bool(result.findings) if result.done else None, findings=result.findings, note=result.note,
            **stamp(now_ms, self.actor.name, before.version),
        )  # fmt: skip
        return Deed(
            inspections=[row_of_inspection(after, row.ordered_ms, done_ms if result.done else None)],
            actions=[self._inspected("corrected" if corrected else "recorded", after)],
        )

    async def cancel(
        self, judging: SpaceJudge, inspection: UUID, reason: str, check: Callable[[int], None]
    ) -> Deed:
        """Take an order back; what was drawn stays drawn, made or not made.

        Raises
        ------
        Unknown, WrongState
            There is no such inspection to see; it was made, cancelled, or drawn.
        """
        row, before = await self._standing(judging, inspection, check)
        if before.basis == "drawn":
            raise WrongState("it was drawn and cannot be cancelled; record why it is not made")
        if before.state != "due":
            raise WrongState(f"it is {before.state}; nothing is left to cancel")
        after = msgspec.structs.replace(
            before, state="cancelled", note=reason, **stamp(self.now_ms(judging), self.actor.name, before.version)
        )  # fmt: skip
        return Deed(
            inspections=[row_of_inspection(after, row.ordered_ms, None)],
            actions=[self._inspected("cancelled", after)],
        )

    def now_ms(self, judging: SpaceJudge) -> int:
        """An exercise's clock is its own."""
        return space_now_ms(judging, self.clock_ms)

    def _of_drawn(self, draw: Draw, drawn: Drawn, one: Candidate, now_ms: int) -> Inspection:
        now = iso_ms(now_ms)
        return Inspection(
            id=str(inspection_id(UUID(draw.id), one.id)), kind=draw.kind, subject=one.id, unit=one.unit, basis="drawn",
            draw=draw.id, reason=draw.reason, carrier=one.carrier, level=one.level, score=one.score, lines=one.lines,
            stands_for=drawn.of / drawn.drawn, ordered_by=self.actor.name, ordered_at=now, changed_by=self.actor.name, changed_at=now,
        )  # fmt: skip

    def _seen(self, unit: str | None) -> bool:
        return self.scope is None or unit in self.scope

    async def _committed(
        self, judging: SpaceJudge, draw: UUID, check: Callable[[int], None]
    ) -> tuple[DrawRow, Draw]:
        row = await self.store.draw(judging.space, draw)
        if row is None or not self._seen(row.unit):
            raise Unknown(f"there is no draw {str(draw)!r}", field="draw")
        check(row.version)
        found = draw_in(row)
        if found.state != "committed":
            raise WrongState(
                f"{found.changed_by} has {'made' if found.state == 'drawn' else 'cancelled'} it at {found.changed_at}; commit another"
            )
        return row, found

    async def _standing(
        self, judging: SpaceJudge, inspection: UUID, check: Callable[[int], None]
    ) -> tuple[InspectionRow, Inspection]:
        row = await self.store.inspection(judging.space, inspection)
        if row is None or not self._seen(row.unit):
            raise Unknown(f"there is no inspection {str(inspection)!r}", field="inspection")
        check(row.version)
        found = inspection_in(row)
        if found.state == "cancelled":
            raise WrongState(f"{found.changed_by} cancelled it at {found.changed_at}; order another")
        return row, found

    def _drew(self, verb: str, draw: Draw) -> Action:
        return self._action(f"draw.{verb}", f"draw/{draw.id}", None, draw.population.unit, draw)

    def _inspected(self, verb: str, inspection: Inspection) -> Action:
        one = inspection
        journey = one.subject if one.kind == "journey" else None
        return self._action(f"inspection.{verb}", f"inspection/{one.id}", journey, one.unit, one)

    def _action(self, kind: str, subject: str, journey: str | None, unit: str | None, what: Any) -> Action:
        body = msgspec.json.encode(what)
        return Action(self.clock_ms(), self.actor.name, self.actor.role, kind, subject, journey, unit, body)
