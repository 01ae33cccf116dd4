"""``/openapi.json`` against what really runs: every route is in it, and made-up calls find no fault."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
import requests
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    positive_data_acceptance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from server.channels.api_routes import ROUTES, Route
from server.channels.openapi import PATH, openapi_document
from simulators.lab import CALL_TIMEOUT_S, Lab
from simulators.whatsapp_client import start_simulator

# For the sidecar, and what describes the rest.
INTERNAL = {"/webhook/whatsapp/incoming", "/webhook/whatsapp/status", PATH}
CHECKS = (
    schemathesis.checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
    positive_data_acceptance,
)
SCHEMA = schemathesis.openapi.from_dict(dict(openapi_document()))
# All but the one that measures for seconds, which has a test of its own.
EXAMINED = [route for route in ROUTES if route.name != "benchmark"]
IN_REALTIME = [route for route in ROUTES if route.name in ("livez", "readyz", "chatStream")]
BOUNDED = settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],
)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """The real processes, without a model."""
    quick = {
        "TURN_WAIT_MIN_S": "0",
        "TURN_WAIT_MAX_S": "0",
        "API_CALLS_PER_MINUTE": "0",
    }
    with (
        start_simulator() as whatsapp,
        Lab(tmp_path_factory.mktemp("lab"), whatsapp, quick, realtime=True) as running,
    ):
        yield running


@pytest.fixture(scope="module")
def key(lab: Lab) -> dict[str, str]:
    """The header of a caller."""
    return {"Authorization": f"Bearer {lab.frontdesk('keys', 'create', '--tenant', '1').splitlines()[-1]}"}


def examine(route: Route, mode: GenerationMode, url: str, key: dict[str, str]) -> None:
    """Call *route* with what its description allows, or (negative) with what it does not."""
    operation = SCHEMA[route.path][route.method.upper()]

    @BOUNDED
    @given(operation.as_strategy(generation_mode=mode))
    def call(case: Case[Any]) -> None:
        case.call_and_validate(base_url=url, headers=key, checks=list(CHECKS), timeout=CALL_TIMEOUT_S)

    # Nothing to be got wrong: there are no such calls.
    with suppress(Unsatisfiable):
        call()


@pytest.mark.parametrize("mode", list(GenerationMode))
@pytest.mark.parametrize("route", EXAMINED, ids=lambda route: route.name)
def test_no_call_finds_a_fault_in_web(
    route: Route, mode: GenerationMode, lab: Lab, key: dict[str, str]
) -> None:
    examine(route, mode, lab.web_url, key)


@pytest.mark.parametrize("mode", list(GenerationMode))
@pytest.mark.parametrize("route", IN_REALTIME, ids=lambda route: route.name)
def test_no_call_finds_a_fault_in_realtime(
    route: Route, mode: GenerationMode, lab: Lab, key: dict[str, str]
) -> None:
    examine(route, mode, lab.realtime_url, key)


def test_what_is_served_is_what_is_examined(lab: Lab) -> None:
    answer = requests.get(lab.web_url + PATH, timeout=CALL_TIMEOUT_S)
    assert answer.json() == json.loads(json.dumps(openapi_document()))
    assert "max-age" in answer.headers["Cache-Control"]


def test_a_call_that_needs_a_key_gets_nowhere_without(lab: Lab) -> None:
    for route in ROUTES:
        path = re.sub(r"\{\w+\}", "1", route.path)
        answer = requests.request(route.method, lab.web_url + path, json={}, timeout=CALL_TIMEOUT_S)
        assert (answer.status_code == 401) == route.needs_key, (route.name, answer.status_code)


def test_a_benchmark_is_as_described(lab: Lab, key: dict[str, str]) -> None:
    answer = requests.post(
        f"{lab.web_url}/api/v1/benchmark", params={"iterations": 1}, headers=key, timeout=CALL_TIMEOUT_S
    )
    assert answer.status_code == 200
    SCHEMA["/api/v1/benchmark"]["POST"].validate_response(answer)


def test_every_route_is_described_or_internal(app: Flask) -> None:
    there = {
        (method.lower(), re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule))
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.rule not in INTERNAL
    }
    assert {(route.method, route.path) for route in ROUTES} == there
