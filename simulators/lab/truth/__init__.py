"""What really happened in a scenario, worked out from the simulated world itself and not from what any service says of it. Pure.

found
    what was found of a journey that is watched
watch
    where a device truly was, and which of its fixes arrived
road_rules, place_rules, seal_rules, pair_rules, mass_rules, gate_rules
    the catalogue's rules as truths, each with its own limits
record
    lines of a truth file
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from math import isinf

import numpy as np

from simulators.earth import Floats, metres_per_degree_at
from simulators.lab.language import Journey, Member
from simulators.lab.staging import Stage
from simulators.lab.truth import gate_rules, mass_rules, pair_rules, place_rules, road_rules, seal_rules
from simulators.lab.truth.found import Found, Watched
from simulators.lab.truth.record import Deed, FaultLine, Head, Line, Map
from simulators.lab.truth.watch import Watch, watch
from simulators.places import Place
from simulators.wire import instant
from simulators.world.spans import Span

__all__ = ["truth_of"]

QUIET_S = 1800.0
"""Refusals less than this apart are one."""
OF_ESCORTS = frozenset({"SIGNAL_LOST", "GPS_LOST"})
"""What must be told of an escort that a permit asks for: that nobody hears of it, or nobody knows where it is."""
TRACK_EVERY = 10
"""Every 20 s of a true track is drawn."""


def truth_of(stage: Stage) -> list[Line]:
    """All lines of a scenario's truth, in their order: head, map, faults, deeds by time."""
    watches = {id_: watch(stage, id_) for id_ in stage.devices}
    journeys = [Watched.of(stage, j, watches) for j in stage.scenario.journey]
    deeds = [_deed(stage, w.journey.id, f, w) for w in journeys for f in _of_journey(w)]
    deeds += [_deed(stage, w.journey.id, f, w) for w, f in pair_rules.shared(journeys)]
    deeds += [_deed(stage, w.journey.id, f, w) for w, f in pair_rules.due(journeys)]
    deeds += [_deed(stage, journey, f, None) for journey, f in mass_rules.of_masses(stage)]
    deeds += [_deed(stage, journey, f, None) for journey, f in gate_rules.of_gates(stage)]
    deeds += [
        _deed(stage, None, f._replace(seal=f"equipment/{id_}"), None)
        for id_, f in pair_rules.of_equipment(stage)
    ]
    deeds += [_deed(stage, None, f, w) for w in _unarmed(stage, watches) for f in _of_unarmed(w)]
    deeds = _one_refusal(deeds)
    deeds += _must_not(stage, deeds)
    deeds.sort(key=lambda d: (d.from_, d.rule, d.journey or "", d.seal or "", d.object or ""))
    faults = [
        FaultLine(fault=f.fault, who=f.who, from_=_at(stage, f.span.from_s), to=_end(stage, f.span))
        for f in stage.faults
    ]
    return [_head(stage), _map(stage, watches), *faults, *deeds]


def _of_journey(w: Watched) -> Iterator[Found]:
    for rule in (*road_rules.RULES, *place_rules.RULES):
        yield from rule(w)
    yield from seal_rules.unobserved(w)
    seals = {m.id for m in w.journey.devices if m.role == "seal"} | {w.lead.device}
    escorts = {m.id for m in w.journey.devices if m.role == "escort" and w.journey.permit is not None}
    for device in w.devices.values():
        for of_seal in seal_rules.RULES:
            for found in of_seal(w, device):
                owed = device.device in seals or (device.device in escorts and found.rule in OF_ESCORTS)
                yield found if owed else _of_no_seal(found)
    yield from pair_rules.parted(w)


def _unarmed(stage: Stage, watches: dict[str, Watch]) -> Iterator[Watched]:
    """Devices that no journey has, each as if on one that is never armed."""
    named = {m.id for j in stage.scenario.journey for m in j.devices}
    for id_ in sorted(watches.keys() - named):
        never = Journey(devices=[Member(id=id_)], disarmed_min=0.0)
        yield Watched.of(stage, never, watches)


def _of_unarmed(w: Watched) -> Iterator[Found]:
    for rule in seal_rules.ARMED_OR_NOT:
        yield from rule(w, w.lead)


def _of_no_seal(found: Found) -> Found:
    """What befalls the tracker of a trailer or an escort may be told; it is nobody's seal, and few things of it are owed."""
    return found._replace(verdict="may") if found.verdict == "must" else found


def _deed(stage: Stage, journey: str | None, found: Found, w: Watched | None) -> Deed:
    span = Span(found.span.from_s, min(found.span.to_s, stage.until_s))
    devices = (found.seal,) if found.seal else tuple(w.devices) if w else ()
    fixes = (
        len(w.devices[found.seal].fixes_in(span))
        if w and found.seal
        else len(w.lead.fixes_in(span))
        if w
        else 0
    )
    who = {d.removeprefix("equipment/") for d in devices if d}
    return Deed(
        rule=found.rule,
        journey=journey,
        seal=found.seal,
        object=found.object,
        from_=_at(stage, span.from_s),
        to=_end(stage, found.span),
        verdict=found.verdict,
        what=found.what,
        metres=None if found.metres is None else round(found.metres, 1),
        seconds=round(span.to_s - span.from_s, 1),
        fixes=fixes,
        faults=tuple(
            sorted(
                {
                    f.fault
                    for f in stage.faults
                    if f.who in who and f.span.meets(Span(span.from_s - 60.0, span.to_s + 60.0))
                }
            )
        ),
    )


def _one_refusal(deeds: list[Deed]) -> list[Deed]:
    """Latched and quiet-time rules tell of several touches once: the first must be told, those after it may, until it is over."""
    seen: dict[tuple[str, str | None], str | None] = {}
    out = []
    for deed in sorted(deeds, key=lambda d: d.from_):
        once = deed.rule in ("SEAL_TAMPER", "SEAL_OPENED_OUTSIDE_ZONE", "UNLOCK_REFUSED")
        key = deed.rule, deed.seal
        again = once and key in seen and _goes_on(deed, seen[key])
        if once and not again:
            seen[key] = deed.to
        out.append(_may(deed) if again else deed)
    return out


def _goes_on(deed: Deed, until: str | None) -> bool:
    """Whether what was told first is not over yet; quiet is half an hour."""
    quiet_s = QUIET_S if deed.rule == "UNLOCK_REFUSED" else 0.0
    return until is None or _seconds(deed.from_) < _seconds(until) + quiet_s


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()


def _may(deed: Deed) -> Deed:
    members = {name: getattr(deed, name) for name in deed.__struct_fields__}
    return Deed(**(members | {"verdict": "may", "what": f"{deed.what}, after the first"}))


def _must_not(stage: Stage, deeds: list[Deed]) -> list[Deed]:
    """Where a scenario tries a near miss or a fault: its rule must not be told at all, but where it may."""
    scenario = stage.scenario
    if scenario.case == "true" or any(d.rule == scenario.about for d in deeds):
        return []
    whole = Span(0.0, stage.until_s)
    journeys: list[str | None] = [j.id for j in scenario.journey] or [None]
    return [_deed(stage, j, Found(scenario.about, whole, "must not", scenario.title), None) for j in journeys]


def _head(stage: Stage) -> Head:
    scenario = stage.scenario
    return Head(
        scenario=stage.name,
        title=scenario.title,
        about=scenario.about,
        case=scenario.case,
        seed=stage.seed,
        start=_at(stage, 0.0),
        now=_at(stage, stage.until_s),
    )


def _map(stage: Stage, watches: dict[str, Watch]) -> Map:
    ground = stage.ground
    start_ms = ground.start_ms
    return Map(
        routes={id_: _points(r.lon, r.lat) for id_, r in ground.roads.items()},
        half_width_m={id_: float(r.half_width_m.max()) for id_, r in ground.roads.items()},
        zones={id_: ("/".join(sorted(p.kinds)), _ring(p)) for id_, p in ground.places.items()},
        tracks={
            id_: _timed(start_ms, w.time_s[::TRACK_EVERY], w.lon[::TRACK_EVERY], w.lat[::TRACK_EVERY])
            for id_, w in watches.items()
        },
        said={
            id_: _timed(start_ms, w.heard_s[w.fixed], w.said_lon[w.fixed], w.said_lat[w.fixed])
            for id_, w in watches.items()
        },
    )


def _ring(place: Place) -> list[tuple[float, float]]:
    if place.radius_m is None:
        return _points(place.lon, place.lat)
    east, north = metres_per_degree_at(float(place.lat[0]))
    turn = np.linspace(0.0, 2 * np.pi, 24, endpoint=False)
    return _points(
        place.lon[0] + place.radius_m * np.sin(turn) / east,
        place.lat[0] + place.radius_m * np.cos(turn) / north,
    )


def _timed(start_ms: int, time_s: Floats, lon: Floats, lat: Floats) -> list[tuple[int, float, float]]:
    places = zip(time_s.tolist(), lon.tolist(), lat.tolist(), strict=True)
    return [(start_ms + round(t * 1000), round(x, 5), round(y, 5)) for t, x, y in places]


def _points(lon: Floats, lat: Floats) -> list[tuple[float, float]]:
    return [(round(x, 5), round(y, 5)) for x, y in zip(lon.tolist(), lat.tolist(), strict=True)]


def _at(stage: Stage, time_s: float) -> str:
    return instant(stage.ground.start_ms + round(time_s * 1000))


def _end(stage: Stage, span: Span) -> str | None:
    return None if isinf(span.to_s) or span.to_s >= stage.until_s else _at(stage, span.to_s)
