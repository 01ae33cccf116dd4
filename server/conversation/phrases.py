"""What the desk says in words of its own, in one place.

English and Hebrew; a guest of any other language gets English. The Hebrew speaks to everyone alike: no
form that is of one gender.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

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

# From then on the name of a day alone would be of the wrong one.
_WEEK = 7


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


def about_the_assistant(language: str, business: str) -> str:
    """The answer to a guest who asks whether a person or a machine writes."""
    if language == "he":
        return (
            f"כאן המענה האוטומטי של {business}, לא בן אדם; הצוות קורא גם הוא, ואפשר לבקש מענה אנושי בכל רגע."
        )
    return (
        f"This is the automated assistant of {business}, not a person; the team reads along, "
        "and you can ask for a person at any time."
    )


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
        return "אין בעיה. העברתי את ההודעה לצוות, ומענה אנושי יגיע בהקדם."
    return "Of course. I have passed your message to the team, and a person will get back to you."


def holding_line(language: str) -> str:
    """The answer when nothing else works; staff are told at the same time."""
    if language == "he":
        return "ההודעה הועברה לצוות, והתשובה תגיע בהקדם."
    return "I have passed your message to the team, and they will get back to you."


def media_received(language: str) -> str:
    """The answer to a picture, recording, place or the like that came without words."""
    if language == "he":
        return "ההודעה התקבלה והועברה לצוות. אפשר גם לכתוב כאן במילים במה מדובר."
    return "We have received this and passed it to the team. Feel free to write here what it is about."


def team_is_back(language: str, today: date, back: datetime) -> str:
    """When people of the team are there again; *back* is on the business's clock, as *today* is."""
    days = (back.date() - today).days
    if language == "he":
        return f"הצוות יהיה כאן שוב {_hebrew_day(back, days)} ב-{back:%H:%M}."
    return f"The team is back {_english_day(back, days)} at {back:%H:%M}."


def _hebrew_day(back: datetime, days: int) -> str:
    if days < 2:
        return "מחר" if days else "היום"
    weekday = _HEBREW_DAYS[back.weekday()]
    name = "בשבת" if weekday == "שבת" else f"ביום {weekday}"
    return name if days < _WEEK else f"{name}, {back.day} ב{_HEBREW_MONTHS[back.month - 1]},"


def _english_day(back: datetime, days: int) -> str:
    if days < 2:
        return "tomorrow" if days else "today"
    name = f"on {_ENGLISH_DAYS[back.weekday()]}"
    return name if days < _WEEK else f"{name}, {back.day} {_ENGLISH_MONTHS[back.month - 1]},"


def numbers_to_call(language: str, numbers: Sequence[str]) -> str:
    """Emergency numbers as they are told; the words for them where they are not known."""
    if language == "he":
        return " או ".join(numbers) or "מספר החירום המקומי"
    return " or ".join(numbers) or "the local emergency number"


def emergency_fire(language: str, numbers: str) -> str:
    """To a guest who tells of fire, smoke or gas; *numbers* is whom to call."""
    if language == "he":
        return (
            f"יש לצאת מיד החוצה עם כל מי שנמצא במקום, בלי מעלית ובלי לגעת במתגים, ולהתקשר: {numbers}. "
            "לא לחזור פנימה. הצוות קיבל התראה."
        )
    return (
        "Get everyone outside now. Do not use the lift or touch any switch. "
        f"Call {numbers}. Do not go back in. The team has been alerted."
    )


def emergency_medical(language: str, numbers: str) -> str:
    """To a guest who tells of somebody badly hurt or ill."""
    if language == "he":
        return (
            f"להזמין אמבולנס מיד: {numbers}. להישאר ליד מי שצריך עזרה ולפעול לפי הנחיות המוקד. "
            "הצוות קיבל התראה."
        )
    return (
        f"Call an ambulance now: {numbers}. Stay with the person and do what the dispatcher tells you. "
        "The team has been alerted."
    )


def emergency_suicide(language: str, numbers: str) -> str:
    """To a guest who tells that somebody may take their own life."""
    if language == "he":
        return (
            f"תודה שסיפרת. חשוב לא להישאר לבד עכשיו: אפשר להתקשר מיד {numbers}, ולהיות ליד אדם קרוב. "
            "הצוות קיבל התראה."
        )
    return (
        "Thank you for telling us; this matters. Please do not stay alone with it: "
        f"call {numbers} now, and be with somebody you trust. The team has been alerted."
    )


def emergency_police(language: str, numbers: str) -> str:
    """To a guest who tells of violence, a break-in, or a child that is missing."""
    if language == "he":
        return f"להתקשר מיד למשטרה: {numbers}. אם יש סכנה, לעבור למקום בטוח ולנעול. הצוות קיבל התראה."
    return (
        f"Call the police now: {numbers}. If you are in danger, go where you are safe and lock the door. "
        "The team has been alerted."
    )


def emergency_danger(language: str, numbers: str) -> str:
    """To a guest who is in danger of another kind, or only cries for help."""
    if language == "he":
        return (
            f"אם יש סכנה, להתקשר מיד: {numbers}, ולהתרחק ממנה אם אפשר. "
            "הצוות קיבל התראה; אפשר לכתוב כאן מה קורה."
        )
    return (
        f"If anyone is in danger, call {numbers} now and keep away from the danger if you can. "
        "The team has been alerted; write here what is happening."
    )


def private_guest(language: str) -> str:
    """To whoever asks about another guest: neither yes nor no."""
    if language == "he":
        return (
            "כדי לשמור על פרטיות כולם, אין באפשרותנו לאשר או להכחיש מי מתארח כאן, ולא למסור פרטים של אחרים. "
            "ההודעה הועברה לצוות."
        )
    return (
        "To protect everyone's privacy we can neither confirm nor deny who is a guest here, "
        "nor share anybody's details. I have passed your message to the team."
    )


def private_room(language: str) -> str:
    """To whoever asks for another guest's room: neither yes nor no."""
    if language == "he":
        return (
            "כדי לשמור על פרטיות כולם, אין באפשרותנו למסור מי נמצא באיזה חדר, ולא לפתוח חדר דרך הצ'אט. "
            "ההודעה הועברה לצוות."
        )
    return (
        "To protect everyone's privacy we cannot say who is in which room, nor open a room from here. "
        "I have passed your message to the team."
    )


def code_from_team(language: str) -> str:
    """To whoever asks for a code or a key."""
    if language == "he":
        return "קודים ומפתחות נמסרים רק על ידי הצוות, אחרי בדיקה מי מבקש. ההודעה הועברה, והתשובה תגיע בהקדם."
    return (
        "Codes and keys are only given by the team, after checking who is asking. "
        "I have passed this on, and they will get back to you."
    )


def authority_asked(language: str) -> str:
    """To somebody who says to be of the police or another authority and asks about guests."""
    if language == "he":
        return "פניות של רשויות מטופלות על ידי ההנהלה בלבד; דרך הצ'אט לא נמסרים פרטים. ההודעה הועברה להנהלה."
    return (
        "Requests from authorities are handled by the management alone; nothing is given out here. "
        "I have passed your message on."
    )


def threatened(language: str) -> str:
    """To threats against the people or the house."""
    if language == "he":
        return "איומים אינם מתקבלים. ההודעה הועברה להנהלה."
    return "We do not accept threats. The management has been told."


def abused(language: str) -> str:
    """To insults that come with nothing else."""
    if language == "he":
        return "נשמח לעזור, בשפה מכבדת. במה מדובר?"
    return "We are glad to help, if we can keep this respectful. What is it about?"


def not_that_kind(language: str) -> str:
    """To sexual advances and requests."""
    if language == "he":
        return "בנושאים כאלה אין כאן מענה. בכל שאלה על השהות נשמח לעזור."
    return "We do not respond to messages of that kind. We are glad to help with your stay."
