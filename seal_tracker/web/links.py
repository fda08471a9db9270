"""Where one goes on from an answer of the API: links of OpenAPI, made of the routes. Pure.

A program that explores the API (a client generator, a tester) finds by them that what was made can be read, changed and removed, and by
which value. Three kinds make themselves: what shows one object leads to all that can be done with it, with its ``ETag`` as ``If-Match``;
what changes one leads back to what shows it; a page leads to the next. The others each route states as ``leads``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, get_origin

import msgspec
from msgspec.inspect import is_struct_type

from seal_tracker.web.routes import Route

__all__ = ["has_version", "links_of", "operation_id", "plain_path"]

API: Final = "/api/v1"
ETAG: Final = "$response.header.ETag"

Links = dict[str, dict[str, Any]]


def plain_path(route: Route) -> str:
    """The route's path without the patterns of its parameters."""
    return re.sub(r"\{(\w+):[^}]*\}", r"{\1}", route.path)


def operation_id(route: Route) -> str:
    """The name by which links find a route."""
    path = plain_path(route).removeprefix(API)
    path += "root" if path.endswith("/") else ""
    return route.method.lower() + re.sub(r"\W+", "_", path).rstrip("_")


def has_version(route: Route) -> bool:
    """Whether its answer says, as ``ETag``, what ``If-Match`` is to name."""
    return route.versioned or (route.edits and route.status != 204)  # noqa: PLR2004 - an empty answer


def links_of(routes: Sequence[Route]) -> dict[str, Links]:
    """The links of each route's answer, by operation and then by name."""
    found: dict[str, Links] = {}
    for route in routes:
        links: Links = {}
        for target, values in _ways(route, routes):
            links[operation_id(target)] = {"operationId": operation_id(target), "parameters": values}
        found[operation_id(route)] = links
    return found


Ways = Iterable[tuple[Route, dict[str, str]]]
"""Where a route leads, with the value of each parameter there."""


def _ways(route: Route, routes: Sequence[Route]) -> Ways:
    yield from _to_changes(route, routes)
    if (route.edits or route.may_make) and (shown := _shown(route, routes)) is not None:
        yield shown, _same(shown)
    if route.method == "GET" and _is_paged(route):
        yield route, _same(route) | {"query.after": "$response.body#/next"}
    for goal, places in route.leads.items():
        for target in routes:
            if plain_path(target) == goal and (has_version(route) or not (target.edits or target.may_make)):
                yield from _stated(target, places)


def _to_changes(route: Route, routes: Iterable[Route]) -> Ways:
    """What shows an object leads to all that can be done with it; what shows many, to what replaces them."""
    if route.method != "GET" or not (route.versioned or route.cached):
        return
    here = plain_path(route)
    for target in routes:
        there = plain_path(target)
        if target is not route and (there == here or (route.versioned and _is_under(there, here))):
            yield target, _same(target) | _version(target)


def _stated(target: Route, places: Mapping[str, str]) -> Ways:
    """Where a route says that it leads to, as far as the target has such parameters."""
    inside = _names(plain_path(target))
    asked = _members(target.query)
    if set(places) <= {*inside, *asked}:
        values = {
            name: place if place[0] == "$" else f"$response.body#{place}" for name, place in places.items()
        }
        kinds = {f"{'path' if name in inside else 'query'}.{name}": value for name, value in values.items()}
        yield target, kinds | _version(target)


def _same(target: Route) -> dict[str, str]:
    """The object that was asked for, there too."""
    return {f"path.{name}": f"$request.path.{name}" for name in _names(plain_path(target))}


def _shown(route: Route, routes: Iterable[Route]) -> Route | None:
    """What shows the object that a route changes: the longest path above it that can be read."""
    path = plain_path(route)
    above = [r for r in routes if r.method == "GET" and r.versioned and _is_under(path, plain_path(r))]
    return max(above, key=lambda r: len(r.path), default=None)


def _is_under(path: str, above: str) -> bool:
    return path == above or path.startswith(above + "/")


def _names(path: str) -> list[str]:
    return re.findall(r"\{(\w+)\}", path)


def _members(kind: Any) -> set[str]:
    kind = get_origin(kind) or kind
    return {field.encode_name for field in msgspec.structs.fields(kind)} if is_struct_type(kind) else set()


def _version(target: Route) -> dict[str, str]:
    return {"header.If-Match": ETAG} if target.edits or target.may_make or target.may_match else {}


def _is_paged(route: Route) -> bool:
    """Whether a page of its list names the next."""
    return "after" in _members(route.query) and "next" in _members(route.answer)
