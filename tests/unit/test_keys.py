"""Values by key: every key is found, nothing else is."""

import numpy as np
import pytest

from geofences.keys import KeyTable


@pytest.mark.parametrize("count", [0, 1, 2, 3, 1_000, 100_000])
@pytest.mark.parametrize("apart", [1, 1 << 20, 12_345_678_901])
def test_every_key_gives_its_value_and_any_other_gives_minus_one(count, apart):
    """Keys side by side, in another cell row, and scattered: evictions end with all of them at home."""
    keys = np.random.default_rng(count).permutation(np.arange(count, dtype=np.int64)) * apart
    table = KeyTable.build(keys, np.arange(count) + 7)
    assert table.find(keys).tolist() == list(range(7, count + 7))
    assert (table.find(keys + count * apart + 1) == -1).all()
    assert table.find(np.array([1 << 59])).tolist() == [-1]


def test_a_table_takes_at_most_a_few_slots_for_a_key():
    """A little more than two and a quarter, whatever the number of keys."""
    keys = np.arange(50_000, dtype=np.int64) * 977
    assert len(KeyTable.build(keys, keys).keys) <= 2.4 * len(keys)
