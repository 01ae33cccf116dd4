"""Answers to tests of staff that are kept as a desk keeps its own, where no desk runs."""

from __future__ import annotations

from server.domain.conversations import Reply, ReplySource
from server.domain.events import Token
from server.domain.knowledge import Citation
from server.domain.messages import InboundMessage
from server.inbox.streams import ReplyStream
from server.ports.clock import Clock
from server.store.inbox import Inbox
from server.store.leases import Leases
from server.store.replies import Replies
from server.store.session import Database
from server.store.turns import Turns

WORDS = ("Check-in is ", "from 15:00.")


class KeptAnswers:
    """Keeps the ``Answering`` port of the playground: says the same to everything."""

    def __init__(self, database: Database, clock: Clock, leases: Leases) -> None:
        self._clock = clock
        self._turns = Turns(
            database, leases, Inbox(database, clock), Replies(database, clock, "http://desk.example")
        )

    def stream(self, message: InboundMessage) -> ReplyStream:
        """An answer that is whole already."""
        begun = self._turns.begin(message, 0)
        stream = ReplyStream(begun.saved.id)
        reply = Reply(
            text="".join(WORDS),
            source=ReplySource.KNOWLEDGE,
            language="en",
            citations=[Citation("check-in", "Check-in and check-out", 0.91)],
            quick_replies=["When is check-out?"],
            timings_ms={"knowledge": 12.5, "total": 14.0},
        )
        if begun.taken is not None:
            lease, turn = begun.taken.lease, begun.taken.turn
            self._turns.commit(lease, turn, reply, self._clock.now(), None, unless_newer=False)
        for words in WORDS:
            stream.say(Token(words))
        stream.end(reply)
        return stream
