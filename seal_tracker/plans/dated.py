"""What persons order of a journey under way: unlocking, diversions, suspensions, resets; read and checked."""

from __future__ import annotations

from collections.abc import Iterator

from geofences.catalog import Fields
from seal_tracker.plans.model import Authorisation, Diversion, Reset, Suspension
from seal_tracker.plans.references import References
from seal_tracker.rules.catalog import POLICY_KEYS

__all__ = ["read_authorisations", "read_diversions", "read_resets", "read_suspensions"]

RESETTABLE = tuple(POLICY_KEYS)
"""Any rule may be latched by policy."""

WHEN_BEGINS = ("from", "write when it begins")
WHEN = ("at", "write from when on it holds, like 2026-11-22T03:00:00Z")
BY_WHOM = ("by", "write who gave it")

Armed = tuple[int | None, int | None]
"""When a journey is armed and disarmed; None where that is not known, or never."""


def read_authorisations(fields: Fields, references: References) -> tuple[Authorisation, ...]:
    """Leave to unlock: from, to, by, and where (``zone``; absent: anywhere)."""
    found = []
    for entry in _entries(
        fields, "authorisations", {"zone"}, (WHEN_BEGINS, ("to", "write when it ends"), BY_WHOM)
    ):
        from_ms, to_ms = entry.period_ms("from", "to")
        zone, by = references.zone(entry, "zone"), entry.text("by")
        if from_ms is not None and to_ms is not None and by is not None:
            found.append(Authorisation(from_ms, to_ms, zone, by))
    return tuple(found)


def read_diversions(fields: Fields, references: References, armed: Armed) -> tuple[Diversion, ...]:
    """Orders to follow another route: at, route, by, and the reason; of one moment there is one."""
    found: dict[int, Diversion] = {}
    needed = (WHEN, ("route", "write the id of the route to follow"), BY_WHOM)
    for entry in _entries(fields, "diversions", {"reason"}, needed):
        at_ms, by, reason = entry.time_ms("at"), entry.text("by"), entry.text("reason")
        route = references.route(entry, "route")
        if at_ms is None or route is None or by is None:
            continue
        if at_ms in found:
            entry.error(
                "at",
                f"the journey is already diverted to “{found[at_ms].route}” at that moment",
                "it follows one route at a time",
                "leave one of the two out",
            )
        _check_armed(entry, "at", at_ms, armed)
        found[at_ms] = Diversion(at_ms, route, by, reason)
    return tuple(found[at] for at in sorted(found))


def read_suspensions(fields: Fields, armed: Armed) -> tuple[Suspension, ...]:
    """Times in which route, stops and times are not judged: from, by, and to (absent: until further notice)."""
    found = []
    for entry in _entries(fields, "suspensions", {"to"}, (WHEN_BEGINS, BY_WHOM)):
        from_ms, to_ms = entry.period_ms("from", "to")
        by = entry.text("by")
        if from_ms is not None and by is not None:
            _check_armed(entry, "from", from_ms, (None, armed[1]))
            found.append(Suspension(from_ms, to_ms, by))
    return tuple(sorted(found, key=lambda s: s.from_ms))


def read_resets(fields: Fields, armed: Armed) -> tuple[Reset, ...]:
    """Latched episodes that an officer has dealt with: at, rule, by, and the object where the episode has one."""
    found = []
    needed = (
        ("at", "write when it was dealt with"),
        ("rule", "write the type of the episode, like SEAL_TAMPER"),
        BY_WHOM,
    )
    for entry in _entries(fields, "resets", {"object"}, needed):
        at_ms, by = entry.time_ms("at"), entry.text("by")
        rule, obj = entry.choice("rule", RESETTABLE), entry.id("object")
        if at_ms is not None and rule is not None and by is not None:
            _check_armed(entry, "at", at_ms, armed)
            found.append(Reset(at_ms, rule, obj, by))
    return tuple(sorted(found, key=lambda r: r.at_ms))


def _entries(
    fields: Fields, key: str, more: set[str], needed: tuple[tuple[str, str], ...]
) -> Iterator[Fields]:
    """The objects of a list, each with the members it needs and at most some more."""
    for entry in fields.objects(key):
        entry.only({name for name, _ in needed} | more)
        for name, remedy in needed:
            entry.require(name, remedy)
        yield entry


def _check_armed(entry: Fields, key: str, at_ms: int, armed: Armed) -> None:
    """What is ordered of a journey before or after it is under way does nothing."""
    begin, end = armed
    if (begin is not None and at_ms < begin) or (end is not None and at_ms >= end):
        entry.warn(key, "is not within armed_at and disarmed_at", "it has no effect", "correct the time")
