"""Seals that are not heard of: from when on, for want of better, they count as standing where they were last seen. Pure.

Between two reports nobody knows how far a truck has come, and supposing each time that it stands still would have it late
with every report that is due a little later. So a rule that time alone can raise, by what a track would show, waits until
the seal has been unheard of for longer than it is when all is well. Rules that do state ``UNHEARD_KEYS`` among theirs.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from seal_tracker.rules.context import Context
from seal_tracker.rules.keys import PolicyKey
from seal_tracker.rules.table import whole

__all__ = ["NEVER_MS", "SILENCE_MS", "UNHEARD_KEYS", "quiet_ms", "unheard_ms"]

NEVER_MS = np.iinfo(np.int64).max
"""When nothing is due."""

SILENCE_MS = 3_600_000
"""Time is let pass before the ping that ends a silence longer than this; the least that ``unheard_s`` may be, therefore."""

UNHEARD_KEYS = {
    "unheard_s": PolicyKey(
        "number",
        3900.0,
        "seconds without a ping after which it counts as standing where it was last seen",
        minimum=SILENCE_MS / 1000,
    ),
    "unheard_intervals": PolicyKey("number", 3.0, "and at least so many of the reports it owes", minimum=1),
}


def unheard_ms(ctx: Context, rule: str) -> NDArray[np.int64]:
    """When each row of a pass, on a journey, has been unheard of for long enough, if no ping comes until then."""
    track = ctx.state["track"]
    owed_ms = track["last_interval_s"] * whole(ctx.policy(rule, "unheard_intervals"), 1000)
    since_ms = np.maximum(track["last_ms"], track["phase_ms"])
    found: NDArray[np.int64] = since_ms + np.maximum(owed_ms, whole(ctx.policy(rule, "unheard_s"), 1000))
    return found


def quiet_ms(track: NDArray[np.void], silence: NDArray[np.void]) -> NDArray[np.int64]:
    """Until when seals may be silent after their newest ping before that alone brings anything: at least so long.

    ``silence`` is what `SIGNAL_LOST` carries of them; every other rule waits until they are unheard of.
    """
    limit_ms = silence["limit_ms"]
    waits_ms = np.where(limit_ms > 0, np.minimum(limit_ms, SILENCE_MS), SILENCE_MS)
    found: NDArray[np.int64] = np.maximum(track["last_ms"], track["phase_ms"]) + waits_ms
    return found
