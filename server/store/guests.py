"""Who wrote: finds the guest and the conversation behind an address, or makes them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.domain.messages import GuestAddress
from server.store.models import ConversationRow, GuestRow


def find_or_add_conversation(
    session: Session, tenant_id: str, address: GuestAddress, now: datetime
) -> ConversationRow:
    """The conversation with whoever has *address*; what is new about the guest is kept with them."""
    guest = _find_guest(session, tenant_id, address)
    if guest is None:
        guest = GuestRow(tenant_id=tenant_id, created_at=now)
        _learn(guest, address)
        session.add(guest)
        session.flush()
        conversation = ConversationRow(
            tenant_id=tenant_id, guest_id=guest.id, mode="ai", last_message_at=now, created_at=now
        )
        session.add(conversation)
        session.flush()
        return conversation
    _learn(guest, address)
    return session.scalars(select(ConversationRow).where(ConversationRow.guest_id == guest.id)).one()


def _find_guest(session: Session, tenant_id: str, address: GuestAddress) -> GuestRow | None:
    guests = select(GuestRow).where(GuestRow.tenant_id == tenant_id)
    if address.chat_key is not None:
        return session.scalars(guests.where(GuestRow.chat_key == address.chat_key)).one_or_none()
    if address.lid is not None:
        guest = session.scalars(guests.where(GuestRow.lid == address.lid)).one_or_none()
        if guest is not None:
            return guest
    if address.phone is None:
        return None
    same_phone = guests.where(GuestRow.phone == address.phone).order_by(GuestRow.id.desc()).limit(1)
    if address.lid is not None:
        # A phone number with another LID belongs to somebody new: numbers are given out again.
        same_phone = same_phone.where(GuestRow.lid.is_(None))
    return session.scalars(same_phone).one_or_none()


def _learn(guest: GuestRow, address: GuestAddress) -> None:
    guest.lid = guest.lid or address.lid
    guest.phone = address.phone or guest.phone
    guest.chat_key = guest.chat_key or address.chat_key
    guest.name = address.name or guest.name
