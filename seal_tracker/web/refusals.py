"""What a desk refuses, as the problem that HTTP tells."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec

from geofences.catalog import Fault
from seal_tracker.supervision.errors import NotAdmitted, Refused, Stale, Unfit, Unknown
from seal_tracker.web.errors import Conflict, InvalidBody, Missing, Outdated, Problem

__all__ = ["faulty", "problem_of", "refusals_told"]

FAULTS_TOLD = 1000
"""Faults told in one answer; those of files name all their lines besides."""


def problem_of(refused: Refused) -> Problem:
    """The problem that says the same."""
    faults = [
        {name: str(getattr(fault, name)) for name in ("feature", "where", "what", "why", "remedy")}
        for fault in refused.faults[:FAULTS_TOLD]
    ]
    members: dict[str, Any] = {"faults": faults, "fault_count": len(refused.faults)} if faults else {}
    if isinstance(refused, NotAdmitted):
        members["reasons"] = msgspec.to_builtins(refused.reasons)
    kinds: tuple[tuple[type[Refused], type[Problem]], ...] = (
        (Unknown, Missing),
        (Stale, Outdated),
        (Unfit, InvalidBody),
        (Refused, Conflict),
    )
    problem = next(problem for kind, problem in kinds if isinstance(refused, kind))
    return problem(str(refused), field=refused.field, members=members)


def faulty(faults: Sequence[Fault], text: str, field: str | None = None) -> Problem:
    """What is wrong with something that was sent, as a problem; where a ``field`` is at fault, the first says why."""
    detail = text if field is None else f"{text}: {field} {faults[0].what}; {faults[0].remedy}"
    return problem_of(Unfit(detail, field=field, faults=faults))


@contextmanager
def refusals_told() -> Iterator[None]:
    """Tell what is refused within as a problem.

    Raises
    ------
    Problem
        Something was.
    """
    try:
        yield
    except Refused as refused:
        raise problem_of(refused) from refused
