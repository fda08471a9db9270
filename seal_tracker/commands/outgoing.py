"""What a replay publishes: the pings of a trace, or recorded messages byte for byte, each with its topic and when it is due. Pure but for reading.

Sent as recorded, a message keeps its bytes and goes through the same decoder as when it came from its device. What the bytes do not say is
when they arrived; in an exercise the topic says it (`replayed_topic`), and a heartbeat of equipment is given its time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import click

from seal_tracker.commands.errors import CommandError
from seal_tracker.decoders.errors import DecodeError
from seal_tracker.decoders.heartbeat import decode_status, encode_status
from seal_tracker.intake import take_in
from seal_tracker.joining import Joining
from seal_tracker.model import EQUIPMENT_PREFIX, LIVE, NO_TIME
from seal_tracker.plans.model import Equipment
from seal_tracker.publishing.errors import TopicError
from seal_tracker.publishing.topics import device_topic, fact_topic, frame_topic, replayed_topic
from seal_tracker.sources.file import open_trace
from seal_tracker.sources.framing import RawMessage
from seal_tracker.sources.recording import Recording, by_arrival, device_of, fact_leaf, read_recording
from seal_tracker.sources.trace import Trace

__all__ = ["Message", "Outgoing", "of_recording", "of_trace", "recorded_in"]

NATIVE: Final = "native"
"""The format of a seal's own pings."""

SHOWN_FAULTS: Final = 10
"""Lines told one by one; the rest are counted."""

SUFFIXES: Final = (".ndjson", ".jsonl")


class Message(NamedTuple):
    """One publication; ``due_ms`` is when it arrived at the time, ``NO_TIME`` where nobody knows."""

    topic: str
    payload: bytes
    due_ms: int


@dataclass(frozen=True, slots=True)
class Outgoing:
    """All publications in their order; ``accounted`` is how many pings and dead letters they make, new or stored already."""

    messages: Iterable[Message]
    total: int
    accounted: int
    first_ms: int


class _Everything(dict[str, Equipment]):
    """Holds any id, a weighbridge of that name."""

    def __contains__(self, _: object) -> bool:
        return True

    def get(self, name: str, _default: object = None) -> Equipment:
        return Equipment(name, "weighbridge", 0.0, 0.0, 60.0)


def of_trace(trace: Trace, tenant: str, space: str) -> Outgoing:
    """Each ping of a trace by itself, as its device would send it."""

    def messages() -> Iterator[Message]:
        facts = [
            Message(fact_topic(tenant, f.equipment, f.leaf, space), f.payload, f.arrival_ms)
            for f in trace.facts
        ]
        facts.sort(key=lambda message: message.due_ms, reverse=True)
        for m in trace.messages():
            while facts and facts[-1].due_ms <= m.arrival_ms:
                yield facts.pop()
            yield Message(device_topic(tenant, m.seal, space), m.payload, m.arrival_ms)
        yield from reversed(facts)

    return Outgoing(messages(), len(trace) + len(trace.facts), len(trace), int(trace.arrival_ms[0]))


def recorded_in(file: Path) -> Recording:
    """The messages recorded in a file, `.gz` too; lines that are none are told on standard error, and the rest stands.

    Raises
    ------
    CommandError
        The file is of another kind, or has no message.
    """
    if not file.name.removesuffix(".gz").endswith(SUFFIXES):
        raise CommandError(f"{file}: --raw takes recorded messages, in a file that ends in .ndjson or .jsonl")
    try:
        with open_trace(file) as lines:
            found = read_recording(lines, str(file))
    except OSError as error:
        raise CommandError(f"{file}: cannot be read: {error.strerror or error}") from error
    _tell([str(fault) for fault in found.faults])
    if not found.messages:
        raise CommandError(f"{file}: no message in it can be sent")
    return found


def of_recording(recording: Recording, tenant: str, space: str, *, paced: bool) -> Outgoing:
    """Recorded messages byte for byte, but for two things in an exercise. Parts of one message are put together as they arrived at the
    time. And a heartbeat is given its time; one that could not be believed at the time, or that nobody can date, is told on standard error
    and left out: the exercise would take it for what it is not.

    Raises
    ------
    CommandError
        They are to keep their gaps, and no line says when it was received; or a name fits no topic.
    """
    due = by_arrival(recording.messages if space == LIVE else _joined(recording.messages))
    first_ms = next((at for at, _ in due if at != NO_TIME), NO_TIME)
    if paced and first_ms == NO_TIME:
        raise CommandError(
            "no line says when it was received, so there are no gaps to keep: leave out --speed"
        )
    messages: list[Message] = []
    left_out: list[str] = []
    for at, recorded in due:
        try:
            messages.append(_message(recorded, tenant, space, at))
        except DecodeError as fault:
            left_out.append(f"line {recorded.mid}: left out: {fault}")
        except TopicError as fault:
            raise CommandError(f"line {recorded.mid}: cannot be sent: {fault}") from fault
    _tell(left_out)
    return Outgoing(messages, len(messages), _accounted(messages, tenant, space), first_ms)


def _message(recorded: RawMessage, tenant: str, space: str, due_ms: int) -> Message:
    device, protocol, gateway = device_of(recorded.topic)
    arrival_ms, payload = recorded.received_ms, recorded.payload
    if (leaf := fact_leaf(recorded.topic)) is not None:
        own = device.removeprefix(EQUIPMENT_PREFIX)
        return Message(fact_topic(tenant, own, leaf, space), payload, due_ms)
    if device.startswith(EQUIPMENT_PREFIX):
        if space != LIVE:
            payload = encode_status(decode_status(payload, arrival_ms))
        return Message(device_topic(tenant, device, space), payload, due_ms)
    if space != LIVE:
        arrival = None if arrival_ms == NO_TIME else arrival_ms
        topic = replayed_topic(tenant, protocol or NATIVE, device, space, arrival, gateway)
        return Message(topic, payload, due_ms)
    if protocol is None:
        return Message(device_topic(tenant, device, space), payload, due_ms)
    return Message(frame_topic(tenant, protocol, device, space, gateway), payload, due_ms)


def _joined(messages: Iterable[RawMessage]) -> list[RawMessage]:
    """Put parts together by the clock of the time, as a back-test does: the service's own is another, and faster or slower."""
    joining = Joining()
    ready = [whole for message in messages for whole in joining.receive((message,)).ready]
    return ready + joining.end()


def _tell(faults: Sequence[str]) -> None:
    for fault in faults[:SHOWN_FAULTS]:
        click.echo(fault, err=True)
    if len(faults) > SHOWN_FAULTS:
        click.echo(f"and {len(faults) - SHOWN_FAULTS:,} more lines", err=True)


def _accounted(messages: Iterable[Message], tenant: str, space: str) -> int:
    """What the service will make of them: it sorts out messages by the same function."""
    raw = _joined(RawMessage(message.topic, message.payload, 0, 0) for message in messages)
    known = {space: _Everything()}
    into = take_in(raw, tenant=tenant, instance="", known_spaces=(space,), equipment=known).spaces
    return sum(len(found.pings) + len(found.dead_letters) for found in into.values())
