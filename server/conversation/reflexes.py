"""What must not wait for a model, nor be left to one: danger, other guests' privacy, codes, abuse.

A reflex looks for words anywhere in what waits, beside whatever else was asked. The words are in
``reflexes.toml``; the policy stands as a table in ``docs/reflexes.md``.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TypeVar

from server.conversation import phrases
from server.conversation.emergency_numbers import Service, emergency_numbers
from server.conversation.reflex_frames import Frame, Frames, Idea, read_frame
from server.conversation.reflex_words import Found, Grammar, Phrases, Said, Spelling, plain, read
from server.conversation.shortcuts import asks_who_writes
from server.domain.conversations import Reply, ReplySource, Turn
from server.domain.tenants import TenantSettings

# Nothing but abuse: so few words may stand around it. With more, something is asked or complained of.
_WORDS_BESIDE_ABUSE = 4
# Ideas of a sentence that tells, supposes, jokes or asks instead of calling for help.
_TELLING = frozenset({"elsewhere", "joke", "supposing", "service", "wondering"})

_TagT = TypeVar("_TagT")


@dataclass(frozen=True, slots=True)
class _Policy:
    """What is said to a reflex, from language and business, and who hears of it."""

    text: Callable[[str, TenantSettings], str]
    handover: bool = True
    urgent: bool = False


def _emergency(service: Service, advice: Callable[[str, str], str]) -> _Policy:
    def text(language: str, settings: TenantSettings) -> str:
        numbers = emergency_numbers(service, settings.time_zone)
        return advice(language, settings.emergency_numbers or phrases.numbers_to_call(language, numbers))

    return _Policy(text, urgent=True)


def _says(phrase: Callable[[str], str], handover: bool = True) -> _Policy:
    return _Policy(lambda language, _: phrase(language), handover=handover)


_POLICIES: Mapping[str, _Policy] = {
    "emergency_fire": _emergency(Service.FIRE, phrases.emergency_fire),
    "emergency_medical": _emergency(Service.AMBULANCE, phrases.emergency_medical),
    "emergency_suicide": _emergency(Service.AMBULANCE, phrases.emergency_suicide),
    "emergency_police": _emergency(Service.POLICE, phrases.emergency_police),
    "emergency_danger": _emergency(Service.ANY, phrases.emergency_danger),
    "threat": _says(phrases.threatened),
    "police_asking": _says(phrases.authority_asked),
    "privacy_room": _says(phrases.private_room),
    "privacy_guest": _says(phrases.private_guest),
    "door_code": _says(phrases.code_from_team),
    "solicitation": _says(phrases.not_that_kind, handover=False),
    "asked_for_person": _says(phrases.person_coming),
    "abuse": _says(phrases.abused, handover=False),
}


def reflex(turn: Turn, language: str) -> Reply | None:
    """The reply to danger, to questions about other guests, codes and keys, to a wish for a person, to abuse.

    None where the turn's messages hold nothing of the kind. Of several the most urgent is answered. A reply
    that is ``urgent`` goes out as it is: nothing may be put before it.

    Args:
        language: of the reply.
    """
    code = find_reflex(turn.question)
    if code is None:
        return None
    policy = _POLICIES[code]
    return Reply(
        text=policy.text(language, turn.tenant.settings),
        source=ReplySource.SHORTCUT,
        language=language,
        handover=policy.handover,
        reason=code,
        urgent=policy.urgent,
    )


def find_reflex(text: str) -> str | None:
    """The code of the most urgent reflex that *text* sets off, or None."""
    code = _vocabulary().find(text)
    # "Am I talking to a person?" wants the truth, not a person.
    return None if code == "asked_for_person" and asks_who_writes(text) else code


def prepare_reflexes() -> None:
    """Read the vocabulary, which the first message would otherwise wait for."""
    _vocabulary()


@dataclass(frozen=True, slots=True)
class _Sign:
    """What a phrase is a sign of: the rule at ``rank``, unless its clause only talks of such things."""

    rank: int
    is_weak: bool


@dataclass(frozen=True, slots=True)
class _Rule:
    """``is_alone``: counts where hardly anything else is said. ``is_here``: counts for what happens here and
    now, not for what is told of another place or time."""

    code: str
    is_alone: bool
    is_here: bool
    and_phrases: Phrases[str] | None


class _TalkedOf:
    """The clauses of a message that only talk about danger."""

    def __init__(self, said: Said, talk: Phrases[str]) -> None:
        self._clauses = said.clauses()
        spans = ((self._clauses[found.start], self._clauses[found.end - 1]) for found in talk.find(said))
        self._numbers = {first for first, last in spans if first == last}

    def holds(self, start: int, end: int) -> bool:
        """Whether one of the clauses does that the words from *start* to before *end* stand in."""
        return any(self._clauses[place] in self._numbers for place in range(start, end))


class _Elsewhere:
    """Where a message speaks of no danger here and now; nowhere if help is called for.

    What is said outright is doubted for the words of its own clause alone: who asks for towels and tells of a
    fire after a comma tells of a fire. What only a frame tells is doubted for its whole line.
    """

    def __init__(self, said: Said, ideas: Sequence[Found[Idea]]) -> None:
        self._clauses, self._lines = said.clauses(), said.lines()
        names = {idea.tag.name for idea in ideas}
        # Who cancels tells of what has happened to them, mostly not here.
        telling = _TELLING | {"happened"} if "cancelling" in names else _TELLING
        doubts = [idea.start for idea in ideas if idea.tag.name in telling and "urgent" not in names]
        self._in_clauses = {self._clauses[place] for place in doubts}
        self._in_lines = {self._lines[place] for place in doubts}

    def said_of(self, found: Found[int]) -> bool:
        """Whether the phrase *found* is said of elsewhere."""
        return self._clauses[found.start] in self._in_clauses

    def told_of(self, found: Found[int]) -> bool:
        """Whether the frame *found* is."""
        return self._lines[found.start] in self._in_lines


class _Vocabulary:
    """The words of all reflexes.

    Raises:
        ValueError: the file cannot be read, or names a reflex that has no policy.
    """

    def __init__(self, written: str) -> None:
        table = tomllib.loads(plain(written))
        words, rows, ideas = table["words"], table["reflex"], table["ideas"]
        grammar = Grammar({**table["groups"], **ideas}, words["no_name"].split())
        self._spelling = Spelling(words["spelling"].split())
        self._harmless = Phrases(_tagged(words["harmless"], "harmless"), grammar)
        self._talk = Phrases(_tagged(words["talk"], "talk"), grammar)
        self._rules = [_rule(row, grammar) for row in rows]
        self._signs = Phrases(_signs(rows), grammar)
        self._ideas = Phrases(_ideas(ideas), grammar)
        self._frames = Frames(_frames(rows, ideas))

    def find(self, text: str) -> str | None:
        said = read(text, self._spelling)
        said = said.without((found.start, found.end) for found in self._harmless.find(said))
        ideas = list(self._ideas.find(said))
        elsewhere = _Elsewhere(said, ideas)
        spans: dict[int, list[tuple[int, int]]] = {}
        phrases = (
            found for found in self._said_outright(said) if not self._is_elsewhere(found, elsewhere.said_of)
        )
        frames = self._frames.find(ideas, said)
        for found in (
            *phrases,
            *(found for found in frames if not self._is_elsewhere(found, elsewhere.told_of)),
        ):
            spans.setdefault(found.tag, []).append((found.start, found.end))
        return next(
            (self._rules[rank].code for rank in sorted(spans) if self._holds(rank, spans[rank], said)), None
        )

    def _is_elsewhere(self, found: Found[int], doubted: Callable[[Found[int]], bool]) -> bool:
        return self._rules[found.tag].is_here and doubted(found)

    def _said_outright(self, said: Said) -> Iterator[Found[int]]:
        """The phrases that are a sign by themselves, tagged with the rank of their rule."""
        talk = _TalkedOf(said, self._talk)
        for found in self._signs.find(said):
            if not (found.tag.is_weak and talk.holds(found.start, found.end)):
                yield Found(found.tag.rank, found.start, found.end)

    def _holds(self, rank: int, spans: Sequence[tuple[int, int]], said: Said) -> bool:
        rule = self._rules[rank]
        if rule.is_alone and said.words_outside(spans) > _WORDS_BESIDE_ABUSE:
            return False
        return rule.and_phrases is None or any(rule.and_phrases.find(said))


def _rule(row: Mapping[str, str], grammar: Grammar) -> _Rule:
    if row["code"] not in _POLICIES:
        raise ValueError(f"no policy for the reflex {row['code']}")
    also = Phrases(_tagged(row["and"], "and"), grammar) if "and" in row else None
    return _Rule(row["code"], bool(row.get("alone")), bool(row.get("here")), also)


def _signs(rows: Sequence[Mapping[str, str]]) -> Iterator[tuple[str, _Sign]]:
    for rank, row in enumerate(rows):
        for key, is_weak in (("always", False), ("unless_talk", True)):
            yield from _tagged(row.get(key, ""), _Sign(rank, is_weak))


def _ideas(ideas: Mapping[str, str]) -> Iterator[tuple[str, Idea]]:
    for name, lines in ideas.items():
        yield from _tagged(lines, Idea(name))


def _frames(rows: Sequence[Mapping[str, str]], ideas: Mapping[str, str]) -> Iterator[Frame]:
    for rank, row in enumerate(rows):
        for line in row.get("frames", "").strip().split("\n"):
            if line:
                yield read_frame(line, rank, ideas)


def _tagged(lines: str, tag: _TagT) -> Iterator[tuple[str, _TagT]]:
    return ((line, tag) for line in lines.strip().split("\n") if line)


@cache
def _vocabulary() -> _Vocabulary:
    return _Vocabulary(files(__package__).joinpath("reflexes.toml").read_text(encoding="utf-8"))
