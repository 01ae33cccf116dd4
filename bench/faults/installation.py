"""The installation under test: its processes, each behind wires of its own."""

from __future__ import annotations

import shutil
import signal
import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self
from urllib.parse import urlsplit

import requests

from bench.faults.books import Books
from bench.faults.process import Process, Supervisor
from bench.faults.watch import EVERYBODY
from simulators.lab import Lab, wait_until
from simulators.openai_client import OpenAISimulator
from simulators.ports import free_port
from simulators.postgres import Cluster
from simulators.whatsapp_client import WhatsAppSimulator
from simulators.wire import Observer, Switchboard, Wire

DatabaseKind = Literal["sqlite", "postgres"]

HOST = "972500000001"
TENANT = "1"
LEASE_S = 2
READY_TIMEOUT_S = 60.0
# How many of each process.
MACHINES: Mapping[DatabaseKind, Mapping[str, int]] = {
    "sqlite": {"web": 1, "worker": 0, "sidecar": 1},
    "postgres": {"web": 2, "worker": 2, "sidecar": 2},
}
_PROBE_TIMEOUT_S = 2.0
# The model is slow, not broken: a turn that fell back to the embedded answers would name no question.
_SETTINGS = {
    "OPENAI_API_KEY": "sk-simulator",
    "AI_TIMEOUT_S": "8",
    "AI_TOTAL_S": "12",
    "LEASE_S": str(LEASE_S),
    # Faults are what slows sends down here, not care for a young number.
    "WHATSAPP_SENDS_PER_MINUTE": "6000",
    "WHATSAPP_WARM_UP_DAYS": "0",
    # A disk that is full while Python starts would leave half a .pyc behind in the tree of whoever runs this.
    "PYTHONDONTWRITEBYTECODE": "1",
}


class Installation:
    """Processes and wires in *folder*, as many as MACHINES says.

    ``wires`` are by where they lead: ``whatsapp``, ``server`` (from sidecars), ``sidecar``, ``model`` and,
    with PostgreSQL, ``database``.

    Args:
        observer: is told of the calls over those of the wires that carry HTTP.
        settings: more of them, for all processes.
    """

    def __init__(
        self,
        folder: Path,
        database: DatabaseKind,
        whatsapp: WhatsAppSimulator,
        model: OpenAISimulator,
        observer: Observer,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.database: DatabaseKind = database
        self.whatsapp = whatsapp
        self.wires: dict[str, list[Wire]] = {}
        self._observer = observer
        self._model_port = urlsplit(model.base_url).port or 0
        self._socket = urlsplit(whatsapp.socket_url)
        self._stack = ExitStack()
        self.switchboard = self._stack.enter_context(Switchboard())
        self.cluster = self._make_cluster() if database == "postgres" else None
        of_each = MACHINES[database]
        self._webs = {f"web-{number}": free_port() for number in range(1, 1 + of_each["web"])}
        self._sidecars = {f"sidecar-{number}": free_port() for number in range(1, 1 + of_each["sidecar"])}
        workers = [f"worker-{number}" for number in range(1, 1 + of_each["worker"])]
        self._lab = Lab(folder, whatsapp, {**_SETTINGS, **self._direct(), **(settings or {})})
        self._lab.sidecar_url = f"http://127.0.0.1:{self._sidecars['sidecar-1']}"
        self.processes = [
            *self._database_processes(),
            *(self._web(name, port) for name, port in self._webs.items()),
            *(self._worker(name) for name in workers),
            *(self._sidecar(name, port) for name, port in self._sidecars.items()),
        ]
        self.supervisor = Supervisor(self.processes)
        self.books = Books(
            self.database_file if self.cluster is None else self.cluster.url(self.cluster.port)
        )

    @property
    def database_file(self) -> Path:
        """Of SQLite."""
        return self.folder / "var" / "frontdesk.db"

    @property
    def web_url(self) -> str:
        """The first web process, past all wires."""
        return f"http://127.0.0.1:{self._webs['web-1']}"

    def __enter__(self) -> Self:
        """Everything up, and the number linked."""
        database = [process for process in self.processes if process.name == "postgres"]
        for process in database:
            process.spawn()
            wait_until(process.is_ready, READY_TIMEOUT_S, f"{process.name}, see {process.log}")
        try:
            self._lab.prepare()
            self.supervisor.start()
            self.await_ready()
            self.whatsapp.add_host(HOST, name="Demo House")
            self.link()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.supervisor.stop()
        self.books.close()
        self._stack.close()

    def process(self, name: str) -> Process:
        """The process of that name."""
        return next(process for process in self.processes if process.name == name)

    def call_sidecar(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        """Call the first sidecar as an operator does, past all wires."""
        return self._lab.call_sidecar(method, path, body)

    def link(self) -> None:
        """Link the number by its QR code."""
        self._lab.link(TENANT, HOST)

    def await_ready(self) -> None:
        """Wait until every process can do its work.

        Raises:
            LabError: one of them did not come up; the message says where its log is.
        """
        for process in self.processes:
            wait_until(process.is_ready, READY_TIMEOUT_S, f"{process.name} to be ready, see {process.log}")

    def linked_sidecar(self) -> str:
        """Which sidecar is connected to WhatsApp; empty if none is."""
        return next((wire.caller for wire in self.wires["whatsapp"] if wire.connections), "")

    def mend(self) -> None:
        """All wires as new."""
        for wires in self.wires.values():
            for wire in wires:
                self.switchboard.do(wire.mend())

    def _make_cluster(self) -> Cluster:
        # The server runs as another user, who could not enter a folder of ours.
        folder = Path(tempfile.mkdtemp(prefix="frontdesk-faults-"))
        self._stack.callback(shutil.rmtree, folder, ignore_errors=True)
        return Cluster(folder)

    def _direct(self) -> Mapping[str, str]:
        """Where the command line finds the database: past the wires."""
        if self.cluster is None:
            return {}
        return {"DATABASE_URL": self.cluster.url(self.cluster.port), "TURN_ENGINE": "procrastinate"}

    def _database_processes(self) -> list[Process]:
        if self.cluster is None:
            return []
        # Its folder is another user's; the log is opened by us and handed on.
        log = self.folder / "postgres.log"
        cluster = self.cluster
        # SIGINT does not wait for clients to leave.
        return [Process("postgres", cluster.command, {}, log, cluster.is_ready, cluster.user, signal.SIGINT)]

    def _web(self, name: str, port: int) -> Process:
        command = ["gunicorn", "--config", "server/gunicorn_config.py"]
        environment = {"PORT": str(port), **self._engine_environment(name)}
        return self._process(name, command, environment, lambda: _is_ok(f"http://127.0.0.1:{port}/readyz"))

    def _worker(self, name: str) -> Process:
        process = self._process(
            name, ["frontdesk", "run", "worker"], self._engine_environment(name), lambda: True
        )
        process.is_ready = lambda: process.is_running
        return process

    def _sidecar(self, name: str, port: int) -> Process:
        server = self._wire("server", name, self._webs, self._observer)
        whatsapp = self._wire("whatsapp", name, {"whatsapp": self._socket.port or 0})
        announced = self._wire("sidecar", EVERYBODY, {name: port}, self._observer) if self.cluster else None
        environment = {
            "WHATSAPP_PORT": str(port),
            "SERVER_URL": f"http://127.0.0.1:{server.port}",
            "WHATSAPP_SOCKET_URL": f"ws://127.0.0.1:{whatsapp.port}{self._socket.path}",
            **({"WHATSAPP_ADVERTISE_URL": f"http://127.0.0.1:{announced.port}"} if announced else {}),
            **self._own(name),
        }
        command = ["node", "services/whatsapp/src/index.js"]
        return self._process(name, command, environment, lambda: _is_there(f"http://127.0.0.1:{port}/health"))

    def _engine_environment(self, name: str) -> Mapping[str, str]:
        model = self._wire("model", name, {"model": self._model_port}, self._observer)
        sidecar = self._wire("sidecar", name, self._sidecars, self._observer)
        return {
            "OPENAI_BASE_URL": f"http://127.0.0.1:{model.port}/v1",
            "WHATSAPP_URL": f"http://127.0.0.1:{sidecar.port}",
            **self._own(name),
        }

    def _own(self, name: str) -> Mapping[str, str]:
        """What each process has for itself where there are several machines."""
        if self.cluster is None:
            return {}
        database = self._wire("database", name, {"postgres": self.cluster.port})
        return {"DATABASE_URL": self.cluster.url(database.port), "DATA_DIR": str(self.folder / name)}

    def _wire(
        self,
        kind: str,
        caller: str,
        targets: Mapping[str, int],
        observer: Observer | None = None,
    ) -> Wire:
        wire = self.switchboard.wire(caller, list(targets.items()), observer)
        self.wires.setdefault(kind, []).append(wire)
        return wire

    def _process(
        self, name: str, command: list[str], environment: Mapping[str, str], is_ready: Callable[[], bool]
    ) -> Process:
        whole = {**self._lab.environment, **environment}
        return Process(name, command, whole, self.folder / f"{name}.log", is_ready)


def _is_ok(url: str) -> bool:
    with suppress(requests.RequestException):
        return requests.get(url, timeout=_PROBE_TIMEOUT_S).ok
    return False


def _is_there(url: str) -> bool:
    with suppress(requests.RequestException):
        return requests.get(url, timeout=_PROBE_TIMEOUT_S).status_code in (200, 503)
    return False
