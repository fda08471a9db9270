"""From what pairs have had to a journey's episodes: ended with it, and joined where several pairs tell of one. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec

from seal_tracker.model import Episode
from seal_tracker.rules.pairs import Pair

__all__ = ["closed", "reset_ms", "told"]


def told(had: Iterable[tuple[Pair, Sequence[Episode]]], now_ms: int | None) -> dict[UUID, Episode]:
    """The episodes of one journey by id, given all its pairs with what they have had, as of ``now_ms``.

    What is open when the journey's time of comparing is over by now ends with it, what is latched with an officer's reset
    of before now. A device that was silent until then may yet tell that it ended before: so this is no progress, but worked
    out anew from it each time.
    """
    by_object: dict[tuple[str, str | None], list[Episode]] = defaultdict(list)
    for pair, episodes in had:
        for episode in episodes:
            by_object[episode.type, episode.object].append(_ended(episode, pair, now_ms))
    return {e.episode: e for episodes in by_object.values() for e in _joined(episodes)}


def closed(episode: Episode, ended_ms: int, cleared_ms: int, evidence: Mapping[str, Any]) -> Episode:
    """An episode that is over; ``evidence`` is added to its own."""
    return msgspec.structs.replace(
        episode,
        ended_at_ms=ended_ms,
        cleared_at_ms=cleared_ms,
        changed_ms=cleared_ms,
        settled_ms=cleared_ms,
        evidence=episode.evidence | dict(evidence),
    )


def reset_ms(episode: Episode, pair: Pair) -> int | None:
    """When an officer said that an episode is dealt with, if it is latched and one did."""
    after = (at for at in pair.resets_ms if at > episode.raised_at_ms)
    return next(after, None) if episode.latched else None


def _ended(episode: Episode, pair: Pair, now_ms: int | None) -> Episode:
    if episode.ended_at_ms is not None or now_ms is None:
        return episode
    reset = reset_ms(episode, pair)
    at, why = (pair.to_ms, pair.ended_by) if reset is None or reset >= pair.to_ms else (reset, "reset")
    return episode if at > now_ms else closed(episode, at, at, {"closed_by": why})


def _joined(episodes: list[Episode]) -> list[Episode]:
    """Overlapping episodes of one journey, rule and object as one: a third vehicle on a structure raises no second."""
    out: list[Episode] = []
    for episode in sorted(episodes, key=lambda e: (e.started_at_ms, e.raised_at_ms, str(e.evidence))):
        if out and (out[-1].ended_at_ms is None or episode.started_at_ms <= out[-1].ended_at_ms):
            out[-1] = _union(out[-1], episode)
        else:
            out.append(episode)
    return out


def _union(first: Episode, second: Episode) -> Episode:
    """The first episode, for as long as either stands."""
    last = max(first, second, key=_until)
    journeys = sorted({*first.evidence.get("journeys", ()), *second.evidence.get("journeys", ())})
    closed_by = {k: v for k, v in last.evidence.items() if k == "closed_by"}
    kept = {k: v for k, v in first.evidence.items() if k != "closed_by"}
    return msgspec.structs.replace(
        first,
        raised_at_ms=min(first.raised_at_ms, second.raised_at_ms),
        ended_at_ms=last.ended_at_ms,
        cleared_at_ms=last.cleared_at_ms,
        settled_ms=last.settled_ms,
        latched=first.latched or second.latched,
        changed_ms=max(first.changed_ms, second.changed_ms),
        evidence=kept | {"journeys": journeys} | closed_by,
    )


def _until(episode: Episode) -> tuple[float, float]:
    open_ended = float("inf")
    ended, cleared = episode.ended_at_ms, episode.cleared_at_ms
    return (
        open_ended if ended is None else ended,
        open_ended if cleared is None else cleared,
    )
