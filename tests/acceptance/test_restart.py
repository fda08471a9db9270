"""What a restart with another plan tells integrators, and what readiness says of a broker that hangs."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from parts import wait_until
from running import PLANS, Running, serving
from traffic import iso

pytestmark = pytest.mark.slow

SEALS = ("SEAL-1", "SEAL-2", "SEAL-3")


@pytest.fixture(scope="module")
def service(session_folder: Path) -> Iterator[Running]:
    folder = session_folder / "restart"
    folder.mkdir(mode=0o755)
    shutil.copytree(PLANS / "live", folder / "plan")
    with serving(folder, folder / "plan") as running:
        yield running


def under_way(service: Running) -> set[str]:
    """Journeys of which a newcomer is told a state."""
    return {topic.removesuffix("/state") for topic in service.retained("journey")}


def test_states_of_journeys_that_ended_while_the_service_was_down_are_told_at_the_next_start(
    service: Running,
) -> None:
    """One left the plan: its state is emptied. One was disarmed, and waits to be closed. The others go on."""
    now_s = int(time.time())
    with service.mqtt("gateway", "restart") as gateway:
        sent = [
            gateway.ping(seal, {"time": iso(now_s - ago_s), "lon": 106.68, "lat": 20.86, "lock": lock})
            for seal in SEALS
            for ago_s, lock in ((60, "closed"), (30, "cut"))
        ]
        gateway.wait_acknowledged(sent)
    wait_until(
        lambda: under_way(service) == {f"J-{n}" for n in range(1, 7)}, what="all under way", limit_s=120
    )
    assert service.terminate() == 0
    assert service.plan is not None
    journeys = service.plan / "journeys.jsonl"
    plan = {j["id"]: j for j in map(json.loads, journeys.read_text().splitlines())}
    plan["J-1"]["disarmed_at"] = iso(now_s - 45)
    del plan["J-2"]
    journeys.write_text("".join(json.dumps(j) + "\n" for j in plan.values()))
    service.start()
    still = {f"J-{n}" for n in (1, 3, 4, 5, 6)}
    wait_until(lambda: under_way(service) == still, what="what left the plan is empty")
    states = service.retained("journey")
    assert {s["status"] for name, s in states.items() if name.startswith("J-1/")} == {"DISARMED"}


def test_what_was_raised_after_a_disarming_made_known_later_is_taken_back_at_once(service: Running) -> None:
    """Not cleared first, at a time before it began."""
    told = [e["data"]["properties"] for e in service.events()]
    tamper = {
        journey: [p["transition"] for p in told if p["journey"] == journey and p["event"] == "SEAL_TAMPER"]
        for journey in ("J-1", "J-3")
    }
    assert tamper == {"J-1": ["raised", "retracted"], "J-3": ["raised"]}


def test_readiness_names_a_broker_that_hangs(service: Running) -> None:
    """Its connections still stand, but what the service sends itself does not come back; then it does again."""
    wait_until(lambda: service.readyz()[0] == 200, what="ready")
    for process in service.part_processes("nats"):
        process.suspend()
    try:
        wait_until(lambda: service.readyz()[0] == 503, what="not ready")
        _, checks = service.readyz()
        assert not checks["canary"][0]
        assert "came back for" in checks["canary"][1]
    finally:
        for process in service.part_processes("nats"):
            process.resume()
    wait_until(lambda: service.readyz()[0] == 200, what="ready again")
