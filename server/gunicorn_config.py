"""gunicorn's settings; see docs/operations.md. What cannot work is said in one sentence, before any fork."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import Any

from server.errors import AppError, SettingsError, StoreUnavailable
from server.observability.multiprocess import share
from server.settings import Settings, read_settings
from server.store.migrate import is_current
from server.store.session import Database


def _checked_settings() -> Settings:
    settings = read_settings()
    database = Database(settings.database)
    # A database that is not up yet is waited for by /readyz.
    with suppress(StoreUnavailable):
        if not is_current(database):
            raise SettingsError("the database is not up to date: run `frontdesk migrate` first")
    database.close()
    return settings


try:
    _settings = _checked_settings()
except AppError as error:
    sys.exit(f"frontdesk: {error}")

# Its figures outlive its workers.
share(_settings.data_dir)

bind = f"{_settings.web_host}:{_settings.port}"
wsgi_app = "server.wsgi:make_app()"
worker_class = "gthread"
threads = _settings.web_threads
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
