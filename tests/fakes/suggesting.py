"""What suggestions are made by, without a desk that runs."""

from __future__ import annotations

from collections.abc import Callable

from server.domain.conversations import Reply, ReplySource, Turn
from server.domain.knowledge import Citation

SUGGESTED = Reply(
    text="Check-in is from 15:00.",
    source=ReplySource.KNOWLEDGE,
    language="en",
    citations=[Citation("in", "Check-in", 0.9)],
)


class FakeEngine:
    """Answers each turn in the same words; ``meanwhile`` happens while it is thought of."""

    def __init__(self, reply: Reply = SUGGESTED) -> None:
        self.asked: list[Turn] = []
        self.reply = reply
        self.meanwhile: Callable[[], object] = lambda: None

    async def answer(self, turn: Turn) -> Reply:
        """The same words."""
        self.asked.append(turn)
        self.meanwhile()
        return self.reply


class FakeEars:
    """Hears nothing: what has no words has none."""

    async def hear(self, turn: Turn) -> Turn:
        """*turn* as it is."""
        return turn
