"""gunicorn's door. Loaded in each worker after the fork; the desk starts with it."""

from __future__ import annotations

from flask import Flask

from server.app import create_app
from server.console import register_console
from server.desk import Desk
from server.observability.logs import configure_logging
from server.secret_files import internal_secret, session_key
from server.settings import read_settings
from server.store.session import Database
from server.wiring import real_ports


def make_app() -> Flask:
    """The application as the environment describes it, its desk running."""
    settings = read_settings()
    configure_logging(settings.log_level)
    database = Database(settings.database)
    desk = Desk(settings, real_ports(settings, database))
    app = create_app(desk, internal_secret(settings))
    app.secret_key = session_key(settings)
    register_console(app, database, desk.ports.clock)
    app.extensions["desk"] = desk
    desk.start()
    return app
