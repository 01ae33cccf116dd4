"""Every code that a turn may be kept with has words on the pages."""

from __future__ import annotations

import tomllib
from importlib.resources import files

import pytest
from flask import Flask

import server.conversation
from server.domain.calls import ANSWER_PENDING, ASKED_FOR_PERSON, CALL_CONTINUED
from server.domain.conversations import Unheard
from server.voice.contacts import CONTACT_LEFT

REFLEXES = tomllib.loads(files(server.conversation).joinpath("reflexes.toml").read_text("utf-8"))["reflex"]
CODES = [
    *(reflex["code"] for reflex in REFLEXES),
    *Unheard,
    ANSWER_PENDING,
    ASKED_FOR_PERSON,
    CALL_CONTINUED,
    CONTACT_LEFT,
    "not_known",
    "not_all_known",
    "model_does_not_know",
    "documents_disagree",
    "budget_spent",
    "engine_failed",
    "no_words",
    "message_left",
    "answer_late",
    "answer_failed",
]


@pytest.mark.parametrize("code", CODES)
def test_a_code_is_told_in_words(app: Flask, code: str) -> None:
    words = app.jinja_env.get_template("_reasons.html").module.word(code)  # type: ignore[attr-defined]
    assert words
    assert "_" not in words
    assert words != code


def test_a_code_of_another_release_is_told_as_it_is(app: Flask) -> None:
    reasons = app.jinja_env.get_template("_reasons.html").module
    assert reasons.word("not_thought_of") == "not_thought_of"  # type: ignore[attr-defined]
