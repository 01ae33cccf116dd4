"""``frontdesk ask``: what a guest would be answered, without a guest."""

from __future__ import annotations

import asyncio

import click

from server.commands.context import CommandContext
from server.desk import make_engine
from server.domain.conversations import Reply, lone_turn
from server.domain.messages import Channel
from server.wiring import real_ports


@click.command(epilog="Example: frontdesk ask --tenant 1 'When is check-in?'")
@click.option("--tenant", "tenant_id", required=True, help="The business that is asked.")
@click.argument("question")
@click.pass_obj
def ask(context: CommandContext, tenant_id: str, question: str) -> None:
    """Answer QUESTION as a guest would be answered, with sources and timings; nothing is kept."""
    turn = lone_turn(context.tenants.get(tenant_id), Channel.CHAT, question, context.clock.now())
    ports = real_ports(context.settings, context.database)
    try:
        _show(asyncio.run(make_engine(context.settings, ports).answer(turn)))
    finally:
        ports.close()


def _show(reply: Reply) -> None:
    click.echo(reply.text)
    click.echo()
    click.echo(f"from: {reply.source}" + ("   staff would be told" if reply.handover else ""))
    for citation in reply.citations:
        click.echo(f"source: {citation.document}  {citation.title}  ({citation.score:.2f})")
    spans = "  ".join(f"{name} {milliseconds:.1f} ms" for name, milliseconds in reply.timings_ms.items())
    click.echo(f"timings: {spans}")
