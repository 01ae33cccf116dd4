"""How a gather and a recording listen, frame by frame."""

from __future__ import annotations

import pytest

from simulators.twilio import mulaw, notices, twiml
from simulators.twilio.listening import GatherEar, GatherFailure, GatherRules, RecordEar
from simulators.twilio.notices import CallFailure

LOUD = b"\x10" * mulaw.FRAME_BYTES
QUIET = mulaw.QUIET_FRAME


def verb(text: str) -> twiml.Verb:
    return twiml.parse(f"<Response>{text}</Response>".encode(), "https://desk.example/").verbs[0]


def rules(attributes: str) -> GatherRules:
    return GatherRules.of(verb(f"<Gather {attributes}/>"))


class Feed:
    """Gives an ear frames at their times."""

    def __init__(self, ear: GatherEar | RecordEar) -> None:
        self.ear = ear
        self.now = 0.0

    def frames(self, frame: bytes, seconds: float) -> None:
        for _ in range(round(seconds / mulaw.FRAME_S)):
            self.now += mulaw.FRAME_S
            self.ear.hear(frame, self.now)


def listening(attributes: str) -> tuple[GatherEar, Feed]:
    ear = GatherEar(rules(attributes), confidence=0.9)
    ear.prompted(0.0)
    return ear, Feed(ear)


def listens(ear: GatherEar | RecordEar) -> bool:
    return (ear.result if isinstance(ear, GatherEar) else ear.ended_by) is None


def test_speech_is_the_result_once_it_is_silent_long_enough() -> None:
    ear, feed = listening('input="speech" speechTimeout="1"')
    feed.frames(LOUD, 1.0)
    ear.understood("two nights please")
    feed.frames(QUIET, 0.9)
    assert listens(ear)
    feed.frames(QUIET, 0.12)
    assert ear.result == {"SpeechResult": "two nights please", "Confidence": "0.9"}


def test_a_pause_within_speech_does_not_end_it() -> None:
    ear, feed = listening('input="speech" speechTimeout="1"')
    for words in ("two nights", "please"):
        feed.frames(LOUD, 0.5)
        ear.understood(words)
        feed.frames(QUIET, 0.6)
    assert listens(ear)
    feed.frames(QUIET, 0.5)
    assert ear.result == {"SpeechResult": "two nights please", "Confidence": "0.9"}


def test_nobody_speaking_ends_with_nothing_after_the_timeout() -> None:
    ear, feed = listening('input="speech dtmf" timeout="3" speechTimeout="1"')
    feed.frames(QUIET, 2.9)
    assert listens(ear)
    feed.frames(QUIET, 0.2)
    assert ear.result == {}


def test_the_timeout_starts_when_the_prompts_are_over() -> None:
    ear = GatherEar(rules('input="dtmf" timeout="1"'), confidence=0.9)
    feed = Feed(ear)
    feed.frames(QUIET, 5.0)
    assert listens(ear)
    ear.prompted(feed.now)
    feed.frames(QUIET, 1.1)
    assert ear.result == {}


def test_a_cough_is_not_a_result() -> None:
    ear, feed = listening('input="speech" speechTimeout="1"')
    feed.frames(LOUD, 0.08)
    ear.understood("")
    feed.frames(QUIET, 1.1)
    assert ear.result == {}


def test_keys_end_with_the_finishing_key_which_is_not_told() -> None:
    ear, feed = listening('input="dtmf"')
    feed.frames(QUIET, 0.1)
    for key in "#12#":
        ear.press(key)
    assert ear.result == {"Digits": "#12"}


def test_keys_end_with_their_number_or_with_time() -> None:
    ear, feed = listening('input="dtmf" numDigits="2"')
    ear.press("1")
    assert listens(ear)
    ear.press("2")
    assert ear.result == {"Digits": "12"}
    ear, feed = listening('input="dtmf" timeout="2"')
    feed.frames(QUIET, 1.9)
    ear.press("7")
    feed.frames(QUIET, 1.9)
    assert listens(ear)
    feed.frames(QUIET, 0.2)
    assert ear.result == {"Digits": "7"}


def test_keys_count_before_speech() -> None:
    ear, feed = listening('input="speech dtmf" speechTimeout="1" numDigits="1"')
    feed.frames(LOUD, 0.5)
    ear.press("3")
    assert ear.result == {"Digits": "3"}


def test_only_what_is_asked_for_is_taken() -> None:
    ear, feed = listening('input="speech" speechTimeout="1" timeout="1"')
    ear.press("3")
    feed.frames(QUIET, 1.1)
    assert ear.result == {}
    ear, feed = listening('input="dtmf" timeout="1"')
    feed.frames(LOUD, 0.9)
    assert not ear.is_interrupted
    feed.frames(LOUD, 0.2)
    assert ear.result == {}


def test_prompts_that_allow_no_barge_in_are_not_interrupted_by_speech() -> None:
    ear = GatherEar(rules('input="speech" bargeIn="false" speechTimeout="1"'), confidence=0.9)
    feed = Feed(ear)
    feed.frames(LOUD, 1.0)
    assert not ear.is_interrupted
    ear.prompted(feed.now)
    feed.frames(LOUD, 0.1)
    ear.understood("now")
    feed.frames(QUIET, 1.1)
    assert ear.result == {"SpeechResult": "now", "Confidence": "0.9"}


@pytest.mark.parametrize(
    ("attributes", "code"),
    [
        ('speechTimeout="auto"', notices.GATHER_AUTO_TIMEOUT),
        ('speechTimeout="auto" speechModel="default"', notices.GATHER_AUTO_TIMEOUT),
        ('speechTimeout="auto" speechModel="phone_call"', notices.GATHER_SPEECH_TIMEOUT),
        ('speechTimeout="0"', notices.GATHER_SPEECH_TIMEOUT),
        ('speechTimeout="1.5"', notices.GATHER_SPEECH_TIMEOUT),
        ('language="en"', notices.GATHER_LANGUAGE),
        ('language="iw-IL"', notices.GATHER_LANGUAGE),
        ('language="he-IL" speechModel="phone_call"', notices.GATHER_LANGUAGE),
        ('language="he-IL" speechModel="googlev2_telephony"', notices.GATHER_LANGUAGE),
        ('speechModel="best"', notices.GATHER_MODEL),
    ],
)
def test_a_gather_fails_on_a_pair_that_is_not_supported(attributes: str, code: int) -> None:
    with pytest.raises(GatherFailure) as caught:
        rules(f'input="speech" {attributes}')
    assert caught.value.code == code


@pytest.mark.parametrize("attributes", ['input="voice"', 'input=""', 'finishOnKey="ab"', 'timeout="soon"'])
def test_a_gather_of_the_wrong_shape_breaks_the_schema(attributes: str) -> None:
    with pytest.raises(CallFailure):
        rules(attributes)


def test_hebrew_goes_with_no_model() -> None:
    assert rules('input="speech" language="he-IL" speechTimeout="2"').speech_timeout_s == 2


def recording(attributes: str) -> tuple[RecordEar, Feed]:
    ear = RecordEar(verb(f"<Record {attributes}/>"), began=0.0)
    return ear, Feed(ear)


def test_a_recording_ends_with_silence_and_is_trimmed() -> None:
    ear, feed = recording('timeout="2"')
    feed.frames(QUIET, 1.0)
    feed.frames(LOUD, 1.0)
    feed.frames(QUIET, 1.9)
    assert listens(ear)
    feed.frames(QUIET, 0.2)
    assert ear.ended_by == ""
    assert ear.audio() == LOUD * 50


def test_a_recording_can_be_left_untrimmed() -> None:
    ear, feed = recording('timeout="1" trim="do-not-trim"')
    feed.frames(QUIET, 0.5)
    feed.frames(LOUD, 0.5)
    feed.frames(QUIET, 1.1)
    assert ear.audio()[: 25 * mulaw.FRAME_BYTES] == QUIET * 25


def test_a_recording_ends_with_a_key_or_the_longest_time() -> None:
    ear, feed = recording('finishOnKey="#"')
    feed.frames(LOUD, 0.1)
    for key in "1#2":
        ear.press(key)
    assert ear.ended_by == "#"
    ear, feed = recording('maxLength="1"')
    feed.frames(LOUD, 1.1)
    assert ear.ended_by == ""


def test_a_recording_of_silence_is_empty() -> None:
    ear, feed = recording('timeout="1"')
    feed.frames(QUIET, 1.1)
    assert ear.audio() == b""
