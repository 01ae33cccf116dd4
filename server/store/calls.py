"""Phone calls, and what was said on them."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from server.domain.calls import Call, CallTurn, EndedCall, NextStep
from server.domain.conversations import Mode, Reply
from server.domain.messages import GuestAddress
from server.domain.tenants import Tenant
from server.errors import NotFound
from server.ports.clock import Clock
from server.store.call_endings import close_ending, due_endings
from server.store.call_turns import as_ended, find_turn, keep_turn
from server.store.guests import find_or_add_conversation
from server.store.history import last_lines
from server.store.models import CallRow, ConversationRow, GuestRow, TenantRow
from server.store.session import Database
from server.store.tenants import to_tenant

# Twilio opens the socket as soon as it has read the TwiML.
TOKEN_LASTS = timedelta(seconds=60)
_TOKEN_BYTES = 24
# An answer that was being made when the call ended is made to its end.
_ALL_IS_KEPT_AFTER = timedelta(seconds=15)


class Calls:
    """The ``CallStore`` port.

    Args:
        console_url: where staff find the console; part of what they are told.
    """

    def __init__(self, database: Database, clock: Clock, console_url: str) -> None:
        self._database = database
        self._clock = clock
        self._console_url = console_url

    def ring(self, call_id: str, called: str, caller: str, history_lines: int) -> Call:
        """A call has come in to the number *called*; the same for the same when told again."""
        try:
            return self._ring(call_id, called, caller, history_lines)
        except IntegrityError:
            # It was told twice at the same moment; the loser finds the winner's rows.
            return self._ring(call_id, called, caller, history_lines)

    def find(self, call_id: str, history_lines: int) -> Call | None:
        """A call that has rung."""
        with self._database.read() as session:
            row = session.get(CallRow, call_id)
            return None if row is None else _to_call(session, row, history_lines)

    def issue_token(self, call_id: str) -> str:
        """A new secret that opens the call's media socket once, soon."""
        with self._database.write_urgently() as session:
            return issue_token(session, call_id, self._clock.now())

    def redeem_token(self, call_id: str, token: str) -> bool:
        """Whether *token* opens the call's media socket; it does so once."""
        with self._database.write_urgently() as session:
            redeemed = session.execute(
                update(CallRow)
                .where(
                    CallRow.id == call_id,
                    CallRow.token_hash == _hash(token),
                    CallRow.token_until >= self._clock.now(),
                    CallRow.ended_at.is_(None),
                )
                .values(token_hash=None, token_until=None)
                .returning(CallRow.id)
            ).first()
            return redeemed is not None

    def go_on_with(self, call_id: str, step: NextStep, to_say: str = "") -> None:
        """What the call does next, once its media socket is closed."""
        self._update(call_id, next_step=step, to_say=to_say)

    def record(self, call: Call, turn: CallTurn) -> Sequence[str]:
        """Keep what was said, in the caller's thread."""
        with self._database.write() as session:
            # The thread may have been joined with another one since the call began.
            thread = session.get_one(CallRow, call.id).conversation_id
            call = replace(call, conversation_id=thread)
            return keep_turn(self._database, session, call, turn, self._console_url)

    def find_turn(self, call_id: str, number: int) -> CallTurn | None:
        """A turn as it is kept; None if nothing is."""
        with self._database.read() as session:
            return find_turn(session, call_id, number)

    def end(self, call_id: str, because: str, seconds: int | None) -> None:
        """The call is over; told again, the first reason stands."""
        now = self._clock.now()
        with self._database.write() as session:
            session.execute(
                update(CallRow)
                .where(CallRow.id == call_id, CallRow.ended_at.is_(None))
                .values(
                    ended_at=now, ended_because=because, token_hash=None, continue_at=now + _ALL_IS_KEPT_AFTER
                )
            )
            if seconds is not None:
                session.execute(update(CallRow).where(CallRow.id == call_id).values(seconds=seconds))

    def due_endings(self, limit: int) -> Sequence[EndedCall]:
        """Calls that ended some seconds ago and were not looked at since."""
        with self._database.read() as session:
            rows = due_endings(session, self._clock.now(), limit)
            return [as_ended(session, _to_call(session, row, 0)) for row in rows]

    def close_ending(self, call_id: str, reply: Reply | None) -> str | None:
        """The call's end was looked at, and is not again; *reply* is sent to the caller's WhatsApp, once."""
        with self._database.write() as session:
            return close_ending(session, call_id, reply, self._clock.now())

    def _ring(self, call_id: str, called: str, caller: str, history_lines: int) -> Call:
        with self._database.write_urgently() as session:
            row = session.get(CallRow, call_id) or self._add(session, call_id, called, caller)
            return _to_call(session, row, history_lines)

    def _add(self, session: Session, call_id: str, called: str, caller: str) -> CallRow:
        tenant = _tenant_with(session, called)
        now = self._clock.now()
        conversation = find_or_add_conversation(session, tenant.id, _address(call_id, caller), now)
        return add_call(session, conversation, call_id, caller, called, now)

    def _update(self, call_id: str, **values: Any) -> None:
        with self._database.write_urgently() as session:
            session.execute(update(CallRow).where(CallRow.id == call_id).values(**values))


def add_call(
    session: Session, conversation: ConversationRow, call_id: str, caller: str, called: str, now: datetime
) -> CallRow:
    """A call that begins now."""
    row = CallRow(
        id=call_id,
        tenant_id=conversation.tenant_id,
        conversation_id=conversation.id,
        caller=caller,
        called=called,
        next_step=NextStep.ASK,
        to_say="",
        started_at=now,
        ended_because="",
    )
    session.add(row)
    session.flush()
    return row


def issue_token(session: Session, call_id: str, now: datetime) -> str:
    """A new secret that opens the call's media socket once, soon."""
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    values = {"token_hash": _hash(token), "token_until": now + TOKEN_LASTS}
    session.execute(update(CallRow).where(CallRow.id == call_id).values(**values))
    return token


def _tenant_with(session: Session, number: str) -> Tenant:
    """The business that has *number*.

    Raises:
        NotFound: none has it.
    """
    # There are as many as fit on a page: an index over their settings would be more than it saves.
    for row in session.scalars(select(TenantRow).order_by(TenantRow.id)):
        tenant = to_tenant(row)
        if number in tenant.settings.phone_numbers:
            return tenant
    raise NotFound("no business has this phone number: frontdesk tenant set ID phone_numbers +972...")


def _address(call_id: str, caller: str) -> GuestAddress:
    digits = "".join(character for character in caller if character.isdigit())
    if not digits:
        # Nobody knows who it is: a guest of one call.
        return GuestAddress(reply_to="", chat_key=f"call:{call_id}")
    # WhatsApp's name of the same number: one guest, one thread.
    jid = f"{digits}@s.whatsapp.net"
    return GuestAddress(reply_to=jid, phone=jid)


def _to_call(session: Session, row: CallRow, history_lines: int) -> Call:
    tenant = session.get_one(TenantRow, row.tenant_id)
    conversation = session.get_one(ConversationRow, row.conversation_id)
    guest = session.get_one(GuestRow, conversation.guest_id)
    return Call(
        id=row.id,
        tenant=to_tenant(tenant),
        caller=row.caller,
        called=row.called,
        conversation_id=row.conversation_id,
        guest_name=guest.name,
        mode=Mode(conversation.mode),
        language=conversation.language,
        history=last_lines(session.connection(), row.conversation_id, history_lines),
        next_step=NextStep(row.next_step),
        to_say=row.to_say,
    )


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
