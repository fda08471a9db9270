"""``seal-sim load`` and ``seal-sim load-plan``."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import signal
import sys
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path
from time import time
from typing import Any

import click
import uvloop
from tqdm import tqdm

from simulators.broker_options import account_options, broker_options
from simulators.errors import PlanError, SimulatorError
from simulators.load import packets, plan
from simulators.load.alerts import Alerts
from simulators.load.report import as_text, figures, shortfalls
from simulators.load.running import Done, Load, Stops, run
from simulators.load.service import Service, make_space, service_of
from simulators.load.tally import Tally
from simulators.publisher import Account
from simulators.wire import instant

__all__ = ["load", "load_plan"]

DEFAULT_SEALS = 1000
DEFAULT_INTERVAL_S = 30.0
"""What a seal on the road reports by, where no rate is given."""
DEFAULT_ALERTS = 0.01
ARMED_BEFORE_S = 60
LINE_EVERY_S = 10
"""How often progress is a new line where it is not a terminal's one line."""
FILES_BESIDE = 50
"""Open files that are no connections."""
VERSIONS = {"auto": None, "5": 5, "3.1.1": 3}
Folder = click.Path(file_okay=False, path_type=Path)


class _Finite(click.FloatRange):
    """A range that neither `nan` nor `inf` is in: both pass for numbers, and no comparison keeps the first out."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        number = float(super().convert(value, param, ctx))
        return number if isfinite(number) else self.fail(f"{value!r} is no number to count with.", param, ctx)


Share = _Finite(0, 1)
More = _Finite(min=0, min_open=True)


@click.command("load-plan")
@click.argument("folder", metavar="DIR", type=Folder)
@click.option("--seals", type=click.IntRange(1, plan.MAX_SEALS), default=DEFAULT_SEALS, show_default=True)
def load_plan(folder: Path, seals: int) -> None:
    """Write the plan folder that knows the seals of `seal-sim load`: the demo's corridors, and an armed journey a seal."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in _own_files(seals).items():
        (folder / name).write_text(text)
    click.echo(f"{folder}: {seals:,} journeys; serve it by `seal-tracker serve --plan {folder}`")


@click.command()
@click.option(
    "--seals", type=click.IntRange(1, plan.MAX_SEALS), help="How many send.  [default: the plan's, else 1000]"
)
@click.option(
    "--rate",
    type=More,
    metavar="N",
    help="Messages a second of all together.  [default: each seal every 30 s]",
)
@click.option("--for", "for_s", type=More, metavar="SECONDS", help="Send for so long; else until Ctrl-C.")
@click.option(
    "--connections", type=click.IntRange(1), default=100, show_default=True, help="MQTT connections."
)
@click.option(
    "--window",
    type=click.IntRange(1, packets.MAX_IN_FLIGHT - 1),
    default=100,
    show_default=True,
    help="Messages in flight on each, at most.",
)
@click.option(
    "--alerts",
    type=Share,
    help="Share of messages that must raise an alert.  [default: 0.01 if somebody listens]",
)
@click.option(
    "--plan",
    "plan_folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="Send for the seals of its journeys.  [default: seals and journeys of our own]",
)
@click.option(
    "--ready-file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Of a running service: broker, accounts, tenant; the exercise space is made.",
)
@broker_options
@account_options
@click.option("--alerts-username", help="An account that reads alerts.  [default: nobody listens]")
@click.option("--alerts-password-env", default="SEAL_SIM_ALERTS_PASSWORD", show_default=True, metavar="NAME")
@click.option("--tenant", default="demo", show_default=True, envvar="SEAL_SIM_TENANT", show_envvar=True)
@click.option(
    "--space",
    metavar="NAME",
    help="The exercise space to send into.  [default: a new one of the service's, else load]",
)
@click.option("--live", is_flag=True, help="Into the live space: real alarms.")
@click.option(
    "--mqtt", type=click.Choice(list(VERSIONS)), default="auto", show_default=True, help="5, else 3.1.1."
)
@click.option(
    "--seed",
    type=click.IntRange(0),
    default=7,
    show_default=True,
    help="Places, speeds and turns follow from it.",
)
@click.option(
    "--wait",
    "wait_s",
    type=_Finite(min=0),
    default=30,
    show_default=True,
    metavar="SECONDS",
    help="For acknowledgements and alerts after the end, at most.",
)
@click.option("--json", "as_json", is_flag=True, help="The report for programs, histograms too.")
def load(**options: Any) -> None:  # fmt: skip
    """Publish pings of very many seals at a steady rate, count what became of each, and say how long alerts took.

    Message k is due at k/rate seconds, whatever became of those before; how long something took counts from then (response time), and beside it from
    when the message was written (service time). Nothing counts as acknowledged before the broker's PUBACK.

    Ctrl-C ends the sending, a second one the waiting for what is in flight; the report comes all the same.

    Exit code 0: every message due was acknowledged and every alert came; 1: not so, or broker or plan do not allow it; 2: wrong usage.
    """
    wanted = _load_of(**{name: options[name] for name in options if name != "as_json"})
    _make_room(wanted.connections)
    bar = _Progress(wanted)
    try:
        done = uvloop.run(_run(wanted, bar))
    finally:
        bar.close()
    found = figures(done)
    click.echo(json.dumps(found) if options["as_json"] else as_text(found))
    if shortfalls(found):
        sys.exit(1)


def _load_of(
    *, seals: int | None, rate: float | None, for_s: float | None, connections: int, window: int, alerts: float | None,
    plan_folder: Path | None, ready_file: Path | None, host: str, port: int, username: str | None, password_env: str,
    alerts_username: str | None, alerts_password_env: str, tenant: str, space: str | None, live: bool, mqtt: str, seed: int,
    wait_s: float,
) -> Load:  # fmt: skip
    service = None if ready_file is None else service_of(ready_file)
    listener: Account | None
    if service is not None:
        account, listener, tenant = service.gateway, service.integrator, service.tenant
    else:
        account = Account(host, port, username, os.environ.get(password_env))
        listener = (
            Account(host, port, alerts_username, os.environ.get(alerts_password_env))
            if alerts_username
            else None
        )
    if alerts and listener is None:
        raise click.UsageError(
            "--alerts: nobody listens for them; name a service by --ready-file, or --alerts-username"
        )
    senders = (
        plan.own_senders(seals or DEFAULT_SEALS)
        if plan_folder is None
        else plan.senders_of(plan_folder, seals)
    )
    if space is None:
        space = "load" if service is None else f"load-{datetime.now(UTC):%Y%m%dT%H%M%S}"
    elif live:
        raise click.UsageError("--live goes into the live space: leave out --space")
    if service is not None and not live:
        _space(service, space, plan_folder, len(senders.names))
    return Load(
        account=account,
        root=f"eseal/v1/{tenant}" if live else f"eseal-exercise/v1/{tenant}/{space}",
        senders=senders,
        rate=rate or len(senders.names) / DEFAULT_INTERVAL_S,
        for_s=for_s,
        connections=connections,
        window=window,
        alerts=DEFAULT_ALERTS if alerts is None else alerts,
        seed=seed,
        wait_s=wait_s,
        version=VERSIONS[mqtt],
        listener=listener if alerts != 0 else None,
    )


def _space(service: Service, space: str, folder: Path | None, seals: int) -> None:
    """Make the exercise space, unless there is one of its name: then its plan is taken to know these seals."""
    try:
        files = _own_files(seals) if folder is None else {
            file.name: file.read_text() for file in sorted(folder.iterdir()) if file.name in plan.PLAN_FILES
        }  # fmt: skip
    except OSError as error:
        raise PlanError(f"{folder}: cannot be read: {error}") from error
    if make_space(service, space, files):
        click.echo(f"space {space}: made, with {seals:,} journeys", err=True)


def _own_files(seals: int) -> dict[str, str]:
    return plan.own_files(seals, instant((int(time()) - ARMED_BEFORE_S) * 1000))


async def _run(wanted: Load, bar: _Progress) -> Done:
    stops = Stops(asyncio.Event(), asyncio.Event())

    def stop() -> None:
        (stops.waiting if stops.sending.is_set() else stops.sending).set()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop)
    return await run(wanted, stops, bar.show)


class _Progress:
    """A bar of acknowledged messages on a terminal, elsewhere a line every ten seconds; on standard error."""

    def __init__(self, wanted: Load) -> None:
        total = None if wanted.for_s is None else max(1, round(wanted.rate * wanted.for_s))
        self._bar = tqdm(total=total, unit=" acknowledged", disable=None, leave=False, dynamic_ncols=True)
        self._told_s = 0.0

    def show(self, after_s: float, tally: Tally, alerts: Alerts) -> None:
        """What is so far."""
        line = (
            f"{tally.sent:,} sent, {tally.in_flight:,} in flight, {tally.unsent:,} held up, {tally.refused.total():,} refused, "
            f"{alerts.came:,} alerts, {alerts.missing:,} awaited"
        )
        if self._bar.disable:
            if after_s - self._told_s >= LINE_EVERY_S:
                self._told_s = after_s
                click.echo(f"{after_s:5.0f} s  {tally.acknowledged:,} acknowledged, {line}", err=True)
            return
        self._bar.set_postfix_str(line, refresh=False)
        self._bar.update(tally.acknowledged - self._bar.n)

    def close(self) -> None:
        """Leave nothing of it on the terminal."""
        self._bar.close()


def _make_room(connections: int) -> None:
    """Raise our limit of open files, each connection being one."""
    needed = connections + FILES_BESIDE
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise SimulatorError(
            f"--connections {connections:,} needs {needed:,} open files, and this machine allows {hard:,}: raise `ulimit -n`, or ask for fewer"
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
