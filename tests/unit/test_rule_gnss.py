"""GPS_LOST and JAMMING_SUSPECTED: a seal that talks and does not know where it is."""

from __future__ import annotations

from typing import Any

import pytest
from story import Ground, Ping, iso, one, only, ping, span, told

LOST, JAMMING = "GPS_LOST", "JAMMING_SUSPECTED"


def armed(**more: Any) -> Ground:
    return Ground().journey(**more)


def blind(*moments: float, **more: Any) -> list[Ping]:
    return [ping(s, **more) for s in moments]


def lost(story: list[Ping]) -> list[Any]:
    return [span(e) for e in only(told(armed(), story), LOST)]


def test_ten_minutes_and_three_pings_without_a_fix_are_a_lost_gps() -> None:
    """Medium; it begins at the first ping without one."""
    found = one(told(armed(), [ping(0, 500), *blind(30, 330, 630)]), LOST)
    assert span(found) == (30, 630, None, None)
    assert (found.severity, found.latched, found.journey) == ("medium", False, "J-S1")


def test_less_than_ten_minutes_or_three_pings_are_not() -> None:
    """The near misses, and a fix between."""
    assert not lost(blind(0, 300, 599.999))
    assert not lost(blind(0, 600))
    assert not lost([*blind(0, 300), ping(450, 0), *blind(600, 900)])


@pytest.mark.parametrize(
    "says",
    [
        {"lon": 106.0, "lat": 20.0, "valid": False},
        {"lon": 0.0, "lat": 0.0},
        {"lon": 106.0, "lat": 91.0},
        {"lon": 106.0, "lat": 20.0, "accuracy_m": 100.01},
        {"lon": 106.0, "lat": 20.0, "accuracy_m": 5000},
    ],
    ids=["not valid", "nowhere", "out of range", "vague", "from the cell"],
)
def test_a_fix_that_may_not_count_is_none(says: dict[str, Any]) -> None:
    """Not valid, (0, 0), out of range, or claiming to be worse than 100 m."""
    story = [{"time": iso(s)} | says for s in (0, 300, 600)]
    assert lost(story) == [(0, 600, None, None)]


def test_a_fix_of_100_m_or_of_unknown_accuracy_counts() -> None:
    """> 100 m, not at it."""
    assert not lost([ping(s, 0, accuracy_m=100) for s in (0, 300, 600)])
    assert not lost([ping(s, 0) for s in (0, 300, 600)])


def test_a_fix_with_a_wrong_clock_counts_as_none() -> None:
    """Ten minutes of nothing else is a lost GPS; the pings count when they came."""
    story = [ping(s + 90_000, s, received_s=s) for s in (0, 300, 600)]
    assert lost(story) == [(0, 600, None, None)]


def test_an_outlier_is_a_fix() -> None:
    """The seal heard satellites; that it was thrown off is another rule's."""
    assert not lost([ping(0, 0), ping(300, 0, 90_000), ping(330, 0, -90_000), ping(660, 0, 90_000)])


def test_two_fixes_clear_a_lost_gps() -> None:
    """One does not; it ends with the first of them."""
    story = blind(0, 300, 600)
    assert lost([*story, ping(700, 0)]) == [(0, 600, None, None)]
    assert lost([*story, ping(700, 0), *blind(730)]) == [(0, 600, None, None)]
    assert lost([*story, ping(700, 0), ping(730, 0)]) == [(0, 600, 700, 730)]


def test_before_arming_and_after_disarming_no_gps_is_lost() -> None:
    """The run starts empty at arming; disarming ends it."""
    assert not only(told(Ground(), blind(0, 300, 600)), LOST)
    assert not only(told(armed(armed_s=1), blind(0, 300, 600)), LOST)
    found = one(told(armed(disarmed_s=650), blind(0, 300, 600), now_s=700), LOST)
    assert span(found) == (0, 600, 650, 650)


def test_evidence_says_how_long_and_where_the_last_fix_was() -> None:
    """The place is the last one known."""
    first = ping(0, 500)
    evidence = one(told(armed(), [first, *blind(30, 330, 640)]), LOST).evidence
    assert (evidence["without_fix_s"], evidence["limit_s"], evidence["n_fixes"]) == (610, 600, 3)
    assert evidence["fixes"] == [first | {"time": iso(640), "fix_time": iso(0)}]


def test_policy_may_set_what_counts_as_a_fix_and_as_lost() -> None:
    """The nearest table wins."""
    made = armed().policy(f"default.{LOST}", accuracy_limit_m=10, raise_s=60, severity="high")
    made.policy(f"transit.{LOST}", accuracy_limit_m=20, raise_fixes=2)
    vague = [ping(s, 0, accuracy_m=20.5) for s in (0, 60)]
    found = one(told(made, vague), LOST)
    assert (span(found)[:2], found.severity) == ((0, 60), "high")
    assert not only(told(made, [ping(s, 0, accuracy_m=20) for s in (0, 60)]), LOST)
    assert not only(told(armed().policy(f"default.{LOST}", enabled=False), blind(0, 300, 600)), LOST)


GOOD = {"cell": {"rssi_dbm": -85}}


def jammed(story: list[Ping]) -> list[Any]:
    return [span(e) for e in only(told(armed(), story), JAMMING)]


@pytest.mark.parametrize(
    "says",
    [
        GOOD | {"facts": ["vibration"]},
        GOOD | {"speed_kmh": 5.01},
        {"cell": {"rssi_dbm": -40}, "speed_kmh": 60},
        {"facts": ["jamming"]},
        {"facts": ["jamming"], "cell": {"rssi_dbm": -110}},
    ],
    ids=["shaken", "moving", "moving fast", "reported", "reported with the cell jammed too"],
)
def test_no_fix_while_the_cell_is_good_and_the_seal_moves_is_jamming(says: dict[str, Any]) -> None:
    """Or while it reports jamming: 10 min, 3 pings, high; the GPS is lost besides."""
    story = blind(0, 300, 600, **says)
    assert lost(story) == jammed(story) == [(0, 600, None, None)]
    assert one(told(armed(), story), JAMMING).severity == "high"


@pytest.mark.parametrize(
    "says",
    [
        {},
        {"speed_kmh": 60},
        {"cell": {"rssi_dbm": -86}, "speed_kmh": 60},
        {"cell": {"rssi_dbm": -86}, "facts": ["vibration"]},
        GOOD,
        GOOD | {"speed_kmh": 5},
        GOOD | {"facts": ["cover_open"]},
    ],
    ids=["nothing", "no cell known", "weak cell", "weak cell shaken", "still", "slow", "other fact"],
)
def test_a_tunnel_or_a_cellar_is_no_jamming(says: dict[str, Any]) -> None:
    """Where the cell is not heard well, or the seal does not move, it is only lost."""
    story = blind(0, 300, 600, **says)
    assert lost(story)
    assert not jammed(story)


def test_pings_without_a_fix_that_tell_nothing_neither_add_nor_break() -> None:
    """Only a valid fix breaks the run."""
    sign = GOOD | {"speed_kmh": 40}
    story = [*blind(0, **sign), *blind(100), *blind(300, **sign), *blind(500), *blind(599, **sign)]
    assert not jammed(story)
    assert jammed([*story, *blind(630), *blind(660, **sign)]) == [(0, 660, None, None)]
    assert not jammed([*story, ping(630, 0), *blind(660, **sign)])


def test_a_wrong_clock_is_no_jamming_where_satellites_are_heard() -> None:
    """The GPS is lost, since nobody knows when the seal was there; jamming takes no fix, or the device's own word."""
    sign = GOOD | {"speed_kmh": 40}
    ahead = [ping(s + 540, s, received_s=s, **sign) for s in (0, 300, 600)]
    assert lost(ahead)
    assert not jammed(ahead)
    assert jammed([one | {"facts": ["jamming"]} for one in ahead])
    assert jammed([one | {"valid": False} for one in ahead])
    blind_before = blind(0, 300, 600, **sign)
    assert jammed([*blind_before, *(ping(s + 540, s, received_s=s) for s in (660, 690))]) == [
        (0, 600, 660, 690)
    ]


def test_two_fixes_end_a_suspected_jamming() -> None:
    """As a lost GPS; a fix that is too vague to count does not."""
    story = blind(0, 300, 600, facts=["jamming"])
    assert jammed([*story, ping(700, 0), ping(720, 0, accuracy_m=500)]) == [(0, 600, None, None)]
    fixes = [ping(700, 0), ping(720, 0, accuracy_m=500), ping(730, 0, facts=["jamming"])]
    assert jammed([*story, *fixes]) == [(0, 600, 700, 730)]


def test_evidence_of_jamming_says_what_spoke_of_it() -> None:
    """What the completing ping said: facts, speed, cell."""
    story = blind(0, 300, 600, facts=["jamming", "vibration", "cover_open"], speed_kmh=31.5, **GOOD)
    evidence = one(told(armed(), story), JAMMING).evidence
    assert evidence["facts"] == ["vibration", "jamming"]
    assert (evidence["speed_kmh"], evidence["rssi_dbm"], evidence["without_fix_s"]) == (31.5, -85, 600)
    plain = one(told(armed(), blind(0, 300, 600, facts=["jamming"])), JAMMING).evidence
    assert "speed_kmh" not in plain
    assert "rssi_dbm" not in plain


def test_policy_may_set_what_speaks_of_jamming() -> None:
    """How good the cell, how fast the seal."""
    made = armed().policy(f"default.{JAMMING}", cell_min_dbm=-100, moving_kmh=20, severity="critical")
    assert one(told(made, blind(0, 300, 600, speed_kmh=21, cell={"rssi_dbm": -100})), JAMMING).severity == (
        "critical"
    )
    assert not only(told(made, blind(0, 300, 600, speed_kmh=20, cell={"rssi_dbm": -100})), JAMMING)
    assert not only(told(made, blind(0, 300, 600, speed_kmh=21, cell={"rssi_dbm": -101})), JAMMING)


def test_jamming_needs_an_armed_journey() -> None:
    """Nobody's cargo is hidden."""
    assert not only(told(Ground(), blind(0, 300, 600, facts=["jamming"])), JAMMING)
