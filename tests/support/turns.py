"""Turns and passages that name only what a test is about."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from server.domain.conversations import HistoryLine, Mode, Speaker, Turn, WaitingMessage
from server.domain.knowledge import Document, Passage
from server.domain.language import detect_language
from server.domain.messages import Channel, MessageKind
from server.domain.tenants import Tenant, TenantSettings

# A Saturday, 06:05 at the business in Israel.
NOW = datetime(2026, 11, 21, 4, 5, tzinfo=UTC)


def a_passage(body: str, title: str = "About us", score: float = 0.9, document_id: str = "doc") -> Passage:
    """A passage as the retriever gives it."""
    return Passage(Document(document_id, title, body, detect_language(body)), score)


def a_turn(
    *texts: str,
    guest_said: Sequence[str] = (),
    desk_said: Sequence[str] = (),
    **settings: Any,
) -> Turn:
    """A turn whose waiting messages are *texts*; *settings* change the business."""
    messages = [
        WaitingMessage(
            id=number,
            provider_id=f"ID{number}",
            kind=MessageKind.TEXT,
            text=text,
            quoted=None,
            received_at=NOW,
            attempts=0,
        )
        for number, text in enumerate(texts)
    ]
    history = [HistoryLine(Speaker.GUEST, text) for text in guest_said]
    history += [HistoryLine(Speaker.HOST, text) for text in desk_said]
    return Turn(
        id="turn-1",
        tenant=Tenant("1", TenantSettings(**({"name": "Harbour House"} | settings))),
        conversation_id=1,
        channel=Channel.CHAT,
        mode=Mode.AI,
        reply_to="guest",
        guest_name=None,
        messages=messages,
        history=history,
        offered=(),
    )
