"""What staff are told: a line to each of their numbers, an e-mail to each address, and the webhook."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from server.domain.conversations import Reply, Turn
from server.domain.messages import Channel, DeliveryState, OutboundKind
from server.domain.tenants import Tenant
from server.store.models import OutboxRow
from server.store.session import Database
from server.store.turn_ids import message_id_for

_LONGEST_QUOTE = 300
_NOT_KEPT = ("id",)


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing that staff are told; the same *cause* and kind again is the same message.

    ``text`` is what people read, its first line the subject of an e-mail; ``event`` is for the webhook.
    ``people`` are phone numbers and e-mail addresses to tell; None: those whom the tenant wants told.
    """

    cause: str
    kind: OutboundKind
    text: str
    event: Mapping[str, object]
    is_on_whatsapp: bool = False
    people: Sequence[str] | None = None


def staff_notices(turn: Turn, reply: Reply | None, console_url: str, now: datetime) -> list[OutboxRow]:
    """Outbox rows for everybody whom the tenant wants told; committed along with the reply, if any."""
    is_urgent = reply is not None and reply.urgent
    link = conversation_link(console_url, turn.conversation_id)
    event = {
        "event": "needs_human",
        "tenant": turn.tenant.id,
        "conversation": turn.conversation_id,
        "url": link,
        "urgent": is_urgent,
        "reason": "" if reply is None else reply.reason,
    }
    headline = "may be in danger. Please act now" if is_urgent else "needs a person"
    words = turn.question or f"({turn.messages[-1].kind})"
    text = about_guest(turn.guest_name, headline, words, link)
    notice = Notice(turn.id, OutboundKind.NOTICE, text, event, is_on_whatsapp=True)
    return notice_rows(turn.tenant, notice, now)


def about_guest(name: str | None, headline: str, words: str, link: str) -> str:
    """What people read of a guest who needs them, with the beginning of the guest's *words*."""
    return f"{name or 'A guest'} {headline}:\n{words[:_LONGEST_QUOTE]}\n{link}"


def conversation_link(console_url: str, conversation_id: int) -> str:
    """The conversation's page in the console."""
    return f"{console_url}/console/conversations/{conversation_id}"


def notice_rows(tenant: Tenant, notice: Notice, now: datetime) -> list[OutboxRow]:
    """Outbox rows for everybody whom the tenant wants told of *notice*."""
    return [_row(tenant, notice, channel, to, text, now) for channel, to, text in _addressed(tenant, notice)]


def add_notice(
    database: Database, session: Session, tenant: Tenant, notice: Notice, now: datetime
) -> Sequence[str]:
    """Put *notice* into the outbox for everybody who has not been told of it; the lanes that have news."""
    lanes = []
    for row in notice_rows(tenant, notice, now):
        values = {
            column.key: getattr(row, column.key)
            for column in OutboxRow.__table__.columns
            if column.key not in _NOT_KEPT and getattr(row, column.key) is not None
        }
        added = session.execute(
            database.insert(OutboxRow).values(**values).on_conflict_do_nothing().returning(OutboxRow.id)
        ).first()
        if added is not None:
            lanes.append(row.lane)
    return lanes


def _addressed(tenant: Tenant, notice: Notice) -> Iterator[tuple[Channel, str, str]]:
    settings = tenant.settings
    people = (*settings.staff_numbers, *settings.staff_emails) if notice.people is None else notice.people
    for person in people:
        if "@" in person:
            yield Channel.STAFF_EMAIL, person, notice.text
        elif notice.is_on_whatsapp:
            yield Channel.WHATSAPP, f"{_digits(person)}@s.whatsapp.net", notice.text
    if settings.staff_webhook:
        yield Channel.STAFF_WEBHOOK, settings.staff_webhook, json.dumps(notice.event)


def _row(tenant: Tenant, notice: Notice, channel: Channel, to: str, text: str, now: datetime) -> OutboxRow:
    return OutboxRow(
        tenant_id=tenant.id,
        conversation_id=None,
        turn_id=None,
        lane=f"staff:{tenant.id}:{message_id_for(tenant.id, channel, to)}",
        channel=channel,
        kind=notice.kind,
        to_address=to,
        text=text,
        message_id=message_id_for(notice.cause, notice.kind, to),
        state=DeliveryState.COMMITTED,
        due_at=now,
        committed_at=now,
    )


def _digits(number: str) -> str:
    return "".join(character for character in number if character.isdigit())
