"""``frontdesk tenant``: businesses and their settings."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, fields
from typing import Any

import click

from server.commands.context import CommandContext
from server.domain.tenants import TenantSettings
from server.errors import CommandError
from server.tenant_settings import check_settings, taken_numbers

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


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
    checked = check_settings(values)
    if checked.faults:
        raise CommandError(str(checked.faults[0]))
    return checked.settings


def _check_numbers_are_free(context: CommandContext, tenant_id: str, settings: TenantSettings) -> None:
    for number, other in taken_numbers(tenant_id, settings, context.tenants.all()).items():
        raise CommandError(f"phone_numbers: {number} is tenant {other}'s already")
