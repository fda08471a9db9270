"""Where rules write episodes: opened, changed and closed in the order of event time. Pure; one book a judgement.

A book starts from the open episodes of the seals judged, copies a seal's own before it changes them, and remembers
every episode it touched. It never writes to what it was given.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import msgspec

from seal_tracker.model import Episode, Severity, SubjectKind, episode_id

__all__ = ["Book", "OpenEpisodes", "Subject"]

OpenEpisodes = dict[tuple[str, str | None], Episode]
"""Open episodes of one seal by (rule, object)."""


class Subject(msgspec.Struct, frozen=True):
    """Whom an episode is about, and what is written into it beside."""

    kind: SubjectKind
    id: str
    seal: str
    journey: str | None = None
    regime: str | None = None
    unit: str | None = None


class Book:
    """Episodes of one judgement.

    Attributes
    ----------
    touched
        every episode opened, changed or closed, as it is now.
    """

    def __init__(self, space: str, open_by_seal: Mapping[int, OpenEpisodes]) -> None:
        self._space = space
        self._given = open_by_seal
        self._own: dict[int, OpenEpisodes] = {}
        self.touched: dict[UUID, Episode] = {}

    def open_of(self, seal: int) -> OpenEpisodes:
        """Open episodes of a seal; read only."""
        return self._own[seal] if seal in self._own else self._given.get(seal, {})

    def open_after(self) -> Mapping[int, OpenEpisodes]:
        """Open episodes of each seal this book changed."""
        return self._own

    def raise_(
        self,
        seal: int,
        subject: Subject,
        rule: str,
        obj: str | None,
        *,
        severity: Severity,
        started_at_ms: int,
        raised_at_ms: int,
        evidence: dict[str, Any],
        plan_version: int,
        latched: bool = False,
    ) -> Episode:
        """Open an episode; it stays open until `close`."""
        episode = self._episode(
            subject, rule, obj, severity, started_at_ms, raised_at_ms, evidence, plan_version, latched=latched
        )
        self._own_of(seal)[rule, obj] = episode
        return self._touch(episode)

    def point(
        self,
        subject: Subject,
        rule: str,
        obj: str | None,
        *,
        severity: Severity,
        started_at_ms: int,
        raised_at_ms: int,
        evidence: dict[str, Any],
        plan_version: int,
        ended_at_ms: int | None = None,
        settled_ms: int | None = None,
        inferred: bool = False,
        nth: int = 0,
    ) -> Episode:
        """Write an episode that is over as soon as it is known: a point, or a stretch between two fixes.

        ``nth`` tells apart what may befall one object several times at one moment; it is part of the episode's identity.
        """
        episode = self._episode(
            subject, rule, obj, severity, started_at_ms, raised_at_ms, evidence, plan_version, nth=nth
        )
        return self._touch(
            msgspec.structs.replace(
                episode,
                inferred=inferred,
                ended_at_ms=raised_at_ms if ended_at_ms is None else ended_at_ms,
                cleared_at_ms=raised_at_ms,
                settled_ms=raised_at_ms if settled_ms is None else settled_ms,
            )
        )

    def change(self, seal: int, rule: str, obj: str | None, *, changed_ms: int, **what: Any) -> Episode:
        """Change an open episode; ``evidence`` is merged into what is there."""
        mine = self._own_of(seal)
        episode = mine[rule, obj]
        if "evidence" in what:
            what["evidence"] = episode.evidence | what["evidence"]
        mine[rule, obj] = changed = msgspec.structs.replace(episode, changed_ms=changed_ms, **what)
        return self._touch(changed)

    def close(
        self,
        seal: int,
        rule: str,
        obj: str | None,
        *,
        ended_at_ms: int,
        cleared_at_ms: int,
        settled_ms: int | None = None,
        evidence: Mapping[str, Any] | None = None,
    ) -> Episode:
        """End an open episode; ``settled_ms`` where the ping that decided it is later than the clearing fix."""
        episode = self._own_of(seal).pop((rule, obj))
        closed = msgspec.structs.replace(
            episode,
            ended_at_ms=ended_at_ms,
            cleared_at_ms=cleared_at_ms,
            changed_ms=cleared_at_ms,
            settled_ms=cleared_at_ms if settled_ms is None else settled_ms,
            evidence=episode.evidence | dict(evidence or {}),
        )
        return self._touch(closed)

    def close_journey(self, seal: int, *, at_ms: int, reason: str) -> None:
        """End every open episode of a seal's journey, as at disarming; what is of the seal on no journey stays."""
        of_journey = [key for key, e in self.open_of(seal).items() if e.journey is not None]
        for rule, obj in of_journey:
            self.close(
                seal, rule, obj, ended_at_ms=at_ms, cleared_at_ms=at_ms, evidence={"closed_by": reason}
            )

    def _own_of(self, seal: int) -> OpenEpisodes:
        if seal not in self._own:
            self._own[seal] = dict(self._given.get(seal, {}))
        return self._own[seal]

    def _touch(self, episode: Episode) -> Episode:
        self.touched[episode.episode] = episode
        return episode

    def _episode(
        self,
        subject: Subject,
        rule: str,
        obj: str | None,
        severity: Severity,
        started_at_ms: int,
        raised_at_ms: int,
        evidence: dict[str, Any],
        plan_version: int,
        *,
        latched: bool = False,
        nth: int = 0,
    ) -> Episode:
        named = f"{obj}#{nth + 1}" if nth else obj
        return Episode(
            episode=episode_id(self._space, f"{subject.kind}/{subject.id}", rule, named, started_at_ms),
            type=rule,
            severity=severity,
            subject_kind=subject.kind,
            subject=subject.id,
            journey=subject.journey,
            seal=subject.seal,
            object=obj,
            started_at_ms=started_at_ms,
            raised_at_ms=raised_at_ms,
            ended_at_ms=None,
            cleared_at_ms=None,
            inferred=False,
            latched=latched,
            evidence=evidence,
            plan_version=plan_version,
            regime=subject.regime,
            unit=subject.unit,
            changed_ms=raised_at_ms,
            settled_ms=None,
        )
