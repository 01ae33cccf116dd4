"""What the desk did not know is kept with its turn, answered once, and told to who waits."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from server.domain.calls import CallTurn
from server.domain.conversations import Mode, Reply, ReplySource, Unanswered
from server.domain.knowledge import Document
from server.domain.messages import Channel, DeliveryState, GuestAddress, InboundMessage
from server.domain.modes import Actor, ModeBy
from server.domain.questions import Question, QuestionState
from server.domain.tenants import TenantSettings
from server.domain.views import OutboundView
from server.errors import Conflict, LeaseLost, NotFound
from server.store.calls import Calls
from server.store.documents import Documents
from server.store.drafts import Drafts
from server.store.identities import Identities
from server.store.inbox import Inbox
from server.store.leases import Leases
from server.store.models import AuditRow, ConversationRow, OutboxRow
from server.store.modes import Modes
from server.store.queries import ConsoleQueries
from server.store.questions import Questions
from server.store.replies import Replies
from server.store.session import Database
from server.store.tenants import Tenants
from server.store.turns import Turns
from tests.fakes.clock import FakeClock
from tests.support.builders import a_message
from tests.support.side_by_side import side_by_side

NOA = Actor(ModeBy.CONSOLE, "Noa")
ANSWER = Document("", "Is there a helipad?", "No helicopter may land here.", "en")


@pytest.fixture
def questions(database: Database, clock: FakeClock, tenants: Tenants) -> Questions:
    return Questions(database, clock)


@pytest.fixture
def turns(database: Database, clock: FakeClock, leases: Leases, tenants: Tenants) -> Turns:
    return Turns(database, leases, Inbox(database, clock), Replies(database, clock, "http://desk.example"))


class Desk:
    """Answers guests as it is told, and lets the time pass."""

    def __init__(self, turns: Turns, clock: FakeClock) -> None:
        self._turns = turns
        self._clock = clock

    def hears(
        self, guest: str, text: str, reason: str = "not_known", *, handover: bool = True, **changes: Any
    ) -> int:
        """A turn that ends with *reason*; returns the conversation."""
        taken = self._turns.begin(from_guest(guest, text, **changes), 4).taken
        assert taken is not None
        reply = Reply(
            text="I have asked the team.",
            source=ReplySource.KNOWLEDGE,
            language="en",
            handover=handover,
            reason=reason,
        )
        self._turns.commit(taken.lease, taken.turn, reply, self._clock.now(), None, unless_newer=False)
        self._clock.advance(60)
        return taken.turn.conversation_id


@pytest.fixture
def desk(turns: Turns, clock: FakeClock) -> Desk:
    return Desk(turns, clock)


def from_guest(guest: str, text: str, **changes: Any) -> InboundMessage:
    address = GuestAddress(f"{guest}@lid", lid=f"{guest}@lid")
    return a_message(text, **({"address": address} | changes))


def open_ones(questions: Questions, tenant_id: str = "1") -> list[Question]:
    return [question for group in questions.page(tenant_id).groups for question in group.questions]


def written_by_staff(database: Database) -> list[tuple[int | None, str]]:
    with database.read() as session:
        rows = session.scalars(select(OutboxRow).where(OutboxRow.kind == "staff").order_by(OutboxRow.id))
        return [(row.conversation_id, row.text) for row in rows]


def conversation(database: Database, conversation_id: int) -> ConversationRow:
    with database.read() as session:
        return session.get_one(ConversationRow, conversation_id)


@pytest.mark.parametrize("reason", ["not_known", "not_all_known", "model_does_not_know"])
def test_what_no_document_answers_is_kept_with_the_turn(
    desk: Desk, questions: Questions, reason: str
) -> None:
    conversation_id = desk.hears("maya", "Is there a helipad?", reason)
    (question,) = open_ones(questions)
    assert (question.text, question.conversation_id, question.language) == (
        "Is there a helipad?",
        conversation_id,
        "en",
    )
    assert questions.open_count("1") == 1
    assert questions.open_count("2") == 0


@pytest.mark.parametrize("reason", ["danger", "asked_for_person", "budget_spent", "engine_failed", ""])
def test_other_reasons_to_call_staff_are_no_questions(desk: Desk, questions: Questions, reason: str) -> None:
    desk.hears("maya", "A person, please", reason)
    assert open_ones(questions) == []


def test_an_answer_that_is_given_is_no_question(desk: Desk, questions: Questions) -> None:
    desk.hears("maya", "When is breakfast?", "not_known", handover=False)
    assert open_ones(questions) == []


def test_a_caller_who_wants_no_knowledge_asks_no_question(desk: Desk, questions: Questions) -> None:
    desk.hears("maya", "Is there a helipad?", details={"use_rag": False})
    assert open_ones(questions) == []


def test_a_turn_that_is_not_kept_leaves_no_question(
    turns: Turns, leases: Leases, questions: Questions, clock: FakeClock
) -> None:
    taken = turns.begin(from_guest("maya", "Is there a helipad?"), 4).taken
    assert taken is not None
    leases.release(taken.lease)
    assert leases.claim(taken.lease.key) is not None
    reply = Reply(text="?", source=ReplySource.KNOWLEDGE, language="en", handover=True, reason="not_known")
    with pytest.raises(LeaseLost):
        turns.commit(taken.lease, taken.turn, reply, clock.now(), None, unless_newer=False)
    assert open_ones(questions) == []


def a_caller_asks(database: Database, clock: FakeClock, caller: str) -> int:
    """From the number *caller*; the call tells of it twice. Returns the conversation."""
    desk_number = "+97231234567"
    Tenants(database, clock).add("1", TenantSettings(name="Harbour House", phone_numbers=(desk_number,)))
    calls = Calls(database, clock, "http://desk.example")
    call = calls.ring("CA1", desk_number, caller, 4)
    reply = Reply(
        text="I have asked.", source=ReplySource.KNOWLEDGE, language="en", handover=True, reason="not_known"
    )
    turn = CallTurn(
        number=1,
        words="Is there a helipad?",
        reply=reply,
        told="I have",
        started_at=clock.now(),
        ended_at=clock.now(),
    )
    calls.record(call, turn)
    calls.record(call, replace(turn, told="I have asked."))
    return call.conversation_id


def test_what_callers_ask_is_kept_once_however_often_the_call_tells_of_it(
    database: Database, clock: FakeClock
) -> None:
    a_caller_asks(database, clock, "+972501111111")
    assert [question.text for question in open_ones(Questions(database, clock))] == ["Is there a helipad?"]


def test_questions_of_the_same_words_stand_together_where_the_newest_is(
    desk: Desk, questions: Questions
) -> None:
    desk.hears("maya", "Is there a helipad?")
    desk.hears("dan", "Do you sell stamps?")
    desk.hears("noam", "is there a HELIPAD")
    groups = questions.page("1").groups
    assert [[one.text for one in group.questions] for group in groups] == [
        ["is there a HELIPAD", "Is there a helipad?"],
        ["Do you sell stamps?"],
    ]


def test_a_page_ends_where_the_next_one_begins(desk: Desk, questions: Questions) -> None:
    for number in range(3):
        desk.hears(f"guest{number}", f"Question number {number}?")
    first = questions.page("1", limit=2)
    assert first.older is not None
    rest = questions.page("1", first.older, limit=2)
    texts = [group.newest.text for group in (*first.groups, *rest.groups)]
    assert texts == [f"Question number {number}?" for number in (2, 1, 0)]
    assert rest.older is None


def test_an_answer_becomes_a_document_and_reaches_all_who_asked_the_same(
    desk: Desk, questions: Questions, database: Database, clock: FakeClock
) -> None:
    first = desk.hears("maya", "Is there a helipad?")
    second = desk.hears("dan", "is there a helipad")
    (group,) = questions.page("1").groups
    before = Tenants(database, clock).get("1").knowledge_version
    settled = questions.answer("1", group.newest.id, ANSWER, NOA, tells_guests=True)
    assert settled.document_id == f"answer-{group.newest.id}"
    assert set(settled.lanes) == {f"conversation:{first}", f"conversation:{second}"}
    kept = Documents(database, clock).get("1", settled.document_id).document
    assert (kept.title, kept.body) == (ANSWER.title, ANSWER.body)
    assert Tenants(database, clock).get("1").knowledge_version == before + 1
    assert written_by_staff(database) == [(first, ANSWER.body), (second, ANSWER.body)]
    assert questions.open_count("1") == 0
    answered = questions.get("1", group.newest.id)
    assert (answered.state, answered.answered_by) == (QuestionState.ANSWERED, "Noa")
    assert questions.told("1", answered) == 2


def test_a_caller_gets_the_answer_on_whatsapp(database: Database, clock: FakeClock) -> None:
    conversation_id = a_caller_asks(database, clock, "+972501111111")
    questions = Questions(database, clock)
    settled = questions.answer("1", open_ones(questions)[0].id, ANSWER, NOA, tells_guests=True)
    assert settled.lanes == [f"conversation:{conversation_id}"]
    with database.read() as session:
        (row,) = session.scalars(select(OutboxRow).where(OutboxRow.kind == "staff"))
    assert (row.channel, row.to_address) == (Channel.WHATSAPP, "972501111111@s.whatsapp.net")
    assert (row.text, row.state) == (ANSWER.body, DeliveryState.COMMITTED)
    assert not conversation(database, conversation_id).needs_human


def test_a_caller_whose_number_nobody_knows_stays_with_staff(database: Database, clock: FakeClock) -> None:
    conversation_id = a_caller_asks(database, clock, "")
    questions = Questions(database, clock)
    settled = questions.answer("1", open_ones(questions)[0].id, ANSWER, NOA, tells_guests=True)
    assert settled.lanes == []
    assert conversation(database, conversation_id).needs_human


def test_a_guest_of_the_chat_finds_the_answer_in_the_conversation(
    desk: Desk, questions: Questions, database: Database
) -> None:
    address = GuestAddress("website-7", chat_key="website-7")
    conversation_id = desk.hears("", "Is there a helipad?", channel=Channel.CHAT, address=address)
    questions.answer("1", open_ones(questions)[0].id, ANSWER, NOA, tells_guests=True)
    thread = ConsoleQueries(database).thread("1", conversation_id)
    (last,) = thread.lines[-1:]
    assert isinstance(last, OutboundView)
    assert last.text == ANSWER.body
    with database.read() as session:
        (row,) = session.scalars(select(OutboxRow).where(OutboxRow.kind == "staff"))
    # Nothing is left to be sent.
    assert (row.channel, row.state) == (Channel.CHAT, DeliveryState.SENT)
    assert not conversation(database, conversation_id).needs_human


def test_the_desk_goes_on_answering_who_has_been_told(
    desk: Desk, questions: Questions, database: Database
) -> None:
    conversation_id = desk.hears("maya", "Is there a helipad?")
    assert conversation(database, conversation_id).needs_human
    questions.answer("1", open_ones(questions)[0].id, ANSWER, NOA, tells_guests=True)
    row = conversation(database, conversation_id)
    assert Mode(row.mode) is Mode.AI
    assert not row.needs_human


def test_the_same_answer_sent_twice_is_told_once(
    desk: Desk, questions: Questions, database: Database
) -> None:
    desk.hears("maya", "Is there a helipad?")
    (question,) = open_ones(questions)
    first = questions.answer("1", question.id, ANSWER, NOA, tells_guests=True)
    again = questions.answer("1", question.id, ANSWER, NOA, tells_guests=True)
    assert again.document_id == first.document_id
    assert again.lanes == []
    assert len(written_by_staff(database)) == 1


def test_two_who_answer_at_once_are_one_answer(desk: Desk, questions: Questions, database: Database) -> None:
    desk.hears("maya", "Is there a helipad?")
    (question,) = open_ones(questions)
    other = replace(ANSWER, body="Only on the roof.")
    refused: list[Exception] = []

    def answer(document: Document) -> None:
        try:
            questions.answer("1", question.id, document, NOA, tells_guests=True)
        except Conflict as error:
            refused.append(error)

    side_by_side(lambda: answer(ANSWER), lambda: answer(other))
    assert len(refused) == 1
    assert len(written_by_staff(database)) == 1


def test_an_answer_that_cannot_be_kept_is_told_to_nobody(
    desk: Desk, questions: Questions, database: Database
) -> None:
    conversation_id = desk.hears("maya", "Is there a helipad?")
    (question,) = open_ones(questions)

    def answer_and_die() -> None:
        with database.write() as session, database.joining(session):
            questions.answer("1", question.id, ANSWER, NOA, tells_guests=True)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        answer_and_die()
    assert written_by_staff(database) == []
    assert questions.get("1", question.id).state is QuestionState.OPEN
    assert conversation(database, conversation_id).needs_human


def test_who_has_heard_from_staff_since_is_not_told_again(
    desk: Desk, questions: Questions, database: Database, clock: FakeClock
) -> None:
    conversation_id = desk.hears("maya", "Is there a helipad?")
    modes = Modes(database, clock)
    modes.write_as_staff("1", conversation_id, "No, sorry.", NOA)
    (question,) = open_ones(questions)
    settled = questions.answer("1", question.id, ANSWER, NOA, tells_guests=True)
    assert settled.lanes == []
    assert written_by_staff(database) == [(conversation_id, "No, sorry.")]
    assert Mode(conversation(database, conversation_id).mode) is Mode.HUMAN


def test_who_was_answered_on_the_business_s_own_phone_is_not_told_again(
    desk: Desk, questions: Questions, database: Database, clock: FakeClock
) -> None:
    desk.hears("maya", "Is there a helipad?")
    Inbox(database, clock).save("1", [from_guest("maya", "No, sorry.", from_me=True)])
    settled = questions.answer("1", open_ones(questions)[0].id, ANSWER, NOA, tells_guests=True)
    assert settled.lanes == []
    assert written_by_staff(database) == []


def test_who_got_a_draft_of_the_desk_s_from_staff_is_not_told_again(
    desk: Desk, questions: Questions, database: Database, clock: FakeClock, turns: Turns
) -> None:
    conversation_id = desk.hears("maya", "Is there a helipad?")
    modes = Modes(database, clock)
    modes.set_mode("1", conversation_id, Mode.DRAFT, NOA)
    taken = turns.begin(from_guest("maya", "Hello?"), 4).taken
    assert taken is not None
    draft = Reply(text="No, none.", source=ReplySource.KNOWLEDGE, language="en")
    turns.commit_draft(taken.lease, taken.turn, draft, unless_newer=False)
    drafts = Drafts(database, clock, modes)
    waiting = drafts.open_draft("1", conversation_id)
    assert waiting is not None
    drafts.send("1", conversation_id, waiting.id, None, NOA)
    assert questions.answer("1", open_ones(questions)[0].id, ANSWER, NOA, tells_guests=True).lanes == []
    assert written_by_staff(database) == [(conversation_id, "No, none.")]


def test_who_asks_again_after_a_word_of_staff_is_told(
    desk: Desk, questions: Questions, database: Database, clock: FakeClock
) -> None:
    conversation_id = desk.hears("maya", "Is there a helipad?")
    modes = Modes(database, clock)
    modes.write_as_staff("1", conversation_id, "We are looking.", NOA)
    modes.set_mode("1", conversation_id, Mode.AI, NOA)
    clock.advance(60)
    desk.hears("maya", "Is there a helipad??")
    settled = questions.answer("1", open_ones(questions)[0].id, ANSWER, NOA, tells_guests=True)
    assert settled.lanes == [f"conversation:{conversation_id}"]


def test_staff_may_answer_without_telling_anybody(
    desk: Desk, questions: Questions, database: Database
) -> None:
    conversation_id = desk.hears("maya", "Is there a helipad?")
    questions.answer("1", open_ones(questions)[0].id, ANSWER, NOA, tells_guests=False)
    assert written_by_staff(database) == []
    assert questions.open_count("1") == 0
    # The guest waits all the same.
    assert conversation(database, conversation_id).needs_human


def test_a_guest_who_waits_for_something_else_still_needs_a_person(
    desk: Desk, questions: Questions, database: Database
) -> None:
    conversation_id = desk.hears("maya", "I want to talk to somebody", "asked_for_person")
    desk.hears("maya", "Is there a helipad?")
    questions.answer("1", open_ones(questions)[0].id, ANSWER, NOA, tells_guests=True)
    assert conversation(database, conversation_id).needs_human


def test_a_guest_with_another_open_question_still_needs_a_person(
    desk: Desk, questions: Questions, database: Database
) -> None:
    conversation_id = desk.hears("maya", "Is there a helipad?")
    desk.hears("maya", "Do you sell stamps?")
    helipad = open_ones(questions)[1]
    questions.answer("1", helipad.id, ANSWER, NOA, tells_guests=True)
    assert conversation(database, conversation_id).needs_human
    (stamps,) = open_ones(questions)
    questions.dismiss("1", stamps.id, NOA)
    assert not conversation(database, conversation_id).needs_human


def test_a_message_that_the_desk_left_to_staff_still_needs_a_person(
    desk: Desk, questions: Questions, turns: Turns, database: Database
) -> None:
    conversation_id = desk.hears("maya", "Is there a helipad?")
    taken = turns.begin(from_guest("maya", "Hello?"), 4).taken
    assert taken is not None
    turns.close(taken.lease, taken.turn, Unanswered.STALE, needs_human=True)
    questions.answer("1", open_ones(questions)[0].id, ANSWER, NOA, tells_guests=True)
    assert conversation(database, conversation_id).needs_human


def test_what_staff_saw_to_before_does_not_count(
    desk: Desk, questions: Questions, database: Database, clock: FakeClock
) -> None:
    conversation_id = desk.hears("maya", "I want to talk to somebody", "asked_for_person")
    modes = Modes(database, clock)
    modes.set_mode("1", conversation_id, Mode.HUMAN, NOA)
    clock.advance(60)
    modes.set_mode("1", conversation_id, Mode.AI, NOA)
    desk.hears("maya", "Is there a helipad?")
    questions.answer("1", open_ones(questions)[0].id, ANSWER, NOA, tells_guests=True)
    assert not conversation(database, conversation_id).needs_human


def test_a_dismissed_question_is_told_to_nobody_and_teaches_nothing(
    desk: Desk, questions: Questions, database: Database, clock: FakeClock
) -> None:
    conversation_id = desk.hears("maya", "Who let the dogs out?")
    (question,) = open_ones(questions)
    questions.dismiss("1", question.id, NOA)
    assert questions.get("1", question.id).state is QuestionState.DISMISSED
    assert written_by_staff(database) == []
    assert Documents(database, clock).count("1") == 0
    assert not conversation(database, conversation_id).needs_human
    with pytest.raises(Conflict):
        questions.answer("1", question.id, ANSWER, NOA, tells_guests=True)


def test_a_document_that_has_the_answers_id_is_left_alone(
    desk: Desk, questions: Questions, database: Database, clock: FakeClock
) -> None:
    desk.hears("maya", "Is there a helipad?")
    (question,) = open_ones(questions)
    documents = Documents(database, clock)
    taken = Document(f"answer-{question.id}", "Imported", "By hand.", "en")
    documents.add("1", taken, NOA)
    settled = questions.answer("1", question.id, ANSWER, NOA, tells_guests=False)
    assert settled.document_id == f"answer-{question.id}-2"
    assert documents.get("1", taken.id).document.body == "By hand."


def test_questions_of_others_do_not_exist(desk: Desk, questions: Questions) -> None:
    desk.hears("maya", "Is there a helipad?")
    (question,) = open_ones(questions)
    with pytest.raises(NotFound):
        questions.get("2", question.id)
    with pytest.raises(NotFound):
        questions.answer("2", question.id, ANSWER, NOA, tells_guests=True)
    with pytest.raises(NotFound):
        questions.dismiss("2", question.id, NOA)
    assert questions.open_count("1") == 1


def test_the_same_words_asked_of_another_business_stay_open(desk: Desk, questions: Questions) -> None:
    desk.hears("maya", "Is there a helipad?")
    desk.hears("dan", "Is there a helipad?", tenant_id="2")
    questions.answer("1", open_ones(questions)[0].id, ANSWER, NOA, tells_guests=True)
    assert len(open_ones(questions, "2")) == 1


def test_what_was_done_is_noted_without_a_word_of_the_guests(
    desk: Desk, questions: Questions, database: Database
) -> None:
    desk.hears("maya", "Is there a helipad?")
    (question,) = open_ones(questions)
    questions.answer("1", question.id, ANSWER, NOA, tells_guests=True)
    with database.read() as session:
        (noted,) = session.scalars(select(AuditRow)).all()
    assert (noted.actor, noted.action, noted.subject) == (
        "console: Noa",
        "question.answered",
        f"question {question.id}",
    )
    assert "helipad" not in str(noted.details)


def test_a_question_moves_with_its_conversation(
    desk: Desk, questions: Questions, database: Database, clock: FakeClock, leases: Leases
) -> None:
    by_lid = desk.hears("maya", "Is there a helipad?")
    phone = "972501111111@s.whatsapp.net"
    by_phone = desk.hears("", "Hello", "asked_for_person", address=GuestAddress(phone, phone=phone))
    assert by_lid != by_phone
    identities = Identities(database, clock)
    identities.link("1", "maya@lid", phone)
    (guest_id,) = identities.due_merges(10)
    merge = identities.find_merge(guest_id)
    assert merge is not None
    identities.merge([], merge)
    (question,) = open_ones(questions)
    assert question.conversation_id == merge.staying
