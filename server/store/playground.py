"""Where the tests of staff stand, and how one of them begins to be spoken."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select, update

from server.domain.messages import GuestAddress
from server.domain.playground import CALL_PREFIX
from server.ports.clock import Clock
from server.store.calls import add_call, issue_token
from server.store.guests import find_or_add_conversation
from server.store.models import CallRow, ConversationRow, GuestRow, TurnRow
from server.store.session import Database


@dataclass(frozen=True, slots=True)
class BegunCall:
    """A call that waits for its media socket; the token opens it once, soon."""

    id: str
    token: str
    conversation_id: int


class Playground:
    """Finds a test by its chat key."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def find(self, tenant_id: str, chat_key: str) -> int | None:
        """The test's conversation; None before its first message."""
        query = (
            select(ConversationRow.id)
            .join(GuestRow, GuestRow.id == ConversationRow.guest_id)
            .where(GuestRow.tenant_id == tenant_id, GuestRow.chat_key == chat_key)
        )
        with self._database.read() as session:
            return session.scalars(query).one_or_none()

    def quick_replies(self, tenant_id: str, conversation_id: int) -> Sequence[str]:
        """What a guest may want to ask next, after the last answer."""
        newest = (
            select(TurnRow.quick_replies)
            .where(TurnRow.tenant_id == tenant_id, TurnRow.conversation_id == conversation_id)
            .order_by(TurnRow.committed_at.desc())
            .limit(1)
        )
        with self._database.read() as session:
            return session.scalars(newest).one_or_none() or ()

    def call(self, tenant_id: str, chat_key: str, name: str) -> BegunCall:
        """Begin a call within the test *chat_key*, of a guest with *name*; one that still waits is over."""
        address = GuestAddress(reply_to=chat_key, chat_key=chat_key, name=name)
        call_id, now = f"{CALL_PREFIX}{secrets.token_hex(16)}", self._clock.now()
        with self._database.write() as session:
            conversation = find_or_add_conversation(session, tenant_id, address, now)
            # No network tells of its end.
            session.execute(
                update(CallRow)
                .where(CallRow.conversation_id == conversation.id, CallRow.ended_at.is_(None))
                .values(ended_at=now, ended_because="completed", token_hash=None)
            )
            add_call(session, conversation, call_id, chat_key, "", now)
            return BegunCall(call_id, issue_token(session, call_id, now), conversation.id)
