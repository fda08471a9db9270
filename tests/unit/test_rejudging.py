"""What is judged again for late pings and late facts: from where, how far, and how many pings of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from arrivals import CHECKPOINT_EVERY, Service
from story import T0_MS, Core, Ground, Ping, batch, drive, ping

from seal_tracker import replaying
from seal_tracker.journey import Authorisation, Diversion, Journey, Reset, Suspension
from seal_tracker.model import PingBatch
from seal_tracker.planning import changed_journeys, new_diversions
from seal_tracker.rejudge import Rejudgement, Span

LONG = drive(0, 6000, 30)
"""201 pings on a straight road, and a checkpoint after each third."""


def service(pings: list[Ping]) -> Service:
    """One that pings have come to three by three."""
    told = Service(Core(Ground().route("R", (0, 0), (95_000, 0)).journey(route="R").plan()))
    for i in range(0, len(pings), CHECKPOINT_EVERY):
        told.feed(batch(pings[i : i + CHECKPOINT_EVERY], told.core.numbers))
    return told


def rejudged(told: Service, late: Ping) -> int:
    """How many pings a late one makes it judge again."""
    before = told.store.counts["rejudged_pings"]
    told.feed(batch([late], told.core.numbers))
    return told.store.counts["rejudged_pings"] - before


def test_a_late_ping_that_changes_nothing_costs_the_pings_up_to_the_next_checkpoint() -> None:
    """Not those of the rest of the journey: there the state is the stored one."""
    assert rejudged(service(LONG), ping(3015, 15 * 3015)) <= 2 * CHECKPOINT_EVERY


def test_the_cost_of_a_late_ping_does_not_grow_with_what_came_after_it() -> None:
    """A minute late or an hour and a half: the same."""
    assert rejudged(service(LONG), ping(615, 15 * 615)) == rejudged(service(LONG), ping(4815, 15 * 4815))


def test_judging_again_what_came_all_at_once_leaves_checkpoints_behind() -> None:
    """There is none among 1,201 pings of one batch: the first late ping costs them all, the next ones what is near."""
    told = Service(Core(Ground().route("R", (0, 0), (95_000, 0)).journey(route="R").plan()))
    told.feed(batch(drive(0, 6000, 5), told.core.numbers))
    costs = [rejudged(told, ping(at_s, 15 * at_s)) for at_s in (1503, 4503, 4513)]
    assert costs[0] > 1200
    assert max(costs[1:]) < 600
    assert costs[2] < costs[1]


def test_a_late_ping_that_changes_what_follows_is_followed_as_far_as_it_does() -> None:
    """A stop that began before is another episode until it is over."""
    parked = [*drive(0, 900, 30), *(ping(900 + 60 * i, 13_500) for i in range(1, 60))]
    onward = [*parked, *(ping(4440 + 30 * i, 13_500 + 450 * i) for i in range(1, 60))]
    told = service(onward)
    cost = rejudged(told, ping(899, 13_480))
    assert 59 < cost < len(onward) - 30
    assert told.lines() == whole([*onward, ping(899, 13_480)])


def whole(pings: list[Ping]) -> bytes:
    core = Core(Ground().route("R", (0, 0), (95_000, 0)).journey(route="R").plan())
    core.tell(pings)
    return core.lines()


def test_what_stands_is_neither_told_nor_stored_again() -> None:
    """An episode after the checkpoint at which judging again may stop is nobody's news."""
    off = [*LONG, *(ping(6000 + 30 * i, 90_000 + 30 * i, 900) for i in range(1, 8))]
    told = service(off)
    events = len(told.events)
    assert rejudged(told, ping(3015, 15 * 3015)) <= 2 * CHECKPOINT_EVERY
    assert len(told.events) == events
    assert told.lines() == whole([*off, ping(3015, 15 * 3015)])


def test_checkpoints_that_stand_stay_and_those_passed_over_go() -> None:
    """As many as before, and none at a time where the state was another."""
    told = service(LONG)
    before = set(told.store.states)
    told.feed(batch([ping(3015, 15 * 3015)], told.core.numbers))
    assert set(told.store.states) == before
    diverted = replace(told.core.journeys[0], diversions=(Diversion(T0_MS + 3_000_000, "R2", "an officer"),))
    told.learn([diverted], told.core.versions)
    left = [at for _, at in told.store.states]
    assert max(left) == max(at for _, at in before)
    assert len([at for at in left if at >= T0_MS + 3_000_000]) < 40


JOURNEY = Journey("J", "S1", (("S1", "seal"),), "R", "transit", 100, 900)


def span(**changes: Any) -> Span | None:
    return changed_journeys((JOURNEY,), (replace(JOURNEY, **changes),)).get("S1")


def test_a_changed_fact_is_judged_again_when_it_makes_a_difference() -> None:
    """From its own time, and where it has an end only to that; anything else from the arming on."""
    assert span() is None
    assert span(disarmed_at_ms=700) == (700, 900)
    assert span(disarmed_at_ms=None) == (900, None)
    assert span(authorisations=(Authorisation(300, 500, None, "A"),)) == (300, 500)
    assert span(suspensions=(Suspension(300, 500, "A"),)) == (300, 500)
    assert span(suspensions=(Suspension(300, None, "A"),)) == (300, None)
    assert span(diversions=(Diversion(300, "Q", "A"),)) == (300, None)
    assert span(resets=(Reset(300, "SEAL_TAMPER", None, "A"),)) == (300, 301)
    both = {"disarmed_at_ms": 800, "resets": (Reset(300, "SEAL_TAMPER", None, "A"),)}
    assert span(**both) == (300, 900)
    assert span(route="Q") == span(armed_at_ms=150) == (100, None)
    assert changed_journeys((), (JOURNEY,)) == changed_journeys((JOURNEY,), ()) == {"S1": (100, None)}


def test_only_diversions_not_known_before_are_new() -> None:
    """Those name what they take back."""
    old, new = Diversion(300, "Q", "A"), Diversion(400, "R", "A")
    before, after = (replace(JOURNEY, diversions=known) for known in ((old,), (old, new)))
    assert new_diversions((before,), (after,)) == {"J": (new,)}
    assert new_diversions((before,), (before,)) == {}


def test_a_start_that_can_read_no_checkpoint_judges_everything_again_in_portions(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Another version wrote them: nothing is told anew, no portion holds more than it may, and the next start is short."""
    off = [*LONG, *(ping(6000 + 30 * i, 90_000 + 30 * i, 900) for i in range(1, 8))]
    told = service(off)
    events, lines = len(told.events), told.lines()
    told.store.states = dict.fromkeys(told.store.states, b"of another version")
    portions: list[int] = []
    judged = Rejudgement.portion

    def portion(again: Rejudgement, known: PingBatch, stored: Any, new: PingBatch) -> set[int]:
        portions.append(len(known) + len(new))
        return judged(again, known, stored, new)

    monkeypatch.setattr(Rejudgement, "portion", portion)
    monkeypatch.setattr(replaying, "PORTION_PINGS", 50)
    monkeypatch.setattr(replaying, "LEAST_PINGS", 10)
    told.restart()
    assert (len(told.events), told.lines()) == (events, lines)
    assert sum(portions) == len(off)
    assert max(portions) <= 50
    portions.clear()
    told.restart()
    assert sum(portions) == 0


def test_an_episode_that_only_takes_over_a_reference_is_stored_with_its_new_revision() -> None:
    """It is as before, but an event told of it: the next must not have that event's id."""
    made = (
        Ground().policy("default.UNOBSERVED_GAP", gap_s=200).policy("default.STOP_UNPLANNED", enabled=False)
    )
    told = Service(Core(made.journey().plan()))
    told.feed(batch([ping(0, 0), ping(240, 3000), ping(480, 6000)], told.core.numbers))
    assert [e.transition for e in told.events] == ["raised", "raised"]
    (journey,) = told.core.journeys
    told.learn([replace(journey, disarmed_at_ms=T0_MS + 300_000)], told.core.versions)
    event = told.events[-1]
    (left,) = told.store.episodes
    assert (event.transition, event.episode.episode, len(event.references)) == ("updated", left.episode, 1)
    assert told.store.rows[left.episode].revision == event.revision == 2
    told.learn([journey], told.core.versions)
    assert told.folded()


def test_what_is_told_again_after_a_start_has_the_revisions_that_follow() -> None:
    """Time had raised it, a ping of a seal emptying its buffer took it back: a start changes nothing of that, the canary does."""
    made = Ground().journey("S1", disarmed_s=1500).journey("S2")
    made.policy("default.TRANSIT_LIMIT", limit_h=0.1, raise_s=0)
    told = Service(Core(made.plan()))
    told.feed(batch([ping(0, 0), ping(0, 0, of="S2")], told.core.numbers))
    told.tick(9000)
    told.feed(batch([ping(30, 0)], told.core.numbers))
    mine = [e for e in told.events if (e.episode.seal, e.episode.type) == ("S1", "TRANSIT_LIMIT")]
    assert [e.transition for e in mine] == ["raised", "cleared", "retracted"]
    events = len(told.events)
    told.restart()
    assert len(told.events) == events
    told.tick(9000)
    mine = [e for e in told.events if (e.episode.seal, e.episode.type) == ("S1", "TRANSIT_LIMIT")]
    assert [e.revision for e in mine] == list(range(1, len(mine) + 1))
    assert len(mine) > 3
    assert told.folded()


def test_what_late_pings_show_of_fixes_thrown_off_is_counted_as_of_the_sorted_pings() -> None:
    """A fix believed as a jump is an outlier once a ping between denies it, and is none once another bears it out."""
    told = Service(Core(Ground().journey().plan()))

    def outliers(*late: Ping) -> int:
        told.feed(batch(late, told.core.numbers))
        return told.store.counts["fix_outlier"]

    assert outliers(ping(0, 0), ping(30, 50_000), ping(90, 50_100)) == 0
    assert outliers(ping(60, 100)) == 1
    assert outliers(ping(60, 100)) == 1
    told.restart()
    assert outliers(ping(120, 50_200)) == 1
    assert outliers(ping(45, 50_000)) == 1  # now the fix at 60
    assert outliers(ping(75, 100)) == 0
