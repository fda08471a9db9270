"""What an entry is, and whose: an event, what a person did, and two that the ledger adds for its own completeness. Pure.

::

    {"specversion":…,"sequence":…}                      an event, byte for byte as published
    {"action":…,"actor":…,"subject":…}                  what a person did, or the service in its own name
    {"index":{"after":N,"entries":n},"journey":…}       this link tells n entries of the journey, and link N was the last before to tell any
    {"states":{"alarm/ID":SHA-256,"journey/ID":…}}      what alarms and journeys are from this link on, as a digest of their rows; and of
                                                        "episode/ID" when it changed last, which its event does not say;
                                                        hand-overs, orders that suppress, plans, tasks and their files, seals and their movements as alarms

By the index a bundle of one journey shows that nothing is left out of it; by the states the tables of a database show it.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any, Final, NamedTuple

import msgspec

from seal_tracker.situations.rows import RESTRICTED

__all__ = ["EXPORTED", "About", "Index", "about", "index_entry", "index_in", "is_action", "is_restricted", "sequence_of", "state_digest", "states_entry", "states_in"]  # fmt: skip

ACTION: Final = b'{"action":'
INDEX: Final = b'{"index":'
STATES: Final = b'{"states":'
SEQUENCE: Final = b'"sequence":"'
SEQUENCE_DIGITS: Final = 20

EXPORTED: Final = "ledger.exported"
"""The action that a bundle ends with: by its index entry the end of the journey's entries stands in the chain itself."""


class About(NamedTuple):
    """Whose entry it is; None where it names none."""

    journey: str | None
    unit: str | None


class Index(NamedTuple):
    """How many entries of a journey a link tells, and the last link before it that told any; 0: there was none."""

    journey: str
    after: int
    entries: int


class _Members(msgspec.Struct):
    journey: str | None = None
    unit: str | None = None


class _Feature(msgspec.Struct):
    properties: _Members


class _Entry(msgspec.Struct):
    """An action names them itself, an event in its data."""

    journey: str | None = None
    unit: str | None = None
    data: _Feature | None = None


class _Subject(msgspec.Struct):
    subject: str = ""


class _Place(msgspec.Struct):
    after: int
    entries: int


class _Index(msgspec.Struct):
    index: _Place
    journey: str


class _States(msgspec.Struct):
    states: dict[str, str]


_decode: Final = msgspec.json.Decoder(_Entry).decode
_decode_subject: Final = msgspec.json.Decoder(_Subject).decode
_decode_index: Final = msgspec.json.Decoder(_Index).decode
_decode_states: Final = msgspec.json.Decoder(_States).decode
_encoder: Final = msgspec.json.Encoder(enc_hook=str)


def about(entry: bytes) -> About:
    """Journey and unit of an entry; none of one that cannot be read."""
    try:
        read = _decode(entry)
    except msgspec.MsgspecError:
        return About(None, None)
    members: _Entry | _Members = read.data.properties if read.data is not None else read
    return About(members.journey, members.unit)


def sequence_of(entry: bytes) -> int | None:
    """The sequence of an event; None: the entry is no event.

    Reading the JSON would take ten times as long; our own events say it before their data, and nothing like it earlier.
    """
    at = -1 if entry.startswith((ACTION, INDEX, STATES)) else entry.find(SEQUENCE)
    digits = entry[at + len(SEQUENCE) : at + len(SEQUENCE) + SEQUENCE_DIGITS]
    return int(digits) if at >= 0 and digits.isdigit() else None


def is_action(entry: bytes) -> bool:
    """Whether the entry is what a person did, given that it is no event."""
    return not entry.startswith((INDEX, STATES))


def is_restricted(entry: bytes) -> bool:
    """Whether the entry names a restricted situation: who did something with it, or its digest."""
    if entry.startswith(STATES):
        return any(name.startswith(RESTRICTED) for name in states_in(entry))
    return entry.startswith(ACTION) and _decode_subject(entry).subject.startswith(RESTRICTED)


def index_entry(index: Index) -> bytes:
    """The entry by which a link says that it tells of a journey."""
    place = {"after": index.after, "entries": index.entries}
    return _encoder.encode({"index": place, "journey": index.journey})


def index_in(entry: bytes) -> Index | None:
    """What such an entry says; None of any other."""
    if not entry.startswith(INDEX):
        return None
    try:
        read = _decode_index(entry)
    except msgspec.MsgspecError:
        return None
    return Index(read.journey, read.index.after, read.index.entries)


def states_entry(digests: Mapping[str, str]) -> bytes:
    """The entry that says what some rows are from now on: digest by name (``alarm/ID``), of an episode when it changed last."""
    return _encoder.encode({"states": digests})


def states_in(entry: bytes) -> Mapping[str, str]:
    """What such an entry says; nothing of any other."""
    if not entry.startswith(STATES):
        return {}
    try:
        return _decode_states(entry).states
    except msgspec.MsgspecError:
        return {}


def state_digest(columns: Iterable[Any]) -> str:
    """What stands for a row: SHA-256 (base64url) of its columns as a JSON array, ids as text and bytes in base64."""
    digest = sha256(_encoder.encode(list(columns))).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
