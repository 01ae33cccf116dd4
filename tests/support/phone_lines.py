"""A call on its socket in a test's hands: the caller's side is spoken by the test, no audio is judged."""

from __future__ import annotations

import asyncio
import base64
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from server.domain.calls import Call, CallTurn, NextStep
from server.domain.conversations import HistoryLine, Mode, Reply, ReplySource
from server.domain.events import Listener, Token
from server.domain.tenants import Tenant, TenantSettings
from server.ports.speech import FinalTranscript, InterimTranscript
from server.voice import mulaw
from server.voice.call import CallParts, LiveCall
from server.voice.frames import KeyPressed, MarkReached, Media, Stopped
from server.voice.recorder import NOT_RECORDED
from server.voice.vad import Detector
from tests.fakes.speech import FakeRecognition, FakeSpeechToText, FakeTextToSpeech, text_of

STREAM = "MZ1"
WITHIN_S = 60.0
# Of 20 ms; the detector of these tests takes anything but silence for a voice.
VOICE, QUIET = bytes([0x10]) * 160, mulaw.silence(0.02)


def a_call(**changes: Any) -> Call:
    """A call to a house that puts callers through; keywords of the settings change these."""
    settings: dict[str, Any] = {"name": "Harbour House", "transfer_number": "+972500000000"}
    names = TenantSettings.__dataclass_fields__
    settings |= {name: value for name, value in changes.items() if name in names}
    values: dict[str, Any] = {
        "id": "CA1",
        "tenant": Tenant("1", TenantSettings(**settings)),
        "caller": "+972501111111",
        "called": "+97231234567",
        "conversation_id": 1,
        "guest_name": None,
        "mode": Mode.AI,
        "language": None,
        "history": (),
        "next_step": NextStep.ASK,
        "to_say": "",
    }
    return Call(**(values | {name: value for name, value in changes.items() if name in values}))


class FakeAsking:
    """Keeps the interface of ``Asking``; answers with what ``answers`` has, by the words.

    ``held`` words are answered when their event is set, and those in ``pauses`` are not answered to the end
    before theirs is. ``asked``, ``left`` and ``kept`` are the record.
    """

    def __init__(self) -> None:
        self.answers: dict[str, Reply | Exception] = {}
        self.held: dict[str, asyncio.Event] = {}
        self.pauses: dict[str, asyncio.Event] = {}
        self.asked: list[str] = []
        self.left: list[str] = []
        self.kept: list[CallTurn] = []
        self.histories: list[Sequence[HistoryLine]] = []

    def now(self) -> datetime:
        """The time."""
        return datetime.now(UTC)

    def foresee(self, call: Call, words: str) -> None:
        """There is nothing to foresee."""

    async def answer(
        self,
        call: Call,  # noqa: ARG002
        number: int,  # noqa: ARG002
        words: str,
        history: Sequence[HistoryLine],
        offered: Sequence[str],  # noqa: ARG002
        listen: Listener,
    ) -> Reply:
        """The first sentence at once, the reply when it is let go."""
        self.asked.append(words)
        self.histories.append(history)
        answer = self.answers.get(words) or a_reply("That is so.")
        try:
            if isinstance(answer, Exception):
                raise answer
            if words in self.held:
                await self.held[words].wait()
            for piece in re.findall(r"\s*\S+", answer.text):
                listen(Token(piece))
                await asyncio.sleep(0)
            if words in self.pauses:
                await self.pauses[words].wait()
        except asyncio.CancelledError:
            self.left.append(words)
            raise
        return answer

    async def record(self, call: Call, turn: CallTurn) -> None:  # noqa: ARG002
        """Keep it."""
        self.kept.append(turn)


def a_reply(text: str, **changes: Any) -> Reply:
    """A model's."""
    values: dict[str, Any] = {"text": text, "source": ReplySource.MODEL, "language": "en"}
    return Reply(**(values | changes))


class LoudIsVoice:
    """Keeps the ``Detector`` port: what is loud is a voice."""

    window_bytes = mulaw.FRAME_BYTES
    doubt_s = 0.0

    def probability(self, window: bytes) -> float:
        """1 or 0."""
        return float(mulaw.level_dbfs(window) > -40)


class FakeDetectors:
    """Lends `LoudIsVoice`; ``lent`` is how many are out."""

    def __init__(self) -> None:
        self.lent = 0

    def borrow(self) -> Detector:
        """One that has heard nothing."""
        self.lent += 1
        return LoudIsVoice()

    def give_back(self, detector: Detector) -> None:  # noqa: ARG002
        """It is free."""
        self.lent -= 1


@dataclass
class Phone:
    """The caller's end of a `LiveCall`. Marks come back when the test says so, or at once with `plays`."""

    live: LiveCall
    asking: FakeAsking
    stt: FakeSpeechToText
    tts: FakeTextToSpeech
    detectors: FakeDetectors
    sent: list[dict[str, Any]]
    news: asyncio.Event
    running: asyncio.Task[tuple[NextStep, str]] = field(init=False)
    _returned: set[str] = field(default_factory=set)

    @property
    def ear(self) -> FakeRecognition:
        """What hears the caller."""
        return self.stt.recognitions[-1]

    @property
    def said(self) -> list[str]:
        """What the voice was asked to say."""
        return [text for text, _ in self.tts.spoken]

    def kinds(self) -> list[str]:
        """What was sent, by kind."""
        return [frame["event"] for frame in self.sent]

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait for something that the call does."""
        async with asyncio.timeout(WITHIN_S):
            while not holds():
                await asyncio.sleep(0.002)

    def sentences(self) -> list[str]:
        """What was sent whole, with the mark behind it; `FakeTextToSpeech` says the letters themselves."""
        whole, audio = [], b""
        for frame in self.sent:
            if frame["event"] == "media":
                audio += base64.b64decode(frame["media"]["payload"])
                continue
            if frame["event"] == "mark":
                whole.append(text_of(audio))
            audio = b""
        return whole

    async def sends(self, sentence: str, times: int = 1) -> None:
        """Wait for *sentence* to have been sent whole, so many times in all."""
        await self.until(lambda: self.sentences().count(sentence) >= times)

    async def sends_marks(self, count: int) -> None:
        """Wait for so many sentences to have been sent in all."""
        await self.until(lambda: self.kinds().count("mark") >= count)

    def returns_marks(self, but: int = 0) -> None:
        """All that was sent has been played, but for the last so many sentences."""
        names = [frame["mark"]["name"] for frame in self.sent if frame["event"] == "mark"]
        for name in names[: len(names) - but]:
            if name not in self._returned:
                self._returned.add(name)
                self.live.take(MarkReached(STREAM, name))

    async def hears_out(self, count: int = 1) -> None:
        """Hear *count* sentences more, to their end."""
        await self.sends_marks(len(self._returned) + count)
        self.returns_marks()

    def speaks(self, seconds: float) -> None:
        """A voice for so long, all at once."""
        self._media(VOICE, seconds)

    def falls_silent(self, seconds: float = 0.3) -> None:
        """No voice for so long, all at once."""
        self._media(QUIET, seconds)

    def understood(self, text: str, language: str = "en") -> None:
        """The recogniser's final words."""
        self.ear.tell(InterimTranscript(text, 0.9, language), FinalTranscript(text, language, 0.9, 0.0))

    def says(self, text: str, language: str = "en") -> None:
        """A whole utterance."""
        self.speaks(0.3)
        self.falls_silent()
        self.understood(text, language)

    def presses(self, digit: str) -> None:
        """A key."""
        self.live.take(KeyPressed(STREAM, digit))

    def hangs_up(self) -> None:
        """The end."""
        self.live.take(Stopped(STREAM, "CA1"))

    async def ends(self) -> tuple[NextStep, str]:
        """What the call goes on with."""
        async with asyncio.timeout(WITHIN_S):
            return await self.running

    def told(self) -> list[tuple[str, str]]:
        """The log: the caller's words, and what was heard of the answer."""
        return [(turn.words, turn.told) for turn in sorted(self.asking.kept, key=lambda turn: turn.number)]

    def _media(self, frame: bytes, seconds: float) -> None:
        for number in range(round(seconds / 0.02)):
            self.live.take(Media(STREAM, "inbound", number, number * 20, frame))


def a_phone(call: Call | None = None, **parts: Any) -> Phone:
    """A call that has begun. To be made on the event loop."""
    asking, detectors = FakeAsking(), FakeDetectors()
    stt = parts.get("stt") or FakeSpeechToText()
    tts = parts.get("tts") or FakeTextToSpeech()
    sent: list[dict[str, Any]] = []
    news = asyncio.Event()

    async def send(frame: str) -> None:
        sent.append(json.loads(frame))

    made = CallParts(stt=stt, tts=tts, detectors=detectors, asking=asking)  # type: ignore[arg-type]
    recorder = parts.get("recorder") or NOT_RECORDED
    live = LiveCall(call or a_call(), made, send, STREAM, detectors.borrow(), recorder)
    phone = Phone(live, asking, stt, tts, detectors, sent, news)
    phone.running = asyncio.create_task(phone.live.run())
    return phone
