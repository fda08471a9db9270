"""The versions of a journey as they are told: who made each, when, why, and what it changed. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from seal_tracker.model import iso_ms, iso_or_none
from seal_tracker.store.journey_rows import JourneyVersion
from seal_tracker.web.journey_bodies import ChangedItem, VersionItem

__all__ = ["history_of", "outer"]


def history_of(versions: Iterable[JourneyVersion]) -> Iterator[VersionItem]:
    """The versions from the first on, oldest first."""
    before: Mapping[str, Any] | None = None
    for version in versions:
        after: dict[str, Any] = outer(msgspec.json.decode(version.body))
        yield VersionItem(
            version=version.version,
            verb=version.verb,
            state=version.state,
            at=iso_ms(version.effective_ms),
            recorded_at=iso_ms(version.recorded_ms),
            by=version.actor,
            role=version.role,
            reason=version.reason,
            changed={} if before is None else changed(before, after),
        )
        before = after


def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, ChangedItem]:
    """Members that are others, by name."""
    pairs = {name: (before.get(name), after.get(name)) for name in sorted(before.keys() | after.keys())}
    return {name: ChangedItem(before=a, after=b) for name, (a, b) in pairs.items() if a != b}


def outer(value: Any) -> Any:
    """A part of a record with its times as text, however deep: ``at_ms`` is ``at``. What a permit and ``minerals`` say is left as it is written."""
    if isinstance(value, list):
        return [outer(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        name.removesuffix("_ms"): iso_or_none(item)
        if name.endswith("_ms")
        else item
        if name in ("permit", "minerals")
        else outer(item)
        for name, item in value.items()
    }
