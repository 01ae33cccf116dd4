"""What guests sent beside words, and how calls sounded: looked at, heard and saved from a thread."""

from __future__ import annotations

from flask import Blueprint, Response, send_file

from server.console.auth import current_member
from server.console.conversations import checked_id
from server.conversation.enclosures import Enclosures
from server.domain.file_types import HEAD_BYTES, file_type, saved_name
from server.errors import NotFound, ProviderRejected
from server.ports.recordings import RecordingShelf
from server.recording_answers import recording_answer
from server.store.call_log import CallQueries
from server.store.queries import ConsoleQueries


def add_files(
    blueprint: Blueprint,
    queries: ConsoleQueries,
    enclosures: Enclosures,
    calls: CallQueries,
    shelf: RecordingShelf,
) -> None:
    """Add both; each gives what belongs to the tenant of whoever asks, and nothing else."""

    @blueprint.get("/conversations/<int:conversation_id>/files/<int:message_id>")
    def show_file(conversation_id: int, message_id: int) -> Response:
        tenant_id = current_member().tenant_id
        message_id = checked_id(message_id)
        origin = queries.file_origin(tenant_id, checked_id(conversation_id), message_id)
        try:
            path = enclosures.get(tenant_id, message_id, origin.received_at, origin.details)
        except ProviderRejected as error:
            raise NotFound(f"what the guest sent cannot be had any more ({error.reason})") from error
        with path.open("rb") as file:
            found = file_type(file.read(HEAD_BYTES), origin.file_name)
        # Whatever a browser could run is saved, never opened in the console's own name.
        return send_file(
            path,
            mimetype=found.mimetype,
            as_attachment=not found.is_shown,
            download_name=saved_name(origin.file_name, found.suffix, f"file {message_id}"),
            conditional=True,
        )

    @blueprint.get("/calls/<call_id>/recordings/<int:number>")
    def play_recording(call_id: str, number: int) -> Response:
        return recording_answer(calls.call(current_member().tenant_id, call_id), number, shelf)
