"""A journey: one supervised movement, and the dated facts that gate its judgement. Immutable; times are UTC epoch ms."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

__all__ = ["Authorisation", "Diversion", "Journey", "Reset", "Served", "Suspension", "Transfer", "plate_of"]


SEEN_AS_DIGITS: Final = str.maketrans("OQDIZSGB", "00012568")
"""Letters that cameras take for digits, by their shape on plates."""


@dataclass(frozen=True, slots=True)
class Authorisation:
    """Leave to unlock within [from_ms, to_ms), in ``zone`` (None: anywhere), given by ``by``."""

    from_ms: int
    to_ms: int
    zone: str | None
    by: str


@dataclass(frozen=True, slots=True)
class Diversion:
    """From ``at_ms`` on the journey is judged by another route (None: by none), as ``by`` ordered."""

    at_ms: int
    route: str | None
    by: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Suspension:
    """Within [from_ms, to_ms) route, stops and times are not judged; ``to_ms`` None: until further notice."""

    from_ms: int
    to_ms: int | None
    by: str


@dataclass(frozen=True, slots=True)
class Reset:
    """An officer's word that the latched episode of ``rule`` and ``object`` open at ``at_ms`` is dealt with."""

    at_ms: int
    rule: str
    object: str | None
    by: str


@dataclass(frozen=True, slots=True)
class Transfer:
    """From ``at_ms`` on the device ``to`` is on the journey in place of ``device``, as ``by`` ordered."""

    at_ms: int
    device: str
    to: str
    by: str
    reason: str | None = None


class Served(NamedTuple):
    """A device on a journey within [from_ms, to_ms), ``to_ms`` None: until further notice; ``leads``: the track is its."""

    device: str
    role: str
    leads: bool
    from_ms: int
    to_ms: int | None


def plate_of(text: str) -> str:
    """A registration as it is compared: letters and digits alone, in upper case, as people and cameras write the rest as they like; and
    letters that cameras take for digits as these, so that two which they cannot tell apart are the same.
    """
    return "".join(c for c in text.upper() if c.isalnum())[:32].translate(SEEN_AS_DIGITS)


@dataclass(frozen=True, slots=True)
class Journey:
    """One supervised movement, armed in [armed_at_ms, disarmed_at_ms).

    ``seal`` is the lead device; ``devices`` are (id, role), the lead among them, as the journey began: what took their
    place on the way stands in ``transfers``. ``permit`` is the oversized vehicle's, ``load`` what is declared of its size and mass,
    ``minerals`` what is declared of minerals under a licence, as written in the file and checked; ``vehicle`` and ``trailer`` are
    registrations, ``box`` the container's number, ``vehicles`` (from, registration) what took the vehicle's place on the way.
    """

    id: str
    seal: str
    devices: tuple[tuple[str, str], ...]
    route: str | None
    regime: str
    armed_at_ms: int
    disarmed_at_ms: int | None = None
    unit: str | None = None
    due_at_ms: int | None = None
    declaration: str | None = None
    cargo: str | None = None
    origin_zone: str | None = None
    destination_zone: str | None = None
    authorisations: tuple[Authorisation, ...] = ()
    diversions: tuple[Diversion, ...] = ()
    suspensions: tuple[Suspension, ...] = ()
    resets: tuple[Reset, ...] = ()
    permit: Mapping[str, Any] | None = None
    transfers: tuple[Transfer, ...] = ()
    carrier: str | None = None
    vehicle: str | None = None
    trailer: str | None = None
    load: Mapping[str, Any] | None = None
    box: str | None = None
    vehicles: tuple[tuple[int, str], ...] = ()
    minerals: Mapping[str, Any] | None = None

    @property
    def plates(self) -> tuple[str, ...]:
        """All registrations that the journey has had, as they are compared."""
        given = [self.vehicle, *(vehicle for _, vehicle in self.vehicles)]
        return tuple(dict.fromkeys(plate for one in given if one and (plate := plate_of(one))))

    def plate_at(self, at_ms: int) -> str | None:
        """The registration at a moment, as it is compared; None where none was declared."""
        given = [vehicle for from_ms, vehicle in self.vehicles if from_ms <= at_ms]
        text = given[-1] if given else self.vehicle
        return plate_of(text) or None if text else None

    @property
    def served(self) -> tuple[Served, ...]:
        """When which device was on the journey: each one's successors behind it."""
        if not self.transfers:
            end = self.disarmed_at_ms
            return tuple(Served(d, role, d == self.seal, self.armed_at_ms, end) for d, role in self.devices)
        return tuple(served for d, role in self.devices for served in self._succession(d, role))

    @property
    def lead(self) -> str:
        """The device whose track is the journey's now."""
        return [served.device for served in self.served if served.leads][-1] if self.transfers else self.seal

    @property
    def escorts(self) -> dict[str, float | None]:
        """The escort devices, and the metres that the permit lets each be away (None: unsaid)."""
        served = self.served
        found: dict[str, float | None] = {s.device: None for s in served if s.role == "escort"}
        listed = {s.device for s in served} - {self.seal}
        for escort in (self.permit or {}).get("escorts") or ():
            if escort["device"] in listed:
                found[escort["device"]] = float(escort["gap_m"])
        found.pop(self.seal, None)
        return found

    @property
    def watched(self) -> tuple[Served, ...]:
        """When which device must be heard of: every one, or what is compared with it is compared no more."""
        return self.served

    def asks_for(self, served: Served) -> bool:
        """Whether the journey may not go on without a device: its seals, and the escorts of a vehicle that travels by a permit."""
        if served.leads or served.role == "seal":
            return True
        return self.permit is not None and served.device in self.escorts

    def _succession(self, device: str, role: str) -> Iterator[Served]:
        leads, at_ms, end_ms = device == self.seal, self.armed_at_ms, self.disarmed_at_ms
        for transfer in sorted(self.transfers, key=lambda t: t.at_ms):
            if transfer.device != device or (end_ms is not None and transfer.at_ms >= end_ms):
                continue
            if transfer.at_ms > at_ms:
                yield Served(device, role, leads, at_ms, transfer.at_ms)
            device, at_ms = transfer.to, max(at_ms, transfer.at_ms)
        yield Served(device, role, leads, at_ms, end_ms)
