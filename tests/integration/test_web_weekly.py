"""The weekly report as it is served: every figure against its own query and against counting, in every form and both languages."""

from __future__ import annotations

import asyncio
import csv
import io
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from email import message_from_bytes, policy
from functools import partial
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit
from uuid import uuid5

import msgspec
import openpyxl
import pypdfium2
import pytest
from aiosmtpd.controller import Controller
from report_stories import EPISODES, HOUR, T
from test_hooks_and_mail import Letterbox
from web_support import World, assert_problem, eventually
from weekly_stories import LATE, NARRATIVE, NOW, WEEK, plan, weekly_seeds

from seal_tracker.alarms.deadlines import ms_of
from seal_tracker.embedded.ports import choose_port
from seal_tracker.hooks.mailer import Mailer, SmtpServer
from seal_tracker.model import LIVE, iso_ms
from seal_tracker.reporting import ReportMaker, attached
from seal_tracker.reports.numbers import VIET_NAM
from seal_tracker.reports.queries import at_pointer
from seal_tracker.reports.rows import ScheduleRow
from seal_tracker.reports.schedule import Recipient, Schedule
from seal_tracker.store import Commit
from seal_tracker.store.errors import StoreUnavailable

pytest_plugins = ["web_fixtures"]

PERIOD = urlencode({"from": iso_ms(T), "to": iso_ms(T + WEEK)})
PATH = f"/api/v1/reports/weekly?{PERIOD}"
FORMS = ("html", "pdf", "xlsx", "csv")


@pytest.fixture
async def told(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """The service some hours after the week of the stories, which it has judged."""
    world.fleet.plans[LIVE] = plan()
    for module in ("weekly", "late", "reports", "availability", "tasks"):
        monkeypatch.setattr(f"seal_tracker.web.{module}.clock_ms", lambda: NOW)
    await world.store.commit(weekly_seeds())
    return world


def figures_in(value: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every figure of a report, and where it stands."""
    if isinstance(value, dict) and {"value", "form"} <= value.keys():
        yield path, value
    elif isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for name, inner in items:
            yield from figures_in(inner, f"{path}/{name}")


async def reproduced(world: World, figure: dict[str, Any], asked: dict[str, Any]) -> Any:
    """What a figure's query gives: the value at its pointer, or how many items its list has on all of its pages."""
    query, pointer = figure["query"], figure["pointer"]
    if query not in asked:
        answers = [(await world.ask(query, "auditor")).json()]
        while pointer is None and answers[-1]["next"]:
            answers.append((await world.ask(f"{query}&after={answers[-1]['next']}", "auditor")).json())
        asked[query] = answers
    answers = asked[query]
    return sum(len(page["items"]) for page in answers) if pointer is None else at_pointer(answers[0], pointer)


@pytest.mark.parametrize("unit", [None, "north"], ids=["all units", "one and those below"])
async def test_every_figure_is_what_its_query_gives(told: World, unit: str | None) -> None:
    """Counted on the list's pages, or standing in the answer; both weeks, units, persons, equipment and seals."""
    report = (await told.ask(PATH + (f"&unit={unit}" if unit else ""), "auditor")).json()
    asked: dict[str, Any] = {}
    checked = 0
    for path, figure in figures_in(report):
        if figure["query"] is None:
            assert path.endswith("/cells/tasks_overdue"), path  # every task is a unit's
            continue
        found = await reproduced(told, figure, asked)
        assert found == figure["value"] or (found is None and figure["value"] == 0), (path, figure, found)
        checked += figure["value"] not in (None, 0)
    assert checked > 60
    assert {line["unit"] for line in report["units"]} == (
        {"hq", "north", "port", "south", None} if unit is None else {"north", "port"}
    )
    assert [(line["unit"], line["depth"]) for line in report["units"]][:3] == (
        [("hq", 0), ("north", 1), ("port", 2)] if unit is None else [("north", 0), ("port", 1)]
    )


async def test_an_exercise_has_a_report_of_its_own(told: World) -> None:
    """It says so, counts nothing of the live space, and has no tasks; its figures ask for the exercise."""
    await told.store.add_space("drill")
    told.fleet.plans["drill"] = plan()
    others = [msgspec.structs.replace(one, episode=uuid5(one.episode, "drill")) for one in EPISODES[:40]]
    await told.store.commit(Commit(space="drill", episodes=[(one, 1, False) for one in others]))
    report = (await told.ask(f"{PATH}&space=drill", "auditor")).json()
    asked: dict[str, Any] = {}
    for path, figure in figures_in(report):
        assert "space=drill" in figure["query"], path
        found = await reproduced(told, figure, asked)
        assert found == figure["value"] or (found is None and figure["value"] == 0), (path, figure, found)
    assert "tasks" not in {section["key"] for section in report["sections"]}
    assert at_pointer(report, "/sections/1/lines/0/now/value") > 0
    assert at_pointer(report, "/sections/4/lines/0/now/value") == 0
    page = (await told.ask(f"{PATH}&space=drill&format=html&lang=en")).body.decode()
    assert "EXERCISE: drill" in page


async def test_who_was_late_is_as_counted_by_hand(told: World) -> None:
    """A deadline counts in the week in which it passed, for whoever answered first; what is set aside has none; the service is nobody."""
    listed = {}
    for what in ("acknowledge", "close", "open"):
        asked = f"/api/v1/reports/late?{PERIOD}&what={what}&limit=1000"
        listed[what] = {one["alarm"]: one for one in (await told.ask(asked)).json()["items"]}
    expected: dict[str, dict[str, tuple[str | None, int]]] = {"acknowledge": {}, "close": {}, "open": {}}
    for alarm, actions in LATE:
        first = min(((a.at_ms, a.actor) for a in actions if a.role != "service"), default=(None, None))
        due = {"acknowledge": alarm.acknowledge_by, "close": alarm.close_by}
        end = ms_of(alarm.closed_at) if alarm.closed_at else None
        if alarm.state == "shelved":
            continue
        missed = []
        for what, by, at in (("acknowledge", first[1], first[0]), ("close", alarm.closed_by, end)):
            due_ms = ms_of(due[what]) if due[what] else None
            if due_ms is not None and T <= due_ms < T + WEEK and (at is None or at > due_ms):
                expected[what][alarm.alarm] = (by, due_ms)
            if due_ms is not None and due_ms < T + WEEK and (at is None or at >= T + WEEK):
                missed.append(due_ms)
        if missed and ms_of(alarm.opened_at) < T + WEEK and (end is None or end >= T + WEEK):
            expected["open"][alarm.alarm] = (first[1], min(missed))
    for what, alarms in listed.items():
        found = {name: (one["answered_by"], ms_of(one["due_at"])) for name, one in alarms.items()}
        assert found == expected[what], what
        assert len(found) > 5, what
    report = (await told.ask(PATH)).json()
    people = {
        (one["unit"], one["by"]): (one["acknowledged"]["value"], one["closed"]["value"])
        for one in report["late"]
    }
    acknowledged, closed = (
        Counter((one["unit"], one["answered_by"]) for one in listed[w].values())
        for w in ("acknowledge", "close")
    )
    assert people == {who: (acknowledged[who], closed[who]) for who in {*acknowledged, *closed}}
    assert any(by is None for _, by in people)


async def test_a_report_is_a_file_in_every_form_and_both_languages(told: World) -> None:
    """With the same figures; Vietnamese letters in the PDF's own text; nothing that somebody wrote becomes a formula or markup."""
    report = (await told.ask(PATH)).json()
    raised = at_pointer(report, "/sections/4/lines/0/now/value")
    for language, title in (("vi", "Báo cáo tuần"), ("en", "Weekly report")):
        files = {}
        for form in FORMS:
            answer = await told.ask(f"{PATH}&format={form}&lang={language}&alone=true")
            assert answer.status == 200, answer.body
            assert answer.headers["Content-Disposition"].endswith(f'-{language}.{form}"')
            files[form] = answer.body
        page = files["html"].decode()
        assert title in page
        assert "&lt;b&gt;xe&lt;/b&gt;" in page
        assert "<script" not in page
        assert f'<html lang="{language}">' in page
        pdf = pypdfium2.PdfDocument(files["pdf"])
        text = "\n".join(one.get_textpage().get_text_range() for one in pdf)
        assert title in text
        assert NARRATIVE.splitlines()[0] in text.replace("\r\n", " ").replace("\n", " ")
        book = openpyxl.load_workbook(io.BytesIO(files["xlsx"]))
        assert len(book.sheetnames) == 6
        figures = book.worksheets[0]
        rows = [[cell.value for cell in row] for row in figures.iter_rows()]
        assert any(raised in row for row in rows)
        linked = [cell for row in figures.iter_rows() for cell in row if cell.hyperlink]
        assert len(linked) > 40
        assert all(cell.data_type != "f" for sheet in book for row in sheet.iter_rows() for cell in row)
        lines = list(csv.DictReader(io.StringIO(files["csv"].decode("utf-8-sig"))))
        (line,) = [one for one in lines if (one["section"], one["key"]) == ("alarms", "raised")]
        assert float(line["value"]) == raised
        assert not [value for one in lines for value in one.values() if value.startswith(("=", "+", "@"))]


async def test_a_page_that_is_looked_at_here_loads_its_style_and_nothing_else(told: World) -> None:
    """It has no style of its own and no script, so the service's policy lets all of it pass; links lead into the API."""
    answer = await told.ask(f"{PATH}&format=html")
    page = answer.body.decode()
    assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
    assert '<link rel="stylesheet" href="/api/v1/reports/style.css">' in page
    assert "<style" not in page
    assert "style=" not in page
    style = await told.ask("/api/v1/reports/style.css")
    assert (style.headers["Content-Type"], b"@page" in style.body) == ("text/css; charset=utf-8", True)


async def test_restricted_situations_are_in_a_report_for_those_alone_who_ask_and_may(told: World) -> None:
    """No figure changes by them; a unit head of headquarters is refused, and a report without them knows of none."""
    plain = (await told.ask(PATH, "supervisor")).json()
    whole = (await told.ask(f"{PATH}&restricted=true", "supervisor")).json()
    assert ("Nhận tiền" in str(plain), "Nhận tiền" in str(whole)) == (False, True)
    assert plain["units"] == whole["units"]
    (extra,) = [line for line in whole["sections"][0]["lines"] if line not in plain["sections"][0]["lines"]]
    assert (extra["key"], extra["now"]["value"]) == ("restricted", 1)
    found = (await told.ask(extra["now"]["query"], "supervisor")).json()["items"]
    assert [one["kind"] for one in found] == ["misconduct"]
    assert_problem(await told.ask(f"{PATH}&restricted=true", "unit_head"), 403, "restricted")
    assert "misconduct" not in str((await told.ask(PATH, "unit_head")).json()["sections"])


async def test_a_unit_or_week_that_is_not_there_is_refused(told: World) -> None:
    """By its name."""
    assert_problem(await told.ask(f"{PATH}&unit=nowhere"), 404, "unit")
    assert_problem(await told.ask("/api/v1/reports/weekly?from=9999-12-30T00:00:00Z"), 400, "from")
    assert_problem(await told.ask("/api/v1/reports/weekly?lang=fr"), 400, "lang")
    query = (await told.ask("/api/v1/reports/weekly")).json()["sections"][0]["lines"][0]["now"]["query"]
    period = parse_qs(urlsplit(query).query)
    assert ms_of(period["to"][0]) - ms_of(period["from"][0]) == 168 * HOUR


class Clock:
    """A clock that stands."""

    def __init__(self, now_ms: int) -> None:
        self.now_ms = now_ms

    def __call__(self) -> int:
        return self.now_ms


def maker(world: World, clock: Clock, *, fails_after: int = 99) -> ReportMaker:
    """What makes reports, as after a start; the database goes away after so many commits."""
    done: list[int] = []

    async def act(space: str, work: Any) -> None:
        if len(done) >= fails_after:
            raise StoreUnavailable("away")
        _, deed = await work(None)
        await world.store.commit(
            Commit(space=space, kept_reports=deed.kept_reports, mails=deed.mails, actions=deed.actions)
        )
        done.append(1)

    kinds = world.context.config.situation_kinds
    organisation = world.context.config.organisation
    return ReportMaker(
        store=world.store, live=world.fleet, act=act, organisation=organisation, kinds=kinds, base="https://seals.vn", clock_ms=clock
    )  # fmt: skip


async def test_a_report_is_made_once_at_its_time_kept_and_mailed(told: World) -> None:
    """Of all and of a unit that somebody gets; over restarts and a database that goes away in between; its mail brings it as PDF."""
    due = datetime(2026, 9, 28, 7, tzinfo=VIET_NAM)
    before = iso_ms(round(due.timestamp() * 1000) - HOUR)
    people = [
        Recipient(address="lanh.dao@haiquan.vn"),
        Recipient(address="north@haiquan.vn", unit="north", language="en"),
    ]
    schedule = Schedule(version=1, enabled=True, recipients=people, since=before)
    row = ScheduleRow(1, msgspec.json.encode(schedule))
    await told.store.commit(Commit(space=LIVE, report_schedules=[row]))
    clock = Clock(round(due.timestamp() * 1000) - 1)
    assert await maker(told, clock).make_due() == []
    clock.now_ms += 1
    with pytest.raises(StoreUnavailable):
        await maker(told, clock, fails_after=1).make_due()
    clock.now_ms += 5 * HOUR
    assert len(await maker(told, clock).make_due()) == 1
    assert await maker(told, clock).make_due() == []
    listed = (await told.ask("/api/v1/reports/kept", "operator")).json()["items"]
    assert {one["unit"] for one in listed} == {None, "north"}
    assert len({(one["from"], one["to"]) for one in listed}) == 1
    for one in listed:
        path = f"/api/v1/reports/kept/{one['id']}"
        kept = (await told.ask(path)).json()
        assert (kept["id"], kept["unit"], kept["restricted"]) == (one["id"], one["unit"], False)
        assert (await told.ask(f"{path}?format=html&lang=en")).status == 200
    box = Letterbox()
    controller = Controller(box, hostname="127.0.0.1", port=choose_port())
    controller.start()
    server = SmtpServer("127.0.0.1", controller.port, "seals@haiquan.vn", security="none")
    bring = partial(attached, told.store, "https://seals.vn")
    task = asyncio.create_task(Mailer(told.store, server, clock_ms=clock, attach=bring).run())

    async def sent() -> bool:
        return all(mail.sent_ms for mail in await told.store.mails(LIVE, None, 10))

    try:
        await eventually(sent, "both are sent")
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        controller.stop()
    (whole,) = [one["id"] for one in listed if one["unit"] is None]
    (mailed,) = (await told.ask(f"/api/v1/reports/kept/{whole}/mails", "supervisor")).json()["items"]
    assert (mailed["recipient"], mailed["receipt"]) == ("lanh.dao@haiquan.vn", "kept as 77")
    letters = {
        mail.rcpt_tos[0]: message_from_bytes(mail.content, policy=policy.default) for mail in box.mails
    }
    assert set(letters) == {one.address for one in people}
    letter = letters["north@haiquan.vn"]
    assert "Unit: North" in letter["Subject"]
    text = letter.get_body().get_content()  # type: ignore[union-attr]
    assert "https://seals.vn/api/v1/reports/kept/" in text
    assert "Special situations" in text
    (file,) = letter.iter_attachments()
    assert file.get_filename() == "weekly-2026-09-20-en.pdf"
    pages = pypdfium2.PdfDocument(file.get_payload(decode=True))
    assert "Port team" in "".join(page.get_textpage().get_text_range() for page in pages)
