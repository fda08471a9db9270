"""Small operations on columns sorted by group. Pure."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from geofences.masks import which

__all__ = ["before", "begins", "ends", "previous"]


def previous(column: NDArray[Any]) -> NDArray[Any]:
    """Each row's predecessor; the first row has none and holds anything. ``np.roll`` costs ten times as much."""
    out = np.empty_like(column)
    out[1:] = column[:-1]
    out[:1] = column[:1]
    return out


def before(column: NDArray[Any], start: NDArray[np.bool_], carried: NDArray[Any]) -> NDArray[Any]:
    """Each row's predecessor; of the first rows of groups what is ``carried``, by group in order. Not to be written to."""
    if len(carried) == len(column):
        return carried
    out = previous(column)
    out[start] = carried
    return out


def begins(group: NDArray[Any]) -> NDArray[np.bool_]:
    """bool[n], which rows are the first of their group."""
    out = np.empty(len(group), bool)
    out[:1] = True
    np.not_equal(group[1:], group[:-1], out=out[1:])
    return out


def ends(start: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Position of the last row of each group, given which rows begin one."""
    last = np.empty(len(start), bool)
    last[:-1] = start[1:]
    last[-1:] = True
    return which(last)
