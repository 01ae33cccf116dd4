"""``frontdesk tenant``: businesses and their settings."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, fields
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import available_timezones

import click
from pydantic import ValidationError

from server.commands.context import CommandContext
from server.domain.tenants import TenantSettings
from server.errors import CommandError
from server.store.tenants import SETTINGS
from server.voice.office_hours import office_timetable

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_ADDRESS = re.compile(r"[^@\s<>,]{1,64}@[^@\s<>,]+\.[^@\s<>,]+")
_NUMBER = re.compile(r"\+?[0-9][0-9 ()-]{5,20}")
_INTERNATIONAL = re.compile(r"\+[1-9][0-9]{6,14}")
_BUDGETS = ("daily_budget_usd", "guest_daily_budget_usd")
_HIGHEST_BUDGET_USD = 100_000
_BUDGET_HINT = f"must be US dollars a day, such as 5 or 0.50; 0 is no limit, {_HIGHEST_BUDGET_USD} the most"
_LONGEST_EMERGENCY = 200
_OFFICE_HINT = (
    "must be days and times such as 'Su-Th 08:00-18:00; Fr 08:00-13:00' (Mo Tu We Th Fr Sa Su), "
    "without holidays and comments"
)


@click.group(epilog="Example: frontdesk tenant add 7 --name 'Hill Inn'")
def tenant() -> None:
    """Businesses and their settings."""


@tenant.command("add", epilog="Example: frontdesk tenant add 7 --name 'Hill Inn' --time-zone Europe/Rome")
@click.argument("tenant_id", metavar="ID")
@click.option("--name", required=True, help="The business's name as guests know it.")
@click.option("--time-zone", default=TenantSettings(name="").time_zone, show_default=True)
@click.pass_obj
def add(context: CommandContext, tenant_id: str, name: str, time_zone: str) -> None:
    """Add a business."""
    if not _ID.fullmatch(tenant_id):
        raise CommandError("a tenant's id is 1 to 64 letters, digits, hyphens and underscores")
    context.tenants.add(tenant_id, _checked({"name": name, "time_zone": time_zone}))
    click.echo(f"Added tenant {tenant_id}. Next: frontdesk knowledge import FILE --tenant {tenant_id}")


@tenant.command("list", epilog="Example: frontdesk tenant list")
@click.pass_obj
def list_tenants(context: CommandContext) -> None:
    """Show all businesses."""
    for found in context.tenants.all():
        click.echo(f"{found.id}\t{found.settings.name}")


@tenant.command("show", epilog="Example: frontdesk tenant show 1")
@click.argument("tenant_id", metavar="ID")
@click.pass_obj
def show(context: CommandContext, tenant_id: str) -> None:
    """Show a business's settings."""
    click.echo(json.dumps(asdict(context.tenants.get(tenant_id).settings), ensure_ascii=False, indent=2))


@tenant.command(
    "set",
    epilog="Examples: frontdesk tenant set 1 staff_numbers +972501234567   "
    "frontdesk tenant set 1 hours 'Reception 8:00-22:00'",
)
@click.argument("tenant_id", metavar="ID")
@click.argument("setting", type=click.Choice([field.name for field in fields(TenantSettings)]))
@click.argument("values", nargs=-1)
@click.pass_obj
def set_setting(context: CommandContext, tenant_id: str, setting: str, values: tuple[str, ...]) -> None:
    """Change a setting. Lists take several VALUES; none sets it back to its default."""
    settings = asdict(context.tenants.get(tenant_id).settings)
    if isinstance(settings[setting], tuple):
        settings[setting] = values
    elif len(values) > 1:
        raise CommandError(f"{setting} takes one value: put it into quotation marks")
    elif values:
        settings[setting] = values[0]
    else:
        settings[setting] = getattr(TenantSettings(name=""), setting)
    checked = _checked(settings)
    _check_numbers_are_free(context, tenant_id, checked)
    context.tenants.update(tenant_id, checked)
    click.echo(f"Changed {setting} of tenant {tenant_id}.")


def _checked(values: dict[str, Any]) -> TenantSettings:
    """Settings that will work.

    Raises:
        CommandError: saying which would not, and why.
    """
    try:
        settings = SETTINGS.validate_python(values)
    except ValidationError as error:
        fault = error.errors()[0]
        name = str(fault["loc"][0])
        raise CommandError(f"{name}: {_BUDGET_HINT if name in _BUDGETS else fault['msg']}") from None
    if not settings.name.strip():
        raise CommandError("name: a business needs a name")
    if settings.time_zone not in available_timezones():
        raise CommandError(f"time_zone: {settings.time_zone!r} is no time zone; one is Asia/Jerusalem")
    if settings.hand_back_after_minutes < 0:
        raise CommandError("hand_back_after_minutes: must be 0 (never) or more")
    _check_budgets(settings)
    _check_emergency_numbers(settings.emergency_numbers)
    _check_numbers(settings)
    if settings.office_hours and office_timetable(settings.office_hours) is None:
        raise CommandError(f"office_hours: {_OFFICE_HINT}")
    for address in settings.staff_emails:
        if not _ADDRESS.fullmatch(address):
            raise CommandError(f"staff_emails: {address!r} is no e-mail address; one is owner@hotel.example")
    if settings.staff_webhook and urlsplit(settings.staff_webhook).scheme not in ("http", "https"):
        raise CommandError("staff_webhook: must be a URL that begins with https://")
    return settings


def _check_numbers(settings: TenantSettings) -> None:
    for number in settings.staff_numbers:
        if not _NUMBER.fullmatch(number):
            raise CommandError(f"staff_numbers: {number!r} is no phone number; one is +972501234567")
    # Twilio tells and takes them so.
    for number in (*settings.phone_numbers, *filter(None, [settings.transfer_number])):
        if not _INTERNATIONAL.fullmatch(number):
            raise CommandError(f"{number!r} is no phone number with country code; one is +972501234567")


def _check_numbers_are_free(context: CommandContext, tenant_id: str, settings: TenantSettings) -> None:
    """A call finds its business by the number that was called."""
    for other in context.tenants.all():
        taken = set(other.settings.phone_numbers) & set(settings.phone_numbers)
        if other.id != tenant_id and taken:
            raise CommandError(f"phone_numbers: {taken.pop()} is tenant {other.id}'s already")


def _check_budgets(settings: TenantSettings) -> None:
    for name in _BUDGETS:
        # "nan" is a number to the parser; it is in no range.
        if not 0 <= getattr(settings, name) <= _HIGHEST_BUDGET_USD:
            raise CommandError(f"{name}: {_BUDGET_HINT}")


def _check_emergency_numbers(text: str) -> None:
    """They are read by somebody in danger, as they stand."""
    is_line = len(text.splitlines()) <= 1 and len(text) <= _LONGEST_EMERGENCY
    if text and not (is_line and any(character.isdigit() for character in text)):
        raise CommandError(
            "emergency_numbers: must be one line with numbers to call, such as 'ambulance 101, police 100'; "
            f"{_LONGEST_EMERGENCY} characters at most"
        )
