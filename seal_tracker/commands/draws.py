"""``seal-tracker draw verify``: recomputes a draw from what the API tells of it, without service, broker or database."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import msgspec

from seal_tracker.risk.draw import LEVELS, verified
from seal_tracker.risk.errors import DrawError

__all__ = ["verify"]


def verify(file: Path, *, commitment: str | None, as_json: bool) -> int:
    """Print whether a draw is what it says; the exit code: 0 it is, 1 it is not.

    ``commitment`` is what somebody noted before the draw was made (None: nobody did; that of the draw itself is believed).
    """
    try:
        draw = verified(file.read_bytes(), commitment)
    except DrawError as fault:
        if as_json:
            sys.stdout.buffer.write(msgspec.json.encode({"holds": False, "fault": str(fault)}) + b"\n")
        else:
            click.echo(f"DOES NOT HOLD: {fault}")
        return 1
    counts = {
        level: (sum(one.level == level for one in draw.drawn), draw.frame.count(f"\t{level}\t"))
        for level in LEVELS
    }
    if as_json:
        told = {"holds": True, "seed": draw.seed, "drawn": [one.id for one in draw.drawn]}
        sys.stdout.buffer.write(msgspec.json.encode(told) + b"\n")
        return 0
    strata = ", ".join(f"{n} of {of} {level}" for level, (n, of) in counts.items())
    click.echo(f"holds: {strata}; seed {draw.seed}")
    if commitment is None:
        click.echo(
            "That its commitment was there before: see the ledger, or give --commitment as it was noted then."
        )
    return 0
