"""The few sentences that the embedded answers say themselves, in English and gender-neutral Hebrew.

Of a thing that is open or closed Hebrew says so as a sign on a door does, whatever the thing's gender.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, time

from server.knowledge.choice import choices


@dataclass(frozen=True, slots=True)
class Phrases:
    """``source_languages`` says, by the language of a source, in which language the quotation is."""

    ask_team: str
    ask_team_the_rest: str
    offer: str
    holds_from: str
    source_languages: dict[str, str]
    other_source_language: str

    def offer_of(self, titles: Sequence[str]) -> str:
        """The topics to choose from, numbered from 1."""
        return "\n".join([self.offer, *choices(titles)])

    def source_note(self, language: str) -> str:
        """The line above a quotation in another language than the asker's."""
        return self.source_languages.get(language, self.other_source_language)


_ENGLISH = Phrases(
    ask_team="I don't know, I have asked the team. They will answer you here.",
    ask_team_the_rest="I don't know the rest, I have asked the team. They will answer you here.",
    offer="I am not sure which of these you mean. Please answer with a number:",
    holds_from="From {day}:",
    source_languages={
        "en": "Our information on this is in English:",
        "he": "Our information on this is in Hebrew:",
    },
    other_source_language="Our information on this is in another language:",
)
_HEBREW = Phrases(
    ask_team="אין לי תשובה לשאלה הזאת, והיא הועברה לצוות. התשובה תגיע לכאן.",
    ask_team_the_rest="לשאר אין לי תשובה, והשאלה הועברה לצוות. התשובה תגיע לכאן.",
    offer="לא ברור לי לאיזה נושא הכוונה. נא לענות במספר:",
    holds_from="החל מ{day}:",
    source_languages={
        "en": "המידע שלנו בנושא זה הוא באנגלית:",
        "he": "המידע שלנו בנושא זה הוא בעברית:",
    },
    other_source_language="המידע שלנו בנושא זה הוא בשפה אחרת:",
)
_BY_LANGUAGE = {"en": _ENGLISH, "he": _HEBREW}


def phrases(language: str) -> Phrases:
    """The sentences in *language*, or in English where there are none."""
    return _BY_LANGUAGE.get(language, _ENGLISH)


@dataclass(frozen=True, slots=True)
class OpeningPhrases:
    """What is said of opening hours. Templates name what they are filled with: ``{time}``, ``{day}``…

    ``parts`` are the parts of a day by the words of ``moments.Part``.
    """

    weekdays: Sequence[str]
    months: Sequence[str]
    full_date: str
    today: str
    tomorrow: str
    parts: dict[str, str]
    midnight: str
    open_now: str
    always_open: str
    closed_now: str
    unsure_now: str
    opens: str
    next_hours: str
    open_then: str
    closed_then: str
    unsure_then: str
    stretch: str
    all_day: str
    closed_all_day: str
    until: str
    until_day_ends: str
    from_time: str
    at_on_day: str
    unsure: str
    holidays_may_differ: str

    def date_of(self, day: date, today: date) -> str:
        """Weekday and date, with the year if it is not this one."""
        year = "" if day.year == today.year else f" {day.year}"
        weekday, month = self.weekdays[day.weekday()], self.months[day.month - 1]
        return self.full_date.format(weekday=weekday, day=day.day, month=month, year=year)

    def day(self, day: date, today: date) -> str:
        """*day* as it is called today: today, tomorrow, or by its date."""
        relative = {0: self.today, 1: self.tomorrow}.get((day - today).days)
        weekday = self.weekdays[day.weekday()]
        return relative.format(weekday=weekday) if relative else self.date_of(day, today)

    def clock(self, at: time) -> str:
        """A time of day as an end."""
        return self.midnight if at == time() else f"{at:%H:%M}"


_ENGLISH_OPENING = OpeningPhrases(
    weekdays=("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    months=(
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
        "November", "December",
    ),
    full_date="{weekday} {day} {month}{year}",
    today="today ({weekday})",
    tomorrow="tomorrow ({weekday})",
    parts={"morning": "morning", "afternoon": "afternoon", "evening": "evening", "night": "night"},
    midnight="midnight",
    open_now="open now, {until}{note}.",
    always_open="open now, around the clock{note}.",
    closed_now="closed now{note}.",
    unsure_now="it is not certain that it is open now{note}. Please ask us.",
    opens="It opens {at}.",
    next_hours="{day}: {hours}.",
    open_then="open at that time ({hours}).",
    closed_then="closed at that time (open {hours}).",
    unsure_then="it is not certain that it is open at that time ({hours}). Please ask us.",
    stretch="{start}–{end}",
    all_day="all day",
    closed_all_day="closed all day{note}.",
    until="until {time}",
    until_day_ends="until the end of {day}",
    from_time="from {time}",
    at_on_day="{day} at {time}",
    unsure="not certain",
    holidays_may_differ="Public holidays may differ.",
)  # fmt: skip
_HEBREW_OPENING = OpeningPhrases(
    weekdays=("יום שני", "יום שלישי", "יום רביעי", "יום חמישי", "יום שישי", "שבת", "יום ראשון"),
    months=(
        "ינואר", "פברואר", "מרץ", "אפריל", "מאי", "יוני", "יולי", "אוגוסט", "ספטמבר", "אוקטובר", "נובמבר",
        "דצמבר",
    ),
    full_date="{weekday}, {day} ב{month}{year}",
    today="היום ({weekday})",
    tomorrow="מחר ({weekday})",
    parts={"morning": "בבוקר", "afternoon": "אחר הצהריים", "evening": "בערב", "night": "בלילה"},
    midnight="חצות",
    open_now="פתוח עכשיו, {until}{note}.",
    always_open="פתוח עכשיו, מסביב לשעון{note}.",
    closed_now="סגור עכשיו{note}.",
    unsure_now="לא בטוח שפתוח עכשיו{note}. נא לברר אצלנו.",
    opens="הפתיחה הבאה: {at}.",
    next_hours="{day}: {hours}.",
    open_then="פתוח בשעה הזאת ({hours}).",
    closed_then="סגור בשעה הזאת (פתוח {hours}).",
    unsure_then="לא בטוח שפתוח בשעה הזאת ({hours}). נא לברר אצלנו.",
    stretch="{start} עד {end}",
    all_day="כל היום",
    closed_all_day="סגור כל היום{note}.",
    until="עד {time}",
    until_day_ends="עד סוף {day}",
    from_time="החל מ-{time}",
    at_on_day="{day} ב-{time}",
    unsure="לא בטוח",
    holidays_may_differ="בחגים ייתכנו שינויים.",
)  # fmt: skip
_OPENING_BY_LANGUAGE = {"en": _ENGLISH_OPENING, "he": _HEBREW_OPENING}


def opening_phrases(language: str) -> OpeningPhrases:
    """What is said of opening hours in *language*, or in English where there is nothing."""
    return _OPENING_BY_LANGUAGE.get(language, _ENGLISH_OPENING)
