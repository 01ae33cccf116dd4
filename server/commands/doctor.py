"""``frontdesk doctor``: checks the set-up and says how to mend it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import click

from server.commands.context import CommandContext
from server.commands.run import check_node
from server.errors import AppError, CommandError
from server.secret_files import internal_secret
from server.wiring import make_sidecar

_ROOT = Path(__file__).resolve().parents[2]


@click.command(epilog="Example: frontdesk doctor")
@click.pass_obj
def doctor(context: CommandContext) -> None:
    """Check the set-up, a line each, and say how to mend what is wrong."""
    checks: list[tuple[str, Callable[[], object]]] = [
        ("settings", lambda: context.settings),
        ("node", check_node),
        ("node packages", _check_packages),
        ("internal secret", lambda: internal_secret(context.settings)),
        ("database", lambda: context.database),
        ("businesses", lambda: _check_businesses(context)),
        ("WhatsApp sidecar", lambda: _check_sidecar(context)),
    ]
    faults = sum(not _passes(name, check) for name, check in checks)
    sys.exit(1 if faults else 0)


def _passes(name: str, check: Callable[[], object]) -> bool:
    try:
        check()
    except AppError as error:
        click.echo(f"{name:18} no   {error}")
        return False
    click.echo(f"{name:18} ok")
    return True


def _check_packages() -> None:
    if not (_ROOT / "node_modules" / "baileys").is_dir():
        raise CommandError("they are missing: run `make setup`")


def _check_businesses(context: CommandContext) -> None:
    if not context.tenants.all():
        raise CommandError("there is none: `frontdesk seed` adds the demo, `frontdesk tenant add` your own")


def _check_sidecar(context: CommandContext) -> None:
    if not make_sidecar(context.settings, context.database).is_up():
        raise CommandError("it does not answer: start it with `frontdesk run`")
