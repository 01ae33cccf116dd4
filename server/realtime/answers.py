"""What goes wrong, as JSON: the same over Starlette as over Flask."""

from __future__ import annotations

from http import HTTPStatus

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from server.errors import AppError, TooBusy

FAULT = "something went wrong on our side; it has been logged"

log = structlog.get_logger(__name__)


def error_json(error: AppError) -> dict[str, object]:
    """One of our errors as a socket tells it."""
    return {"error": str(error), "status": error.status}


def error_response(error: AppError) -> JSONResponse:
    """One of our errors as HTTP tells it."""
    if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR and not isinstance(error, TooBusy):
        log.error("request.failed", error=type(error).__name__, status=error.status)
    headers = {"Retry-After": "1"} if error.status == HTTPStatus.SERVICE_UNAVAILABLE else {}
    return JSONResponse({"error": str(error)}, error.status, headers)


async def answer_app_error(_request: Request, error: Exception) -> Response:
    """For errors of ours that an endpoint raises."""
    assert isinstance(error, AppError)  # noqa: S101 - registered for these
    return error_response(error)


async def answer_http_error(_request: Request, error: Exception) -> Response:
    """For what Starlette refuses by itself: no such path, no such method."""
    status = getattr(error, "status_code", HTTPStatus.INTERNAL_SERVER_ERROR)
    headers = getattr(error, "headers", None)
    return JSONResponse(
        {"error": HTTPStatus(status).description or HTTPStatus(status).phrase}, status, headers
    )


async def answer_fault(_request: Request, error: Exception) -> Response:
    """For everything that nobody foresaw."""
    log.exception("request.fault", error=type(error).__name__)
    return JSONResponse({"error": FAULT}, HTTPStatus.INTERNAL_SERVER_ERROR)
