"""The calls' API: what was said, and how it sounded."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request

from server.channels.api_keys import tenant_of
from server.channels.call_json import call_as_json
from server.ports.calls import CallLog
from server.ports.recordings import RecordingShelf
from server.ports.store import KeyStore
from server.recording_answers import recording_answer


def calls_blueprint(calls: CallLog, shelf: RecordingShelf, keys: KeyStore) -> Blueprint:
    """``/api/v1/calls``; a key opens its own tenant's, and others do not exist for it."""
    blueprint = Blueprint("calls", __name__, url_prefix="/api/v1/calls")

    @blueprint.get("/<call_id>")
    def show_call(call_id: str) -> dict[str, Any]:
        return call_as_json(calls.call(tenant_of(request, keys), call_id))

    @blueprint.get("/<call_id>/recordings/<int:number>")
    def play_recording(call_id: str, number: int) -> Response:
        return recording_answer(calls.call(tenant_of(request, keys), call_id), number, shelf)

    return blueprint
