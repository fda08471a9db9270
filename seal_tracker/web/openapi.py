"""The description of the HTTP API (OpenAPI 3.1), made of the routes and of the types that the code itself uses. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

import msgspec

from seal_tracker.web.auth import CSRF_HEADER, Open
from seal_tracker.web.queries import Id
from seal_tracker.web.routes import JSON, Route

__all__ = ["ProblemAnswer", "describe", "schemas_of"]

OPENAPI_VERSION: Final = "3.1.1"
PROBLEM_JSON: Final = "application/problem+json"
API: Final = "/api/v1"
REFERENCE: Final = "#/components/schemas/{name}"

OF_BODIES: Final = (413, 415, 422)
OF_EDITS: Final = (412, 428)
TEXT: Final = {"type": "string"}


class ProblemAnswer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A refusal (RFC 9457). ``field`` names the parameter, header or member at fault; further members say more."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    field: str | None = None


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
        path = re.sub(r"\{(\w+):[^}]*\}", r"{\1}", route.path)
        paths.setdefault(path, {})[route.method.lower()] = _operation(route, path, parameters)
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
        "operationId": route.method.lower() + re.sub(r"\W+", "_", path.removeprefix(API)).rstrip("_"),
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
    if route.may_make:
        responses["201"] = done | {"description": HTTPStatus.CREATED.phrase}
    if route.cached:
        done["headers"] = {"ETag": {"schema": TEXT}}
        responses["304"] = {"description": "Not changed"}
    if route.path == "/readyz":
        responses["503"] = {"description": "Not ready", "content": {JSON: {"schema": _schema(route.answer)}}}
    for status in sorted(_problem_statuses(route)):
        responses.setdefault(
            str(status),
            {
                "description": HTTPStatus(status).phrase,
                "content": {PROBLEM_JSON: {"schema": {"$ref": REFERENCE.format(name="ProblemAnswer")}}},
            },
        )
    return responses


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
    if route.edits:
        statuses |= set(OF_EDITS)
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
    if route.may_make:
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
