"""``seal-sim run``: a scenario to a folder of pings, plan and truth."""

from __future__ import annotations

from pathlib import Path

import click

from simulators.lab.loading import find_scenario, library, load_scenario
from simulators.lab.running import PINGS, PLAN, TRUTH, run_file, write_run
from simulators.lab.truth.record import Deed, Head

__all__ = ["run", "scenarios"]

DEFAULT_SEED = 1
SHOWN = 12


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
        f"judge it: seal-tracker backtest {out / PLAN} {out / PINGS} --now {head.now} --events {out / 'events.ndjson'}"
    )


@click.command()
def scenarios() -> None:
    """List the library: what each scenario is about."""
    for name, path in library().items():
        scenario = load_scenario(path)
        click.echo(f"{name:30} {scenario.case:10} {scenario.about:26} {scenario.title}")
