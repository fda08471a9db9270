"""Files of tasks: few kinds, looked at, kept in the database, and only ever handed out to be saved, never to be shown."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from typing import Final
from urllib.parse import quote
from uuid import UUID, uuid4

from aiohttp import web

from seal_tracker.model import LIVE
from seal_tracker.supervision.tasks import looked_at, sees_task
from seal_tracker.tasking.attached import KINDS, MAX_BYTES
from seal_tracker.tasking.states import task_in
from seal_tracker.web.accounts import Right
from seal_tracker.web.acting import acted, checking, path_uuid
from seal_tracker.web.auth import scope_of
from seal_tracker.web.context import CONTEXT
from seal_tracker.web.errors import Missing, TooLarge, WrongContentType
from seal_tracker.web.queries import NoQuery, read_content, read_query
from seal_tracker.web.refusals import refusals_told
from seal_tracker.web.routes import Route
from seal_tracker.web.task_bodies import AttachmentQuery, TaskId, TaskItem
from seal_tracker.web.tasks import task_answer, task_desk

__all__ = ["ROUTES"]

TAKEN: Final = tuple(KINDS)


async def attach(request: web.Request) -> web.Response:
    """Attach a file to a task."""
    task, desk = path_uuid(request, "task"), task_desk(request)
    with refusals_told():
        checking(request)((await desk.visible(task)).version)  # before a file comes in that nobody wants
    query = read_query(request, AttachmentQuery)
    kind = request.content_type
    if kind not in KINDS:
        raise WrongContentType(f"send one of {', '.join(TAKEN)}, not {kind}", field="Content-Type")
    if (request.content_length or 0) > MAX_BYTES:
        raise TooLarge(f"a file has at most {MAX_BYTES} bytes")
    content, attachment = await read_content(request, MAX_BYTES), uuid4()
    with refusals_told():
        found = await asyncio.to_thread(looked_at, kind, content)
    await request.app[CONTEXT].store.keep_content(found.sha256, content)
    await acted(request, lambda _: desk.attach(task, attachment, query.name, kind, found, checking(request)))
    answer = await task_answer(request, task, status=201)
    answer.headers["Location"] = f"/api/v1/attachments/{attachment}"
    return answer


async def show_attachment(request: web.Request) -> web.Response:
    """A file, to be saved."""
    read_query(request, NoQuery)
    attachment = path_uuid(request, "attachment")
    found = await request.app[CONTEXT].store.attachment(LIVE, attachment)
    if found is None or not sees_task(scope_of(request), found.task):
        raise Missing(f"there is no attachment {str(attachment)!r}", field="attachment")
    (file,) = (one for one in task_in(found.task).attachments if UUID(one.id) == attachment)
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(file.name, safe='')}",
        "Cache-Control": "private, no-store",
        "Content-Type": file.type,  # without a charset: the file is as it was sent
        "Repr-Digest": f"sha-256=:{_base64(file.sha256)}:",
    }
    return web.Response(body=found.content, headers=headers)


def _base64(digest: str) -> str:
    """Bytes in hex as RFC 9530 wants them."""
    return b64encode(bytes.fromhex(digest)).decode()


ROUTES: Final[tuple[Route, ...]] = (
    Route(
        "POST", "/api/v1/tasks/{task}/attachments", attach, Right.KEEP_DUTY,
        f"Attach a file: PDF, JPEG, PNG, text, CSV, Word or Excel, {MAX_BYTES // 2**20} MB at most.",
        query=AttachmentQuery, body=str, takes=TAKEN, path_types={"task": TaskId}, answer=TaskItem, status=201, edits=True,
        problems=(404, 409), leads={"/api/v1/attachments/{attachment}": {"attachment": "/attachments/0/id"}},
    ),
    Route(
        "GET", "/api/v1/attachments/{attachment}", show_attachment, Right.READ, "A file of a task, to be saved.",
        path_types={"attachment": TaskId}, media=TAKEN, problems=(404,), tag="tasks",
        says={"Content-Disposition": "Always an attachment, with the file's name.", "Repr-Digest": "Its SHA-256 (RFC 9530), as the ledger has it."},
    ),
)  # fmt: skip
