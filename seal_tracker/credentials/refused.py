"""Counts what the broker refused to take from devices, from its log: neither broker tells it in any other way.

State: how far the log has been read. A log that was rotated or cut is read from its beginning.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

import structlog

__all__ = ["BrokerLog", "refused_in"]

log = structlog.get_logger(__name__)

LOOK_EVERY_S: Final = 1.0
MOST_BYTES: Final = 1 << 20
"""Read at once; a flood of refusals is counted a megabyte a second, and late, rather than all at once."""

REFUSED: Final = re.compile(rb"Publish Violation|Denied PUBLISH from")
"""NATS 2.x, Mosquitto 2.x (with ``log_type`` debug off: it says so at notice)."""

WHO: Final = re.compile(rb'"(?P<nats>[^"]*)" - Publish Violation|Denied PUBLISH from (?P<mosquitto>\S+)')


def refused_in(text: bytes) -> list[str]:
    """The clients of the refusals in some whole lines of a log."""
    found = []
    for line in text.splitlines():
        if REFUSED.search(line):
            who = WHO.search(line)
            name = b"" if who is None else (who["nats"] or who["mosquitto"] or b"")
            found.append(name.decode("ascii", "replace"))
    return found


class BrokerLog:
    """Keep ``run`` running; ``tell`` is called with the clients of each batch of refusals."""

    def __init__(self, path: Path, tell: Callable[[list[str]], None]) -> None:
        self._path = path
        self._tell = tell
        self._at = path.stat().st_size if path.exists() else 0

    async def run(self) -> None:
        """Read on, for ever. Ends by cancellation."""
        while True:
            text = await asyncio.to_thread(self.more)
            refused = refused_in(text)
            if refused:
                log.warning("broker.publish_refused", count=len(refused), clients=sorted(set(refused))[:10])
                self._tell(refused)
            await asyncio.sleep(LOOK_EVERY_S)

    def more(self) -> bytes:
        """Whole lines that came since the last look."""
        try:
            size = self._path.stat().st_size
            if size < self._at:
                self._at = 0
            with self._path.open("rb") as file:
                file.seek(self._at)
                text = file.read(MOST_BYTES)
        except OSError:
            return b""
        whole = text[: text.rfind(b"\n") + 1]
        self._at += len(whole)
        return whole
