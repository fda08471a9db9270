"""What tests get from the service is held against what it says of itself: answers against OpenAPI, MQTT messages against AsyncAPI.

``described_session`` is an aiohttp session whose answers are checked as they are read; ``assert_described`` is for other clients, and
``assert_message_described`` for messages. The descriptions are those that the service gives, but stricter in one thing: a member that
they do not name is a fault too, for nobody who reads them would know of it.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping
from typing import Any, Final

import aiohttp
import jsonschema_rs

from seal_tracker.model import ID_PATTERN
from seal_tracker.web.app import ROUTES
from seal_tracker.web.asyncapi import describe_topics
from seal_tracker.web.openapi import describe

__all__ = ["assert_described", "assert_message_described", "described_session"]

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
    for name in ("ETag", "Location", "WWW-Authenticate", "Retry-After", "Pings-Gone-Until"):
        assert name in told or name.lower() not in given, f"{what} with {name}, which is not described"
    if method == "HEAD":
        return
    content = answer.get("content", {})
    media = given.get("content-type", "").split(";")[0].strip()
    assert (media in content) if content else not body, f"{what} as {media!r}; described: {list(content)}"
    if "json" in media and "ndjson" not in media and content:
        fault = next(
            iter(_validator(json.dumps(content[media]["schema"])).iter_errors(json.loads(body))), None
        )
        assert fault is None, f"{what}: at {fault.instance_path} {fault.message[:500]}"


def assert_message_described(topic: str, payload: bytes) -> None:
    """The description of the topics has such a message of the service there; what seals send may be anything, and passes.

    Raises
    ------
    AssertionError
        It has not; the message says what differs.
    """
    known = [(name, channel) for pattern, name, channel in _channels() if pattern.fullmatch(topic)]
    assert known, f"a message on {topic}, which is not described"
    name, channel = known[0]
    operation = _topics()["operations"].get(f"send{name[0].upper()}{name[1:]}")
    if operation is None:
        return
    if not payload:
        assert operation["bindings"]["mqtt"]["retain"], f"{topic} was emptied, and is not said to be retained"
        return
    message = channel["messages"][name]
    told = json.loads(payload) if "json" in message["contentType"] else payload.decode()
    fault = next(iter(_payload_validator(name).iter_errors(told)), None)
    assert fault is None, f"a message on {topic}: at {fault.instance_path} {fault.message[:500]}"


@functools.cache
def _topics() -> Json:
    strict: Json = _without_others(describe_topics(tenant="TENANT", version="tested"))
    return strict


@functools.cache
def _channels() -> list[tuple[re.Pattern[str], str, Json]]:
    """Of the live space and of exercises, which have the same below a root of their own."""
    found = []
    for name, channel in _topics()["channels"].items():
        below = re.sub(
            r"\{\w+\}",
            ID_PATTERN.pattern.strip("^$").removesuffix(r"\Z"),
            channel["address"].removeprefix("eseal/v1/TENANT/"),
        )
        found.append((re.compile(rf"(eseal/v1/[^/]+|eseal-exercise/v1/[^/]+/[^/]+)/{below}"), name, channel))
    return found


@functools.cache
def _payload_validator(channel: str) -> Any:
    payload = _topics()["channels"][channel]["messages"][channel]["payload"]
    return jsonschema_rs.validator_for({**payload, "components": _topics()["components"]})


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


@functools.cache
def _validator(schema: str) -> Any:
    """For a schema of the description, whose references lead into it."""
    return jsonschema_rs.validator_for({**json.loads(schema), "components": _document()["components"]})
