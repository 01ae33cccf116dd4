"""Two things never change places, in one language and across two; another order is no change."""

from __future__ import annotations

import pytest

from server.knowledge.crossings import crossed

BINS = "Paper goes in the blue bin, glass in the green one. Rubbish is collected on Tuesday."
ROOMS = "Reed bungalow: fan, cold shower, 900 baht. Shell bungalow: air-con, hot shower, 1,650 baht."
FEES = "Tourists are exempt from the tax; citizens pay 18%."
CABINS = "ג'קוזי בבקתות ארז ואורן, בבקתות האחרות אמבטיה רגילה."


@pytest.mark.parametrize(
    ("statement", "source"),
    [
        ("Glass goes in the blue bin and paper in the green one.", BINS),
        ("Reed has air-con and a hot shower, Shell a fan and a cold shower.", ROOMS),
        ("בבקתות ארז ואורן אמבטיה רגילה, ובבקתות האחרות ג'קוזי.", CABINS),
        (
            "Towels are included, sheets cost 2 euros.",
            "Towels cost 2 euros, sheets are included.",
        ),
        ("The hall can be booked, the terrace cannot.", "The terrace can be booked, the hall cannot."),
    ],
)
def test_what_changed_places_is_crossed(statement: str, source: str) -> None:
    assert crossed(statement, [source], by_senses=False) == "crossed"


@pytest.mark.parametrize(
    ("statement", "source"),
    [
        ("Glass goes in the green bin and paper in the blue one.", BINS),
        ("Paper is for the blue bin, and rubbish is collected on Tuesday.", BINS),
        ("Shell has air-con and a hot shower, Reed a fan and a cold shower.", ROOMS),
        ("Reed costs 900 baht, Shell 1,650 baht.", ROOMS),
        ("בבקתות ארז ואורן יש ג'קוזי, ובבקתות האחרות אמבטיה רגילה.", CABINS),
        ("Citizens pay 18%, tourists are exempt.", FEES),
        ("The hall cannot be booked, but the terrace can.", "The terrace can be booked, the hall cannot."),
        ("Paper goes in the blue bin.", BINS),
    ],
)
def test_another_order_is_not_crossed(statement: str, source: str) -> None:
    assert crossed(statement, [source], by_senses=False) == ""


def test_two_languages_are_compared_by_what_their_words_mean() -> None:
    assert crossed("תיירים משלמים מס של 18%, ואזרחים פטורים.", [FEES], by_senses=True) == "crossed"
    assert crossed("אזרחים משלמים מס של 18%, ותיירים פטורים.", [FEES], by_senses=True) == ""


@pytest.mark.parametrize("text", ["", "Paper.", "Glass and glass", "; , and"])
def test_a_statement_of_one_thing_crosses_nothing(text: str) -> None:
    assert crossed(text, [BINS], by_senses=False) == ""
    assert crossed(BINS, [text], by_senses=False) == ""
