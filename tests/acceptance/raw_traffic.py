"""What devices of four kinds sent on a morning, as a recorder would have written it: overtaken, doubled, damaged, with wrong clocks."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from traffic import iso

from seal_tracker.sources.recording import written

BEGIN_S = 1_795_316_400
ROUTE = [[106.0, 20.0], [106.4, 20.0]]
ESEAL, JT808, NATIVE = "1000821", "013912345678", "SEAL-9"
FRAMES = Path(__file__).resolve().parents[1] / "frames" / "jt808.jsonl"
UNSET_CLOCK = "a clock that was never set: dated 2000, so that the ping counts from its arrival"


def write_plan(folder: Path) -> Path:
    """One road with a prohibited yard beside it, a journey for each seal, one camera."""
    folder.mkdir()
    yard = [[106.19, 20.01], [106.21, 20.01], [106.21, 20.03], [106.19, 20.03], [106.19, 20.01]]
    features: dict[str, list[Any]] = {
        "routes": [_feature("road", "LineString", ROUTE, half_width_m=300)],
        "zones": [_feature("yard", "Polygon", [yard], kind="prohibited")],
    }
    for name, some in features.items():
        (folder / f"{name}.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": some}))
    journeys = [
        {"id": f"J-{seal}", "seal": seal, "route": "road", "regime": "transit", "armed_at": iso(BEGIN_S)}
        for seal in (ESEAL, JT808, NATIVE)
    ]
    (folder / "journeys.jsonl").write_text("\n".join(map(json.dumps, journeys)))
    camera = {
        "id": "cam-1", "kind": "camera", "unit": "u", "lon": 106.0, "lat": 20.0, "heartbeat_s": 60,
    }  # fmt: skip
    (folder / "equipment.jsonl").write_text(json.dumps(camera))
    return folder


def write_recording(file: Path) -> Path:
    """Some 190 messages by their arrival, which is not the order of their making."""
    rng = random.Random(5)
    sent = [(at_s + rng.choice([0.2, 0.4, 1.0, 45.0, 300.0]), m) for at_s, m in _messages()]
    sent += rng.sample(sent, 8)
    sent.sort()
    file.write_bytes(
        b"".join(written(f"eseal/v1/demo/{t}", p, round(1000 * (BEGIN_S + at_s))) for at_s, (t, p) in sent)
    )
    return file


def _messages() -> Iterator[tuple[float, tuple[str, bytes]]]:
    for i in range(60):
        lon, lat = 106.1 + 0.002 * i, 20.02 if 45 <= i < 55 else 20.0
        yield 30.0 * i, (f"raw/eseal/{ESEAL}", _eseal(i, lon, lat))
        ping = {"time": iso(BEGIN_S + 30 * i + 7), "lon": lon, "lat": 20.0, "lock": "cut" if i == 40 else "closed"}  # fmt: skip
        yield 30.0 * i + 7, (f"dev/{NATIVE}/ping", json.dumps(ping).encode())
        if i % 2 == 0 and i < 40:
            yield 30.0 * i + 3, ("equip/cam-1/status", b"online")
    for k, row in enumerate(map(json.loads, FRAMES.read_text().splitlines())):
        payload = bytes.fromhex(row["hex"])
        cut = payload.find(b"\x7e\x7e") + 1  # two frames, and parts of one message may come apart
        yield 20.0 * k + 11, (f"raw/jt808/{JT808}", payload[:cut] or payload)
        if cut:
            yield 20.0 * k + 12, (f"raw/jt808/{JT808}", payload[cut:])
    yield 900.0, ("raw/morse/1", b"-.-")
    yield 901.0, ("dev/SEAL-9/ping", b'{"time":')


def _eseal(i: int, lon: float, lat: float) -> bytes:
    minutes, seconds = divmod(30 * i, 60)
    when = f"2026-11-22,{3 + minutes // 60:02}:{minutes % 60:02}:{seconds:02}"
    lock = "Open" if i == 30 else "Close"
    return (
        f"##S,eSeal,{ESEAL},256,3.0.6,Normal,{i},{when},15,A,{lat:.6f}N {lon:.6f}E,43,90,{lock},0.71,"
        "0:0:3:0,3.8,-73,E##"
    ).encode()


def _feature(name: str, shape: str, coordinates: Any, **properties: Any) -> dict[str, Any]:
    geometry = {"type": shape, "coordinates": coordinates}
    return {
        "type": "Feature", "id": name, "geometry": geometry, "properties": {"name": name, **properties},
    }  # fmt: skip
