"""A statement must say of a thing what its source says of that thing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.knowledge.agreement import Source, disagreement

TIMES = "Check-in is from 15:00 until 22:00. Check-out is by 11:00. Luggage may be left until 18:00."
PRICES = "A wash costs £5 and drying £3. Towels can be rented for £2."
WEEK = (
    "We are open Monday to Thursday 12:00-22:30 and Friday to Saturday 12:00-23:30. On Sundays we are closed."
)
SHIFTS = "Reception is staffed daily 08:00-12:00 and 16:00-20:00."
DOGS = "Dogs up to 12 kg are welcome for 80 NIS a stay. Cats and other animals cannot stay with us."
WIFI = "Wi-Fi is available in the lodge only."
HEBREW = "המטבח המשותף פתוח עד 22:30. אסור להשאיר אוכל מחוץ למקרר. המטבח אינו כשר."
ROOMS = "Every room but the attic has a balcony. The attic is reached by stairs."
TENTS = "Bedding is provided, towels are not. Two nights minimum. Shoes must be taken off."
SPA = "The sauna is open daily except Saturday. Bring your own slippers; robes are provided."
STAFF = "אין צורך להוריד נעליים. ארוחת ערב מוגשת רק בימי חמישי. כל החדרים ממוזגים. עישון בגג בלבד."
BOAT = "The beach is 250 metres away. The boat sails on Wednesday at 10:15, 55 EUR per person."


def says(statement: str, body: str, title: str = "") -> str:
    return disagreement(statement, [Source(title, body)], known=[], asked=[])


@pytest.mark.parametrize(
    ("statement", "body"),
    [
        ("Check-in is from 15:00, and you can check out until 11:00.", TIMES),
        ("Drying costs £3 and a wash £5.", PRICES),
        ("On Fridays we are open from 12:00 to 23:30.", WEEK),
        ("Sorry, we are closed on Sundays.", WEEK),
        ("Reception is staffed from 08:00 to 12:00 and from 16:00 to 20:00.", SHIFTS),
        ("Your dog is welcome if it weighs up to 12 kg, for 80 NIS a stay.", DOGS),
        ("I am sorry, cats cannot stay with us.", DOGS),
        ("Wi-Fi is only available in the lodge.", WIFI),
        ("לא, המטבח אינו כשר.", HEBREW),
        ("The shared kitchen is open until 22:30.", HEBREW),
        ("המחיר הוא 55 אירו לאדם.", BOAT),
        ("The attic is the only room without a balcony.", ROOMS),
        ("You'll want to bring your own towels.", TENTS),
        ("No need to bring bedding, as it's provided.", TENTS),
        ("The sauna is closed on Saturdays.", SPA),
        ("Please bring your own slippers. There's no need to bring a robe.", SPA),
        ("There is no need to take your shoes off.", STAFF),
        ("Smoking is allowed on the roof only.", STAFF),
    ],
)
def test_what_the_source_says_in_other_words_agrees(statement: str, body: str) -> None:
    assert says(statement, body) == ""


@pytest.mark.parametrize(
    ("statement", "body", "why"),
    [
        ("Check-in is from 11:00 and check-out is by 15:00.", TIMES, "other_thing"),
        ("A wash costs £3 and drying £5.", PRICES, "other_thing"),
        ("Towels can be rented for £3.", PRICES, "other_thing"),
        ("On Friday we are open until 22:30.", WEEK, "other_day"),
        ("We are closed on Mondays.", WEEK, "other_day"),
        ("Reception is staffed from 08:00 to 20:00.", SHIFTS, "other_range"),
        ("Cats are welcome for 80 NIS a stay.", DOGS, "negation_dropped"),
        ("Dogs are welcome for 80 NIS a night.", DOGS, "other_basis"),
        ("Dogs of any size are welcome for 80 NIS a stay.", DOGS, "widened"),
        ("Wi-Fi is available in the lodge and in every cabin.", WIFI, "widened"),
        ("Wi-Fi is available in your cabin.", WIFI, "limit_dropped"),
        ("המטבח המשותף כשר.", HEBREW, "negation_dropped"),
        ("מותר להשאיר אוכל מחוץ למקרר.", HEBREW, "negation_dropped"),
        ("The beach is 250 kilometres away.", BOAT, "other_unit"),
        ("The boat is free.", BOAT, "not_free"),
        ("The boat sails on Wednesday from the marina pier.", BOAT, "invented"),
        ("I have booked the boat on Wednesday.", BOAT, "promise"),
        ("הסירה יוצאת ביום רביעי חינם.", BOAT, "not_free"),
        ("Every room has a balcony, including the attic.", ROOMS, "limit_dropped"),
        ("Neither bedding nor towels are provided.", TENTS, "negation_added"),
        ("A single night is fine.", TENTS, "limit_dropped"),
        ("There is no need to take your shoes off.", TENTS, "negation_added"),
        ("The sauna is open every day, also on Saturdays.", SPA, "widened"),
        ("Please take off your shoes.", STAFF, "obligation"),
        ("ארוחת ערב מוגשת בכל החדרים.", STAFF, "widened"),
        ("Smoking is allowed on the roof and on the balconies.", STAFF, "limit_dropped"),
    ],
)
def test_what_the_source_says_of_another_thing_or_not_at_all_does_not(
    statement: str, body: str, why: str
) -> None:
    assert says(statement, body) == why


HOURS = st.lists(st.integers(0, 23), min_size=2, max_size=2, unique=True)
THINGS = st.lists(
    st.sampled_from(["breakfast", "dinner", "laundry", "sauna", "library", "playground"]),
    min_size=2,
    max_size=2,
    unique=True,
)


@given(THINGS, HOURS)
def test_two_hours_never_change_places(things: list[str], hours: list[int]) -> None:
    (one, other), (first, second) = things, hours
    body = f"The {one} opens at {first}:00. The {other} opens at {second}:00."
    assert says(f"The {one} opens at {first}:00.", body) == ""
    assert says(f"The {one} opens at {second}:00.", body) == "other_thing"
    assert says(f"The {one} opens at {second}:00 and the {other} at {first}:00.", body) == "other_thing"


@given(THINGS)
def test_no_denial_is_turned_round(things: list[str]) -> None:
    one, other = things
    body = f"There is a {one}. There is no {other}."
    assert says(f"There is a {one}.", body) == ""
    assert says(f"There is a {other}.", body) == "negation_dropped"
    assert says(f"There is no {one}.", body) == "negation_added"
