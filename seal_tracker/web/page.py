"""The built page: ``index.html`` at ``/``, its assets beside it. Only what the build put into its folder is ever served."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from aiohttp import web

from seal_tracker.web.auth import Open
from seal_tracker.web.context import CONTEXT
from seal_tracker.web.routes import Route

__all__ = ["ROUTES", "asset", "file_response", "index", "not_built", "page_built"]

HASHED: Final = re.compile(r"[-.][A-Za-z0-9_]{8,}\.[a-z0-9]+(\.map)?$")
"""Names that carry a hash of their content: ``main-3f9a01bc.js``."""

CONTENT_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
"""What a build makes; said here because the machine's own table differs from one to the next."""

FOREVER: Final = "public, max-age=31536000, immutable"

NOT_BUILT: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Seal Tracker</title></head>
<body><h1>The page has not been built</h1>
<p>The service runs; only its page is missing. It is built while the package is installed:
run <code>pip install .</code> in the checkout (Node comes with it from PyPI), then start the service again.</p>
<p>The API under <code>/api/v1</code> works without it.</p></body></html>
"""


def page_built(folder: Path) -> bool:
    """Whether there is a page to serve."""
    return (folder / "index.html").is_file()


async def index(request: web.Request) -> web.StreamResponse:
    """The page; asked for anew each time, so that an upgrade reaches everyone who reloads."""
    folder = request.app[CONTEXT].config.page
    if not page_built(folder):
        return not_built()
    return file_response(folder / "index.html", "no-cache")


def not_built() -> web.Response:
    """What to say where the page was not built."""
    return web.Response(status=503, text=NOT_BUILT, content_type="text/html", headers={"Retry-After": "60"})


async def asset(request: web.Request) -> web.StreamResponse:
    """A file of the page; one with a hash in its name never changes and is kept by browsers."""
    folder = request.app[CONTEXT].config.page
    path = inside(folder, request.match_info["path"])
    if path is None:
        raise web.HTTPNotFound
    lasting = HASHED.search(path.name) is not None
    return file_response(path, FOREVER if lasting else "no-cache")


def file_response(path: Path, cache_control: str) -> web.FileResponse:
    """The file, or its packed form beside it where the client takes that, with the content type of its name."""
    content_type = CONTENT_TYPES.get(path.suffix, "application/octet-stream")
    headers = {"Cache-Control": cache_control, "Content-Type": content_type, "Vary": "Accept-Encoding"}
    return web.FileResponse(path, headers=headers)


def inside(folder: Path, name: str) -> Path | None:
    """The file of that name in the folder, None when there is none or the name leads out of it."""
    if "\0" in name or any(part.startswith(".") for part in name.split("/")):
        return None
    try:
        path = (folder / name).resolve(strict=True)
        return path if path.is_file() and path.is_relative_to(folder.resolve()) else None
    except (OSError, ValueError):
        return None


ROUTES: Final = (
    Route("GET", "/", index, Open.TO_ALL, "The live page.", media=("text/html",)),
    # Not under api/: what no route of the API takes would seem to be a file that is missing, and a method that is wrong a path that is.
    Route("GET", "/{path:(?!api/).+}", asset, Open.TO_ALL, "Files of the page.", media=("*/*",)),
)
