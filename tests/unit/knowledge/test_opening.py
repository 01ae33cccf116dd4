"""Questions about being open, answered from a document's hours."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.knowledge import Document
from server.knowledge.opening import opening_answer

ZONE = ZoneInfo("Asia/Jerusalem")
# A Saturday.
NOON = datetime(2026, 11, 28, 12, 0, tzinfo=ZONE)
NIGHT = NOON.replace(hour=20)
WEEK = "Su-Fr 08:00-19:00; Sa 08:00-14:00"
BAR = "Fr-Sa 20:00-02:00"
MEALS = 'Mo-Su 07:00-10:30 "hot", 10:30-11:00 "cold"'


def _pool(hours: str, title: str = "Pool", valid_from: str = "", valid_until: str = "") -> Document:
    return Document("pool", title, "Our pool.", "en", valid_from, valid_until, hours)


ENGLISH = [
    (WEEK, NOON, "is it open now?", "Pool: open now, until 14:00."),
    (WEEK, NIGHT, "is it open now?", "Pool: closed now. It opens tomorrow (Sunday) at 08:00."),
    (WEEK, NOON.replace(hour=6), "open now?", "Pool: closed now. It opens today (Saturday) at 08:00."),
    (WEEK, NOON, "when do you open?", "Pool: open now, until 14:00. Today (Saturday): 08:00–14:00."),
    (WEEK, NIGHT, "until when is it open?", "Pool: closed now. Tomorrow (Sunday): 08:00–19:00."),
    (WEEK, NOON, "open tomorrow?", "Pool, tomorrow (Sunday): 08:00–19:00."),
    (WEEK, NOON - timedelta(3), "open on Shabbat?", "Pool, Saturday 28 November: 08:00–14:00."),
    (WEEK, NOON, "open friday at 20:00?", "Pool, Friday 4 December: closed at that time (open 08:00–19:00)."),
    (WEEK, NOON, "open friday at 10:00?", "Pool, Friday 4 December: open at that time (08:00–19:00)."),
    (WEEK, NOON, "open on 1.1?", "Pool, Friday 1 January 2027: 08:00–19:00."),
    (WEEK, NOON, "open tonight?", "Pool, today (Saturday), evening: closed at that time (open 08:00–14:00)."),
    (WEEK, NOON, "open tomorrow morning?", "Pool, tomorrow (Sunday), morning: 08:00–19:00."),
    ("Mo-Su 08:00-12:00,12:00-19:00", NOON, "open now?", "Pool: open now, until 19:00."),
    (
        "Mo-Su 08:00-12:00,14:00-19:00",
        NOON,
        "open tomorrow?",
        "Pool, tomorrow (Sunday): 08:00–12:00, 14:00–19:00.",
    ),
    (BAR, NOON.replace(hour=23), "open now?", "Pool: open now, until 02:00."),
    (BAR, NOON.replace(hour=1), "open now?", "Pool: open now, until 02:00."),
    (BAR, NOON, "open on saturday?", "Pool, today (Saturday): 20:00–02:00."),
    (BAR, NOON, "open on sunday?", "Pool, tomorrow (Sunday): until 02:00."),
    (BAR, NOON, "open on monday?", "Pool, Monday 30 November: closed all day."),
    (BAR, NOON, "open friday at 1 at night?", "Pool, Saturday 5 December: open at that time (20:00–02:00)."),
    ("24/7", NOON, "open now?", "Pool: open now, around the clock."),
    ("24/7", NOON, "open tomorrow?", "Pool, tomorrow (Sunday): all day."),
    ("24/7; Dec 25 off", NOON, "open now?", "Pool: open now, until the end of Thursday 24 December."),
    ("Fr 20:00-24:00; Sa 00:00-24:00", NOON, "open friday?", "Pool, Friday 4 December: from 20:00."),
    ("10:00-24:00", NOON, "open now?", "Pool: open now, until midnight."),
    ("22:00-06:30", NOON.replace(hour=23), "open now?", "Pool: open now, until tomorrow (Sunday) at 06:30."),
    ("off", NOON, "open now?", "Pool: closed now."),
    ('Sa off "Shabbat"', NOON, "open today?", "Pool, today (Saturday): closed all day (Shabbat)."),
    ('08:00-19:00 "by appointment"', NOON, "open now?", "Pool: open now, until 19:00 (by appointment)."),
    (MEALS, NOON.replace(hour=8), "open now?", "Pool: open now, until 11:00 (hot)."),
    (MEALS, NOON, "open tomorrow?", "Pool, tomorrow (Sunday): 07:00–10:30 (hot), 10:30–11:00 (cold)."),
    (
        '09:00-15:00 unknown "call us"',
        NOON,
        "open now?",
        "Pool: it is not certain that it is open now (call us). Please ask us.",
    ),
    ("09:00-12:00 unknown", NOON, "open tomorrow?", "Pool, tomorrow (Sunday): 09:00–12:00 (not certain)."),
    ("Jun-Aug 08:00-19:00", NOON, "open now?", "Pool: closed now. It opens Tuesday 1 June 2027 at 08:00."),
    ("10:00-18:00; PH off", NOON, "open now?", "Pool: open now, until 18:00. Public holidays may differ."),
]
HEBREW = [
    (WEEK, NOON, "פתוח עכשיו?", "Pool: פתוח עכשיו, עד 14:00."),
    (WEEK, NIGHT, "פתוח עכשיו?", "Pool: סגור עכשיו. הפתיחה הבאה: מחר (יום ראשון) ב-08:00."),
    (WEEK, NOON, "מתי פותחים?", "Pool: פתוח עכשיו, עד 14:00. היום (שבת): 08:00 עד 14:00."),
    (WEEK, NIGHT, "עד מתי פתוח?", "Pool: סגור עכשיו. מחר (יום ראשון): 08:00 עד 19:00."),
    (WEEK, NOON, "פתוח מחר?", "Pool, מחר (יום ראשון): 08:00 עד 19:00."),
    (WEEK, NOON - timedelta(3), "פתוח בשבת?", "Pool, שבת, 28 בנובמבר: 08:00 עד 14:00."),
    (WEEK, NOON, "פתוח ב-24.12?", "Pool, יום חמישי, 24 בדצמבר: 08:00 עד 19:00."),
    (
        WEEK,
        NOON,
        "פתוח ביום שישי ב-20:00?",
        "Pool, יום שישי, 4 בדצמבר: סגור בשעה הזאת (פתוח 08:00 עד 19:00).",
    ),
    (WEEK, NOON, "פתוח מחר בבוקר?", "Pool, מחר (יום ראשון), בבוקר: 08:00 עד 19:00."),
    (BAR, NOON, "פתוח ביום שני?", "Pool, יום שני, 30 בנובמבר: סגור כל היום."),
    ("24/7", NOON, "פתוח עכשיו?", "Pool: פתוח עכשיו, מסביב לשעון."),
    ("24/7; Dec 25 off", NOON, "פתוח עכשיו?", "Pool: פתוח עכשיו, עד סוף יום חמישי, 24 בדצמבר."),
    ("10:00-24:00", NOON, "פתוח מחר?", "Pool, מחר (יום ראשון): 10:00 עד חצות."),
    ("09:00-12:00 unknown", NOON, "פתוח מחר?", "Pool, מחר (יום ראשון): 09:00 עד 12:00 (לא בטוח)."),
    ("10:00-18:00; PH off", NOON, "פתוח עכשיו?", "Pool: פתוח עכשיו, עד 18:00. בחגים ייתכנו שינויים."),
]


@pytest.mark.parametrize(("hours", "now", "question", "answer"), ENGLISH)
def test_a_question_in_english_is_answered_from_the_hours(
    hours: str, now: datetime, question: str, answer: str
) -> None:
    assert opening_answer(_pool(hours), question, now, "en") == answer


@pytest.mark.parametrize(("hours", "now", "question", "answer"), HEBREW)
def test_a_question_in_hebrew_is_answered_from_the_hours(
    hours: str, now: datetime, question: str, answer: str
) -> None:
    assert opening_answer(_pool(hours), question, now, "he") == answer


@pytest.mark.parametrize(
    ("hours", "question"),
    [
        ("", "is it open now?"),
        (WEEK, "can I bring a dog?"),
        (WEEK, "can I book a massage for tomorrow?"),
        (WEEK, "is it heated tomorrow?"),
        (WEEK, "is it open on weekends?"),
        (WEEK, "is it open in August?"),
        (WEEK, "was it open on 1.2.2020?"),
        ("08:00-sunset", "is it open now?"),
        ("10:00+", "is it open now?"),
        ("whenever we like", "is it open now?"),
        (", ".join(["08:00-19:00"] * 500), "is it open now?"),
    ],
)
def test_what_the_hours_do_not_tell_is_not_answered(hours: str, question: str) -> None:
    assert opening_answer(_pool(hours), question, NOON, "en") is None


@pytest.mark.parametrize(
    ("question", "language", "answer"),
    [
        ("Can we swim on Sunday?", "en", "Pool, tomorrow (Sunday): 08:00–19:00."),
        ("אפשר לשחות ביום ראשון?", "he", "Pool, מחר (יום ראשון): 08:00 עד 19:00."),
    ],
)
def test_whether_one_may_on_a_day_is_answered_with_its_hours(
    question: str, language: str, answer: str
) -> None:
    assert opening_answer(_pool("Mo-Su 08:00-19:00"), question, NOON, language) == answer


def test_another_language_gets_english() -> None:
    assert opening_answer(_pool(WEEK), "open now?", NOON, "fr") == "Pool: open now, until 14:00."


@pytest.mark.parametrize(
    "title", ["When is the pool open?", "What are the pool's hours", "מתי הבריכה פתוחה?"]
)
def test_a_title_that_asks_is_no_name(title: str) -> None:
    assert opening_answer(_pool(WEEK, title), "open now?", NOON, "en") == "Open now, until 14:00."


def test_hours_that_speak_of_holidays_are_said_to_differ_on_them() -> None:
    answer = opening_answer(_pool("10:00-18:00; PH off"), "open on 25 december?", NOON, "en")
    assert answer == "Pool, Friday 25 December: 10:00–18:00. Public holidays may differ."


def test_a_document_says_nothing_of_days_on_which_it_does_not_hold() -> None:
    summer = _pool("08:00-19:00", valid_from="06-01", valid_until="11-28")
    assert opening_answer(summer, "open tomorrow?", NOON, "en") is None
    assert opening_answer(summer, "open now?", NIGHT, "en") == "Pool: closed now."


def test_the_clock_is_the_wall_clock_on_the_day_it_is_changed() -> None:
    # In Israel summer time begins on 27 March 2026 at 02:00.
    before = datetime(2026, 3, 27, 1, 30, tzinfo=ZONE)
    answer = opening_answer(_pool("08:00-19:00"), "open now?", before, "en")
    assert answer == "Pool: closed now. It opens today (Friday) at 08:00."


_TIMES = st.integers(0, 23).flatmap(
    lambda start: st.integers(start + 1, start + 10).map(lambda end: f"{start:02}:00-{end:02}:30")
)
_HOURS = st.lists(
    st.tuples(st.sampled_from(["Mo-Su", "Su-Th", "Fr", "Sa", "Dec 25", "Jun-Aug"]), _TIMES), min_size=1
).map(lambda rules: "; ".join(" ".join(rule) for rule in rules))
_QUESTIONS = st.sampled_from(
    [*(question for _, _, question, _ in ENGLISH + HEBREW), "open in the evening?", "פתוח בלילה?"]
)
_DAYS_AHEAD = 400


@given(_HOURS, _QUESTIONS, st.integers(0, 60 * 24 * 365), st.sampled_from(["en", "he"]))
def test_every_number_said_is_one_of_the_hours_or_of_the_calendar(
    hours: str, question: str, minutes: int, language: str
) -> None:
    now = NOON + timedelta(minutes=minutes)
    answer = opening_answer(_pool(hours), question, now, language)
    days = [now.date() + timedelta(ahead) for ahead in range(_DAYS_AHEAD)]
    calendar = {str(number) for day in days for number in (day.day, day.year)}
    # 26:30 is half past two in the night.
    clock = {f"{int(hour) % 24:02}:{minute}" for hour, minute in re.findall(r"(\d\d):(\d\d)", hours)}
    said = re.findall(r"\d+(?::\d+)?", answer or "")
    assert set(said) <= calendar | clock


@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=40))
def test_no_text_breaks_an_answer(hours: str, question: str, title: str) -> None:
    for asked in (question, f"open now? {question}", "פתוח מחר?"):
        answer = opening_answer(_pool(hours, title), asked, NOON, "he")
        assert answer is None or answer
