"""``frontdesk keys``: keys of the chat API."""

from __future__ import annotations

import click

from server.commands.context import CommandContext
from server.store.keys import ApiKeys


@click.group(epilog="Example: frontdesk keys create --tenant 1")
def keys() -> None:
    """Keys of the chat API."""


@keys.command("create", epilog="Example: frontdesk keys create --tenant 1")
@click.option("--tenant", "tenant_id", required=True, help="The business the key is for.")
@click.pass_obj
def create(context: CommandContext, tenant_id: str) -> None:
    """Make a key and print it: it cannot be shown again."""
    key = ApiKeys(context.database, context.clock).create(tenant_id)
    click.echo("Send it as `Authorization: Bearer KEY`. It is shown only now:")
    click.echo(key)
