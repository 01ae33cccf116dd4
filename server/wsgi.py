"""gunicorn's door. Loaded in each worker after the fork; the desk starts with it."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIEnvironment

import uvloop
from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from server.app import create_app
from server.channels.whatsapp import INCOMING_PATH
from server.console import ConsoleParts, register_console
from server.desk import Desk
from server.observability.logs import configure_logging
from server.observability.multiprocess import share
from server.secret_files import internal_secret, session_key
from server.settings import read_settings
from server.store.session import Database
from server.wiring import make_eraser, make_seal, make_sidecar, phone_setup, real_ports

# A webhook waits for the interpreter behind turns, but not for the 5 ms that Python would let it wait.
SWITCH_S = 0.0005
# So many new objects are made before garbage is looked for. With Python's 700 it is looked for dozens of
# times in each page of the console, among what is in use, and what outlives that is left to pauses of 0.15 s.
GARBAGE_AFTER = 20_000


def make_app() -> Flask:
    """The application as the environment describes it, its desk running."""
    sys.setswitchinterval(SWITCH_S)
    settings = read_settings()
    configure_logging(settings.log_level)
    share(settings.data_dir)
    database = Database(settings.database)
    desk = Desk(settings, real_ports(settings, database), make_loop=uvloop.new_event_loop)
    sidecar = make_sidecar(settings, database)
    app = create_app(desk, internal_secret(settings))
    app.secret_key = session_key(settings)
    register_console(
        app,
        ConsoleParts(
            database=database,
            clock=desk.ports.clock,
            takeover=desk.takeover,
            suggestions=desk.suggestions,
            enclosures=desk.enclosures,
            recordings=desk.ports.recording_shelf,
            eraser=make_eraser(settings, database, desk.ports.leases, sidecar),
            seal=make_seal(settings),
            answers=desk.answers,
            numbers=sidecar,
            phone=phone_setup(settings),
            stream_port=settings.stream_port,
            embedder=desk.ports.embedder,
            rehearsals=desk.rehearsals,
            staged=desk.staged,
            lanes=desk.lanes,
        ),
    )
    app.extensions["desk"] = desk
    put_webhooks_first(app, database)
    trust_proxies(app, settings.trusted_proxies)
    desk.start()
    # What is loaded by now stays: to look for garbage among it would stop all threads for long.
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_AFTER)
    return app


def put_webhooks_first(app: Flask, database: Database) -> None:
    """Put turns off while a webhook is being acknowledged."""
    answer = app.wsgi_app

    def answer_first(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] != INCOMING_PATH:
            return answer(environ, start_response)
        with database.pressing():
            return answer(environ, start_response)

    app.wsgi_app = answer_first  # type: ignore[method-assign]


def trust_proxies(app: Flask, count: int) -> None:
    """Take the client's address, scheme and host from what the last *count* proxies say; 0: from nobody."""
    if count:
        # Cookies are marked Secure behind TLS, and limits count the client, not the proxy.
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=count)  # type: ignore[method-assign]
