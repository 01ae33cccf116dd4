"""A reply stream as chat clients read it: events with ids, by which one whose connection broke goes on."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from server.channels.chat_messages import ChatMessages, conversation_of, reply_json
from server.domain.conversations import Reply
from server.domain.events import Replace, Token, ToolResult, ToolStart
from server.errors import UnprocessableRequest
from server.inbox.answer import Answers
from server.inbox.streams import Done, Failed, Numbered, ReplyStream

# How long a connection is silent before a sign of life; proxies cut those that are silent for longer.
KEEP_ALIVE_S = 10.0
# The last event of a client that has seen none.
NOTHING_SEEN = "0"

_EVENT_ID = re.compile(r"(\d{1,18})-(\d{1,9})", re.ASCII)


@dataclass(frozen=True, slots=True)
class EventId:
    """Which event of which message's stream."""

    message_id: int
    number: int

    @classmethod
    def parse(cls, text: object) -> EventId:
        """Raises UnprocessableRequest where *text* is no event's id."""
        found = _EVENT_ID.fullmatch(text) if isinstance(text, str) else None
        if found is None:
            raise UnprocessableRequest("the last event id must be that of an event, such as 17-5")
        return cls(int(found[1]), int(found[2]))

    def __str__(self) -> str:
        return f"{self.message_id}-{self.number}"


@dataclass(frozen=True, slots=True)
class ChatEvent:
    """One event as it goes over the wire; ``data`` is its JSON."""

    id: EventId
    name: str
    data: dict[str, Any]


class StreamReader:
    """One client's place in a reply stream.

    It asks for what is next once it has taken what was before: however slowly it takes it, nothing piles up
    but the reply itself, and the words that have come meanwhile are one event.

    Args:
        last_seen: the number of the last event that the client has, 0 for none.
        keep_alive_s: after so long a silence the client should be given a sign of life.
    """

    def __init__(self, stream: ReplyStream, last_seen: int = 0, keep_alive_s: float = KEEP_ALIVE_S) -> None:
        self.keep_alive_s = keep_alive_s
        self._stream = stream
        self._first, self._after = _resumed(stream, last_seen) if last_seen else ((), 0)
        self.is_over = False

    def read(self, timeout_s: float) -> list[ChatEvent]:
        """What is next; waits for it in the calling thread. Empty when the time is up."""
        return self._told(self._first or self._stream.read(self._after, timeout_s))

    async def next(self, timeout_s: float) -> list[ChatEvent]:
        """As `read`, on the desk's event loop."""
        try:
            async with asyncio.timeout(timeout_s):
                return self._told(self._first or await self._stream.next(self._after))
        except TimeoutError:
            return []

    def leave(self) -> None:
        """The client has gone, or has all that it wanted."""
        self._stream.leave()

    def _told(self, events: Sequence[Numbered]) -> list[ChatEvent]:
        self._first = ()
        if events:
            self._after = events[-1].number
            self.is_over = isinstance(events[-1].event, Done | Failed)
        return list(_told(self._stream.message_id, events))


class ChatStreams:
    """Opens streams for clients: of a new message, or one of before. Its calls block."""

    def __init__(self, answers: Answers, messages: ChatMessages, keep_alive_s: float = KEEP_ALIVE_S) -> None:
        self._answers = answers
        self._messages = messages
        self._keep_alive_s = keep_alive_s

    def open(self, tenant_id: str, body: Mapping[str, Any], last_event_id: str | None) -> StreamReader:
        """What is said to the message of *body*; with *last_event_id*, what is said after that event.

        A client that has seen none yet gives None or `NOTHING_SEEN`.

        Raises:
            NotFound: the tenant is not the key's, or its conversation has no such message.
            StoreUnavailable: nothing was saved.
            UnprocessableRequest: *body* or the id does not say what it must.
        """
        # The same call again: it must be sound, though nothing is said a second time.
        message = self._messages.read(tenant_id, body)
        if last_event_id not in (None, NOTHING_SEEN):
            return self.resume(tenant_id, body, last_event_id)
        return StreamReader(self._answers.stream(message), keep_alive_s=self._keep_alive_s)

    def resume(self, tenant_id: str, body: Mapping[str, Any], last_event_id: object) -> StreamReader:
        """What is said after event *last_event_id* in the conversation that *body* names.

        Raises:
            as `open`.
        """
        conversation, last = conversation_of(tenant_id, body), EventId.parse(last_event_id)
        stream = self._answers.resume(tenant_id, conversation, last.message_id)
        return StreamReader(stream, last.number, self._keep_alive_s)


def _resumed(stream: ReplyStream, last_seen: int) -> tuple[Sequence[Numbered], int]:
    """What to begin with for one who has read as far as *last_seen*, and the number to go on after.

    Whoever told it that may have been another process, whose numbers are not those of *stream*.
    """
    known = stream.read(0, 0)
    if known and isinstance(known[-1].event, Done | Failed):
        return _told_whole(known[-1]), known[-1].number
    if last_seen > len(known):
        return [Numbered(0, Replace(""))], 0
    return (), last_seen


def _told_whole(end: Numbered) -> Sequence[Numbered]:
    match end.event:
        case Done(Reply() as reply):
            return [Numbered(end.number - 1, Replace(reply.text)), end]
        case _:
            return [end]


def _told(message_id: int, events: Sequence[Numbered]) -> Iterator[ChatEvent]:
    for numbered in _merged(events):
        number = numbered.number
        match numbered.event:
            case Token(text):
                yield ChatEvent(EventId(message_id, number), "token", {"text": text})
            case Replace(text):
                yield ChatEvent(EventId(message_id, number), "replace", {"text": text})
            case ToolStart(tool):
                yield ChatEvent(EventId(message_id, number), "tool_start", {"tool": tool})
            case ToolResult(tool, count):
                yield ChatEvent(EventId(message_id, number), "tool_result", {"tool": tool, "count": count})
            case Failed(reason):
                yield ChatEvent(EventId(message_id, number), "error", {"error": reason, "status": 503})
            case Done(reply):
                answer = reply_json(reply)
                # Under the id before: a reader that is cut between the two is told both again.
                citations = {"citations": answer["citations"]}
                yield ChatEvent(EventId(message_id, number - 1), "citations", citations)
                yield ChatEvent(EventId(message_id, number), "done", answer)


def _merged(events: Sequence[Numbered]) -> Iterator[Numbered]:
    """*events* with the words that follow one another in one."""
    for are_words, run in groupby(events, lambda numbered: isinstance(numbered.event, Token)):
        if not are_words:
            yield from run
            continue
        words = list(run)
        text = "".join(word.event.text for word in words if isinstance(word.event, Token))
        yield Numbered(words[-1].number, Token(text))
