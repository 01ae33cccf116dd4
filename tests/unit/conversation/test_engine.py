"""The engine always has an answer: shortcut, model behind the gate, the business's own words, the team."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from server.conversation.engine import Engine
from server.domain.conversations import Reply, ReplySource
from server.errors import ProviderRejected, ProviderUnavailable
from server.knowledge.answer import EmbeddedAnswers
from tests.fakes.answers import a_document, a_retriever
from tests.fakes.clock import FakeClock
from tests.fakes.language_model import FakeModel, Step
from tests.support.turns import a_turn


def an_engine(model: FakeModel | None = None) -> Engine:
    retriever = a_retriever()
    return Engine(EmbeddedAnswers(retriever), retriever, model, FakeClock(), first_token_s=0.05, total_s=0.1)


async def answer(model: FakeModel | None, *texts: str, offered: Sequence[str] = ()) -> Reply:
    return await an_engine(model).answer(replace(a_turn(*texts), offered=offered))


async def test_a_greeting_asks_no_model() -> None:
    model = FakeModel("should not be asked")
    reply = await answer(model, "Hello!")
    assert reply.source is ReplySource.SHORTCUT
    assert model.requests == []


async def test_the_models_words_leave_without_their_citations() -> None:
    reply = await answer(FakeModel("Breakfast is from 7:30 to 10:30. [p1]"), "When is breakfast?")
    assert reply.source is ReplySource.MODEL
    assert reply.text == "Breakfast is from 7:30 to 10:30."
    assert [citation.document for citation in reply.citations] == ["breakfast"]


async def test_the_model_is_given_the_passages_and_its_limits() -> None:
    model = FakeModel("Breakfast is from 7:30 to 10:30. [p1]")
    await answer(model, "When is breakfast?")
    request = model.requests[0]
    assert any("Breakfast is served from 7:30" in line.content for line in request.lines)
    assert (request.first_token_s, request.total_s) == (0.05, 0.1)


async def test_a_price_that_stands_nowhere_is_not_said() -> None:
    reply = await answer(FakeModel("Breakfast costs 99 euros. [p1]"), "When is breakfast?")
    assert reply.source is ReplySource.KNOWLEDGE
    assert "99" not in reply.text
    assert "7:30" in reply.text


async def test_a_model_that_is_out_of_order_is_replaced() -> None:
    for error in (ProviderUnavailable("model", "503"), ProviderRejected("model", "401")):
        reply = await answer(FakeModel([error]), "When is breakfast?")
        assert reply.source is ReplySource.KNOWLEDGE
        assert "7:30" in reply.text


async def test_a_model_that_breaks_off_is_replaced() -> None:
    script: list[Step] = ["Breakfast is from ", ProviderUnavailable("model", "cut")]
    reply = await answer(FakeModel(script), "When is breakfast?")
    assert reply.source is ReplySource.KNOWLEDGE


async def test_a_model_that_does_not_know_asks_the_team() -> None:
    reply = await answer(FakeModel("[[ask-team]]"), "When is breakfast?")
    assert reply.handover
    assert "asked the team" in reply.text


async def test_a_choice_from_an_offer_is_taken_literally() -> None:
    model = FakeModel("should not be asked")
    reply = await answer(model, "2", offered=["parking", "bikes"])
    assert [citation.document for citation in reply.citations] == ["bikes"]
    assert model.requests == []


async def test_what_is_not_known_is_handed_over() -> None:
    reply = await answer(None, "Is there a helipad on the roof?")
    assert (reply.handover, reply.reason) == (True, "not_known")
    assert reply.citations == ()


async def test_the_answer_is_in_the_guests_language() -> None:
    assert (await answer(None, "יש לכם מנחת מסוקים?")).language == "he"


async def test_a_message_without_letters_is_answered_in_the_language_before() -> None:
    turn = a_turn("??", guest_said=["שלום"])
    assert (await an_engine().answer(turn)).language == "he"


async def test_timings_say_how_long_it_took() -> None:
    assert "total" in (await answer(None, "When is breakfast?")).timings_ms


def test_giving_up_leaves_the_guest_with_the_team() -> None:
    reply = an_engine().give_up(a_turn("When is breakfast?"))
    assert reply.handover
    assert "team" in reply.text


async def test_a_business_that_discloses_the_machine_does_so_once() -> None:
    first = await an_engine().answer(a_turn("Hello", ai_disclosure=True))
    later = await an_engine().answer(a_turn("Hello", desk_said=["Hello!"], ai_disclosure=True))
    assert first.text.startswith("This is the automated assistant of Harbour House")
    assert "automated" not in later.text


async def test_the_machine_is_not_mentioned_where_nobody_asked_for_it() -> None:
    assert "automated" not in (await answer(None, "Hello")).text


async def test_of_several_questions_what_is_not_known_is_handed_over() -> None:
    reply = await answer(None, "When is breakfast? And can you fly us to the moon by helicopter?")
    assert "7:30" in reply.text
    assert reply.handover
    assert reply.reason == "not_all_known"


async def test_staff_are_told_of_documents_that_disagree() -> None:
    retriever = a_retriever(
        a_document("old", "Breakfast", "Breakfast is from 7:00 to 10:00."),
        a_document("new", "Breakfast", "Breakfast is from 8:00 to 11:00."),
        a_document("pets", "Pets", "Small dogs are welcome."),
        a_document("laundry", "Laundry", "A washing machine is in the basement."),
    )
    engine = Engine(EmbeddedAnswers(retriever), retriever, None, FakeClock(), first_token_s=0.05, total_s=0.1)
    reply = await engine.answer(a_turn("When is breakfast?"))
    assert reply.reason == "documents_disagree"
    assert [set(pair) for pair in reply.conflicts] == [{"old", "new"}]
    assert not reply.handover


async def test_the_model_is_not_given_what_does_not_hold_today() -> None:
    over = replace(a_document("pool", "Pool", "The pool has 29 degrees."), valid_until="2020-09-30")
    retriever = a_retriever(over, a_document("pets", "Pets", "Small dogs are welcome."))
    model = FakeModel("Small dogs are welcome. [p1]")
    engine = Engine(EmbeddedAnswers(retriever), retriever, model, FakeClock(), first_token_s=1, total_s=1)
    await engine.answer(a_turn("How warm is the pool?"))
    told = [line.content for line in model.requests[0].lines]
    assert any("Small dogs" in line for line in told)
    assert not any("29 degrees" in line for line in told)
