"""What a reply may rely on: passages and facts by citation id, and who said what before."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from server.conversation import phrases
from server.conversation.prompts import FACTS_ID, business_facts, passage_id
from server.domain.conversations import Speaker, Turn
from server.domain.knowledge import Citation, Passage
from server.knowledge.agreement import Source
from server.knowledge.claims import CURRENCIES, Claim, Kind, claims
from server.knowledge.reading import canonical, sentences
from server.knowledge.readings import bare_prices, currencies, readings

# What a guest alone has said may be asked back ("For 4 people?"), never be stated.
_ASKED_BACK = frozenset({Kind.NUMBER, Kind.DATE, Kind.WEEKDAY, Kind.MONTH, Kind.TIME})
# Where a business names none at all, the model's guess is as good as any.
_ANY_CURRENCY = frozenset(CURRENCIES)
# Unmistakable wherever they stand.
_ADDRESSES = frozenset({Kind.PHONE, Kind.EMAIL, Kind.LINK})
_CONFIRMED = frozenset({Kind.WEEKDAY, Kind.MONTH})


@dataclass(frozen=True, slots=True)
class Sources:
    """The ground of one reply.

    ``passages`` and ``rules`` are by citation id. ``rules`` leave titles out: a title often asks what its
    body answers. ``desk`` and ``guest`` are what each has said.
    """

    passages: Mapping[str, Passage]
    rules: Mapping[str, str]
    name: str
    desk: Sequence[str]
    guest: Sequence[str]
    moment: str

    @classmethod
    def of(cls, turn: Turn, passages: Sequence[Passage], now: datetime) -> Sources:
        """All that *turn* gives; the arguments are those of ``build_prompt``."""
        settings = turn.tenant.settings
        by_id = {passage_id(place): passage for place, passage in enumerate(passages)}
        rules = {identifier: without_orders(passage.document.body) for identifier, passage in by_id.items()}
        local = now.astimezone(settings.zone)
        return cls(
            passages=by_id,
            name=settings.name,
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

    def is_private(self, cited: Iterable[str]) -> bool:
        """Whether one of *cited* is no document for guests: a list of them, notes of the staff."""
        documents = [self.passages[identifier].document for identifier in cited if identifier != FACTS_ID]
        return any(_is_for_staff(document.title, document.body) for document in documents)

    def open_texts(self) -> list[str]:
        """The bodies that are for guests."""
        return [text for identifier, text in self.rules.items() if not self.is_private([identifier])]

    def read(self, cited: Iterable[str]) -> list[Source]:
        """The sources behind *cited*; where nothing is cited, what needs no citation."""
        ids = dict.fromkeys(cited)
        titles = {identifier: passage.document.title for identifier, passage in self.passages.items()}
        sources = [Source(titles.get(identifier, ""), self.rules[identifier]) for identifier in ids]
        return sources or [Source("", self.rules[FACTS_ID]), *(Source("", line) for line in self.desk)]

    @property
    def facts(self) -> str:
        """The business's facts, without its name."""
        return self.rules[FACTS_ID].partition("\n")[2]

    def statable(self, cited: Sequence[str], speaks_of_now: bool) -> frozenset[Claim]:
        """What may be stated by who cites *cited*; facts, time and the desk's own words need no citation."""
        bodies = [self.rules[identifier] for identifier in cited or (FACTS_ID,)]
        titles = [self.passages[identifier].document.title for identifier in cited if identifier != FACTS_ID]
        texts = [*titles, *bodies, *self.desk, *([self.moment] if speaks_of_now or not cited else [])]
        named = frozenset[str]().union(*map(currencies, (*self.rules.values(), *titles, *self.desk)))
        named = named or _ANY_CURRENCY
        found = [*map(readings, texts), *(bare_prices(body, named) for body in bodies)]
        found.append(frozenset(claim for claim in claims(self.rules[FACTS_ID]) if claim.kind in _ADDRESSES))
        return frozenset[Claim]().union(*found)

    def rest(self, cited: Sequence[str]) -> frozenset[Claim]:
        """The months that are only the rest of what *cited* names."""
        texts = [self.rules[identifier] for identifier in cited or (FACTS_ID,)]
        told = frozenset[Claim]().union(*map(claims, (*texts, *self.desk)))
        months = frozenset(claim for text in texts for claim in readings(text) if claim.kind is Kind.MONTH)
        return months - told

    def dates_asked_back(self, missing: frozenset[Claim]) -> frozenset[Claim]:
        """Those of *missing* that are a date on a day of the month that the guest spoke of."""
        days = {claim.value for text in self.guest for claim in claims(text) if claim.kind is Kind.NUMBER}
        return frozenset(
            claim for claim in missing if claim.kind is Kind.DATE and claim.value.split(".")[0] in days
        )

    def repeatable(self, is_question: bool, is_cited: bool) -> frozenset[Claim]:
        """What the guest said and a sentence may take up.

        A day of the week or a month also where a source is cited: "open every day" answers "on Monday?".
        """
        kinds = _ASKED_BACK if is_question else (_CONFIRMED if is_cited else frozenset())
        return frozenset(claim for text in self.guest for claim in claims(text) if claim.kind in kinds)


_PRIVATE = re.compile(
    r"\b(?:not for guests|staff|internal|(?:front|back) ?office|desk copy|shift|in-?house (?:list"
    r"|guests)|(?:tonight|today|tomorrow|this week)'?s (?:arrivals|departures|guests|bookings)"
    r"|confidential|(?:guest|arrivals?|departures?|bookings?"
    r"|reservations?)[ -]?(?:list|book|log)"
    r"|list of (?:guests|arrivals|bookings)|imported (?:guests|bookings)|handover notes?|master (?:code"
    r"|key)s?)\b"
    r"|(?<![א-ת])(?:ה?מגיעים|ה?עוזבים) (?:היום|הלילה|הערב|מחר)|הגעות (?:היום|הלילה|הערב)|ספר (?:ה?אורחים"
    r"|ה?הזמנות)|רשימת (?:ה?אורחים|ה?הגעות|ה?הזמנות)|לצוות|לא לאורחים|פנימי|סודי"
    r"|יומן (?:ה?הזמנות|ה?משמרת)"
)
# Who stays in which room.
_NAMED_GUEST = re.compile(
    r"\b(?:[Rr]oom|[Uu]nit|[Ss]uite|[Aa]pt\.?) ?\d+\W{1,3}(?:for )?(?:Mr|Mrs|Ms|Miss|Dr|Family"
    r"|[A-Z][a-z]+ [A-Z][a-z]+)\b"
    r"|(?:חדר|יחידה|דירה) \d+\W{1,3}(?:מר|גב'|גברת|משפחת|ד\"ר) "
)


@lru_cache(maxsize=500)
def _is_for_staff(title: str, body: str) -> bool:
    return _PRIVATE.search(canonical(title)) is not None or len(_NAMED_GUEST.findall(body)) > 1


# A document is data; who writes orders to the machine into one is no source.
_ORDER = re.compile(
    r"\b(?:ai|assistants?|chatbots?|language models?|llms?|bots?)\b.*\b(?:must|should|ignore|tell|say"
    r"|reply|answer)\b"
    r"|\b(?:ignore|disregard|forget)\b.*\b(?:rules|instructions|prompt|previous|above)\b"
    r"|\b(?:tell|say to|inform) (?:every|each|all|any|the) guests?\b|\bsystem ?:|\byou are now\b"
    r"|הורא[הות]+ ל(?:מערכת|בוט|מודל|עוזר|ai)|התעלמו?|להתעלם|יש (?:לומר|להגיד|לענות) לכל|בינה מלאכותית"
    r"|תגידו? לכל אורח"
)


@lru_cache(maxsize=500)
def without_orders(text: str) -> str:
    """*text* without the sentences that give orders to the machine that reads it."""
    return "\n".join(
        " ".join(sentence for sentence in sentences(line) if not _ORDER.search(canonical(sentence)))
        for line in text.splitlines()
    )


def _said_by(turn: Turn, speaker: Speaker) -> list[str]:
    return [line.text for line in turn.history if line.speaker is speaker]
