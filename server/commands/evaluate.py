"""`frontdesk eval`: how good the answers are, on questions whose right documents are known."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import click
from tqdm import tqdm

from server.commands.context import CommandContext
from server.commands.progress import show_on
from server.domain.tenants import Tenant, TenantSettings
from server.knowledge.answer import EmbeddedAnswers, Thresholds
from server.knowledge.evaluate import (
    Business,
    Outcome,
    Question,
    Score,
    Scores,
    ask,
    read_businesses,
    read_questions,
    score,
)
from server.knowledge.index import embedded_texts
from server.knowledge.retrieve import Retriever
from server.knowledge.vectors import embed_missing, text_hash
from server.ports.ai import Embedder
from server.ports.clock import Clock
from server.ports.knowledge import KnowledgeStore
from server.store.knowledge import Knowledge
from server.store.migrate import migrate
from server.store.models import VectorRow
from server.store.session import Database
from server.store.tenants import Tenants

_COLUMNS = ("n", "right", "offered", "asked_team", "wrong", "top1", "top3")
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_NEW_FILE = click.File("w", encoding="utf-8", lazy=False)
_EPILOG = """\b
Example:
  frontdesk eval questions.jsonl --businesses businesses.jsonl --out answers.jsonl

\b
A line of QUESTIONS, whose last line is the question; gold is [] where nothing answers it:
  {"id": "q1", "source": "typed", "tenant": "7",
   "history": [{"role": "guest", "text": "Do you have parking?"}], "gold": ["parking"]}

\b
A line of --businesses:
  {"tenant": "7", "name": "Hill Inn",
   "documents": [{"id": "parking", "title": "Parking", "body": "Behind the house."}]}
"""


@click.command("eval", epilog=_EPILOG)
@click.argument("questions", type=_FILE)
@click.option("--businesses", type=_FILE, required=True, help="The businesses that are asked, JSON lines.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of the table.")
@click.option("--out", type=_NEW_FILE, help="Write a line for each question to this file.")
@click.pass_obj
def evaluate(
    context: CommandContext, questions: Path, businesses: Path, as_json: bool, out: TextIO | None
) -> None:
    """Score the embedded answers on QUESTIONS whose right documents are known.

    Works in a scratch database. Vectors are kept for the next time under DATA_DIR/cache.
    """
    known = read_businesses(businesses)
    asked = read_questions(questions, known)
    outcomes = _run(context, known, asked)
    if out is not None:
        lines = [json.dumps(outcome.as_line(), ensure_ascii=False) + "\n" for outcome in outcomes]
        out.writelines(lines)
    result = score(outcomes)
    click.echo(json.dumps(result.as_json()) if as_json else _table(result))


def _run(
    context: CommandContext, known: Mapping[str, Business], questions: Sequence[Question]
) -> list[Outcome]:
    embedder = context.embedder()
    businesses = [known[key] for key in dict.fromkeys(question.tenant for question in questions)]
    with _scratch_database() as database:
        store = Knowledge(database, context.clock)
        _embed(store, embedder, businesses, context.settings.data_dir / "cache", context.clock)
        tenants = _add(businesses, Tenants(database, context.clock), store)
        settings = context.settings
        thresholds = Thresholds(settings.answer_threshold, settings.offer_threshold)
        asking = ask(EmbeddedAnswers(Retriever(store, embedder), thresholds), tenants, questions)
        return list(tqdm(asking, "Asking", total=len(questions), unit=" questions"))


@contextmanager
def _scratch_database() -> Iterator[Database]:
    with tempfile.TemporaryDirectory(prefix="frontdesk-eval-") as folder:
        database = Database(f"sqlite:///{folder}/scratch.db")
        migrate(database)
        yield database
        database.close()


def _embed(
    store: KnowledgeStore, embedder: Embedder, businesses: Sequence[Business], cache_dir: Path, clock: Clock
) -> None:
    """Put the vectors of all texts into *store*, from the cache as far as it has them."""
    texts = {
        text
        for business in businesses
        for document in business.as_documents()
        for text in embedded_texts(document, business.name)
    }
    database = Database(f"sqlite:///{cache_dir / 'vectors.db'}")
    VectorRow.metadata.create_all(
        database.engine, tables=[VectorRow.metadata.tables[VectorRow.__tablename__]]
    )
    cache = Knowledge(database, clock)
    with tqdm(desc="Embedding", unit=" texts", total=0) as bar:
        threads = os.cpu_count() or 1
        embed_missing(cache, embedder, texts, threads=threads, progress=show_on(bar))
    store.put_vectors(embedder.name, cache.vectors(embedder.name, [text_hash(text) for text in texts]))
    database.close()


def _add(businesses: Sequence[Business], tenants: Tenants, store: KnowledgeStore) -> dict[str, Tenant]:
    for business in businesses:
        tenants.add(business.tenant, TenantSettings(name=business.name))
        store.put_documents(business.tenant, business.as_documents())
    return {tenant.id: tenant for tenant in tenants.all()}


def _table(result: Scores) -> str:
    rows = [*result.sources.items()]
    for name, total in (("all answerable", result.answerable), ("all unanswerable", result.unanswerable)):
        if total.n:
            rows.append((name, total))
    width = max(len(name) for name, _ in rows)
    lines = [" " * width + "".join(f"{column:>12}" for column in _COLUMNS)]
    lines += [name.ljust(width) + _cells(row) for name, row in rows]
    if result.unanswerable.n:
        answered = result.unanswerable_answered
        offered = result.unanswerable.wrong - answered
        lines.append(f"\nOf the unanswerable {answered} were answered and {offered} were offered topics.")
    lines.append(
        f"\nAn answer took {result.p50_ms:.1f} ms (median), {result.p99_ms:.1f} ms (99th percentile)."
    )
    return "\n".join(lines)


def _cells(row: Score) -> str:
    counts = [getattr(row, column) for column in _COLUMNS]
    shares = [f"{count} ({count / row.n:.0%})" for count in counts[1:]]
    return "".join(f"{cell:>12}" for cell in [str(counts[0]), *shares])
