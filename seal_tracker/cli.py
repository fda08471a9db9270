"""``seal-tracker``: the command line.

Exit codes: 0 done; 1 what was asked for has faults (a faulty plan, a broken ledger, a service that cannot start); 2 wrong usage,
a wrong setting, a file that cannot be read or a ledger that cannot be verified; 130 interrupted.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from seal_tracker import __version__

__all__ = ["main"]

Folder = click.Path(file_okay=False, path_type=Path)
File = click.Path(dir_okay=False, path_type=Path)
Existing = click.Path(exists=True, path_type=Path)


class Failed(click.ClickException):
    """What was asked for has faults: exit code 1."""

    exit_code = 1


class Misconfigured(click.ClickException):
    """A setting is wrong: exit code 2."""

    exit_code = 2


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="seal-tracker")
def cli() -> None:
    """Electronic positioning seals for customs supervision: pings in, deviation events out."""


@cli.command()
@click.option(
    "--embedded", type=Folder, metavar="DIR", help="Start broker and database too, all data in DIR."
)
@click.option(
    "--plan",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="Plan folder to import when it has changed.",
)
@click.option("--http", metavar="HOST:PORT", help="Where to serve; port 0 takes a free one.")
@click.option(
    "--ready-file", type=File, metavar="FILE", help="Written when pings are taken: where, and accounts."
)
def serve(embedded: Path | None, plan: Path | None, http: str | None, ready_file: Path | None) -> None:
    """Run the service until SIGTERM. Settings: SEAL_TRACKER_… or the TOML file in SEAL_TRACKER_CONFIG."""
    from seal_tracker.commands.serve import serve as run  # noqa: PLC0415 - keeps `--help` quick

    _guarded(run, embedded=embedded, ready_file=ready_file, plan=plan, http=http)


@cli.command()
@click.option(
    "--for", "for_s", type=click.FloatRange(min=1), metavar="SECONDS", help="End by itself after so long."
)
@click.option("--no-browser", is_flag=True, help="Do not open the page.")
@click.option(
    "--speed", type=click.FloatRange(min=1), metavar="N", help="Simulated seconds a second, once live."
)
@click.option("--seals", type=click.IntRange(30, 9000), default=200, show_default=True)
@click.option(
    "--http", metavar="HOST:PORT", default="127.0.0.1:0", help="Where to serve.  [default: any free port]"
)
@click.option(
    "--embedded", type=Folder, metavar="DIR", help="Keep the data in DIR.  [default: a temporary folder]"
)
@click.option(
    "--ready-file", type=File, metavar="FILE", help="Written when pings are taken: where, and accounts."
)
def demo(**options: Any) -> None:
    """Show everything: simulated seals on Vietnamese corridors, the service, the live page."""
    from seal_tracker.commands.demo import demo as run  # noqa: PLC0415

    _guarded(run, **options)


@cli.command()
@click.argument("paths", nargs=-1, type=Existing, metavar="[PATH]...")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.option("--policy-keys", is_flag=True, help="Print every key a policy may set, with its default.")
def check(paths: tuple[Path, ...], *, as_json: bool, policy_keys: bool) -> None:
    """Name every fault of plan folders, or of single files of one: file, feature, what, why, remedy.

    Exit code 0: none, or only warnings; 1: faults; 2: something cannot be read.
    """
    from seal_tracker.commands.check import check as run  # noqa: PLC0415

    sys.exit(run(paths, as_json=as_json, policy_keys=policy_keys))


@cli.command()
@click.argument("plan", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument(
    "traces", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option(
    "--policy",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Judge a second time by this policies.toml, and say what it would gain and lose.",
)
@click.option("--episodes", type=File, metavar="FILE", help="Write episodes, NDJSON.")
@click.option("--events", type=File, metavar="FILE", help="Write events, one CloudEvent a line.")
@click.option(
    "--now",
    metavar="TIME",
    help="ISO 8601; up to when silences and deadlines pass, pings or none.  [default: the newest event time]",
)
@click.option("--seal", metavar="ID", help="The seal of a GPX trace.  [default: the file's name]")
@click.option("--json", "as_json", is_flag=True, help="Figures for programs.")
def backtest(plan: Path, traces: tuple[Path, ...], **options: Any) -> None:
    """Judge recorded TRACES by PLAN with the same core as the service, without broker or database.

    With --policy, files and figures are those of the second judgement.
    """
    from seal_tracker.commands.backtest import backtest as run  # noqa: PLC0415

    _guarded(run, plan, traces, **options)


@cli.command()
@click.argument("trace", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--plan", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Judge the exercise by it."
)
@click.option("--space", metavar="NAME", help="The exercise space.  [default: a new one, named by the time]")
@click.option("--live", is_flag=True, help="Into the live space: real alarms.")
@click.option(
    "--speed",
    type=click.FloatRange(min=0.001),
    metavar="N",
    help="Keep the gaps, N times as fast.  [default: as fast as it goes]",
)
@click.option("--seal", metavar="ID", help="The seal of a GPX trace.  [default: the file's name]")
@click.option(
    "--raw",
    is_flag=True,
    help="Recorded messages byte for byte, frames of devices too; not the pings in them.",
)
@click.option("--ready-file", type=File, metavar="FILE", help="The running service's ready file.")
@click.option("--embedded", type=Folder, metavar="DIR", help="Or the folder it was started with.")
@click.option("--json", "as_json", is_flag=True, help="The result for programs.")
def replay(trace: Path, **options: Any) -> None:
    """Send a recorded TRACE through the broker of a running service, into an exercise space unless told.

    Pings, from .csv, .gpx and .ndjson (each also .gz), or with --raw the messages of an .ndjson as `record` or mosquitto_sub wrote them.
    The same trace into the same plan gives the same episodes, however fast.

    Exit code 0: all sent, stored and judged; 1: not all of it, the service or its broker is away, or the trace holds nothing; 2: wrong usage.
    """
    from seal_tracker.commands.replay import replay as run  # noqa: PLC0415

    _guarded(run, trace, **options)


@cli.command()
@click.argument("file", type=File)
@click.option(
    "--embedded", type=Folder, metavar="DIR", help="The folder of a running service.  [default: settings]"
)
@click.option(
    "--for",
    "for_s",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="End after so long.",
)
@click.option("--count", type=click.IntRange(min=1), metavar="N", help="End after so many messages.")
def record(file: Path, **options: Any) -> None:
    """Write what devices send, as the broker delivers it, to FILE (.ndjson) until Ctrl-C: `replay --raw` sends it again.

    A line a message: {"topic","payload"|"payload_hex","received"}. The broker delivers to whoever else reads it all the same.

    Exit code 0: done, also by Ctrl-C; 1: the broker is away or was lost, and FILE has what came until then; 2: wrong usage.
    """
    from seal_tracker.commands.record import record as run  # noqa: PLC0415

    _guarded(run, file, **options)


@cli.command()
@click.argument("format_", metavar="FORMAT")
@click.argument("files", nargs=-1, type=click.Path(path_type=Path), metavar="[FILE]...")
@click.option("--device", metavar="ID", help="Whose frames they are: one that names another is refused.")
@click.option(
    "--input",
    "given",
    type=click.Choice(["auto", "lines", "hex", "raw"]),
    default="auto",
    show_default=True,
    help="A frame a line as text or as hex, or all of it as it came over the wire.",
)
def decode(format_: str, files: tuple[Path, ...], **options: Any) -> None:
    """Turn frames of FORMAT into native pings, one JSON object a line: eseal, flespi, jointech, jt808, native, owntracks, teratrack.

    Frames come from FILEs or standard input. On standard error, a line each: frames that hold nothing to store, by name, and
    those that are refused, with the byte and why.

    Exit code 0: none was refused; 1: at least one was; 2: no such format, or a file cannot be read.
    """
    from seal_tracker.commands.decode import decode as run  # noqa: PLC0415
    from seal_tracker.decoders.formats import formats  # noqa: PLC0415

    if format_ not in formats():
        raise click.BadParameter(f"{format_!r}: must be one of {', '.join(formats())}", param_hint="FORMAT")
    sys.exit(run(format_, files, **options))


@cli.command()
@click.option(
    "--listen",
    multiple=True,
    metavar="FORMAT=HOST:PORT",
    help="Where to take devices; may be repeated.",
)
@click.option(
    "--listen-tls",
    multiple=True,
    metavar="FORMAT=HOST:PORT",
    help="The same with TLS, by the settings GATEWAY_CERTIFICATE, GATEWAY_KEY and, where devices have certificates, GATEWAY_CLIENT_CA.",
)
@click.option(
    "--devices",
    type=File,
    metavar="FILE",
    help="Who may come: a line each, ID or FORMAT ID, and cert=NAME where it shows a certificate. Read again when it has changed.",
)
@click.option(
    "--any-device",
    is_flag=True,
    help="Or that everybody may, from elsewhere too. On the loopback address everybody may unless --devices is given.",
)
@click.option(
    "--name",
    metavar="ID",
    help="What this gateway is called: alarms of the devices that it hands on are grouped by it.",
)
@click.option("--ready-file", type=File, metavar="FILE", help="The running service's ready file.")
@click.option(
    "--embedded", type=Folder, metavar="DIR", help="Or the folder it was started with.  [default: settings]"
)
@click.option(
    "--connections", type=click.IntRange(min=1), default=10_000, show_default=True, help="Open at once."
)
@click.option(
    "--per-address",
    type=click.IntRange(min=1),
    default=2_000,
    show_default=True,
    help="Of them from one address.",
)
@click.option(
    "--idle-s",
    type=click.FloatRange(min=1),
    default=900,
    show_default=True,
    help="Without a whole frame: dropped.",
)
@click.option(
    "--frame-s",
    type=click.FloatRange(min=1),
    default=60,
    show_default=True,
    help="For a frame to arrive whole, and for the first to arrive: else dropped.",
)
def gateway(
    listen: tuple[str, ...],
    listen_tls: tuple[str, ...],
    devices: Path | None,
    any_device: bool,
    name: str | None,
    ready_file: Path | None,
    embedded: Path | None,
    connections: int,
    per_address: int,
    idle_s: float,
    frame_s: float,
) -> None:
    """Take devices over TCP (eseal, jointech, jt808) and publish their frames; they are answered once the broker has them.

    Without --ready-file or --embedded the broker is that of the settings, signed in to as an account that may publish to …/raw/#.
    """
    from seal_tracker.commands.gateway import gateway as run  # noqa: PLC0415
    from seal_tracker.gateway.connection import Limits  # noqa: PLC0415

    limits = Limits(connections, per_address, idle_s, frame_s)
    _guarded(
        run,
        listen,
        listen_tls,
        ready_file=ready_file,
        embedded=embedded,
        limits=limits,
        devices=devices,
        any_device=any_device,
        name=name,
    )


@cli.group()
def ledger() -> None:
    """The chain of evidence: every event and every officer's action."""


@ledger.command()
@click.option(
    "--embedded", type=Folder, metavar="DIR", help="The folder of an embedded service, running or not."
)
@click.option("--dsn", metavar="DSN", help="Or a database.  [default: SEAL_TRACKER_DATABASE_DSN]")
@click.option(
    "--checkpoint",
    "checkpoints",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    multiple=True,
    metavar="FILE",
    help="Checkpoints that somebody else kept, a line each, as they came over MQTT; more than one file may be given.",
)
@click.option(
    "--key",
    "keys",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    multiple=True,
    metavar="FILE",
    help="A key that may have signed, in PEM; again for one that was replaced.  [default: the embedded service's; else any]",
)
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def verify(**options: Any) -> None:
    """Check every link, and name the first that does not fit; and that the logs of events and actions are what it tells.

    Exit code 0: the chain is whole; 1: it is broken, a checkpoint is faulty, or a log is another; 2: it could not be verified.
    """
    from seal_tracker.commands.ledger import verify as run  # noqa: PLC0415

    _guarded(run, **options)


@ledger.command()
def prepare() -> None:
    """Print the SQL that a superuser runs once in a database that has no ledger yet."""
    from seal_tracker.commands.ledger import prepare as run  # noqa: PLC0415

    _guarded(run)


@cli.group()
def draw() -> None:
    """Draws of who is inspected."""


@draw.command("verify")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--commitment", metavar="SHA256", help="What was noted before the draw was made.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def verify_draw(file: Path, **options: Any) -> None:
    """Recompute a draw from FILE, which is what GET /api/v1/draws/ID answered.

    Exit code 0: it holds; 1: it does not, and the first part that does not follow is named.
    """
    from seal_tracker.commands.draws import verify as run  # noqa: PLC0415

    _guarded(run, file, **options)


@cli.command()
@click.option(
    "--format",
    "formats",
    multiple=True,
    type=click.Choice(["html", "pdf", "xlsx", "csv", "json"]),
    help="May be given several times.  [default: html]",
)
@click.option("--lang", type=click.Choice(["vi", "en"]), default="vi", show_default=True)
@click.option("--unit", metavar="ID", help="Of this unit and those below it.  [default: all that is seen]")
@click.option("--each-unit", is_flag=True, help="Also one of each unit, with those below it.")
@click.option("--from", "begin", metavar="TIME", help="RFC 3339.  [default: the last whole week]")
@click.option("--to", "end", metavar="TIME", help="RFC 3339.")
@click.option("--restricted", is_flag=True, help="With restricted situations, for who may see them.")
@click.option("--output", "-o", type=Folder, metavar="DIR", default=".", help="Where to.  [default: here]")
@click.option("--ready-file", type=File, metavar="FILE", help="The running service's ready file.")
@click.option("--embedded", type=Folder, metavar="DIR", help="Or the folder it was started with.")
@click.option("--url", metavar="URL", help="Or its address,")
@click.option("--token-file", type=File, metavar="FILE", help="and a file with an API token.")
def report(**options: Any) -> None:
    """Write the weekly report: HTML, PDF, XLSX, CSV; every figure in it is a link to the query that gives it."""
    from seal_tracker.commands.report import report as run  # noqa: PLC0415

    _guarded(run, **options)


@cli.command()
@click.argument("journey")
@click.option("--output", "-o", type=File, metavar="FILE", help="Where to.  [default: JOURNEY.zip]")
@click.option("--ready-file", type=File, metavar="FILE", help="The running service's ready file.")
@click.option("--embedded", type=Folder, metavar="DIR", help="Or the folder it was started with.")
@click.option("--url", metavar="URL", help="Or its address,")
@click.option("--token-file", type=File, metavar="FILE", help="and a file with the API token of an auditor.")
def export(journey: str, **options: Any) -> None:
    """Write the evidence of a JOURNEY as a zip that proves itself: python JOURNEY.zip."""
    from seal_tracker.commands.export import export as run  # noqa: PLC0415

    _guarded(run, journey, **options)


def _guarded(run: Any, *args: Any, **options: Any) -> None:
    """Run a command; what it expects to go wrong becomes a message and an exit code."""
    from seal_tracker.commands.failures import CONFIGURATION, EXPECTED  # noqa: PLC0415

    try:
        code = run(*args, **options)
    except CONFIGURATION as fault:
        raise Misconfigured(str(fault)) from fault
    except EXPECTED as fault:
        raise Failed(str(fault)) from fault
    except KeyboardInterrupt:
        code = 130
    sys.exit(code or 0)


def _one_database(embedded: Path | None, dsn: str | None) -> None:
    if (embedded is None) == (dsn is None):
        raise click.UsageError("name one of --embedded DIR and --dsn ADDRESS")


@cli.command()
@click.argument("file", type=File)
@click.option("--embedded", type=Folder, metavar="DIR", help="Of a folder; the service may run on it.")
@click.option("--dsn", metavar="ADDRESS", help="Of a database: postgresql://… of its superuser or owner.")
def backup(file: Path, embedded: Path | None, dsn: str | None) -> None:
    """Write everything the service keeps into FILE: one consistent moment, also while it runs."""
    from seal_tracker.commands.backup import backup as run  # noqa: PLC0415

    _one_database(embedded, dsn)
    _guarded(run, file=file, embedded=embedded, dsn=dsn)


@cli.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--embedded", type=Folder, metavar="DIR", help="Into a new folder.")
@click.option("--dsn", metavar="ADDRESS", help="Into a database: postgresql://… of its superuser.")
def restore(file: Path, embedded: Path | None, dsn: str | None) -> None:
    """Make a new folder, or a database, what a backup holds."""
    from seal_tracker.commands.backup import restore as run  # noqa: PLC0415

    _one_database(embedded, dsn)
    _guarded(run, file=file, embedded=embedded, dsn=dsn)


def main() -> None:
    """Entry point."""
    cli(prog_name="seal-tracker")
