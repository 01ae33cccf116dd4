"""The audio routes of the simulated model server: it speaks, and knows what it is told was said."""

from __future__ import annotations

import asyncio
import hashlib
import math
import time
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from simulators.google_speech_hearing import is_loud
from simulators.google_tts_audio import FRAME, speech
from simulators.http_server import Answer, Request
from simulators.openai_answer import forever
from simulators.openai_audio_behaviour import AudioBehaviour, AudioFault, AudioRecord, SpokenText
from simulators.openai_audio_wire import (
    SpeechRequest,
    TranscriptionRequest,
    read_speech,
    read_transcription,
)
from simulators.openai_behaviour import Record
from simulators.openai_wire import Refusal
from simulators.twilio import mulaw

_PCM_RATE_HZ = 24_000
_BYTES_A_SAMPLE = 2
_SURE_LOG_PROBABILITY = -0.1
_NAMES = {"en": "english", "he": "hebrew"}
# Both are silence to a decoder.
_SILENCES = (b"\x7f", b"\xff")


class AudioRoutes:
    """What ``/v1/audio/…`` answers, by one behaviour."""

    def __init__(self, behaviour: AudioBehaviour) -> None:
        self._behaviour = behaviour
        self._script = _Script(behaviour)
        self._met = {"speech": 0, "transcription": 0}

    def knows(self, request: Request) -> bool:
        """Whether *request* is for these routes."""
        route = (request.method, request.path)
        return route in (("POST", "/v1/audio/speech"), ("POST", "/v1/audio/transcriptions"))

    async def handle(self, request: Request, answer: Answer, record: Record) -> None:
        """Answer *request*.

        Raises:
            Refusal: the service says no.
        """
        if request.path.endswith("/speech"):
            await self._speak(answer, record)
        else:
            await self._transcribe(request, answer, record)

    async def _speak(self, answer: Answer, record: Record) -> None:
        behaviour = self._behaviour
        asked = read_speech(record.body, behaviour.speech_models, behaviour.voices)
        told = record.audio = AudioRecord(text=asked.input, model=asked.model, voice=asked.voice)
        fault = self._fault("speech", behaviour.speech_fault, told)
        if fault is not None and not fault.after_s:
            await _meet(fault, answer, record)
            return
        began = time.monotonic()
        audio = _pcm(asked)
        await asyncio.sleep(max(0.0, behaviour.first_ms / 1000 - (time.monotonic() - began)))
        record.status = 200
        answer.start_chunks("audio/pcm", {"x-request-id": "req_speech"})
        piece = behaviour.piece_ms * _PCM_RATE_HZ // 1000 * _BYTES_A_SAMPLE
        for place in range(0, len(audio), piece):
            if fault is not None and told.audio_s >= fault.after_s:
                await _meet(fault, answer, record)
                return
            part = audio[place : place + piece]
            record.last_token_at = time.time()
            record.first_token_at = record.first_token_at or record.last_token_at
            answer.chunk(part)
            length_s = len(part) / _BYTES_A_SAMPLE / _PCM_RATE_HZ
            told.audio_s += length_s
            if behaviour.speed:
                await asyncio.sleep(length_s / behaviour.speed)
        record.outcome = "answered"
        answer.end_chunks()

    async def _transcribe(self, request: Request, answer: Answer, record: Record) -> None:
        behaviour = self._behaviour
        content_type = request.headers.get("content-type", "")
        asked = read_transcription(content_type, request.body, behaviour.transcription_models)
        told = record.audio = AudioRecord(
            model=asked.model,
            languages=asked.languages,
            prompt=asked.prompt,
            audio_s=mulaw.duration_s(asked.audio or b""),
        )
        fault = self._fault("transcription", behaviour.transcription_fault, told)
        if fault is not None:
            await _meet(fault, answer, record)
            return
        await asyncio.sleep(behaviour.transcription_ms / 1000)
        said = self._script.hear(asked)
        told.text = said.text
        record.status, record.outcome = 200, "answered"
        record.first_token_at = record.last_token_at = time.time()
        answer.json(200, _told(asked, said), {"x-request-id": "req_transcription"})

    def _fault(
        self, route: Literal["speech", "transcription"], fault: AudioFault | None, told: AudioRecord
    ) -> AudioFault | None:
        """What goes wrong with the next request of *route*."""
        if fault is None or self._met[route] == fault.times:
            return None
        self._met[route] += 1
        told.fault = fault.kind
        return fault


class _Script:
    """Who says what; see ``AudioBehaviour``."""

    def __init__(self, behaviour: AudioBehaviour) -> None:
        self._known = {said.text: said for said in behaviour.known}
        self._texts: dict[bytes, str] = {}
        for text in self._known:
            audio = _plain(speech(text))
            self._texts |= {audio[place : place + FRAME]: text for place in range(0, len(audio), FRAME)}
        self._recordings = behaviour.recordings
        self._waiting = list(behaviour.script)
        self._latest: tuple[bytes, SpokenText] = (b"", SpokenText(text=""))

    def hear(self, asked: TranscriptionRequest) -> SpokenText:
        """What was said, as the service understands it."""
        said = self._said(asked)
        if asked.languages and said.language not in asked.languages:
            # A language that nobody asked for is not understood.
            return SpokenText(text=" ".join("uh" for _ in said.text.split()), language=asked.languages[0])
        return said

    def _said(self, asked: TranscriptionRequest) -> SpokenText:
        if asked.audio is None:
            return self._recordings.get(hashlib.sha256(asked.file).hexdigest()) or self._next()
        audio = _plain(asked.audio)
        if not any(is_loud(audio[place : place + FRAME]) for place in range(0, len(audio), FRAME)):
            return SpokenText(text="")
        if texts := self._find(audio):
            return SpokenText(text=" ".join(texts), language=self._known[texts[-1]].language)
        before, said = self._latest
        if not (before and audio.startswith(before)):
            said = self._next()
        self._latest = (audio, said)
        return said

    def _next(self) -> SpokenText:
        return self._waiting.pop(0) if self._waiting else SpokenText(text="")

    def _find(self, audio: bytes) -> Sequence[str]:
        """The known texts in *audio*, in order, wherever in it their frames begin."""
        for start in range(FRAME):
            found = [
                text
                for place in range(start, len(audio), FRAME)
                if (text := self._texts.get(audio[place : place + FRAME])) is not None
            ]
            if found:
                return list(dict.fromkeys(found))
        return ()


async def _meet(fault: AudioFault, answer: Answer, record: Record) -> None:
    if fault.kind == "hang":
        await forever()
    if fault.kind == "error" and not fault.after_s:
        raise Refusal(fault.status, "The simulator was told to fail.", kind="server_error")
    record.outcome = "cut"
    answer.cut()


def _pcm(asked: SpeechRequest) -> bytes:
    """The sound of a text at 24 kHz."""
    samples = mulaw.decode(speech(asked.input, asked.voice)).astype(np.float64)
    step = _PCM_RATE_HZ // mulaw.RATE_HZ
    places = np.arange(len(samples) * step) / step
    return np.interp(places, np.arange(len(samples)), samples).round().astype("<i2").tobytes()


def _told(asked: TranscriptionRequest, said: SpokenText) -> Mapping[str, Any]:
    seconds = mulaw.duration_s(asked.audio or b"")
    usage = {"type": "duration", "seconds": math.ceil(seconds)}
    if asked.response_format == "json":
        scores = [
            {"token": word, "logprob": _SURE_LOG_PROBABILITY, "bytes": list(word.encode())}
            for word in said.text.split()
        ]
        return {"text": said.text, "usage": usage} | ({"logprobs": scores} if asked.wants_logprobs else {})
    segment = {
        "id": 0,
        "seek": 0,
        "start": 0.0,
        "end": seconds,
        "text": said.text,
        "tokens": [],
        "temperature": 0.0,
        "avg_logprob": _SURE_LOG_PROBABILITY,
        "compression_ratio": 1.0,
        "no_speech_prob": 0.01,
    }
    return {
        "task": "transcribe",
        "language": _NAMES.get(said.language, said.language),
        "duration": seconds,
        "text": said.text,
        "segments": [segment] if said.text else [],
        "usage": usage,
    }


def _plain(audio: bytes) -> bytes:
    """Mu-law as it is after it was decoded and encoded again."""
    return audio.replace(*_SILENCES)
