"""Milliseconds from publishing a ping to receiving its MQTT alert, beside a bare round trip through the same broker.

    python tests/benchmarks/bench_latency.py [--rate 100] [--seconds 20] [--every 5]

Pings come at a steady rate, each of another armed seal; every fifth says that the rope was cut, which is an alert at
once. Departures follow the plan, not the answers, so a stall counts for all that wait in it (coordinated omission).
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import sys
import threading
import time
from pathlib import Path

import paho.mqtt.client as mqtt

sys.path[:0] = [str(Path(__file__).resolve().parent)]

from service import iso, open_folder, serving

ROUTE = [[106.0, 20.0], [106.5, 20.0]]


def write_plan(folder: Path, seals: int) -> None:
    folder.mkdir()
    line = {"type": "LineString", "coordinates": ROUTE}
    route = {"type": "Feature", "id": "R", "geometry": line, "properties": {"name": "R", "half_width_m": 300}}
    for name, features in (("zones", []), ("routes", [route])):
        (folder / f"{name}.geojson").write_text(
            json.dumps({"type": "FeatureCollection", "features": features})
        )
    armed = iso(dt.datetime.now(dt.UTC) - dt.timedelta(minutes=1))
    journeys = [
        {"id": f"J{i}", "seal": f"s{i}", "route": "R", "regime": "transit", "armed_at": armed}
        for i in range(seals)
    ]
    (folder / "journeys.jsonl").write_text("\n".join(map(json.dumps, journeys)))


def client(ready: dict, account: dict, name: str) -> mqtt.Client:
    made = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=name)
    made.username_pw_set(account["username"], account["password"])
    made.max_inflight_messages_set(1000)
    made.on_socket_open = lambda _c, _u, sock: sock.setsockopt(6, 1, 1)
    made.connect(ready["mqtt"]["host"], ready["mqtt"]["port"])
    made.loop_start()
    return made


def percentiles(waits_s: list[float]) -> str:
    waits_s = sorted(waits_s)
    at = [waits_s[min(len(waits_s) - 1, int(q * len(waits_s)))] * 1000 for q in (0.5, 0.9, 0.99, 1.0)]
    return "p50 {:.1f}  p90 {:.1f}  p99 {:.1f}  max {:.1f} ms".format(*at)


def paced(n: int, rate: float, send) -> list[float]:
    """Call ``send(i)`` n times at a rate; the planned moments of departure."""
    begin = time.perf_counter() + 0.1
    due = [begin + i / rate for i in range(n)]
    for i, moment in enumerate(due):
        time.sleep(max(0.0, moment - time.perf_counter()))
        send(i)
    return due


def alerts(ready: dict, rate: float, n: int, every: int) -> list[float]:
    arrived: dict[str, float] = {}
    receiver = client(ready, ready["accounts"]["integrator"], "bench-integrator")
    receiver.on_message = lambda _c, _u, m: arrived.setdefault(m.topic.rsplit("/", 1)[1], time.perf_counter())
    receiver.subscribe(f"eseal/v1/{ready['tenant']}/evt/+/SEAL_TAMPER/#", 1)
    sender = client(ready, ready["accounts"]["gateway"], "bench-gateway")
    time.sleep(1.0)

    def send(i: int) -> None:
        ping = {
            "time": iso(dt.datetime.now(dt.UTC)),
            "lon": 106.1,
            "lat": 20.0,
            "lock": "cut" if i % every == 0 else "closed",
        }
        sender.publish(f"eseal/v1/{ready['tenant']}/dev/s{i}/ping", json.dumps(ping), qos=1)

    due = paced(n, rate, send)
    expected = list(range(0, n, every))
    end = time.time() + 30
    while len(arrived) < len(expected) and time.time() < end:
        time.sleep(0.05)
    receiver.disconnect()
    sender.disconnect()
    return [arrived[f"J{i}"] - due[i] for i in expected]


def bare(ready: dict, service: dict, rate: float, n: int) -> list[float]:
    arrived: dict[int, float] = {}
    done = threading.Event()
    receiver = client(ready, service, "bench-bare-in")

    def on_message(_c, _u, message) -> None:
        arrived.setdefault(int(message.payload), time.perf_counter())
        if len(arrived) == n:
            done.set()

    receiver.on_message = on_message
    receiver.subscribe("bench/round", 1)
    sender = client(ready, service, "bench-bare-out")
    time.sleep(1.0)
    due = paced(n, rate, lambda i: sender.publish("bench/round", str(i), qos=1))
    done.wait(30)
    return [arrived[i] - due[i] for i in range(n)]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rate", type=float, default=100)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--every", type=int, default=5)
    asked = parser.parse_args()
    n = int(asked.rate * asked.seconds)
    with open_folder() as folder:
        write_plan(folder / "plan", n)
        with serving(folder, "--plan", str(folder / "plan")) as ready:
            service = json.loads((folder / "data" / "credentials.json").read_text())["service"]
            told = alerts(ready, asked.rate, n, asked.every)
            round_trip = bare(ready, service, asked.rate, n)
    print(f"ping to alert, {asked.rate:.0f} pings/s, {len(told)} alerts: {percentiles(told)}")
    print(f"bare round trip through the same broker: {percentiles(round_trip)}")


if __name__ == "__main__":
    main()
