"""What operators are told over HTTP, and who is told it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families

from server.channels.operations import figures_blueprint, operations_blueprint
from server.domain.conversations import ReplySource
from server.errors import AppError
from server.observability import metrics
from server.observability.performance import Sources
from server.observability.process import ProcessFigures
from server.observability.watch import Watch
from server.ports.performance import TurnTimes
from tests.fakes.clock import FakeClock
from tests.fakes.keys import FakeKeys
from tests.fakes.performance_store import FakePerformance
from tests.fakes.senders import FakeLines
from tests.support.figures import Counted

KEY = {"Authorization": "Bearer key of 1"}
CLOSED = ("/health", "/metrics", "/api/v1/metrics", "/api/performance")


@pytest.fixture
def counted() -> Counted:
    return Counted()


@pytest.fixture
def store() -> FakePerformance:
    return FakePerformance()


@pytest.fixture
def watch(tmp_path: Path, clock: FakeClock, counted: Counted) -> Iterator[Watch]:
    made = Watch(tmp_path, clock, ProcessFigures("test", None), 10, figures=counted.figures)
    yield made
    made.stop()


@pytest.fixture
def client(watch: Watch, clock: FakeClock, store: FakePerformance) -> FlaskClient:
    app, keys = Flask("operations"), FakeKeys("1", "2")
    app.register_blueprint(operations_blueprint(lambda: None, lambda: True, FakeLines(), keys, watch.alerts))
    app.register_blueprint(figures_blueprint(Sources(store, watch, clock), keys))
    app.register_error_handler(AppError, lambda error: ({"error": str(error)}, error.status))
    return app.test_client()


@pytest.mark.parametrize("path", CLOSED)
@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer wrong", "Basic key of 1"])
def test_without_a_key_nothing_is_told(client: FlaskClient, path: str, header: str | None) -> None:
    answer = client.get(path, headers={} if header is None else {"Authorization": header})
    assert answer.status_code == 401
    assert set(answer.get_json()) == {"error"}


@pytest.mark.parametrize("path", CLOSED)
def test_with_a_key_there_is_an_answer(client: FlaskClient, path: str) -> None:
    assert client.get(path, headers=KEY).status_code == 200


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
def test_those_who_only_ask_whether_it_lives_need_none(client: FlaskClient, path: str) -> None:
    assert client.get(path).status_code == 200


def test_metrics_are_text_that_prometheus_reads(client: FlaskClient) -> None:
    metrics.DATABASE_ERRORS.inc()
    metrics.HTTP_REQUESTS.inc(method="GET", route='/a "quoted" <path>\\', status="200")
    answer = client.get("/metrics", headers=KEY)
    assert answer.content_type == "text/plain; version=0.0.4; charset=utf-8"
    families = {family.name: family for family in text_string_to_metric_families(answer.text)}
    assert families["frontdesk_database_errors"].type == "counter"
    assert families["frontdesk_database_errors"].samples[0].value >= 1
    routes = {sample.labels["route"] for sample in families["frontdesk_http_requests"].samples}
    assert '/a "quoted" <path>\\' in routes


def test_a_business_sees_its_own_turns_and_no_other(
    client: FlaskClient, store: FakePerformance, clock: FakeClock
) -> None:
    store.turns = {"2": [TurnTimes(ReplySource.MODEL, clock.now(), {"committed": 5.0})]}
    told = client.get("/api/performance", headers=KEY).get_json()
    assert told["turns"]["count"] == 0
    told = client.get("/api/performance", headers={"Authorization": "Bearer key of 2"}).get_json()
    assert told["turns"]["count"] == 1


def test_what_is_wrong_stands_in_health(client: FlaskClient, watch: Watch, counted: Counted) -> None:
    watch.tick()
    well = client.get("/health", headers=KEY).get_json()
    assert (well["status"], well["alerts"]) == ("ok", [])
    counted.add(metrics.SLOW_REPLIES, channel="chat")
    watch.tick()
    told = client.get("/health", headers=KEY).get_json()
    # What is slow works all the same.
    assert (told["status"], [alert["name"] for alert in told["alerts"]]) == ("ok", ["slow_reply"])


def test_no_metric_knows_a_business_or_a_guest() -> None:
    for metric in metrics.all_metrics().values():
        assert not {"tenant", "tenant_id", "guest", "conversation", "phone", "key"} & set(metric.labels), (
            metric.name
        )
