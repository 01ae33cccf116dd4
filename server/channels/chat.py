"""The chat API: a message in, the reply on the same call."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, request

from server.channels.api_keys import tenant_of
from server.channels.bodies import json_object, text_field
from server.domain.conversations import Reply, ReplySource
from server.domain.messages import Channel, GuestAddress, InboundMessage, MessageKind
from server.errors import NotFound, TooBusy
from server.inbox.answer import Answers
from server.ports.store import KeyStore

LONGEST_MESSAGE = 8_000
LONGEST_CONVERSATION = 100
# A call keeps a thread of the web process until its reply is there. Half of the threads are left to webhooks,
# which must be acknowledged at once.
CALLS_AT_ONCE = 8


def chat_blueprint(answers: Answers, keys: KeyStore) -> Blueprint:
    """``POST /api/v1/chat``."""
    blueprint = Blueprint("chat", __name__, url_prefix="/api/v1")
    places = threading.BoundedSemaphore(CALLS_AT_ONCE)

    @blueprint.post("/chat")
    def chat() -> dict[str, Any]:
        tenant_id = tenant_of(request, keys)
        message = _message(tenant_id, json_object(request))
        if not places.acquire(blocking=False):
            raise TooBusy("too many calls at once; try again in a second")
        try:
            reply = answers.answer(message)
        finally:
            places.release()
        return _to_json(reply) if reply is not None else _LEFT_TO_STAFF

    return blueprint


# Staff have taken the conversation over: their answer comes to whoever reads it.
_LEFT_TO_STAFF: dict[str, Any] = {
    "reply": "",
    "citations": [],
    "handover": True,
    "source": ReplySource.SHORTCUT,
    "timings_ms": {},
}


def _message(tenant_id: str, body: Mapping[str, Any]) -> InboundMessage:
    if text_field(body, "tenant", LONGEST_CONVERSATION) != tenant_id:
        raise NotFound("this key belongs to no such tenant")
    key = text_field(body, "conversation", LONGEST_CONVERSATION)
    text = text_field(body, "message", LONGEST_MESSAGE)
    return InboundMessage(
        tenant_id=tenant_id,
        channel=Channel.CHAT,
        address=GuestAddress(reply_to=key, chat_key=key),
        # Each call is a message of its own, even with the same words.
        provider_id=secrets.token_hex(16),
        kind=MessageKind.TEXT,
        text=text,
        sent_at=datetime.now(UTC),
    )


def _to_json(reply: Reply) -> dict[str, Any]:
    return {
        "reply": reply.text,
        "citations": [
            {"document": citation.document, "title": citation.title, "score": round(citation.score, 4)}
            for citation in reply.citations
        ],
        "handover": reply.handover,
        "source": reply.source,
        "timings_ms": dict(reply.timings_ms),
    }
