"""What operators see, over real sockets: several web processes as one, sessions, and the webhook."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import pytest
import requests
from argon2 import PasswordHasher
from flask import Flask

from server.adapters.operator_webhook import OperatorWebhook
from server.channels.operations import figures_blueprint
from server.console import register_console
from server.errors import AppError, ProviderRejected, ProviderUnavailable
from server.observability.performance import Sources
from server.observability.process import ProcessFigures
from server.observability.watch import Watch
from server.store.keys import ApiKeys
from server.store.leases import Leases
from server.store.performance import Performance
from server.store.session import Database
from server.store.tenants import Tenants
from server.store.users import Users
from tests.fakes.clock import FakeClock
from tests.support.console import PASSWORD, log_in
from tests.support.console_parts import console_parts
from tests.support.http_server import scripted_server

GUNICORN = """
from pathlib import Path
from server.observability.multiprocess import share
share(Path({folder!r}))
workers = 3
worker_class = "gthread"
threads = 2
loglevel = "warning"
control_socket_disable = True
"""
WSGI = """
import os
from pathlib import Path
from flask import Flask
from server.channels.http_manners import register_http_manners
from server.observability import multiprocess
def make_app():
    multiprocess.share(Path({folder!r}))
    app = Flask("counted")
    register_http_manners(app)
    app.add_url_rule("/pid", "pid", lambda: str(os.getpid()))
    app.add_url_rule("/metrics", "metrics", multiprocess.exposition)
    return app
"""


@pytest.fixture
def counted_server(tmp_path: Path) -> Iterator[str]:
    """gunicorn with three processes that count what they answer; its address."""
    folder = str(tmp_path / "var")
    (tmp_path / "config.py").write_text(GUNICORN.format(folder=folder))
    (tmp_path / "counted.py").write_text(WSGI.format(folder=folder))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "gunicorn",
        "-c",
        "config.py",
        "-b",
        f"127.0.0.1:{port}",
        "counted:make_app()",
    ]
    root = Path(__file__).resolve().parents[2]
    process = subprocess.Popen(command, cwd=tmp_path, env={"PYTHONPATH": f"{root}:{tmp_path}", "PATH": ""})
    url = f"http://127.0.0.1:{port}"
    wait_for(url, process)
    yield url
    process.terminate()
    process.wait(20)


def wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        assert process.poll() is None, "gunicorn has ended"
        try:
            requests.get(f"{url}/pid", timeout=5)
        except requests.ConnectionError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("gunicorn does not answer")


def answered(url: str) -> int:
    """How many requests for ``/pid`` the server says it has answered."""
    text = requests.get(f"{url}/metrics", timeout=5).text
    found = re.search(r'^frontdesk_http_requests_total\{.*route="/pid".*\} (\S+)$', text, flags=re.MULTILINE)
    return int(float(found[1])) if found else 0


def test_any_of_several_processes_tells_what_all_have_counted(counted_server: str) -> None:
    before, asked, pids = answered(counted_server), 0, set[str]()
    while len(pids) < 2:
        # A connection of its own for each: any of the processes may take it.
        pids.add(requests.get(f"{counted_server}/pid", timeout=5).text)
        asked += 1
        assert asked < 2000
    assert [answered(counted_server) - before for _ in range(6)] == [asked] * 6


def test_a_process_that_is_replaced_leaves_its_counts(counted_server: str) -> None:
    pid = int(requests.get(f"{counted_server}/pid", timeout=5).text)
    before = answered(counted_server)
    os.kill(pid, signal.SIGKILL)
    while is_there(pid):
        time.sleep(0.02)
    requests.get(f"{counted_server}/pid", timeout=5)
    assert answered(counted_server) == before + 1


def is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


# -- sessions --------------------------------------------------------------------------------------


@pytest.fixture
def app(
    database: Database, clock: FakeClock, leases: Leases, tenants: Tenants, tmp_path: Path
) -> Iterator[Flask]:
    """Figures beside a console with one member of staff."""
    assert tenants.get("1")
    app = Flask("operations")
    app.secret_key = "a key of the test"
    register_console(app, console_parts(database, clock, leases, tmp_path))
    watch = Watch(tmp_path, clock, ProcessFigures("test", None), 10)
    keys = ApiKeys(database, clock)
    app.register_blueprint(figures_blueprint(Sources(Performance(database), watch, clock), keys))
    app.register_error_handler(AppError, lambda error: ({"error": str(error)}, error.status))
    hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    Users(database, clock, hasher).add("1", "Noa", PASSWORD)
    yield app
    watch.stop()


@pytest.mark.parametrize("path", ["/metrics", "/api/v1/metrics", "/api/performance"])
def test_a_session_of_the_console_opens_what_a_key_opens(app: Flask, path: str) -> None:
    browser = app.test_client()
    assert browser.get(path).status_code == HTTPStatus.UNAUTHORIZED
    assert log_in(browser).status_code == HTTPStatus.SEE_OTHER
    assert browser.get(path).status_code == HTTPStatus.OK
    # A wrong key is wrong, whoever is logged in.
    assert browser.get(path, headers={"Authorization": "Bearer x"}).status_code == HTTPStatus.UNAUTHORIZED


# -- the operators' webhook ------------------------------------------------------------------------


def test_operators_get_the_event_with_its_key() -> None:
    with scripted_server() as server:
        webhook = OperatorWebhook(f"{server.url}/alerts")
        webhook.tell({"event": "alert_raised", "alert": "slow_reply"}, "the key")
        webhook.close()
    ((method, path, headers, body),) = server.requests
    assert (method, path, headers["idempotency-key"]) == ("POST", "/alerts", "the key")
    assert body == {"event": "alert_raised", "alert": "slow_reply"}


@pytest.mark.parametrize(
    ("status", "fault"), [(500, ProviderUnavailable), (429, ProviderUnavailable), (404, ProviderRejected)]
)
def test_an_address_that_does_not_take_it_is_told_apart(status: int, fault: type[Exception]) -> None:
    with scripted_server() as server:
        server.answers = [(status, {})]
        webhook = OperatorWebhook(server.url)
        with pytest.raises(fault):
            webhook.tell({"event": "alert_raised"}, "the key")
        webhook.close()


def test_an_address_where_nobody_listens_is_worth_another_try() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    webhook = OperatorWebhook(f"http://127.0.0.1:{port}")
    with pytest.raises(ProviderUnavailable):
        webhook.tell({"event": "alert_raised"}, "the key")
    webhook.close()
