"""What the routes of the ledger must be given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from seal_tracker.ledger.chain import Link
from seal_tracker.ledger.checkpoints import StoredCheckpoint

__all__ = ["LedgerReading", "LedgerSigner"]


class LedgerReading(Protocol):
    """What is read from the store."""

    async def links(self, before: int | None, limit: int, journey: str | None = None) -> Sequence[Link]:
        """Links before a number (None: from the last one), newest first, with empty bodies; of one journey where given."""

    async def link_numbers(self, journey: str) -> Sequence[int]:
        """Numbers of the links that tell of a journey, in order."""

    async def link_run(self, first: int, last: int, whole: Sequence[int]) -> Sequence[Link]:
        """Links of [first, last] in order; those not among ``whole`` with an empty body."""

    async def ledger_checkpoints(self, before: int | None, limit: int) -> Sequence[StoredCheckpoint]:
        """Checkpoints of links before a number (None: from the newest), newest first."""

    async def checkpoints_covering(self, numbers: Sequence[int]) -> dict[int, StoredCheckpoint]:
        """Of each link the checkpoint that covers it soonest."""


class LedgerSigner(Protocol):
    """What signs the ledger; ``key`` is its raw public key, ``ledger`` the ledger's name."""

    ledger: str
    key: bytes

    async def sign_now(self) -> None:
        """Cover the ledger's end by a checkpoint."""

    def sign(self, typ: str, payload: dict[str, Any]) -> str:
        """A JWS of a payload."""
