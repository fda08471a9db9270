"""What can go wrong in a simulation.

SimulatorError
    PlanError              a plan folder cannot be simulated: what, and what to do
    ScenarioError          a scenario file is wrong: file, key, what, why, remedy
    ScoreError             truth or events cannot be read
    BrokerRefusedError     the broker answered, and said no
    BrokerAwayError        no broker answers where it should be
"""

from __future__ import annotations

__all__ = [
    "BrokerAwayError",
    "BrokerRefusedError",
    "PlanError",
    "ScenarioError",
    "ScoreError",
    "SimulatorError",
]


class SimulatorError(Exception):
    """Root of the simulator's errors; its text is meant for people."""


class PlanError(SimulatorError):
    """A plan folder lacks what a simulation needs, or does not fit it."""


class ScenarioError(SimulatorError):
    """A scenario cannot be run as it is written.

    Attributes
    ----------
    file, key
        where, the key as a path such as ``script[2].who``; empty: the file as a whole.
    what, why, remedy
        what is wrong, why that is, and what to write instead.
    """

    def __init__(self, file: str, key: str, what: str, why: str, remedy: str) -> None:
        super().__init__(f"{file}: {key + ': ' if key else ''}{what}; {why}: {remedy}")
        self.file, self.key, self.what, self.why, self.remedy = file, key, what, why, remedy


class ScoreError(SimulatorError):
    """A truth or a file of events cannot be read: which line, why, and what makes such a file."""


class BrokerRefusedError(SimulatorError):
    """Wrong account, or an account that may not do this: waiting will not help."""


class BrokerAwayError(SimulatorError):
    """Nobody answers at the broker's address; ``reason`` is what the system says of it."""

    def __init__(self, host: str, port: int, reason: str) -> None:
        super().__init__(
            f"no broker at {host}:{port} ({reason}): start it, or say where it is by --host and --port"
        )
        self.reason = reason
