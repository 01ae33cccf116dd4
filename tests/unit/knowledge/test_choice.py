"""Which of the topics on offer a guest picks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.knowledge.choice import chosen

TITLES = ["Parking", "Electric car charging", "Airport transfer"]


@pytest.mark.parametrize(
    "message",
    [
        "2",
        "2.",
        " 2 please",
        "#2",
        "(2)",
        "2️⃣",
        "two",
        "number two",
        "Number 2, thanks!",
        "the second",
        "the second one please",
        "option 2",
        "שתיים",
        "מספר 2",
        "מספר שתיים בבקשה",
        "השנייה",
        "השני",
        "charging",
        "the electric one",
        "car charging please",
    ],
)
def test_the_second_is_understood(message: str) -> None:
    assert chosen(message, TITLES) == 1


@pytest.mark.parametrize(
    ("message", "place"), [("1", 0), ("first one", 0), ("אחת", 0), ("3", 2), ("the last one", 2)]
)
def test_the_others_are_understood(message: str, place: int) -> None:
    assert chosen(message, TITLES) == place


@pytest.mark.parametrize(
    "message",
    ["4", "0", "2 nights?", "2 or 3", "12", "is there a pool?", "", "?!", "none of these", "22:00", "לא"],
)
def test_what_picks_nothing_is_a_new_message(message: str) -> None:
    assert chosen(message, TITLES) is None


def test_words_that_two_topics_share_pick_none() -> None:
    assert chosen("parking", ["Parking for cars", "Parking for bikes"]) is None
    assert chosen("bikes", ["Parking for cars", "Parking for bikes"]) == 1


def test_a_third_of_two_is_none() -> None:
    assert chosen("3", TITLES[:2]) is None
    assert chosen("the last", TITLES[:2]) == 1


def test_nothing_on_offer_picks_nothing() -> None:
    assert chosen("1", []) is None


@given(st.text(max_size=40), st.lists(st.text(max_size=20), max_size=3))
def test_a_choice_is_always_one_of_those_on_offer(message: str, titles: list[str]) -> None:
    place = chosen(message, titles)
    assert place is None or 0 <= place < len(titles)
