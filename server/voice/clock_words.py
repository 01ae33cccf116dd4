"""Times of the day and dates as they are said."""

from __future__ import annotations

from calendar import monthrange

from server.voice.cardinals import cardinal, ordinal
from server.voice.word_lists import word_list

MONTHS = word_list(
    """
    January February March April May June July August September October November December
    """
)
HEBREW_MONTHS = word_list("ינואר פברואר מרץ אפריל מאי יוני יולי אוגוסט ספטמבר אוקטובר נובמבר דצמבר")


def time_of_day(hour: int, minute: int, language: str, *, names_half: bool) -> str:
    """A time of the 24-hour clock.

    Args:
        names_half: say which half of the day is meant, where the text does not: 7:30 may be either.
    """
    if language == "he":
        return _hebrew_time(hour, minute, names_half)
    if names_half and minute == 0 and hour in (0, 12):
        return "twelve noon" if hour else "midnight"
    words = cardinal((hour - 1) % 12 + 1, "en")
    if minute:
        words += f" oh {cardinal(minute, 'en')}" if minute < 10 else f" {cardinal(minute, 'en')}"
    if names_half:
        return f"{words} {'PM' if hour >= 12 else 'AM'}"
    return words if minute else f"{words} o'clock"


def _hebrew_time(hour: int, minute: int, names_half: bool) -> str:
    if names_half and hour == 0 and minute == 0:
        return "חצות"
    words = cardinal((hour - 1) % 12 + 1, "he")
    if minute in (15, 30):
        words += " ורבע" if minute == 15 else " וחצי"
    elif minute == 1:
        words += " ודקה"
    elif minute == 2:
        words += " ושתי דקות"
    elif minute > 20:
        words += f" {cardinal(minute, 'he')}"
    elif minute:
        words += f" ו{cardinal(minute, 'he')} דקות"
    return f"{words} {_part_of_day(hour)}" if names_half else words


def _part_of_day(hour: int) -> str:
    if 5 <= hour < 12:
        return "בבוקר"
    if 12 <= hour < 15:
        return "בצהריים"
    if 15 <= hour < 18:
        return "אחר הצהריים"
    return "בערב" if 18 <= hour < 22 else "בלילה"


def day_and_month(first: int, second: int) -> tuple[int, int] | None:
    """The day and the month of a date with slashes, None if it is none.

    The day stands first, as in Israel and Europe, unless only the other order is a date.
    """
    for day, month in ((first, second), (second, first)):
        # 2000 was a leap year.
        if 1 <= month <= 12 and 1 <= day <= monthrange(2000, month)[1]:
            return day, month
    return None


def date(day: int, month: int, year: int | None, language: str) -> str:
    """A date: "the third of December twenty twenty-six"."""
    if language == "he":
        words = f"{cardinal(day, 'he', 'm')} ב{HEBREW_MONTHS[month - 1]}"
        return words if year is None else f"{words} {cardinal(year, 'he')}"
    words = f"the {ordinal(day)} of {MONTHS[month - 1]}"
    return words if year is None else f"{words} {year_words(year)}"


def year_words(year: int) -> str:
    """An English year: "twenty twenty-six", "two thousand and five"."""
    century, rest = divmod(year, 100)
    if year % 1_000 < 10 or year < 1_000:
        return cardinal(year, "en")
    if not rest:
        return f"{cardinal(century, 'en')} hundred"
    tail = f"oh {cardinal(rest, 'en')}" if rest < 10 else cardinal(rest, "en")
    return f"{cardinal(century, 'en')} {tail}"


def full_year(text: str) -> int:
    """The year of a date: "26" is 2026."""
    return int(text) + 2_000 if len(text) == 2 else int(text)
