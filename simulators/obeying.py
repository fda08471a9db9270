"""Seals that obey, over MQTT: each comes in by its own account, reports at its interval, and does what it is told.

State: the seal's. The session is durable, so what is published while the seal is away waits for it at the broker, as it would for a
real one. One event loop; ends by cancellation, or once ``stop`` is set.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from time import time

import aiomqtt
import structlog

from simulators.errors import BrokerRefusedError
from simulators.obedient import ObedientSeal, command_topic
from simulators.publisher import REFUSALS, Account
from simulators.wire import Message

__all__ = ["obey"]

RETRY_S = 1.0

log = structlog.get_logger(__name__)


async def obey(
    seal: ObedientSeal,
    account: Account,
    *,
    stop: asyncio.Event,
    heard: Callable[[bytes, Iterable[Message]], None] | None = None,
) -> None:
    """Be that seal until ``stop``; ``heard`` is told each command and what it led to.

    Raises
    ------
    BrokerRefusedError
        The broker does not let the seal in, or read its commands.
    """
    ending = asyncio.create_task(stop.wait())
    while not stop.is_set():
        work = asyncio.create_task(_connected(seal, account, heard))
        await asyncio.wait({work, ending}, return_when=asyncio.FIRST_COMPLETED)
        if stop.is_set():
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
            break
        try:
            await work
        except aiomqtt.MqttError as error:
            code = getattr(getattr(error, "rc", None), "value", getattr(error, "rc", None))
            if code in REFUSALS:
                ending.cancel()
                raise BrokerRefusedError(
                    f"{account.host}:{account.port} does not let {account.username!r} in ({error}): give the password of the "
                    "seal's own account (POST /api/v1/seals/ID/account)"
                ) from error
            log.warning("connection to the broker lost", seal=seal.id, reason=str(error), again_in_s=RETRY_S)
            await asyncio.sleep(RETRY_S)
        except BrokerRefusedError:
            ending.cancel()
            raise


async def _connected(
    seal: ObedientSeal, account: Account, heard: Callable[[bytes, Iterable[Message]], None] | None
) -> None:
    """One connection: pings beside commands."""
    client = aiomqtt.Client(
        account.host, account.port, username=account.username, password=account.password,
        identifier=f"seal-{seal.id}", clean_session=False,
    )  # fmt: skip
    async with client:
        (answer,) = await client.subscribe(command_topic(seal.tenant, seal.id), qos=1)
        if (answer if isinstance(answer, int) else answer.value) >= 0x80:  # noqa: PLR2004 - MQTT's refusal
            raise BrokerRefusedError(
                f"the broker does not let seal {seal.id} read its commands: are they on (SEAL_TRACKER_COMMANDS)?"
            )
        reporting = asyncio.create_task(_report(seal, client))
        try:
            async for message in client.messages:
                said = seal.told(message.payload, _now_ms())
                for one in said:
                    await client.publish(one.topic, one.payload, qos=1)
                if heard is not None:
                    heard(message.payload, said)
        finally:
            reporting.cancel()
            await asyncio.gather(reporting, return_exceptions=True)


async def _report(seal: ObedientSeal, client: aiomqtt.Client) -> None:
    """Pings at the seal's interval, whatever that is by then."""
    last_s = 0.0
    while True:
        if time() - last_s >= seal.interval_s:
            last_s = time()
            ping = seal.ping(_now_ms())
            await client.publish(ping.topic, ping.payload, qos=1)
        await asyncio.sleep(0.5)


def _now_ms() -> int:
    return round(time() * 1000)
