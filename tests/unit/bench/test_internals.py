"""What no guest may read is found, and what guests read every day is not taken for it."""

from __future__ import annotations

from typing import Any

import pytest

from bench.asking import Heard
from bench.internals import internals
from server.conversation.prompts import INSTRUCTIONS


def heard(**values: Any) -> Heard:
    return Heard(key="k", kind="whole", sent_at=0.0, **values)


@pytest.mark.parametrize(
    "text",
    [
        "Traceback (most recent call last):",
        "KeyError: 'reply'",
        "openai.APITimeoutError",
        "HTTP 500 from the model",
        "Check-in is from 15:00 [p1].",
        "I do not know. [[ask-team]]",
        "Use sk-abc123 for that",
        "<document id=p1> Parking",
        "<!doctype html><title>502</title>",
        "Your room is None",
        " ".join(INSTRUCTIONS.split()[10:30]),
    ],
)
def test_machinery_is_found_wherever_a_guest_could_see_it(text: str) -> None:
    assert internals([heard(reply=text)])
    assert internals([heard(reply="Fine.", shown=text)])
    assert internals([heard(answer={"error": text})])


@pytest.mark.parametrize(
    "text",
    [
        "Check-in is from 15:00, and breakfast is 65 ₪.",
        "I don't know, I have asked the team.",
        "There is none left, sorry about the error in our booking.",
        "אין לי תשובה לכך, שאלתי את הצוות.",
        "",
    ],
)
def test_what_guests_are_told_every_day_is_not_machinery(text: str) -> None:
    assert internals([heard(reply=text, shown=text, answer={"quick_replies": [text]})]) == []
