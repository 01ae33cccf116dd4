"""What is noted of a turn."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.conversation.analysis import analyse
from server.domain.conversations import Analysis, Reply, ReplySource, Sentiment
from tests.support.turns import a_turn


def of(text: str, **changes: Any) -> Analysis:
    values: dict[str, Any] = {"text": "x", "source": ReplySource.KNOWLEDGE, "language": "en"} | changes
    return analyse(a_turn(text), Reply(**values))


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("Can I book a double room for Friday?", "booking"),
        ("יש חדר פנוי מחר?", "booking"),
        ("How much is a night?", "price"),
        ("כמה זה עולה?", "price"),
        ("What time is check-in?", "check_in"),
        ("מתי אפשר להיכנס לחדר?", "check_in"),
        ("when is checkout", "check_out"),
        ("באיזו שעה העזיבה?", "check_out"),
        ("Is parking free?", "parking"),
        ("יש חנייה?", "parking"),
        ("what's the Wi-Fi password", "wifi"),
        ("מה הסיסמה לאינטרנט?", "wifi"),
        ("The room is dirty and the AC does not work", "complaint"),
        ("המזגן מקולקל", "complaint"),
        ("I need to cancel my booking", "cancellation"),
        ("איך מבטלים הזמנה?", "cancellation"),
        ("How do I get there by bus?", "directions"),
        ("מה הכתובת שלכם?", "directions"),
        ("Do you have a pool?", "amenities"),
        ("אפשר להביא כלב?", "amenities"),
        ("I want to talk to a human", "person"),
        ("נציג בבקשה", "person"),
        ("Hello!", "smalltalk"),
        ("תודה רבה", "smalltalk"),
        ("What is the meaning of this", "other"),
        ("", "other"),
    ],
)
def test_the_intent_is_told_by_its_words(text: str, intent: str) -> None:
    assert of(text).intent == intent


@pytest.mark.parametrize(
    ("text", "sentiment"),
    [
        ("The room was lovely, thank you!", Sentiment.POSITIVE),
        ("היה נהדר, תודה", Sentiment.POSITIVE),
        ("This is terrible", Sentiment.NEGATIVE),
        ("החדר מלוכלך ומגעיל", Sentiment.NEGATIVE),
        ("This is not good", Sentiment.NEGATIVE),
        ("זה לא נחמד", Sentiment.NEGATIVE),
        ("Thanks, but the room is dirty", Sentiment.NEGATIVE),
        ("When is check-in?", Sentiment.NEUTRAL),
        ("Good morning, when is breakfast?", Sentiment.NEUTRAL),
        ("no problem", Sentiment.NEUTRAL),
    ],
)
def test_the_sentiment_is_told_by_its_words(text: str, sentiment: Sentiment) -> None:
    assert of(text).sentiment is sentiment


def test_a_handover_leaves_the_request_open_and_needs_a_human() -> None:
    noted = of("Do you have a helipad?", handover=True)
    assert (noted.open_request, noted.needs_human) == (True, True)


def test_documents_that_disagree_are_named() -> None:
    assert of("breakfast", conflicts=[("new", "old")]).documents_disagree == "new ≠ old"
    assert of("breakfast").documents_disagree is None


def test_why_the_gate_held_words_back_is_noted() -> None:
    assert of("breakfast", held_back="leak").held_back == "leak"
    assert of("breakfast").held_back is None


def test_an_offer_leaves_the_request_open() -> None:
    noted = of("breakfast", offered=("a", "b"))
    assert (noted.open_request, noted.needs_human) == (True, False)


def test_a_complaint_needs_a_human_whatever_was_answered() -> None:
    noted = of("The shower is broken")
    assert (noted.open_request, noted.needs_human) == (True, True)


def test_an_answered_question_is_closed() -> None:
    noted = of("When is check-in?", language="en")
    assert (noted.open_request, noted.needs_human, noted.language) == (False, False, "en")


@given(st.text(max_size=300))
def test_any_text_is_read(text: str) -> None:
    assert of(text).intent
