"""Drafts: staff ask for one, send it, or drop it."""

from __future__ import annotations

from flask import Blueprint
from flask.typing import ResponseReturnValue

from server.console.access import needs
from server.console.auth import current_actor, current_member
from server.console.conversations import checked_id
from server.console.forms import back_to
from server.domain.staff import Permission
from server.inbox.suggest import Suggestions

DRAFT = "draft"


def add_drafts(blueprint: Blueprint, suggestions: Suggestions) -> None:
    """Add the forms. A draft that staff have changed is sent with the form that they write in."""

    @blueprint.post("/conversations/<int:conversation_id>/suggest")
    @needs(Permission.ANSWER)
    def suggest_reply(conversation_id: int) -> ResponseReturnValue:
        suggestions.suggest(current_member().tenant_id, checked_id(conversation_id))
        return back_to(conversation_id, DRAFT)

    @blueprint.post("/conversations/<int:conversation_id>/drafts/<int:draft_id>/send")
    @needs(Permission.ANSWER)
    def send_draft(conversation_id: int, draft_id: int) -> ResponseReturnValue:
        suggestions.send(
            current_member().tenant_id,
            checked_id(conversation_id),
            checked_id(draft_id),
            None,
            current_actor(),
        )
        return back_to(conversation_id)

    @blueprint.post("/conversations/<int:conversation_id>/drafts/<int:draft_id>/drop")
    @needs(Permission.ANSWER)
    def drop_draft(conversation_id: int, draft_id: int) -> ResponseReturnValue:
        suggestions.drop(
            current_member().tenant_id, checked_id(conversation_id), checked_id(draft_id), current_actor()
        )
        return back_to(conversation_id)
