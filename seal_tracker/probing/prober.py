"""Asks the live plan's equipment whether it is there, each in its own rhythm; an answer is a heartbeat, a failure is health told.

A heartbeat goes over the broker, as a device's own would: so it is recorded, stored and judged by one way, and the space's now stands
still for it as for all while the broker is away. What does not answer is told at ``GET /api/v1/equipment``, and after three missed heartbeats is
``EQUIPMENT_OFFLINE`` as whoever falls silent.

State: who is asked when, and what came of the last time; nothing that a start would miss. Those that fail wait for places of their own,
so that a hundred dead cameras, each a time-out long, hold up none that lives.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol

import structlog

from seal_tracker.metrics import PROBES
from seal_tracker.plans.model import Equipment, Plan
from seal_tracker.plans.probes import Probe
from seal_tracker.probing.asking import Credentials
from seal_tracker.probing.exchange import Result

__all__ = ["Probed", "Prober"]

log: Any = structlog.get_logger(__name__)

LOOK_EVERY_S: Final = 0.25
"""How late a probe may begin."""

AT_ONCE: Final = 192
"""Probes of what answered last, beside each other: sockets, no threads."""

FAILING_AT_ONCE: Final = 64
"""Probes of what did not; each holds its place for its whole time-out."""

EVERYBODY: Final = "default"
"""Whose credentials are taken for equipment that has none of its own."""


@dataclass(frozen=True, slots=True)
class Probed:
    """What came of the last probe of a piece, and since when it fails (None: it answered); epoch ms."""

    at_ms: int
    ok: bool
    why: str
    took_ms: int
    failing_since_ms: int | None = None


class Asking(Protocol):
    """Who asks."""

    async def ask(self, probe: Probe, credentials: Credentials | None) -> Result: ...


class Prober:
    """Keep `run` running.

    Parameters
    ----------
    plan
        the live plan in force.
    heartbeat
        is told who answered, and when (epoch ms).
    credentials
        by the id of equipment, and ``default``.
    """

    def __init__(
        self,
        asker: Asking,
        plan: Callable[[], Plan | None],
        heartbeat: Callable[[str, int], object],
        credentials: Mapping[str, Credentials],
        *,
        clock_ms: Callable[[], int],
    ) -> None:
        self._asker = asker
        self._plan = plan
        self._heartbeat = heartbeat
        self._credentials = credentials
        self._clock_ms = clock_ms
        self._seen: Plan | None = None
        self._asked: Sequence[tuple[Equipment, Probe]] = ()
        self._due_s: dict[str, float] = {}
        self._busy: dict[str, asyncio.Task[None]] = {}
        self._places = {True: asyncio.Semaphore(AT_ONCE), False: asyncio.Semaphore(FAILING_AT_ONCE)}
        self.found: dict[str, Probed] = {}
        """By the id of equipment."""

    async def run(self) -> None:
        """Ask, for ever. Ends by cancellation, and whatever is under way with it."""
        try:
            while True:
                self.look(asyncio.get_running_loop().time())
                await asyncio.sleep(LOOK_EVERY_S)
        finally:
            for task in self._busy.values():
                task.cancel()

    def look(self, now_s: float) -> None:
        """Begin to ask whoever is due; one that is still being asked is left out until it has answered."""
        plan = self._plan()
        if plan is not self._seen:
            self._take_plan(plan, now_s)
        for one, probe in self._asked:
            if self._due_s[one.id] <= now_s and one.id not in self._busy:
                self._due_s[one.id] = now_s + probe.every_s
                task = asyncio.create_task(self._one(one.id, probe), name=f"probe {one.id}")
                self._busy[one.id] = task

    def _take_plan(self, plan: Plan | None, now_s: float) -> None:
        """Take up whom the plan has asked; the first time of each is spread over its interval, by its name, so that not all are asked at once."""
        self._seen = plan
        pieces = plan.equipment if plan is not None else ()
        self._asked = [(one, one.probe) for one in pieces if one.probe is not None]
        first = {
            one.id: now_s + probe.every_s * (zlib.crc32(one.id.encode()) % 1000) / 1000 for one, probe in self._asked
        }  # fmt: skip
        self._due_s = {name: min(self._due_s.get(name, due_s), due_s) for name, due_s in first.items()}
        self.found = {name: probed for name, probed in self.found.items() if name in first}

    async def _one(self, name: str, probe: Probe) -> None:
        before = self.found.get(name)
        try:
            async with self._places[before is None or before.ok]:
                began_s = asyncio.get_running_loop().time()
                credentials = self._credentials.get(name) or self._credentials.get(EVERYBODY)
                result = await self._asker.ask(probe, credentials)
                took_ms = round((asyncio.get_running_loop().time() - began_s) * 1000)
                self._tell(name, before, Probed(self._clock_ms(), *result, took_ms))
        finally:
            del self._busy[name]

    def _tell(self, name: str, before: Probed | None, now: Probed) -> None:
        PROBES.labels("answered" if now.ok else "failed").inc()
        if now.ok:
            self._heartbeat(name, now.at_ms)
        else:
            since_ms = before.failing_since_ms if before is not None else None
            now = replace(now, failing_since_ms=now.at_ms if since_ms is None else since_ms)
        if before is None or before.ok != now.ok:
            log.info("probe.answers" if now.ok else "probe.fails", equipment=name, why=now.why)
        self.found[name] = now
