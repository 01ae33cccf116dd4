"""The only way out for a model's words.

What a model wrote leaves only if everything checkable in it stands in a source that it cites, in the
business's own facts, or in what the desk said before; if every rule it states has a source; and if it
holds nothing of the machinery behind it. Otherwise it is refused as a whole: the embedded answers quote
the business instead.

What is not caught: a wrong word where no number, rule or name of a day is involved, and a number that
stands in a cited source for another thing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import NamedTuple

from server.conversation import phrases
from server.conversation.prompts import FACTS_ID, INSTRUCTIONS
from server.conversation.sources import Sources
from server.domain.conversations import Turn
from server.domain.knowledge import Citation, Passage
from server.domain.language import UNDETERMINED, detect_language, reply_language
from server.knowledge.claims import claims
from server.knowledge.policies import contradicts, speaks_policy
from server.knowledge.reading import canonical, sentences, word_runs

# AI_MAX_TOKENS is 220; a token is five characters at the very most.
LONGEST_REPLY_CHARS = 1_200
# So many words of the instructions in a row are no coincidence.
_LEAK_WORDS = 6


@dataclass(frozen=True, slots=True)
class Accepted:
    """Words that may leave. With ``asks_team`` they are the desk's own, and staff must be told."""

    text: str
    citations: Sequence[Citation] = ()
    asks_team: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """Nothing may leave. ``reason`` is a short code without any of the words."""

    reason: str


Gated = Accepted | Refused


class _Segment(NamedTuple):
    """What stands before a group of citation marks, and what the marks name."""

    text: str
    cited: tuple[str, ...]


_ID = r"(?:p\d{1,3}|" + FACTS_ID + ")"
_MARKS = re.compile(rf"(?:\s*\[\s*{_ID}(?:\s*[,;]\s*{_ID})*\s*\])+", re.IGNORECASE)
_ONE_ID = re.compile(_ID, re.IGNORECASE)
_ASK_TEAM = re.compile(r"\[\[\s*ask[-_ ]?team\s*\]\]", re.IGNORECASE)
_BOLD = re.compile(r"\*{2,}")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")
_SPACES = re.compile(r" {2,}")

_MACHINERY = re.compile(
    r"[\[\]{}`\\]|<\||\|>|</?[a-z]|ask[-_]team|traceback|stack trace|file \"|\bline \d+, in\b"
    r"|\b\w+(?:error|exception):|tool[_ ]?(?:call|result|use)|function[_ ]?call|\"(?:name|arguments|role)\":"
    r"|\bsystem (?:prompt|message)|\b(?:sk|pk|rk)-[a-z0-9]|\bbearer [a-z0-9]|\bat \S+:\d+:\d+|api[_ ]key"
    r"|\blanguage model\b|knowledge cut-?off"
)


def check_reply(text: str, turn: Turn, passages: Sequence[Passage], now: datetime) -> Gated:
    """Judge what the model wrote for *turn*; never raises, whatever *text* is.

    Args:
        text: with its citation marks, which are taken out.
        passages: as they were given to ``build_prompt``.
        now: aware; as it was given to ``build_prompt``.
    """
    if _ASK_TEAM.search(text):
        language = reply_language((turn.question,), turn.tenant.settings.languages)
        return Accepted(phrases.asked_team(language), asks_team=True)
    sources = Sources.of(turn, passages, now)
    tidy = _tidy(text)
    segments = list(_segments(tidy))
    cited = tuple(identifier for segment in segments for identifier in segment.cited)
    if not all(identifier in sources.rules for identifier in cited):
        return Refused("unknown_citation")
    words = _without_marks(tidy)
    reason = (
        _unfit(words)
        or _leaks(words, turn, sources)
        or _in_wrong_language(words, sources)
        or _unsupported(words, sources, cited)
        or _unruly(segments, sources)
    )
    return Refused(reason) if reason else Accepted(words, sources.citations(cited))


def _tidy(text: str) -> str:
    return _SPACES.sub(" ", _CONTROL.sub(" ", _BOLD.sub("*", text))).strip()


def _segments(text: str) -> Iterator[_Segment]:
    start = 0
    for marks in _MARKS.finditer(text):
        cited = tuple(identifier.lower() for identifier in _ONE_ID.findall(marks[0]))
        yield _Segment(text[start : marks.start()], cited)
        start = marks.end()
    yield _Segment(text[start:], ())


def _without_marks(text: str) -> str:
    def gap(marks: re.Match[str]) -> str:
        # Two halves of a word or number must not grow together where a mark stood between them.
        following = text[marks.end() : marks.end() + 1]
        return " " if following and following not in ".,;:!?)" else ""

    return _SPACES.sub(" ", _MARKS.sub(gap, text)).strip()


def _unfit(words: str) -> str:
    if not any(character.isalnum() for character in words):
        return "empty"
    return "too_long" if len(words) > LONGEST_REPLY_CHARS else ""


def _leaks(words: str, turn: Turn, sources: Sources) -> str:
    if _MACHINERY.search(canonical(words)):
        return "leak"
    private = _instruction_runs() | word_runs(turn.tenant.settings.prompt, _LEAK_WORDS)
    leaked = word_runs(words, _LEAK_WORDS) & private
    # An owner may have written into the tone what the business tells every guest anyway.
    public = (
        {run for text in sources.rules.values() for run in word_runs(text, _LEAK_WORDS)} if leaked else ()
    )
    return "leak" if leaked.difference(public) else ""


@cache
def _instruction_runs() -> frozenset[tuple[str, ...]]:
    return frozenset(word_runs(INSTRUCTIONS, _LEAK_WORDS))


def _in_wrong_language(words: str, sources: Sources) -> str:
    """A reply is in a language that the guest has used, as far as it can be told."""
    language = detect_language(words)
    used = {detect_language(line) for line in sources.guest} - {UNDETERMINED}
    return "wrong_language" if used and language not in used | {UNDETERMINED} else ""


def _unsupported(words: str, sources: Sources, cited: Sequence[str]) -> str:
    """The kind of the first claim that no source holds."""
    stated = [(sentence, claims(sentence)) for sentence in sentences(words)]
    if not any(claimed for _, claimed in stated):
        return ""
    statable = sources.statable(cited)
    for sentence, claimed in stated:
        missing = claimed - statable
        if missing:
            missing -= sources.repeatable(is_question=sentence.endswith("?"), is_cited=bool(cited))
        if missing:
            return f"unsupported_{min(missing).kind}"
    return ""


def _unruly(segments: Sequence[_Segment], sources: Sources) -> str:
    """A rule without a source, or against it."""
    for segment in segments:
        if not any(speaks_policy(sentence) for sentence in sentences(segment.text)):
            continue
        if not segment.cited:
            return "uncited_policy"
        if contradicts(segment.text, [sources.rules[identifier] for identifier in segment.cited]):
            return "contradicts_source"
    return ""
