"""A draw that anybody can recompute: the secret is promised before it is known who may be drawn, and told after. Pure.

    commit      commitment = SHA-256(secret)                         recorded in the ledger, with what is to be drawn
    draw        frame      = one line "id TAB stratum TAB score LF" for each that may be drawn, ids in order
                frame_hash = SHA-256(frame)
                seed       = SHA-256(secret LF public LF frame_hash LF)
                ticket     = SHA-256(seed LF id LF)                  of each line
    drawn       of each stratum as many as its quota says, smallest tickets first

All hashes are SHA-256 of text in UTF-8, written as 64 hex digits in lower case; ``secret`` is such text too. ``public`` is what nobody
could know when the secret was promised, such as the numbers of a lottery that is drawn later; empty where none was agreed.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal, NamedTuple

import msgspec

from seal_tracker.risk.errors import DrawError
from seal_tracker.risk.score import Level

__all__ = [
    "LEVELS",
    "Drawn",
    "Quota",
    "Subject",
    "commitment_of",
    "drawn_of",
    "frame_of",
    "frame_subjects",
    "new_secret",
    "number_of",
    "seed_of",
    "ticket_of",
    "verified",
]

LEVELS: Final[tuple[Level, ...]] = ("high", "medium", "low")

LINE: Final = re.compile(rf"([A-Za-z0-9_.:-]{{1,64}})\t({'|'.join(LEVELS)})\t([0-9]{{1,9}})")


class Subject(NamedTuple):
    """One that may be drawn: a journey or a unit, its stratum and its points."""

    id: str
    level: Level
    score: int


class Quota(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many of a stratum are drawn: a share in per cent, rounded up, and ``least`` so many, as far as there are any."""

    share_pct: int = 0
    least: int = 0


class Drawn(msgspec.Struct, frozen=True, kw_only=True):
    """One that was drawn, by which ticket, and how many of how many of its stratum were."""

    id: str
    level: Level
    score: int
    ticket: str
    drawn: int
    of: int


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """A draw as it is told, as far as it is recomputed."""

    state: Literal["drawn"]
    commitment: str
    secret: str
    public: str
    frame: str
    frame_hash: str
    seed: str
    quotas: Mapping[Level, Quota]
    drawn: Sequence[Drawn]


def new_secret() -> str:
    """256 random bits of the operating system."""
    return secrets.token_hex(32)


def commitment_of(secret: str) -> str:
    """What promises a secret and does not tell it."""
    return _sha256(secret)


def frame_of(subjects: Iterable[Subject]) -> str:
    """All that may be drawn, as text: the same text for the same subjects."""
    lines = sorted(subjects, key=lambda one: one.id.encode())
    return "".join(f"{one.id}\t{one.level}\t{one.score}\n" for one in lines)


def frame_subjects(frame: str) -> list[Subject]:
    """What a frame says.

    Raises
    ------
    DrawError
        A line is no line of a frame, out of order or there twice.
    """
    found: list[Subject] = []
    for number, line in enumerate(frame.removesuffix("\n").split("\n") if frame else (), 1):
        read = LINE.fullmatch(line)
        if read is None:
            raise DrawError(f"frame, line {number}: {line!r} is not “id TAB {'|'.join(LEVELS)} TAB score”")
        subject = Subject(read[1], read[2], int(read[3]))  # type: ignore[arg-type]
        if found and found[-1].id.encode() >= subject.id.encode():
            raise DrawError(f"frame, line {number}: {subject.id!r} does not come after {found[-1].id!r}")
        found.append(subject)
    if frame != frame_of(found):
        raise DrawError("frame: is not written as lines that each end with a line feed")
    return found


def number_of(quota: Quota, subjects: int) -> int:
    """How many are drawn of a stratum of so many."""
    return min(subjects, max(quota.least, -(-subjects * quota.share_pct // 100)))


def seed_of(secret: str, public: str, frame: str) -> str:
    """What all tickets are made of."""
    return _sha256(f"{secret}\n{public}\n{_sha256(frame)}\n")


def ticket_of(seed: str, subject: str) -> str:
    """The ticket of a subject: the smaller, the sooner drawn."""
    return _sha256(f"{seed}\n{subject}\n")


def drawn_of(seed: str, subjects: Sequence[Subject], quotas: Mapping[Level, Quota]) -> list[Drawn]:
    """Who is drawn, stratum by stratum, smallest ticket first."""
    drawn: list[Drawn] = []
    for level in LEVELS:
        stratum = sorted((ticket_of(seed, one.id), one) for one in subjects if one.level == level)
        n = number_of(quotas.get(level, Quota()), len(stratum))
        drawn += [
            Drawn(id=one.id, level=level, score=one.score, ticket=ticket, drawn=n, of=len(stratum))
            for ticket, one in stratum[:n]
        ]
    return drawn


def verified(told: bytes, noted: str | None = None) -> Told:
    """A draw as the API tells it, recomputed; ``noted`` is its commitment as somebody wrote it down before it was made.

    Raises
    ------
    DrawError
        It is no draw that was made, or one of its parts does not follow from the others; the first such part is named.
    """
    try:
        draw = msgspec.json.decode(told, type=Told)
    except msgspec.MsgspecError as error:
        raise DrawError(
            f"this is no draw that was made, as GET /api/v1/draws/ID tells it: {error}"
        ) from error
    seed = seed_of(draw.secret, draw.public, draw.frame)
    drawn = drawn_of(seed, frame_subjects(draw.frame), draw.quotas)
    claims: tuple[tuple[str, object, object], ...] = (
        ("commitment", draw.commitment, draw.commitment if noted is None else noted.strip().lower()),
        ("commitment", draw.commitment, commitment_of(draw.secret)),
        ("frame_hash", draw.frame_hash, _sha256(draw.frame)),
        ("seed", draw.seed, seed),
        ("drawn", [one.id for one in draw.drawn], [one.id for one in drawn]),
        ("drawn", list(draw.drawn), drawn),
    )
    for name, said, found in claims:
        if said != found:
            raise DrawError(f"{name}: the draw says {said}, and it is {found}")
    return draw


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
