"""A load generator: ``python -m bench.load``, a process of its own, so that it blurs nobody else's times.

Reads a list of `Load` as JSON from standard input and writes, for each, what became of its requests to
standard output. With a rate the load is open: each request has its time, and its latency counts from that
time, not from when a connection was free for it. Without one each connection asks again once it has been
answered.
"""

from __future__ import annotations

import gc
import json
import socket
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from bench.apart import run_apart

TIMEOUT_S = 10.0
# A request that no connection was free for so long is given up: the other side does not keep up.
GIVE_UP_S = 10.0
# Threads are ready and clocks read the same before the first request is due.
_LEAD_S = 0.5
_MARGIN_S = 2 * (TIMEOUT_S + GIVE_UP_S)


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Requests to one address.

    Attributes:
        bodies: JSON texts, sent in this order; an open load sends each once, a closed one begins again.
        rate: requests a second; None sends as fast as *connections* are answered.
        offset_s: when the first is due.
        seconds: how long a closed load goes on.
        is_kept: whether a connection serves many requests, or one.
    """

    name: str
    host: str
    port: int
    path: str
    headers: Mapping[str, str]
    bodies: Sequence[str]
    connections: int
    rate: float | None = None
    offset_s: float = 0.0
    seconds: float = 0.0
    is_kept: bool = True


@dataclass(slots=True)
class Outcome:
    """What became of a load's requests.

    ``answers`` are (due at, seconds since the start; latency in ms; HTTP status, 0 where none came in time).
    """

    name: str
    answers: list[tuple[float, float, int]] = field(default_factory=list)

    def latencies(self, after_s: float) -> list[float]:
        """Latencies in ms of what was due at *after_s* or later.

        What failed counts with the time until it did: leaving it out would flatter a server that drops
        what it is slow at.
        """
        return [ms for due, ms, _ in self.answers if due >= after_s]

    def answered(self, after_s: float = 0.0) -> int:
        """How many requests that were due at *after_s* or later were answered with 200."""
        return sum(status == 200 and due >= after_s for due, _, status in self.answers)

    @property
    def errors(self) -> int:
        """Requests that were not answered with 200."""
        return sum(status != 200 for _, _, status in self.answers)


def generate(loads: Sequence[Load], seconds: float, label: str) -> dict[str, Outcome]:
    """Run *loads* side by side in a process of their own, with a bar on standard error.

    Raises:
        RuntimeError: the generator failed; what it said stands on standard error.
    """
    found = run_apart("bench.load", [asdict(load) for load in loads], seconds, _MARGIN_S, label)
    return {one["name"]: Outcome(one["name"], [tuple(answer) for answer in one["answers"]]) for one in found}


def run(loads: Sequence[Load]) -> list[Outcome]:
    """Run *loads* side by side in this process."""
    outcomes = [Outcome(load.name) for load in loads]
    start = time.monotonic() + _LEAD_S
    threads = [
        threading.Thread(target=_connection, args=(load, work, start, outcome))
        for load, outcome in zip(loads, outcomes, strict=True)
        for work in [_Work(load)]
        for _ in range(load.connections)
    ]
    # What lives now lives to the end; a collection would stop all connections.
    gc.freeze()
    gc.disable()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


class _Work:
    """Hands the requests of a load to whichever connection is free."""

    def __init__(self, load: Load) -> None:
        self._lock = threading.Lock()
        self._requests = self._all(load)

    def take(self) -> tuple[float | None, bytes] | None:
        """When the next request is due (seconds since the start; None: at once) and its bytes."""
        with self._lock:
            return next(self._requests, None)

    @staticmethod
    def _all(load: Load) -> Iterator[tuple[float | None, bytes]]:
        if load.rate is not None:
            for number, body in enumerate(load.bodies):
                yield load.offset_s + number / load.rate, _request(load, body)
            return
        ends = time.monotonic() + _LEAD_S + load.seconds
        while True:
            for body in load.bodies:
                if time.monotonic() > ends:
                    return
                yield None, _request(load, body)


def _connection(load: Load, work: _Work, start: float, outcome: Outcome) -> None:
    connection: socket.socket | None = None
    _sleep_until(start)
    while (request := work.take()) is not None:
        due, data = request
        if due is not None:
            _sleep_until(start + due)
        began = time.monotonic() if due is None else start + due
        status = 0
        if time.monotonic() - began < GIVE_UP_S:
            try:
                connection = connection or _connect(load)
                status = _exchange(connection, data)
            except OSError:
                _close(connection)
                connection = None
        ended = time.monotonic()
        outcome.answers.append((began - start, (ended - began) * 1000, status))
        if not load.is_kept:
            _close(connection)
            connection = None
    _close(connection)


def _sleep_until(moment: float) -> None:
    left = moment - time.monotonic()
    if left > 0:
        time.sleep(left)


def _connect(load: Load) -> socket.socket:
    connection = socket.create_connection((load.host, load.port), TIMEOUT_S)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def _close(connection: socket.socket | None) -> None:
    if connection is not None:
        connection.close()


def _request(load: Load, body: str) -> bytes:
    data = body.encode()
    headers = {
        "Host": f"{load.host}:{load.port}",
        "Content-Type": "application/json",
        "Content-Length": str(len(data)),
        "Connection": "keep-alive" if load.is_kept else "close",
        **load.headers,
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"POST {load.path} HTTP/1.1\r\n{head}\r\n".encode() + data


def _exchange(connection: socket.socket, data: bytes) -> int:
    """Send *data* and read the whole answer; its status.

    Raises:
        ConnectionError: the other side closed before the answer was complete.
    """
    connection.sendall(data)
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += _receive(connection)
    head, _, body = answer.partition(b"\r\n\r\n")
    left = _content_length(head) - len(body)
    while left > 0:
        left -= len(_receive(connection))
    return int(head.split(b" ", 2)[1])


def _receive(connection: socket.socket) -> bytes:
    data = connection.recv(65_536)
    if not data:
        raise ConnectionError("closed before the answer was complete")
    return data


def _content_length(head: bytes) -> int:
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            return int(value)
    raise ConnectionError("an answer without a length")


def main() -> None:
    """Read loads from standard input, run them, write outcomes to standard output."""
    wishes: list[dict[str, Any]] = json.load(sys.stdin)
    json.dump([asdict(outcome) for outcome in run([Load(**wish) for wish in wishes])], sys.stdout)


if __name__ == "__main__":
    main()
