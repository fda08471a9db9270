"""OwnTracks: JSON that telephones and qTripp trackers publish, https://owntracks.org/booklet/tech/json/.

An object, or an array of them. ``_type`` says what it is; only ``location`` is a ping. Times are seconds since 1970 in
UTC: ``tst`` is the fix, ``created_at`` the message, which may be much later and is not used. ``acc`` is metres, ``vel``
km/h, ``cog`` degrees, ``batt`` percent. Senders leave out members that are zero, so that what is absent is unknown
here, not zero; a position on the equator or the prime meridian is not told from one that is missing, and refused.
``topic`` and ``tid`` name a user and a telephone, not a seal, and are not compared with the topic.
"""

from __future__ import annotations

from typing import Final

from seal_tracker.decoders.errors import FrameError
from seal_tracker.decoders.frame import Answer, Format, shown
from seal_tracker.decoders.members import Members, decoded
from seal_tracker.decoders.native import NativePing

__all__ = ["FORMAT"]

LOW_BATTERY: Final = "9"
"""Trigger ``t`` of qTripp trackers."""


def decode(payload: bytes, device: str | None = None) -> Answer:
    """Decode an object or an array of them; see the module for names and units."""
    del device  # names of OwnTracks are no ids of seals
    return decoded(payload, _object)


def _object(members: Members, answer: Answer) -> None:
    kind = members.values.get("_type")
    if not isinstance(kind, str):
        raise members.wrong("_type", "what it is, such as location")
    if kind == "encrypted":
        raise FrameError(
            members.byte("_type"), "is encrypted: switch the payload's encryption off at the device"
        )
    if kind != "location":
        answer.nothing.append(f"_type {shown(kind)}")
        return
    ping = NativePing(
        members.epoch("tst"),
        lon=members.needed("lon", "degrees"),
        lat=members.needed("lat", "degrees"),
        valid=True,
        speed_kmh=members.number("vel"),
        course_deg=members.number("cog"),
        accuracy_m=members.number("acc"),
        battery_pct=members.number("batt"),
        facts=["low_battery"] if members.values.get("t") == LOW_BATTERY else None,
    )
    answer.add(_name(members), ping)


def _name(members: Members) -> str | None:
    """Whose it says it is: the last level of its topic, else its two letters."""
    topic = members.text("topic")
    return topic.rpartition("/")[2] if topic else members.text("tid")


FORMAT: Final = Format("owntracks", decode, start=(b"{", b"[", b"/{"))
