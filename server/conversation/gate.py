"""The only way out for a model's words.

What a model wrote leaves only if everything checkable in it stands in a source that it cites, in the
business's own facts, or in what the desk said before; if every rule it states has a source; and if it
holds nothing of the machinery behind it. Otherwise it is refused as a whole: the embedded answers quote
the business instead.

What is not caught for sure: a number that belongs to a condition in another clause, one of several limits
left out, and whatever is told in words that neither source nor word lists know. docs/gate.md has the figures.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from server.conversation import wary
from server.conversation.stream_gate import LONGEST_REPLY_CHARS, StreamGate
from server.conversation.verdicts import Accepted, Gated, Refused
from server.domain.conversations import Turn
from server.domain.knowledge import Passage
from server.knowledge.agreement import Source, disagreement
from server.knowledge.readings import meanings

__all__ = ["LONGEST_REPLY_CHARS", "Accepted", "Gated", "Refused", "check_reply", "prepare_gate"]


def check_reply(text: str, turn: Turn, passages: Sequence[Passage], now: datetime) -> Gated:
    """Judge what the model wrote for *turn*; never raises, whatever *text* is.

    Args:
        text: with its citation marks, which are taken out.
        passages: as they were given to ``build_prompt``.
        now: aware; as it was given to ``build_prompt``.
    """
    gate = StreamGate(turn, passages, now)
    gate.feed(text)
    return gate.finish()


def prepare_gate() -> None:
    """Load and compile all that the first reply of a process would otherwise wait for: some 300 ms."""
    wary.may_become_wary("")
    source = Source("Pool", "The pool is open from 7 to 8 pm. It costs 10 NIS a night. No dogs.")
    for sentence in (
        "It is 10 NIS for the pool at night, without dogs.",
        "הבריכה עולה 10 שקלים ללילה, בלי כלבים.",
    ):
        disagreement(sentence, [source], [], [sentence])
        meanings(sentence)
