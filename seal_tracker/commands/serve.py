"""``seal-tracker serve``: the service until SIGTERM or SIGINT."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from pathlib import Path

import structlog
import uvloop

from seal_tracker.config import load_settings
from seal_tracker.logs import set_up_logs

__all__ = ["cut_short_by", "serve", "stop_event"]

log = structlog.get_logger(__name__)


def serve(*, embedded: Path | None, ready_file: Path | None, plan: Path | None, http: str | None) -> int:
    """Run the service; 0 after a clean end."""
    settings = load_settings(plan=plan, http=http)
    set_up_logs(settings.log_format, settings.log_level)
    from seal_tracker.app import running  # noqa: PLC0415 - a wrong setting is told a second sooner; others need `stop_event` alone

    async def run() -> None:
        stop = stop_event()
        starting = cut_short_by(stop)
        async with running(settings, embedded=embedded) as ready:
            starting.cancel()
            for file in filter(None, (ready_file, embedded and embedded / "ready.json")):
                ready.write(file)
            log.info("service.ready", http=ready.http, mqtt=f"{ready.mqtt_host}:{ready.mqtt_port}")
            try:
                await stop.wait()
            finally:
                if embedded is not None:
                    (embedded / "ready.json").unlink(missing_ok=True)

    with contextlib.suppress(asyncio.CancelledError):  # told to stop before it was ready
        uvloop.run(run())
    log.info("service.stopped")
    return 0


def stop_event() -> asyncio.Event:
    """Set at the first SIGTERM or SIGINT. Call on the loop."""
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    return stop


def cut_short_by(stop: asyncio.Event) -> asyncio.Task[None]:
    """Cancel the calling task when ``stop`` is set, until the result is cancelled.

    For a start, which may wait for a broker for ever: once it is done, ``stop`` is waited for in the ordinary way.
    """
    starting = asyncio.current_task()
    assert starting is not None, "called by the task that starts"

    async def cut_short() -> None:
        await stop.wait()
        starting.cancel()

    return asyncio.create_task(cut_short(), name="cut short")
