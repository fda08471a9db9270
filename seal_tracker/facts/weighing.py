"""A weighing: what a weighbridge says of one lorry on it, read and checked. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Annotated, Final, Literal

import msgspec

from seal_tracker.facts.model import WEIGHING, EquipmentFact, fact_id
from seal_tracker.facts.reading import FactError, check_time
from seal_tracker.journey import plate_of
from seal_tracker.model import ID_PATTERN, iso_ms
from seal_tracker.plans.model import Equipment

__all__ = [
    "Weighing",
    "checked",
    "decode_weighing",
    "direction_of",
    "evidence_of",
    "weighing_fact",
    "weighing_in",
]

HEAVIEST_KG: Final = 1_000_000
"""No road bridge carries more; a weighbridge for mine trucks reads to 500 t."""

OwnId = Annotated[str, msgspec.Meta(pattern=rf"^{ID_PATTERN.pattern}\Z")]
Plate = Annotated[str, msgspec.Meta(pattern=r"^[^\x00]{1,40}\Z")]
Kg = Annotated[int, msgspec.Meta(ge=0, le=HEAVIEST_KG)]
Direction = Literal["out", "in"]


class Weighing(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One lorry on a weighbridge.

    Attributes
    ----------
    id
        what the weighbridge calls it, its ticket: the same id again is the same weighing.
    time
        when, with its zone.
    direction
        ``out`` of the mine or yard, or ``in`` to the port or gate.
    journey, plate
        the journey, or else the lorry's registration, by which it is found.
    gross_kg, tare_kg, net_kg
        of the loaded lorry, the empty one, and the cargo; the net is the difference where that is known.
    revision
        counts corrections of this weighing; the highest stands.
    void
        it was a mistake and stands for nothing.
    """

    id: OwnId
    time: dt.datetime
    direction: Direction
    journey: OwnId | None = None
    plate: Plate | None = None
    gross_kg: Kg | None = None
    tare_kg: Kg | None = None
    net_kg: Kg | None = None
    revision: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] = 1
    void: bool = False

    @property
    def mass_kg(self) -> int:
        """The cargo's mass."""
        if self.net_kg is not None:
            return self.net_kg
        assert self.gross_kg is not None
        assert self.tare_kg is not None
        return self.gross_kg - self.tare_kg


_decode: Final = msgspec.json.Decoder(Weighing).decode
_encode: Final = msgspec.json.Encoder(order="deterministic").encode


def decode_weighing(payload: bytes) -> Weighing:
    """The weighing in a payload.

    Raises
    ------
    FactError
        It is none, or says what cannot be.
    """
    try:
        return checked(_decode(payload))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise FactError(f"weighing: {error}") from error


def checked(weighing: Weighing) -> Weighing:
    """A weighing whose members fit together.

    Raises
    ------
    FactError
        They do not, and why.
    """
    gross, tare, net = weighing.gross_kg, weighing.tare_kg, weighing.net_kg
    if weighing.journey is None and not plate_of(weighing.plate or ""):
        raise FactError("weighing: names neither journey nor plate; write one, by which the lorry is found")
    if net is None and (gross is None or tare is None):
        raise FactError("weighing: has no mass of its cargo; write net_kg, or gross_kg and tare_kg")
    if gross is not None and tare is not None:
        if tare > gross:
            raise FactError(f"tare_kg {tare}: is more than gross_kg {gross}; the empty lorry is the lighter")
        if net is not None and net != gross - tare:
            raise FactError(
                f"net_kg {net}: gross_kg {gross} less tare_kg {tare} is {gross - tare}; correct one, or leave it out"
            )
    return weighing


def weighing_fact(
    weighing: Weighing, weighbridge: Equipment, received_ms: int, *, check_clock: bool = True
) -> EquipmentFact:
    """A weighing as a fact of its weighbridge.

    Raises
    ------
    FactError
        The equipment is no weighbridge; its clock cannot be believed.
    """
    if weighbridge.kind != "weighbridge":
        raise FactError(
            f"equipment {weighbridge.id!r}: is a {weighbridge.kind}, and only a weighbridge weighs"
        )
    at_ms = check_time(weighing.time, received_ms, check_clock=check_clock)
    said = msgspec.structs.replace(weighing, time=dt.datetime.fromisoformat(iso_ms(at_ms)))
    return EquipmentFact(
        id=fact_id(WEIGHING, weighbridge.id, weighing.id),
        kind=WEIGHING,
        equipment=weighbridge.id,
        at_ms=at_ms,
        journey=weighing.journey,
        plate=plate_of(weighing.plate) if weighing.plate else None,
        unit=weighbridge.unit,
        revision=weighing.revision,
        void=weighing.void,
        recorded_ms=received_ms,
        seal=None,
        box=None,
        other_box=None,
        body=_encode(said),
    )


def weighing_in(fact: EquipmentFact) -> Weighing:
    """The weighing that a fact holds."""
    return _decode(fact.body)


class _Directed(msgspec.Struct):
    direction: str | None = None


def direction_of(fact: EquipmentFact) -> str | None:
    """Which way the lorry of a fact went; None: the fact does not say."""
    return msgspec.json.decode(fact.body, type=_Directed).direction


def evidence_of(fact: EquipmentFact) -> Mapping[str, object]:
    """A weighing as the evidence of an episode."""
    weighing = weighing_in(fact)
    return {
        "weighing": str(fact.id),
        "weighbridge": fact.equipment,
        "time": iso_ms(fact.at_ms),
        "direction": weighing.direction,
        "net_kg": weighing.mass_kg,
        "revision": weighing.revision,
    }
