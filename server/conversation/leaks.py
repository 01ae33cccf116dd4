"""What must never be seen of the machinery behind a reply: its prompt, its tools, its errors, its keys."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from server.conversation.prompts import INSTRUCTIONS
from server.knowledge.reading import canonical, word_runs

# So many words of the instructions in a row are no coincidence, and so many are where one may begin.
LEAK_WORDS = 6
WARY_WORDS = 3

_Runs = frozenset[tuple[str, ...]]

MACHINERY = re.compile(
    r"[\[\]{}`\\]|<\||\|>|</?[a-z]|ask[-_]team|traceback|stack ?trace|file \"|\bline \d+, in\b"
    r"|\b\w+(?:error|exception)\b|tool[_ -]?(?:call|result|use|output)|function[_ -]?call"
    r"|\"(?:name|arguments|role)\":|\bsystem (?:prompt|message|instruction)|\b(?:sk|pk|rk)-[a-z0-9]"
    r"|\bbearer [a-z0-9]|\bat \S+:\d+:\d+|\bapi[_ -]?key|\blanguage model\b|knowledge cut-?off"
    r"|\bas an? (?:ai|artificial|chatbot|llm)\b|\bmy (?:prompt|instructions|programming|training"
    r"|guidelines)\b"
    r"|\b(?:initial|hidden|original|internal|developer) (?:prompt|instructions|message)"
    r"|\bi (?:was|am|have been) (?:instructed|programmed|prompted|told to)\b|\b(?:openai|chatgpt|gpt-?\d*"
    r"|llm)\b"
    r"|\b(?:null|undefined)\b|\b(?:http|status|error)(?: code)? [45]\d\d\b"
    r"|מודל שפה|בינה מלאכותית|פרומפט|הוראות (?:המערכת|שקיבלתי|שלי)|הנחיות (?:המערכת|שקיבלתי|שלי)"
    r"|הנחו אותי|מפתח api"
)


def shows_machinery(text: str) -> bool:
    """Whether *text* has the look of anything that is no business of a guest's."""
    return MACHINERY.search(canonical(text)) is not None


# What shows machinery in a word is not longer than this, together with the words before it.
_LONGEST_MACHINERY_CHARS = 80


def ends_in_machinery(beginning: str) -> bool:
    """`shows_machinery` of a text that showed none before its last word."""
    return shows_machinery(beginning[-_LONGEST_MACHINERY_CHARS:])


class LeakWindow:
    """Follows a reply word by word, and sees where it runs along a private text.

    Args:
        wishes: what the owner wrote for the model.
        public: what the business tells every guest anyway; an owner may have written it into the wishes too.
    """

    def __init__(self, wishes: str, public: Iterable[str]) -> None:
        self._private = (_runs(INSTRUCTIONS, LEAK_WORDS), _runs(wishes, LEAK_WORDS))
        self._wary = (_runs(INSTRUCTIONS, WARY_WORDS), _runs(wishes, WARY_WORDS))
        self._public = tuple(public)
        self._last: tuple[str, ...] = ()

    @property
    def is_wary(self) -> bool:
        """Whether the last words stand in a private text: what follows them must wait."""
        return any(self._last[-WARY_WORDS:] in runs for runs in self._wary)

    def follow(self, words: Iterable[str]) -> bool:
        """Go on by *words* (canonical); whether a private text has come out."""
        # Each must be followed, also after the first that leaks.
        leaked = [self._leaks_with(word) for word in words]
        return any(leaked)

    def _leaks_with(self, word: str) -> bool:
        self._last = (*self._last[1 - LEAK_WORDS :], word)
        return any(self._last in runs for runs in self._private) and not any(
            self._last in word_runs(text, LEAK_WORDS) for text in self._public
        )


@lru_cache(maxsize=500)
def _runs(text: str, length: int) -> _Runs:
    return frozenset(word_runs(text, length))
