"""The floor of a call: a bare handler with no features, over the same simulated providers.

``python -m bench.voice_floor`` reads its `Places` as JSON from standard input, prints where it listens as
one line of JSON, and serves until SIGTERM. Final words go to the model as they are, each sentence of its
answer to the voice, its audio to the caller; `CONFIRMING_FRAMES` of a loud voice clear the line. Nothing is
looked up, checked, kept or mended.
"""

from __future__ import annotations

import asyncio
import base64
import gc
import json
import select
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import grpc.aio
import openai
import uvloop
from google.cloud import speech_v1, texttospeech_v1
from google.cloud.speech_v1.services.speech.transports import SpeechGrpcAsyncIOTransport
from google.cloud.texttospeech_v1.services.text_to_speech.transports import TextToSpeechGrpcAsyncIOTransport
from websockets.exceptions import ConnectionClosed

from simulators.google_speech_hearing import is_loud
from simulators.twilio.desk import STREAM_URL, MediaSocket, scripted_desk

# So many loud frames in a row are a voice: 160 ms, as the desk confirms one.
CONFIRMING_FRAMES = 8
_ROOT = Path(__file__).resolve().parents[1]
_START_TIMEOUT_S = 90.0
_STOP_TIMEOUT_S = 5.0
_CALL_TIMEOUT_S = 30.0
_RATE_HZ = 8_000
_GREETING = "Hello, how can I help you?"
_LANGUAGE, _VOICE = "en-US", "en-US-Chirp3-HD-Aoede"
_MODEL = "gpt-4o-mini"

stt, tts = speech_v1.types, texttospeech_v1.types


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where the providers are."""

    speech: str
    voice: str
    model: str


@dataclass(frozen=True, slots=True)
class Providers:
    """Their clients."""

    speech: Any
    voice: Any
    model: openai.AsyncOpenAI


class Call:
    """One media socket."""

    def __init__(self, socket: MediaSocket, providers: Providers) -> None:
        self._socket = socket
        self._providers = providers
        self._heard: asyncio.Queue[bytes] = asyncio.Queue()
        self._answer: asyncio.Task[None] | None = None
        self._plays_until = 0.0
        self._loud = 0

    async def run(self) -> None:
        """Greet, and talk until the caller hangs up."""
        await self._socket.begin()
        listening = asyncio.create_task(self._listen())
        self._answer = asyncio.create_task(self._speak(_GREETING))
        try:
            with suppress(ConnectionClosed):
                async for message in self._socket.connection:
                    heard = json.loads(message)
                    if heard["event"] == "media":
                        await self._hear(base64.b64decode(heard["media"]["payload"]))
        finally:
            tasks = [task for task in (listening, self._answer) if task is not None]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _hear(self, frame: bytes) -> None:
        self._heard.put_nowait(frame)
        self._loud = self._loud + 1 if is_loud(frame) else 0
        if self._loud == CONFIRMING_FRAMES and time.monotonic() < self._plays_until:
            if self._answer is not None:
                self._answer.cancel()
            self._plays_until = 0.0
            await self._socket.clear()

    async def _listen(self) -> None:
        config = stt.RecognitionConfig(
            encoding=stt.RecognitionConfig.AudioEncoding.MULAW,
            sample_rate_hertz=_RATE_HZ,
            language_code=_LANGUAGE,
            model="telephony",
        )
        streaming = stt.StreamingRecognitionConfig(config=config, interim_results=True)

        async def requests() -> AsyncIterator[Any]:
            yield stt.StreamingRecognizeRequest(streaming_config=streaming)
            while True:
                yield stt.StreamingRecognizeRequest(audio_content=await self._heard.get())

        async for response in await self._providers.speech.streaming_recognize(requests=requests()):
            for result in response.results:
                if result.is_final:
                    self._answer = asyncio.create_task(self._answer_to(result.alternatives[0].transcript))

    async def _answer_to(self, words: str) -> None:
        stream = await self._providers.model.chat.completions.create(
            model=_MODEL, messages=[{"role": "user", "content": words}], stream=True
        )
        sentences: asyncio.Queue[str | None] = asyncio.Queue()
        speaking = asyncio.create_task(self._speak_all(sentences))
        try:
            sentence = ""
            async for chunk in stream:
                for choice in chunk.choices:
                    sentence += choice.delta.content or ""
                    if sentence.endswith((".", "?", "!")):
                        sentences.put_nowait(sentence.strip())
                        sentence = ""
            sentences.put_nowait(None)
            await speaking
        finally:
            speaking.cancel()

    async def _speak_all(self, sentences: asyncio.Queue[str | None]) -> None:
        while (sentence := await sentences.get()) is not None:
            await self._speak(sentence)

    async def _speak(self, text: str) -> None:
        config = tts.StreamingSynthesizeConfig(
            voice=tts.VoiceSelectionParams(language_code=_LANGUAGE, name=_VOICE),
            streaming_audio_config=tts.StreamingAudioConfig(
                audio_encoding=tts.AudioEncoding.MULAW, sample_rate_hertz=_RATE_HZ
            ),
        )

        async def requests() -> AsyncIterator[Any]:
            yield tts.StreamingSynthesizeRequest(streaming_config=config)
            yield tts.StreamingSynthesizeRequest(input=tts.StreamingSynthesisInput(text=text))

        async for response in await self._providers.voice.streaming_synthesize(requests=requests()):
            audio = response.audio_content
            now = time.monotonic()
            self._plays_until = max(self._plays_until, now) + len(audio) / _RATE_HZ
            await self._socket.play(audio)


@contextmanager
def start_floor(places: Places) -> Iterator[Floor]:
    """Run the floor as a process of its own for as long as the block lasts.

    Raises:
        RuntimeError: it did not become ready; what it said stands on standard error.
    """
    command = [sys.executable, "-m", "bench.voice_floor"]
    with subprocess.Popen(  # noqa: S603 - our own
        command, cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None and process.stdout is not None  # noqa: S101, PT018 - asked for
        try:
            process.stdin.write(json.dumps(asdict(places)))
            process.stdin.close()
            readable, _, _ = select.select([process.stdout], [], [], _START_TIMEOUT_S)
            line = process.stdout.readline() if readable else ""
            if not line:
                raise RuntimeError("the floor did not become ready; its error stands above")
            yield Floor(json.loads(line), process.pid)
        finally:
            process.terminate()
            try:
                process.wait(_STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()


@dataclass(frozen=True, slots=True)
class Floor:
    """A running floor: the routes to it, and its process."""

    routes: Mapping[str, str]
    pid: int


@asynccontextmanager
async def _clients(places: Places) -> AsyncIterator[Providers]:
    async with (
        grpc.aio.insecure_channel(places.speech) as speech,
        grpc.aio.insecure_channel(places.voice) as voice,
        openai.AsyncOpenAI(
            base_url=places.model, api_key="sk-floor", max_retries=0, timeout=_CALL_TIMEOUT_S
        ) as model,
    ):
        yield Providers(
            speech_v1.SpeechAsyncClient(transport=SpeechGrpcAsyncIOTransport(channel=speech)),
            texttospeech_v1.TextToSpeechAsyncClient(
                transport=TextToSpeechGrpcAsyncIOTransport(channel=voice)
            ),
            model,
        )


async def _serve(places: Places) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with _clients(places) as providers, scripted_desk() as desk:
        desk.documents["/voice/incoming"] = f'<Connect><Stream url="{STREAM_URL}"/></Connect>'
        desk.documents["/voice/status"] = ""
        desk.on_stream = lambda socket: Call(socket, providers).run()
        sys.stdout.write(json.dumps(desk.routes) + "\n")
        sys.stdout.flush()
        await stop.wait()


def main() -> None:
    """Serve until SIGTERM."""
    places = Places(**json.load(sys.stdin))
    # As the desk's own process does.
    gc.collect()
    gc.freeze()
    uvloop.run(_serve(places))


if __name__ == "__main__":
    main()
