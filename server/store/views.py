"""Rows as the console's pages show them."""

from __future__ import annotations

import re
from datetime import datetime

from server.domain.conversations import Mode, Speaker
from server.domain.knowledge import Citation
from server.domain.messages import (
    TRANSCRIPT,
    Channel,
    DeliveryState,
    MessageKind,
    OutboundKind,
    file_name_of,
    media_of,
)
from server.domain.modes import EventKind
from server.domain.views import EventView, GuestView, InboundView, OutboundView, Preview, TurnView
from server.store.models import ConversationEventRow, GuestRow, InboundRow, OutboxRow, TurnRow


def to_guest_view(row: GuestRow) -> GuestView:
    """The guest as pages show one."""
    # A JID: digits, perhaps a device after a colon, and the server.
    digits = re.match(r"\d+", row.phone or "")
    return GuestView(
        id=row.id,
        name=row.name,
        phone=f"+{digits[0]}" if digits else None,
        chat_key=row.chat_key,
    )


def to_preview(row: InboundRow | OutboxRow) -> Preview:
    """The newest message of a conversation."""
    if isinstance(row, OutboxRow):
        return Preview(Speaker.HOST, MessageKind.TEXT, row.text, DeliveryState(row.state))
    speaker = Speaker.HOST if row.from_me else Speaker.GUEST
    return Preview(speaker, MessageKind(row.kind), row.text, None)


def to_inbound(row: InboundRow) -> InboundView:
    """A message that came in."""
    return InboundView(
        id=row.id,
        at=row.received_at,
        sent_at=row.sent_at,
        kind=MessageKind(row.kind),
        text=row.text,
        quoted_text=None if row.quoted is None else row.quoted.get("text"),
        from_me=row.from_me,
        is_waiting=row.handled_at is None,
        unanswered_because=row.unanswered_because,
        is_automatic=bool(row.details.get("automatic")),
        has_file=media_of(row.details) is not None,
        file_name=file_name_of(row.details),
        is_transcript=bool(row.details.get(TRANSCRIPT)),
    )


def to_event(row: ConversationEventRow) -> EventView:
    """What happened between the messages."""
    mode = row.details.get("mode")
    return EventView(
        at=row.at, kind=EventKind(row.kind), actor=row.actor, mode=None if mode is None else Mode(mode)
    )


def to_outbound(row: OutboxRow, turn: TurnRow | None, guest_wrote_at: datetime | None) -> OutboundView:
    """A message that went out, and the turn that it came of; see `OutboundView` for *guest_wrote_at*."""
    return OutboundView(
        id=row.id,
        message_id=row.message_id,
        at=row.committed_at,
        kind=OutboundKind(row.kind),
        text=row.text,
        state=DeliveryState(row.state),
        reason=row.reason,
        sent_at=row.sent_at,
        delivered_at=row.delivered_at,
        read_at=row.read_at,
        guest_wrote_at=guest_wrote_at,
        is_spoken=row.channel == Channel.VOICE,
        turn=None if turn is None else _to_turn(turn),
    )


def _to_turn(row: TurnRow) -> TurnView:
    return TurnView(
        id=row.id,
        source=row.source,
        language=row.language,
        handover=row.handover,
        reason=row.reason,
        citations=[Citation(**citation) for citation in row.citations],
        timings_ms=row.timings_ms,
        steps_ms=row.steps_ms,
        model=row.model,
        prompt_version=row.prompt_version,
        intended=row.intended,
        committed_at=row.committed_at,
        analysis=row.analysis or {},
    )
