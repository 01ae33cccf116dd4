"""The conversations' API: the log, who answers, and what staff write."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import singledispatch
from typing import Any

from flask import Blueprint, request

from server.channels.api_keys import tenant_of
from server.channels.bodies import json_object, text_field
from server.domain.conversations import Mode
from server.domain.cursors import NEWEST, ListCursor, ThreadCursor
from server.domain.modes import Actor, ModeBy
from server.domain.views import CallLine, ConversationSummary, EventView, InboundView, OutboundView, Wanted
from server.errors import NotFound, UnprocessableRequest
from server.inbox.takeover import Takeover
from server.ports.conversations import CONVERSATIONS_ON_A_PAGE, LINES_ON_A_PAGE, ConversationLog
from server.ports.store import KeyStore

LONGEST_STAFF_MESSAGE = 8_000
LONGEST_CLIENT_ID = 128
MOST_ON_A_PAGE = 200

_LARGEST_ID = 2**63 - 1
_API = Actor(ModeBy.API)


def conversations_blueprint(log: ConversationLog, takeover: Takeover, keys: KeyStore) -> Blueprint:
    """``/api/v1/conversations``; a key opens its own tenant's, and others do not exist for it."""
    blueprint = Blueprint("conversations", __name__, url_prefix="/api/v1/conversations")

    @blueprint.get("")
    def list_conversations() -> dict[str, Any]:
        tenant_id = tenant_of(request, keys)
        before = request.args.get("before")
        cursor = ListCursor.parse(before) if before else None
        page = log.conversations(tenant_id, _wanted(), cursor, _limit(CONVERSATIONS_ON_A_PAGE))
        return {"conversations": [_summary(found) for found in page.conversations], "before": page.older}

    @blueprint.get("/<int:conversation_id>")
    def show_conversation(conversation_id: int) -> dict[str, Any]:
        tenant_id = tenant_of(request, keys)
        before = request.args.get("before")
        cursor = ThreadCursor.parse(before) if before else NEWEST
        page = log.thread(tenant_id, _checked(conversation_id), cursor, _limit(LINES_ON_A_PAGE))
        lines = [_line(line) for line in page.lines]
        return {**_summary(page.conversation), "messages": lines, "before": page.older}

    @blueprint.post("/<int:conversation_id>/mode")
    def set_mode(conversation_id: int) -> dict[str, Any]:
        tenant_id = tenant_of(request, keys)
        mode = _mode(json_object(request).get("mode"))
        change = takeover.set_mode(tenant_id, _checked(conversation_id), mode, _API)
        return {"id": conversation_id, "mode": change.mode, "cancelled": change.cancelled}

    @blueprint.post("/<int:conversation_id>/messages")
    def write(conversation_id: int) -> tuple[dict[str, Any], int]:
        tenant_id = tenant_of(request, keys)
        body = json_object(request)
        text = text_field(body, "text", LONGEST_STAFF_MESSAGE)
        client_id = text_field(body, "id", LONGEST_CLIENT_ID) if body.get("id") is not None else None
        message = takeover.write(tenant_id, _checked(conversation_id), text, _API, client_id)
        # 202: it stands in the outbox, and its state in the log tells how far it gets.
        return {"id": message.message_id, "state": message.state}, 202 if message.is_new else 200

    return blueprint


def _checked(conversation_id: int) -> int:
    if conversation_id > _LARGEST_ID:
        raise NotFound("there is no such conversation")
    return conversation_id


def _wanted() -> Wanted:
    needs_human = request.args.get("needs_human", "false")
    if needs_human not in ("true", "false"):
        raise UnprocessableRequest("needs_human must be true or false")
    mode = request.args.get("mode")
    return Wanted(needs_human=needs_human == "true", mode=None if mode is None else _mode(mode))


def _mode(value: object) -> Mode:
    try:
        return Mode(str(value))
    except ValueError:
        raise UnprocessableRequest(f"mode must be one of {', '.join(Mode)}") from None


def _limit(default: int) -> int:
    text = request.args.get("limit", str(default))
    if not (text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= MOST_ON_A_PAGE):
        raise UnprocessableRequest(f"limit must be a number from 1 to {MOST_ON_A_PAGE}")
    return int(text)


def _summary(found: ConversationSummary) -> dict[str, Any]:
    guest = found.guest
    return {
        "id": found.id,
        "guest": {"name": guest.name, "phone": guest.phone, "chat_key": guest.chat_key},
        "channel": found.channel,
        "mode": found.mode,
        **_times(hand_back_at=found.hand_back_at),
        "needs_human": found.needs_human,
        "language": found.language,
        "last_message_at": found.last_message_at.isoformat(),
    }


@singledispatch
def _line(line: object) -> dict[str, Any]:
    raise TypeError(f"a line of a conversation cannot be a {type(line).__name__}")


@_line.register
def _inbound(line: InboundView) -> dict[str, Any]:
    return {
        "type": "inbound",
        "id": line.id,
        "at": line.at.isoformat(),
        "sent_at": line.sent_at.isoformat(),
        "from": "host_phone" if line.from_me else "guest",
        "kind": line.kind,
        "text": line.text,
        "quoted": line.quoted_text,
        "waiting": line.is_waiting,
        "unanswered_because": line.unanswered_because or None,
        "automatic": line.is_automatic,
    }


@_line.register
def _outbound(line: OutboundView) -> dict[str, Any]:
    return {
        "type": "outbound",
        "id": line.message_id,
        "at": line.at.isoformat(),
        "kind": line.kind,
        "text": line.text,
        "state": line.state,
        "reason": line.reason or None,
        **_times(sent_at=line.sent_at, delivered_at=line.delivered_at, read_at=line.read_at),
    }


@_line.register
def _event(line: EventView) -> dict[str, Any]:
    at = line.at.isoformat()
    return {"type": "event", "at": at, "kind": line.kind, "by": line.actor, "mode": line.mode}


@_line.register
def _call(line: CallLine) -> dict[str, Any]:
    return {
        "type": "call",
        "id": line.id,
        "at": line.at.isoformat(),
        "seconds": line.seconds,
        "recordings": len(line.recordings),
    }


def _times(**times: datetime | None) -> Mapping[str, str | None]:
    return {name: None if at is None else at.isoformat() for name, at in times.items()}
