"""What is written on lorries and containers, and how cameras misread it. Pure.

A container's number has a check digit (ISO 6346): one that is wrong was misread, so of two sound numbers that differ the container is
another. A registration has none: it is compared with some tolerance, since an alarm for each dirty plate would soon be nobody's.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, Literal

from seal_tracker.journey import SEEN_AS_DIGITS, plate_of

__all__ = ["Comparison", "box_mark", "compare_box", "compare_plate", "edits", "is_sound"]

Comparison = Literal["same", "near", "part", "misread", "other"]
"""How what was read stands to what was declared: the same; so little apart that it was misread; a part of it; a number that cannot be;
or another.
"""

LETTER_OF: Final = str.maketrans("012568", "OIZSGB")
"""Digits that cameras take for letters."""

BOX_CHARS: Final = 11
OWNER_CHARS: Final = 4
"""Three letters of the owner and one of the category; six digits of the serial number and the check digit follow."""

PART_CHARS: Final = 4
"""So much of a number that was read at least says something."""

VALUES: Final = dict(
    zip(
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        [*range(11), *(n for n in range(12, 39) if n % 11)],
        strict=True,
    )
)
"""ISO 6346: the letters count 10 to 38, but for multiples of 11; digits what they are."""


def plain_mark(text: str) -> str:
    """Letters and digits alone, in upper case: people and cameras write the rest as they like."""
    return "".join(c for c in text.upper() if c.isascii() and c.isalnum())


def box_mark(text: str) -> str:
    """A container's number as it is compared: letters where it has letters, digits where it has digits; what is no whole number, plain."""
    mark = plain_mark(text)
    if len(mark) != BOX_CHARS:
        return mark
    return mark[:OWNER_CHARS].translate(LETTER_OF) + mark[OWNER_CHARS:].translate(SEEN_AS_DIGITS)


def is_sound(mark: str) -> bool:
    """Whether a whole number (of `box_mark`) is one that ISO 6346 allows: its check digit is right."""
    letters, digits = mark[:OWNER_CHARS], mark[OWNER_CHARS:]
    if len(mark) != BOX_CHARS or not letters.isalpha() or not digits.isdigit():
        return False
    total: int = sum(VALUES[c] << i for i, c in enumerate(mark[:-1]))
    return bool(total % 11 % 10 == int(mark[-1]))


def compare_box(read: str, declared: str, *, tolerant: bool = True) -> Comparison:
    """A container's number that was read, with the declared one; ``tolerant``: as cameras misread it.

    What was declared without a right check digit was mistyped, or is no ISO container: then a reading that cannot be is held against it
    as any other.
    """
    mark, wanted = (
        (box_mark(read), box_mark(declared)) if tolerant else (plain_mark(read), plain_mark(declared))
    )
    if mark == wanted:
        return "same"
    if len(mark) < BOX_CHARS and len(wanted) == BOX_CHARS:
        is_part = len(mark) >= PART_CHARS and mark.translate(SEEN_AS_DIGITS) in wanted.translate(
            SEEN_AS_DIGITS
        )
        return "part" if is_part else "misread"
    if is_sound(wanted) and not is_sound(mark):
        return "misread"
    # A single wrong letter may leave the check digit right (26 letters have 11 values); no two containers differ by that alone.
    return "near" if tolerant and edits(mark, wanted, 1) <= 1 else "other"


def compare_plate(read: str, declared: Collection[str], errors: int, *, tolerant: bool = True) -> Comparison:
    """A registration that was read, with those declared: near with at most so many characters wrong, missing or too many."""
    of = plate_of if tolerant else plain_mark
    mark, wanted = of(read), {of(one) for one in declared}
    if mark in wanted:
        return "same"
    if any(edits(mark, one, errors) <= errors for one in wanted):
        return "near"
    if len(mark) >= PART_CHARS and any(mark in one for one in wanted):
        return "part"
    return "other"


def edits(a: str, b: str, most: int) -> int:
    """How many characters must be put, taken away or changed to make one text the other; more than ``most`` is ``most + 1``."""
    if abs(len(a) - len(b)) > most:
        return most + 1
    row = list(range(len(b) + 1))
    for i, c in enumerate(a, 1):
        before, row[0] = row[0], i
        for j, d in enumerate(b, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (c != d))
    return min(row[-1], most + 1)
