"""One call: hears the caller, decides when they have finished, has them answered, gives way to them.

Everything here runs on the event loop and is told what happens: a frame, a word, a moment that has come.
Times are seconds of the loop's stopwatch. Long work (asking, speaking) is in `Answer`, which is begun,
released, hushed, taken up again or dropped from here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from server.domain.calls import ASKED_FOR_PERSON, Call, NextStep, wants_person
from server.domain.conversations import HistoryLine, Reply, ReplySource, Speaker
from server.domain.events import Listener
from server.domain.language import UNDETERMINED, detect_language
from server.errors import ProviderError
from server.ports.speech import SpeechToText, TextToSpeech
from server.voice.answer import Answer, Ask
from server.voice.asking import Asking
from server.voice.floor import Floor
from server.voice.frames import Incoming, KeyPressed, MarkReached, Media, Outgoing, Stopped
from server.voice.hearing import Hearing
from server.voice.journal import Journal
from server.voice.keys import Entered, Keys, KeyWish, WantsPerson, WantsRepeat
from server.voice.lines import Line, greeting, is_farewell, line, nobody_there
from server.voice.manners import is_backchannel
from server.voice.mouth import Mouth, Send
from server.voice.recorder import NOT_RECORDED, Recorder
from server.voice.timers import Timers
from server.voice.turn_end import Corrected, Decision, Ended, Speculate, Void
from server.voice.vad import Detector, Detectors

# A silence of both.
SILENCE_S = 8.0
PROMPTS_BEFORE_GOODBYE = 1
# The guest's own lines and ours that a turn is given.
_HISTORY = 8

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallParts:
    """What calls are made of. ``tts`` has the fixed lines ready; ``detectors`` are lent to calls."""

    stt: SpeechToText
    tts: TextToSpeech
    detectors: Detectors
    asking: Asking


class LiveCall:
    """A call whose media socket is open.

    Args:
        send: sends a frame over its socket.
        detector: lent by those of *parts*; given back at the end.
        recorder: is told of what is heard and said.
    """

    def __init__(
        self,
        call: Call,
        parts: CallParts,
        send: Send,
        stream_sid: str,
        detector: Detector,
        recorder: Recorder = NOT_RECORDED,
    ) -> None:
        self.call = call
        self._parts = parts
        self._recorder = recorder
        self._now = asyncio.get_running_loop().time
        self._detector = detector
        self._hearing = Hearing(
            call,
            parts.stt,
            detector,
            self._now,
            decide=self._decide,
            speaks=lambda: self._floor.give_way(),
            falls_silent=self._await_more,
        )
        self._timers = Timers()
        self._mouth = Mouth(parts.tts, send, Outgoing(stream_sid), self._now, recorder)
        self._floor = Floor(
            call,
            self._hearing,
            self._mouth,
            self._timers,
            self._now,
            self._later,
            said=self._on_said,
            heard=self._on_heard,
            failed=lambda: self._fall_back(line(Line.SORRY, self._hearing.language)),
        )
        self._last_words = ""
        self._keys = Keys()
        self._to_repeat = ""
        self._history = list(call.history)
        self._offered: tuple[str, ...] = ()
        # A call that comes back from a transfer has another socket: its turns have other numbers.
        self._turns = int(parts.asking.now().timestamp() * 1_000_000)
        # Begun on words that may not be all, and not heard yet.
        self._guess: Answer | None = None
        self._prompts = 0
        self._after: NextStep | None = None
        # What the call goes on with, and what to say before that.
        self.over: asyncio.Future[tuple[NextStep, str]] = asyncio.get_running_loop().create_future()
        self._journal = Journal(call, parts.asking, self.over)
        self._tasks: set[asyncio.Task[Any]] = set()

    async def run(self) -> tuple[NextStep, str]:
        """Greet and talk until the call is `over` for us, and put away what is left of it; returns `over`."""
        listening = asyncio.create_task(self._listen())
        self._greet()
        try:
            return await self.over
        finally:
            self._timers.close()
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
            await self._hearing.aclose()
            await self._leave()
            self._parts.detectors.give_back(self._detector)

    def take(self, incoming: Incoming) -> None:
        """A frame of the call's."""
        if self.over.done():
            return
        if isinstance(incoming, Media):
            self._recorder.hear(incoming)
            self._hearing.hear(incoming.audio)
        elif isinstance(incoming, MarkReached):
            self._floor.reached(incoming.name)
        elif isinstance(incoming, KeyPressed):
            self._on_key(incoming.digit)
        elif isinstance(incoming, Stopped):
            self.hang_up()

    def hang_up(self) -> None:
        """The caller has gone."""
        self._finish(NextStep.HANG_UP)

    def lose_socket(self) -> None:
        """The socket is gone, and the caller perhaps is not."""
        self._fall_back()

    # What the caller does

    def _on_key(self, key: str) -> None:
        if self._after is not None:
            return
        wish = self._keys.press(key, self._now())
        if wish is None and self._keys.due_at is None:
            return
        self._timers.stop("silence")
        self._take_floor()
        self._heed(wish)

    def _heed(self, wish: KeyWish | None) -> None:
        """Do what the caller wants with the keys; there may be more to come of them."""
        if isinstance(wish, WantsPerson):
            self._put_through("0")
        elif isinstance(wish, WantsRepeat):
            self._say(self._to_repeat, "*")
        elif isinstance(wish, Entered):
            self._on_turn(Ended(wish.digits, is_begun=False))
        if self._keys.due_at is None:
            self._timers.stop("keys")
        else:
            self._timers.start("keys", self._keys.due_at, lambda: self._heed(self._keys.on_time()))

    async def _listen(self) -> None:
        try:
            await self._hearing.listen()
        except ProviderError as error:
            log.error("call.recogniser_failed", call=self.call.id, reason=error.reason)
        except Exception as error:
            log.exception("call.fault", call=self.call.id, error=type(error).__name__)
        # Whatever ended it: nobody hears the caller here any more.
        self._fall_back()

    # What follows from it

    def _decide(self, decisions: Sequence[Decision]) -> None:
        for decision in decisions:
            if isinstance(decision, Speculate):
                self._speculate(decision.text)
            elif isinstance(decision, Void):
                self._drop_guess()
            elif isinstance(decision, Ended):
                self._on_turn(decision)
            elif isinstance(decision, Corrected):
                self._correct(decision.text)
        due_at = self._hearing.due_at
        if due_at is None:
            self._timers.stop("turn_end")
        else:
            self._timers.start("turn_end", due_at, self._hearing.on_time)

    def _speculate(self, text: str) -> None:
        floor = self._floor
        if floor.is_talking or (floor.is_hushed and is_backchannel(text)) or is_farewell(text):
            return
        self._drop_guess()
        self._guess = self._prepare(text)

    def _on_turn(self, ended: Ended) -> None:
        """The caller has finished."""
        self._prompts = 0
        floor = self._floor
        if floor.answer is not None and is_backchannel(ended.text) and not floor.has_asked:
            self._drop_guess()
            floor.resume()
            return
        floor.give_way()
        guess, self._guess = self._guess, None
        words = ended.text
        if floor.answer is not None and floor.is_unheard:
            # They went on before they heard a word: both belong together.
            words = f"{floor.answer.words} {words}".strip()
            floor.take_back()
        self._settle()
        is_guessed = guess is not None and ended.is_begun and guess.words == words
        if guess is not None and (is_farewell(ended.text) or not is_guessed):
            self._later(guess.drop())
            guess = None
        self._last_words = ended.text
        if is_farewell(ended.text):
            self._say_line(Line.GOODBYE, words, after=NextStep.HANG_UP)
        else:
            self._answer_with(guess or self._prepare(words))

    def _correct(self, text: str) -> None:
        """The last word on a turn that was taken for ended."""
        answer = self._floor.answer
        if answer is None or not answer.words.endswith(self._last_words):
            return
        words = answer.words.removesuffix(self._last_words) + text
        self._last_words = text
        if self._floor.is_unheard:
            self._floor.take_back()
            self._answer_with(self._prepare(words))
        else:
            # What was heard cannot be taken back; the log has the words as they were meant.
            answer.words = words

    def _prepare(self, words: str) -> Answer:
        """An answer under way that is not heard yet."""
        self._turns += 1
        number, history, offered = self._turns, tuple(self._history[-_HISTORY:]), self._offered
        answer = self._new_answer(number, words)
        parts = self._parts

        async def ask(listen: Listener) -> Reply:
            await asyncio.to_thread(parts.asking.foresee, self.call, words)
            return await parts.asking.answer(self.call, number, words, history, offered, listen)

        answer.begin(ask)
        return answer

    def _new_answer(self, number: int, words: str) -> Answer:
        detected = detect_language(words)
        language = self._hearing.language if detected == UNDETERMINED else detected
        return Answer(number, words, language, self._mouth, self._now, self._parts.asking.now())

    def _answer_with(self, answer: Answer) -> None:
        self._say_it(answer, None)
        if self._hearing.final_at is not None:
            answer.moments["final_words"] = self._hearing.final_at
        self._floor.announce(answer.moments["quiet"])

    def _say_it(self, answer: Answer, after: NextStep | None) -> None:
        """*answer* has the floor; the call goes on with *after* once it was heard."""
        self._after = after
        self._timers.stop("silence")
        answer.release(self._parts.asking.now(), self._hearing.quiet_at if answer.words else self._now())
        self._floor.take(answer)

    def _on_said(self, answer: Answer) -> None:
        """All of *answer* was sent."""
        reply = answer.reply
        if reply is None:
            return
        self._offered = tuple(reply.offered)
        if self._after is None and self.call.tenant.settings.transfer_number and wants_person(reply):
            self._after = NextStep.TRANSFER

    def _await_more(self) -> None:
        """Give the caller time to go on; the desk does if they do not."""
        if self._floor.is_hushed:
            self._floor.await_words()
        elif self._floor.answer is None:
            self._timers.start("silence", self._now() + SILENCE_S, self._on_silence)

    def _drop_guess(self) -> None:
        guess, self._guess = self._guess, None
        if guess is not None:
            self._later(guess.drop())

    # Lines of our own

    def _greet(self) -> None:
        has_come_back = bool(self.call.to_say)
        if self.call.is_for_staff and not has_come_back:
            self._put_through("")
        elif self.call.is_for_staff:
            # None of them took the call.
            self._say(self.call.to_say, "", after=NextStep.MESSAGE)
        else:
            self._say(self.call.to_say or greeting(self.call.tenant.settings, self._hearing.language), "")

    def _put_through(self, words: str) -> None:
        """The caller, who said or pressed *words*, gets a person."""
        self._take_floor()
        settings, language = self.call.tenant.settings, self._hearing.language
        if settings.transfer_number:
            text, after = line(Line.TRANSFERRING, language), NextStep.TRANSFER
        else:
            text, after = nobody_there(settings, language, self._parts.asking.now()), NextStep.MESSAGE
        self._say(text, words, after=after, reason=ASKED_FOR_PERSON)

    def _take_floor(self) -> None:
        """Whatever is being said is over."""
        self._drop_guess()
        self._floor.give_way()
        self._settle()

    def _say_line(self, name: Line, words: str, after: NextStep | None = None) -> None:
        self._say(line(name, self._hearing.language), words, after=after)

    def _say(self, text: str, words: str, *, after: NextStep | None = None, reason: str = "") -> None:
        """Say words of our own; with a *reason* staff hear of it."""
        self._turns += 1
        answer = self._new_answer(self._turns, words)
        reply = Reply(
            text=text,
            source=ReplySource.SHORTCUT,
            language=self._hearing.language,
            handover=bool(reason),
            reason=reason,
        )
        answer.begin(_known(reply))
        self._say_it(answer, after)

    # The end of an answer, and of the call

    def _on_heard(self) -> None:
        """The answer was heard to its end: the floor is the caller's."""
        self._settle()
        if self._after is not None:
            self._finish(self._after)
        else:
            self._await_more()

    def _on_silence(self) -> None:
        if self._floor.answer is not None:
            return
        if self._hearing.is_busy:
            self._await_more()
        elif self._prompts >= PROMPTS_BEFORE_GOODBYE:
            self._say_line(Line.GOODBYE, "", after=NextStep.HANG_UP)
        else:
            self._prompts += 1
            self._say_line(Line.STILL_THERE, "")

    def _settle(self) -> None:
        """The answer is over: what the caller heard of it stands in the log."""
        rest = self._floor.left()
        settled = self._floor.settle()
        if settled is None:
            return
        answer, told = settled
        if answer.words or not self._to_repeat:
            self._to_repeat = answer.reply.text if answer.reply else f"{told} {rest}".strip()
        if answer.words:
            self._history.append(HistoryLine(Speaker.GUEST, answer.words))
        if told:
            self._history.append(HistoryLine(Speaker.HOST, told))
        self._later(self._journal.keep(answer, told, self._hearing.language))

    def _fall_back(self, otherwise: str = "") -> None:
        """Speech has failed: the call goes on by Twilio's own means, with what was still to be heard.

        Args:
            otherwise: is said where there is nothing.
        """
        self._floor.give_way()
        to_say = self._floor.left()
        if self._after is not None:
            self._finish(self._after, to_say)
        else:
            self._finish(NextStep.ASK, to_say or otherwise or line(Line.NOT_HEARD, self._hearing.language))

    def _finish(self, step: NextStep, to_say: str = "") -> None:
        if not self.over.done():
            self.over.set_result((step, to_say))

    async def _leave(self) -> None:
        """Nothing of the call stays behind."""
        self._drop_guess()
        self._settle()
        while self._tasks:
            await asyncio.wait(tuple(self._tasks))

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _known(reply: Reply) -> Ask:
    async def ask(_listen: Listener) -> Reply:
        return reply

    return ask
