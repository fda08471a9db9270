"""From episodes before to episodes after: the events between them. Pure.

Events are the differences between the stored episodes before and after a commit. Folded in the order of ``sequence``
(`fold`) they give exactly the stored episodes, whatever way led there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import msgspec

from seal_tracker.journey import Diversion
from seal_tracker.model import Episode, Event, Severity, Transition, event_id, iso_ms
from seal_tracker.rules.rule import Rule

__all__ = ["Change", "Numbered", "difference", "fold", "moved_among", "naming_diversions", "number"]


@dataclass(frozen=True, slots=True)
class Change:
    """One transition of one episode; ``episode`` is as it stands after it."""

    transition: Transition
    episode: Episode
    time_ms: int
    old_severity: Severity | None = None
    references: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True)
class Numbered:
    """What to store: events with ids and sequences, and the episodes with their revisions (True: retracted)."""

    events: list[Event]
    episodes: list[tuple[Episode, int, bool]]


def difference(before: Mapping[UUID, Episode], after: Mapping[UUID, Episode]) -> list[Change]:
    """Changes that lead from ``before`` to ``after``, of the same seals and stretch of time, in the order of event time.

    An episode of ``before`` that is not in ``after`` has a successor there, an overlapping episode of the same
    subject, rule and object, which then carries a reference to it; or it is retracted.
    """
    gone = [e for key, e in before.items() if key not in after]
    successors = _successors(gone, after.values())
    changes = [
        _retraction(e) for e in gone if e.episode not in {a for refs in successors.values() for a in refs}
    ]
    for key, episode in after.items():
        changes += _transitions(before.get(key), episode, successors.get(key, ()))
    rank = {"retracted": 0, "raised": 1, "updated": 2, "cleared": 3}
    return sorted(changes, key=lambda c: (c.time_ms, rank[c.transition], str(c.episode.episode)))


def _retraction(episode: Episode) -> Change:
    return Change("retracted", episode, episode.raised_at_ms)


def _transitions(before: Episode | None, after: Episode, references: tuple[UUID, ...]) -> Iterable[Change]:
    if before is None and not references:
        over = after.cleared_at_ms is not None
        point = over and after.cleared_at_ms == after.raised_at_ms
        first = (
            after
            if point or not over
            else msgspec.structs.replace(after, ended_at_ms=None, cleared_at_ms=None)
        )
        yield Change("raised", first, after.raised_at_ms)
        if over and not point:
            yield Change("cleared", after, _cleared_ms(after))
    elif before is None:
        yield Change("updated", after, after.changed_ms, references=references)
    elif _told(before) != _told(after) or references:
        clears = before.cleared_at_ms is None and after.cleared_at_ms is not None and not references
        old = before.severity if before.severity != after.severity else None
        time_ms = _cleared_ms(after) if clears else after.changed_ms
        yield Change("cleared" if clears else "updated", after, time_ms, old, references)


def _cleared_ms(episode: Episode) -> int:
    assert episode.cleared_at_ms is not None
    return episode.cleared_at_ms


def _told(episode: Episode) -> Episode:
    """The episode without its bookkeeping: what an event would show."""
    return msgspec.structs.replace(episode, changed_ms=0, settled_ms=None)


def _successors(gone: list[Episode], after: Iterable[Episode]) -> dict[UUID, tuple[UUID, ...]]:
    """For each episode that takes the place of others: which."""
    found: dict[UUID, tuple[UUID, ...]] = {}
    if not gone:
        return found
    candidates: dict[tuple[Any, ...], list[Episode]] = {}
    for new in sorted(after, key=lambda e: (e.started_at_ms, str(e.episode))):
        candidates.setdefault(_what(new), []).append(new)
    for old in gone:
        successor = next((e for e in candidates.get(_what(old), ()) if _overlap(old, e)), None)
        if successor is not None:
            found[successor.episode] = (*found.get(successor.episode, ()), old.episode)
    return found


def _what(episode: Episode) -> tuple[Any, ...]:
    """What an episode is about; two of the same that overlap are one told twice, but for visits of one checkpoint."""
    visit = episode.evidence.get("visit", 1)
    return episode.subject_kind, episode.subject, episode.type, episode.object, visit


def _overlap(a: Episode, b: Episode) -> bool:
    a_end, b_end = (e.ended_at_ms if e.ended_at_ms is not None else float("inf") for e in (a, b))
    return a.started_at_ms <= b_end and b.started_at_ms <= a_end


def naming_diversions(
    changes: Iterable[Change], diverted: Mapping[str, Sequence[Diversion]], of_route: Collection[Rule]
) -> list[Change]:
    """``changes`` with what new diversions (by journey) took back saying so: the old route raised it, at or after them."""
    names = {rule.name for rule in of_route}
    named = []
    for change in changes:
        orders = diverted.get(change.episode.journey or "", ())
        concerned = change.transition == "retracted" and change.episode.type in names
        named.append(_naming(change, orders) if concerned else change)
    return named


def _naming(change: Change, diversions: Sequence[Diversion]) -> Change:
    orders = [d for d in diversions if d.at_ms <= change.episode.raised_at_ms]
    if not orders:
        return change
    order = max(orders, key=lambda d: d.at_ms)
    told = {"at": iso_ms(order.at_ms), "route": order.route, "by": order.by, "reason": order.reason}
    evidence = change.episode.evidence | {"retracted_by": "plan_changed", "diversion": told}
    return replace(change, episode=msgspec.structs.replace(change.episode, evidence=evidence))


def number(
    changes: Iterable[Change],
    before: Mapping[UUID, Episode],
    touched: Mapping[UUID, Episode],
    revisions: Mapping[UUID, int],
    *,
    space: str,
    next_sequence: int,
    recorded_ms: int,
    late_before_ms: Mapping[str, int],
) -> Numbered:
    """Give changes their ids and sequences, and every episode to be stored its revision.

    ``revisions`` are the last ones ever stored; ``late_before_ms`` says for each seal how far its track had been judged
    before: a transition at or before that is late.
    """
    last = dict(revisions)
    events: list[Event] = []
    stored: dict[UUID, tuple[Episode, int, bool]] = {}
    for sequence, change in enumerate(changes, start=next_sequence):
        episode = change.episode
        revision = last.get(episode.episode, 0) + 1
        last[episode.episode] = revision
        events.append(
            Event(
                id=event_id(episode.episode, revision),
                sequence=sequence,
                space=space,
                episode=episode,
                transition=change.transition,
                revision=revision,
                time_ms=change.time_ms,
                recorded_ms=recorded_ms,
                late=change.time_ms <= late_before_ms.get(episode.seal, change.time_ms - 1),
                old_severity=change.old_severity,
                references=change.references,
            )
        )
        stored[episode.episode] = (episode, revision, change.transition == "retracted")
        for replaced in change.references:
            if replaced in before:
                stored[replaced] = (before[replaced], last.get(replaced, 1), True)
    for key, episode in touched.items():
        stored[key] = (episode, last.get(key, 1), False)
    return Numbered(events, list(stored.values()))


def moved_among(rows: Iterable[tuple[Episode, int, bool]], before: Mapping[UUID, Episode]) -> frozenset[UUID]:
    """Which episodes to be stored changed at another time than before, whether or not an event tells of it."""
    known = ((before.get(episode.episode), episode) for episode, _, _ in rows)
    return frozenset(
        now.episode for old, now in known if old is not None and old.changed_ms != now.changed_ms
    )


def fold(events: Iterable[Event]) -> dict[UUID, Episode]:
    """The episodes that events tell of, without bookkeeping."""
    episodes: dict[UUID, Episode] = {}
    for event in events:
        for replaced in event.references:
            episodes.pop(replaced, None)
        if event.transition == "retracted":
            episodes.pop(event.episode.episode, None)
        else:
            episodes[event.episode.episode] = _told(event.episode)
    return episodes
