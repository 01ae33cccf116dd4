"""What the desk says of its own accord, and what ends a call."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from server.domain.tenants import TenantSettings
from server.voice.lines import Line, greeting, is_farewell, line, nobody_there, prepared_lines

HOUSE = TenantSettings(name="Harbour House")


@pytest.mark.parametrize("name", Line)
def test_every_line_has_words_in_both_languages(name: Line) -> None:
    assert line(name, "he") != line(name, "en") == line(name, "ru")


@pytest.mark.parametrize(
    ("hours", "told"),
    [("", ""), ("Mo-Su 08:00-18:00", ""), ("Su 08:00-18:00", " The team is back tomorrow at 08:00.")],
)
def test_whom_nobody_answers_out_of_office_hours_hears_when_somebody_will_be_there(
    hours: str, told: str
) -> None:
    saturday_noon = datetime(2026, 11, 21, 10, tzinfo=UTC)
    said = nobody_there(replace(HOUSE, office_hours=hours), "en", saturday_noon)
    assert said == line(Line.NOBODY_ANSWERED, "en") + told


def test_a_greeting_names_the_business_and_the_machine_where_that_is_wished() -> None:
    told = TenantSettings(name="Harbour House", ai_disclosure=True)
    for language, machine in (("en", "assistant"), ("he", "העוזר")):
        assert "Harbour House" in greeting(HOUSE, language)
        assert machine not in greeting(HOUSE, language)
        assert machine in greeting(told, language)


def test_a_businesss_own_greeting_is_said_as_it_stands() -> None:
    assert greeting(TenantSettings(name="Harbour House", phone_greeting="Ahoy!"), "en") == "Ahoy!"


@pytest.mark.parametrize("language", ["en", "he"])
def test_a_call_that_is_recorded_says_so_before_anybody_is_asked_anything(language: str) -> None:
    told = line(Line.IS_RECORDED, language)
    recorded = TenantSettings(name="Harbour House", record_calls=True)
    ours = greeting(recorded, language)
    assert told in ours
    assert ours.index(told) < ours.index("?")
    assert ours.replace(f"{told} ", "") == greeting(HOUSE, language)
    theirs = TenantSettings(name="Harbour House", record_calls=True, phone_greeting="Ahoy?")
    assert greeting(theirs, language) == f"{told} Ahoy?"


def test_each_language_of_the_business_is_prepared() -> None:
    assert {language for _, language in prepared_lines(HOUSE)} == {"en", "he"}
    assert len(list(prepared_lines(HOUSE))) == 2 * (1 + len(Line))


@pytest.mark.parametrize(
    "text", ["Bye!", "Thanks, bye.", "That's all, thank you", "תודה רבה, להתראות!", "ביי ביי"]
)
def test_a_farewell_is_known(text: str) -> None:
    assert is_farewell(text)


@pytest.mark.parametrize(
    "text", ["", "thanks", "Can I buy a towel?", "Bye the way, is there parking?", "תודה"]
)
def test_what_is_none_is_not(text: str) -> None:
    assert not is_farewell(text)
