"""Early exits: messages that no model need read.

Each pattern describes a whole message. A greeting with a question behind it is a question, so that
nothing a guest wants to know is lost to a shortcut.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from server.conversation import phrases
from server.domain.conversations import Reply, ReplySource, Turn

# Nothing longer is a pleasantry; it also bounds the work of the patterns.
_LONGEST_CHARS = 200


def _any_of(*alternatives: str) -> str:
    return f"(?:{'|'.join(alternatives)})"


_GREETING = _any_of(
    "hi+", "hello+", "hey+", "hiya", "howdy", "greetings", "shalom", "good (?:morning|afternoon|evening|day)",
    "how are you", "hows it going", "nice to meet you",
    "שלום", "היי+", "הי", "הלו", "אהלן", "(?:בוקר|ערב|יום) טוב", "צהריים טובים", "שבוע טוב",
    "שבת שלום", "חג שמח", "מה (?:שלומכם|שלומך|נשמע|קורה|המצב)",
)  # fmt: skip
_THANKS = _any_of(
    "thanks", "thank (?:you|u)", "thx", "ty", "many thanks", "cheers", "much appreciated",
    "תודה", "תודות", "המון תודה",
)  # fmt: skip
_POLITE = _any_of(
    "please", "pls", "excuse me", "sorry", "there", "all", "everyone", "team", "dear", "again", "to you",
    "בבקשה", "סליחה", "לכם", "לכולם", "צוות", "שוב",
)  # fmt: skip
_THANKS_MORE = _any_of(
    "so much", "very much", "a lot", "ok(?:ay)?", "great", "perfect", "lovely", "wonderful", "excellent",
    "got it", "for (?:your|the|all your) help", "for everything", "bye", "goodbye", "good night",
    "have a (?:nice|good|great|lovely) (?:day|evening|one)",
    "רבה", "מאוד", "על הכול", "על הכל", "על העזרה", "מעולה", "מצוין", "סבבה",
    "אוקיי?", "בסדר", "הבנתי", "ביי", "להתראות", "לילה טוב", "יום נעים", "ערב נעים",
)  # fmt: skip
_HERE_NOW = r"(?: (?:right now|now|there|at your place|over there|today))*"
_TIME = _any_of(
    "(?:can you tell me |do you know )?what(?: ?s| is)? (?:the )?(?:current |local )?time(?: is it| it is)?"
    + _HERE_NOW,
    "(?:current|local) time", "time (?:right )?now",
    "(?:אפשר לדעת )?מה השעה(?: (?:עכשיו|אצלכם|שם|כרגע))*",
)  # fmt: skip
_DATE = _any_of(
    rf"what(?: ?s| is)? (?:the |todays )?(?:date|day)(?: is it| it is| is today)?{_HERE_NOW}",
    "what day of the week is it(?: today)?",
    "(?:איזה|מה ה)יום היום(?: אצלכם)?", "איזה יום(?: זה)? היום(?: אצלכם)?",
    "(?:מה ה|איזה )תאריך(?: (?:היום|אצלכם|עכשיו))*",
)  # fmt: skip

_PERSON = (
    "(?:(?:a|an|the|some|real|live|actual|human|hotel|your) )*"
    "(?:human(?: being)?|person|people|agent|representative|rep|manager|receptionist|operator|someone"
    "|somebody|staff|team|reception|(?:staff|team) member|member of (?:the )?(?:staff|team))"
    "(?: (?:real|human|from (?:the|your) (?:team|staff)|at (?:the )?reception))?"
)
_HEBREW_PERSON = (
    "(?:ה?נציגה?|ה?נציגות|ה?מנהלת?|בן אדם|אדם|מישהו|מישהי|ה?צוות|ה?קבלה|פקידת? ה?קבלה)"
    "(?: (?:אמיתית?|אנושית?|מהצוות|מהקבלה|שירות))*"
)
_WISH = (
    "(?:(?:can|could|may) (?:i|we) |let me "
    "|(?:i|we)(?: ?d like| would like| want| need| ?d prefer| have)(?: to)? )?"
)
_HEBREW_WISH = "(?:(?:אפשר|ניתן|אשמח|אבקש|(?:אני )?(?:רוצה|צריכה?|מעדיפה?|מבקשת?)) )?(?:בבקשה )?"
_ASK_FOR_PERSON = _any_of(
    rf"{_WISH}(?:please )?(?:talk|speak|chat|write)(?: directly)? (?:to|with) {_PERSON}",
    "(?:(?:can|could) you )?(?:please )?(?:connect|transfer|put) (?:me|us)(?: through)? (?:to|with) "
    + _PERSON,
    rf"{_WISH}(?:please )?(?:a|an|real|live|human) {_PERSON}",
    "human", "agent", "representative", "operator",
    rf"{_HEBREW_WISH}(?:לדבר|לשוחח|להתכתב) (?:בבקשה )?עם {_HEBREW_PERSON}",
    rf"{_HEBREW_WISH}(?:להעביר אותי|תעבירו אותי|העבירו אותי) ל{_HEBREW_PERSON}",
    f"{_HEBREW_WISH}(?:נציגה?|מענה|בן אדם)(?: (?:אנושית?|אמיתית?|שירות))*",
)  # fmt: skip
_ABOUT = "(?: (?:about|regarding|concerning|לגבי|בנוגע|בקשר) .{1,120})?"

# Pleasantries around what is asked do not change it.
_PREFIX = rf"(?:(?:{_GREETING}|{_POLITE}|{_THANKS}) )*"
_SUFFIX = rf"(?: (?:{_POLITE}|{_THANKS}|{_THANKS_MORE}))*"


@dataclass(frozen=True, slots=True)
class _Shortcut:
    """A message's whole pattern, and what to say. ``text`` takes language, business and local time."""

    reason: str
    pattern: re.Pattern[str]
    text: Callable[[str, str, datetime], str]
    handover: bool = False


_SHORTCUTS = (
    _Shortcut(
        "greeting",
        re.compile(rf"(?:{_POLITE} )*{_GREETING}(?: (?:{_GREETING}|{_POLITE}))*"),
        lambda language, business, _: phrases.greeting(language, business),
    ),
    _Shortcut(
        "thanks",
        re.compile(
            rf"(?:(?:{_GREETING}|{_THANKS_MORE}|{_POLITE}) )*{_THANKS}"
            rf"(?: (?:{_GREETING}|{_THANKS}|{_THANKS_MORE}|{_POLITE}))*"
        ),
        lambda language, _, __: phrases.youre_welcome(language),
    ),
    _Shortcut(
        "time",
        re.compile(_PREFIX + _TIME + _SUFFIX),
        lambda language, _, local: phrases.time_now(language, local),
    ),
    _Shortcut(
        "date",
        re.compile(_PREFIX + _DATE + _SUFFIX),
        lambda language, _, local: phrases.date_today(language, local),
    ),
    _Shortcut(
        "asked_for_person",
        re.compile(_PREFIX + _ASK_FOR_PERSON + _SUFFIX + _ABOUT),
        lambda language, _, __: phrases.person_coming(language),
        handover=True,
    ),
)


def shortcut(turn: Turn, language: str, now: datetime) -> Reply | None:
    """The reply to a message that is a greeting, thanks, a question for time or date, or for a person.

    None for everything else, also where such words stand beside a question.

    Args:
        language: of the reply.
        now: aware; told in the business's zone.
    """
    said = _as_words(turn.question)
    if not said:
        return None
    settings = turn.tenant.settings
    for candidate in _SHORTCUTS:
        if candidate.pattern.fullmatch(said):
            return Reply(
                text=candidate.text(language, settings.name, now.astimezone(settings.zone)),
                source=ReplySource.SHORTCUT,
                language=language,
                handover=candidate.handover,
                reason=candidate.reason,
            )
    return None


def _as_words(text: str) -> str:
    """Lower-case words with one space between; empty if there are none or too many for a pleasantry.

    Punctuation, emoji, vowel points and invisible marks are no words; an apostrophe joins.
    """
    if len(text) > _LONGEST_CHARS:
        return ""
    kept = (
        "" if character in "'’׳`" or unicodedata.category(character) in ("Mn", "Cf", "Me")
        else character if character.isalnum()
        else " "
        for character in unicodedata.normalize("NFKD", text.casefold())
    )  # fmt: skip
    return " ".join("".join(kept).split())
