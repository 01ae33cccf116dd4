"""What staff look at, and who looks: the database is asked for each view once, however many watch it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import structlog

from server.console.live import needs_json
from server.errors import NotFound, StoreUnavailable
from server.store.changes import Changes
from server.store.needs import Needs
from server.store.users import User

EVERY_S = 0.1
# A database that does not answer is not pressed.
RETRY_S = 1.0
# All views together are asked about for this share of the time, and more rarely where that is not enough:
# calls and answers come first in this process.
SHARE = 0.2

log = structlog.get_logger(__name__)


class Overall(StrEnum):
    """What is about all conversations of a tenant's: their list, or which of them wait for a person."""

    LIST = "list"
    WAITING = "waiting"


@dataclass(frozen=True, slots=True)
class View:
    """What a tenant's staff look at; ``of`` is the id of a conversation, or `Overall`."""

    tenant_id: str
    of: int | Overall


# The mark of what a view shows; blocks. Who waits is told by the mark itself, as `needs_json`.
MarkOf = Callable[[View], str]


def mark_of(changes: Changes, waiting: Needs) -> MarkOf:
    """Asks *changes* and *waiting* for the mark of a view."""

    def mark(view: View) -> str:
        match view.of:
            case Overall.LIST:
                return changes.of_list(view.tenant_id)
            case Overall.WAITING:
                return needs_json(waiting.of(view.tenant_id))
            case conversation_id:
                return changes.of_thread(view.tenant_id, conversation_id)

    return mark


class Reader:
    """One who looks, as long as a page of theirs is open."""

    def __init__(self, user: User) -> None:
        self.user = user
        self._has_news = asyncio.Event()

    def tell(self) -> None:
        """There is something new to look at."""
        self._has_news.set()

    async def news(self, within_s: float) -> bool:
        """Wait for it; False if nothing comes in time."""
        try:
            async with asyncio.timeout(within_s):
                await self._has_news.wait()
        except TimeoutError:
            return False
        self._has_news.clear()
        return True


class Watch:
    """What is known of one view. ``mark`` is None until it was asked for; ``is_over``: no more is to come."""

    def __init__(self) -> None:
        self.mark: str | None = None
        self.is_over = False
        self._readers: set[Reader] = set()
        self._following: asyncio.Task[None] | None = None

    @property
    def is_wanted(self) -> bool:
        """Whether anybody looks."""
        return bool(self._readers)

    def others(self, reader: Reader) -> Sequence[str]:
        """The names of the other members of staff who look, in order."""
        ours = reader.user.id
        return sorted({other.user.name for other in self._readers if other.user.id != ours})

    def follow(self, work: Coroutine[Any, Any, None]) -> None:
        """Have *work* ask about the view until `stop`."""
        self._following = asyncio.create_task(work)

    def stop(self) -> None:
        """Ask no more."""
        if self._following is not None:
            self._following.cancel()

    def show(self, mark: str) -> None:
        """Tell all readers if *mark* is another."""
        if mark != self.mark:
            self.mark = mark
            self.tell()

    def end(self) -> None:
        """There is nothing to look at any more."""
        self.is_over = True
        self.tell()

    def tell(self) -> None:
        """Let all readers look."""
        for reader in self._readers:
            reader.tell()

    def join(self, reader: Reader) -> None:
        """One more looks."""
        self._readers.add(reader)
        self.tell()

    def leave(self, reader: Reader) -> None:
        """One less looks."""
        self._readers.discard(reader)
        self.tell()


class Watches:
    """The views that somebody looks at. Lives on one event loop.

    Args:
        every_s: how often a view is asked about, as long as there are few.
    """

    def __init__(self, mark_of: MarkOf, every_s: float = EVERY_S) -> None:
        self._mark_of = mark_of
        self._every_s = every_s
        self._open: dict[View, Watch] = {}
        # One question at a time: they must not take the threads of those who wait for an answer.
        self._asking = asyncio.Lock()

    @contextmanager
    def watched(self, view: View, reader: Reader) -> Iterator[Watch]:
        """Let *reader* look at *view* for the time of the block."""
        watch = self._open.get(view) or self._begin(view)
        watch.join(reader)
        try:
            yield watch
        finally:
            watch.leave(reader)
            if not watch.is_wanted:
                self._forget(view, watch)
                watch.stop()

    def _begin(self, view: View) -> Watch:
        watch = self._open[view] = Watch()
        watch.follow(self._follow(view, watch))
        return watch

    def _forget(self, view: View, watch: Watch) -> None:
        if self._open.get(view) is watch:
            del self._open[view]

    async def _follow(self, view: View, watch: Watch) -> None:
        try:
            while True:
                await asyncio.sleep(await self._look(view, watch))
        except NotFound:
            log.info("console.view_gone", conversation=view.of)
        except Exception as error:
            log.exception("console.watch_fault", error=type(error).__name__)
        # Their pages ask for the stream again, and are told what is wrong with it.
        self._forget(view, watch)
        watch.end()

    async def _look(self, view: View, watch: Watch) -> float:
        """Ask once; how long to wait until the next time."""
        async with self._asking:
            began = time.monotonic()
            try:
                watch.show(await asyncio.to_thread(self._mark_of, view))
            except StoreUnavailable:
                return RETRY_S
            took_s = time.monotonic() - began
        return max(self._every_s, took_s * len(self._open) / SHARE)
