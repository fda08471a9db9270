"""Alarms as events make them: one an episode, open as long as the episode may need a person; and what a person made of it stays."""

from __future__ import annotations

from uuid import UUID

import msgspec
import pytest
from alarm_stories import MINUTE, Board, T, episode, event, over

from seal_tracker.alarms.deadlines import due_ms, ms_of, timer_ms
from seal_tracker.alarms.derive import REPEATS_MAX
from seal_tracker.alarms.grouping import GROUP_WINDOW_MS, distance_m, own_group
from seal_tracker.alarms.of_episodes import alarming, first_alarm_id
from seal_tracker.alarms.surroundings import Surroundings
from seal_tracker.model import Event, iso_ms
from seal_tracker.ways import Way


def after(*events: Event) -> list[tuple[UUID, UUID | None, str]]:
    """(id, episode, state) of all alarms, after events that are committed one by one."""
    return [(row.id, row.episode, row.state) for row in Board().hear(*events).rows.values()]


OPEN = episode()
OVER = over(OPEN, 300)
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
    assert after(*inherited, event(over(MOVED, 240), "cleared", 4)) == [
        (own, MOVED.episode, "closed"),
        (open_, MOVED.episode, "returned_unacknowledged"),
    ]


def test_a_person_s_part_passes_to_the_episode_that_takes_the_place() -> None:
    """Who acknowledged it, who is at it, notes and shelf: late data that moves a start asks nobody again."""
    board = Board().hear(event(OPEN, "raised"))
    board.act("ack", board.row())
    board.act("assign", board.row(), to="binh")
    board.act("note", board.row(), note="the driver does not answer")
    before = board.only
    board.hear(event(MOVED, "updated", 1, (OPEN.episode,)))
    kept = (
        "alarm",
        "state",
        "acked_by",
        "acked_at",
        "assignee",
        "note",
        "notes",
        "group",
        "opened_at",
        "close_by",
    )
    assert [getattr(board.only, name) for name in kept] == [getattr(before, name) for name in kept]
    assert board.row().episodes == (MOVED.episode,)


def test_what_a_person_closed_stays_closed_when_late_data_moves_it() -> None:
    """It was dealt with; the same under another start is not news."""
    board = Board().hear(event(OPEN, "raised"))
    board.act("close", board.row(), code="resolved")
    board.hear(event(MOVED, "updated", 1, (OPEN.episode,)), event(over(MOVED, 60), "cleared", 2))
    assert (board.only.state, board.only.code, board.only.closed_by) == ("closed", "resolved", "an")


def test_what_was_closed_and_gets_worse_while_it_goes_on_is_asked_again() -> None:
    """A stop that was a rest at twenty minutes is none at ninety; what was noted is still there."""
    board = Board().hear(event(OPEN, "raised"))
    board.act("close", board.row(), code="resolved", note="a rest")
    worse = msgspec.structs.replace(OPEN, severity="critical")
    board.hear(event(worse, "updated", 2, recorded_ms=T + 90 * MINUTE))
    alarm = board.only
    assert (alarm.state, alarm.severity, alarm.closed_at, alarm.code, alarm.note) == (
        "unacknowledged", "critical", None, None, "a rest",
    )  # fmt: skip
    assert timer_ms(alarm) == T + 92 * MINUTE
    assert board.passages == ["reopened"]


def test_a_severity_that_rises_brings_its_deadlines() -> None:
    """But never a later one than stood before."""
    board = Board().hear(event(OPEN, "raised"))
    first = due_ms(board.only)
    worse = msgspec.structs.replace(OPEN, severity="critical")
    board.hear(event(worse, "updated", 2, recorded_ms=OPEN.raised_at_ms + MINUTE))
    assert due_ms(board.only) == OPEN.raised_at_ms + 3 * MINUTE
    assert first == OPEN.raised_at_ms + 5 * MINUTE


def test_late_data_never_raises_the_siren_for_something_over() -> None:
    """It starts returned and silent, marked late, and is only to be closed; what goes on still calls."""
    board = Board()
    board.commit([event(OPEN, "raised", late=True), event(OVER, "cleared", 2, late=True)])
    alarm = board.only
    assert (alarm.state, alarm.late, alarm.silent, alarm.acknowledge_by) == (
        "returned_unacknowledged",
        True,
        True,
        None,
    )
    assert alarm.escalates_at == alarm.close_by
    going_on = Board().hear(event(OPEN, "raised", late=True)).only
    assert (going_on.state, going_on.late, going_on.silent) == ("unacknowledged", True, False)


def test_deadlines_count_from_when_it_was_known_by_the_clock_of_its_space() -> None:
    """Of an exercise, from its own now, which may be a year ago."""
    live = Board().hear(event(OPEN, "raised", recorded_ms=T + 60 * MINUTE)).only
    assert (live.raised_at, live.opened_at) == (iso_ms(OPEN.raised_at_ms), iso_ms(T + 60 * MINUTE))
    exercise = Board(Surroundings(now_ms=T)).hear(event(OPEN, "raised", recorded_ms=T + 60 * MINUTE)).only
    assert exercise.opened_at == iso_ms(OPEN.raised_at_ms)


def again(n: int, minutes: float, **changes: object) -> list[Event]:
    """The n-th episode of the same, raised so many minutes after T, ten minutes long."""
    one = episode(minutes * 60 - 600, **changes)
    return [event(one, "raised", 1), event(over(one, 60), "cleared", 2)]


def test_the_same_again_within_half_an_hour_is_the_same_alarm_once_more() -> None:
    """It counts, and has to be acknowledged again; who is at it stays."""
    board = Board().hear(*again(1, 0))
    board.act("ack", board.row(), T + MINUTE)
    board.act("assign", board.row(), T + MINUTE, to="binh")
    repeat = again(2, 30)
    board.hear(*repeat)
    alarm = board.only
    assert (alarm.repeats, alarm.state, alarm.assignee, alarm.acked_by) == (
        2,
        "returned_unacknowledged",
        "binh",
        None,
    )
    assert alarm.episode == repeat[0].episode.episode
    assert len(board.row().episodes) == 2
    assert due_ms(alarm) == T + 35 * MINUTE
    assert board.passages == ["returned", "repeated", "returned"]


def test_the_same_later_or_of_another_object_or_closed_is_another_alarm() -> None:
    """After half an hour it is news, and what was closed is not opened by it."""
    board = Board().hear(*again(1, 0), *again(2, 32), *again(3, 33, object="Z"))
    assert [alarm.repeats for alarm in board.all] == [1, 1, 1]
    closed = Board().hear(*again(1, 0))
    closed.act("close", closed.row(), T + 2 * MINUTE, code="resolved")
    closed.hear(*again(2, 10))
    assert [alarm.state for alarm in closed.all] == ["closed", "returned_unacknowledged"]


def test_a_repeat_that_nobody_had_acknowledged_keeps_its_deadline() -> None:
    """What chatters would else never be late."""
    board = Board().hear(*again(1, 0), *again(2, 3))
    assert (board.only.repeats, due_ms(board.only)) == (2, T + 5 * MINUTE)


def test_what_is_set_aside_swallows_its_repeats() -> None:
    """However late they come: they call nobody until the shelf expires; but not for ever in one row."""
    board = Board().hear(*again(1, 0))
    board.act("shelve", board.row(), T + MINUTE, until_ms=T + 23 * 60 * MINUTE, reason="chatters")
    for n in range(1, 20):
        board.hear(*again(n, 60 * n))
    assert (board.only.state, board.only.repeats) == ("shelved", 20)
    row = board.row()
    full = row._replace(episodes=tuple(UUID(int=n) for n in range(REPEATS_MAX)))
    board.rows[row.id] = full
    board.hear(*again(20, 60 * 20))
    assert [alarm.state for alarm in board.all] == ["shelved", "returned_unacknowledged"]


def test_a_repeat_that_is_taken_back_leaves_the_rest() -> None:
    """Whichever it was; the alarm closes with the last, and comes back with whichever comes back."""
    first, second = again(1, 0), again(2, 20)
    board = Board().hear(*first, *second, event(second[0].episode, "retracted", 3))
    assert (board.only.repeats, board.only.episode, board.only.state) == (
        1, first[0].episode.episode, "returned_unacknowledged",
    )  # fmt: skip
    board.hear(event(second[0].episode, "raised", 4), event(first[0].episode, "retracted", 3))
    assert board.row().episodes == (second[0].episode.episode,)
    board.hear(event(first[0].episode, "raised", 4))
    assert (board.only.repeats, board.only.episode) == (2, second[0].episode.episode)
    board.hear(event(first[0].episode, "retracted", 5), event(second[0].episode, "retracted", 5))
    assert (board.only.state, board.only.code) == ("closed", "retracted")
    board.hear(*again(1, 0))
    assert board.only.state == "returned_unacknowledged"


def test_repeats_that_become_one_episode_are_one() -> None:
    """Late data shows that it was never interrupted."""
    first, second = again(1, 0), again(2, 20)
    whole = over(first[0].episode, 21 * 60)
    board = Board().hear(*first, *second)
    board.hear(event(whole, "updated", 3, (second[0].episode.episode,)))
    assert (board.only.repeats, board.row().episodes) == (1, (whole.episode,))


def silence(n: int, minutes: float, lon: float | None, **changes: object) -> Event:
    fixes = {} if lon is None else {"fixes": [{"lon": lon, "lat": 20.0}]}
    one = episode(
        minutes * 60 - 600, subject=f"J-{n}", journey=f"J-{n}", seal=f"S-{n}", evidence=fixes, **changes
    )
    return event(one, "raised")


def test_a_cell_outage_is_one_group_of_two_hundred() -> None:
    """Each has its alarm, and all of them are of the group that the first began; together or one by one."""
    outage = [silence(n, n / 60, 106.0 + n / 2000) for n in range(200)]
    together, one_by_one = Board(), Board().hear(*outage)
    together.commit(outage)
    for board in (together, one_by_one):
        assert len(board.all) == 200
        assert {alarm.group for alarm in board.all} == {
            own_group(str(first_alarm_id(outage[0].episode.episode)))
        }


def test_what_is_far_or_late_or_another_type_is_no_group() -> None:
    """Measured against the alarm that began it, so that a group does not creep across the country."""
    assert 15_000 < distance_m((106.0, 20.0), (106.15, 20.0)) < 16_000
    near, between, beyond = (silence(n, 0, 106.0 + n * 0.15) for n in range(3))
    later, other = silence(4, 6, 106.0), silence(5, 0, 106.0, type="GPS_LOST")
    board = Board().hear(near, between, beyond, later, other)
    groups = [alarm.group for alarm in board.all]
    own = [own_group(alarm.alarm) for alarm in board.all]
    assert groups == [own[0], own[0], own[2], own[3], own[4]]
    assert GROUP_WINDOW_MS == 5 * MINUTE


@pytest.mark.parametrize("way", [Way("452-04"), Way(None, "gw-1"), Way("452-01", "gw-1")], ids=str)
def test_what_is_heard_by_one_network_or_gateway_is_one_group_wherever_it_is(way: Way) -> None:
    """A gateway that dies silences seals from the coast to the border; what has another way too, or none, is not of it."""
    ways = {"S-0": way, "S-1": way._replace(carrier="452-04"), "S-2": Way("452-05", "gw-2")}
    raised = [silence(n, n, 104.0 + n) for n in range(4)]
    board = Board(Surroundings(ways=ways)).hear(*raised)
    groups = [alarm.group for alarm in board.all]
    assert groups[0] == groups[1]
    assert len(set(groups)) == 3
    assert [alarm.gateway for alarm in board.all] == [way.gateway, way.gateway, "gw-2", None]
    later = Board(Surroundings(ways=ways)).hear(raised[0], silence(1, 6, 105.0))
    assert len({alarm.group for alarm in later.all}) == 2


def test_a_group_does_not_tell_which_alarm_began_it() -> None:
    """That one may be another unit's; which began it the row knows."""
    board = Board().hear(silence(1, 0, 106.0, unit="a"), silence(2, 0, 106.0, unit="b"))
    first, second = board.all
    assert first.group == second.group
    assert first.group not in {first.alarm, second.alarm, str(first.episode)}
    assert [board.row(alarm).begins for alarm in board.all] == [True, False]


def test_what_has_no_place_goes_by_its_unit() -> None:
    """Cameras of one gate hang on one line; what is nobody's is alone."""
    of_gate = [silence(n, 0, None, unit="gate") for n in range(3)]
    of_none = [silence(n, 0, None) for n in range(3, 5)]
    board = Board().hear(*of_gate, *of_none)
    assert len({alarm.group for alarm in board.all}) == 3


def test_an_alarm_says_where_it_is_and_who_answers() -> None:
    """By the last fix of its evidence; the unit that answers may be another than the journey's."""
    around = Surroundings(
        responsible=lambda place, unit: "port" if place else unit, declaration=lambda journey: f"TK-{journey}"
    )
    alarm = Board(around).hear(silence(1, 0, 106.5, unit="inland")).only
    assert (alarm.place, alarm.unit, alarm.responsible, alarm.declaration) == (
        (106.5, 20.0),
        "inland",
        "port",
        "TK-J-1",
    )
    assert ms_of(alarm.raised_at) == T
