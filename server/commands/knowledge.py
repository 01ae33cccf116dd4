"""``frontdesk knowledge``: what a business tells its guests."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import click
from tqdm import tqdm

from server.commands.context import CommandContext
from server.commands.progress import show_on
from server.domain.knowledge import Document
from server.errors import CommandError
from server.knowledge.files.confined import read_confined
from server.knowledge.files.documents import joined
from server.knowledge.ingest import import_documents
from server.ports.knowledge import Changes

_TENANT = click.option("--tenant", "tenant_id", required=True, help="The business, by its id.")
_FILES = click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))


@click.group(epilog="Example: frontdesk knowledge import faq.md --tenant 7")
def knowledge() -> None:
    """What a business tells its guests."""


@knowledge.command(
    "import",
    epilog="Examples: frontdesk knowledge import faq.jsonl --tenant 7   "
    "frontdesk knowledge import faq.he.md rules.pdf --tenant 7",
)
@_FILES
@_TENANT
@click.option("--keep-missing", is_flag=True, help="Keep documents that the files no longer hold.")
@click.pass_obj
def import_files(
    context: CommandContext, files: tuple[Path, ...], tenant_id: str, keep_missing: bool
) -> None:
    """Add the documents of each FILE, replacing those of the same id.

    FILE is JSON lines ({"id": ..., "title": ..., "body": ...}), Markdown, HTML, Word (.docx) or PDF, where
    each heading with its text is a document. What came in a file of the same name before and is no longer
    in it is removed. If anything in a file is wrong, nothing is imported.
    """
    tenant = context.tenants.get(tenant_id)
    documents = _read(files)
    with tqdm(desc="Embedding", unit=" texts", total=0, leave=False) as bar:
        changes = import_documents(
            context.knowledge,
            context.embedder(),
            tenant,
            documents,
            whole_sources=() if keep_missing else {file.name for file in files},
            threads=os.cpu_count() or 1,
            progress=show_on(bar),
        )
    click.echo(f"Read {len(documents)} documents for {tenant.settings.name}: {_told(changes)}.")
    if changes.taken_over:
        click.echo(
            "These ids came from another file before, whose documents were replaced: "
            + ", ".join(changes.taken_over)
        )


@knowledge.command("check", epilog="Example: frontdesk knowledge check house-rules.pdf")
@_FILES
def check(files: tuple[Path, ...]) -> None:
    """Show what each FILE would become, without importing it: ids, lengths and titles."""
    for document in _read(files):
        click.echo("\t".join((document.id, f"{len(document.body)} characters", *_shown(document))))


@knowledge.command("list", epilog="Example: frontdesk knowledge list --tenant 1")
@_TENANT
@click.pass_obj
def list_documents(context: CommandContext, tenant_id: str) -> None:
    """Show a business's documents: id, language, title, season, hours and file."""
    documents = context.knowledge.documents(context.tenants.get(tenant_id).id)
    if not documents:
        raise CommandError(
            f"tenant {tenant_id} has no documents yet: add some with"
            f" `frontdesk knowledge import FILE --tenant {tenant_id}`"
        )
    for document in documents:
        click.echo("\t".join((document.id, document.language, *_shown(document), document.source)))


@knowledge.command("remove", epilog="Example: frontdesk knowledge remove pool sauna --tenant 1")
@click.argument("ids", metavar="ID...", nargs=-1, required=True)
@_TENANT
@click.pass_obj
def remove(context: CommandContext, ids: tuple[str, ...], tenant_id: str) -> None:
    """Remove documents by their ids; if one is not there, none is removed."""
    removed = set(ids)
    context.knowledge.remove_documents(context.tenants.get(tenant_id).id, removed)
    click.echo(f"Removed {len(removed)} {'document' if len(removed) == 1 else 'documents'}.")


def _read(files: Sequence[Path]) -> list[Document]:
    """The documents of all *files*.

    Raises:
        InvalidRequest: one cannot be read, or two would replace what the other says.
    """
    shown = tqdm(files, desc="Reading", unit=" files", leave=False, disable=len(files) == 1)
    return joined((str(file), read_confined(file)) for file in shown)


def _told(changes: Changes) -> str:
    return (
        f"{changes.new} new, {changes.changed} changed, {changes.unchanged} unchanged,"
        f" {changes.removed} removed"
    )


def _shown(document: Document) -> tuple[str, str, str]:
    """Title, season, hours."""
    season = f"{document.valid_from}..{document.valid_until}"
    return document.title, "" if season == ".." else season, document.hours
