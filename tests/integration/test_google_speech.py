"""Google's speech-to-text through its own client, over the wire, with the simulator at the other end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager, contextmanager
from typing import Any

import pytest

from server.adapters.google_channels import GoogleEndpoint
from server.adapters.google_speech import GoogleRecognition, GoogleSpeech, SpeechLimits
from server.adapters.google_speech_wire import GoogleSpeechSettings
from server.errors import ProviderRejected, ProviderTimeout, ProviderUnavailable
from server.ports.speech import FinalTranscript, ListenRequest, SpeechBegan, SpeechEnded, SpeechEvent
from simulators.google_client import GoogleSimulator, start_google_speech
from simulators.google_tts_audio import FRAME, silence, speech
from simulators.wire import Switchboard
from tests.support.hanging import SLACK_S, Hang, hanging_server

SHORT = "Two beds please"
LONG = "Is there a room by the sea?"
KNOWN = [{"text": SHORT}, {"text": LONG}, {"text": "שלום לכם", "language": "iw-IL"}]
LIMIT_S = 0.4
FRAME_S = 0.02


@pytest.fixture(scope="module")
def simulator() -> Iterator[GoogleSimulator]:
    with start_google_speech() as running:
        yield running


@pytest.fixture
def switchboard() -> Iterator[Switchboard]:
    with Switchboard() as made:
        yield made


@asynccontextmanager
async def ears(
    endpoint: str, limits: SpeechLimits | None = None, **settings: Any
) -> AsyncIterator[GoogleSpeech]:
    made = GoogleSpeech(GoogleEndpoint(endpoint), GoogleSpeechSettings(**settings), limits)
    await made.warm()
    yield made
    await made.aclose()


class Caller:
    """Someone on the phone: speaks in real time, and is silent otherwise; keeps what was understood."""

    def __init__(self, recognition: GoogleRecognition) -> None:
        self.recognition = recognition
        self.heard: list[SpeechEvent] = []
        self._final = asyncio.Condition()
        self._to_say = bytearray()

    @property
    def finals(self) -> list[str]:
        return [event.text for event in self.heard if isinstance(event, FinalTranscript)]

    def say(self, text: str) -> None:
        """And then be silent for a moment."""
        self._to_say += speech(text) + silence(0.2)

    async def is_understood(self, count: int) -> None:
        async with asyncio.timeout(10), self._final:
            await self._final.wait_for(lambda: len(self.finals) >= count)

    async def speak(self) -> None:
        at = time.perf_counter()
        while True:
            frame, self._to_say = bytes(self._to_say[:FRAME]) or silence(FRAME_S), self._to_say[FRAME:]
            self.recognition.hear(frame)
            at += FRAME_S
            await asyncio.sleep(max(0.0, at - time.perf_counter()))

    async def listen(self) -> None:
        async with aclosing(self.recognition.events()) as events:
            async for event in events:
                self.heard.append(event)
                async with self._final:
                    self._final.notify_all()


@asynccontextmanager
async def a_call(stt: GoogleSpeech, languages: Sequence[str] = ("en",)) -> AsyncIterator[Caller]:
    """A caller on the line; the block ends with what the recognition ends with."""
    caller = Caller(stt.listen(ListenRequest(languages)))
    speaking = asyncio.create_task(caller.speak())
    listening = asyncio.create_task(caller.listen())
    try:
        yield caller
        await caller.recognition.aclose()
        await listening
    finally:
        speaking.cancel()
        listening.cancel()
        await asyncio.gather(speaking, listening, return_exceptions=True)


async def settled(simulator: GoogleSimulator) -> list[dict[str, Any]]:
    return await asyncio.to_thread(simulator.records, settled=True)


async def until_error(stt: GoogleSpeech, expects_after_s: float | None = None) -> None:
    """Listen to a caller until that fails; expect words at some time, or never."""
    caller = Caller(stt.listen(ListenRequest(["en"])))
    caller.say(LONG)
    speaking = asyncio.create_task(caller.speak())
    if expects_after_s is not None:
        asyncio.get_running_loop().call_later(expects_after_s, caller.recognition.expect_words)
    try:
        await caller.listen()
    finally:
        speaking.cancel()


@contextmanager
def within(limit_s: float) -> Iterator[None]:
    started = time.monotonic()
    yield
    assert time.monotonic() - started < limit_s + SLACK_S


# What Google does not take.


async def test_a_model_that_is_refused_for_the_language_gives_way_to_the_default(
    simulator: GoogleSimulator,
) -> None:
    simulator.control(known=KNOWN)
    async with ears(simulator.endpoint, models={"he": "telephony"}) as stt:
        for _ in range(2):
            async with a_call(stt, ["he"]) as caller:
                caller.say("שלום לכם")
                await caller.is_understood(1)
    # Asked once, refused once, not asked again.
    refused = [stream["status"] == "INVALID_ARGUMENT" for stream in await settled(simulator)]
    assert refused == [True, False, False]


async def test_several_languages_are_heard_with_the_default_and_one_with_its_model(
    simulator: GoogleSimulator,
) -> None:
    simulator.control(known=KNOWN)
    async with (
        ears(simulator.endpoint, models={"en": "telephony"}) as stt,
        a_call(stt, ["en", "he"]) as caller,
    ):
        caller.say(SHORT)
        await caller.is_understood(1)
        caller.recognition.lock("en")
        caller.say(SHORT)
        await caller.is_understood(2)
    streams = [stream for stream in await settled(simulator) if stream["bytes"]]
    assert [(stream["languages"], stream["model"]) for stream in streams] == [
        (["en-US", "iw-IL"], ""),
        (["en-US"], "telephony"),
    ]


async def test_what_one_call_asks_wrongly_is_not_held_against_the_next(
    simulator: GoogleSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulator.control(known=KNOWN)
    async with ears(simulator.endpoint) as stt:
        # Beyond every limit of the service.
        monkeypatch.setattr("server.adapters.google_speech_wire._LONGEST_PHRASE", 1_000)
        with pytest.raises(ProviderRejected):
            await Caller(stt.listen(ListenRequest(["en"], ["x" * 500]))).listen()
        async with a_call(stt) as caller:
            caller.say(SHORT)
            await caller.is_understood(1)
    assert caller.finals == [SHORT]


async def test_what_is_refused_in_every_way_is_an_error(simulator: GoogleSimulator) -> None:
    simulator.control()
    async with ears(simulator.endpoint, codes={"en": "xx-XX"}) as stt:
        with pytest.raises(ProviderRejected, match="INVALID_ARGUMENT"):
            await until_error(stt)


# A stream does not last for ever.


async def test_a_stream_is_replaced_in_a_pause_and_no_word_is_lost_or_told_twice(
    simulator: GoogleSimulator,
) -> None:
    simulator.control(known=KNOWN)
    async with ears(simulator.endpoint, SpeechLimits(rotate_s=0.6)) as stt, a_call(stt) as caller:
        for count in range(1, 4):
            caller.say(SHORT)
            await caller.is_understood(count)
    assert caller.finals == [SHORT] * 3
    streams = await settled(simulator)
    assert {stream["outcome"] for stream in streams} <= {"client_left", "finished"}
    assert len(streams) > 1


async def test_a_stream_is_replaced_in_the_middle_of_a_word_at_the_latest(simulator: GoogleSimulator) -> None:
    simulator.control(known=KNOWN)
    limits = SpeechLimits(rotate_s=0.5, rotate_latest_s=1.2)
    async with ears(simulator.endpoint, limits) as stt, a_call(stt) as caller:
        caller.say(LONG)
        await caller.is_understood(1)
    assert caller.finals == [LONG]
    assert len(await settled(simulator)) > 1


async def test_a_stream_that_google_ends_for_its_age_is_replaced(simulator: GoogleSimulator) -> None:
    simulator.control(known=KNOWN, longest_s=1.2)
    async with ears(simulator.endpoint) as stt, a_call(stt) as caller:
        caller.say(LONG)
        # Replayed by the third stream at the latest, at once.
        await caller.is_understood(1)
    assert caller.finals == [LONG]
    assert "OUT_OF_RANGE" in {stream["status"] for stream in await settled(simulator)}


async def test_silence_flows_while_no_audio_comes(simulator: GoogleSimulator) -> None:
    simulator.control(no_audio_s=0.9)
    async with ears(simulator.endpoint) as stt:
        recognition = stt.listen(ListenRequest(["en"]))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(Caller(recognition).listen(), 2)
    (stream,) = await settled(simulator)
    assert stream["outcome"] in ("client_left", "finished")
    assert stream["bytes"] > 0


# It breaks.


@pytest.mark.parametrize("kind", ["break", "cut"])
async def test_a_stream_that_breaks_is_heard_again_by_another(simulator: GoogleSimulator, kind: str) -> None:
    simulator.control(known=KNOWN, fault={"kind": kind, "after_s": 1}, fault_times=1)
    async with ears(simulator.endpoint) as stt, a_call(stt) as caller:
        caller.say(LONG)
        await caller.is_understood(1)
    assert caller.finals == [LONG]
    voices = [type(event) for event in caller.heard if isinstance(event, SpeechBegan | SpeechEnded)]
    assert voices == [SpeechBegan, SpeechEnded]
    first, second = await settled(simulator)
    assert first["bytes"] < second["bytes"]


async def test_what_was_final_is_not_heard_again(simulator: GoogleSimulator) -> None:
    script = [{"text": "one"}, {"text": "two"}]
    length_s = len(speech(SHORT)) / 8000
    simulator.control(script=script, fault={"kind": "break", "after_s": length_s + 0.5}, fault_times=1)
    async with ears(simulator.endpoint) as stt, a_call(stt) as caller:
        for count in (1, 2):
            caller.say(SHORT)
            await caller.is_understood(count)
        await asyncio.sleep(0.3)
    assert caller.finals == ["one", "two"]


async def test_a_cut_wire_that_is_mended_costs_no_word(
    simulator: GoogleSimulator, switchboard: Switchboard
) -> None:
    simulator.control(known=KNOWN)
    wire = switchboard.wire("desk", [("google", simulator.port)])
    async with ears(f"127.0.0.1:{wire.port}") as stt, a_call(stt) as caller:
        caller.say(LONG)
        await asyncio.sleep(1)
        await asyncio.to_thread(switchboard.do, wire.cut())
        await asyncio.sleep(0.3)
        await asyncio.to_thread(switchboard.do, wire.mend())
        await caller.is_understood(1)
    assert caller.finals == [LONG]


async def test_a_wire_that_stays_cut_is_an_error_within_the_limit(
    simulator: GoogleSimulator, switchboard: Switchboard
) -> None:
    simulator.control(known=KNOWN)
    wire = switchboard.wire("desk", [("google", simulator.port)])
    limits = SpeechLimits(open_s=LIMIT_S, reconnect_s=LIMIT_S)
    async with ears(f"127.0.0.1:{wire.port}", limits) as stt:
        await asyncio.to_thread(switchboard.do, wire.cut())
        with within(2 * LIMIT_S), pytest.raises(ProviderUnavailable):
            await until_error(stt)


async def test_a_service_that_is_out_of_order_is_an_error_within_the_limit(
    simulator: GoogleSimulator,
) -> None:
    simulator.control(fault={"kind": "refuse"})
    async with ears(simulator.endpoint, SpeechLimits(reconnect_s=LIMIT_S)) as stt:
        with within(LIMIT_S), pytest.raises(ProviderUnavailable):
            await until_error(stt)
    assert len(await settled(simulator)) > 1


async def test_connections_that_are_closed_under_a_call_are_opened_again(simulator: GoogleSimulator) -> None:
    simulator.control(known=KNOWN)
    async with ears(simulator.endpoint) as stt, a_call(stt) as caller:
        caller.say(LONG)
        await asyncio.sleep(0.8)
        await stt.aclose()
        await caller.is_understood(1)
    assert caller.finals == [LONG]


async def test_audio_that_came_faster_than_it_is_kept_is_lost_and_the_call_goes_on(
    simulator: GoogleSimulator,
) -> None:
    simulator.control(known=KNOWN)
    async with ears(simulator.endpoint, SpeechLimits(keep_s=4)) as stt, a_call(stt) as caller:
        await asyncio.sleep(0.3)
        caller.recognition.hear(silence(8))
        caller.say(SHORT)
        await caller.is_understood(1)
    assert caller.finals == [SHORT]


async def test_calls_leave_no_task_behind_however_they_end(simulator: GoogleSimulator) -> None:
    simulator.control(known=KNOWN, fault={"kind": "refuse"}, fault_share=0.5)
    async with ears(simulator.endpoint) as stt:
        async with a_call(stt):
            pass
        before = asyncio.all_tasks()
        calls = [asyncio.create_task(Caller(stt.listen(ListenRequest(["en"]))).listen()) for _ in range(20)]
        await asyncio.sleep(0.5)
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        async with asyncio.timeout(5):
            while asyncio.all_tasks() - before:
                await asyncio.sleep(0.01)
    counts = await asyncio.to_thread(simulator.counts)
    assert counts["streams"] > 20
    assert counts["under_way"] == 0


# It hangs.


@pytest.mark.parametrize("hang", [Hang.CONNECT, Hang.HEADERS])
async def test_a_server_that_hangs_at_connect_is_left_at_the_limit(hang: Hang) -> None:
    with hanging_server(hang) as port:
        stt = GoogleSpeech(
            GoogleEndpoint(f"127.0.0.1:{port}"), GoogleSpeechSettings(), SpeechLimits(open_s=LIMIT_S)
        )
        with within(2 * LIMIT_S), pytest.raises(ProviderTimeout):
            await until_error(stt)
        await stt.aclose()


@pytest.mark.parametrize("after_s", [0, 0.5])
async def test_a_service_that_hangs_is_left_at_the_limit(simulator: GoogleSimulator, after_s: float) -> None:
    simulator.control(known=KNOWN, fault={"kind": "hang", "after_s": after_s})
    async with ears(simulator.endpoint, SpeechLimits(answer_s=LIMIT_S)) as stt:
        with within(after_s + 2 * LIMIT_S), pytest.raises(ProviderTimeout):
            await until_error(stt, after_s)


async def test_a_stream_that_hangs_is_heard_again_by_another(simulator: GoogleSimulator) -> None:
    simulator.control(known=KNOWN, fault={"kind": "hang", "after_s": 0.5}, fault_times=1)
    async with ears(simulator.endpoint, SpeechLimits(answer_s=LIMIT_S)) as stt, a_call(stt) as caller:
        caller.say(LONG)
        await asyncio.sleep(1)
        caller.recognition.expect_words()
        await caller.is_understood(1)
    assert caller.finals == [LONG]
    first, second, *_ = await settled(simulator)
    # Another connection, as the first may be what hangs.
    assert first["peer"] != second["peer"]


async def test_a_stalled_wire_is_left_for_words_that_do_not_come(
    simulator: GoogleSimulator, switchboard: Switchboard
) -> None:
    simulator.control(known=KNOWN)
    wire = switchboard.wire("desk", [("google", simulator.port)])
    async with ears(f"127.0.0.1:{wire.port}", SpeechLimits(answer_s=LIMIT_S)) as stt:
        await asyncio.to_thread(switchboard.do, wire.stall())
        with within(2 * LIMIT_S), pytest.raises(ProviderTimeout):
            await until_error(stt, 0)
        await asyncio.to_thread(switchboard.do, wire.mend())
