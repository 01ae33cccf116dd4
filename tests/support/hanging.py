"""Servers that hang: each at another point of an exchange, and for good."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum

_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 1000000\r\n\r\n"
# The beginning of a body to all: JSON that is not whole, and a first word to a model's reader.
_BODY = b'data: {"choices": [{"index": 0, "delta": {"content": "Hello"}, "finish_reason": null}]}\n\n'
_BETWEEN_BYTES_S = 0.03
_FILLERS = 8
# What a machine under load may add to a limit; whoever has no limit waits for ever.
SLACK_S = 5.0


class Hang(StrEnum):
    """Where it hangs; one that trickles never stops to send, and never comes to an end."""

    CONNECT = "connect"
    HEADERS = "headers"
    FIRST_BYTE = "first_byte"
    MID_STREAM = "mid_stream"
    TRICKLED_HEAD = "trickled_head"
    TRICKLED_BODY = "trickled_body"


@contextmanager
def hanging_server(hang: Hang) -> Iterator[int]:
    """The port of a server on loopback that hangs so, for the time of the block."""
    stopped = threading.Event()
    if hang is Hang.CONNECT:
        with _full_backlog() as port:
            yield port
        return
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listening:
        thread = threading.Thread(target=_serve, args=(listening, _MANNERS[hang], stopped))
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            stopped.set()
            # Wakes the thread from its wait for somebody to come.
            listening.shutdown(socket.SHUT_RDWR)
            thread.join()


@contextmanager
def _full_backlog() -> Iterator[int]:
    """A port whose queue of connections is full and stays so: the kernel answers nobody more."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listening:
        address = listening.getsockname()
        fillers = [socket.socket() for _ in range(_FILLERS)]
        try:
            for filler in fillers:
                filler.setblocking(False)
                with suppress(BlockingIOError):
                    filler.connect(address)
            yield address[1]
        finally:
            for filler in fillers:
                filler.close()


Manner = Callable[[socket.socket, threading.Event], None]


def _serve(listening: socket.socket, manner: Manner, stopped: threading.Event) -> None:
    threads = []
    while not stopped.is_set():
        try:
            connection, _ = listening.accept()
        except OSError:
            break
        threads.append(threading.Thread(target=_hang, args=(connection, manner, stopped)))
        threads[-1].start()
    for thread in threads:
        thread.join()


def _hang(connection: socket.socket, manner: Manner, stopped: threading.Event) -> None:
    with connection, suppress(OSError):
        manner(connection, stopped)
        stopped.wait()


def _trickle(content: bytes) -> Manner:
    def send(connection: socket.socket, stopped: threading.Event) -> None:
        while True:
            for place in range(len(content)):
                if stopped.wait(_BETWEEN_BYTES_S):
                    return
                connection.sendall(content[place : place + 1])

    return send


def _at_once(content: bytes) -> Manner:
    return lambda connection, _stopped: connection.sendall(content)


def _then(content: bytes, manner: Manner) -> Manner:
    def send(connection: socket.socket, stopped: threading.Event) -> None:
        connection.sendall(content)
        manner(connection, stopped)

    return send


_MANNERS: dict[Hang, Manner] = {
    Hang.HEADERS: _at_once(b""),
    Hang.FIRST_BYTE: _at_once(_HEAD),
    Hang.MID_STREAM: _at_once(_HEAD + _BODY),
    Hang.TRICKLED_HEAD: _then(b"HTTP/1.1 200 OK\r\n", _trickle(b"X-Padding: 1\r\n")),
    Hang.TRICKLED_BODY: _then(_HEAD, _trickle(_BODY)),
}
