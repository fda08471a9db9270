"""Every MQTT topic, built and parsed in one place.

::

    eseal/v1/{tenant}/…                      live
    eseal-exercise/v1/{tenant}/{space}/…     an exercise, both ways
        dev/{seal}/ping|status|answer        in; answers live only
        equip/{equipment}/status             in
        equip/{equipment}/weighing|reading   in: what it recorded
        raw/{protocol}/{device}              in
        raw/{protocol}@{gateway}/{device}    in: the same by a gateway that says its name
        raw/{protocol}:{arrival}/{device}    in, replayed: epoch ms, nothing where nobody noted it; an exercise only
        svc/{instance}/ping                  in: the service's own canary
        evt/{severity}/{type}/{kind}/{id}    out
        alarm/{alarm}                        out, retained
        journey/{journey}/state              out, retained
        svc/{instance}                       out, retained, last will
        ledger/checkpoint                    out, retained; live only
        cmd/{seal}                           out; live only

Pure. Ids match ``[A-Za-z0-9_.:-]{1,64}``, so no level can hold a wildcard or a slash.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, Literal, NamedTuple, cast

from seal_tracker.model import EQUIPMENT_PREFIX, ID_PATTERN, LIVE, Event
from seal_tracker.publishing.errors import TopicError

__all__ = [
    "ANSWER",
    "FACTS",
    "Address",
    "Kind",
    "alarm_topic",
    "canary_topic",
    "check_id",
    "command_topic",
    "device_topic",
    "event_topic",
    "event_topics",
    "fact_topic",
    "frame_topic",
    "ingest_filters",
    "ingest_session",
    "journey_topic",
    "ledger_topic",
    "parse",
    "replayed_arrival",
    "replayed_topic",
    "root",
    "service_topic",
]

Kind = Literal["dev", "equip", "raw", "svc"]

LIVE_ROOT: Final = "eseal/v1"
EXERCISE_ROOT: Final = "eseal-exercise/v1"
LEVELS: Final = 3
"""Levels of an incoming topic below its root."""

ARRIVAL: Final = re.compile(r"(.+):(\d{0,13})", re.ASCII)
"""A protocol with when its frame arrived, up to the year 2286, or nothing; no format's name has a colon."""

KINDS: Final = frozenset({"dev", "equip", "raw", "svc"})
ANSWER: Final = "answer"

FACTS: Final = ("weighing", "reading")
"""Leaves on which equipment publishes what it recorded."""


class Address(NamedTuple):
    """What an incoming topic says. Of ``raw``, ``leaf`` is the protocol and ``gateway`` who took the frame, where it says so; of
    others, ``leaf`` is ``ping``, ``status``, ``answer``, or of ``FACTS``.
    """

    space: str
    kind: Kind
    id: str
    leaf: str
    gateway: str | None = None


def check_id(value: str, what: str = "id") -> str:
    """Return the id unchanged.

    Raises
    ------
    TopicError
        Where it fits no topic.
    """
    if not ID_PATTERN.fullmatch(value):
        raise TopicError(f"{what} {value[:80]!r}: must be 1 to 64 of A-Z a-z 0-9 _ . : -")
    return value


@lru_cache(maxsize=1_024)
def root(tenant: str, space: str = LIVE) -> str:
    """Return the root of a space's topics, without a slash at its end."""
    check_id(tenant, "tenant")
    if space == LIVE:
        return f"{LIVE_ROOT}/{tenant}"
    return f"{EXERCISE_ROOT}/{tenant}/{check_id(space, 'space')}"


def ingest_session(tenant: str, instance: str) -> str:
    """The client id by which the broker knows the service's session; what nobody has taken yet waits there."""
    return f"seal-tracker-{tenant}-{instance}-in"


def ingest_filters(tenant: str, *, commands: bool = False) -> tuple[str, ...]:
    """List the filters of the ingest subscription: all that seals, equipment, gateways and our canary publish.

    ``commands``: where seals are commanded, what they answer too.
    """
    roots = (root(tenant), f"{EXERCISE_ROOT}/{tenant}/+")
    tails = ("+/+/ping", "+/+/status", "raw/+/+", *(f"equip/+/{leaf}" for leaf in FACTS))
    pings = tuple(f"{base}/{tail}" for base in roots for tail in tails)
    return (*pings, f"{root(tenant)}/dev/+/{ANSWER}") if commands else pings


@lru_cache(maxsize=65_536)
def parse(topic: str, tenant: str) -> Address:
    """Take an incoming topic apart. Remembered, since seals publish on the same topic for days.

    Raises
    ------
    TopicError
        Where the topic is not one that pings, states or frames come on.
    """
    if topic.startswith(f"{LIVE_ROOT}/{tenant}/"):
        space, levels = LIVE, topic.split("/")[3:]
    elif topic.startswith(f"{EXERCISE_ROOT}/{tenant}/"):
        space, *levels = topic.split("/")[3:]
        check_id(space, "space")
    else:
        raise TopicError(f"topic {topic[:120]!r}: is not of tenant {tenant}")
    if len(levels) != LEVELS or levels[0] not in KINDS:
        raise TopicError(
            f"topic {topic[:120]!r}: expected dev/ID/ping, dev/ID/status, dev/ID/answer, equip/ID/status, "
            f"equip/ID/{'|'.join(FACTS)} or raw/PROTOCOL/ID"
        )
    kind = cast("Kind", levels[0])
    own, leaf = (levels[2], levels[1]) if kind == "raw" else (levels[1], levels[2])
    own_leaves = {"dev": (ANSWER,), "equip": FACTS}.get(kind, ())
    if not (kind == "raw" or leaf in ("ping", "status") or leaf in own_leaves):
        raise TopicError(f"topic {topic[:120]!r}: ends in {leaf!r}, expected ping or status")
    if kind == "raw" and "@" in leaf:
        leaf, _, gateway = leaf.partition("@")
        return Address(space, kind, check_id(own), check_id(leaf, "protocol"), check_id(gateway, "gateway"))
    return Address(space, kind, check_id(own), check_id(leaf, "protocol"))


def device_topic(tenant: str, seal: str, space: str = LIVE, leaf: str = "ping") -> str:
    """Return where a device publishes: a seal its pings, equipment (by its device name) its status."""
    if seal.startswith(EQUIPMENT_PREFIX):
        own = check_id(seal.removeprefix(EQUIPMENT_PREFIX), "equipment")
        return f"{root(tenant, space)}/equip/{own}/status"
    return f"{root(tenant, space)}/dev/{check_id(seal, 'seal')}/{leaf}"


def fact_topic(tenant: str, equipment: str, kind: str, space: str = LIVE) -> str:
    """Return where a piece of equipment publishes what it recorded."""
    return f"{root(tenant, space)}/equip/{check_id(equipment, 'equipment')}/{kind}"


def frame_topic(
    tenant: str, protocol: str, device: str, space: str = LIVE, gateway: str | None = None
) -> str:
    """Return where a gateway, which may say its name, publishes a device's frames as received."""
    by = "" if gateway is None else f"@{check_id(gateway, 'gateway')}"
    return f"{root(tenant, space)}/raw/{check_id(protocol, 'protocol')}{by}/{check_id(device, 'device')}"


def replayed_topic(
    tenant: str, protocol: str, device: str, space: str, arrival_ms: int | None, gateway: str | None = None
) -> str:
    """Return where a recorded frame is replayed into an exercise: the topic says when it arrived, since its bytes do not.

    What comes on it is a whole message: it is read by itself, and parts on it are not put together.
    """
    dated = f"{protocol}:{'' if arrival_ms is None else arrival_ms}"
    return frame_topic(tenant, dated, device, space, gateway)


def replayed_arrival(address: Address) -> tuple[str, int | None]:
    """Return the protocol of a frame, and when it arrived if that is said (epoch ms); live frames arrive when they do."""
    found = None if address.space == LIVE else ARRIVAL.fullmatch(address.leaf)
    if found is None:
        return address.leaf, None
    return found[1], int(found[2]) if found[2] else None


def command_topic(tenant: str, seal: str) -> str:
    """Return where a seal is told what to do. Live only: behind an exercise's seals stand real ones, which nobody commands for practice."""
    return f"{root(tenant)}/cmd/{check_id(seal, 'seal')}"


def canary_topic(tenant: str, instance: str, space: str = LIVE) -> str:
    """Return where the service publishes its canary, which comes back through the ingest subscription."""
    return f"{root(tenant, space)}/svc/{check_id(instance, 'instance')}/ping"


def service_topic(tenant: str, instance: str) -> str:
    """Return the retained topic of a service's own state, which is also its last will."""
    return f"{root(tenant)}/svc/{check_id(instance, 'instance')}"


def alarm_topic(tenant: str, alarm: str, space: str = LIVE) -> str:
    """Return the retained topic of an alarm's state."""
    return f"{root(tenant, space)}/alarm/{check_id(alarm, 'alarm')}"


def journey_topic(tenant: str, journey: str, space: str = LIVE) -> str:
    """Return the retained topic of a journey's state."""
    return f"{root(tenant, space)}/journey/{check_id(journey, 'journey')}/state"


def ledger_topic(tenant: str) -> str:
    """Return the retained topic of the ledger's newest checkpoint."""
    return f"{root(tenant)}/ledger/checkpoint"


def event_topic(event: Event, tenant: str, severity: str | None = None) -> str:
    """Return an event's topic, under the episode's severity unless another is given."""
    episode = event.episode
    levels = (
        severity or episode.severity,
        episode.type,
        episode.subject_kind,
        check_id(episode.subject, "subject"),
    )
    return f"{root(tenant, event.space)}/evt/{'/'.join(levels)}"


def event_topics(event: Event, tenant: str) -> tuple[str, ...]:
    """List the topics of an event: two when its severity changed, so that who follows either severity learns of it."""
    now = event_topic(event, tenant)
    if event.old_severity is None or event.old_severity == event.episode.severity:
        return (now,)
    return (event_topic(event, tenant, event.old_severity), now)
