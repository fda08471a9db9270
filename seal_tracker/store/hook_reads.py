"""Webhooks, how far each has come, and mail: what their senders read, and note as they go."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple
from uuid import UUID

from seal_tracker.hooks.rows import HookRow, Progress
from seal_tracker.store.connections import END_OF_TIME
from seal_tracker.store.database import Database
from seal_tracker.store.queries import sql

__all__ = ["DueMail", "HookTable", "MailRow"]

HOOK_COLUMNS = len(HookRow._fields)


class DueMail(NamedTuple):
    """Mail that may be tried."""

    id: int
    space: str
    recipient: str
    subject: str
    body: str
    failures: int
    report: UUID | None
    language: str | None


class MailRow(NamedTuple):
    """Mail as it stands, with what the server said of it last."""

    id: int
    space: str
    event: UUID
    recipient: str
    subject: str
    created_ms: int
    failures: int
    due_ms: int
    sent_ms: int | None
    given_up_ms: int | None
    receipt: str | None


class HookTable(Database):
    """Webhooks and mail. Both are made by commits alone; their progress is noted here."""

    async def hooks(self) -> list[tuple[HookRow, Progress]]:
        """Every webhook that was not removed, by id."""
        async with self._reading() as connection:
            return [_parted(row) for row in await connection.fetch(sql("hooks"))]

    async def hooks_due(self, now_ms: int) -> list[tuple[HookRow, Progress]]:
        """Webhooks that may be tried now."""
        async with self._reading() as connection:
            return [_parted(row) for row in await connection.fetch(sql("hooks_due"), now_ms)]

    async def set_progress(self, progress: Progress) -> None:
        """Notes how far a webhook has come; noting it again changes nothing."""
        async with self._reading() as connection:
            await connection.execute(sql("set_progress"), *progress)

    async def mails_due(self, now_ms: int, limit: int) -> list[DueMail]:
        """Mail that may be tried now, oldest first."""
        async with self._reading() as connection:
            return [DueMail(*row) for row in await connection.fetch(sql("mails_due"), now_ms, limit)]

    async def mail_sent(self, mail: int, at_ms: int, receipt: str) -> None:
        """Notes that the server took it."""
        async with self._reading() as connection:
            await connection.execute(sql("mail_sent"), mail, at_ms, receipt)

    async def mail_failed(
        self, mail: int, failures: int, due_ms: int, given_up_ms: int | None, why: str
    ) -> None:
        """Notes that it did not."""
        async with self._reading() as connection:
            await connection.execute(sql("mail_failed"), mail, failures, due_ms, given_up_ms, why)

    async def mails_of_events(self, events: Iterable[UUID]) -> list[MailRow]:
        """Mail about these events, by recipient."""
        async with self._reading() as connection:
            return [MailRow(*row) for row in await connection.fetch(sql("mails_of_events"), list(events))]

    async def mails(self, space: str, before_id: int | None, limit: int) -> list[MailRow]:
        """A space's mail before an id (None: from the newest), newest first."""
        before = END_OF_TIME if before_id is None else before_id
        async with self._reading() as connection:
            return [MailRow(*row) for row in await connection.fetch(sql("mails"), space, before, limit)]


def _parted(row: Any) -> tuple[HookRow, Progress]:
    columns = tuple(row)
    hook = HookRow(*columns[:HOOK_COLUMNS])
    units = None if hook.units is None else tuple(hook.units)
    return hook._replace(types=tuple(hook.types), severities=tuple(hook.severities), units=units), Progress(
        *columns[HOOK_COLUMNS:]
    )
