"""The public API in OpenAPI 3.1, as ``/openapi.json``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from flask import Blueprint, Response, jsonify
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from server.channels import api_schemas as schemas
from server.channels.api_routes import ROUTES, Route

PATH = "/openapi.json"
VERSION = "1.0"
# Whoever reads it may keep it for so long.
MAX_AGE_S = 300

_JSON = "application/json"
_REFERENCE = "#/components/schemas/{model}"

# What may go wrong; the messages say more.
_FAILURES = {
    400: "The body or a cursor cannot be read.",
    401: "There is no key, or none that we know.",
    404: "There is no such thing, or not for this key.",
    409: "This id was used for something else.",
    413: "The body is over 1 MiB.",
    416: "There is no such part of it.",
    422: "What was sent does not say what it must.",
    429: "The key has called too often; Retry-After says when it may again.",
    502: "It is there, and cannot be read: it was damaged, or kept under another key.",
    503: "Nothing was done, or not yet: try again after Retry-After.",
}


@cache
def openapi_document(models: Sequence[str] = ()) -> Mapping[str, Any]:
    """The whole document of an installation where a caller may choose one of *models*, a tuple."""
    paths: dict[str, dict[str, Any]] = {}
    for route in ROUTES:
        paths.setdefault(route.path, {})[route.method] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Frontdesk",
            "version": VERSION,
            "description": "The chat API of an AI front desk, its log, and what operators ask.",
        },
        "security": [{"key": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "key": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "`frontdesk keys create --tenant ID` makes one.",
                }
            },
            "schemas": _component_schemas(models),
        },
    }


def openapi_blueprint(models: Sequence[str] = ()) -> Blueprint:
    """``/openapi.json``, for everybody. *models* are those that a caller may choose."""
    blueprint = Blueprint("openapi", __name__)

    @blueprint.get(PATH)
    def openapi() -> Response:
        answer = jsonify(openapi_document(tuple(models)))
        answer.headers["Cache-Control"] = f"public, max-age={MAX_AGE_S}"
        return answer

    return blueprint


def _operation(route: Route) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": route.name,
        "summary": route.summary,
        "tags": list(route.tags),
        "responses": _responses(route),
    }
    if route.description:
        operation["description"] = route.description
    if route.parameters:
        operation["parameters"] = [dict(parameter) for parameter in route.parameters]
    if route.body is not None:
        operation["requestBody"] = {"required": True, "content": {_JSON: {"schema": _reference(route.body)}}}
    if not route.needs_key:
        operation["security"] = []
    return operation


def _responses(route: Route) -> dict[str, Any]:
    failures = {*route.failures, *([401] if route.needs_key else []), *([429] if route.has_limit else [])}
    told = {status: _answer(content, route) for status, content in route.answers.items()}
    told |= {status: _failure(status, route) for status in failures}
    return {str(status): told[status] for status in sorted(told)}


def _answer(content: type[BaseModel] | Mapping[str, Any], route: Route) -> dict[str, Any]:
    if isinstance(content, Mapping):
        return {"description": route.summary, "content": dict(content)} | _limit_headers(route)
    media = {_JSON: {"schema": _reference(content)}}
    return {"description": (content.__doc__ or "").strip(), "content": media} | _limit_headers(route)


def _failure(status: int, route: Route) -> dict[str, Any]:
    media = {_JSON: {"schema": _reference(schemas.Failure)}}
    known = {"description": _FAILURES[status], "content": media}
    if status == 503:
        return known | {"headers": {"Retry-After": _header("Seconds to wait.")}}
    if status == 429:
        limits = _limit_headers(route)["headers"]
        return known | {"headers": {"Retry-After": _header("Seconds to wait."), **limits}}
    return known


def _limit_headers(route: Route) -> dict[str, Any]:
    if not route.has_limit:
        return {}
    return {
        "headers": {
            "RateLimit-Limit": _header("Calls a minute that the key may make."),
            "RateLimit-Remaining": _header("How many of them are left."),
            "RateLimit-Reset": _header("Seconds until one more is."),
        }
    }


def _header(description: str) -> dict[str, Any]:
    return {"description": description, "schema": {"type": "integer", "minimum": 0}}


def _reference(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": _REFERENCE.format(model=model.__name__)}


def _component_schemas(models: Sequence[str]) -> dict[str, Any]:
    said = [(route.body, "validation") for route in ROUTES if route.body is not None]
    told = [
        (model, "serialization")
        for route in ROUTES
        for model in route.answers.values()
        if not isinstance(model, Mapping)
    ]
    wanted = dict.fromkeys([*said, *told, (schemas.Failure, "serialization")])
    _, definitions = models_json_schema(list(wanted), ref_template=_REFERENCE)  # type: ignore[arg-type]
    found: dict[str, Any] = definitions["$defs"]
    choice = found[schemas.ChatRequest.__name__]["properties"]["model"]
    # Those of this installation, rather than any text.
    choice["anyOf"] = [{"enum": [*models]}, {"type": "null"}] if models else [{"type": "null"}]
    return found
