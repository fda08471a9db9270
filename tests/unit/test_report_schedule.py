"""When the weekly report is due: at its weekday and time of Viet Nam, from when somebody said so, of the week that ended."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from seal_tracker.model import iso_ms
from seal_tracker.reports.schedule import Recipient, Schedule, due_ms, kept_id, last_week, units_of
from seal_tracker.web.report_schedule import ScheduleBody


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def schedule(**changes: Any) -> Schedule:
    fields = {"version": 1, "enabled": True, "since": iso_ms(ms("2026-11-01T00:00:00+07:00"))}
    return Schedule(**fields | changes)


@pytest.mark.parametrize(
    ("now", "due"),
    [
        ("2026-11-23T06:59:59+07:00", "2026-11-16T07:00:00+07:00"),
        ("2026-11-23T07:00:00+07:00", "2026-11-23T07:00:00+07:00"),
        ("2026-11-22T23:59:00+00:00", "2026-11-16T07:00:00+07:00"),
        ("2026-11-23T00:00:00+00:00", "2026-11-23T07:00:00+07:00"),
        ("2026-11-29T23:00:00+07:00", "2026-11-23T07:00:00+07:00"),
        ("2027-01-01T00:00:00+07:00", "2026-12-28T07:00:00+07:00"),
        ("2026-11-02T06:00:00+07:00", None),
    ],
)
def test_a_report_is_due_at_its_time_and_not_of_before_it_was_asked_for(now: str, due: str | None) -> None:
    """By the last such moment; what was due before anybody said so is not made afterwards."""
    assert due_ms(schedule(), ms(now)) == (None if due is None else ms(due))


def test_none_is_due_where_it_is_off_and_another_day_is_another_moment() -> None:
    """Of a Wednesday's report the week still ended on Monday."""
    now = ms("2026-11-26T12:00:00+07:00")
    assert due_ms(schedule(enabled=False), now) is None
    wednesday = due_ms(schedule(weekday="wednesday", time="16:30"), now)
    assert wednesday == ms("2026-11-25T16:30:00+07:00")
    assert last_week(wednesday) == (ms("2026-11-16T00:00:00+07:00"), ms("2026-11-23T00:00:00+07:00"))


def test_of_a_week_and_unit_there_is_one_report() -> None:
    """Its id follows from them; there is one of all, and one of each unit that somebody gets."""
    week = last_week(ms("2026-11-26T12:00:00+07:00"))
    assert kept_id(*week, None) == kept_id(*week, None) != kept_id(*week, "u1")
    people = [Recipient(address="a@b.vn", unit=unit) for unit in ("u2", None, "u1", "u2")]
    assert units_of(schedule(recipients=people)) == [None, "u1", "u2"]


@pytest.mark.parametrize(
    "address", ["a", "a@b", "a b@c.vn", "a@b.vn,c@d.vn", "a@b.vn\nBcc: x@y.vn", "<a@b.vn>"]
)
def test_what_is_no_address_is_not_mailed_to(address: str) -> None:
    """Nor is anything that would be more than one."""
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"address": address}, Recipient)
    assert msgspec.convert({"address": "truong.an@haiquan.gov.vn"}, Recipient).language == "vi"


def test_the_documents_schedule_is_taken() -> None:
    """As it stands."""
    document = (Path(__file__).parents[2] / "docs" / "reports.md").read_text()
    found = re.search(r"<!-- schedule -->\n```json\n(.*?)```", document, re.DOTALL)
    assert found is not None
    body = msgspec.json.decode(found[1], type=ScheduleBody)
    assert (body.weekday, body.time, body.recipients[1].unit) == ("monday", "07:00", "north")
