"""Reports that were kept, and their schedule, as rows. No behaviour; times are epoch milliseconds."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

__all__ = ["KeptReport", "ScheduleRow"]


class KeptReport(NamedTuple):
    """A report as it was made; ``body`` is all of it as JSON, empty where it is only listed."""

    id: UUID
    unit: str | None
    from_ms: int
    to_ms: int
    made_ms: int
    body: bytes


class ScheduleRow(NamedTuple):
    """The schedule as it stands; ``body`` is it as JSON."""

    version: int
    body: bytes
