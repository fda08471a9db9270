"""What a rule lets a policy set: each key with its kind, default, bounds and meaning. Immutable, no I/O."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from seal_tracker.model import Severity

__all__ = [
    "COUNTED",
    "SEVERITIES",
    "PolicyKey",
    "PolicyValue",
    "at_most",
    "at_most_high",
    "common_keys",
    "distance_keys",
    "zoned",
]

PolicyValue = bool | int | float | str | None
Kind = Literal["flag", "count", "number", "severity"]

COUNTED = ("raise_fixes", "raise_s", "clear_fixes", "clear_s")
"""The keys of a debounce, which rules that are no matter of runs do not go by."""

SEVERITIES: tuple[Severity, ...] = ("critical", "high", "medium", "low", "info")


def at_most_high(severity: Severity) -> Severity:
    """Something inferred is never critical (SEMANTICS, *Inferred crossings*)."""
    return at_most("high", severity)


def at_most(most: Severity, severity: Severity) -> Severity:
    """The less bad of two."""
    return SEVERITIES[max(SEVERITIES.index(severity), SEVERITIES.index(most))]


@dataclass(frozen=True, slots=True)
class PolicyKey:
    """One thing a policy may set for a rule.

    ``default`` None means that the rule works the value out by itself, as ``doc`` says. A key without ``has_effect`` is one
    that every rule has and this one does not go by; one ``by_zone`` may be set for a zone by itself.
    """

    kind: Kind
    default: PolicyValue
    doc: str
    minimum: float = 0.0
    maximum: float = 1e9
    has_effect: bool = True
    by_zone: bool = False

    def fault_of(self, value: object) -> str | None:
        """Why ``value`` is not one this key takes, or None where it is."""
        if self.kind == "flag":
            return None if isinstance(value, bool) else "must be true or false"
        if self.kind == "severity":
            return None if value in SEVERITIES else f"must be one of {', '.join(SEVERITIES)}"
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return "must be a number"
        if self.kind == "count" and not isinstance(value, int):
            return "must be a whole number"
        if not self.minimum <= value <= self.maximum:
            return f"must be within {self.minimum:g} and {self.maximum:g}"
        return None


def common_keys(
    severity: Severity,
    *,
    raise_: tuple[int, float],
    clear: tuple[int, float] | None,
    latched: bool = False,
    idle: Collection[str] = (),
) -> dict[str, PolicyKey]:
    """The keys every rule has. ``raise_`` and ``clear`` are (fixes, seconds); ``clear`` None: a point episode, told at once.

    ``idle`` are those that have no effect on this one; on a point episode it is all that count, and ``latched``.
    """
    clear_fixes, clear_s = clear or (1, 0)
    keys = {
        "enabled": PolicyKey("flag", default=True, doc="judge this rule at all"),
        "severity": PolicyKey("severity", severity, "how bad an episode is when it is raised"),
        "raise_fixes": PolicyKey("count", raise_[0], "consecutive true fixes before it is raised", minimum=1),
        "raise_s": PolicyKey("number", raise_[1], "seconds those fixes must span"),
        "clear_fixes": PolicyKey(
            "count", clear_fixes, "consecutive false fixes before it is cleared", minimum=1
        ),
        "clear_s": PolicyKey("number", clear_s, "seconds those fixes must span"),
        "latched": PolicyKey("flag", latched, "stays until an officer's reset or disarming"),
    }
    for name in idle if clear else (*COUNTED, "latched"):
        keys[name] = replace(keys[name], doc="no effect on this rule", has_effect=False)
    return keys


def zoned(keys: Mapping[str, PolicyKey], *but: str) -> dict[str, PolicyKey]:
    """The same keys, each of which a zone may set by itself, ``but`` for some."""
    return {name: replace(key, by_zone=name not in but) for name, key in keys.items()}


def distance_keys(
    base: Mapping[str, PolicyKey], *, raise_excess_m_s: float, missing_fix_s: float
) -> dict[str, PolicyKey]:
    """Keys of a rule that gathers metres beyond a limit as evidence (see *Evidence for distance rules*)."""
    return dict(base) | {
        "raise_excess_m_s": PolicyKey(
            "number",
            raise_excess_m_s,
            "metre-seconds beyond the limit before it is raised; a metre counts half at 50 m from the road, once at"
            " 100 m, twice from 200 m on, and a pair of fixes for 60 s at most",
        ),
        "missing_fix_s": PolicyKey(
            "number",
            missing_fix_s,
            "seconds for each of raise_fixes above two: a run that spans them needs two fixes, not raise_fixes",
        ),
        "clear_margin_m": PolicyKey(
            "number", None, "metres inside the limit that clear it; unset: a quarter of the half-width"
        ),
        "accuracy_cap_m": PolicyKey(
            "number", 30.0, "most metres that a claimed accuracy widens the limit by"
        ),
        "accuracy_unknown_m": PolicyKey("number", 10.0, "accuracy assumed where the device claims none"),
        "accuracy_limit_m": PolicyKey(
            "number",
            100.0,
            "a fix that claims to be worse than this says nothing, unless it lies farther off than thrice its claim",
        ),
    }
