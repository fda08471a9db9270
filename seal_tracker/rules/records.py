"""Copies of records by position, and records kept in parts. Pure.

numpy copies and joins records field by field, but takes, puts and repeats them whole, as it does plain bytes: forty times
as fast.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geofences.masks import which

__all__ = ["Rows", "copied", "joined", "picked", "put", "put_field"]

Records = NDArray[np.void]


def picked(records: Records, index: NDArray[Any]) -> Records:
    """``records[index]`` for an index array or a mask, as a copy."""
    return records.take(which(index) if index.dtype == np.bool_ else index)


def put(records: Records, index: NDArray[np.int64], values: Records) -> None:
    """``records[index] = values`` for an index array and as many values of the same dtype."""
    records.put(index, values)


def joined(parts: Sequence[Records]) -> Records:
    """Records of one dtype one after another; at least one part. Of just one part that part itself."""
    if len(parts) == 1:
        return parts[0]
    whole: Records = np.concatenate([_plain(part) for part in parts]).view(parts[0].dtype)
    return whole


def copied(records: Records, field: str | None = None) -> Records:
    """A contiguous copy of records, or of one field of theirs that is a record itself."""
    if field is None:
        return records.repeat(1)
    part, dtype = _bytes_of(records, field)
    return part.copy().view(dtype).reshape(-1)  # a single record's bytes are contiguous already: still a copy


def put_field(records: Records, field: str, values: Records) -> None:
    """``records[field] = values``, where the field is a record itself."""
    part, _ = _bytes_of(records, field)
    part[:] = values.view(np.uint8).reshape(part.shape)


def _plain(records: Records) -> NDArray[Any]:
    return records.view(np.dtype((np.void, records.dtype.itemsize)))


def _bytes_of(records: Records, field: str) -> tuple[NDArray[np.uint8], np.dtype[Any]]:
    fields = records.dtype.fields
    assert fields is not None, "these are records"
    dtype, offset = fields[field][0], fields[field][1]
    as_bytes = records.view(np.uint8).reshape(len(records), records.dtype.itemsize)
    return as_bytes[:, offset : offset + dtype.itemsize], dtype


class Rows:
    """What is remembered of ``n`` seals, in parts: for each part one record a seal, by the part's name.

    A part is copied from where it comes from when it is first asked for: of some twenty a batch needs a few.
    """

    def __init__(self, n: int, part: Callable[[str], Records]) -> None:
        self._n = n
        self._part = part
        self._seen: dict[str, Records] = {}
        self.own: dict[str, Records] = {}

    def __len__(self) -> int:
        return self._n

    def __getitem__(self, name: str) -> Records:
        """A part, the rows' own to write to."""
        mine = self.own.get(name)
        if mine is None:
            mine = self.own[name] = self.look(name)
        return mine

    def look(self, name: str) -> Records:
        """A part to read only: where nobody writes to it, it need not be put back."""
        seen = self.own.get(name, self._seen.get(name))
        if seen is None:
            seen = self._seen[name] = self._part(name)
        return seen

    def __setitem__(self, name: str, part: Records) -> None:
        """Replace a part; it becomes the rows' own."""
        self.own[name] = part

    def whole(self, names: Iterable[str]) -> Rows:
        """These rows, all parts being their own: to be put with all they have."""
        for name in names:
            _ = self[name]
        return self

    def some(self, rows: NDArray[np.int64]) -> Rows:
        """Copies of some rows."""
        return Rows(len(rows), lambda name: self.look(name).take(rows))

    def put(self, rows: NDArray[np.int64], others: Rows) -> None:
        """Write others over some rows; parts that were never asked of them are as they were."""
        for name, part in others.own.items():
            self[name].put(rows, part)
