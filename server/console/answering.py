"""Who answers a conversation: staff take over, write, and hand back."""

from __future__ import annotations

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue

from server.console.access import needs
from server.console.auth import current_member
from server.console.conversations import checked_id
from server.domain.conversations import Mode
from server.domain.modes import Actor, ModeBy
from server.domain.staff import Permission
from server.errors import UnprocessableRequest
from server.inbox.takeover import Takeover

LONGEST_MESSAGE = 8_000
_LONGEST_ID = 64


def add_answering(blueprint: Blueprint, takeover: Takeover) -> None:
    """Add the forms of a thread's page; each works on what belongs to the tenant of whoever sends it."""

    @blueprint.post("/conversations/<int:conversation_id>/mode")
    @needs(Permission.ANSWER)
    def set_mode(conversation_id: int) -> ResponseReturnValue:
        mode = _mode(request.form.get("mode", ""))
        takeover.set_mode(current_member().tenant_id, checked_id(conversation_id), mode, _actor())
        return _back_to(conversation_id)

    @blueprint.post("/conversations/<int:conversation_id>/messages")
    @needs(Permission.ANSWER)
    def write(conversation_id: int) -> ResponseReturnValue:
        text = _text(request.form.get("text", ""))
        # The page's own: a form that is sent twice is one message.
        form_id = request.form.get("id", "")[:_LONGEST_ID] or None
        tenant_id = current_member().tenant_id
        takeover.write(tenant_id, checked_id(conversation_id), text, _actor(), form_id)
        return _back_to(conversation_id)


def _actor() -> Actor:
    return Actor(ModeBy.CONSOLE, current_member().name)


def _mode(value: str) -> Mode:
    try:
        return Mode(value)
    except ValueError:
        raise UnprocessableRequest("go back and choose who answers") from None


def _text(value: str) -> str:
    # Browsers end lines as of old; a zero byte is the one character that PostgreSQL cannot take.
    text = value.replace("\r\n", "\n").replace("\0", "").strip()
    if not 0 < len(text) <= LONGEST_MESSAGE:
        raise UnprocessableRequest(f"go back and write 1 to {LONGEST_MESSAGE:,} characters")
    return text


def _back_to(conversation_id: int) -> ResponseReturnValue:
    page = url_for("console.show_thread", conversation_id=conversation_id, _anchor="latest")
    return redirect(page, 303)
