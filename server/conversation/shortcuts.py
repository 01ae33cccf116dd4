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

_MACHINE = (
    "(?:bot|chat ?bot|robot|machine|computer|ai|a i|chatgpt|gpt|program|automated|automatic|automation)"
)
_HUMAN = (
    "(?:real|human|alive|(?:real |live |actual )?(?:person|human|human being|man|woman|guy|someone|somebody))"
)
_HEBREW_MACHINE = "(?:בוט|רובוט|מכונה|מחשב|אוטומטי|ai|צאט ?בוט)"
_HEBREW_HUMAN = "(?:אמיתית?|אנושית?|בן אדם|בנאדם|אדם|אדם אמיתי|בן אדם אמיתי|מישהו אמיתי|נציגה?|אנשים)"
_EITHER = f"(?:(?:an? |the )?(?:{_MACHINE}|{_HUMAN}))"
_HEBREW_EITHER = f"(?:{_HEBREW_MACHINE}|{_HEBREW_HUMAN})"
_WHO_WRITES = _any_of(
    rf"(?:are|r) (?:you|u|we talking to|we speaking with) {_EITHER}(?: or (?:just )?{_EITHER})?",
    rf"(?:am i|are we) (?:talking|speaking|chatting|writing) (?:to|with) {_EITHER}(?: or {_EITHER})?",
    rf"is (?:this|it|there) {_EITHER}(?: (?:here|there|writing|answering|talking))?(?: or {_EITHER})?",
    rf"{_EITHER} or {_EITHER}", "(?:who|what) (?:are you|am i talking to|is this)",
    rf"(?:אתה|את|אתם|זה|זו|זאת|יש כאן|האם (?:אתה|את|זה|אתם)) {_HEBREW_EITHER}(?: או {_HEBREW_EITHER})?",
    rf"(?:האם )?(?:אני|אנחנו) (?:מדברת?|מדברים|מתכתבת?) עם {_HEBREW_EITHER}(?: או {_HEBREW_EITHER})?",
    rf"{_HEBREW_EITHER} או {_HEBREW_EITHER}", "(?:מי|עם מי) (?:אני מדברת?|זה|כותבת?|עונה)(?: (?:כאן|פה))?",
)  # fmt: skip

# Pleasantries around what is asked do not change it.
_PREFIX = rf"(?:(?:{_GREETING}|{_POLITE}|{_THANKS}) )*"
_SUFFIX = rf"(?: (?:{_POLITE}|{_THANKS}|{_THANKS_MORE}))*"


_ASKS_WHO_WRITES = re.compile(_PREFIX + _WHO_WRITES + _SUFFIX)


@dataclass(frozen=True, slots=True)
class _Shortcut:
    """A message's whole pattern, and what to say. ``text`` takes language, business and local time."""

    reason: str
    pattern: re.Pattern[str]
    text: Callable[[str, str, datetime], str]


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
        "who_writes",
        _ASKS_WHO_WRITES,
        lambda language, business, _: phrases.about_the_assistant(language, business),
    ),
)


def asks_who_writes(text: str) -> bool:
    """Whether *text* asks whether a person or a machine answers, and nothing else."""
    return _ASKS_WHO_WRITES.fullmatch(_as_words(text)) is not None


def shortcut(turn: Turn, language: str, now: datetime) -> Reply | None:
    """The reply to a greeting, to thanks, to a question for time or date, or for who writes here.

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
