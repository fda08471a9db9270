"""Signs where the ledger ends, every half minute while it grows, keeps the checkpoint and tells it to the world.

On MQTT it is retained: whoever subscribes, and keeps what comes, holds what nobody here can take back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from seal_tracker.ledger.chain import Head, Link
from seal_tracker.ledger.checkpoints import (
    CheckpointError,
    StoredCheckpoint,
    public_bytes,
    read_checkpoint,
    sign,
    sign_checkpoint,
)
from seal_tracker.store import StoreError

__all__ = ["Checkpointer"]

EVERY_S: Final = 30.0
"""Checkpoints are promised at most 60 s apart; one attempt may fail."""

log: Any = structlog.get_logger(__name__)


class LedgerStore(Protocol):
    """What is asked of the store."""

    async def ledger_head(self) -> Head: ...
    async def ledger_checkpoints(self, before: int | None, limit: int) -> list[StoredCheckpoint]: ...
    async def add_ledger_checkpoint(self, checkpoint: StoredCheckpoint) -> None: ...
    async def link_run(self, first: int, last: int, whole: Sequence[int]) -> list[Link]: ...


class Checkpointer:
    """Call `resume` once, then keep `run` running; `sign_now` where the end must be covered at once.

    Parameters
    ----------
    ledger
        The ledger's name in its checkpoints, as events' ``source``.
    publish
        Takes each new checkpoint, and at a start the newest one; must not block.
    """

    def __init__(
        self,
        store: LedgerStore,
        key: Ed25519PrivateKey,
        ledger: str,
        publish: Callable[[bytes], None],
        *,
        clock_ms: Callable[[], int],
    ) -> None:
        self.ledger = ledger
        self.key = public_bytes(key)
        self._store = store
        self._private = key
        self._publish = publish
        self._clock_ms = clock_ms
        self._signed = 0
        self._turn = asyncio.Lock()

    async def resume(self) -> None:
        """Publish the newest checkpoint again, and say loudly where the ledger is not what it signed."""
        for newest in await self._store.ledger_checkpoints(None, 1):
            self._signed = newest.number
            self._publish(newest.jws.encode())
            await self._doubt(newest)
        await self.sign_now()

    async def run(self) -> None:
        """Sign now and then. Ends by cancellation; a database that is away is tried again at the next turn."""
        while True:
            await asyncio.sleep(EVERY_S)
            try:
                await self.sign_now()
            except StoreError as error:
                log.warning("ledger.not_signed", error=str(error))

    async def sign_now(self) -> None:
        """Sign the present end, unless that was done.

        Raises
        ------
        StoreError
            The database is away.
        """
        async with self._turn:
            head = await self._store.ledger_head()
            if head.number in (self._signed, 0):
                return
            checkpoint = sign_checkpoint(self._private, self.ledger, head, self._clock_ms())
            await self._store.add_ledger_checkpoint(checkpoint)
            self._signed = head.number
            self._publish(checkpoint.jws.encode())

    def sign(self, typ: str, payload: dict[str, Any]) -> str:
        """A JWS of something else that this service vouches for, such as the contents of a bundle."""
        return sign(self._private, typ, payload)

    async def _doubt(self, newest: StoredCheckpoint) -> None:
        """A ledger that was shortened or made anew while we were down is not ours to mend, but to tell."""
        try:
            said = read_checkpoint(newest.jws)
        except CheckpointError as error:
            log.critical("ledger.checkpoint_damaged", number=newest.number, error=str(error))
            return
        links = await self._store.link_run(said.number, said.number, ())
        if not links or links[0].hash != said.hash:
            log.critical(
                "ledger.not_as_signed",
                number=said.number,
                signed_at=said.time,
                found="another link" if links else "no such link",
                remedy="seal-tracker ledger verify",
            )
