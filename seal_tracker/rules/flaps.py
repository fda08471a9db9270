"""Flapping, told apart from down: equipment that is offline again and again, each time for a short while.

Offlines that are short, with no calm between them, are a chain. From the so-many-th on the chain is one episode, object ``flapping``,
from the beginning of the first; what is offline for a short while in it is still an episode, but plain information: it calls nobody.
One that lasts longer than short ones do is down: the flapping ended when it began, and it gets the severity of any other. (ISA-18.2 calls an
alarm that comes and goes so often chattering: each coming says nothing any more.) Calm is shown by heartbeats alone.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from seal_tracker.model import Episode, Severity, iso_ms
from seal_tracker.rules.context import Context
from seal_tracker.rules.evidence import place_evidence
from seal_tracker.rules.keys import PolicyKey

__all__ = [
    "COLUMNS",
    "FLAPPING",
    "KEYS",
    "as_flap",
    "count",
    "down_ms",
    "fall_down",
    "go_calm",
    "stop",
]

FLAPPING: Final = "flapping"
"""The object of the one episode that stands for many, and what says of an offline that it is one of them."""

KEYS: Final = {
    "flaps": PolicyKey(
        "count", 3, "short offlines without calm between them that are flapping", minimum=2, maximum=1000
    ),
    "flap_intervals": PolicyKey("number", 10.0, "heartbeats that a short offline lasts at most", minimum=1),
    "calm_intervals": PolicyKey(
        "number", 30.0, "heartbeats without an offline that end a chain of short ones", minimum=1
    ),
}

MOST: Final = 2**15 - 1
"""More are not counted."""

COLUMNS: Final = [
    ("flap_from_ms", "i8"),  # when the first of the chain began
    ("flap_until_ms", "i8"),  # when the last of the chain ended
    ("flaps", "i2"),  # so many are in the chain
]


def as_flap(ctx: Context, rule: str, row: int, severity: Severity) -> tuple[Severity, dict[str, Any]]:
    """How severe it is to be offline from now on, and what it says beside: while it flaps, information, and what it is if it lasts."""
    if not _is_flapping(ctx, rule, row):
        return severity, {}
    short_ms = _intervals_ms(ctx, rule, row, "flap_intervals")
    return "info", {FLAPPING: {"short_s": short_ms / 1000, "severity_if_longer": severity}}


def down_ms(offline: Episode) -> int | None:
    """When an offline in a flapping has lasted too long to be one of it; None: it is not in one, or is known to be down."""
    said = offline.evidence.get(FLAPPING)
    if said is None or "down_at" in offline.evidence:
        return None
    short_ms: int = round(said["short_s"] * 1000)
    return offline.started_at_ms + short_ms


def fall_down(ctx: Context, rule: str, row: int, offline: Episode, chain: np.void, at_ms: int) -> None:
    """An offline has lasted too long: it is down since it began, and flaps no more. ``at_ms`` is its `down_ms`."""
    severity = offline.evidence[FLAPPING]["severity_if_longer"]
    said = {"down_at": iso_ms(at_ms)}
    ctx.book.change(int(ctx.seal[row]), rule, None, changed_ms=at_ms, severity=severity, evidence=said)
    stop(ctx, rule, row, chain, offline.started_at_ms, at_ms, closed_by="down")


def count(ctx: Context, rule: str, row: int, offline: Episode, chain: np.void, at_ms: int) -> None:
    """An offline ends at ``at_ms``: one more of the chain, which may become flapping by it; or the end of it, where it was long."""
    if "down_at" in offline.evidence or at_ms - offline.started_at_ms > _intervals_ms(
        ctx, rule, row, "flap_intervals"
    ):
        stop(ctx, rule, row, chain, offline.started_at_ms, at_ms, closed_by="down")
        return
    if not chain["flaps"]:
        chain["flap_from_ms"] = offline.started_at_ms
    chain["flaps"] = min(int(chain["flaps"]) + 1, MOST)
    chain["flap_until_ms"] = at_ms
    needed = int(ctx.policy_at(rule, "flaps", row) or 0)
    if chain["flaps"] >= needed and not _is_flapping(ctx, rule, row):
        _begin(ctx, rule, row, chain, at_ms)


def go_calm(ctx: Context, rule: str, row: int, chain: np.void, at_ms: int) -> None:
    """A heartbeat that ends no offline: the chain is over where there was calm since."""
    if chain["flaps"] and at_ms - chain["flap_until_ms"] > _intervals_ms(ctx, rule, row, "calm_intervals"):
        stop(ctx, rule, row, chain, int(chain["flap_until_ms"]), at_ms)


def stop(ctx: Context, rule: str, row: int, chain: np.void, ended_ms: int, at_ms: int, **said: Any) -> None:
    """End the chain, and its flapping where it had become one."""
    if _is_flapping(ctx, rule, row):
        evidence = said | {"offlines": int(chain["flaps"])}
        ctx.book.close(
            int(ctx.seal[row]), rule, FLAPPING, ended_at_ms=ended_ms, cleared_at_ms=at_ms, evidence=evidence
        )
    chain["flaps"] = 0


def _begin(ctx: Context, rule: str, row: int, chain: np.void, at_ms: int) -> None:
    version = ctx.terrain.version
    stands = ctx.stands_e7(row, version)
    ctx.book.raise_(
        int(ctx.seal[row]),
        ctx.seal_subjects[row],
        rule,
        FLAPPING,
        severity=ctx.severity(rule, row),
        started_at_ms=int(chain["flap_from_ms"]),
        raised_at_ms=at_ms,
        plan_version=version,
        evidence={
            "offlines": int(chain["flaps"]),
            "fixes": [] if stands is None else [place_evidence(at_ms, *stands)],
        },
    )


def _is_flapping(ctx: Context, rule: str, row: int) -> bool:
    return (rule, FLAPPING) in ctx.book.open_of(int(ctx.seal[row]))


def _intervals_ms(ctx: Context, rule: str, row: int, key: str) -> int:
    """So many heartbeats as the policy in force says."""
    assert ctx.heartbeat_ms is not None, "equipment of this version is judged"
    return round(float(ctx.policy_at(rule, key, row) or 0.0) * int(ctx.heartbeat_ms[row]))
