"""A model's words come out as they come in, as far as they have passed; how they were cut changes nothing."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from server.conversation import phrases
from server.conversation.gate import Accepted, Refused, check_reply
from server.conversation.leaks import LEAK_WORDS, shows_machinery
from server.conversation.prompts import ASK_TEAM, INSTRUCTIONS
from server.conversation.stream_gate import StreamGate
from server.domain.conversations import Turn
from server.knowledge.claims import claims, supported
from server.knowledge.policies import speaks_policy
from server.knowledge.reading import sentences, word_runs
from server.knowledge.readings import meanings
from tests.support.turns import NOW, a_passage, a_turn

PASSAGES = [
    a_passage("Check-in is from 15:00. Early check-in costs 120 ₪.", "Check-in", document_id="in"),
    a_passage("No, pets are not allowed.", "Are pets allowed?", document_id="pets"),
    a_passage("החניה ללא תשלום לאורחים, 6 מקומות.", "חניה", document_id="park"),
]
BOTH = a_turn("מתי?", guest_said=["When?"])


def streamed(pieces: list[str], turn: Turn = BOTH) -> tuple[StreamGate, list[str]]:
    gate = StreamGate(turn, PASSAGES, NOW)
    return gate, [gate.feed(piece) for piece in pieces]


@pytest.mark.parametrize(
    ("pieces", "out"),
    [
        (["Hel", "lo", " there"], ["Hel", "lo", " there"]),
        (["Sure", "!", " Happy", " to he", "lp"], ["Sure", "!", " Happy", " to he", "lp"]),
        (["ברוכים", " הבאים"], ["ברוכים", " הבאים"]),
        # A word that may become a number, a month, a rule.
        (["no", "w", " ok"], ["", "", "now ok"]),
        (["De", "c"], ["", ""]),
        # What no source speaks of waits for the end of its sentence.
        (["Fresh", "ly", ". Ok"], ["", "", "Freshly. Ok"]),
        # So does what is taken from two of their sentences, or from one that denies.
        (["Early", " guests", " now"], ["Early", "", ""]),
        # Held until the sentence has its source, then all at once.
        (["Check-in is", " from 15", ":00", " [p", "1].", " Bye"],
         ["Check-in", " is from", "", "", " 15:00", ". Bye"]),
        (["Lovely! It is,", "120 ₪. ", "Nice", " [p1]"], ["Lovely! It is", "", "", ",120 ₪. Nice"]),
        (["Pets", " are ", "not allowed", " [p2]."], ["", "", "", "Pets are not allowed"]),
        (["Is breakfast included", "? Bye"], ["Is", " breakfast included? Bye"]),
    ],
)  # fmt: skip
def test_words_flow_until_one_could_be_wrong(pieces: list[str], out: list[str]) -> None:
    assert streamed(pieces)[1] == out


def test_what_is_left_after_the_last_word_comes_with_the_verdict() -> None:
    gate, out = streamed(["Happy to help", ",", " dear"])
    assert out == ["Happy to help", "", ", dear"]
    gate, out = streamed(["Happy to help", ","])
    assert gate.shown == "Happy to help"
    assert gate.finish() == Accepted("Happy to help,")


def test_a_sentence_is_out_with_its_mark() -> None:
    gate, out = streamed(["Happy to help", "!"])
    assert out == ["Happy to help", "!"]
    assert gate.finish() == Accepted("Happy to help!")


@pytest.mark.parametrize(
    "text",
    [
        "Check-in is from 16:00 [p1]. ",
        "Pets are allowed [p2]. ",
        "Hello [p7]",
        "Hello [here]",
        "Hello {",
        "Traceback (most recent call last):\n more",
        "My rules: State only what the documents or the business facts ",
        "well " * 300,
    ],
)
def test_the_model_can_be_stopped_as_soon_as_it_is_certain(text: str) -> None:
    gate, _ = streamed([text, "and so on and on.\nAnd on"])
    assert gate.is_refused
    assert gate.feed("Hello") == ""
    assert gate.finish() == check_reply(text + "and so on and on.\nAnd on", BOTH, PASSAGES, NOW)


def test_nothing_is_shown_in_a_language_that_the_guest_has_not_used() -> None:
    gate, out = streamed(["Hello", " and welcome"], a_turn("שלום"))
    assert "".join(out) == ""
    assert gate.finish() == Refused("wrong_language")


def test_a_brand_may_come_before_the_guests_language() -> None:
    gate, out = streamed(["Wix", " נעים", " מאוד"], a_turn("שלום ל-Wix"))
    assert "".join(out) == "Wix נעים מאוד"
    assert gate.finish() == Accepted("Wix נעים מאוד")


def test_a_model_that_asks_for_the_team_is_replaced() -> None:
    gate, out = streamed(["Hmm, it may be 12 ₪. ", ASK_TEAM[:5], ASK_TEAM[5:], " so"])
    assert "".join(out) == "Hmm, it"
    assert gate.finish() == Accepted(phrases.asked_team("he"), asks_team=True)


BITS = st.sampled_from(
    [
        "Hello", " ", " ", ". ", "! ", "\n", ", ", "?", "Hel", "lo", "we", " have", "pool", "no", "not",
        "allowed", "1", "5:00", "15:00", "120", " ₪", "three", "half past", " pm", "may", "שלוש", "ו", "חצי",
        "אין", "חניה", " [p1]", "[p2]", "[p1, p3]", "[p", "3]", "[facts]", "[[ask-team]]", "[", "]", "**",
        "\u0301", "\u200b", "\ud83d", "😀", "5\ufe0f\u20e3", "http://x.example", "a@b.com", "Traceback",
        "line 4, in", "A12b", 'ש"ח', "State only what the documents or the", " business facts below say",
        "Check-in is from ", "Early check-in costs",
    ]
)  # fmt: skip
REPLIES = st.one_of(st.lists(BITS, max_size=14).map("".join), st.text(max_size=60))


@given(REPLIES, st.lists(st.integers(0, 200), max_size=12))
@example("It costs 1[p1]20 [p1].", [9, 10, 12])
def test_the_verdict_does_not_depend_on_how_the_words_were_cut(text: str, places: list[int]) -> None:
    cuts = sorted({0, len(text), *(place for place in places if place < len(text))})
    pieces = [text[start:end] for start, end in pairwise(cuts)]
    by_pieces, out = streamed(pieces)
    by_characters, _ = streamed(list(text))
    whole, _ = streamed([text])
    assert by_pieces.shown == "".join(out)
    assert by_characters.shown.startswith(by_pieces.shown)
    # Words that came in one piece with what is refused are kept back with it.
    assert by_pieces.is_refused or by_characters.shown == by_pieces.shown == whole.shown
    assert by_pieces.is_refused == by_characters.is_refused == whole.is_refused
    assert by_pieces.finish() == by_characters.finish() == whole.finish()
    assert by_pieces.finish() == check_reply(text, BOTH, PASSAGES, NOW)


@given(REPLIES)
@example(", שלוש [p1]")
def test_what_was_shown_begins_what_is_accepted_and_is_safe_where_it_is_not(text: str) -> None:
    gate, _ = streamed(list(text))
    verdict = gate.finish()
    if isinstance(verdict, Accepted) and not verdict.asks_team:
        assert verdict.text.startswith(gate.shown)
    told = supported([*(passage.document.body for passage in PASSAGES), "2026-11-21 06:05 Saturday"])
    # "Saturday, three" may be told where the source has 15:00.
    hours = meanings(gate.shown)
    assert all(hours.get(claim, frozenset()) & told for claim in claims(gate.shown) - told)
    assert not shows_machinery(gate.shown)
    assert not word_runs(gate.shown, LEAK_WORDS) & word_runs(INSTRUCTIONS, LEAK_WORDS)
    if "[" not in text:
        assert not any(speaks_policy(sentence) for sentence in sentences(gate.shown))
