"""The policy of a plan over the rules of the catalogue and what is no rule but set the same way, and every fault of one. Immutable, no I/O."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Literal

from seal_tracker.rules.catalog import POLICY_KEYS
from seal_tracker.rules.keys import PolicyKey
from seal_tracker.rules.risk import RISK, RISK_KEYS
from seal_tracker.rules.table import Policies

__all__ = [
    "POLICY_KEYS",
    "REGIMES",
    "SETTABLE_KEYS",
    "PolicyFault",
    "PolicyKey",
    "PolicyTable",
    "check_policies",
    "sound_policies",
]

Level = Literal["error", "warning"]

SETTABLE_KEYS: Mapping[str, Mapping[str, PolicyKey]] = {**POLICY_KEYS, RISK: RISK_KEYS}
"""All that a policy may set: of rules, and of what is counted by it."""

REGIMES: tuple[str, ...] = ("transit", "bonded", "oversized", "minerals")


@dataclass(frozen=True, slots=True)
class PolicyFault:
    """One thing wrong in a policy: where it stands, what it says, why that is wrong, what to do. A warning: it does nothing."""

    where: str
    what: str
    why: str
    remedy: str
    level: Level = "error"


class PolicyTable(Policies):
    """The policy of one plan version, resolved for any regime, route and zone, over the rules of the catalogue."""

    def __init__(
        self,
        tables: Mapping[str, Any] | None = None,
        *,
        regimes: Sequence[str] = REGIMES,
        routes: Sequence[str] = (),
        zones: Sequence[str] = (),
    ) -> None:
        super().__init__(SETTABLE_KEYS, tables or {}, regimes=regimes, routes=routes, zones=zones)


def check_policies(
    tables: Mapping[str, Any],
    *,
    regimes: Collection[str] = REGIMES,
    routes: Collection[str] = (),
    zones: Collection[str] = (),
) -> list[PolicyFault]:
    """Every fault of a policy, in the order it is written."""
    faults: list[PolicyFault] = []
    for name, table in tables.items():
        if name in ("route", "zone"):
            faults += _check_objects(name, table, routes if name == "route" else zones)
        elif name == "default" or name in regimes:
            faults += _check_rules(name, table)
        else:
            known = ["default", *regimes, "route", "zone"]
            faults.append(_unknown(name, "table", name, known))
    return faults


def sound_policies(
    tables: Mapping[str, Any],
    *,
    regimes: Collection[str] = REGIMES,
    routes: Collection[str] = (),
    zones: Collection[str] = (),
) -> dict[str, Any]:
    """``tables`` without every key in which `check_policies` finds an error."""
    sound: dict[str, Any] = {}
    for path, value in _leaves(tables, ()):
        alone: Any = value
        for name in reversed(path):
            alone = {name: alone}
        if any(
            fault.level == "error"
            for fault in check_policies(alone, regimes=regimes, routes=routes, zones=zones)
        ):
            continue
        table = sound
        for name in path[:-1]:
            table = table.setdefault(name, {})
        table[path[-1]] = value
    return sound


def _leaves(tables: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every value that is no table, with the names that lead to it."""
    for name, value in tables.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, (*path, name))
        else:
            yield (*path, name), value


def _check_objects(kind: str, tables: object, known: Collection[str]) -> Iterator[PolicyFault]:
    if not isinstance(tables, Mapping):
        yield PolicyFault(kind, f"{tables!r}", "is not a table", f"write [{kind}.ID.RULE]")
        return
    for name, table in tables.items():
        if name not in known:
            yield _unknown(f"{kind}.{name}", kind, name, known)
        yield from _check_rules(f"{kind}.{name}", table, of_zone=kind == "zone")


def _check_rules(where: str, tables: object, *, of_zone: bool = False) -> Iterator[PolicyFault]:
    if not isinstance(tables, Mapping):
        yield PolicyFault(where, f"{tables!r}", "is not a table", f"write [{where}.RULE]")
        return
    for rule, table in tables.items():
        if rule not in SETTABLE_KEYS:
            yield _unknown(f"{where}.{rule}", "rule", rule, SETTABLE_KEYS)
        elif not isinstance(table, Mapping):
            yield PolicyFault(f"{where}.{rule}", f"{table!r}", "is not a table", f"write [{where}.{rule}]")
        else:
            yield from _check_keys(f"{where}.{rule}", SETTABLE_KEYS[rule], table)
            yield from _without_effect(f"{where}.{rule}", rule, table, of_zone=of_zone)


def _check_keys(where: str, keys: Mapping[str, PolicyKey], table: Mapping[str, Any]) -> Iterator[PolicyFault]:
    for key, value in table.items():
        if key not in keys:
            yield _unknown(f"{where}.{key}", "key", key, keys)
        elif why := keys[key].fault_of(value):
            yield PolicyFault(f"{where}.{key}", f"{value!r}", why, f"{key}: {keys[key].doc}")


def _without_effect(
    where: str, rule: str, table: Mapping[str, Any], *, of_zone: bool
) -> Iterator[PolicyFault]:
    """Keys that are in order and change nothing: whoever wrote them believes that they do."""
    keys = SETTABLE_KEYS[rule]
    known = {name: key for name, key in keys.items() if key.has_effect and (key.by_zone or not of_zone)}
    if of_zone and not known:
        remedy = f"set it for a route, [route.ID.{rule}], or a regime"
        yield PolicyFault(where, rule, "is not judged by zone, so this has no effect", remedy, "warning")
        return
    for name in table:
        if name in keys and name not in known:
            kind = "for a zone" if keys[name].has_effect else f"on {rule}"
            yield PolicyFault(
                f"{where}.{name}",
                f"{table[name]!r}",
                f"has no effect {kind}",
                f"remove it; what has: {', '.join(known)}",
                "warning",
            )


def _unknown(where: str, kind: str, name: str, known: Collection[str]) -> PolicyFault:
    near = get_close_matches(name, known, n=1)
    remedy = f"did you mean {near[0]}?" if near else f"known: {', '.join(sorted(known)[:20]) or 'none'}"
    return PolicyFault(where, name, f"unknown {kind}", remedy)
