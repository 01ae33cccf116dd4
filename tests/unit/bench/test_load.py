"""The load generator against a server that answers as a test wishes."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from bench.load import Load, run

_OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
Answer = Callable[[bytes], bytes]


class Server:
    """Answers each request with what *answer* makes of it, and counts connections and requests."""

    def __init__(self, answer: Answer) -> None:
        self.connections = 0
        self.bodies: list[bytes] = []
        self._answer = answer
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Listen no more."""
        self._socket.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as requests:
            while requests.readline():
                length = 0
                while (line := requests.readline()) != b"\r\n":
                    if line.lower().startswith(b"content-length:"):
                        length = int(line.partition(b":")[2])
                body = requests.read(length)
                self.bodies.append(body)
                answer = self._answer(body)
                if not answer:
                    return
                connection.sendall(answer)


@pytest.fixture
def serve() -> Iterator[Callable[[Answer], Server]]:
    """Starts servers; they end with the test."""
    servers: list[Server] = []

    def start(answer: Answer) -> Server:
        servers.append(Server(answer))
        return servers[-1]

    yield start
    for server in servers:
        with closing(server):
            pass


def _load(server: Server, **changes: object) -> Load:
    wish: dict[str, object] = {
        "name": "x",
        "host": "127.0.0.1",
        "port": server.port,
        "path": "/",
        "headers": {},
        "bodies": [str(number) for number in range(20)],
        "connections": 2,
        "rate": 400.0,
    }
    return Load(**(wish | changes))  # type: ignore[arg-type]


def test_each_body_is_sent_once_over_connections_that_are_kept(serve: Callable[[Answer], Server]) -> None:
    server = serve(lambda _body: _OK)
    outcome = run([_load(server)])[0]
    assert sorted(server.bodies, key=int) == [str(number).encode() for number in range(20)]
    assert server.connections <= 2
    assert outcome.errors == 0
    assert outcome.answered() == len(outcome.latencies(0)) == 20


def test_a_fresh_connection_serves_one_request(serve: Callable[[Answer], Server]) -> None:
    server = serve(lambda _body: _OK)
    run([_load(server, is_kept=False)])
    assert server.connections == 20


def test_latency_counts_from_when_a_request_was_due_not_from_when_it_could_be_sent(
    serve: Callable[[Answer], Server],
) -> None:
    held = threading.Event()

    def answer(body: bytes) -> bytes:
        # The first holds the only connection until the last is long due.
        if body == b"0":
            held.wait(0.3)
        return _OK

    outcome = run([_load(serve(answer), connections=1, rate=200.0)])[0]
    due, waited_ms, _ = sorted(outcome.answers)[1]
    assert due < 0.1
    assert waited_ms > 150


def test_what_is_refused_or_broken_off_is_an_error_and_counts_with_its_time(
    serve: Callable[[Answer], Server],
) -> None:
    answers = {b"0": b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", b"1": b""}
    outcome = run([_load(serve(lambda body: answers.get(body, _OK)))])[0]
    assert outcome.errors == 2
    assert outcome.answered() == 18
    assert len(outcome.latencies(0)) == 20


def test_a_closed_load_asks_again_until_its_time_is_over(serve: Callable[[Answer], Server]) -> None:
    server = serve(lambda _body: _OK)
    run([_load(server, rate=None, seconds=0.3, bodies=["a", "b"])])
    assert len(server.bodies) > 4
