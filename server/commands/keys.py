"""``frontdesk keys``: keys of the chat API."""

from __future__ import annotations

import click

from server.commands.context import CommandContext
from server.store.keys import ApiKeys


@click.group(epilog="Example: frontdesk keys create --tenant 1")
def keys() -> None:
    """Keys of the chat API."""


@keys.command("create", epilog="Example: frontdesk keys create --tenant 1 --name website")
@click.option("--tenant", "tenant_id", required=True, help="The business the key is for.")
@click.option("--name", default="", help="What you will know it by when it is to be revoked.")
@click.pass_obj
def create(context: CommandContext, tenant_id: str, name: str) -> None:
    """Make a key and print it: it cannot be shown again."""
    key = ApiKeys(context.database, context.clock).create(tenant_id, name)
    click.echo("Send it as `Authorization: Bearer KEY`. It is shown only now:")
    click.echo(key)


@keys.command("list", epilog="Example: frontdesk keys list --tenant 1")
@click.option("--tenant", "tenant_id", required=True, help="The business whose keys are shown.")
@click.pass_obj
def list_keys(context: CommandContext, tenant_id: str) -> None:
    """Show a business's keys: id, name, since when, and whether it was revoked."""
    context.tenants.get(tenant_id)
    for key in ApiKeys(context.database, context.clock).all(tenant_id):
        state = f"revoked {key.revoked_at:%Y-%m-%d}" if key.revoked_at else "in use"
        click.echo(f"{key.id}\t{key.name or '-'}\t{key.created_at:%Y-%m-%d}\t{state}")


@keys.command("revoke", epilog="Example: frontdesk keys revoke 3 --tenant 1")
@click.argument("key_id", type=int, metavar="ID")
@click.option("--tenant", "tenant_id", required=True, help="The business whose key it is.")
@click.pass_obj
def revoke(context: CommandContext, key_id: int, tenant_id: str) -> None:
    """Let a key open nothing any more, from now on."""
    ApiKeys(context.database, context.clock).revoke(tenant_id, key_id)
    click.echo(f"Key {key_id} opens nothing any more.")
