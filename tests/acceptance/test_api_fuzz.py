"""schemathesis tries the whole API of a service that has journeys, alarms and events: no server error, no answer that is not described.

In all its phases: what the schemas' edges give, random requests, and walks along the links of what was made. By default for as long as
a run of all tests can spare; ``FUZZ_S=600 python -m pytest -s tests/acceptance/test_api_fuzz.py`` looks further, and prints its summary.
The service is one of its own: what is tried on it changes everything.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from running import PLANS, Running, serving
from traffic import iso

TIME_S = int(os.environ.get("FUZZ_S", "16"))
CONFIG = Path(__file__).with_name("schemathesis.toml")
SEALS = ("SEAL-1", "SEAL-2", "SEAL-3")


@pytest.fixture(scope="module")
def service(session_folder: Path) -> Iterator[Running]:
    """Three seals whose ropes are cut: events and alarms of journeys that are under way."""
    folder = session_folder / "fuzz"
    folder.mkdir(mode=0o755)
    with serving(folder, PLANS / "live", SEAL_TRACKER_COMMANDS="true") as running:
        now_s = int(time.time())
        with running.mqtt("gateway", "fuzz") as gateway:
            pings = [
                {"time": iso(now_s - 30), "lon": 106.68, "lat": 20.86},
                {"time": iso(now_s), "valid": False, "lock": "cut"},
            ]
            gateway.wait_acknowledged([gateway.ping(seal, one) for seal in SEALS for one in pings])
        running.wait_for(events=len(SEALS))
        yield running


@pytest.mark.timeout(TIME_S + 180)
@pytest.mark.parametrize("phases", ["stateful", "examples,coverage,fuzzing"])
def test_no_request_makes_an_error_or_an_answer_that_is_not_described(
    service: Running, tmp_path: Path, phases: str
) -> None:
    """All checks of schemathesis, with what it cannot know stated in its configuration."""
    url = service.ready["http"].rstrip("/") + "/api/v1/openapi.json"
    command = [
        sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIG), "run", url, "--header",
        f"Authorization: Bearer {service.account('administrator')['token']}", "--phases", phases,
        "--max-time", str(TIME_S // 2), "--seed", "1",
    ]  # fmt: skip
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=TIME_S + 120, cwd=tmp_path
    )
    summary = done.stdout[done.stdout.find("= SUMMARY =") :]
    print(summary)  # noqa: T201 - what a longer run is made for
    assert done.returncode == 0, done.stdout[-12_000:] + done.stderr[-2_000:]
    assert service.readyz()[0] == 200
