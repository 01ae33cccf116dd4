"""Which faults meet which calls, and what a call that met one is judged by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from bench import voice_faults, voice_leaks
from bench.faults.crowd import marks_in
from bench.figures import Figure
from bench.voice_faults_call import Met
from bench.voice_faults_plan import (
    TROUBLES,
    WHOLE_DESK,
    Cell,
    Plan,
    Point,
    Question,
    Who,
    known_utterances,
    plans,
)
from bench.voice_leaks import Held
from bench.voice_leaks_calls import End, short_calls
from simulators.google_speech_behaviour import Utterance
from simulators.troubles import Trouble

EVERYONE = tuple(Who)
HELD: dict[str, Any] = {
    "sockets": 12,
    "pipes": 4,
    "files": 9,
    "threads": 30,
    "tasks": 11,
    "calls": 0,
    "streams": 0,
    "rss_mb": 300.0,
}


def a_met(**changes: Any) -> Met:
    plan = Plan(Cell(Who.SPEECH, "hang", Point.SPEAKING), 1, [Question("zqaaaaa")])
    values: dict[str, Any] = {
        "plan": plan,
        "is_struck": True,
        "ended": "answered on the socket",
        "silence_s": 1.2,
    }
    return Met(**(values | changes))


def by_metric(figures: Sequence[Figure], setting: str) -> dict[str, Figure]:
    return {figure.metric: figure for figure in figures if figure.setting == setting}


def test_every_fault_of_everybody_meets_a_call_at_every_point() -> None:
    cells = [plan.cell for plan in plans(7, EVERYONE)]
    kinds = sum(len(kinds) for kinds in (*TROUBLES.values(), *WHOLE_DESK.values()))
    assert len(cells) == len(set(cells)) == kinds * len(Point)


def test_calls_are_the_same_under_the_same_seed_and_no_two_ask_the_same() -> None:
    made = plans(7, EVERYONE)
    assert made == plans(7, EVERYONE)
    assert made != plans(8, EVERYONE)
    marks = [question.mark for plan in made for question in plan.questions]
    assert len(marks) == len(set(marks))
    assert all(
        marks_in(question.text) == marks_in(question.answer) == [question.mark]
        for question in made[0].questions
    )


def test_a_trouble_is_of_its_own_caller_and_one_that_the_simulators_take() -> None:
    for plan in plans(7, tuple(TROUBLES)):
        trouble = Trouble.model_validate(plan.trouble)
        assert set(trouble.of) >= {question.mark for question in plan.questions}
        assert (f"line {plan.line}." in trouble.of) is (plan.cell.who is Who.SPEECH)


def test_the_recogniser_is_never_so_sure_that_an_answer_is_begun_before_the_fault_may_strike() -> None:
    known = [Utterance.model_validate(one) for one in known_utterances(plans(7, [Who.MODEL]))]
    assert all(step.stability < 0.8 for one in known for step in one.steps(are_garbled=False))


def test_a_call_that_all_went_well_for_breaks_no_budget() -> None:
    figures = list(voice_faults.figures([a_met(), a_met(silence_s=2.0, ended="message taken")]))
    assert {figure.setting for figure in figures} == {"faults: speech-to-text", "faults: all"}
    assert all(figure.holds is not False for figure in figures)
    told = by_metric(figures, "faults: all")
    assert told["longest silence of the desk"].value == 2.0
    assert told["ended: message taken"].value == told["ended: answered on the socket"].value == 1


@pytest.mark.parametrize(
    ("changes", "metric"),
    [
        ({"silence_s": 2.01}, "calls with dead air over 2 s"),
        ({"stuck": "waited in vain"}, "calls stuck"),
        ({"ended": ""}, "calls without a proper end"),
        ({"internals": ["Traceback"]}, "internal strings heard"),
    ],
)
def test_whatever_went_wrong_with_one_call_breaks_a_budget(changes: dict[str, Any], metric: str) -> None:
    told = by_metric(list(voice_faults.figures([a_met(), a_met(**changes)])), "faults: all")
    assert (told[metric].value, told[metric].holds) == (1, False)


def test_short_calls_end_in_every_way_and_are_the_same_under_the_same_seed() -> None:
    calls = short_calls(12, 7)
    assert calls == short_calls(12, 7)
    assert {call.end for call in calls} == set(End)


def test_what_is_held_after_calls_and_was_not_before_is_a_leak() -> None:
    before = Held(**HELD)
    after = Held(**(HELD | {"sockets": 13, "tasks": 10, "rss_mb": 305.0}))
    told = {one.metric: one for one in voice_leaks.figures(500, before, after, 0, 200.0, 0)}
    assert (told["sockets more than before (12)"].value, told["sockets more than before (12)"].holds) == (
        1,
        False,
    )
    assert told["tasks more than before (11)"].holds
    assert told["threads more than before (30)"].budget == 10
    assert told["memory for each call (of 300 MB)"].value == pytest.approx(10.24)
    assert told["memory for each call (of 300 MB)"].holds


@pytest.mark.parametrize("name", ["calls", "streams"])
def test_a_call_or_a_stream_that_is_still_open_is_a_leak_whatever_was_before(name: str) -> None:
    held = Held(**(HELD | {name: 2}))
    figures = list(voice_leaks.figures(500, held, held, 0, 200.0, 0))
    assert [one.value for one in figures if one.holds is False] == [2]


def test_no_two_calls_come_over_one_line_so_that_no_trouble_outlives_its_call() -> None:
    lines = [plan.line for plan in plans(7, EVERYONE)]
    assert len(lines) == len(set(lines))
