"""The desk measures itself: what was asked for, one at a time, within its time."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from server.channels.benchmark import LONGEST_S, MOST_ITERATIONS, benchmark_blueprint
from server.errors import AppError, ProviderUnavailable
from tests.fakes.keys import FakeKeys

KEY = {"Authorization": "Bearer key of 1"}
URL = "/api/v1/benchmark"
STEPS = ["early_exit", "retrieval", "gate", "database"]


class Desk:
    """Notes what it is timed at."""

    def __init__(self) -> None:
        self.done: list[tuple[str, str]] = []
        self.limits: list[float] = []
        self.is_away = False

    def early_exit(self, tenant_id: str) -> None:
        self.done.append(("early_exit", tenant_id))

    def retrieval(self, tenant_id: str) -> None:
        self.done.append(("retrieval", tenant_id))

    def gate(self, tenant_id: str) -> None:
        self.done.append(("gate", tenant_id))

    def database(self, tenant_id: str) -> None:
        self.done.append(("database", tenant_id))

    def ping_model(self, tenant_id: str, timeout_s: float) -> None:
        self.limits.append(timeout_s)
        if self.is_away:
            raise ProviderUnavailable("model", "HTTP 500")
        self.done.append(("model", tenant_id))


@pytest.fixture
def desk() -> Desk:
    return Desk()


def make_client(desk: Desk, folder: Path, longest_s: float) -> FlaskClient:
    app = Flask("benchmark")
    app.register_blueprint(benchmark_blueprint(desk, FakeKeys("1"), folder / "var", longest_s))
    app.register_error_handler(AppError, lambda error: ({"error": str(error)}, error.status))
    return app.test_client()


@pytest.fixture
def client(desk: Desk, tmp_path: Path) -> FlaskClient:
    return make_client(desk, tmp_path, LONGEST_S)


def test_each_thing_is_done_as_often_as_was_asked(client: FlaskClient, desk: Desk) -> None:
    told = client.post(f"{URL}?iterations=3", headers=KEY).get_json()
    assert desk.done == [(step, "1") for step in STEPS] * 3
    assert (told["iterations"], told["complete"], told["failures"]) == (3, True, 0)
    assert set(told["measured_ms"]) == set(STEPS)
    for measured in told["measured_ms"].values():
        assert measured["count"] == 3
        assert 0 <= measured["p50"] <= measured["p95"]


def test_the_model_is_asked_only_on_demand_and_within_the_time_that_is_left(
    client: FlaskClient, desk: Desk
) -> None:
    told = client.post(f"{URL}?iterations=2&model=true", headers=KEY).get_json()
    assert told["measured_ms"]["model"]["count"] == 2
    assert all(0 < limit_s <= LONGEST_S for limit_s in desk.limits)
    assert desk.limits[0] > desk.limits[1]


def test_a_model_that_fails_is_told_and_fails_nothing_else(client: FlaskClient, desk: Desk) -> None:
    desk.is_away = True
    told = client.post(f"{URL}?iterations=2&model=true", headers=KEY).get_json()
    assert (told["failures"], told["complete"]) == (2, True)
    assert told["measured_ms"]["model"] == {"count": 0, "p50": None, "p95": None}
    assert told["measured_ms"]["gate"]["count"] == 2


@pytest.mark.parametrize(
    "query",
    ["iterations=0", f"iterations={MOST_ITERATIONS + 1}", "iterations=-1", "iterations=ten", "iterations=",
     "iterations=1.5", "iterations=٣", "iterations=99999999999999999999", "model=yes", "model="],
)  # fmt: skip
def test_what_cannot_be_done_is_said(client: FlaskClient, desk: Desk, query: str) -> None:
    answer = client.post(f"{URL}?{query}", headers=KEY)
    assert answer.status_code == 422
    assert query.partition("=")[0] in answer.get_json()["error"]
    assert desk.done == []


def test_it_needs_a_key(client: FlaskClient) -> None:
    assert client.post(URL).status_code == 401


def test_one_runs_at_a_time(client: FlaskClient, desk: Desk) -> None:
    begun, gate = threading.Event(), threading.Event()

    def retrieval(_tenant_id: str) -> None:
        begun.set()
        assert gate.wait(10)

    desk.retrieval = retrieval  # type: ignore[method-assign, assignment]
    with ThreadPoolExecutor(1) as runner:
        app = client.application
        first = runner.submit(lambda: app.test_client().post(f"{URL}?iterations=1", headers=KEY).status_code)
        assert begun.wait(10)
        second = client.post(f"{URL}?iterations=1", headers=KEY)
        gate.set()
        assert (first.result(), second.status_code) == (200, 503)
    assert client.post(f"{URL}?iterations=1", headers=KEY).status_code == 200


def test_it_ends_when_its_time_is_over(desk: Desk, tmp_path: Path) -> None:
    told = make_client(desk, tmp_path, longest_s=0).post(f"{URL}?iterations=200", headers=KEY).get_json()
    assert (desk.done, told["complete"]) == ([], False)
    assert told["measured_ms"]["gate"] == {"count": 0, "p50": None, "p95": None}
