"""Whatever an expression may mean is among its readings; nothing else is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.knowledge.claims import Claim, Kind, claims
from server.knowledge.readings import bare_prices, currencies, meanings, readings


def states(text: str, source: str) -> bool:
    """Whether every claim of *text* is a reading of *source*, or may mean one."""
    told, meant = readings(source), meanings(text)
    return all(claim in told or meant.get(claim, frozenset()) & told for claim in claims(text))


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("It opens at 7 pm", "It opens at seven"),
        ("It opens at seven", "It opens at 19:00"),
        ("until 22:30", "פתוח עד עשר וחצי"),
        ("בין שבע לתשע וחצי", "seven to half past nine"),
        ("from 12 to 2:30", "Tue-Sat 12-2.30"),
        ("90 minutes", "an hour and a half"),
        ("an hour and a quarter", "75 minutes"),
        ("48 hours", "two days"),
        ("מטר ועשרה", "1.10 מטר"),
        ("half of it", "50%"),
        ("80 cents", "€0.80"),
        ("NIS45", "forty-five shekels"),
        ("on Tuesday", "בימי חול"),
        ("on Thursday", "א'-ה'"),
        ("in March", "the rest of the year"),
    ],
)
def test_the_same_in_other_words_is_a_reading(text: str, source: str) -> None:
    assert states(text, source)


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("at 8 pm", "8:00 to 18:00"),
        ("at 7 pm", "two sittings for seven people"),
        ("23 to 26 December", "24 to 26 December, until 23:00"),
        ("US$45", "45 CAD"),
        ("on Friday", "Monday to Thursday"),
        ("half of it", "40%"),
    ],
)
def test_another_thing_is_none(text: str, source: str) -> None:
    assert not states(text, source)


def test_a_bare_number_is_a_price_unless_a_word_counts_it() -> None:
    body = "dorm 130, double 380, both with breakfast; 40 guests"
    assert currencies("tagine 70 dirham") == {"mad"}
    found = {claim.value for claim in bare_prices(body, frozenset({"mad"}))}
    assert found == {"130 mad", "380 mad"}


@given(st.integers(1, 12), st.sampled_from([0, 15, 30, 45]))
def test_an_hour_without_its_half_of_the_day_has_both_readings(hour: int, minute: int) -> None:
    told = readings(f"We open at {hour}:{minute:02}")
    for half in (0, 12):
        assert Claim(Kind.TIME, f"{hour % 12 + half}:{minute:02}") in told


@given(st.text())
def test_any_text_has_its_own_claims_among_its_readings(text: str) -> None:
    assert claims(text) <= readings(text)
    meanings(text)
