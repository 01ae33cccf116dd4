"""What the desk says in words of its own, in one place.

English and Hebrew; a guest of any other language gets English. The Hebrew speaks to everyone alike: no
form that is of one gender.
"""

from __future__ import annotations

from datetime import datetime

from server.knowledge.phrases import phrases as embedded_phrases

_HEBREW_DAYS = ("שני", "שלישי", "רביעי", "חמישי", "שישי", "שבת", "ראשון")
_HEBREW_MONTHS = (
    "ינואר", "פברואר", "מרץ", "אפריל", "מאי", "יוני", "יולי", "אוגוסט", "ספטמבר", "אוקטובר",
    "נובמבר", "דצמבר",
)  # fmt: skip
_ENGLISH_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_ENGLISH_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
    "November", "December",
)  # fmt: skip


def greeting(language: str, business: str) -> str:
    """The answer to a guest who only says hello."""
    if language == "he":
        return f"שלום, כאן {business}. במה אפשר לעזור?"
    return f"Hello, this is {business}. How can we help?"


def disclosure(language: str, business: str) -> str:
    """What a guest is told first where the business wants it known that a machine answers."""
    if language == "he":
        return f"זהו המענה האוטומטי של {business}; הצוות קורא גם הוא."
    return f"This is the automated assistant of {business}; the team reads along."


def youre_welcome(language: str) -> str:
    """The answer to a guest who only says thanks."""
    if language == "he":
        return "בשמחה! אנחנו כאן לכל דבר נוסף."
    return "With pleasure! We are here for anything else."


def time_now(language: str, local: datetime) -> str:
    """The time at the business; *local* is in its zone."""
    if language == "he":
        return f"השעה אצלנו עכשיו {local:%H:%M}."
    return f"It is {local:%H:%M} here now."


def date_today(language: str, local: datetime) -> str:
    """Day and date at the business; *local* is in its zone."""
    if language == "he":
        day = _HEBREW_DAYS[local.weekday()]
        name = day if day == "שבת" else f"יום {day}"
        return f"היום {name}, {local.day} ב{_HEBREW_MONTHS[local.month - 1]} {local.year}."
    day, month = _ENGLISH_DAYS[local.weekday()], _ENGLISH_MONTHS[local.month - 1]
    return f"Today is {day}, {local.day} {month} {local.year}."


def asked_team(language: str) -> str:
    """The answer to what the desk does not know; staff are told at the same time."""
    return embedded_phrases(language).ask_team


def person_coming(language: str) -> str:
    """The answer to a guest who asks for a person; staff are told at the same time."""
    if language == "he":
        return "אין בעיה. העברתי את ההודעה לצוות, ומענה אנושי יגיע לכאן."
    return "Of course. I have passed your message to the team, and a person will answer here."


def holding_line(language: str) -> str:
    """The answer when nothing else works; staff are told at the same time."""
    if language == "he":
        return "ההודעה הועברה לצוות, והתשובה תגיע לכאן."
    return "I have passed your message to the team, and they will answer here."


def media_received(language: str) -> str:
    """The answer to a picture, recording, place or the like that came without words."""
    if language == "he":
        return "ההודעה התקבלה והועברה לצוות. אפשר גם לכתוב כאן במילים במה מדובר."
    return "We have received this and passed it to the team. Feel free to write here what it is about."
