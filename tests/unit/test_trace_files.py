"""Recorded traces: every kind gives the same rows, in arrival order; a wrong line is told and costs nothing else."""

from __future__ import annotations

import gzip
import json
import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seal_tracker.decoders.columns import Discards, to_batch
from seal_tracker.decoders.native import decode
from seal_tracker.model import NO_TIME, PING_DTYPES, Fact, Lock, PingBatch
from seal_tracker.sources.errors import TraceError
from seal_tracker.sources.file import Trace, read_trace
from seal_tracker.sources.trace_csv import CHUNK_ROWS
from seal_tracker.sources.trace_times import parse_time, parse_times

TRACES = Path(__file__).resolve().parents[3] / "shared" / "data" / "traces"
TIME_MS = 1_795_316_400_000
HEADER = "seal,time,lon,lat,valid,speed_kmh,course_deg,accuracy_m,satellites,battery_pct,seq,lock,facts,mode,interval_s,received"


def trace_of(folder: Path, text: str, name: str = "trace.csv", **options: str) -> Trace:
    path = folder / name
    path.write_text(text)
    return read_trace(path, **options)


def reasons(trace: Trace) -> list[tuple[int, str]]:
    return [(fault.line, fault.reason) for fault in trace.faults]


def assert_same_rows(one: PingBatch, other: PingBatch) -> None:
    for name in PING_DTYPES:
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)


def test_every_csv_column_is_read(tmp_path: Path) -> None:
    """All columns of INTERFACES.md; empty is unknown."""
    trace = trace_of(
        tmp_path,
        f"{HEADER}\n"
        "S-1,2026-11-22T03:00:00Z,106.68123,20.86456,true,43.5,128,8,11,82,1024,cut,rope_cut|jamming,awake,30,2026-11-22T03:00:05Z\n"
        "S.2:b,2026-11-22T10:00:00.250+07:00,,,false,,,,,,,,,,,\n",
    )
    assert trace.faults == ()
    assert trace.seals == ("S-1", "S.2:b")
    batch = trace.batch([10, 20])
    first, other = 0, 1
    assert batch.seal.tolist() == [10, 20]
    assert (batch.time_ms[first], batch.received_ms[first]) == (TIME_MS, TIME_MS + 5000)
    assert (batch.lon_e7[first], batch.satellites[first], batch.seq[first]) == (1_066_812_300, 11, 1024)
    assert (batch.lock[first], batch.facts[first]) == (Lock.CUT, Fact.ROPE_CUT | Fact.JAMMING)
    assert batch.time_ms[other] == TIME_MS + 250
    assert batch.received_ms[other] == NO_TIME
    assert not batch.has_position[other]
    assert np.isnan(batch.speed_kmh[other])


def test_rows_come_in_order_of_arrival(tmp_path: Path) -> None:
    """By ``received`` where the trace has it; a row without follows the row before it; else as in the file."""
    text = "seal,time,valid,received,seq\n"
    text += "".join(
        f"A,2026-11-22T03:00:00Z,false,{f'2026-11-22T03:00:{second:02}Z' if second is not None else ''},{seq}\n"
        for seq, second in enumerate([None, 30, None, 10, 10, 20])
    )
    assert trace_of(tmp_path, text).raw.seq.tolist() == [0, 3, 4, 5, 1, 2]
    without = "seal,time,valid,seq\n" + "".join(
        f"A,2026-11-22T03:00:{9 - seq:02}Z,false,{seq}\n" for seq in range(5)
    )
    assert trace_of(tmp_path, without).raw.seq.tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (
            "S-1,yesterday,1,2,,",
            "time 'yesterday': must be ISO 8601 with a zone, such as 2026-11-22T03:00:00Z",
        ),
        ("S-1,2026-11-22T03:00:00,1,2,,", "time '2026-11-22T03:00:00': must be ISO 8601 with a zone"),
        ("S-1,2026-02-29T03:00:00Z,1,2,,", "time '2026-02-29T03:00:00Z': must be ISO 8601 with a zone"),
        ("S-1,1795316400,1,2,,", "time '1795316400': must be"),
        ("S-1,,1,2,,", "time '': must be"),
        ("S 1,2026-11-22T03:00:00Z,1,2,,", "seal 'S 1': must be 1 to 64 of"),
        (",2026-11-22T03:00:00Z,1,2,,", "seal '': must be 1 to 64 of"),
        ("S-1,2026-11-22T03:00:00Z,east,2,,", "lon 'east': must be a number"),
        ("S-1,2026-11-22T03:00:00Z,nan,2,,", "lon 'nan': must be a number"),
        ("S-1,2026-11-22T03:00:00Z,1,inf,,", "lat 'inf': must be a number"),
        ("S-1,2026-11-22T03:00:00Z,1,,,", "lat is missing: expected lon and lat, or valid false"),
        ("S-1,2026-11-22T03:00:00Z,,,true,", "lon is missing: expected lon and lat, or valid false"),
        ("S-1,2026-11-22T03:00:00Z,1,2,maybe,", "valid 'maybe': must be true or false"),
        ("S-1,2026-11-22T03:00:00Z,1,2,,1.5", "seq '1.5': must be a whole number"),
        ("S-1,2026-11-22T03:00:00Z,1,2", "4 fields where the header has 6"),
    ],
)
def test_a_wrong_row_is_told_with_its_line_and_the_others_stand(
    tmp_path: Path, row: str, reason: str
) -> None:
    """Nothing is silently dropped, and one bad row is no reason to refuse a million."""
    good = "S-1,2026-11-22T03:00:00Z,1,2,,"
    trace = trace_of(tmp_path, f"seal,time,lon,lat,valid,seq\n{good}\n\n{row}\n{good}\n")
    assert len(trace) == 2
    assert trace.read == 3
    ((line, told),) = reasons(trace)
    assert line == 4
    assert told.startswith(reason)


@pytest.mark.parametrize(
    "text",
    [
        "seal,time\nA,2026-11-22T03:00:00Z\n",
        "seal,time,battery_pct\nA,2026-11-22T03:00:00Z,80\n",
        "seal,time,lon,lat,valid\nA,2026-11-22T03:00:00Z,,,\n",
    ],
    ids=["nothing but the time", "no columns for it", "empty fields"],
)
def test_a_row_without_a_position_is_a_ping_without_a_fix(tmp_path: Path, text: str) -> None:
    """Nothing but seal and time is required: that it was heard of is what counts for silence."""
    trace = trace_of(tmp_path, text)
    assert reasons(trace) == []
    batch = trace.batch([1], discards=Discards())
    assert (batch.valid.tolist(), batch.has_position.tolist()) == ([False], [False])


def test_a_quote_that_is_not_closed_costs_its_own_line_only(tmp_path: Path) -> None:
    """Read as CSV reads it, it would take every line after it with it, and nobody would be told."""
    rows = [f"A,2026-11-22T03:00:0{i}Z,106,{'' if i != 2 else chr(34)}21,{i}" for i in range(5)]
    trace = trace_of(
        tmp_path, "\n".join(["seal,time,lon,lat,seq", *rows, '"A","2026-11-22T03:00:09Z",106,21,9', "A"])
    )
    assert trace.raw.seq.tolist() == [0, 1, 3, 4, 9]
    assert reasons(trace) == [
        (4, "is no row by itself: unexpected end of data"),
        (8, "1 fields where the header has 5"),
    ]


def test_a_column_that_we_do_not_know_is_told(tmp_path: Path) -> None:
    """A misspelt column would otherwise be a quantity that is silently unknown."""
    trace = trace_of(tmp_path, "seal,time,lon,lat,speed\nS-1,2026-11-22T03:00:00Z,1,2,50\n")
    assert len(trace) == 1
    assert reasons(trace)[0][1].startswith("column 'speed' is unknown and not read")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "begins with an empty line, not with a header of some of seal, time, lon"),
        ("lon,lat\n1,2\n", "the header 'lon,lat' has no column seal and no time: expected some of seal"),
        ("seal;time\n", "the header 'seal;time' has no column seal and no time: .*separated by commas"),
        ("seal,time,time\n", "the header has a column twice: time"),
        ('{"topic":1}\n', "the header '{.*' has no column"),
    ],
)
def test_what_is_no_trace_at_all_is_refused(tmp_path: Path, text: str, said: str) -> None:
    """A header without seal or time cannot be worked with, and the refusal says what it is and what was expected."""
    with pytest.raises(TraceError, match=rf"trace\.csv: {said}"):
        trace_of(tmp_path, text)


def test_a_missing_file_and_an_unknown_kind_are_refused(tmp_path: Path) -> None:
    """The words name the file."""
    with pytest.raises(TraceError, match=r"absent\.csv: cannot be read: No such file"):
        read_trace(tmp_path / "absent.csv")
    with pytest.raises(TraceError, match="unknown kind of trace"):
        trace_of(tmp_path, "", "trace.xlsx")


def test_a_damaged_archive_gives_what_lies_before_the_damage(tmp_path: Path) -> None:
    """A recording that was cut off is still evidence."""
    rows = "".join(f"S-{n % 50},2026-11-22T03:00:00Z,{n / 1e4},{n % 80},,\n" for n in range(40_000))
    whole = gzip.compress(("seal,time,lon,lat,valid,seq\n" + rows).encode())
    (tmp_path / "cut.csv.gz").write_bytes(whole[: len(whole) // 2])
    trace = read_trace(tmp_path / "cut.csv.gz")
    assert len(trace) > 1000
    assert "the file is damaged here" in trace.faults[-1].reason


def test_chunks_do_not_show(tmp_path: Path) -> None:
    """A trace longer than a chunk gives every row once, in order, with the right lines."""
    count = 2 * CHUNK_ROWS + 3
    rows = [f"S-{n % 7},2026-11-22T03:00:00Z,1,2,,{n}" for n in range(count)]
    rows[CHUNK_ROWS + 1] = "S-9,never,1,2,,0"
    trace = trace_of(tmp_path, "seal,time,lon,lat,valid,seq\n" + "\n".join(rows))
    assert trace.raw.seq.tolist() == [n for n in range(count) if n != CHUNK_ROWS + 1]
    assert reasons(trace)[0][0] == CHUNK_ROWS + 3
    assert trace.seals == tuple(f"S-{n}" for n in range(7))


def test_gpx_is_the_track_of_one_seal(tmp_path: Path) -> None:
    """Track points with time, in their order; the seal is given, or the file's name."""
    text = """<?xml version="1.0"?>
<gpx version="1.1" xmlns="http://www.topografix.com/GPX/1/1"><wpt lat="1" lon="1"/><trk><trkseg>
<trkpt lat="20.5" lon="106.5"><ele>3</ele><time>2026-11-22T03:00:00Z</time><sat>9</sat><speed>10</speed></trkpt>
<trkpt lat="20.6" lon="106.6"><time>2026-11-22T03:00:01</time></trkpt>
<trkpt lat="20.7" lon="106.7"/>
<trkpt lat="x" lon="106.8"><time>2026-11-22T03:00:02Z</time></trkpt>
</trkseg></trk></gpx>"""
    trace = trace_of(tmp_path, text, "S-7.gpx")
    assert trace.seals == ("S-7",)
    batch = trace.batch()
    assert batch.lon_e7.tolist() == [1_065_000_000, 1_066_000_000]
    assert batch.time_ms.tolist() == [TIME_MS, TIME_MS + 1000]
    assert (batch.speed_kmh[0], batch.satellites[0]) == (36, 9)
    assert reasons(trace) == [
        (5, "time '': must be ISO 8601, such as 2026-11-22T03:00:00Z"),
        (6, "lat 'x': must be a number"),
    ]
    assert trace_of(tmp_path, text, "S-7.gpx", seal="other").seals == ("other",)
    with pytest.raises(TraceError, match="say whose trace it is"):
        trace_of(tmp_path, text, "my drive.gpx")


def test_gpx_that_is_none_or_ends_early(tmp_path: Path) -> None:
    """Another XML is refused; a cut one gives its points and a fault."""
    for text in ("", "<kml/>", "no xml"):
        with pytest.raises(TraceError, match="is no GPX"):
            trace_of(tmp_path, text, "a.gpx")
    point = '<trkpt lat="1" lon="2"><time>2026-11-22T03:00:00Z</time></trkpt>'
    trace = trace_of(tmp_path, f"<gpx><trk><trkseg>{point}\n{point}<trk", "a.gpx")
    assert len(trace) == 2
    assert "the file is damaged here" in trace.faults[-1].reason


def test_ndjson_holds_raw_messages(tmp_path: Path) -> None:
    """Payload as text, as JSON or in hex; several pings in one; the line's ``received`` is their arrival."""
    ping = {"time": "2026-11-22T03:00:00Z", "lon": 1, "lat": 2}
    lines = [
        {
            "topic": "eseal/v1/demo/dev/S-1/ping",
            "payload": json.dumps(ping),
            "received": "2026-11-22T03:00:09Z",
        },
        {
            "topic": "eseal-exercise/v1/demo/x/dev/S-2/ping",
            "payload": [ping, ping, {"lon": 1}],
            "received": "2026-11-22T03:00:01Z",
        },
        {"topic": "eseal/v1/demo/dev/S-1/ping", "payload_hex": json.dumps(ping).encode().hex()},
        {"topic": "eseal/v1/demo/svc/one/ping", "payload": "{}"},
        {"topic": "eseal/v1/demo/dev/S-1/ping", "payload": json.dumps(ping | {"seal": "S-9"})},
        {"topic": "eseal/v1/demo/dev/S-1/ping", "payload_hex": "0g"},
        {"topic": "eseal/v1/demo/dev/S-1/ping"},
        {"topic": 1},
    ]
    trace = trace_of(tmp_path, "\n".join(map(json.dumps, lines)) + "\n\n", "raw.ndjson")
    assert trace.seals == ("S-1", "S-2")
    assert trace.seal.tolist() == [1, 1, 0, 0]
    assert [line for line, _ in reasons(trace)] == [2, 4, 5, 6, 7, 8]
    assert (
        reasons(trace)[1][1]
        == "topic 'eseal/v1/demo/svc/one/ping': only …/dev/SEAL/ping, …/equip/ID/status, …/equip/ID/weighing|reading and …/raw/PROTOCOL/DEVICE are read"
    )


def random_csv(rows: int, seed: int = 5) -> str:
    rng = random.Random(seed)

    def maybe(text: object) -> str:
        return str(text) if rng.random() < 0.7 else ""

    def row(n: int) -> str:
        here = rng.random() < 0.9
        fields = [
            f"S-{rng.randrange(9)}",
            f"2026-11-22T{n // 3600 % 24:02}:{n // 60 % 60:02}:{n % 60:02}{rng.choice(['', '.125', '.7'])}Z",
            *(
                [f"{rng.uniform(-181, 181):.9f}", f"{rng.uniform(-91, 91):.9f}", maybe("true")]
                if here
                else ["", "", "false"]
            ),
            *(maybe(round(rng.uniform(-5, 400), 3)) for _ in range(3)),
            maybe(rng.randrange(30)),
            maybe(round(rng.uniform(0, 110), 2)),
            maybe(n),
            maybe(rng.choice(["closed", "open", "cut", "unknown"])),
            maybe("|".join(rng.sample(["rope_cut", "jamming", "charging", "vibration"], 2))),
            maybe(rng.choice(["awake", "asleep"])),
            maybe(30),
            maybe(f"2026-11-23T00:00:{rng.randrange(60):02}Z"),
        ]
        return ",".join(fields)

    return HEADER + "\n" + "".join(row(n) + "\n" for n in range(rows))


def test_a_replayed_trace_gives_the_rows_of_a_back_test(tmp_path: Path) -> None:
    """Messages, decoded as those of an exercise, are row for row what the trace's columns say."""
    trace = trace_of(tmp_path, random_csv(500))
    assert trace.faults == ()
    messages = list(trace.messages())
    pings = [decode(message.payload, message.seal).pings[0] for message in messages]
    replayed = to_batch(pings, trace.seal, TIME_MS, exercise=True)
    counts = Discards()
    assert_same_rows(replayed, trace.batch(discards=counts))
    assert counts["position_out_of_range"] > 0
    assert [message.arrival_ms for message in messages] == trace.arrival_ms.tolist()
    assert [m.payload for m in trace.messages(100, 110)] == [m.payload for m in messages[100:110]]


def test_csv_and_raw_messages_of_one_recording_give_the_same_rows(tmp_path: Path) -> None:
    """Each way into columns rounds in the same place."""
    trace = trace_of(tmp_path, random_csv(200))
    lines = [
        json.dumps(
            {
                "topic": f"eseal/v1/demo/dev/{message.seal}/ping",
                "payload": json.loads(message.payload),
                "received": json.loads(message.payload).get("received"),
            }
        )
        for message in trace.messages()
    ]
    again = trace_of(tmp_path, "\n".join(lines), "raw.jsonl")
    numbers = [trace.seals.index(name) for name in again.seals]
    assert_same_rows(again.batch(numbers), trace.batch())


@given(st.lists(st.datetimes().map(lambda t: t.isoformat() + "Z") | st.text(max_size=30), max_size=20))
def test_times_in_columns_are_times_one_by_one(texts: list[str]) -> None:
    """The fast way reads nothing that the slow one refuses, and gives the same instants."""
    expected = [NO_TIME if (time := parse_time(text)) is None else time for text in texts]
    assert parse_times(texts).tolist() == expected


@given(
    st.lists(
        st.from_regex(r"\A2[01]\d\d-[01]\d-[0-3]\d[T ][0-2]\d:[0-6]\d:[0-6]\d(\.\d{1,4})?(Z|\+07:00)?\Z"),
        max_size=20,
    )
)
def test_times_nearly_right_are_judged_alike(texts: list[str]) -> None:
    """Days of months, hours and seconds at their ends."""
    expected = [NO_TIME if (time := parse_time(text)) is None else time for text in texts]
    assert parse_times(texts).tolist() == expected


@pytest.mark.skipif(not TRACES.is_dir(), reason=f"the recorded traces are not in {TRACES}")
def test_a_recorded_bus_ride_is_read_whole() -> None:
    """2,144 points as another program counts them, one a second but for one gap of 138 s."""
    path = TRACES / "limerick_bus_1s.gpx"
    trace = read_trace(path, seal="BUS")
    assert len(trace) == path.read_text().count("<trkpt")
    assert trace.faults == ()
    assert int(np.diff(trace.raw.time_ms).max()) == 138_000
