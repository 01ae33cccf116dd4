"""Finds phrases in what a guest wrote, in time that grows with its length alone.

A phrase is a few words with alternatives, options and gaps (the notation stands in ``docs/reflexes.md``). All
phrases of a list are one machine that reads a message word by word and never goes back: no message, however
it is made, takes more than so many steps a word.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import accumulate
from typing import Generic, TypeVar

from server.knowledge.reading import canonical

# What stands between words: the message's ends, a sentence's end, a new line, a break inside a sentence.
EDGE, STOP, LINE, PAUSE = "#", ".", "/", ","
_BREAKS = frozenset({EDGE, STOP, LINE, PAUSE})
_STOPS = frozenset({EDGE, STOP})
# Stands for a word that means nothing of what is looked for.
BLANK = "_"

_TOKEN = re.compile(r"[^\W_]+|[.!?…]+|[,;:\n()]")
# An apostrophe joins (can't), and so does the mark of a Hebrew abbreviation.
_JOINING = re.compile(r"['`]|(?<=[א-ת])\"(?=[א-ת])")
_DRAWN_OUT = re.compile(r"([^\W\d_])\1{2,}")
# 40.5 is 40: a point within a number ends no sentence.
_DECIMALS = re.compile(r"(?<=\d)[.,]\d+")
# Written once or twice, as each likes: the vowel letters of Hebrew.
_TWICE = re.compile(r"([יו])\1+")
# And, in, the, to, from, that, as; and the pairs of them that are met.
_HEBREW_PREFIXES = (*"ובהלמשכ", "וה", "וב", "ול", "ומ", "וש", "שה", "שב", "של", "שמ", "כש", "מה")
_ENGLISH_ENDINGS = ("s", "es", "d", "ed", "ing", "in")
_HEBREW_ENDINGS = ("ה", "ו", "ת", "תי", "נו", "תם", "ים", "ות", "י", "ית", "יות")
_INSIDE_A_WORD = {"ך": "כ", "ם": "מ", "ן": "נ", "ף": "פ", "ץ": "צ"}
_MAY_BE_MISSING = re.compile(r".\?")
# What must stand before a phrase that begins with one of these.
_ANCHORS = {"^": _BREAKS, "^^": frozenset({EDGE})}
_ABBREVIATIONS = frozenset({"mr", "mrs", "ms", "dr", "st"})
_SHORTEST_CORRECTED = 6


@dataclass(frozen=True, slots=True)
class Said:
    """A message's words with the breaks between them; ``forms`` are, for each, the words it may stand for.

    A Hebrew word stands also for what is left without the letters that mean and, the, in, to, from, that.
    """

    tokens: Sequence[str]
    forms: Sequence[tuple[str, ...]]

    def without(self, spans: Iterable[tuple[int, int]]) -> Said:
        """The same with the words of *spans* blanked."""
        tokens, forms = list(self.tokens), list(self.forms)
        for start, end in spans:
            for place in range(start, end):
                if tokens[place] not in _BREAKS:
                    tokens[place], forms[place] = BLANK, (BLANK,)
        return Said(tokens, forms)

    def clauses(self) -> Sequence[int]:
        """The number of the clause, from break to break, that each word stands in."""
        return list(accumulate(token in _BREAKS for token in self.tokens))

    def sentences(self) -> Sequence[int]:
        """The number of the sentence that each word stands in."""
        return list(accumulate(token in _STOPS for token in self.tokens))

    def lines(self) -> Sequence[int]:
        """The number of the sentence, which a new line ends too, that each word stands in."""
        return list(accumulate(token in _STOPS or token == LINE for token in self.tokens))

    def words_outside(self, spans: Iterable[tuple[int, int]]) -> int:
        """How many words stand in none of *spans*."""
        covered = {place for start, end in spans for place in range(start, end)}
        return sum(token not in _BREAKS and place not in covered for place, token in enumerate(self.tokens))


class Spelling:
    """Knows some words also when one letter is wrong, missing, too many, or swapped with the next."""

    def __init__(self, words: Iterable[str]) -> None:
        self._words = frozenset(words)
        self._near = {near: word for word in self._words for near in (word, *_shorter(word))}

    def correct(self, word: str) -> str:
        """The known word that *word* is nearly; else *word*."""
        if len(word) < _SHORTEST_CORRECTED or len(word) > 14 or word in self._words:
            return word
        return next((self._near[near] for near in (word, *_shorter(word)) if near in self._near), word)


def _shorter(word: str) -> Iterator[str]:
    return (word[:place] + word[place + 1 :] for place in range(len(word)))


def read(text: str, spelling: Spelling) -> Said:
    """*text* as words: one spelling, no punctuation but breaks, no letter thrice in a row."""
    tokens = [EDGE]
    for token in _TOKEN.findall(_DECIMALS.sub("", plain(text))):
        if token[0].isalnum():
            tokens.append(spelling.correct(token))
        elif token == "." and tokens[-1] in _ABBREVIATIONS:  # noqa: S105 - a mark, not a secret
            continue
        elif tokens[-1] not in _BREAKS:
            tokens.append(_break(token))
        elif tokens[-1] != EDGE:
            # Of several in a row the one that parts most.
            tokens[-1] = min(tokens[-1], _break(token), key=(STOP, LINE, PAUSE).index)
    if tokens[-1] in (STOP, LINE, PAUSE):
        tokens.pop()
    tokens.append(EDGE)
    return Said(tokens, [_forms(token) for token in tokens])


def _break(mark: str) -> str:
    if mark[0] in ".!?…":
        return STOP
    return LINE if mark == "\n" else PAUSE


def plain(text: str) -> str:
    """*text* in the spelling in which messages and phrases are compared."""
    return _TWICE.sub(r"\1", _DRAWN_OUT.sub(r"\1", _JOINING.sub("", canonical(text))))


def _forms(token: str) -> tuple[str, ...]:
    cut = (token[len(prefix) :] for prefix in _HEBREW_PREFIXES if token.startswith(prefix))
    return (token, *(rest for rest in cut if len(rest) >= 2))


class _Words:
    """Words, any of which leads one step on in a phrase."""

    __slots__ = ("words",)

    def __init__(self, words: frozenset[str]) -> None:
        self.words = words

    def accept(self, forms: tuple[str, ...]) -> bool:
        return not self.words.isdisjoint(forms)


class _AnyBut(_Words):
    """Any word but these."""

    def accept(self, forms: tuple[str, ...]) -> bool:
        return forms[0] not in self.words


class _Number(_Words):
    """A number in digits."""

    def accept(self, forms: tuple[str, ...]) -> bool:
        return forms[0].isdigit()


class _Beginning(_Words):
    """Words that begin so."""

    def accept(self, forms: tuple[str, ...]) -> bool:
        return any(form.startswith(beginning) for form in forms for beginning in self.words)


@dataclass(eq=False, slots=True)
class _State:
    """A place in a phrase: which words lead on, and what is reached without one.

    ``steps`` are all arcs from here, skips followed; ``ends`` the tags of phrases that are whole here. Both
    are there once the phrase is written to its end and the state is closed.
    """

    arcs: list[tuple[_Words, _State]] = field(default_factory=list)
    skips: list[_State] = field(default_factory=list)
    tag: object = None
    steps: tuple[tuple[_Words, _State], ...] = ()
    ends: tuple[object, ...] = ()


def _close(first: _State) -> None:
    """Close *first* and every state that can be reached from it."""
    seen, waiting = {first}, [first]
    while waiting:
        state = waiting.pop()
        here = _without_a_word(state)
        state.steps = tuple(arc for near in here for arc in near.arcs)
        state.ends = tuple(near.tag for near in here if near.tag is not None)
        fresh = {target for _, target in state.steps} - seen
        seen.update(fresh)
        waiting.extend(fresh)


def _without_a_word(state: _State) -> list[_State]:
    """*state* and those that are reached from it by skips alone."""
    if not state.skips:
        return [state]
    reached = {state: None}
    waiting = [state]
    while waiting:
        fresh = [near for near in waiting.pop().skips if near not in reached]
        reached.update(dict.fromkeys(fresh))
        waiting.extend(fresh)
    return list(reached)


class Grammar:
    """Turns written phrases into states.

    Args:
        groups: what a word in braces stands for: phrases between bars, or one a line. These, the words and
            the phrases are written in the spelling of `plain`.
        no_name: words that are no name of a person.
    """

    def __init__(self, groups: Mapping[str, str], no_name: Iterable[str]) -> None:
        self._groups = groups
        self._name = _AnyBut(frozenset(no_name) | _BREAKS | {BLANK})
        self._any = _AnyBut(_BREAKS)

    def add(self, phrase: str, start: _State) -> _State:
        """The state after *phrase*, which begins at *start*.

        Raises:
            ValueError: it names a group that is not there.
        """
        state = start
        for element in phrase.split():
            state = self._add_element(element, state)
        return state

    def _add_element(self, element: str, start: _State) -> _State:
        if element in ("...", ".."):
            return self._run(self._any, 4 if element == "..." else 2, start)
        after = _State()
        if element.startswith("["):
            start.skips.append(after)
            element = element[1:-1]
        plain = []
        for alternative in element.split("|"):
            if alternative.startswith(("{", "<", "$")) or alternative.endswith("*"):
                self._add_special(alternative, start, after)
            else:
                plain.append(alternative)
        if plain:
            start.arcs.append((_spelt("|".join(plain)), after))
        return after

    def _add_special(self, written: str, start: _State, after: _State) -> None:
        if written.startswith("{"):
            single, longer = self._alternatives(written[1:-1])
            if single:
                start.arcs.append((_spelt(single), after))
            for phrase in longer:
                self.add(phrase, start).skips.append(after)
        elif written == "<name>":
            begun = _State()
            start.arcs.append((self._name, begun))
            self._run(self._name, 2, begun).skips.append(after)
        else:
            start.arcs.append((self._special_words(written), after))

    def _special_words(self, written: str) -> _Words:
        match written:
            case "<num>":
                return _Number(frozenset())
            case "<word>":
                return self._any
            case "$":
                return _Words(_BREAKS)
            case "$$":
                return _Words(frozenset({EDGE}))
            case _:
                return _Beginning(frozenset({written[:-1]}))

    def _alternatives(self, group: str) -> tuple[str, Sequence[str]]:
        """The group's words that stand alone, between bars, and its phrases."""
        if group not in self._groups:
            raise ValueError(f"no group is called {{{group}}}")
        lines = self._groups[group].strip().split("\n")
        phrases = lines if len(lines) > 1 else lines[0].split("|")
        single = [phrase for phrase in phrases if phrase.replace("|", "").replace("~", "").isalnum()]
        return "|".join(single), [phrase for phrase in phrases if phrase not in single]

    def _run(self, words: _Words, longest: int, start: _State) -> _State:
        """After none to *longest* of *words*."""
        after, state = _State(), start
        for _ in range(longest):
            following = _State()
            state.skips.append(after)
            state.arcs.append((words, following))
            state = following
        state.skips.append(after)
        return after


@cache
def _spelt(words: str) -> _Words:
    """The words between bars, in their forms; the letter before a question mark may be missing."""
    found = set(words.replace("?", "").split("|")) | set(_MAY_BE_MISSING.sub("", words).split("|"))
    if "~" in words:
        found = {form for word in found - {""} for form in inflected(word)}
    return _Words(frozenset(found - {""}))


def inflected(written: str) -> frozenset[str]:
    """The word itself; with a tilde behind it, also with the endings of English or Hebrew verbs and nouns.

    Forms that no language has are among them: nobody writes those.
    """
    if not written.endswith("~"):
        return frozenset({written})
    word = written[:-1]
    if "א" <= word[-1] <= "ת":
        stem = word[:-1] + _INSIDE_A_WORD.get(word[-1], word[-1])
        return frozenset({word, *(stem + ending for ending in _HEBREW_ENDINGS)})
    stems = {word, word.removesuffix("e"), word + word[-1]}
    if word.endswith("y"):
        stems.add(f"{word[:-1]}ie")
    return frozenset({word, *(stem + ending for stem in stems for ending in _ENGLISH_ENDINGS)})


Tag = TypeVar("Tag")


@dataclass(frozen=True, slots=True)
class Found(Generic[Tag]):
    """A phrase stands from place ``start`` to before place ``end``."""

    tag: Tag
    start: int
    end: int


class Phrases(Generic[Tag]):
    """Looks for many phrases at once.

    Args:
        phrases: each with what it is found as.

    Raises:
        ValueError: a phrase cannot be read, or does not begin with a word.
    """

    def __init__(self, phrases: Iterable[tuple[str, Tag]], grammar: Grammar) -> None:
        # By first word: what must stand before it, and where it leads.
        self._openings: dict[str, list[tuple[frozenset[str], _State]]] = {}
        for phrase, tag in phrases:
            self._open(phrase, tag, grammar)

    def _open(self, phrase: str, tag: Tag, grammar: Grammar) -> None:
        anchor, _, rest = phrase.partition(" ")
        start = _State()
        grammar.add(rest if anchor in _ANCHORS else phrase, start).tag = tag
        _close(start)
        for words, state in start.steps:
            if type(words) is not _Words or not words.words:
                raise ValueError(f"a phrase begins with a word: {phrase}")
            for word in words.words:
                self._openings.setdefault(word, []).append((_ANCHORS.get(anchor, frozenset()), state))

    def find(self, said: Said) -> Iterator[Found[Tag]]:
        """Every place where a phrase stands, by where it ends; of several beginnings the earliest."""
        active: dict[_State, int] = {}
        for place, forms in enumerate(said.forms):
            following = self._opened(said, place)
            for state, start in active.items():
                for words, target in state.steps:
                    if following.get(target, place) >= start and words.accept(forms):
                        following[target] = start
            token = said.tokens[place]
            is_break = token in _BREAKS
            for state, start in following.items():
                for tag in state.ends:
                    # What looks for a break does not take it.
                    yield Found(tag, start, place if is_break else place + 1)  # type: ignore[arg-type]
            # A phrase may go on after a comma or on the next line, not in the next sentence.
            if token in (LINE, PAUSE):
                active.update(following)
            else:
                active = {} if is_break else following

    def _opened(self, said: Said, place: int) -> dict[_State, int]:
        if place == 0:
            return {}
        before = said.tokens[place - 1]
        return {
            state: place
            for form in said.forms[place]
            for anchor, state in self._openings.get(form, ())
            if not anchor or before in anchor
        }
