"""Where every seal of a space is, read off the judging state. No state of its own."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import numpy as np

from seal_tracker.journey import Journey
from seal_tracker.model import EQUIPMENT_PREFIX, NO_TIME, Lock
from seal_tracker.space import SpaceJudge
from seal_tracker.tracking.heartbeats import device_name
from seal_tracker.tracking.phases import Phase
from seal_tracker.web.wire import EquipmentRow, PositionRow, UnderWay, seal_item

__all__ = [
    "derived_state",
    "equipment_rows",
    "led",
    "on_the_way",
    "position_rows",
    "progress_pct",
    "tracks_of",
    "under_way",
]

OFFLINE, FLAPPING, STOPPED = "EQUIPMENT_OFFLINE", "flapping", "STOP_UNPLANNED"

TOLD = (
    "last_ms", "fix_ms", "fix_lon", "fix_lat", "last_speed_kmh", "last_course_deg", "last_lock", "last_battery_pct", "chainage_m",
    "off_route_m",
)  # fmt: skip
"""What of a track is told, in the order of ``position_rows``: read column by column, for thousands of seals move each second."""

LOCKS = {int(lock): lock for lock in Lock}


def progress_pct(judging: SpaceJudge, route: str | None, chainage_m: float) -> float | None:
    """Share of a route behind a seal, in per cent; None where that is not known."""
    plan = judging.plan
    if plan is None or route is None or math.isnan(chainage_m) or route not in plan.route_index:
        return None
    length_m = float(plan.corridors.length_m[plan.route_index[route]])
    return min(100.0, 100.0 * chainage_m / length_m) if length_m > 0 else None


def position_rows(judging: SpaceJudge, seals: Iterable[int] | None = None) -> Iterator[PositionRow]:
    """The newest of each of these seals (None: of all) that has said anything."""
    numbers = judging.states.seals() if seals is None else np.fromiter(seals, np.int64)
    table = judging.journeys
    tracks = judging.states.take(numbers)["track"]
    places = table.places(tracks["journey"], tracks["phase_ms"])
    columns = (tracks[name].tolist() for name in TOLD)
    for number, at, last_ms, fix_ms, lon, lat, speed, course, lock, battery, chainage_m, off_route_m in zip(
        numbers.tolist(), places.tolist(), *columns, strict=True
    ):
        if last_ms == NO_TIME or judging.names[number].startswith(EQUIPMENT_PREFIX):
            continue
        journey = None if at < 0 else table.journeys[at]
        route = None if at < 0 else table.phases[at].route
        yield PositionRow(
            seal=judging.names[number],
            time_ms=last_ms,
            journey=journey.id if journey else None,
            route=route,
            regime=journey.regime if journey else None,
            unit=journey.unit if journey else None,
            lon_e7=lon if fix_ms != NO_TIME else None,
            lat_e7=lat if fix_ms != NO_TIME else None,
            speed_kmh=speed,
            course_deg=course,
            lock=LOCKS[lock],
            battery_pct=battery,
            progress_pct=progress_pct(judging, route, chainage_m),
            off_route_m=off_route_m,
        )


def tracks_of(judging: SpaceJudge, seals: Iterable[int]) -> dict[int, np.void]:
    """What is remembered of these seals' tracks, by number; blank for those never heard."""
    numbers = np.fromiter(seals, np.int64)
    return dict(zip(numbers.tolist(), judging.states.take(numbers)["track"], strict=True))


def on_the_way(
    judging: SpaceJudge, seals: set[int]
) -> Iterator[tuple[int, np.void, Journey | None, Phase | None]]:
    """These seals, or the leads of their journeys: number, track, and the journey that it is on with its phase."""
    table, leads = judging.journeys, np.fromiter(_leads(judging, seals), np.int64)
    tracks = judging.states.take(leads)["track"]
    places = table.places(tracks["journey"], tracks["phase_ms"]).tolist()
    for seal, track, at in zip(leads.tolist(), tracks, places, strict=True):
        yield (seal, track, None, None) if at < 0 else (seal, track, table.journeys[at], table.phases[at])


def _leads(judging: SpaceJudge, seals: set[int]) -> set[int]:
    """These seals, the lead of its journey in place of each secondary one: it alone has progress."""
    table, numbers = judging.journeys, np.fromiter(seals, np.int64, len(seals))
    track = judging.states.take(numbers)["track"]
    places = table.places(track["journey"], track["phase_ms"]).tolist()
    return {
        judging.numbers[table.journeys[at].lead] if at >= 0 and table.phases[at].secondary else seal
        for seal, at in zip(numbers.tolist(), places, strict=True)
    }


def led(judging: SpaceJudge, names: Iterable[str]) -> set[str]:
    """Which of these journeys the track of their lead is on."""
    known, numbers = judging.journey, judging.numbers
    leads = {name: numbers[j.lead] for name in names if (j := known(name)) is not None and j.lead in numbers}
    if not leads:
        return set()
    tracks = judging.states.take(np.fromiter(leads.values(), np.int64))["track"]
    places = judging.journeys.places(tracks["journey"], tracks["phase_ms"]).tolist()
    found = zip(leads, places, strict=True)
    return {name for name, at in found if at >= 0 and judging.journeys.journeys[at].id == name}


def derived_state(judging: SpaceJudge, journey: Journey, seal: int, track: np.void) -> str:
    """Where a journey is by the track of its lead: it has arrived where its last fix lies in the zone it is bound for."""
    if any(e.type == STOPPED for e in judging.states.open.get(seal, {}).values()):
        return "AT_STOP"
    version = judging.versions[-1]
    zone = version.plan.zone_index.get(journey.destination_zone or "")
    if zone is None or track["fix_ms"] == NO_TIME:
        return "IN_TRANSIT"
    lon_e7, lat_e7 = np.array([track["fix_lon"]]), np.array([track["fix_lat"]])
    return "ARRIVED" if version.terrain.zones.holds(lon_e7, lat_e7, np.array([zone])).all() else "IN_TRANSIT"


def under_way(judging: SpaceJudge, journeys: Iterable[str]) -> dict[str, UnderWay]:
    """What the tracks of these journeys tell, by id; those that no seal has spoken on, or that have ended, are absent."""
    found = [j for name in journeys if (j := judging.journey(name)) is not None and j.disarmed_at_ms is None]
    leads = {judging.numbers[j.lead]: j for j in found}
    rows, tracks = {row.seal: row for row in position_rows(judging, leads)}, tracks_of(judging, leads)
    return {
        j.id: UnderWay(
            seal=j.lead,
            derived=derived_state(judging, j, number, tracks[number]),
            progress_pct=item.progress_pct,
            off_route_m=item.off_route_m,
            time=item.time,
        )
        for number, j in leads.items()
        if (row := rows.get(j.lead)) is not None and row.journey == j.id
        for item in (seal_item(row),)
    }


def equipment_rows(judging: SpaceJudge) -> Iterator[EquipmentRow]:
    """Every camera, scanner and reader of the plan in force, when it was last heard, and since when it is missed."""
    wall = judging.plan.equipment if judging.plan else ()
    numbers = [judging.numbers.get(device_name(equipment.id), -1) for equipment in wall]
    tracks = tracks_of(judging, (number for number in numbers if number >= 0))
    for equipment, number in zip(wall, numbers, strict=True):
        last_ms = int(tracks[number]["last_ms"]) if number >= 0 else NO_TIME
        episodes = judging.states.open.get(number, {})
        missed, flaps = episodes.get((OFFLINE, None)), episodes.get((OFFLINE, FLAPPING))
        yield EquipmentRow(
            equipment=equipment,
            last_ms=None if last_ms == NO_TIME else last_ms,
            offline_since_ms=missed.started_at_ms if missed else None,
            flapping_since_ms=flaps.started_at_ms if flaps else None,
        )
