"""A reading: what a camera, a reader or a scanner at a gate says of one lorry that passes it, read and checked. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Annotated, Final, Literal

import msgspec

from seal_tracker.facts.marks import box_mark
from seal_tracker.facts.model import READING, EquipmentFact, fact_id
from seal_tracker.facts.reading import FactError, check_time
from seal_tracker.journey import plate_of
from seal_tracker.model import ID_PATTERN, iso_ms
from seal_tracker.plans.model import Equipment

__all__ = ["Reading", "Verdict", "decode_reading", "evidence_of", "reading_fact", "reading_in"]

OwnId = Annotated[str, msgspec.Meta(pattern=rf"\A{ID_PATTERN.pattern}\Z")]
Mark = Annotated[str, msgspec.Meta(min_length=1, max_length=40, pattern=r"^[^\x00-\x1f\x7f]*\Z")]
Image = Annotated[str, msgspec.Meta(min_length=1, max_length=500, pattern=r"^[^\x00-\x20\x7f]*\Z")]

Verdict = Literal["clear", "suspicious", "unclear"]
"""What a scanner, or who looks at its picture, says of what is in it."""

MOST_CONTAINERS: Final = 2
"""A lorry carries one of forty feet, or two of twenty."""


class Reading(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One lorry at a gate, as a piece of equipment saw it.

    Attributes
    ----------
    id
        what the equipment calls it: the same id again is the same reading.
    time
        when, with its zone.
    plate, trailer
        the registrations that were read, in front and behind.
    containers
        the containers' numbers that were read.
    seal
        the seal that was read, by radio.
    journey
        the journey, where the equipment knows it.
    confidence
        how sure it is of what it read, 0 to 1; left out: it does not say.
    verdict
        what a scanner says of the cargo.
    image
        where the picture is: an address or a name in whoever's store; it is not fetched.
    revision
        counts corrections of this reading, by a person who looked at the picture, say; the highest stands.
    void
        it was a mistake and stands for nothing.
    """

    id: OwnId
    time: dt.datetime
    plate: Mark | None = None
    trailer: Mark | None = None
    containers: Annotated[tuple[Mark, ...], msgspec.Meta(max_length=MOST_CONTAINERS)] = ()
    seal: OwnId | None = None
    journey: OwnId | None = None
    confidence: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None
    verdict: Verdict | None = None
    image: Image | None = None
    revision: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] = 1
    void: bool = False


_decode: Final = msgspec.json.Decoder(Reading).decode
_encode: Final = msgspec.json.Encoder(order="deterministic").encode


def decode_reading(payload: bytes) -> Reading:
    """The reading in a payload.

    Raises
    ------
    FactError
        It is none, and why.
    """
    try:
        return _decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise FactError(f"reading: {error}") from error


def reading_fact(
    reading: Reading, equipment: Equipment, received_ms: int, *, check_clock: bool = True
) -> EquipmentFact:
    """A reading as a fact of its equipment.

    Raises
    ------
    FactError
        The equipment is a weighbridge, which reads nothing; its clock cannot be believed.
    """
    if equipment.kind == "weighbridge":
        raise FactError(
            f"equipment {equipment.id!r}: is a weighbridge, which weighs; a camera, a reader or a scanner reads"
        )
    at_ms = check_time(reading.time, received_ms, check_clock=check_clock)
    said = msgspec.structs.replace(reading, time=dt.datetime.fromisoformat(iso_ms(at_ms)))
    boxes = tuple(box_mark(one) for one in reading.containers)
    return EquipmentFact(
        id=fact_id(READING, equipment.id, reading.id),
        kind=READING,
        equipment=equipment.id,
        at_ms=at_ms,
        journey=reading.journey,
        plate=plate_of(reading.plate) if reading.plate else None,
        unit=equipment.unit,
        revision=reading.revision,
        void=reading.void,
        recorded_ms=received_ms,
        seal=reading.seal,
        box=boxes[0] if boxes else None,
        other_box=boxes[1] if len(boxes) > 1 else None,
        body=_encode(said),
    )


def reading_in(fact: EquipmentFact) -> Reading:
    """The reading that a fact holds."""
    return _decode(fact.body)


def evidence_of(fact: EquipmentFact) -> Mapping[str, object]:
    """A reading as the evidence of an episode: what it says, and which one it is."""
    reading = reading_in(fact)
    said = {
        "plate": reading.plate,
        "trailer": reading.trailer,
        "containers": list(reading.containers) or None,
        "seal": reading.seal,
        "confidence": None if reading.confidence is None else round(reading.confidence, 3),
        "verdict": reading.verdict,
        "image": reading.image,
    }
    return {
        "reading": str(fact.id),
        "equipment": fact.equipment,
        "time": iso_ms(fact.at_ms),
        "revision": reading.revision,
        **{name: value for name, value in said.items() if value is not None},
    }
