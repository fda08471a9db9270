"""Whether an oversized vehicle may go: what is declared of it against its permit, the registry, and every structure on its route.

Every reason is found at once and told with its field, value and limit, in words of both languages. What is not declared of the
journey itself is taken as its permit says it. Pure: time and geometry are given.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from typing import Any, Final, Protocol

import msgspec

from geofences.catalog import UNLIMITED
from geofences.catalog.fields import parse_time_ms
from seal_tracker.model import iso_ms
from seal_tracker.plans.on_route import OnRoute
from seal_tracker.plans.permits import SIZES
from seal_tracker.plans.vehicles import Vehicle, plate_of

__all__ = ["Declared", "Reason", "Words", "refusals"]

UNITS: Final = {"length_m": "m", "width_m": "m", "height_m": "m", "mass_kg": "kg", "axle_loads_kg": "kg"}

OF_STRUCTURES: Final = {
    "max_mass_kg": "mass_kg",
    "max_axle_kg": "axle_loads_kg",
    "max_height_m": "height_m",
    "max_width_m": "width_m",
}
"""Which declared figure each limit of a structure is compared with."""

OF_REGISTRATION: Final = {"max_length_m": "length_m", "max_width_m": "width_m", "max_height_m": "height_m"}


class Words(msgspec.Struct, frozen=True):
    """A sentence in both languages."""

    vi: str
    en: str


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """One reason why a vehicle is not let go.

    ``field`` is the member of the journey at fault, ``value`` what it says and ``limit`` what is allowed, in ``unit`` where they are
    numbers; ``structure`` and ``registration`` name what the limit is of.
    """

    code: str
    field: str
    value: float | str | None = None
    limit: float | str | None = None
    unit: str | None = None
    structure: str | None = None
    registration: str | None = None
    text: Words


class Declared(Protocol):
    """What is declared of a journey."""

    @property
    def regime(self) -> str: ...  # noqa: D102
    @property
    def route(self) -> str | None: ...  # noqa: D102
    @property
    def permit(self) -> Mapping[str, Any] | None: ...  # noqa: D102
    @property
    def vehicle(self) -> str | None: ...  # noqa: D102
    @property
    def trailer(self) -> str | None: ...  # noqa: D102
    @property
    def load(self) -> Mapping[str, Any] | None: ...  # noqa: D102


def refusals(
    journey: Declared, structures: Sequence[OnRoute], vehicles: Mapping[str, Vehicle], at_ms: int
) -> list[Reason]:
    """Every reason why a journey may not begin at ``at_ms``; none where it may, or where it is of no oversized vehicle.

    Parameters
    ----------
    structures
        those on its route.
    vehicles
        the registry, by plates as they are compared (`registry_of`); where it is empty there is none, and nothing is looked up.
    """
    if journey.permit is None:
        return [_reason("permit_missing", "permit")] if journey.regime == "oversized" else []
    permit = journey.permit
    return [
        *_of_validity(permit, at_ms),
        *_of_corridor(permit, journey.route),
        *_of_registrations(permit, journey),
        *_of_figures(permit, journey.load or {}),
        *_of_registry(permit, journey, vehicles, at_ms),
        *_of_structures(permit, journey.load or {}, structures),
    ]


def _of_validity(permit: Mapping[str, Any], at_ms: int) -> Iterator[Reason]:
    from_ms, to_ms = (None if permit.get(k) is None else parse_time_ms(_time(permit[k])) for k in ("valid_from", "valid_to"))  # fmt: skip
    number = permit.get("number")
    if from_ms is not None and at_ms < from_ms:
        yield _reason(
            "permit_not_yet_valid", "permit.valid_from", iso_ms(at_ms), iso_ms(from_ms), permit=number
        )
    if to_ms is not None and at_ms >= to_ms:
        yield _reason("permit_expired", "permit.valid_to", iso_ms(at_ms), iso_ms(to_ms), permit=number)


def _of_corridor(permit: Mapping[str, Any], route: str | None) -> Iterator[Reason]:
    corridor = permit.get("corridor")
    if corridor is not None and corridor != route:
        yield _reason("other_corridor", "route", route or "—", corridor, permit=permit.get("number"))


def _of_registrations(permit: Mapping[str, Any], journey: Declared) -> Iterator[Reason]:
    allowed = permit.get("registrations") or ()
    for field in ("vehicle", "trailer"):
        declared = getattr(journey, field)
        if allowed and declared is not None and plate_of(declared) not in map(plate_of, allowed):
            yield _reason(
                "vehicle_not_permitted", field, declared, ", ".join(allowed), what=field, permit=permit.get("number")
            )  # fmt: skip


def _of_figures(permit: Mapping[str, Any], load: Mapping[str, Any]) -> Iterator[Reason]:
    number = permit.get("number")
    for key in SIZES:
        if _above(load.get(key), permit.get(key)):
            yield _reason("exceeds_permit", f"load.{key}", load[key], permit[key], what=key, permit=number)
    declared, allowed = load.get("axle_loads_kg") or (), permit.get("axle_loads_kg") or ()
    if declared and allowed and len(declared) != len(allowed):
        yield _reason("axle_count", "load.axle_loads_kg", len(declared), len(allowed), permit=number)
    elif allowed:
        for i, (mine, most) in enumerate(zip(declared, allowed, strict=False)):
            if _above(mine, most):
                field = f"load.axle_loads_kg[{i}]"
                yield _reason("exceeds_permit", field, mine, most, what="axle_loads_kg", permit=number)


def _of_registry(
    permit: Mapping[str, Any], journey: Declared, vehicles: Mapping[str, Vehicle], at_ms: int
) -> Iterator[Reason]:
    if not vehicles:
        return
    named = [(f, v) for f in ("vehicle", "trailer") if (v := getattr(journey, f)) is not None]
    named = named or [("permit.registrations", plate) for plate in permit.get("registrations") or ()]
    found = []
    for field, plate in named:
        vehicle = vehicles.get(plate_of(plate))
        if vehicle is None:
            yield _reason("not_registered", field, plate)
            continue
        found.append(vehicle)
        if vehicle.valid_to_ms is not None and at_ms >= vehicle.valid_to_ms:
            ended = iso_ms(vehicle.valid_to_ms)
            yield _reason("registration_expired", field, iso_ms(at_ms), ended, registration=vehicle.id)
    if found:
        yield from _of_vehicles(_figures(permit, journey.load or {}), found, whole=len(found) == len(named))


def _of_vehicles(figures: Mapping[str, Any], found: Sequence[Vehicle], *, whole: bool) -> Iterator[Reason]:
    """Against what the vehicles are registered for: sizes each by itself, mass and axles all together (``whole``: none is unknown)."""
    for vehicle in found:
        for limit, key in OF_REGISTRATION.items():
            yield from _by_registration(figures, key, getattr(vehicle, limit), vehicle.id)
    first, together = found[0], " + ".join(vehicle.id for vehicle in found)
    if whole and len(found) > 1 and first.max_combination_kg is not None:
        yield from _by_registration(figures, "mass_kg", first.max_combination_kg, first.id)
    elif whole and all(vehicle.max_mass_kg is not None for vehicle in found):
        yield from _by_registration(figures, "mass_kg", sum(v.max_mass_kg or 0 for v in found), together)
    if not whole:
        return
    if all(vehicle.max_axle_kg is not None for vehicle in found):
        most = max(vehicle.max_axle_kg or 0 for vehicle in found)
        yield from _by_registration(figures, "axle_loads_kg", most, together)
    if all(vehicle.axles is not None for vehicle in found):
        axles, have = len(figures.get("axle_loads_kg") or ()), sum(vehicle.axles or 0 for vehicle in found)
        if axles > have:
            yield _reason(
                "exceeds_registration", "load.axle_loads_kg", axles, have, what="axles", registration=together
            )


def _by_registration(
    figures: Mapping[str, Any], key: str, limit: float | None, registration: str
) -> Iterator[Reason]:
    value = _greatest(figures.get(key))
    if _above(value, limit):
        yield _reason(
            "exceeds_registration", f"load.{key}", value, limit, what=key, registration=registration
        )


def _of_structures(
    permit: Mapping[str, Any], load: Mapping[str, Any], structures: Sequence[OnRoute]
) -> Iterator[Reason]:
    """Of each structure once, by the tighter of its own limits and those that the permit gives for it."""
    named = {one["zone"]: one for one in permit.get("structures") or ()}
    own = {one.zone: one for one in structures}
    figures, number = _figures(permit, load), permit.get("number")
    for zone in dict.fromkeys([*own, *named]):
        limits = own[zone].limits if zone in own else UNLIMITED
        about = {"structure": zone, "name": own[zone].name if zone in own else zone}
        for limit, key in OF_STRUCTURES.items():
            given = (getattr(limits, limit), named.get(zone, {}).get(limit))
            most = min((float(one) for one in given if one is not None), default=None)
            if most is None:
                continue
            value = _greatest(figures.get(key))
            if value is None:
                yield _reason("unknown_at_structure", f"load.{key}", None, most, what=key, **about)
            elif value > most:
                yield _reason("exceeds_structure", f"load.{key}", value, most, what=key, **about)
        if limits.alone and named.get(zone, {}).get("alone") is not True:
            yield _reason("alone_not_in_permit", "permit.structures", permit=number, **about)


def _figures(permit: Mapping[str, Any], load: Mapping[str, Any]) -> dict[str, Any]:
    """What is declared, and for what is not, what the permit says."""
    return {
        key: load[key] if load.get(key) is not None else permit.get(key) for key in (*SIZES, "axle_loads_kg")
    }


def _greatest(value: Any) -> float | None:
    """The number, or the greatest of a list."""
    if isinstance(value, list | tuple):
        return max(map(float, value), default=None)
    return None if value is None else float(value)


def _above(value: float | None, limit: float | None) -> bool:
    return value is not None and limit is not None and value > limit


def _time(value: Any) -> str:
    return value if isinstance(value, str) else str(value.isoformat())


def _reason(
    code: str,
    field: str,
    value: float | str | None = None,
    limit: float | str | None = None,
    *,
    what: str | None = None,
    permit: str | None = None,
    structure: str | None = None,
    name: str | None = None,
    registration: str | None = None,
) -> Reason:
    """A reason with its sentences."""
    unit = UNITS.get(what or "")
    said = {
        "permit": permit or "—",
        "structure": structure or "",
        "name": name or "",
        "registration": registration or "",
    }
    vi, en = (
        TEXTS[code][language].format(
            what=TEXTS["what"][what][language] if what else "",
            value=_said(value, unit, language),
            limit=_said(limit, unit, language),
            **said,
        )
        for language in ("vi", "en")
    )
    return Reason(
        code=code, field=field, value=value, limit=limit, unit=unit, structure=structure,
        registration=registration, text=Words(vi, en),
    )  # fmt: skip


def _said(value: float | str | None, unit: str | None, language: str) -> str:
    if value is None or isinstance(value, str):
        return value or "—"
    number = f"{value:.10g}"
    return f"{number.replace('.', ',') if language == 'vi' else number}{f' {unit}' if unit else ''}"


def _load_texts() -> Mapping[str, Any]:
    text = files(__package__).joinpath("admission_texts.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


TEXTS: Final = _load_texts()
