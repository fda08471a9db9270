"""A journey with several seals: each is judged by what it says of itself, the lead alone by the journey's way and times."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from arrivals import Service
from folders import assert_only_error, files, journey, plan_of
from story import T0_MS, Core, Ground, Ping, batch, iso, one, only, ping, span, told

from seal_tracker.journey import Authorisation
from seal_tracker.model import Episode
from seal_tracker.plans import load_files
from seal_tracker.rules.catalog import OF_EVERY_SEAL

CUT = {"facts": ["rope_cut"]}
BOTH = ("S1", "S2")


def armed(**more: Any) -> Ground:
    """A journey of S1, with S2 on the trailer's door."""
    return Ground().journey(devices=[{"id": "S2", "role": "seal"}], **more)


def second(*moments_s: float, x_m: float | None = 0, **says: Any) -> list[Ping]:
    return [ping(s, x_m, of="S2", **says) for s in moments_s]


def lead(*moments_s: float, **says: Any) -> list[Ping]:
    return [ping(s, 0, **says) for s in moments_s]


def test_a_second_seal_that_is_cut_is_a_tampering_of_its_own() -> None:
    """The seal is the subject, its journey is named, and it ends with the journey."""
    found = one(
        told(armed(disarmed_s=300, unit=None), [*lead(0, 30), *second(0), *second(30, **CUT)], 400),
        "SEAL_TAMPER",
    )
    assert (found.subject_kind, found.subject, found.seal, found.journey) == ("seal", "S2", "S2", "J-S1")
    assert (found.regime, found.severity, found.latched) == ("transit", "critical", True)
    assert (span(found), found.evidence["closed_by"]) == ((30, 30, 300, 300), "disarmed")


def test_two_seals_cut_at_one_moment_are_two_tamperings() -> None:
    """Neither takes the place of the other."""
    found = only(told(armed(), [*lead(30, **CUT), *second(30, **CUT)]), "SEAL_TAMPER")
    assert sorted((e.subject_kind, e.subject, e.journey) for e in found) == [
        ("journey", "J-S1", "J-S1"),
        ("seal", "S2", "J-S1"),
    ]


def of_itself(second_seal: str) -> list[Ping]:
    """A seal that gives cause for every rule of a seal itself."""
    says: list[Ping] = [
        *(ping(s, 0, lock="open", battery_pct=5) for s in (0, 30, 7300)),
        *(ping(s, 0, facts=["illegal_card"]) for s in (7320,)),
        *(ping(s, facts=["jamming"]) for s in (8000, 8100, 8700)),
        *(ping(8750 + 10 * i, (i % 2) * 90_000) for i in range(14)),
        *(ping(90_000 + i, 0, received_s=9000 + i) for i in range(3)),
    ]
    return [p | {"of": second_seal} for p in says]


def test_every_rule_of_the_seal_itself_judges_every_seal() -> None:
    """What one alone would raise as the lead, it raises as the second, and nothing else."""
    leave = {"from": iso(0), "to": iso(20), "by": "an officer"}
    names = {rule.name for rule in OF_EVERY_SEAL}
    as_second = told(armed(authorisations=[leave]), of_itself("S2"), now_s=30_000)
    as_lead = told(Ground().journey(authorisations=[leave]), of_itself("S1"), now_s=30_000)
    assert {e.type for e in as_second if e.seal == "S2"} == names

    def said(e: Episode) -> tuple[Any, ...]:
        return e.type, span(e), e.severity, e.latched, e.evidence

    of_lead = [said(e) for e in as_lead if e.type in names]
    assert sorted(map(str, (said(e) for e in as_second if e.seal == "S2"))) == sorted(map(str, of_lead))


def test_way_and_times_are_the_leads_alone() -> None:
    """A second seal far off the road, in a prohibited zone, standing, too fast and late: the journey is not."""
    made = armed(route="R", due_at=iso(600)).route("R", (0, 0), (9000, 0), speed_limit_kmh=40)
    made.zone("P", 4000, 4000, 500, "prohibited").zone("I", 4000, 4000, 900, "interest")
    made.policy("default.DETACHMENT", enabled=False)
    story = [ping(30 * i, 4000 if i < 60 else 60 * i, 4000, of="S2", speed_kmh=90) for i in range(100)]
    followed = [ping(30 * i, 3 * i, 0) for i in range(100)]
    assert not [e for e in told(made, [*followed, *story]) if e.seal == "S2"]


def test_leave_to_unlock_is_the_journeys() -> None:
    """It holds for both seals, and for neither after its end."""
    leave = [{"from": iso(0), "to": iso(60), "by": "an officer"}]
    made = armed(authorisations=leave).policy("default.SEAL_OPENED_OUTSIDE_ZONE", enabled=False)
    assert not told(made, [*lead(30, lock="open"), *second(30, lock="open")])
    found = told(made, [*lead(60, lock="open"), *second(30, lock="closed"), *second(90, lock="open")])
    assert sorted((e.seal, span(e)[1]) for e in only(found, "SEAL_TAMPER")) == [("S1", 60), ("S2", 90)]


def test_an_officers_reset_ends_what_is_latched_of_every_seal() -> None:
    """As of the lead; what is cut after it is another episode."""
    resets = [{"at": iso(100), "rule": "SEAL_TAMPER", "by": "an officer"}]
    story = [*lead(30, **CUT), *lead(60), *second(30, 130, **CUT)]
    found = only(told(armed(resets=resets), story, now_s=200), "SEAL_TAMPER")
    assert sorted((e.seal, span(e)) for e in found) == [
        ("S1", (30, 30, 100, 100)),
        ("S2", (30, 30, 100, 100)),
        ("S2", (130, 130, None, None)),
    ]


def test_a_suspension_stops_no_rule_of_a_second_seal() -> None:
    """Never seal rules."""
    breaks = [{"from": iso(10), "to": iso(500), "by": "an officer"}]
    assert one(told(armed(suspensions=breaks), second(0, 20, **CUT)), "SEAL_TAMPER").seal == "S2"


def test_a_route_may_have_its_own_policy_for_second_seals_too() -> None:
    """They are on the journey's route, though not judged by it."""
    made = armed(route="R").route("R", (0, 0), (9000, 0)).policy("route.R.SEAL_TAMPER", severity="medium")
    assert one(told(made, second(0, **CUT)), "SEAL_TAMPER").severity == "medium"


def test_a_seal_may_lead_one_journey_and_be_second_on_the_next() -> None:
    """Each episode is of the journey that was armed then."""
    made = Ground().journey(disarmed_s=100)
    made.journey("S2", armed_s=200, devices=[{"id": "S1", "role": "seal"}])
    found = told(made, [*lead(50, **CUT), *lead(150, **CUT), *lead(250, **CUT)], now_s=300)
    assert [(e.subject, e.journey, span(e)) for e in only(found, "SEAL_TAMPER")] == [
        ("J-S1", "J-S1", (50, 50, 100, 100)),
        ("S1", "J-S2", (250, 250, None, None)),
    ]


def test_leave_told_late_takes_back_what_a_second_seal_raised() -> None:
    """A fact about the journey is one about all its seals."""
    plan = armed().policy("default.SEAL_OPENED_OUTSIDE_ZONE", enabled=False).plan()
    service = Service(Core(plan))
    service.feed(batch([*second(30, 60, lock="open"), *lead(60)], service.core.numbers))
    assert [(e.type, e.seal) for e in service.store.episodes] == [("SEAL_TAMPER", "S2")]
    leave = Authorisation(T0_MS, T0_MS + 300_000, None, "an officer")
    service.learn([replace(plan.journeys[0], authorisations=(leave,))], service.core.versions)
    assert not service.store.episodes
    assert [e.transition for e in service.events] == ["raised", "retracted"]


@pytest.mark.parametrize("role", ["trailer", "escort", "tractor"])
def test_other_devices_are_no_seals(role: str) -> None:
    """What a trailer's tracker says of itself is nobody's seal."""
    made = Ground().journey(devices=[{"id": "S2", "role": role}])
    made.policy("default.DETACHMENT", enabled=False).policy("default.CONVOY_SEPARATION", enabled=False)
    assert not told(made, second(0, 30, **CUT), now_s=60)


def test_a_second_seal_too_serves_one_journey_at_a_time() -> None:
    """It is named, with the journey for which it is still armed."""
    two = journey(id="J2", seal="S2", devices=[{"id": "S9", "role": "seal"}])
    one_ = journey(devices=[{"id": "S9", "role": "seal"}], disarmed_at="2026-11-22T06:00:00Z")
    _, faults = load_files(files([one_, two]))
    assert_only_error(faults, "journeys.jsonl", "J2", "armed_at", "“S9” is still armed for journey “J1”")
    plan_of(files([one_, two | {"armed_at": "2026-11-22T06:00:00Z"}]))
