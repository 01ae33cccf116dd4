"""``GET /console/live``: tells the console's pages that what they show has changed, and who else looks.

Events are ``changed``, whose id is the mark of the view (a page that comes back with it is told only what is
new); ``here`` with the names of other members of staff who look at the same conversation; ``waiting`` with
the conversations that need a person, on every stream; and ``ended`` once the session is over. No event has a
word of a guest's.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack, suppress
from http import HTTPStatus
from urllib.parse import urlsplit

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from server.channels import sse
from server.console.conversations import checked_id
from server.console.sessions import SESSION_COOKIE
from server.errors import Forbidden, NotFound, StoreUnavailable, TooBusy, TooManyRequests, Unauthenticated
from server.realtime.sockets import CLOSE_WITHIN_S, OpenSockets
from server.realtime.staff_watch import MarkOf, Overall, Reader, View, Watch, Watches
from server.store.users import User

MOST_STREAMS = 500
# Of the pages that a browser has open and nobody sees, one has one.
MOST_OF_ONE_USER = 12
# A proxy cuts what is silent for a minute.
KEEP_ALIVE_S = 15.0
CHECK_EVERY_S = 30.0
# After so long a page asks for a stream again that has ended.
COME_BACK_MS = 2000

# Whose session a cookie is; None: nobody's, or not any more. Blocks.
UserOf = Callable[[str], User | None]

log = structlog.get_logger(__name__)


class StaffStreams:
    """Serves the streams.

    Args:
        hosts: names under which the console is known, beside the one that a request names itself.
        check_every_s: how often it is looked whether a stream's session still holds.
    """

    def __init__(
        self,
        *,
        user_of: UserOf,
        mark_of: MarkOf,
        sockets: OpenSockets,
        hosts: Collection[str] = (),
        most: int = MOST_STREAMS,
        most_of_one_user: int = MOST_OF_ONE_USER,
        keep_alive_s: float = KEEP_ALIVE_S,
        check_every_s: float = CHECK_EVERY_S,
    ) -> None:
        self._user_of = user_of
        self._mark_of = mark_of
        self._watches = Watches(mark_of)
        self._sockets = sockets
        self._hosts = frozenset(hosts)
        self._most = most
        self._most_of_one_user = most_of_one_user
        self._keep_alive_s = keep_alive_s
        self._check_every_s = check_every_s
        # Streams of each user.
        self._open: Counter[int] = Counter()

    async def answer(self, request: Request) -> Response:
        """The stream.

        Raises:
            Forbidden: it is not a page of the console that asks.
            Unauthenticated: nobody is logged in.
            NotFound: the tenant has no such conversation.
            TooManyRequests: the user has too many already.
            TooBusy: all have.
            StoreUnavailable: the database does not answer.
        """
        headers = self._manners(request)
        self._sockets.check_room()
        cookie = request.cookies.get(SESSION_COOKIE, "")
        user = await asyncio.to_thread(self._user_of, cookie)
        if user is None:
            raise Unauthenticated("log in to the console")
        view = View(user.tenant_id, _asked_for(request.query_params, user))
        if not isinstance(view.of, Overall):
            # It is there, and theirs.
            await asyncio.to_thread(self._mark_of, view)
        self._check_room(user)
        return StaffStream(self, view, user, cookie, request.headers.get("last-event-id"), headers)

    def _manners(self, request: Request) -> Mapping[str, str]:
        """What a page of the console needs to read the answer.

        Raises:
            Forbidden: it is a page of somebody else's that asks.
        """
        origin = request.headers.get("origin")
        if origin is None:
            # Of a page's own origin browsers say so in another way; what is no browser says nothing.
            if request.headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
                raise Forbidden("this is for pages of the console")
            return {}
        # The web process may have another port.
        if urlsplit(origin).hostname not in {request.url.hostname, *self._hosts}:
            raise Forbidden("this is for pages of the console")
        return {
            "Access-Control-Allow-Origin": origin,
            "Access-Control-Allow-Credentials": "true",
            "Vary": "Origin",
        }

    def _check_room(self, user: User) -> None:
        if self._open.total() >= self._most:
            raise TooBusy("this server takes no more pages; try again in a moment")
        if self._open[user.id] >= self._most_of_one_user:
            raise TooManyRequests("too many pages of the console are open; close some", COME_BACK_MS / 1000)

    async def serve(self, stream: StaffStream, reader: Reader, cookie: str) -> None:
        """Let *stream* tell its news until there are no more."""
        self._open[reader.user.id] += 1
        try:
            with self._sockets.listed(stream), ExitStack() as looked_at:
                views = [View(reader.user.tenant_id, Overall.WAITING)]
                if stream.view not in views:
                    views.append(stream.view)
                watches = [looked_at.enter_context(self._watches.watched(view, reader)) for view in views]
                await self._tell(stream, reader, watches, cookie)
        finally:
            self._open[reader.user.id] -= 1
            if not self._open[reader.user.id]:
                del self._open[reader.user.id]

    async def _tell(self, stream: StaffStream, reader: Reader, watches: Sequence[Watch], cookie: str) -> None:
        clock = asyncio.get_running_loop().time
        check_at = clock() + self._check_every_s
        waiting, *shown = watches
        while not any(watch.is_over for watch in watches):
            if clock() >= check_at:
                if not await asyncio.to_thread(self._holds, reader.user, cookie):
                    await stream.tell_end()
                    return
                check_at = clock() + self._check_every_s
            await stream.tell_waiting(waiting.mark)
            for watch in shown:
                await stream.tell(watch.mark, watch.others(reader))
            alive_at = stream.wrote_at + self._keep_alive_s
            # Others who come and go are news too, of which there may be nothing to write.
            await reader.news(within_s=max(min(alive_at, check_at) - clock(), 0))
            if clock() >= alive_at:
                await stream.keep_alive()

    def _holds(self, user: User, cookie: str) -> bool:
        try:
            found = self._user_of(cookie)
        except StoreUnavailable:
            # It is asked again soon.
            return True
        return found is not None and (found.id, found.tenant_id) == (user.id, user.tenant_id)


class StaffStream(Response):
    """One page's stream."""

    def __init__(
        self,
        streams: StaffStreams,
        view: View,
        user: User,
        cookie: str,
        seen: str | None,
        headers: Mapping[str, str],
    ) -> None:
        super().__init__(headers={**headers, **sse.HEADERS, "Content-Type": sse.CONTENT_TYPE})
        # It ends when it ends.
        del self.headers["content-length"]
        self.view = view
        # By the event loop's clock.
        self.wrote_at = 0.0
        self._streams = streams
        self._reader = Reader(user)
        self._cookie = cookie
        self._seen = seen
        self._needs: str | None = None
        self._others: Sequence[str] = []
        self._send: Send = _nowhere
        self._is_told_to_go = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 (ASGI's)
        """Write until the page goes, its session ends or the process stops."""
        self._send = send
        await send({"type": "http.response.start", "status": HTTPStatus.OK, "headers": self.raw_headers})
        await self._write(f"retry: {COME_BACK_MS}\n\n")
        ends = [
            asyncio.create_task(self._streams.serve(self, self._reader, self._cookie)),
            asyncio.create_task(_gone(receive)),
            asyncio.create_task(self._is_told_to_go.wait()),
        ]
        try:
            done, _ = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in ends:
                task.cancel()
            await asyncio.wait(ends)
        for task in done:
            task.result()
        # One that does not read would hold up the closing of all.
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(CLOSE_WITHIN_S):
                await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def go_away(self, within_s: float) -> None:  # noqa: ARG002 - nothing is under way here
        """End: the page comes back."""
        self._is_told_to_go.set()

    async def tell(self, mark: str | None, others: Sequence[str]) -> None:
        """Tell what is new of the view's mark and of who else looks."""
        if mark is not None and mark != self._seen:
            self._seen = mark
            await self._write(f"id: {mark}\nevent: changed\ndata: {{}}\n\n")
        if not isinstance(self.view.of, Overall) and others != self._others:
            self._others = others
            await self._write(f"event: here\ndata: {json.dumps(others)}\n\n")

    async def tell_waiting(self, needs: str | None) -> None:
        """Tell who waits for a person, once it is known and whenever it is another."""
        if needs is not None and needs != self._needs:
            self._needs = needs
            await self._write(f"event: waiting\ndata: {needs}\n\n")

    async def tell_end(self) -> None:
        """Tell that the session is over."""
        await self._write("event: ended\ndata: {}\n\n")

    async def keep_alive(self) -> None:
        """A sign of life."""
        await self._write_bytes(sse.KEEP_ALIVE)

    async def _write(self, frame: str) -> None:
        await self._write_bytes(frame.encode())

    async def _write_bytes(self, body: bytes) -> None:
        await self._send({"type": "http.response.body", "body": body, "more_body": True})
        self.wrote_at = asyncio.get_running_loop().time()


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _nowhere(message: Message) -> None:
    """Before the stream is served."""


def _asked_for(query: Mapping[str, str], user: User) -> int | Overall:
    """What an address names: a conversation, or with whose page it is who waits, or else the list.

    Raises:
        Forbidden: the page is another user's, who was logged in before.
        NotFound: that is no number of a conversation.
    """
    if "waiting" in query:
        if query["waiting"] != str(user.id):
            raise Forbidden("this page is of somebody who is not logged in any more")
        return Overall.WAITING
    value = query.get("conversation")
    if value is None:
        return Overall.LIST
    if not (value.isascii() and value.isdecimal()):
        raise NotFound("there is no such conversation")
    return checked_id(int(value))
