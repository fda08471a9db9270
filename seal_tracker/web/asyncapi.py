"""The description of the MQTT side (AsyncAPI 3.0), made of the topics and types that the code itself uses. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from seal_tracker.decoders.native import NativePing
from seal_tracker.downlink.messages import CommandAnswer, CommandMessage
from seal_tracker.facts.readings import Reading
from seal_tracker.facts.weighing import Weighing
from seal_tracker.model import ID_PATTERN
from seal_tracker.publishing.cloudevents import AlarmState, CloudEvent, JourneyState, ServiceState
from seal_tracker.publishing.topics import root
from seal_tracker.web.openapi import schemas_of

__all__ = ["CHANNELS", "Channel", "describe_topics"]

ASYNCAPI_VERSION: Final = "3.0.0"
CLOUD_EVENTS: Final = "application/cloudevents+json"
JSON: Final = "application/json"


@dataclass(frozen=True, slots=True)
class Channel:
    """One kind of topic below the root: who sends on it, what, and how. ``kind`` None: not a type of ours, but text of a ``pattern``
    or, where that is empty too, anything.
    """

    name: str
    topic: str
    sends: Literal["seals", "service"]
    summary: str
    kind: type[Any] | None
    media: str = JSON
    retained: bool = False
    several: bool = False
    pattern: str = ""


CHANNELS: Final[tuple[Channel, ...]] = (
    Channel("ping", "dev/{seal}/ping", "seals", "A ping, or an array of them: a buffer flush.", NativePing, several=True),
    Channel(
        "deviceStatus", "dev/{seal}/status", "seals",
        "`online`, `offline` or `sleeping`, as text or as an object with `status` and the expected `interval_s`.", None, retained=True,
    ),
    Channel(
        "equipmentStatus", "equip/{equipment}/status", "seals",
        "A heartbeat of a camera, scanner or reader: text, or an object with `status` and `time`.", None,
    ),
    Channel(
        "equipmentWeighing", "equip/{equipment}/weighing", "seals",
        "What a weighbridge weighed, once for each `id`; a higher `revision` corrects it. `time` states its zone.", Weighing,
    ),
    Channel(
        "equipmentReading", "equip/{equipment}/reading", "seals",
        "What a camera, a reader or a scanner read of one lorry, once for each `id`; a higher `revision` corrects it. `time` states its zone.",
        Reading,
    ),
    Channel("frame", "raw/{protocol}/{device}", "seals", "A vendor's frame as received.", None, media="application/octet-stream"),
    Channel(
        "frameByGateway", "raw/{protocol}@{gateway}/{device}", "seals",
        "The same by a gateway that says its name, which alarms are grouped by.", None, media="application/octet-stream",
    ),
    Channel(
        "event", "evt/{severity}/{type}/{kind}/{id}", "service",
        "Every transition of an episode and every step of an alarm, in order per subject; at least once: leave out what has a known `id`.",
        CloudEvent, CLOUD_EVENTS,
    ),
    Channel("alarm", "alarm/{alarm}", "service", "The present state of an alarm; emptied when it closes.", AlarmState, retained=True),
    Channel(
        "journey", "journey/{journey}/state", "service", "The present state of a journey; emptied when it closes.",
        JourneyState, retained=True,
    ),
    Channel(
        "service", "svc/{instance}", "service", "Whether an instance of the service is there; also its last will.",
        ServiceState, retained=True,
    ),
    Channel(
        "checkpoint", "ledger/checkpoint", "service",
        "Where the ledger ends, signed (JWS, EdDSA), at most 60 s after a link was added: keep them, and nobody can change what is before.",
        None, media="application/jose", retained=True, pattern=r"^[\w-]+\.[\w-]+\.[\w-]+$",
    ),
    Channel(
        "command", "cmd/{seal}", "service",
        "What the seal is to do, where commands are on: at most once for an `id`, and not after `expires_at`; live only.",
        CommandMessage,
    ),
    Channel(
        "answer", "dev/{seal}/answer", "seals", "What the seal did of a command, under its `id`; live only.", CommandAnswer,
    ),
    Channel(
        "canary", "svc/{instance}/ping", "service",
        "The service's ping to itself: when it comes back, so does what seals send.", NativePing,
    ),
)  # fmt: skip


def describe_topics(*, tenant: str, version: str) -> dict[str, Any]:
    """The AsyncAPI document of a tenant's topics; an exercise space has the same below a root of its own."""
    kinds = {channel.kind for channel in CHANNELS if channel.kind is not None}
    return {
        "asyncapi": ASYNCAPI_VERSION,
        "info": {
            "title": "Seal Tracker over MQTT",
            "version": version,
            "description": "MQTT 3.1.1 and 5, QoS 1. Exercise spaces have the same topics, but for "
            f"commands and answers, below `{root(tenant, 'SPACE')}`, and their events say `exercise: true`.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": JSON,
        "channels": {channel.name: _channel(channel, tenant) for channel in CHANNELS},
        "operations": {
            _verb(channel) + channel.name[0].upper() + channel.name[1:]: _operation(channel)
            for channel in CHANNELS
        },
        "components": {"schemas": schemas_of(sorted(kinds, key=str))},
    }


def _verb(channel: Channel) -> str:
    """What the service does there."""
    return "send" if channel.sends == "service" else "receive"


def _channel(channel: Channel, tenant: str) -> dict[str, Any]:
    address = f"{root(tenant)}/{channel.topic}"
    names: Sequence[str] = [part[1:-1] for part in channel.topic.split("/") if part.startswith("{")]
    return {
        "address": address,
        "summary": channel.summary,
        "parameters": {name: {"description": f"matches {ID_PATTERN.pattern}"} for name in names},
        "messages": {channel.name: _message(channel)},
        "bindings": {},
    }


def _message(channel: Channel) -> dict[str, Any]:
    message: dict[str, Any] = {"name": channel.name, "contentType": channel.media}
    if channel.kind is not None:
        one: Mapping[str, Any] = {"$ref": f"#/components/schemas/{channel.kind.__name__}"}
        message["payload"] = {"anyOf": [one, {"type": "array", "items": one}]} if channel.several else one
    elif channel.pattern:
        message["payload"] = {"type": "string", "pattern": channel.pattern}
    return message


def _operation(channel: Channel) -> dict[str, Any]:
    return {
        "action": _verb(channel),
        "channel": {"$ref": f"#/channels/{channel.name}"},
        "bindings": {"mqtt": {"qos": 1, "retain": channel.retained, "bindingVersion": "0.2.0"}},
    }
