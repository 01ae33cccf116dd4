"""The REST API: calls and recordings, as ``twilio.rest.Client`` asks for them.

Source: twilio.com/docs/voice/api/call-resource and /recording, twilio.com/docs/usage/twilios-response.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from email.utils import formatdate
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from simulators.twilio import mulaw
from simulators.twilio.account import Account, Recording
from simulators.twilio.call import API_VERSION, Call
from simulators.twilio.interpreter import Source
from simulators.twilio.serving import serve_here

_PREFIX = f"/{API_VERSION}/Accounts/{{account}}"
_LONGEST_TWIML = 4000
_UPDATES = frozenset({"Url", "Method", "Twiml", "Status", "FallbackUrl", "FallbackMethod", "TimeLimit"})
_UPDATE_CALLBACKS = frozenset({"StatusCallback", "StatusCallbackMethod"})


class Refused(Exception):
    """Answered with an error of Twilio's shape."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class RestApi:
    """The routes of one account."""

    def __init__(self, account: Account, calls: Mapping[str, Call], recordings: dict[str, Recording]) -> None:
        self._account = account
        self._calls = calls
        self._recordings = recordings

    def application(self) -> Starlette:
        """The ASGI application."""
        return Starlette(
            routes=[
                Route(f"{_PREFIX}/Calls.json", self._list_calls),
                Route(f"{_PREFIX}/Calls/{{call}}.json", self._show_call),
                Route(f"{_PREFIX}/Calls/{{call}}.json", self._update_call, methods=["POST"]),
                Route(f"{_PREFIX}/Calls/{{call}}/Recordings.json", self._list_recordings),
                Route(f"{_PREFIX}/Recordings.json", self._list_recordings),
                Route(f"{_PREFIX}/Recordings/{{recording}}.json", self._show_recording),
                Route(f"{_PREFIX}/Recordings/{{recording}}.json", self._delete_recording, methods=["DELETE"]),
                Route(f"{_PREFIX}/Recordings/{{recording}}.wav", self._play_recording),
                Route(f"{_PREFIX}/Recordings/{{recording}}", self._play_recording),
            ],
            middleware=[Middleware(_BasicAuth, account=self._account)],
            exception_handlers={Refused: _refusal, 404: _not_found, 405: _not_allowed},
        )

    async def _list_calls(self, request: Request) -> Response:
        self._check_account(request)
        return _page(request, "calls", [self._call_json(call) for call in self._calls.values()])

    async def _show_call(self, request: Request) -> Response:
        return JSONResponse(self._call_json(self._call(request)))

    async def _update_call(self, request: Request) -> Response:
        call = self._call(request)
        asked = dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))
        if unknown := sorted(asked.keys() - _UPDATES - _UPDATE_CALLBACKS):
            raise Refused(400, 20001, f"Unknown parameters: {', '.join(unknown)}")
        _update(call, asked)
        return JSONResponse(self._call_json(call))

    async def _list_recordings(self, request: Request) -> Response:
        self._check_account(request)
        wanted = request.path_params.get("call")
        if wanted is not None:
            self._call(request)
        found = [one for one in self._recordings.values() if wanted in (None, one.call_sid)]
        return _page(request, "recordings", [self._recording_json(one) for one in found])

    async def _show_recording(self, request: Request) -> Response:
        return JSONResponse(self._recording_json(self._recording(request)))

    async def _delete_recording(self, request: Request) -> Response:
        del self._recordings[self._recording(request).sid]
        return Response(status_code=204)

    async def _play_recording(self, request: Request) -> Response:
        return Response(mulaw.wav(self._recording(request).audio), media_type="audio/x-wav")

    def _check_account(self, request: Request) -> None:
        if request.path_params["account"] != self._account.account_sid:
            raise Refused(404, 20404, f"The requested resource {request.url.path} was not found")

    def _call(self, request: Request) -> Call:
        self._check_account(request)
        call = self._calls.get(request.path_params["call"])
        if call is None:
            raise Refused(404, 20404, f"The requested resource {request.url.path} was not found")
        return call

    def _recording(self, request: Request) -> Recording:
        self._check_account(request)
        recording = self._recordings.get(request.path_params["recording"])
        if recording is None:
            raise Refused(404, 20404, f"The requested resource {request.url.path} was not found")
        return recording

    def _call_json(self, call: Call) -> dict[str, Any]:
        has_ended = not call.is_live
        return {
            "sid": call.sid,
            "account_sid": self._account.account_sid,
            "api_version": API_VERSION,
            "to": call.to,
            "to_formatted": call.to,
            "from": call.from_,
            "from_formatted": call.from_,
            "status": call.status,
            "direction": "inbound",
            "date_created": formatdate(call.times.created),
            "date_updated": formatdate(),
            "start_time": formatdate(call.times.answered) if call.times.answered else None,
            "end_time": formatdate(call.times.ended) if call.times.ended else None,
            "duration": str(call.times.duration_s()) if has_ended else None,
            "price": None,
            "price_unit": "USD",
            "uri": f"/{API_VERSION}/Accounts/{self._account.account_sid}/Calls/{call.sid}.json",
        }

    def _recording_json(self, recording: Recording) -> dict[str, Any]:
        path = f"/{API_VERSION}/Accounts/{self._account.account_sid}/Recordings/{recording.sid}"
        return {
            "sid": recording.sid,
            "account_sid": self._account.account_sid,
            "api_version": API_VERSION,
            "call_sid": recording.call_sid,
            "status": "completed",
            "source": "RecordVerb",
            "channels": 1,
            "duration": str(recording.seconds),
            "date_created": formatdate(recording.began),
            "date_updated": formatdate(recording.began),
            "start_time": formatdate(recording.began),
            "uri": f"{path}.json",
        }


class _BasicAuth:
    """Lets in who knows the account's SID and token."""

    def __init__(self, app: ASGIApp, account: Account) -> None:
        self._app = app
        credentials = f"{account.account_sid}:{account.auth_token}".encode()
        self._expected = b"Basic " + base64.b64encode(credentials)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        given = dict(scope.get("headers", ())).get(b"authorization", b"")
        if scope["type"] == "http" and not secrets.compare_digest(given, self._expected):
            answer = _error(401, 20003, "Authenticate")
            answer.headers["www-authenticate"] = 'Basic realm="Twilio API"'
            await answer(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _update(call: Call, asked: Mapping[str, str]) -> None:
    """Redirect or end a live call.

    Raises:
        Refused: what is asked cannot be done.
    """
    status, twiml, url = asked.get("Status"), asked.get("Twiml"), asked.get("Url")
    if status not in (None, "completed", "canceled"):
        raise Refused(400, 20001, f"Invalid Status {status!r}; it is completed or canceled")
    if not (status or twiml or url):
        raise Refused(400, 20001, "Give Url, Twiml or Status")
    if twiml is not None and len(twiml) > _LONGEST_TWIML:
        raise Refused(400, 20001, f"Twiml has {len(twiml)} characters, of {_LONGEST_TWIML}")
    if url is not None and (urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname):
        raise Refused(400, 21205, "Url is not a valid URL")
    if not call.is_live or (status is None and call.status != "in-progress"):
        raise Refused(400, 21220, "Call is not in-progress. Cannot redirect.")
    if status is not None:
        call.hang_up("REST")
    elif twiml is not None:
        call.go_on_with(Source(call.number.voice_url, document=twiml.encode()))
    elif url is not None:
        call.go_on_with(Source(url, asked.get("Method", "POST")))


def _page(request: Request, name: str, rows: list[dict[str, Any]]) -> Response:
    """All in one page."""
    return JSONResponse(
        {name: rows, "page": 0, "page_size": 50, "next_page_uri": None, "uri": request.url.path, "start": 0}
    )


def _error(status: int, code: int, message: str) -> JSONResponse:
    more = f"https://www.twilio.com/docs/errors/{code}"
    return JSONResponse({"code": code, "message": message, "more_info": more, "status": status}, status)


def _refusal(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)  # noqa: S101 - registered for it alone
    return _error(error.status, error.code, str(error))


def _not_found(request: Request, _fault: Exception) -> Response:
    return _error(404, 20404, f"The requested resource {request.url.path} was not found")


def _not_allowed(_request: Request, _fault: Exception) -> Response:
    return _error(405, 20004, "Method not allowed")


@asynccontextmanager
async def serve_rest(
    account: Account, calls: Mapping[str, Call], recordings: dict[str, Recording], port: int
) -> AsyncIterator[str]:
    """Serve the API on 127.0.0.1 for the time of the block; gives its base URL."""
    async with serve_here(RestApi(account, calls, recordings).application(), port) as origin:
        yield origin
