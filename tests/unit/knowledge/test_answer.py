"""Three actions: quote, offer, ask the team."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from server.domain.conversations import HistoryLine, Speaker
from server.domain.knowledge import AnswerAction, KnowledgeAnswer
from server.knowledge.answer import EmbeddedAnswers, Thresholds
from server.knowledge.excerpt import WHOLE_UP_TO
from server.knowledge.phrases import phrases
from tests.fakes.answers import DOCUMENTS, HOUSE, a_document, a_retriever, the_answers

# A Saturday, 10:00 at the house in Israel.
NOW = datetime(2026, 11, 21, 8, tzinfo=UTC)


def ask(
    answers: EmbeddedAnswers,
    question: str,
    *,
    history: tuple[HistoryLine, ...] = (),
    offered: tuple[str, ...] = (),
    language: str = "en",
    now: datetime = NOW,
) -> KnowledgeAnswer:
    return answers.answer(HOUSE, question, history, offered, language, now)


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
    answer = the_answers().answer(nothing_known, "Is there a pool?", (), (), "en", NOW)
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


def test_each_of_several_questions_is_answered_by_itself(answers: EmbeddedAnswers) -> None:
    answer = ask(answers, "When is breakfast served? And is there a pool?")
    assert answer.action is AnswerAction.ANSWER
    assert answer.text == "Breakfast is served from 7:30 to 10:30.\n\nThere is no pool."
    assert [citation.document for citation in answer.citations] == ["breakfast", "pool.en"]
    assert list(answer.unanswered) == []


def test_of_several_questions_what_is_not_known_is_left_to_the_team(answers: EmbeddedAnswers) -> None:
    answer = ask(answers, "When is breakfast served and can you fly us to the moon by helicopter?")
    assert answer.text == f"Breakfast is served from 7:30 to 10:30.\n\n{phrases('en').ask_team_the_rest}"
    assert list(answer.unanswered) == ["can you fly us to the moon by helicopter?"]


def test_two_questions_that_one_document_answers_have_one_answer(answers: EmbeddedAnswers) -> None:
    answer = ask(answers, "When is breakfast served? Is breakfast served at 8?")
    assert answer.text == "Breakfast is served from 7:30 to 10:30."


def test_of_a_long_text_the_sentences_that_answer_are_quoted() -> None:
    sentences = [f"On floor {number} there are rooms with a view of the old town." for number in range(20)]
    sentences.insert(11, "Breakfast is served from 7:30 to 10:30 in the garden.")
    answers = the_answers(a_document("house", "The house", " ".join(sentences)))
    text = ask(answers, "when is breakfast served?", offered=()).text
    assert "Breakfast is served from 7:30 to 10:30 in the garden." in text
    assert text in " ".join(sentences)
    assert len(text) <= WHOLE_UP_TO


def test_opening_hours_are_told_for_the_businesss_own_time() -> None:
    pool = replace(
        a_document("pool", "Pool", "The pool is open to all, towels are there."),
        hours="Su-Fr 08:00-19:00; Sa off",
    )
    answers = the_answers(pool, *DOCUMENTS[2:])
    on_saturday = ask(answers, "is the pool open now?").text
    assert on_saturday.endswith("\nThe pool is open to all, towels are there.")
    assert "closed now" in on_saturday
    assert "open now, until 19:00" in ask(answers, "is the pool open now?", now=NOW + timedelta(days=1)).text
    assert ask(answers, "pool towels?").text == "The pool is open to all, towels are there."


def test_what_is_not_in_season_is_told_with_its_first_day() -> None:
    pool = replace(a_document("pool", "Pool", "The pool is heated."), valid_from="06-01", valid_until="09-30")
    answers = the_answers(pool, *DOCUMENTS[2:])
    assert ask(answers, "is the pool heated?").text == "From Tuesday 1 June 2027:\nThe pool is heated."
    in_summer = datetime(2027, 7, 1, tzinfo=UTC)
    assert ask(answers, "is the pool heated?", now=in_summer).text == "The pool is heated."


def test_what_is_over_for_good_is_not_told() -> None:
    over = replace(a_document("pool", "Pool", "The pool is heated."), valid_until="2025-09-30")
    answer = ask(the_answers(over, *DOCUMENTS[2:]), "is the pool heated?")
    assert "heated" not in answer.text
    assert "pool" not in [citation.document for citation in answer.ranking]


def test_of_two_documents_that_disagree_the_newer_is_quoted_and_the_pair_is_told() -> None:
    old = replace(a_document("old", "Breakfast", "Breakfast is from 7:00 to 10:00."), changed_at=NOW)
    new = replace(
        a_document("new", "Breakfast", "Breakfast is from 8:00 to 11:00."), changed_at=NOW + timedelta(days=1)
    )
    answer = ask(the_answers(old, new, *DOCUMENTS[:4]), "when is breakfast?")
    assert answer.text == "Breakfast is from 8:00 to 11:00."
    assert list(answer.conflicts) == [("new", "old")]
