"""Whether what a script asks for can happen at all: what cannot would silently be left out, and a test would try nothing. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from simulators.errors import ScenarioError
from simulators.lab import acts
from simulators.lab.language import Scenario, Vehicle
from simulators.roads import Road

__all__ = ["check_acts", "check_reach", "trip_m"]

EDGE_M = 50.0
"""A road measured along its line is some metres shorter or longer than its kilometres say; its very end may be named."""


def check_acts(scenario: Scenario, file: str) -> None:
    """Refuse what is due after the end, and what the vehicle that it is asked of cannot do.

    Raises
    ------
    ScenarioError
        The first of them, with its key.
    """
    vehicles = {v.id: v for v in scenario.vehicle}
    for i, act in enumerate(scenario.script):
        at_min = getattr(act, "at_min", None)
        if at_min is not None and at_min >= scenario.minutes:
            why = f"the scenario is over after {scenario.minutes:g} minutes"
            remedy = "correct it, or let minutes be more"
            raise ScenarioError(file, f"script[{i}].at_min", f"is {at_min:g}", why, remedy)
        _check_stretch(act, f"script[{i}]", file)
        vehicle = vehicles.get(act.who)
        if vehicle is None or isinstance(act, acts.FallBehind) == (vehicle.follows is not None):
            continue
        what = (
            f"{act.who!r} follows {vehicle.follows!r}" if vehicle.follows else f"{act.who!r} follows nobody"
        )
        why = "a follower drives its leader's way, and only it can fall behind"
        raise ScenarioError(file, f"script[{i}].who", what, why, "name another vehicle, or another act")


def _check_stretch(act: acts.Act, key: str, file: str) -> None:
    if isinstance(act, acts.Detour | acts.Pace) and act.from_km >= act.to_km:
        what, why = f"is {act.to_km:g}", f"the stretch begins at {act.from_km:g}"
        raise ScenarioError(file, f"{key}.to_km", what, why, "let it end further on")
    if isinstance(act, acts.TurnBack) and act.back_to_km >= act.at_km:
        what, why = f"is {act.back_to_km:g}", f"it turns at {act.at_km:g}"
        raise ScenarioError(file, f"{key}.back_to_km", what, why, "let it lie before that")


def check_reach(scenario: Scenario, roads: Mapping[str, Road], file: str) -> None:
    """Refuse what a vehicle is asked to do where its trip never comes; ``roads`` are those of the vehicles.

    Raises
    ------
    ScenarioError
        The first of them, with its key.
    """
    trips = {v.id: trip_m(v, roads[v.id]) for v in scenario.vehicle if v.follows is None}
    for i, vehicle in enumerate(scenario.vehicle):
        begin_m, end_m = trips.get(vehicle.id, (0.0, 1.0))
        if begin_m >= end_m:
            what, why = f"is {vehicle.from_km:g}", f"its trip ends at {end_m / 1000:.1f} km"
            remedy = "let it begin before: a way back is a route of its own"
            raise ScenarioError(file, f"vehicle[{i}].from_km", what, why, remedy)
    for i, act in enumerate(scenario.script):
        trip = trips.get(act.who)
        key = "from_km" if isinstance(act, acts.Detour | acts.Pace) else "at_km"
        at_km = getattr(act, key, None)
        if trip is None or at_km is None or trip[0] - EDGE_M <= at_km * 1000 <= trip[1] + EDGE_M:
            continue
        why = f"{act.who!r} drives from {trip[0] / 1000:.1f} to {trip[1] / 1000:.1f} km"
        raise ScenarioError(
            file, f"script[{i}].{key}", f"is {at_km:g}", why, "correct it, or let it drive on"
        )


def trip_m(vehicle: Vehicle, road: Road) -> tuple[float, float]:
    """Where a vehicle begins and ends on its road, metres of chainage."""
    to_m = road.length_m if vehicle.to_km is None else min(vehicle.to_km * 1000, road.length_m)
    return vehicle.from_km * 1000, to_m
