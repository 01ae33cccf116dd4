"""Shows a guest that an answer is being written, for as long as it is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import structlog

from server.domain.conversations import Turn
from server.domain.messages import Channel
from server.errors import ProviderError
from server.ports.messaging import PresenceSender, PresenceState

# A phone stops showing it after about ten seconds unless it is told again.
REFRESH_S = 8.0
# How long a finished answer waits for its indicator at most.
OVERTAKING_S = 0.2

log = structlog.get_logger(__name__)


class Presence:
    """The typing indicator of turns."""

    def __init__(self, sender: PresenceSender, refresh_s: float = REFRESH_S) -> None:
        self._sender = sender
        self._refresh_s = refresh_s

    @asynccontextmanager
    async def composing(self, turn: Turn) -> AsyncIterator[None]:
        """Shown at once and kept up while the block runs; the block never waits for it.

        The message itself ends it on the guest's phone. A block that raises ends it here.
        """
        if turn.channel is not Channel.WHATSAPP:
            yield
            return
        first = asyncio.create_task(self._show(turn, PresenceState.COMPOSING))
        kept_up = asyncio.create_task(self._keep_up(turn))
        try:
            try:
                yield
            finally:
                kept_up.cancel()
                with suppress(asyncio.CancelledError):
                    await kept_up
                # An indicator that comes behind what ends it would stay.
                await asyncio.wait([first], timeout=OVERTAKING_S)
        except BaseException:
            await asyncio.shield(self._show(turn, PresenceState.PAUSED))
            raise

    async def _keep_up(self, turn: Turn) -> None:
        while True:
            await asyncio.sleep(self._refresh_s)
            await self._show(turn, PresenceState.COMPOSING)

    async def _show(self, turn: Turn, state: PresenceState) -> None:
        try:
            await asyncio.to_thread(self._sender.show, turn.tenant.id, turn.reply_to, state)
        except ProviderError as error:
            log.info("presence.not_shown", turn=turn.id, reason=error.reason)
