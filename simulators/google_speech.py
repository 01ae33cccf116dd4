"""A simulated speech-to-text of Google's: ``python -m simulators.google_speech [--port 0]``.

Speaks gRPC as versions 1 and 2 of the service do, refuses what they refuse, and goes wrong on command; see
``google_speech_behaviour`` for what it takes for words. Prints one line of JSON when it is ready and ends on
SIGTERM. Its control door is that of ``google_door``.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import click
import grpc

from simulators.google_door import Door, Fault
from simulators.google_server import Context, Refusal, cut, run
from simulators.google_speech_batch import BATCH_V1, BATCH_V2, Batch
from simulators.google_speech_behaviour import Behaviour, Record, Told, counted
from simulators.google_speech_hearing import Hearing, Said, Script
from simulators.google_speech_wire import V1, V2, Asked, Version
from simulators.google_tts_audio import RATE_HZ
from simulators.line_tone import line_of, sign_of
from simulators.troubles import Kind, Trouble

_TOO_FAST = "Audio data is being streamed too fast. Please stream audio data approximately at real time."
_TOLD_TO_FAIL = "The simulator was told to fail."
_NO_AUDIO = (
    "Audio Timeout Error: Long duration elapsed without audio. Audio should be sent close to real time."
)


class SpeechServer:
    """State of one simulator; ``door`` is its control door."""

    def __init__(self) -> None:
        self.door: Door[Behaviour, Record] = Door(Behaviour(), counted, self._learn)

    def services(self) -> list[Any]:
        """gRPC's handlers of both versions."""
        return [
            self._service("google.cloud.speech.v1.Speech", V1(), BATCH_V1),
            self._service("google.cloud.speech.v2.Speech", V2(), BATCH_V2),
        ]

    def _learn(self, behaviour: Behaviour) -> None:
        # To learn how many texts sound takes a while, which must not be a caller's.
        self._script = Script(behaviour)

    def _service(self, name: str, version: Version, batch: Batch) -> Any:
        async def recognise(requests: AsyncIterator[Any], context: Context) -> None:
            await self._recognise(version, requests, context)

        async def recognise_whole(request: Any, context: Context) -> Any:
            return await self._recognise_whole(batch, request, context)

        streaming = grpc.stream_stream_rpc_method_handler(
            recognise,
            request_deserializer=version.request.deserialize,
            response_serializer=version.response.serialize,
        )
        whole = grpc.unary_unary_rpc_method_handler(
            recognise_whole,
            request_deserializer=batch.request.deserialize,
            response_serializer=batch.response.serialize,
        )
        methods = {"StreamingRecognize": streaming, "Recognize": whole}
        return grpc.method_handlers_generic_handler(name, methods)

    async def _recognise(self, version: Version, requests: AsyncIterator[Any], context: Context) -> None:
        record = Record(version=version.name, peer=context.peer(), opened_at=time.time())
        async with self._recorded(record, context) as fault:
            await _Session(version, self.door, self._script, fault, record, context).run(requests)

    async def _recognise_whole(self, batch: Batch, request: Any, context: Context) -> Any:
        record = Record(version=batch.name, peer=context.peer(), opened_at=time.time(), is_recording=True)
        async with self._recorded(record, context) as fault:
            await _go_wrong(fault, context)
            behaviour = self.door.behaviour
            recording = batch.asked(request, behaviour)
            record.languages, record.model = recording.languages, recording.model
            record.bytes, record.rate_hz = len(recording.content), recording.rate_hz
            await asyncio.sleep(behaviour.batch_ms / 1000)
            said = recording.heard(behaviour, self._script)
            record.told += [
                Told(kind="final", text=words.text, at=time.time(), audio_s=words.audio_s) for words in said
            ]
            return batch.tell(said)

    @asynccontextmanager
    async def _recorded(self, record: Record, context: Context) -> AsyncIterator[Fault | None]:
        """Note how what the block does ends; tells what is to go wrong with it."""
        fault = self.door.begin(record)
        try:
            yield fault
            record.outcome, record.status = "finished", "OK"
        except Refusal as refusal:
            record.status = refusal.status
            record.outcome = "broken" if record.bytes else "refused"
            await refusal.tell(context)
        except asyncio.CancelledError:
            record.outcome, record.status = "client_left", "CANCELLED"
            raise
        finally:
            record.ended_at = time.time()
            self.door.ended()


async def _go_wrong(fault: Fault | None, context: Context) -> None:
    """Meet the fault of a question that has one answer."""
    if fault is None:
        return
    if fault.kind == "hang":
        await asyncio.Event().wait()
    if fault.kind == "cut":
        cut(context)
    raise Refusal(fault.status, _TOLD_TO_FAIL)


class _Session:
    """One stream: audio goes in, answers come out when they are due."""

    def __init__(
        self,
        version: Version,
        door: Door[Behaviour, Record],
        script: Script,
        fault: Fault | None,
        record: Record,
        context: Context,
    ) -> None:
        self._version = version
        self._behaviour = door.behaviour
        self._troubles = door.troubles
        self._script = script
        self._fault = fault
        self._record = record
        self._context = context
        self._loop = asyncio.get_running_loop()
        self._begun = self._audio_at = self._loop.time()
        # Each with when it was to be told.
        self._out: asyncio.Queue[tuple[float, Said | None]] = asyncio.Queue()
        # What the caller is known by.
        self._signs: set[str] = set()
        self._broken: asyncio.Future[None] = self._loop.create_future()
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._is_mute = False

    async def run(self, requests: AsyncIterator[Any]) -> None:
        """Until the client has no more audio.

        Raises:
            Refusal: the service ends the stream.
        """
        first = await anext(requests, None)
        if first is None:
            return
        self._go_wrong("refuse")
        asked = self._version.asked(first, self._behaviour)
        record = self._record
        record.languages, record.model, record.phrases = asked.languages, asked.model, asked.phrases
        hearing = Hearing(self._behaviour, self._script, asked.languages)
        self._set("age", self._begun + self._behaviour.longest_s, self._too_old)
        self._set("audio", self._begun + self._behaviour.no_audio_s, self._check_audio)
        tasks = [
            asyncio.create_task(self._read(requests, hearing)),
            asyncio.create_task(self._write(asked)),
        ]
        try:
            waiting = {self._broken, *tasks}
            while not all(task.done() for task in tasks):
                done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                for ended in done:
                    ended.result()
        finally:
            hearing.drop()
            self._broken.cancel()
            for timer in self._timers.values():
                timer.cancel()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _read(self, requests: AsyncIterator[Any], hearing: Hearing) -> None:
        record = self._record
        self._go_wrong("break", "hang", "cut")
        async for request in requests:
            audio = self._version.audio(request)
            self._audio_at = self._loop.time()
            record.messages += 1
            record.bytes += len(audio)
            record.last_audio_at = time.time()
            record.first_audio_at = record.first_audio_at or record.last_audio_at
            if record.bytes / RATE_HZ > self._audio_at - self._begun + self._behaviour.ahead_s:
                raise Refusal("OUT_OF_RANGE", _TOO_FAST)
            if hearing.hear(audio, self._audio_at):
                record.first_loud_at = record.first_loud_at or record.last_audio_at
            self._learn_who(audio, hearing)
            self._go_wrong("break", "hang", "cut")
            self._tell(hearing)
        for said in hearing.finish():
            self._put(said)
        self._put(None)

    async def _write(self, asked: Asked) -> None:
        while True:
            due_at, said = await self._out.get()
            if said is None:
                return
            await asyncio.sleep(max(0.0, due_at + self._slow_s() - self._loop.time()))
            if self._is_mute:
                continue
            if said.kind in ("began", "ended") and not asked.wants_activity:
                continue
            if said.kind == "interim" and not asked.wants_interims:
                continue
            await self._context.write(self._version.tell(said))
            self._record.told.append(
                Told(kind=said.kind, text=said.text, at=time.time(), audio_s=said.audio_s)
            )

    def _tell(self, hearing: Hearing) -> None:
        for said in hearing.take(self._loop.time()):
            self._put(said)
        if (due_at := hearing.due_at) is not None:
            self._set("due", due_at, lambda: self._tell(hearing))

    def _put(self, said: Said | None) -> None:
        self._out.put_nowait((self._loop.time(), said))

    def _learn_who(self, audio: bytes, hearing: Hearing) -> None:
        if self._record.line is None and (line := line_of(audio)) is not None:
            self._record.line = line
            self._signs.add(sign_of(line))
        self._signs |= hearing.known

    def _slow_s(self) -> float:
        trouble = self._trouble("slow")
        return 0.0 if trouble is None else trouble.slow_s

    def _trouble(self, *kinds: Kind) -> Trouble | None:
        trouble = self._troubles.met_by(self, self._signs, kinds)
        if trouble is not None:
            self._record.fault = trouble.kind
        return trouble

    def _meet_trouble(self) -> None:
        trouble = self._trouble("hang", "cut", "error")
        if trouble is None:
            return
        if trouble.kind == "error":
            raise Refusal(trouble.status, _TOLD_TO_FAIL)
        if trouble.kind == "cut":
            cut(self._context)
        self._is_mute = True

    def _go_wrong(self, *kinds: str) -> None:
        """Meet trouble, and the fault, if it is one of *kinds* and its time has come."""
        self._meet_trouble()
        fault = self._fault
        if fault is None or fault.kind not in kinds or self._record.bytes / RATE_HZ < fault.after_s:
            return
        if fault.kind == "hang":
            self._is_mute = True
        elif fault.kind == "cut":
            cut(self._context)
        else:
            raise Refusal(fault.status, _TOLD_TO_FAIL)

    def _too_old(self) -> None:
        longest = f"{self._behaviour.longest_s:g}"
        self._break("OUT_OF_RANGE", f"Exceeded maximum allowed stream duration of {longest} seconds.")

    def _check_audio(self) -> None:
        late_at = self._audio_at + self._behaviour.no_audio_s
        if self._loop.time() < late_at:
            self._set("audio", late_at, self._check_audio)
            return
        self._break("OUT_OF_RANGE", _NO_AUDIO)

    def _break(self, status: str, message: str) -> None:
        if not self._broken.done():
            self._broken.set_exception(Refusal(status, message))

    def _set(self, name: str, at: float, do: Any) -> None:
        if (timer := self._timers.get(name)) is not None:
            timer.cancel()
        self._timers[name] = self._loop.call_at(at, do)


async def _run(port: int) -> None:
    server = SpeechServer()
    await run(server.services(), server.door.handle, port)


@click.command(epilog="Example: python -m simulators.google_speech --port 50551")
@click.option("--port", default=0, show_default=True, help="Port on 127.0.0.1; 0 takes a free one.")
def main(port: int) -> None:
    """A simulated speech-to-text of Google's on this machine."""
    asyncio.run(_run(port))


if __name__ == "__main__":
    main()
