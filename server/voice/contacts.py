"""E-mail addresses and telephone numbers that callers give: read back, so that a misheard one is noticed.

A recogniser writes an address as it was said, "dana dot k at gmail dot com", or as people write it. Where
English words could also be something else ("we booked at booking.com") it takes a sign that an address is
meant: a provider of mail, or the word "mail" in what the caller or the desk just said.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from server.domain.conversations import HistoryLine, Reply, ReplySource, Speaker
from server.domain.language import detect_language, reply_language
from server.voice.addresses import read_back
from server.voice.lines import HEBREW
from server.voice.word_lists import word_list, word_set

# Staff hear of it under this reason.
CONTACT_LEFT = "contact_left"
# Who says much more than the address has something else on their mind too, which comes first.
_MOST_OTHER_WORDS = 7
_QUESTION = re.compile(
    r"[?؟]\s*$|^\W*(?:is|are|was|do|does|did|what|which|who|whose|when|where|why|how|האם|מה|איזה|של מי)\b"
)

_EMAIL = re.compile(
    r"[a-z\d][a-z\d._%+-]{0,63}@[a-z\d-]{1,63}(?:\.[a-z\d-]{1,63}){0,4}\.[a-z]{2,24}(?![a-z\d@])"
)
# With a country code, with a leading 0, or in the groups of North America: other digits may be a booking.
_PHONE = re.compile(
    r"(?<![\w+])(?:\+\d(?:[ .-]?\d){7,14}|0(?:[ .-]?\d){8,9}|\(?[2-9]\d\d\)?[ .-]\d{3}[ .-]\d{4})(?![\d@])"
)
_SPOKEN_SIGNS = (
    (re.compile(r"(?<!\S)(?:קו תחתון|underscore)(?!\S)"), "_"),
    (re.compile(r"(?<!\S)(?:שטרודל|כרוכית|at)(?!\S)"), "@"),
    (re.compile(r"(?<!\S)(?:נקודה|dot)(?!\S)"), "."),
    (re.compile(r"(?<!\S)(?:מקף|מינוס|dash|hyphen|minus)(?!\S)"), "-"),
    (re.compile(r"(?<!\S)(?:פלוס|plus)(?!\S)"), "+"),
)
_SPOKEN_NAMES = {
    "ג'ימייל": "gmail", "גימייל": "gmail", "הוטמייל": "hotmail", "אאוטלוק": "outlook", "יאהו": "yahoo",
    "וואלה": "walla", "קום": "com", "קו": "co", "נט": "net", "אורג": "org",
}  # fmt: skip
_DIGITS = dict(zip(word_list("zero one two three four five six seven eight nine"), "0123456789", strict=True))
# "harbour house dot com" is one name.
_LONGEST_NAME = 3
_SIGNS = frozenset("@._-+")
_PART = re.compile(r"[a-z\d]+(?:[._+-][a-z\d]+)*")
_EDGES = '.,!?;:()"…'
_PROVIDERS = word_set("gmail googlemail hotmail outlook live yahoo walla icloud protonmail proton msn aol")
_SAYS_MAIL = re.compile(r"mail|מייל|דואר|דוא\"ל")
# They stand before an address, and are no part of it.
_BEFORE = word_set("is its it's to on me my at email e-mail mail address and the number")

_WROTE, _WROTE_HE = "I wrote down", "רשמתי את"
_RIGHT, _RIGHT_HE = "Is that right?", "זה נכון?"
_NOTED = "Thank you, the team has it. Is there anything else?"
_NOTED_HE = "תודה, זה הועבר לצוות. אפשר לעזור בעוד משהו?"
_AGAIN, _AGAIN_HE = (
    "Sorry about that. Could you say it once more, slowly?",
    "סליחה. אפשר לומר את זה שוב, לאט?",
)

_YES = word_set("yes yeah yep right correct exactly sure true כן נכון בדיוק בטח")
_NO = word_set("no nope wrong incorrect not לא טעות")
_MOST_IN_A_REPLY = 4
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")


class ContactKind(StrEnum):
    """What a caller left."""

    EMAIL = "email"
    PHONE = "phone"


@dataclass(frozen=True, slots=True)
class Contact:
    """As people write it; ``rest`` is what was said beside it."""

    kind: ContactKind
    written: str
    rest: str


def find_contact(words: str, said_before: str = "") -> Contact | None:
    """The e-mail address or the telephone number in *words*, if there is one.

    Args:
        said_before: what the desk said last.
    """
    text = words.lower().replace("׳", "'").replace(" @ ", "@")
    written = _EMAIL.search(text)
    if written is not None:
        return Contact(ContactKind.EMAIL, written[0], text.replace(written[0], " "))
    number = _PHONE.search(words)
    if number is not None:
        return Contact(ContactKind.PHONE, number[0], words.replace(number[0], " "))
    return _spoken_email(text, said_before)


def contact_reply(words: str, history: Sequence[HistoryLine], preferred: Sequence[str]) -> Reply | None:
    """What the desk says to a caller who gives an address, or who is asked whether one is right.

    None if it is about something else.

    Args:
        history: oldest first; its last line may be the desk's question.
        preferred: the business's languages.
    """
    said_before = history[-1].text if history and history[-1].speaker is Speaker.HOST else ""
    contact = find_contact(words, said_before)
    if contact is None:
        return _verdict(words, said_before, preferred)
    if _QUESTION.search(words.lower()) or len(contact.rest.split()) > _MOST_OTHER_WORDS:
        return None
    # An address has Latin letters in every language.
    own = words if detect_language(words) == HEBREW else contact.rest
    language = reply_language((said_before, own), preferred)
    return _line(_reading(contact, language), language, is_news=True)


def _reading(contact: Contact, language: str) -> str:
    written, is_hebrew = contact.written, language == HEBREW
    if contact.kind is ContactKind.PHONE:
        return f"{_WROTE_HE} המספר {written}. {_RIGHT_HE}" if is_hebrew else f"{_WROTE} {written}. {_RIGHT}"
    letters = read_back(written.partition("@")[0], HEBREW if is_hebrew else "en")
    if is_hebrew:
        return f"{_WROTE_HE} הכתובת {written}, באיות {letters}. {_RIGHT_HE}"
    return f"{_WROTE} {written}, spelled {letters}. {_RIGHT}"


def _verdict(words: str, said_before: str, preferred: Sequence[str]) -> Reply | None:
    """What is said to a "yes" or "no", if an address was just read back."""
    is_asked = said_before.startswith((_WROTE, _WROTE_HE)) and said_before.endswith((_RIGHT, _RIGHT_HE))
    said = _WORD.findall(words.lower())
    if not is_asked or not 0 < len(said) <= _MOST_IN_A_REPLY:
        return None
    language = reply_language((said_before, words), preferred)
    if any(word in _NO for word in said):
        return _line(_AGAIN_HE if language == HEBREW else _AGAIN, language)
    if any(word in _YES for word in said):
        return _line(_NOTED_HE if language == HEBREW else _NOTED, language)
    return None


def _line(text: str, language: str, *, is_news: bool = False) -> Reply:
    return Reply(
        text=text,
        source=ReplySource.SHORTCUT,
        language=language,
        handover=is_news,
        reason=CONTACT_LEFT if is_news else "",
    )


def _spoken_email(text: str, said_before: str) -> Contact | None:
    for sign, mark in _SPOKEN_SIGNS:
        text = sign.sub(mark, text)
    said = [_plain(one) for one in text.split()]
    for at in (place for place, one in enumerate(said) if one == "@"):
        first, last = _local_start(said, at), _domain_end(said, at)
        written = "".join(said[first:last])
        if _EMAIL.fullmatch(written) and _is_meant(written, f"{text} {said_before}"):
            return Contact(ContactKind.EMAIL, written, " ".join([*said[:first], *said[last:]]))
    return None


def _is_meant(email: str, said: str) -> bool:
    """Whether *email* is one, and no place that a sentence speaks of."""
    labels = email.partition("@")[2].split(".")
    return not _PROVIDERS.isdisjoint(labels) or _SAYS_MAIL.search(said) is not None


def _plain(token: str) -> str:
    bare = token if token in _SIGNS else token.strip(_EDGES)
    return _DIGITS.get(bare, _SPOKEN_NAMES.get(bare, bare))


def _local_start(tokens: Sequence[str], at: int) -> int:
    """Where what stands before the ``@`` at *at* begins: letters that were spelled belong together."""
    start = at
    while start and _goes_on(tokens[start - 1], tokens[start] if start < at else ""):
        start -= 1
    return start


def _goes_on(before: str, first: str) -> bool:
    """Whether *before* belongs to a local part that so far begins with *first*."""
    if before in _SIGNS:
        return before != "@" and bool(first) and first not in _SIGNS
    if not _PART.fullmatch(before) or before in _BEFORE:
        return False
    is_spelled = len(before) == 1 and len(first) == 1
    return not first or first in _SIGNS or first.isdecimal() or is_spelled


def _domain_end(tokens: Sequence[str], at: int) -> int:
    """Where what stands after the ``@`` at *at* ends."""
    end = at + 1
    if "." in tokens[end : end + _LONGEST_NAME + 1]:
        end = tokens.index(".", end)
    while end < len(tokens):
        token, last = tokens[end], tokens[end - 1]
        is_part = _PART.fullmatch(token) is not None and (last in _SIGNS or len(token) == len(last) == 1)
        if not is_part and not (token in (".", "-") and last not in _SIGNS):
            break
        end += 1
    return end
