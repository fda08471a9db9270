"""Values by key: every key is found, and nothing that is not there of the same group."""

import numpy as np
import pytest

from geofences.keys import KeyTable


@pytest.mark.parametrize("count", [0, 1, 2, 3, 1_000, 100_000])
@pytest.mark.parametrize("apart", [1, 1 << 16, 1 << 32, 12_345_678_901])
def test_every_key_gives_its_value(count, apart):
    """Keys side by side, in another cell row, one a group, and scattered: evictions end with all of them at home."""
    keys = np.random.default_rng(count).permutation(np.arange(count, dtype=np.int64)) * apart
    table = KeyTable.build(keys, np.arange(count) + 7)
    assert table.find(keys).tolist() == list(range(7, count + 7))


def test_other_places_of_groups_in_the_table_are_never_found_as_their_own():
    """A million asked for of ten groups that have a thousand each: what is found is nothing, or another group's."""
    random = np.random.default_rng(4)
    keys = (np.arange(10_000, dtype=np.int64) % 10 << 32) | (np.arange(10_000) << 7)
    table = KeyTable.build(keys, keys >> 32)
    asked = (random.integers(0, 10, 1_000_000) << 32) | random.integers(0, 1 << 32, 1_000_000)
    asked = asked[~np.isin(asked, keys)]
    found = table.find(asked)
    assert (found != asked >> 32).all()
    assert ((found < 0) | (found > 9)).mean() > 0.999


def test_a_table_takes_a_slot_and_a_little_for_a_key():
    """Nine bytes and a fifth, however many keys there are."""
    keys = np.arange(50_000, dtype=np.int64) * 977
    table = KeyTable.build(keys, keys)
    assert table.slots.nbytes <= 9.3 * len(keys)
