"""Answers that are recordings: whole, or the part that a player asks for."""

from __future__ import annotations

import structlog
from flask import Response, request
from werkzeug.exceptions import HTTPException
from werkzeug.wsgi import wrap_file

from server.domain.call_views import CallView
from server.ports.recordings import RecordingShelf
from server.voice.recorded import find_audio, find_recording

WAV = "audio/wav"

log = structlog.get_logger(__name__)


def recording_answer(call: CallView, number: int, shelf: RecordingShelf) -> Response:
    """The call's recording of that number, from 1 on; closes its file when it is sent.

    Raises:
        NotFound: there is none, or it is not on this machine.
        ProviderError: it cannot be read.
    """
    recording = find_recording(call, number)
    audio = find_audio(shelf, call, recording)
    if recording.seconds is not None and not audio.is_complete:
        # What is left of it may still be of use.
        log.error("recording.cut_short", call=call.id, number=number)
    answer = Response(wrap_file(request.environ, audio.file), mimetype=WAV, direct_passthrough=True)
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
