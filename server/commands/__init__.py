"""The ``frontdesk`` command."""

from __future__ import annotations

import sys

import click

from server.commands.ask import ask
from server.commands.backup import backup, restore
from server.commands.bench import bench
from server.commands.context import CommandContext
from server.commands.database import migrate, seed
from server.commands.doctor import doctor
from server.commands.evaluate import evaluate
from server.commands.keys import keys
from server.commands.knowledge import knowledge
from server.commands.link import link
from server.commands.requeue import requeue
from server.commands.run import run
from server.commands.tenants import tenant
from server.commands.users import user
from server.errors import AppError
from server.observability.logs import configure_logging


@click.group(epilog="Example: frontdesk ask --tenant 1 'When is check-in?'")
@click.version_option(package_name="frontdesk")
@click.pass_context
def cli(context: click.Context) -> None:
    """The AI front desk: answers guests on WhatsApp from the business's own knowledge."""
    configure_logging("WARNING")
    context.obj = CommandContext()


for command in (
    ask,
    backup,
    bench,
    doctor,
    evaluate,
    keys,
    knowledge,
    link,
    migrate,
    requeue,
    restore,
    run,
    seed,
    tenant,
    user,
):
    cli.add_command(command)


def main() -> None:
    """Run the command line; what goes wrong is said in one sentence."""
    try:
        cli()
    except AppError as error:
        click.echo(f"frontdesk: {error}", err=True)
        sys.exit(1)
