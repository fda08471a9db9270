"""Which boxes may hold a point: a hash of grid cells at a few sizes, so that the cost does not grow with the boxes.

A box is entered at the finest size at which it covers few cells, in every cell it touches. A point looks up one cell
at each size in use. Built once, then read-only: safe to share between threads.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from geofences.masks import ONE, some, which
from geofences.projection import HALF_TURN_E7, TURN_E7
from geofences.ragged import distinct, expand

__all__ = ["Boxes", "CellIndex"]

CELL_SHIFTS = (17, 20, 23, 26, 29)
"""Cell sizes as powers of two of 1e-7 degree: 1.5 km, 12 km, 93 km, 750 km and 6,000 km at the equator."""

MOST_ACROSS = 12
"""Cells a box may cover in one direction before it is entered at the next size."""

SPARE = 2
"""Buckets a cell, at least (and up to twice that): a third of the points beside all boxes get a candidate in vain."""

MIX = 0x9E3779B97F4A7C15 - (1 << 64)
"""2^64 over the golden ratio (Knuth), as int64: spreads neighbouring cells over the whole table."""

ROW_BITS = 32
ITEM_MASK = (1 << ROW_BITS) - 1

BITS, SPREAD, HALF_TURN = np.array(ROW_BITS), np.array(MIX), np.array(HALF_TURN_E7)
"""As arrays (see ``masks``)."""

I8 = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Boxes:
    """Closed boxes in 1e-7 degree, int64; ``west`` may lie below -180° and ``east`` beyond 180°."""

    west: I8
    east: I8
    south: I8
    north: I8

    def take(self, rows: I8) -> Boxes:
        """The rows chosen by an index."""
        return Boxes(self.west[rows], self.east[rows], self.south[rows], self.north[rows])


@dataclass(frozen=True, slots=True, eq=False)
class CellTable:
    """Items by cell of one size. Bucket ``b`` of the hash has ``items[first[b] : first[b + 1]]``, sorted, each once.

    Cells that share a bucket share their items: whoever asks tests the boxes anyway.
    """

    shift: int
    first: NDArray[np.int32]
    items: NDArray[np.int32]

    @classmethod
    def build(cls, shift: int, item: I8, column: I8, row: I8) -> Self:
        """Enter (item, cell) pairs."""
        cells = len(np.unique((column << ROW_BITS) | row))
        buckets = 1 << max((cells * SPARE).bit_length(), 1)
        pair = np.unique((_bucket_of(column, row, buckets) << ROW_BITS) | item)
        first = np.zeros(buckets + 1, np.int32)
        np.cumsum(np.bincount(pair >> ROW_BITS, minlength=buckets), out=first[1:])
        return cls(shift, first, (pair & ITEM_MASK).astype(np.int32))

    def items_in(self, column: I8, row: I8) -> tuple[I8, I8]:
        """Cells ``i`` asked about with an item that may touch them; a cell once for each item, in order."""
        bucket = _bucket_of(column, row, len(self.first) - 1)
        begin = self.first[bucket]
        bucket += ONE
        count = self.first[bucket] - begin
        taken = which(count)
        mine, at = expand(begin[taken], count[taken])
        return taken[mine], self.items[at].astype(np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class CellIndex:
    """Boxes by cell, at the sizes that are in use."""

    tables: tuple[CellTable, ...]

    @classmethod
    def build(cls, boxes: Boxes) -> Self:
        """Enter boxes; box ``i`` is item ``i``."""
        span = np.maximum(boxes.east - boxes.west, boxes.north - boxes.south)
        fits = np.stack([(span >> shift) < MOST_ACROSS for shift in CELL_SHIFTS[:-1]])
        level = np.where(fits.any(axis=0), fits.argmax(axis=0), len(CELL_SHIFTS) - 1)
        tables = []
        for number, shift in enumerate(CELL_SHIFTS):
            rows = which(level == number)
            if len(rows):
                owner, column, row = _cells_of(boxes.take(rows), shift)
                tables.append(CellTable.build(shift, rows[owner], column, row))
        return cls(tuple(tables))

    def at(self, lon_e7: I8, lat_e7: I8) -> tuple[I8, I8]:
        """Candidate (point, item) pairs; longitudes in [-180°, 180°). Each pair once, sorted by point, then item,
        for each size.
        """
        x, y = lon_e7 + HALF_TURN, lat_e7 + HALF_TURN
        return _joined([table.items_in(x >> table.shift, y >> table.shift) for table in self.tables])

    def touching(self, boxes: Boxes) -> tuple[I8, I8]:
        """Candidate (box, item) pairs for boxes asked about, sorted, each once."""
        found = []
        for table in self.tables:
            owner, column, row = _cells_of(boxes, table.shift)
            cell, item = table.items_in(column, row)
            found.append((owner[cell], item))
        owner, item = _joined(found)
        if len(owner) == 0:
            return owner, item
        pair = distinct((owner << ROW_BITS) | item)
        return pair >> ROW_BITS, pair & ITEM_MASK


def _joined(parts: list[tuple[I8, I8]]) -> tuple[I8, I8]:
    """Pairs of several tables, one after another."""
    if len(parts) == 1:
        return parts[0]
    none = np.empty(0, np.int64)
    return np.concatenate([none, *(a for a, _ in parts)]), np.concatenate([none, *(b for _, b in parts)])


def _bucket_of(column: I8, row: I8, buckets: int) -> I8:
    """Bucket of each cell; ``buckets`` is a power of two."""
    bucket: I8 = column << BITS
    bucket |= row
    bucket *= SPREAD
    bucket >>= BITS
    bucket &= buckets - 1
    return bucket


def _cells_of(boxes: Boxes, shift: int) -> tuple[I8, I8, I8]:
    """Every cell that boxes touch, the short way over the antimeridian too: box, column, row."""
    low, high = (boxes.south + HALF_TURN_E7) >> shift, (boxes.north + HALF_TURN_E7) >> shift
    west, east = boxes.west + HALF_TURN_E7, boxes.east + HALF_TURN_E7
    owner = None
    if some(west < 0) or some(east >= TURN_E7):
        owner, west, east = _wrapped(west, east)
        low, high = low[owner], high[owner]
    left, right = west >> shift, east >> shift
    if not some((left != right) | (low != high)):
        return np.arange(len(left)) if owner is None else owner, left, low
    columns = right - left + 1
    mine, number = expand(np.zeros(len(left), np.int64), columns * (high - low + 1))
    line = number // columns[mine]
    column = left[mine] + number - line * columns[mine]
    return mine if owner is None else owner[mine], column, low[mine] + line


def _wrapped(west: I8, east: I8) -> tuple[I8, I8, I8]:
    """Boxes cut at the antimeridian: box, west and east of each part within one turn."""
    owner = np.tile(np.arange(len(west)), 3)
    moved = np.repeat([0, TURN_E7, -TURN_E7], len(west))
    west, east = np.maximum(west[owner] + moved, 0), np.minimum(east[owner] + moved, TURN_E7 - 1)
    real = which(west <= east)
    return owner[real], west[real], east[real]
