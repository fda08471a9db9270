"""From raw messages to pings by space, dead letters, and the service's own canary. Pure.

Every message ends in exactly one place: pings, dead letters, the canary, or a count under its name.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from seal_tracker.decoders.columns import time_ms
from seal_tracker.decoders.errors import DecodeError
from seal_tracker.decoders.formats import formats
from seal_tracker.decoders.heartbeat import decode_status
from seal_tracker.decoders.native import NativePing, decode
from seal_tracker.downlink.messages import SealAnswer
from seal_tracker.facts.catalog import FACT_READERS
from seal_tracker.facts.reading import FactError
from seal_tracker.facts.settling import Noted
from seal_tracker.model import EPOCH, LIVE, DeadLetter
from seal_tracker.plans.model import Equipment
from seal_tracker.publishing.errors import TopicError
from seal_tracker.publishing.topics import ANSWER, FACTS, Address, parse, replayed_arrival
from seal_tracker.sources.framing import RawMessage
from seal_tracker.tracking.heartbeats import device_name

__all__ = ["Intake", "SpaceIntake", "take_in"]


@dataclass
class SpaceIntake:
    """What arrived for one space: pings beside their seals' names and arrival times, dead letters, counts, equipment's facts."""

    pings: list[NativePing] = field(default_factory=list)
    seals: list[str] = field(default_factory=list)
    received_ms: list[int] = field(default_factory=list)
    dead_letters: list[DeadLetter] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    facts: list[Noted] = field(default_factory=list)

    def halves(self) -> tuple[SpaceIntake, SpaceIntake]:
        """The pings in two parts; what else arrived is with the first."""
        at = len(self.pings) // 2
        first = SpaceIntake(
            self.pings[:at],
            self.seals[:at],
            self.received_ms[:at],
            self.dead_letters,
            self.counts,
            self.facts,
        )
        return first, SpaceIntake(self.pings[at:], self.seals[at:], self.received_ms[at:])


@dataclass
class Intake:
    """A batch of messages, sorted out. ``canary_ms``: the newest time that came back from ourselves; ``answers``: of seals, to commands."""

    spaces: dict[str, SpaceIntake] = field(default_factory=dict)
    canary_ms: int | None = None
    answers: list[SealAnswer] = field(default_factory=list)

    def of(self, space: str) -> SpaceIntake:
        """What arrived for a space."""
        return self.spaces.setdefault(space, SpaceIntake())


def take_in(
    messages: Iterable[RawMessage],
    *,
    tenant: str,
    instance: str,
    known_spaces: Sequence[str],
    equipment: Mapping[str, Mapping[str, Equipment]] | None = None,
    again: Iterable[RawMessage] = (),
) -> Intake:
    """Sort out messages; nothing that arrives raises. ``equipment`` is what each space's plan knows, by id.

    ``again`` are parts of messages that were read before (see ``joining``): they are counted.
    """
    out = Intake()
    for message in messages:
        try:
            address = parse(message.topic, tenant)
        except TopicError as fault:
            _refuse(out, LIVE, message, str(fault))
            continue
        if address.kind == "svc":
            _canary(out, address, message, instance)
        elif address.space not in known_spaces:
            _refuse(
                out,
                LIVE,
                message,
                f"space {address.space!r}: no such exercise; make it first (POST /api/v1/spaces)",
            )
        elif address.kind == "dev" and address.leaf == "ping":
            _pings(out.of(address.space), address, message)
        elif address.kind == "dev" and address.leaf == ANSWER and address.space == LIVE:
            out.answers.append(SealAnswer(address.id, message))
        elif address.kind == "equip" and address.leaf in EQUIPMENT_TELLS:
            EQUIPMENT_TELLS[address.leaf](out, address, message, (equipment or {}).get(address.space, {}))
        elif address.kind == "raw":
            _frames(out.of(address.space), address, message)
        else:
            out.of(address.space).counts["status_not_judged"] += 1
    for message in again:
        _part_again(out, message, tenant, known_spaces)
    return out


def _part_again(out: Intake, message: RawMessage, tenant: str, known_spaces: Sequence[str]) -> None:
    """Count it where its message went; that of another tenant or of no space was refused, and is told already."""
    with suppress(TopicError):
        address = parse(message.topic, tenant)
        if address.space in known_spaces:
            out.of(address.space).counts["frame_part_again"] += 1


def _refuse(out: Intake, space: str, message: RawMessage, reason: str) -> None:
    letter = DeadLetter(message.received_ms, message.topic, message.payload, reason, space)
    out.of(space).dead_letters.append(letter)


def _canary(out: Intake, address: Address, message: RawMessage, instance: str) -> None:
    """Believe our own canary alone; another instance's has nothing to do with how far we are behind."""
    if address.id != instance:
        return
    try:
        at = time_ms(decode(message.payload).pings[0].time)
    except (DecodeError, IndexError):
        _refuse(out, address.space, message, "canary: not one of ours")
        return
    out.canary_ms = at if out.canary_ms is None else max(at, out.canary_ms)


def _fact(out: Intake, address: Address, message: RawMessage, known: Mapping[str, Equipment]) -> None:
    """What a piece of equipment recorded; replayed, it is of another time than it arrives."""
    one = known.get(address.id)
    if one is None:
        reason = f"equipment {address.id!r}: is not in the plan; add it to equipment.jsonl"
        return _refuse(out, address.space, message, reason)
    read = FACT_READERS.get(address.leaf)
    if read is None:
        return _refuse(out, address.space, message, f"{address.leaf}: this version of the service takes none")
    try:
        fact = read(message.payload, one, message.received_ms, address.space == LIVE)
    except FactError as fault:
        return _refuse(out, address.space, message, str(fault))
    out.of(address.space).facts.append(Noted(fact, message.topic))
    return None


def _heartbeat(out: Intake, address: Address, message: RawMessage, known: Mapping[str, Equipment]) -> None:
    """A status of equipment is a ping of its device; one kept by the broker says nothing of now unless it is dated."""
    if address.id not in known:
        reason = f"equipment {address.id!r}: is not in the plan; add it to equipment.jsonl"
        return _refuse(out, address.space, message, reason)
    try:
        ping = decode_status(message.payload, message.received_ms, check_clock=address.space == LIVE)
    except DecodeError as fault:
        return _refuse(out, address.space, message, str(fault))
    into = out.of(address.space)
    if message.retain and time_ms(ping.time) == message.received_ms:
        into.counts["status_retained"] += 1
        return None
    into.pings.append(ping)
    into.seals.append(device_name(address.id))
    into.received_ms.append(message.received_ms)
    return None


EQUIPMENT_TELLS = {"status": _heartbeat} | dict.fromkeys(FACTS, _fact)
"""What takes in what equipment publishes, by leaf."""


def _pings(into: SpaceIntake, address: Address, message: RawMessage) -> None:
    try:
        decoded = decode(message.payload, address.id)
    except DecodeError as fault:
        into.dead_letters.append(
            DeadLetter(message.received_ms, message.topic, message.payload, str(fault), address.space)
        )
        return
    n = len(decoded.pings)
    into.pings += decoded.pings
    into.seals += [address.id] * n
    into.received_ms += [message.received_ms] * n
    for bad in decoded.faults:
        into.dead_letters.append(
            DeadLetter(message.received_ms, message.topic, bad.payload, bad.reason, address.space)
        )


def _frames(into: SpaceIntake, address: Address, message: RawMessage) -> None:
    """A vendor's frames: their pings are the topic's device's, by its gateway; what is wrong in them is kept with its bytes."""

    def bury(payload: bytes, reason: str) -> None:
        into.dead_letters.append(
            DeadLetter(message.received_ms, message.topic, payload, reason, address.space)
        )

    protocol, arrival_ms = replayed_arrival(address)
    found = formats().get(protocol)
    if found is None:
        return bury(message.payload, f"protocol {protocol!r}: no decoder; known are {', '.join(formats())}")
    try:
        answer = found.decode(message.payload, address.id)
    except DecodeError as fault:
        return bury(message.payload, str(fault))
    n = len(answer.pings)
    if address.gateway is not None:
        for ping in answer.pings:
            ping.gateway = address.gateway
    if arrival_ms is not None:
        arrived = EPOCH + dt.timedelta(milliseconds=arrival_ms)
        for ping in answer.pings:
            ping.received = arrived
    into.pings += answer.pings
    into.seals += [address.id] * n
    into.received_ms += [message.received_ms] * n
    if answer.nothing:
        into.counts["frame_holds_no_ping"] += len(answer.nothing)
    for bad in answer.faults:
        bury(bad.payload, bad.reason)
    return None
