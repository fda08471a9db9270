"""What became of each message and connection: counted where it happens, and nothing twice. Pure but for its state.

due ── sent ── acknowledged
 │       ├──── refused, by name (MQTT 5 says so; a broker of 3.1.1 may drop what it acknowledges)
 │       └──── in flight: the broker has said nothing
 └──── unsent: due, and never handed to a connection
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

__all__ = ["Tally"]


@dataclass(slots=True)
class Tally:
    """Messages and connections; ``resent`` are repetitions of what was sent, and not in ``sent``."""

    due: int = 0
    sent: int = 0
    acknowledged: int = 0
    without_subscriber: int = 0
    """Of those acknowledged: the broker says that nobody has subscribed them."""
    resent: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    connections: int = 0
    connections_refused: Counter[str] = field(default_factory=Counter)
    connections_lost: Counter[str] = field(default_factory=Counter)

    @property
    def in_flight(self) -> int:
        """Sent, and the broker has said neither yes nor no."""
        return self.sent - self.acknowledged - self.refused.total()

    @property
    def unsent(self) -> int:
        """Due, and not sent."""
        return self.due - self.sent
