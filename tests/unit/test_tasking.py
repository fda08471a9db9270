"""Tasks: which step follows which, which files are taken, by which words one is found, and who is told that it is overdue."""

from __future__ import annotations

import io
import zipfile
from uuid import UUID

import msgspec
import pytest

from seal_tracker.overdue import tasks_told
from seal_tracker.plans.model import Unit
from seal_tracker.supervision.errors import WrongState
from seal_tracker.tasking.attached import KINDS, MAX_FILES, why_not
from seal_tracker.tasking.states import (
    NEXT,
    OPEN,
    Attachment,
    StateName,
    Task,
    accepted,
    amended,
    attached,
    cancelled,
    confirmed,
    done,
    escalated,
    progressed,
    returned,
    row_of,
    task_in,
)
from seal_tracker.tasking.words import searched, words_of

GIVEN_MS = 1_764_115_200_000
HOUR_MS = 3_600_000
DUE_MS = GIVEN_MS + 24 * HOUR_MS
DUE = "2025-11-27T00:00:00.000Z"


def task(**more: object) -> Task:
    made = Task(
        id=str(UUID(int=1)), giving=str(UUID(int=2)), title="Kiểm tra kho niêm phong", text="", by_unit="hq", unit="port",
        due=DUE, given_by="an", given_at="2025-11-26T00:00:00.000Z", changed_by="an", changed_at="2025-11-26T00:00:00.000Z",
        document="1234/TCHQ-GSQL",
    )  # fmt: skip
    return msgspec.structs.replace(made, **more)


STEPS = {
    "accepted": lambda t: accepted(t, "binh", GIVEN_MS),
    "in_progress": lambda t: progressed(t, 40, "binh", GIVEN_MS),
    "done": lambda t: done(t, "binh", GIVEN_MS),
    "confirmed": lambda t: confirmed(t, "an", GIVEN_MS),
    "returned": lambda t: returned(t, "an", "no list", GIVEN_MS),
    "cancelled": lambda t: cancelled(t, "an", "not needed", GIVEN_MS),
}


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize(
    "state", ["given", "accepted", "in_progress", "done", "returned", "confirmed", "cancelled"]
)
def test_a_step_follows_only_where_it_may(state: StateName, step: str):
    """Else it is refused in words, and what was is as it was; a step counts the version on."""
    before = task(state=state)
    if step in NEXT.get(state, ()):
        after = STEPS[step](before)
        assert (after.state, after.version) == (step, 2)
        assert task_in(row_of(after)) == after
    else:
        with pytest.raises(WrongState, match=state):
            STEPS[step](before)


def test_nobody_confirms_what_they_reported_themselves():
    finished = done(accepted(task(), "binh", GIVEN_MS), "binh", GIVEN_MS)
    with pytest.raises(WrongState, match="nobody confirms their own"):
        confirmed(finished, "binh", GIVEN_MS)
    assert confirmed(finished, "an", GIVEN_MS).ended_at is not None


def test_what_is_returned_is_open_again():
    """It was not done, whatever was said; and past its time it is told."""
    finished = done(accepted(task(), "binh", GIVEN_MS), "binh", GIVEN_MS)
    again = returned(finished, "an", "no list", DUE_MS + 1)
    rows = row_of(finished), row_of(again)
    assert [(row.settled_ms, row.timer_ms) for row in rows] == [(GIVEN_MS, None), (None, DUE_MS)]
    assert escalated(again, "Minh", DUE_MS + 1) is not None


def test_what_is_over_changes_no_more():
    for state in ("confirmed", "cancelled"):
        with pytest.raises(WrongState):
            amended(task(state=state), {"title": "x"}, "an", GIVEN_MS)
    file = Attachment(id="x", name="a.pdf", type="application/pdf", bytes=1, sha256="00", by="an", at=DUE)
    full = task(attachments=(file,) * MAX_FILES)
    with pytest.raises(WrongState, match="attachments"):
        attached(full, file, GIVEN_MS)


UNITS = (
    Unit("hq", {"en": "HQ"}, head="Director", contact="director@example.org"),
    Unit("port", {"en": "Port"}, "hq", "Minh", "minh@example.org", deputies=("Lan",)),
    Unit("gate", {"en": "Gate"}, "port"),
)


@pytest.mark.parametrize(
    ("unit", "absent", "to", "recipient"),
    [
        ("port", set(), "Minh", "minh@example.org"),
        ("port", {"Minh"}, "Lan", "minh@example.org"),
        ("port", {"Minh", "Lan"}, "Director", "director@example.org"),
        ("gate", set(), "Minh", "minh@example.org"),
        ("elsewhere", set(), None, None),
    ],
)
def test_the_head_is_told_once_for_each_time_that_it_is_due(
    unit: str, absent: set[str], to: str | None, recipient: str | None
):
    """Or who stands in, or the next above; again only where another date passes as well."""
    before = row_of(task(unit=unit))
    told = tasks_told([before], UNITS, frozenset(absent), DUE_MS)
    assert not tasks_told([before], UNITS, frozenset(), DUE_MS - 1)
    (row,) = told.tasks
    after = task_in(row)
    assert (after.escalated_to, after.escalated_due, after.state) == (to, DUE, "given")
    assert [mail.recipient for mail in told.mails] == ([recipient] if recipient else [])
    assert [action.kind for action in told.actions] == ["task.escalated"]
    assert row.timer_ms is None
    assert not tasks_told([row], UNITS, frozenset(absent), DUE_MS + HOUR_MS)
    later = amended(after, {"due": "2025-11-28T00:00:00.000Z"}, "an", DUE_MS + HOUR_MS)
    assert row_of(later).timer_ms == DUE_MS + 24 * HOUR_MS
    again = tasks_told([row_of(later)], UNITS, frozenset(absent), DUE_MS + 24 * HOUR_MS)
    assert {mail.event for mail in again.mails}.isdisjoint(mail.event for mail in told.mails)


@pytest.mark.parametrize("state", sorted(OPEN ^ set(NEXT)))
def test_what_is_done_is_not_overdue(state: StateName):
    """Though nobody has confirmed it yet: that is for who gave it."""
    assert escalated(task(state=state, done_at=DUE), "Minh", DUE_MS + 1) is None


def test_words_are_found_whatever_the_accents():
    assert words_of("Đôn đốc KIỂM TRA", None, "1234/TCHQ-GSQL, 1234") == [
        "don",
        "doc",
        "kiem",
        "tra",
        "1234",
        "tchq",
        "gsql",
    ]
    assert searched("Kiểm tra' & !") == "'kiem':* & 'tra':*"
    assert searched("!!") == ""


def office(folder: str, *more: str) -> bytes:
    """A document as Office packs one."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as book:
        for name in ("[Content_Types].xml", f"{folder}/document.xml", *more):
            book.writestr(name, "<x/>")
    return packed.getvalue()


def test_a_document_with_macros_is_not_taken():
    (kind,) = (kind for kind in KINDS if "sheet" in kind)
    assert why_not(kind, office("xl")) is None
    for wrong in (office("xl", "xl/vbaProject.bin"), office("word"), b"PK\x03\x04"):
        assert why_not(kind, wrong) is not None


def test_a_file_is_what_it_is_said_to_be():
    good = {
        "application/pdf": b"%PDF-1.7\n", "image/png": b"\x89PNG\r\n\x1a\n", "image/jpeg": b"\xff\xd8\xff\xe0",
        "text/plain": "Kho số 3: 12 chiếc\n".encode(), "text/csv": b"a,b\r\n1,2\r\n",
    }  # fmt: skip
    good |= {
        kind: office(folder)
        for kind, folder in zip(sorted(KINDS.keys() - good.keys()), ("xl", "word"), strict=True)
    }
    for kind, content in good.items():
        assert why_not(kind, content) is None
        assert why_not(kind, b"") is not None
        assert why_not(kind, b"\x00\xff<script>") is not None
