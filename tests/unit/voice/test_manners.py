"""What only shows that one listens is told from what is meant to be heard."""

from __future__ import annotations

import pytest

from server.voice.manners import is_backchannel


@pytest.mark.parametrize(
    "text", ["mm-hm", "Yes.", "okay, okay", "Uh-huh", "I see", "אהה", "כן", "אוקיי, הבנתי", "thank you"]
)
def test_a_listener_may_make_sounds(text: str) -> None:
    assert is_backchannel(text)


@pytest.mark.parametrize(
    "text",
    ["", "...", "no", "wait", "stop", "yes but how much", "לא", "רגע", "כן ומה המחיר", "yes yes yes yes yes"],
)
def test_words_that_want_an_answer_are_none(text: str) -> None:
    assert not is_backchannel(text)
