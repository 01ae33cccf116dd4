"""The staff's pages, put together."""

from __future__ import annotations

from http import HTTPStatus

import structlog
from flask import Blueprint, Flask, Response, current_app, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from server.console.answering import add_answering
from server.console.auth import add_login, guard, start_sessions
from server.console.conversations import add_conversations
from server.console.display import bidi, duration, language_name, language_of
from server.console.files import add_files
from server.console.navigation import DESTINATIONS
from server.console.pages import Pages
from server.console.parts import ConsoleParts
from server.console.throttle import Throttle
from server.console.translations import translate
from server.domain.staff import may
from server.errors import (
    AppError,
    Conflict,
    Forbidden,
    NotFound,
    SettingsError,
    StillSending,
    UnprocessableRequest,
)
from server.store.call_log import CallQueries
from server.store.queries import ConsoleQueries
from server.store.seen import SeenMarks
from server.store.tenants import Tenants
from server.store.users import Users

# No script, no frame, nothing from elsewhere: the pages need none of it.
_SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; media-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    # Not `no-referrer`: over https the check of forms wants to see where they come from.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}

# What went wrong, and what to do about it.
_ADVICE = {
    400: "The address or the form is not one that this page made. It may have been open for too long, or "
    "the browser refuses cookies. Go back, reload the page and try again.",
    404: "There is nothing at this address. It may be mistyped, or not for you.",
    405: "This address does not take what was sent to it.",
    413: "That was too much at once. Send less.",
    503: "The database does not answer. Nothing is lost; reload in a moment.",
}
_ADVICE_OTHERWISE = "Something went wrong on our side. Reload; if it stays, the server's log says why."

_log = structlog.get_logger(__name__)


def register_console(app: Flask, parts: ConsoleParts) -> None:
    """Add the console to *app*, with its sessions, under ``/console``.

    *app* must have a secret key; behind a proxy it must know the scheme and the caller's address
    (Werkzeug's ``ProxyFix``), or cookies are not marked as for https alone and all callers look alike.

    Raises:
        SettingsError: *app* has no secret key.
    """
    if not app.secret_key:
        raise SettingsError("the console needs app.secret_key to sign its sessions")
    blueprint = Blueprint(
        "console", __name__, url_prefix="/console", template_folder="templates", static_folder="static"
    )
    database, clock = parts.database, parts.clock
    users = Users(database, clock)
    start_sessions(app, users, clock)
    guard(app, blueprint)
    add_login(blueprint, users, Throttle(clock), clock)
    queries = ConsoleQueries(database)
    pages = Pages(Tenants(database, clock), clock)
    add_conversations(blueprint, pages, queries, SeenMarks(database))
    add_files(blueprint, queries, parts.enclosures, CallQueries(database), parts.recordings)
    add_answering(blueprint, parts.takeover)
    _add_error_pages(blueprint)
    for show in (bidi, duration, language_name, language_of):
        blueprint.add_app_template_filter(show)
    translate(app)
    app.jinja_env.globals.update(destinations=DESTINATIONS, may=may)
    app.register_blueprint(blueprint)
    app.after_request(_secure)


def _add_error_pages(blueprint: Blueprint) -> None:
    @blueprint.get("/<path:_anything>")
    def no_such_page(_anything: str) -> str:
        raise NotFound("no such page")

    @blueprint.errorhandler(AppError)
    def app_error(error: AppError) -> ResponseReturnValue:
        if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            _log.error("console.failed", error=type(error).__name__, endpoint=request.endpoint)
        # These say themselves what to do.
        tells = isinstance(error, Conflict | Forbidden | StillSending | UnprocessableRequest)
        return _error_page(error.status, f"{error}." if tells else "")

    @blueprint.errorhandler(HTTPException)
    def http_error(error: HTTPException) -> ResponseReturnValue:
        return _error_page(error.code or 500)

    @blueprint.errorhandler(Exception)
    def fault(error: Exception) -> ResponseReturnValue:
        _log.exception("console.fault", error=type(error).__name__, endpoint=request.endpoint)
        return _error_page(500)


def _error_page(status: int, advice: str = "") -> ResponseReturnValue:
    # Rendered without the request's context: that might ask the database, which may be what is failing.
    page = current_app.jinja_env.get_template("error.html")
    title = HTTPStatus(status).phrase
    return page.render(title=title, advice=advice or _ADVICE.get(status, _ADVICE_OTHERWISE)), status


def _secure(response: Response) -> Response:
    if request.path == "/console" or request.path.startswith("/console/"):
        response.headers.update(_SECURITY_HEADERS)
        if request.endpoint != "console.static":
            response.headers["Cache-Control"] = "no-store"
    return response
