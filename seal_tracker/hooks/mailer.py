"""Sends mail that was committed (escalations, for one) by SMTP, and keeps what the server said of it.

State: none; a mail stands in the database until a server took it or it is given up, so a restart loses none. It may be sent twice
where we end between the server's word and our note of it: its Message-ID is the same, by which mail programs show it once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any, Final, NamedTuple, Protocol
from uuid import UUID

import aiosmtplib
import structlog

from seal_tracker.hooks.rules import pause_ms
from seal_tracker.metrics import MAILS
from seal_tracker.store.errors import StoreError
from seal_tracker.store.hook_reads import DueMail

__all__ = ["Attachment", "Mailer", "SmtpServer"]

log = structlog.get_logger(__name__)

LOOK_EVERY_S: Final = 2.0
AT_ONCE: Final = 50
ANSWER_S: Final = 30.0

FIRST_PAUSE_MS: Final = 30_000
LONGEST_PAUSE_MS: Final = 1_800_000
MOST_FAILURES: Final = 24
"""With half an hour between, about half a day: what escalated then has been seen, or never will be by mail."""


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """Whom mail is given to, and as whom. ``security`` is ``starttls``, ``tls`` or ``none``."""

    host: str
    port: int
    sender: str
    username: str | None = None
    password: str | None = None
    security: str = "starttls"


class Attachment(NamedTuple):
    """A file that a mail brings along: its name, type and subtype of its content, and the content."""

    name: str
    maintype: str
    subtype: str
    content: bytes


class MailStore(Protocol):
    """What is read and noted."""

    async def mails_due(self, now_ms: int, limit: int) -> Sequence[DueMail]: ...
    async def mail_sent(self, mail: int, at_ms: int, receipt: str) -> None: ...
    async def mail_failed(
        self, mail: int, failures: int, due_ms: int, given_up_ms: int | None, why: str
    ) -> None: ...


async def nothing_attached(_report: UUID, _language: str) -> None:
    """Where no mail brings anything."""


class Mailer:
    """Keep ``run`` running. ``attach`` makes the file of a kept report, in a language; None where there is no such report."""

    def __init__(
        self,
        store: MailStore,
        server: SmtpServer,
        *,
        clock_ms: Callable[[], int],
        attach: Callable[[UUID, Any], Awaitable[Attachment | None]] = nothing_attached,
    ) -> None:
        self._store = store
        self._attach = attach
        self._server = server
        self._clock_ms = clock_ms

    async def run(self) -> None:
        """Send what is due, for ever. Ends by cancellation."""
        while True:
            with suppress(StoreError):
                for mail in await self._store.mails_due(self._clock_ms(), AT_ONCE):
                    await self._send(mail)
            await asyncio.sleep(LOOK_EVERY_S)

    async def _send(self, mail: DueMail) -> None:
        server = self._server
        message = self._message(mail)
        if mail.report is not None and (file := await self._attach(mail.report, mail.language)) is not None:
            message.add_attachment(file.content, file.maintype, file.subtype, filename=file.name)
        try:
            _, answer = await aiosmtplib.send(
                message,
                hostname=server.host,
                port=server.port,
                username=server.username,
                password=server.password,
                use_tls=server.security == "tls",
                start_tls=server.security == "starttls",
                timeout=ANSWER_S,
            )
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            await self._failed(mail, f"{type(error).__name__}: {error}"[:300])
        else:
            MAILS.labels("sent").inc()
            await self._store.mail_sent(mail.id, self._clock_ms(), answer[:300])

    async def _failed(self, mail: DueMail, why: str) -> None:
        now_ms, failures = self._clock_ms(), mail.failures + 1
        due_ms = now_ms + pause_ms(failures, FIRST_PAUSE_MS, LONGEST_PAUSE_MS)
        given_up_ms = now_ms if failures >= MOST_FAILURES else None
        MAILS.labels("failed").inc()
        log.warning(
            "mail.not_sent", mail=mail.id, recipient=mail.recipient, why=why, given_up=given_up_ms is not None
        )
        await self._store.mail_failed(mail.id, failures, due_ms, given_up_ms, why)

    def _message(self, mail: DueMail) -> EmailMessage:
        message = EmailMessage()
        message["From"] = self._server.sender
        message["To"] = mail.recipient
        message["Subject"] = mail.subject
        message["Date"] = format_datetime(datetime.fromtimestamp(self._clock_ms() / 1000, UTC))
        message["Message-ID"] = f"<mail-{mail.id}@{self._server.sender.rpartition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's absence note need answer
        message.set_content(mail.body)
        return message
