"""Pings a second from MQTT to committed, judged and published, everything on this machine's cores.

    python tests/benchmarks/bench_ingest.py [--seals 2000] [--routes 2000] [--zones 5000] [--pings 50]

The common workload (``shared/bench/workload.py``, seeded) is published at QoS 1 by one lean publisher; the clock stops
when every ping is stored and every event acknowledged by the broker. Beside it, the same publisher and broker with
``mosquitto_sub -q 1`` as the only receiver.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import shutil
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path
from typing import Any

import psutil

sys.path[:0] = [str(Path(__file__).resolve().parent)]

from service import LeanPublisher, open_folder, serving, workload

from seal_tracker.sources.framing import publish_packet

POLL_S = 0.1


def stats(ready: dict[str, Any]) -> dict[str, Any]:
    request = urllib.request.Request(ready["http"] + "/api/v1/stats")
    request.add_header("Authorization", f"Bearer {ready['accounts']['administrator']['token']}")
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def packets_of(pings: list[tuple[str, bytes]], tenant: str) -> list[bytes]:
    return [
        publish_packet(f"eseal/v1/{tenant}/dev/{seal}/ping", payload, i % 65_000 + 1)
        for i, (seal, payload) in enumerate(pings)
    ]


def publisher(ready: dict[str, Any], name: str) -> LeanPublisher:
    account = ready["accounts"]["gateway"]
    return LeanPublisher(
        ready["mqtt"]["host"], ready["mqtt"]["port"], account["username"], account["password"], name
    )


def measure_service(folder: Path, pings: list[tuple[str, bytes]]) -> tuple[float, dict[str, Any]]:
    with serving(folder, "--plan", str(folder / "plan")) as ready:
        process = psutil.Process(ready["pid"])
        idle_mb = process.memory_info().rss / 1e6
        packets = packets_of(pings, ready["tenant"])
        busy_before = process.cpu_times()
        began = time.perf_counter()
        sender = threading.Thread(target=publisher(ready, "bench").publish_all, args=(packets,))
        sender.start()
        while (now := stats(ready))["pings_stored"] < len(pings) or now["outbox_pending"]:
            time.sleep(POLL_S)
        elapsed_s = time.perf_counter() - began
        sender.join()
        busy = process.cpu_times()
        return elapsed_s, {
            "events": now["events"],
            "idle_mb": idle_mb,
            "rss_mb": process.memory_info().rss / 1e6,
            "cpu_us": 1e6 * (busy.user + busy.system - busy_before.user - busy_before.system) / len(pings),
        }


def measure_bare(folder: Path, pings: list[tuple[str, bytes]]) -> float | None:
    """Seconds for the same messages to one ``mosquitto_sub``; None where it is not installed."""
    if shutil.which("mosquitto_sub") is None:
        return None
    with serving(folder) as ready:
        service = json.loads((folder / "data" / "credentials.json").read_text())["service"]
        command = [
            "mosquitto_sub",
            "-h",
            ready["mqtt"]["host"],
            "-p",
            str(ready["mqtt"]["port"]),
            "-q",
            "1",
            "-c",
        ]
        command += ["-i", "bench-bare", "-u", service["username"], "-P", service["password"]]
        command += ["-t", "bench/+/ping", "-C", str(len(pings)), "-F", "%l"]
        receiver = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        time.sleep(1.0)
        packets = [
            publish_packet(f"bench/{seal}/ping", p, i % 65_000 + 1) for i, (seal, p) in enumerate(pings)
        ]
        lean = LeanPublisher(
            ready["mqtt"]["host"],
            ready["mqtt"]["port"],
            service["username"],
            service["password"],
            "bench-bare-out",
        )
        began = time.perf_counter()
        lean.publish_all(packets)
        receiver.wait(120)
        return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name, default in (("seals", 2000), ("routes", 2000), ("zones", 5000), ("pings", 50)):
        parser.add_argument(f"--{name}", type=int, default=default)
    asked = parser.parse_args()
    size = [word for name, value in vars(asked).items() for word in (f"--{name}", str(value))]
    start = dt.datetime.now(dt.UTC).replace(microsecond=0) - dt.timedelta(hours=2)
    with open_folder() as folder:
        pings = workload(folder, start, *size)
        elapsed_s, seen = measure_service(folder, pings)
        rate = len(pings) / elapsed_s
        print(f"{len(pings):,} pings stored, judged and told: {rate:,.0f}/s, {seen['events']:,} events")
        print(
            f"  the service: {seen['cpu_us']:.0f} µs of CPU a ping, {seen['idle_mb']:.0f} MB resident at the start, {seen['rss_mb']:.0f} MB after"
        )
        bare_s = measure_bare(folder, pings)
        if bare_s is not None:
            print(f"mosquitto_sub -q 1 alone: {len(pings) / bare_s:,.0f}/s; ratio {bare_s / elapsed_s:.2f}")


if __name__ == "__main__":
    main()
