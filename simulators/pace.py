"""The clock a demo runs by. Pure.

Two limits hold it. Pings must not be dated ahead of the real clock: the service takes a device clock more than 5 minutes ahead for
wrong. And they must not lag behind it by 10 minutes: the service would take every seal for lost. So a demo that is to run faster than
life starts nearly 3 minutes in the past, runs ``speed`` times as fast until it has caught up with the real clock, and goes on at its
pace: at speed 8 that is 24 seconds of fast driving. At speed 1 it starts at the real time.

A seal reports every 30 to 60 simulated seconds while the clock runs fast (every 4 to 8 real ones at speed 8), and every 5 to 10
seconds from when it has caught up: one sees trucks move all the time.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["LAG_MS", "Pace"]

LAG_MS = 170_000
"""What a fast clock starts behind: far below the 10 minutes after which silence is an event, and little enough that the page, which greys
whoever was last heard of 3 minutes ago, shows the fleet alive from the start."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Maps seconds since the start to simulated time and back; ``started_ms`` is the real clock at the start."""

    started_ms: int
    speed: float

    def __post_init__(self) -> None:
        if not self.speed >= 1.0:
            raise ValueError(f"speed is {self.speed!r}: a demo runs at least as fast as life, so 1 or more")

    @property
    def caught_up_s(self) -> float:
        """Seconds after the start at which the simulated clock is the real one."""
        return LAG_MS / 1000.0 / (self.speed - 1.0) if self.speed > 1.0 else 0.0

    @property
    def caught_up_ms(self) -> int:
        """The same moment as a time."""
        return self.started_ms + round(self.caught_up_s * 1000.0)

    def simulated_ms(self, after_s: float) -> int:
        """Simulated time so many seconds after the start; never ahead of the real clock."""
        if after_s >= self.caught_up_s:
            return self.started_ms + round(after_s * 1000.0)
        return self.started_ms - LAG_MS + round(after_s * self.speed * 1000.0)

    def after_s(self, simulated_ms: int) -> float:
        """When it is that time, in seconds after the start; negative if it was before."""
        if simulated_ms >= self.caught_up_ms:
            return (simulated_ms - self.started_ms) / 1000.0
        return (simulated_ms - self.started_ms + LAG_MS) / 1000.0 / self.speed
