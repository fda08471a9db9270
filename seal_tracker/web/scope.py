"""Which units an account sees: its own and all below it. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from seal_tracker.plans import Plan, Unit

__all__ = ["sees", "units_asked", "units_below", "units_with_below"]


def units_below(unit: str, units: Iterable[Unit]) -> frozenset[str]:
    """A unit and all below it; the unit alone where it is not among ``units``. A ring of parents ends where it began."""
    children = defaultdict(list)
    for other in units:
        children[other.parent].append(other.id)
    found, waiting = {unit}, [unit]
    while waiting:
        new = [child for child in children[waiting.pop()] if child not in found]
        found.update(new)
        waiting += new
    return frozenset(found)


def sees(scope: Collection[str] | None, unit: str | None) -> bool:
    """Whether who has that scope sees what is that unit's; what is no unit's is seen by headquarters alone."""
    return scope is None or unit in scope


def units_asked(scope: Collection[str] | None, unit: str | None) -> Sequence[str] | None:
    """The units of a list: the one that was asked for as far as it is in scope, else all in scope; None: everybody's and nobody's."""
    if unit is None:
        return None if scope is None else sorted(scope)
    return [unit] if sees(scope, unit) else []


def units_with_below(
    scope: Collection[str] | None, unit: str | None, plan: Plan | None
) -> frozenset[str] | None:
    """The unit that is asked for and all below it in a plan, as far as they are in scope; without a unit all in scope. None: everybody's."""
    if unit is None:
        return None if scope is None else frozenset(scope)
    below = units_below(unit, plan.units if plan else ())
    return below if scope is None else below & frozenset(scope)
