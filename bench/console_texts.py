"""What the guests and the desk of `bench.console_data` write to one another, and words to look for in it."""

from __future__ import annotations

import json
import random
import string
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

# The guest who writes a tenth of all messages, and the word that these end with: thousands of messages have
# it, and one conversation.
AGENCY = "Sunbeam Group Travel"
AGENCY_MARK = "sunbeamref"
RARE_NAME = "Wolkenstein"
RARE_WORD = "didgeridoo"

_TOPICS = sorted((Path(__file__).parent / "data" / "parallel").glob("*.jsonl"))
_LANGUAGES = ("en", "he")
_FIRST_NAMES = ("Noa", "Maya", "David", "Itai", "Yael", "Anna", "Tom", "Sofia", "נועם", "יעל", "אורי", "תמר")
_LAST_NAMES = (
    "Cohen",
    "Levi",
    "Mizrahi",
    "Rosen",
    "Schmidt",
    "Haddad",
    "כהן",
    "לוי",
    "פרץ",
    "ביטון",
    "Novak",
)
_OPENINGS = {"en": "Hi, this is {name}. ", "he": "שלום, מדברת {name}. "}
_CLOSINGS = {"en": " Our booking is {code}, thank you!", "he": " מספר ההזמנה שלנו {code}, תודה רבה!"}
_THANKS = {"en": ("Thanks!", "ok", "Great, see you"), "he": ("תודה!", "אוקיי", "מעולה, נתראה")}
_CODE_LETTERS = string.ascii_uppercase + string.digits


@dataclass(frozen=True, slots=True)
class Words:
    """One question and the answer to it."""

    question: str
    answer: str
    language: str


def make_name(source: random.Random) -> str:
    """A guest's name, in either alphabet."""
    return f"{source.choice(_FIRST_NAMES)} {source.choice(_LAST_NAMES)}"


def make_words(source: random.Random) -> Words:
    """A question to one of many businesses, as chatty as guests are; some only say thanks."""
    language = source.choice(_LANGUAGES)
    question, answer = source.choice(_pairs(language))
    chance = source.random()
    if chance < 0.15:
        question = source.choice(_THANKS[language])
    elif chance < 0.4:
        question = _OPENINGS[language].format(name=make_name(source)) + question
    elif chance < 0.6:
        question += _CLOSINGS[language].format(code="".join(source.choices(_CODE_LETTERS, k=6)))
    return Words(question, answer, language)


@cache
def _pairs(language: str) -> Sequence[tuple[str, str]]:
    """Every question of a language with the text that answers it."""
    topics = [
        json.loads(line)[language]
        for path in _TOPICS
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    return [(question, topic["body"]) for topic in topics for question in topic["questions"]]
