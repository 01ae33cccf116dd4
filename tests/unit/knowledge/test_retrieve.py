"""Finding documents: tenants apart, changes seen, texts embedded once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from server.domain.conversations import HistoryLine, Speaker
from server.domain.knowledge import Document
from server.domain.tenants import Tenant, TenantSettings
from server.knowledge.ingest import import_documents
from server.knowledge.retrieve import Retriever
from server.ports.knowledge import Changes
from tests.fakes.answers import DOCUMENTS, HOUSE, a_document, a_retriever
from tests.fakes.embedder import FakeEmbedder
from tests.fakes.knowledge_store import FakeKnowledgeStore

INN = Tenant("2", TenantSettings(name="Hill Inn"))


class CountingStore(FakeKnowledgeStore):
    """Counts how often documents are read."""

    def __init__(self, *tenants: str) -> None:
        super().__init__(*tenants)
        self.reads = 0

    def documents(self, tenant_id: str) -> Sequence[Document]:
        self.reads += 1
        return super().documents(tenant_id)


def test_passages_come_best_first_with_probabilities() -> None:
    passages = a_retriever().retrieve(HOUSE, "is breakfast served?", limit=4)
    scores = [passage.score for passage in passages]
    assert passages[0].document.id == "breakfast"
    assert len(passages) == 4
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)


def test_a_business_is_answered_from_its_own_documents_only() -> None:
    store, embedder = FakeKnowledgeStore("1", "2"), FakeEmbedder()
    import_documents(store, embedder, HOUSE, [a_document("pool", "Pool", "There is no pool here.")])
    import_documents(store, embedder, INN, [a_document("pool", "Pool", "The pool is on the roof.")])
    retriever = Retriever(store, embedder)
    for tenant, body in ((HOUSE, "There is no pool here."), (INN, "The pool is on the roof.")):
        (passage,) = retriever.retrieve(tenant, "is there a pool?")
        assert passage.document.body == body


def test_documents_are_read_again_when_their_version_grows_and_only_then() -> None:
    store, embedder = CountingStore("1"), FakeEmbedder()
    import_documents(store, embedder, HOUSE, [a_document("pool", "Pool", "There is no pool.")])
    retriever = Retriever(store, embedder)
    now = replace(HOUSE, knowledge_version=store.version("1"))
    for _ in range(3):
        retriever.retrieve(now, "is there a pool?")
    assert store.reads == 1

    import_documents(store, embedder, HOUSE, [a_document("pool", "Pool", "The pool has opened.")])
    later = replace(HOUSE, knowledge_version=store.version("1"))
    assert retriever.retrieve(later, "is there a pool?")[0].document.body == "The pool has opened."


class ListeningEmbedder(FakeEmbedder):
    """Remembers the questions that it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    def queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.asked.extend(texts)
        return super().queries(texts)


@pytest.fixture
def embedder() -> ListeningEmbedder:
    return ListeningEmbedder()


@pytest.fixture
def listening(embedder: ListeningEmbedder) -> Retriever:
    """A retriever over the house's documents, which are indexed already."""
    store = FakeKnowledgeStore("1")
    import_documents(store, embedder, HOUSE, DOCUMENTS)
    retriever = Retriever(store, embedder)
    retriever.prepare(HOUSE, "en")
    embedder.asked.clear()
    return retriever


SURE, UNSURE = "When is breakfast served?", "Where may my children splash about?"


def test_words_that_name_a_document_need_no_embedding(
    listening: Retriever, embedder: ListeningEmbedder
) -> None:
    assert listening.likely(HOUSE, SURE)[0].document.id == "breakfast"
    assert embedder.asked == []


def test_what_words_leave_open_is_decided_as_ever(listening: Retriever, embedder: ListeningEmbedder) -> None:
    assert listening.likely(HOUSE, UNSURE) == listening.retrieve(HOUSE, UNSURE)
    assert embedder.asked == [UNSURE]


def test_a_question_that_leans_on_what_was_said_is_decided_as_ever(listening: Retriever) -> None:
    history = [HistoryLine(Speaker.GUEST, SURE), HistoryLine(Speaker.HOST, "From 7:30.")]
    leaning = listening.likely(HOUSE, "and how much is it?", history)
    assert leaning == listening.retrieve(HOUSE, "and how much is it?", history)


@pytest.mark.parametrize("question", [SURE, UNSURE])
def test_what_was_foreseen_is_found_without_a_wait(listening: Retriever, question: str) -> None:
    assert listening.found(HOUSE, question) is None
    listening.foresee(HOUSE, question)
    assert listening.found(HOUSE, question) == listening.likely(HOUSE, question)


def test_what_was_foreseen_of_older_documents_is_not_found(listening: Retriever) -> None:
    listening.foresee(HOUSE, SURE)
    assert listening.found(replace(HOUSE, knowledge_version=HOUSE.knowledge_version + 1), SURE) is None


def test_nothing_is_found_where_nothing_is_known() -> None:
    assert Retriever(FakeKnowledgeStore("1"), FakeEmbedder()).retrieve(HOUSE, "pool?") == []


def test_a_text_is_embedded_once_for_all_businesses() -> None:
    store, embedder = FakeKnowledgeStore("1", "2"), FakeEmbedder()
    import_documents(store, embedder, HOUSE, DOCUMENTS)
    embedded = len(embedder.embedded)
    assert embedded == len(set(embedder.embedded))
    import_documents(store, embedder, HOUSE, DOCUMENTS)
    import_documents(store, embedder, INN, DOCUMENTS)
    assert len(embedder.embedded) == embedded


def test_the_name_of_the_business_is_not_embedded() -> None:
    store, embedder = FakeKnowledgeStore("1"), FakeEmbedder()
    import_documents(store, embedder, HOUSE, [a_document("a", "Pool at Harbour House", "No pool.")])
    assert set(embedder.embedded) == {"Pool at", "No pool.", "Pool at\nNo pool."}


def test_vectors_that_are_missing_are_made_on_the_first_question() -> None:
    store, embedder = FakeKnowledgeStore("1"), FakeEmbedder()
    store.put_documents("1", DOCUMENTS)
    assert Retriever(store, embedder).retrieve(HOUSE, "breakfast?")[0].document.id == "breakfast"


def test_an_import_tells_how_far_it_has_come() -> None:
    told: list[tuple[int, int]] = []
    changes = import_documents(
        FakeKnowledgeStore("1"),
        FakeEmbedder(),
        HOUSE,
        [a_document(f"d{n}", f"Title {n}", f"Body {n}") for n in range(40)],
        threads=2,
        progress=lambda done, total: told.append((done, total)),
    )
    assert changes == Changes(new=40)
    assert told[0] == (0, 120)
    assert told[-1] == (120, 120)
    assert told == sorted(told)
