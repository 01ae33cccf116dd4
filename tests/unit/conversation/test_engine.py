"""The engine always has an answer: shortcut, model behind the gate, the business's own words, the team."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from server.conversation.answer_cache import AnswerCache
from server.conversation.prompts import PROMPT_VERSION
from server.domain.conversations import Reply, ReplySource, Turn, Unheard, WaitingMessage
from server.domain.events import ReplyEvent, Token, ToolResult, ToolStart
from server.domain.messages import MessageKind
from server.domain.spending import Level
from server.errors import ProviderRejected, ProviderUnavailable
from tests.fakes.answers import a_document
from tests.fakes.language_model import FakeModel, Step
from tests.support.engines import an_engine, the_models
from tests.support.reading import shown
from tests.support.turns import NOW, a_turn


async def answer(model: FakeModel | None, *texts: str, offered: Sequence[str] = ()) -> Reply:
    engine = an_engine(None if model is None else the_models(model))
    return await engine.answer(replace(a_turn(*texts), offered=offered))


async def test_a_greeting_asks_no_model() -> None:
    model = FakeModel("should not be asked")
    reply = await answer(model, "Hello!")
    assert reply.source is ReplySource.SHORTCUT
    assert model.requests == []


async def test_the_models_words_leave_without_their_citations() -> None:
    reply = await answer(FakeModel("Breakfast is from 7:30 to 10:30. [p1]"), "When is breakfast?")
    assert reply.source is ReplySource.MODEL
    assert reply.text == "Breakfast is from 7:30 to 10:30."
    assert reply.held_back == ""
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
    assert reply.held_back


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
    documents = (
        a_document("old", "Breakfast", "Breakfast is from 7:00 to 10:00."),
        a_document("new", "Breakfast", "Breakfast is from 8:00 to 11:00."),
        a_document("pets", "Pets", "Small dogs are welcome."),
        a_document("laundry", "Laundry", "A washing machine is in the basement."),
    )
    reply = await an_engine(documents=documents).answer(a_turn("When is breakfast?"))
    assert reply.reason == "documents_disagree"
    assert [set(pair) for pair in reply.conflicts] == [{"old", "new"}]
    assert not reply.handover


async def test_the_model_is_not_given_what_does_not_hold_today() -> None:
    over = replace(a_document("pool", "Pool", "The pool has 29 degrees."), valid_until="2020-09-30")
    documents = (over, a_document("pets", "Pets", "Small dogs are welcome."))
    model = FakeModel("Small dogs are welcome. [p1]")
    await an_engine(the_models(model), documents=documents).answer(a_turn("How warm is the pool?"))
    told = [line.content for line in model.requests[0].lines]
    assert any("Small dogs" in line for line in told)
    assert not any("29 degrees" in line for line in told)


BREAKFAST = "Hello dear guest, our breakfast is from 7:30 to 10:30. [p1]"


async def told(model: FakeModel, text: str = "When is breakfast?") -> tuple[list[ReplyEvent], Reply]:
    """What a listener is told, and the reply."""
    events: list[ReplyEvent] = []
    reply = await an_engine(the_models(model)).answer(a_turn(text), events.append)
    return events, reply


async def test_who_reads_along_sees_the_reply_grow_to_what_it_is() -> None:
    events, reply = await told(FakeModel(BREAKFAST))
    tokens = [event for event in events if isinstance(event, Token)]
    assert len(tokens) > 2
    assert "".join(token.text for token in tokens) == reply.text


async def test_who_reads_along_is_told_of_the_look_up() -> None:
    events, _ = await told(FakeModel(BREAKFAST))
    assert events[0] == ToolStart("knowledge")
    assert isinstance(events[1], ToolResult)
    assert events[1].count > 0


async def test_words_of_an_answer_that_is_refused_are_taken_back() -> None:
    events, reply = await told(FakeModel("Hello dear guest, our breakfast costs 99 euros a head. [p1]"))
    assert reply.source is ReplySource.KNOWLEDGE
    assert "Hello dear" in "".join(event.text for event in events if isinstance(event, Token))
    assert shown(events) == ""


async def test_a_model_that_the_gate_refuses_is_not_read_to_its_end() -> None:
    model = FakeModel("Breakfast costs 99 euros. [p1] " + "And so on and on and on. [p1] " * 20)
    await told(model)
    assert model.left_early == 1


async def test_a_disclosure_comes_before_the_first_words() -> None:
    events: list[ReplyEvent] = []
    turn = a_turn("When is breakfast?", ai_disclosure=True)
    reply = await an_engine(the_models(FakeModel(BREAKFAST))).answer(turn, events.append)
    assert shown(events) == reply.text
    assert reply.text.startswith("This is the automated assistant")


async def test_a_reply_says_which_model_and_prompt_made_it_and_when() -> None:
    reply = await answer(FakeModel(BREAKFAST), "When is breakfast?")
    assert (reply.model, reply.prompt_version) == ("fake", PROMPT_VERSION)
    assert list(reply.steps_ms) == ["context", "first_token", "last_token", "gate"]
    assert list(reply.steps_ms.values()) == sorted(reply.steps_ms.values())


async def test_an_answer_suggests_what_else_is_known() -> None:
    reply = await answer(None, "When is breakfast?")
    assert "Breakfast" not in reply.quick_replies


async def test_most_of_the_budget_spent_the_cheaper_model_is_asked() -> None:
    usual, cheap = FakeModel(), FakeModel(BREAKFAST)
    engine = an_engine(the_models(usual, cheap, Level.CHEAPER))
    assert (await engine.answer(a_turn("When is breakfast?"))).source is ReplySource.MODEL
    assert usual.requests == []


async def test_nearly_all_of_the_budget_spent_the_documents_answer() -> None:
    model = FakeModel(BREAKFAST)
    reply = await an_engine(the_models(model, level=Level.EMBEDDED)).answer(a_turn("When is breakfast?"))
    assert reply.source is ReplySource.KNOWLEDGE
    assert model.requests == []


async def test_all_of_the_budget_spent_a_person_answers() -> None:
    model = FakeModel(BREAKFAST)
    reply = await an_engine(the_models(model, level=Level.HUMAN)).answer(a_turn("When is breakfast?"))
    assert (reply.handover, reply.reason) == (True, "budget_spent")
    assert model.requests == []


async def test_the_same_first_question_of_another_guest_asks_no_model() -> None:
    model = FakeModel(BREAKFAST)
    engine = an_engine(the_models(model), cache=AnswerCache(60, 10))
    first, second = [await engine.answer(a_turn("When is breakfast?")) for _ in range(2)]
    assert (first.source, second.source) == (ReplySource.MODEL, ReplySource.CACHE)
    assert first.text == second.text
    assert len(model.requests) == 1


async def test_an_answer_that_the_gate_refused_is_not_kept() -> None:
    model = FakeModel("Breakfast costs 99 euros. [p1]", BREAKFAST)
    engine = an_engine(the_models(model), cache=AnswerCache(60, 10))
    sources = [(await engine.answer(a_turn("When is breakfast?"))).source for _ in range(2)]
    assert sources == [ReplySource.KNOWLEDGE, ReplySource.MODEL]


async def test_without_early_exits_a_greeting_is_put_to_the_model() -> None:
    model = FakeModel("Hello to you too!")
    reply = await an_engine(the_models(model), exits_early=False).answer(a_turn("Hello"))
    assert reply.source is ReplySource.MODEL


@pytest.mark.parametrize("exits_early", [True, False])
async def test_danger_is_never_put_to_a_model(exits_early: bool) -> None:
    model = FakeModel("should not be asked")
    engine = an_engine(the_models(model), exits_early=exits_early)
    reply = await engine.answer(a_turn("Help, there is a fire in our room!", ai_disclosure=True))
    assert reply.urgent
    assert reply.handover
    assert "automated" not in reply.text
    assert model.requests == []


def wishing(text: str, **wishes: object) -> Turn:
    turn = a_turn(text)
    return replace(turn, messages=[replace(turn.messages[0], details=wishes)])


async def test_a_caller_may_choose_the_model() -> None:
    usual, other = FakeModel(), FakeModel(BREAKFAST)
    models = the_models(usual)
    models = replace(models, known=replace(models.known, by_name={"other": other}))
    reply = await an_engine(models).answer(wishing("When is breakfast?", model="other"))
    assert reply.source is ReplySource.MODEL
    assert usual.requests == []


async def test_without_the_documents_nothing_of_them_is_told() -> None:
    model = FakeModel(BREAKFAST)
    reply = await an_engine(the_models(model)).answer(wishing("When is breakfast?", use_rag=False))
    assert "<document" not in model.requests[0].lines[-1].content
    assert "7:30" not in reply.text
    assert reply.handover


def spoken(*texts: str, unheard: Unheard | None = None) -> Turn:
    """A voice message before what was written."""
    turn = a_turn(*texts)
    voice = WaitingMessage(9, "ID9", MessageKind.AUDIO, "", None, NOW, 0, {}, unheard)
    return replace(turn, messages=[voice, *turn.messages])


@pytest.mark.parametrize("unheard", list(Unheard))
async def test_a_voice_message_that_nobody_heard_goes_to_the_team_with_the_reason(unheard: Unheard) -> None:
    reply = await an_engine().answer(spoken(unheard=unheard))
    assert (reply.handover, reply.reason) == (True, unheard)
    assert "passed it to the team" in reply.text


async def test_words_beside_a_voice_message_that_nobody_heard_are_answered_and_the_team_listens() -> None:
    turn = spoken("When is breakfast?", unheard=Unheard.LATE)
    reply = await an_engine(the_models(FakeModel("Breakfast is from 7:30 to 10:30. [p1]"))).answer(turn)
    assert "7:30" in reply.text
    assert (reply.handover, reply.reason) == (True, Unheard.LATE)


async def test_a_reason_to_call_the_team_is_not_replaced() -> None:
    reply = await an_engine().answer(spoken("I want to talk to a person", unheard=Unheard.LATE))
    assert reply.handover
    assert reply.reason != Unheard.LATE


async def test_a_picture_without_words_goes_to_the_team() -> None:
    turn = a_turn("")
    turn = replace(turn, messages=[replace(turn.messages[0], kind=MessageKind.IMAGE)])
    reply = await an_engine().answer(turn)
    assert (reply.handover, reply.reason) == (True, "no_words")


async def test_an_answer_to_a_picture_is_not_given_to_somebody_elses_words() -> None:
    model = FakeModel(BREAKFAST, BREAKFAST)
    engine = an_engine(the_models(model), cache=AnswerCache(60, 10))
    words = a_turn("When is breakfast?")
    picture = replace(words, messages=[replace(words.messages[0], kind=MessageKind.IMAGE)])
    for turn in (picture, words, words):
        await engine.answer(turn)
    assert len(model.requests) == 2
