"""Which sentences of a long text are quoted."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from server.knowledge.excerpt import WHOLE_UP_TO, around, quotable

LONG = "The house stands above the sea. " * 15


def test_lines_and_sentences_are_told_apart() -> None:
    text = f"{LONG}It opens at 8:00.\n- Towels: at the desk\n- Children only with an adult"
    assert quotable(text)[-3:] == [
        "It opens at 8:00.",
        "- Towels: at the desk",
        "- Children only with an adult",
    ]


def test_what_is_too_short_for_a_sentence_stands_with_the_next() -> None:
    assert (
        quotable(f"{LONG}Pets? No. Dogs may stay in the yard.")[-1] == "Pets? No. Dogs may stay in the yard."
    )


def test_a_short_text_is_quoted_whole() -> None:
    assert quotable("The pool is heated. It opens at 8:00.") == []


@given(st.text(max_size=2_000))
def test_no_word_is_lost(text: str) -> None:
    assert " ".join(quotable(LONG + text)).split() == (LONG + text).split()


@given(st.lists(st.text("ab .", min_size=1, max_size=150), min_size=1, max_size=30), st.data())
def test_the_sentence_most_like_the_question_is_quoted_with_its_neighbours(
    told: list[str], data: st.DataObject
) -> None:
    best = data.draw(st.integers(0, len(told) - 1))
    likeness = np.zeros(len(told), dtype=np.float32)
    likeness[best] = 1
    text = around(told, likeness)
    assert told[best] in text
    assert text in " ".join(told)
    assert len(text) <= WHOLE_UP_TO
