"""The staff's pages, put together."""

from __future__ import annotations

from functools import partial
from http import HTTPStatus

import structlog
from flask import Blueprint, Flask, Response, current_app, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from server.console.account import add_account
from server.console.answering import add_answering
from server.console.api_keys import add_api_keys
from server.console.audit import add_audit_page
from server.console.auth import guard, start_sessions
from server.console.conversations import add_conversations
from server.console.display import bidi, duration, language_name, language_of
from server.console.drafts import add_drafts
from server.console.files import add_files
from server.console.guest_data import add_guest_data
from server.console.import_jobs import ImportJobs
from server.console.knowledge import add_knowledge
from server.console.knowledge_import import add_import, take_large_files
from server.console.labels import add_labels
from server.console.live import stream_origin
from server.console.login import add_login
from server.console.navigation import DESTINATIONS
from server.console.notes import add_notes
from server.console.numbers import NumberParts, add_numbers
from server.console.overview import add_overview
from server.console.pages import Pages
from server.console.parts import ConsoleParts
from server.console.playground import add_playground
from server.console.questions import add_questions
from server.console.replies import add_replies
from server.console.settings import add_settings
from server.console.team import add_team
from server.console.thread_tools import ThreadTools
from server.console.throttle import Throttle
from server.console.translations import gettext, translate, words_of
from server.console.try_question import add_trials
from server.console.why_page import add_why
from server.domain.staff import may
from server.errors import (
    AppError,
    Conflict,
    Forbidden,
    NotFound,
    SettingsError,
    StillSending,
    TooBusy,
    UnprocessableRequest,
)
from server.knowledge.editing import VectorMaker
from server.store.audit import AuditLog
from server.store.call_log import CallQueries
from server.store.canned_replies import CannedReplies
from server.store.documents import Documents
from server.store.guest_data import GuestData
from server.store.keys import ApiKeys
from server.store.knowledge import Knowledge
from server.store.labels import Labels
from server.store.needs import Needs
from server.store.notes import Notes
from server.store.numbers import NumberNotes
from server.store.playground import Playground
from server.store.queries import ConsoleQueries
from server.store.questions import Questions
from server.store.reports import Reports
from server.store.second_factors import SecondFactors
from server.store.seen import SeenMarks
from server.store.sending import SendingQueries
from server.store.tenants import Tenants
from server.store.turn_origins import TurnOrigins
from server.store.users import Users

# Nothing inline, no frame, nothing from elsewhere: the pages need none of it.
_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; media-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
_SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    # Not `no-referrer`: over https the check of forms wants to see where they come from.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def _(text: str) -> str:
    """Marks *text* for translation, which happens when the page is made."""
    return text


# What went wrong, and what to do about it.
_TITLES = {
    400: _("Bad Request"),
    403: _("Forbidden"),
    404: _("Not Found"),
    405: _("Method Not Allowed"),
    409: _("Conflict"),
    413: _("Request Entity Too Large"),
    422: _("Unprocessable Entity"),
    429: _("Too Many Requests"),
    500: _("Internal Server Error"),
    502: _("Bad Gateway"),
    503: _("Service Unavailable"),
}
_ADVICE = {
    400: _(
        "The address or the form is not one that this page made. It may have been open for too long, or "
        "the browser refuses cookies. Go back, reload the page and try again."
    ),
    404: _("There is nothing at this address. It may be mistyped, or not for you."),
    405: _("This address does not take what was sent to it."),
    413: _("That was too much at once. Send less."),
    503: _("The database does not answer. Nothing is lost; reload in a moment."),
}
_ADVICE_OTHERWISE = _("Something went wrong on our side. Reload; if it stays, the server's log says why.")

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
    take_large_files(blueprint)
    guard(app, blueprint)
    factors, throttle = SecondFactors(database, clock, parts.seal), Throttle(clock)
    add_login(blueprint, users, factors, throttle, clock)
    queries = ConsoleQueries(database)
    questions = Questions(database, clock)
    pages = Pages(
        Tenants(database, clock),
        clock,
        Needs(database).of,
        {"console.list_questions": questions.open_count},
        parts.stream_port,
    )
    labels, replies = Labels(database, clock), CannedReplies(database, clock)
    origins = TurnOrigins(database)
    tools = ThreadTools(pages.tenants, labels, replies, origins, parts.suggestions)
    add_conversations(blueprint, pages, queries, SeenMarks(database), tools, parts.stream_port)
    add_why(blueprint, pages, queries, origins)
    add_overview(blueprint, pages, Reports(database, clock))
    add_files(blueprint, queries, parts.enclosures, CallQueries(database), parts.recordings)
    add_answering(blueprint, parts.takeover, parts.suggestions)
    add_drafts(blueprint, parts.suggestions)
    add_notes(blueprint, Notes(database, clock))
    add_labels(blueprint, labels)
    add_replies(blueprint, pages, replies)
    _add_knowledge(blueprint, pages, parts, questions)
    _add_places(blueprint, pages, parts, queries)
    add_team(blueprint, pages, users)
    add_account(blueprint, pages, users, factors, throttle)
    add_api_keys(blueprint, pages, ApiKeys(database, clock))
    add_audit_page(blueprint, pages, AuditLog(database))
    add_guest_data(blueprint, pages, GuestData(database, clock), parts.eraser)
    _add_error_pages(blueprint)
    for show in (bidi, duration, language_name, language_of):
        blueprint.add_app_template_filter(show)
    translate(app)
    app.jinja_env.globals.update(destinations=DESTINATIONS, may=may)
    app.register_blueprint(blueprint)
    app.after_request(partial(_secure, parts.stream_port))


def _add_knowledge(blueprint: Blueprint, pages: Pages, parts: ConsoleParts, questions: Questions) -> None:
    """What the desk knows, and what it did not."""
    knowledge = Knowledge(parts.database, parts.clock)
    documents = Documents(parts.database, parts.clock)
    vectors = VectorMaker(knowledge, parts.embedder)
    jobs = ImportJobs(parts.staged, documents, knowledge, parts.embedder)
    add_knowledge(blueprint, pages, documents, vectors)
    add_import(blueprint, pages, parts.staged, jobs, knowledge)
    add_trials(blueprint, pages, parts.rehearsals)
    add_questions(blueprint, pages, questions, vectors, parts.rehearsals, parts.lanes)


def _add_places(blueprint: Blueprint, pages: Pages, parts: ConsoleParts, queries: ConsoleQueries) -> None:
    """The business's numbers, its settings, and the playground."""
    database = parts.database
    numbers = NumberParts(
        keeper=parts.numbers,
        sending=SendingQueries(database),
        notes=NumberNotes(database, parts.clock),
        phone=parts.phone,
    )
    add_numbers(blueprint, pages, numbers)
    add_settings(blueprint, pages, pages.tenants)
    playground, seen = Playground(database, parts.clock), SeenMarks(database)
    add_playground(blueprint, pages, queries, playground, seen, parts.answers, parts.phone, parts.stream_port)


def _add_error_pages(blueprint: Blueprint) -> None:
    @blueprint.get("/<path:_anything>")
    def no_such_page(_anything: str) -> str:
        raise NotFound("no such page")

    @blueprint.errorhandler(AppError)
    def app_error(error: AppError) -> ResponseReturnValue:
        if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            _log.error("console.failed", error=type(error).__name__, endpoint=request.endpoint)
        # These say themselves what to do.
        tells = isinstance(error, Conflict | Forbidden | StillSending | TooBusy | UnprocessableRequest)
        return _error_page(error.status, f"{words_of(error)}." if tells else "")

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
    title = gettext(_TITLES.get(status) or HTTPStatus(status).phrase)
    advice = advice or gettext(_ADVICE.get(status, _ADVICE_OTHERWISE))
    return page.render(title=title, advice=advice), status


def _script_policy(stream_port: int | None) -> str:
    """Our own files alone, which ask our own addresses, the stream, and where browsers call the desk."""
    stream = stream_origin(stream_port)
    sockets = stream.replace("http", "ws", 1)
    return f"script-src 'self'; connect-src 'self' {stream} {sockets}".rstrip()


def _secure(stream_port: int | None, response: Response) -> Response:
    if request.path == "/console" or request.path.startswith("/console/"):
        response.headers.update(_SECURITY_HEADERS)
        # What is no page of ours, such as a file of a guest's, runs nothing.
        scripts = f"; {_script_policy(stream_port)}" if response.mimetype == "text/html" else ""
        response.headers["Content-Security-Policy"] = _POLICY + scripts
        if request.endpoint != "console.static":
            response.headers["Cache-Control"] = "no-store"
    return response
