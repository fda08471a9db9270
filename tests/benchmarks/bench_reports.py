"""Whether reports slow ingest: pings a second from MQTT to committed, judged and told, by turns with and without reports running.

    python tests/benchmarks/bench_reports.py --folder DIR [--rounds 8] [--pings 10000]

DIR is what ``python -m tests.benchmarks.at_size --folder DIR`` has filled. The service runs on it as ever; the common workload is published in
rounds of equal size, every other one while two readers ask for the figures of a year and of a week without a pause.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import statistics
import sys
import threading
import time
import urllib.request
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).resolve().parent)]

from at_size import UNTIL_MS
from bench_ingest import packets_of, publisher, stats
from service import iso, open_folder, serving, workload

READERS = 2


class Readers:
    """Ask for reports until told to stop; how long each took, in seconds."""

    def __init__(self, ready: dict[str, Any]) -> None:
        self._ready = ready
        self._over = threading.Event()
        self.took_s: dict[str, list[float]] = {"year": [], "week": []}
        self._threads = [threading.Thread(target=self._read) for _ in range(READERS)]

    def __enter__(self) -> None:
        for thread in self._threads:
            thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _read(self) -> None:
        until = dt.datetime.fromtimestamp(UNTIL_MS / 1000, dt.UTC)
        while not self._over.is_set():
            for name, days in (("year", 365), ("week", 7)):
                period = f"from={iso(until - dt.timedelta(days=days))}&to={iso(until)}".replace("+", "%2B")
                request = urllib.request.Request(f"{self._ready['http']}/api/v1/reports/summary?{period}")
                request.add_header(
                    "Authorization", f"Bearer {self._ready['accounts']['administrator']['token']}"
                )
                begin = time.perf_counter()
                with urllib.request.urlopen(request, timeout=120) as answer:
                    json.load(answer)
                self.took_s[name].append(time.perf_counter() - begin)


def rate(ready: dict[str, Any], pings: list[tuple[str, bytes]], number: int) -> float:
    """Pings a second until all of a round are stored and told."""
    before = stats(ready)["pings_stored"]
    packets = packets_of(pings, ready["tenant"])
    out = publisher(ready, f"bench-{number}")
    began = time.perf_counter()
    sender = threading.Thread(target=out.publish_all, args=(packets,))
    sender.start()
    while (now := stats(ready))["pings_stored"] < before + len(pings) or now["outbox_pending"]:
        time.sleep(0.1)
    sender.join()
    return len(pings) / (time.perf_counter() - began)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--pings", type=int, default=10_000)
    given = parser.parse_args()
    start = dt.datetime.now(dt.UTC).replace(microsecond=0) - dt.timedelta(hours=2)
    seals, took_s = 500, {"year": [], "week": []}
    rates: dict[bool, list[float]] = {False: [], True: []}
    with open_folder() as made:
        size = ["--seals", str(seals), "--routes", "500", "--zones", "500"]
        pings = workload(made, start, *size, "--pings", str(given.pings * given.rounds // seals))
        with serving(given.folder, "--plan", str(made / "plan")) as ready:
            for number in range(given.rounds):
                part = pings[number * given.pings : (number + 1) * given.pings]
                reports = number % 2 == 1
                readers = Readers(ready)
                if reports:
                    with readers:
                        rates[reports].append(rate(ready, part, number))
                    for name, times in readers.took_s.items():
                        took_s[name] += times
                else:
                    rates[reports].append(rate(ready, part, number))
                print(
                    f"  round {number}, reports {'running' if reports else 'not running'}: {rates[reports][-1]:,.0f}/s",
                    flush=True,
                )
    alone, beside = statistics.median(rates[False]), statistics.median(rates[True])
    print(f"{alone:,.0f} pings/s alone, {beside:,.0f}/s while reports run: ratio {beside / alone:.2f}")
    for name, times in took_s.items():
        print(f"  the figures of a {name}: median {statistics.median(times):.2f} s of {len(times)}")


if __name__ == "__main__":
    main()
