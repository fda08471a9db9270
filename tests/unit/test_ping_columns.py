"""From pings to columns: rounded once, unknown where no device can mean it, hashed over what is judged."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seal_tracker.decoders.columns import Discards, clock_ok, to_batch
from seal_tracker.decoders.native import Cell, NativePing
from seal_tracker.model import NO_TIME, PING_DTYPES, Fact, Lock, Mode, PingBatch

TIME = dt.datetime(2026, 11, 22, 3, 0, tzinfo=dt.UTC)
TIME_MS = 1_795_316_400_000
MINUTE_MS, DAY_MS = 60_000, 86_400_000


def ping(**members: Any) -> NativePing:
    return NativePing(**{"time": TIME, "lon": 106.68123, "lat": 20.86456} | members)


def batch_of(*pings: NativePing, discards: Discards | None = None, **options: Any) -> PingBatch:
    return to_batch(pings, 1, options.pop("received_ms", TIME_MS + 1000), discards=discards, **options)


def assert_same_rows(one: PingBatch, other: PingBatch) -> None:
    for name in PING_DTYPES:
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)


def test_columns_have_the_model_s_types_and_length() -> None:
    """Each column of PingBatch with its dtype, for no ping and for several."""
    for pings in ([], [ping()] * 3):
        batch = batch_of(*pings)
        for name, dtype in PING_DTYPES.items():
            assert getattr(batch, name).dtype == dtype, name
            assert len(getattr(batch, name)) == len(pings), name


def test_members_arrive_in_their_columns() -> None:
    """Values, words as numbers, facts as bits."""
    batch = batch_of(
        ping(
            valid=False, speed_kmh=43.5, course_deg=128, accuracy_m=8, satellites=11, battery_pct=82, seq=1024,
            lock="cut", facts=["rope_cut", "jamming", "rope_cut"], mode="asleep", interval_s=30, buffered=True, cell=Cell(-71),
        )
    )  # fmt: skip
    (row,) = [[getattr(batch, name)[0] for name in PING_DTYPES]]
    got = dict(zip(PING_DTYPES, row, strict=True))
    assert got["time_ms"] == TIME_MS
    assert got["received_ms"] == TIME_MS + 1000
    assert (got["lon_e7"], got["lat_e7"]) == (1_066_812_300, 208_645_600)
    assert (got["has_position"], got["valid"], got["buffered"], got["clock_ok"]) == (True, False, True, True)
    assert (got["speed_kmh"], got["course_deg"], got["accuracy_m"], got["battery_pct"]) == (43.5, 128, 8, 82)
    assert (got["satellites"], got["seq"], got["interval_s"], got["rssi_dbm"]) == (11, 1024, 30, -71)
    assert (got["lock"], got["mode"], got["facts"]) == (Lock.CUT, Mode.ASLEEP, Fact.ROPE_CUT | Fact.JAMMING)


def test_unknown_is_unknown_in_every_column() -> None:
    """A ping that says nothing but its time and that it has no fix."""
    batch = batch_of(NativePing(time=TIME, valid=False))
    assert not batch.has_position[0]
    assert not batch.valid[0]
    assert all(
        math.isnan(getattr(batch, name)[0])
        for name in ("speed_kmh", "course_deg", "accuracy_m", "battery_pct")
    )
    assert (batch.satellites[0], batch.seq[0], batch.rssi_dbm[0], batch.interval_s[0]) == (-1, -1, 0, 0)
    assert (batch.lock[0], batch.mode[0], batch.facts[0]) == (0, 0, 0)


def test_positions_round_half_to_even_at_a_centimetre() -> None:
    """1e-7 degree, once; the antimeridian and the poles are on earth."""
    lons = [0.00000005, 0.00000015, -0.00000005, 180.0, -180.0]
    batch = batch_of(*(ping(lon=lon, lat=lat) for lon, lat in zip(lons, [90, -90, 0, 0, 0], strict=True)))
    assert batch.lon_e7.tolist() == [0, 2, 0, 1_800_000_000, -1_800_000_000]
    assert batch.lat_e7.tolist() == [900_000_000, -900_000_000, 0, 0, 0]


def test_a_position_off_the_earth_is_none_and_its_ping_stays() -> None:
    """Out of range does not move the track, but lock and battery still count."""
    discards = Discards()
    batch = batch_of(
        ping(lon=200.5, lock="cut"), ping(lat=-90.0001), ping(lon=1e300), ping(), discards=discards
    )
    assert batch.has_position.tolist() == [False, False, False, True]
    assert batch.lon_e7.tolist()[:3] == [0, 0, 0]
    assert batch.lock[0] == Lock.CUT
    assert discards == {"position_out_of_range": 3}


@pytest.mark.parametrize(
    ("member", "value", "column", "unknown", "counted"),
    [
        ("speed_kmh", -1.0, "speed_kmh", None, "speed_out_of_range"),
        ("speed_kmh", 1e9, "speed_kmh", None, "speed_out_of_range"),
        ("course_deg", 361.0, "course_deg", None, "course_out_of_range"),
        ("accuracy_m", -0.5, "accuracy_m", None, "accuracy_out_of_range"),
        ("battery_pct", 255.0, "battery_pct", None, "battery_out_of_range"),
        ("satellites", 70_000, "satellites", -1, "satellites_out_of_range"),
        ("interval_s", -30.0, "interval_s", 0, "interval_out_of_range"),
        ("cell", Cell(99.0), "rssi_dbm", 0, "rssi_out_of_range"),
        ("lock", "ajar", "lock", 0, "unknown_lock"),
        ("mode", "dreaming", "mode", 0, "unknown_mode"),
        ("facts", ["tilted"], "facts", 0, "unknown_fact"),
    ],
)
def test_what_no_device_can_mean_is_unknown_and_counted(
    member: str, value: Any, column: str, unknown: int | None, counted: str
) -> None:
    """A senseless value is no reason to lose the ping, and is never silently dropped."""
    discards = Discards()
    got = getattr(batch_of(ping(**{member: value}), discards=discards), column)[0]
    assert math.isnan(got) if unknown is None else got == unknown
    assert discards == {counted: 1}


def test_a_sequence_beyond_64_bits_is_unknown() -> None:
    """Python reads integers of any size; a column does not."""
    assert batch_of(ping(seq=2**63), ping(seq=2**63 - 1), ping(seq=-5)).seq.tolist() == [-1, 2**63 - 1, -1]


def test_the_clock_is_judged_against_arrival() -> None:
    """More than 5 min ahead, over a year old, or before 2020; at the limits it is plausible."""
    year = 365 * DAY_MS
    fix = np.array([TIME_MS, TIME_MS, TIME_MS, TIME_MS, 1_577_836_799_999, 1_577_836_800_000])
    arrived = fix + np.array([-5 * MINUTE_MS, -5 * MINUTE_MS - 1, year, year + 1, 0, 0])
    assert clock_ok(fix, arrived).tolist() == [True, False, True, False, False, True]


def test_without_an_arrival_the_clock_is_plausible() -> None:
    """A trace of 2008 without receive times is judged as it is."""
    assert clock_ok(np.array([0, TIME_MS, 4e12], np.int64), np.full(3, NO_TIME)).all()


def test_received_counts_in_exercises_only() -> None:
    """A replay carries its arrival times; live, our own clock is the only one believed."""
    arrival = TIME + dt.timedelta(hours=2)
    replayed = ping(received=arrival)
    assert batch_of(replayed, ping(), exercise=True).received_ms.tolist() == [TIME_MS + 7_200_000, NO_TIME]
    assert batch_of(replayed, ping(), received_ms=[5, 6]).received_ms.tolist() == [5, 6]


def test_identity_ignores_how_a_ping_came() -> None:
    """Buffered or not, through which cell and when: the same ping."""
    one = batch_of(ping(buffered=True, cell=Cell(-60), id="x"), received_ms=TIME_MS)
    other = batch_of(ping(buffered=False, cell=Cell(-90)), received_ms=TIME_MS + DAY_MS)
    assert one.digest[0] == other.digest[0]


JUDGED: dict[str, Any] = {
    "lon": 106.6812301, "lat": 20.8645601, "valid": False, "speed_kmh": 0.01, "course_deg": 0.01, "accuracy_m": 0.01,
    "satellites": 1, "battery_pct": 0.01, "seq": 0, "lock": "closed", "facts": ["charging"], "mode": "awake", "interval_s": 1,
}  # fmt: skip


@pytest.mark.parametrize("member", JUDGED)
def test_identity_differs_with_each_judged_member(member: str) -> None:
    """The smallest change of any judged member makes another ping."""
    assert batch_of(ping()).digest[0] != batch_of(ping(**{member: JUDGED[member]})).digest[0]


def test_the_digest_never_changes() -> None:
    """Stored pings carry it; these numbers were written down when it was made."""
    rows = batch_of(
        ping(),
        NativePing(time=TIME, valid=False),
        ping(speed_kmh=43.5, seq=7, lock="cut", facts=["rope_cut"]),
    )
    assert rows.digest.tolist() == [4408812486958133655, 3744905845881583145, -8945465542538275263]


floats = st.floats(allow_nan=False, width=64) | st.floats(-200, 400)
pings = st.builds(
    NativePing,
    time=st.datetimes(dt.datetime(1970, 1, 1), dt.datetime(2199, 12, 31), timezones=st.just(dt.UTC)),  # noqa: DTZ001
    lon=st.none() | floats,
    lat=st.none() | floats,
    valid=st.none() | st.booleans(),
    speed_kmh=st.none() | floats,
    course_deg=st.none() | floats,
    accuracy_m=st.none() | floats,
    satellites=st.none() | st.integers(),
    battery_pct=st.none() | floats,
    seq=st.none() | st.integers(),
    lock=st.none() | st.sampled_from(["closed", "open", "cut", "?"]),
    facts=st.none() | st.lists(st.sampled_from(["rope_cut", "jamming", "?"])),
    mode=st.none() | st.sampled_from(["awake", "asleep", "?"]),
    interval_s=st.none() | floats,
    buffered=st.none() | st.booleans(),
    cell=st.none() | st.builds(Cell, rssi_dbm=st.none() | floats),
)


@given(st.lists(pings, max_size=8))
def test_rows_do_not_depend_on_their_batch(some: list[NativePing]) -> None:
    """Any pings at all give rows, and each the row it gives alone."""
    together = batch_of(*some)
    assert_same_rows(together, PingBatch.concat([batch_of(one) for one in some]))


@given(pings)
def test_a_ping_sent_again_is_the_same_ping(one: NativePing) -> None:
    """Written as JSON and read again, it has the same identity."""
    one = msgspec.structs.replace(one, satellites=7, seq=7)  # JSON of msgspec ends at 64 bits, these need not
    again = msgspec.json.decode(msgspec.json.encode(one), type=NativePing)
    assert batch_of(one).digest[0] == batch_of(again).digest[0]
