"""Times as they are written outside."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from seal_tracker.model import EPOCH, iso_ms, iso_or_none


@given(st.datetimes(min_value=datetime(1, 1, 1), max_value=datetime(9999, 12, 31)))  # noqa: DTZ001 - made UTC below
def test_a_moment_is_written_as_python_writes_it_with_a_z(moment: datetime) -> None:
    """ISO 8601 to the millisecond, before 1970 too."""
    time_ms = (moment.replace(tzinfo=UTC) - EPOCH) // timedelta(milliseconds=1)
    written = (EPOCH + timedelta(milliseconds=time_ms)).isoformat(timespec="milliseconds")
    assert iso_ms(time_ms) == written.removesuffix("+00:00") + "Z"


def test_no_time_is_written_as_nothing() -> None:
    """An episode still open has no end."""
    assert iso_or_none(None) is None
    assert iso_or_none(0) == "1970-01-01T00:00:00.000Z"
