"""Which journey and which plan version judge a ping, and what becomes of episodes where one ends and the next begins."""

from __future__ import annotations

import numpy as np
from story import T0_MS, Core, Ground, Ping, batch, drive, one, only, ping, span, told

from seal_tracker.model import key_of
from seal_tracker.tracking.epochs import PASS_PINGS, JourneyTable, passes
from seal_tracker.tracking.phases import FOREVER_MS

PROHIBITED, STAY, DEVIATION, TAMPER = "PROHIBITED_ZONE", "ZONE_ENTERED", "ROUTE_DEVIATION", "SEAL_TAMPER"


def fenced(*zones: str, kind: str = "prohibited") -> Ground:
    """Zones of 300 m half side around x = 3,000 m and a journey without an end."""
    made = Ground().journey()
    for name in zones:
        made.zone(name, 3000, 0, 300, kind)
    return made


def inside(*moments: float) -> list[Ping]:
    return [ping(s, 3000) for s in moments]


def test_a_fix_is_judged_by_the_version_in_force_at_its_event_time() -> None:
    """A version holds from its own moment on, that moment included."""
    new = fenced("Z").policy(f"default.{PROHIBITED}", severity="medium").plan(2)
    before, after = [ping(29.999, 3000)], [ping(30, 3000)]
    assert [(e.severity, e.plan_version) for e in told(fenced("Z"), before, later=[(30, new)])] == [
        ("critical", 1)
    ]
    assert [(e.severity, e.plan_version) for e in told(fenced("Z"), after, later=[(30, new)])] == [
        ("medium", 2)
    ]


def test_a_run_survives_a_policy_change_and_the_completing_fix_sets_the_thresholds() -> None:
    """Two fixes before the change and one after it make the three that the new version asks for."""
    old = fenced("Z", kind="interest").policy(f"default.{STAY}", raise_fixes=9)
    new = fenced("Z", kind="interest").policy(f"default.{STAY}", raise_fixes=3).plan(2)
    found = one(told(old, inside(0, 30, 60, 90), later=[(45, new)]), STAY)
    assert (span(found), found.plan_version) == ((0, 60, None, None), 2)


def test_an_episode_survives_a_new_version_that_keeps_its_zone() -> None:
    """What is unchanged stays open, and its evidence stays as it was raised."""
    new = fenced("Y", "Z").plan(2)
    found = one(
        told(fenced("Z"), [*inside(0, 30, 60), ping(90, 4000), ping(120, 4000)], later=[(45, new)])[1:],
        PROHIBITED,
    )
    assert (span(found), found.object, found.plan_version) == ((0, 0, 90, 120), "Z", 1)


def test_what_a_zone_raised_closes_where_a_version_without_it_begins() -> None:
    """What was raised before a change of plan stays and closes at it, saying so."""
    found = one(told(fenced("Z"), inside(0, 30, 60), later=[(45, fenced().plan(2))]), PROHIBITED)
    assert span(found) == (0, 0, 45, 45)
    assert found.evidence["closed_by"] == "plan_changed"


def test_only_the_zone_that_is_gone_closes() -> None:
    """Its neighbour of the same rule goes on."""
    found = told(fenced("Y", "Z"), inside(0, 30, 60), later=[(45, fenced("Y").plan(2))])
    assert [(e.object, span(e)) for e in found] == [("Y", (0, 0, None, None)), ("Z", (0, 0, 45, 45))]


def test_what_a_zone_raised_closes_where_it_is_no_longer_of_that_kind_or_not_judged() -> None:
    """A zone that is there but no longer prohibited, or switched off by policy, is no more in force than one gone."""
    for new in (fenced("Z", kind="port"), fenced("Z").policy(f"zone.Z.{PROHIBITED}", enabled=False)):
        found = one(told(fenced("Z"), inside(0, 30, 60), later=[(45, new.plan(2))]), PROHIBITED)
        assert span(found) == (0, 0, 45, 45)


def test_a_zone_that_comes_back_begins_anew() -> None:
    """A version without it leaves no trace in the watching: a run of before does not go on after."""
    versions = [(45, fenced().plan(2)), (105, fenced("Z").plan(3))]
    story = [*inside(0, 30, 60, 90, 120, 150), ping(180, 4000), ping(210, 4000)]
    found = only(told(fenced("Z"), story, later=versions), PROHIBITED)
    assert [span(e) for e in found] == [(0, 0, 45, 45), (120, 120, 180, 210)]


def test_a_run_in_a_zone_that_is_gone_does_not_go_on_when_it_comes_back() -> None:
    """One fix inside before, one inside after, and a version without the zone between: no two consecutive fixes."""
    versions = [(15, fenced(kind="interest").plan(2)), (45, fenced("Z", kind="interest").plan(3))]
    assert not told(fenced("Z", kind="interest"), inside(0, 30, 60), later=versions)


def two_journeys(end_s: float = 300, next_s: float = 300) -> Ground:
    made = Ground().route("R", (0, 0), (90_000, 0)).journey(route="R", disarmed_s=end_s)
    return made.journey(id="J-2", armed_s=next_s, route="R")


def test_armed_is_from_arming_up_to_disarming() -> None:
    """[armed_at, disarmed_at): a ping at the end is the next journey's, or nobody's."""
    for moment, journey in ((0, "J-S1"), (299.999, "J-S1"), (300, "J-2"), (301, "J-2")):
        assert [e.journey for e in told(two_journeys(), [ping(moment, 0, lock="cut")])] == [journey]
    for moment in (-0.001, 300, 399.999):
        assert not told(two_journeys(next_s=400), [ping(moment, 0, lock="cut")])


def test_a_journey_does_not_inherit_the_episodes_of_the_one_before() -> None:
    """They end at its end; the same thing still true is an episode of the next journey."""
    found = told(two_journeys(), [ping(100, 0, lock="cut"), ping(290, 0), ping(320, 0, lock="cut")])
    assert [(e.journey, span(e)) for e in found] == [
        ("J-2", (320, 320, None, None)),
        ("J-S1", (100, 100, 300, 300)),
    ]


def test_the_end_of_a_journey_comes_with_the_clock_where_no_ping_brings_it() -> None:
    """`now` past disarming closes it at its time, not at the tick."""
    found = one(told(two_journeys(), [ping(100, 0, lock="cut")], now_s=450), TAMPER)
    assert span(found) == (100, 100, 300, 300)


def test_many_pings_over_journeys_and_versions_are_judged_as_few_at_a_time() -> None:
    """1,600 pings of two seals in one batch, each with two journeys and three versions, equal 40 at a time and each alone."""
    made = (
        two_journeys(4000, 5000).zone("Z", 9000, 0, 300, "prohibited").zone("I", 60_000, 0, 900, "interest")
    )
    made.journey("S2", armed_s=1000, disarmed_s=2000, route="R").journey("S2", id="J-S2b", armed_s=2100)
    later = [
        (2500, Ground(zones=made.zones[1:], routes=made.routes, journeys=made.journeys).plan(2)),
        (4500, made.plan(3)),
    ]
    wave = [p | {"lat": p["lat"] + 0.008 * ((i // 40) % 2)} for i, p in enumerate(drive(0, 7990, 10, 9))]
    first = [p | ({"lock": "open"} if i % 97 == 0 else {}) for i, p in enumerate(wave)]
    second = [p | {"of": "S2"} for p in wave[:-1]]
    story = [*first, *second]
    assert len(wave) > PASS_PINGS
    whole = Core(made.plan(), later)
    whole.tell(story, 9000)
    assert {e.type for e in whole.episodes.values()} >= {PROHIBITED, STAY, DEVIATION, TAMPER}
    for size in (40, 513):
        cut = Core(made.plan(), later)
        for i in range(0, len(wave), size):
            cut.tell([*first[i : i + size], *second[i : i + size]])
        cut.pass_time(9000)
        assert cut.lines().decode() == whole.lines().decode()
    for seal in ("S1", "S2"):
        alone = Core(made.plan(), later)
        alone.tell([p for p in story if p.get("of", "S1") == seal], 9000)
        of_it, of_it_alone = (
            [line for line in core.lines().splitlines() if f'"seal":"{seal}"'.encode() in line]
            for core in (whole, alone)
        )
        assert of_it_alone == of_it


def test_a_pass_holds_of_each_seal_one_stretch_of_one_journey_and_one_version() -> None:
    """Every ping is in one pass; a seal's passes come in the order of time, at most 512 pings each."""
    core = Core(two_journeys().plan(), [(150, two_journeys().plan(2))])
    pings = batch([*drive(0, 1400, 1), *(p | {"of": "S2"} for p in drive(0, 50, 1))], core.numbers)
    pings = pings.take(np.lexsort((pings.time_ms, pings.seal)))
    seals, row = np.unique(pings.seal, return_inverse=True)
    seen: list[int] = []
    for part in passes(core.facts(), seals, row, pings.time_ms):
        for k, r in enumerate(part.rows.tolist()):
            mine = part.pings[row[part.pings] == r]
            times = (pings.time_ms[mine] - T0_MS) / 1000
            expected = 1 if r == 0 and times[0] >= 300 else 0 if r == 0 else -1
            assert part.journey[k] == expected
            assert set((times >= 150).tolist()) == {part.version == 1}
            assert len(mine) <= PASS_PINGS
            assert (
                not seen
                or r != 0
                or times[0] * 1000 + T0_MS > max(pings.time_ms[[i for i in seen if row[i] == 0]])
            )
        seen += part.pings.tolist()
    assert sorted(seen) == list(range(len(pings)))


def test_the_journey_in_force_is_found_for_each_seal_and_moment() -> None:
    """Gaps between journeys, seals without any, and seals nobody knows belong to none."""
    made = (
        Ground()
        .journey("A", armed_s=10, disarmed_s=20)
        .journey("A", id="J-2", armed_s=30)
        .journey("C", armed_s=5)
    )
    table = JourneyTable.build(made.plan().journeys, {"A": 4, "C": 9})
    assert table.to_ms.tolist() == [T0_MS + 20_000, FOREVER_MS, FOREVER_MS]
    at = np.array([[9, 10, 19.999, 20, 29, 30, 1e6], [4, 5, 6, 7, 8, 9, 10]]) * 1000 + T0_MS
    found = table.at(np.array([4, 9]), np.repeat([0, 1], 7), at.reshape(-1).astype(np.int64))
    assert found.tolist() == [-1, 0, 0, -1, -1, 1, 1, -1, 2, 2, 2, 2, 2, 2]
    assert table.at(np.array([5]), np.array([0]), np.array([T0_MS])).tolist() == [-1]


def test_a_name_has_a_number_that_is_never_zero_and_always_the_same() -> None:
    """Journeys and zones are named in columns by 63 bits of a hash; 0 stands for none."""
    keys = [key_of(f"Z-{i}") for i in range(2000)]
    assert len(set(keys)) == 2000
    assert min(keys) > 0
    assert max(keys) < 2**63
    assert key_of("Z-1") == keys[1]


def test_a_plan_that_forgets_every_journey_ends_what_was_open() -> None:
    """A version without journeys.jsonl: the next ping is nobody's, and the journey it was of is over by then."""
    core = Core(two_journeys().plan())
    core.tell([ping(100, 0, lock="cut")])
    forgetful = Core(two_journeys().plan(), [(200, Ground().plan(2))])
    forgetful.states, forgetful.episodes = core.states, core.episodes
    forgetful.pass_time(210)
    assert span(one(forgetful.tell([ping(220, 0)]), TAMPER)) == (100, 100, 220, 220)
