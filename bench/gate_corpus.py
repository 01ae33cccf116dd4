"""The published corpus of replies that may reach a guest and replies that may not.

What its fields and kinds mean stands in ``tests/data/gate/README.md``.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from server.domain.conversations import HistoryLine, Mode, Speaker, Turn, WaitingMessage
from server.domain.knowledge import Document, Passage
from server.domain.language import detect_language
from server.domain.messages import Channel, MessageKind
from server.domain.tenants import Tenant, TenantSettings

_FOLDER = Path(__file__).parents[1] / "tests" / "data" / "gate"
DEVELOP = _FOLDER / "develop.jsonl"
DEVELOP2 = _FOLDER / "develop2.jsonl"
DEVELOP3 = _FOLDER / "develop3.jsonl"
# Nobody who writes the gate reads it: its words stay out of reports.
CHECK = _FOLDER / "check.jsonl"
# A Saturday, 06:05 at the business: the moment at which every reply of the corpus is given.
NOW = datetime(2026, 11, 21, 4, 5, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One reply of the corpus with all that the model had to write it from.

    ``history`` is ``guest`` or ``host`` with the line, oldest first. ``documents`` have a title and a body,
    and are p1, p2 … by their place. ``fault`` is what is wrong in a bad reply, word for word; empty where
    the words as such are not.
    """

    id: str
    language: str
    verdict: str
    kind: str
    business: str
    question: str
    documents: Sequence[dict[str, str]]
    reply: str
    why: str
    fault: str = ""
    prompt: str = ""
    history: Sequence[tuple[str, str]] = ()
    facts: Sequence[str] = ()

    @property
    def is_bad(self) -> bool:
        """Whether it must not reach a guest."""
        return self.verdict == "bad"

    def turn(self) -> Turn:
        """The turn that it answers."""
        settings = TenantSettings(name=self.business, facts=tuple(self.facts), prompt=self.prompt)
        return Turn(
            id=self.id,
            tenant=Tenant("1", settings),
            conversation_id=1,
            channel=Channel.CHAT,
            mode=Mode.AI,
            reply_to="guest",
            guest_name=None,
            messages=[_waiting(self.question)],
            history=[HistoryLine(Speaker(speaker), text) for speaker, text in self.history],
            offered=(),
        )

    def passages(self) -> list[Passage]:
        """Its documents as the retriever would give them."""
        return [
            Passage(Document(f"doc-{place}", told["title"], told["body"], detect_language(told["body"])), 0.9)
            for place, told in enumerate(self.documents)
        ]


def read_corpus(path: Path) -> list[Entry]:
    """The entries of *path*, one JSON object a line."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [Entry(**json.loads(line)) for line in lines if line.strip()]


def _waiting(text: str) -> WaitingMessage:
    return WaitingMessage(
        id=1,
        provider_id="1",
        kind=MessageKind.TEXT,
        text=text,
        quoted=None,
        received_at=NOW,
        attempts=0,
    )
