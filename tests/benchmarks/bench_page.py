"""What the page costs a browser while very many seals move: script a frame, long tasks, and how soon it can be used.

    python -m tests.benchmarks.bench_page [--seals 20000] [--seconds 30] [--profile]

A service with an armed journey for each seal gets their pings by MQTT (``seal-sim load --live``, each seal every 30 s); Debian's
Chromium, without a graphics card, signs in and watches. Printed in ms, of the page's main thread: how long until the list of alarms
could be used and until every seal was known; of tasks and of the script in each 1/60 s, once with what other processes took of the
processor meanwhile (``wall``) and once without (``cpu``); frames as they came. ``--profile`` names the functions that took most.
The page must have been built (``npm run build`` in seal_tracker/web/ui).
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.benchmarks.service import ROOT, open_folder, serving

FLAGS = ["--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
CATEGORIES = ["devtools.timeline", "toplevel", "v8.execute", "disabled-by-default-devtools.timeline"]
SCRIPT = {
    "FunctionCall", "EvaluateScript", "v8.evaluateModule", "v8.callFunction", "V8.GC_MC_BACKGROUND", "RunMicrotasks", "TimerFire",
    "EventDispatch", "FireAnimationFrame", "v8.run", "v8.compile", "v8.compileModule", "MinorGC", "MajorGC", "HandlePostMessage",
}  # fmt: skip
SIM = str(Path(sys.executable).with_name("seal-sim"))
FRAME_MS = 1000 / 60
LONG_MS = 50
SHOWN_TOP = 25
SETTLING_MS = 15_000
"""Until the map is drawn, which a processor does here."""
PATIENCE_MS = 180_000
USABLE = ".connection[data-state=live]"
LISTED = ".alarm, .panel .empty"
ALL_KNOWN = """all => Number(/of ([\\d,]+)/.exec(document.querySelector(".count-value")?.textContent)?.[1].replaceAll(",", "")) >= all"""


@contextmanager
def load(folder: Path, ready: Path, seconds: float, alerts: float) -> Iterator[subprocess.Popen[bytes]]:
    """Pings of every seal of the plan, for so long or until the end of the block."""
    command = [SIM, "load", "--plan", str(folder / "plan"), "--live"]
    command += ["--ready-file", str(ready), "--for", str(seconds), "--alerts", str(alerts), "--wait", "0"]
    with (folder / "load.log").open("ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=ROOT)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(30)


def main_thread(events: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the page's own thread did, alone among workers and other processes."""
    frames = Counter((e["pid"], e["tid"]) for e in events if e["name"] == "FireAnimationFrame")
    ((thread, _),) = frames.most_common(1)
    return [e for e in events if (e["pid"], e.get("tid")) == thread and e["ph"] == "X"]


def longest(events: Sequence[dict[str, Any]]) -> list[str]:
    """The longest tasks by processor time, and what in them took most of it."""
    mine = main_thread(events)
    told = []
    for task in sorted((e for e in mine if e["name"] == "RunTask"), key=lambda e: -e.get("tdur", 0))[:3]:
        inner = [
            e
            for e in mine
            if e is not task and task["ts"] <= e["ts"] < task["ts"] + task["dur"] and e.get("tdur")
        ]
        parts = [
            f"{e['name']} {e.get('args', {}).get('data', {})} {e['tdur'] / 1000:.1f}"
            for e in sorted(inner, key=lambda e: -e["tdur"])[:6]
        ]
        told.append(f"{task.get('tdur', 0) / 1000:8.1f}  " + "; ".join(part[:160] for part in parts))
    return told


def durations(events: Sequence[dict[str, Any]], clock: str) -> dict[str, float]:
    """Of the traced main thread: tasks, and script in each sixtieth of a second; in ms."""
    mine = main_thread(events)
    tasks = [e.get(clock, 0) / 1000 for e in mine if e["name"] == "RunTask"]
    slots: dict[int, float] = defaultdict(float)
    until = 0.0
    for e in sorted((e for e in mine if e["name"] in SCRIPT), key=lambda e: (e["ts"], -e["dur"])):
        if e["ts"] < until:  # within one that was counted
            continue
        until = e["ts"] + e["dur"]
        slots[int(e["ts"] / 1000 / FRAME_MS)] += e.get(clock, 0) / 1000
    script = sorted(slots.values())
    span_s = (max(e["ts"] for e in mine) - min(e["ts"] for e in mine)) / 1e6
    return {
        "tasks_longest_ms": round(max(tasks), 1),
        "tasks_over_50_ms": sum(task > LONG_MS for task in tasks),
        "script_a_frame_p50_ms": round(script[len(script) // 2], 2),
        "script_a_frame_p99_ms": round(script[len(script) * 99 // 100], 2),
        "script_a_frame_max_ms": round(script[-1], 2),
        "frames_over_8_ms": sum(one > 8 for one in script),
        "script_pct": round(sum(script) / span_s / 10, 1),
        "frames_s": round(sum(e["name"] == "FireAnimationFrame" for e in mine) / span_s, 1),
    }


def traced(browser: Browser, page: Page, seconds: float) -> list[dict[str, Any]]:
    browser.start_tracing(page=page, categories=CATEGORIES)
    page.wait_for_timeout(seconds * 1000)
    events: list[dict[str, Any]] = json.loads(browser.stop_tracing())["traceEvents"]
    return events


def hot(context: BrowserContext, page: Page, seconds: float) -> list[str]:
    """The functions that took most of the main thread by themselves, in ms."""
    cdp = context.new_cdp_session(page)
    cdp.send("Profiler.enable")
    cdp.send("Profiler.setSamplingInterval", {"interval": 200})
    cdp.send("Profiler.start")
    page.wait_for_timeout(seconds * 1000)
    profile = cdp.send("Profiler.stop")["profile"]
    frames = {node["id"]: node["callFrame"] for node in profile["nodes"]}
    took: Counter[str] = Counter()
    for sample, delta in zip(profile["samples"], profile["timeDeltas"], strict=True):
        at = frames[sample]
        took[
            f"{at['functionName'] or '?'} {Path(at['url']).name}:{at['lineNumber']}:{at['columnNumber']}"
        ] += delta
    return [f"{us / 1000:8.1f}  {name}" for name, us in took.most_common(SHOWN_TOP)]


def sign_in(page: Page, ready: dict[str, Any]) -> None:
    account = ready["accounts"]["supervisor"]
    page.goto(ready["http"])
    page.locator("input[name=username]").fill(account["username"])
    page.locator("input[type=password]").fill(account["password"])
    page.keyboard.press("Enter")
    page.locator(USABLE).wait_for()


def opening(page: Page, ready: dict[str, Any], seals: int) -> dict[str, int]:
    """A page that is opened by somebody who is signed in; in ms from the asking."""
    began = time.monotonic()
    page.goto(ready["http"], wait_until="commit")
    page.locator(USABLE).wait_for()
    page.locator(LISTED).first.wait_for()
    usable = time.monotonic() - began
    page.wait_for_function(ALL_KNOWN, arg=seals)
    return {
        "usable_ms": round(usable * 1000),
        "every_seal_known_ms": round((time.monotonic() - began) * 1000),
    }


def watch(ready: dict[str, Any], seals: int, seconds: float, profile: bool) -> None:
    """Open the page and print what it costs."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        context = browser.new_context(viewport={"width": 1366, "height": 768}, locale="en-GB")
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        sign_in(page, ready)
        browser.start_tracing(page=page, categories=CATEGORIES)
        figures: dict[str, Any] = opening(page, ready, seals)
        events = json.loads(browser.stop_tracing())["traceEvents"]
        click.echo(
            json.dumps(
                {
                    "opening": figures
                    | {clock: durations(events, key) for clock, key in (("wall", "dur"), ("cpu", "tdur"))}
                }
            )
        )
        page.wait_for_timeout(SETTLING_MS)
        events = traced(browser, page, seconds)
        click.echo(
            json.dumps(
                {
                    "watching": {
                        clock: durations(events, key) for clock, key in (("wall", "dur"), ("cpu", "tdur"))
                    }
                }
            )
        )
        if profile:
            click.echo("\n".join(longest(events)))
            click.echo("\n".join(hot(context, page, seconds)))
        browser.close()


def main() -> None:
    """Start a service, let its seals move, and watch the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seals", type=int, default=20_000)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--alerts", type=float, default=0.002, help="Share of pings that raise an alarm.")
    parser.add_argument("--profile", action="store_true")
    given = parser.parse_args()
    with open_folder() as folder:
        subprocess.run([SIM, "load-plan", str(folder / "plan"), "--seals", str(given.seals)], check=True)
        with serving(folder, "--plan", str(folder / "plan")) as ready:
            click.echo(f"load of the machine before: {os.getloadavg()[0]:.1f}")
            with load(folder, folder / "ready.json", 600, given.alerts) as running:
                time.sleep(35)  # each seal has said where it is
                if running.poll() is not None:
                    raise SystemExit((folder / "load.log").read_text()[-2000:])
                watch(ready, given.seals, given.seconds, given.profile)
            click.echo(f"load of the machine after: {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
