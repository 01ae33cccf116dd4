"""``frontdesk knowledge``: what a business tells its guests."""

from __future__ import annotations

import os
from pathlib import Path

import click
from tqdm import tqdm

from server.commands.context import CommandContext
from server.commands.progress import show_on
from server.errors import CommandError
from server.knowledge.ingest import import_documents
from server.knowledge.parse import read_documents

_TENANT = click.option("--tenant", "tenant_id", required=True, help="The business, by its id.")


@click.group(epilog="Example: frontdesk knowledge import faq.md --tenant 7")
def knowledge() -> None:
    """What a business tells its guests."""


@knowledge.command(
    "import",
    epilog="Examples: frontdesk knowledge import faq.jsonl --tenant 7   "
    "frontdesk knowledge import faq.he.md --tenant 7",
)
@click.argument("file", type=click.Path(path_type=Path))
@_TENANT
@click.pass_obj
def import_file(context: CommandContext, file: Path, tenant_id: str) -> None:
    """Add the documents of FILE, replacing those of the same id.

    FILE is JSON lines ({"id": …, "title": …, "body": …}) or Markdown, where each heading with its text is
    a document. If anything in it is wrong, nothing is imported.
    """
    tenant = context.tenants.get(tenant_id)
    documents = read_documents(file)
    with tqdm(desc="Embedding", unit=" texts", total=0, leave=False) as bar:
        changed = import_documents(
            context.knowledge,
            context.embedder(),
            tenant,
            documents,
            threads=os.cpu_count() or 1,
            progress=show_on(bar),
        )
    click.echo(f"Read {len(documents)} documents for {tenant.settings.name}: {changed} new or changed.")


@knowledge.command("list", epilog="Example: frontdesk knowledge list --tenant 1")
@_TENANT
@click.pass_obj
def list_documents(context: CommandContext, tenant_id: str) -> None:
    """Show a business's documents: id, language and title."""
    documents = context.knowledge.documents(context.tenants.get(tenant_id).id)
    if not documents:
        raise CommandError(
            f"tenant {tenant_id} has no documents yet: add some with"
            f" `frontdesk knowledge import FILE --tenant {tenant_id}`"
        )
    for document in documents:
        click.echo(f"{document.id}\t{document.language}\t{document.title}")
