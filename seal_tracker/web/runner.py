"""Serving the application: one listening socket, a URL that says the port it got, an end that does not hang."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from seal_tracker.web.app import create_app
from seal_tracker.web.context import WebContext

__all__ = ["WebServer", "start_web"]

SHUTDOWN_S: Final = 3.0
"""How long requests under way may take at shutdown; streams are asked to end before."""

KEEPALIVE_S: Final = 75.0
"""Idle connections are kept this long, a little longer than common proxies keep theirs, so that the proxy closes first."""


@dataclass(frozen=True, slots=True)
class WebServer:
    """A running server. ``url`` has no slash at its end."""

    url: str
    runner: web.AppRunner

    async def close(self) -> None:
        """Stop listening, end the streams, let short requests finish."""
        await self.runner.cleanup()


LONGEST_LINE = 64 * 1024
"""Bytes of a request's first line: a cursor of the greatest length that is read, however it is escaped, has 12 kB."""


async def start_web(
    context: WebContext, host: str, port: int, *, tls: ssl.SSLContext | None = None
) -> WebServer:
    """Serve on that address; port 0 takes a free one.

    Raises
    ------
    OSError
        The address cannot be had.
    """
    runner = web.AppRunner(
        create_app(context),
        access_log=None,
        shutdown_timeout=SHUTDOWN_S,
        keepalive_timeout=KEEPALIVE_S,
        handle_signals=False,
        max_line_size=LONGEST_LINE,  # what is too long is then refused by us, as a problem that names the parameter
    )
    await runner.setup()
    site = web.TCPSite(runner, host, port, ssl_context=tls)
    try:
        await site.start()
    except BaseException:
        await runner.cleanup()
        raise
    name, bound = runner.addresses[0][:2]
    shown = f"[{name}]" if ":" in name else name
    return WebServer(f"{'https' if tls else 'http'}://{shown}:{bound}", runner)
