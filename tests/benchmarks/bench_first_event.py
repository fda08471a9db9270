"""Seconds from an empty folder to the first event on the page, by the README's first command.

    python tests/benchmarks/bench_first_event.py

Clones the project's last commit, makes a new virtual environment, installs, starts the demo, signs in with headless
Chromium and waits for the first line of the list. pip's cache is not used; Node comes from PyPI where there is none.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from playwright.sync_api import sync_playwright

sys.path[:0] = [str(Path(__file__).resolve().parent)]

from service import ROOT, open_folder

CHROMIUM = ["--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]


def readme_command() -> str:
    """The README's first command."""
    lines = (ROOT / "README.md").read_text().splitlines()
    return next(line.removeprefix("$ ") for line in lines if line.endswith("seal-tracker demo"))


def main() -> None:
    with open_folder() as folder:
        project, ready = folder / "project", folder / "ready.json"
        subprocess.run(["git", "clone", "-q", str(ROOT), str(project)], check=True)
        command = f"{readme_command()} --no-browser --ready-file {ready}"
        began = time.perf_counter()
        with (folder / "log").open("w") as log:
            process = subprocess.Popen(
                command,
                shell=True,
                cwd=project,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env=os.environ | {"PIP_NO_CACHE_DIR": "1"},
            )
        try:
            while not ready.exists():
                if process.poll() is not None:
                    raise SystemExit((folder / "log").read_text()[-2000:])
                time.sleep(0.1)
            started_s = time.perf_counter() - began
            told = json.loads(ready.read_text())
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=CHROMIUM)
                page = browser.new_page()
                page.goto(told["http"])
                page.locator("input[autocomplete=username]").fill(told["accounts"]["operator"]["username"])
                page.locator("input[type=password]").fill(told["accounts"]["operator"]["password"])
                page.keyboard.press("Enter")
                page.locator(".row").first.wait_for(timeout=60_000)
                print(
                    f"service ready after {started_s:.1f} s, first event on the page after {time.perf_counter() - began:.1f} s"
                )
                browser.close()
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(60)


if __name__ == "__main__":
    main()
