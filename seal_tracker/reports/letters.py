"""What the mail says that brings a report: whose it is, of when, its figures in lines, where the whole is. Pure."""

from __future__ import annotations

from uuid import UUID, uuid5

from seal_tracker.hooks.rows import Mail
from seal_tracker.reports.model import Report
from seal_tracker.reports.numbers import moment
from seal_tracker.reports.rows import KeptReport
from seal_tracker.reports.schedule import Recipient
from seal_tracker.reports.sheets import document
from seal_tracker.reports.texts import say

__all__ = ["letter_id", "report_mail"]


def report_mail(report: Report, kept: KeptReport, recipient: Recipient, base: str | None) -> Mail:
    """The mail to one recipient; of one report there is one for each address."""
    language = recipient.language
    words = document(report, language)
    period = {"from": moment(language, report.from_), "to": moment(language, report.to)}
    subject = say(language, "mail", "subject", whose=words.heads[0], **period)
    lines = [words.organisation, words.title, *words.heads[:-1], ""]
    for row in words.sheets[0].rows:
        if row[0].heading:
            lines += ["", row[0].text]
        else:
            name, now, before, by = (cell.text for cell in row)
            lines.append(f"  {name}: {now} ({before}; {by})")
    path = f"{base or ''}/api/v1/reports/kept/{kept.id}?format=html&lang={language}"
    lines += ["", say(language, "mail", "attached"), say(language, "mail", "kept", path=path)]
    return Mail(
        letter_id(kept.id, recipient.address), recipient.address, " ".join(subject.split()), "\n".join(lines) + "\n", kept.made_ms,
        kept.id, language,
    )  # fmt: skip


def letter_id(report: UUID, address: str) -> UUID:
    """What tells the mail that brings a report to an address from all others."""
    return uuid5(report, address)
