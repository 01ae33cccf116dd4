"""Questions with known answers, made from the documents of many businesses.

Where two businesses say the same in their own titles ("Are pets allowed?", "Can I bring my dog?"), one's
title is a person's paraphrase of the other's: a question whose answer is known. With every document about
that topic taken away, the same question has no answer. Noise makes questions look typed or misheard, and
`hebrew_questions.jsonl` asks some of them in Hebrew.
"""

from __future__ import annotations

import json
import random
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from server.domain.knowledge import Document
from server.knowledge.words import without_name

_PER_BUSINESS = 14
_SHORTEST_BODY = 4
_SAME_TITLE_SAMPLE = 200
_TYPED_OPENINGS = ("Great, ", "Yes, ", "Thanks! ", "Sounds good. ", "Okay. ")
_SPOKEN_OPENINGS = ("ok great ", "awesome and ", "uh ", "perfect thank you ", "ok umm ", "hm well ", "", "")
_SPOKEN_LEADS = ("do you know if ", "can you check if ", "could you please tell me ", "also ", "", "")
_FILLERS = ("uh", "umm", "ah")


@dataclass(frozen=True, slots=True)
class Business:
    """One business of the file that pairs are made from."""

    id: str
    name: str
    documents: tuple[Document, ...]


@dataclass(frozen=True, slots=True)
class Pair:
    """A question to a business: ``answers`` are documents that answer it, ``related`` those that may."""

    business: Business
    question: str
    answers: frozenset[str]
    related: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Entry:
    business: str
    id: str
    title: str
    body: str
    raw_title: str


class Paraphrases:
    """Which documents say the same, over all businesses: by equal titles or equal bodies."""

    def __init__(self, businesses: Iterable[Business]) -> None:
        self.entries: dict[tuple[str, str], _Entry] = {}
        self._by_title: dict[str, list[_Entry]] = defaultdict(list)
        self._by_body: dict[str, list[_Entry]] = defaultdict(list)
        self._parents: dict[object, object] = {}
        for business in businesses:
            for document in business.documents:
                self._add(_entry(business, document))

    def of(self, entry: _Entry) -> dict[str, str]:
        """Titles, by their normal form, of documents that say what *entry* or a namesake of it says."""
        found = {}
        for namesake in self._by_title[entry.title][:_SAME_TITLE_SAMPLE]:
            for other in self._by_body.get(namesake.body, ()):
                found[other.title] = other.raw_title
        return found

    def are_linked(self, one: _Entry, other: _Entry) -> bool:
        """Whether a chain of equal titles and bodies joins them."""
        return self._root((one.business, one.id)) == self._root((other.business, other.id))

    def _add(self, entry: _Entry) -> None:
        key = (entry.business, entry.id)
        self.entries[key] = entry
        self._by_title[entry.title].append(entry)
        self._parents[self._root(("title", entry.title))] = self._root(key)
        # "Yes." says the same of anything.
        if len(entry.body.split()) >= _SHORTEST_BODY:
            self._by_body[entry.body].append(entry)
            self._parents[self._root(("body", entry.body))] = self._root(key)

    def _root(self, key: object) -> object:
        while (parent := self._parents.setdefault(key, key)) != key:
            key = parent
        return key


def read_businesses(path: Path) -> list[Business]:
    """Businesses of a file in the form that `frontdesk eval --businesses` takes, each name once.

    A second business of the same name is one that documents were taken from.
    """
    found: dict[str, Business] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        value = json.loads(line)
        documents = tuple(
            Document(document["id"], document["title"], document["body"], "en")
            for document in value["documents"]
        )
        business = Business(value["tenant"], value["name"], documents)
        if len(documents) > len(found[value["name"]].documents if value["name"] in found else ()):
            found[value["name"]] = business
    return list(found.values())


def make_pairs(businesses: Sequence[Business], random_source: random.Random) -> list[Pair]:
    """English questions, each once as typed and once as misheard."""
    paraphrases = Paraphrases(businesses)
    pairs = []
    for business in businesses:
        documents = random_source.sample(business.documents, len(business.documents))
        made = 0
        for document in documents:
            entry = paraphrases.entries[business.id, document.id]
            titles = paraphrases.of(entry)
            others = sorted(title for title in titles if title != entry.title)
            if others and made < _PER_BUSINESS:
                question = titles[random_source.choice(others)]
                made += 1
                noisy = (_typed(question, random_source), _misheard(question, random_source))
                said = {*titles, entry.title}
                pairs += [_pair(business, entry, said, text, paraphrases) for text in noisy]
    return pairs


def make_hebrew_pairs(businesses: Sequence[Business], questions: Path) -> list[Pair]:
    """Hebrew questions to the same English documents."""
    hebrew = {}
    for line in questions.read_text(encoding="utf-8").splitlines():
        value = json.loads(line)
        hebrew[normal(value["english"])] = value["hebrew"]
    paraphrases = Paraphrases(businesses)
    pairs = []
    for business in businesses:
        for document in business.documents:
            entry = paraphrases.entries[business.id, document.id]
            for question in hebrew.get(entry.title, ()):
                titles = {*paraphrases.of(entry), entry.title}
                pairs.append(_pair(business, entry, titles, question, paraphrases))
    return pairs


def normal(text: str) -> str:
    """*text* as bare lower-case words."""
    return " ".join(re.findall(r"[a-z0-9]+", text.lower()))


def _entry(business: Business, document: Document) -> _Entry:
    title = without_name(document.title, business.name)
    body = without_name(document.body, business.name)
    return _Entry(business.id, document.id, normal(title), normal(body), title)


def _pair(
    business: Business, entry: _Entry, titles: set[str], question: str, paraphrases: Paraphrases
) -> Pair:
    here = [paraphrases.entries[business.id, document.id] for document in business.documents]
    answers = frozenset(other.id for other in here if other.id == entry.id or other.title in titles)
    linked = frozenset(other.id for other in here if paraphrases.are_linked(entry, other))
    return Pair(business, question, answers, linked - answers)


def _typed(text: str, random_source: random.Random) -> str:
    if random_source.random() < 0.6:
        text = re.sub(r"^(do|does|can|are|is) you\b", r"\1 they", text, flags=re.IGNORECASE)
    if random_source.random() < 0.25:
        text = text.lower()
    if random_source.random() < 0.2:
        text = random_source.choice(_TYPED_OPENINGS) + text
    if random_source.random() < 0.15 and len(text) > 12:
        place = random_source.randrange(3, len(text) - 2)
        text = text[:place] + text[place + 1] + text[place] + text[place + 2 :]
    return text


def _misheard(text: str, random_source: random.Random) -> str:
    heard = []
    for word in re.sub(r"[^a-z0-9' ]+", " ", text.lower()).split():
        chance = random_source.random()
        if chance < 0.06:
            heard.append(random_source.choice(_FILLERS))
        if chance <= 0.94 or len(word) <= 2:
            heard.append(_garbled(word, random_source))
    opening = random_source.choice(_SPOKEN_OPENINGS) + random_source.choice(_SPOKEN_LEADS)
    return opening + " ".join(heard)


def _garbled(word: str, random_source: random.Random) -> str:
    if len(word) <= 2 or random_source.random() >= 0.14:
        return word
    place = random_source.randrange(len(word))
    letter = random_source.choice("aeioutnsrl")
    return random_source.choice(
        (
            word[:place] + letter + word[place + 1 :],
            word[:place] + word[place + 1 :],
            f"{word[:place]} {word[place:]}",
        )
    )
