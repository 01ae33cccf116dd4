"""gunicorn's settings; see docs/operations.md."""

from __future__ import annotations

from typing import Any

from server.settings import read_settings

_settings = read_settings()

bind = f"{_settings.web_host}:{_settings.port}"
wsgi_app = "server.wsgi:make_app()"
worker_class = "gthread"
threads = 16
# Longer than the sidecar and a proxy pause between two requests: a kept connection saves a handshake.
keepalive = 75
graceful_timeout = 15
loglevel = "warning"
# It would stand in the home folder, where two installations meet; signals do all that we need.
control_socket_disable = True


def worker_exit(_server: Any, worker: Any) -> None:
    """Let running turns end before the process does."""
    app = getattr(worker, "wsgi", None)
    if app is not None:
        app.extensions["desk"].stop()
