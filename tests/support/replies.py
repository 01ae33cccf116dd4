"""Replies that stand in the outbox, for tests of what happens to them there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from server.domain.conversations import Reply, ReplySource
from server.store.inbox import Inbox
from server.store.leases import Leases
from server.store.replies import Replies
from server.store.session import Database
from tests.fakes.clock import FakeClock
from tests.support.builders import a_message


def commit_reply(
    database: Database, clock: FakeClock, leases: Leases, text: str, **message: Any
) -> Sequence[str]:
    """A guest writes, *message* being what is special about it, and the desk commits *text* as its reply.

    Returns:
        The lanes that the reply leaves in.
    """
    inbox = Inbox(database, clock)
    asked = a_message(**message)
    conversation_id = inbox.save(asked.tenant_id, [asked])[0].conversation_id
    lease = leases.claim(f"conversation:{conversation_id}")
    turn = inbox.next_turn(conversation_id, 0)
    assert lease is not None
    assert turn is not None
    reply = Reply(text=text, source=ReplySource.KNOWLEDGE, language="en")
    lanes = Replies(database, clock, "").commit_reply(lease, turn, reply, clock.now())
    leases.release(lease)
    return lanes
