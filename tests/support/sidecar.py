"""A small sidecar over HTTP: numbers are linked and looked at and guests forgotten, as in the contract."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.support.http_server import served


@dataclass
class SmallSidecar:
    """What a test says the numbers are: ``looks`` by tenant, and the ``health`` lines of all.

    ``asked`` are method, path and body of each call that had the secret. While ``is_hanging`` nothing is
    answered; ``refusal`` is the status of every call that would change something.
    """

    secret: str
    url: str = ""
    looks: dict[str, dict[str, Any]] = field(default_factory=dict)
    health: list[dict[str, Any]] = field(default_factory=list)
    asked: list[tuple[str, str, Any]] = field(default_factory=list)
    refusal: int | None = None
    is_hanging: bool = False
    released: threading.Event = field(default_factory=threading.Event)

    def answer(self, method: str, path: str, secret: str | None, body: Any) -> tuple[int, object]:
        """Status and JSON."""
        if self.is_hanging:
            self.released.wait(30)
        if path == "/health":
            return 200, {"status": "ok", "tenants": self.health}
        if secret != self.secret:
            return 401, {"error": "the X-Internal-Secret header is missing or wrong"}
        self.asked.append((method, path, body))
        tenant_id, _, action = path.removeprefix("/tenants/").partition("/")
        if method == "GET":
            return 200, {"tenantId": tenant_id, "state": "disconnected"} | self.looks.get(tenant_id, {})
        if self.refusal is not None:
            return self.refusal, {"error": "no"}
        if method == "DELETE":
            self.looks.pop(tenant_id, None)
            return 204, None
        if action == "forget":
            return 204, None
        code = (
            {"state": "pairing", "pairingCode": "ABCD1234"}
            if body.get("phone")
            else {"state": "qr", "qr": "2@x"}
        )
        self.looks[tenant_id] = code
        return (202, {"state": code["state"]}) if action == "connect" else (404, {})


@contextmanager
def small_sidecar(secret: str) -> Iterator[SmallSidecar]:
    """One on loopback for the time of the block."""
    sidecar = SmallSidecar(secret)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, content = sidecar.answer(
                self.command, self.path, self.headers.get("X-Internal-Secret"), json.loads(body or b"{}")
            )
            encoded = b"" if content is None else json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(encoded)))
            self.end_headers()
            self.wfile.write(encoded)

        do_GET = do_POST = do_DELETE = _answer  # noqa: N815 - the names that http.server calls

        def log_message(self, *_arguments: object) -> None:
            """Tests read what was asked."""

    with served(Handler) as sidecar.url:
        yield sidecar
        # Whoever still waits for an answer gets one, so that the server can end.
        sidecar.released.set()
