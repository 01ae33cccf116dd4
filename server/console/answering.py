"""Who answers a conversation: staff take over, write, and hand back."""

from __future__ import annotations

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from server.console.access import needs
from server.console.auth import current_actor, current_member
from server.console.conversations import checked_id
from server.console.forms import back_to, written
from server.domain.canned import gaps
from server.domain.conversations import Mode
from server.domain.phrases import Phrase
from server.domain.staff import Permission
from server.errors import UnprocessableRequest
from server.inbox.suggest import Suggestions
from server.inbox.takeover import Takeover

LONGEST_MESSAGE = 8_000
_LONGEST_ID = 64
_LARGEST_DRAFT_DIGITS = 18


def add_answering(blueprint: Blueprint, takeover: Takeover, suggestions: Suggestions) -> None:
    """Add the forms of a thread's page; each works on what belongs to the tenant of whoever sends it."""

    @blueprint.post("/conversations/<int:conversation_id>/mode")
    @needs(Permission.ANSWER)
    def set_mode(conversation_id: int) -> ResponseReturnValue:
        mode = _mode(request.form.get("mode", ""))
        takeover.set_mode(current_member().tenant_id, checked_id(conversation_id), mode, current_actor())
        return back_to(conversation_id)

    @blueprint.post("/conversations/<int:conversation_id>/messages")
    @needs(Permission.ANSWER)
    def write(conversation_id: int) -> ResponseReturnValue:
        text = _text()
        tenant_id, actor = current_member().tenant_id, current_actor()
        draft_id = _draft_id()
        if draft_id is not None:
            suggestions.send(tenant_id, checked_id(conversation_id), draft_id, text, actor)
            return back_to(conversation_id)
        # The page's own: a form that is sent twice is one message.
        form_id = request.form.get("id", "")[:_LONGEST_ID] or None
        takeover.write(tenant_id, checked_id(conversation_id), text, actor, form_id)
        return back_to(conversation_id)


def _mode(value: str) -> Mode:
    try:
        return Mode(value)
    except ValueError:
        raise UnprocessableRequest(Phrase("go back and choose who answers")) from None


def _text() -> str:
    text = written("text")
    if not 0 < len(text) <= LONGEST_MESSAGE:
        raise UnprocessableRequest(Phrase("go back and write 1 to {most:,} characters", most=LONGEST_MESSAGE))
    left = gaps(text)
    if left:
        raise UnprocessableRequest(
            Phrase("go back and fill in what is missing: {gaps}", gaps=", ".join(left))
        )
    return text


def _draft_id() -> int | None:
    """The draft that the text was made of, if it was."""
    value = request.form.get("draft", "")
    is_number = value.isascii() and value.isdigit() and len(value) <= _LARGEST_DRAFT_DIGITS
    return int(value) if is_number else None
