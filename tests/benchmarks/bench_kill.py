"""What five kill -9 of the service during 50,000 QoS 1 pings leave behind.

    python tests/benchmarks/bench_kill.py [--kills 5] [--seals 500] [--pings 100]

Prints acknowledged pings missing from the store, pings stored twice, episodes that differ from an undisturbed judgement of
the same pings (`backtest`; those that depend on the time of day left out), and whether the events, folded by sequence,
give the episodes.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import datetime as dt
import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections import Counter
from pathlib import Path
from typing import Any

import asyncpg

sys.path[:0] = [str(Path(__file__).resolve().parent)]

from bench_ingest import packets_of, publisher, stats
from service import ROOT, iso, open_folder, serving, workload

from seal_tracker.rules.catalog import RULES

CLOCKED = {rule.name for rule in RULES if rule.pass_time is not None}
COMPARED = (
    "journey",
    "seal",
    "type",
    "object",
    "started_at",
    "raised_at",
    "ended_at",
    "cleared_at",
    "inferred",
    "evidence",
)
QUIET_S = 35
"""NATS delivers again after 30 s what a killed service had not acknowledged."""


def get(ready: dict[str, Any], path: str) -> bytes:
    request = urllib.request.Request(ready["http"] + path)
    request.add_header("Authorization", f"Bearer {ready['accounts']['administrator']['token']}")
    with urllib.request.urlopen(request, timeout=60) as answer:
        return answer.read()


def write_trace(folder: Path, pings: list[tuple[str, bytes]]) -> Path:
    trace = folder / "trace.csv"
    with trace.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["seal", "time", "lon", "lat", "speed_kmh", "lock"])
        for seal, payload in pings:
            ping = json.loads(payload)
            rows.writerow([seal, *(ping[name] for name in ("time", "lon", "lat", "speed_kmh", "lock"))])
    return trace


def under_fire(folder: Path, pings: list[tuple[str, bytes]], kills: int) -> list[dict[str, Any]]:
    """Publish in shares and kill the service in the middle of each but the last; the ready file after each start."""
    share = len(pings) // (kills + 1) + 1
    begun = []
    for n in range(kills + 1):
        part = pings[n * share : (n + 1) * share]
        with serving(folder, "--plan", str(folder / "plan")) as ready:
            begun.append(ready)
            sender = publisher(ready, f"bench-kill-{n}")
            thread = threading.Thread(target=sender.publish_all, args=(packets_of(part, ready["tenant"]),))
            thread.start()
            if n < kills:
                while sender.acknowledged < len(part) // 2:
                    time.sleep(0.001)
                os.kill(ready["pid"], signal.SIGKILL)
                thread.join()
                continue
            thread.join()
            settle(ready, len(pings))
            report(folder, ready, pings)
    return begun


def settle(ready: dict[str, Any], expected: int) -> None:
    quiet_since, last = time.monotonic(), -1
    while time.monotonic() - quiet_since < QUIET_S:
        now = stats(ready)
        if now["pings_stored"] != last or now["outbox_pending"]:
            last, quiet_since = now["pings_stored"], time.monotonic()
        if last >= expected and not now["outbox_pending"] and time.monotonic() - quiet_since > 3:
            return
        time.sleep(0.5)


def folded(ready: dict[str, Any]) -> dict[str, Any]:
    episodes: dict[str, Any] = {}
    cursor = ""
    while True:
        page = json.loads(get(ready, f"/api/v1/events?limit=1000{cursor and '&after=' + cursor}"))
        for event in page["items"]:
            told = event["data"]["properties"]
            for replaced in told["references"]:
                episodes.pop(replaced, None)
            episodes[told["episode"]] = told | {"type": told["event"]}
            if told["transition"] == "retracted":
                del episodes[told["episode"]]
        if not page["items"]:
            return episodes
        cursor = page["next"]


def at_one_moment(ready: dict[str, Any]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Episodes, and what events fold to, with no event between: the clock goes on calling seals silent."""
    while True:
        told = folded(ready)
        live = [json.loads(line) for line in get(ready, "/api/v1/episodes?format=ndjson").splitlines()]
        if folded(ready) == told:
            return live, told


async def stored_keys(dsn: str) -> tuple[int, int]:
    connection = await asyncpg.connect(dsn)
    row = await connection.fetchrow("SELECT count(*), count(DISTINCT (seal, time)) FROM pings")
    await connection.close()
    return row[0], row[1]


def report(folder: Path, ready: dict[str, Any], pings: list[tuple[str, bytes]]) -> None:
    rows, distinct = asyncio.run(stored_keys(ready["postgres"]))
    live, told = at_one_moment(ready)
    command = [
        sys.executable,
        "-m",
        "seal_tracker",
        "backtest",
        str(folder / "plan"),
        str(write_trace(folder, pings)),
    ]
    subprocess.run(
        [*command, "--episodes", str(folder / "episodes")], check=True, cwd=ROOT, stdout=subprocess.DEVNULL
    )
    calm = [json.loads(line) for line in (folder / "episodes").read_text().splitlines()]
    differing = sum(((counted(live) - counted(calm)) + (counted(calm) - counted(live))).values())
    stored = {e["episode"]: pick(e) for e in live}
    said = {key: pick(e) for key, e in told.items()}
    same = stored == said
    for key in sorted(k for k in stored.keys() | said.keys() if stored.get(k) != said.get(k))[:5]:
        print(f"  differs: stored {stored.get(key)}\n           folded {said.get(key)}")
    print(
        f"{len(pings):,} acknowledged, {rows:,} stored: {len(pings) - distinct:,} missing, {rows - distinct:,} stored twice"
    )
    print(
        f"{len(live):,} episodes, {differing} differ from an undisturbed run; events folded give them: {same}"
    )


def pick(episode: dict[str, Any]) -> str:
    return json.dumps([episode.get(name) for name in COMPARED])


def counted(episodes: list[dict[str, Any]]) -> Counter[str]:
    return Counter(pick(e) for e in episodes if e["type"] not in CLOCKED)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name, default in (("kills", 5), ("seals", 500), ("pings", 100)):
        parser.add_argument(f"--{name}", type=int, default=default)
    asked = parser.parse_args()
    start = dt.datetime.now(dt.UTC).replace(microsecond=0) - dt.timedelta(hours=2)
    with open_folder() as folder:
        size = (
            "--seals",
            str(asked.seals),
            "--pings",
            str(asked.pings),
            "--routes",
            "100",
            "--zones",
            "1000",
        )
        pings = workload(folder, start, *size)
        print(f"{asked.kills} kills, begun {iso(dt.datetime.now(dt.UTC))}")
        under_fire(folder, pings, asked.kills)


if __name__ == "__main__":
    main()
