"""Records copied as plain bytes are the records."""

from __future__ import annotations

import numpy as np

from seal_tracker.rules.records import Rows, copied, joined, picked, put, put_field

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


def test_records_are_joined_in_order() -> None:
    """One after another."""
    one, other = records(2), records(3)
    both = joined([one, other])
    assert both.tolist() == one.tolist() + other.tolist()


def test_a_part_is_copied_when_it_is_first_asked_for_and_only_such_parts_are_put_back() -> None:
    """What nobody asked for is left alone; what was replaced is put whole."""
    parts, asked = {"a": records(4), "b": records(4)}, list[str]()

    def part(name: str) -> np.ndarray:
        asked.append(name)
        return parts[name].copy()

    rows = Rows(4, part)
    some = rows.some(np.array([2, 0]))
    some["a"]["x"] = 7
    assert asked == ["a"]
    rows.put(np.array([2, 0]), some)
    assert rows["a"]["x"].tolist() == [7, np.float32(1 / 3), 7, 1]
    rows["a"] = records(4)
    assert rows["a"].tolist() == records(4).tolist()
    assert asked == ["a"]
    assert list(rows.whole(["a", "b"]).own) == ["a", "b"]
