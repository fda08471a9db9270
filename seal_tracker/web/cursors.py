"""Cursors: opaque to clients, versioned inside, so that a later release may change them and refuse the old by name.

A cursor is base64url (no padding) of a small JSON array whose first element names its kind and version.
"""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, TypeVar
from uuid import UUID

import msgspec

from seal_tracker.web.errors import CursorError

__all__ = [
    "AlarmCursor",
    "DutyCursor",
    "EpisodeCursor",
    "EventCursor",
    "LineCursor",
    "NameCursor",
    "decode_cursor",
    "encode_cursor",
]

MAX_CURSOR_CHARS = 1024
"""Longer ones are refused unread; ours stay under 400 characters."""

Sequence = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
Name = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_.:-]{1,64}\Z")]


class EventCursor(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag="event1"):
    """Everything up to this sequence has been seen (or, newest first: everything from it on)."""

    sequence: Sequence


class NameCursor(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag="name1"):
    """The last name of the page before."""

    name: Name


class EpisodeCursor(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag="episode1"):
    """The store's own place in its list: epoch ms and id of the last episode of the page before."""

    place: Annotated[str, msgspec.Meta(pattern=r"^-?[0-9]{1,15}\.[0-9a-f]{32}\Z")]


class AlarmCursor(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag="alarm1"):
    """The store's own place in one of its lists of alarms: when raised, or rank and when due; and the last alarm's id."""

    place: Annotated[str, msgspec.Meta(pattern=r"^(-?[0-9]{1,15}|[1-5]\.(-?[0-9]{1,15})?)\.[0-9a-f]{32}\Z")]


class DutyCursor(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag="duty1"):
    """When the last shift or absence of the page before begins, the last hand-over was made, or the last late alarm was due, in epoch
    ms, and its id.
    """

    at_ms: Annotated[int, msgspec.Meta(ge=0, lt=253_402_300_800_000)]
    id: UUID


class LineCursor(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag="line1"):
    """When the last journey of the page before took from its licence's quota, in epoch ms, and its id."""

    at_ms: Annotated[int, msgspec.Meta(ge=-(2**52), le=2**52)]
    name: Name


CursorT = TypeVar("CursorT", EventCursor, NameCursor, EpisodeCursor, AlarmCursor, DutyCursor, LineCursor)


def encode_cursor(
    cursor: EventCursor | NameCursor | EpisodeCursor | AlarmCursor | DutyCursor | LineCursor,
) -> str:
    """The cursor as clients get it."""
    return base64.urlsafe_b64encode(msgspec.json.encode(cursor)).rstrip(b"=").decode()


def decode_cursor(text: str, kind: type[CursorT]) -> CursorT:
    """The cursor that ``encode_cursor`` wrote.

    Raises
    ------
    CursorError
        Not one of ours, of another kind, or of a version no longer read.
    """
    if len(text) > MAX_CURSOR_CHARS:
        raise CursorError(f"a cursor has at most {MAX_CURSOR_CHARS} characters, this one has {len(text)}")
    try:
        content = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        return msgspec.json.decode(content, type=kind)
    except (binascii.Error, ValueError, msgspec.MsgspecError) as error:
        raise CursorError("not a cursor of this list; start again without one") from error
