"""The offline lab: the real processes, with a simulated WhatsApp and model around them.

Tests and the demo use it. Everything lives in one folder and on free ports, and ends with the lab.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import requests

from simulators import first_state
from simulators.ports import free_port
from simulators.whatsapp_client import WhatsAppSimulator

ROOT = Path(__file__).resolve().parents[1]
START_TIMEOUT_S = 90.0
STOP_TIMEOUT_S = 20.0
COMMAND_TIMEOUT_S = 120.0
CALL_TIMEOUT_S = 30.0
POLL_S = 0.02

# The lab must not see the settings of whoever runs it.
_KEPT = ("PATH", "HOME", "LANG", "TMPDIR", "USER")


class LabError(AssertionError):
    """Something of the lab did not come to be; the message says what, and where its log is."""


class Service:
    """One process that can be stopped, killed and started again.

    Args:
        is_ready: whether it can do its work.
        user: whom to run it as; None: whoever runs the lab.
        ends_by: the signal that asks it to end.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        environment: Mapping[str, str],
        log: Path,
        is_ready: Callable[[], bool],
        user: str | None = None,
        ends_by: signal.Signals = signal.SIGTERM,
    ) -> None:
        self.name = name
        self.log = log
        self.is_ready = is_ready
        self.user = user
        self._command = command
        self._environment = environment
        self._ends_by = ends_by
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def is_running(self) -> bool:
        """Whether the process is there."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """Of the process itself, which leads its group.

        Raises:
            LabError: it was not started.
        """
        if self._process is None:
            raise LabError(f"{self.name} does not run")
        return self._process.pid

    def spawn(self) -> None:
        """Start it and return at once."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own commands
                self._command,
                cwd="/" if self.user else ROOT,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                user=self.user,
            )

    def start(self) -> None:
        """Start it and wait until it is ready."""
        self.spawn()
        wait_until(self._has_come_up, START_TIMEOUT_S, f"{self.name} to be ready, see {self.log}")

    def stop(self) -> int:
        """Ask it to end, as a supervisor does, and return its exit code."""
        return self._end(self._ends_by)

    def kill(self) -> None:
        """kill -9, all of its children too."""
        self._end(signal.SIGKILL)

    def _end(self, how: signal.Signals) -> int:
        process = self._process
        if process is None:
            return 0
        if process.poll() is None:
            if how is signal.SIGKILL:
                os.killpg(process.pid, how)
            else:
                process.send_signal(how)
        code = process.wait(STOP_TIMEOUT_S)
        self._process = None
        return code

    def _has_come_up(self) -> bool:
        if not self.is_running:
            raise LabError(f"{self.name} ended while starting, see {self.log}")
        return self.is_ready()


class Lab:
    """A scratch installation.

    Args:
        folder: for the database, logs and what processes keep on disk.
        whatsapp: the simulated WhatsApp, which outlives restarts of ours.
        settings: more settings, such as ``OPENAI_BASE_URL`` or ``DATABASE_URL``.
        webs: web processes, each with a port of its own; the sidecar knows the first.
        workers: on PostgreSQL; without any, web processes take the turns themselves.
        realtime: whether the process for streams and sockets runs too.
    """

    def __init__(
        self,
        folder: Path,
        whatsapp: WhatsAppSimulator,
        settings: Mapping[str, str] | None = None,
        *,
        webs: int = 1,
        workers: int = 0,
        realtime: bool = False,
    ) -> None:
        self.folder = folder
        self.whatsapp = whatsapp
        self.web_url = f"http://127.0.0.1:{free_port()}"
        self.sidecar_url = f"http://127.0.0.1:{free_port()}"
        self.realtime_url = f"http://127.0.0.1:{free_port()}"
        self.secret = "lab-" + os.urandom(16).hex()
        self.environment = {name: os.environ[name] for name in _KEPT if name in os.environ} | {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
            "DATA_DIR": str(folder / "var"),
            "WEB_HOST": "127.0.0.1",
            "REALTIME_HOST": "127.0.0.1",
            "PORT": self.web_url.rpartition(":")[2],
            "REALTIME_PORT": self.realtime_url.rpartition(":")[2],
            "WHATSAPP_PORT": self.sidecar_url.rpartition(":")[2],
            "SERVER_URL": self.web_url,
            "WHATSAPP_URL": self.sidecar_url,
            "WHATSAPP_SOCKET_URL": whatsapp.socket_url,
            "WHATSAPP_MEDIA_URL": whatsapp.media_url,
            "INTERNAL_SECRET": self.secret,
            "PUBLIC_BASE_URL": self.web_url,
            "TURN_ENGINE": "procrastinate" if workers else "in-process",
            **(settings or {}),
        }
        self.web_urls = [self.web_url, *(f"http://127.0.0.1:{free_port()}" for _ in range(webs - 1))]
        self.webs = [self._web(number, url) for number, url in enumerate(self.web_urls)]
        self.web = self.webs[0]
        self.workers = [self._worker(number) for number in range(workers)]
        self.realtime = Service(
            "realtime",
            ["python", "-m", "server.realtime.main"],
            self.environment,
            folder / "realtime.log",
            lambda: _answers(f"{self.realtime_url}/readyz"),
        )
        self._servers = [*self.webs, *([self.realtime] if realtime else []), *self.workers]
        self.sidecar = Service(
            "sidecar",
            ["node", "services/whatsapp/src/index.js"],
            self.environment,
            folder / "sidecar.log",
            lambda: _answers(f"{self.sidecar_url}/health"),
        )

    def __enter__(self) -> Lab:
        self.prepare()
        for service in (*self._servers, self.sidecar):
            service.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for service in (self.sidecar, *self._servers):
            service.stop()

    def _web(self, number: int, url: str) -> Service:
        return Service(
            f"web {number}",
            ["gunicorn", "--config", "server/gunicorn_config.py"],
            self.environment | {"PORT": url.rpartition(":")[2]},
            self.folder / f"web{number or ''}.log",
            lambda: _answers(f"{url}/readyz"),
        )

    def _worker(self, number: int) -> Service:
        beats = Path(self.environment["DATA_DIR"]) / "workers"
        worker = Service(
            f"worker {number}",
            ["frontdesk", "run", "worker"],
            self.environment,
            self.folder / f"worker{number or ''}.log",
            lambda: any(beats.glob(f"*-{worker.pid}")),
        )
        return worker

    def prepare(self) -> None:
        """Fill the database: tables, and the demo business as tenant 1."""
        first_state.bring_about(self.environment, self.frontdesk)

    def frontdesk(self, *arguments: str) -> str:
        """Run the command line on this installation and return what it printed.

        Raises:
            LabError: it failed; the message holds what it said.
        """
        done = subprocess.run(  # noqa: S603 - our own command
            [str(Path(sys.executable).parent / "frontdesk"), *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=COMMAND_TIMEOUT_S,
            check=False,
        )
        if done.returncode != 0:
            raise LabError(f"frontdesk {' '.join(arguments)}: {done.stderr or done.stdout}")
        return done.stdout

    def link(self, tenant_id: str, host: str) -> None:
        """Scan the tenant's QR code with the business's phone *host* and wait until the number is linked."""
        self.call_sidecar("POST", f"/tenants/{tenant_id}/connect", {})
        self.whatsapp.scan(host, self.await_link(tenant_id, "qr")["qr"])
        self.await_link(tenant_id, "open")

    def await_link(self, tenant_id: str, state: str) -> dict[str, Any]:
        """Wait until the tenant's number is in *state*; return what the sidecar says of it."""
        found: dict[str, Any] = {}

        def is_there() -> bool:
            found.update(self.look_at(tenant_id))
            return bool(found["state"] == state)

        what = f"tenant {tenant_id} to be {state}, see {self.sidecar.log}"
        try:
            wait_until(is_there, START_TIMEOUT_S, what)
        except LabError as error:
            raise LabError(f"{error}; it is {found.get('state')}") from None
        return found

    def look_at(self, tenant_id: str) -> dict[str, Any]:
        """What the sidecar says of the tenant's number, or the one that it has moved to."""
        path = f"/tenants/{tenant_id}"
        found = self.call_sidecar("GET", path)
        return self._call(found["url"], "GET", path) if "url" in found else found

    def call_sidecar(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        """Call the sidecar as Flask does."""
        return self._call(self.sidecar_url, method, path, body)

    def _call(self, sidecar_url: str, method: str, path: str, body: object = None) -> dict[str, Any]:
        headers = {"X-Internal-Secret": self.secret}
        answer = requests.request(
            method, sidecar_url + path, json=body, headers=headers, timeout=CALL_TIMEOUT_S
        )
        answer.raise_for_status()
        return dict(answer.json()) if answer.content else {}

    def post_webhook(self, body: object, secret: str | None = None) -> requests.Response:
        """Call the webhook as the sidecar does."""
        headers = {"X-Internal-Secret": self.secret if secret is None else secret}
        url = f"{self.web_url}/webhook/whatsapp/incoming"
        return requests.post(url, json=body, headers=headers, timeout=CALL_TIMEOUT_S)


def wait_until(condition: Callable[[], bool], timeout_s: float, what: str) -> None:
    """Ask *condition* of another process until it holds; for what sends no event.

    Raises:
        LabError: it did not hold in time.
    """
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            raise LabError(f"waited {timeout_s:g} s in vain for {what}")
        time.sleep(POLL_S)


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=CALL_TIMEOUT_S).ok
    except requests.ConnectionError:
        return False
