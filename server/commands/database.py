"""``frontdesk migrate`` and ``frontdesk seed``."""

from __future__ import annotations

import click
from tqdm import tqdm

from server.commands.context import CommandContext
from server.commands.progress import show_on
from server.demo.seed import is_seeded, seed_demo
from server.store import migrate as migrations


@click.command(epilog="Example: DATABASE_URL=postgresql://desk@db/desk frontdesk migrate")
@click.pass_obj
def migrate(context: CommandContext) -> None:
    """Bring the database's tables up to date; harmless when they are."""
    if not bring_up_to_date(context):
        click.echo("The database is up to date.")


@click.command(epilog="Example: frontdesk seed")
@click.pass_obj
def seed(context: CommandContext) -> None:
    """Add the demo business as tenant 1, with a staff login, if there is no tenant 1."""
    if not seed_once(context):
        click.echo("Tenant 1 is there already; nothing was changed.")


def bring_up_to_date(context: CommandContext) -> bool:
    """Run missing migrations; False if there were none."""
    if migrations.is_current(context.any_database):
        return False
    migrations.migrate(context.any_database)
    click.echo("The database has been brought up to date.")
    return True


def seed_once(context: CommandContext) -> bool:
    """Add the demo business unless there is a tenant 1; False if there was."""
    if is_seeded(context.tenants):
        return False
    with tqdm(desc="Reading the demo business", unit=" texts", total=0, leave=False) as bar:
        seeded = seed_demo(
            context.tenants, context.knowledge, context.users, context.embedder(), show_on(bar)
        )
    click.echo(f"Added the demo business {seeded.business!r} as tenant 1, with {seeded.documents} documents.")
    click.echo(f"Staff login: {seeded.user}   password (shown only now): {seeded.password}")
    return True
