"""Notes that staff write for one another into a thread."""

from __future__ import annotations

from flask import Blueprint
from flask.typing import ResponseReturnValue

from server.console.access import needs
from server.console.auth import current_member
from server.console.conversations import checked_id
from server.console.forms import back_to, written
from server.domain.staff import Permission
from server.store.notes import Notes


def add_notes(blueprint: Blueprint, notes: Notes) -> None:
    """Add the form."""

    @blueprint.post("/conversations/<int:conversation_id>/notes")
    @needs(Permission.ANSWER)
    def add_note(conversation_id: int) -> ResponseReturnValue:
        member = current_member()
        notes.add(member.tenant_id, checked_id(conversation_id), member.name, written("text"))
        return back_to(conversation_id)
