"""``/api/v1/alarms/{alarm}/seen``: that a person has seen an alarm, said or found when they open it."""

from __future__ import annotations

import asyncio
from typing import Final
from uuid import UUID

import msgspec
import structlog
from aiohttp import web

from seal_tracker.clock import clock_ms
from seal_tracker.deeds import Deed
from seal_tracker.model import iso_ms
from seal_tracker.prepared import Prepared
from seal_tracker.space import SpaceJudge
from seal_tracker.store.duty_rows import Seen
from seal_tracker.store.errors import StoreError
from seal_tracker.supervision.journey_changes import Actor
from seal_tracker.supervision.seeing import seen
from seal_tracker.web.accounts import Right
from seal_tracker.web.auth import PRINCIPAL, scope_of
from seal_tracker.web.context import CONTEXT

__all__ = ["SeenItem", "note_seen", "saw", "seen_item"]

log = structlog.get_logger(__name__)

PATIENCE_S: Final = 2.0
"""Longest that who opens an alarm waits for it to be noted: it is shown in any case, and noted when the writer comes to it."""


class SeenItem(msgspec.Struct, frozen=True, kw_only=True):
    """Who has seen an alarm, and when they first did: opened it, said so, or did anything with it."""

    by: str
    at: str


def seen_item(row: Seen) -> SeenItem:
    """Who saw an alarm and when, in outer units."""
    return SeenItem(by=row.by, at=iso_ms(row.at_ms))


async def saw(request: web.Request, space: str, alarm: UUID) -> None:
    """Note that who asks has seen the alarm; ``Unknown`` where it is not theirs to see."""
    store, account, scope = request.app[CONTEXT].store, request[PRINCIPAL].account, scope_of(request)

    async def work(_: SpaceJudge) -> tuple[Prepared, Deed]:
        who = Actor(account.username, account.role)
        return Prepared(), await seen(store, space, alarm, who, scope, clock_ms())

    await request.app[CONTEXT].live.act(space, work)


async def note_seen(request: web.Request, space: str, alarm: UUID) -> None:
    """The same for who opens an alarm: of those who handle alarms, and once; a database that is away hides no alarm."""
    principal = request[PRINCIPAL]
    if Right.HANDLE_ALARMS not in principal.rights:
        return
    known = await request.app[CONTEXT].store.alarm_seen(space, alarm)
    if any(one.by == principal.account.username for one in known):
        return
    try:
        async with asyncio.timeout(PATIENCE_S):
            await saw(request, space, alarm)
    except (StoreError, OSError, TimeoutError) as error:
        log.warning("alarm_seen_not_noted", alarm=str(alarm), error=repr(error))
