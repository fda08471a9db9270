"""The truth of a journey on its road: leaving it, driving back, standing, speeding, being late, moving at forbidden hours. Pure.

Limits are those of the catalogue's defaults, written here a second time on purpose: the truth must not be wrong where the service is.
``must`` starts well beyond a limit and ``may`` a little before it: what lies between is at the edge of what can be seen.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta, timezone

import numpy as np

from simulators.lab.language import Calendar
from simulators.lab.truth.found import Found, Watched, graded
from simulators.lab.truth.record import Verdict
from simulators.lab.truth.watch import STEP_S, Bools, along, depth_m, stretches
from simulators.world.spans import Span

__all__ = ["RULES"]

EXCESS_M_S = 3500.0
ACCURACY_M = 8.0
"""What an honest receiver claims: the limit is wider by it."""
FALL_M = 500.0
STOP_S = 900.0
STAY_M = 60.0
"""A truck that moves less between two halts, as in a queue, has not gone on."""
MOVING_KMH = 5.0
MEAN_KMH = 40.0
LATE_S = 1800.0
ARRIVED_M = 500.0
VIET_NAM = timezone(timedelta(hours=7))
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def deviation(w: Watched) -> Iterator[Found]:
    """Beyond the half-width; how far and how long by the fixes that arrived."""
    for road, holds in w.roads():
        apart, _, half = along(road, w.lead.lon, w.lead.lat)
        excess = apart - half
        for span in stretches((excess > 0) & holds & w.judged, w.lead.time_s, 120.0):
            fixes = w.lead.fixes_in(span)
            seen = np.maximum(0.0, np.interp(fixes, w.lead.time_s, excess) - ACCURACY_M)
            gathered = (
                float((np.minimum(np.diff(fixes), 60.0) * (seen[1:] + seen[:-1]) / 2).sum())
                if len(fixes) > 1
                else 0.0
            )
            peak = float(excess[(w.lead.time_s >= span.from_s) & (w.lead.time_s < span.to_s)].max())
            verdict = graded(gathered if len(fixes) > 2 else 0.0, 2 * EXCESS_M_S, -1.0)
            yield Found(
                "ROUTE_DEVIATION", span, verdict or "may", f"{peak:.0f} m beyond the corridor", metres=peak
            )


def direction(w: Watched) -> Iterator[Found]:
    """Chainage that falls, on the corridor."""
    for road, holds in w.roads():
        apart, chainage, half = along(road, w.lead.lon, w.lead.lat)
        falling = np.concatenate(([False], np.diff(chainage) < -0.5)) & (apart < half) & holds & w.judged
        for span in stretches(falling, w.lead.time_s, 180.0):
            on = (w.lead.time_s >= span.from_s) & (w.lead.time_s < span.to_s)
            fell = float(np.ptp(chainage[on]))
            verdict = graded(fell, 2.5 * FALL_M, 0.6 * FALL_M)
            if verdict:
                enough = len(w.lead.fixes_in(span)) >= 6  # three of them beyond the 500 m
                yield Found(
                    "WRONG_DIRECTION",
                    span,
                    verdict if enough else "may",
                    f"drove {fell:.0f} m back",
                    metres=fell,
                )


def stops(w: Watched) -> Iterator[Found]:
    """Standing: outside approved stops for a quarter of an hour, in one longer than it allows."""
    approved = list(w.places("approved_stop"))
    for span in _standing(w):
        at = int(np.searchsorted(w.lead.time_s, span.from_s))
        point = w.lead.lon[at : at + 1], w.lead.lat[at : at + 1]
        inside = [(p, float(depth_m(p, *point)[0])) for p in approved]
        fixes = w.lead.fixes_in(span)
        seen_s = float(fixes[-1] - fixes[0]) if len(fixes) else 0.0
        stood_s = span.to_s - span.from_s
        holding = [(p, d) for p, d in inside if d > -30.0]  # a fence is as wide as its noise
        if not holding:
            verdict = graded(seen_s, STOP_S + 60.0, 0.0) if stood_s >= STOP_S - 90.0 else None
            if verdict:
                yield Found("STOP_UNPLANNED", span, verdict, f"stood {stood_s / 60:.0f} min")
            continue
        if max(d for _, d in holding) < 30.0 and stood_s >= STOP_S - 90.0:
            yield Found("STOP_UNPLANNED", span, "may", f"stood {stood_s / 60:.0f} min at the edge of a stop")
        for place, _ in holding:
            allowed_min = w.property_of(place.id, "max_stop_min")
            if allowed_min is not None:
                over_s = stood_s - allowed_min * 60
                verdict = graded(over_s, 180.0, -180.0)
                if verdict:
                    yield Found(
                        "STOP_OVERRUN", span, verdict, f"{over_s / 60:.0f} min too long", object=place.id
                    )


def _standing(w: Watched) -> list[Span]:
    """Spans in which it stands; halts between which it creeps some metres are one."""
    t, lon, lat = w.lead.time_s, w.lead.lon, w.lead.lat
    spans: list[Span] = []
    for span in stretches((w.lead.speed_kmh < 1.0) & w.judged, t):
        if spans:
            a, b = int(np.searchsorted(t, spans[-1].from_s)), int(np.searchsorted(t, span.from_s))
            if np.hypot((lon[b] - lon[a]) * 104_000, (lat[b] - lat[a]) * 111_000) < STAY_M:
                spans[-1] = Span(spans[-1].from_s, span.to_s)
                continue
        spans.append(span)
    return spans


def overspeed(w: Watched) -> Iterator[Found]:
    """Faster than the route, a zone or the permit allows."""
    t = w.lead.time_s
    limit = np.full(len(t), np.inf)
    for road, holds in w.roads():
        feature = next(r for r in w.stage.ground.routes if r["id"] == road.id)
        said = feature["properties"].get("speed_limit_kmh")
        limit[holds] = np.minimum(limit[holds], said or np.inf)
        permitted = (w.journey.permit or {}).get("speed_limits_kmh")
        if permitted and len(permitted) == len(road.half_width_m):  # else the plan's check says so
            _, chainage, _ = along(road, w.lead.lon, w.lead.lat)
            limit = np.minimum(limit, np.array(permitted, float)[road.leg_at(chainage)])
    for place in w.stage.ground.places.values():
        of_zone = w.property_of(place.id, "speed_limit_kmh")
        if of_zone is not None:
            limit = np.where(depth_m(place, w.lead.lon, w.lead.lat) > 0, np.minimum(limit, of_zone), limit)
    over = np.where(np.isinf(limit), -np.inf, w.lead.speed_kmh - limit)
    for span in stretches((over > 2.0) & w.judged, t, 60.0):
        far = stretches(
            (over > 8.0) & (t >= span.from_s) & (t < span.to_s), t
        )  # 5 km/h are allowed, 2.4 are noise
        longest = max(far, key=lambda s: s.to_s - s.from_s, default=Span(0.0, 0.0))
        fixes = w.lead.fixes_in(longest) if far else np.zeros(0)
        sure = len(fixes) >= 3 and fixes[-1] - fixes[0] >= 60.0
        peak = float(over[(t >= span.from_s) & (t < span.to_s)].max())
        yield Found("OVERSPEED", span, "must" if sure else "may", f"{peak:.0f} km/h too fast")


def hours(w: Watched) -> Iterator[Found]:
    """Moving outside the permit's hours and dates."""
    permit = w.journey.permit or {}
    named = [c for c in w.stage.scenario.calendar if c.id in permit.get("calendars", ())]
    if not named and not any(permit.get(key) for key in ("windows", "forbidden_windows", "forbidden_dates")):
        return
    start = datetime.fromtimestamp(w.stage.ground.start_ms / 1000, UTC)
    moments = [(start + timedelta(seconds=t)).astimezone(VIET_NAM) for t in w.lead.time_s.tolist()]
    allowed = np.array([_allowed(m, permit) and not any(_closed(m, c) for c in named) for m in moments])
    moving = (w.lead.speed_kmh > MOVING_KMH) & ~allowed & w.judged
    for span in stretches(moving, w.lead.time_s, 120.0):
        fixes = w.lead.fixes_in(span)
        sure = len(fixes) >= 4 and fixes[-1] - fixes[0] >= 180.0
        yield Found(
            "OUTSIDE_TIME_WINDOW", span, "must" if sure else "may", "moved outside its permit's hours"
        )


def _allowed(moment: datetime, permit: dict[str, object]) -> bool:
    dates, windows = permit.get("forbidden_dates") or (), permit.get("windows")
    if isinstance(dates, list) and moment.date().isoformat() in dates:
        return False
    barred = permit.get("forbidden_windows") or ()
    if isinstance(barred, list) and any(_in_window(moment, window) for window in barred):
        return False
    if not isinstance(windows, list) or not windows:
        return True
    return any(_in_window(moment, window) for window in windows)


def _closed(moment: datetime, calendar: Calendar) -> bool:
    """Whether a calendar closes the road at a local moment."""
    day = moment.date().isoformat()
    closed = day in calendar.dates or any(p["from"] <= day <= p["to"] for p in calendar.periods)
    return closed or any(_in_window(moment, window) for window in calendar.windows)


def _in_window(moment: datetime, window: dict[str, object]) -> bool:
    """Windows over midnight belong to the day on which they begin."""
    begin, end = time.fromisoformat(str(window["from"])), time.fromisoformat(str(window["to"]))
    days = window.get("days") or DAYS
    assert isinstance(days, list | tuple)
    today, yesterday = DAYS[moment.weekday()] in days, DAYS[moment.weekday() - 1] in days
    at = moment.time()
    if begin < end:
        return today and begin <= at < end
    return (today and at >= begin) or (yesterday and at < end)


def arrival(w: Watched) -> Iterator[Found]:
    """Late by what is left to drive at the usual mean speed; and longer under way than the law allows."""
    t = w.lead.time_s
    if w.journey.due_min is not None:
        for road, holds in w.roads():
            _, chainage, _ = along(road, w.lead.lon, w.lead.lat)
            left = np.maximum(0.0, road.length_m - chainage)
            late_s = t + left / (MEAN_KMH / 3.6) - w.journey.due_min * 60 - LATE_S
            late_s[np.cumsum(left < ARRIVED_M) > 0] = -np.inf
            yield from _late(w, late_s, holds)
    limit_h = w.stage.scenario.policy.get("default", {}).get("TRANSIT_LIMIT", {}).get("limit_h", 720.0)
    used_up_s = w.armed.from_s + limit_h * 3600
    if used_up_s + 300.0 < w.armed.to_s:
        over = Span(used_up_s, w.armed.to_s)
        verdict: Verdict = "must" if over.to_s - over.from_s > 600 else "may"
        yield Found("TRANSIT_LIMIT", over, verdict, f"under way for more than {limit_h:g} h")


def _late(w: Watched, late_s: np.ndarray[tuple[int], np.dtype[np.float64]], holds: Bools) -> Iterator[Found]:
    for span in stretches((late_s > -300.0) & holds & w.judged, w.lead.time_s, 300.0):
        on = (w.lead.time_s >= span.from_s) & (w.lead.time_s < span.to_s)
        sure_s = STEP_S * float((late_s[on] > 300.0).sum())
        yield Found(
            "ARRIVAL_LATE",
            span,
            "must" if sure_s > 900.0 else "may",
            f"{late_s[on].max() / 60:.0f} min beyond what is tolerated",
        )


RULES = (deviation, direction, stops, overspeed, hours, arrival)
