"""The vectors of many texts, each embedded once; those of passages are kept from run to run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from server.adapters.system_clock import SystemClock
from server.commands.progress import show_on
from server.knowledge.calibration import Calibration
from server.knowledge.ranking import SIGNALS, Ranking
from server.knowledge.vectors import embed_missing, text_hash
from server.ports.ai import Embedder
from server.store.knowledge import Knowledge
from server.store.models import VectorRow
from server.store.session import Database

_BATCH = 64
CACHE = Path("var") / "cache" / "vectors.db"

Matrix = NDArray[np.float32]


class Vectors:
    """Embeds each text once."""

    def __init__(self, embedder: Embedder, kept_in: Path) -> None:
        """Args:
        kept_in: the SQLite file that `frontdesk eval` keeps vectors in, or one to be made.
        """
        self._embedder = embedder
        self._kept_in = kept_in
        self._questions: dict[str, Matrix] = {}
        self._passages: dict[str, Matrix] = {}

    def add_passages(self, texts: Iterable[str]) -> None:
        """Embed what is new; 20 to 60 ms a text."""
        wanted = {text_hash(text): text for text in texts}
        database = Database(f"sqlite:///{self._kept_in}")
        VectorRow.metadata.create_all(
            database.engine, tables=[VectorRow.metadata.tables[VectorRow.__tablename__]]
        )
        store = Knowledge(database, SystemClock())
        with tqdm(desc="Embedding", unit=" texts", total=0) as bar:
            embed_missing(store, self._embedder, wanted.values(), progress=show_on(bar))
        kept = store.vectors(self._embedder.name, list(wanted))
        self._passages.update((wanted[key], vector) for key, vector in kept.items())
        database.close()

    def add_questions(self, texts: Iterable[str]) -> None:
        """Embed what is new; 10 to 25 ms a question."""
        new = sorted(set(texts) - self._questions.keys(), key=len)
        for start in tqdm(range(0, len(new), _BATCH), "Embedding", unit_scale=_BATCH, unit=" questions"):
            batch = new[start : start + _BATCH]
            self._questions.update(zip(batch, self._embedder.queries(batch), strict=True))

    def question(self, text: str) -> Matrix:
        """The vector of a question."""
        return self._questions[text]

    def passages(self, texts: Sequence[str]) -> Matrix:
        """The vectors of passages, a row each."""
        return np.stack([self._passages[text] for text in texts])

    def calibration(
        self, questions: Mapping[str, Sequence[str]], passages: Mapping[str, Sequence[str]]
    ) -> Calibration:
        """The centres of texts that say the same in each language; nothing is learned of ranking yet."""
        weightless = np.zeros(2 * len(SIGNALS), dtype=np.float32)
        nothing = Ranking(weightless, weightless, weightless, 0.0)
        return Calibration(
            self._embedder.name,
            {
                language: _mean(self._questions[text] for text in texts)
                for language, texts in questions.items()
            },
            {language: _mean(self._passages[text] for text in texts) for language, texts in passages.items()},
            alignments={},
            ranking=nothing,
            by_words=nothing,
        )


def _mean(vectors: Iterable[Matrix]) -> Matrix:
    mean: Matrix = np.stack(list(vectors)).mean(axis=0)
    return mean
