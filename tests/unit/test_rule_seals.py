"""SEAL_TAMPER and BATTERY_LOW: judged on every ping, with or without a fix."""

from __future__ import annotations

from typing import Any

import pytest
from story import Ground, Ping, iso, one, only, ping, seconds, span, told

TAMPER, BATTERY = "SEAL_TAMPER", "BATTERY_LOW"


def armed(**more: Any) -> Ground:
    return Ground().journey(**more)


@pytest.mark.parametrize(
    "says",
    [{"lock": "cut"}, {"lock": "open"}, *({"facts": [f]} for f in ("rope_cut", "shell_opened", "removed"))],
)
def test_one_ping_that_says_so_raises_tamper(says: dict[str, Any]) -> None:
    """Rope cut, shell opened, removed, or lock open without leave: 1 ping, critical, latched."""
    found = one(told(armed(), [ping(0, 0, lock="closed"), ping(30, 100, **says)]), TAMPER)
    assert span(found) == (30, 30, None, None)
    assert (found.severity, found.latched, found.journey, found.object) == ("critical", True, "J-S1", None)


@pytest.mark.parametrize(
    "says",
    [
        {"lock": "closed"},
        {"lock": "unknown"},
        {"lock": "sideways"},
        *({"facts": [f]} for f in ("vibration", "cover_open", "illegal_card", "unlock_refused", "unlock_ok")),
    ],
)
def test_nothing_else_raises_tamper(says: dict[str, Any]) -> None:
    """Vibration is critical never alone; refused unlocks are a rule of their own."""
    assert not only(told(armed(), [ping(0, 0, **says), ping(30, 0, **says), ping(60, 0, **says)]), TAMPER)


def test_tamper_needs_no_fix() -> None:
    """A ping without a position counts; where it happened is then the last fix before it, and it says how old that is."""
    story = [ping(0, 0), ping(30, 500), ping(60, lock="cut")]
    found = one(told(armed(), story), TAMPER)
    assert span(found)[:2] == (60, 60)
    assert found.evidence["fixes"] == [story[1] | {"time": iso(60), "fix_time": iso(30)}]
    alone = one(told(armed(), [ping(60, lock="cut")]), TAMPER)
    assert alone.evidence["fixes"] == [{"time": iso(60)}]


def test_tamper_without_a_fix_is_shown_at_no_place_that_was_not_known_then() -> None:
    """A held fix is no fix yet: what comes later lets it in, but not into the evidence of what was told before."""
    story = [ping(0, 0), ping(30, 30_000), ping(45, lock="cut"), ping(60, 30_100)]
    found = one(told(armed(), story), TAMPER)
    assert found.evidence["fixes"] == [story[0] | {"time": iso(45), "fix_time": iso(0)}]


def test_tamper_evidence_says_what_the_seal_said() -> None:
    """The facts that count, the lock, and where the ping was."""
    story = [ping(0, 0), ping(30, 500, lock="cut", facts=["vibration", "rope_cut"])]
    evidence = one(told(armed(), story), TAMPER).evidence
    assert (evidence["facts"], evidence["lock"], evidence["n_fixes"]) == (["rope_cut"], "cut", 1)
    assert evidence["fixes"] == [{"time": iso(30), "lon": story[1]["lon"], "lat": story[1]["lat"]}]


def test_tamper_is_latched() -> None:
    """A lock that closes again clears nothing, and a second cut is the same episode."""
    story = [
        ping(0, 0, lock="cut"),
        *(ping(s, 0, lock="closed") for s in (30, 60, 90)),
        ping(120, 0, lock="open"),
    ]
    assert span(one(told(armed(), story), TAMPER)) == (0, 0, None, None)


def test_disarming_ends_tamper() -> None:
    """A latched episode ends by an officer's reset or by disarming."""
    found = one(told(armed(disarmed_s=50), [ping(0, 0, lock="cut")], now_s=60), TAMPER)
    assert (span(found), found.evidence["closed_by"]) == ((0, 0, 50, 50), "disarmed")


def test_a_seal_that_is_not_armed_may_be_open() -> None:
    """Before arming and from disarming on nothing is tampered with."""
    story = [ping(-1, 0, lock="cut"), ping(50, 0, lock="cut"), ping(70, 0, facts=["removed"])]
    assert not told(armed(disarmed_s=50), story)
    assert not told(Ground(), story)


def leave(*spans: tuple[float, float]) -> Ground:
    return armed(authorisations=[{"from": iso(a), "to": iso(b), "by": "officer"} for a, b in spans])


def test_an_authorised_unlock_is_no_tamper() -> None:
    """Leave covers [from, to): the last millisecond does, its end does not."""
    made = leave((100, 200), (300, 400))
    for moment in (100, 199.999, 300, 350):
        assert not only(told(made, [ping(moment, 0, lock="open")]), TAMPER)
    for moment in (99.999, 200, 250, 400):
        assert span(one(told(made, [ping(moment, 0, lock="open")]), TAMPER))[0] == moment


def opened(*moments: float, lock: str = "open") -> list[Ping]:
    return [ping(s, 0, lock=lock) for s in moments]


def test_an_inspection_that_overruns_its_leave_is_tamper_after_a_grace() -> None:
    """Open since within the leave: 10 min more are no tamper; what says nothing of the lock changes nothing."""
    made, story = leave((100, 200)), [*opened(150, 199, 260), *opened(300, lock="unknown"), *opened(799)]
    assert not only(told(made, story), TAMPER)
    assert not only(told(made, [*opened(199), *opened(230, lock="closed")]), TAMPER)
    found = one(told(made, [*story, *opened(800, 900)]), TAMPER)
    assert (span(found)[:2], found.severity) == ((800, 800), "critical")


def test_only_a_lock_opened_within_the_leave_has_a_grace() -> None:
    """Opened after it, or closed after it and opened again; a leave after another has its own."""
    made = leave((100, 200))
    assert span(one(told(made, opened(201)), TAMPER))[0] == 201
    assert span(one(told(made, [*opened(90), *opened(150, 210)]), TAMPER))[0] == 90
    again = [*opened(150), *opened(210, lock="closed"), *opened(240)]
    assert span(one(told(made, again), TAMPER))[0] == 240
    assert not only(told(leave((100, 200), (180, 500)), opened(150, 490, 1099)), TAMPER)
    assert only(told(leave((100, 200), (180, 500)), opened(150, 490, 1100)), TAMPER)


def test_the_grace_is_a_policy_and_saves_no_cut_rope() -> None:
    """None at 0 min; longer by route; a rope cut within it is tamper."""
    assert (
        span(
            one(
                told(leave((100, 200)).policy(f"default.{TAMPER}", leave_grace_min=0), opened(150, 200)),
                TAMPER,
            )
        )[0]
        == 200
    )
    longer = leave((100, 200)).policy(f"transit.{TAMPER}", leave_grace_min=60)
    assert not only(told(longer, opened(150, 3799)), TAMPER)
    assert span(one(told(longer, [*opened(150), *opened(260, lock="cut")]), TAMPER))[0] == 260


def test_a_grace_outlasts_a_plan_that_did_not_ask_for_tamper() -> None:
    """What was opened within a leave was, whatever was judged then."""
    off = leave((100, 200)).policy(f"default.{TAMPER}", enabled=False)
    later = [(220, leave((100, 200)).plan(2))]
    assert span(one(told(off, opened(150, 180, 230, 799, 800), later=later), TAMPER))[0] == 800


def test_leave_to_unlock_is_no_leave_to_cut() -> None:
    """A cut rope, a shell opened or a seal removed is tamper whatever was authorised."""
    for says in ({"lock": "cut"}, {"lock": "open", "facts": ["shell_opened"]}, {"facts": ["removed"]}):
        assert only(told(leave((0, 1000)), [ping(10, 0, **says)]), TAMPER)


def test_leave_of_one_journey_is_not_anothers() -> None:
    """Authorisations belong to their journey."""
    made = leave((0, 1000)).journey("S2")
    found = only(told(made, [ping(10, 0, lock="open"), ping(10, 0, lock="open", of="S2")]), TAMPER)
    assert [e.seal for e in found] == ["S2"]


def test_the_worst_lock_of_one_moment_counts() -> None:
    """Variants of one time are judged as one: cut over open over closed, and the union of facts."""
    story = [ping(0, 0, lock="closed", satellites=9), ping(0, 5, lock="open", satellites=3)]
    assert one(told(armed(), story), TAMPER).evidence["lock"] == "open"
    story = [ping(0, 0, facts=["removed"]), ping(0, 0, facts=["rope_cut"], lock="cut")]
    assert one(told(armed(), story), TAMPER).evidence["facts"] == ["rope_cut", "removed"]


def test_a_tamper_whose_clock_is_wrong_is_dated_to_its_arrival() -> None:
    """Facts of pings with an implausible clock count, at the time we received them; their position does not."""
    story = [ping(0, 0), ping(3600, 100, lock="cut", received_s=60), ping(90, 100)]
    found = one(told(armed(), story), TAMPER)
    assert seconds(found.raised_at_ms) == 60
    old = ping(0, 0, lock="cut", received_s=45) | {"time": "2019-12-31T23:59:59Z"}
    assert seconds(one(told(armed(), [old]), TAMPER).raised_at_ms) == 45


def test_policy_may_unlatch_tamper_and_ask_for_more() -> None:
    """Two pings a minute apart, cleared by one."""
    made = armed().policy(f"transit.{TAMPER}", raise_fixes=2, raise_s=60, latched=False, severity="high")
    story = [ping(0, 0, lock="open"), ping(30, 0, lock="open"), ping(60, 0, lock="open"), ping(90, 0)]
    found = one(told(made, story), TAMPER)
    assert (span(found), found.severity, found.latched) == ((0, 60, 90, 90), "high", False)
    assert not told(armed().policy(f"default.{TAMPER}", enabled=False), story)


def battery(*levels: tuple[float, float]) -> list[Ping]:
    """Pings without a fix at (seconds, percent)."""
    return [ping(s, battery_pct=pct) for s, pct in levels]


def test_ten_minutes_below_30_pct_raise_battery_low() -> None:
    """< 30 % for 10 min; it is the seal's, whether armed or not."""
    found = one(told(Ground(), battery((0, 40), (60, 29), (600, 28), (660, 29.5))), BATTERY)
    assert span(found) == (60, 660, None, None)
    assert (found.severity, found.subject_kind, found.subject, found.journey) == ("low", "seal", "S1", None)
    assert (found.evidence["battery_pct"], found.evidence["limit_pct"]) == (28, 30)
    assert found.evidence["n_fixes"] == 3


def test_less_than_ten_minutes_or_30_pct_itself_do_not() -> None:
    """The near misses."""
    assert not told(Ground(), battery((0, 29), (300, 29), (599, 29)))
    assert not told(Ground(), battery((0, 30), (300, 30), (900, 30)))
    assert not told(Ground(), battery((0, 29), (300, 30), (601, 29), (1200, 29)))


def test_pings_that_say_nothing_of_the_battery_neither_add_nor_break() -> None:
    """Unknown is no level."""
    story = [*battery((0, 29)), ping(300), *battery((600, 29))]
    assert span(one(told(Ground(), story), BATTERY)) == (0, 600, None, None)


def test_more_than_35_pct_clears_battery_low() -> None:
    """> 35 %: 35 itself and what lies between does not."""
    low = battery((0, 20), (600, 20))
    assert span(one(told(Ground(), [*low, *battery((700, 35), (800, 33), (900, 31))]), BATTERY))[2:] == (
        None,
        None,
    )
    assert span(one(told(Ground(), [*low, *battery((700, 35), (800, 35.01))]), BATTERY)) == (0, 600, 800, 800)


def test_below_10_pct_battery_low_becomes_high() -> None:
    """Critical level: an open episode is worse from the first ping below it, and stays so until it ends."""
    low = battery((0, 20), (600, 12))
    assert one(told(Ground(), [*low, *battery((700, 10))]), BATTERY).severity == "low"
    found = one(told(Ground(), [*low, *battery((700, 9.9), (800, 8), (900, 20))]), BATTERY)
    assert (found.severity, found.evidence["battery_pct"]) == ("high", 9.9)


def test_a_battery_low_that_was_critical_from_the_start_is_high_from_the_start() -> None:
    """The lowest level of the run that raises it counts."""
    assert one(told(Ground(), battery((0, 9), (600, 15))), BATTERY).severity == "high"


def test_the_next_battery_low_begins_as_low() -> None:
    """An episode knows nothing of the one before."""
    story = battery(
        (0, 9), (600, 9), (700, 80), (800, 25), (1400, 25), (1500, 90), (1600, 25), (2200, 25), (2300, 5)
    )
    assert [e.severity for e in only(told(Ground(), story), BATTERY)] == ["high", "low", "high"]


def test_battery_low_survives_arming_and_disarming() -> None:
    """It is not of a journey: its run goes on over both, and disarming ends nothing."""
    made = armed(armed_s=300, disarmed_s=900, unit="HQ-1")
    made.journeys[0].pop("unit")
    found = one(told(made, battery((0, 20), (600, 20), (1200, 20)), now_s=2000), BATTERY)
    assert span(found) == (0, 600, None, None)


def test_a_seal_without_a_journey_is_judged_by_the_default_policy() -> None:
    """No regime's table is nearer to it than the default."""
    made = Ground().policy(f"transit.{BATTERY}", enabled=False).policy(f"minerals.{BATTERY}", enabled=False)
    assert one(told(made, battery((0, 20), (600, 20))), BATTERY).severity == "low"
    assert not told(made.journey(), battery((0, 20), (600, 20)))


def test_policy_may_set_the_levels_of_the_battery() -> None:
    """Limits, levels and both severities."""
    made = armed().policy(
        f"transit.{BATTERY}",
        low_pct=50,
        clear_pct=60,
        critical_pct=40,
        severity="medium",
        critical_severity="critical",
    )
    found = one(told(made, battery((0, 49), (600, 45))), BATTERY)
    assert (found.severity, found.evidence["limit_pct"]) == ("medium", 50)
    assert one(told(made, battery((0, 49), (600, 45), (700, 39))), BATTERY).severity == "critical"
    assert span(one(told(made, battery((0, 49), (600, 45), (700, 61))), BATTERY))[2] == 700


def test_a_warning_without_a_percentage_is_a_low_battery_until_it_stops() -> None:
    """Many locks tell no more than one bit of every report."""
    warns = [ping(60 * i, facts=["low_battery"]) for i in range(12)]
    found = one(told(Ground(), warns), "BATTERY_LOW")
    assert span(found) == (0, 600, None, None)
    assert (found.severity, found.evidence["facts"], "battery_pct" in found.evidence) == (
        "low",
        ["low_battery"],
        False,
    )
    assert span(one(told(Ground(), [*warns, ping(720), ping(780)]), "BATTERY_LOW"))[2:] == (720, 720)
    assert not told(
        Ground(), [p for i in range(12) for p in (ping(120 * i, facts=["low_battery"]), ping(120 * i + 60))]
    )


def test_a_percentage_says_more_than_a_warning() -> None:
    """Where both come, or now the one and now the other, the level decides; what says neither then says nothing."""
    assert not told(Ground(), [ping(60 * i, battery_pct=40, facts=["low_battery"]) for i in range(12)])
    story = [ping(60 * i, **({"battery_pct": 20} if i % 2 else {})) for i in range(14)]
    assert span(one(told(Ground(), story), "BATTERY_LOW")) == (60, 660, None, None)
    warned = [ping(60 * i, facts=["low_battery"]) for i in range(11)]
    found = one(
        told(Ground(), [*warned, ping(660, battery_pct=9), ping(720), ping(780, battery_pct=80)]),
        "BATTERY_LOW",
    )
    assert (span(found), found.severity, found.evidence["battery_pct"]) == ((0, 600, 780, 780), "high", 9)
