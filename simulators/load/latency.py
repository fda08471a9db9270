"""How long things took, in an HDR histogram: three significant digits from a microsecond to an hour, in 200 kB. Pure but for its state.

What never came is not left out: it took longer than anything that did, so percentiles that lie among the missing are not known.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil
from typing import Any

import numpy as np

from simulators.errors import SimulatorError

__all__ = ["PERCENTILES", "Latency"]

PERCENTILES = (50.0, 90.0, 99.0, 99.9)
LONGEST_US = 3_600_000_000
DIGITS = 3
SIGNIFICANT_BITS = 11
"""What the histogram keeps of a value for three digits."""
US_PER_S = 1e6


class Latency:
    """Durations by their distribution; those beyond an hour count as an hour, those below a microsecond as one."""

    def __init__(self) -> None:
        self._histogram = _histogram()

    def __len__(self) -> int:
        return int(self._histogram.total_count)

    def record(self, durations_s: Iterable[float]) -> None:
        """Take durations, seconds."""
        us = np.clip(np.fromiter(durations_s, np.float64) * US_PER_S, 1, LONGEST_US).astype(np.int64)
        spare = np.maximum(np.frexp(us)[1] - SIGNIFICANT_BITS, 0)
        us = us >> spare << spare  # what the histogram cannot tell apart is recorded at once
        for value, times in zip(
            *(column.tolist() for column in np.unique(us, return_counts=True)), strict=True
        ):
            self._histogram.record_value(value, times)

    def figures(self, missing: int = 0) -> dict[str, float | int | None]:
        """Milliseconds: percentiles of all that should have come, the mean and the longest of those that did. None: not known."""
        came = len(self)
        found: dict[str, float | int | None] = {"count": came, "missing": missing}
        for percentile in PERCENTILES:
            rank = max(1, ceil(percentile / 100.0 * (came + missing)))
            known = 0 < rank <= came
            value = self._histogram.get_value_at_percentile(100.0 * rank / came) / 1000.0 if known else None
            found[f"p{percentile:g}"] = value
        found["max"] = None if missing or not came else self._histogram.get_max_value() / 1000.0
        found["mean"] = None if missing or not came else round(self._histogram.get_mean_value() / 1000.0, 3)
        return found

    def encoded(self) -> str:
        """The whole histogram as HdrHistogram's own tools read it: V2, compressed, base64; microseconds."""
        raw: bytes = self._histogram.encode()
        return raw.decode("ascii")


def _histogram() -> Any:
    try:
        from hdrh.histogram import HdrHistogram  # type: ignore[import-untyped]  # noqa: PLC0415 - not everywhere
    except ImportError as error:
        raise SimulatorError(
            "`seal-sim load` needs the package hdrhistogram, of which there is no wheel for this machine: "
            "install it with `pip install hdrhistogram`, which takes a C compiler"
        ) from error
    return HdrHistogram(1, LONGEST_US, DIGITS)
