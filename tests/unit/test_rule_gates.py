"""``GATE_MISMATCH``, told as stories: what cameras and readers at a gate read of a lorry, where its seal was, and what is no alarm."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from fact_stories import Happens, reading, told
from story import Ground, Ping, at, drive, one, ping, span

from seal_tracker.facts.readings import decode_reading
from seal_tracker.intake import take_in
from seal_tracker.model import Episode
from seal_tracker.plans.folder import load_files
from seal_tracker.rules.catalog import POLICY_KEYS
from seal_tracker.sources.framing import RawMessage

GATE = "GATE_MISMATCH"
PLATE, BOX, OTHER_BOX = "29C-123.45", "CSQU3054383", "MSCU6639870"
AT_S = 1000.0
"""When the lorry is in the middle of the gate, which stands at the middle of the plane."""


def ground(*, reads: Any = ("plate", "container"), **more: Any) -> Ground:
    """A lorry with a container over 20 km past a gate half-way, at which a camera reads."""
    lon, lat = at(10_000, 0)
    made = Ground().route("R", (0, 0), (20_000, 0), checkpoints=[{"zone": "G"}])
    made.zone("G", 10_000, 0, 150, "gate")
    camera = {"heartbeat_s": 600, "lon": lon, "lat": lat, **more.pop("camera", {})}
    made.equipment("CAM-1", zone="G", reads=list(reads), **camera)
    return made.journey(route="R", **{"vehicle": PLATE, "box": BOX, **more})


def trip() -> list[Ping]:
    """A drive through the gate at 36 km/h, a fix each 200 s."""
    return drive(0, 2000, 200, speed_m_s=10)


def beats(*moments_s: float) -> list[Ping]:
    return [ping(s, of="equip/CAM-1", valid=False) for s in moments_s or range(0, 6000, 600)]


def gates(episodes: list[Episode]) -> list[Episode]:
    return [e for e in episodes if e.type == GATE]


def story(facts: list[Happens], pings: list[Ping] | None = None, **more: Any) -> list[Episode]:
    return gates(told(ground(**more), [*(trip() if pings is None else pings), *beats()], facts, now_s=6000))


def test_a_lorry_that_is_what_it_declares_passes_in_silence() -> None:
    """However the camera writes it, and whichever of its pictures it could read."""
    assert (
        story(
            [
                reading(AT_S - 4, plate="29C I2345"),
                reading(AT_S, plate="29C12345", containers=["CSQU 305438 3"]),
            ]
        )
        == []
    )


def test_another_container_than_declared_is_told_with_the_picture() -> None:
    """Found by its plate: the container was changed, or the camera's neighbour is lucky."""
    found = one(
        story([reading(AT_S, plate=PLATE, containers=[OTHER_BOX], image="gate/1.jpg", confidence=0.93)]), GATE
    )
    assert (found.object, found.severity, found.subject) == ("container", "high", "J-S1")
    assert span(found) == (AT_S, AT_S, AT_S, AT_S)
    assert (found.evidence["declared"], found.evidence["gate"]) == ([BOX], "G")
    (said,) = found.evidence["readings"]
    assert (said["containers"], said["image"], said["equipment"]) == ([OTHER_BOX], "gate/1.jpg", "CAM-1")


def test_another_plate_than_declared_is_told_of_the_journey_of_the_container() -> None:
    """The container is on another lorry; or by the seal that the reader heard."""
    for found_by in ({"containers": [BOX]}, {"seal": "S1"}):
        found = one(story([reading(AT_S, plate="30F-999.11", **found_by)]), GATE)
        assert (found.object, found.evidence["declared"]) == ("plate", [PLATE])


def test_another_seal_than_declared_is_told_of_the_lorrys_journey() -> None:
    """The lorry carries somebody else's seal."""
    found = one(story([reading(AT_S, plate=PLATE, seal="S-STRANGE")]), GATE)
    assert (found.object, found.evidence["declared"]) == ("seal", ["S1"])


@pytest.mark.parametrize(
    "read",
    [
        {"plate": PLATE, "containers": ["CSQU3054384"]},
        {"plate": PLATE, "containers": ["3054383"]},
        {"plate": PLATE, "containers": [OTHER_BOX], "confidence": 0.5},
        {"plate": "29C-123.46", "containers": [BOX]},
        {"plate": "29C-123.4", "containers": [BOX]},
        {"plate": PLATE, "containers": [OTHER_BOX, BOX]},
    ],
    ids=["check-digit", "a-part", "unsure", "one-character", "one-missing", "of-two"],
)
def test_what_a_camera_misreads_is_no_alarm(read: dict[str, Any]) -> None:
    """A number that cannot be, a part, what it says it is unsure of, and one character of a plate; and of two containers one is it."""
    assert story([reading(AT_S, **read)]) == []


def test_of_a_passage_the_best_picture_counts() -> None:
    """A second camera, or a second look, that reads what is declared."""
    wrong, right = (
        reading(AT_S, plate=PLATE, containers=[OTHER_BOX]),
        reading(AT_S + 30, plate=PLATE, containers=[BOX]),
    )
    assert story([wrong, right]) == []
    later = story([wrong, reading(AT_S + 150, plate=PLATE, containers=[BOX])])
    assert [e.object for e in later] == ["container", "no_seal"]


def test_a_correction_takes_it_back_whichever_came_first() -> None:
    """An officer looked at the picture; a void reading stands for nothing."""
    wrong = reading(AT_S, plate=PLATE, containers=[OTHER_BOX])
    again = {"id": f"R-{AT_S:g}", "revision": 2}
    assert story([wrong, reading(AT_S, plate=PLATE, containers=[BOX], **again), wrong]) == []
    voided = story([wrong, reading(AT_S, plate=PLATE, containers=[OTHER_BOX], void=True, **again)])
    assert [e.object for e in voided] == ["no_plate"]


def test_a_lorry_whose_seal_is_elsewhere_is_told() -> None:
    """The lorry is read 10 km from where its seal is then: the seal is on another, or lies beside the road."""
    found = story([reading(30, plate=PLATE), reading(AT_S, plate=PLATE)])
    assert [(e.object, span(e)[0]) for e in found] == [("no_seal", 30)]
    assert 9_600 <= found[0].evidence["distance_m"] <= 9_800


def test_a_lorry_whose_seal_is_not_heard_is_told_when_it_is_waited_for_no_more() -> None:
    """Half an hour; and taken back by what it had kept."""
    before = [p for p in trip() if p["time"] < trip()[4]["time"]]
    assert story([reading(AT_S, plate=PLATE)], before[:1]) != []
    found = one(story([reading(AT_S, plate=PLATE)], before), GATE)
    assert (found.object, span(found)) == ("no_ping", (AT_S, AT_S, AT_S, AT_S))
    assert gates(told(ground(), [*before, *beats()], [reading(AT_S, plate=PLATE)], now_s=AT_S + 1700)) == []


def test_a_seal_that_no_camera_saw_a_lorry_of_is_told() -> None:
    """With who was read there instead; once it is known that the camera was there."""
    strangers = [reading(AT_S - 20, plate="51D-444.44"), reading(AT_S + 900, plate="51D-555.55")]
    found = one(story(strangers), GATE)
    assert (found.object, found.evidence["gate"], found.evidence["readers"]) == ("no_plate", "G", ["CAM-1"])
    assert [r["plate"] for r in found.evidence["readings"]] == ["51D-444.44"]
    assert gates(told(ground(), [*trip(), *beats()], strangers, now_s=AT_S + 2000)) == []


@pytest.mark.parametrize(
    "facts",
    [
        [reading(AT_S + 250, plate="29C-123.46")],
        [reading(AT_S - 250, plate=PLATE)],
        [reading(AT_S, containers=[BOX])],
        [reading(AT_S, journey="J-S1")],
    ],
    ids=["misread", "early-clock", "by-container", "named"],
)
def test_a_lorry_that_was_read_somehow_is_not_missed(facts: list[Happens]) -> None:
    """A clock that is some minutes wrong, one character, the container alone."""
    assert [e for e in story(facts) if e.object == "no_plate"] == []


def test_a_camera_that_was_down_has_missed_nobody() -> None:
    """As little as one that reads no plates, or a journey that declares none."""
    silent = [p for p in beats() if not T_DOWN[0] < p["time"] < T_DOWN[1]]
    assert gates(told(ground(camera={"heartbeat_s": 60}), [*trip(), *silent], [], now_s=6000)) == []
    assert len(gates(told(ground(), [*trip(), *beats()], [], now_s=6000))) == 1
    assert story([], reads=["container"]) == []
    assert story([], vehicle=None) == []


T_DOWN = tuple(ping(s)["time"] for s in (400, 2400))


def test_policies_switch_off_what_a_gate_cannot_tell() -> None:
    """Where seals report seldom, where cameras read few plates, where every character counts."""
    made = ground()
    made.policy("default.GATE_MISMATCH", needs_ping=False, needs_plate=False)
    assert told(made, [*trip(), *beats()], [reading(30, plate=PLATE)], now_s=6000) == told(
        ground(), [*trip(), *beats()], [reading(AT_S, plate=PLATE)], now_s=6000
    )
    strict = ground()
    strict.policy("default.GATE_MISMATCH", misreads=False)
    found = told(
        strict, [*trip(), *beats()], [reading(AT_S, containers=[BOX], plate="29C-123.46")], now_s=6000
    )
    assert [e.object for e in gates(found)] == ["plate"]


def test_readings_come_over_the_broker_and_bad_ones_are_kept_as_dead_letters() -> None:
    """With what was wrong; those of a weighbridge, of a clock that cannot be and of equipment that is not known too."""
    files = ground().equipment("WB-1", kind="weighbridge").files()
    plan, _ = load_files(files)
    assert plan is not None
    known = {"live": {e.id: e for e in plan.equipment}}
    at_ms = 1_795_316_400_000
    good = b'{"id":"7","time":"2026-11-22T03:00:00Z","plate":"29C12345","containers":["CSQU3054383"],"verdict":"clear"}'
    bad = {
        "CAM-1": [b"{", b'{"id":"7"}', good.replace(b"2026", b"2036"), good.replace(b'"clear"', b'"fine"')],
        "WB-1": [good],
        "CAM-9": [good],
    }
    messages = [RawMessage("eseal/v1/demo/equip/CAM-1/reading", good, 1, at_ms)]
    messages += [
        RawMessage(f"eseal/v1/demo/equip/{e}/reading", m, 1, at_ms) for e, ms in bad.items() for m in ms
    ]
    live = take_in(messages, tenant="demo", instance="x", known_spaces=("live",), equipment=known).spaces[
        "live"
    ]
    assert [noted.fact.plate for noted in live.facts] == ["29C12345"]
    assert len(live.dead_letters) == 6
    reasons = " ".join(letter.reason for letter in live.dead_letters)
    for word in (
        "missing required field `time`",
        "cannot be believed",
        "`$.verdict`",
        "is a weighbridge",
        "is not in the plan",
    ):
        assert word in reasons


def test_the_readings_of_the_documents_are_readings() -> None:
    """As they stand there."""
    guide = (Path(__file__).parents[2] / "docs" / "gates.md").read_text()
    (example,) = re.findall(r"<!-- reading -->\n```json\n(.*?)\n```", guide, re.DOTALL)
    assert decode_reading(example.encode()).containers == ("CSQU 305438 3",)
    keys = {
        row.split("`")[1] for row in guide.partition("| policy of")[2].splitlines() if row.startswith("| `")
    }
    assert keys == {name for name, key in POLICY_KEYS[GATE].items() if key.has_effect} - {
        "enabled",
        "severity",
    }
