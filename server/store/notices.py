"""What staff are told: a line to each of their numbers, an e-mail to each address, and the webhook."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from server.domain.conversations import Reply, Turn
from server.domain.messages import Channel, DeliveryState, MessageKind, OutboundKind
from server.domain.phrases import Phrase
from server.domain.tenants import Tenant
from server.store.models import OutboxRow
from server.store.session import Database
from server.store.turn_ids import message_id_for
from server.translations import plain_text, told_in

_LONGEST_QUOTE = 300
_NOT_KEPT = ("id",)
_WITHOUT_WORDS: Mapping[str, Phrase] = {
    MessageKind.TEXT: Phrase("(text)"),
    MessageKind.REACTION: Phrase("(reaction)"),
    MessageKind.LOCATION: Phrase("(location)"),
    MessageKind.CONTACT: Phrase("(contact)"),
    MessageKind.IMAGE: Phrase("(image)"),
    MessageKind.VIDEO: Phrase("(video)"),
    MessageKind.AUDIO: Phrase("(audio)"),
    MessageKind.DOCUMENT: Phrase("(document)"),
    MessageKind.STICKER: Phrase("(sticker)"),
    MessageKind.OTHER: Phrase("(other)"),
}


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing that staff are told; the same *cause* and kind again is the same message.

    ``lines`` are what people read, in their language where they are phrases; the first is the subject of an
    e-mail. ``event`` is for the webhook.
    ``people`` are phone numbers and e-mail addresses to tell; None: those whom the tenant wants told.
    """

    cause: str
    kind: OutboundKind
    lines: Sequence[str]
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
    guest = named(turn.guest_name)
    headline = (
        Phrase("{guest} may be in danger. Please act now:", guest=guest)
        if is_urgent
        else Phrase("{guest} needs a person:", guest=guest)
    )
    lines = [headline, quoted(turn.question, turn.messages[-1].kind), link]
    notice = Notice(turn.id, OutboundKind.NOTICE, lines, event, is_on_whatsapp=True)
    return notice_rows(turn.tenant, notice, now)


def named(name: str | None) -> str:
    """What a guest is called in a notice."""
    return name or Phrase("A guest")


def quoted(words: str, kind: str) -> str:
    """The beginning of a guest's *words*; of a message without any what *kind* it is of."""
    return words[:_LONGEST_QUOTE] or _WITHOUT_WORDS[kind]


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
    text = plain_text(notice.lines, told_in(settings))
    for person in people:
        if "@" in person:
            yield Channel.STAFF_EMAIL, person, text
        elif notice.is_on_whatsapp:
            yield Channel.WHATSAPP, f"{_digits(person)}@s.whatsapp.net", text
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
