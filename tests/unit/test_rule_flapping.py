"""Flapping: equipment that is offline again and again for a short while is one episode, and is not down."""

from __future__ import annotations

import random
from typing import Any

import pytest
from alarm_stories import Board, episode, event
from story import Core, Ground, Ping, batch, only, ping, span, told

from seal_tracker.model import Episode, iso_ms

RULE = "EQUIPMENT_OFFLINE"
MINUTE = 60


def ground(**policy: Any) -> Ground:
    made = Ground().equipment("CAM-1", MINUTE)
    return made.policy(f"default.{RULE}", **policy) if policy else made


def beats(*moments_s: float, **more: Any) -> list[Ping]:
    return [ping(s, of="equip/CAM-1", **more) for s in moments_s]


def flapping(found: list[Episode]) -> list[Episode]:
    return [e for e in only(found, RULE) if e.object == "flapping"]


def offline(found: list[Episode]) -> list[Episode]:
    return [e for e in only(found, RULE) if e.object is None]


THRICE = (0, 60, 300, 360, 600, 660, 900, 960)
"""Offline for four minutes each: from 60 s, from 360 s, from 660 s."""


def test_three_short_offlines_without_calm_are_flapping() -> None:
    """From the first of them, raised as the third ends; these three were offline like any other."""
    found = told(ground(), beats(*THRICE))
    assert [span(e) for e in flapping(found)] == [(60, 900, None, None)]
    assert [(e.started_at_ms < e.raised_at_ms, e.severity) for e in offline(found)] == [(True, "medium")] * 3
    assert not flapping(told(ground(), beats(*THRICE[:6])))


def test_while_it_flaps_a_short_offline_is_information_alone() -> None:
    """It is still an episode, for it was not heard; nobody is called again."""
    (*_, fourth) = offline(told(ground(), beats(*THRICE, 1300, 1360)))
    assert (span(fourth), fourth.severity) == ((960, 1140, 1300, 1300), "info")
    assert fourth.evidence["flapping"] == {"short_s": 600.0, "severity_if_longer": "medium"}


def test_calm_ends_it() -> None:
    """Half an hour of heartbeats: it ended with the last offline, and is known to have by the first heartbeat after."""
    (one,) = flapping(told(ground(), beats(*range(0, 61, 60), 300, 360, 600, 660, *range(900, 3000, 60))))
    assert span(one) == (60, 900, 900, 2760)
    assert one.evidence["offlines"] == 3


def test_what_lasts_is_down_and_flaps_no_more() -> None:
    """After ten minutes, by the clock or by the next heartbeat: as severe as any, from when it was last heard."""
    by_beat = told(ground(), beats(*THRICE, 5000, 5060))
    (one,), (*_, down) = flapping(by_beat), offline(by_beat)
    assert span(one) == (60, 900, 960, 1560)
    assert one.evidence["closed_by"] == "down"
    assert (span(down), down.severity) == ((960, 1140, 5000, 5000), "medium")
    assert down.evidence["down_at"] == iso_ms(down.started_at_ms + 600_000)
    core = Core(ground().plan())
    core.feed(batch(beats(*THRICE), core.numbers))
    for now_s, severity in ((1141, "info"), (1560, "info"), (1560.001, "medium"), (3000, "medium")):
        core.pass_time(now_s)
        (*_, last) = offline(sorted(core.episodes.values(), key=lambda e: e.started_at_ms))
        assert last.severity == severity, now_s
    core.feed(batch(beats(5000, 5060), core.numbers))
    assert sorted(map(repr, core.episodes.values())) == sorted(map(repr, by_beat))


def test_a_long_offline_or_calm_between_breaks_the_chain() -> None:
    """Then it was down, or well, and three more are needed."""
    assert not flapping(told(ground(), beats(0, 240, 300, 1500, 1560, 1800)))
    calm = [0, 240, 480, *range(540, 2400, 60), 2640]
    assert not flapping(told(ground(), beats(*calm)))


def test_wills_flap_as_silences_do() -> None:
    """A broker that says offline, and online a moment later."""
    story = [p for s in (100, 200, 300) for p in (*beats(s, facts=["offline"]), *beats(s + 10))]
    (one,) = flapping(told(ground(), [*beats(0, 60), *story]))
    assert span(one) == (100, 310, None, None)


def test_a_policy_sets_how_many_how_short_and_how_calm() -> None:
    """In heartbeats, so that a reader of an hour is not compared with a camera of a minute."""
    assert flapping(told(ground(flaps=2), beats(*THRICE[:5])))
    assert not flapping(told(ground(flap_intervals=3.5), beats(*THRICE)))
    (one,) = flapping(told(ground(calm_intervals=2), beats(*THRICE, 1020, 1080)))
    assert span(one) == (60, 900, 900, 1080)


def test_what_the_plan_no_longer_watches_does_not_flap() -> None:
    """It ends where that version begins."""
    (one,) = flapping(told(ground(), beats(*THRICE), now_s=1100, later=[(1000, Ground().plan(2))]))
    assert (span(one)[2:], one.evidence["closed_by"]) == ((900, 1000), "plan_changed")


def test_what_was_information_calls_once_it_is_down() -> None:
    """No alarm while it may be short; one as it has lasted too long."""
    board = Board()
    board.hear(event(episode(type=RULE, severity="info"), "raised"))
    assert not board.rows
    board.hear(event(episode(type=RULE, severity="medium"), "updated", 2))
    assert (board.only.state, board.only.severity) == ("unacknowledged", "medium")


@pytest.mark.parametrize("seed", range(8))
def test_who_looks_when_makes_no_difference(seed: int) -> None:
    """Heartbeats in one batch or many, the clock seen often or never, a version between: the same episodes."""
    chance, moments, at = random.Random(seed), [], 0.0
    for _ in range(60):
        at += chance.choice((60, 60, 60, 200, 300, 700, 2000))
        moments.append(at)
    story = [(s, one) for s in moments for one in beats(s)]
    story += [
        (s + 20, one) for s in moments if chance.random() < 0.15 for one in beats(s + 20, facts=["offline"])
    ]
    story.sort(key=lambda said: said[0])
    later = [(at / 2, ground(flap_intervals=5, severity="high").plan(2))]
    core = Core(ground().plan(), later)
    for (second, one), (following, _) in zip(story, [*story[1:], (at + 9000, None)], strict=True):
        core.feed(batch([one], core.numbers))
        for now_s in sorted(chance.uniform(second, following) for _ in range(chance.randrange(3))):
            core.pass_time(now_s)
    core.pass_time(at + 9000)
    expected = told(ground(), [one for _, one in story], now_s=at + 9000, later=later)
    assert flapping(expected)
    assert sorted(map(repr, core.episodes.values())) == sorted(map(repr, expected))
