"""What the folder asks of a part, be it the broker or the database, and the watch that keeps it running.

State: ``Keeper`` owns one running process. Its methods are called from one event loop; what waits for a process runs
in a thread. The watch is one task, ended by ``stop``.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Literal, Protocol, TypeVar

import structlog

from .errors import EmbeddedError, PartFailed
from .programs import Process, Program, end_whatever_runs, find_running, last_words, launch

__all__ = ["Change", "Keeper", "Listener", "Part", "to_the_end"]

START_PATIENCE_S = 60.0
"""How long a part may take to answer: crash recovery replays at most ``max_wal_size`` of log."""

ADOPT_PATIENCE_S = 5.0
"""How long a part found running may take to answer before it is ended and started anew."""

WATCH_S = 0.2
"""How often the watch looks; a look reads one line of /proc."""

RESTART_WAITS_S = (0.0, 0.2, 0.5, 1.0, 2.0, 5.0)
"""Waits before restart attempts in a row; the last repeats."""

HEALTHY_S = 30.0
"""A part that ran this long counts as healthy again: its next restart is at once."""

Change = Literal["started", "adopted", "died", "restarted", "failed", "stopped"]
Listener = Callable[[str, Change], None]
Result = TypeVar("Result")

log = structlog.get_logger(__name__)


async def to_the_end(work: Callable[..., Result], *arguments: object) -> Result:
    """Run blocking work in a thread; when cancelled meanwhile, wait until the thread is done before giving way.

    Otherwise the folder would be let go, or opened again, while a thread still made or started something in it.
    """
    running = asyncio.ensure_future(asyncio.to_thread(work, *arguments))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait([running])
        raise


class Part(Protocol):
    """The broker or the database as the keeper sees it."""

    @property
    def program(self) -> Program:
        """What to run; known once prepared."""

    def prepare(self) -> bool:
        """Write what the program reads; whether a running one would have to be restarted to see it. Blocking."""

    async def ready(self) -> bool:
        """Whether it lets our own accounts in, by asking it; False while it does not answer yet."""


class Keeper:
    """Keeps one part running from ``start`` to ``stop``."""

    def __init__(self, part: Part, listener: Listener) -> None:
        self.part = part
        self._listener = listener
        self._process: Process | None = None
        self._begun = False
        self._watch: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """Main process of the part, None before the start and after the stop."""
        return self._process.pid if self._process else None

    async def start(self) -> None:
        """Adopt the part if it still runs as it should, else start it; returns when it answers.

        Raises
        ------
        PartFailed
            When it ends or stays silent; the message ends with its log's last words.
        """
        changed = await to_the_end(self.part.prepare)
        self._begun = True
        if not changed and await self._adopt():
            self._tell("adopted")
        else:
            await to_the_end(end_whatever_runs, self.part.program)
            await self._launch()
            self._tell("started")
        self._watch = asyncio.create_task(self._keep(), name=f"keep-{self.part.program.name}")

    async def stop(self) -> None:
        """End the watch, then the part; nothing of it is left when this returns."""
        if self._watch is not None:
            self._watch.cancel()
            with suppress(asyncio.CancelledError):
                await self._watch
            self._watch = None
        if self._process is not None:
            await to_the_end(self._process.end)
        if self._begun:  # a start that was cut short may have launched what it never saw
            await to_the_end(end_whatever_runs, self.part.program)
            self._process, self._begun = None, False
            self._tell("stopped")

    async def _adopt(self) -> bool:
        found = await to_the_end(find_running, self.part.program)
        if found is None:
            return False
        deadline = time.monotonic() + ADOPT_PATIENCE_S
        while found.alive() and time.monotonic() < deadline:
            if await self.part.ready():
                self._process = found
                return True
            await asyncio.sleep(0.05)
        return False

    async def _launch(self) -> None:
        """Start the program and wait until it answers; started again if it ends at first, as after a crash it may."""
        deadline = time.monotonic() + START_PATIENCE_S
        attempts = 0
        program = self.part.program
        while time.monotonic() < deadline:
            if self._process is None:
                self._process = await to_the_end(launch, program)
                attempts += self._process is not None
            elif not self._process.alive():
                self._process = None
                if attempts >= len(RESTART_WAITS_S):
                    break
                await asyncio.sleep(RESTART_WAITS_S[attempts])
                await to_the_end(end_whatever_runs, program)
            elif await self.part.ready():
                return
            await asyncio.sleep(0.02)
        if self._process is not None:
            await to_the_end(self._process.end)
            self._process = None
        raise PartFailed(
            f"{program.name} did not start in {attempts} attempts and at most {START_PATIENCE_S:.0f} s. "
            f"{program.log} ends with: {last_words(program.log)}"
        )

    async def _keep(self) -> None:
        """Start the part again whenever it has died, for ever."""
        failures = 0
        since = time.monotonic()
        while True:
            await asyncio.sleep(WATCH_S)
            if self._process is not None and self._process.alive():
                if time.monotonic() - since > HEALTHY_S:
                    failures = 0
                continue
            if self._process is not None:
                self._tell("died")
                self._process = None
            await asyncio.sleep(RESTART_WAITS_S[min(failures, len(RESTART_WAITS_S) - 1)])
            failures += 1
            if await self._revived():
                since = time.monotonic()

    async def _revived(self) -> bool:
        """Start the part after it died; whether it runs."""
        try:
            await to_the_end(self.part.prepare)
            await to_the_end(end_whatever_runs, self.part.program)
            await self._launch()
        except (EmbeddedError, OSError) as error:
            log.error("embedded.restart_failed", part=self.part.program.name, reason=str(error))  # noqa: TRY400
            self._tell("failed")
            return False
        self._tell("restarted")
        return True

    def _tell(self, change: Change) -> None:
        level = log.warning if change in {"died", "failed"} else log.info
        level(f"embedded.{change}", part=self.part.program.name, pid=self.pid)
        try:
            self._listener(self.part.program.name, change)
        except Exception:  # whatever a listener does wrong, the watch goes on
            log.exception("embedded.listener_failed", part=self.part.program.name, change=change)
