"""The description of the API: it is sound by its own rules, and leads from what was made to all that can be done with it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from seal_tracker.web.app import ROUTES
from seal_tracker.web.links import has_version, links_of, operation_id, plain_path
from seal_tracker.web.openapi import describe

DOCUMENT = describe(ROUTES, version="1")
OPERATIONS: dict[str, dict[str, Any]] = {
    operation["operationId"]: operation for path in DOCUMENT["paths"].values() for operation in path.values()
}


def test_every_operation_has_a_name_of_its_own() -> None:
    """By which links and generated clients call it."""
    assert len(OPERATIONS) == sum(len(path) for path in DOCUMENT["paths"].values())


def test_links_lead_to_operations_and_parameters_that_there_are() -> None:
    """A client that follows one needs nothing else."""
    for operation in OPERATIONS.values():
        for answer in operation["responses"].values():
            for link in answer.get("links", {}).values():
                target = OPERATIONS[link["operationId"]]
                there = {f"{p['in']}.{p['name']}" for p in target.get("parameters", [])}
                assert set(link["parameters"]) <= there, link
                assert {name for name in there if name.startswith("path.")} <= {
                    *link["parameters"],
                    "path.collection",  # of a plan's versions: zones or routes
                }


@pytest.mark.parametrize("route", [r for r in ROUTES if r.edits], ids=operation_id)
def test_what_is_changed_by_version_is_led_to_with_it(route: Any) -> None:
    """Something that shows the object, and its version, says how to change it."""
    led = {
        name: link["parameters"]
        for links in links_of(ROUTES).values()
        for name, link in links.items()
        if link["operationId"] == operation_id(route)
    }
    assert led[operation_id(route)]["header.If-Match"] == "$response.header.ETag"


def test_if_match_and_its_refusals_are_described_wherever_it_counts() -> None:
    """428 without, 412 with another version; and the version is told by what shows it."""
    for operation in OPERATIONS.values():
        headers = [p for p in operation.get("parameters", []) if p["name"] == "If-Match"]
        refusals = {"412", "428"} & set(operation["responses"])
        assert ("412" in refusals) == bool(headers), operation["operationId"]
        assert ("428" in refusals) == any(
            p["required"] or "201" in operation["responses"] for p in headers
        ), operation["operationId"]
    for route in ROUTES:
        if has_version(route):
            answer = OPERATIONS[operation_id(route)]["responses"][str(route.status)]
            assert answer["headers"]["ETag"]["required"]


def test_patterns_are_those_that_every_reader_knows() -> None:
    r"""JSON Schema has ECMAScript's: ``\Z`` is Python's alone."""
    found = re.findall(r'"pattern": ?"([^"]*)"', str(DOCUMENT).replace("'", '"'))
    assert found
    assert not [pattern for pattern in found if r"\Z" in pattern]


def test_a_path_says_its_parameters_without_their_patterns() -> None:
    """As OpenAPI writes them."""
    assert not [path for path in DOCUMENT["paths"] if ":" in path]
    assert {plain_path(route) for route in ROUTES if route.path.startswith("/api/v1/")} <= set(
        DOCUMENT["paths"]
    )
