"""``frontdesk backup`` and ``frontdesk restore``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from tqdm import tqdm

from server.backup import installation
from server.backup.archive import Progress
from server.commands.context import CommandContext

_WARNING = """\
Never run two installations with the same link: WhatsApp takes them for one device, and throws both out in
turns. Make sure that the one this backup was made of is stopped for good."""


@click.command(epilog="Example: frontdesk backup /backups/frontdesk-monday.tar.gz")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.pass_obj
def backup(context: CommandContext, file: Path) -> None:
    """Write everything to FILE: database, the link to WhatsApp, secrets. Frontdesk may be running.

    Whoever has the file can read and write in the name of the business: keep it where secrets are kept.
    """
    with tqdm(desc="Backing up", unit=" parts", leave=False, disable=None) as bar:
        installation.back_up(context.database, context.settings.data_dir, file, _move(bar))
    size = file.stat().st_size / 1024 / 1024
    click.echo(f"Wrote {file} ({size:.1f} MiB). It holds keys and messages: keep it as safe as a password.")


@click.command(epilog="Example: frontdesk restore /backups/frontdesk-monday.tar.gz")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--replace", is_flag=True, help="Give up what is here already.")
@click.pass_obj
def restore(context: CommandContext, file: Path, replace: bool) -> None:
    """Put back all that `frontdesk backup` wrote to FILE; stop Frontdesk first."""
    data_dir = context.settings.data_dir
    with tqdm(desc="Restoring", unit=" parts", leave=False, disable=None) as bar:
        manifest = installation.restore(
            context.any_database, data_dir, file, replace=replace, progress=_move(bar)
        )
    click.echo(f"Restored the installation as it was at {manifest.made_at}.")
    click.echo(_WARNING)


def _move(bar: tqdm[Any]) -> Progress:
    """A callback that moves *bar* on by a part."""

    def move(_part: str) -> None:
        bar.update()

    return move
