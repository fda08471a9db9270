"""Journeys as rows: as they stand, each version, and which device was on them when. No behaviour."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["DeviceRow", "JourneyChange", "JourneyRow", "JourneyVersion"]


class JourneyRow(NamedTuple):
    """A journey as it stands; ``body`` is its record as JSON.

    ``declaration`` and ``box`` are in upper case. ``plan_digest`` is of what the plan said that brought it, None where none
    did; ``edited``: a person has changed it since.
    """

    id: str
    version: int
    state: str
    regime: str
    unit: str | None
    route: str | None
    declaration: str | None
    box: str | None
    armed_ms: int | None
    ended_ms: int | None
    changed_ms: int
    plan_digest: bytes | None
    edited: bool
    body: bytes


class JourneyVersion(NamedTuple):
    """What one deed made of a journey: who, when recorded, from when it holds, why; ``body`` is the record then."""

    version: int
    verb: str
    state: str
    effective_ms: int
    recorded_ms: int
    actor: str
    role: str
    reason: str | None
    body: bytes


class DeviceRow(NamedTuple):
    """A device of a journey; ``is_armed``: it is armed for one journey at a time; times None while it is not armed."""

    device: str
    role: str
    is_armed: bool
    from_ms: int | None
    to_ms: int | None


class JourneyChange(NamedTuple):
    """A journey as it stands from now on, what made it so, and its devices."""

    row: JourneyRow
    made_by: JourneyVersion
    devices: tuple[DeviceRow, ...]
