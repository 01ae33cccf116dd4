"""``frontdesk report``: a business's day, as staff read it the next morning."""

from __future__ import annotations

import click

from server.commands.context import CommandContext
from server.domain.reports import read_day
from server.report_text import report_lines
from server.store.reports import Reports
from server.translations import plain_text, told_in


@click.command(
    epilog="Examples: frontdesk report 1   frontdesk report 1 --day 2026-11-21",
)
@click.argument("tenant_id", metavar="TENANT")
@click.option("--day", default="", metavar="YYYY-MM-DD", help="Another day than yesterday, such as today.")
@click.pass_obj
def report(context: CommandContext, tenant_id: str, day: str) -> None:
    """Show what was promised on a day, to whom, what is open, how quick the answers were, what it cost.

    The day is yesterday, by the business's own clock; the language that of its team.
    """
    settings = context.tenants.get(tenant_id).settings
    reports = Reports(context.database, context.clock)
    wanted = read_day(day, reports.today(tenant_id))
    lines = report_lines(reports.report(tenant_id, wanted), settings.name, context.settings.console_url)
    click.echo(plain_text(lines, told_in(settings)))
