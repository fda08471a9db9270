"""Alarms as events make them: one an episode, open as long as the episode may need a person."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
import pytest

from seal_tracker.alarms.derive import alarming, derived, first_alarm_id
from seal_tracker.model import Episode, Event, Transition, episode_id, event_id
from seal_tracker.store.records import AlarmRow

T = 1_795_316_400_000


def episode(start_s: int = 0, **changes: Any) -> Episode:
    fields: dict[str, Any] = {
        "episode": episode_id("live", "journey/J-1", "SIGNAL_LOST", None, T + start_s * 1000),
        "type": "SIGNAL_LOST",
        "severity": "high",
        "subject_kind": "journey",
        "subject": "J-1",
        "journey": "J-1",
        "seal": "S-1",
        "object": None,
        "started_at_ms": T + start_s * 1000,
        "raised_at_ms": T + start_s * 1000 + 600_000,
        "ended_at_ms": None,
        "cleared_at_ms": None,
        "inferred": False,
        "latched": False,
        "evidence": {},
        "plan_version": 1,
        "changed_ms": T,
        "settled_ms": None,
    }
    return Episode(**fields | changes)


def event(of: Episode, transition: Transition, revision: int = 1, references: tuple[UUID, ...] = ()) -> Event:
    return Event(
        id=event_id(of.episode, revision), sequence=revision, space="live", episode=of, transition=transition,
        revision=revision, time_ms=T, recorded_ms=T + revision, late=False, references=references,
    )  # fmt: skip


def after(*events: Event) -> list[tuple[UUID, UUID | None, str]]:
    """(id, episode, state) of all alarms, after events that are committed one by one."""
    stored: dict[UUID, AlarmRow] = {}
    for one in events:
        concerned = {one.episode.episode, *one.references}
        stored |= derived(
            [one], [row for row in stored.values() if concerned.intersection(row.episodes)]
        ).rows
    return [(row.id, row.episode, row.state) for row in stored.values()]


OPEN = episode()
OVER = msgspec.structs.replace(OPEN, ended_at_ms=T + 900_000, cleared_at_ms=T + 900_000)
MOVED = episode(60)


@pytest.mark.parametrize(
    ("events", "state"),
    [
        ([event(OPEN, "raised")], "unacknowledged"),
        ([event(OPEN, "raised"), event(OVER, "cleared", 2)], "returned_unacknowledged"),
        ([event(OPEN, "raised"), event(OPEN, "retracted", 2)], "closed"),
        ([event(OPEN, "raised"), event(OPEN, "retracted", 2), event(OPEN, "raised", 3)], "unacknowledged"),
    ],
    ids=["raised", "cleared", "retracted", "raised again"],
)
def test_an_alarm_is_as_open_as_its_episode(events: list[Event], state: str) -> None:
    """Late data may take an episode back and later data bring it again, under the same id: then it needs a person again."""
    assert after(*events) == [(first_alarm_id(OPEN.episode), OPEN.episode, state)]


def test_plain_information_raises_no_alarm() -> None:
    """A checkpoint reached is on the list of events, and asks nobody for anything."""
    assert not alarming(episode(severity="info"))
    assert after(event(episode(severity="info"), "raised")) == []


def test_an_alarm_passes_to_the_episode_that_replaces_its_own() -> None:
    """Its id, and with it what people noted, stays; a moved start is no new alarm."""
    alarms = after(event(OPEN, "raised"), event(MOVED, "updated", 1, (OPEN.episode,)))
    assert alarms == [(first_alarm_id(OPEN.episode), MOVED.episode, "unacknowledged")]


def test_an_episode_that_comes_back_in_anothers_place_takes_the_open_alarm() -> None:
    """Its own was closed when it was taken back; no alarm is left open for an episode that is gone."""
    inherited = [
        event(MOVED, "raised"),
        event(MOVED, "retracted", 2),
        event(OPEN, "raised"),
        event(MOVED, "updated", 3, (OPEN.episode,)),
    ]
    own, open_ = first_alarm_id(MOVED.episode), first_alarm_id(OPEN.episode)
    assert after(*inherited) == [
        (own, MOVED.episode, "closed"),
        (open_, MOVED.episode, "unacknowledged"),
    ]
    over = msgspec.structs.replace(MOVED, ended_at_ms=T + 900_000, cleared_at_ms=T + 900_000)
    assert after(*inherited, event(over, "cleared", 4)) == [
        (own, MOVED.episode, "closed"),
        (open_, MOVED.episode, "returned_unacknowledged"),
    ]
