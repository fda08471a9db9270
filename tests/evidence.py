"""What every episode must rest on: fixes, what was measured, against which limit, by which version of the plan."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from seal_tracker.model import Episode, iso_ms
from seal_tracker.rules.catalog import POLICY_KEYS

__all__ = ["RESTS_ON", "assert_complete", "assert_written_well"]

RESTS_ON: Mapping[str, tuple[str, ...]] = {
    "ARRIVAL_LATE": ("expected_at", "planned_at", "late_s", "tolerance_s", "remaining_m"),
    "BATTERY_LOW": ("battery_pct", "limit_pct"),
    "CHECKPOINT_LATE": ("zone", "planned_at", "late_s", "tolerance_s"),
    "CHECKPOINT_MISSED": ("zone", "past_m", "limit_m", "chainage_m"),
    "CHECKPOINT_REACHED": ("zone",),
    "CLOCK_SKEW": ("claimed", "skew_s", "limit_s"),
    "CONVOY_SEPARATION": ("distance_m", "limit_m", "other"),
    "DETACHMENT": ("distance_m", "limit_m", "other"),
    "EQUIPMENT_OFFLINE": ("last_ping", "limit_s"),
    "GATE_MISMATCH": ("what", "declared", "readings"),
    "GPS_LOST": ("without_fix_s", "limit_s"),
    "JAMMING_SUSPECTED": ("facts", "without_fix_s", "limit_s"),
    "MASS_BALANCE": ("licence", "difference_kg", "tolerance_kg", "weighings"),
    "OUTSIDE_TIME_WINDOW": ("speed_kmh", "reason", "local_time", "permit"),
    "OVERSPEED": ("speed_kmh", "limit_kmh", "tolerance_kmh", "source"),
    "POSITION_CONFLICT": ("reason", "distance_m", "speed_kmh", "limit_kmh", "thrown"),
    "PROHIBITED_ZONE": ("zone",),
    "ROUTE_DEVIATION": ("cross_track_m", "limit_m", "half_width_m", "chainage_m", "excess_m_s"),
    "SEAL_OPENED_OUTSIDE_ZONE": ("lock", "authorised_by", "authorised_zones", "place"),
    "SEAL_TAMPER": ("facts", "lock"),
    "SIGNAL_LOST": ("last_ping", "limit_s"),
    "STOP_ON_STRUCTURE": ("zone", "stopped_s", "limit_s"),
    "STOP_OVERRUN": ("zone", "stopped_s", "limit_s"),
    "STOP_UNPLANNED": ("stopped_s", "limit_s", "radius_m"),
    "STRUCTURE_MEETING": (
        "journeys",
        "other",
        "due_from",
        "due_to",
        "other_due_from",
        "other_due_to",
        "mean_speed_kmh",
    ),
    "STRUCTURE_SHARED": ("journeys", "other"),
    "STRUCTURE_SPEED": ("zone", "speed_kmh", "limit_kmh"),
    "TRANSIT_LIMIT": ("planned_at", "under_way_h", "limit_h"),
    "UNLOCKED_TOO_LONG": ("lock", "unlocked_s", "limit_s"),
    "UNLOCK_REFUSED": ("facts",),
    "UNOBSERVED_GAP": ("gap_s", "distance_m", "reach_m", "limit_m", "n_zones", "zones"),
    "WRONG_DIRECTION": ("fallen_m", "limit_m", "chainage_m"),
    "ZONE_ENTERED": ("zone",),
}
"""What a rule measured and its limit, beside the fixes. Where there is no number, the fact itself: a zone, a lock that is cut."""

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def assert_complete(episode: Episode) -> None:
    """Fixes with their places, the newest last, up to the raising; all that the rule measured; the version that set the limit."""
    evidence = episode.evidence
    assert set(RESTS_ON) == set(POLICY_KEYS), "a rule is not in the table of evidence, or no rule any more"
    missing = [key for key in RESTS_ON[episode.type] if key not in evidence]
    assert not missing, f"{episode.type} does not say {missing}: {evidence}"
    assert episode.plan_version >= 1
    fixes = evidence["fixes"]
    assert fixes, f"{episode.type} has no fix: {evidence}"
    assert all({"time", "lon", "lat"} <= set(fix) for fix in fixes), fixes
    assert fixes[-1]["time"] <= iso_ms(episode.raised_at_ms)
    assert_written_well(episode)


def assert_written_well(episode: Episode) -> None:
    """Fixes in order of time; moments to the millisecond in UTC, degrees to 1e-7, every other measure to a thousandth."""
    evidence = episode.evidence
    moments = [fix["time"] for fix in evidence.get("fixes", ())]
    assert moments == sorted(moments), evidence
    for key, value in _members(evidence):
        if key in ("time", "fix_time", "last_ping", "claimed") or key.endswith("_at"):
            assert MOMENT.fullmatch(value), (episode.type, key, value)
        if isinstance(value, float):
            digits = 7 if key in ("lon", "lat", "path") else 3
            assert round(value, digits) == value, (episode.type, key, value)


def _members(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """Every scalar within a JSON value, with the name of the member that it is, or is in a list of."""
    match value:
        case dict():
            for name, one in value.items():
                yield from _members(one, name)
        case list():
            for one in value:
                yield from _members(one, key)
        case _:
            yield key, value
