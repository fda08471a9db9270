"""``SEAL_OPENED_OUTSIDE_ZONE``, ``UNLOCK_REFUSED`` and ``UNLOCKED_TOO_LONG``: unlocking out of place, refused, unended.

All three are judged on every ping. A lock that is open without leave is ``SEAL_TAMPER``, and no matter of place; that the
seal itself says an unlock was in order (``unlock_ok``) proves nothing. A lock that was open when its seal was last heard of counts
as open for as long as nobody hears of the seal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geofences.masks import which
from seal_tracker.journey import Journey
from seal_tracker.model import NO_TIME, Fact, Lock, iso_ms
from seal_tracker.rules.context import Context
from seal_tracker.rules.debounced import NOWHERE_E7, Moment, of_pings
from seal_tracker.rules.evidence import last_fix, place_evidence
from seal_tracker.rules.keys import PolicyKey, common_keys
from seal_tracker.rules.leave import ANYWHERE, NOWHERE
from seal_tracker.rules.places import places_at
from seal_tracker.rules.rule import Rule
from seal_tracker.rules.runs import RUN, new_runs
from seal_tracker.rules.table import per, whole
from seal_tracker.rules.unheard import NEVER_MS, UNHEARD_KEYS, unheard_ms

__all__ = ["SEAL_OPENED_OUTSIDE_ZONE", "UNLOCKED_TOO_LONG", "UNLOCK_REFUSED"]

I8 = NDArray[np.int64]
Mask = NDArray[np.bool_]

OUTSIDE, REFUSED, TOO_LONG = "SEAL_OPENED_OUTSIDE_ZONE", "UNLOCK_REFUSED", "UNLOCKED_TOO_LONG"

CLOSED, OPEN = int(Lock.CLOSED), int(Lock.OPEN)
REFUSALS = int(Fact.ILLEGAL_CARD | Fact.WRONG_PASSWORD | Fact.UNLOCK_REFUSED)

ORIGINS, DESTINATIONS = ("mine", "depot"), ("port", "gate")
"""Kinds of zones between which minerals go, where the journey does not name its own (SEMANTICS, *Regimes*)."""

OUTSIDE_KEYS = common_keys("critical", raise_=(1, 0), clear=(1, 0), latched=True) | {
    "place_age_s": PolicyKey(
        "number", 600.0, "oldest fix that still says where a seal without one is: a lorry is 15 km on by then"
    )
}


@dataclass(frozen=True, slots=True)
class _Holding:
    """Which zones in force hold which of ``n`` places: pairs."""

    ctx: Context
    n: int
    place: I8
    zone: I8

    def holds(self, place: I8, zone: I8, kinds: tuple[str, ...]) -> Mask:
        """Whether ``zone[i]`` holds ``place[i]``; where that is `ANYWHERE`, whether some zone of one of ``kinds`` does."""
        terrain, of_kind = self.ctx.terrain, np.zeros(self.n, bool)
        for kind in kinds:
            of_kind[self.place[terrain.kind(kind)[self.zone]]] = True
        n_zones = max(len(terrain.zone_key), 1)
        named = (zone >= 0) & np.isin(place * n_zones + zone, self.place * n_zones + self.zone)
        found: Mask = named | ((zone == ANYWHERE) & of_kind[place])
        return found


def _outside(ctx: Context) -> None:
    if not ctx.any_unlocked and not ctx.carries(OUTSIDE):
        return
    lock = ctx.pings.lock
    opened = which(lock == OPEN)
    on, told = np.zeros(len(lock), bool), lock == CLOSED
    if len(opened):
        known, outside = _judged_places(ctx, opened)
        told[known] = True
        on[known] = outside
    of_pings(ctx, OUTSIDE, on, lambda moment: _where_it_was_opened(ctx, moment), among=told)


def _judged_places(ctx: Context, opened: I8) -> tuple[I8, Mask]:
    """Of some pings with an open lock those that had leave and whose place is known, and which of them were outside."""
    moment, zone = ctx.authorisations.covering(ctx.ping_row[opened], ctx.pings.time_ms[opened])
    if not len(moment):
        return moment, np.zeros(0, bool)
    ping = opened[np.unique(moment)]
    places = places_at(ctx, ping)
    row, time_ms = ctx.ping_row[ping], ctx.pings.time_ms[ping]
    limit_ms = np.asarray(per(ctx.policy(OUTSIDE, "place_age_s"), row), np.float64) * 1000
    age_ms = time_ms - np.where(places.time_ms == NO_TIME, 0, places.time_ms)
    recent = which((places.time_ms != NO_TIME) & (age_ms <= limit_ms))
    place, held = ctx.terrain.zones.holding(places.lon_e7[recent], places.lat_e7[recent])
    in_force = ctx.terrain.in_force(held, time_ms[recent[place]])
    holding = _Holding(ctx, len(recent), place[in_force].astype(np.int64), held[in_force].astype(np.int64))
    at = np.searchsorted(ping[recent], opened[moment])
    of_recent = np.isin(opened[moment], ping[recent])
    at, zone = at[of_recent], zone[of_recent]
    allowed = np.zeros(len(recent), bool)
    allowed[at[holding.holds(at, zone, ("unlock_allowed",))]] = True
    return ping[recent], ~(allowed & _at_an_end(ctx, row[recent], holding))


def _at_an_end(ctx: Context, row: I8, holding: _Holding) -> Mask:
    """Which places are at an end of their journey, as minerals must be: at its origin or destination, where it names
    them, else at a place of their kinds. For the other regimes every place will do.
    """
    out = ~ctx.of_journey(_is_minerals, none=False)[row]
    place = which(~out)
    if len(place):
        for end, kinds in ((_origin, ORIGINS), (_destination, DESTINATIONS)):
            named = ctx.of_journey(end, None)[row[place]].tolist()
            zone = [ANYWHERE if z is None else ctx.terrain.zone_index.get(z, NOWHERE) for z in named]
            out[place] |= holding.holds(place, np.array(zone, np.int64), kinds)
    return out


def _is_minerals(journey: Journey) -> bool:
    return journey.regime == "minerals"


def _origin(journey: Journey) -> str | None:
    return journey.origin_zone


def _destination(journey: Journey) -> str | None:
    return journey.destination_zone


def _where_it_was_opened(ctx: Context, moment: Moment) -> dict[str, Any]:
    place = places_at(ctx, np.array([moment.i]))
    leave = ctx.authorisations.at(moment.row, int(ctx.pings.time_ms[moment.i]))
    return {
        "lock": "open",
        "authorised_by": sorted({a.by for a in leave}),
        "authorised_zones": sorted({a.zone for a in leave if a.zone is not None}),
        "place": place_evidence(int(place.time_ms[0]), int(place.lon_e7[0]), int(place.lat_e7[0])),
    }


def _refused(ctx: Context) -> None:
    if not ctx.said & REFUSALS and not ctx.carries(REFUSED):
        return
    facts = ctx.pings.facts & REFUSALS
    of_pings(ctx, REFUSED, facts != 0, lambda moment: {"facts": _names(int(facts[moment.i]))})


def _names(facts: int) -> list[str]:
    return [f.name.lower() for f in Fact(facts) if f.name]


def _too_long(ctx: Context) -> None:
    if not ctx.any_unlocked and not ctx.carries(TOO_LONG):
        return
    lock = ctx.pings.lock
    opened = lock == OPEN
    told = opened | (lock == CLOSED)  # a lock that is cut or unknown is neither
    of_pings(ctx, TOO_LONG, opened, lambda moment: _how_long(ctx, moment), among=told)


def _overdue(ctx: Context) -> tuple[Mask, I8]:
    """Which rows time alone may show to have been open for too long, and when: not while they are heard of."""
    state, rows = ctx.state[TOO_LONG], np.arange(len(ctx.seal))
    least = np.maximum(np.asarray(ctx.policy(TOO_LONG, "raise_fixes"), np.int64), 1)
    waits = ctx.armed & ~state["open"] & (state["on_n"] >= least)
    waits &= ctx.enabled(TOO_LONG, rows)
    at_ms = np.maximum(
        state["on_ms"] + whole(ctx.policy(TOO_LONG, "raise_s"), 1000), unheard_ms(ctx, TOO_LONG)
    )
    return waits, np.maximum(at_ms, ctx.version_from_ms)


def _next_due(ctx: Context, until_ms: I8) -> I8:
    if not ctx.carries(TOO_LONG):
        return np.full(len(until_ms), NEVER_MS)
    waits, at_ms = _overdue(ctx)
    return np.where(waits & (at_ms >= until_ms), at_ms + 1, NEVER_MS)


def _unheard(ctx: Context, until_ms: I8) -> I8:
    """Raise what time alone shows to be open for too long before ``until_ms`` (by row); returns when, ``NO_TIME``: nothing."""
    raised = np.full(len(until_ms), NO_TIME)
    if not ctx.carries(TOO_LONG):
        return raised
    waits, at_ms = _overdue(ctx)
    found = which(waits & (at_ms < until_ms))
    for row in found.tolist():
        _raise_unheard(ctx, row, int(at_ms[row]))
    raised[found] = at_ms[found]
    kept = new_runs(len(found))
    kept["open"] = True
    ctx.state[TOO_LONG][found] = kept
    return raised


def _raise_unheard(ctx: Context, row: int, raised_ms: int) -> None:
    run = ctx.state[TOO_LONG][row]
    began_ms, lon, lat = int(run["on_ms"]), int(run["on_lon"]), int(run["on_lat"])
    first = [] if lon == NOWHERE_E7 else [place_evidence(began_ms, lon, lat)]
    ctx.book.raise_(
        int(ctx.seal[row]),
        ctx.subjects[row],
        TOO_LONG,
        None,
        severity=ctx.severity(TOO_LONG, row),
        started_at_ms=began_ms,
        raised_at_ms=raised_ms,
        latched=bool(ctx.policy_at(TOO_LONG, "latched", row)),
        plan_version=ctx.terrain.version,
        evidence={
            "lock": "open",
            "unlocked_s": (raised_ms - began_ms) / 1000,
            "limit_s": float(ctx.policy_at(TOO_LONG, "raise_s", row) or 0),
            "last_ping": iso_ms(int(ctx.state["track"]["last_ms"][row])),
            "n_fixes": int(run["on_n"]),
            "fixes": [*first, *(fix for fix in last_fix(ctx, row, raised_ms) if fix not in first)],
        },
    )


def _how_long(ctx: Context, moment: Moment) -> dict[str, Any]:
    return {
        "lock": "open",
        "unlocked_s": (int(ctx.pings.time_ms[moment.i]) - moment.began_ms) / 1000,
        "limit_s": float(ctx.policy_at(TOO_LONG, "raise_s", moment.row) or 0),
    }


SEAL_OPENED_OUTSIDE_ZONE = Rule(OUTSIDE, OUTSIDE_KEYS, _outside, state=RUN, start=new_runs(1)[0])
UNLOCK_REFUSED = Rule(
    REFUSED, common_keys("high", raise_=(1, 0), clear=(1, 1800)), _refused, state=RUN, start=new_runs(1)[0]
)
UNLOCKED_TOO_LONG = Rule(
    TOO_LONG,
    common_keys("high", raise_=(1, 7200), clear=(1, 0)) | UNHEARD_KEYS,
    _too_long,
    state=RUN,
    start=new_runs(1)[0],
    pass_time=_unheard,
    next_due=_next_due,
)
