"""Turns in a running desk: every answerable message is covered by one reply, whatever goes wrong."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray
from sqlalchemy import select, update

from server.desk import Desk
from server.domain.knowledge import Document
from server.domain.messages import GuestAddress, MessageKind
from server.domain.tenants import TenantSettings
from server.errors import ProviderUnavailable
from server.ports.messaging import PresenceState
from server.store.models import ConversationRow, InboundRow, OutboxRow, TurnRow
from server.store.session import Database
from server.store.tenants import Tenants
from simulators.lab import wait_until
from tests.fakes.embedder import FakeEmbedder
from tests.fakes.senders import FakePresence, FakeSender
from tests.integration.conftest import MakeDesk
from tests.support.builders import GUEST, a_message


def settled(database: Database) -> None:
    """Until no message waits and none is on its way."""

    def is_settled() -> bool:
        with database.read() as session:
            waiting = session.scalars(select(InboundRow.id).where(InboundRow.handled_at.is_(None))).all()
            leaving = session.scalars(
                select(OutboxRow.id).where(OutboxRow.state.in_(["committed", "sending"]))
            ).all()
        return not waiting and not leaving

    wait_until(is_settled, 20, "the desk to settle")


def test_a_message_is_answered_once(desk: Desk, database: Database, sender: FakeSender) -> None:
    desk.start()
    message = a_message("Hello")
    desk.receiver.receive("1", [message])
    desk.receiver.receive("1", [message])
    settled(database)
    assert [sent.to for sent in sender.sent] == [GUEST]
    assert "Harbour House" in sender.sent[0].text


def test_what_waited_before_the_start_is_answered(desk: Desk, database: Database, sender: FakeSender) -> None:
    desk.receiver.receive("1", [a_message("Hello")])
    desk.start()
    settled(database)
    assert len(sender.sent) == 1


def test_many_guests_are_each_answered_once(desk: Desk, database: Database, sender: FakeSender) -> None:
    desk.start()
    guests = [f"9725{number:08}@s.whatsapp.net" for number in range(30)]
    for guest in guests:
        desk.receiver.receive("1", [a_message("Hello", address=GuestAddress(guest, phone=guest))])
    settled(database)
    assert sorted(sent.to for sent in sender.sent) == guests


def test_typing_is_shown_where_the_answer_goes(
    desk: Desk, database: Database, sender: FakeSender, presence: FakePresence
) -> None:
    desk.start()
    desk.receiver.receive("1", [a_message("Hello")])
    settled(database)
    assert presence.shown[0] == ("1", GUEST, PresenceState.COMPOSING)


def test_an_answer_leaves_although_typing_cannot_be_shown(
    desk: Desk, database: Database, sender: FakeSender, presence: FakePresence
) -> None:
    presence.outage = ProviderUnavailable("whatsapp", "HTTP 503")
    desk.start()
    desk.receiver.receive("1", [a_message("Hello")])
    settled(database)
    assert len(sender.sent) == 1


def test_a_picture_without_words_goes_to_the_team(desk: Desk, database: Database, sender: FakeSender) -> None:
    desk.start()
    desk.receiver.receive("1", [a_message("", kind=MessageKind.IMAGE)])
    settled(database)
    assert "team" in sender.sent[0].text
    with database.read() as session:
        assert session.scalars(select(ConversationRow.needs_human)).one()


def test_staff_are_told_first_of_all_that_somebody_may_be_in_danger(
    desk: Desk, database: Database, sender: FakeSender, tenants: Tenants
) -> None:
    tenants.update("1", TenantSettings(name="Harbour House", staff_numbers=("+972509999999",)))
    desk.receiver.receive("1", [a_message("Help, there is a fire in our room!")])
    desk.start()
    settled(database)
    reply, notice = sorted(sender.sent, key=lambda sent: sent.to != GUEST)
    assert "102" in reply.text
    assert "may be in danger" in notice.text.splitlines()[0]


def test_staff_who_took_over_are_not_interrupted(desk: Desk, database: Database, sender: FakeSender) -> None:
    desk.receiver.receive("1", [a_message("Hello")])
    with database.write() as session:
        session.execute(update(ConversationRow).values(mode="human"))
    desk.start()
    settled(database)
    assert sender.sent == []


def test_a_paused_business_gets_its_guests_to_staff(
    desk: Desk, database: Database, sender: FakeSender, tenants: Tenants
) -> None:
    tenants.update("1", TenantSettings(name="H", ai_paused=True, staff_numbers=("+97250999999",)))
    desk.start()
    desk.receiver.receive("1", [a_message("Hello")])
    settled(database)
    assert [sent.to for sent in sender.sent] == ["97250999999@s.whatsapp.net"]


def test_the_analysis_is_written_after_the_reply(desk: Desk, database: Database, sender: FakeSender) -> None:
    desk.start()
    desk.receiver.receive("1", [a_message("Thanks!")])
    settled(database)

    def is_analysed() -> bool:
        with database.read() as session:
            return session.scalars(select(TurnRow.analysis)).one() is not None

    wait_until(is_analysed, 10, "the analysis")
    with database.read() as session:
        turn = session.scalars(select(TurnRow)).one()
    assert turn.analysis is not None
    assert turn.analysis["language"] == "en"


class BrokenEmbedder(FakeEmbedder):
    """Fails in a way that nobody foresaw."""

    def queries(self, texts: Sequence[str]) -> NDArray[np.float32]:  # noqa: ARG002
        raise RuntimeError("a fault of ours")


def test_a_fault_of_ours_ends_with_the_team_and_not_with_silence(
    make_desk: MakeDesk, database: Database, sender: FakeSender, tenants: Tenants
) -> None:
    desk = make_desk(embedder=BrokenEmbedder())
    add_document(desk)
    desk.start()
    desk.receiver.receive("1", [a_message("When is breakfast?")])
    settled(database)
    assert [sent.text for sent in sender.sent] == [
        "I have passed your message to the team, and they will get back to you."
    ]


def add_document(desk: Desk) -> None:
    """So that there is something to search."""
    desk.ports.knowledge.put_documents("1", [Document("b", "Breakfast", "From 7:30 to 10:30.", "en")])


@pytest.mark.parametrize("text", ["😀" * 50, "a" * 60_000, "‮evil‬", "   "])
def test_odd_texts_are_answered_too(desk: Desk, database: Database, sender: FakeSender, text: str) -> None:
    desk.start()
    desk.receiver.receive("1", [a_message(text)])
    settled(database)
    assert len(sender.sent) == 1
