"""The morning report in plain words."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from server.domain.reports import (
    AnswerTimes,
    BusinessDay,
    CallFigures,
    Complaint,
    Cost,
    DayFigures,
    HourFigures,
    MissedCall,
    MorningReport,
    OpenNow,
    OpenQuestion,
    Promise,
    Promises,
    PromiseState,
    Traffic,
    WaitingGuest,
)
from server.domain.spending import dollars
from server.domain.views import GuestView
from server.report_text import report_lines, seconds_in_words
from server.translations import plain_text

NOON = datetime(2026, 11, 20, 10, tzinfo=UTC)
MAYA = GuestView(id=1, name="Maya\nRosen", phone=None, chat_key=None)
PROMISE = Promise(
    conversation_id=7,
    guest=MAYA,
    asked="May we bring\na parrot?",
    reason="not_known",
    made_at=NOON,
    state=PromiseState.OPEN,
)
KEPT = replace(PROMISE, state=PromiseState.ANSWERED, settled_at=NOON + timedelta(days=1), settled_by="Noa")
REPORT = MorningReport(
    figures=DayFigures(
        day=BusinessDay(date(2026, 11, 20), ZoneInfo("Asia/Jerusalem")),
        hours=[HourFigures(12, Traffic(guests=9, desk=3, staff=1), 2.0)],
        channels={},
        languages={},
        handovers={},
        guests=4,
        new_guests=1,
        failed=2,
        desk_times=AnswerTimes(3, 2.0, 4.25),
        staff_times=AnswerTimes(0, None, None),
        calls=CallFigures(2, 95, 1),
        cost=Cost(1_250_000, 5.0, 12, 1),
    ),
    promises=Promises(2, 1, [PROMISE], [KEPT]),
    complaint_count=1,
    complaints=[Complaint(7, MAYA, "It is cold.", NOON)],
    missed_calls=[MissedCall(7, MAYA, NOON, "no-answer")],
    now=OpenNow(
        at=NOON + timedelta(hours=20),
        waiting_count=30,
        waiting=[WaitingGuest(7, MAYA, NOON - timedelta(days=2), "")],
        question_count=1,
        questions=[OpenQuestion(3, 7, MAYA, "May we bring a parrot?", NOON)],
        draft_count=0,
        line=None,
    ),
)


def test_it_says_all_of_it_in_order() -> None:
    link = "  http://desk/console/conversations/7"
    assert plain_text(report_lines(REPORT, "Harbour House", "http://desk"), "en").splitlines() == [
        "Morning report of Harbour House: Friday 20 November 2026",
        "",
        "Promises that are open: 1 of 2",
        "- Maya Rosen, since 12:00: May we bring a parrot?",
        link,
        "",
        "Guests who wait for a person, at 21 Nov 08:00: 30",
        "- Maya Rosen, since 18 Nov 12:00",
        link,
        "- and 29 more",
        "",
        "Promises that were kept: 1",
        "- Maya Rosen, 12:00, answered by Noa 21 Nov 12:00: May we bring a parrot?",
        link,
        "",
        "Questions that no document answers: 1",
        "- Maya Rosen, 12:00: May we bring a parrot?",
        link,
        "",
        "Complaints: 1",
        "- Maya Rosen, 12:00: It is cold.",
        link,
        "",
        "Calls: 2 taken (1 min 35 s), 1 missed",
        "- Maya Rosen, missed 12:00 (no-answer)",
        link,
        "",
        "Messages from guests: 9, of 4 guests (1 new)",
        "Answers of the desk: half of them within 2.0 s, 95 of 100 within 4.2 s",
        "Answers of people: none",
        "Of 4 answers the desk gave 75%, people 25%",
        "Messages that failed: 2",
        "Cost: $1.25 of $5.00 (25%), 12 calls to models, 1 of them failed",
    ]


def test_in_hebrew_it_says_the_same_line_by_line() -> None:
    link = "\u200f  http://desk/console/conversations/7"
    maya, asked = "\u2068Maya Rosen\u2069", "\u2068May we bring a parrot?\u2069"
    lines = plain_text(report_lines(REPORT, "Harbour House", "http://desk"), "he").splitlines()
    assert lines == [
        "\u200fדוח בוקר של \u2068Harbour House\u2069: יום שישי, 20 בנובמבר 2026",
        "",
        "\u200fהבטחות פתוחות: 1 מתוך 2",
        f"\u200f- {maya}, מאז 12:00: {asked}",
        link,
        "",
        "\u200fאורחים שממתינים למענה אנושי, נכון ל-21 בנוב׳ 08:00: 30",
        f"\u200f- {maya}, מאז 18 בנוב׳ 12:00",
        link,
        "\u200f- ועוד 29",
        "",
        "\u200fהבטחות שקוימו: 1",
        f"\u200f- {maya}, 12:00, נענתה על ידי \u2068Noa\u2069, 21 בנוב׳ 12:00: {asked}",
        link,
        "",
        "\u200fשאלות שאין מסמך שעונה עליהן: 1",
        f"\u200f- {maya}, 12:00: {asked}",
        link,
        "",
        "\u200fתלונות: 1",
        f"\u200f- {maya}, 12:00: \u2068It is cold.\u2069",
        link,
        "",
        "\u200fשיחות טלפון: 2 נענו (1 דק׳ 35 שנ׳), 1 לא נענו",
        f"\u200f- {maya}, לא נענתה, 12:00 (\u2068no-answer\u2069)",
        link,
        "",
        "\u200fהודעות מאורחים: 9, אורחים: 4 (מתוכם חדשים: 1)",
        "\u200fתשובות הדלפק: מחציתן בתוך 2.0 שנ׳, 95 מתוך 100 בתוך 4.2 שנ׳",
        "\u200fתשובות הצוות: אין",
        "\u200fמתוך 4 תשובות: הדלפק 75%, אנשים 25%",
        "\u200fהודעות שלא נמסרו: 2",
        "\u200fעלות: \u2068$1.25\u2069 מתוך \u2068$5.00\u2069 (25%), פניות למודלים: 12, מתוכן נכשלו: 1",
    ]


def test_a_guest_without_a_name_has_a_number_or_is_counted() -> None:
    by_phone = replace(PROMISE, guest=replace(MAYA, name=None, phone="+972501234567"))
    unknown = replace(PROMISE, guest=replace(MAYA, name=None))
    report = replace(REPORT, promises=Promises(2, 2, [by_phone, unknown], []))
    lines = report_lines(report, "Harbour House", "http://desk")
    english, hebrew = (plain_text(lines, language) for language in ("en", "he"))
    for words in ("- +972501234567, since", "- Guest 1, since"):
        assert words in english
    for words in ("- \u2068+972501234567\u2069, מאז", "- אורח 1, מאז"):
        assert words in hebrew


def test_long_words_and_long_lists_are_cut() -> None:
    many = replace(REPORT, promises=Promises(80, 80, [replace(PROMISE, asked="a" * 500)] * 80, []))
    text = plain_text(report_lines(many, "Harbour House", "http://desk"), "en")
    assert text.count("a" * 200 + "…") == 25
    assert "a" * 201 not in text
    assert "- and 55 more" in text


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.04, "0.0 s"), (59.94, "59.9 s"), (60, "1 min 0 s"), (3_599.9, "1 h 0 min"), (11_340, "3 h 9 min")],
)
def test_spans_are_as_exact_as_people_want_them(seconds: float, words: str) -> None:
    assert seconds_in_words(seconds) == words


def test_a_fraction_of_a_cent_is_told() -> None:
    assert (dollars(0), dollars(0.00125), dollars(0.25), dollars(12)) == (
        "$0.00",
        "$0.0013",
        "$0.25",
        "$12.00",
    )
