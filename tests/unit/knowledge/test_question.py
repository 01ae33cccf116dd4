"""What a message may be asking."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.conversations import HistoryLine, Speaker
from server.knowledge.question import MAX_QUESTIONS, MAX_READINGS, in_context, questions, readings

PARKING = [
    HistoryLine(Speaker.GUEST, "Hi! Do you have parking?"),
    HistoryLine(Speaker.HOST, "There are six spaces in the yard."),
]


@pytest.mark.parametrize(
    ("message", "reading"),
    [
        ("Hi there, thanks! Do you have a pool?", "Do you have a pool?"),
        ("ok thanks, and dogs?", "dogs?"),
        ("שלום, תודה רבה! יש בריכה?", "יש בריכה?"),
        ("We land at night. Can we still get in?", "Can we still get in?"),
        ("i need a towel", "i need a towel"),
        ("We land at 23:00. Is that ok?", "We land at 23:00."),
        ("Can we come at 7.30 in the morning?", "Can we come at 7.30 in the morning?"),
        ("Great", "Great"),
    ],
)
def test_small_talk_around_a_question_is_left_out(message: str, reading: str) -> None:
    assert readings(message)[0] == reading


def test_each_of_several_questions_is_a_reading() -> None:
    found = readings("Is there a pool? And can we bring a dog?")
    assert found == ["Is there a pool? can we bring a dog?", "Is there a pool?", "can we bring a dog?"]


@pytest.mark.parametrize(
    "message", ["We have a dog. Can he come along?", "We have a dog.\nCan he come along?"]
)
def test_what_is_told_beside_the_question_is_read_too(message: str) -> None:
    assert readings(message) == ["Can he come along?", "We have a dog. Can he come along?"]


@pytest.mark.parametrize(
    "message",
    [
        "and is it free?",
        "how much is it?",
        "can I book one?",
        "price?",
        "and for kids",
        "כמה זה עולה",
        "גם בשבת?",
    ],
)
def test_a_question_that_names_nothing_is_read_with_what_was_said_before(message: str) -> None:
    read = in_context(message, PARKING)
    assert read is not None
    assert read.startswith("Do you have parking? There are six spaces in the yard. ")


@pytest.mark.parametrize(
    "message",
    ["Do you have a pool?", "and a helipad?", "what about dogs", "Great", "we are 2 adults", "", "ok?"],
)
def test_what_names_a_thing_or_asks_nothing_stands_alone(message: str) -> None:
    assert in_context(message, PARKING) is None


def test_a_question_without_history_leans_on_nothing() -> None:
    assert in_context("and is it free?", ()) is None
    assert readings("and is it free?") == ["is it free?"]


def test_of_a_long_reply_the_beginning_is_read() -> None:
    reply = "The yard has six spaces " + "and much more to tell of them " * 20
    read = in_context("how much is it?", [PARKING[0], HistoryLine(Speaker.HOST, reply)])
    assert (
        read == "Do you have parking? The yard has six spaces and much more to tell of them how much is it?"
    )


@given(st.text(max_size=200))
def test_every_message_has_a_few_readings(message: str) -> None:
    found = readings(message)
    assert 1 <= len(found) <= MAX_READINGS
    assert len(set(found)) == len(found)


@pytest.mark.parametrize(
    ("message", "asked"),
    [
        ("Is there a pool? And can we bring a dog?", ["Is there a pool?", "can we bring a dog?"]),
        ("what time is breakfast and do you have parking", ["what time is breakfast", "do you have parking"]),
        ("hi! do you have a gym, also is breakfast included", ["do you have a gym", "is breakfast included"]),
        ("How much is it and when does it open?", ["How much is it", "when does it open?"]),
        ("יש חניה וכמה עולה ארוחת בוקר?", ["יש חניה", "כמה עולה ארוחת בוקר?"]),
        ("יש בריכה? ואפשר להגיע עם כלב", ["יש בריכה?", "ואפשר להגיע עם כלב"]),
    ],
)
def test_a_message_that_asks_several_things_is_taken_apart(message: str, asked: list[str]) -> None:
    assert questions(message) == asked


@pytest.mark.parametrize(
    "message",
    [
        "Do you have towels and sheets?",
        "I need parking and breakfast",
        "Great. Do you have a pool?",
        "We land at 23:00. Is that ok?",
        "אפשר להגיע עם כלב וחתול?",
        "",
    ],
)
def test_a_message_that_asks_one_thing_stays_whole(message: str) -> None:
    assert questions(message) == [message]


@given(st.text(max_size=300))
def test_every_message_asks_something(message: str) -> None:
    assert 1 <= len(questions(message)) <= MAX_QUESTIONS
