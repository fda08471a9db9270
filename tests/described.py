"""Every answer that a test gets is held against the description of the API: its status, content type, headers and body.

``described_session`` is an aiohttp session whose answers are checked as they are read; ``assert_described`` is for other clients. The
description is the one that the service gives (``test_web_described.py`` sees to that), but stricter in one thing: a member that it does
not name is a fault too, for nobody who reads it would know of it.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping
from typing import Any, Final

import aiohttp
from jsonschema import Draft202012Validator

from seal_tracker.web.app import ROUTES
from seal_tracker.web.openapi import describe

__all__ = ["assert_described", "described_session"]

ANY_STATUS: Final = frozenset({404, 405})
"""What a path or method that is not described is answered with."""

Json = dict[str, Any]


def described_session(**options: Any) -> aiohttp.ClientSession:
    """A session that raises AssertionError for an answer that the API does not describe."""
    return aiohttp.ClientSession(response_class=_DescribedResponse, **options)


class _DescribedResponse(aiohttp.ClientResponse):
    """An answer that is checked once it is read; streams are read otherwise and pass."""

    async def read(self) -> bytes:
        known = self._body is not None
        body = await super().read()
        if not known:
            assert_described(self.method, self.url.path, self.status, self.headers, body)
        return body


def assert_described(method: str, path: str, status: int, headers: Mapping[str, str], body: bytes) -> None:
    """The description of the API has such an answer to such a request.

    Raises
    ------
    AssertionError
        It has not; the message says what differs.
    """
    operations = _operations_at(path)
    if operations is None:
        return
    operation = operations.get("get" if method == "HEAD" else method.lower())
    what = f"{method} {path} answered {status}"
    if operation is None:
        assert status in ANY_STATUS, f"{what}; it is not described"
        return
    answer = operation["responses"].get(str(status))
    assert answer is not None, f"{what}; described are {', '.join(operation['responses'])}: {body[:300]!r}"
    given, told = {name.lower(): value for name, value in headers.items()}, answer.get("headers", {})
    for name, header in told.items():
        assert name.lower() in given or not header.get("required"), f"{what} without {name}"
    for name in ("ETag", "Location", "WWW-Authenticate", "Retry-After"):
        assert name in told or name.lower() not in given, f"{what} with {name}, which is not described"
    if method == "HEAD":
        return
    content = answer.get("content", {})
    media = given.get("content-type", "").split(";")[0].strip()
    assert (media in content) if content else not body, f"{what} as {media!r}; described: {list(content)}"
    if "json" in media and "ndjson" not in media and content:
        fault = next(iter(_validator(_key(content[media]["schema"])).iter_errors(json.loads(body))), None)
        assert fault is None, f"{what}: at {fault.json_path} {fault.message[:500]}"


def _operations_at(path: str) -> Json | None:
    """What is described under a path; that of fixed words before that of any word."""
    return next((operations for pattern, operations in _paths() if pattern.fullmatch(path)), None)


@functools.cache
def _paths() -> list[tuple[re.Pattern[str], Json]]:
    paths = sorted(_document()["paths"].items(), key=lambda item: item[0].count("{"))
    return [(re.compile(re.sub(r"\{\w+\}", "[^/]+", path)), operations) for path, operations in paths]


@functools.cache
def _document() -> Json:
    strict: Json = _without_others(describe(ROUTES, version="tested"))
    return strict


def _without_others(schema: Any) -> Any:
    """The description with objects that have no members but those that it names."""
    if isinstance(schema, list):
        return [_without_others(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    closed = (
        {"additionalProperties": False} if schema.get("type") == "object" and "properties" in schema else {}
    )
    return closed | {name: _without_others(item) for name, item in schema.items()}


def _key(schema: Json) -> str:
    return json.dumps(schema)


@functools.cache
def _validator(schema: str) -> Draft202012Validator:
    """For a schema of the description, whose references lead into it."""
    return Draft202012Validator({**json.loads(schema), "components": _document()["components"]})
