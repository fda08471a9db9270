"""The tasks of a running service: started together, watched, and ended in order.

One that fails ends the service, loudly: half a service would tell operators that all is well.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager
from typing import Any

import structlog

from seal_tracker.checkpointing import Checkpointer
from seal_tracker.pipeline import Pipeline
from seal_tracker.service import Service
from seal_tracker.store import StoreError

__all__ = ["tasks_running"]

log = structlog.get_logger(__name__)

STALLED_POLL_S = 0.1
"""How often the end looks whether the database has gone away meanwhile."""

DRAIN_S = 10.0
"""How long the end waits for messages to be published; the rest stay in the outbox for the next start."""


@asynccontextmanager
async def tasks_running(
    pipeline: Pipeline,
    service: Service,
    checkpointer: Checkpointer,
    beside: Mapping[str, Coroutine[Any, Any, None]],
) -> AsyncIterator[None]:
    """Run the pipeline and the tasks beside it, by name; one that fails ends the service, loudly."""
    here = asyncio.current_task()
    failed: list[BaseException] = []
    ending = False

    def watch(task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (fault := task.exception()) is not None:
            failed.append(fault)
            log.critical("service.task_failed", task=task.get_name(), exc_info=fault)
            if here is not None and not ending:
                here.cancel()

    work = asyncio.create_task(pipeline.run(), name="pipeline")
    beside = {**beside, "checkpointer": checkpointer.run()}
    rest = [asyncio.create_task(run, name=name) for name, run in beside.items()]
    for task in (work, *rest):
        task.add_done_callback(watch)
    try:
        yield
    except asyncio.CancelledError:
        if failed:
            raise failed[0] from None
        raise
    finally:
        ending = True
        await _worked_off(work, pipeline)
        for task in (work, *rest):
            task.cancel()
        await asyncio.gather(work, *rest, return_exceptions=True)
        await _told(pipeline, service, checkpointer)
    if failed:
        raise failed[0]


async def _worked_off(work: asyncio.Task[None], pipeline: Pipeline) -> None:
    """Wait until what has been read is committed, but not for a database that is away: the broker sends it again."""
    while not work.done() and pipeline.stalled is None:
        await asyncio.wait({work}, timeout=STALLED_POLL_S)


async def _told(pipeline: Pipeline, service: Service, checkpointer: Checkpointer) -> None:
    """Sign what has been recorded, and wait until what was committed is published, as far as database and broker are there."""
    with contextlib.suppress(TimeoutError, StoreError):
        async with asyncio.timeout(DRAIN_S):
            if pipeline.stalled is None:
                await checkpointer.sign_now()  # so that no tail is left uncovered until the next start
            if service.publisher.status.link.connected:  # else it waits in the outbox for the next start
                await service.publisher.drained()
