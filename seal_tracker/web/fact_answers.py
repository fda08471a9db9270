"""What routes of facts share, of whatever kind: listed, shown, recorded by hand, corrected and taken back, with who and why."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar
from uuid import UUID

import msgspec
from aiohttp import web
from msgspec import UNSET, UnsetType

from seal_tracker.deeds import Deed
from seal_tracker.facts.model import EquipmentFact
from seal_tracker.prepared import Prepared
from seal_tracker.space import SpaceJudge
from seal_tracker.store.fact_reads import FactFilter, FactPlace
from seal_tracker.supervision.equipment_facts import FactDesk
from seal_tracker.web.acting import checking, judged, paged, path_uuid, place_of
from seal_tracker.web.alarms import step_item
from seal_tracker.web.auth import scope_of
from seal_tracker.web.context import CONTEXT
from seal_tracker.web.errors import Missing
from seal_tracker.web.queries import PageQuery, SpaceQuery, read_body, read_query
from seal_tracker.web.reading import known_space
from seal_tracker.web.scope import sees
from seal_tracker.web.versions import versioned

__all__ = ["FactAnswers"]

HISTORY_TOLD: Final = 200

SaidT = TypeVar("SaidT", bound=msgspec.Struct)


@dataclass(frozen=True, slots=True)
class FactAnswers(Generic[SaidT]):
    """Of one ``kind``, which is its name in paths too; ``line`` is a fact in a list, ``item`` the same with its versions."""

    kind: str
    line: Callable[[EquipmentFact], msgspec.Struct]
    item: type[msgspec.Struct]
    desk: Callable[[web.Request], FactDesk[SaidT]]

    async def listed(
        self, request: web.Request, query: PageQuery, equipment: str | UnsetType, journey: str | UnsetType
    ) -> web.Response:
        """A page of them, newest first: of a piece of equipment, of a journey that they name."""
        known_space(request, query.space)
        place = place_of(query.after)
        which = FactFilter(
            kind=self.kind, equipment=equipment or None, journey=journey or None, scope=scope_of(request)
        )
        rows, more = await request.app[CONTEXT].store.facts(
            query.space, which, before=FactPlace(*place) if place else None, limit=query.limit
        )
        return paged(rows, self.line, lambda row: row.at_ms, more=more)

    async def shown(self, request: web.Request) -> web.Response:
        """The one in the path."""
        return await self._answer(request, _space(request), path_uuid(request, self.kind))

    async def recorded(
        self, request: web.Request, body: type[msgspec.Struct], own: str, said: type[SaidT]
    ) -> web.Response:
        """One that somebody records; ``own`` is the member of the body that names the equipment, the others are what is ``said``."""
        space = _space(request)
        given = msgspec.structs.asdict(await read_body(request, body))
        equipment, fact_said = given.pop(own), said(**given)
        made: list[EquipmentFact] = []

        async def work(judging: SpaceJudge) -> tuple[Prepared, Deed]:
            prepared, deed, fact = await self.desk(request).record(judging, equipment, fact_said)
            made.append(fact)
            return prepared, deed

        await judged(request, work, space)
        return await self._answer(request, space, made[-1].id, status=201)

    async def corrected(self, request: web.Request, body: type[msgspec.Struct]) -> web.Response:
        """The one in the path, as the body says otherwise; its ``reason`` is why."""
        space = _space(request)
        given, fact = await read_body(request, body), path_uuid(request, self.kind)
        changes: dict[str, Any] = {
            name: value for name, value in msgspec.structs.asdict(given).items() if value is not UNSET
        }
        reason = changes.pop("reason")
        desk = self.desk(request)
        await judged(
            request, lambda judging: desk.correct(judging, fact, changes, reason, checking(request)), space
        )
        return await self._answer(request, space, fact)

    async def voided(self, request: web.Request, body: type[msgspec.Struct]) -> web.Response:
        """The one in the path, taken back; the body's ``reason`` is why."""
        space = _space(request)
        reason: str = msgspec.structs.asdict(await read_body(request, body))["reason"]
        fact = path_uuid(request, self.kind)
        desk = self.desk(request)
        await judged(request, lambda judging: desk.void(judging, fact, reason, checking(request)), space)
        return await self._answer(request, space, fact)

    async def _answer(self, request: web.Request, space: str, fact: UUID, status: int = 200) -> web.Response:
        """One as it stands, with its version."""
        store = request.app[CONTEXT].store
        row = next(iter(await store.facts_named(space, [fact])), None)
        if row is None or row.kind != self.kind or not sees(scope_of(request), row.unit):
            raise Missing(f"there is no {self.kind} {str(fact)!r}", field=self.kind)
        steps = await store.actions_of(space, f"{self.kind}/{fact}", limit=HISTORY_TOLD)
        item = self.item(
            **msgspec.structs.asdict(self.line(row)), history=[step_item(step) for step in steps]
        )
        return versioned(item, row.revision, status=status, location=f"/api/v1/{self.kind}s/{fact}")


def _space(request: web.Request) -> str:
    """The space that is meant."""
    query = read_query(request, SpaceQuery)
    known_space(request, query.space)
    return query.space
