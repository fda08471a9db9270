"""From what the rules across facts find of a journey to its episodes. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import cast
from uuid import UUID

from seal_tracker.facts.catalog import FACT_RULES
from seal_tracker.facts.rules import Case, FactRule, Finding
from seal_tracker.journey import Journey
from seal_tracker.model import Episode, Severity, episode_id
from seal_tracker.rules.pairs import resets_of

__all__ = ["due_ms", "episodes_of", "lead_at"]


def episodes_of(space: str, case: Case, rules: Sequence[FactRule] = FACT_RULES) -> dict[UUID, Episode]:
    """Every episode of the rules across facts that a journey has, by id, as of ``case.now_ms``."""
    found = [_episode(space, case, rule, finding) for rule in rules for finding in _found(case, rule)]
    return {episode.episode: episode for episode in found}


def due_ms(case: Case, rules: Sequence[FactRule] = FACT_RULES) -> int | None:
    """The first moment after ``case.now_ms`` at which time alone may change what is found of a journey; None: there is none."""
    moments = [at for rule in rules for at in rule.due(case)]
    moments += [at for at in (case.journey.disarmed_at_ms,) if at is not None]
    moments += [reset.at_ms for reset in case.journey.resets]
    return min((at for at in moments if case.now_ms is None or at > case.now_ms), default=None)


def _found(case: Case, rule: FactRule) -> Iterable[Finding]:
    return (
        finding
        for finding in rule.judge(case)
        if case.policy(rule.name, "enabled", finding.raised_ms) is not False
    )


def _episode(space: str, case: Case, rule: FactRule, finding: Finding) -> Episode:
    journey, at = case.journey, finding.raised_ms
    latched = not rule.is_point and bool(case.policy(rule.name, "latched", at))
    ended, why = (at, None) if not latched else _end(case, rule, finding)
    return Episode(
        episode=episode_id(space, f"journey/{journey.id}", rule.name, finding.object, finding.started_ms),
        type=rule.name,
        severity=finding.severity or _severity(case, rule, at),
        subject_kind="journey",
        subject=journey.id,
        journey=journey.id,
        seal=lead_at(journey, at),
        object=finding.object,
        started_at_ms=finding.started_ms,
        raised_at_ms=at,
        ended_at_ms=ended,
        cleared_at_ms=ended,
        inferred=False,
        latched=latched,
        evidence={**finding.evidence, **({} if why is None else {"closed_by": why})},
        plan_version=case.version(at).plan.version,
        regime=journey.regime,
        unit=journey.unit,
        changed_ms=at if ended is None else ended,
        settled_ms=ended,
    )


def _severity(case: Case, rule: FactRule, at_ms: int) -> Severity:
    return cast("Severity", case.policy(rule.name, "severity", at_ms))


def _end(case: Case, rule: FactRule, finding: Finding) -> tuple[int | None, str | None]:
    """When a latched episode ended by now, and by what: a reset, or disarming where it was raised before that."""
    ends = [(at, "reset") for at in resets_of(case.journey, rule.name, finding.object)]
    if case.journey.disarmed_at_ms is not None:
        ends.append((case.journey.disarmed_at_ms, "disarmed"))
    later = [
        end
        for end in ends
        if end[0] > finding.raised_ms and case.now_ms is not None and end[0] <= case.now_ms
    ]
    return min(later) if later else (None, None)


def lead_at(journey: Journey, at_ms: int) -> str:
    """The device that led at a moment; before arming the first, after the end the last."""
    leads = [served for served in journey.served if served.leads]
    return next((s.device for s in reversed(leads) if s.from_ms <= at_ms), leads[0].device)
