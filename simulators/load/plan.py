"""Who sends: the seals of a plan's journeys, or so many of our own, and the plan folder that a service needs to know those.

Our own plan has the demo's corridors and zones and one armed journey a seal; its routes have no checkpoints, because its seals are on the
road wherever they are from the first moment, and each would have missed those behind it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from simulators.errors import PlanError
from simulators.roads import DEMO_PLAN, Road, load_roads, road_of

__all__ = ["MAX_SEALS", "PLAN_FILES", "Senders", "own_files", "own_senders", "senders_of"]

MAX_SEALS = 1_000_000
PLAN_FILES = (
    "zones.geojson", "routes.geojson", "journeys.jsonl", "policies.toml", "units.toml", "equipment.jsonl",
    "vehicles.jsonl", "calendars.jsonl",
)  # fmt: skip
"""What a plan folder may hold; other files of it are nobody's."""
COPIED = ("zones.geojson", "units.toml")


class Senders(NamedTuple):
    """Seals by number: their names, and the road of each, an index into ``roads``."""

    names: Sequence[str]
    road: Sequence[int]
    roads: Sequence[Road]


def own_senders(seals: int) -> Senders:
    """So many seals, spread evenly over the demo's corridors."""
    roads = list(load_roads(DEMO_PLAN).values())
    return Senders([_name(i) for i in range(seals)], [i % len(roads) for i in range(seals)], roads)


def own_files(seals: int, armed_at: str) -> dict[str, str]:
    """The plan that knows ``own_senders``: its files by name. Journey ``J-load-000001`` is that of the seal ``load-000001``."""
    routes = json.loads((DEMO_PLAN / "routes.geojson").read_text())
    for feature in routes["features"]:
        feature["properties"].pop("checkpoints", None)
    ids = [feature["id"] for feature in routes["features"]]
    journeys = (
        {
            "id": f"J-{_name(i)}",
            "seal": _name(i),
            "route": ids[i % len(ids)],
            "regime": "transit",
            "armed_at": armed_at,
        }
        for i in range(seals)
    )
    files = {name: (DEMO_PLAN / name).read_text() for name in COPIED}
    files["routes.geojson"] = json.dumps(routes, ensure_ascii=False)
    files["journeys.jsonl"] = "".join(json.dumps(j) + "\n" for j in journeys)
    return files


def senders_of(folder: Path, seals: int | None) -> Senders:
    """The seals of a plan folder's journeys that nobody has disarmed, each on its journey's route; the first ``seals`` of them.

    Raises
    ------
    PlanError
        The folder has no such journeys, or fewer than were asked for.
    """
    roads, journeys = _read(folder)
    number = {road: i for i, road in enumerate(roads)}
    found = {
        seal: number[j["route"]]
        for j in journeys
        if not j.get("disarmed_at") and j.get("route") in number and (seal := _seal_of(j))
    }
    if not found:
        raise PlanError(
            f"{folder / 'journeys.jsonl'}: no journey has a seal, a route and no disarmed_at, so nothing would be judged: "
            "name another plan, or make one with `seal-sim load-plan DIR --seals N`"
        )
    if seals is not None and seals > len(found):
        raise PlanError(
            f"{folder} has journeys of {len(found):,} seals, not {seals:,}: "
            f"leave out --seals, or make a plan with `seal-sim load-plan DIR --seals {seals}`"
        )
    names = list(found)[:seals]
    return Senders(names, [found[name] for name in names], list(roads.values()))


def _read(folder: Path) -> tuple[Mapping[str, Road], list[dict[str, Any]]]:
    try:
        features = json.loads((folder / "routes.geojson").read_text())["features"]
        roads = {f["id"]: road_of(f, {}) for f in features}
        lines = (folder / "journeys.jsonl").read_text().splitlines()
        return roads, [json.loads(line) for line in lines if line.strip()]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise PlanError(
            f"{folder}: cannot be read as a plan: {error!r}; `seal-tracker check {folder}` says what is wrong with it"
        ) from error


def _seal_of(journey: Mapping[str, Any]) -> str | None:
    if journey.get("seal"):
        return str(journey["seal"])
    return next((d["id"] for d in journey.get("devices", []) if d.get("role") == "seal"), None)


def _name(i: int) -> str:
    return f"load-{i:06d}"
