"""How Google is asked, and what its answers say."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import grpc.aio
import pytest
from google.cloud import speech_v1, speech_v2

from server.adapters.google_speech_wire import (
    GoogleSpeechSettings,
    Recipe,
    SpeechService,
    SpeechV1,
    SpeechV2,
    events_of,
    recipes,
)
from server.ports.speech import FinalTranscript, InterimTranscript, SpeechBegan, SpeechEnded

v1 = speech_v1.types
v2 = speech_v2.types.cloud_speech


@pytest.fixture(params=["v1", "v2"])
async def service(request: pytest.FixtureRequest) -> SpeechService:
    channel = grpc.aio.insecure_channel("127.0.0.1:1")
    return SpeechV1(channel) if request.param == "v1" else SpeechV2(channel, "house", "eu")


def test_both_languages_count_for_more_than_the_model() -> None:
    settings = GoogleSpeechSettings(models={"he": "telephony", "en": "telephony"})
    assert recipes(settings, ["he", "en"]) == [
        Recipe(("iw-IL", "en-US"), "telephony"),
        Recipe(("iw-IL", "en-US"), ""),
        Recipe(("iw-IL",), "telephony"),
        Recipe(("iw-IL",), ""),
    ]


def test_a_language_without_a_model_has_the_fallback() -> None:
    settings = GoogleSpeechSettings(models={}, fallback_model="long")
    assert recipes(settings, ["en"]) == [Recipe(("en-US",), "long")]


def test_version_2_always_names_a_model() -> None:
    settings = GoogleSpeechSettings(version="v2")
    assert all(recipe.model for recipe in recipes(settings, ["he", "en"]))


def test_languages_without_a_code_are_left_out() -> None:
    settings = GoogleSpeechSettings(models={})
    assert recipes(settings, ["fr", "en"]) == [Recipe(("en-US",), "")]
    assert recipes(settings, ["fr"]) == []


async def test_version_1_is_asked_for_mulaw_interims_and_voice_activity() -> None:
    service = SpeechV1(grpc.aio.insecure_channel("127.0.0.1:1"))
    streaming = service.first(Recipe(("iw-IL", "en-US"), "telephony"), ["Sea View"]).streaming_config
    config = streaming.config
    assert (config.encoding.name, config.sample_rate_hertz) == ("MULAW", 8000)
    assert (config.language_code, list(config.alternative_language_codes)) == ("iw-IL", ["en-US"])
    assert config.model == "telephony"
    assert list(config.speech_contexts[0].phrases) == ["Sea View"]
    assert streaming.interim_results
    assert streaming.enable_voice_activity_events
    # Not with telephony: Google refuses it.
    assert not streaming.single_utterance


async def test_version_2_names_the_place_of_its_recogniser() -> None:
    service = SpeechV2(grpc.aio.insecure_channel("127.0.0.1:1"), "house", "eu")
    request = service.first(Recipe(("en-US",), "long"), ["Sea View"])
    assert request.recognizer == "projects/house/locations/eu/recognizers/_"
    config = request.streaming_config.config
    assert config.explicit_decoding_config.encoding.name == "MULAW"
    phrases = config.adaptation.phrase_sets[0].inline_phrase_set.phrases
    assert [phrase.value for phrase in phrases] == ["Sea View"]


async def test_phrases_keep_to_the_limits_of_the_service() -> None:
    service = SpeechV1(grpc.aio.insecure_channel("127.0.0.1:1"))
    first = service.first(
        Recipe(("en-US",), ""), ["  ", "x" * 200, "$99 a night", *(f"phrase {n}" for n in range(900))]
    )
    phrases = first.streaming_config.config.speech_contexts[0].phrases
    assert len(phrases) == 500
    assert "99 a night" in phrases
    assert max(map(len, phrases)) == 100


def language_of(code: str) -> str:
    return {"iw-il": "he"}[code.lower()]


def a_result(service: SpeechService, text: str, **changes: Any) -> Any:
    types, place = (v1, "result_end_time") if isinstance(service, SpeechV1) else (v2, "result_end_offset")
    words = types.SpeechRecognitionAlternative(transcript=text, confidence=changes.pop("confidence", 0))
    if "until" in changes:
        changes[place] = timedelta(seconds=changes.pop("until"))
    return types.StreamingRecognitionResult(alternatives=[words], language_code="iw-il", **changes)


def a_response(service: SpeechService, **values: Any) -> Any:
    types, place = (v1, "speech_event_time") if isinstance(service, SpeechV1) else (v2, "speech_event_offset")
    if "at" in values:
        values[place] = timedelta(seconds=values.pop("at"))
    return types.StreamingRecognizeResponse(**values)


async def test_times_are_told_on_the_clock_of_the_call(service: SpeechService) -> None:
    begin = a_response(service, speech_event_type="SPEECH_ACTIVITY_BEGIN", at=1.5)
    end = a_response(service, speech_event_type="SPEECH_ACTIVITY_END", at=2)
    assert list(events_of(begin, service, 100, language_of)) == [SpeechBegan(101.5)]
    assert list(events_of(end, service, 100, language_of)) == [SpeechEnded(102)]


async def test_interim_parts_are_one_text_of_the_least_stability(service: SpeechService) -> None:
    parts = [
        a_result(service, "to be", stability=0.875),
        a_result(service, " or not", stability=0.125),
    ]
    (event,) = events_of(a_response(service, results=parts), service, 0, language_of)
    assert event == InterimTranscript("to be or not", 0.125, "he")


async def test_final_words_come_before_interim_ones(service: SpeechService) -> None:
    results = [
        a_result(service, " yes ", is_final=True, confidence=0.5, until=1.25),
        a_result(service, " and", stability=0.5),
    ]
    final, interim = events_of(a_response(service, results=results), service, 10, language_of)
    assert final == FinalTranscript("yes", "he", 0.5, 11.25)
    assert isinstance(interim, InterimTranscript)


async def test_an_answer_without_words_says_nothing(service: SpeechService) -> None:
    assert list(events_of(a_response(service), service, 0, language_of)) == []
