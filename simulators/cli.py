"""``seal-sim``: simulated seals from the command line.

Exit codes: 0 done (also after SIGTERM or SIGINT), 1 the plan, the scenario or the broker does not allow it, or the broker had not acknowledged everything at
the end, 2 wrong usage.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Iterable
from pathlib import Path
from threading import Thread
from time import time

import click
import structlog

from simulators.broker_options import account_options, broker_options
from simulators.demo import Options, load_fleet, run, write_plan, write_truth
from simulators.errors import PlanError, SimulatorError
from simulators.fleet import Traveller
from simulators.lab import commands
from simulators.load.command import load, load_plan
from simulators.obedient import KINDS, ObedientSeal
from simulators.obeying import obey
from simulators.pace import Pace
from simulators.publisher import Account, Tally
from simulators.wire import Message, instant

__all__ = ["main"]

DEFAULT_SEALS = 200
DEFAULT_SEED = 7
DEFAULT_SPEED = 8.0
LINE_EVERY_S = 10
"""How often progress is a new line where it is not a terminal's one line."""


@click.group()
def cli() -> None:
    """Simulated electronic seals: they drive, they are tampered with, and the truth is written down."""


@cli.command()
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
@click.option("--seals", type=click.IntRange(1, 9000), default=DEFAULT_SEALS, show_default=True)
@click.option("--seed", type=click.IntRange(0), default=DEFAULT_SEED, show_default=True)
@click.option("--if-absent", is_flag=True, help="Leave a folder alone that has a plan already.")
def plan(folder: Path, seals: int, seed: int, *, if_absent: bool) -> None:
    """Write a plan folder with the demo's corridors and journeys that began 1 to 6 hours ago."""
    if if_absent and (folder / "fleet.json").exists():
        click.echo(f"{folder}: a plan is there, left alone")
        return
    fleet = write_plan(folder, now_s=time(), seals=seals, seed=seed)
    staged = sum(x.role != "ordinary" for x in fleet)
    click.echo(f"{folder}: {len(fleet)} journeys; something is staged on {staged} of them, see truth.jsonl")


@cli.command()
@click.option(
    "--plan",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    required=True,
    envvar="SEAL_SIM_PLAN",
    show_envvar=True,
    metavar="DIR",
    help="A folder made by `seal-sim plan`.",
)
@broker_options
@account_options
@click.option("--tenant", default="demo", show_default=True, envvar="SEAL_SIM_TENANT", show_envvar=True)
@click.option("--seals", type=click.IntRange(1, 9000), help="Refuse a plan with another number of seals.")
@click.option("--seed", type=click.IntRange(0), help="Refuse a plan made from another seed.")
@click.option(
    "--speed",
    type=click.FloatRange(min=1),
    default=DEFAULT_SPEED,
    show_default=True,
    help="How fast simulated time runs until it has caught up with the clock.",
)
@click.option(
    "--for",
    "for_s",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="Stop after so long; else play until stopped.",
)
@click.option(
    "--truth",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write what really happens there too.",
)
@click.option("--hold", is_flag=True, help="Prepare, say so, and begin when a line comes on standard input.")
@click.option("--leash", is_flag=True, help="End when standard input does: whoever started it is gone.")
@click.option("--quiet", is_flag=True, help="No progress, only the summary.")
def demo(
    folder: Path, host: str, port: int, username: str | None, password_env: str, tenant: str, seals: int | None,
    seed: int | None, speed: float, for_s: float | None, truth: Path | None, *, hold: bool, leash: bool, quiet: bool,
) -> None:  # fmt: skip
    """Play a plan's seals to a broker: their past at once, then live."""
    fleet = _checked(folder, seals, seed)
    if truth is not None:
        write_truth(truth, fleet)
    if hold and not _released(len(fleet)):
        return
    if leash:
        Thread(target=_end_with_input, daemon=True).start()
    account = Account(host, port, username, os.environ.get(password_env))
    tally = asyncio.run(_demo(fleet, account, Options(tenant, speed, for_s), quiet=quiet))
    click.echo(_summary(tally))
    if tally.in_flight:
        raise SimulatorError(f"the broker has not acknowledged {tally.in_flight} messages")


cli.add_command(load)
cli.add_command(load_plan)


@cli.command(name="obey")
@click.option("--seal", required=True, metavar="ID", help="Which seal it is.")
@click.option("--lon", type=click.FloatRange(-180, 180), required=True, help="Where it stands, in degrees.")
@click.option("--lat", type=click.FloatRange(-90, 90), required=True)
@broker_options
@click.option("--tenant", default="demo", show_default=True, envvar="SEAL_SIM_TENANT", show_envvar=True)
@click.option(
    "--password-env",
    default="SEAL_SIM_PASSWORD",
    show_default=True,
    metavar="NAME",
    help="The environment variable that holds the password of the seal's own account.",
)
@click.option(
    "--interval",
    "interval_s",
    type=click.IntRange(1),
    default=30,
    show_default=True,
    help="Seconds between pings.",
)
@click.option(
    "--refuse",
    multiple=True,
    metavar="KIND=REASON",
    help=f"What it does not do, and what it says then: unlock=motor_stuck. Kinds: {', '.join(KINDS)}.",
)
@click.option(
    "--for",
    "for_s",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="Stop after so long; else be there until stopped.",
)
def obey_(
    seal: str,
    lon: float,
    lat: float,
    host: str,
    port: int,
    tenant: str,
    password_env: str,
    interval_s: int,
    refuse: tuple[str, ...],
    for_s: float | None,
) -> None:
    """Be one seal that stands locked somewhere, reports, and does what supervisors tell it."""
    one = ObedientSeal(tenant, seal, lon, lat, interval_s, refuse=_refusals(refuse))
    account = Account(host, port, seal, os.environ.get(password_env))
    asyncio.run(_obeyed(one, account, for_s))
    if not one.has_reported:
        raise SimulatorError(
            f"{host}:{port}: was never reached, so {seal} said and heard nothing; is the broker running?"
        )
    click.echo(
        f"{seal}: done {', '.join(one.done) or 'nothing'}; the lock is {one.lock}, the interval {one.interval_s} s"
    )


cli.add_command(commands.run)
cli.add_command(commands.scenarios)
cli.add_command(commands.score)


def main() -> None:
    """Entry point: simulator errors become one line and exit code 1; warnings go where they do not mix with the summary."""
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    try:
        cli(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        sys.exit(1)
    except SimulatorError as error:
        click.echo(f"seal-sim: {error}", err=True)
        sys.exit(1)
    except OSError as error:
        if error.filename is None:
            raise
        click.echo(f"seal-sim: {error.filename}: cannot be read or written: {error.strerror}", err=True)
        sys.exit(1)


async def _demo(fleet: list[Traveller], account: Account, options: Options, *, quiet: bool) -> Tally:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return await run(fleet, account, options, stop=stop, progress=None if quiet else _show_progress)


async def _obeyed(seal: ObedientSeal, account: Account, for_s: float | None) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if for_s is not None:
        loop.call_later(for_s, stop.set)
    await obey(seal, account, stop=stop, heard=_show_command)


def _show_command(payload: bytes, said: Iterable[Message]) -> None:
    click.echo(f"told {payload.decode(errors='replace')}")
    for message in said:
        click.echo(f"  says {message.topic} {message.payload.decode()}")


def _refusals(given: Iterable[str]) -> dict[str, str]:
    """KIND=REASON, taken apart."""
    pairs = [one.partition("=") for one in given]
    for kind, equals, reason in pairs:
        if kind not in KINDS or not equals or not reason:
            raise click.BadParameter(
                f"{kind + equals + reason!r}: expected KIND=REASON with a kind of {', '.join(KINDS)}",
                param_hint="--refuse",
            )
    return {kind: reason for kind, _, reason in pairs}


def _checked(folder: Path, seals: int | None, seed: int | None) -> list[Traveller]:
    fleet = load_fleet(folder)
    if seals is not None and seals != len(fleet):
        raise PlanError(
            f"{folder} has {len(fleet)} seals, not {seals}: make it anew with `seal-sim plan {folder} --seals {seals}`"
        )
    if seed is not None and seed != fleet[0].seal.noise_seed[0]:
        raise PlanError(
            f"{folder} was made from seed {fleet[0].seal.noise_seed[0]}, not {seed}: make it anew with `seal-sim plan {folder} --seed {seed}`"
        )
    return fleet


def _released(seals: int) -> bool:
    """Whether the word to begin came; False if standard input ended without it, because whoever held it is gone."""
    click.echo(f"{seals} seals ready")
    return bool(sys.stdin.readline())


def _end_with_input() -> None:
    """Wait for the end of standard input, and stop as for a person."""
    while sys.stdin.readline():
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def _show_progress(after_s: float, pace: Pace, tally: Tally) -> None:
    line = (
        f"{after_s:5.0f} s  simulated {instant(pace.simulated_ms(after_s))[11:19]}Z  {tally.pings:,} pings sent, "
        f"{tally.acknowledged_pings:,} acknowledged, {tally.in_flight} messages in flight"
    )
    if sys.stderr.isatty():
        click.echo(f"\r{line}  ", err=True, nl=False)
    elif round(after_s) % LINE_EVERY_S == 0:
        click.echo(line, err=True)


def _summary(tally: Tally) -> str:
    again = (
        f", {tally.resent} sent again after {tally.reconnects} lost connections" if tally.reconnects else ""
    )
    return (
        f"{tally.pings:,} pings in {tally.messages:,} messages sent, {tally.acknowledged_pings:,} in "
        f"{tally.acknowledged_messages:,} acknowledged{again}"
    )


if __name__ == "__main__":
    main()
