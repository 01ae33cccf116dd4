"""What staff are told when a guest needs a person: a line to each of their numbers, and the webhook."""

from __future__ import annotations

import json
from datetime import datetime

from server.domain.conversations import Turn
from server.domain.messages import Channel, DeliveryState, OutboundKind
from server.store.models import OutboxRow
from server.store.turn_ids import message_id_for

_LONGEST_QUOTE = 300


def staff_notices(turn: Turn, console_url: str, now: datetime) -> list[OutboxRow]:
    """Outbox rows for everybody whom the tenant wants told; committed along with the reply."""
    settings = turn.tenant.settings
    link = f"{console_url}/console/conversations/{turn.conversation_id}"
    rows = [
        _notice(turn, Channel.WHATSAPP, f"{_digits(number)}@s.whatsapp.net", _line(turn, link), now)
        for number in settings.staff_numbers
    ]
    if settings.staff_webhook:
        event = {
            "event": "needs_human",
            "tenant": turn.tenant.id,
            "conversation": turn.conversation_id,
            "url": link,
        }
        rows.append(_notice(turn, Channel.STAFF_WEBHOOK, settings.staff_webhook, json.dumps(event), now))
    return rows


def _line(turn: Turn, link: str) -> str:
    who = turn.guest_name or "A guest"
    question = turn.question[:_LONGEST_QUOTE] or f"({turn.messages[-1].kind})"
    return f"{who} needs a person:\n{question}\n{link}"


def _notice(turn: Turn, channel: Channel, to: str, text: str, now: datetime) -> OutboxRow:
    return OutboxRow(
        tenant_id=turn.tenant.id,
        conversation_id=None,
        turn_id=None,
        lane=f"staff:{turn.tenant.id}:{message_id_for(turn.tenant.id, channel, to)}",
        channel=channel,
        kind=OutboundKind.NOTICE,
        to_address=to,
        text=text,
        message_id=message_id_for(turn.id, OutboundKind.NOTICE, to),
        state=DeliveryState.COMMITTED,
        due_at=now,
        committed_at=now,
    )


def _digits(number: str) -> str:
    return "".join(character for character in number if character.isdigit())
