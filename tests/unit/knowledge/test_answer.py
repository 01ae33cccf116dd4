"""Three actions: quote, offer, ask the team."""

from __future__ import annotations

import pytest

from server.domain.conversations import HistoryLine, Speaker
from server.domain.knowledge import AnswerAction, KnowledgeAnswer, Passage
from server.knowledge.answer import EmbeddedAnswers, Thresholds
from server.knowledge.phrases import phrases
from tests.fakes.answers import HOUSE, a_document, a_retriever, the_answers


def ask(
    answers: EmbeddedAnswers,
    question: str,
    *,
    history: tuple[HistoryLine, ...] = (),
    offered: tuple[str, ...] = (),
    language: str = "en",
) -> KnowledgeAnswer:
    return answers.answer(HOUSE, question, history, offered, language)


@pytest.fixture
def answers() -> EmbeddedAnswers:
    return the_answers()


@pytest.fixture
def unsure() -> EmbeddedAnswers:
    """Answers that offer topics where others would answer."""
    return EmbeddedAnswers(a_retriever(), Thresholds(answer=1.1, offer=0.1))


def test_a_sure_answer_is_the_source_word_for_word(answers: EmbeddedAnswers) -> None:
    answer = ask(answers, "Hi! When is breakfast served?")
    assert answer.action is AnswerAction.ANSWER
    assert answer.text == "Breakfast is served from 7:30 to 10:30."
    assert [citation.document for citation in answer.citations] == ["breakfast"]
    assert answer.ranking[0] == answer.citations[0]
    assert 0 < answer.citations[0].score <= 1


def test_what_the_documents_do_not_speak_of_is_for_the_team(answers: EmbeddedAnswers) -> None:
    answer = ask(answers, "Can you fly us to the moon by helicopter?")
    assert answer.action is AnswerAction.ASK_TEAM
    assert answer.text == phrases("en").ask_team
    assert list(answer.citations) == []
    assert len(answer.ranking) == 5


def test_the_team_is_asked_in_the_guests_language(answers: EmbeddedAnswers) -> None:
    assert ask(answers, "אפשר לטוס לירח במסוק?", language="he").text == phrases("he").ask_team
    assert ask(answers, "можно вертолёт?", language="ru").text == phrases("en").ask_team


def test_a_business_without_documents_asks_the_team() -> None:
    nothing_known = HOUSE.__class__("2", HOUSE.settings)
    answer = the_answers().answer(nothing_known, "Is there a pool?", (), (), "en")
    assert answer.action is AnswerAction.ASK_TEAM
    assert list(answer.ranking) == []


def test_half_sure_topics_are_offered_by_number(unsure: EmbeddedAnswers) -> None:
    answer = ask(unsure, "parking")
    assert answer.action is AnswerAction.OFFER
    lead_in, *choices = answer.text.split("\n")
    assert lead_in == phrases("en").offer
    assert len(choices) == 3
    assert choices == [f"{n}. {citation.title}" for n, citation in enumerate(answer.citations, start=1)]
    assert {"parking", "bikes"} <= {citation.document for citation in answer.citations}


def test_two_documents_under_one_heading_are_offered_once() -> None:
    retriever = a_retriever(
        a_document("a", "Parking", "In the yard."),
        a_document("b", "Parking", "In the street."),
        a_document("c", "Pool", "No."),
    )
    answer = ask(EmbeddedAnswers(retriever, Thresholds(answer=1.1, offer=0.0)), "parking")
    assert sorted(citation.title for citation in answer.citations) == ["Parking", "Pool"]


@pytest.mark.parametrize("choice", ["2", "the second", "bicycle"])
def test_a_choice_is_answered_with_its_document(unsure: EmbeddedAnswers, choice: str) -> None:
    answer = ask(unsure, choice, offered=("parking", "bikes", "pets"))
    assert answer.action is AnswerAction.ANSWER
    assert answer.text == "A shed for bicycles stands behind the house."
    assert [citation.document for citation in answer.citations] == ["bikes"]


def test_a_new_question_in_place_of_a_choice_is_answered(answers: EmbeddedAnswers) -> None:
    answer = ask(answers, "When is breakfast served?", offered=("parking", "bikes"))
    assert [citation.document for citation in answer.citations] == ["breakfast"]


def test_a_choice_that_is_gone_keeps_its_number(unsure: EmbeddedAnswers) -> None:
    assert ask(unsure, "2", offered=("gone", "pets")).text == "Small dogs are welcome in the garden rooms."
    assert ask(unsure, "1", offered=("gone", "pets")).action is not AnswerAction.ANSWER


def test_a_source_in_both_languages_is_quoted_in_the_askers(answers: EmbeddedAnswers) -> None:
    assert ask(answers, "is there a pool?").text == "There is no pool."
    assert ask(answers, "יש בריכה?", language="he").text == "אין בריכה."


def test_a_topic_told_twice_is_ranked_once(answers: EmbeddedAnswers) -> None:
    for question, language in (("pool", "en"), ("בריכה", "he"), ("бассейн", "ru")):
        ranked = [citation.document for citation in ask(answers, question, language=language).ranking]
        assert len({key.partition(".")[0] for key in ranked}) == len(ranked)
        # A guest of a third language gets the language that the business prefers.
        assert ("pool.he" in ranked) <= (language == "he")


def test_a_source_in_another_language_is_said_to_be_so(unsure: EmbeddedAnswers) -> None:
    in_hebrew = ask(unsure, "1", offered=("sauna",))
    assert in_hebrew.text == "Our information on this is in Hebrew:\nהסאונה פתוחה בין 18:00 ל-22:00."
    in_english = ask(unsure, "1", offered=("laundry",), language="he")
    assert in_english.text == "המידע שלנו בנושא זה הוא באנגלית:\nA washing machine is in the basement."


def test_a_source_in_another_language_must_be_surer_to_be_quoted() -> None:
    thresholds = Thresholds(answer=0.3, answer_across_languages=0.6)
    for document, language, least in (
        (a_document("pool", "Pool", "No pool."), "en", 0.3),
        (a_document("pool", "Pool", "No pool."), "he", 0.6),
        (a_document("hours", "Pool", "8-20"), "he", 0.3),
    ):
        assert thresholds.answer_from(Passage(document, 0.5), language) == least


def test_a_follow_up_is_read_with_the_question_before_it() -> None:
    answers = the_answers(
        a_document("parking", "Parking price", "Parking costs ₪40."),
        a_document("breakfast", "Breakfast price", "Breakfast costs ₪65."),
        a_document("pool", "Pool", "There is no pool."),
        a_document("pets", "Pets", "Small dogs are welcome."),
    )
    history = (
        HistoryLine(Speaker.GUEST, "Do you serve breakfast?"),
        HistoryLine(Speaker.HOST, "Yes, in the garden."),
    )
    answer = ask(answers, "and what is its price?", history=history)
    assert answer.ranking[0].document == "breakfast"
