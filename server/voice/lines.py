"""What the desk says on the phone of its own accord, in Hebrew and English."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from enum import StrEnum

from server.conversation.after_hours import when_back
from server.domain.tenants import TenantSettings

HEBREW = "he"


class Line(StrEnum):
    """A fixed line; its audio is made before it is needed."""

    ONE_MOMENT = "one_moment"
    STILL_LOOKING = "still_looking"
    STILL_THERE = "still_there"
    NOT_HEARD = "not_heard"
    GOODBYE = "goodbye"
    SORRY = "sorry"
    LET_ME_CORRECT = "let_me_correct"
    TRANSFERRING = "transferring"
    NOBODY_ANSWERED = "nobody_answered"
    LEAVE_A_MESSAGE = "leave_a_message"
    MESSAGE_TAKEN = "message_taken"
    NOT_IN_SERVICE = "not_in_service"
    IS_RECORDED = "is_recorded"


_ENGLISH: Mapping[Line, str] = {
    Line.ONE_MOMENT: "One moment, please.",
    Line.STILL_LOOKING: "I am still looking into it.",
    Line.STILL_THERE: "Are you still there?",
    Line.NOT_HEARD: "I'm sorry, I did not hear you. Could you say that again?",
    Line.GOODBYE: "Thank you for calling. Goodbye!",
    Line.SORRY: "I'm sorry, something went wrong on our side.",
    Line.LET_ME_CORRECT: "Let me correct that.",
    Line.TRANSFERRING: "One moment please, I am putting you through.",
    Line.NOBODY_ANSWERED: "I'm sorry, nobody can take the call right now.",
    Line.LEAVE_A_MESSAGE: "Please leave a message after the tone, and we will call you back.",
    Line.MESSAGE_TAKEN: "Thank you, your message has been passed on to the team. Goodbye!",
    Line.NOT_IN_SERVICE: "This number is not in service.",
    Line.IS_RECORDED: "This call is recorded.",
}
_HEBREW: Mapping[Line, str] = {
    Line.ONE_MOMENT: "רגע אחד, בבקשה.",
    Line.STILL_LOOKING: "עוד רגע, הבדיקה נמשכת.",
    Line.STILL_THERE: "האם עדיין על הקו?",
    Line.NOT_HEARD: "סליחה, לא נשמע טוב. אפשר לחזור על זה?",
    Line.GOODBYE: "תודה על השיחה, להתראות!",
    Line.SORRY: "סליחה, משהו השתבש אצלנו.",
    Line.LET_ME_CORRECT: "תיקון קטן.",
    Line.TRANSFERRING: "רגע אחד בבקשה, השיחה מועברת.",
    Line.NOBODY_ANSWERED: "סליחה, כרגע אין מענה.",
    Line.LEAVE_A_MESSAGE: "אפשר להשאיר הודעה אחרי הצליל, ונחזור בהקדם.",
    Line.MESSAGE_TAKEN: "תודה, ההודעה הועברה לצוות. להתראות!",
    Line.NOT_IN_SERVICE: "המספר אינו בשירות.",
    Line.IS_RECORDED: "השיחה מוקלטת.",
}
_FAREWELLS = frozenset(
    [
        "bye",
        "bye bye",
        "goodbye",
        "good bye",
        "thanks bye",
        "thank you bye",
        "thank you goodbye",
        "ok bye",
        "okay bye",
        "see you",
        "that's all thank you",
        "that is all thank you",
        "that's all thanks",
        "that's all",
        "ביי",
        "ביי ביי",
        "להתראות",
        "תודה להתראות",
        "תודה ביי",
        "תודה רבה להתראות",
        "תודה רבה ביי",
        "יאללה ביי",
        "זה הכל תודה",
        "זה הכל",
    ]
)


def line(name: Line, language: str) -> str:
    """The words of a fixed line; English where *language* is not Hebrew."""
    return (_HEBREW if language == HEBREW else _ENGLISH)[name]


def greeting(settings: TenantSettings, language: str) -> str:
    """What is said when a call begins: the business's own greeting, or ours, which may tell of a machine.

    That the call is recorded is told before the question that callers interrupt.
    """
    recorded = line(Line.IS_RECORDED, language) if settings.record_calls else ""
    if settings.phone_greeting:
        return f"{recorded} {settings.phone_greeting}".strip()
    if language == HEBREW:
        machine = "כאן העוזר הדיגיטלי." if settings.ai_disclosure else ""
        parts = [f"שלום, הגעתם אל {settings.name}.", machine, recorded, "במה אפשר לעזור?"]
    else:
        machine = "This is the digital assistant." if settings.ai_disclosure else ""
        parts = [f"Hello, this is {settings.name}.", machine, recorded, "How can I help you?"]
    return " ".join(part for part in parts if part)


def nobody_there(settings: TenantSettings, language: str, now: datetime) -> str:
    """To a caller whom no person answers; out of office hours also when there will be one."""
    return f"{line(Line.NOBODY_ANSWERED, language)} {when_back(settings, language, now)}".strip()


def prepared_lines(settings: TenantSettings) -> Iterator[tuple[str, str]]:
    """What may have to be said at once, with its language, for a business."""
    for language in settings.languages:
        yield greeting(settings, language), language
        for name in Line:
            yield line(name, language), language


def is_farewell(text: str) -> bool:
    """Whether *text* ends a call: "thanks, bye", "להתראות"."""
    kept = (one if one.isalnum() or one == "'" else " " for one in text.lower())
    return " ".join("".join(kept).split()) in _FAREWELLS
