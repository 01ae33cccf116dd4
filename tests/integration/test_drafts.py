"""Drafts in a running desk: what it would have answered waits for staff, and nothing leaves by itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
import pytest
from numpy.typing import NDArray
from sqlalchemy import select

from server.desk import Desk
from server.domain.conversations import Mode, Reply, ReplySource
from server.domain.drafts import Draft
from server.domain.knowledge import Citation, Document
from server.domain.messages import Channel, GuestAddress, MessageKind
from server.domain.modes import Actor, ModeBy
from server.domain.tenants import TenantSettings
from server.errors import UnprocessableRequest
from server.store.models import ConversationRow, DraftRow, InboundRow, OutboxRow
from server.store.session import Database
from server.store.tenants import Tenants
from simulators.lab import wait_until
from tests.fakes.accounts import FakeLedger
from tests.fakes.embedder import FakeEmbedder
from tests.fakes.language_model import FakeModel
from tests.fakes.senders import FakePresence, FakeSender
from tests.integration.conftest import MakeDesk
from tests.integration.test_takeover import StoppedEmbedder
from tests.support.builders import GUEST, a_message

NOA = Actor(ModeBy.CONSOLE, "Noa")
BREAKFAST = Document("b", "Breakfast", "From 7:30 to 10:30.", "en")
PATIENCE_S = 60.0


def let_staff_decide(desk: Desk) -> int:
    """A conversation in mode ``draft``, whose guest has greeted; its id."""
    saved = desk.receiver.receive("1", [a_message("", kind=MessageKind.REACTION)])[0]
    desk.takeover.set_mode("1", saved.conversation_id, Mode.DRAFT, NOA)
    return saved.conversation_id


def handled(desk: Desk, text: str) -> None:
    """The guest writes, and the turn ends."""
    saved = desk.receiver.receive("1", [a_message(text)])[0]
    wait_until(lambda: desk.ports.inbox.is_handled(saved.id), PATIENCE_S, "the turn to end")


def draft_in(desk: Desk, conversation_id: int) -> Draft:
    draft = desk.suggestions.open_draft("1", conversation_id)
    assert draft is not None
    return draft


def left(database: Database) -> list[tuple[str, str]]:
    with database.read() as session:
        rows = session.scalars(select(OutboxRow).order_by(OutboxRow.id))
        return [(row.kind, row.text) for row in rows]


def test_a_guest_s_message_makes_a_draft_and_no_sound(
    desk: Desk, database: Database, sender: FakeSender, presence: FakePresence
) -> None:
    conversation_id = let_staff_decide(desk)
    desk.ports.knowledge.put_documents("1", [BREAKFAST])
    desk.start()
    handled(desk, "When is breakfast?")
    draft = draft_in(desk, conversation_id)
    assert "7:30" in draft.text
    assert [citation.document for citation in draft.citations] == ["b"]
    assert (left(database), sender.sent, presence.shown) == ([], [], [])
    with database.read() as session:
        assert session.scalars(select(ConversationRow.needs_human)).one()


def test_an_accepted_draft_reaches_the_guest_once(desk: Desk, database: Database, sender: FakeSender) -> None:
    conversation_id = let_staff_decide(desk)
    desk.start()
    handled(desk, "Hello")
    draft = draft_in(desk, conversation_id)
    for _ in range(2):
        desk.suggestions.send("1", conversation_id, draft.id, None, NOA)
    wait_until(lambda: bool(sender.sent), PATIENCE_S, "the message to leave")
    assert [(sent.to, sent.text) for sent in sender.sent] == [(GUEST, draft.text)]
    assert left(database) == [("staff", draft.text)]


def test_a_second_message_makes_one_draft_for_both(desk: Desk, database: Database) -> None:
    conversation_id = let_staff_decide(desk)
    desk.ports.knowledge.put_documents("1", [BREAKFAST, Document("p", "Pool", "There is no pool.", "en")])
    desk.start()
    handled(desk, "When is breakfast?")
    handled(desk, "Is there a pool?")
    draft = draft_in(desk, conversation_id)
    assert "7:30" in draft.text
    assert "no pool" in draft.text
    with database.read() as session:
        assert session.scalars(select(DraftRow.state).order_by(DraftRow.id)).all() == ["outdated", "open"]


def test_who_is_handed_the_conversation_in_the_middle_of_a_draft_answers_it(
    make_desk: MakeDesk, tenants: Tenants, database: Database, sender: FakeSender
) -> None:
    assert tenants.get("1")
    embedder = StoppedEmbedder()
    desk = make_desk(embedder=embedder)
    conversation_id = let_staff_decide(desk)
    desk.ports.knowledge.put_documents("1", [BREAKFAST])
    desk.start()
    desk.receiver.receive("1", [a_message("When is breakfast?")])
    embedder.barrier.await_reached()
    desk.takeover.set_mode("1", conversation_id, Mode.AI, NOA)
    embedder.barrier.open()
    wait_until(lambda: bool(sender.sent), PATIENCE_S, "the desk to answer")
    assert "7:30" in sender.sent[0].text
    with database.read() as session:
        assert session.scalars(select(DraftRow)).all() == []
        covered = session.scalars(select(InboundRow.covered_by).where(InboundRow.kind == "text")).one()
    assert covered is not None


def test_a_number_chooses_from_a_draft_that_was_sent(desk: Desk) -> None:
    conversation_id = let_staff_decide(desk)
    pool = Document("p", "Pool for children", "It opens in May.", "en")
    desk.ports.knowledge.put_documents("1", [pool, Document("q", "Pool rules", "No diving.", "en")])
    offer = Reply(
        text="Which one?\n1. Pool rules\n2. Pool for children",
        source=ReplySource.KNOWLEDGE,
        language="en",
        citations=[Citation("q", "Pool rules", 0.3), Citation("p", "Pool for children", 0.3)],
        offered=("q", "p"),
    )
    desk.start()
    handled(desk, "The pool?")
    desk.ports.drafts.keep(desk.ports.drafts.find_question("1", conversation_id, 4), offer)
    desk.suggestions.send("1", conversation_id, draft_in(desk, conversation_id).id, None, NOA)
    handled(desk, "2")
    assert "in May" in draft_in(desk, conversation_id).text


class BrokenEmbedder(FakeEmbedder):
    """Fails in a way that nobody foresaw."""

    def queries(self, texts: Sequence[str]) -> NDArray[np.float32]:  # noqa: ARG002
        raise RuntimeError("a fault of ours")


def test_a_draft_that_cannot_be_made_leaves_the_guest_to_staff(
    make_desk: MakeDesk, tenants: Tenants, database: Database, sender: FakeSender
) -> None:
    tenants.update("1", TenantSettings(name="Harbour House", staff_numbers=("+972509999999",)))
    desk = make_desk(embedder=BrokenEmbedder())
    desk.ports.knowledge.put_documents("1", [BREAKFAST])
    let_staff_decide(desk)
    desk.start()
    handled(desk, "When is breakfast?")
    wait_until(lambda: bool(sender.sent), PATIENCE_S, "staff to be told")
    assert [kind for kind, _ in left(database)] == ["notice"]
    with database.read() as session:
        assert session.scalars(select(DraftRow)).all() == []
        because = session.scalars(select(InboundRow.unanswered_because).where(InboundRow.kind == "text"))
        assert because.one() == "human"


def test_a_paused_business_gets_no_drafts(desk: Desk, database: Database, tenants: Tenants) -> None:
    tenants.update("1", TenantSettings(name="Harbour House", ai_paused=True))
    let_staff_decide(desk)
    desk.start()
    handled(desk, "Hello")
    with database.read() as session:
        assert session.scalars(select(DraftRow)).all() == []


def test_who_asks_on_the_chat_api_is_told_no_word_of_a_draft(desk: Desk, database: Database) -> None:
    desk.start()

    def ask(text: str) -> object:
        address = GuestAddress(reply_to="c1", chat_key="c1")
        return desk.answers.answer(a_message(text, channel=Channel.CHAT, address=address))

    assert ask("Hello") is not None
    with database.read() as session:
        conversation_id = session.scalars(select(ConversationRow.id)).one()
    desk.takeover.set_mode("1", conversation_id, Mode.DRAFT, NOA)
    assert ask("Good morning") is None
    draft = draft_in(desk, conversation_id)
    message = desk.suggestions.send("1", conversation_id, draft.id, None, NOA)
    assert message.state == "sent"


def test_what_a_draft_costs_is_the_conversations(
    make_desk: MakeDesk, tenants: Tenants, database: Database
) -> None:
    assert tenants.get("1")
    model = FakeModel("Breakfast is from 7:30 to 10:30 [b].")
    desk = make_desk(model)
    conversation_id = let_staff_decide(desk)
    desk.ports.knowledge.put_documents("1", [BREAKFAST])
    desk.start()
    handled(desk, "When is breakfast?")
    assert draft_in(desk, conversation_id)
    entries = cast(FakeLedger, desk.ports.ledger).entries
    assert {(entry.tenant_id, entry.conversation_id) for entry in entries} == {("1", conversation_id)}
    assert len(model.requests) == 1


def test_staff_who_answer_themselves_have_one_suggested(
    desk: Desk, database: Database, sender: FakeSender
) -> None:
    conversation_id = let_staff_decide(desk)
    desk.takeover.set_mode("1", conversation_id, Mode.HUMAN, NOA)
    desk.ports.knowledge.put_documents("1", [BREAKFAST])
    desk.start()
    handled(desk, "When is breakfast?")
    assert desk.suggestions.open_draft("1", conversation_id) is None
    desk.suggestions.suggest("1", conversation_id)
    draft = draft_in(desk, conversation_id)
    assert "7:30" in draft.text
    desk.suggestions.send("1", conversation_id, draft.id, "From half past seven.", NOA)
    wait_until(lambda: bool(sender.sent), PATIENCE_S, "the message to leave")
    assert [sent.text for sent in sender.sent] == ["From half past seven."]
    with pytest.raises(UnprocessableRequest):
        desk.suggestions.suggest("1", conversation_id)
