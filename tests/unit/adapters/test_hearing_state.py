"""What streams of one call have said together, and when their failures are too many."""

from __future__ import annotations

import pytest

from server.adapters.hearing_state import HearingState, Outage
from server.errors import ProviderError, ProviderTimeout, ProviderUnavailable
from server.ports.speech import FinalTranscript, InterimTranscript, SpeechBegan, SpeechEnded

BEGAN, ENDED = SpeechBegan(1), SpeechEnded(2)
INTERIM = InterimTranscript("two", 0.5, "en")
FINAL = FinalTranscript("two beds", "en", 0.9, 2)
BROKE = ProviderUnavailable("google_speech", "UNAVAILABLE")
LATE = ProviderTimeout("google_speech", "no words in time")


def test_a_voice_that_is_heard_again_is_no_news() -> None:
    state = HearingState()
    assert [state.takes(event) for event in (BEGAN, BEGAN, ENDED, ENDED, BEGAN)] == [
        True,
        False,
        True,
        False,
        True,
    ]


def test_it_is_silent_when_nobody_speaks_and_no_words_wait() -> None:
    state = HearingState()
    assert state.is_silent
    seen = []
    for event in (BEGAN, INTERIM, ENDED, FINAL):
        state.takes(event)
        seen.append(state.is_silent)
    assert seen == [False, False, False, True]


def test_it_is_not_silent_while_words_are_expected() -> None:
    state = HearingState()
    state.is_expecting = True
    assert not state.is_silent


@pytest.mark.parametrize("empty", [InterimTranscript("", 0.5, "en"), FinalTranscript("", "en", 0, 2)])
def test_no_words_are_no_news(empty: InterimTranscript | FinalTranscript) -> None:
    state = HearingState()
    assert not state.takes(empty)
    assert state.is_silent


def test_a_voice_without_words_ends_with_its_stream() -> None:
    state = HearingState()
    state.takes(BEGAN)
    assert state.resume(3.0) == SpeechEnded(3.0)
    assert state.takes(BEGAN)


def test_words_that_are_heard_again_go_on_without_a_sign() -> None:
    state = HearingState()
    state.takes(BEGAN)
    state.takes(INTERIM)
    assert state.resume(3.0) is None
    assert not state.takes(BEGAN)
    assert state.takes(ENDED)


def test_the_words_of_a_stream_that_is_gone_do_not_wait_for_ever() -> None:
    state = HearingState()
    state.takes(INTERIM)
    state.resume(3.0)
    assert state.is_silent


def waits(outage: Outage, *ats: float) -> list[float]:
    return [outage.failed(BROKE, at, lasted_s=0, has_answered=False) for at in ats]


def test_the_first_try_is_at_once_and_the_next_ever_later() -> None:
    assert waits(Outage(10), 0, 0.1, 0.3, 0.7, 1.5) == [0, 0.1, 0.2, 0.4, 0.5]


def test_failures_are_over_at_the_limit() -> None:
    outage = Outage(2)
    waits(outage, 5, 6)
    with pytest.raises(ProviderUnavailable):
        waits(outage, 6.9)


def test_a_stream_that_answered_begins_anew() -> None:
    outage = Outage(2)
    waits(outage, 0, 1)
    assert outage.failed(BROKE, 100, lasted_s=1, has_answered=True) == 0
    assert outage.failed(BROKE, 101, lasted_s=1, has_answered=False) > 0


def test_a_stream_that_lived_long_begins_anew() -> None:
    outage = Outage(2)
    waits(outage, 0, 1)
    assert outage.failed(BROKE, 100, lasted_s=60, has_answered=False) == 0


@pytest.mark.parametrize("second", [LATE, ProviderTimeout("google_speech", "no connection in time")])
def test_who_left_us_waiting_twice_is_not_asked_a_third_time(second: ProviderError) -> None:
    outage = Outage(60)
    assert outage.failed(LATE, 0, lasted_s=1, has_answered=True) == 0
    with pytest.raises(ProviderTimeout):
        outage.failed(second, 1, lasted_s=1, has_answered=False)
