"""How the words end tells whether more is to come, with punctuation or without."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.voice.completeness import Completeness, completeness, plain_words

ENDINGS = {
    Completeness.UNSURE: ["", "um", "Breakfast", "two", "חדר", "אממ"],
    Completeness.OPEN: [
        "I want to book a", "A room for", "I'd like the room and", "Breakfast, uh", "It's because",
        "אני רוצה להזמין חדר ל",
        "אני רוצה את", "אפשר לקבל חדר או", "הגענו אבל", "אנחנו מגיעים ב", "I want a room with,",
        "what time is", "do you", "אז אה",
    ],
    Completeness.DICTATING: [
        "My number is 054", "zero five four one two three", "my phone number is 03 123", "+972 54 123",
        "My code is 47",
        "one two three", "on the third", "from December", "dan at gmail", "my email is dan dot", "d a n",
        "המספר שלי אפס חמש ארבע", "הטלפון שלי 054-123", "המייל שלי דן שטרודל ג'ימייל",
    ],
    Completeness.COMPLETE: [
        "Yes", "No thanks.", "כן", "לא תודה", "My number is 054 123 4567",
        "zero three one two three four five six seven",
        "a room for three nights", "Actually, I meant Friday", "my email is dan at gmail dot com",
        "on the third of December",
        "from the third to the fifth of May", "I have two kids", "אני רוצה חדר לשני אנשים",
        "המספר שלי 0541234567", "Breakfast.",
    ],
    Completeness.QUESTION: [
        "What time is breakfast", "Do you have a room for two people", "Where are you from",
        "And how much is it",
        "do you have rooms in December", "Breakfast?", "מה שעת ארוחת הבוקר", "כמה זה עולה", "יש לכם חניה",
        "אפשר להביא כלב",
        "Hi, can I bring my dog", "do you know where it is", "what rooms do you have",
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "ending"), [(text, ending) for ending, texts in ENDINGS.items() for text in texts]
)
def test_words_tell_how_a_text_ends(text: str, ending: Completeness) -> None:
    assert completeness(text) is ending


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("what time, um, is Breakfast?", "What time is breakfast"),
        ("at seven thirty", "at 7:30"),
        ("מה השעה?", "מה השעה"),
        ("a room for two", "A room for 2."),
    ],
)
def test_texts_that_ask_the_same_have_the_same_words(one: str, other: str) -> None:
    assert plain_words(one) == plain_words(other)


def test_another_word_is_another_text() -> None:
    assert plain_words("a room for two") != plain_words("a room for three")
    assert plain_words("חדר לשניים") != plain_words("חדר לשלושה")


@given(st.text(max_size=60) | st.text("0123456789 +-.@", max_size=30))
def test_any_text_ends_somehow(text: str) -> None:
    assert completeness(text) in Completeness
