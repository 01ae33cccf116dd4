"""``frontdesk user``: staff who may log in to the console."""

from __future__ import annotations

import click

from server.commands.context import CommandContext
from server.domain.modes import OPERATOR
from server.domain.passwords import make_password
from server.domain.staff import Role


@click.group(epilog="Example: frontdesk user add Noa --tenant 1")
def user() -> None:
    """Staff who may log in to the console."""


@user.command("add", epilog="Example: frontdesk user add Noa --tenant 1 --role staff")
@click.argument("name")
@click.option("--tenant", "tenant_id", required=True, help="The business whose conversations NAME sees.")
@click.option(
    "--role", type=click.Choice([role.value for role in Role]), default=Role.OWNER.value, show_default=True
)
@click.pass_obj
def add(context: CommandContext, name: str, tenant_id: str, role: str) -> None:
    """Add a user and print a password: it cannot be shown again."""
    password = make_password()
    added = context.users.add(tenant_id, name, password, Role(role))
    click.echo(f"{added.name} may log in at {context.settings.console_url}/console")
    click.echo("The password, shown only now:")
    click.echo(password)


@user.command("list", epilog="Example: frontdesk user list --tenant 1")
@click.option("--tenant", "tenant_id", required=True, help="The business whose staff are shown.")
@click.pass_obj
def list_users(context: CommandContext, tenant_id: str) -> None:
    """Show a business's staff: name, role, second factor, since when, and who is disabled."""
    context.tenants.get(tenant_id)
    for found in context.users.all(tenant_id):
        factor = "second factor" if found.has_second_factor else "password alone"
        state = "disabled" if found.is_disabled else "may log in"
        click.echo(f"{found.name}\t{found.role}\t{factor}\t{found.created_at:%Y-%m-%d}\t{state}")


@user.command("reset", epilog="Example: frontdesk user reset Noa")
@click.argument("name")
@click.option("--keep-second-factor", is_flag=True, help="Ask for codes of the same app as before.")
@click.pass_obj
def reset(context: CommandContext, name: str, *, keep_second_factor: bool) -> None:
    """Give a user another password and print it; all sessions of that user end.

    The second factor is switched off, for whoever has lost the phone that made its codes.
    """
    found = context.users.named(name)
    password = make_password()
    context.users.set_password(found, password, OPERATOR)
    if not keep_second_factor:
        context.users.drop_second_factor(found.tenant_id, found.id, OPERATOR)
    click.echo(f"The new password of {found.name}, shown only now:")
    click.echo(password)


@user.command("disable", epilog="Example: frontdesk user disable Noa")
@click.argument("name")
@click.pass_obj
def disable(context: CommandContext, name: str) -> None:
    """Let a user in no more; all sessions of that user end."""
    found = context.users.named(name)
    context.users.disable(found.tenant_id, found.id, OPERATOR)
    click.echo(f"{found.name} cannot log in any more.")


@user.command("enable", epilog="Example: frontdesk user enable Noa")
@click.argument("name")
@click.pass_obj
def enable(context: CommandContext, name: str) -> None:
    """Let a user who was disabled in again."""
    found = context.users.named(name)
    context.users.enable(found.tenant_id, found.id, OPERATOR)
    click.echo(f"{found.name} may log in again.")
