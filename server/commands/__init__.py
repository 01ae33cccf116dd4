"""The ``frontdesk`` command."""

from __future__ import annotations

import sys
from importlib import import_module

import click

from server.commands.context import CommandContext
from server.errors import AppError
from server.observability.logs import configure_logging

# Where each command is; its module is imported when the command is used, as all of them take a second.
_COMMANDS = {
    "ask": "ask:ask",
    "backup": "backup:backup",
    "bench": "bench:bench",
    "call": "calls:call",
    "doctor": "doctor:doctor",
    "eval": "evaluate:evaluate",
    "guest": "guests:guest",
    "keys": "keys:keys",
    "knowledge": "knowledge:knowledge",
    "link": "link:link",
    "migrate": "database:migrate",
    "report": "report:report",
    "requeue": "requeue:requeue",
    "restore": "backup:restore",
    "run": "run:run",
    "seed": "database:seed",
    "tenant": "tenants:tenant",
    "user": "users:user",
}


class Commands(click.Group):
    """The commands of ``_COMMANDS``."""

    def list_commands(self, _context: click.Context) -> list[str]:
        """Their names, in the order of the help page."""
        return list(_COMMANDS)

    def resolve_command(
        self, context: click.Context, arguments: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Raises click.NoSuchCommand, which names those that are spelt alike."""
        try:
            return super().resolve_command(context, arguments)
        except click.exceptions.NoSuchCommand as error:
            raise click.exceptions.NoSuchCommand(
                error.command_name, possibilities=_COMMANDS, ctx=context
            ) from None

    def get_command(self, _context: click.Context, name: str) -> click.Command | None:
        """The command *name*; None if there is none."""
        if name not in _COMMANDS:
            return None
        module, _, attribute = _COMMANDS[name].partition(":")
        command: click.Command = getattr(import_module(f"{__name__}.{module}"), attribute)
        return command


@click.group(cls=Commands, epilog="Example: frontdesk ask --tenant 1 'When is check-in?'")
@click.version_option(package_name="frontdesk")
@click.pass_context
def cli(context: click.Context) -> None:
    """The AI front desk: answers guests on WhatsApp from the business's own knowledge."""
    configure_logging("WARNING")
    context.obj = CommandContext()


def main() -> None:
    """Run the command line; what goes wrong is said in one sentence."""
    try:
        cli()
    except AppError as error:
        click.echo(f"frontdesk: {error}", err=True)
        sys.exit(1)
