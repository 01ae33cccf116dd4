"""What a reply may rely on: passages and facts by citation id, and who said what before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from server.conversation import phrases
from server.conversation.prompts import FACTS_ID, business_facts, passage_id
from server.domain.conversations import Speaker, Turn
from server.domain.knowledge import Citation, Passage
from server.knowledge.claims import Claim, Kind, claims, supported

# What a guest alone has said may be asked back ("For 4 people?"), never be stated.
_ASKED_BACK = frozenset({Kind.NUMBER, Kind.DATE, Kind.WEEKDAY})


@dataclass(frozen=True, slots=True)
class Sources:
    """The ground of one reply.

    ``passages`` and ``rules`` are by citation id. ``rules`` leave titles out: a title often asks what its
    body answers. ``desk`` and ``guest`` are what each has said.
    """

    passages: Mapping[str, Passage]
    rules: Mapping[str, str]
    desk: Sequence[str]
    guest: Sequence[str]
    moment: str

    @classmethod
    def of(cls, turn: Turn, passages: Sequence[Passage], now: datetime) -> Sources:
        """All that *turn* gives; the arguments are those of ``build_prompt``."""
        settings = turn.tenant.settings
        by_id = {passage_id(place): passage for place, passage in enumerate(passages)}
        rules = {identifier: passage.document.body for identifier, passage in by_id.items()}
        local = now.astimezone(settings.zone)
        return cls(
            passages=by_id,
            rules={**rules, FACTS_ID: "\n".join(business_facts(settings))},
            desk=_said_by(turn, Speaker.HOST),
            guest=[*_said_by(turn, Speaker.GUEST), turn.question],
            moment=f"{local:%Y-%m-%d %H:%M} {phrases.date_today('en', local)}",
        )

    def citations(self, cited: Iterable[str]) -> tuple[Citation, ...]:
        """The documents behind the ids *cited*, in the order of their first mention."""
        passages = [
            self.passages[identifier] for identifier in dict.fromkeys(cited) if identifier != FACTS_ID
        ]
        return tuple(
            Citation(passage.document.id, passage.document.title, passage.score) for passage in passages
        )

    def statable(self, cited: Iterable[str]) -> frozenset[Claim]:
        """What may be stated by who cites *cited*; facts, time and the desk's own words need no citation."""
        titles = [self.passages[identifier].document.title for identifier in cited if identifier != FACTS_ID]
        bodies = [self.rules[identifier] for identifier in (*cited, FACTS_ID)]
        return supported([*titles, *bodies, *self.desk, self.moment])

    def repeatable(self, is_question: bool, is_cited: bool) -> frozenset[Claim]:
        """What the guest said and a sentence may take up.

        A day of the week also where a source is cited: "open every day" answers "on Monday?".
        """
        kinds = _ASKED_BACK if is_question else frozenset({Kind.WEEKDAY} if is_cited else ())
        return frozenset(claim for text in self.guest for claim in claims(text) if claim.kind in kinds)


def _said_by(turn: Turn, speaker: Speaker) -> list[str]:
    return [line.text for line in turn.history if line.speaker is speaker]
