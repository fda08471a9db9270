"""Questions to masks (arrays of bool). numpy's own words for them cost as much as all other work on a small batch. Pure."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["every", "some", "which"]


def which(mask: NDArray[Any]) -> NDArray[np.int64]:
    """Positions at which a mask of one dimension holds, as ``np.flatnonzero``."""
    return mask.nonzero()[0]


def some(mask: NDArray[np.bool_]) -> bool:
    """Whether a mask holds anywhere, as ``mask.any()``."""
    return 1 in mask.tobytes()


def every(mask: NDArray[np.bool_]) -> bool:
    """Whether a mask holds everywhere, as ``mask.all()``."""
    return 0 not in mask.tobytes()
