"""Runs TwiML: fetches documents and does what their verbs say, one after another.

Source: the pages of the verbs under twilio.com/docs/voice/twiml.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from simulators.twilio import mulaw, notices, speech, twiml, voices
from simulators.twilio.connecting import connect_stream
from simulators.twilio.dialling import Dialling
from simulators.twilio.listeners import Gathering, Recorder
from simulators.twilio.listening import GatherEar, GatherFailure, GatherRules, RecordEar
from simulators.twilio.notices import CallFailure, SimulatorLimit
from simulators.twilio.twiml import Document, Verb
from simulators.twilio.voices import SayFailure

if TYPE_CHECKING:
    from simulators.twilio.call import Call

_XML_TYPES = frozenset({"text/xml", "application/xml"})
# A document that redirects to itself without a pause would keep the simulator busy for ever.
_MOST_DOCUMENTS = 1000
_BEEP_S = 0.2
# loop="0" goes on until the caller hangs up; Twilio stops after so many times.
_ENDLESS = 1000
_RAW_TYPES = frozenset({"audio/basic", "audio/ulaw", "audio/x-mulaw"})
_WAV_TYPES = frozenset({"audio/wav", "audio/wave", "audio/x-wav"})


@dataclass(frozen=True)
class Source:
    """Where the next document comes from: a URL with what it is told, or ``document`` itself."""

    url: str
    method: str = "POST"
    told: Mapping[str, str] = field(default_factory=dict)
    document: bytes | None = None


class HangUp(Exception):
    """A verb ends the call."""


class Interpreter:
    """Runs the documents of one call."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._verbs: Mapping[str, Callable[[Verb, Document], Awaitable[Source | None]]] = {
            "Say": self._say,
            "Play": self._play,
            "Pause": self._pause,
            "Gather": self._gather,
            "Record": self._record,
            "Dial": self._dial,
            "Redirect": self._redirect,
            "Hangup": self._hang_up,
            "Reject": self._reject,
            "Connect": self._connect,
        }

    async def run(self, source: Source) -> None:
        """Run what *source* gives, and what that leads to, to the end.

        Raises:
            CallFailure: a document could not be had or run.
        """
        following: Source | None = source
        for _ in range(_MOST_DOCUMENTS):
            if following is None:
                return
            document = await self._load(following)
            try:
                following = await self._run_document(document)
            except HangUp:
                return
        raise SimulatorLimit(f"the call went through {_MOST_DOCUMENTS} documents")

    async def _load(self, source: Source) -> Document:
        if source.document is not None:
            document = twiml.parse(source.document, source.url)
        else:
            told = {**self._call.parameters(), **source.told}
            fetched = await self._call.exchange.webhooks.fetch(source.method, source.url, told)
            if fetched.content_type not in _XML_TYPES:
                detail = f"{source.url} answered {fetched.content_type or 'no content type'!r}; send text/xml"
                raise CallFailure(notices.CONTENT_TYPE, detail)
            document = twiml.parse(fetched.body, fetched.url)
        self._call.tell("document", " ".join(verb.name for verb in document.verbs) or "empty")
        for warning in document.warnings:
            self._call.notice(notices.SCHEMA, warning, is_warning=True)
        return document

    async def _run_document(self, document: Document) -> Source | None:
        for verb in document.verbs:
            if self._picks_up(verb):
                self._call.answer()
            following = await self._verbs[verb.name](verb, document)
            if following is not None:
                return following
        self._call.answer()
        return None

    @staticmethod
    def _picks_up(verb: Verb) -> bool:
        """A call is picked up by its first verb, unless that only waits, refuses, or bridges later."""
        return verb.name not in ("Reject", "Pause", "Redirect") and verb.get("answerOnBridge") != "true"

    async def _say(self, verb: Verb, _document: Document) -> None:
        try:
            voices.check(verb)
        except SayFailure as failure:
            self._call.notice(failure.code, str(failure))
            return
        language = verb.get("language", "en-US")
        self._call.tell("say", f"[{language}] {verb.text}")
        audio = await asyncio.to_thread(self._call.voice, verb.text, language)
        for _ in range(twiml.whole_number(verb, "loop", 1) or _ENDLESS):
            await self._sound(audio)

    async def _play(self, verb: Verb, document: Document) -> None:
        url = document.resolve(verb.text)
        self._call.tell("play", url)
        try:
            fetched = await self._call.exchange.webhooks.fetch("GET", url, {})
            audio = _audio_of(fetched.content_type, fetched.body)
        except (CallFailure, ValueError) as failure:
            # The call goes on without it.
            self._call.notice(notices.HTTP_RETRIEVAL, str(failure), is_warning=True)
            return
        for _ in range(twiml.whole_number(verb, "loop", 1) or _ENDLESS):
            await self._sound(audio)

    async def _pause(self, verb: Verb, _document: Document) -> None:
        await asyncio.sleep(twiml.whole_number(verb, "length", 1))

    async def _redirect(self, verb: Verb, document: Document) -> Source:
        return Source(document.resolve(verb.text), verb.get("method", "POST"))

    async def _hang_up(self, _verb: Verb, _document: Document) -> None:
        self._call.tell("hang-up", "by the server")
        raise HangUp

    async def _reject(self, verb: Verb, _document: Document) -> None:
        if self._call.answered_at is None:
            self._call.reject(verb.get("reason", "rejected"))
        raise HangUp

    async def _dial(self, verb: Verb, document: Document) -> Source | None:
        dialling = Dialling(self._call, verb, document)
        has_action = "action" in verb.attributes
        try:
            await dialling.run()
        except asyncio.CancelledError:
            if has_action:
                self._call.tell_action_after_end(_action(verb, document, dialling.told))
            raise
        return _action(verb, document, dialling.told) if has_action else None

    async def _connect(self, verb: Verb, document: Document) -> Source | None:
        stream_sid = await connect_stream(self._call, verb, document)
        told = {"StreamSid": stream_sid}
        return _action(verb, document, told) if "action" in verb.attributes else None

    async def _gather(self, verb: Verb, document: Document) -> Source | None:
        try:
            rules = GatherRules.of(verb)
        except GatherFailure as failure:
            self._call.notice(failure.code, str(failure), is_warning=True)
            return None
        ear = GatherEar(rules, self._call.exchange.confidence)
        result = await Gathering(self._call, ear).run(lambda: self._prompt(verb.children, document))
        self._call.tell(
            "gathered", " ".join(f"{name}={value}" for name, value in result.items()) or "nothing"
        )
        if result or rules.action_on_empty:
            return _action(verb, document, result)
        return None

    async def _prompt(self, verbs: Sequence[Verb], document: Document) -> None:
        for verb in verbs:
            await self._verbs[verb.name](verb, document)

    async def _record(self, verb: Verb, document: Document) -> Source | None:
        if verb.get("playBeep", "true") == "true":
            await self._sound(speech.beep(_BEEP_S))
        recorder = Recorder(self._call, RecordEar(verb, self._call.stopwatch.now()))
        try:
            await recorder.run()
        except asyncio.CancelledError:
            told = self._keep(verb, document, recorder.ear, "hangup")
            if told:
                self._call.tell_action_after_end(_action(verb, document, told))
            raise
        told = self._keep(verb, document, recorder.ear, recorder.ear.ended_by or "")
        return _action(verb, document, told) if told else None

    def _keep(self, verb: Verb, document: Document, ear: RecordEar, ended_by: str) -> Mapping[str, str]:
        """Keep what *ear* recorded; returns what the action is told, nothing if there was nothing."""
        audio = ear.audio()
        if not audio:
            self._call.tell("recorded", "nothing")
            return {}
        recording = self._call.exchange.keep(self._call.sid, audio)
        self._call.tell("recorded", f"{recording.seconds} s")
        told = {
            "RecordingUrl": self._call.exchange.url_of(recording),
            "RecordingSid": recording.sid,
            "RecordingDuration": str(recording.seconds),
        }
        if callback := verb.get("recordingStatusCallback"):
            method = verb.get("recordingStatusCallbackMethod", "POST")
            about = {
                **told,
                **self._call.parameters(),
                "RecordingStatus": "completed",
                "RecordingChannels": "1",
            }
            self._call.call_back(document.resolve(callback), method, about)
        return {**told, "Digits": ended_by} if ended_by else told

    async def _sound(self, audio: bytes) -> None:
        """Play *audio* and wait until it has been played; cut off if that is given up."""
        stopwatch, playback = self._call.stopwatch, self._call.playback
        ends = playback.play(audio, stopwatch.now())
        self._call.heard.ring()
        try:
            await stopwatch.until(ends)
        finally:
            playback.stop(stopwatch.now())
            self._call.heard.ring()


def _action(verb: Verb, document: Document, told: Mapping[str, str]) -> Source:
    """The action of *verb*: the document's own URL if none is given."""
    return Source(document.resolve(verb.get("action")), verb.get("method", "POST"), told)


def _audio_of(content_type: str, body: bytes) -> bytes:
    """Mu-law audio of what a URL answered.

    Raises:
        ValueError: it is no audio that the simulator reads.
    """
    if content_type in _RAW_TYPES:
        return body
    if content_type in _WAV_TYPES:
        return mulaw.from_wav(body)
    raise ValueError(f"the content type {content_type or 'none'!r}; send WAV or audio/basic")
