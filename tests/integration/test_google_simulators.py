"""The simulators refuse what Google's services refuse, and say so through Google's own clients."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any

import grpc.aio
import pytest
from google.api_core import exceptions
from google.cloud import speech_v1, speech_v2, texttospeech_v1
from google.cloud.speech_v1.services.speech.transports import SpeechGrpcAsyncIOTransport as TransportV1
from google.cloud.speech_v2.services.speech.transports import SpeechGrpcAsyncIOTransport as TransportV2
from google.cloud.texttospeech_v1.services.text_to_speech.transports import TextToSpeechGrpcAsyncIOTransport

from simulators.google_client import GoogleSimulator, start_google_speech, start_google_tts
from simulators.google_tts_audio import silence, speech
from simulators.line_tone import quiet_frame, sign_of
from simulators.process import SimulatorError

v1 = speech_v1.types
v2 = speech_v2.types.cloud_speech
tts = texttospeech_v1.types

SILENCE = silence(0.1)


@pytest.fixture(scope="module")
def ears() -> Iterator[GoogleSimulator]:
    with start_google_speech() as running:
        yield running


@pytest.fixture(scope="module")
def voice() -> Iterator[GoogleSimulator]:
    with start_google_tts() as running:
        yield running


def config_v1(**changes: Any) -> Any:
    streaming = {name: changes.pop(name) for name in STREAMING if name in changes}
    values = {"encoding": "MULAW", "sample_rate_hertz": 8000, "language_code": "en-US"}
    config = v1.RecognitionConfig(**(values | changes))
    return v1.StreamingRecognizeRequest(
        streaming_config=v1.StreamingRecognitionConfig(config=config, **streaming)
    )


STREAMING = ("single_utterance", "interim_results", "voice_activity_timeout")


def audio_v1(audio: bytes = SILENCE) -> Any:
    return v1.StreamingRecognizeRequest(audio_content=audio)


def config_v2(recognizer: str = "projects/house/locations/global/recognizers/_", **changes: Any) -> Any:
    decoding = {"encoding": "MULAW", "sample_rate_hertz": 8000, "audio_channel_count": 1}
    values = {"explicit_decoding_config": decoding, "language_codes": ["en-US"], "model": "long"}
    config = v2.RecognitionConfig(**{name: value for name, value in (values | changes).items() if value})
    streaming = v2.StreamingRecognitionConfig(config=config)
    return v2.StreamingRecognizeRequest(recognizer=recognizer, streaming_config=streaming)


def audio_v2(audio: bytes = SILENCE) -> Any:
    return v2.StreamingRecognizeRequest(audio=audio)


async def recognise(ears: GoogleSimulator, requests: Sequence[Any]) -> list[Any]:
    async def sent() -> AsyncIterator[Any]:
        for request in requests:
            yield request

    async with grpc.aio.insecure_channel(ears.endpoint) as channel:
        client: Any
        if isinstance(requests[0], v1.StreamingRecognizeRequest):
            client = speech_v1.SpeechAsyncClient(transport=TransportV1(channel=channel))
        else:
            client = speech_v2.SpeechAsyncClient(transport=TransportV2(channel=channel))
        call = await client.streaming_recognize(requests=sent(), retry=None, timeout=10)
        return [response async for response in call]


REFUSED: dict[str, Callable[[], Sequence[Any]]] = {
    "v1 no config first": lambda: [audio_v1()],
    "v1 config twice": lambda: [config_v1(), config_v1()],
    "v1 no encoding": lambda: [config_v1(encoding="ENCODING_UNSPECIFIED")],
    "v1 sample rate": lambda: [config_v1(sample_rate_hertz=4000)],
    "v1 channels": lambda: [config_v1(audio_channel_count=2)],
    "v1 no language": lambda: [config_v1(language_code="")],
    "v1 unknown language": lambda: [config_v1(language_code="he")],
    "v1 unknown model": lambda: [config_v1(model="best")],
    "v1 model and language": lambda: [config_v1(model="latest_short", language_code="iw-IL")],
    "v1 alternatives and model": lambda: [config_v1(model="telephony", alternative_language_codes=["en-GB"])],
    "v1 too many alternatives": lambda: [config_v1(alternative_language_codes=["en-GB"] * 4)],
    "v1 single utterance": lambda: [config_v1(model="telephony", single_utterance=True)],
    "v1 long phrase": lambda: [config_v1(speech_contexts=[{"phrases": ["x" * 101]}])],
    "v1 unknown class": lambda: [config_v1(speech_contexts=[{"phrases": ["$ROOMS"]}])],
    "v1 timeout without events": lambda: [config_v1(voice_activity_timeout={})],
    "v2 no config first": lambda: [audio_v2()],
    "v2 config twice": lambda: [config_v2(), config_v2()],
    "v2 recognizer": lambda: [config_v2(recognizer="_")],
    "v2 no model": lambda: [config_v2(model="")],
    "v2 no language": lambda: [config_v2(language_codes=[])],
    "v2 no decoding": lambda: [config_v2(explicit_decoding_config=None)],
    "v2 large audio": lambda: [config_v2(), audio_v2(silence(2))],
}


@pytest.mark.parametrize("requests", [pytest.param(made, id=name) for name, made in REFUSED.items()])
async def test_what_google_does_not_hear_is_refused(
    ears: GoogleSimulator, requests: Callable[[], Sequence[Any]]
) -> None:
    ears.control()
    with pytest.raises(exceptions.InvalidArgument):
        await recognise(ears, requests())


async def test_what_only_the_simulator_does_not_hear_is_told_so(ears: GoogleSimulator) -> None:
    ears.control()
    with pytest.raises(exceptions.MethodNotImplemented):
        await recognise(ears, [config_v1(encoding="LINEAR16", sample_rate_hertz=16000)])


async def test_audio_that_is_far_ahead_of_real_time_is_refused(ears: GoogleSimulator) -> None:
    ears.control(ahead_s=1)
    with pytest.raises(exceptions.OutOfRange, match="too fast"):
        await recognise(ears, [config_v1(), audio_v1(silence(2))])


async def test_the_rest_is_told_when_the_audio_ends(ears: GoogleSimulator) -> None:
    ears.control(script=[{"text": "one two"}])
    requests = [config_v1(interim_results=False), audio_v1(speech("one two"))]
    responses = await recognise(ears, requests)
    # Neither voice activity nor interims were asked for.
    assert [response.results[0].is_final for response in responses] == [True]


async def test_the_share_of_faults_is_the_same_under_the_same_seed(ears: GoogleSimulator) -> None:
    async def outcomes(seed: int) -> list[str]:
        ears.control(fault={"kind": "refuse"}, fault_share=0.5, seed=seed)
        for _ in range(12):
            with suppress(exceptions.ServiceUnavailable):
                await recognise(ears, [config_v1()])
        return [record["outcome"] for record in ears.records(settled=True)]

    first = await outcomes(1)
    assert first == await outcomes(1)
    assert first != await outcomes(2)


def config_tts(name: str = "en-US-Chirp3-HD-Kore", **audio: Any) -> Any:
    values = {"audio_encoding": "MULAW", "sample_rate_hertz": 8000}
    return tts.StreamingSynthesizeRequest(
        streaming_config=tts.StreamingSynthesizeConfig(
            voice=tts.VoiceSelectionParams(language_code=name[:5], name=name),
            streaming_audio_config=tts.StreamingAudioConfig(**(values | audio)),
        )
    )


def text_tts(text: str = "Hello.") -> Any:
    return tts.StreamingSynthesizeRequest(input=tts.StreamingSynthesisInput(text=text))


async def synthesise(voice: GoogleSimulator, requests: Sequence[Any]) -> bytes:
    async def sent() -> AsyncIterator[Any]:
        for request in requests:
            yield request

    async with grpc.aio.insecure_channel(voice.endpoint) as channel:
        transport = TextToSpeechGrpcAsyncIOTransport(channel=channel)
        client = texttospeech_v1.TextToSpeechAsyncClient(transport=transport)
        call = await client.streaming_synthesize(requests=sent(), retry=None, timeout=10)
        return b"".join([response.audio_content async for response in call])


@pytest.mark.parametrize(
    "requests",
    [
        pytest.param(lambda: [text_tts()], id="no config first"),
        pytest.param(lambda: [config_tts(), config_tts()], id="config twice"),
        pytest.param(lambda: [config_tts("en-US-Neural2-F")], id="a voice that cannot stream"),
        pytest.param(lambda: [config_tts("en-US-Chirp3-HD-Nobody")], id="no such voice"),
        pytest.param(lambda: [config_tts(audio_encoding="MP3")], id="an encoding that cannot be streamed"),
        pytest.param(lambda: [config_tts(speaking_rate=3.0)], id="too fast"),
        pytest.param(lambda: [config_tts(), text_tts("x" * 5001)], id="too long"),
        pytest.param(lambda: [config_tts(), text_tts("")], id="no text"),
    ],
)
async def test_what_google_does_not_say_is_refused(
    voice: GoogleSimulator, requests: Callable[[], Sequence[Any]]
) -> None:
    voice.control()
    with pytest.raises(exceptions.InvalidArgument):
        await synthesise(voice, requests())


async def test_several_texts_of_one_stream_are_said_one_after_another(voice: GoogleSimulator) -> None:
    voice.control()
    audio = await synthesise(voice, [config_tts(), text_tts("Hello."), text_tts("Bye.")])
    assert audio == speech("Hello.", "en-US-Chirp3-HD-Kore") + speech("Bye.", "en-US-Chirp3-HD-Kore")


@pytest.mark.parametrize("name", ["ears", "voice"])
def test_an_unknown_behaviour_is_refused(request: pytest.FixtureRequest, name: str) -> None:
    with pytest.raises(SimulatorError, match="422"):
        request.getfixturevalue(name).control(latencyy=5)


async def test_a_trouble_meets_the_caller_it_is_of_and_nobody_else(ears: GoogleSimulator) -> None:
    ears.control(known=[{"text": "one two"}])
    ears.trouble(of=[sign_of(7)], kind="error", status="UNAVAILABLE")
    said = [config_v1(), audio_v1(speech("one two"))]
    with pytest.raises(exceptions.ServiceUnavailable):
        # Nothing after it: what is sent into a stream that has ended may be told as a fault of gRPC's own.
        await recognise(ears, [config_v1(), audio_v1(quiet_frame(7))])
    responses = await recognise(ears, [config_v1(), audio_v1(quiet_frame(8)), *said[1:]])
    assert responses[-1].results[0].alternatives[0].transcript == "one two"
    told = [(record["line"], record["fault"]) for record in ears.records(settled=True)]
    assert told == [(7, "error"), (8, None)]


async def test_a_trouble_knows_a_caller_by_what_they_say(ears: GoogleSimulator) -> None:
    ears.control(known=[{"text": "one two"}, {"text": "three"}])
    ears.trouble(of=["one"], kind="hang")
    assert await recognise(ears, [config_v1(), audio_v1(speech("one two"))]) == []
    assert await recognise(ears, [config_v1(), audio_v1(speech("three"))])


async def test_a_trouble_of_a_text_leaves_other_texts_alone(voice: GoogleSimulator) -> None:
    voice.control()
    voice.trouble(of=["Bye"], kind="error", status="UNAVAILABLE")
    assert await synthesise(voice, [config_tts(), text_tts("Hello.")])
    with pytest.raises(exceptions.ServiceUnavailable):
        await synthesise(voice, [config_tts(), text_tts("Bye.")])


def test_an_unknown_trouble_is_refused(ears: GoogleSimulator) -> None:
    with pytest.raises(SimulatorError, match="kind"):
        ears.trouble(of=["anything"], kind="sulk")
