"""A scratch desk for the chat API: its real processes, a simulated model, a sink in the sidecar's place."""

from __future__ import annotations

import secrets
import shlex
import shutil
import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench.messages import TENANT
from simulators.lab import ROOT, Lab, LabError, Service
from simulators.openai_client import OpenAISimulator, start_openai_simulator
from simulators.ports import free_port
from simulators.whatsapp_client import WhatsAppSimulator

# What a guest waits for with a model of today; the seconds are the simulator's own and never ours.
FIRST_TOKEN_MS = 400
TOKENS_PER_SECOND = 50
PACE = {"latency_first_token_ms": FIRST_TOKEN_MS, "tokens_per_second": TOKENS_PER_SECOND, "ground": True}
_CONNECT_TIMEOUT_S = 1.0
_LOG_CHARS = 2_000


class ChatDesk:
    """A scratch installation with a model.

    Args:
        folder: is made; holds everything.
        database: the URL of an empty database.
        settings: more settings of all its processes.
        has_realtime: whether the process for many streams runs too.
    """

    def __init__(
        self,
        folder: Path,
        database: str,
        model: OpenAISimulator,
        settings: Mapping[str, str],
        *,
        has_realtime: bool = False,
    ) -> None:
        folder.mkdir(exist_ok=True)
        sink_port, realtime_port = free_port(), free_port()
        more = {
            "DATABASE_URL": database,
            "WHATSAPP_URL": f"http://127.0.0.1:{sink_port}",
            "REALTIME_HOST": "127.0.0.1",
            "REALTIME_PORT": str(realtime_port),
            # One key asks for all guests here.
            "API_CALLS_PER_MINUTE": "0",
            # PostgreSQL's turns too are taken by the process that was asked.
            "TURN_ENGINE": "in-process",
            **model.settings,
            **settings,
        }
        self.model = model
        self.lab = Lab(folder, WhatsAppSimulator(socket_url="", control_url="", root_key=""), more)
        self.urls = {"web": self.lab.web_url, "realtime": f"http://127.0.0.1:{realtime_port}"}
        self._key = ""
        sink = self._service("sink", [sys.executable, "-m", "bench.sink", str(sink_port)], sink_port)
        self.services = [sink, self.lab.web]
        if has_realtime:
            self.services.append(self._service("realtime", _procfile_command("realtime"), realtime_port))

    @property
    def headers(self) -> Mapping[str, str]:
        """What a client of the chat API sends."""
        return {"Authorization": f"Bearer {self._key}"}

    def prepare(self) -> None:
        """Fill the database: tables, the demo business, a key."""
        self.lab.prepare()
        self._key = self.lab.frontdesk("keys", "create", "--tenant", TENANT).split()[-1]

    def copied_from(self, prepared: ChatDesk) -> None:
        """Begin with the files that *prepared* has now; it must not run."""
        shutil.copytree(prepared.lab.folder, self.lab.folder, dirs_exist_ok=True)
        self._key = prepared._key

    @contextmanager
    def running(self) -> Iterator[None]:
        """Its processes, killed at the end, since nothing of it is to be kept."""
        with ExitStack() as stack:
            for service in self.services:
                stack.callback(service.kill)
                _start(service)
            yield

    def processes(self) -> dict[str, int]:
        """A name for each process of the product."""
        return {service.name.split()[0]: service.pid for service in self.services[1:]}

    def _service(self, name: str, command: list[str], port: int) -> Service:
        log = self.lab.folder / f"{name}.log"
        return Service(name, command, self.lab.environment, log, lambda: _listens(port))


@contextmanager
def simulated_model() -> Iterator[OpenAISimulator]:
    """A model at the pace of `PACE`, whose answers are grounded in the prompt's documents."""
    with start_openai_simulator() as model:
        model.control(**PACE)
        yield model


def new_conversation() -> str:
    """An id that no other conversation has."""
    return f"bench-{secrets.token_hex(6)}"


def _start(service: Service) -> None:
    try:
        service.start()
    except LabError as error:
        # Its folder goes with it.
        said = service.log.read_text(errors="replace").strip()[-_LOG_CHARS:]
        raise LabError(f"{error}; it said:\n{said}") from error


def _procfile_command(name: str) -> list[str]:
    lines = (ROOT / "Procfile").read_text().splitlines()
    found = [line.partition(":")[2] for line in lines if line.startswith(f"{name}:")]
    if not found:
        raise LabError(f"the Procfile has no process {name!r}")
    return shlex.split(found[0])


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), _CONNECT_TIMEOUT_S).close()
    except OSError:
        return False
    return True
