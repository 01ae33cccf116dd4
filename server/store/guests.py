"""Who wrote: finds the guest and the conversation behind an address, or makes them.

WhatsApp names a person by a LID and by a phone number, in any order and not always both. The LID decides:
a phone number may be given to somebody else, a LID is not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import CompoundSelect, Connection, bindparam, insert, or_, select, union
from sqlalchemy.orm import Session

from server.domain.messages import GuestAddress, InboundMessage
from server.store.models import ConversationRow, GuestRow, TenantRow, table_of
from server.store.tenants import no_such_tenant

# A guest with the conversation that is theirs.
Known = tuple[GuestRow, ConversationRow]

_GUEST, _CONVERSATION = table_of(GuestRow).c, table_of(ConversationRow).c
_BY_TENANT = (
    select(
        _GUEST.id,
        _GUEST.tenant_id,
        _GUEST.lid,
        _GUEST.phone,
        _GUEST.chat_key,
        _GUEST.name,
        _CONVERSATION.id.label("conversation_id"),
    )
    .join(table_of(ConversationRow), _CONVERSATION.guest_id == _GUEST.id)
    .where(_GUEST.tenant_id.in_(bindparam("tenants", expanding=True)))
)
_BY_NAME = {
    "chat_keys": _BY_TENANT.where(_GUEST.chat_key.in_(bindparam("chat_keys", expanding=True))),
    "lids": _BY_TENANT.where(_GUEST.lid.in_(bindparam("lids", expanding=True))),
    "phones": _BY_TENANT.where(_GUEST.phone.in_(bindparam("phones", expanding=True))),
}


class _Guest(NamedTuple):
    """A guest, and the conversation that is theirs."""

    id: int
    tenant_id: str
    lid: str | None
    phone: str | None
    chat_key: str | None
    name: str | None
    conversation_id: int


_ByName = dict[tuple[str, str | None], list[_Guest]]
# Somebody waits while a first message is saved: its statements are compiled once.
_TENANT = select(table_of(TenantRow).c.id).where(table_of(TenantRow).c.id == bindparam("tenant"))
_ADD_GUEST = insert(table_of(GuestRow)).returning(_GUEST.id)
_ADD_CONVERSATION = insert(table_of(ConversationRow)).returning(_CONVERSATION.id)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a message belongs."""

    guest_id: int
    conversation_id: int


def locate(session: Session, messages: Sequence[InboundMessage], now: datetime) -> Sequence[Place]:
    """Where each of *messages* belongs. Guests of whom all is known cost one quick statement together.

    Raises:
        NotFound: there is no such tenant.
    """
    known = _known_by_name(session, messages)
    return [_place_of(session, message, known, now) for message in messages]


def _known_by_name(session: Session, messages: Sequence[InboundMessage]) -> _ByName:
    """The guests who have one of the messages' names, by tenant and name."""
    addresses = [message.address for message in messages]
    told = {
        "chat_keys": [address.chat_key for address in addresses if address.chat_key is not None],
        "lids": [address.lid for address in addresses if address.lid is not None],
        "phones": [address.phone for address in addresses if address.phone is not None],
    }
    names = {kind: values for kind, values in told.items() if values}
    tenants = list({message.tenant_id for message in messages})
    known: _ByName = {}
    for row in session.connection().execute(_by_names(tuple(names)), {"tenants": tenants, **names}):
        _note(known, _Guest(*row))
    return known


def _note(known: _ByName, guest: _Guest) -> None:
    for name in {guest.chat_key, guest.lid, guest.phone} - {None}:
        known.setdefault((guest.tenant_id, name), []).append(guest)


@cache
def _by_names(kinds: tuple[str, ...]) -> CompoundSelect[Any]:
    """The guests with one of the names that are given: a part for each index.

    For an OR of them SQLite reads all guests of the tenant, and so it may for a kind of name that few have.
    """
    return union(*(_BY_NAME[kind] for kind in kinds))


def _place_of(session: Session, message: InboundMessage, known: _ByName, now: datetime) -> Place:
    address, tenant_id = message.address, message.tenant_id
    names = {address.chat_key, address.lid, address.phone} - {None}
    rows = {row.id: row for name in names for row in known.get((tenant_id, name), ())}
    if len(rows) == 1:
        (row,) = rows.values()
        if not _is_news(row, address):
            return Place(row.id, row.conversation_id)
    if not rows:
        guest = _add_new(session.connection(), tenant_id, address, now)
        _note(known, guest)
        return Place(guest.id, guest.conversation_id)
    conversation = find_or_add_conversation(session, tenant_id, address, now)
    session.flush()
    return Place(conversation.guest_id, conversation.id)


def _add_new(connection: Connection, tenant_id: str, address: GuestAddress, now: datetime) -> _Guest:
    """A guest of whom nothing was known, with a conversation.

    Raises:
        NotFound: there is no such tenant.
    """
    if connection.execute(_TENANT, {"tenant": tenant_id}).scalar_one_or_none() is None:
        raise no_such_tenant(tenant_id)
    names = {"lid": address.lid, "phone": address.phone, "chat_key": address.chat_key, "name": address.name}
    guest = {"tenant_id": tenant_id, "created_at": now, **names}
    guest_id = connection.execute(_ADD_GUEST, guest).scalar_one()
    conversation = {
        "tenant_id": tenant_id,
        "guest_id": guest_id,
        "mode": "ai",
        "mode_by": "",
        "offered": [],
        "last_message_at": now,
        "created_at": now,
    }
    conversation_id = connection.execute(_ADD_CONVERSATION, conversation).scalar_one()
    return _Guest(guest_id, tenant_id, conversation_id=conversation_id, **names)


def _is_news(row: _Guest, address: GuestAddress) -> bool:
    """Whether *address* tells something that the guest's row does not, or belongs to somebody else."""
    return any(
        told not in (None, known)
        for told, known in (
            (address.lid, row.lid),
            (address.phone, row.phone),
            (address.chat_key, row.chat_key),
            (address.name, row.name),
        )
    )


def find_or_add_conversation(
    session: Session, tenant_id: str, address: GuestAddress, now: datetime
) -> ConversationRow:
    """The conversation with whoever has *address*; what is new about the guest is kept with them."""
    return find_conversation(session, tenant_id, address) or _add(session, tenant_id, address, now)


def find_conversation(session: Session, tenant_id: str, address: GuestAddress) -> ConversationRow | None:
    """The conversation with whoever has *address*, if we know them; what is new about them is kept."""
    known = _with_any_name(session, tenant_id, address)
    found = _whose(known, address)
    if found is None:
        _free_phone(known, address)
        # Before somebody else takes it: the number is unique among those without a LID.
        session.flush()
        return None
    guest, conversation = found
    _learn(guest, address)
    if guest.lid is not None and address.phone is not None:
        _settle_phone(known, guest)
    return conversation


def _with_any_name(session: Session, tenant_id: str, address: GuestAddress) -> Sequence[Known]:
    names = [
        column == name
        for column, name in (
            (GuestRow.chat_key, address.chat_key),
            (GuestRow.lid, address.lid),
            (GuestRow.phone, address.phone),
        )
        if name is not None
    ]
    rows = session.execute(
        select(GuestRow, ConversationRow)
        .join(ConversationRow, ConversationRow.guest_id == GuestRow.id)
        .where(GuestRow.tenant_id == tenant_id, or_(*names))
        .order_by(GuestRow.id.desc())
    )
    return [(guest, conversation) for guest, conversation in rows]


def _whose(known: Sequence[Known], address: GuestAddress) -> Known | None:
    for pair in known:
        if address.chat_key is not None and pair[0].chat_key == address.chat_key:
            return pair
        if address.lid is not None and pair[0].lid == address.lid:
            return pair
    if address.phone is None:
        return None
    same_phone = [pair for pair in known if pair[0].phone == address.phone and pair[0].merge_into is None]
    if address.lid is not None:
        # With another LID the number has come to somebody new, who inherits nothing.
        same_phone = [pair for pair in same_phone if pair[0].lid is None]
    return same_phone[0] if same_phone else None


def _add(session: Session, tenant_id: str, address: GuestAddress, now: datetime) -> ConversationRow:
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


def _learn(guest: GuestRow, address: GuestAddress) -> None:
    guest.lid = guest.lid or address.lid
    guest.phone = address.phone or guest.phone
    guest.chat_key = guest.chat_key or address.chat_key
    guest.name = address.name or guest.name


def _settle_phone(known: Sequence[Known], guest: GuestRow) -> None:
    """The number is *guest*'s now: whoever had it alone is the same person, whoever had a LID is not."""
    for other, _ in known:
        if other is guest or other.phone != guest.phone:
            continue
        if other.lid is None:
            other.merge_into = guest.id
        else:
            other.phone = None


def _free_phone(known: Sequence[Known], address: GuestAddress) -> None:
    for other, _ in known:
        if address.phone is not None and other.phone == address.phone and other.lid != address.lid:
            other.phone = None
