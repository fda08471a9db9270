"""``MASS_BALANCE``, told as stories: what was declared, weighed out, weighed in, and how long the lorry took."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from fact_stories import Happens, told, weighing
from story import Ground, Ping, drive, one, ping, span

from seal_tracker.facts.model import attached
from seal_tracker.facts.reading import FactError
from seal_tracker.facts.weighing import decode_weighing, weighing_fact, weighing_in
from seal_tracker.model import NO_TIME
from seal_tracker.plans.folder import load_files
from seal_tracker.rules.across_facts import FACT_KEYS

MASS = "MASS_BALANCE"


def ground(**more: Any) -> Ground:
    """A lorry from a mine over 30 km to a port, 25 t declared, a weighbridge at both ends."""
    minerals = {"licence": "L-1", "loaded_kg": 25_000, **more.pop("minerals", {})}
    made = Ground().route("R", (0, 0), (30_000, 0))
    made.equipment("WB-1", kind="weighbridge").equipment("WB-2", kind="weighbridge")
    return made.journey(regime="minerals", route="R", vehicle="29C-123.45", minerals=minerals, **more)


def trip() -> list[Ping]:
    """A drive over all of it in 2,000 s."""
    return drive(0, 2000, 250)


def weighed(out_kg: int, in_kg: int, *more: Happens) -> list[Happens]:
    return [weighing(30, "out", out_kg), weighing(2400, "in", in_kg, by="WB-2"), *more]


def test_masses_within_tolerance_are_in_order() -> None:
    """100 kg, or half a percent where that is more."""
    assert told(ground(), trip(), weighed(25_120, 25_010)) == []


def test_weighed_in_less_than_out_is_an_event_with_both_weighings() -> None:
    """The object says what; it stands from the second weighing on, and is latched."""
    found = one(told(ground(), trip(), weighed(25_050, 23_000)), MASS)
    assert (found.object, found.severity, found.subject, found.seal) == ("weighed", "high", "J-S1", "S1")
    assert span(found) == (2400, 2400, None, None)
    assert found.latched
    assert found.evidence["difference_kg"] == -2050
    assert found.evidence["tolerance_kg"] == 125.2
    assert [w["net_kg"] for w in found.evidence["weighings"]] == [25_050, 23_000]
    assert found.evidence["licence"] == "L-1"


def test_more_than_declared_is_told_at_the_first_weighing() -> None:
    """Declared ≠ weighed, at the weighbridge of the mine."""
    found = one(told(ground(), trip(), weighed(27_000, 27_000)), MASS)
    assert (found.object, span(found)[0]) == ("declared", 30)
    assert (found.evidence["declared_kg"], found.evidence["difference_kg"]) == (25_000, 2000)


@pytest.mark.parametrize(("in_kg", "raised"), [(24_875, False), (24_874, True)])
def test_half_a_percent_of_the_greater_mass_is_the_limit(in_kg: int, *, raised: bool) -> None:
    """Where it is more than tolerance_kg."""
    found = told(ground(), trip(), weighed(25_000, in_kg))
    assert bool(found) is raised


def test_a_correction_takes_it_back_and_the_same_again_changes_nothing() -> None:
    """The highest revision stands, whichever came first."""
    wrong, right = weighing(2400, "in", 2500, by="WB-2"), weighing(2400, "in", 25_000, by="WB-2", revision=2)
    assert told(ground(), trip(), [weighing(30, "out", 25_000), wrong, right, wrong]) == []


def test_a_weighing_that_was_a_mistake_stands_for_nothing() -> None:
    """Void in a later revision."""
    wrong = weighing(2400, "in", 2500, by="WB-2")
    void = weighing(2400, "in", 2500, by="WB-2", revision=2, void=True)
    assert told(ground(disarmed_s=2500), trip(), [weighing(30, "out", 25_000), wrong, void]) == []


def test_a_lorry_is_found_by_its_plate_however_it_is_written() -> None:
    """Weighed out before its seal was armed, in after it was disarmed."""
    facts = [
        weighing(-600, "out", 25_000, plate="29c 12345"),
        weighing(2900, "in", 23_000, by="WB-2", plate="29C12345"),
    ]
    found = one(told(ground(disarmed_s=2500), trip(), facts), MASS)
    assert (found.object, span(found)) == ("weighed", (2900, 2900, None, None))


def test_it_ends_with_disarming_or_by_an_officers_reset() -> None:
    """As every latched episode."""
    made = ground(
        disarmed_s=5000, resets=[{"at": "2026-09-21T15:13:20Z", "rule": MASS, "object": "weighed", "by": "x"}]
    )
    found = one(told(made, trip(), weighed(25_000, 23_000)), MASS)
    assert (span(found)[2], found.evidence["closed_by"]) == (3600, "reset")
    found = one(told(ground(disarmed_s=5000), trip(), weighed(25_000, 23_000)), MASS)
    assert (span(found)[2], found.evidence["closed_by"]) == (5000, "disarmed")


def test_a_trip_too_short_for_its_distance_went_another_way_or_was_another_lorrys() -> None:
    """30 km at 90 km/h are 1,200 s."""
    facts = [weighing(30, "out", 25_000), weighing(1130, "in", 25_000, by="WB-2")]
    found = one(told(ground(), trip(), facts), MASS)
    assert (found.object, span(found)[0]) == ("short", 1130)
    assert (found.evidence["lasted_s"], found.evidence["least_s"]) == (1100, 1200)


def test_a_trip_that_takes_too_long_is_told_when_its_time_is_up() -> None:
    """30 km at 15 km/h and an hour's grace: 10,800 s, by now alone."""
    facts = [weighing(30, "out", 25_000)]
    assert told(ground(), trip(), facts, now_s=10_829) == []
    found = one(told(ground(), trip(), facts, now_s=10_831), MASS)
    assert (found.object, span(found)) == ("long", (10_830, 10_830, None, None))


BRIDGES = {"weighbridge_out": "WB-1", "weighbridge_in": "WB-2"}


def test_weighed_at_another_weighbridge_than_declared_is_told() -> None:
    """Each direction has its own."""
    made = ground(minerals=BRIDGES)
    assert told(made, trip(), weighed(25_000, 25_000)) == []
    facts = [weighing(30, "out", 25_000, by="WB-2"), weighing(2400, "in", 25_000, by="WB-2")]
    found = one(told(made, trip(), facts), MASS)
    assert (found.object, span(found)[0], found.evidence["declared"]) == ("weighbridge", 30, "WB-1")


@pytest.mark.parametrize(
    ("facts", "now_s", "at_s"),
    [
        ([], 3599, None),
        ([], 3601, 3600),
        ([weighing(30, "out", 25_000)], 9_599, None),
        ([weighing(30, "out", 25_000)], 9_601, 9600),
    ],
)
def test_who_avoids_the_weighbridge_is_told_an_hour_later(
    facts: list[Happens], now_s: float, at_s: float | None
) -> None:
    """After arming the one at the mine, after disarming the one at the port; where the journey names one."""
    made = ground(minerals=BRIDGES, disarmed_s=6000)
    found = told(made, trip(), facts, now_s=now_s)
    assert [(e.object, span(e)[0]) for e in found] == ([] if at_s is None else [("unweighed", at_s)])
    assert told(ground(disarmed_s=6000), trip(), facts, now_s=now_s) == []


def test_a_policy_sets_the_limits() -> None:
    """For a regime or a route, as any other."""
    made = ground().policy("minerals.MASS_BALANCE", tolerance_kg=3000, severity="medium")
    assert told(made, trip(), weighed(25_000, 23_000)) == []
    made = ground().policy("route.R.MASS_BALANCE", tolerance_pct=0, tolerance_kg=10, severity="medium")
    assert one(told(made, trip(), weighed(25_005, 24_990)), MASS).severity == "medium"


def licensed(*, licence: Mapping[str, Any] | None = None, mine_x_m: float = 0, **more: Any) -> Ground:
    """The same under a licence whose mine is where the lorry sets out."""
    return ground(**more).zone("mine", mine_x_m, 0, 300, "mine").licence(**(licence or {}))


def test_loaded_in_its_mine_under_a_licence_that_holds_it_owes_nothing() -> None:
    """Armed within 200 m of its zones."""
    valid = {
        "valid_from": "2026-01-01T00:00:00Z",
        "valid_to": "2027-01-01T00:00:00Z",
        "quota": 25,
        "quota_unit": "t",
    }
    assert told(licensed(licence=valid), trip(), weighed(25_000, 25_000)) == []


def test_loaded_elsewhere_is_told_with_the_nearest_of_its_zones() -> None:
    """The seal was armed 5 km from the mine."""
    found = one(told(licensed(mine_x_m=5000), trip(), weighed(25_000, 25_000)), MASS)
    assert (found.object, span(found)[0]) == ("loading", 0)
    assert found.evidence["nearest"] == "mine"
    assert found.evidence["distance_m"] == pytest.approx(4700, rel=0.01)
    assert found.evidence["limit_m"] == 200


def test_where_nobody_knows_where_it_was_armed_the_weighbridge_says_where_it_was_loaded() -> None:
    """No fix within five minutes of arming."""
    pings = [ping(1000, 9000), ping(1100, 9100), ping(1200, 9200)]
    facts = [weighing(1150, "out", 25_000)]
    found = one(told(licensed(), pings, facts, now_s=2000), MASS)
    assert (found.object, span(found)[0]) == ("loading", 1150)


@pytest.mark.parametrize(
    ("quota", "unit", "more", "raised"),
    [
        (25_000, "kg", {}, False),
        (24.999, "t", {}, True),
        (10, "m3", {"density_t_m3": 2.5}, False),
        (10, "m3", {"density_t_m3": 2.4}, True),
    ],
)
def test_the_quota_is_a_mass_or_a_volume(
    quota: float, unit: str, more: dict[str, Any], *, raised: bool
) -> None:
    """Of a volume by its density."""
    made = licensed(licence={"quota": quota, "quota_unit": unit, **more})
    assert [e.object for e in told(made, trip(), weighed(25_000, 25_000))] == ["quota:L-1"] * raised


def test_every_journey_from_the_one_that_uses_the_quota_up_is_told() -> None:
    """In the order in which they were weighed out, whatever came in first; with what was used before."""
    made = licensed(licence={"quota": 60, "quota_unit": "t"})
    made.zone("elsewhere", 90_000, 0, 10, "mine")
    facts = weighed(25_000, 25_000)
    minerals = {"licence": "L-1", "loaded_kg": 25_000}
    for seal, at_s in (("S2", 40), ("S3", 50), ("S4", 20)):
        made.journey(seal, regime="minerals", minerals=minerals)
        facts.append(weighing(at_s, "out", 25_000, journey=f"J-{seal}"))
    found = told(made, trip(), facts)
    assert [(e.subject, e.object) for e in found] == [("J-S2", "quota:L-1"), ("J-S3", "quota:L-1")]
    assert [e.evidence["used_before_kg"] for e in found] == [50_000, 75_000]
    assert found[0].evidence["over_kg"] == 15_000


def test_a_licence_that_does_not_hold_any_more_is_told() -> None:
    """By when the lorry was weighed out."""
    found = one(
        told(licensed(licence={"valid_to": "2026-09-01T00:00:00Z"}), trip(), weighed(25_000, 25_000)), MASS
    )
    assert (found.object, span(found)[0]) == ("licence:L-1", 30)
    assert found.evidence["valid_to"] == "2026-09-01T00:00:00.000Z"


def stopped(x_m: float, from_s: float, to_s: float, of: str = "S1") -> list[Ping]:
    """A lorry that comes, stands, and goes on."""
    times = range(round(from_s), round(to_s) + 1, 180)
    on_the_way = [
        ping(from_s - 600, x_m - 9000, of=of),
        ping(to_s + 300, x_m + 4500, of=of),
        ping(to_s + 400, x_m + 6000, of=of),
    ]
    return [*on_the_way, *(ping(t, x_m, of=of) for t in times)]


@pytest.mark.parametrize(("y_m", "minutes", "raised"), [(0, 20, True), (500, 20, False), (0, 12, False)])
def test_a_stop_at_another_mine_may_mix_its_cargo(y_m: float, minutes: int, *, raised: bool) -> None:
    """A quarter of an hour within 100 m of it."""
    made = licensed().zone("other", 10_000, y_m, 200, "mine")
    pings = stopped(10_000, 1000, 1000 + 60 * minutes)
    found = told(made, pings, weighed(25_000, 25_000), now_s=5000)
    assert [e.object for e in found] == ["mixing"] * raised
    if raised:
        assert (found[0].evidence["zone"], found[0].evidence["limit_s"]) == ("other", 900)


@pytest.mark.parametrize(("apart_m", "raised"), [(50, True), (400, False)])
def test_two_lorries_with_minerals_that_stand_beside_each_other_may_exchange_it(
    apart_m: float, *, raised: bool
) -> None:
    """Both are told, each with the other."""
    made = licensed()
    made.journey("S2", regime="minerals", minerals={"licence": "L-1"})
    pings = [
        ping(0, 0),
        ping(0, 0, of="S2"),
        *stopped(10_000, 1000, 2500),
        *stopped(10_000 + apart_m, 1200, 2700, of="S2"),
    ]
    found = told(made, pings, [], now_s=5000)
    assert [(e.subject, e.object) for e in found] == [("J-S1", "mixing"), ("J-S2", "mixing")] * raised
    if raised:
        assert [e.evidence["journeys"] for e in found] == [["J-S2"], ["J-S1"]]


def test_lorries_that_queue_before_the_port_exchange_nothing() -> None:
    """A port, a gate, and their own mine are where they all stand."""
    made = licensed().zone("port", 10_000, 0, 300, "port")
    made.journey("S2", regime="minerals", minerals={"licence": "L-1"})
    pings = [
        ping(0, 0),
        ping(0, 0, of="S2"),
        *stopped(10_000, 1000, 2500),
        *stopped(10_050, 1200, 2700, of="S2"),
    ]
    assert told(made, pings, [], now_s=5000) == []


DOC = (Path(__file__).parents[2] / "docs" / "minerals.md").read_text()


def block(name: str) -> str:
    """An example of the guide, in one line."""
    found = re.search(rf"<!-- {name} -->\n```json\n(.*?)```", DOC, re.DOTALL)
    assert found is not None
    return json.dumps(json.loads(found[1]), ensure_ascii=False)


def test_the_examples_of_the_guide_are_sound_and_fit_together() -> None:
    """A plan of its licence and its journey has no fault; its weighing is that journey's, and within the tolerance."""
    made = Ground().zone("mo-coc", 0, 0, 300, "mine").zone("bai-tang-loong", 2000, 0, 300, "depot")
    made.zone("cang", 30_000, 0, 300, "port").route("QL70", (0, 0), (30_000, 0))
    made.equipment("CAN-MO", kind="weighbridge").equipment("CAN-CANG", kind="weighbridge")
    files = made.files() | {
        "licences.jsonl": block("licence"),
        "journeys.jsonl": block("journey"),
        "units.toml": '[lao-cai]\nname = "Lào Cai"\n',
    }
    plan, faults = load_files(files)
    assert plan is not None, faults
    assert [f for f in faults if f.file != "routes.geojson"] == []
    assert plan.licences["GP-12"].quota_kg == 80_000_000
    fact = weighing_fact(decode_weighing(block("weighing").encode()), plan.equipment[0], NO_TIME)
    assert attached(fact, plan.journeys, "out") == "KS-1"
    assert weighing_in(fact).mass_kg == 24_020


def test_the_guide_tells_every_threshold_and_its_default() -> None:
    """And every object that may be raised."""
    told = {}
    for keys, values in re.findall(r"^\| ((?:`\w+`(?:, )?)+) \| ([\d., ]+) \|", DOC, re.MULTILINE):
        told |= dict(zip(re.findall(r"\w+", keys), map(float, values.split(", ")), strict=True))
    own = {k: key.default for k, key in FACT_KEYS[MASS].items() if key.kind == "number" and key.has_effect}
    assert told == own
    assert all(
        f"`{name}" in DOC
        for name in (
            "declared",
            "weighed",
            "short",
            "long",
            "weighbridge",
            "unweighed",
            "loading",
            "quota",
            "licence",
            "mixing",
        )
    )


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"mines": None}, "mines: is missing"),
        ({"mines": ["nowhere"]}, "there is no zone “nowhere”"),
        ({"quota": 5}, "quota_unit: is missing"),
        ({"quota": 5, "quota_unit": "m3"}, "density_t_m3: is missing"),
        ({"quota_unit": "t"}, "quota_unit stands without quota"),
        (
            {"valid_from": "2026-02-01T00:00:00Z", "valid_to": "2026-01-01T00:00:00Z"},
            "is not after valid_from",
        ),
    ],
)
def test_what_is_wrong_with_a_licence_is_named(changes: dict[str, Any], says: str) -> None:
    """Each with its member and what to do."""
    made = ground().zone("mine", 0, 0, 300, "mine").licence(**changes)
    _, faults = load_files(made.files())
    assert any(says in f"{f.where}: {f.what}" or says in f"{f.where} {f.what}" for f in faults), faults


def test_a_journey_names_a_licence_and_weighbridges_that_there_are() -> None:
    """Of its own regime, in whole kilograms."""
    made = ground(minerals={"licence": "L-9", "weighbridge_in": "CAM-1", "loaded_kg": 0.5})
    made.zone("mine", 0, 0, 300, "mine").licence()
    _, faults = load_files(made.files())
    wrong = {f.where.split()[-1] for f in faults if f.level == "error"}
    assert wrong == {"minerals.licence", "minerals.loaded_kg", "minerals.weighbridge_in"}


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (
            b'{"id":"1","time":"2026-11-22T00:00:00Z","direction":"out","net_kg":5}',
            "neither journey nor plate",
        ),
        (
            b'{"id":"1","time":"2026-11-22T00:00:00Z","direction":"out","plate":"A1","gross_kg":5}',
            "has no mass",
        ),
        (
            b'{"id":"1","time":"2026-11-22T00:00:00Z","direction":"out","plate":"A1","gross_kg":5,"tare_kg":6}',
            "is more than gross_kg",
        ),
        (
            b'{"id":"1","time":"2026-11-22T00:00:00Z","direction":"out","plate":"A1","gross_kg":9,"tare_kg":6,"net_kg":4}',
            "less tare_kg 6 is 3",
        ),
        (b'{"id":"1","time":"2026-11-22T00:00:00Z","direction":"off","net_kg":5}', "weighing: "),
        (b"\xff", "weighing: "),
    ],
)
def test_a_message_that_is_no_weighing_says_why(said: bytes, why: str) -> None:
    """The reason is the dead letter's."""
    with pytest.raises(FactError, match=re.escape(why)):
        decode_weighing(said)
