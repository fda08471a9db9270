"""What commands expect to go wrong, by exit code."""

from __future__ import annotations

from seal_tracker.commands.errors import CommandError
from seal_tracker.config import ConfigError
from seal_tracker.embedded import EmbeddedError
from seal_tracker.opening import PlanFaultyError
from seal_tracker.planning import PlanRefusedError
from seal_tracker.store import StoreError
from seal_tracker.web.account_files import AccountsError

__all__ = ["CONFIGURATION", "EXPECTED"]

CONFIGURATION = (ConfigError, AccountsError)
EXPECTED = (CommandError, PlanFaultyError, PlanRefusedError, EmbeddedError, StoreError, OSError)
