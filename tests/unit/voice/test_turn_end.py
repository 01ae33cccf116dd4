"""The turn ends when the caller has finished: soon after a question, late after "and" or within a number."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.voice.turn_end import Corrected, Decision, Ended, Pace, Speculate, TurnEnd, Void

QUESTION = "What time is breakfast"
SHEELA = "מתי ארוחת הבוקר"


def silence_needed(text: str) -> float:
    """How long after *text*, of which there is no final, the silence must be."""
    turn = TurnEnd()
    turn.on_voice(0)
    turn.on_interim(text, 0.9, 1)
    turn.on_silence(1.1, 1.1)
    assert turn.due_at is not None
    return turn.due_at - 1.1


@pytest.mark.parametrize("question", [QUESTION, SHEELA, "yes", "כן", "I would like a room for two people"])
def test_a_complete_final_ends_the_turn_at_once(question: str) -> None:
    turn = TurnEnd()
    turn.on_voice(0)
    assert turn.on_interim(question[:-2], 0.1, 0.8) == []
    assert turn.on_final(question, 1.5) == [Ended(question, is_begun=False)]
    assert turn.due_at is None
    assert turn.text == ""


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [
        (QUESTION, 0.25, 0.3),
        (SHEELA, 0.25, 0.3),
        ("a room for two people", 0.4, 0.5),
        ("חדר לשני אנשים", 0.4, 0.5),
        ("breakfast", 0.69, 0.71),
        ("I want a room and", 1.1, 1.3),
        ("אני רוצה חדר עם", 1.1, 1.3),
        ("my number is 054 123", 1.5, 1.7),
        ("המספר שלי אפס חמש ארבע", 1.5, 1.7),
    ],
)
def test_the_silence_that_ends_a_turn_depends_on_its_words(text: str, least: float, most: float) -> None:
    assert least <= silence_needed(text) <= most


def test_silence_ends_the_turn_when_it_is_due_and_not_before() -> None:
    turn = TurnEnd()
    turn.on_voice(0)
    turn.on_interim(QUESTION, 0.5, 1)
    assert turn.on_silence(1.1, 1.3) == [Speculate(QUESTION)]
    due = turn.due_at
    assert due is not None
    assert turn.on_time(due - 0.01) == []
    assert turn.on_time(due) == [Ended(QUESTION, is_begun=True)]


def test_a_silence_noticed_late_ends_the_turn_at_once() -> None:
    turn = TurnEnd()
    turn.on_voice(0)
    turn.on_interim(QUESTION, 0.9, 1)
    assert turn.on_silence(1.1, 2)[-1] == Ended(QUESTION, is_begun=True)


def test_the_recognisers_end_of_speech_is_a_silence_too() -> None:
    turn = TurnEnd()
    turn.on_interim(QUESTION, 0.5, 1)
    turn.on_speech_end(1.2)
    assert turn.due_at == pytest.approx(1.2 + 0.27)


@pytest.mark.parametrize("text", ["I want to book a room for", "אני רוצה להזמין חדר ל"])
def test_a_final_that_breaks_off_waits_for_more(text: str) -> None:
    turn = TurnEnd()
    turn.on_voice(0)
    turn.on_interim(text, 0.9, 1)
    turn.on_silence(1.1, 1.3)
    assert turn.on_final(text, 1.4) == []
    turn.on_voice(1.9)
    turn.on_interim("two", 0.5, 2.3)
    assert turn.on_final("two people", 2.6) == [Ended(f"{text} two people", is_begun=False)]


def test_a_phone_number_said_in_groups_is_one_turn() -> None:
    turn = TurnEnd()
    groups = ["my number is 054", "123", "4567"]
    decisions: list[Decision] = []
    for start, group in enumerate(groups):
        decisions += turn.on_voice(2 * start)
        decisions += turn.on_silence(2 * start + 0.8, 2 * start + 1)
        decisions += turn.on_final(group, 2 * start + 1.2)
    assert decisions == [Ended("my number is 054 123 4567", is_begun=False)]


def test_an_answer_is_begun_on_a_stable_question_and_kept_if_its_words_stay() -> None:
    turn = TurnEnd()
    turn.on_voice(0)
    assert turn.on_interim("what time", 0.9, 0.5) == [Speculate("what time")]
    assert turn.on_interim("what time is", 0.9, 0.7) == [Void()]
    assert turn.on_interim("what time is breakfast", 0.3, 0.9) == []
    assert turn.on_interim("what time is breakfast", 0.9, 1.0) == [Speculate("what time is breakfast")]
    assert turn.on_interim("What time is, uh, breakfast?", 0.9, 1.1) == []
    assert turn.on_final("What time is breakfast?", 1.4) == [Ended("What time is breakfast?", is_begun=True)]


def test_an_answer_is_void_if_the_words_change() -> None:
    turn = TurnEnd()
    turn.on_voice(0)
    assert turn.on_interim("a room for two", 0.9, 1) == [Speculate("a room for two")]
    assert turn.on_final("a room for four", 1.5) == [Void(), Ended("a room for four", is_begun=False)]


def test_answers_are_begun_a_few_times_only() -> None:
    turn = TurnEnd(Pace(most_speculations=2))
    turn.on_voice(0)
    begun = [
        turn.on_interim(f"what time is breakfast {'today ' * number}", 0.9, number) for number in range(6)
    ]
    assert sum(isinstance(one, Speculate) for decisions in begun for one in decisions) == 2


@pytest.mark.parametrize("text", ["um", "אממ", ""])
def test_sounds_of_thinking_are_no_turn(text: str) -> None:
    turn = TurnEnd()
    turn.on_voice(0)
    turn.on_interim(text, 0.9, 0.5)
    assert turn.on_silence(0.6, 0.8) == []
    assert turn.on_final(text, 1) == []
    assert turn.due_at is None


def test_a_final_of_words_before_a_pause_does_not_end_what_goes_on() -> None:
    turn = TurnEnd()
    turn.on_voice(0)
    turn.on_interim("I want a room for two people", 0.5, 1)
    turn.on_silence(1.1, 1.3)
    turn.on_voice(1.4)
    assert Ended not in map(type, turn.on_final("I want a room for two people", 1.5))
    turn.on_interim("and a dog", 0.5, 2)
    assert turn.on_final("and a dog", 2.3)[-1] == Ended(
        "I want a room for two people and a dog", is_begun=False
    )


def test_a_caller_too_quiet_for_the_voice_to_be_heard_may_finish() -> None:
    turn = TurnEnd()
    turn.on_voice(0)
    turn.on_silence(0.5, 0.5)
    said = ["I want", "I want two", "I want two rooms", "I want two rooms please"]
    for number, text in enumerate(said):
        assert Ended not in map(type, turn.on_interim(text, 0.9, 3 + 0.3 * number))
        assert turn.due_at is not None
        assert turn.due_at > 3.3 + 0.3 * number


def test_noise_that_sounds_like_a_voice_does_not_hold_a_turn_for_ever() -> None:
    turn = TurnEnd()
    turn.on_voice(0)
    turn.on_interim("I want a room and", 0.9, 1)
    assert turn.due_at == 3.5
    assert turn.on_time(3.5) == [Ended("I want a room and", is_begun=False)]


def ended_by_silence() -> TurnEnd:
    turn = TurnEnd()
    turn.on_voice(0)
    turn.on_interim(QUESTION, 0.5, 1)
    turn.on_silence(1.1, 1.2)
    assert isinstance(turn.on_time(2)[-1], Ended)
    return turn


def test_the_final_of_a_turn_that_has_ended_begins_no_other() -> None:
    turn = ended_by_silence()
    assert turn.on_interim(QUESTION, 0.9, 2.1) == []
    assert turn.on_interim("What time is brunch", 0.9, 2.1) == []
    assert turn.text == ""
    assert turn.on_final("What time is breakfast?", 2.2) == []
    assert turn.due_at is None


def test_a_final_with_other_words_corrects_the_turn() -> None:
    assert ended_by_silence().on_final("What time is brunch", 2.2) == [Corrected("What time is brunch")]


def test_a_caller_who_goes_on_says_only_what_is_new() -> None:
    turn = ended_by_silence()
    turn.on_voice(2.1)
    turn.on_interim(f"{QUESTION} and when is", 0.5, 2.5)
    assert turn.text == "and when is"
    assert turn.on_final(f"{QUESTION} and when is dinner", 3) == [Ended("and when is dinner", is_begun=False)]


def pauses(turn: TurnEnd, pause_s: float, times: int) -> float:
    """The silence needed after a statement, once the caller has paused so *times* times."""
    now = 0.0
    turn.on_voice(now)
    for number in range(times):
        turn.on_interim(f"a room for two people {'please ' * number}", 0.1, now + 1)
        turn.on_silence(now + 1, now + 1)
        now += 1 + pause_s
        turn.on_voice(now)
    turn.on_interim("that would be a very lovely room", 0.1, now + 1)
    turn.on_silence(now + 1, now + 1)
    assert turn.due_at is not None
    return turn.due_at - now - 1


def test_the_silence_follows_the_pauses_of_the_caller() -> None:
    slow, usual, quick = pauses(TurnEnd(), 0.44, 8), pauses(TurnEnd(), 0.36, 8), pauses(TurnEnd(), 0.1, 20)
    assert quick < usual < slow
    assert quick >= 0.25
    assert slow <= 0.7


def test_going_on_after_the_turn_was_ended_too_soon_is_learnt() -> None:
    turn = TurnEnd()
    before = pauses(TurnEnd(), 0, 0)
    turn.on_voice(0)
    turn.on_interim("a room for two people", 0.5, 1)
    turn.on_silence(1, 1)
    turn.on_time(1.6)
    turn.on_voice(1.65)
    turn.on_final("a room for two people and a small dog", 2)
    assert pauses(turn, 0, 0) > before


_EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["voice", "silence", "end", "interim", "final", "time"]),
        st.sampled_from(
            ["", "um", "yes", "a room and", "a room for two", "my number is 054", QUESTION, SHEELA]
        ),
        st.floats(0, 2),
    ),
    max_size=25,
)


def happen(turn: TurnEnd, kind: str, text: str, now: float) -> list[Decision]:
    match kind:
        case "voice":
            return turn.on_voice(now)
        case "silence":
            return turn.on_silence(now, now)
        case "end":
            return turn.on_speech_end(now)
        case "interim":
            return turn.on_interim(text, 0.9, now)
        case "final":
            return turn.on_final(text, now)
    return turn.on_time(now)


@given(_EVENTS)
def test_whatever_comes_each_turn_ends_once_and_in_time(events: list[tuple[str, str, float]]) -> None:
    turn, now, decisions = TurnEnd(), 0.0, list[Decision]()
    for kind, text, passed in events:
        now += passed
        decisions += happen(turn, kind, text, now)
        due = turn.due_at
        assert due is None or due <= now + Pace().stalled_s
    if turn.due_at is not None:
        assert isinstance(turn.on_time(turn.due_at)[-1], Ended)
    begun = [one for one in decisions if isinstance(one, Speculate | Void | Ended)]
    for before, after in pairwise(begun):
        # What was begun is dropped or used before another is begun.
        assert not (isinstance(before, Speculate) and isinstance(after, Speculate))
        assert not (isinstance(before, Void | Ended) and isinstance(after, Void))
        assert not isinstance(after, Ended) or after.is_begun == isinstance(before, Speculate)
    assert all(one.text.strip() for one in decisions if isinstance(one, Ended | Speculate))
