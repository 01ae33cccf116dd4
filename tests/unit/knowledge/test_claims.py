"""Texts that state the same have the same claims, and others have not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.knowledge.claims import Claim, Kind, claims, supported
from server.knowledge.numerals import in_digits
from server.knowledge.reading import canonical

SAME = [
    ("3 pm", "15:00"),
    ("3 p.m.", "3:00 PM"),
    ("at three in the afternoon", "15:00"),
    ("ב-3 אחר הצהריים", "15:00"),
    ("8 בערב", "8 pm"),
    ("three thirty pm", "15:30"),
    ("half past ten", "10:30"),
    ("noon", "12:00"),
    ("12 am", "0:00"),
    ("3 o'clock", "3:00"),
    ("from 3 to 9 pm", "15:00-21:00"),
    ("10-3pm", "10:00 until 15:00"),
    ("1,200", "1200"),
    ("1,200.50", "1200.5"),
    ("12,50 €", "€12.50"),
    ("₪300", "300 NIS"),
    ('300 ש"ח', "three hundred shekels"),
    ("שלוש מאות וחמישים שקל", "350 ILS"),
    ("$20", "twenty dollars"),
    ("300-400 ₪", "₪300 to 400"),
    ("50%", "fifty percent"),
    ("12 May", "12/5"),
    ("May 12th, 2026", "2026-05-12"),
    ("12 במאי 2026", "12.5.2026"),
    ("on Mondays", "ביום שני"),
    ("Sun-Thu", "ימים א'-ה'"),
    ("+972-50-123-4567", "050 1234567"),
    ("https://www.hotel.com/menu/", "hotel.com/menu."),
    ("twenty-five rooms", "25 rooms"),
    ("two thousand three hundred and five", "2,305"),
    ("עשרים ושניים", "22"),
    ("שתים עשרה", "12"),
    ("מאתיים ושלוש עשרה", "213"),
    ("１５", "15"),
    ("٣٠٠", "300"),
    ("1\u200b5", "15"),
    ("2nd floor", "floor 2"),
    ("15min", "15 minutes"),
    ("the third of May", "3rd May"),
    ("every fourth day", "every 4th day"),
    ("עשר וחצי בערב", "22:30"),
    ("בשבע וחצי", "ב-7:30"),
    ("11 בלילה", "11 pm"),
    ("an hour and a half", "90 minutes"),
    ("חצי שעה", "30 דקות"),
    ("לשעתיים", "for 2 hours"),
    ("half the price", "מחצית המחיר"),
    ("May to September", "מאי עד ספטמבר"),
    ("150 Moroccan dirhams", "150 MAD"),
]
DIFFERENT = [
    ("3 am", "3 pm"),
    ("15:00", "15"),
    ("15:00", "3:00"),
    ("300 ₪", "$300"),
    ("300 ₪", "300"),
    ("1.200", "1.2.00"),
    ("50%", "50"),
    ("12 May", "12 June"),
    ("0420", "420"),
    ("A12", "12"),
    ("050-1234567", "050-1234568"),
    ("Monday", "Tuesday"),
    ("three", "thirteen"),
    ("XV shekels", "fifteen shekels"),
    ("a million", "a thousand"),
    ("three", "three and a half"),
    ("May to September", "May to October"),
    ("half past seven", "half past eight"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_two_ways_to_write_the_same_are_the_same(one: str, other: str) -> None:
    assert claims(one)
    assert claims(one) == claims(other)


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_what_differs_for_a_guest_differs(one: str, other: str) -> None:
    assert claims(one) != claims(other)


@pytest.mark.parametrize(
    "text",
    [
        "One of our rooms",
        "No one is here",
        "The sun is up; we sat outside",
        "באר שבע",
        "השני מימין",
        "You may stay",
        "אירועים",
        "Hello!",
        "",
    ],
)
def test_words_that_only_look_like_numbers_claim_nothing(text: str) -> None:
    assert claims(text) == frozenset()


def test_each_kind_is_told_apart() -> None:
    text = (
        "Write to Info@Hotel.co.il by 3.4.2027, 9:30, Monday: 300 ₪, 10%, code sea42, +972 4 1234567,"
        " 6 guests, b.io/x"
    )
    assert claims(text) == {
        Claim(Kind.EMAIL, "info@hotel.co.il"),
        Claim(Kind.DATE, "3.4"),
        Claim(Kind.NUMBER, "2027"),
        Claim(Kind.TIME, "9:30"),
        Claim(Kind.WEEKDAY, "monday"),
        Claim(Kind.PRICE, "300 ils"),
        Claim(Kind.PERCENT, "10"),
        Claim(Kind.CODE, "sea42"),
        Claim(Kind.PHONE, "041234567"),
        Claim(Kind.NUMBER, "6"),
        Claim(Kind.LINK, "b.io/x"),
    }


def test_a_price_supports_its_bare_number_and_no_number_a_price() -> None:
    assert claims("It is 300 a night") <= supported(["300 ₪"])
    assert not claims("It is 300 ₪") <= supported(["300 rooms"])


@given(st.integers(min_value=2, max_value=999_999))
def test_grouping_does_not_change_a_number(number: int) -> None:
    assert claims(f"{number:,} guests") == claims(f"{number} guests") == {Claim(Kind.NUMBER, str(number))}


@given(st.integers(min_value=0, max_value=23), st.integers(min_value=0, max_value=59))
def test_both_clocks_tell_the_same_time(hour: int, minute: int) -> None:
    half = "am" if hour < 12 else "pm"
    twelve = f"{(hour - 1) % 12 + 1}:{minute:02} {half}"
    assert claims(twelve) == claims(f"{hour:02}:{minute:02}") == {Claim(Kind.TIME, f"{hour}:{minute:02}")}


@given(st.text())
def test_any_text_can_be_read_and_reads_the_same_once_plain(text: str) -> None:
    plain = canonical(text)
    assert canonical(plain) == plain
    assert claims(text) == claims(plain)


@given(st.text(alphabet="0123456789٠١٢３４.,:/-+ %אa"))
def test_no_digit_is_overlooked(text: str) -> None:
    assert bool(claims(text)) == any(character.isdigit() for character in text)


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("one hundred and twenty-five thousand", "125000"),
        ("twelve hundred", "1200"),
        ("nine and ten", "9 and 10"),
        ("one pm", "1 pm"),
        ("quarter to three", "2:45"),
        ("שלוש וחצי", "3.5"),
        ("אלפיים עשרים ושש", "2026"),
        ("יום שני בשבע", "יום שני ב-7"),
        ("someone", "someone"),
    ],
)
def test_numbers_in_words_are_read(text: str, digits: str) -> None:
    assert in_digits(text) == digits
