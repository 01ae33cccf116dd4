"""Embedded answers that go by words alone: quick, and the same on every run."""

from __future__ import annotations

from server.domain.knowledge import Document
from server.domain.language import detect_language
from server.domain.tenants import Tenant, TenantSettings
from server.knowledge.answer import EmbeddedAnswers
from server.knowledge.ingest import import_documents
from server.knowledge.retrieve import Retriever
from tests.fakes.embedder import FakeEmbedder
from tests.fakes.knowledge_store import FakeKnowledgeStore

HOUSE = Tenant("1", TenantSettings(name="Harbour House"))


def a_document(key: str, title: str, body: str) -> Document:
    """In the language of its body."""
    return Document(key, title, body, detect_language(body))


DOCUMENTS = (
    a_document("pool.en", "Pool", "There is no pool."),
    a_document("pool.he", "בריכה", "אין בריכה."),
    a_document("parking", "Parking", "Six spaces in the yard, ₪40 a night."),
    a_document("bikes", "Bicycle parking", "A shed for bicycles stands behind the house."),
    a_document("sauna", "סאונה", "הסאונה פתוחה בין 18:00 ל-22:00."),
    a_document("pets", "Pets", "Small dogs are welcome in the garden rooms."),
    a_document("breakfast", "Breakfast", "Breakfast is served from 7:30 to 10:30."),
    a_document("laundry", "Laundry", "A washing machine is in the basement."),
)


def a_retriever(*documents: Document, tenant: Tenant = HOUSE) -> Retriever:
    """A retriever over *documents*, or over the house's own."""
    store = FakeKnowledgeStore(tenant.id)
    embedder = FakeEmbedder()
    import_documents(store, embedder, tenant, documents or DOCUMENTS)
    return Retriever(store, embedder)


def the_answers(*documents: Document) -> EmbeddedAnswers:
    """Answers of the house."""
    return EmbeddedAnswers(a_retriever(*documents))
