"""Fault tests tell an answer by the marks that the simulated model repeats; the gate lets them out."""

from __future__ import annotations

import random

from bench.faults.crowd import MARK, marks_in
from server.conversation.gate import Accepted, check_reply
from server.conversation.prompts import build_prompt
from server.domain.conversations import Turn
from simulators.openai_scripts import echo
from tests.support.turns import NOW, a_passage, a_turn

PASSAGES = [a_passage("There is free parking behind the house.", "Parking")]


def echoed(turn: Turn) -> str:
    return echo([(line.role, line.content) for line in build_prompt(turn, PASSAGES, NOW)], MARK)


def test_it_names_each_mark_of_the_question_once_in_its_order() -> None:
    turn = a_turn("zqbbbbb: is there parking?\nzqaaaaa: and breakfast?\nzqbbbbb!")
    assert echoed(turn) == "This is about zqbbbbb, zqaaaaa."


def test_a_question_without_a_mark_is_not_echoed() -> None:
    assert echoed(a_turn("Is there parking?")) == ""


def test_whatever_the_marks_are_their_echo_passes_the_gate() -> None:
    letters = random.Random(7)  # noqa: S311 - repeatable on purpose
    for _ in range(200):
        marks = ["zq" + "".join(letters.choices("abcdefghijklmnopqrstuvwxyz", k=5)) for _ in range(3)]
        turn = a_turn("\n".join(f"{mark}: is there parking near the house?" for mark in marks))
        gated = check_reply(echoed(turn), turn, PASSAGES, NOW)
        assert isinstance(gated, Accepted)
        assert marks_in(gated.text) == list(dict.fromkeys(marks))
