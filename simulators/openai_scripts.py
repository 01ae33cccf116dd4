"""What the simulated model says.

By itself it is a model that does as its prompt says: it answers with the sentences of the document that
shares most words with the question, cites it, and says that it does not know where none shares any.
Rules and a fixed reply let a test put any words and tool calls into its mouth, wrong ones too.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from simulators.openai_tools import ScriptedCall

MOST_SENTENCES = 3


class Rule(BaseModel):
    """Holds where the last message of the user holds ``contains``, in any case.

    Then those of ``tool_calls`` are made that the request offers, and ``reply`` is said: after the tools'
    results, or at once where there are no calls to make.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    contains: str
    reply: str | None = None
    tool_calls: tuple[ScriptedCall, ...] = ()


class _Document(NamedTuple):
    id: str
    text: str


_DOCUMENT = re.compile(r'<document id="([^"]+)">\n(.*?)\n</document>', re.DOTALL)
_GUEST = re.compile(r"<guest>\n(.*?)\n</guest>", re.DOTALL)
_MARKER = re.compile(r"\[\[[a-z-]+\]\]")
_SENTENCE = re.compile(r"\S.*?(?:[.!?…](?=\s|$)|$)", re.DOTALL)
_WORD = re.compile(r"[^\W_]+")
_HEBREW = re.compile(r"[א-ת]")
# By whether the question is in Hebrew.
_FRIENDLY = {
    False: "Thank you for asking, it is lovely that you are coming to us.",
    True: "תודה על השאלה, נעים מאוד לשמוע מכם.",
}
_SHORTEST_WORD = 3
_SHORTEST_STEM = 4
_EMPTY_WORDS = """
the and are you for can have has does did was were what when where which who how much many there here with our
your this that from will would could should please may any some need want like about get
יש אין האם מתי איפה איך כמה אפשר אני אנחנו שלום היי תודה בבקשה של על את עם לא גם או כן לנו שלכם אצלכם ניתן
רוצה רוצים צריך
"""
_NOTHING = frozenset(_EMPTY_WORDS.split())


def reply_to(messages: Sequence[tuple[str, str]], rules: Sequence[Rule], fixed: str | None) -> str:
    """What to say to *messages*, each a role and its text. First rules, then *fixed*, then the documents."""
    asked, question = _last_asked(messages)
    for rule in _holding(rules, question):
        if rule.reply is not None:
            return rule.reply
    if fixed is not None:
        return fixed
    documents = _documents(asked)
    best = max(documents, key=lambda document: _shared(question, document.text), default=None)
    if best is None or not _shared(question, best.text):
        return _does_not_know(question, messages)
    # The first line is the title.
    _, _, body = best.text.partition("\n")
    told = " ".join(_SENTENCE.findall(body or best.text)[:MOST_SENTENCES])
    return f"{told} [{best.id}]"


def calls_for(
    messages: Sequence[tuple[str, str]], rules: Sequence[Rule], offered: Sequence[str]
) -> list[ScriptedCall]:
    """The tool calls that *rules* make of the *offered* tools; none once a tool has answered."""
    if messages[-1][0] == "tool":
        return []
    _, question = _last_asked(messages)
    made = [[call for call in rule.tool_calls if call.name in offered] for rule in _holding(rules, question)]
    return next((calls for calls in made if calls), [])


def grounded(messages: Sequence[tuple[str, str]]) -> str:
    """Plain friendly words, then the first sentence of a document, cited: an answer that a gate lets out.

    The document is the first in the script of the question, as a reply is in its guest's language. Without
    one it says that it does not know.
    """
    asked, question = _last_asked(messages)
    is_hebrew = bool(_HEBREW.search(question))
    for document in _documents(asked):
        _, _, body = document.text.partition("\n")
        sentence = next(iter(_SENTENCE.findall(body)), "")
        if sentence and bool(_HEBREW.search(sentence)) == is_hebrew:
            return f"{_FRIENDLY[is_hebrew]} {sentence} [{document.id}]"
    return _does_not_know(question, messages)


def echo(messages: Sequence[tuple[str, str]], pattern: str) -> str:
    """Names all that fits *pattern* in the last question, in its order; empty if nothing does."""
    _, question = _last_asked(messages)
    named = dict.fromkeys(found[0] for found in re.finditer(pattern, question))
    return f"This is about {', '.join(named)}." if named else ""


def tokens(text: str) -> list[str]:
    """The tokens of *text*: words with the space before them."""
    return re.findall(r"\s*\S+", text)


def _holding(rules: Sequence[Rule], question: str) -> list[Rule]:
    return [rule for rule in rules if rule.contains.casefold() in question.casefold()]


def _documents(asked: str) -> list[_Document]:
    return [_Document(*found) for found in _DOCUMENT.findall(asked)]


def _last_asked(messages: Sequence[tuple[str, str]]) -> tuple[str, str]:
    """The last message of the user, and the question in it."""
    asked = next((text for role, text in reversed(messages) if role == "user"), "")
    return asked, "\n".join(_GUEST.findall(asked)[-1:]) or asked


def _does_not_know(question: str, messages: Sequence[tuple[str, str]]) -> str:
    sorry = "אין לי תשובה לכך." if _HEBREW.search(question) else "I don't know that."
    marker = next((found[0] for _, text in messages if (found := _MARKER.search(text))), "")
    return f"{sorry} {marker}".strip()


def _shared(question: str, text: str) -> int:
    """How many words of *question* stand in *text*, in whatever form."""
    there = _words(text)
    return sum(any(_alike(word, other) for other in there) for word in _words(question))


def _words(text: str) -> set[str]:
    plain = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    return {word for word in _WORD.findall(plain.replace("'", "")) if len(word) >= _SHORTEST_WORD} - _NOTHING


def _alike(word: str, other: str) -> bool:
    return any(_begins_alike(one, two) for one in _forms(word) for two in _forms(other))


def _begins_alike(one: str, two: str) -> bool:
    shorter, longer = sorted((one, two), key=len)
    return shorter == longer or (len(shorter) >= _SHORTEST_STEM and longer.startswith(shorter))


def _forms(word: str) -> Sequence[str]:
    """A Hebrew word also without the letter for "the", "and", "in" or the like, and without its plural."""
    starts = (word, word[1:]) if word[0] in "והבלמשכ" else (word,)
    forms = {start.removesuffix(plural) for start in starts for plural in ("", "ים", "ות")}
    return [form for form in forms if len(form) >= _SHORTEST_WORD]
