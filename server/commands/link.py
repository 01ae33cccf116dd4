"""``frontdesk link``: link a business's WhatsApp number."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Mapping
from typing import Any

import click
import segno

from server.commands.context import CommandContext
from server.errors import CommandError, ProviderUnavailable
from server.ports.messaging import NumberLinker
from server.wiring import make_sidecar

POLL_S = 0.5
# For so long codes are renewed; whoever comes later asks again.
PATIENCE_S = 600.0
START_PATIENCE_S = 15.0

Say = Callable[[str], None]


@click.command(epilog="Examples: frontdesk link 1   frontdesk link 1 --phone +972501234567")
@click.argument("tenant_id", metavar="TENANT")
@click.option("--phone", help="Show a pairing code for this number instead of a QR code.")
@click.pass_obj
def link(context: CommandContext, tenant_id: str, phone: str | None) -> None:
    """Link TENANT's WhatsApp number: shows a code to scan and waits until it has been."""
    context.tenants.get(tenant_id)
    sidecar = make_sidecar(context.settings, context.database)
    await_sidecar(sidecar)
    try:
        show_link(sidecar, tenant_id, phone, click.echo)
    except ProviderUnavailable:
        raise CommandError("the WhatsApp sidecar has stopped") from None


def await_sidecar(sidecar: NumberLinker) -> None:
    """Wait until the sidecar answers.

    Raises:
        CommandError: it does not.
    """
    deadline = time.monotonic() + START_PATIENCE_S
    while not sidecar.is_up():
        if time.monotonic() > deadline:
            raise CommandError("the WhatsApp sidecar does not answer: start it with `frontdesk run`")
        time.sleep(POLL_S)


def show_link(sidecar: NumberLinker, tenant_id: str, phone: str | None, say: Say) -> None:
    """Connect the tenant's number and show each new code until it is linked.

    Raises:
        CommandError: WhatsApp refuses the number, or nobody scanned in time.
        ProviderUnavailable: the sidecar has gone.
    """
    sidecar.connect(tenant_id, phone)
    shown: str | None = None
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        state = sidecar.state(tenant_id)
        if state["state"] == "open":
            say(f"WhatsApp is linked: guests of tenant {tenant_id} are answered from now on.")
            return
        if state["state"] in ("blocked", "logged_out"):
            raise CommandError(f"WhatsApp: {state.get('reason') or state['state']}")
        news = _news(state)
        if news and news != shown:
            shown = news
            say(news)
        time.sleep(POLL_S)
    raise CommandError(f"nobody linked the number in time: `frontdesk link {tenant_id}` shows a new code")


def _news(state: Mapping[str, Any]) -> str:
    """What there is to show: a code, or why there is none yet."""
    if state.get("qr"):
        return _qr_text(state["qr"])
    if state.get("pairingCode"):
        return _pairing_text(state["pairingCode"])
    return f"{state['reason']} ..." if state.get("reason") else ""


def _qr_text(code: str) -> str:
    drawn = io.StringIO()
    segno.make(code, error="l").terminal(drawn, compact=True, border=2)
    # Light on dark in every terminal: a camera wants to see the light modules lighter.
    lines = [click.style(line, fg="bright_white", bg="black") for line in drawn.getvalue().splitlines()]
    return (
        "\n".join(lines) + "\n\n"
        "Next: on the business's phone open WhatsApp > Settings > Linked devices > Link a device, and scan."
    )


def _pairing_text(code: str) -> str:
    return (
        f"Pairing code: {code[:4]}-{code[4:]}\n"
        "Next: on the business's phone open WhatsApp > Settings > Linked devices > Link a device >\n"
        "Link with phone number instead, and enter the code."
    )
