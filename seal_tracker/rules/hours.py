"""``OUTSIDE_TIME_WINDOW``: an oversized vehicle moves when its permit does not let it.

A permit may give windows of the week, hours and dates in which nothing moves, names of calendars that give more of those, and from
when to when it is valid; all but the last are local time. A calendar is of the plan's version in force. All permits together are two sorted columns of numbers, so that any number of fixes is looked up at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geofences.masks import some, which
from seal_tracker.journey import Journey
from seal_tracker.model import EPOCH, NO_TIME
from seal_tracker.rules.calendars import DAY_MS, WEEK_MS, Closed, day_of, spans_of, week_ms_of
from seal_tracker.rules.context import Context, mm_of_m
from seal_tracker.rules.debounced import Moment, of_fixes
from seal_tracker.rules.keys import PolicyKey, common_keys
from seal_tracker.rules.motion import UNKNOWN, said_m_h
from seal_tracker.rules.rule import Rule
from seal_tracker.rules.runs import RUN, new_runs
from seal_tracker.rules.table import per

__all__ = ["RULE", "PermitHours"]

NAME = "OUTSIDE_TIME_WINDOW"

ONWARD = 0.75
"""A vehicle without a speed moves where it comes so much of the least steps away from where it began: roads wind, but
reflections lead nowhere. Of the parked trucks of 20 simulated canyons it leaves none that seemed to move."""

KEYS = common_keys("high", raise_=(2, 60), clear=(2, 60)) | {
    "moving_kmh": PolicyKey("number", 5.0, "faster than this it moves, by the device's own speed"),
    "moved_m": PolicyKey("number", 200.0, "farther than this from the fix before, where it gives none"),
    "utc_offset_min": PolicyKey(
        "number", 420.0, "minutes that local time is ahead of UTC: Viet Nam has no other", -840, 840
    ),
}

MINUTE_MS = 60_000

SPAN = 2 * WEEK_MS
"""Room for one journey in the sorted columns: more than a week of ms, and than days a date may have."""

FOREVER_MS = np.iinfo(np.int64).max

HOURS, BARRED = "outside_hours", "forbidden_hours"
DATE, VALIDITY = "forbidden_date", "permit_not_valid"

I8 = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class PermitHours:
    """When journeys may move, by their place in a table; one more row stands for none.

    Attributes
    ----------
    judged, windowed
        bool[J + 1]: the permit says anything of time; it gives windows.
    from_ms, to_ms
        int64[J + 1], when it is valid: [from, to).
    turns, barred
        sorted int64: journey times `SPAN`, plus the ms since Monday 00:00 at which a window opens or closes, in turn; ``barred`` of
        windows in which nothing moves.
    dates
        sorted int64: journey times `SPAN`, plus the days since 1970 of a forbidden date.
    calendars, named
        calendars that any permit names, and bool[J + 1, C], which of them each does.
    any
        whether any journey is judged.
    """

    judged: Mask
    windowed: Mask
    from_ms: I8
    to_ms: I8
    turns: I8
    barred: I8
    dates: I8
    calendars: tuple[str, ...]
    named: Mask
    any: bool

    @classmethod
    def of(cls, journeys: Sequence[Journey]) -> PermitHours:
        """Read the permits of journeys; they have been checked. Few journeys have one, and the others cost next to nothing."""
        permits = {i: j.permit for i, j in enumerate(journeys) if j.permit}
        turns, barred = (
            {i: [t for span in spans_of(p.get(key) or ()) for t in span] for i, p in permits.items()}
            for key in ("windows", "forbidden_windows")
        )
        dates = {i: sorted(day_of(d) for d in p.get("forbidden_dates") or ()) for i, p in permits.items()}
        calendars = tuple(sorted({name for p in permits.values() for name in p.get("calendars") or ()}))
        n = len(journeys) + 1
        named = np.zeros((n, len(calendars)), bool)
        from_ms, to_ms, windowed = np.full(n, NO_TIME), np.full(n, FOREVER_MS), np.zeros(n, bool)
        judged = np.zeros(n, bool)
        for i, p in permits.items():
            named[i] = [name in (p.get("calendars") or ()) for name in calendars]
            from_ms[i], to_ms[i] = _ms(p.get("valid_from"), NO_TIME), _ms(p.get("valid_to"), FOREVER_MS)
            windowed[i] = bool(p.get("windows"))
            judged[i] = bool(windowed[i] or dates[i] or barred[i] or named[i].any())
        judged |= (from_ms != NO_TIME) | (to_ms != FOREVER_MS)
        return cls(
            judged=judged,
            windowed=windowed,
            from_ms=from_ms,
            to_ms=to_ms,
            turns=_column(turns),
            barred=_column(barred),
            dates=_column(dates),
            calendars=calendars,
            named=named,
            any=some(judged),
        )

    def fault(self, at: I8, time_ms: I8, local_ms: I8) -> NDArray[np.object_]:
        """Why journeys ``at`` may not move at some moments; None where they may."""
        out = np.full(len(at), None, object)
        of_week = at * SPAN + week_ms_of(local_ms)
        turned = np.searchsorted(self.turns, of_week, side="right")
        out[self.windowed[at] & (turned % 2 == 0)] = HOURS
        out[np.searchsorted(self.barred, of_week, side="right") % 2 == 1] = BARRED
        day = at * SPAN + local_ms // DAY_MS
        found = np.searchsorted(self.dates, day)
        out[np.append(self.dates, -1)[found] == day] = DATE
        out[(time_ms < self.from_ms[at]) | (time_ms >= self.to_ms[at])] = VALIDITY
        return out

    def closed_by(
        self, at: I8, local_ms: I8, calendars: Mapping[str, Closed]
    ) -> tuple[NDArray[np.object_], ...]:
        """Why calendars that permits name close some local moments to journeys ``at``, and which calendar; None where none does."""
        why, which_one = np.full(len(at), None, object), np.full(len(at), None, object)
        for column, name in enumerate(self.calendars):
            mine, closed = self.named[at, column], calendars.get(name)
            if closed is None or not some(mine):
                continue
            for reason, on in ((BARRED, closed.in_hours(local_ms)), (DATE, closed.on_date(local_ms))):
                why[mine & on], which_one[mine & on] = reason, name
        return why, which_one


def _column(of_journeys: Mapping[int, Sequence[int]]) -> I8:
    return np.array([i * SPAN + v for i, values in of_journeys.items() for v in values], np.int64)


def _ms(text: Any, otherwise: int) -> int:
    if text is None:
        return otherwise
    moment = text if isinstance(text, datetime) else datetime.fromisoformat(text)
    return (moment - EPOCH) // timedelta(milliseconds=1)


def _judge(ctx: Context) -> None:
    hours = ctx.of_journeys(PermitHours.of)
    if not hours.any and not ctx.carries(NAME):
        return
    fix = which(hours.judged[ctx.journey_at][ctx.fixes.row])
    if not len(fix) and not ctx.carries(NAME):
        return
    row = ctx.fixes.row[fix]
    local_ms = ctx.fixes.time_ms[fix] + _offset_ms(ctx)[row]
    fault, calendar = (np.full(len(ctx.fixes), None, object) for _ in range(2))
    fault[fix] = hours.fault(ctx.journey_at[row], ctx.fixes.time_ms[fix], local_ms)
    if hours.calendars and ctx.terrain.calendars:
        closed, by = hours.closed_by(ctx.journey_at[row], local_ms, ctx.terrain.calendars)
        said = which((closed != None) & (fault[fix] != VALIDITY))  # noqa: E711 - elementwise
        fault[fix[said]], calendar[fix[said]] = closed[said], by[said]
    moving, known, away_mm = _moving(ctx)

    def evidence(moment: Moment) -> dict[str, Any]:
        offset = timezone(timedelta(milliseconds=int(_offset_ms(ctx)[moment.row])))
        at = datetime.fromtimestamp(int(ctx.fixes.time_ms[moment.i]) / 1000, UTC).astimezone(offset)
        return (
            _motion(ctx, moment)
            | {
                "reason": fault[moment.i],
                "local_time": at.isoformat(timespec="seconds"),
                "permit": ctx.of_journey(_permit_number, none=None)[moment.row],
            }
            | ({} if calendar[moment.i] is None else {"calendar": calendar[moment.i]})
        )

    of_fixes(ctx, NAME, moving & (fault != None), evidence, among=known, away=away_mm)  # noqa: E711 - elementwise


def _offset_ms(ctx: Context) -> I8:
    ahead_min = np.asarray(ctx.policy(NAME, "utc_offset_min"), np.float64)
    return np.broadcast_to(np.rint(ahead_min * MINUTE_MS).astype(np.int64), ctx.seal.shape)


def _moving(ctx: Context) -> tuple[Mask, Mask, I8]:
    """Which fixes move, of which that is known, and how many mm a run must have come for each further fix.

    By its steps alone it moves what stands between high walls and is thrown hither and thither; what drives is soon elsewhere.
    """
    row, said = ctx.fixes.row, said_m_h(ctx)
    by_device = said > np.multiply(per(ctx.policy(NAME, "moving_kmh"), row), 1000)
    far_mm = mm_of_m(per(ctx.policy(NAME, "moved_m"), row))
    silent = said == UNKNOWN
    moving = np.where(silent, ctx.step_mm > far_mm, by_device)
    return moving, ~silent | ctx.fixes.has_prev, np.where(silent, (ONWARD * far_mm).astype(np.int64), 0)


def _motion(ctx: Context, moment: Moment) -> dict[str, Any]:
    """What says that it moves, and how little is standing still."""

    def limit(key: str) -> float:
        return float(ctx.policy_at(NAME, key, moment.row) or 0)

    said = int(said_m_h(ctx, slice(moment.i, moment.i + 1))[0])
    if said == UNKNOWN:
        return {"moved_m": int(ctx.step_mm[moment.i]) / 1000, "limit_m": limit("moved_m")}
    return {"speed_kmh": said / 1000, "limit_kmh": limit("moving_kmh")}


def _permit_number(journey: Journey) -> str | None:
    return None if journey.permit is None else journey.permit.get("number")


RULE = Rule(NAME, KEYS, _judge, state=RUN, start=new_runs(1)[0], while_suspended=False)
