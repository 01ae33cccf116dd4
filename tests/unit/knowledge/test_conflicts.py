"""Which documents contradict one another, and which of two is believed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.knowledge import Document, Passage
from server.domain.language import detect_language
from server.knowledge.conflicts import conflicting, newer_of, together

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
LATELY = LONG_AGO + timedelta(days=100)

CONFLICTS = [
    ("Pool", "Open 8:00-19:00.", "Pool", "Open 8:00-20:00."),
    ("Pool", "Open 8:00-19:00.", "Pool hours", "The pool is open from 9 am to 5 pm."),
    ("Check-in time", "Check-in is from 15:00.", "Check-in", "You can check in from 2 pm."),
    ("Parking", "Parking is ₪40 a night.", "Parking fees", "We charge 50 NIS a night for parking."),
    ("Deposit", "We hold $100.", "Deposit", "We hold $150."),
    ("Deposit", "We keep 20% of the price.", "Deposit", "We keep thirty percent of the price."),
    ("Pets", "No pets.", "Pet policy", "Small pets are welcome."),
    ("Pets", "Pets are not allowed.", "Pets", "Pets are allowed for a fee."),
    ("Pool", "There is no pool.", "Pool", "The pool is on the roof."),
    ("Can I bring a dog?", "Yes, with pleasure.", "Are dogs allowed?", "No, sorry."),
    ("Dogs", "Dogs of up to 10 kg.", "Dogs", "Dogs up to 15 kg are fine."),
    (
        "Cancellation",
        "Free up to 7 days before arrival.",
        "Cancellation policy",
        "Free up to two days before.",
    ),
    ("Reception", "Call +972-50-123-4567.", "Reception", "Call 050-765-4321."),
    ("Pool season", "It opens on 1 May.", "Pool season", "It opens on 15 May."),
    ("בריכה", "פתוח 8:00-19:00.", "שעות הבריכה", "הבריכה פתוחה 8:00-20:00."),
    ("חניה", "החניה ב-₪40 ללילה.", "מחיר חניה", "החניה עולה 50 שקל ללילה."),
    ("עישון", "אסור לעשן.", "עישון", "מותר לעשן במרפסת."),
    ("בריכה", "אין בריכה.", "בריכה", "יש בריכה."),
    ("חיות מחמד", "אין כניסה לכלבים.", "מדיניות חיות מחמד", "כלבים יתקבלו בברכה."),
    ("אפשר להביא כלב?", "כן, בשמחה.", "כלב", "לא, לצערנו."),
]
NO_CONFLICTS = [
    ("Pool", "Open 8:00-19:00.", "Pool hours", "The pool is open from 8 am until 7 pm."),
    ("Pool", "Open 8:00-19:00.", "Pool", "Open 8:00-19:00, on Saturday until 14:00."),
    ("Pool", "Open 8:00-19:00.", "Pool", "The pool is heated."),
    ("Pool", "The pool is 25 m long.", "Pool", "The pool has 3 lanes."),
    ("Parking", "Parking is ₪40.", "Parking", "We charge forty shekels for parking."),
    ("Parking", "Parking is free.", "Parking", "There is no charge for parking."),
    ("Parking", "Parking is free at this property.", "Parking", "Parking is free and no reservations."),
    ("Check-in", "From 15:00.", "Check-out", "Until 11:00."),
    ("Room 1", "₪400 a night.", "Room 2", "₪500 a night."),
    ("Double room with sea view", "₪400.", "Double room with garden view", "₪300."),
    ("Breakfast", "₪65.", "Dinner", "₪120."),
    ("Pool", "No diving in the pool.", "Pool", "We have a pool."),
    ("Smoking", "Smoking is not allowed inside.", "Smoking", "You may smoke on the balcony."),
    ("Pets", "No pets. Guide dogs are welcome.", "Pets", "Pets cannot stay. Guide dogs may."),
    ("בריכה", "פתוח 8:00-19:00.", "בריכה", "הבריכה פתוחה משמונה בבוקר עד שבע בערב."),
    ("חניה", "החניה חינם.", "חניה", "החניה ללא תשלום."),
    ("ארוחת בוקר", "₪65.", "ארוחת ערב", "₪120."),
    ("עישון", "אסור לעשן בחדרים.", "עישון", "מותר לעשן במרפסת."),
]


def _document(key: str, title: str, body: str, changed_at: datetime | None = None, **season: str) -> Document:
    return Document(key, title, body, detect_language(title), changed_at=changed_at, **season)


@pytest.mark.parametrize(("title", "body", "other_title", "other_body"), CONFLICTS)
def test_documents_that_cannot_both_be_right_conflict(
    title: str, body: str, other_title: str, other_body: str
) -> None:
    one, other = _document("a", title, body), _document("b", other_title, other_body)
    assert conflicting(one, other)
    assert conflicting(other, one)


@pytest.mark.parametrize(("title", "body", "other_title", "other_body"), NO_CONFLICTS)
def test_the_same_in_other_words_or_of_other_things_is_no_conflict(
    title: str, body: str, other_title: str, other_body: str
) -> None:
    one, other = _document("a", title, body), _document("b", other_title, other_body)
    assert not conflicting(one, other)
    assert not conflicting(other, one)


def _passages(best_changed: datetime | None, other_changed: datetime | None) -> list[Passage]:
    return [
        Passage(_document("best", "Pool", "Until 19:00.", best_changed), 0.9),
        Passage(_document("gym", "Gym", "Until 22:00.", LATELY), 0.5),
        Passage(_document("other", "Pool", "Until 20:00.", other_changed), 0.4),
    ]


def test_the_newer_takes_the_place_and_the_score_of_the_best() -> None:
    resolved = newer_of(_passages(LONG_AGO, LATELY))
    assert [(one.document.id, one.score) for one in resolved.passages] == [
        ("other", 0.9),
        ("gym", 0.5),
        ("best", 0.4),
    ]
    assert resolved.conflict == ("other", "best")


def test_a_best_that_is_the_newer_stays_and_the_conflict_is_told() -> None:
    passages = _passages(LATELY, LONG_AGO)
    resolved = newer_of(passages)
    assert resolved.passages == passages
    assert resolved.conflict == ("best", "other")


@pytest.mark.parametrize(
    ("best", "other"), [(None, LATELY), (LONG_AGO, None), (LATELY, LATELY), (None, None)]
)
def test_where_none_is_newer_the_best_stays(best: datetime | None, other: datetime | None) -> None:
    passages = _passages(best, other)
    resolved = newer_of(passages)
    assert resolved.passages == passages
    assert resolved.conflict == ("best", "other")


def test_what_was_found_far_down_is_not_compared() -> None:
    gym = Passage(_document("gym", "Gym", "Until 22:00."), 0.5)
    best, _, other = _passages(LONG_AGO, LATELY)
    assert newer_of([best, gym, gym, gym, other]).conflict is None


def test_what_holds_in_other_seasons_is_no_conflict() -> None:
    summer = _document("s", "Pool", "Until 20:00.", valid_from="06-01", valid_until="09-30")
    winter = _document("w", "Pool", "Until 16:00.", valid_from="11-01", valid_until="03-31")
    assert not conflicting(summer, winter)
    assert conflicting(summer, _document("a", "Pool", "Until 19:00."))


@pytest.mark.parametrize(
    ("english", "hebrew", "conflict"),
    [
        ("Open 8:00-19:00.", "פתוח 8:00-20:00.", True),
        ("₪40 a night.", "₪50 ללילה.", True),
        ("Open 8 am to 7 pm.", "פתוח 8:00-19:00.", False),
        ("₪40 a night, six places.", "40 שקל ללילה, שישה מקומות.", False),
        ("There is a pool.", "אין בריכה.", False),
    ],
)
def test_one_topic_told_in_two_languages_is_compared_by_its_figures(
    english: str, hebrew: str, conflict: bool
) -> None:
    one = Document("pool.en", "Pool", english, "en")
    assert conflicting(one, Document("pool.he", "בריכה", hebrew, "he")) is conflict
    assert not conflicting(one, Document("other.he", "בריכה", hebrew, "he"))


def test_documents_about_one_thing_share_the_probability_that_it_is_asked_about() -> None:
    found = [
        Passage(_document("spa", "Spa", "Open daily."), 0.4),
        Passage(_document("pool", "Pool", "On the roof."), 0.3),
        Passage(_document("pool-2", "Pool", "Towels are there."), 0.2),
    ]
    pooled = together(found)
    assert [(one.document.id, round(one.score, 6)) for one in pooled] == [
        ("pool", 0.5),
        ("pool-2", 0.5),
        ("spa", 0.4),
    ]


def test_nothing_found_holds_no_conflict() -> None:
    assert newer_of([]).conflict is None


@given(st.lists(st.tuples(st.text(max_size=20), st.text(max_size=60)), max_size=5))
def test_whatever_the_texts_the_same_documents_come_back(texts: list[tuple[str, str]]) -> None:
    passages = [
        Passage(_document(str(place), title, body, LONG_AGO + timedelta(place)), 1 / (place + 1))
        for place, (title, body) in enumerate(texts)
    ]
    resolved = newer_of(passages)
    assert {one.document.id for one in resolved.passages} == {one.document.id for one in passages}
    assert [one.score for one in resolved.passages] == [one.score for one in passages]
