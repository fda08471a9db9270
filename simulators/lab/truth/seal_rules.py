"""The truth of the seals themselves: locks, batteries, silences, satellites, clocks, impossible tracks. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from math import sqrt

import numpy as np

from simulators.lab.truth.found import Found, Watched, graded
from simulators.lab.truth.record import Verdict
from simulators.lab.truth.watch import Watch, along, depth_m, stretches
from simulators.world.lock import lock_at
from simulators.world.spans import Span

__all__ = ["ARMED_OR_NOT", "RULES", "unobserved"]

AWAKE_S, ASLEEP_S, INTERVALS = 600.0, 3900.0, 3.0
GAP_S = 900.0
TOP_KMH = 80.0
ASLEEP_INTERVAL_S = 1200.0
BLIND_S = 600.0
LOW_PCT, LOW_S = 30.0, 600.0
OPEN_S = 7200.0
LEAVE_GRACE_S = 600.0
AHEAD_S = 300.0
SKEWED_S = 30.0
"""A truck is elsewhere by then."""
GOOD_DBM = -85
OUTSIDE_M = 40.0
TAMPERS = frozenset({"cut_rope", "open_shell", "remove", "open_by_force"})
REFUSALS = frozenset({"illegal_card", "wrong_password", "refused_outside_fence"})


def locks(w: Watched, watch: Watch) -> Iterator[Found]:
    """Who touched the lock, with leave and in the right place or not."""
    for at_s, act in w.stage.lock_acts[watch.device]:
        if not w.armed.holds(at_s):
            continue
        after = Span(at_s, min([w.armed.to_s, *(r for r in w.resets("SEAL_TAMPER") if r > at_s)]))
        verdict: Verdict = "must" if len(watch.heard_s) and watch.heard_s[-1] >= at_s else "may"
        if act in TAMPERS:
            yield Found("SEAL_TAMPER", after, verdict, act, seal=watch.device)
        elif act in REFUSALS:
            yield Found("UNLOCK_REFUSED", Span(at_s, at_s + 60.0), verdict, act, seal=watch.device)
        elif act == "open_by_officer":
            yield from _opened(w, watch, at_s)


def _opened(w: Watched, watch: Watch, at_s: float) -> Iterator[Found]:
    """Opened by an officer's card: whether with leave, where, and for how long."""
    leave = next(((s, z) for s, z in w.leaves if s.holds(at_s)), None)
    closed_s = _closed_after(w, watch, at_s)
    if leave is None:
        yield Found(
            "SEAL_TAMPER", Span(at_s, w.armed.to_s), "must", "opened without leave", seal=watch.device
        )
    else:
        inside_m = _inside_m(w, watch, at_s, leave[1])
        if inside_m < OUTSIDE_M:
            verdict: Verdict = "must" if inside_m < -OUTSIDE_M else "may"
            what = (
                f"opened {-inside_m:.0f} m outside where it may be"
                if inside_m > -1e6
                else "opened where no zone allows it"
            )
            yield Found(
                "SEAL_OPENED_OUTSIDE_ZONE", Span(at_s, w.armed.to_s), verdict, what, seal=watch.device
            )
        over_s = leave[0].to_s + LEAVE_GRACE_S
        if closed_s > over_s - 60.0 and over_s < w.armed.to_s:
            verdict = "must" if min(closed_s, w.armed.to_s) > over_s + 120.0 else "may"
            yield Found(
                "SEAL_TAMPER", Span(over_s, w.armed.to_s), verdict, "open after its leave", seal=watch.device
            )
    open_s = min(closed_s, w.armed.to_s) - at_s
    grade = graded(open_s, OPEN_S + 180.0, OPEN_S - 180.0)
    if grade:
        yield Found(
            "UNLOCKED_TOO_LONG", Span(at_s, closed_s), grade, f"open {open_s / 60:.0f} min", seal=watch.device
        )


def _closed_after(w: Watched, watch: Watch, at_s: float) -> float:
    changes = w.stage.devices[watch.device].schedule.lock_changes
    later = (c.at_s for c in changes if c.at_s > at_s and lock_at(changes, c.at_s) != "open")
    return next(later, w.stage.until_s)


def _inside_m(w: Watched, watch: Watch, at_s: float, zone: str | None) -> float:
    """How deep in a zone where it may be opened; for minerals at an end of the journey."""
    places = [p for p in w.places("unlock_allowed") if zone in (None, p.id)]
    if w.journey.regime == "minerals":
        ends = {w.journey.origin_zone, w.journey.destination_zone}
        places = [p for p in places if p.id in ends]
    spot = w.stage.devices[watch.device].ride.at(at_s)
    at = np.array([spot.lon]), np.array([spot.lat])
    return max((float(depth_m(p, *at)[0]) for p in places), default=-1e9)


def battery(w: Watched, watch: Watch) -> Iterator[Found]:
    """Below 30 % for ten minutes, as far as pings tell."""
    power = w.stage.devices[watch.device].battery
    told = np.array([power.told_pct(t) for t in watch.time_s.tolist()], float)
    for span in stretches(told < LOW_PCT, watch.time_s):
        heard = watch.heard_s[(watch.heard_s >= span.from_s) & (watch.heard_s < span.to_s)]
        grade = graded(float(np.ptp(heard)) if len(heard) else 0.0, LOW_S + 60.0, LOW_S - 60.0)
        if grade:
            yield Found(
                "BATTERY_LOW",
                span,
                grade,
                f"down to {told[(watch.time_s >= span.from_s) & (watch.time_s < span.to_s)].min():.0f} %",
                seal=watch.device,
            )


def silence(w: Watched, watch: Watch) -> Iterator[Found]:
    """Nothing heard for three intervals; what a buffer fills later was no silence."""
    heard = watch.heard_s
    if not len(heard):
        return
    ends = [*heard.tolist(), w.armed.to_s]
    for i, (begin, end) in enumerate(pairwise(ends)):
        interval_s = float(watch.interval_s[i])
        floor_s = ASLEEP_S if interval_s > ASLEEP_INTERVAL_S else AWAKE_S
        limit_s = max(INTERVALS * interval_s, floor_s)
        grade = graded(end - begin, limit_s + 60.0, limit_s - 30.0)
        if grade and w.armed.holds(begin):
            yield Found(
                "SIGNAL_LOST",
                Span(begin, end),
                grade,
                f"silent {(end - begin) / 60:.0f} min",
                seal=watch.device,
            )


def unobserved(w: Watched) -> Iterator[Found]:
    """Gaps between fixes long enough for a detour."""
    times = w.lead.heard_s[w.lead.fixed]
    for begin, end in pairwise(times.tolist()):
        at = int(np.searchsorted(w.lead.heard_s, begin))
        interval_s = float(w.lead.interval_s[at])
        limit_s = max(INTERVALS * interval_s, ASLEEP_S if interval_s > ASLEEP_INTERVAL_S else GAP_S)
        grade = graded(end - begin, limit_s + 60.0, limit_s - 60.0)
        if not grade or not w.armed.holds(begin):
            continue
        span = Span(begin, end)
        reach_m, half_m = _reach(w, span)
        if reach_m < 0.7 * half_m:
            continue
        verdict = grade if reach_m > 1.5 * half_m else "may"
        yield Found(
            "UNOBSERVED_GAP", span, verdict, f"{(end - begin) / 60:.0f} min between fixes", metres=reach_m
        )


def _reach(w: Watched, span: Span) -> tuple[float, float]:
    """How far off the straight line it may have been, and the half-width there."""
    lon = np.interp([span.from_s, span.to_s], w.lead.time_s, w.lead.lon)
    lat = np.interp([span.from_s, span.to_s], w.lead.time_s, w.lead.lat)
    apart_m = float(np.hypot(np.diff(lon)[0] * 104_000, np.diff(lat)[0] * 111_000))
    way_m = TOP_KMH / 3.6 * (span.to_s - span.from_s)
    half = along(w.stage.ground.road(w.journey.route), lon, lat)[2]
    return sqrt(max(0.0, (way_m / 2) ** 2 - (apart_m / 2) ** 2)), float(half.max())


def satellites(w: Watched, watch: Watch) -> Iterator[Found]:
    """Heard, but without a fix for ten minutes; with jamming where it is reported and the network is good."""
    blind = np.flatnonzero(np.diff(np.concatenate(([False], ~watch.usable, [False])).astype(np.int8)))
    good = w.stage.devices[watch.device].cell_dbm + 35 >= GOOD_DBM
    for begin, end in blind.reshape(-1, 2).tolist():
        times = watch.heard_s[begin:end]
        enough = len(times) >= 3  # fixes that raise it
        grade = graded(float(np.ptp(times)) if enough else 0.0, BLIND_S + 90.0, BLIND_S - 90.0)
        if not grade or not w.armed.holds(float(times[0])):
            continue
        span = Span(float(times[0]), float(watch.heard_s[end] if end < len(watch.heard_s) else times[-1]))
        yield Found("GPS_LOST", span, grade, f"no fix for {np.ptp(times) / 60:.0f} min", seal=watch.device)
        if good:
            jammed = bool(watch.jamming[begin:end].mean() > 0.8)
            yield Found(
                "JAMMING_SUSPECTED",
                span,
                grade if jammed else "may",
                "no fix where the network is good",
                seal=watch.device,
            )


def clock(w: Watched, watch: Watch) -> Iterator[Found]:
    """A clock more than five minutes ahead, three pings long; its fixes are none, so that satellites may be told as lost."""
    ahead = watch.told_s - watch.heard_s
    wrong = (ahead > AHEAD_S - 30.0) | (ahead < -365 * 86_400.0)
    if wrong.sum() >= 3:
        times = watch.heard_s[wrong]
        sure = ((ahead > AHEAD_S + 30.0) | (ahead < -365 * 86_400.0)).sum() >= 3
        what = f"{ahead[wrong].max():.0f} s ahead"
        span = Span(float(times[0]), float(times[-1]))
        yield Found("CLOCK_SKEW", span, "must" if sure else "may", what, seal=watch.device)
        if w.armed.holds(span.from_s) and span.to_s - span.from_s > BLIND_S - 90.0:
            yield Found("GPS_LOST", span, "may", f"fixes of a clock {what}", seal=watch.device)


def conflict(w: Watched, watch: Watch) -> Iterator[Found]:
    """Fixes thrown so far that both cannot be true, three times at least; or dated so wrongly."""
    skewed = np.abs(watch.told_s - watch.heard_s) > SKEWED_S
    if skewed.any():
        times = np.concatenate((watch.heard_s[skewed], watch.told_s[skewed]))
        span = Span(max(0.0, float(times.min())), min(w.stage.until_s, float(times.max())))
        what = "a clock that is wrong puts it where it was not"
        yield Found("POSITION_CONFLICT", span, "may", what, seal=watch.device)
    thrown = [f.span for f in w.stage.faults if f.who == watch.device and f.metres > 1000.0]
    if not thrown:
        return
    span = Span(min(s.from_s for s in thrown), max(s.to_s for s in thrown))
    often = len(thrown) >= 6 and max(b.from_s - a.to_s for a, b in pairwise(thrown)) < 45.0
    yield Found(
        "POSITION_CONFLICT",
        span,
        "must" if often else "may",
        f"{len(thrown)} times thrown off",
        seal=watch.device,
    )


RULES = (locks, battery, silence, satellites, clock, conflict)
"""Of every seal; ``unobserved`` is of the journey's track."""

ARMED_OR_NOT = (battery, clock, conflict)
"""Of seals that no journey has, too."""
