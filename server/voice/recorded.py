"""The recordings of a call by number: the same over HTTP, in the console and from the command line."""

from __future__ import annotations

from server.domain.call_views import CallView, RecordingView
from server.errors import NotFound
from server.ports.recordings import RecordedAudio, RecordingShelf


def find_recording(call: CallView, number: int) -> RecordingView:
    """The recording of that number, from 1 on.

    Raises:
        NotFound: the call has none.
    """
    if not 1 <= number <= len(call.recordings):
        raise NotFound("the call has no such recording, or no more")
    return call.recordings[number - 1]


def find_audio(shelf: RecordingShelf, call: CallView, recording: RecordingView) -> RecordedAudio:
    """How it sounds.

    Raises:
        NotFound: it is not on this machine.
        ProviderError: it cannot be read.
    """
    audio = shelf.find(call.tenant_id, recording.name)
    if audio is None:
        raise NotFound("the recording is not on this machine, or was deleted")
    return audio
