"""``frontdesk user``: staff who may log in to the console."""

from __future__ import annotations

import secrets

import click

from server.commands.context import CommandContext
from server.store.users import Users

_PASSWORD_BYTES = 15


@click.group(epilog="Example: frontdesk user add Noa --tenant 1")
def user() -> None:
    """Staff who may log in to the console."""


@user.command("add", epilog="Example: frontdesk user add Noa --tenant 1")
@click.argument("name")
@click.option("--tenant", "tenant_id", required=True, help="The business whose conversations NAME sees.")
@click.pass_obj
def add(context: CommandContext, name: str, tenant_id: str) -> None:
    """Add a user and print a password: it cannot be shown again."""
    password = secrets.token_urlsafe(_PASSWORD_BYTES)
    added = Users(context.database, context.clock).add(tenant_id, name, password)
    click.echo(f"{added.name} may log in at {context.settings.console_url}/console")
    click.echo("The password, shown only now:")
    click.echo(password)


@user.command("reset", epilog="Example: frontdesk user reset Noa")
@click.argument("name")
@click.pass_obj
def reset(context: CommandContext, name: str) -> None:
    """Give a user another password and print it; all sessions of that user end."""
    password = secrets.token_urlsafe(_PASSWORD_BYTES)
    changed = Users(context.database, context.clock).set_password(name, password)
    click.echo(f"The new password of {changed.name}, shown only now:")
    click.echo(password)
