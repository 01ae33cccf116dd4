"""The wires that fault tests break do to what runs over them what they say."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests

from simulators.http_tap import Call
from simulators.wire import Switchboard

TIMEOUT_S = 30.0
DELAY_S = 0.2


class Echo(BaseHTTPRequestHandler):
    """Answers a POST with its body, /chunked in chunks."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        if self.path == "/chunked":
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body))
        else:
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def echo_port() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def switchboard() -> Iterator[Switchboard]:
    with Switchboard() as made:
        yield made


def post(port: int, path: str = "/", body: bytes = b"hello", timeout_s: float = TIMEOUT_S) -> bytes:
    """A call over a connection of its own."""
    return requests.post(f"http://127.0.0.1:{port}{path}", data=body, timeout=timeout_s).content


@pytest.mark.parametrize("path", ["/", "/chunked"])
def test_a_whole_wire_carries_calls_and_tells_of_them(
    switchboard: Switchboard, echo_port: int, path: str
) -> None:
    told: list[tuple[Call, int | None]] = []
    wire = switchboard.wire("us", [("echo", echo_port)], lambda call: told.append((call, call.status)))
    body = b"x" * 200_000
    assert post(wire.port, path, body) == body
    [(begun, at_first), (ended, at_last)] = told
    assert begun is ended
    assert (begun.caller, begun.callee, begun.method, begun.path) == ("us", "echo", "POST", path)
    assert begun.body == body
    assert (at_first, at_last) == (None, 200)


def test_two_calls_on_one_connection_are_two_calls(switchboard: Switchboard, echo_port: int) -> None:
    told: list[Call] = []
    wire = switchboard.wire("us", [("echo", echo_port)], told.append)
    with requests.Session() as session:
        for body in (b"one", b"two"):
            session.post(f"http://127.0.0.1:{wire.port}/", data=body, timeout=TIMEOUT_S)
    assert [call.body for call in told] == [b"one", b"one", b"two", b"two"]


def test_a_cut_wire_refuses_and_breaks_off_what_is_open(switchboard: Switchboard, echo_port: int) -> None:
    wire = switchboard.wire("us", [("echo", echo_port)])
    with socket.create_connection(("127.0.0.1", wire.port), TIMEOUT_S) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nok")
        with connection.makefile("rb") as answer:
            assert answer.readline().startswith(b"HTTP/1.1 200")
            switchboard.do(wire.cut())
            with suppress(ConnectionResetError):
                answer.read()
    with pytest.raises(requests.ConnectionError):
        post(wire.port)
    switchboard.do(wire.mend())
    assert post(wire.port) == b"hello"


def test_a_stalled_wire_holds_everything_back_until_it_is_mended(
    switchboard: Switchboard, echo_port: int
) -> None:
    wire = switchboard.wire("us", [("echo", echo_port)])
    switchboard.do(wire.stall())
    with pytest.raises(requests.Timeout):
        post(wire.port, timeout_s=DELAY_S)
    answers: list[bytes] = []
    waiting = threading.Thread(target=lambda: answers.append(post(wire.port)))
    waiting.start()
    switchboard.do(wire.mend())
    waiting.join()
    assert answers == [b"hello"]


def test_a_slow_wire_takes_its_time_both_ways(switchboard: Switchboard, echo_port: int) -> None:
    wire = switchboard.wire("us", [("echo", echo_port)])
    switchboard.do(wire.slow(DELAY_S))
    started = time.monotonic()
    assert post(wire.port) == b"hello"
    assert time.monotonic() - started >= 2 * DELAY_S


def test_a_target_that_is_down_is_passed_over(switchboard: Switchboard, echo_port: int) -> None:
    told: list[Call] = []
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        targets = [("down", nobody.getsockname()[1]), ("echo", echo_port)]
        wire = switchboard.wire("us", targets, told.append)
        assert [post(wire.port), post(wire.port)] == [b"hello", b"hello"]
    assert {call.callee for call in told} == {"echo"}


def test_a_call_whose_connection_breaks_is_told_to_have_ended(
    switchboard: Switchboard, echo_port: int
) -> None:
    begun, ended = threading.Event(), threading.Event()
    told: list[Call] = []

    def observe(call: Call) -> None:
        told.append(call)
        (begun if call.ended is None else ended).set()

    wire = switchboard.wire("us", [("echo", echo_port)], observe)
    switchboard.do(wire.stall())
    with ThreadPoolExecutor() as pool:
        # Without a body it is one piece: of two, the second would not be read before the wire is mended.
        posting = pool.submit(post, wire.port, body=b"")
        assert begun.wait(TIMEOUT_S)
        switchboard.do(wire.cut())
        assert ended.wait(TIMEOUT_S)
        with pytest.raises(requests.ConnectionError):
            posting.result(TIMEOUT_S)
    assert told[-1].status == 0
