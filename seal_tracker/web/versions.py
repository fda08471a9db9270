"""Versions of single objects: told in ``ETag``, asked for in ``If-Match``, so that nobody overwrites what they have not seen."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final

from aiohttp import web

from seal_tracker.web.errors import NoVersion, Outdated
from seal_tracker.web.reading import encoded

__all__ = ["check_version", "etag", "versioned"]

HEADER: Final = "If-Match"


def etag(version: int | str) -> str:
    """The value of ``ETag`` for a version."""
    return f'"{version}"'


def versioned(
    value: Any, version: int | str, *, status: int = HTTPStatus.OK, location: str | None = None
) -> web.Response:
    """A JSON response with the version of what it shows, and, where that has just been made, its ``location``."""
    response = encoded(value, status=status)
    response.headers["ETag"] = etag(version)
    if status == HTTPStatus.CREATED and location is not None:
        response.headers["Location"] = location
    return response


def check_version(request: web.Request, version: int | str) -> None:
    """Refuse an edit of another version than the newest. ``*`` is any: whoever sends it means to overwrite.

    Raises
    ------
    NoVersion, Outdated
        As their names say.
    """
    given = request.if_match
    if given is None or not given:
        raise NoVersion(
            f"send {HEADER} with the ETag of what you have read, such as {etag(version)}", field=HEADER
        )
    if not any(tag.is_weak is False and tag.value in ("*", str(version)) for tag in given):
        raise Outdated(
            f"it has been changed since you read it: it is {etag(version)} now; read it again", field=HEADER
        )
