"""Registrations and containers' numbers: what a camera misreads is no alarm, and another number is."""

from __future__ import annotations

import pytest

from seal_tracker.facts.marks import box_mark, compare_box, compare_plate, edits, is_sound
from seal_tracker.journey import plate_of

BOX = "CSQU3054383"
"""The example of ISO 6346."""


@pytest.mark.parametrize("number", [BOX, "MSCU6639870", "TGHU7599330", "MSKU0000006"])
def test_a_sound_number_has_the_right_check_digit(number: str) -> None:
    """No other digit will do, in any place, but where the check digit is 10, which is written 0."""
    assert is_sound(number)
    wrong = [number[:i] + d + number[i + 1 :] for i in range(4, 11) for d in "0123456789" if d != number[i]]
    assert sum(map(is_sound, wrong)) <= (6 if number.endswith("0") else 0)


def test_the_check_digit_is_that_of_the_standard() -> None:
    """ISO 6346, annex A: CSQU 305438 3."""
    assert is_sound("CSQU3054383")
    assert not is_sound("CSQU3054384")
    assert not is_sound("CSQU305438")
    assert not is_sound("C5QU3054383")


@pytest.mark.parametrize(
    ("read", "expected"),
    [
        ("CSQU 305438-3", "same"),
        ("C5QU3O54383", "same"),
        ("csqu3054383", "same"),
        ("3054383", "part"),
        ("CSQU30", "part"),
        ("30", "misread"),
        ("CSQU3054384", "misread"),
        ("CSQU30543833", "misread"),
        ("QSQU3054383", "misread"),
        ("WSQU3054383", "near"),
        ("MSCU6639870", "other"),
        ("M5CU663987O", "other"),
    ],
)
def test_a_container_is_another_only_if_its_number_can_be(read: str, expected: str) -> None:
    """Letters stand where letters are, digits where digits are; a number that cannot be was misread."""
    assert compare_box(read, BOX) == expected


def test_what_was_declared_wrong_is_held_against_what_is_there() -> None:
    """A number that cannot be was mistyped: by one character it is this container, by more another."""
    assert compare_box("CSQU3054383", "CSQU3054333") == "near"
    assert compare_box("CSQU3054383", "CSQU3045333") == "other"
    assert compare_box("CSQU3054384", "CSQU3045333") == "other"
    assert compare_box("CSQU3054333", "CSQU3054333") == "same"


def test_without_tolerance_every_character_counts() -> None:
    """But for what people write between them."""
    assert compare_box("C5QU3054383", BOX, tolerant=False) == "misread"
    assert compare_plate("29C-123.4S", ["29C12345"], 0, tolerant=False) == "other"
    assert compare_plate("29c 123.45", ["29C12345"], 0, tolerant=False) == "same"


@pytest.mark.parametrize(
    ("read", "expected"),
    [
        ("29C-123.45", "same"),
        ("29C I23 4S", "same"),
        ("29C12346", "near"),
        ("29C1245", "near"),
        ("29C123455", "near"),
        ("9C1234", "part"),
        ("29C99999", "other"),
        ("30F54321", "other"),
        ("29C12354", "other"),
        ("", "other"),
    ],
)
def test_a_plate_with_one_character_wrong_was_misread(read: str, expected: str) -> None:
    """Two characters wrong are another plate."""
    assert compare_plate(read, ["29C-123.45", "15R-001.23"], 1) == expected


def test_marks_are_compared_in_one_form() -> None:
    """Whatever stands between the characters."""
    assert plate_of(" 29c-1O3.4S ") == "29C10345"
    assert box_mark("M5CU 663987-O") == "MSCU6639870"
    assert (edits("abc", "abc", 2), edits("abc", "axc", 2), edits("abc", "", 2)) == (0, 1, 3)
