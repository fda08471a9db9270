"""Whose clock a person's deed is dated by."""

from __future__ import annotations

from collections.abc import Callable

from seal_tracker.model import LIVE
from seal_tracker.space import SpaceJudge

__all__ = ["space_now_ms"]


def space_now_ms(judging: SpaceJudge, clock_ms: Callable[[], int]) -> int:
    """Now in a space, epoch ms: of the live one our clock's; an exercise's clock is its own, once it has any."""
    own = judging.now_ms if judging.space != LIVE else None
    return clock_ms() if own is None else own
