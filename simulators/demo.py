"""The demo: a plan folder with journeys that began hours ago, and the fleet of seals that drives them.

``write_plan`` makes the folder that the service is started with; ``run`` plays the same fleet to a broker: first the past, as seals that
were out of coverage send it, then what happens from now on. Both work the fleet out of the folder and ``fleet.json`` in it, so nothing but
the folder has to be handed over. Times follow from the ``now`` of the plan; ``run`` should begin within minutes of it: the later, the
more of what was to come live is past.
"""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import time

from simulators.errors import PlanError
from simulators.fleet import Traveller, build_fleet
from simulators.gates import camera_at
from simulators.minerals import licence_at, weighbridge_at
from simulators.pace import Pace
from simulators.playback import deliveries
from simulators.publisher import Account, Publisher, Tally
from simulators.roads import DEMO_PLAN
from simulators.wire import instant

__all__ = ["DEMO_PLAN", "Options", "load_fleet", "run", "write_plan", "write_truth"]

PLAN_FILES = (
    "zones.geojson", "routes.geojson", "units.toml", "driving.toml", "vehicles.jsonl", "calendars.jsonl",
)  # fmt: skip
FLEET_FILE = "fleet.json"
DRAIN_S = 10.0
"""How long to wait at the end for the broker's last acknowledgements."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to play a fleet. ``for_s`` None plays until stopped."""

    tenant: str
    speed: float = 1.0
    for_s: float | None = None


Progress = Callable[[float, Pace, Tally], None]
"""Told once a second: seconds since the start, the clock, the counters."""


def write_plan(folder: Path, *, now_s: float, seals: int, seed: int) -> list[Traveller]:
    """Write the demo's plan folder: zones, routes, units, journeys; beside them ``fleet.json`` and ``truth.jsonl``.

    Parameters
    ----------
    folder
        Made if absent; files of these names in it are replaced.
    now_s
        UTC epoch seconds that all journeys are placed around.
    seals
        Size of the fleet; below about 30 some happenings are left out.
    seed
        All randomness follows from it: same arguments, same bytes.

    Returns
    -------
    list of Traveller
        The fleet, in order of journey id.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in PLAN_FILES:
        shutil.copyfile(DEMO_PLAN / name, folder / name)
    fleet = build_fleet(folder, now_s=now_s, seals=seals, seed=seed)
    (folder / "journeys.jsonl").write_text(_journeys(fleet))
    for name, lines in _of_equipment(fleet).items():
        (folder / name).write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))
    write_truth(folder / "truth.jsonl", fleet)
    made = {"now": instant(int(now_s) * 1000), "now_s": int(now_s), "seals": seals, "seed": seed}
    (folder / FLEET_FILE).write_text(json.dumps(made) + "\n")
    return fleet


def load_fleet(folder: Path) -> list[Traveller]:
    """The fleet of a folder that ``write_plan`` made.

    Raises
    ------
    PlanError
        The folder was not made by ``write_plan``, or its files were changed since.
    """
    try:
        made = json.loads((folder / FLEET_FILE).read_text())
        written = (folder / "journeys.jsonl").read_text()
    except FileNotFoundError as error:
        raise PlanError(
            f"{error.filename} is missing: make the folder with `seal-sim plan {folder}`"
        ) from error
    fleet = build_fleet(folder, now_s=made["now_s"], seals=made["seals"], seed=made["seed"])
    if _journeys(fleet) != written:
        raise PlanError(
            f"{folder / 'journeys.jsonl'} is not what its {FLEET_FILE} gives: a file of the folder was changed "
            f"or another version made it; make it anew with `seal-sim plan {folder}`"
        )
    return fleet


def write_truth(path: Path, fleet: Sequence[Traveller]) -> None:
    """What really happens to whom and when, one JSON object a line, by journey; past and future alike."""
    path.write_text("".join(json.dumps(t, ensure_ascii=False) + "\n" for x in fleet for t in x.truth()))


async def run(
    fleet: Sequence[Traveller],
    account: Account,
    options: Options,
    *,
    stop: asyncio.Event | None = None,
    progress: Progress | None = None,
) -> Tally:
    """Play a fleet to a broker until the time is up or ``stop`` is set; what was sent is then waited for.

    Returns
    -------
    Tally
        Messages and pings sent and acknowledged. Sent but unacknowledged ones may or may not have arrived.
    """
    stop = stop or asyncio.Event()
    async with Publisher(account) as publisher:
        pace = Pace(started_ms=int(time() * 1000), speed=options.speed)
        tasks = [asyncio.create_task(_play(fleet, pace, options.tenant, publisher))]
        if progress is not None:
            tasks.append(asyncio.create_task(_report(pace, publisher.tally, progress)))
        stopped = asyncio.create_task(stop.wait())
        try:
            done, _ = await asyncio.wait(
                {tasks[0], stopped}, timeout=options.for_s, return_when=asyncio.FIRST_COMPLETED
            )
            if tasks[0] in done:
                await tasks[0]  # ends by itself only by an error
        finally:
            for task in (*tasks, stopped):
                task.cancel()
            await asyncio.gather(*tasks, stopped, return_exceptions=True)
        await publisher.drain(DRAIN_S)
        return publisher.tally


async def _play(fleet: Sequence[Traveller], pace: Pace, tenant: str, publisher: Publisher) -> None:
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    for after_s, message in deliveries(fleet, pace, tenant):
        await asyncio.sleep(max(0.0, began_s + after_s - loop.time()))
        await publisher.send(message)


async def _report(pace: Pace, tally: Tally, progress: Progress) -> None:
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    while True:
        await asyncio.sleep(1.0)
        progress(loop.time() - began_s, pace, tally)


def _of_equipment(fleet: Sequence[Traveller]) -> dict[str, list[dict[str, object]]]:
    """What the plan says of licences, weighbridges and a gate's camera, by file."""
    loaded = [(x.weighed_at, x.journey) for x in fleet if x.weighed_at is not None]
    return {
        "licences.jsonl": [licence_at(j["origin_zone"], j.get("unit")) for _, j in loaded],
        "equipment.jsonl": [
            *(weighbridge_at(*at, j.get("unit")) for at, j in loaded),
            *(camera_at(x.seen, x.journey.get("unit")) for x in fleet if x.seen is not None),
        ],
    }


def _journeys(fleet: Sequence[Traveller]) -> str:
    return "".join(json.dumps(x.journey, ensure_ascii=False) + "\n" for x in fleet)
