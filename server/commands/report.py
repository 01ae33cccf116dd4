"""``frontdesk report``: a business's day, as staff read it the next morning."""

from __future__ import annotations

import click

from server.commands.context import CommandContext
from server.domain.report_text import report_text
from server.domain.reports import read_day
from server.store.reports import Reports


@click.command(
    epilog="Examples: frontdesk report 1   frontdesk report 1 --day 2026-11-21",
)
@click.argument("tenant_id", metavar="TENANT")
@click.option("--day", default="", metavar="YYYY-MM-DD", help="Another day than yesterday, such as today.")
@click.pass_obj
def report(context: CommandContext, tenant_id: str, day: str) -> None:
    """Show what was promised on a day, to whom, what is open, how quick the answers were, what it cost.

    The day is yesterday, by the business's own clock.
    """
    name = context.tenants.get(tenant_id).settings.name
    reports = Reports(context.database, context.clock)
    wanted = read_day(day, reports.today(tenant_id))
    click.echo(report_text(reports.report(tenant_id, wanted), name, context.settings.console_url))
