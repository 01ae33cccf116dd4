"""A shortcut answers a whole message that needs no model, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.conversation import phrases
from server.conversation.shortcuts import shortcut
from server.domain.conversations import ReplySource
from tests.support.turns import NOW, a_turn

GREETINGS = [
    "Hi",
    "hello!",
    "Hey there",
    "Good morning 😊",
    "HELLO???",
    "שלום",
    "היי!!",
    "בוקר טוב",
    "שלום לכם",
]
THANKS = ["Thanks", "thank you so much!", "Ok great, thanks 🙏", "thx", "תודה", "תודה רבה!", "מעולה, תודה"]
TIMES = [
    "what time is it?", "What's the time?", "Hi, what time is it there now", "what’s the time please",
    "מה השעה?", "שלום, מה השעה אצלכם עכשיו?",
]  # fmt: skip
DATES = [
    "What's the date today?",
    "what day is it today",
    "What is today's date",
    "איזה יום היום?",
    "מה התאריך היום",
]
PERSON = [
    "a person, please", "Can I talk to a human?", "I want to speak to someone from the team",
    "please connect me to a real person", "Hello, could I speak with a representative please",
    "I'd like to talk to a manager about my refund", "human", "נציג אנושי", "אפשר לדבר עם נציג?",
    "אני רוצה לדבר עם בן אדם בבקשה", "מענה אנושי בבקשה", "תעבירו אותי לנציגה",
]  # fmt: skip
CATCHABLE = [*GREETINGS, *THANKS, *TIMES, *DATES, *PERSON]

QUESTIONS = [
    "Hi, when is check-in?", "Thanks! Is breakfast included?", "hello do you have parking",
    "What time is check-out?", "What time is it best to arrive?", "what day is the pool cleaned",
    "Is there a person at reception at night?", "Do you have a manager?", "time", "hi 5 people",
    "Can I talk to a human and also is the pool open?", "thank you for nothing", "", "   ", "😀", "?",
    "Good morning, the shower is broken", "no thanks to you we are cold",
    "שלום, מתי הכניסה?", "תודה, ויש חניה?", "מה השעה של הצ'ק אין?", "איזה יום פתוח?", "יש נציג בלילה?",
    "תודה אבל לא",
]  # fmt: skip


def reason(text: str) -> str | None:
    reply = shortcut(a_turn(text), "en", NOW)
    return None if reply is None else reply.reason


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        *((text, "greeting") for text in GREETINGS),
        *((text, "thanks") for text in THANKS),
        *((text, "time") for text in TIMES),
        *((text, "date") for text in DATES),
        *((text, "asked_for_person") for text in PERSON),
    ],
)
def test_a_message_that_needs_no_model_is_caught(text: str, expected: str) -> None:
    assert reason(text) == expected


@pytest.mark.parametrize("text", QUESTIONS)
def test_what_asks_for_more_is_left_to_the_model(text: str) -> None:
    assert reason(text) is None


@given(
    st.sampled_from([text for text in CATCHABLE if "refund" not in text]),
    st.sampled_from(["breakfast", "towels", "checkin", "parking", "1234", "wifi", "בריכה", "מגבות", "חניה"]),
    st.booleans(),
)
def test_no_message_with_another_word_is_caught(text: str, word: str, is_first: bool) -> None:
    assert reason(f"{word} {text}" if is_first else f"{text} {word}") is None


@given(st.text(max_size=300))
def test_any_text_is_read(text: str) -> None:
    reply = shortcut(a_turn(text), "he", NOW)
    assert reply is None or reply.text


def test_repeated_pleasantries_are_read_in_no_time() -> None:
    for words in ("hi ", "thanks ", "please ", "המון תודה ", "to you all ", "good day ", "now please "):
        assert reason((words * 200)[:199] + "x") is None


def test_pleasantries_in_several_messages_are_one() -> None:
    reply = shortcut(a_turn("Hi", "thank you"), "en", NOW)
    assert reply is not None
    assert reply.text == phrases.youre_welcome("en")


def test_time_and_date_are_those_of_the_business() -> None:
    # 04:05 UTC on the 21st: five past six in Haifa, the evening before in Los Angeles.
    here = shortcut(a_turn("what time is it?"), "en", NOW)
    there = shortcut(a_turn("what day is it today?", time_zone="America/Los_Angeles"), "he", NOW)
    assert here is not None
    assert here.text == "It is 06:05 here now."
    assert there is not None
    assert there.text == "היום יום שישי, 20 בנובמבר 2026."


def test_a_greeting_names_the_business() -> None:
    reply = shortcut(a_turn("hello", name="Hill Inn"), "en", NOW)
    assert reply is not None
    assert "Hill Inn" in reply.text
    assert reply.source is ReplySource.SHORTCUT


def test_who_asks_for_a_person_is_handed_over() -> None:
    asked = shortcut(a_turn("a person, please"), "en", NOW)
    greeted = shortcut(a_turn("hello"), "en", NOW)
    assert asked is not None
    assert asked.handover
    assert greeted is not None
    assert not greeted.handover
