"""Who may come to the gateway, and by which connection a device is heard. Pure but for what it keeps, and what it logs.

The protocols that devices speak over TCP prove nobody's identity: a device is who it says. What can be held against that:

- *A list of devices.* Who is not on it is refused, told in the log and counted; nothing that it sent is published. It may name
  the certificate that a device shows: then its id is worth nothing without that.
- *One connection a device, the newest.* A modem that dials anew often leaves its old connection behind, open and dead; and who
  claims a device's id is noticed, for the device's own connection ends each time, which the log tells with both addresses.

A connection may speak for several devices (a lock that relays its sub-locks, a terminator in front of many). It loses each device by
itself, and is ended with the last.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable, Container, Mapping
from typing import Any, Final, Protocol

import structlog

from seal_tracker.decoders.frame import shown
from seal_tracker.model import ID_PATTERN

__all__ = ["DeviceListError", "Devices", "Door", "Holder", "canonical", "devices_in", "names_in"]

log: Any = structlog.get_logger(__name__)

DEVICES_HELD: Final = 256
"""Devices that one connection speaks for; of more, the one that it has not spoken for longest is let go."""

TELL_AGAIN_S: Final = 600.0
"""Between two lines of the log about one device that is refused or moves: a device that is refused comes again every minute."""

MAX_TOLD: Final = 1_000
"""Devices told of within that time; who tries more ids than that is only counted."""


Devices = Mapping[tuple[str | None, str], frozenset[str]]
"""Who may come: by format (None: any) and id, the names of the certificates of which it must show one; none named: it need not."""

CERTIFICATE: Final = "cert="
A_LINE: Final = "expected ID, FORMAT ID or either with cert=NAME behind it"


class DeviceListError(ValueError):
    """A list of devices is wrong; the text names the line, what is there and what was expected."""


def canonical(device: str) -> str:
    """A device's id as ids are compared: without the zeros that pad it, whatever the case of its letters."""
    return device.lstrip("0").casefold()


def devices_in(text: str, formats: Container[str]) -> Devices:
    """Read a list of devices: one a line, its id, or its format and its id; behind that ``cert=NAME`` where it shows a certificate
    of that name; behind ``#`` is a remark. A device may stand in several lines, for several certificates.

    Raises
    ------
    DeviceListError
        A line is none of these, or there is no device at all, which would refuse everybody.
    """
    found: dict[tuple[str | None, str], frozenset[str]] = {}
    for number, line in enumerate(text.splitlines(), 1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        shows = words.pop().removeprefix(CERTIFICATE) if words[-1].startswith(CERTIFICATE) else None
        *of, device = words or [""]
        if (
            len(of) > 1
            or shows == ""
            or not ID_PATTERN.fullmatch(device)
            or any(name not in formats for name in of)
        ):
            raise DeviceListError(f"line {number}, {shown(line.strip())}: {A_LINE}")
        key = of[0] if of else None, canonical(device)
        found[key] = found.get(key, frozenset()) | ({shows} if shows else frozenset())
    if not found:
        raise DeviceListError("names no device: expected a line with an ID or FORMAT ID")
    return found


def names_in(certificate: Mapping[str, Any] | None) -> frozenset[str]:
    """The names of a certificate that was shown and verified, as ``ssl`` gives it: common names, and DNS names beside."""
    if not certificate:
        return frozenset()
    subject = (pair for part in certificate.get("subject", ()) for pair in part)
    common = {value for key, value in subject if key == "commonName"}
    return frozenset(
        common | {value for kind, value in certificate.get("subjectAltName", ()) if kind == "DNS"}
    )


class Holder(Protocol):
    """A connection, as far as it is known here."""

    address: str
    certified: frozenset[str]
    """The names of the certificate that it has shown; none without one."""
    devices: OrderedDict[tuple[str, str], None]
    """What it speaks for, the one that spoke last at the end."""

    def stop(self) -> None:
        """Read no more."""


class Door:
    """Lets devices in.

    State: by which connection each device is heard, and whom the log has been told of lately. Use it on the event loop.

    Parameters
    ----------
    counts
        Where refusals and moves are counted, by name.
    clock_s
        Any clock that only goes forward.
    """

    def __init__(self, counts: Counter[str], clock_s: Callable[[], float]) -> None:
        self._counts = counts
        self._clock_s = clock_s
        self._allowed: Devices | None = None
        self._heard_by: dict[tuple[str, str], Holder] = {}
        self._told: OrderedDict[tuple[str, str, str], float] = OrderedDict()

    def allow(self, devices: Devices | None) -> None:
        """Let in these devices alone from now on, by ``devices_in``; None: every device."""
        self._allowed = devices

    @property
    def asks(self) -> bool:
        """Whether not everybody may come."""
        return self._allowed is not None

    def admits(self, protocol: str, device: str | None, holder: Holder) -> bool:
        """Whether a frame of this device may be published; None: it does not say whose it is."""
        asked = self._asked_of(protocol, device)
        if asked is None:
            self._counts["refused_device"] += 1
            self._tell("gateway.refused_device", protocol, device or "", address=holder.address)
            return False
        if asked and asked.isdisjoint(holder.certified):
            self._counts["refused_certificate"] += 1
            shows = ", ".join(sorted(holder.certified)) or "none"
            self._tell(
                "gateway.refused_certificate", protocol, device or "", address=holder.address, shows=shows
            )
            return False
        if device is not None:
            self._move(protocol, device, holder)
        return True

    def leave(self, holder: Holder) -> None:
        """The connection has ended."""
        for key in holder.devices:
            if self._heard_by.get(key) is holder:
                del self._heard_by[key]
        holder.devices.clear()

    def _asked_of(self, protocol: str, device: str | None) -> frozenset[str] | None:
        """The names of which a device must show one, none where it need not; None: it may not come at all."""
        if self._allowed is None:
            return frozenset()
        own = "" if device is None else canonical(device)
        found = [self._allowed[key] for key in ((None, own), (protocol, own)) if own and key in self._allowed]
        return frozenset().union(*found) if found else None

    def _move(self, protocol: str, device: str, holder: Holder) -> None:
        key = protocol, canonical(device)
        before = self._heard_by.get(key)
        self._heard_by[key] = holder
        holder.devices[key] = None
        holder.devices.move_to_end(key)
        if len(holder.devices) > DEVICES_HELD:
            longest, _ = holder.devices.popitem(last=False)
            del self._heard_by[longest]
        if before is None or before is holder:
            return
        self._counts["moved_devices"] += 1
        self._tell("gateway.device_moved", protocol, device, address=holder.address, before=before.address)
        del before.devices[key]
        if not before.devices:
            self._counts["dropped_for_newer"] += 1
            before.stop()

    def _tell(self, what: str, protocol: str, device: str, **more: str) -> None:
        now_s, key = self._clock_s(), (what, protocol, device[:64])
        while self._told and now_s - next(iter(self._told.values())) >= TELL_AGAIN_S:
            self._told.popitem(last=False)
        if key in self._told or len(self._told) >= MAX_TOLD:
            return
        self._told[key] = now_s
        log.warning(what, format=protocol, device=shown(device), **more)
