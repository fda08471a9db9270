"""What can go wrong in a simulation.

SimulatorError
    PlanError              a plan folder cannot be simulated: what, and what to do
    BrokerRefusedError     the broker answered, and said no
"""

from __future__ import annotations

__all__ = ["BrokerRefusedError", "PlanError", "SimulatorError"]


class SimulatorError(Exception):
    """Root of the simulator's errors; its text is meant for people."""


class PlanError(SimulatorError):
    """A plan folder lacks what a simulation needs, or does not fit it."""


class BrokerRefusedError(SimulatorError):
    """Wrong account, or an account that may not do this: waiting will not help."""
