"""``frontdesk call``: what was said on the phone, and how it sounded."""

from __future__ import annotations

import json
import shutil
from contextlib import closing
from pathlib import Path

import click

from server.channels.call_json import call_as_json
from server.commands.context import CommandContext
from server.errors import CommandError
from server.store.call_log import CallQueries
from server.voice.recorded import find_audio, find_recording
from server.wiring import make_recording_shelf

_tenant = click.option("--tenant", "tenant_id", metavar="ID", required=True, help="The business's id.")


@click.group(epilog="Example: frontdesk call show CA0123 --tenant 1")
def call() -> None:
    """What was said on the phone, and how it sounded."""


@call.command("show", epilog="Example: frontdesk call show CA0123 --tenant 1")
@click.argument("call_id", metavar="CALL_ID")
@_tenant
@click.pass_obj
def show(context: CommandContext, call_id: str, tenant_id: str) -> None:
    """Show a call as JSON: its turns with what they rest on and how long they took, its recordings."""
    found = CallQueries(context.database).call(tenant_id, call_id)
    click.echo(json.dumps(call_as_json(found), ensure_ascii=False, indent=2))


@call.command("recording", epilog="Example: frontdesk call recording CA0123 --tenant 1 --to call.wav")
@click.argument("call_id", metavar="CALL_ID")
@_tenant
@click.option(
    "--to", "target", metavar="FILE", required=True, type=click.Path(path_type=Path, dir_okay=False)
)
@click.option("--number", default=1, show_default=True, help="Which, if the call has several.")
@click.pass_obj
def recording(context: CommandContext, call_id: str, tenant_id: str, target: Path, number: int) -> None:
    """Write a recording into FILE, a WAV: the caller left, the desk right. There it is not encrypted."""
    found = CallQueries(context.database).call(tenant_id, call_id)
    audio = find_audio(make_recording_shelf(context.settings), found, find_recording(found, number))
    with closing(audio.file):
        try:
            with target.open("xb") as file:
                shutil.copyfileobj(audio.file, file)
        except FileExistsError:
            raise CommandError(f"{target} is there already: give another name") from None
        except OSError as error:
            raise CommandError(f"{target} cannot be written: {error.strerror}") from None
    if not audio.is_complete:
        click.echo("The recording has no end: the call is going on, or it broke off.", err=True)
    click.echo(f"Wrote {audio.size:,} bytes to {target}.")
