"""Labels of a conversation, and who looks after it."""

from __future__ import annotations

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from server.console.access import needs
from server.console.auth import current_actor, current_member
from server.console.conversations import checked_id
from server.console.forms import back_to, written
from server.domain.phrases import Phrase
from server.domain.staff import Permission
from server.errors import UnprocessableRequest
from server.store.labels import Labels

_BESIDE = "beside"


def add_labels(blueprint: Blueprint, labels: Labels) -> None:
    """Add the forms."""

    @blueprint.post("/conversations/<int:conversation_id>/labels")
    @needs(Permission.ANSWER)
    def add_label(conversation_id: int) -> ResponseReturnValue:
        tenant_id = current_member().tenant_id
        labels.add(tenant_id, checked_id(conversation_id), written("label"), current_actor())
        return back_to(conversation_id, _BESIDE)

    @blueprint.post("/conversations/<int:conversation_id>/labels/remove")
    @needs(Permission.ANSWER)
    def remove_label(conversation_id: int) -> ResponseReturnValue:
        tenant_id = current_member().tenant_id
        labels.remove(tenant_id, checked_id(conversation_id), written("label"), current_actor())
        return back_to(conversation_id, _BESIDE)

    @blueprint.post("/conversations/<int:conversation_id>/assignee")
    @needs(Permission.ANSWER)
    def assign(conversation_id: int) -> ResponseReturnValue:
        member = current_member()
        user_id = _user_id(request.form.get("user", ""))
        labels.assign(member.tenant_id, checked_id(conversation_id), user_id, current_actor())
        return back_to(conversation_id, _BESIDE)


def _user_id(value: str) -> int | None:
    if not value:
        return None
    if not (value.isascii() and value.isdigit() and len(value) < 19):
        raise UnprocessableRequest(Phrase("go back and choose somebody of the team"))
    return int(value)
