"""The description of the HTTP API (OpenAPI 3.1), made of the routes and of the types that the code itself uses. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

import msgspec
from msgspec import UNSET, UnsetType

from seal_tracker.plans.admission import Reason
from seal_tracker.web.auth import CSRF_HEADER, Open
from seal_tracker.web.links import has_version, links_of, operation_id, plain_path
from seal_tracker.web.queries import Id
from seal_tracker.web.routes import JSON, Route

__all__ = ["ProblemAnswer", "describe", "schemas_of"]

OPENAPI_VERSION: Final = "3.1.1"
PROBLEM_JSON: Final = "application/problem+json"
API: Final = "/api/v1"
REFERENCE: Final = "#/components/schemas/{name}"

OF_BODIES: Final = (413, 415, 422)
OF_EDITS: Final = (412, 428)
OF_STATUS: Final = {401: "WWW-Authenticate", 429: "Retry-After", 503: "Retry-After"}
TEXT: Final = {"type": "string"}


class ProblemFault(msgspec.Struct, frozen=True, kw_only=True):
    """One of several faults of what was sent: where it stands, what is there, why that is wrong, what to do."""

    file: str | UnsetType = UNSET
    feature: str
    where: str
    what: str
    why: str
    remedy: str
    level: str | UnsetType = UNSET


class ProblemAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A refusal (RFC 9457). ``field`` names the parameter, header or member at fault.

    Where a file or plan is refused, ``faults`` are the first of its ``fault_count``. Who acted on an alarm too late is told how it stands:
    ``state`` and the members after it. ``reasons`` are why an oversized vehicle is not let go.
    """

    type: str
    title: str
    status: int
    detail: str
    instance: str
    field: str | UnsetType = UNSET
    faults: list[ProblemFault] | UnsetType = UNSET
    fault_count: int | UnsetType = UNSET
    state: str | UnsetType = UNSET
    version: int | UnsetType = UNSET
    acked_by: str | UnsetType | None = UNSET
    acked_at: str | UnsetType | None = UNSET
    changed_by: str | UnsetType | None = UNSET
    changed_at: str | UnsetType | None = UNSET
    reasons: list[Reason] | UnsetType = UNSET


def describe(routes: Iterable[Route], *, version: str) -> dict[str, Any]:
    """The OpenAPI document of the routes under ``/api/v1`` and of the three for machines."""
    listed = [route for route in routes if route.path.startswith(API) or route.answer is not None]
    listed += [route for route in routes if route.path == "/metrics"]
    types = {kind for route in listed for kind in (route.body, route.answer) if kind is not None}
    queries = {route.query for route in listed if route.query is not None}
    schemas = schemas_of([*sorted(types, key=str), ProblemAnswer])
    parameters = schemas_of(sorted(queries, key=str))
    paths: dict[str, dict[str, Any]] = {}
    for route in listed:
        path = plain_path(route)
        paths.setdefault(path, {})[route.method.lower()] = _operation(route, path, parameters)
    ways = links_of(listed)
    for route in listed:
        if links := ways.get(operation_id(route)):
            for status in _done(route):
                paths[plain_path(route)][route.method.lower()]["responses"][status]["links"] = links
    return {
        "openapi": OPENAPI_VERSION,
        "info": {
            "title": "Seal Tracker",
            "version": version,
            "description": "Supervision of electronic positioning seals. Times are RFC 3339 in UTC with milliseconds, positions "
            "degrees in WGS 84. Lists come in pages: ask on with `after` and the `next` of the page before. Every refusal is a "
            "problem (RFC 9457) that says what was wrong and what to do, and names the field.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{"token": []}, {"session": []}],
        "tags": [{"name": name} for name in sorted({_tag(route) for route in listed})],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "An API token."},
                "session": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": "seal-tracker",
                    "description": f"The session cookie; unsafe requests by it also need `{CSRF_HEADER}`.",
                },
            },
        },
    }


def schemas_of(types: Sequence[Any]) -> dict[str, Any]:
    """JSON Schemas of types and all that they refer to, by name."""
    _, components = msgspec.json.schema_components(list(types), ref_template=REFERENCE)
    tidied: dict[str, Any] = _tidied(components)
    return tidied


def _operation(route: Route, path: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": operation_id(route),
        "summary": route.summary,
        "tags": [_tag(route)],
        "responses": _responses(route),
    }
    given = [*_path_parameters(route, path), *_query_parameters(route, parameters), *_headers(route)]
    if given:
        operation["parameters"] = given
    if route.body is not None:
        operation["requestBody"] = {
            "required": True,
            "content": {media: {"schema": _schema(route.body)} for media in route.takes},
        }
    if route.right is Open.TO_ALL:
        operation["security"] = []
    elif not isinstance(route.right, Open):
        operation["description"] = f"Needs the right `{route.right}`."
    return operation


def _done(route: Route) -> list[str]:
    """Statuses of an answer that is no problem."""
    return [str(route.status), *(["201"] if route.may_make else [])]


def _responses(route: Route) -> dict[str, Any]:
    done: dict[str, Any] = {"description": HTTPStatus(route.status).phrase}
    if route.status != HTTPStatus.NO_CONTENT:
        structured = [
            m for m in route.media if route.answer is not None and ("json" in m and "ndjson" not in m)
        ]
        done["content"] = {
            media: {"schema": _schema(route.answer) if media in structured else TEXT} for media in route.media
        }
    responses = {str(route.status): done}
    if headers := _answer_headers(route):
        done["headers"] = headers
    if route.may_make:
        responses["201"] = done | {"description": HTTPStatus.CREATED.phrase}
    if route.cached:
        responses["304"] = {"description": "Not changed", "headers": done["headers"]}
    if route.path == "/readyz":
        responses["503"] = {"description": "Not ready", "content": {JSON: {"schema": _schema(route.answer)}}}
    for status in sorted(_problem_statuses(route)):
        responses.setdefault(str(status), _problem(status))
    return responses


def _answer_headers(route: Route) -> dict[str, Any]:
    headers: dict[str, Any] = {
        name: {"required": False, "schema": TEXT, "description": what} for name, what in route.says.items()
    }
    if has_version(route):
        headers["ETag"] = {"required": True, "schema": TEXT, "description": "Its version, for `If-Match`."}
    if route.cached:
        headers["ETag"] = {"required": True, "schema": TEXT, "description": "For `If-None-Match`."}
    if route.status == HTTPStatus.CREATED and route.leads and has_version(route):
        headers["Location"] = {
            "required": True,
            "schema": TEXT,
            "description": "Where what was made is found.",
        }
    return headers


def _problem(status: int) -> dict[str, Any]:
    problem: dict[str, Any] = {
        "description": HTTPStatus(status).phrase,
        "content": {PROBLEM_JSON: {"schema": {"$ref": REFERENCE.format(name="ProblemAnswer")}}},
    }
    if header := OF_STATUS.get(status):
        problem["headers"] = {header: {"required": False, "schema": TEXT}}
    return problem


def _problem_statuses(route: Route) -> set[int]:
    statuses = {503, *route.problems}
    if route.path.startswith(API):
        statuses |= {400}  # an unknown parameter is refused everywhere
    if route.right is not Open.TO_ALL:
        statuses |= {401, 403}
    if "{" in route.path:
        statuses |= {404}
    if route.body is not None:
        statuses |= set(OF_BODIES)
    if route.edits or route.may_make:
        statuses |= set(OF_EDITS)
    if route.may_match:
        statuses |= {412}
    return statuses


def _path_parameters(route: Route, path: str) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": _inline(route.path_types.get(name, Id)),
        }
        for name in re.findall(r"\{(\w+)\}", path)
    ]


def _query_parameters(route: Route, parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
    if route.query is None:
        return []
    schema = parameters[route.query.__name__]
    needed = schema.get("required", [])
    return [
        {"name": name, "in": "query", "required": name in needed, "schema": its}
        for name, its in schema.get("properties", {}).items()
    ]


def _headers(route: Route) -> list[dict[str, Any]]:
    headers = []
    if route.may_make or route.may_match:
        headers.append({"name": "If-Match", "in": "header", "required": False, "schema": TEXT})
    if route.edits:
        headers.append({"name": "If-Match", "in": "header", "required": True, "schema": TEXT})
    if route.cached:
        headers.append({"name": "If-None-Match", "in": "header", "required": False, "schema": TEXT})
    return headers


def _schema(kind: Any) -> Any:
    """The schema of a type, by reference where it has a name."""
    (found,), _ = msgspec.json.schema_components([kind], ref_template=REFERENCE)
    return _tidied(found)


def _inline(kind: Any) -> Any:
    return _tidied(msgspec.json.schema(kind))


def _tidied(schema: Any) -> Any:
    r"""The schema with patterns that every dialect of regular expressions knows: ``$`` for Python's ``\Z``."""
    if isinstance(schema, dict):
        return {
            key: value.replace(r"\Z", "$") if key == "pattern" and isinstance(value, str) else _tidied(value)
            for key, value in schema.items()
        }
    return [_tidied(item) for item in schema] if isinstance(schema, list) else schema


def _tag(route: Route) -> str:
    return route.tag or (
        route.path.removeprefix(API).strip("/").split("/")[0] if route.path.startswith(API) else "service"
    )
