"""A simulated seal's obedience: what it does and answers when it is told something. Pure: bytes and the time in, messages out.

After ``docs/commands.md``: each command is done at most once, however often it is delivered; never from its expiry on; never for
another seal. Whatever can be answered is answered. What it is told to refuse (a jammed motor, say) it refuses with that reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from simulators.wire import Message, Ping, flush, instant, topic_of

__all__ = ["KINDS", "ObedientSeal", "answer_topic", "command_topic"]

KINDS = ("position", "interval", "unlock")

REMEMBERED = 1_000
"""Answers kept to be given again; a command is delivered again within minutes, and a seal gets a handful a day."""


class Told(msgspec.Struct, frozen=True):
    """A command as it comes; what else it says is left alone."""

    id: str
    kind: str
    seal: str
    expires_at: str
    interval_s: int | None = None


class Said(msgspec.Struct, frozen=True, omit_defaults=True):
    """An answer."""

    id: str
    result: str
    time: str
    reason: str | None = None


_read = msgspec.json.Decoder(Told)
_write = msgspec.json.Encoder()


def command_topic(tenant: str, seal: str) -> str:
    """Where a seal is told what to do."""
    return f"eseal/v1/{tenant}/cmd/{seal}"


def answer_topic(tenant: str, seal: str) -> str:
    """Where it answers."""
    return f"eseal/v1/{tenant}/dev/{seal}/answer"


@dataclass
class ObedientSeal:
    """One seal that stands somewhere, locked. ``refuse``: reason by kind of what it will not do.

    ``done`` counts what was really done, by kind; ``not_understood`` what no command could be read from.
    """

    tenant: str
    id: str
    lon: float
    lat: float
    interval_s: int = 30
    lock: str = "closed"
    refuse: Mapping[str, str] = field(default_factory=dict)
    done: list[str] = field(default_factory=list)
    not_understood: int = 0
    _seq: int = 0
    _answers: dict[str, Said] = field(default_factory=dict)

    @property
    def has_reported(self) -> bool:
        """Whether it has sent any ping."""
        return self._seq > 0

    def ping(self, now_ms: int, *facts: str) -> Message:
        """A ping as the seal stands now."""
        self._seq += 1
        ping = Ping(
            time=instant(now_ms), lon=self.lon, lat=self.lat, valid=True, speed_kmh=0.0, accuracy_m=5, satellites=11,
            battery_pct=90, seq=self._seq, lock=self.lock, facts=facts, mode="awake", interval_s=self.interval_s,
        )  # fmt: skip
        return flush(topic_of(self.tenant, self.id), [ping])[0]

    def told(self, payload: bytes, now_ms: int) -> list[Message]:
        """Do what a command says, or not; the answer, and the ping that shows what was done. Nothing for what is no command."""
        try:
            command = _read.decode(payload)
            expires_ms = round(datetime.fromisoformat(command.expires_at).timestamp() * 1000)
        except ValueError:  # of msgspec and of the time alike: nobody could be answered
            self.not_understood += 1
            return []
        if (before := self._answers.get(command.id)) is not None:
            return [self._said(before)]
        reason = self._reason(command, now_ms, expires_ms)
        result = "done" if reason is None else "refused"
        answer = Said(command.id, result, instant(now_ms), reason)
        if len(self._answers) >= REMEMBERED:
            del self._answers[next(iter(self._answers))]
        self._answers[command.id] = answer
        return [self._said(answer), *(self._do(command, now_ms) if reason is None else ())]

    def _reason(self, command: Told, now_ms: int, expires_ms: int) -> str | None:
        """Why not; None: nothing speaks against it."""
        if command.seal != self.id:
            return "another_seal"
        if now_ms >= expires_ms:
            return "expired"
        if command.kind not in KINDS or (command.kind == "interval" and not command.interval_s):
            return "not_supported"
        return self.refuse.get(command.kind)

    def _do(self, command: Told, now_ms: int) -> list[Message]:
        self.done.append(command.kind)
        if command.kind == "unlock":
            self.lock = "open"
            return [self.ping(now_ms, "unlock_ok")]
        if command.interval_s is not None:
            self.interval_s = command.interval_s
        return [self.ping(now_ms)]

    def _said(self, answer: Said) -> Message:
        return Message(answer_topic(self.tenant, self.id), _write.encode(answer), 0)
