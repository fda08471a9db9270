"""Reports as they are served: JSON and CSV, and over which period."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest
from report_stories import HOUR, UNITS, T, counted, seeds
from web_support import World, assert_problem

from seal_tracker.model import LIVE, iso_ms
from seal_tracker.reports.schedule import last_week
from seal_tracker.store.alarm_reads import RateQuery

pytest_plugins = ["web_fixtures"]


@pytest.mark.parametrize(
    ("now", "monday"),
    [
        ("2026-11-26T09:00:00+00:00", "2026-11-16"),
        ("2026-11-23T00:00:00+07:00", "2026-11-16"),
        ("2026-11-22T23:59:59+07:00", "2026-11-09"),
        ("2027-01-01T00:00:00+00:00", "2026-12-21"),
    ],
)
def test_the_last_whole_week_is_from_monday_to_monday(now: str, monday: str) -> None:
    """At midnight in Viet Nam, whatever the day and the year."""
    begin, end = last_week(round(datetime.fromisoformat(now).timestamp() * 1000))
    assert datetime.fromisoformat(f"{monday}T00:00:00+07:00").timestamp() * 1000 == begin
    assert end - begin == 7 * 24 * HOUR


async def test_a_summary_is_served_as_json_and_as_csv(world: World) -> None:
    """The same figures in both; the list names the report and every parameter that it takes."""
    await world.store.commit(seeds(LIVE))
    (item,) = [
        one for one in (await world.ask("/api/v1/reports")).json()["items"] if one["report"] == "summary"
    ]
    assert set(item["parameters"]) == {"from", "to", "unit", "below", "space", "format"}
    period = f"?from={iso_ms(T)}&to={iso_ms(T + 72 * HOUR)}"
    told = (await world.ask(item["path"] + period, "auditor")).json()
    asked = RateQuery(from_ms=T, to_ms=T + 72 * HOUR)
    expected = counted(asked, set(UNITS), asked.to_ms)
    assert told["total"]["journeys"] == expected.journeys._asdict()
    assert told["total"]["episodes"] == expected.episodes
    assert {code["code"]: code["alarms"] for code in told["total"]["codes"]} == expected.codes
    assert told["total"]["false_share"] == round(
        expected.codes["false_alarm"] / sum(expected.codes.values()), 4
    )
    assert [unit["unit"] for unit in told["units"]] == ["north", "port", "south", None]
    answer = await world.ask(f"{item['path']}{period}&format=csv")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    lines = list(csv.DictReader(io.StringIO(answer.body.decode())))
    whole = {
        (line["figure"], line["type"], line["severity"], line["code"]): line["value"]
        for line in lines
        if line["of"] == "all"
    }
    for one in expected.alarms:
        assert whole["alarms_raised", one.type, one.severity, ""] == str(one.raised)
        assert whole["alarms_open", one.type, one.severity, ""] == str(one.open)
    assert float(whole["close_p90_s", "", "", ""]) == pytest.approx(expected.close.p90_s)
    silent = [(line["seal"], float(line["value"])) for line in lines if line["of"] == "seal"]
    assert silent == [(one["seal"], one["silent_s"]) for one in told["silent"]]


async def test_a_period_that_cannot_be_is_refused_and_half_of_one_is_a_week(world: World) -> None:
    """Without any it is the last whole week."""
    path = "/api/v1/reports/summary"
    for bad in (
        "?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z",
        "?from=9999-12-30T00:00:00Z",
        "?from=2020-01-01T00:00:00Z&to=2026-01-01T00:00:00Z",
    ):
        assert_problem(await world.ask(path + bad), 400, "from")
    assert_problem(await world.ask(path + "?space=nowhere"), 404, "space")
    half = (await world.ask(path + "?from=2026-01-01T00:00:00Z")).json()
    assert half["to"] == "2026-01-08T00:00:00.000Z"
    assert (await world.ask(path + "?to=2026-01-08T00:00:00Z")).json()["from"] == half["from"]
    week = (await world.ask(path)).json()
    begin = datetime.fromisoformat(week["from"]).astimezone(UTC)
    assert (begin.weekday(), begin.hour) == (6, 17)
    assert datetime.fromisoformat(week["to"]) - begin == timedelta(days=7)
    assert week["total"]["alarms"] == []
    assert week["total"]["false_share"] is None
