"""``seal-sim run``: a scenario to a folder of pings, plan and truth. ``seal-sim score``: what a service made of it."""

from __future__ import annotations

from itertools import chain
from pathlib import Path

import click
import msgspec

from simulators.errors import ScoreError
from simulators.lab.loading import find_scenario, library, load_scenario
from simulators.lab.page import page
from simulators.lab.report import as_json, as_text
from simulators.lab.running import PINGS, PLAN, TRUTH, run_file, write_run
from simulators.lab.scoring import Score, read_told, read_truth, total
from simulators.lab.scoring import score as scored
from simulators.lab.truth.record import Deed, Head

__all__ = ["run", "scenarios", "score"]

DEFAULT_SEED = 1
SHOWN = 12
EVENTS = "events.ndjson"
"""What a folder of runs has beside each truth."""


@click.command()
@click.argument("scenario")
@click.option(
    "--seed",
    type=click.IntRange(0),
    default=DEFAULT_SEED,
    show_default=True,
    help="All chance follows from it.",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    metavar="DIR",
    help="Made if absent.",
)
def run(scenario: str, seed: int, out: Path) -> None:
    """Run a scenario (a file, or a name of the library) into a folder: pings.ndjson, plan/, truth.jsonl."""
    done = run_file(find_scenario(scenario), seed)
    write_run(done, out)
    messages = done.pings.count(b"\n")
    head = next(x for x in done.truth if isinstance(x, Head))
    deeds = [x for x in done.truth if isinstance(x, Deed)]
    click.echo(f"{head.title}: {messages:,} messages in {out / PINGS}, {out / PLAN}, {out / TRUTH}")
    for deed in deeds[:SHOWN]:
        where = f" at {deed.object}" if deed.object else ""
        who = deed.seal or deed.journey
        until = deed.to[11:19] if deed.to else "the end"
        click.echo(
            f"  {deed.verdict:8} {deed.rule}{where}, {who}, {deed.from_[11:19]} to {until}: {deed.what}"
        )
    if len(deeds) > SHOWN:
        click.echo(f"  and {len(deeds) - SHOWN} more")
    click.echo(
        f"judge it: seal-tracker backtest {out / PLAN} {out / PINGS} --now {head.now} --events {out / EVENTS}"
    )


@click.command()
def scenarios() -> None:
    """List the library: what each scenario is about."""
    for name, path in library().items():
        scenario = load_scenario(path)
        click.echo(f"{name:30} {scenario.case:10} {scenario.about:26} {scenario.title}")


@click.command()
@click.argument("truth", type=click.Path(exists=True, path_type=Path))
@click.argument("events", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--json", "to_json", is_flag=True, help="Figures, misses and false alarms for programs.")
@click.option(
    "--html",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="A page with the worst cases drawn.",
)
def score(truth: Path, events: tuple[Path, ...], html: Path | None, *, to_json: bool) -> None:
    """Set EVENTS (CloudEvents, one a line) beside a TRUTH: precision, recall and delay by rule and by fault.

    Without EVENTS, TRUTH is a folder of runs: each truth.jsonl in it has its events.ndjson beside.
    """
    if truth.is_dir() != (not events):
        raise click.UsageError("give a truth file and its events, or a folder of runs alone")
    found = total(_of_folder(truth) if truth.is_dir() else [_of(truth, events)])
    if html is not None:
        html.write_text(page(found), "utf-8")
    if to_json:
        click.echo(msgspec.json.format(msgspec.json.encode(as_json(found))).decode())
        return
    for line in as_text(found):
        click.echo(line)


def _of_folder(folder: Path) -> list[Score]:
    truths = sorted(folder.rglob(TRUTH))
    if not truths:
        raise ScoreError(f"{folder}: there is no {TRUTH} in it: `seal-sim run` makes one")
    missing = [t.parent / EVENTS for t in truths if not (t.parent / EVENTS).is_file()]
    if missing:
        raise ScoreError(f"{missing[0]} is missing: `seal-tracker backtest … --events` writes it")
    return [_of(t, (t.parent / EVENTS,)) for t in truths]


def _of(truth: Path, events: tuple[Path, ...]) -> Score:
    case = read_truth(truth.read_bytes().splitlines(), str(truth))
    lines = chain.from_iterable(e.read_bytes().splitlines() for e in events)
    return scored(case, read_told(lines, ", ".join(map(str, events))))
