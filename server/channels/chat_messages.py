"""The chat API's JSON: the same for a call, a stream and a socket."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from server.channels.bodies import switch_field, text_field
from server.domain.conversations import Reply, ReplySource
from server.domain.messages import Channel, GuestAddress, InboundMessage, MessageKind
from server.domain.playground import PREFIX, is_test_key
from server.errors import NotFound, UnprocessableRequest
from server.settings import Settings

LONGEST_MESSAGE = 8_000
LONGEST_CONVERSATION = 100
LONGEST_CLIENT_ID = 128
LONGEST_MODEL = 200
# What a caller may say about how the answer is made; kept with the message, for whoever takes its turn.
SWITCHES = ("use_rag", "use_web_search")


class ChatMessages:
    """Reads what chat clients send.

    Args:
        models: the names that ``model`` may have.
    """

    def __init__(self, models: Sequence[str] = ()) -> None:
        self._models = models

    def read(self, tenant_id: str, body: Mapping[str, Any]) -> InboundMessage:
        """The message that *body* holds, of a caller with a key of the tenant.

        Raises:
            NotFound: it names another tenant.
            UnprocessableRequest: something is missing, or not as it must be; it says what.
        """
        key = conversation_of(tenant_id, body)
        return InboundMessage(
            tenant_id=tenant_id,
            channel=Channel.CHAT,
            address=GuestAddress(reply_to=key, chat_key=key),
            provider_id=_provider_id(client_id_of(body)),
            kind=MessageKind.TEXT,
            text=text_field(body, "message", LONGEST_MESSAGE),
            sent_at=datetime.now(UTC),
            details=self._wishes(body),
        )

    def _wishes(self, body: Mapping[str, Any]) -> Mapping[str, object]:
        wishes = {"model": self._model(body)} | {name: switch_field(body, name) for name in SWITCHES}
        return {name: wish for name, wish in wishes.items() if wish is not None}

    def _model(self, body: Mapping[str, Any]) -> str | None:
        if body.get("model") is None:
            return None
        model = text_field(body, "model", LONGEST_MODEL)
        if model not in self._models:
            known = ", ".join(self._models) or "none: this installation has no model"
            raise UnprocessableRequest(f"model must be one of those configured ({known})")
        return model


def conversation_of(tenant_id: str, body: Mapping[str, Any]) -> str:
    """The client's own id of the conversation, in a body that names the key's tenant.

    Raises:
        NotFound: it names another.
        UnprocessableRequest: one of them is missing.
    """
    if text_field(body, "tenant", LONGEST_CONVERSATION) != tenant_id:
        raise NotFound("this key belongs to no such tenant")
    conversation = text_field(body, "conversation", LONGEST_CONVERSATION)
    if is_test_key(conversation):
        # Of a guest who needs a person there, nobody would hear.
        raise UnprocessableRequest(f"conversation must not begin with {PREFIX}: so do the tests of staff")
    return conversation


def client_id_of(body: Mapping[str, Any]) -> str | None:
    """The client's own id of its message; None where it gives none.

    Raises:
        UnprocessableRequest: it is not as it must be.
    """
    return None if body.get("message_id") is None else text_field(body, "message_id", LONGEST_CLIENT_ID)


def reply_json(reply: Reply | None) -> dict[str, Any]:
    """A reply as the API tells it; None where staff have taken the conversation over."""
    if reply is None:
        # Their answer comes to whoever reads the conversation.
        return _answer("", handover=True, source=ReplySource.SHORTCUT)
    return _answer(
        reply.text,
        handover=reply.handover,
        source=reply.source,
        citations=[
            {"document": citation.document, "title": citation.title, "score": round(citation.score, 4)}
            for citation in reply.citations
        ],
        quick_replies=list(reply.quick_replies),
        timings_ms=dict(reply.timings_ms),
    )


def configured_models(settings: Settings) -> Sequence[str]:
    """The names that a caller may choose a model by, the usual one first."""
    if not settings.has_model:
        return ()
    others = [*settings.ai_fallback_models.split(","), settings.ai_cheap_model]
    names = [settings.ai_model, *(name.strip() for name in others)]
    return tuple(dict.fromkeys(name for name in names if name))


def _answer(
    reply: str,
    *,
    handover: bool,
    source: ReplySource,
    citations: Sequence[Mapping[str, Any]] = (),
    quick_replies: Sequence[str] = (),
    timings_ms: Mapping[str, float] | None = None,
) -> dict[str, Any]:
    return {
        "reply": reply,
        "citations": list(citations),
        "handover": handover,
        "source": source,
        "quick_replies": list(quick_replies),
        "timings_ms": timings_ms or {},
    }


def _provider_id(client_id: str | None) -> str:
    """What a message is known by within its conversation: the same for the same id of the client's."""
    if client_id is None:
        # Each call is a message of its own, even with the same words.
        return secrets.token_hex(16)
    return "client-" + hashlib.sha256(client_id.encode()).hexdigest()
