"""What people's deeds say of rows: each version of a journey, whole, and that a hand-over, an order of suppression, a draw or an inspection is there. Pure.

An action ``journey.VERB`` has all that a row of ``journey_versions`` has, so that the table can be held against the actions that every
ledger told from the first journey on.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import msgspec

from seal_tracker.ledger.entries import ACTION

__all__ = ["Deed", "deed_in", "version_digest", "version_name"]

JOURNEY: Final = "journey."

KEPT: Final = (JOURNEY, "hand_over.", "suppression.", "plan.", "task.", "seal_asset.", "draw.", "inspection.")
"""Kinds of actions whose subject has a row from then on; nothing ever deletes one."""


class Deed(NamedTuple):
    """What an action tells: of which journey, the row that it made or changed, and of a journey the version as (name, digest)."""

    journey: str | None
    row: str | None = None
    version: tuple[str, int] | None = None


class _Body(msgspec.Struct, gc=False):
    version: int
    state: str
    at: str
    journey: msgspec.Raw
    reason: str | None = None


class _Action(msgspec.Struct, gc=False):
    action: str
    time: str
    actor: str
    role: str
    subject: str
    body: msgspec.Raw
    journey: str | None = None


_decode: Final = msgspec.json.Decoder(_Action).decode
_decode_body: Final = msgspec.json.Decoder(_Body).decode


def deed_in(entry: bytes) -> Deed:
    """What an entry that is no event tells; of one that is no action, or cannot be read, nothing."""
    if not entry.startswith(ACTION):
        return Deed(None)
    try:
        read = _decode(entry)
        if not read.action.startswith(JOURNEY):
            return Deed(read.journey, read.subject if read.action.startswith(KEPT) else None)
        body = _decode_body(read.body)
    except msgspec.MsgspecError:
        return Deed(None)
    verb = read.action.removeprefix(JOURNEY)
    said = (verb, body.state, body.at, read.time, read.actor, read.role, body.reason)
    name = version_name(read.subject.partition("/")[2], body.version)
    return Deed(read.journey, read.subject, (name, version_digest(said, bytes(body.journey))))


def version_name(journey: str, version: int) -> str:
    """What a version is called where it does not fit."""
    return f"journey/{journey} version {version}"


def version_digest(said: tuple[str | None, ...], record: bytes) -> int:
    """What stands for a version: verb, state, from when it holds, when it was recorded, by whom, in which role, why; and the record.

    By Python's own hash, as `episode_digest`.
    """
    return hash((*said, record))
