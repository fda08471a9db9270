"""An alarm outlives what late data does to its episode: its id, and what a person has made of it, pass to the successor."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from arrivals import Service
from story import T0_MS, Core, Ground, Ping, batch, ping

from seal_tracker.alarms.deadlines import DEFAULT_TERMS
from seal_tracker.alarms.life_cycle import Act, taken
from seal_tracker.alarms.of_episodes import first_alarm_id
from seal_tracker.alarms.rows import alarm_in, row_of
from seal_tracker.journey import Authorisation
from seal_tracker.store.records import AlarmRow


def service() -> Service:
    made = Ground().journey()
    for rule in ("SIGNAL_LOST", "UNOBSERVED_GAP", "STOP_UNPLANNED"):
        made.policy(f"default.{rule}", enabled=False)
    return Service(Core(made.plan()))


def hear(told: Service, *pings: Ping) -> None:
    told.feed(batch(pings, told.core.numbers))


def acknowledge(told: Service, alarm: UUID) -> None:
    row = told.store.alarms[alarm]
    seen = Act(verb="ack", by="an officer", role="operator", at_ms=T0_MS)
    told.store.alarms[alarm] = row_of(taken(alarm_in(row), seen, DEFAULT_TERMS), row.episodes)


def alarms(told: Service) -> list[AlarmRow]:
    """Those that are not closed."""
    return [row for row in told.store.alarms.values() if row.state != "closed"]


def cut(second: float) -> Ping:
    return ping(second, 0, lock="cut")


def test_an_acknowledged_alarm_survives_a_late_ping_that_moves_its_start() -> None:
    """The episode is another, by its id; the alarm is the same, and nobody is asked to acknowledge it again."""
    told = service()
    hear(told, ping(0, 0), cut(120))
    (raised,) = alarms(told)
    acknowledge(told, raised.id)
    hear(told, cut(60))
    (now,) = alarms(told)
    (episode,) = told.store.episodes
    assert (now.id, now.state) == (raised.id, "acknowledged")
    assert now.episode == episode.episode != raised.episode
    assert now.id != first_alarm_id(episode.episode)
    retained = [message for message in told.store.outbox if "/alarm/" in message.topic]
    assert {message.topic.rpartition("/")[2] for message in retained} == {str(raised.id)}
    assert b'"acknowledged"' in retained[-1].payload
    assert str(episode.episode).encode() in retained[-1].payload


def test_it_survives_a_start_in_between_and_the_next_move() -> None:
    """What the store says of an alarm is all there is to know of it."""
    told = service()
    hear(told, ping(0, 0), cut(180))
    (raised,) = alarms(told)
    acknowledge(told, raised.id)
    for moment in (120, 60):
        told.restart()
        hear(told, cut(moment))
    assert [(row.id, row.state) for row in alarms(told)] == [(raised.id, "acknowledged")]
    assert len(told.store.alarms) == 1


def test_two_alarms_that_become_one_thing_leave_the_one_that_was_seen() -> None:
    """Late data shows that a silence between two cuts was none: of the two, the acknowledged one goes on, the other closes."""
    made = Ground().zone("P", 0, 0, 300, "prohibited").journey()
    for rule in ("SIGNAL_LOST", "UNOBSERVED_GAP", "STOP_UNPLANNED"):
        made.policy(f"default.{rule}", enabled=False)
    made.policy("default.PROHIBITED_ZONE", clear_fixes=1)
    told = Service(Core(made.plan()))
    hear(told, ping(0, 2000), ping(600, 0), ping(660, 2000), ping(3600, 0), ping(3660, 2000))
    first, second = sorted(alarms(told), key=lambda row: row.raised_at_ms)
    acknowledge(told, second.id)
    # A better fix of the same moment: it had not left the zone.
    hear(told, ping(660, 0, satellites=12), ping(540, 0))
    (left,) = alarms(told)
    assert (left.id, left.state) == (second.id, "acknowledged")
    assert told.store.alarms[first.id].state == "closed"


def test_a_repeat_whose_place_the_first_takes_is_no_repeat_any_more() -> None:
    """Three gaps are one alarm; late pings end the second sooner, and the first takes over what touches it."""
    made = (
        Ground().policy("default.UNOBSERVED_GAP", gap_s=200).policy("default.STOP_UNPLANNED", enabled=False)
    )
    told = Service(Core(made.journey().plan()))
    hear(told, *(ping(s, 0) for s in (60, 300, 660, 930)))
    hear(told, *(ping(s, 0) for s in (330, 360, 390, 420, 690)))
    (alarm,) = alarms(told)
    assert sorted(alarm.episodes) == sorted(e.episode for e in told.store.episodes)
    assert alarm_in(alarm).repeats == len(alarm.episodes) == 3


def test_an_alarm_that_late_data_takes_back_closes_though_it_was_acknowledged() -> None:
    """There is nothing left to look after."""
    told = service()
    hear(told, ping(0, 0), ping(120, 0, lock="open"))
    (raised,) = alarms(told)
    acknowledge(told, raised.id)
    (journey,) = told.core.journeys
    leave = Authorisation(journey.armed_at_ms, journey.armed_at_ms + 600_000, None, "an officer")
    told.learn([replace(journey, authorisations=(leave,))], told.core.versions)
    assert told.store.alarms[raised.id].state == "closed"
