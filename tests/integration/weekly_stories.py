"""What a weekly report is made of: two weeks of alarms answered late and in time, situations, equipment, shifts; by chance, from one seed."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any
from uuid import UUID

import msgspec
from report_stories import HOUR, MINUTE, T, made_alarm, seeds
from store_stories import episode

from seal_tracker.alarms.rows import row_of
from seal_tracker.model import LIVE, iso_ms
from seal_tracker.plans import Plan, load_files
from seal_tracker.publishing.cloudevents import AlarmState
from seal_tracker.situations.states import Situation, change_of, closed, followed_up
from seal_tracker.store import Commit
from seal_tracker.store.duty_rows import ShiftRow
from seal_tracker.store.records import Action
from seal_tracker.supervision.journey_changes import Actor

WEEK = 72 * HOUR
"""As long as the stories of reports are."""

NOW = T + WEEK + 5 * HOUR
UNITS_TOML = """
[hq]
name = {vi = "Cục Hải quan", en = "Customs office"}
[north]
name = {vi = "Chi cục Bắc", en = "North"}
parent = "hq"
head = "An"
[port]
name = {vi = "Đội cảng", en = "Port team"}
parent = "north"
[south]
name = {vi = "Chi cục Nam", en = "South"}
parent = "hq"
"""
NARRATIVE = "Ữ ợ ẵ ỹ Đ: chủ hàng phản ánh <b>xe</b> chờ\n=HYPERLINK(1)"


def plan() -> Plan:
    """Units in a tree, and cameras of two of them."""
    cameras = [
        {"id": f"CAM-{n}", "kind": "camera", "lon": 106.5, "lat": 20.5, "heartbeat_s": 60, "unit": unit}
        for n, unit in enumerate(("north", "port", "north"))
    ]
    nothing = '{"type":"FeatureCollection","features":[]}'
    files = {
        "zones.geojson": nothing, "routes.geojson": nothing, "units.toml": UNITS_TOML,
        "equipment.jsonl": "\n".join(msgspec.json.encode(one).decode() for one in cameras),
    }  # fmt: skip
    made, faults = load_files(files)
    assert made is not None, faults
    return replace(made, recorded_ms=T - 40 * HOUR)


def late_alarm(n: int, chance: random.Random) -> tuple[AlarmState, list[Action]]:
    """One alarm by chance with deadlines: acknowledged in time, late or not at all, closed so, or set aside."""
    alarm, _ = made_alarm(20_000 + n)
    opened = T + chance.randrange(-WEEK, WEEK)
    acknowledge, close = opened + 15 * MINUTE, opened + 4 * HOUR
    done: list[Action] = []

    def do(step: str, at_ms: int, by: str, role: str = "operator") -> None:
        done.append(Action(at_ms, by, role, f"alarm.{step}", f"alarm/{alarm.alarm}", None, None, b"{}"))

    changes: dict[str, Any] = {
        "alarm": str(UUID(int=50_000 + n)), "opened_at": iso_ms(opened), "raised_at": iso_ms(opened), "silent": n % 11 == 0,
        "acknowledge_by": None if n % 11 == 0 else iso_ms(acknowledge), "close_by": iso_ms(close), "state": "unacknowledged",
        "closed_at": None, "closed_by": None, "code": None, "unit": chance.choice((None, "north", "south", "port")),
    }  # fmt: skip
    alarm = msgspec.structs.replace(alarm, **changes, responsible=None)
    seen = opened + chance.randrange(1, 40) * MINUTE
    if n % 3:
        do("acknowledged", seen, chance.choice(("an", "bình")))
        alarm = msgspec.structs.replace(alarm, state="acknowledged")
    if n % 4 == 0:
        do("acknowledged", opened + 1, "system", "service")
    if n % 5 < 3:
        end, by = seen + chance.randrange(1, 9) * HOUR, chance.choice(("an", "chi"))
        do("closed", end, by)
        alarm = msgspec.structs.replace(
            alarm, state="closed", closed_at=iso_ms(end), closed_by=by, code="resolved"
        )
    elif n % 7 == 0:
        alarm = msgspec.structs.replace(alarm, state="shelved")
    return alarm, done


LATE = [late_alarm(n, random.Random(n)) for n in range(150)]


def situation(n: int, **more: Any) -> Situation:
    """One of the week or the week before, of each kind and unit."""
    at = T - WEEK + n * 7 * HOUR + 1
    fields: dict[str, Any] = {
        "id": str(UUID(int=70_000 + n)), "kind": ("complaint", "incident", "media_attention")[n % 3], "severity": "high",
        "unit": (None, "north", "south", "port")[n % 4], "restricted": False, "occurred_at": iso_ms(at), "narrative": NARRATIVE,
        "registered_by": "an", "registered_at": iso_ms(at + HOUR), "changed_by": "an", "changed_at": iso_ms(at + HOUR),
    }  # fmt: skip
    made = Situation(**fields | more)
    if n % 3 == 0 and not more:
        made = closed(made, "đã giải quyết", Actor("an", "operator"), at + 9 * HOUR)
    return followed_up(made, "đã gọi", Actor("an", "operator"), at + 2 * HOUR) if n % 3 == 1 else made


def weekly_seeds() -> Commit:
    """Everything, in one commit."""
    by = Actor("an", "operator")
    situations = [change_of(situation(n), "registered", by, None) for n in range(20)]
    secret = situation(
        17, id=str(UUID(int=71_000)), kind="misconduct", restricted=True, narrative="Nhận tiền"
    )
    situations.append(change_of(secret, "registered", by, "salt"))
    shifts = [
        ShiftRow(UUID(int=80_000 + n), unit, "operator", at, at + 8 * HOUR, "", 1, "head", T)
        for n, (unit, at) in enumerate((u, T + k * HOUR) for u in ("north", None) for k in (-20, 3, 30, 70))
    ]
    offline = [
        episode(
            90_000 + n, type="EQUIPMENT_OFFLINE", subject_kind="equipment", subject=f"CAM-{n % 2}", journey=None, seal=f"CAM-{n % 2}",
            unit=("north", "port")[n % 2], started_at_ms=T + at * HOUR, raised_at_ms=T + at * HOUR + MINUTE, ended_at_ms=T + (at + 5) * HOUR,
            cleared_at_ms=T + (at + 5) * HOUR, object=None,
        )
        for n, at in enumerate((-30, -10, 4, 20))
    ]  # fmt: skip
    base = seeds(LIVE)
    return replace(
        base,
        alarms=[*base.alarms, *(row_of(alarm, [alarm.episode]) for alarm, _ in LATE)],
        actions=[*base.actions, *(action for _, actions in LATE for action in actions)],
        episodes=[*base.episodes, *((one, 1, False) for one in offline)],
        shifts=shifts,
        situations=situations,
    )
