"""One call as the network has it: its state, its record, and the course it takes from ringing to the end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Literal

from simulators.twilio import notices
from simulators.twilio.account import Account, Number, Recording, StatusEvent
from simulators.twilio.handset import Handset
from simulators.twilio.interpreter import Interpreter, Source
from simulators.twilio.line import Line
from simulators.twilio.notices import CallFailure, Notice
from simulators.twilio.routes import Routes, Signer, Webhooks
from simulators.twilio.stopwatch import Bell, Stopwatch
from simulators.twilio.stream import MediaStream, StreamRecord

Status = Literal["ringing", "in-progress", "completed", "busy", "no-answer", "failed"]
API_VERSION = "2010-04-01"
_LAST_EVENT = "ended"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, at seconds of the call."""

    at: float
    kind: str
    detail: str

    def __str__(self) -> str:
        return f"{self.at:8.3f}  {self.kind:<14} {self.detail}"


@dataclass(frozen=True)
class Exchange:
    """What all calls of a network share."""

    account: Account
    webhooks: Webhooks
    routes: Routes
    signer: Signer
    recordings: dict[str, Recording]
    api_url: str
    confidence: float

    def keep(self, call_sid: str, audio: bytes) -> Recording:
        """Keep *audio* as a new recording."""
        recording = Recording(self.account.new_sid("RE"), call_sid, audio, time.time())
        self.recordings[recording.sid] = recording
        return recording

    def url_of(self, recording: Recording) -> str:
        """Where *recording* is fetched."""
        account = self.account.account_sid
        return f"{self.api_url}/{API_VERSION}/Accounts/{account}/Recordings/{recording.sid}"


@dataclass
class CallTimes:
    """Wall-clock seconds since 1970, as REST tells them."""

    created: float = field(default_factory=time.time)
    answered: float | None = None
    ended: float | None = None

    def duration_s(self) -> int:
        """Whole seconds from the answer to the end; 0 if there was none."""
        if self.answered is None or self.ended is None:
            return 0
        return round(self.ended - self.answered)


class Call:
    """A call to one of the account's numbers. All times are seconds since it was placed.

    ``events``, ``notices`` (what Twilio's debugger shows) and ``streams`` are the record;
    ``playback`` is what the caller hears, ``line`` what the caller says.
    """

    def __init__(self, exchange: Exchange, number: Number, to: str, from_: str, handset: Handset) -> None:
        self.exchange = exchange
        self.number = number
        self.sid = exchange.account.new_sid("CA")
        self.to, self.from_ = to, from_
        self.status: Status = "ringing"
        self.times = CallTimes()
        self.stopwatch = Stopwatch()
        self.playback = handset.playback
        self.voice = handset.voice
        self.line = Line(self.stopwatch, handset.microphone)
        self.heard = Bell()
        self.happened = Bell()
        self.events: list[Event] = []
        self.notices: list[Notice] = []
        self.streams: list[StreamRecord] = []
        self.stream: MediaStream | None = None
        self.answered_at: float | None = None
        self.ended_at: float | None = None
        self._interpreter = Interpreter(self)
        self._execution: asyncio.Task[None] | None = None
        self._pacer: asyncio.Task[None] | None = None
        self._replacement: Source | None = None
        self._is_hung_up = False
        self._callbacks: set[asyncio.Task[None]] = set()
        self._sequence = 0

    @property
    def is_live(self) -> bool:
        """Whether it has not ended."""
        return self.ended_at is None

    def parameters(self) -> dict[str, str]:
        """What every webhook is told."""
        return {
            "CallSid": self.sid,
            "AccountSid": self.exchange.account.account_sid,
            "From": self.from_,
            "To": self.to,
            "Caller": self.from_,
            "Called": self.to,
            "CallStatus": self.status,
            "Direction": "inbound",
            "ApiVersion": API_VERSION,
        }

    def tell(self, kind: str, detail: str) -> None:
        """Put something on record."""
        self.events.append(Event(self.stopwatch.now(), kind, detail))
        self.happened.ring()

    def notice(self, code: int, detail: str, *, is_warning: bool = False) -> None:
        """Put a line into the debugger."""
        level: notices.Level = "warning" if is_warning or code in notices.WARNINGS else "error"
        notice = Notice(self.stopwatch.now(), code, level, detail)
        self.notices.append(notice)
        self.tell(level, str(notice))

    async def follow(self) -> AsyncIterator[Event]:
        """All events, as they happen, to the one that tells of the end."""
        told = 0
        while True:
            while told < len(self.events):
                event = self.events[told]
                told += 1
                yield event
                if event.kind == _LAST_EVENT:
                    return
            await self.happened.wait()

    async def run(self) -> None:
        """The whole call, from the first ring to the last callback."""
        try:
            self._progress("initiated")
            self._progress("ringing")
            await self._follow_all()
        finally:
            await self._end()

    def answer(self) -> None:
        """Pick up, if that has not been done."""
        if self.answered_at is not None:
            return
        self.status = "in-progress"
        self.times.answered = time.time()
        self.answered_at = self.stopwatch.now()
        self._pacer = asyncio.create_task(self.line.run())
        self.tell("answered", "")
        self._progress("answered")

    def reject(self, reason: str) -> None:
        """Not pick up."""
        self.status = "busy" if reason == "busy" else "no-answer"

    def go_on_with(self, source: Source) -> None:
        """Leave what is being done, and do this."""
        self._replacement = source
        if self._execution is not None:
            self._execution.cancel()

    def hang_up(self, by: str) -> None:
        """End the call."""
        if not self.is_live or self._is_hung_up:
            return
        self._is_hung_up = True
        self.tell("hang-up", f"by {by}")
        if self._execution is not None:
            self._execution.cancel()

    def call_back(self, url: str, method: str, told: Mapping[str, str]) -> None:
        """Tell *url* something; what it answers is of no interest, that it fails is noted."""
        task = asyncio.create_task(self._call_back(url, method, told))
        self._callbacks.add(task)
        task.add_done_callback(self._callbacks.discard)

    def tell_action_after_end(self, action: Source) -> None:
        """The caller has hung up in a verb: its action is told, what it answers is not run.

        A verb that REST has replaced has no action any more.
        """
        if self._replacement is None:
            told = {**self.parameters(), **action.told, "CallStatus": "completed"}
            self.call_back(action.url, action.method, told)

    async def _call_back(self, url: str, method: str, told: Mapping[str, str]) -> None:
        try:
            await self.exchange.webhooks.fetch(method, url, told)
        except CallFailure as failure:
            self.notice(failure.code, failure.detail, is_warning=True)

    async def _follow_all(self) -> None:
        source: Source | None = Source(self.number.voice_url, self.number.voice_method)
        while source is not None and not self._is_hung_up:
            self._execution = asyncio.create_task(self._follow(source))
            try:
                await asyncio.wait({self._execution})
            finally:
                # Ended from outside, a call leaves nothing behind.
                self._execution.cancel()
                await asyncio.wait({self._execution})
            if not self._execution.cancelled():
                self._execution.result()
            source, self._replacement = self._replacement, None

    async def _follow(self, source: Source) -> None:
        try:
            await self._interpreter.run(source)
        except CallFailure as failure:
            self.notice(failure.code, failure.detail)
            await self._fall_back(failure, source)

    async def _fall_back(self, failure: CallFailure, source: Source) -> None:
        """Ask the fallback URL; without one, or without success, the caller hears that there was an error."""
        if self.number.fallback_url:
            told = {"ErrorCode": str(failure.code), "ErrorUrl": source.url}
            try:
                await self._interpreter.run(Source(self.number.fallback_url, "POST", told))
                return
            except CallFailure as again:
                self.notice(again.code, again.detail)
        if self.answered_at is None:
            self.status = "failed"
        self.tell("failed", "the caller hears that an application error has occurred")

    async def _end(self) -> None:
        self.ended_at = self.stopwatch.now()
        self.times.ended = time.time()
        if self.status == "ringing":
            self.status = "no-answer"
        elif self.status == "in-progress":
            self.status = "completed"
        fault = await self._stop_pacing()
        self.tell(_LAST_EVENT, self.status)
        self.heard.ring()
        self._progress("completed")
        if self._callbacks:
            await asyncio.wait(self._callbacks)
        if fault is not None:
            raise fault

    async def _stop_pacing(self) -> Exception | None:
        """Stop the caller's frames; returns what broke them off before, a fault of the simulator's own."""
        if self._pacer is None:
            return None
        self._pacer.cancel()
        (result,) = await asyncio.gather(self._pacer, return_exceptions=True)
        return result if isinstance(result, Exception) else None

    def _progress(self, event: StatusEvent) -> None:
        """Tell the status callback; the call does not wait for it."""
        callback = self.number.status_callback
        if not callback or event not in self.number.status_events:
            return
        told = {
            **self.parameters(),
            "Timestamp": formatdate(usegmt=False),
            "CallbackSource": "call-progress-events",
            "SequenceNumber": str(self._sequence),
        }
        if event == "initiated":
            told["CallStatus"] = "initiated"
        if event == "completed":
            duration_s = self.times.duration_s()
            told |= {"CallDuration": str(duration_s), "Duration": str(-(-duration_s // 60))}
        self._sequence += 1
        self.call_back(callback, "POST", told)
