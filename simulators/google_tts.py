"""A simulated text-to-speech of Google's: ``python -m simulators.google_tts [--port 0]``.

Speaks gRPC as the service does, whole (with the header of a WAV file) and streamed (without), refuses what it
refuses, and goes wrong on command; the voice is that of ``google_tts_audio``. Prints one line of JSON when it
is ready and ends on SIGTERM. Its control door is that of ``google_door``.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Literal

import click
import grpc
from google.cloud import texttospeech_v1

from simulators.google_door import Door, Fault
from simulators.google_server import Context, Refusal, cut, invalid, run
from simulators.google_tts_audio import RATE_HZ, speech
from simulators.google_tts_behaviour import Behaviour, Record, counted
from simulators.troubles import Kind, Trouble

types = texttospeech_v1.types

_SERVICE = "google.cloud.texttospeech.v1.TextToSpeech"
_STREAMING_FAMILY = "-Chirp3-HD-"
_LONGEST_TEXT = 5_000
_SLOWEST, _FASTEST = 0.25, 2.0
_STREAMED_ENCODINGS = ("PCM", "ALAW", "MULAW", "OGG_OPUS")
# Format 7 of a WAV file.
_WAV_MULAW = 7


class TtsServer:
    """State of one simulator; ``door`` is its control door."""

    def __init__(self) -> None:
        self.door: Door[Behaviour, Record] = Door(Behaviour(), counted)

    def services(self) -> list[Any]:
        """gRPC's handlers."""
        unary = grpc.unary_unary_rpc_method_handler(
            self._whole,
            request_deserializer=types.SynthesizeSpeechRequest.deserialize,
            response_serializer=types.SynthesizeSpeechResponse.serialize,
        )
        streaming = grpc.stream_stream_rpc_method_handler(
            self._streamed,
            request_deserializer=types.StreamingSynthesizeRequest.deserialize,
            response_serializer=types.StreamingSynthesizeResponse.serialize,
        )
        methods = {"SynthesizeSpeech": unary, "StreamingSynthesize": streaming}
        return [grpc.method_handlers_generic_handler(_SERVICE, methods)]

    async def _whole(self, request: Any, context: Context) -> Any:
        async with self._call("unary", context) as call:
            _check(request.input.text, request.voice, call.behaviour.voices)
            config = request.audio_config
            if config.audio_encoding == types.AudioEncoding.AUDIO_ENCODING_UNSPECIFIED:
                raise invalid("audio_config.audio_encoding must be set.")
            _check_audio(config)
            audio = call.says(request.input.text, request.voice.name)
            await call.wait_for_first()
            await call.wait(len(audio))
            call.sent(len(audio))
            call.go_wrong("break", "hang", "cut")
            await call.hang_if_told()
            return types.SynthesizeSpeechResponse(audio_content=wav(audio))

    async def _streamed(self, requests: AsyncIterator[Any], context: Context) -> AsyncIterator[Any]:
        async with self._call("streaming", context) as call:
            first = await anext(requests, None)
            # Not before there is a text: a refusal at the speed of loopback would meet it on its way, which
            # gRPC's asyncio side takes for an INTERNAL error.
            config = None
            async for request in requests:
                config = config or _streaming_config(first, call.behaviour.voices)
                if "input" not in request:
                    raise invalid("Only the first message may contain a streaming_config.")
                _check_text(request.input.text)
                audio = call.says(request.input.text, config.voice.name)
                await call.wait_for_first()
                piece = call.behaviour.piece_ms * RATE_HZ // 1000
                for place in range(0, len(audio), piece):
                    call.go_wrong("break", "hang", "cut")
                    await call.hang_if_told()
                    part = audio[place : place + piece]
                    call.sent(len(part))
                    yield types.StreamingSynthesizeResponse(audio_content=part)
                    await call.wait(len(part))
            if config is None:
                _streaming_config(first, call.behaviour.voices)

    @asynccontextmanager
    async def _call(self, method: Literal["unary", "streaming"], context: Context) -> AsyncIterator[_Call]:
        record = Record(method=method, peer=context.peer(), asked_at=time.time())
        fault = self.door.begin(record)
        call = _Call(self.door, fault, record, context)
        try:
            yield call
            record.outcome, record.status = "spoken", "OK"
        except Refusal as refusal:
            record.status = refusal.status
            record.outcome = "broken" if record.bytes else "refused"
            await refusal.tell(context)
        except (asyncio.CancelledError, GeneratorExit):
            record.outcome, record.status = "client_left", "CANCELLED"
            raise
        finally:
            self.door.ended()


class _Call:
    """One call that is answered, as the door says."""

    def __init__(
        self, door: Door[Behaviour, Record], fault: Fault | None, record: Record, context: Context
    ) -> None:
        self.behaviour = door.behaviour
        self._troubles = door.troubles
        self._fault = fault
        self._record = record
        self._context = context
        self._is_mute = False
        self._asked_at = 0.0

    def says(self, text: str, voice: str) -> bytes:
        """The audio of *text*.

        Raises:
            Refusal: it was told to.
        """
        self._record.text += text
        self._record.voice = voice
        self._record.asked_at = time.time()
        self._asked_at = time.monotonic()
        self.go_wrong("refuse")
        return speech(text, voice)

    def sent(self, length: int) -> None:
        """So much audio leaves now."""
        record = self._record
        record.bytes += length
        record.last_audio_at = time.time()
        record.first_audio_at = record.first_audio_at or record.last_audio_at

    def go_wrong(self, *kinds: str) -> None:
        """Meet trouble, and the fault, if it is one of *kinds* and its time has come."""
        trouble = self._trouble("hang", "cut", "error")
        if trouble is not None:
            self._record.fault = trouble.kind
            if trouble.kind == "error":
                raise Refusal(trouble.status, "The simulator was told to fail.")
            if trouble.kind == "cut":
                cut(self._context)
            self._is_mute = True
            return
        fault = self._fault
        if fault is None or fault.kind not in kinds or self._record.bytes / RATE_HZ < fault.after_s:
            return
        if fault.kind == "hang":
            self._is_mute = True
        elif fault.kind == "cut":
            cut(self._context)
            self._is_mute = True
        else:
            raise Refusal(fault.status, "The simulator was told to fail.")

    async def hang_if_told(self) -> None:
        """For good."""
        if self._is_mute:
            await asyncio.Event().wait()

    async def wait_for_first(self) -> None:
        """As long as the first audio takes, what it took to make it included."""
        took_s = time.monotonic() - self._asked_at
        await asyncio.sleep(max(0.0, self.behaviour.first_ms / 1000 - took_s) + self._slow_s())

    async def wait(self, length: int) -> None:
        """As long as so much audio takes to be made."""
        takes_s = length / RATE_HZ / self.behaviour.speed if self.behaviour.speed else 0.0
        if takes_s := takes_s + self._slow_s():
            await asyncio.sleep(takes_s)

    def _slow_s(self) -> float:
        trouble = self._trouble("slow")
        if trouble is None:
            return 0.0
        self._record.fault = trouble.kind
        return trouble.slow_s

    def _trouble(self, *kinds: Kind) -> Trouble | None:
        return self._troubles.met_by(self, [self._record.text], kinds)


def wav(audio: bytes) -> bytes:
    """Mu-law in a WAV file, with the extension and the ``fact`` chunk that a compressed format needs."""
    form = _chunk(b"fmt ", _words(_WAV_MULAW, 1) + _longs(RATE_HZ, RATE_HZ) + _words(1, 8, 0))
    body = b"WAVE" + form + _chunk(b"fact", _longs(len(audio))) + _chunk(b"data", audio)
    return b"RIFF" + _longs(len(body)) + body


def _chunk(name: bytes, content: bytes) -> bytes:
    return name + _longs(len(content)) + content + b"\0" * (len(content) % 2)


def _words(*values: int) -> bytes:
    return b"".join(value.to_bytes(2, "little") for value in values)


def _longs(*values: int) -> bytes:
    return b"".join(value.to_bytes(4, "little") for value in values)


def _streaming_config(request: Any, voices: Sequence[str]) -> Any:
    if request is None or "streaming_config" not in request:
        raise invalid("The first message must contain a streaming_config.")
    config = request.streaming_config
    _check_voice(config.voice, voices)
    if _STREAMING_FAMILY not in config.voice.name:
        raise invalid(f"Currently, only Chirp 3: HD voices are supported for streaming: {config.voice.name}.")
    name = types.AudioEncoding(config.streaming_audio_config.audio_encoding).name
    if name not in _STREAMED_ENCODINGS:
        raise invalid(f"Unsupported audio encoding for streaming: {name}.")
    _check_audio(config.streaming_audio_config)
    return config


def _check(text: str, voice: Any, voices: Sequence[str]) -> None:
    _check_text(text)
    _check_voice(voice, voices)


def _check_text(text: str) -> None:
    if not text:
        raise invalid("Either `input.text` or `input.ssml` is required.")
    if len(text.encode()) > _LONGEST_TEXT:
        raise invalid(f"Input text is longer than the limit of {_LONGEST_TEXT} bytes.")


def _check_voice(voice: Any, voices: Sequence[str]) -> None:
    if not voice.language_code:
        raise invalid("voice.language_code is required.")
    if voice.name not in voices:
        raise invalid(f"Voice '{voice.name}' does not exist. Is it misspelled?")
    if not voice.name.startswith(voice.language_code):
        raise invalid(
            f"Requested language code '{voice.language_code}' doesn't match the language of '{voice.name}'."
        )


def _check_audio(config: Any) -> None:
    rate = config.speaking_rate
    if rate and not _SLOWEST <= rate <= _FASTEST:
        raise invalid(f"speaking_rate must be between {_SLOWEST} and {_FASTEST}.")
    if config.audio_encoding != types.AudioEncoding.MULAW or config.sample_rate_hertz != RATE_HZ:
        raise Refusal("UNIMPLEMENTED", "The simulator speaks MULAW at 8000 Hz only.")


async def _run(port: int) -> None:
    server = TtsServer()
    await run(server.services(), server.door.handle, port)


@click.command(epilog="Example: python -m simulators.google_tts --port 50552")
@click.option("--port", default=0, show_default=True, help="Port on 127.0.0.1; 0 takes a free one.")
def main(port: int) -> None:
    """A simulated text-to-speech of Google's on this machine."""
    asyncio.run(_run(port))


if __name__ == "__main__":
    main()
