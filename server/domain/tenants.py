"""A business, and how it wants its desk kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantSettings:
    """What differs from business to business. Every field has a default that works.

    ``languages`` are ISO 639-1 codes the business answers in by preference; the first is used when a
    guest's language cannot be told. ``staff_numbers`` are phone numbers with country code that hear of
    guests who need a person; ``staff_webhook`` is a URL that is told the same. Of a guest who still waits
    after ``remind_after_minutes`` they are told once more, and after each as many minutes again the next of
    ``next_in_line``, phone numbers and e-mail addresses; 0 is never. ``office_hours`` are when people of the
    team are there, in the syntax of OpenStreetMap on the business's clock: outside of them reminders wait,
    and guests are told when the team is back; empty: at any time. ``prompt`` is added to
    what the model is told of the business's tone. ``facts`` are short lines that are always true of it
    (address, hours) and that the model is given with every question. ``auto_messages`` are the greeting
    and away messages of the WhatsApp Business app: they are not a person taking over.
    ``hand_back_after_minutes`` without a word of staff the desk answers again; 0 is never.
    ``team_language`` is the code of the language in which the team is told of all this; empty: the first of
    ``languages`` that there are words for.
    ``morning_report_at`` is the time of the business's clock ("07:00") at which ``staff_emails`` and
    ``staff_webhook`` are told of the day before; empty: never.
    ``daily_budget_usd`` and ``guest_daily_budget_usd`` limit what models may cost on a day, for the business
    and for one guest; 0 is no limit. ``emergency_numbers`` are told to a guest in danger, as they stand.
    ``phone_numbers`` are those of the phone line that the desk answers; ``transfer_number`` is where a caller
    who wants a person is put through to, and which rings before the desk answers if ``rings_first`` is set:
    within ``office_hours`` alone, if there are any.
    ``phone_greeting`` is said when a call begins; empty: the desk's own words. With ``record_calls`` calls
    are recorded, and the caller is told so first. With ``continue_on_whatsapp`` a guest whose call broke off
    in the middle of an answer is sent it there, if they have written before.
    """

    name: str
    time_zone: str = "Asia/Jerusalem"
    languages: tuple[str, ...] = ("en", "he")
    hours: str = ""
    facts: tuple[str, ...] = ()
    prompt: str = ""
    ai_disclosure: bool = False
    ai_paused: bool = False
    staff_numbers: tuple[str, ...] = ()
    staff_webhook: str = ""
    staff_emails: tuple[str, ...] = ()
    remind_after_minutes: int = 5
    next_in_line: tuple[str, ...] = ()
    team_language: str = ""
    morning_report_at: str = ""
    auto_messages: tuple[str, ...] = ()
    hand_back_after_minutes: int = 720
    daily_budget_usd: float = 0.0
    guest_daily_budget_usd: float = 0.0
    emergency_numbers: str = ""
    phone_numbers: tuple[str, ...] = ()
    transfer_number: str = ""
    rings_first: bool = False
    office_hours: str = ""
    phone_greeting: str = ""
    record_calls: bool = False
    continue_on_whatsapp: bool = True

    @property
    def zone(self) -> ZoneInfo:
        """The business's time zone; the name was checked when it was set."""
        return ZoneInfo(self.time_zone)


@dataclass(frozen=True, slots=True)
class Tenant:
    """One business. ``knowledge_version`` grows with every change of its knowledge."""

    id: str
    settings: TenantSettings
    knowledge_version: int = field(default=0)
