"""Which messages of the business's own phone nobody typed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.automatic import LONG_SILENCE, Line, is_automatic, is_configured, is_instant

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
GREETING = "Thank you for contacting Harbour House! We will be with you shortly."
AWAY = "שלום {name}, אנחנו סגורים כעת. נחזור אליכם מחר בשעה 8:00."


def guest(seconds_before: float) -> Line:
    return Line(NOON - timedelta(seconds=seconds_before), by_guest=True)


def business(seconds_before: float) -> Line:
    return Line(NOON - timedelta(seconds=seconds_before), by_guest=False)


@pytest.mark.parametrize("seconds", [-1, 0, 1, 2])
def test_an_answer_in_the_second_of_a_first_message_is_the_apps(seconds: float) -> None:
    assert is_instant(GREETING, NOON, [guest(seconds)])


@pytest.mark.parametrize("seconds", [3, 10, 3600])
def test_a_later_answer_is_a_persons(seconds: float) -> None:
    assert not is_instant(GREETING, NOON, [guest(seconds)])


def test_an_answer_after_a_long_silence_is_the_apps() -> None:
    silence = LONG_SILENCE.total_seconds()
    assert is_instant(GREETING, NOON, [guest(1), business(silence + 2)])
    assert not is_instant(GREETING, NOON, [guest(1), business(silence - 2)])
    assert not is_instant(GREETING, NOON, [guest(1), guest(600)])


def test_several_quick_messages_and_the_desks_own_answer_do_not_hide_the_apps() -> None:
    assert is_instant(GREETING, NOON, [guest(2), guest(1), business(0), business(86_400)])


@pytest.mark.parametrize("text", ["", "  ", "Hi!", "שלום, כן"])
def test_what_can_be_typed_in_two_seconds_is_a_persons(text: str) -> None:
    assert not is_instant(text, NOON, [guest(1)])


def test_without_a_guests_message_the_host_has_begun_the_chat() -> None:
    assert not is_instant(GREETING, NOON, [])
    assert not is_instant(GREETING, NOON, [business(1)])


@pytest.mark.parametrize(
    "text",
    [
        GREETING,
        f"\u200f{GREETING.upper()}\u200e ",
        GREETING.replace(" ", " \n"),
        GREETING.replace("Harbour House", "Harbour\u00a0House"),
    ],
)
def test_a_configured_text_is_known_whatever_its_case_spaces_and_marks(text: str) -> None:
    assert is_configured(text, [GREETING])


@pytest.mark.parametrize("name", ["דנה", "דנה כהן", "{name}", "Tom"])
def test_the_guests_name_may_stand_in_it(name: str) -> None:
    assert is_configured(AWAY.replace("{name}", name), [AWAY])


@pytest.mark.parametrize(
    "text",
    [
        "Thank you for contacting us about the cot. Dan will look for one, and we will write to you again.",
        "We will be with you shortly.",
        "Hello",
        "",
    ],
)
def test_other_words_of_the_house_are_not_the_configured_ones(text: str) -> None:
    assert not is_configured(text, [GREETING, AWAY])


def test_a_short_configured_text_must_be_met_to_the_letter() -> None:
    assert is_configured("we are closed", ["We are closed"])
    assert not is_configured("We are open", ["We are closed"])
    assert not is_configured("", ["", "  "])


@given(st.text(max_size=60), st.lists(st.text(max_size=60), max_size=3))
def test_any_text_is_judged(text: str, configured: list[str]) -> None:
    assert is_automatic(text, NOON, [guest(1), guest(600)], configured) == is_configured(text, configured)
