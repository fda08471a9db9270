"""The alerts that come back: who listens, and which message each alert is of.

An alert is known by its seal and by when its episode began, which is the time of the fix that raised it, to the millisecond. Others (of a load
before, of other seals) are counted and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable

import aiomqtt
import msgspec

from simulators.errors import BrokerAwayError, BrokerRefusedError
from simulators.load.latency import Latency
from simulators.publisher import Account

__all__ = ["EVENT", "Alerts"]

EVENT = "SEAL_TAMPER"
"""What a cut lock raises at once, whatever a plan's policy waits for elsewhere."""
CONNECT_S = 20.0
REFUSED = 0x80


class _Properties(msgspec.Struct):
    transition: str
    seal: str | None
    started_at: str


class _Feature(msgspec.Struct):
    properties: _Properties


class _Alert(msgspec.Struct):
    """What is needed of a CloudEvent."""

    data: _Feature


_decode = msgspec.json.Decoder(_Alert).decode


class Alerts:
    """Matches alerts to the messages that raised them.

    State: what is awaited, by seal and time; how long came what came, from when its message was due (``response``) and
    from when that was written (``service``).
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self.came = self.strange = self.unreadable = 0
        self.response, self.service = Latency(), Latency()
        self._clock = clock
        self._awaited: dict[tuple[str, str], tuple[int, float]] = {}
        self._samples: tuple[list[float], list[float]] = ([], [])
        self.left_s: dict[int, float | None] = {}
        """Shared with who sends: when each message was first written."""

    @property
    def missing(self) -> int:
        """How many have not come."""
        return len(self._awaited)

    def expect(self, key: tuple[str, str], message: int, due_s: float) -> None:
        """A message that is due now must raise an alert."""
        self._awaited[key] = (message, due_s)
        self.left_s[message] = None

    def forget_unsent(self) -> None:
        """Wait no longer for the alerts of messages that never left."""
        self._awaited = {
            key: (k, due) for key, (k, due) in self._awaited.items() if self.left_s[k] is not None
        }

    def receive(self, payload: bytes) -> None:
        """Take an alert that has just arrived."""
        now_s = self._clock()
        try:
            said = _decode(payload).data.properties
        except msgspec.MsgspecError:
            self.unreadable += 1
            return
        if said.transition != "raised":
            return
        found = self._awaited.pop((said.seal or "", said.started_at), None)
        if found is None:
            self.strange += 1
            return
        message, due_s = found
        self.came += 1
        self._samples[0].append(now_s - due_s)
        self._samples[1].append(now_s - (self.left_s.pop(message) or due_s))

    def settle(self) -> None:
        """Put what was measured since the last time into the histograms."""
        for latency, samples in zip((self.response, self.service), self._samples, strict=True):
            if samples:
                latency.record(samples)
                samples.clear()

    async def listen(self, account: Account, root: str, ready: Callable[[], None]) -> None:
        """Receive alerts until cancelled; ``ready`` is called once they would come.

        Raises
        ------
        BrokerAwayError, BrokerRefusedError
            The broker is away, lost, or does not let the account read alerts.
        """
        topic = f"{root}/evt/+/{EVENT}/#"
        whom = f"{account.host}:{account.port} as {account.username!r}"
        try:
            async with aiomqtt.Client(
                account.host,
                account.port,
                username=account.username,
                password=account.password,
                timeout=CONNECT_S,
                max_queued_incoming_messages=0,
            ) as client:
                [code] = await client.subscribe(topic, 1)
                if (code if isinstance(code, int) else code.value) >= REFUSED:
                    raise BrokerRefusedError(
                        f"{whom} may not read {topic}: give --alerts-username and the password of an account that may"
                    )
                ready()
                async for message in client.messages:
                    assert isinstance(message.payload, bytes)
                    self.receive(message.payload)
        except aiomqtt.MqttCodeError as error:
            raise BrokerRefusedError(
                f"{whom}, to read alerts: {error}: give --alerts-username and the password of an account that may"
            ) from error
        except aiomqtt.MqttError as error:
            raise BrokerAwayError(
                account.host, account.port, f"{error}, while listening for alerts"
            ) from error
