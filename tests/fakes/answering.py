"""Answers to tests of staff, said before the desk that would give them is asked."""

from __future__ import annotations

from server.domain.conversations import Reply, ReplySource
from server.domain.messages import InboundMessage
from server.inbox.streams import ReplyStream


class FakeAnswering:
    """Keeps the ``Answering`` port of the playground: everything is answered in the same words, at once."""

    def __init__(self, words: str = "From 15:00.") -> None:
        self.asked: list[InboundMessage] = []
        self._words = words

    def stream(self, message: InboundMessage) -> ReplyStream:
        """An answer that is whole already."""
        self.asked.append(message)
        stream = ReplyStream(len(self.asked))
        stream.end(Reply(text=self._words, source=ReplySource.SHORTCUT, language="en"))
        return stream
