"""The same question is embedded once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from server.knowledge.query_vectors import QueryVectors
from tests.fakes.embedder import FakeEmbedder


class CountingEmbedder(FakeEmbedder):
    """Counts the questions that it embeds."""

    def __init__(self) -> None:
        super().__init__()
        self.embedded: list[str] = []

    def queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.embedded += texts
        return super().queries(texts)


def test_a_question_is_embedded_once() -> None:
    embedder = CountingEmbedder()
    vectors = QueryVectors(embedder)
    first = vectors.of(["parking", "pool"])
    again = vectors.of(["pool", "parking"])
    assert embedder.embedded == ["parking", "pool"]
    assert np.array_equal(first, again[::-1])


def test_nothing_is_remembered_where_that_is_switched_off() -> None:
    embedder = CountingEmbedder()
    vectors = QueryVectors(embedder, remembered=0)
    vectors.of(["parking"])
    vectors.of(["parking"])
    assert embedder.embedded == ["parking", "parking"]


def test_each_row_belongs_to_the_text_at_its_place() -> None:
    embedder = FakeEmbedder()
    texts = ["parking", "pool", "sauna"]
    assert np.allclose(QueryVectors(embedder).of(texts), embedder.queries(texts))
