"""Records copied as plain bytes are the records."""

from __future__ import annotations

import numpy as np

from seal_tracker.rules.records import copied, picked, put, put_field

INNER = np.dtype([("a", "i8"), ("b", "?")])
OUTER = np.dtype([("flag", "?"), ("inner", INNER), ("x", "f4")])


def records(n: int = 5) -> np.ndarray:
    out = np.zeros(n, OUTER)
    out["inner"]["a"], out["x"], out["flag"] = np.arange(n), np.arange(n) / 3, np.arange(n) % 2
    return out


def test_rows_are_picked_by_index_and_by_mask_as_copies() -> None:
    """What is done to the copy is not done to the original."""
    all_ = records()
    for index in (np.array([4, 0, 0]), np.array([True, False, False, True, True])):
        some = picked(all_, index)
        assert some.tolist() == all_[index].tolist()
        some["x"] = -1
    assert all_.tolist() == records().tolist()


def test_rows_are_put_where_the_index_says() -> None:
    """The others stay."""
    all_, new = records(), records(2)
    new["x"] = 9
    put(all_, np.array([3, 1]), new)
    expected = records()
    expected[[3, 1]] = new
    assert all_.tolist() == expected.tolist()


def test_a_field_is_copied_and_put_whole() -> None:
    """A copy of one field is contiguous, and goes back without touching its neighbours."""
    all_ = records()
    inner = copied(all_, "inner")
    inner["a"] += 10
    assert all_["inner"]["a"].tolist() == [0, 1, 2, 3, 4]
    put_field(all_, "inner", inner)
    assert all_["inner"]["a"].tolist() == [10, 11, 12, 13, 14]
    assert (all_["x"].tolist(), all_["flag"].tolist()) == (
        records()["x"].tolist(),
        records()["flag"].tolist(),
    )
    assert copied(all_).tolist() == all_.tolist()


def test_a_field_of_a_single_record_is_copied_too() -> None:
    """Its bytes lie together already, which must not make it a view."""
    alone = records(1)
    copied(alone, "inner")["a"] = 99
    assert alone["inner"]["a"].tolist() == [0]
