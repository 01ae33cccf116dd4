"""A shortcut answers a whole message that needs no model, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.conversation import phrases
from server.conversation.reflexes import find_reflex
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
WHO_WRITES = [
    "are you a bot?", "Are you real?", "am I talking to a real person?", "Hi, is this a bot or a human",
    "r u a robot", "bot or human?", "are you an AI", "Hello, are you human?", "is this automated?",
    "who are you?", "אתה בוט?", "את בוט או בן אדם", "זה בוט?", "היי, אני מדברת עם בן אדם?",
    "אני מדבר עם מכונה?", "אתה אמיתי?", "מי זה?",
]  # fmt: skip
CATCHABLE = [*GREETINGS, *THANKS, *TIMES, *DATES, *WHO_WRITES]

QUESTIONS = [
    "Hi, when is check-in?", "Thanks! Is breakfast included?", "hello do you have parking",
    "What time is check-out?", "What time is it best to arrive?", "what day is the pool cleaned",
    "Is there a person at reception at night?", "Do you have a manager?", "time", "hi 5 people",
    "Can I talk to a human and also is the pool open?", "a person, please", "are you open?",
    "are you a hotel?", "is this a hotel or apartments", "who are you hiring?",
    "are you real? such a low price", "נציג אנושי", "אתם פתוחים?", "thank you for nothing",
    "", "   ", "😀", "?",
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
        *((text, "who_writes") for text in WHO_WRITES),
    ],
)
def test_a_message_that_needs_no_model_is_caught(text: str, expected: str) -> None:
    assert reason(text) == expected


@pytest.mark.parametrize("text", CATCHABLE)
def test_no_reflex_takes_what_a_shortcut_answers(text: str) -> None:
    assert find_reflex(text) is None


@pytest.mark.parametrize("text", QUESTIONS)
def test_what_asks_for_more_is_left_to_the_model(text: str) -> None:
    assert reason(text) is None


@given(
    st.sampled_from(CATCHABLE),
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


@pytest.mark.parametrize("language", ["en", "he"])
def test_who_asks_what_writes_is_told_honestly_that_it_is_a_machine(language: str) -> None:
    told = shortcut(a_turn("are you a bot?", name="Hill Inn"), language, NOW)
    assert told is not None
    assert "Hill Inn" in told.text
    assert ("automated" in told.text) if language == "en" else ("אוטומטי" in told.text)


def test_no_shortcut_needs_people() -> None:
    assert not any(told.handover for text in CATCHABLE if (told := shortcut(a_turn(text), "en", NOW)))
