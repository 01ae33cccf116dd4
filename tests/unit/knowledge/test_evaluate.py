"""Scores are counted as the contract defines them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from server.domain.knowledge import AnswerAction, Citation, KnowledgeAnswer
from server.errors import InvalidRequest
from server.knowledge.evaluate import Line, Outcome, Question, read_businesses, read_questions, score


def an_outcome(
    action: AnswerAction,
    documents: list[str],
    gold: list[str],
    *,
    ranking: list[str] | None = None,
    source: str = "typed",
    ms: float = 10,
) -> Outcome:
    question = Question(id="q", source=source, tenant="1", history=[Line(role="guest", text="?")], gold=gold)
    cited = [Citation(key, key, 0.5) for key in documents]
    ranked = [Citation(key, key, 0.5) for key in (documents if ranking is None else ranking)]
    return Outcome(question, KnowledgeAnswer(action, "text", cited, ranked), ms)


@pytest.mark.parametrize(
    ("action", "documents", "gold", "verdict"),
    [
        (AnswerAction.ANSWER, ["a"], ["a", "b"], "right"),
        (AnswerAction.ANSWER, ["c"], ["a", "b"], "wrong"),
        (AnswerAction.ANSWER, ["c"], [], "wrong"),
        (AnswerAction.OFFER, ["c", "b"], ["b"], "offered"),
        (AnswerAction.OFFER, ["c", "d"], ["b"], "wrong"),
        (AnswerAction.OFFER, ["c", "d"], [], "wrong"),
        (AnswerAction.ASK_TEAM, [], ["b"], "asked_team"),
        (AnswerAction.ASK_TEAM, [], [], "asked_team"),
    ],
)
def test_each_action_has_its_verdict(
    action: AnswerAction, documents: list[str], gold: list[str], verdict: str
) -> None:
    assert an_outcome(action, documents, gold).verdict == verdict


def test_scores_are_counted_by_source_with_the_ranking_and_the_latency() -> None:
    answer, ask_team = AnswerAction.ANSWER, AnswerAction.ASK_TEAM
    result = score(
        [
            an_outcome(answer, ["a"], ["a"], ms=10),
            an_outcome(answer, ["b"], ["a"], ranking=["b", "a"], ms=20),
            an_outcome(ask_team, [], ["a"], ranking=["x", "y", "z", "a"], ms=30),
            an_outcome(answer, ["b"], [], source="unanswerable-typed", ms=40),
        ]
    )
    assert result.as_json() == {
        "sources": {
            "typed": {"n": 3, "right": 1, "offered": 0, "asked_team": 1, "wrong": 1, "top1": 1, "top3": 2},
            "unanswerable-typed": {
                "n": 1, "right": 0, "offered": 0, "asked_team": 0, "wrong": 1, "top1": 0, "top3": 0,
            },
        },
        "latency_ms": {"p50": 25.0, "p99": pytest.approx(39.7)},
    }  # fmt: skip
    assert (result.answerable.n, result.unanswerable.n, result.unanswerable_answered) == (3, 1, 1)


QUESTION = {"id": "q", "source": "s", "tenant": "1", "history": [{"role": "guest", "text": "?"}], "gold": []}


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("{", "line 2: is not JSON"),
        ("7", "line 2: the line:"),
        (json.dumps(QUESTION | {"history": []}), "line 2: history:"),
        (json.dumps(QUESTION | {"history": [{"role": "boss", "text": "?"}]}), "line 2: history.0.role:"),
        (json.dumps({key: QUESTION[key] for key in QUESTION if key != "gold"}), "line 2: gold:"),
        (json.dumps(QUESTION | {"tenant": "9"}), "which the file of businesses does not have"),
        (json.dumps(QUESTION | {"history": [{"role": "host", "text": "?"}]}), "does not end with the guest"),
    ],
)
def test_a_bad_question_is_named_with_its_remedy(tmp_path: Path, line: str, told: str) -> None:
    businesses, questions = tmp_path / "businesses.jsonl", tmp_path / "questions.jsonl"
    businesses.write_text(json.dumps({"tenant": "1", "name": "A", "documents": []}), encoding="utf-8")
    questions.write_text(f"{json.dumps(QUESTION)}\n{line}\n", encoding="utf-8")
    with pytest.raises(InvalidRequest) as raised:
        read_questions(questions, read_businesses(businesses))
    assert told in str(raised.value)
    assert str(questions) in str(raised.value)


def test_no_question_at_all_is_refused(tmp_path: Path) -> None:
    questions = tmp_path / "questions.jsonl"
    questions.write_text("\n", encoding="utf-8")
    with pytest.raises(InvalidRequest, match="no question"):
        read_questions(questions, {})
