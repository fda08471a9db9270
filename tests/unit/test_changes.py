"""Events are the differences between the stored episodes before and after; folded in order they give those after."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from seal_tracker.changes import Numbered, difference, fold, moved_among, number
from seal_tracker.model import Episode, Event, episode_id, event_id
from seal_tracker.prepared import Prepared

RULE = "ZONE_ENTERED"


def episode(
    start: int, end: int | None = None, *, obj: str = "Z", journey: str = "J", **more: Any
) -> Episode:
    """An episode raised 10 after its start and cleared 5 after its end."""
    cleared = None if end is None else end + 5
    fields: dict[str, Any] = {
        "episode": episode_id("live", f"journey/{journey}", RULE, obj, start),
        "type": RULE, "severity": "info", "subject_kind": "journey", "subject": journey, "journey": journey,
        "seal": "S1", "object": obj, "started_at_ms": start, "raised_at_ms": start + 10, "ended_at_ms": end,
        "cleared_at_ms": cleared, "inferred": False, "latched": False, "evidence": {"zone": obj}, "plan_version": 1,
        "changed_ms": start + 10 if cleared is None else cleared, "settled_ms": cleared,
    }  # fmt: skip
    return Episode(**(fields | more))


def by_id(*episodes: Episode) -> dict[UUID, Episode]:
    return {e.episode: e for e in episodes}


def told(before: list[Episode], after: list[Episode]) -> list[tuple[str, int, int]]:
    """(transition, start of its episode, time) of each change."""
    changes = difference(by_id(*before), by_id(*after))
    return [(c.transition, c.episode.started_at_ms, c.time_ms) for c in changes]


def numbered(
    before: list[Episode],
    after: list[Episode],
    revisions: dict[UUID, int] | None = None,
    late_before: int | None = None,
) -> Numbered:
    changes = difference(by_id(*before), by_id(*after))
    late = {} if late_before is None else {"S1": late_before}
    return number(
        changes, by_id(*before), by_id(*after), revisions or {}, space="live", next_sequence=7, recorded_ms=99,
        late_before_ms=late,
    )  # fmt: skip


def test_nothing_changed_is_no_event() -> None:
    """Nor is bookkeeping: when a thing was settled is nobody's news."""
    same = episode(0, 100)
    moved = msgspec.structs.replace(same, settled_ms=150, changed_ms=140)
    assert told([same], [same]) == told([same], [moved]) == told([], []) == []


def test_an_episode_that_changed_at_another_time_alone_has_moved() -> None:
    """Whatever else it is; one that is new is told by its event."""
    before, new = episode(0, changed_ms=50), episode(200)
    moved = msgspec.structs.replace(before, changed_ms=60)
    assert moved_among([(moved, 1, False), (new, 1, False)], by_id(before)) == {before.episode}
    assert moved_among([(before, 1, False)], by_id(before)) == frozenset()
    assert told([before], [moved]) == []


def test_a_new_episode_is_raised_at_its_raising() -> None:
    """Not when it began."""
    assert told([], [episode(0)]) == [("raised", 0, 10)]


def test_an_episode_that_is_over_when_first_told_is_raised_and_cleared() -> None:
    """Two events, the first without its end."""
    first, second = difference({}, by_id(episode(0, 100)))
    assert (first.transition, first.episode.ended_at_ms, first.episode.cleared_at_ms) == (
        "raised",
        None,
        None,
    )
    assert (second.transition, second.time_ms, second.episode.ended_at_ms) == ("cleared", 105, 100)


def test_a_point_is_one_event() -> None:
    """What ends as it is raised is raised, and that is all."""
    point = episode(0, ended_at_ms=10, cleared_at_ms=10)
    (change,) = difference({}, by_id(point))
    assert (change.transition, change.episode) == ("raised", point)


def test_the_end_of_an_episode_is_cleared_at_its_clearing() -> None:
    """With the severity before, where that changed in the same breath."""
    assert told([episode(0)], [episode(0, 100)]) == [("cleared", 0, 105)]
    (change,) = difference(by_id(episode(0)), by_id(episode(0, 100, severity="high")))
    assert (change.transition, change.old_severity) == ("cleared", "info")


def test_a_change_of_severity_is_updated() -> None:
    """It names the old one."""
    (change,) = difference(by_id(episode(0)), by_id(episode(0, severity="high", changed_ms=50)))
    assert (change.transition, change.time_ms, change.old_severity) == ("updated", 50, "info")


def test_an_end_that_moves_or_goes_is_updated() -> None:
    """Late data: cleared later than told, or not over at all."""
    assert told([episode(0, 100)], [episode(0, 200)]) == [("updated", 0, 205)]
    assert told([episode(0, 100)], [episode(0)]) == [("updated", 0, 10)]


def test_an_episode_without_a_successor_is_retracted() -> None:
    """It never was: of another object, another subject, or at another time does not count."""
    old = episode(0, 100)
    for other in (episode(5, 90, obj="Y"), episode(5, 90, journey="K"), episode(101, 150), episode(-50, -1)):
        assert told([old], [old, other]) == told([], [other])
        assert ("retracted", 0, 10) in told([old], [other])


def test_an_overlapping_successor_takes_its_place() -> None:
    """B is updated with a reference to A; touching ends overlap, and the first by start is chosen."""
    a, b, later = episode(0, 100), episode(100, 200), episode(150)
    changes = difference(by_id(a), by_id(b))
    assert [(c.transition, c.episode, c.references) for c in changes] == [("updated", b, (a.episode,))]
    found = {c.episode.started_at_ms: c.references for c in difference(by_id(episode(0)), by_id(later, b))}
    assert found == {100: (a.episode,), 150: ()}


def test_one_successor_may_take_the_place_of_several() -> None:
    """Two stays that late data shows to be one."""
    a, b, whole = episode(0, 100), episode(200, 300), episode(-10, 300)
    (change,) = difference(by_id(a, b), by_id(whole))
    assert (change.transition, set(change.references)) == ("updated", {a.episode, b.episode})


def test_an_episode_that_stays_may_be_a_successor() -> None:
    """It was there before and grew over its neighbour: updated, with the reference."""
    a, grown, b = episode(0, 100), episode(0, 300), episode(200, 300)
    (change,) = difference(by_id(a, b), by_id(grown))
    assert (change.transition, change.references) == ("updated", (b.episode,))


def test_changes_come_in_the_order_of_event_time() -> None:
    """At one moment retractions first, then what is raised, updated, cleared."""
    before = [episode(50, obj="gone"), episode(40, obj="open")]
    after = [episode(50, obj="new"), episode(40, 55, obj="open"), episode(0, obj="early")]
    assert told(before, after) == [
        ("raised", 0, 10),
        ("retracted", 50, 60),
        ("raised", 50, 60),
        ("cleared", 40, 60),
    ]


def test_sequence_and_revisions_go_on() -> None:
    """Sequence in commit order; an episode's revisions never restart; ids follow from both."""
    found = numbered([], [episode(0, 100)], {episode(0).episode: 4})
    assert [(e.sequence, e.revision, e.recorded_ms) for e in found.events] == [(7, 5, 99), (8, 6, 99)]
    assert [e.id for e in found.events] == [event_id(episode(0).episode, r) for r in (5, 6)]
    assert found.episodes == [(episode(0, 100), 6, False)]


def test_what_is_stored_says_what_is_retracted() -> None:
    """The retracted one, and those that another took the place of."""
    a, b = episode(0, 100), episode(50, 200)
    assert numbered([a], [], {a.episode: 2}).episodes == [(a, 3, True)]
    stored = {
        e.episode: (revision, gone) for e, revision, gone in numbered([a], [b], {a.episode: 2}).episodes
    }
    assert stored == {a.episode: (2, True), b.episode: (1, False)}


def test_bookkeeping_is_stored_without_an_event() -> None:
    """With the revision it has."""
    same = episode(0, 100)
    moved = msgspec.structs.replace(same, settled_ms=150)
    found = numbered([same], [moved], {same.episode: 3})
    assert (found.events, found.episodes) == ([], [(moved, 3, False)])


def test_a_transition_in_what_was_judged_before_is_late() -> None:
    """At or before the time to which the seal had been judged."""
    found = numbered([], [episode(0, 100)], late_before=10)
    assert [(e.transition, e.late) for e in found.events] == [("raised", True), ("cleared", False)]
    assert [e.late for e in numbered([], [episode(0, 100)], late_before=9).events] == [False, False]
    assert [e.late for e in numbered([], [episode(0, 100)]).events] == [False, False]


@st.composite
def histories(draw: st.DrawFn) -> list[dict[UUID, Episode]]:
    """Sets of episodes, one after the other, as re-judgement may leave them: few starts, so that much overlaps."""
    steps = []
    for _ in range(draw(st.integers(1, 6))):
        episodes = []
        for start in draw(st.sets(st.sampled_from([0, 20, 40, 60, 80]), max_size=4)):
            end = draw(st.sampled_from([None, start + 15, start + 40]))
            severity = draw(st.sampled_from(["info", "high"]))
            obj = draw(st.sampled_from(["Z", "Y"]))
            point: dict[str, Any] = (
                {"ended_at_ms": start + 10, "cleared_at_ms": start + 10} if draw(st.booleans()) else {}
            )
            episodes.append(episode(start, end, obj=obj, severity=severity, **point))
        steps.append(by_id(*episodes))
    return steps


@settings(max_examples=400, deadline=None)
@given(histories())
def test_folded_events_are_the_stored_episodes(steps: list[dict[UUID, Episode]]) -> None:
    """Whatever way led there; sequences have no gap, and no event has another's id."""
    events: list[Event] = []
    revisions: dict[UUID, int] = {}
    before: dict[UUID, Episode] = {}
    stored: dict[UUID, Episode] = {}
    for after in steps:
        found = number(
            difference(before, after), before, after, revisions, space="live", next_sequence=len(events) + 1,
            recorded_ms=0, late_before_ms={},
        )  # fmt: skip
        events += found.events
        for one, revision, gone in found.episodes:
            revisions[one.episode] = revision
            stored.pop(one.episode, None)
            if not gone:
                stored[one.episode] = one
        before = after
    assert stored == before
    assert fold(events) == {
        k: msgspec.structs.replace(e, changed_ms=0, settled_ms=None) for k, e in before.items()
    }
    assert [e.sequence for e in events] == list(range(1, len(events) + 1))
    assert len({e.id for e in events}) == len(events)


def test_many_changes_are_committed_in_parts_of_whole_subjects() -> None:
    """An outage raises thousands at one moment. A subject's stay together, since one may take another's place."""
    lost = [episode(i, 300, journey=f"J{i}", obj=obj) for i in range(5) for obj in ("A", "B")]
    replaced = episode(-20, 300, journey="J4", obj="A")
    found = Prepared(before=by_id(replaced), after=by_id(*lost), seals={1}, installs=[lambda: None])
    parts = found.parts(8)
    assert [{e.journey for e in part.after.values()} for part in parts] == [
        {"J0", "J1"}, {"J2", "J3"}, {"J4"},
    ]  # fmt: skip
    assert [bool(part.before) for part in parts] == [False, False, True]
    assert [(part.seals, len(part.installs)) for part in parts] == 2 * [(set(), 0)] + [({1}, 1)]
    assert sorted(map(repr, (c for part in parts for c in part.changes()))) == sorted(
        map(repr, found.changes())
    )


def test_few_changes_are_one_commit() -> None:
    """A subject is not divided, however many episodes it has."""
    found = Prepared(after=by_id(*(episode(i) for i in range(9))))
    assert found.parts(4) == [found]
