"""``frontdesk run``: everything on this machine, or one process of it, from the Procfile."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import click
from honcho.environ import parse_procfile
from honcho.manager import SIGNALS, Manager

from server.commands import offline_voice
from server.commands.context import CommandContext
from server.commands.database import bring_up_to_date, seed_once
from server.errors import CommandError
from server.observability.logs import configure_logging
from server.secret_files import internal_secret
from server.settings import Settings
from server.worker import is_alive, work

_PROCFILE = Path(__file__).resolve().parents[2] / "Procfile"
_NODE_MAJOR = 20
_VERSION_TIMEOUT_S = 10


@click.command(epilog="Example: PORT=8000 frontdesk run")
@click.argument("process", required=False, type=click.Choice(["web", "realtime", "whatsapp", "worker"]))
@click.option("--check", is_flag=True, help="With `worker`: end with 0 if a worker of this machine is alive.")
@click.pass_obj
def run(context: CommandContext, process: str | None, check: bool) -> None:
    """Set up what is missing, start all processes of the Procfile and show how to link WhatsApp.

    Ctrl-C stops everything. With the name of a PROCESS only that one is run, and nothing is set up.
    """
    if check and process != "worker":
        raise CommandError("--check goes with `frontdesk run worker`")
    if process is None:
        _run_all(context)
    elif process != "worker":
        _become(process, context.settings)
    elif check:
        sys.exit(0 if is_alive(context.settings) else 1)
    else:
        _run_worker(context)


def _run_worker(context: CommandContext) -> None:
    settings = context.settings
    configure_logging(settings.log_level)
    if settings.has_workers:
        # Says in one sentence that migrations are missing.
        context.database.close()
    work(settings)


def _become(process: str, settings: Settings) -> None:
    """Turn this process into that of the Procfile."""
    command = shlex.split(parse_procfile(_PROCFILE.read_text(encoding="utf-8")).processes[process])
    os.chdir(_PROCFILE.parent)
    os.execvpe(command[0], command, _environment(settings))  # noqa: S606 - our own command


def _run_all(context: CommandContext) -> None:
    settings = context.settings
    check_node()
    ports = {
        "PORT": settings.port,
        "REALTIME_PORT": settings.realtime_port,
        "WHATSAPP_PORT": settings.whatsapp_port,
        **({"OFFLINE_VOICE_PORT": settings.offline_voice_port} if settings.offline_voice else {}),
    }
    for setting, port in ports.items():
        check_port(port, setting)
    processes = _processes(settings)
    bring_up_to_date(context)
    seed_once(context)
    internal_secret(settings)
    sys.exit(_run_processes(processes, _environment(settings)))


def check_node() -> None:
    """Raises CommandError unless a Node that the sidecar runs on is on the PATH."""
    node = shutil.which("node")
    if node is None:
        raise CommandError(f"Node is missing: install Node {_NODE_MAJOR} or newer")
    said = subprocess.run(  # noqa: S603 - found on the PATH
        [node, "--version"], capture_output=True, text=True, check=False, timeout=_VERSION_TIMEOUT_S
    ).stdout.strip()
    version = re.match(r"v(\d+)\.", said)
    if version is None or int(version[1]) < _NODE_MAJOR:
        raise CommandError(f"Node {said or 'of no version'} is too old: install Node {_NODE_MAJOR} or newer")


def check_port(port: int, setting: str) -> None:
    """Raises CommandError if something listens on *port* already."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise CommandError(
                f"port {port} is taken: stop what uses it, or choose another with {setting}"
            ) from None


def _environment(settings: Settings) -> dict[str, str]:
    """What each process is given: where the others are, whatever ports were chosen."""
    own = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "PORT": str(settings.port),
        "REALTIME_PORT": str(settings.realtime_port),
        "WHATSAPP_PORT": str(settings.whatsapp_port),
        "SERVER_URL": os.environ.get("SERVER_URL") or f"http://127.0.0.1:{settings.port}",
        "WHATSAPP_URL": settings.sidecar_url,
        "PYTHONUNBUFFERED": "1",
    }
    return os.environ | own | offline_voice.environment(settings)


def _processes(settings: Settings) -> dict[str, str]:
    """What is run: those of the Procfile, and the offline voice where it is wanted."""
    processes = dict(parse_procfile(_PROCFILE.read_text(encoding="utf-8")).processes)
    if settings.offline_voice:
        click.echo(offline_voice.NOTICE, err=True)
        processes[offline_voice.PROCESS] = offline_voice.command(
            _PROCFILE.parent, settings.offline_voice_port
        )
    return processes


def _run_processes(processes: dict[str, str], environment: dict[str, str]) -> int:
    manager = Manager()
    for name, command in processes.items():
        manager.add_process(name, command, env=environment, cwd=str(_PROCFILE.parent))
    # A process of its own: the manager forks, and a thread must not be in the way.
    welcome = subprocess.Popen(
        [sys.executable, "-m", "server.commands.welcome"], env=environment, start_new_session=True
    )
    try:
        manager.loop()
    finally:
        welcome.terminate()
        welcome.wait()
    stopped_by_hand = manager.returncode in {SIGNALS[signal.SIGINT]["rc"], SIGNALS[signal.SIGTERM]["rc"]}
    return 0 if stopped_by_hand else int(manager.returncode or 0)
