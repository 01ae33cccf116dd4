"""What the desk says of its own is there in both languages and speaks to everyone."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime

import pytest

from server.conversation import phrases
from server.domain.language import detect_language

LOCAL = datetime(2026, 11, 21, 6, 5)  # noqa: DTZ001 - the wall clock of the business
PHRASES: list[Callable[[str], str]] = [
    lambda language: phrases.greeting(language, "בית" if language == "he" else "House"),
    lambda language: phrases.about_the_assistant(language, "בית" if language == "he" else "House"),
    phrases.youre_welcome,
    lambda language: phrases.time_now(language, LOCAL),
    lambda language: phrases.date_today(language, LOCAL),
    phrases.asked_team,
    phrases.person_coming,
    phrases.holding_line,
    phrases.media_received,
    lambda language: phrases.emergency_fire(language, "102"),
    lambda language: phrases.emergency_medical(language, "101"),
    lambda language: phrases.emergency_suicide(language, "101"),
    lambda language: phrases.emergency_police(language, "100"),
    lambda language: phrases.emergency_danger(language, "112"),
    phrases.private_guest,
    phrases.private_room,
    phrases.code_from_team,
    phrases.authority_asked,
    phrases.threatened,
    phrases.abused,
    phrases.not_that_kind,
]
# Slashed forms, dotted forms, and words that address one man or one woman.
GENDERED = re.compile(r"[א-ת]/[א-ת]|[א-ת]\.[א-ת]|\b(?:אתה|תוכל|תוכלי|רוצה|שלך|אליך|תרצה|תרצי|כתוב|כתבי)\b")


@pytest.mark.parametrize("phrase", PHRASES)
@pytest.mark.parametrize("language", ["en", "he"])
def test_each_phrase_is_in_the_language_asked_for(phrase: Callable[[str], str], language: str) -> None:
    assert detect_language(phrase(language)) == language


@pytest.mark.parametrize("phrase", PHRASES)
def test_a_guest_of_another_language_gets_english(phrase: Callable[[str], str]) -> None:
    assert phrase("fr") == phrase("en")


@pytest.mark.parametrize("phrase", PHRASES)
def test_the_hebrew_is_gender_neutral(phrase: Callable[[str], str]) -> None:
    assert not GENDERED.search(phrase("he"))


def test_the_time_is_told_with_both_digits_of_the_hour() -> None:
    assert phrases.time_now("en", LOCAL) == "It is 06:05 here now."


@pytest.mark.parametrize(
    ("day", "english", "hebrew"),
    [
        (21, "Saturday, 21 November 2026", "שבת, 21 בנובמבר 2026"),
        (22, "Sunday, 22 November 2026", "יום ראשון, 22 בנובמבר 2026"),
        (23, "Monday, 23 November 2026", "יום שני, 23 בנובמבר 2026"),
    ],
)
def test_the_date_is_told_with_its_day_of_the_week(day: int, english: str, hebrew: str) -> None:
    local = LOCAL.replace(day=day)
    assert english in phrases.date_today("en", local)
    assert hebrew in phrases.date_today("he", local)


@pytest.mark.parametrize("language", ["en", "he"])
def test_numbers_to_call_are_told_as_a_choice_or_in_words(language: str) -> None:
    told = phrases.numbers_to_call(language, ("999", "112"))
    assert told in {"999 or 112", "999 או 112"}
    assert "local" in phrases.numbers_to_call("en", ()) or language == "he"
    assert not re.search(r"\d", phrases.numbers_to_call(language, ()))
