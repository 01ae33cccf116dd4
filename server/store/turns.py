"""How a turn begins and ends: message, lease and reply are saved together, in one transaction each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.exc import IntegrityError

from server.domain.conversations import Analysis, Lease, Reply, Turn, Unanswered, conversation_key
from server.domain.messages import InboundMessage
from server.ports.store import Begun, Ended, Taken
from server.store.drafts import with_unanswered
from server.store.inbox import Inbox
from server.store.leases import Leases
from server.store.replies import Replies
from server.store.session import Database


class Turns:
    """The ``TurnStore`` port: what the other stores do one by one, in one transaction."""

    def __init__(self, database: Database, leases: Leases, inbox: Inbox, replies: Replies) -> None:
        self._database = database
        self._leases = leases
        self._inbox = inbox
        self._replies = replies

    def due_conversations(self, limit: int) -> Sequence[int]:
        """Conversations that nobody is at work on and that have messages due, longest waiting first."""
        found = self._inbox.due_conversations(limit)
        at_work = self._leases.held_among([conversation_key(one) for one in found])
        return [one for one in found if conversation_key(one) not in at_work]

    def begin(self, message: InboundMessage, history_lines: int) -> Begun:
        """Save *message* on the disk itself and take its conversation's turn."""
        try:
            return self._begin(message, history_lines)
        except IntegrityError:
            # Two requests met a new guest at the same moment; the loser finds the winner's rows.
            return self._begin(message, history_lines)

    def take(self, conversation_id: int, history_lines: int) -> Taken | None:
        """Take the conversation's lease and what waits there."""
        with self._database.write() as session, self._database.joining(session):
            return self._take(conversation_id, history_lines)

    def commit(
        self,
        lease: Lease,
        turn: Turn,
        reply: Reply,
        started_at: datetime,
        analysis: Analysis | None,
        *,
        unless_newer: bool,
    ) -> Ended:
        """Save *reply* as covering the turn's messages, and give the lease back."""
        with self._database.write() as session, self._database.joining(session):
            lanes = self._replies.commit_reply(
                lease, turn, reply, started_at, analysis, unless_newer=unless_newer
            )
            return self._end(lease, turn, lanes)

    def with_unanswered(self, turn: Turn) -> Turn:
        """*turn* with what was left to staff before it and has no answer yet."""
        with self._database.read() as session:
            return with_unanswered(session, turn)

    def commit_draft(self, lease: Lease, turn: Turn, reply: Reply, *, unless_newer: bool) -> Ended:
        """Keep *reply* for staff to decide on, and give the lease back."""
        with self._database.write() as session, self._database.joining(session):
            lanes = self._replies.commit_draft(lease, turn, reply, unless_newer=unless_newer)
            return self._end(lease, turn, lanes)

    def close(self, lease: Lease, turn: Turn, because: Unanswered, *, needs_human: bool) -> Ended:
        """Mark the turn's messages as handled without a reply, and give the lease back."""
        with self._database.write() as session, self._database.joining(session):
            lanes = self._replies.close_unanswered(lease, turn, because, needs_human=needs_human)
            return self._end(lease, turn, lanes)

    def postpone(self, lease: Lease, turn: Turn, delay_s: float) -> bool:
        """Count an attempt that failed, to be tried again in *delay_s* seconds, and give the lease back."""
        with self._database.write() as session, self._database.joining(session):
            self._inbox.postpone(lease, turn, delay_s)
            return self._end(lease, turn, ()).is_due

    def _begin(self, message: InboundMessage, history_lines: int) -> Begun:
        with self._database.write_durably() as session, self._database.joining(session):
            saved = self._inbox.save_alone(message)
            taken = self._take(saved.conversation_id, history_lines) if saved.is_waiting else None
            return Begun(saved, taken)

    def _take(self, conversation_id: int, history_lines: int) -> Taken | None:
        lease = self._leases.claim(conversation_key(conversation_id))
        if lease is None:
            return None
        turn = self._inbox.next_turn(conversation_id, history_lines)
        if turn is None:
            self._leases.release(lease)
            return None
        return Taken(lease, turn)

    def _end(self, lease: Lease, turn: Turn, lanes: Sequence[str]) -> Ended:
        self._leases.release(lease)
        # Whoever saves a message after this finds the lease free.
        return Ended(lanes, is_due=self._inbox.is_due(turn.conversation_id))
