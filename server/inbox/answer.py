"""One message in, its reply out: for channels whose answer goes back on the call itself."""

from __future__ import annotations

import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

from server.domain.conversations import Reply
from server.domain.messages import InboundMessage
from server.errors import StoreUnavailable
from server.inbox.drain import Drain
from server.ports.store import InboxStore, ReplyStore

POLL_S = 0.05


class Answers:
    """Saves a message and runs its conversation until a reply covers it.

    Args:
        submit: runs a coroutine on the core's event loop, from any thread.
        timeout_s: how long a caller is kept waiting at most.
    """

    def __init__(
        self,
        inbox: InboxStore,
        replies: ReplyStore,
        drain: Drain,
        submit: Callable[[Coroutine[Any, Any, None]], Future[None]],
        timeout_s: float,
    ) -> None:
        self._inbox = inbox
        self._replies = replies
        self._drain = drain
        self._submit = submit
        self._timeout_s = timeout_s

    def answer(self, message: InboundMessage) -> Reply | None:
        """The reply that covers *message*; None if the conversation is left to staff. Blocks.

        Raises:
            NotFound: there is no such tenant.
            StoreUnavailable: the database does not answer, or no reply came in time. The message is
                kept if it was saved; its reply will stand in the conversation.
        """
        saved = self._inbox.save(message.tenant_id, [message])[0]
        deadline = time.monotonic() + self._timeout_s
        run = self._submit(self._drain.run(str(saved.conversation_id)))
        # A turn that is late goes on by itself.
        with suppress(TimeoutError):
            run.result(timeout=self._timeout_s)
        # Another worker may hold the conversation: then it takes this message too, in its turn.
        while not self._inbox.is_handled(saved.id):
            if time.monotonic() > deadline:
                raise StoreUnavailable("no answer in time; the message is kept and will be answered")
            time.sleep(POLL_S)
        return self._replies.find_reply(saved.id)
