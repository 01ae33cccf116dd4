"""The calls' API: what was said, and how it sounded."""

from __future__ import annotations

from typing import Any

import structlog
from flask import Blueprint, Response, request
from werkzeug.exceptions import HTTPException
from werkzeug.wsgi import wrap_file

from server.channels.api_keys import tenant_of
from server.channels.call_json import call_as_json, find_audio, find_recording
from server.domain.call_views import RecordingView
from server.ports.calls import CallLog
from server.ports.recordings import RecordedAudio, RecordingShelf
from server.ports.store import KeyStore

WAV = "audio/wav"

log = structlog.get_logger(__name__)


def calls_blueprint(calls: CallLog, shelf: RecordingShelf, keys: KeyStore) -> Blueprint:
    """``/api/v1/calls``; a key opens its own tenant's, and others do not exist for it."""
    blueprint = Blueprint("calls", __name__, url_prefix="/api/v1/calls")

    @blueprint.get("/<call_id>")
    def show_call(call_id: str) -> dict[str, Any]:
        return call_as_json(calls.call(tenant_of(request, keys), call_id))

    @blueprint.get("/<call_id>/recordings/<int:number>")
    def play_recording(call_id: str, number: int) -> Response:
        call = calls.call(tenant_of(request, keys), call_id)
        recording = find_recording(call, number)
        audio = find_audio(shelf, call, recording)
        if recording.seconds is not None and not audio.is_complete:
            # What is left of it may still be of use.
            log.error("recording.cut_short", call=call.id, number=number)
        return playable(recording, audio)

    return blueprint


def playable(recording: RecordingView, audio: RecordedAudio) -> Response:
    """All of it, or the part that a player asks for; closes the file when it is sent."""
    body = wrap_file(request.environ, audio.file)
    answer = Response(body, mimetype=WAV, direct_passthrough=True)
    answer.content_length = audio.size
    # One that is being made grows.
    answer.set_etag(f"{recording.name}-{audio.size}")
    answer.headers["Cache-Control"] = "private, no-store"
    try:
        answer.make_conditional(request, accept_ranges=True, complete_length=audio.size)
    except HTTPException:
        # There is no such part.
        answer.close()
        raise
    return answer
