"""An exchange has one limit from the call to the last byte; within it HTTP is what it was."""

from __future__ import annotations

import gzip
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from server.adapters.http import HttpClient
from server.errors import ProviderTimeout, ProviderUnavailable
from tests.support.hanging import Hang, hanging_server
from tests.support.http_server import scripted_server

PATIENT_S = 20.0
BODY = b"x" * 300_000


@contextmanager
def answering(*answers: bytes) -> Iterator[str]:
    """The URL of a server that answers each connection with the next of *answers*, and closes it."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            for answer in answers:
                connection, _ = listening.accept()
                with connection, suppress(OSError):
                    connection.recv(65536)
                    connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        thread.join()


def chunked(content: bytes) -> bytes:
    return b"%x\r\n%b\r\n0\r\n\r\n" % (len(content), content)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n" + BODY,
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + BODY,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(BODY),
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Encoding: gzip\r\n\r\n" + gzip.compress(BODY),
    ],
    ids=["with a length", "to the end", "in chunks", "packed"],
)
def test_a_body_arrives_whole_however_it_is_framed(answer: bytes) -> None:
    with answering(answer) as url:
        client = HttpClient("test", heeds_environment=False)
        assert client.request("GET", url, PATIENT_S).content == BODY
        client.close()


def test_a_limit_that_was_long_ago_does_not_touch_the_next_exchange() -> None:
    with scripted_server() as server:
        client = HttpClient("test", heeds_environment=False)
        with hanging_server(Hang.TRICKLED_BODY) as port, pytest.raises(ProviderTimeout):
            client.post(f"http://127.0.0.1:{port}", {}, 0.2)
        for _ in range(3):
            client.post(server.url, {"n": 1}, PATIENT_S)
        assert len(server.connections) == 1
        client.close()


def test_a_body_that_ends_too_early_is_no_timeout() -> None:
    with answering(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nxx") as url:
        client = HttpClient("test", heeds_environment=False)
        with pytest.raises(ProviderUnavailable) as caught:
            client.request("GET", url, PATIENT_S)
        assert not isinstance(caught.value, ProviderTimeout)
        client.close()
