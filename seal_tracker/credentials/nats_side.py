"""The service's side of NATS: it answers who may come in, and puts out who may no longer.

State: two connections, which come back by themselves. While the service is away nobody new comes in; who is in stays. Everything
runs on the event loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import nats
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error

from seal_tracker.credentials.callout import Issuer
from seal_tracker.metrics import SEAL_SIGN_INS

__all__ = ["NatsAddress", "NatsSide"]

log = structlog.get_logger(__name__)

QUESTION: Final = "$SYS.REQ.USER.AUTH"
CONNECTIONS: Final = "$SYS.REQ.SERVER.PING.CONNZ"
KICK: Final = "$SYS.REQ.SERVER.{server}.KICK"
ANSWER_S: Final = 2.0
RETRY_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class NatsAddress:
    """Where NATS speaks its own protocol, the service's account there, and that of its system account."""

    host: str
    port: int
    service: tuple[str, str]
    system: tuple[str, str]
    seed: str


class NatsSide:
    """Keep ``run`` running; ``put_out`` a seal whose password has been changed or taken back."""

    def __init__(self, address: NatsAddress, issuer: Issuer, clock_ms: Callable[[], int]) -> None:
        self._address = address
        self._issuer = issuer
        self._clock_ms = clock_ms
        self._system: Client | None = None

    async def run(self) -> None:
        """Answer the broker, for ever. Ends by cancellation."""
        while True:
            asks = system = None
            try:
                asks, system = (
                    await self._connect(self._address.service),
                    await self._connect(self._address.system),
                )
                self._system = system
                await asks.subscribe(QUESTION, cb=self._asked)
                await asyncio.Event().wait()
            except (Error, OSError, TimeoutError) as error:
                log.warning("callout.not_connected", error=repr(error))
                await asyncio.sleep(RETRY_S)
            finally:
                self._system = None
                for connection in (asks, system):
                    if connection is not None:
                        with suppress(Error, OSError, asyncio.CancelledError):
                            await connection.close()

    async def put_out(self, seal: str) -> int:
        """End the connections of a seal; they may come back with a password that holds. How many there were."""
        if self._system is None:
            return 0
        found = await self._ask(CONNECTIONS, {"auth": True, "user": seal})
        if found is None:
            return 0
        server, connections = found["server"]["id"], found.get("data", {}).get("connections", [])
        for connection in connections:
            await self._ask(KICK.format(server=server), {"cid": connection["cid"]})
        return len(connections)

    async def _connect(self, account: tuple[str, str]) -> Client:
        user, password = account
        url = f"nats://{self._address.host}:{self._address.port}"
        return await nats.connect(
            url, user=user, password=password, allow_reconnect=True, max_reconnect_attempts=-1,
            reconnect_time_wait=RETRY_S, error_cb=self._troubled, connect_timeout=5,
        )  # fmt: skip

    async def _troubled(self, error: Exception) -> None:
        log.warning("callout.trouble", error=repr(error))

    async def _asked(self, message: Msg) -> None:
        try:
            answer, seal = self._issuer.answer(message.data, self._clock_ms() // 1000)
        except ValueError as error:
            log.warning("callout.not_understood", error=str(error))
            return
        SEAL_SIGN_INS.labels("accepted" if seal else "refused").inc()
        await message.respond(answer)

    async def _ask(self, subject: str, question: dict[str, Any]) -> dict[str, Any] | None:
        assert self._system is not None, "looked at before"
        try:
            answer = await self._system.request(subject, msgspec.json.encode(question), timeout=ANSWER_S)
        except (Error, TimeoutError) as error:
            log.warning("callout.system_silent", subject=subject, error=repr(error))
            return None
        found: dict[str, Any] = msgspec.json.decode(answer.data)
        return found
