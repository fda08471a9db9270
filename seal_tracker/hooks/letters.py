"""What mail about an escalated alarm says, in Vietnamese and English: what, where, since when, which deadline, what to do. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from seal_tracker.alarms.texts import texts_of
from seal_tracker.deeds import Step
from seal_tracker.hooks.rows import Mail
from seal_tracker.publishing.cloudevents import AlarmState

__all__ = ["escalation_mail"]

ADDRESS: Final = re.compile(r"[^@\s<>,;]+@[^@\s<>,;]+\.[^@\s<>,;]+", re.ASCII)
"""What can be mailed to; a unit's contact may as well be a telephone number."""

WAITED_FOR: Final = {"acknowledge": ("xác nhận", "acknowledged"), "close": ("xử lý xong", "closed")}


def escalation_mail(
    step: Step, alarm: AlarmState, detail: Mapping[str, Any], contact: str | None
) -> Mail | None:
    """The mail to a unit's contact; None where that is no address."""
    found = ADDRESS.search(contact or "")
    if found is None:
        return None
    vi, en = WAITED_FOR[detail["deadline"]]
    subject = f"[{alarm.severity.upper()}] {alarm.type} {alarm.journey or alarm.seal}: quá hạn {vi} / not {en} in time"
    texts = texts_of(alarm.type)
    lines = [
        f"{alarm.type}, {alarm.severity}",
        f"Hành trình / journey: {alarm.journey or '-'}    Seal: {alarm.seal}    Đơn vị / unit: {alarm.unit or '-'}",
        f"Từ / since: {alarm.raised_at}    Hạn / was due: {detail['was_due']}    Cấp / level: {detail['level']}",
        f"Gửi / to: {detail['to'] or '-'}{acting_for(detail)}    Alarm: {alarm.alarm}",
    ]
    if texts is not None:
        lines += ["", texts.vi.cause, texts.vi.response, "", texts.en.cause, texts.en.response]
    return Mail(step.id, found[0], subject, "\n".join(lines) + "\n", step.at_ms)


def acting_for(detail: Mapping[str, Any]) -> str:
    """Whom who gets it acts for, where that is somebody absent."""
    return f" (thay / for {detail['for']})" if "for" in detail else ""
