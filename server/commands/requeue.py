"""``frontdesk requeue``: gives replies that were given up another try."""

from __future__ import annotations

import click

from server.commands.context import CommandContext
from server.store.outbox import Outbox


@click.command(epilog="Example: frontdesk requeue --tenant 1")
@click.option("--tenant", "tenant_id", required=True, help="The business whose failed replies to send again.")
@click.pass_obj
def requeue(context: CommandContext, tenant_id: str) -> None:
    """Send again what could not be sent, under the same message ids; what WhatsApp refused stays refused."""
    context.tenants.get(tenant_id)
    count = Outbox(context.database, context.clock).requeue(tenant_id)
    click.echo(f"{count} {'message goes' if count == 1 else 'messages go'} out again.")
