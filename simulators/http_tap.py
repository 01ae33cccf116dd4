"""Reads along on an HTTP/1.1 connection: which call began, and when it had its answer."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

_END_OF_CHUNKS = b"0\r\n\r\n"


@dataclass(eq=False)
class Call:
    """One call. ``status`` is None while it is under way, and 0 if the connection broke before its answer."""

    caller: str
    callee: str
    method: str
    path: str
    body: bytes
    began: float
    ended: float | None = None
    status: int | None = None


class CallTap:
    """The calls of one connection, one after another.

    Args:
        tell: is given each call when it has begun and again when it has ended.
    """

    def __init__(self, caller: str, callee: str, tell: Callable[[Call], None]) -> None:
        self._caller = caller
        self._callee = callee
        self._tell = tell
        self._request = b""
        self._response = b""
        self._call: Call | None = None

    def asked(self, data: bytes) -> None:
        """The caller has written *data*."""
        self._request += data
        parts = _whole(self._request)
        if parts is None or self._call is not None:
            return
        first, body = parts
        method, path, _ = first.split(" ", 2)
        self._request = b""
        self._response = b""
        self._call = Call(self._caller, self._callee, method, path, body, time.monotonic())
        self._tell(self._call)

    def answered(self, data: bytes) -> None:
        """The callee has written *data*."""
        if self._call is None:
            return
        self._response += data
        parts = _whole(self._response)
        if parts is not None:
            self._end(int(parts[0].split(" ", 2)[1]))

    def break_off(self) -> None:
        """The connection is gone."""
        if self._call is not None:
            self._end(0)

    def _end(self, status: int) -> None:
        call, self._call = self._call, None
        if call is not None:
            call.ended, call.status = time.monotonic(), status
            self._tell(call)


def _whole(data: bytes) -> tuple[str, bytes] | None:
    """First line and body of the message in *data*; None while it is not there whole."""
    head, separator, body = data.partition(b"\r\n\r\n")
    if not separator:
        return None
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = dict(_header(line) for line in lines)
    return (first, body) if _is_whole(headers, body) else None


def _header(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name.strip().lower(), value.strip()


def _is_whole(headers: Mapping[str, str], body: bytes) -> bool:
    if "chunked" in headers.get("transfer-encoding", ""):
        return body.endswith(_END_OF_CHUNKS)
    return len(body) >= int(headers.get("content-length", "0"))
