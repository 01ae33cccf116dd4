"""One call that meets a fault: up to the point at which it is struck, on from there, and what was heard."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field

from bench.voice_faults_plan import GOODBYE, QUESTIONS, Plan, Point, Question, Who
from bench.voice_hearing import Ears, UnderstoodPlayback, network_says
from simulators.google_tts_audio import speech
from simulators.line_tone import quiet_frame
from simulators.twilio import mulaw
from simulators.twilio.call import Call
from simulators.twilio.caller import Caller, CallerWaitedInVain
from simulators.twilio.handset import Handset
from simulators.twilio.microphone import Microphone
from simulators.twilio.network import PhoneNetwork
from simulators.twilio.spells import gaps

# So long a silence tells the caller that the desk has finished; less than `LONGEST_SILENCE_S`.
PAUSE_S = 0.8
# Of the desk's sound, or of the caller's, until the fault strikes in the middle of it.
INTO_S = 0.4
# Questions after the fault until the caller gives up.
TRIES = 3
_POINT_S = 3.0


class LineMicrophone(Microphone):
    """Its silence tells which line it is."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self._quiet = quiet_frame(number)

    def _spoken(self, now: float) -> bytes:
        frame = super()._spoken(now)
        return self._quiet if frame == mulaw.QUIET_FRAME else frame


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What a call needs to know of the world around it.

    ``strike`` lets the fault happen. ``asked`` and ``worded`` return once the model was asked a question, and
    once the first token of its answer has left. ``ears`` understand the desk's own lines.
    """

    strike: Callable[[], Awaitable[None]]
    asked: Callable[[Question], Awaitable[None]]
    worded: Callable[[Question], Awaitable[None]]
    ears: Ears


@dataclass(slots=True, kw_only=True)
class Met:
    """What came of a call.

    ``ended`` tells how the caller was helped, empty if they were not. ``silence_s`` is the longest in which
    the desk was to speak, from ``silent_at``; ``stuck`` is what the caller waited for in vain.
    """

    plan: Plan
    call_sid: str = ""
    is_struck: bool = False
    ended: str = ""
    silence_s: float = 0.0
    silent_at: float = 0.0
    stuck: str = ""
    said: list[str] = field(default_factory=list)
    internals: list[str] = field(default_factory=list)
    events: str = ""


class FaultCall:
    """One caller, who wants an answer and asks again where they get none."""

    def __init__(
        self, network: PhoneNetwork, number: str, plan: Plan, around: Around, attempt: int = 0
    ) -> None:
        self._network = network
        self._number = number
        self._plan = plan
        self._around = around
        self._met = Met(plan=plan)
        self._questions = iter(plan.questions[attempt * QUESTIONS :])
        self._heard = UnderstoodPlayback(around.ears)
        self._caller: Caller
        self._question: Question | None = None
        self._quiet_at = 0.0
        # Asked since the fault has struck.
        self._tries = 0

    async def run(self) -> Met:
        """From dialling to the end."""
        try:
            await self._reach()
            await self._go_on()
        except CallerWaitedInVain as failure:
            if self._call.is_live:
                self._met.stuck = str(failure)
        self._look_back()
        self._call.hang_up("the caller")
        # Its last callback may wait for a database that is still away.
        with suppress(CallerWaitedInVain):
            await self._caller.ended()
        self._met.stuck = self._met.stuck or ("the call has not ended" if self._call.is_live else "")
        return self._met

    @property
    def _call(self) -> Call:
        return self._caller.call

    async def _reach(self) -> None:
        """The point at which the fault strikes."""
        point, who = self._plan.cell.point, self._plan.cell.who
        is_first = point is Point.BEFORE_GREETING
        # Without a database no call is taken at all.
        if is_first and who is not Who.DATABASE:
            await self._strike()
        handset = Handset(LineMicrophone(self._plan.line), self._heard, network_says)
        self._caller = self._network.dial(self._number, from_=f"+97250{self._plan.line:07}", handset=handset)
        if is_first and who is Who.DATABASE:
            await self._caller.answered()
            await self._strike()
        if point is Point.GREETING:
            await self._caller.hears_for(INTO_S)
            await self._strike()
        await self._caller.listens(since=0.0, pause_s=PAUSE_S)
        reach = {
            Point.SPEAKING: self._reach_speaking,
            Point.ASKED: self._reach_asked,
            Point.WORDED: self._reach_worded,
            Point.ANSWERING: self._reach_answering,
            Point.INTERRUPTING: self._reach_interrupting,
            Point.SILENCE: self._reach_silence,
            Point.GOODBYE: self._reach_goodbye,
        }
        if point in reach:
            await reach[point]()

    async def _reach_speaking(self) -> None:
        await self._ask(is_struck=True)

    async def _reach_asked(self) -> None:
        question = await self._ask()
        await self._strike_after(self._around.asked(question))

    async def _reach_worded(self) -> None:
        question = await self._ask()
        await self._strike_after(self._around.worded(question))

    async def _reach_answering(self) -> None:
        await self._ask()
        await self._caller.hears_for(INTO_S, since=self._quiet_at)
        await self._strike()

    async def _reach_interrupting(self) -> None:
        await self._ask()
        await self._caller.hears_for(INTO_S, since=self._quiet_at)
        await self._ask(is_struck=True)

    async def _reach_silence(self) -> None:
        await self._ask()
        await self._hear_out()
        await self._strike()

    async def _reach_goodbye(self) -> None:
        await self._say(GOODBYE)
        await self._caller.hears_for(INTO_S, since=self._quiet_at)
        await self._strike()

    async def _go_on(self) -> None:
        """Be helped after the fault, as callers want to be."""
        if self._plan.cell.point is Point.GOODBYE:
            await self._take_leave()
            return
        while True:
            if self._question is not None:
                await self._hear_out()
                if self._tries and self._is_helped():
                    return
            if self._tries == TRIES:
                return
            self._tries += 1
            await self._ask()

    async def _take_leave(self) -> None:
        """The desk hangs up; asked whether they are there, the caller says goodbye again."""
        for _ in range(TRIES):
            with suppress(CallerWaitedInVain):
                await self._caller.listens(since=self._quiet_at, pause_s=PAUSE_S)
            if not self._call.is_live:
                return
            await self._say(GOODBYE)

    async def _hear_out(self) -> None:
        """Hear an answer, also if the desk says that it takes a moment."""
        since = self._quiet_at
        while True:
            await self._caller.listens(since=since, pause_s=PAUSE_S)
            latest = self._heard.latest(since)
            if latest is None or not self._around.ears.is_filler(latest.text):
                return
            since = self._call.stopwatch.now()

    async def _ask(self, *, is_struck: bool = False) -> Question:
        """Ask the next question; the fault may strike in the middle of it."""
        question = self._question = next(self._questions)
        await self._say(question.text, is_struck=is_struck)
        return question

    async def _say(self, text: str, *, is_struck: bool = False) -> None:
        said_before = len(self._call.line.microphone.utterances)
        saying = asyncio.create_task(self._caller.say(speech(text), text))
        if is_struck:
            await self._has_spoken(said_before)
            await self._strike()
            self._tries += 1
        utterance = await saying
        assert utterance.quiet_at is not None  # noqa: S101 - it has been said
        self._quiet_at = utterance.quiet_at

    async def _has_spoken(self, said_before: int) -> None:
        """The caller is `INTO_S` into what they say after so many utterances."""
        line_ = self._call.line
        while self._call.is_live:
            began = next((one.started_at for one in line_.microphone.utterances[said_before:]), None)
            if began is not None and self._call.stopwatch.now() - began >= INTO_S:
                return
            await line_.frames.wait(1.0)

    async def _strike_after(self, moment: Awaitable[None]) -> None:
        """Strike at *moment*; a call that does not come to it goes on without."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_POINT_S):
                await moment
            await self._strike()

    async def _strike(self) -> None:
        await self._around.strike()
        self._met.is_struck = True

    def _is_helped(self) -> bool:
        """Whether the caller was told anything but a line that every caller is told."""
        if self._next_verb():
            return True
        latest = self._heard.latest(self._quiet_at)
        if latest is None or latest.text:
            return False
        is_by_network = self._call.stream is None or self._call.stream.record.closed_at is not None
        self._met.ended = "answered turn by turn" if is_by_network else "answered on the socket"
        return True

    def _said_by_network(self) -> list[str]:
        return [event.detail.partition("] ")[2] for event in self._call.events if event.kind == "say"]

    def _next_verb(self) -> str:
        """What the latest document ends with, if it ends the talk."""
        documents = [event.detail for event in self._call.events if event.kind == "document"]
        verbs = documents[-1].split() if documents else []
        return next((verb for verb in ("Dial", "Record") if verb in verbs), "")

    def _look_back(self) -> None:
        met, call = self._met, self._call
        met.call_sid = call.sid
        met.said = self._said_by_network()
        told = [
            f"{heard.at:8.3f}  heard          {heard.text or '...'}" for heard in self._heard.utterances()
        ]
        met.events = "\n".join(sorted([*(str(event) for event in call.events), *told]))
        if verb := self._next_verb():
            met.ended = {"Dial": "put through", "Record": "message taken"}[verb]
        elif not call.is_live and any(e.kind == "hang-up" and "server" in e.detail for e in call.events):
            met.ended = met.ended or "goodbye"
        elif not call.is_live and call.status == "completed" and not met.ended:
            met.ended = "goodbye" if self._plan.cell.point is Point.GOODBYE else ""
        met.silence_s, met.silent_at = longest_silence(call)


def longest_silence(call: Call) -> tuple[float, float]:
    """The longest in which neither made a sound, and when it began; not beyond a transfer or a message."""
    if call.answered_at is None:
        return 0.0, 0.0
    until = call.stopwatch.now() if call.ended_at is None else call.ended_at
    over = [
        event.at
        for event in call.events
        if event.kind == "document" and {"Dial", "Record"} & set(event.detail.split())
    ]
    until = min([until, *over])
    found = gaps([*call.playback.loud, *call.line.microphone.loud], call.answered_at, until, 0.0)
    longest = max(found, key=lambda gap: gap.end - gap.start, default=None)
    return (0.0, 0.0) if longest is None else (longest.end - longest.start, longest.start)
