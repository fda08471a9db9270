"""What mail about an overdue task says, in Vietnamese and English. Pure."""

from __future__ import annotations

from uuid import UUID, uuid5

from seal_tracker.alarms.responsibility import Answering
from seal_tracker.hooks.letters import ADDRESS
from seal_tracker.hooks.rows import Mail
from seal_tracker.tasking.states import Task

__all__ = ["overdue_mail"]


def overdue_mail(task: Task, to: Answering, contact: str | None, at_ms: int) -> Mail | None:
    """The mail to a unit's contact, one for each time that the task is due; None where the contact is no address."""
    found = ADDRESS.search(contact or "")
    if found is None:
        return None
    deputy = f" (thay / for {to.head})" if to.deputy is not None else ""
    lines = [
        f"{task.title}",
        f"Văn bản / document: {task.document or '-'} {task.document_date or ''}".rstrip(),
        f"Đơn vị / unit: {task.unit}    Giao bởi / given by: {task.given_by} ({task.by_unit or '-'})    {task.given_at}",
        f"Hạn / was due: {task.due}    Tiến độ / progress: {task.percent} %    {task.state}",
        f"Gửi / to: {to.acting or '-'}{deputy}    Nhiệm vụ / task: {task.id}",
        "",
        "Nhiệm vụ đã quá hạn mà chưa hoàn thành. Đề nghị chỉ đạo thực hiện, hoặc đề nghị đơn vị giao gia hạn.",
        "The task is past its time and not done. See that it is, or ask who gave it for another date.",
    ]
    subject = f"[{task.priority.upper()}] Nhiệm vụ quá hạn / task overdue: {task.title}"[:200]
    event = uuid5(UUID(task.id), f"overdue {task.due}")
    return Mail(event, found[0], " ".join(subject.split()), "\n".join(lines) + "\n", at_ms)
