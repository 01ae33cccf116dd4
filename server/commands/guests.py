"""``frontdesk guest``: what is kept of one guest, handed out or erased."""

from __future__ import annotations

import json
from pathlib import Path

import click

from server.commands.context import CommandContext
from server.domain.modes import OPERATOR
from server.store.guest_data import GuestData
from server.store.leases import Leases, make_ownership
from server.wiring import make_eraser, make_sidecar


@click.group(epilog="Example: frontdesk guest export 12 --tenant 1 --out guest-12.json")
def guest() -> None:
    """What is kept of one guest. ID stands in the console's address of the guest's data."""


@guest.command("export", epilog="Example: frontdesk guest export 12 --tenant 1 --out guest-12.json")
@click.argument("guest_id", type=int, metavar="ID")
@click.option("--tenant", "tenant_id", required=True, help="The business whose guest it is.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="A file instead of the screen.")
@click.pass_obj
def export(context: CommandContext, guest_id: int, tenant_id: str, out: Path | None) -> None:
    """Hand out all that is kept of a guest, as JSON."""
    data = GuestData(context.database, context.clock).export(tenant_id, guest_id, OPERATOR)
    text = json.dumps(data, ensure_ascii=False, indent=2)
    if out is None:
        click.echo(text)
    else:
        out.write_text(text + "\n", encoding="utf-8")
        click.echo(f"Wrote {out}.")


@guest.command("erase", epilog="Example: frontdesk guest erase 12 --tenant 1")
@click.argument("guest_id", type=int, metavar="ID")
@click.option("--tenant", "tenant_id", required=True, help="The business whose guest it is.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def erase(context: CommandContext, guest_id: int, tenant_id: str, *, yes: bool) -> None:
    """Erase a guest for good: messages, files, recordings, notes and all.

    The WhatsApp sidecar must run, unless the guest has never been on WhatsApp.
    """
    if not yes:
        click.confirm(f"Erase guest {guest_id} for good?", abort=True)
    settings, database = context.settings, context.database
    leases = Leases(database, make_ownership(database, settings.data_dir), settings.lease_s)
    sidecar = make_sidecar(settings, database)
    try:
        make_eraser(settings, database, leases, sidecar).erase(tenant_id, guest_id, OPERATOR)
    finally:
        sidecar.close()
        leases.close()
    click.echo(f"Guest {guest_id} is erased.")
