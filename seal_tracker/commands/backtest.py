"""``seal-tracker backtest``: recorded traces judged by a plan."""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import click
import msgspec
from tqdm import tqdm

from seal_tracker.backtest import Compared, Outcome, compare, never_armed, run_backtest
from seal_tracker.commands.errors import CommandError
from seal_tracker.episodes_file import episode_line
from seal_tracker.model import Episode, iso_ms, iso_or_none
from seal_tracker.plans.check import render_faults
from seal_tracker.plans.folder import errors_of, load_folder, with_policies
from seal_tracker.plans.model import Plan
from seal_tracker.publishing.cloudevents import cloud_event
from seal_tracker.sources.errors import SourceError
from seal_tracker.sources.file import read_trace
from seal_tracker.sources.trace import Trace

__all__ = ["backtest", "load_traces", "plan_of"]

SHOWN_FAULTS = 10
"""Lines of a trace told one by one; the rest are counted."""

SHOWN_EPISODES = 20
"""Episodes gained, lost or changed that are told one by one; the rest are counted."""

SHOWN_SEALS = 5
"""Seals without a journey that are named; the rest are counted."""


def backtest(
    plan: Path,
    traces: Sequence[Path],
    *,
    policy: Path | None,
    episodes: Path | None,
    events: Path | None,
    now: str | None,
    seal: str | None,
    as_json: bool,
) -> int:
    """Judge, write, and sum up; 0."""
    now_ms = None if now is None else _moment_ms(now)
    for file in (episodes, events):
        _must_be_writable(file)
    began = time.perf_counter()
    judged_by = plan_of(plan)
    recorded = load_traces(traces, seal)
    plans = [judged_by] if policy is None else [judged_by, policed_by(judged_by, policy)]
    read_s = time.perf_counter() - began
    pings = sum(len(t) for t in recorded)
    with tqdm(total=pings * len(plans), unit=" pings", disable=as_json or None, leave=False) as bar:
        outcomes = []
        for i, one in enumerate(plans):
            told = partial(_advance, bar, i * pings)
            outcomes.append(run_backtest(one, recorded, now_ms=now_ms, progress=told))
    outcome = outcomes[-1]
    if episodes is not None:
        _write(episodes, (episode_line(e) for e in outcome.episodes))
    if events is not None:
        _write(events, (cloud_event(e, "backtest") + b"\n" for e in outcome.events))
    faults = sum(len(t.faults) for t in recorded)
    own = None if policy is None else outcomes[0]
    (_print_json if as_json else _print)(outcome, read_s, faults, own)
    _tell_strangers(judged_by, recorded)
    return 0


def _advance(bar: Any, before: int, done: int) -> None:
    bar.update(before + done - bar.n)


def policed_by(plan: Plan, policy: Path) -> Plan:
    """``plan`` with the policy of a file instead of its own.

    Raises
    ------
    CommandError
        The policy has faults; all of them are in the text.
    """
    found, faults = with_policies(plan, policy.read_bytes(), policy.name)
    if found is None:
        raise CommandError(render_faults(errors_of(faults)))
    return found


def plan_of(folder: Path) -> Plan:
    """The plan in a folder.

    Raises
    ------
    CommandError
        It has faults; all of them are in the text.
    """
    plan, faults = load_folder(folder)
    if plan is None:
        raise CommandError(render_faults(errors_of(faults)))
    return plan


def load_traces(paths: Iterable[Path], seal: str | None) -> list[Trace]:
    """Read traces; lines that cannot be read are told on standard error, and the rest stands."""
    traces = []
    for path in paths:
        try:
            trace = read_trace(path, seal=seal)
        except SourceError as fault:
            raise CommandError(str(fault)) from fault
        for bad in trace.faults[:SHOWN_FAULTS]:
            click.echo(str(bad), err=True)
        if len(trace.faults) > SHOWN_FAULTS:
            click.echo(f"{path}: {len(trace.faults) - SHOWN_FAULTS:,} more lines with faults", err=True)
        traces.append(trace)
    return traces


def _moment_ms(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as fault:
        raise CommandError(f"--now {text!r}: expected ISO 8601, as 2026-11-22T03:00:00Z") from fault
    if moment.tzinfo is None:
        raise CommandError(f"--now {text!r}: say the zone, as in 2026-11-22T03:00:00Z")
    return round(moment.timestamp() * 1000)


def _must_be_writable(path: Path | None) -> None:
    """Say so before long work, not after it."""
    if path is not None and not os.access(path if path.exists() else path.parent, os.W_OK):
        why = "cannot be written" if path.parent.is_dir() else f"there is no folder {path.parent}"
        raise CommandError(f"{path}: {why}")


def _write(path: Path, lines: Iterable[bytes]) -> None:
    with path.open("wb") as file:
        file.writelines(lines)


def _tell_strangers(plan: Plan, traces: Iterable[Trace]) -> None:
    """Name the seals that are not armed in their trace: that most rules are silent about them is no good news."""
    strangers = never_armed(plan, traces)
    if strangers:
        named = ", ".join(strangers[:SHOWN_SEALS])
        more = f" and {len(strangers) - SHOWN_SEALS:,} more" if len(strangers) > SHOWN_SEALS else ""
        click.echo(
            f"no journey of the plan is armed while these were heard, so that most rules do not judge them: "
            f"{named}{more}",
            err=True,
        )


def _print_json(outcome: Outcome, read_s: float, faults: int, own: Outcome | None) -> None:
    figures = {
        "pings": outcome.pings,
        "read_s": round(read_s, 4),
        "judge_s": round(outcome.judge_s, 4),
        "episodes": len(outcome.episodes),
        "events": len(outcome.events),
        "by_type": _by_type(outcome.episodes),
        "discards": outcome.discards | {"trace_lines_faulty": faults},
    }
    if own is not None:
        compared = compare(own.episodes, outcome.episodes)
        figures["compared"] = {
            "episodes": len(own.episodes),
            "by_type": _by_type(own.episodes),
            "gained": _by_type(compared.gained),
            "lost": _by_type(compared.lost),
            "changed": _by_type(compared.changed),
            "kept": compared.kept,
        }
    sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(figures)) + b"\n")


def _by_type(episodes: Iterable[Episode]) -> dict[str, int]:
    return dict(sorted(Counter(e.type for e in episodes).items()))


def _print(outcome: Outcome, read_s: float, faults: int, own: Outcome | None) -> None:
    instead = "" if own is None else f", {len(own.episodes):,} by the plan's own policy"
    click.echo(
        f"{outcome.pings:,} pings read in {read_s:.1f} s, judged in {outcome.judge_s:.2f} s: "
        f"{len(outcome.episodes):,} episodes{instead}"
    )
    found, before = _by_type(outcome.episodes), {} if own is None else _by_type(own.episodes)
    for kind in sorted(found | before):
        was = "" if own is None else f"  (was {before.get(kind, 0):,})"
        click.echo(f"  {found.get(kind, 0):8,}  {kind}{was}")
    if outcome.discards or faults:
        click.echo("left out or doubted:")
    for name, times in (outcome.discards | ({"trace_lines_faulty": faults} if faults else {})).items():
        click.echo(f"  {times:8,}  {name}")
    if own is not None:
        _print_compared(compare(own.episodes, outcome.episodes))


def _print_compared(compared: Compared) -> None:
    """What the other policy gains, loses and changes, each episode in a line, the first few of each."""
    click.echo("against the plan's own policy:")
    for word, episodes in (
        ("gained", compared.gained),
        ("lost", compared.lost),
        ("changed", compared.changed),
    ):
        click.echo(f"  {len(episodes):8,}  {word}")
        for episode in episodes[:SHOWN_EPISODES]:
            was = compared.was.get(episode.episode)
            click.echo(f"            {_in_a_line(episode)}{'' if was is None else _difference(was, episode)}")
        if len(episodes) > SHOWN_EPISODES:
            click.echo(f"            and {len(episodes) - SHOWN_EPISODES:,} more")
    click.echo(f"  {compared.kept:8,}  the same")


def _in_a_line(episode: Episode) -> str:
    until = iso_or_none(episode.ended_at_ms) or "still open"
    at = f" at {episode.object}" if episode.object else ""
    return f"{episode.type} {episode.severity}, {episode.subject}{at}, {iso_ms(episode.started_at_ms)} to {until}"


def _difference(was: Episode, now: Episode) -> str:
    """What another policy makes different of an episode: how bad, when, else on what evidence."""
    told: dict[str, tuple[str, str]] = {"severity": (was.severity, now.severity)}
    for name in ("started", "raised", "ended", "cleared"):
        before, after = (iso_or_none(getattr(e, f"{name}_at_ms")) or "open" for e in (was, now))
        told[name] = (before, after)
    found = [f"{name} was {before}" for name, (before, after) in told.items() if before != after]
    if not found:
        keys = sorted(was.evidence.keys() | now.evidence.keys())
        found = [f"other {key}" for key in keys if was.evidence.get(key) != now.evidence.get(key)]
    return f"; {', '.join(found)}" if found else ""
