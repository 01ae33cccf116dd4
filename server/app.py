"""The Flask application: blueprints and one error handler."""

from __future__ import annotations

from http import HTTPStatus

import structlog
from flask import Flask
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from server.channels.benchmark import benchmark_blueprint
from server.channels.calls import calls_blueprint
from server.channels.chat import chat_blueprint
from server.channels.chat_messages import ChatMessages, configured_models
from server.channels.conversations import conversations_blueprint
from server.channels.http_manners import register_http_manners
from server.channels.key_limits import make_key_limits
from server.channels.openapi import openapi_blueprint
from server.channels.operations import figures_blueprint, operations_blueprint
from server.channels.twilio_signature import TwilioSignatures
from server.channels.voice import voice_blueprint
from server.channels.whatsapp import whatsapp_blueprint
from server.channels.whatsapp_status import StatusReports
from server.desk import Desk
from server.errors import AppError, PayloadTooLarge
from server.observability.performance import Sources
from server.self_measure import SelfMeasure
from server.voice.telephone import Telephone

LONGEST_BODY = 1024 * 1024

log = structlog.get_logger(__name__)


def create_app(desk: Desk, internal_secret: str) -> Flask:
    """The web application around a desk; whoever calls starts and stops the desk."""
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = LONGEST_BODY
    app.json.sort_keys = False  # type: ignore[attr-defined]
    register_http_manners(app)
    ports, settings = desk.ports, desk.settings
    models = configured_models(settings)
    reports = StatusReports(ports.outbox, ports.identities, desk.line_watch, desk.lanes, ports.clock)
    app.register_blueprint(whatsapp_blueprint(desk.receiver, reports, internal_secret))
    app.register_blueprint(
        chat_blueprint(
            desk.answers,
            ports.keys,
            make_key_limits(settings.api_calls_per_minute, settings.redis),
            ChatMessages(models),
            threads=settings.web_threads,
        )
    )
    app.register_blueprint(openapi_blueprint(models))
    app.register_blueprint(conversations_blueprint(ports.log, desk.takeover, ports.keys))
    app.register_blueprint(calls_blueprint(ports.call_log, ports.recording_shelf, ports.keys))
    app.register_blueprint(
        operations_blueprint(
            ports.check_store, lambda: desk.is_running, ports.lines, ports.keys, desk.watch.alerts
        )
    )
    app.register_blueprint(figures_blueprint(Sources(ports.performance, desk.watch, ports.clock), ports.keys))
    app.register_blueprint(benchmark_blueprint(SelfMeasure(desk), ports.keys, settings.data_dir))
    if settings.twilio_auth_token is not None and settings.has_phone:
        signatures = TwilioSignatures(settings.twilio_auth_token.get_secret_value(), settings.public_base_url)
        telephone = Telephone(ports.calls, desk.asking, desk.submit)
        app.register_blueprint(voice_blueprint(telephone, signatures))
    app.register_error_handler(AppError, _answer_error)
    app.register_error_handler(HTTPException, _answer_http_error)
    app.register_error_handler(Exception, _answer_fault)
    return app


def _answer_error(error: AppError) -> tuple[dict[str, str], int, dict[str, str]]:
    if error.status >= 500:
        log.error("request.failed", error=type(error).__name__, status=error.status)
    headers = {"Retry-After": "1"} if error.status == HTTPStatus.SERVICE_UNAVAILABLE else {}
    return {"error": str(error)}, error.status, headers


def _answer_http_error(error: HTTPException) -> tuple[dict[str, str], int, dict[str, str]]:
    if isinstance(error, RequestEntityTooLarge):
        return _answer_error(PayloadTooLarge(f"the body is over {LONGEST_BODY} bytes: send fewer at a time"))
    # Of a method that is not allowed, which are; of a part that is not there, how much is.
    headers = {name: value for name, value in error.get_headers() if name in ("Allow", "Content-Range")}
    return {"error": error.description or error.name}, error.code or 500, headers


def _answer_fault(error: Exception) -> tuple[dict[str, str], int]:
    log.exception("request.fault", error=type(error).__name__)
    return {"error": "something went wrong on our side; it has been logged"}, 500
