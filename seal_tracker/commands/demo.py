"""``seal-tracker demo``: the service on embedded parts, a simulated fleet, and the page."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import sys
import tempfile
import time
import webbrowser
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import cycle
from pathlib import Path

import click
import structlog
import uvloop

from seal_tracker.app import Ready, running
from seal_tracker.commands.client import ServiceClient
from seal_tracker.commands.demo_keeping import keep
from seal_tracker.commands.serve import cut_short_by, stop_event
from seal_tracker.config import Settings, load_settings
from seal_tracker.embedded.leftovers import leaving_nothing
from seal_tracker.logs import set_up_logs
from seal_tracker.model import LIVE

__all__ = ["demo"]

log = structlog.get_logger(__name__)

SEED = 7
PLAN = "plan"
"""The plan's folder within the demo's."""

SITUATIONS = (
    ("complaint", "medium", "Chủ hàng phản ánh xe phải chờ quá lâu ở cổng 3."),
    ("media_attention", "high", "Báo chí hỏi về vụ phá niêm phong trên quốc lộ 5."),
    ("equipment_failure", "low", "Cân ô tô ở kho ngoại quan in phiếu bị mờ."),
)
"""Kind, severity and words of what is reported."""

LENS = "Ống kính mờ, biển số đọc lúc được lúc không."
"""What is wrong with the gate's camera, by its ticket."""

DRAW = {
    "reason": "Kiểm tra đột xuất trong tuần / unscheduled inspections of the week",
    "quotas": {"high": {"share_pct": 30, "least": 1}, "medium": {"share_pct": 5}, "low": {"share_pct": 2}},
}
"""Who is drawn for inspection: most of those with most risk."""

FIRST_PING_AFTER_S = 2.0
"""Who waits for the ready file and subscribes must miss nothing."""


def demo(
    *,
    for_s: float | None,
    no_browser: bool,
    speed: float | None,
    seals: int,
    http: str,
    embedded: Path | None,
    ready_file: Path | None,
) -> int:
    """Run the demo; 0 after a clean end, 1 where the simulator failed."""
    folder = embedded or Path(tempfile.gettempdir()) / f"seal-tracker-demo-{os.getpid()}"
    set_up_logs("text", "warning")
    settings = load_settings(http=http, plan=folder / PLAN)
    try:
        with leaving_nothing(folder, remove=embedded is None):
            return uvloop.run(_run(settings, folder, for_s, speed, seals, ready_file, browser=not no_browser))
    except asyncio.CancelledError:  # told to stop before it was ready
        return 0
    finally:
        if embedded is None:
            shutil.rmtree(folder, ignore_errors=True)


async def _run(
    settings: Settings,
    folder: Path,
    for_s: float | None,
    speed: float | None,
    seals: int,
    ready_file: Path | None,
    *,
    browser: bool,
) -> int:
    stop = stop_event()
    starting = cut_short_by(stop)
    plan = folder / PLAN
    click.echo("Starting PostgreSQL, the MQTT broker and the service …")
    await _simulator("plan", str(plan), "--seals", str(seals), "--seed", str(SEED), "--if-absent")
    async with running(settings, embedded=folder) as ready:
        starting.cancel()
        if ready_file is not None:
            ready.write(ready_file)
        _tell_where(ready, folder)
        began = time.monotonic()
        async with _fleet(ready, plan, speed) as fleet:
            kept = asyncio.create_task(keep(ready))
            await asyncio.sleep(FIRST_PING_AFTER_S)
            await _report_situations(ready)
            assert fleet.stdin is not None
            fleet.stdin.write(b"\n")
            if browser:
                await asyncio.to_thread(webbrowser.open, ready.http)
            left = None if for_s is None else max(0.0, for_s - (time.monotonic() - began))
            ended = asyncio.create_task(fleet.wait())
            stopped = asyncio.create_task(stop.wait())
            await asyncio.wait({ended, stopped}, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            failed = ended.done() and ended.result() != 0
            stopped.cancel()
            await kept
        await _sum_up(ready)
    return int(failed)


def _tell_where(ready: Ready, folder: Path) -> None:
    operator, integrator = ready.accounts["operator"], ready.accounts["integrator"]
    click.echo(f"""
  The page     {ready.http}
  sign in as   {operator["username"]}   password   {operator["password"]}

  Alerts       mosquitto_sub -h {ready.mqtt_host} -p {ready.mqtt_port} -u {integrator["username"]} -P {integrator["password"]} \\
                 -q 1 -v -t 'eseal/v1/{ready.tenant}/evt/#'
  The week     {ready.http}/api/v1/reports/weekly?format=html&lang=en&to={tomorrow()}   where you are signed in
  Data         {folder}

  Ctrl-C ends it.
""")


def tomorrow() -> str:
    """The next midnight of UTC, by which this week's report ends."""
    return f"{datetime.now(UTC) + timedelta(days=1):%Y-%m-%dT00:00:00Z}"


async def _report_situations(ready: Ready) -> None:
    """What no seal senses, told by an officer, as the weekly report has it, and a camera that needs its lens cleaned."""
    async with ServiceClient(ready.http, ready.accounts["supervisor"]["token"]) as client:
        units = [one["id"] for one in (await client.get("/api/v1/units"))["items"]]
        for (kind, severity, text), unit in zip(SITUATIONS, cycle(units or [None]), strict=False):
            occurred = (datetime.now(UTC) - timedelta(hours=3)).isoformat()
            told = {
                "kind": kind,
                "severity": severity,
                "narrative": text,
                "unit": unit,
                "occurred_at": occurred,
            }
            await client.post("/api/v1/situations", told)
        cameras = [e for e in (await client.get("/api/v1/equipment"))["items"] if e["kind"] == "camera"]
        for camera in cameras[:1]:
            await client.post("/api/v1/tickets", {"equipment": camera["id"], "fault": LENS})
        await _draw(client)


async def _draw(client: ServiceClient) -> None:
    """A draw of journeys for inspection, promised and made; one of them has been looked into."""
    draw = await client.post("/api/v1/draws", DRAW)
    await client.post(f"/api/v1/draws/{draw['id']}/make", {}, edits=True)
    drawn = (await client.get(f"/api/v1/inspections?draw={draw['id']}"))["items"]
    for one in drawn[:1]:
        await client.post(f"/api/v1/inspections/{one['id']}/record", {"findings": ["papers"]}, edits=True)


async def _simulator(*args: str) -> None:
    program = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "simulators", *args, stdout=asyncio.subprocess.DEVNULL
    )
    if await program.wait() != 0:
        raise OSError(f"seal-sim {args[0]} ended with {program.returncode}")


@asynccontextmanager
async def _fleet(ready: Ready, plan: Path, speed: float | None) -> AsyncIterator[asyncio.subprocess.Process]:
    """The simulated seals, in a process of their own as real ones would be; they begin at a line on its input."""
    gateway = ready.accounts["gateway"]
    args = ["demo", "--plan", str(plan), "--host", ready.mqtt_host, "--port", str(ready.mqtt_port)]
    args += ["--username", gateway["username"], "--tenant", ready.tenant, "--hold", "--leash", "--quiet"]
    if speed is not None:
        args += ["--speed", str(speed)]
    fleet = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "simulators",
        *args,
        env=os.environ | {"SEAL_SIM_PASSWORD": gateway["password"]},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield fleet
    finally:
        if fleet.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                fleet.terminate()
            await fleet.wait()


async def _sum_up(ready: Ready) -> None:
    async with ServiceClient(ready.http, ready.accounts["administrator"]["token"]) as client:
        stats = await client.get("/api/v1/stats")
        kinds = await client.episodes_by_type(LIVE)
    click.echo(
        f"{stats['pings_stored']:,} pings stored, {stats['duplicates']:,} duplicates, "
        f"{stats['dead_letters']:,} dead letters, {stats['events']:,} events."
    )
    for kind, times in kinds.items():
        click.echo(f"  {times:6,}  {kind}")
