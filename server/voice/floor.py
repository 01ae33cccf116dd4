"""Who speaks for the desk on a call: an answer has the floor, gives way, goes on, and is heard out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import replace
from typing import Any

import structlog

from server.domain.calls import Call
from server.errors import ProviderError
from server.voice.answer import Answer
from server.voice.hearing import Hearing
from server.voice.lines import Line, line
from server.voice.mouth import Mouth, as_sentence
from server.voice.timers import Timers

# So long after the caller's last sound a filler announces the first sentence, and another one after that.
FILLER_S = 1.5
# A filler never comes sooner after the turn was decided.
_LEAST_S = 0.2
# A voice without words was a cough: what it cut short goes on.
NO_WORDS_S = 1.0
# Words that were still to come when the voice failed are waited for so long.
_REST_WITHIN_S = 0.7
# Twilio's marks come as the audio ends; so late they are lost.
_MARKS_WITHIN_S = 2.0

log = structlog.get_logger(__name__)

Later = Callable[[Coroutine[Any, Any, None]], None]


class Floor:
    """At most one answer has it; of one that was hushed the rest is kept until it is known by what.

    Args:
        now: the stopwatch of the call, in seconds.
        later: runs what takes time, within the call.
        said: is told of an answer all of which was sent.
        heard: is told once the answer was heard to its end.
        failed: is told when an answer could not be said.
    """

    def __init__(
        self,
        call: Call,
        hearing: Hearing,
        mouth: Mouth,
        timers: Timers,
        now: Callable[[], float],
        later: Later,
        *,
        said: Callable[[Answer], None],
        heard: Callable[[], None],
        failed: Callable[[], None],
    ) -> None:
        self._call = call
        self._hearing = hearing
        self._mouth = mouth
        self._timers = timers
        self._now = now
        self._later = later
        self._said, self._heard, self._failed = said, heard, failed
        self.answer: Answer | None = None
        self._hushed: Answer | None = None
        self._unheard: tuple[str, ...] = ()

    @property
    def is_hushed(self) -> bool:
        """Whether the answer was cut short, and may yet go on."""
        return self._hushed is not None

    @property
    def is_talking(self) -> bool:
        """Whether an answer is being said, or about to be."""
        return self.answer is not None and self._hushed is None

    @property
    def is_unheard(self) -> bool:
        """Whether the caller has heard nothing of the answer yet."""
        return not self._mouth.playback.heard(self._now())

    @property
    def has_asked(self) -> bool:
        """Whether the caller has heard the answer end with a question, to which "yes" is a reply."""
        answer = self.answer
        return (
            answer is not None and answer.ends_with_question and not answer.rest() and len(self._unheard) <= 1
        )

    def take(self, answer: Answer) -> None:
        """*answer* is said now."""
        self.answer = answer
        self._later(self._see_out(answer))

    def announce(self, waits_since: float) -> None:
        """Say that the answer takes long, if it does."""
        at = max(waits_since + FILLER_S, self._now() + _LEAST_S)
        self._timers.start("filler", at, lambda: self._fill(Line.ONE_MOMENT))

    def give_way(self) -> None:
        """The caller speaks: send no more, and take back what they have not heard."""
        answer = self.answer
        if answer is None or self._hushed is not None:
            return
        # Stopped first: nothing of it can follow the frame that clears the line.
        answer.hush()
        if self._mouth.playback.waits_for_marks:
            self._later(self._mouth.interrupt())
        self._hushed = answer
        self._unheard = self._mouth.playback.clear(self._now()).unheard
        self._timers.stop("filler")
        self._timers.stop("played")
        self.await_words()

    def await_words(self) -> None:
        """Go on with what was hushed, unless the caller has more to say."""
        if self._hushed is not None:
            self._timers.start("no_words", self._now() + NO_WORDS_S, self._on_no_words)

    def resume(self) -> None:
        """It was a cough, or a "mm-hm": say the rest."""
        answer, self._hushed = self._hushed, None
        self._timers.stop("no_words")
        if answer is None:
            return
        answer.take_up(self._unheard)
        self._unheard = ()
        # They have waited for as long as it took to know.
        self.announce(self._now() - FILLER_S)
        self._later(self._see_out(answer))

    def take_back(self) -> None:
        """Nothing of the answer was heard: it never was."""
        self.give_way()
        answer, _ = self._free()
        if answer is not None:
            self._later(answer.drop())

    def settle(self) -> tuple[Answer, str] | None:
        """The answer is over; returns it, to be dropped, with what the caller heard of it."""
        answer, told = self._free()
        if answer is None:
            return None
        answer.hush()
        return answer, told

    def left(self) -> str:
        """What of the answer was not heard, after `give_way`."""
        rest = "" if self.answer is None else self.answer.rest()
        return " ".join(text for text in (*self._unheard, rest) if text)

    def reached(self, mark: str) -> None:
        """Twilio has played all before *mark*."""
        if self._mouth.playback.reached(mark, self._now()) is None:
            return
        if self.answer is not None and self.answer.is_audible:
            self.answer.reach("first_mark")
        self._look_whether_heard()

    def _free(self) -> tuple[Answer | None, str]:
        """Nobody speaks for the desk any more; returns what did, and what was heard of it."""
        told = self._mouth.playback.heard(self._now())
        answer, self.answer = self.answer, None
        self._hushed, self._unheard = None, ()
        for name in ("filler", "played", "no_words"):
            self._timers.stop(name)
        self._mouth.playback.forget()
        return answer, told

    async def _see_out(self, answer: Answer) -> None:
        """Until all of it was sent, or it was hushed or dropped."""
        try:
            await answer.said()
        except asyncio.CancelledError:
            return
        except Exception as error:  # noqa: BLE001 - whatever failed, the caller must not be left in silence
            log.error("call.answer_failed", call=self._call.id, error=type(error).__name__)
            # What the model still says can be said by other means.
            with suppress(TimeoutError):
                async with asyncio.timeout(_REST_WITHIN_S):
                    await answer.asked()
            if answer is self.answer:
                self._failed()
            return
        if answer is self.answer and answer.reply is not None:
            self._timers.stop("filler")
            self._said(answer)
            now = self._now()
            self._timers.start("played", self._mouth.playback.quiet_at(now) + _MARKS_WITHIN_S, self._on_heard)
            self._look_whether_heard()

    def _look_whether_heard(self) -> None:
        answer = self.answer
        if answer is None or self._hushed is not None or not answer.is_said:
            return
        if not self._mouth.playback.waits_for_marks:
            self._on_heard()

    def _on_heard(self) -> None:
        # Marks that are overdue by now will not come.
        self._mouth.playback.clear(self._now())
        self._heard()

    def _on_no_words(self) -> None:
        """It was a cough that cut the answer short, unless words are still coming."""
        if self._hearing.is_busy:
            self.await_words()
        else:
            self.resume()

    def _fill(self, name: Line) -> None:
        """The answer takes long: say so."""
        answer = self.answer
        if answer is not None and self._is_wanted(answer):
            self._later(self._interject(answer, name))

    def _is_wanted(self, answer: Answer) -> bool:
        """Whether the caller waits for *answer*, and hears nothing."""
        return answer is self.answer and self._hushed is None and not answer.is_audible

    async def _interject(self, answer: Answer, name: Line) -> None:
        # No text: it stands in no log.
        filler = replace(as_sentence(line(name, self._hearing.language), self._hearing.language), text="")
        with suppress(ProviderError):
            await self._mouth.interject(filler, lambda: self._is_wanted(answer))
        if self._is_wanted(answer):
            again_at = self._mouth.playback.quiet_at(self._now()) + FILLER_S
            self._timers.start("filler", again_at, lambda: self._fill(Line.STILL_LOOKING))
