"""What staff type becomes documents, and is embedded without a page that hangs."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from server.domain.knowledge import Document
from server.knowledge.editing import DocumentText, FaultyText, VectorMaker, as_typed, id_of, typed_document
from server.knowledge.index import embedded_texts
from server.knowledge.vectors import text_hash
from tests.fakes.answers import HOUSE
from tests.fakes.embedder import FakeEmbedder
from tests.fakes.knowledge_store import FakeKnowledgeStore

SEASON = DocumentText(
    title="Pool", body="Open in summer.", valid_from="06-01", valid_until="09-30", hours="Mo-Fr 08:00-19:00"
)
POOL = Document("pool", "Pool", "Open in summer.", "en")


def test_what_is_typed_becomes_a_document_in_the_language_of_its_text() -> None:
    made = typed_document("pool", SEASON, "faq.md")
    assert made == Document(
        "pool", "Pool", "Open in summer.", "en", "06-01", "09-30", "Mo-Fr 08:00-19:00", "faq.md"
    )
    assert typed_document("p", DocumentText(title="בריכה", body="פתוחה")).language == "he"


def test_a_document_is_typed_as_it_stands() -> None:
    made = typed_document("pool", SEASON)
    assert typed_document("pool", as_typed(made)) == made


def test_a_language_that_the_text_does_not_tell_stays() -> None:
    names = typed_document("wifi", DocumentText(title="Wifi", body="Harbour", language="he"))
    assert as_typed(names).language == "he"
    # One that it tells is told again when the text is another one.
    assert as_typed(POOL).language == ""


def test_all_that_is_wrong_is_told_at_once() -> None:
    wrong = DocumentText(title="", body="", valid_from="soon", hours="nearly always", language="klingon")
    with pytest.raises(FaultyText) as caught:
        typed_document("x" * 129, wrong)
    assert caught.value.faults.keys() == {"id", "title", "body", "valid_from", "hours", "language"}


@pytest.mark.parametrize(
    ("title", "expected"), [("Is there a pool?", "is-there-a-pool"), ("סאונה", "סאונה"), ("?!", "")]
)
def test_an_id_is_made_of_the_letters_of_a_title(title: str, expected: str) -> None:
    assert id_of(title) == expected
    assert len(id_of(title * 100)) <= 120


class SlowEmbedder(FakeEmbedder):
    """Embeds once it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.may_go_on = threading.Event()

    def passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.may_go_on.wait()
        return super().passages(texts)


def hashes() -> list[str]:
    return [text_hash(text) for text in embedded_texts(POOL, HOUSE.settings.name)]


def test_vectors_are_there_before_the_page_is() -> None:
    store, embedder = FakeKnowledgeStore("1"), FakeEmbedder()
    assert VectorMaker(store, embedder, patience_s=60).make(HOUSE, POOL)
    assert store.vectors(embedder.name, hashes()).keys() == set(hashes())


def test_a_page_does_not_wait_for_vectors_that_are_late_and_they_come_all_the_same() -> None:
    store, embedder = FakeKnowledgeStore("1"), SlowEmbedder()
    assert not VectorMaker(store, embedder, patience_s=0).make(HOUSE, POOL)
    assert not store.vectors(embedder.name, hashes())
    embedder.may_go_on.set()
    while not store.vectors(embedder.name, hashes()):
        # A step of the other thread, and not a moment that somebody has guessed.
        threading.Event().wait(0.01)
