"""Each text is embedded once, whoever has it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from server.ports.ai import Embedder
from server.ports.knowledge import KnowledgeStore

_BATCH = 32

# Called with the number of texts done and the number of all.
Progress = Callable[[int, int], None]


def no_progress(_done: int, _total: int) -> None:
    """For those who do not want to know."""


def text_hash(text: str) -> str:
    """The key that a text's vector is kept under."""
    return hashlib.sha256(text.encode()).hexdigest()


def embed_missing(
    store: KnowledgeStore,
    embedder: Embedder,
    texts: Iterable[str],
    *,
    threads: int = 1,
    progress: Progress = no_progress,
) -> int:
    """Embed as passages those of *texts* that the store has no vector of; return how many they were.

    Takes 10 to 60 ms a text and thread. What is done is kept, also if it is interrupted.
    """
    by_hash = {text_hash(text): text for text in texts}
    known = store.vectors(embedder.name, list(by_hash))
    missing = sorted(by_hash.keys() - known.keys())
    batches = [missing[start : start + _BATCH] for start in range(0, len(missing), _BATCH)]

    def embed(batch: Sequence[str]) -> int:
        vectors = embedder.passages([by_hash[key] for key in batch])
        store.put_vectors(embedder.name, dict(zip(batch, vectors, strict=True)))
        return len(batch)

    progress(0, len(missing))
    done = 0
    with ThreadPoolExecutor(threads, thread_name_prefix="embed") as pool:
        for count in pool.map(embed, batches):
            done += count
            progress(done, len(missing))
    return len(missing)


def passage_vectors(store: KnowledgeStore, embedder: Embedder, texts: Sequence[str]) -> NDArray[np.float32]:
    """The vectors of *texts*, a row each, embedding those that are not kept yet."""
    embed_missing(store, embedder, texts)
    hashes = [text_hash(text) for text in texts]
    kept = store.vectors(embedder.name, hashes)
    return np.stack([kept[key] for key in hashes])
