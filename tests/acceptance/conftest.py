"""Fixtures of the acceptance tests: the product started from its command line, on a folder that other users may enter."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from running import PLANS, Running, serving


def pytest_configure(config: pytest.Config) -> None:
    """Name the marker of what takes half a minute or more."""
    config.addinivalue_line("markers", "slow: takes half a minute or more; leave out with -m 'not slow'")


@pytest.fixture(scope="session")
def service(session_folder: Path) -> Iterator[Running]:
    """One running service for all tests that leave it as they found it; its plan has six armed journeys, and its seals are commanded."""
    folder = session_folder / "acceptance"
    folder.mkdir(mode=0o755)
    with serving(folder, PLANS / "live", SEAL_TRACKER_COMMANDS="true") as running:
        yield running
