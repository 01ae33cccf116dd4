"""Whose time an answer on the phone took, and how soon the desk gave way, from what all sides recorded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from click.testing import CliRunner

from bench import voice
from bench.figures import Figure
from bench.voice_callers import Asked, CallHeard, Heard
from bench.voice_script import known_utterances, model_rules, scripts
from bench.voice_times import Answered, BargeIn, Pace, Providers, after_frames, barge_ins, by_detectors
from server.voice.completeness import Completeness, completeness
from server.voice.sentences import SentenceSplitter
from simulators.google_speech_behaviour import Utterance
from simulators.google_tts_audio import speech

PACE = Pace()
QUESTION = "zqaaaaa: Is there parking?"
SENTENCE = "Thank you for your question about zqaaaaa."


def an_asked(**changes: Any) -> Asked:
    values: dict[str, Any] = {
        "text": QUESTION,
        "is_cut_in": False,
        "began_at": 98.0,
        "quiet_at": 100.0,
        "heard_at": 100.665,
    }
    return Asked(**(values | changes))


def recorded(
    *,
    finals: Sequence[dict[str, Any]] = ({"kind": "final", "text": QUESTION, "at": 100.102},),
    asked: Sequence[dict[str, Any]] = ({"received_at": 100.105, "first_token_at": 100.406},),
    voiced: Sequence[dict[str, Any]] = ({"asked_at": 100.51, "first_audio_at": 100.662},),
) -> Providers:
    body = {"messages": [{"role": "user", "content": f"<guest>\n{QUESTION}\n</guest>"}]}
    return Providers(
        [{"told": list(finals)}],
        [{"body": body, **record} for record in asked],
        [{"text": SENTENCE, **record} for record in voiced],
    )


def an_answered(**changes: Any) -> Answered:
    found = recorded().answered(an_asked(**changes), PACE)
    assert found is not None
    return found


def test_what_the_providers_took_is_taken_off_and_the_steps_add_up_to_the_rest() -> None:
    found = an_answered()
    # Seven words: the first token, and six more of 15 ms.
    assert found.model_ms == pytest.approx(301 + 6 * 15)
    assert found.voice_ms == pytest.approx(152)
    assert found.beyond_ms(PACE) == pytest.approx(665 - 100 - 391 - 152)
    assert found.steps(PACE) == pytest.approx(
        {
            "quiet frame to final words": 2,
            "final words to the model's request": 3,
            "first sentence to the voice's request": 14,
            "first audio to the caller": 3,
        }
    )
    assert sum(found.steps(PACE).values()) == pytest.approx(found.beyond_ms(PACE))


def test_an_answer_that_was_begun_anew_counts_from_the_request_that_was_heard() -> None:
    providers = recorded(
        asked=[
            {"received_at": 99.0, "first_token_at": 99.3},
            {"received_at": 100.105, "first_token_at": 100.406},
            {"received_at": 101.0, "first_token_at": 101.3},
            {"received_at": 100.2, "first_token_at": None},
        ],
        voiced=[
            {"asked_at": 99.4, "first_audio_at": 99.55},
            {"asked_at": 100.51, "first_audio_at": 100.662},
            {"asked_at": 102.0, "first_audio_at": 102.15},
        ],
    )
    assert providers.answered(an_asked(), PACE) == an_answered()


@pytest.mark.parametrize(
    "providers",
    [recorded(voiced=[]), recorded(asked=[]), recorded(finals=[])],
    ids=["voice", "model", "recogniser"],
)
def test_what_any_of_the_three_had_no_part_in_is_not_measured(providers: Providers) -> None:
    assert providers.answered(an_asked(), PACE) is None


def test_a_filler_before_the_answer_is_not_the_answer() -> None:
    assert recorded().answered(an_asked(heard_at=100.5), PACE) is None
    assert recorded().answered(an_asked(heard_at=None), PACE) is None


def test_a_barge_in_counts_from_the_frame_that_the_product_s_own_detector_takes_for_a_voice() -> None:
    length_s = len(speech(QUESTION)) / 8000
    cut_in = an_asked(is_cut_in=True, began_at=101.0, quiet_at=101.0 + length_s)
    # In a room that was quiet for a second.
    call = CallHeard(asked=[cut_in], first_frame_at=100.0)
    confirmed = [moment for moment in by_detectors(1)(call) if moment >= 101.0]
    assert 101.1 < confirmed[0] < 101.6
    # On the grid of the frames.
    assert round((confirmed[0] - 100.0) * 50, 6).is_integer()
    call.clears = [confirmed[0] + 0.004]
    (found,) = barge_ins([call], by_detectors(1))
    assert found.clear_ms == pytest.approx(4)
    assert found.confirm_ms == pytest.approx((confirmed[0] - 101.0) * 1000)


def test_an_answer_that_went_on_over_the_caller_has_no_clear() -> None:
    call = CallHeard(asked=[an_asked(is_cut_in=True), an_asked(is_cut_in=False)], clears=[97.0, 105.0])
    (found,) = barge_ins([call], after_frames(8))
    assert found.confirm_ms == pytest.approx(140)
    assert found.clear_ms is None


def test_a_call_that_never_had_a_stream_has_no_barge_ins() -> None:
    assert barge_ins([CallHeard(stuck="waited in vain")], by_detectors(1)) == []


def a_side(answered: Sequence[Answered], cuts: Sequence[BargeIn], **call: Any) -> voice.Side:
    heard = CallHeard(asked=[one.asked for one in answered], **call)
    return voice.Side(
        heard=Heard(calls=[heard], late_p50_ms=0.2, late_p99_ms=1.5, late_max_ms=4.0),
        answered=answered,
        barge_ins=cuts,
    )


def figures_of(calls: int, desk: voice.Side, *, early: bool = False) -> dict[str, Figure]:
    run = voice.Run(
        setting=voice.Setting("sqlite", calls, 30, is_early=early),
        desk=desk,
        floor=a_side([an_answered(heard_at=100.664)], [BargeIn(140, 1.0)]),
        steps_ms={"zqaaaaa": {"decided": 10.0, "first_audio": 570.0}},
    )
    return {figure.metric: figure for figure in run.figures()}


def test_budgets_are_of_the_first_audio_at_one_call_and_at_fifty_and_of_the_clear() -> None:
    desk = a_side([an_answered(gaps_ms=[50.0, 53.0], starved=1)], [BargeIn(160, 30.0), BargeIn(160, None)])
    one, fifty = figures_of(1, desk), figures_of(50, desk)
    first = "first audio beyond the providers"
    assert one[f"{first} p50"].value == pytest.approx(22)
    assert (one[f"{first} p50"].holds, one[f"{first} p95"].budget) == (False, None)
    assert (fifty[f"{first} p50"].budget, fifty[f"{first} p95"].holds) == (None, True)
    assert one["clear after the voice was confirmed p95"].holds is False
    assert one["barge-ins without a clear"].holds is False
    assert one["the same, beside a bare handler p50"].ratio == pytest.approx(22 / 21)
    assert one["from the decided turn, by the desk's own stopwatch p50"].value == pytest.approx(17)
    assert one["jitter of audio within a sentence p99"].value == pytest.approx(3)
    assert one["sentences that ran dry"].value == 1


def test_an_answer_that_was_begun_early_has_no_budget() -> None:
    found = figures_of(1, a_side([an_answered()], []), early=True)
    assert found["first audio beyond the providers p50"].budget is None


def test_troubles_of_calls_are_counted_against_none() -> None:
    unheard = an_asked(heard_at=None)
    trouble = {"dead_air": 2, "violations": 1, "notices": ["64105"], "stuck": "waited in vain"}
    desk = a_side([an_answered()], [], **trouble)
    desk.calls[0].asked.append(unheard)
    found = figures_of(1, desk)
    for name in (
        "questions that nothing answered",
        "silences longer than 2 s",
        "calls stuck",
        "messages that Twilio does not take",
        "errors in Twilio's debugger",
    ):
        assert found[name].value >= 1
        assert found[name].holds is False
    assert found["turns that something else answered first"].value == 0


def test_callers_ask_what_sounds_complete_and_are_answered_in_plain_sentences_of_their_own() -> None:
    lines = [line for script in scripts(calls=20, turns=5, seed=3) for line in script]
    assert len({line.text for line in lines}) == len({line.mark for line in lines}) == 100
    for line in lines:
        assert completeness(line.text) is Completeness.QUESTION
        splitter = SentenceSplitter()
        said = splitter.feed(line.answer) + splitter.finish()
        assert [line.mark in sentence for sentence in said] == [True, False]
    assert model_rules(lines)[7] == {"contains": lines[7].mark, "reply": lines[7].answer}
    assert scripts(calls=1, turns=2, seed=4) != scripts(calls=1, turns=2, seed=3)


def test_words_are_told_as_they_are_said_and_none_but_all_of_them_for_sure() -> None:
    (line,) = scripts(calls=1, turns=1, seed=0)[0]
    (known,) = known_utterances([line], 0.9)
    interims = Utterance.model_validate(known).interims
    assert interims is not None
    # None is missed for as long as a recogniser may be silent while somebody speaks.
    assert len(interims) == len(line.text) * 60 // 200
    assert [one.text for one in interims] == sorted((one.text for one in interims), key=len)
    assert interims[-1].text == line.text
    assert {one.stability for one in interims if one.text != line.text} == {0.1}
    assert {one.stability for one in interims if one.text == line.text} == {0.9}


def test_few_calls_talk_until_enough_turns_are_had() -> None:
    assert voice.Setting("sqlite", 1, 1).turns == voice.LEAST_TURNS
    assert voice.Setting("sqlite", 100, 1).turns == 1
    assert voice.Setting("sqlite", 100, 60).turns == 10


def test_no_calls_are_refused_in_one_sentence() -> None:
    answer = CliRunner().invoke(voice.command, ["--calls", "1,0"])
    assert answer.exit_code == 2
    assert "a run needs at least one call" in answer.output
