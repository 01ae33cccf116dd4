"""One message in, its reply out: for channels whose answer goes back on the call itself."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any

import structlog

from server.domain.conversations import Reply
from server.domain.messages import InboundMessage
from server.errors import NotFound, StoreUnavailable
from server.inbox.drain import Drain
from server.inbox.streams import Done, Failed, ReplyStream, Streams, told_again
from server.observability.metrics import MESSAGES
from server.ports.store import InboxStore, ReplyStore

POLL_S = 0.05
NOT_IN_TIME = "no answer in time; the message is kept and will be answered"

log = structlog.get_logger(__name__)


class Answers:
    """Saves a message and runs its conversation until a reply covers it.

    Args:
        submit: runs a coroutine on the core's event loop, from any thread.
        foresee: begins what answering a message of a tenant takes, while it is being saved; returns at once.
        timeout_s: how long a caller is kept waiting at most.
    """

    def __init__(
        self,
        inbox: InboxStore,
        replies: ReplyStore,
        drain: Drain,
        streams: Streams,
        submit: Callable[[Coroutine[Any, Any, None]], Future[None]],
        foresee: Callable[[str, str], None],
        timeout_s: float,
    ) -> None:
        self._inbox = inbox
        self._replies = replies
        self._drain = drain
        self._streams = streams
        self._submit = submit
        self._foresee = foresee
        self._timeout_s = timeout_s

    def answer(self, message: InboundMessage) -> Reply | None:
        """The reply that covers *message*; None if the conversation is left to staff. Blocks.

        Raises:
            NotFound: there is no such tenant.
            StoreUnavailable: the database does not answer, or no reply came in time. The message is
                kept if it was saved; its reply will stand in the conversation.
        """
        stream = self.stream(message)
        stream.wait_for_end(self._timeout_s + POLL_S)
        return _outcome(stream)

    def stream(self, message: InboundMessage) -> ReplyStream:
        """Save *message* and answer it; its reply is read from the stream while it is made.

        A message that is known already is not answered again: its reader joins the others. Blocks for one
        transaction.

        Raises:
            NotFound: there is no such tenant.
            StoreUnavailable: nothing was saved.
        """
        self._foresee(message.tenant_id, message.text)
        begun = self._drain.begin(message)
        saved = begun.saved
        MESSAGES.inc(channel=message.channel, verdict="accepted" if saved.is_new else "duplicate")
        stream = self._streams.open(saved.id)
        self._submit(self._see_out(saved.id, self._drain.go_on(begun), stream))
        return stream

    def resume(self, tenant_id: str, conversation: str, message_id: int) -> ReplyStream:
        """The stream of a message of before, with all that was said; blocks for one query.

        Args:
            conversation: the id that the client gave its conversation.

        Raises:
            NotFound: the conversation has no such message.
            StoreUnavailable: the database does not answer.
        """
        saved = self._inbox.find_chat_message(tenant_id, conversation, message_id)
        if saved is None:
            raise NotFound("this conversation has no such message")
        if self._streams.get(message_id) is None and not saved.is_waiting:
            return told_again(message_id, self._replies.find_reply(message_id))
        stream = self._streams.open(message_id)
        draining = self._drain.run(str(saved.conversation_id))
        self._submit(self._see_out(saved.id, draining, stream))
        return stream

    async def _see_out(
        self, message_id: int, draining: Coroutine[Any, Any, None], stream: ReplyStream
    ) -> None:
        """Take the conversation's turns until the message is handled, whoever does it."""
        ends_at = time.monotonic() + self._timeout_s
        running = asyncio.create_task(draining)
        # A turn that is late goes on by itself.
        await asyncio.wait({running}, timeout=self._timeout_s)
        try:
            if running.done():
                running.result()
            # Another process may hold the conversation: then it takes this message too, in its turn.
            while not stream.has_ended and time.monotonic() < ends_at:
                if await asyncio.to_thread(self._inbox.is_handled, message_id):
                    stream.end(await asyncio.to_thread(self._replies.find_reply, message_id))
                else:
                    await asyncio.sleep(POLL_S)
        except Exception as error:
            log.exception("answer.failed", message=message_id, error=type(error).__name__)
        if not stream.has_ended:
            stream.fail(NOT_IN_TIME)
            self._streams.forget(message_id)


def _outcome(stream: ReplyStream) -> Reply | None:
    """What a stream ended with.

    Raises:
        StoreUnavailable: not with a reply.
    """
    match stream.end_event:
        case Done(reply):
            return reply
        case Failed(reason):
            raise StoreUnavailable(reason)
        case None:
            raise StoreUnavailable(NOT_IN_TIME)
