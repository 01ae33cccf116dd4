"""A business's settings as a form: what each field is called, shows, and is read as."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum

from server.domain.tenants import TenantSettings


class Kind(StrEnum):
    """How a setting is typed."""

    LINE = "line"
    TEXT = "text"
    # A list: each on a line of its own.
    LINES = "lines"
    # A list whose items may have several lines: an empty one between them.
    PARAGRAPHS = "paragraphs"
    # A list on one line, with commas.
    CODES = "codes"
    ZONE = "zone"
    LANGUAGE = "language"
    NUMBER = "number"
    SWITCH = "switch"


@dataclass(frozen=True, slots=True)
class Field:
    """One setting. ``input_type`` and ``autocomplete`` are HTML's."""

    name: str
    label: str
    help: str
    kind: Kind = Kind.LINE
    input_type: str = "text"


@dataclass(frozen=True, slots=True)
class Group:
    """Settings that belong together."""

    id: str
    title: str
    fields: Sequence[Field]


def _(text: str) -> str:
    """Marks *text* for translation, which happens when the page is made."""
    return text


GROUPS = (
    Group(
        "business",
        _("The business"),
        (
            Field("name", _("Name"), _("As guests know it.")),
            Field("time_zone", _("Time zone"), _("Of the business's clock."), Kind.ZONE),
            Field(
                "languages",
                _("Languages"),
                _(
                    "Codes of two letters with commas between them, such as en, he. The first is used "
                    "when a guest's language cannot be told."
                ),
                Kind.CODES,
            ),
            Field(
                "hours",
                _("Hours"),
                _("In your words, such as “Reception is open from 8:00 to 22:00”."),
                Kind.TEXT,
            ),
            Field(
                "facts",
                _("Facts"),
                _(
                    "Short lines that are always true, such as the address; one on each line. The model "
                    "is given them with every question."
                ),
                Kind.LINES,
            ),
            Field(
                "emergency_numbers",
                _("Emergency numbers"),
                _("Told to a guest in danger, as they stand: ambulance 101, police 100."),
            ),
        ),
    ),
    Group(
        "answers",
        _("Answers"),
        (
            Field(
                "prompt",
                _("Tone"),
                _("How the desk should sound. The model is told it, in your words."),
                Kind.TEXT,
            ),
            Field(
                "ai_disclosure",
                _("Say that a machine answers"),
                _("In the first answer to a guest, and when a call begins."),
                Kind.SWITCH,
            ),
            Field(
                "hand_back_after_minutes",
                _("The desk answers again after"),
                _("Minutes without a word of staff in a conversation that they have taken over. 0: never."),
                Kind.NUMBER,
            ),
            Field(
                "auto_messages",
                _("Greeting and away messages"),
                _(
                    "Those that the WhatsApp Business app sends by itself, with an empty line between two: "
                    "they are not a person taking over."
                ),
                Kind.PARAGRAPHS,
            ),
        ),
    ),
    Group(
        "staff",
        _("Staff who are told when a guest needs a person"),
        (
            Field(
                "staff_numbers",
                _("On WhatsApp"),
                _(
                    "Phone numbers with country code, one on each line. Write once to the business from "
                    "each of them first."
                ),
                Kind.LINES,
            ),
            Field("staff_emails", _("By e-mail"), _("Addresses, one on each line."), Kind.LINES),
            Field(
                "staff_webhook", _("By webhook"), _("A URL that is told the same as JSON."), input_type="url"
            ),
            Field(
                "team_language",
                _("Language of what they are told"),
                _(
                    "Of messages, e-mails, reminders and the morning report. Guests' own words stay as they "
                    "are."
                ),
                Kind.LANGUAGE,
            ),
            Field(
                "remind_after_minutes",
                _("Remind them after"),
                _("Minutes in which nobody has seen to the guest. 0: never."),
                Kind.NUMBER,
            ),
            Field(
                "next_in_line",
                _("Next in line"),
                _(
                    "Phone numbers with country code and e-mail addresses, one on each line. After as many "
                    "minutes again the first of them is told, then the second, and so on."
                ),
                Kind.LINES,
            ),
            Field(
                "morning_report_at",
                _("Morning report at"),
                _(
                    "A time of day such as 07:00. The e-mail addresses and the webhook are then told of the "
                    "day before. Empty: never."
                ),
            ),
            Field(
                "office_hours",
                _("Office hours"),
                _(
                    "When people of the team are there, such as Su-Th 08:00-18:00; Fr 08:00-13:00. Outside "
                    "of them guests are told when the team is back, reminders wait, and a telephone that "
                    "rings first does not ring. Empty: at any time."
                ),
            ),
        ),
    ),
    Group(
        "phone",
        _("Phone"),
        (
            Field(
                "phone_numbers",
                _("Numbers that the desk answers"),
                _("With country code, such as +97231234567; one on each line."),
                Kind.LINES,
            ),
            Field(
                "transfer_number",
                _("Number of a person"),
                _("Callers who ask for a person are put through to it."),
                input_type="tel",
            ),
            Field(
                "rings_first",
                _("Let that number ring first"),
                _("In office hours the desk answers only if nobody takes the call."),
                Kind.SWITCH,
            ),
            Field(
                "phone_greeting",
                _("Greeting"),
                _("Said when a call begins. Empty: the desk's own words."),
                Kind.TEXT,
            ),
            Field(
                "record_calls",
                _("Record calls"),
                _("The caller is told so before anything else."),
                Kind.SWITCH,
            ),
            Field(
                "continue_on_whatsapp",
                _("Go on by WhatsApp when a call breaks off"),
                _("Only with guests who have written before."),
                Kind.SWITCH,
            ),
        ),
    ),
    Group(
        "budgets",
        _("What models may cost"),
        (
            Field(
                "daily_budget_usd",
                _("A day, for all guests"),
                _("US dollars, such as 5 or 0.50. 0: no limit. Near it the desk answers more cheaply."),
                Kind.NUMBER,
            ),
            Field(
                "guest_daily_budget_usd",
                _("A day, for one guest"),
                _("US dollars. 0: no limit."),
                Kind.NUMBER,
            ),
        ),
    ),
)

FIELDS = tuple(field for group in GROUPS for field in group.fields)

_SWITCHES = frozenset(field.name for field in FIELDS if field.kind is Kind.SWITCH)
_ON = "1"
_EMPTY_LINES = re.compile(r"\n\s*\n")
_BETWEEN_CODES = re.compile(r"[\s,;]+")


def shown(settings: TenantSettings) -> dict[str, str]:
    """What each field of the form holds; a switch that is off holds nothing."""
    return {field.name: _clean(_shown(field, getattr(settings, field.name))) for field in FIELDS}


def typed(form: Mapping[str, str], current: TenantSettings) -> dict[str, str]:
    """What somebody typed, by field, as `shown` would show it; a text that did not come is as it was."""
    unsent = {name: "" if name in _SWITCHES else text for name, text in shown(current).items()}
    return {name: _clean(form.get(name, text)) for name, text in unsent.items()}


def read(answers: Mapping[str, str], current: TenantSettings) -> dict[str, object]:
    """Settings to be checked, from what was `typed`: where nothing was changed, exactly what was kept."""
    before = shown(current)
    values: dict[str, object] = {one.name: getattr(current, one.name) for one in fields(TenantSettings)}
    for field in FIELDS:
        answer = answers[field.name]
        if answer.strip() != before[field.name].strip():
            values[field.name] = _value(field.kind, answer)
    return values


def _shown(field: Field, value: object) -> str:
    match field.kind, value:
        case Kind.SWITCH, _:
            return _ON if value else ""
        case Kind.LINES, tuple():
            return "\n".join(" ".join(str(item).splitlines()) for item in value)
        case Kind.PARAGRAPHS, tuple():
            return "\n\n".join(_EMPTY_LINES.sub("\n", str(item).strip()) for item in value)
        case Kind.CODES, tuple():
            return ", ".join(value)
        case Kind.NUMBER, float() | int():
            return f"{value:.12g}"
        case Kind.TEXT, str():
            return value
        case _:
            # As a field of one line would show it.
            return " ".join(str(value).splitlines())


def _value(kind: Kind, answer: str) -> object:
    match kind:
        case Kind.SWITCH:
            return answer == _ON
        case Kind.LINES:
            return _items(answer.splitlines())
        case Kind.PARAGRAPHS:
            return _items(_EMPTY_LINES.split(answer))
        case Kind.CODES:
            return _items(_BETWEEN_CODES.split(answer.lower()))
        case _:
            return answer.strip()


def _clean(text: str) -> str:
    # Browsers end lines in their own way; a zero byte is the one character that PostgreSQL cannot take.
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")


def _items(pieces: Sequence[str]) -> tuple[str, ...]:
    return tuple(piece.strip() for piece in pieces if piece.strip())
