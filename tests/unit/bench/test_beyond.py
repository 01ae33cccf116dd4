"""What an answer took beyond the model's own time."""

from __future__ import annotations

from typing import Any

import pytest

from bench.asking import Heard
from bench.beyond import beyond, model_times


def a_record(text: str, **changes: Any) -> dict[str, Any]:
    messages = [{"role": "system", "content": "zqother: no question"}, {"role": "user", "content": text}]
    times = {"received_at": 100.010, "first_token_at": 100.410, "last_token_at": 101.0}
    return {"body": {"messages": messages}, "outcome": "answered", **times, **changes}


def a_heard(key: str, **changes: Any) -> Heard:
    values: dict[str, Any] = {
        "key": key,
        "kind": "streamed",
        "sent_at": 100.0,
        "first_at": 100.415,
        "ended_at": 101.030,
        "status": 200,
        "is_whole": True,
        "reply": "Yes.",
        "answer": {"source": "model"},
    }
    return Heard(**(values | changes))


def test_the_models_own_time_is_taken_off() -> None:
    times = model_times([a_record("zqaaaaa: parking?")])
    (found,) = beyond([a_heard("zqaaaaa")], times)
    assert found.model == pytest.approx(990)
    assert found.whole == pytest.approx(40)
    assert found.first == pytest.approx(15)
    assert found.handed_on == pytest.approx(5)


def test_an_answer_in_one_piece_has_no_first_words() -> None:
    (found,) = beyond([a_heard("zqaaaaa", first_at=None)], model_times([a_record("zqaaaaa: parking?")]))
    assert found.first is None
    assert found.handed_on is None


def test_of_two_requests_for_one_question_the_quicker_answer_counts() -> None:
    late = a_record("zqaaaaa: parking?", last_token_at=105.0)
    given_up = a_record("zqaaaaa: parking?", outcome="client_left", last_token_at=None, first_token_at=None)
    times = model_times([late, a_record("zqaaaaa: parking?"), given_up])
    assert times["zqaaaaa"].last_at == 101.0


def test_what_the_model_did_not_answer_is_left_out() -> None:
    times = model_times([a_record("zqaaaaa: parking?"), a_record("zqbbbbb: pets?", outcome="cut")])
    others = [
        a_heard("zqbbbbb"),
        a_heard("zqaaaaa", status=503),
        a_heard("zqaaaaa", answer={"source": "knowledge"}),
        a_heard("zqaaaaa", reply=" "),
        a_heard("zqaaaaa", is_whole=False),
    ]
    assert beyond(others, times) == []


@pytest.mark.parametrize("body", [None, "text", {}, {"messages": []}])
def test_a_request_that_is_no_question_is_passed_over(body: object) -> None:
    assert model_times([{"body": body, "outcome": "answered"}]) == {}
