"""Which moment a question names, in English and Hebrew."""

from __future__ import annotations

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.knowledge.moments import (
    Moment,
    Part,
    asked_moment,
    asks_about_opening,
    names_other_times,
    part_bounds,
)

# A Wednesday.
NOW = datetime(2026, 11, 25, 10, 0, tzinfo=ZoneInfo("Asia/Jerusalem"))
RIGHT_NOW = Moment(date(2026, 11, 25), time(10), is_now=True)

NOW_QUESTIONS = [
    "Is the pool open now?",
    "open right now?",
    "is it open at the moment",
    "Is it currently open?",
    "are you still open",
    "is breakfast still being served?",
    "now or tomorrow?",
    "is it open today, right now?",
    "הבריכה פתוחה עכשיו?",
    "כרגע פתוח?",
    "האם הבריכה עדיין פתוחה",
    "כבר פתוח?",
]
# The day of November or December 2026, the time, the part.
MOMENTS = [
    ("Is the pool open today?", "11-25", None, None),
    ("is the bar open tonight?", "11-25", None, Part.EVENING),
    ("open this evening?", "11-25", None, Part.EVENING),
    ("this morning?", "11-25", None, Part.MORNING),
    ("are you open tomorrow", "11-26", None, None),
    ("are you open tommorow", "11-26", None, None),
    ("tomorrow morning?", "11-26", None, Part.MORNING),
    ("tomorrow evening", "11-26", None, Part.EVENING),
    ("tomorrow night", "11-26", None, Part.NIGHT),
    ("is breakfast open tomorrow at 7?", "11-26", "07:00", None),
    ("is breakfast open at seven thirty tomorrow?", "11-26", "07:30", None),
    ("still open tomorrow?", "11-26", None, None),
    ("the day after tomorrow", "11-27", None, None),
    ("today or tomorrow?", "11-25", None, None),
    ("tomorrow or today?", "11-26", None, None),
    ("open on Monday?", "11-30", None, None),
    ("open on Mondays?", "11-30", None, None),
    ("on wednesday", "11-25", None, None),
    ("next wednesday", "12-02", None, None),
    ("this Saturday", "11-28", None, None),
    ("open on Shabbat?", "11-28", None, None),
    ("on sat?", "11-28", None, None),
    ("friday night", "11-27", None, Part.NIGHT),
    ("Saturday evening", "11-28", None, Part.EVENING),
    ("motzaei shabbat", "11-28", None, Part.EVENING),
    ("erev shabbat", "11-27", None, None),
    ("is it open at 7", "11-25", "19:00", None),
    ("is it open at 11", "11-25", "11:00", None),
    ("at 7:30 pm", "11-25", "19:30", None),
    ("at 8 am", "11-26", "08:00", None),
    ("at 19:00 on friday", "11-27", "19:00", None),
    ("at 8 on sunday", "11-29", "08:00", None),
    ("at noon tomorrow", "11-26", "12:00", None),
    ("at 8 in the evening on friday", "11-27", "20:00", None),
    ("friday at 1 at night", "11-28", "01:00", None),
    ("tonight at 11", "11-25", "23:00", None),
    ("open at 7.30?", "11-25", "19:30", None),
    ("open on 24.12?", "12-24", None, None),
    ("open on 24/12/2026?", "12-24", None, None),
    ("2026-12-24", "12-24", None, None),
    ("December 24", "12-24", None, None),
    ("on the 24th of December at 10", "12-24", "10:00", None),
    ("Thursday, December 24", "12-24", None, None),
    ("in the morning", "11-25", None, Part.MORNING),
    ("פתוח היום?", "11-25", None, None),
    ("עד מתי פתוח הערב", "11-25", None, Part.EVENING),
    ("הלילה", "11-25", None, Part.NIGHT),
    ("פתוח מחר?", "11-26", None, None),
    ("פתוח מחר בבוקר?", "11-26", None, Part.MORNING),
    ("מחר בערב", "11-26", None, Part.EVENING),
    ("מחרתיים", "11-27", None, None),
    ("פתוח ביום שני?", "11-30", None, None),
    ("הבריכה פתוחה בשני?", "11-30", None, None),
    ("ביום ראשון", "11-29", None, None),
    ("ביום ו'", "11-27", None, None),
    ("פתוח בשבת?", "11-28", None, None),
    ("בשישי בערב", "11-27", None, Part.EVENING),
    ("במוצאי שבת", "11-28", None, Part.EVENING),
    ('פתוח במוצ"ש?', "11-28", None, Part.EVENING),
    ("ערב שבת", "11-27", None, None),
    ("בליל שבת", "11-27", None, Part.NIGHT),
    ("בשעה 8", "11-25", "20:00", None),
    ("ב-8 בערב", "11-25", "20:00", None),
    ("בשמונה בערב", "11-25", "20:00", None),
    ("מחר בשעה 19:30", "11-26", "19:30", None),
    ("יום ראשון ב-9", "11-29", "09:00", None),
    ("שבת ב-10 בבוקר", "11-28", "10:00", None),
    ("ב-24 בדצמבר", "12-24", None, None),
    ("ב-24.12 ב-10 בבוקר", "12-24", "10:00", None),
    ("אחר הצהריים", "11-25", None, Part.AFTERNOON),
]
NO_MOMENT = [
    "When do you open?",
    "Shabbat shalom! Is the pool open?",
    "good morning, is the pool open",
    "is it open for 2 people",
    "is it open at 300 ₪",
    "may I use the pool?",
    "on 31.2?",
    "שבת שלום, הבריכה פתוחה?",
    "בוקר טוב, מתי פותחים?",
    "מתי ארוחת הבוקר?",
    "מתי ארוחת הערב?",
    "יש חניה בשני הבניינים?",
    "יש סניף בראשון לציון?",
    "כמה עולה ללילה?",
]
OTHER_TIMES = [
    "open on weekends?",
    "open every day?",
    "is it open in August",
    "on public holidays?",
    "at Passover?",
    "on Monday next week",
    "yesterday",
    "in 2 hours?",
    "פתוח בסוף השבוע?",
    "בחגים",
    "בפסח",
    "כל יום?",
    "פתוח באוגוסט?",
    "בשבוע הבא ביום שני",
]
ABOUT_OPENING = [
    "Is the pool open?",
    "when does it close",
    "opening hours?",
    "until when is breakfast?",
    "from when can I swim?",
    "what time is breakfast",
    "when is breakfast served?",
    "is the spa available now?",
    "הבריכה פתוחה?",
    "מתי נפתח?",
    "מתי נסגר?",
    "עד מתי אפשר לאכול?",
    "ממתי?",
    "באיזו שעה ארוחת הבוקר?",
    "מה שעות הפתיחה?",
    "סגור היום?",
]
ABOUT_SOMETHING_ELSE = [
    "Can I bring a dog?",
    "how much is the pool?",
    "what time do I have to book the spa?",
    "what time is the shuttle?",
    "we stay for 3 hours",
    "is it heated now?",
    "כמה עולה הבריכה?",
    "אפשר להביא כלב מחר?",
    "באיזו שעה צריך להזמין?",
    "",
]


@pytest.mark.parametrize("question", NOW_QUESTIONS)
def test_now_is_understood(question: str) -> None:
    assert asked_moment(question, NOW) == RIGHT_NOW


@pytest.mark.parametrize(("question", "day", "at", "part"), MOMENTS)
def test_a_day_and_its_hour_or_part_are_understood(
    question: str, day: str, at: str | None, part: Part | None
) -> None:
    expected = Moment(date.fromisoformat(f"2026-{day}"), time.fromisoformat(at) if at else None, part)
    assert asked_moment(question, NOW) == expected


@pytest.mark.parametrize("question", NO_MOMENT)
def test_a_question_without_a_moment_has_none(question: str) -> None:
    assert asked_moment(question, NOW) is None
    assert not names_other_times(question)


@pytest.mark.parametrize("question", OTHER_TIMES)
def test_times_that_are_no_single_moment_are_told_apart(question: str) -> None:
    assert names_other_times(question)
    assert asked_moment(question, NOW) is None


@pytest.mark.parametrize("question", ABOUT_OPENING)
def test_a_question_about_opening_is_one(question: str) -> None:
    assert asks_about_opening(question)


@pytest.mark.parametrize("question", ABOUT_SOMETHING_ELSE)
def test_another_question_is_none_about_opening(question: str) -> None:
    assert not asks_about_opening(question)


def test_a_date_that_is_over_is_next_years() -> None:
    found = asked_moment("open on 1 February?", NOW)
    assert found is not None
    assert found.day == date(2027, 2, 1)


def test_a_date_with_its_year_may_be_over() -> None:
    found = asked_moment("open on 1.2.2026?", NOW)
    assert found is not None
    assert found.day == date(2026, 2, 1)


def test_an_hour_that_is_over_today_is_tomorrows() -> None:
    late = NOW.replace(hour=22)
    found = asked_moment("is it open at 7?", late)
    assert found == Moment(date(2026, 11, 26), time(7))


def test_a_part_of_the_day_that_is_over_is_tomorrows() -> None:
    assert asked_moment("in the morning", NOW.replace(hour=15)) == Moment(
        date(2026, 11, 26), part=Part.MORNING
    )


def test_a_night_ends_in_the_morning_after() -> None:
    start, end = part_bounds(Part.NIGHT, date(2026, 11, 27))
    assert start.date() == date(2026, 11, 27)
    assert (end.date(), end.hour) == (date(2026, 11, 28), 4)


_WORDS = """
at ב- 7 31.12 31.2 29.2 99 24:00 pm tomorrow יום שבת ב' fri next december בערב night עד מוצאי
"""
_TEXTS = st.one_of(st.text(max_size=80), st.lists(st.sampled_from(_WORDS.split()), max_size=8).map(" ".join))


@given(_TEXTS, st.dates(date(2020, 1, 1), date(2080, 1, 1)), st.times())
def test_any_text_is_read_and_a_moment_is_consistent(text: str, day: date, at: time) -> None:
    moment = asked_moment(text, datetime.combine(day, at, NOW.tzinfo))
    assert isinstance(asks_about_opening(text), bool)
    if moment is not None:
        assert moment.at is None or moment.part is None
        assert not moment.is_now or moment.day == day
