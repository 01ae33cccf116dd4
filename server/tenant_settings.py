"""What a business may be set to: checked alike on the command line and in the console."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from pydantic import ValidationError

from server.domain.tenants import Tenant, TenantSettings
from server.knowledge.office_hours import office_timetable
from server.store.tenants import SETTINGS
from server.translations import LANGUAGES

HIGHEST_BUDGET_USD = 100_000
LONGEST_EMERGENCY = 200
LONGEST_REMINDER_MINUTES = 1_440
MOST_NEXT_IN_LINE = 10

_ADDRESS = re.compile(r"[^@\s<>,]{1,64}@[^@\s<>,]+\.[^@\s<>,]+")
_NUMBER = re.compile(r"\+?[0-9][0-9 ()-]{5,20}")
_INTERNATIONAL = re.compile(r"\+[1-9][0-9]{6,14}")
_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
_LANGUAGE = re.compile(r"[a-z]{2,3}")
_BUDGETS = ("daily_budget_usd", "guest_daily_budget_usd")


def _(text: str) -> str:
    """Marks *text* for translation, which happens where it is shown."""
    return text


_BUDGET_HINT = _("must be US dollars a day, such as 5 or 0.50; 0 is no limit, 100000 the most")
_MINUTES_HINT = _("must be a whole number of minutes: 0 (never) or more")
_REMINDER_HINT = _("must be a whole number of minutes: 0 (never) to 1440")
_IN_LINE_HINT = _(
    "'{value}' is neither a phone number with country code, such as +972501234567, nor an e-mail address"
)
_LONG_LINE_HINT = _("must name ten people at most")
_REPORT_HINT = _("must be a time of day such as 07:00")
_TEAM_LANGUAGE_HINT = _(
    "must be one of {value}, or empty: the first of the languages that there are words for"
)
_WEBHOOK_HINT = _("must be a URL that begins with https://")
_OFFICE_HINT = _(
    "must be days and times such as 'Su-Th 08:00-18:00; Fr 08:00-13:00' (Mo Tu We Th Fr Sa Su), "
    "without holidays and comments"
)
_EMERGENCY_HINT = _(
    "must be one line with numbers to call, such as 'ambulance 101, police 100'; 200 characters at most"
)

# What is said of a value that cannot even be read as one of its kind.
_UNREADABLE = dict.fromkeys(_BUDGETS, _BUDGET_HINT) | {
    "hand_back_after_minutes": _MINUTES_HINT,
    "remind_after_minutes": _REMINDER_HINT,
}


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a setting will not do; ``{value}`` in ``words`` stands for the part of it that is meant."""

    setting: str
    words: str
    value: str = ""

    def __str__(self) -> str:
        return f"{self.setting}: {self.words.format(value=self.value)}"


@dataclass(frozen=True, slots=True)
class Checked:
    """Settings after the check; to be used only if there are no ``faults``. One fault a setting."""

    settings: TenantSettings
    faults: Sequence[Fault]


def check_settings(values: Mapping[str, Any]) -> Checked:
    """Read *values*, by the names of `TenantSettings`, and tell which will not work; all faults at once."""
    settings, unreadable = _read(values)
    first: dict[str, Fault] = {}
    for fault in (*unreadable, *_faults(settings)):
        first.setdefault(fault.setting, fault)
    return Checked(settings, list(first.values()))


@cache
def time_zones() -> frozenset[str]:
    """The names of those there are. To find them costs many looks at the disk."""
    return frozenset(available_timezones())


def taken_numbers(tenant_id: str, settings: TenantSettings, tenants: Iterable[Tenant]) -> Mapping[str, str]:
    """Which of the phone line's numbers are another business's, and whose: a call finds its own by them."""
    return {
        number: other.id
        for other in tenants
        if other.id != tenant_id
        for number in settings.phone_numbers
        if number in other.settings.phone_numbers
    }


def _read(values: Mapping[str, Any]) -> tuple[TenantSettings, list[Fault]]:
    """Settings with their defaults in place of what cannot be read, and what that is."""
    try:
        return SETTINGS.validate_python(dict(values)), []
    except ValidationError as error:
        faults = [_unreadable(fault["loc"], fault["msg"]) for fault in error.errors()]
        defaults = asdict(TenantSettings(name=""))
        return _read({**values, **{fault.setting: defaults[fault.setting] for fault in faults}})[0], faults


def _unreadable(place: tuple[int | str, ...], message: str) -> Fault:
    setting = str(place[0])
    # As a value: the words of others may hold braces.
    return Fault(setting, _UNREADABLE.get(setting, "{value}"), message)


def _faults(settings: TenantSettings) -> Iterator[Fault]:
    yield from _business_faults(settings)
    yield from _staff_faults(settings)
    yield from _reminder_faults(settings)
    yield from _phone_faults(settings)
    for name in _BUDGETS:
        # "nan" is a number to the parser; it is in no range.
        if not 0 <= getattr(settings, name) <= HIGHEST_BUDGET_USD:
            yield Fault(name, _BUDGET_HINT)


def _business_faults(settings: TenantSettings) -> Iterator[Fault]:
    if not settings.name.strip():
        yield Fault("name", _("a business needs a name"))
    if settings.time_zone not in time_zones():
        yield Fault("time_zone", _("'{value}' is no time zone; one is Asia/Jerusalem"), settings.time_zone)
    for code in settings.languages:
        if not _LANGUAGE.fullmatch(code):
            yield Fault("languages", _("'{value}' is no code of a language; one is he"), code)
    if settings.hand_back_after_minutes < 0:
        yield Fault("hand_back_after_minutes", _MINUTES_HINT)
    # They are read by somebody in danger, as they stand.
    numbers = settings.emergency_numbers
    is_line = len(numbers.splitlines()) <= 1 and len(numbers) <= LONGEST_EMERGENCY
    if numbers and not (is_line and any(character.isdigit() for character in numbers)):
        yield Fault("emergency_numbers", _EMERGENCY_HINT)


def _staff_faults(settings: TenantSettings) -> Iterator[Fault]:
    for number in settings.staff_numbers:
        if not _NUMBER.fullmatch(number):
            yield Fault("staff_numbers", _("'{value}' is no phone number; one is +972501234567"), number)
    for address in settings.staff_emails:
        if not _ADDRESS.fullmatch(address):
            yield Fault(
                "staff_emails", _("'{value}' is no e-mail address; one is owner@hotel.example"), address
            )
    if settings.staff_webhook and not _is_http(settings.staff_webhook):
        yield Fault("staff_webhook", _WEBHOOK_HINT)
    if settings.team_language and settings.team_language not in LANGUAGES:
        yield Fault("team_language", _TEAM_LANGUAGE_HINT, ", ".join(LANGUAGES))
    if settings.morning_report_at and not _TIME.fullmatch(settings.morning_report_at):
        yield Fault("morning_report_at", _REPORT_HINT)


def _reminder_faults(settings: TenantSettings) -> Iterator[Fault]:
    if not 0 <= settings.remind_after_minutes <= LONGEST_REMINDER_MINUTES:
        yield Fault("remind_after_minutes", _REMINDER_HINT)
    for person in settings.next_in_line:
        if not (_INTERNATIONAL.fullmatch(person) or _ADDRESS.fullmatch(person)):
            yield Fault("next_in_line", _IN_LINE_HINT, person)
    if len(settings.next_in_line) > MOST_NEXT_IN_LINE:
        yield Fault("next_in_line", _LONG_LINE_HINT)
    if settings.office_hours and office_timetable(settings.office_hours) is None:
        yield Fault("office_hours", _OFFICE_HINT)


def _is_http(url: str) -> bool:
    try:
        return urlsplit(url).scheme in ("http", "https")
    except ValueError:
        return False


def _phone_faults(settings: TenantSettings) -> Iterator[Fault]:
    # Twilio tells and takes them so.
    words = _("'{value}' is no phone number with country code; one is +972501234567")
    for number in settings.phone_numbers:
        if not _INTERNATIONAL.fullmatch(number):
            yield Fault("phone_numbers", words, number)
    if settings.transfer_number and not _INTERNATIONAL.fullmatch(settings.transfer_number):
        yield Fault("transfer_number", words, settings.transfer_number)
