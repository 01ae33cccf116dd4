"""Tells whoever ran ``frontdesk run`` that it is up and how to link WhatsApp; a process of its own."""

from __future__ import annotations

import sys
import time
from functools import partial

import click
import requests

from server.commands.link import await_sidecar, show_link
from server.errors import AppError, CommandError, ProviderUnavailable
from server.observability.logs import configure_logging
from server.settings import Settings, read_settings
from server.store.session import Database
from server.wiring import make_sidecar

DEMO_TENANT = "1"
POLL_S = 0.1
WEB_PATIENCE_S = 30.0
WEB_TIMEOUT_S = 2.0


def main() -> None:
    """Wait for the processes, then show the way in."""
    configure_logging("ERROR")
    say = partial(click.echo, file=sys.stdout)
    try:
        settings = read_settings()
        _await_web(settings)
        sidecar = make_sidecar(settings, Database(settings.database))
        await_sidecar(sidecar)
        say(f"\nFrontdesk is ready. Console: {settings.console_url}/console   Stop it with Ctrl-C.\n")
        show_link(sidecar, DEMO_TENANT, None, say)
    except ProviderUnavailable:
        # Everything is being stopped.
        return
    except AppError as error:
        click.echo(f"frontdesk: {error}", err=True)


def _await_web(settings: Settings) -> None:
    deadline = time.monotonic() + WEB_PATIENCE_S
    url = f"http://127.0.0.1:{settings.port}/readyz"
    while True:
        try:
            if requests.get(url, timeout=WEB_TIMEOUT_S).ok:
                return
        except requests.RequestException:
            pass
        if time.monotonic() > deadline:
            raise CommandError("the web process does not become ready; its log above says why")
        time.sleep(POLL_S)


if __name__ == "__main__":
    main()
