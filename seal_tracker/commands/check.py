"""``seal-tracker check``: every fault of a plan."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click
import msgspec

from seal_tracker.plans.check import check_paths
from seal_tracker.rules.policy import SETTABLE_KEYS

__all__ = ["check"]

NOTHING_TO_CHECK = 2


def check(paths: Sequence[Path], *, as_json: bool, policy_keys: bool) -> int:
    """Print faults, or the keys of policies; return the exit code."""
    if policy_keys:
        _print_keys(as_json=as_json)
        return 0
    if not paths:
        click.echo("seal-tracker check: name a plan folder, or a file of one", err=True)
        return NOTHING_TO_CHECK
    report = check_paths(paths)
    if as_json:
        sys.stdout.buffer.write(report.to_json() + b"\n")
    else:
        click.echo(report.render())
    return report.exit_code


def _print_keys(*, as_json: bool) -> None:
    rows = [
        {"rule": rule, "key": name, "kind": key.kind, "default": key.default, "doc": key.doc}
        for rule, keys in SETTABLE_KEYS.items()
        for name, key in keys.items()
    ]
    if as_json:
        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(rows)) + b"\n")
        return
    for row in rows:
        default = msgspec.json.encode(row["default"]).decode()
        click.echo(f"{row['rule']:20} {row['key']:20} {default:12} {row['doc']}")
