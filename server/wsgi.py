"""gunicorn's door. Loaded in each worker after the fork; the desk starts with it."""

from __future__ import annotations

import sys

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from server.app import create_app
from server.console import register_console
from server.desk import Desk
from server.observability.logs import configure_logging
from server.secret_files import internal_secret, session_key
from server.settings import read_settings
from server.store.session import Database
from server.wiring import real_ports

# A webhook's thread waits for the interpreter behind those of turns: not for the 5 ms that Python would let it.
SWITCH_S = 0.0005


def make_app() -> Flask:
    """The application as the environment describes it, its desk running."""
    sys.setswitchinterval(SWITCH_S)
    settings = read_settings()
    configure_logging(settings.log_level)
    database = Database(settings.database)
    desk = Desk(settings, real_ports(settings, database))
    app = create_app(desk, internal_secret(settings))
    app.secret_key = session_key(settings)
    register_console(app, database, desk.ports.clock, desk.takeover)
    app.extensions["desk"] = desk
    trust_proxies(app, settings.trusted_proxies)
    desk.start()
    return app


def trust_proxies(app: Flask, count: int) -> None:
    """Take the client's address, scheme and host from what the last *count* proxies say; 0: from nobody."""
    if count:
        # Cookies are marked Secure behind TLS, and limits count the client, not the proxy.
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=count)  # type: ignore[method-assign]
