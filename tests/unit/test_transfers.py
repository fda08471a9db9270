"""A seal or vehicle replaced on the way: one journey, told by whichever seal it has."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from story import T0_MS, Core, Ground, batch, drive, moment_by_moment, one, only, ping, seconds

from seal_tracker.journey import Journey, Transfer
from seal_tracker.model import Episode
from seal_tracker.planning import changed_journeys
from seal_tracker.rejudge import Span
from seal_tracker.rules.detachment import RULE as DETACHMENT
from seal_tracker.rules.sharing import RULE as SHARED


def transferred(made: Ground, *moves: tuple[float, str, str]) -> Journey:
    """The plan's journey with (second, device, its successor)."""
    (journey,) = made.plan().journeys
    transfers = [Transfer(T0_MS + round(s * 1000), device, to, "an") for s, device, to in moves]
    return replace(journey, transfers=tuple(transfers))


def told(made: Ground, journey: Journey, pings: list[dict[str, Any]], now_s: float) -> list[Episode]:
    """The story judged at once and moment by moment, which must be the same."""
    plan = replace(made.plan(), journeys=(journey,))
    whole, cut = Core(plan), Core(plan)
    episodes = whole.tell(pings, now_s)
    for part in moment_by_moment(batch(pings, cut.numbers)):
        cut.feed(part)
    cut.pass_time(now_s)
    assert cut.lines().decode() == whole.lines().decode()
    return episodes


def test_the_old_seal_ends_and_the_new_one_begins_with_empty_runs() -> None:
    """A tamper of the new seal from before is nobody's; what the old one says afterwards is nobody's either."""
    made = Ground().journey("S1", disarmed_s=900)
    pings = [
        *drive(0, 240, 30),
        ping(60, 0, lock="cut", of="S2"),
        *drive(330, 600, 30, of="S2"),
        ping(360, 0, lock="cut"),
        ping(630, 0, lock="cut", of="S2"),
    ]
    tamper = one(told(made, transferred(made, (300, "S1", "S2")), pings, 1000), "SEAL_TAMPER")
    assert (tamper.subject, tamper.seal, seconds(tamper.started_at_ms)) == ("J-S1", "S2", 630)
    assert seconds(tamper.ended_at_ms) == 900


def test_what_the_old_seal_had_open_ends_with_its_time() -> None:
    made = Ground().journey("S1")
    pings = [ping(60, 0, lock="cut"), *drive(330, 600, 30, of="S2")]
    tamper = one(told(made, transferred(made, (300, "S1", "S2")), pings, 1000), "SEAL_TAMPER")
    assert seconds(tamper.ended_at_ms) == 300


def test_legal_transit_time_goes_on_and_checkpoints_behind_are_not_late() -> None:
    """The time used up counts from the arming; what the old seal has reached the new one need not reach."""
    made = Ground().zone("C", 1500, 0, 150, "checkpoint")
    made.route("R", (0, 0), (60_000, 0), checkpoints=[{"zone": "C", "after_min": 20, "tolerance_min": 1}])
    made.policy("default.TRANSIT_LIMIT", limit_h=0.5, raise_s=0)
    made.journey("S1", route="R")
    pings = [*drive(0, 240, 30), *drive(330, 2400, 30, of="S2")]
    episodes = told(made, transferred(made, (300, "S1", "S2")), pings, 2500)
    assert [e.seal for e in only(episodes, "CHECKPOINT_REACHED")] == ["S1"]
    assert only(episodes, "CHECKPOINT_LATE") == []
    assert only(episodes, "CHECKPOINT_MISSED") == []
    limit = one(episodes, "TRANSIT_LIMIT")
    assert (limit.seal, seconds(limit.started_at_ms)) == ("S2", 1800)


def road(after_min: float) -> Ground:
    """30 km east, a checkpoint C at 9 km that is due so long after the arming, and one at 3 km due after 2 min."""
    made = Ground().zone("B", 3000, 0, 150, "checkpoint").zone("C", 9000, 0, 150, "checkpoint")
    points = [{"zone": "B", "after_min": 2}, {"zone": "C", "after_min": after_min}]
    return made.route("R", (0, 0), (30_000, 0), checkpoints=points).journey("S1", route="R")


def lateness(made: Ground, pings: list[dict[str, Any]], now_s: float) -> list[tuple[str | None, str, float]]:
    found = only(told(made, transferred(made, (300, "S1", "S2")), pings, now_s), "CHECKPOINT_LATE")
    return [(e.object, e.seal, seconds(e.started_at_ms)) for e in found]


def test_a_seal_that_took_over_is_late_for_what_lies_ahead_of_it() -> None:
    """At the deadline itself, counted from the arming; what its predecessor missed is told once, of the predecessor."""
    pings = [*drive(0, 240, 30), *drive(330, 570, 30, of="S2")]  # 15 m/s: C is entered after 590 s
    assert lateness(road(9), pings, 2000) == [("B", "S1", 120), ("C", "S2", 540)]
    pings += drive(600, 700, 30, of="S2")
    assert lateness(road(11), pings, 2000) == [("B", "S1", 120)]


def test_a_deadline_passes_a_seal_that_took_over_when_it_is_found_before_the_checkpoint() -> None:
    """Until then nobody knows whether the checkpoint lies behind it."""
    blind = [*drive(0, 210, 30), *(ping(60 * i, of="S2", valid=False) for i in range(6, 12))]
    told_before = [("B", "S1", 120)]
    assert lateness(road(7), blind, 2000) == told_before
    assert lateness(road(7), [*blind, ping(780, 5000, of="S2")], 2000) == [*told_before, ("C", "S2", 780)]
    assert lateness(road(7), [*blind, ping(780, 9500, of="S2")], 2000) == told_before


def test_secondary_seals_and_companions_are_replaced_apart_from_the_lead() -> None:
    """What the lead has under way goes on."""
    made = Ground().journey(
        "S1", devices=[{"id": "S2", "role": "seal"}, {"id": "T1", "role": "tractor"}], disarmed_s=900
    )
    journey = transferred(made, (300, "S2", "S3"), (400, "T1", "T2"))
    episodes = told(
        made,
        journey,
        [ping(60, 0, lock="cut"), ping(330, 0, lock="cut", of="S3"), *drive(90, 600, 30)],
        1000,
    )
    assert [(e.seal, e.subject, seconds(e.ended_at_ms)) for e in only(episodes, "SEAL_TAMPER")] == [
        ("S1", "J-S1", 900),
        ("S3", "S3", 900),
    ]
    pairs = list(DETACHMENT.pairs([journey]))
    assert {(p.other, seconds(p.from_ms), seconds(p.to_ms)) for p in pairs} >= {
        ("T1", 0, 400),
        ("T2", 400, 900),
        ("S2", 0, 300),
        ("S3", 300, 900),
    }


def test_a_bridge_is_shared_by_whichever_seals_the_vehicles_have() -> None:
    permit = {"number": "1", "structures": [{"zone": "B", "alone": True}]}
    made = (
        Ground().zone("B", 0, 0, 100, "structure").journey("S1", permit=permit).journey("S2", permit=permit)
    )
    a, b = made.plan().journeys
    a = replace(a, transfers=(Transfer(T0_MS + 300_000, "S1", "S9", "an"),))
    pairs = [(p.journey, p.lead, p.other, seconds(p.from_ms)) for p in SHARED.pairs([a, b])]
    assert set(pairs) == {
        ("J-S1", "S1", "S2", 0),
        ("J-S1", "S9", "S2", 300),
        ("J-S2", "S2", "S1", 0),
        ("J-S2", "S2", "S9", 300),
    }


def test_a_transfer_recorded_late_concerns_both_seals_from_its_time() -> None:
    made = Ground().journey("S1")
    (before,) = made.plan().journeys
    after = transferred(made, (300, "S1", "S2"))
    span = Span(T0_MS + 300_000, None)
    assert changed_journeys((before,), (after,)) == {"S1": span, "S2": span}
