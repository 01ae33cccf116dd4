"""One answer on a call: from the caller's words to sentences in the caller's ear."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from datetime import datetime

from server.domain.conversations import Reply
from server.domain.events import Listener, Replace, ReplyEvent, Token
from server.voice.lines import Line, line
from server.voice.mouth import Mouth, Sentence, as_sentence
from server.voice.sentences import SentenceSplitter

Ask = Callable[[Listener], Awaitable[Reply]]


class Answer:
    """Asks, cuts what comes into sentences and has them said, as soon as it is released.

    Args:
        number: of the turn; grows within the call.
        words: the caller's.
        language: that the answer will most probably be in.
        now: the stopwatch of the call, in seconds.
    """

    def __init__(
        self,
        number: int,
        words: str,
        language: str,
        mouth: Mouth,
        now: Callable[[], float],
        begun_at: datetime,
    ) -> None:
        self.number = number
        self.words = words
        self.asked_at = begun_at
        self.reply: Reply | None = None
        self.moments: dict[str, float] = {}
        self._language = language
        self._mouth = mouth
        self._now = now
        self._splitter = SentenceSplitter()
        self._shown = ""
        # Those that were not begun to be said; None ends them.
        self._waiting: list[Sentence | None] = []
        self._news = asyncio.Event()
        self._may_begin = asyncio.Event()
        self._asking: asyncio.Task[None] | None = None
        self._saying: asyncio.Task[None] | None = None

    @property
    def is_audible(self) -> bool:
        """Whether any of it has left."""
        return "first_audio" in self.moments

    @property
    def is_said(self) -> bool:
        """Whether all of it has been sent."""
        return self._saying is not None and self._saying.done() and self.reply is not None

    @property
    def ends_with_question(self) -> bool:
        """Whether a "yes" after it is an answer."""
        return self.reply is not None and self.reply.text.rstrip().endswith(("?", "؟"))

    def begin(self, ask: Ask) -> None:
        """Ask, and have audio made; none of it leaves before `release`."""
        self._asking = asyncio.create_task(self._ask(ask))
        self._saying = asyncio.create_task(self._say())

    def release(self, asked_at: datetime, quiet_at: float) -> None:
        """The caller has finished, and was silent since *quiet_at*: it may be heard."""
        self.asked_at = asked_at
        self.moments["quiet"] = quiet_at
        self.reach("decided")
        self._may_begin.set()

    def steps_ms(self) -> Mapping[str, float]:
        """Its moments, in milliseconds from the caller's last sound; 0 for what was foreseen before it."""
        quiet_at = self.moments.get("quiet", math.inf)
        return {
            name: round(max(0.0, 1000 * (at - quiet_at)), 2)
            for name, at in self.moments.items()
            if name != "quiet"
        }

    def reach(self, moment: str) -> None:
        """A moment of the turn is now; the first time counts."""
        self.moments.setdefault(moment, self._now())

    async def said(self) -> None:
        """Return when all of it has been sent.

        Raises:
            Exception: what asking or speaking raised.
        """
        tasks = [task for task in (self._asking, self._saying) if task is not None]
        await asyncio.gather(*tasks)

    async def asked(self) -> None:
        """Return when all of its words are known, or none will be; never raises what asking raised."""
        if self._asking is not None:
            await asyncio.wait([self._asking])

    def hush(self) -> None:
        """Send no more of it. What is still being asked goes on, for the answer may be taken up again."""
        if self._saying is not None:
            self._saying.cancel()

    def take_up(self, unheard: Sequence[str]) -> None:
        """Go on after `hush`: *unheard* was sent and not heard."""
        self._waiting[:0] = [self._sentence(text) for text in unheard]
        self._saying = asyncio.create_task(self._say())

    async def drop(self) -> None:
        """Give it up."""
        await _cancelled(self._saying)
        await _cancelled(self._asking)

    def rest(self) -> str:
        """What has not begun to be said."""
        return " ".join(one.text for one in self._waiting if one is not None and not one.is_void)

    async def _ask(self, ask: Ask) -> None:
        reply = await ask(self._hear)
        self.reply = reply
        if not reply.text.startswith(self._shown):
            self._begin_again()
        self._feed(reply.text[len(self._shown) :])
        self._put(self._splitter.finish())
        self._waiting.append(None)
        self._news.set()

    def _hear(self, event: ReplyEvent) -> None:
        if isinstance(event, Token):
            self.reach("first_token")
            self._feed(event.text)
        elif isinstance(event, Replace):
            self._begin_again()
            self._feed(event.text)

    def _feed(self, text: str) -> None:
        self._shown += text
        self._put(self._splitter.feed(text))

    def _put(self, sentences: Sequence[str]) -> None:
        for text in sentences:
            self.reach("first_sentence")
            self._waiting.append(self._sentence(text))
            self._news.set()

    def _begin_again(self) -> None:
        """What came before is not the reply. What was heard of it cannot be taken back: it is corrected."""
        self._splitter = SentenceSplitter()
        self._shown = ""
        for sentence in self._waiting:
            if sentence is not None:
                sentence.is_void = True
        if self.is_audible:
            self._waiting.append(self._sentence(line(Line.LET_ME_CORRECT, self._language)))

    def _sentence(self, text: str) -> Sentence:
        return as_sentence(text, self._language)

    async def _say(self) -> None:
        await self._mouth.say(self._sentences(), self._may_begin, self._began)

    async def _sentences(self) -> AsyncGenerator[Sentence, None]:
        """Those that wait, as they come; each stays in the list until its first audio leaves."""
        given: set[Sentence] = set()
        while True:
            self._news.clear()
            for sentence in tuple(self._waiting):
                if sentence is None:
                    return
                if sentence not in given and not sentence.is_void:
                    given.add(sentence)
                    # What was made before a `hush` is made anew.
                    sentence.audio = asyncio.Queue()
                    yield sentence
            await self._news.wait()

    def _began(self, sentence: Sentence) -> None:
        self.reach("first_audio")
        if sentence in self._waiting:
            self._waiting.remove(sentence)


async def _cancelled(task: asyncio.Task[None] | None) -> None:
    if task is not None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
