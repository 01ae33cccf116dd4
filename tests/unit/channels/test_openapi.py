"""``/openapi.json`` describes what there is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from server.channels.api_routes import ROUTES
from server.channels.openapi import PATH, openapi_document

DOCUMENT = openapi_document()


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        yield from (value for key, value in node.items() if key == "$ref")
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def test_every_reference_leads_somewhere() -> None:
    known = {f"#/components/schemas/{name}" for name in DOCUMENT["components"]["schemas"]}
    found = set(references(DOCUMENT))
    assert found
    assert found <= known


def test_it_is_json() -> None:
    assert json.loads(json.dumps(DOCUMENT))["openapi"].startswith("3.1")


def test_names_of_calls_are_unique() -> None:
    names = [route.name for route in ROUTES]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_a_call_that_needs_a_key_says_what_happens_without(route: Any) -> None:
    operation = DOCUMENT["paths"][route.path][route.method]
    assert ("401" in operation["responses"]) == route.needs_key
    assert operation.get("security", DOCUMENT["security"]) == ([{"key": []}] if route.needs_key else [])


def test_the_models_of_the_installation_are_named() -> None:
    schema = openapi_document(("a", "b"))["components"]["schemas"]["ChatRequest"]["properties"]["model"]
    assert {"enum": ["a", "b"]} in schema["anyOf"]


def test_it_does_not_describe_itself() -> None:
    assert PATH not in DOCUMENT["paths"]
