"""Makes one conversation of two once it is known that their guests are one person."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import structlog

from server.domain.conversations import Lease, conversation_key, lane_key
from server.domain.messages import conversation_lane
from server.errors import LeaseLost
from server.leases import hold
from server.ports.queue import WorkQueue
from server.ports.store import IdentityStore, LeaseStore, Merge

log = structlog.get_logger(__name__)


class Merger:
    """Merges while nobody works on either conversation; what is busy is tried again by the sweep."""

    def __init__(self, leases: LeaseStore, identities: IdentityStore, conversations: WorkQueue) -> None:
        self._leases = leases
        self._identities = identities
        self._conversations = conversations

    async def run(self, key: str) -> None:
        """Merge guest *key* into whoever they turned out to be. Safe to call at any time, anywhere."""
        merge = await asyncio.to_thread(self._identities.find_merge, int(key))
        if merge is None:
            return
        async with AsyncExitStack() as held:
            leases = []
            # In one order everywhere, so that two who want the same never hold half each for long.
            for name in _names(merge):
                lease: Lease | None = await held.enter_async_context(hold(self._leases, name))
                if lease is None:
                    return
                leases.append(lease)
            try:
                await asyncio.to_thread(self._identities.merge, leases, merge)
            except LeaseLost:
                log.warning("merge.lease_lost", leaving=merge.leaving, staying=merge.staying)
                return
        log.info("merge.done", leaving=merge.leaving, staying=merge.staying)
        self._conversations.put(str(merge.staying))


def _names(merge: Merge) -> list[str]:
    conversations = sorted((merge.leaving, merge.staying))
    turns = [conversation_key(conversation_id) for conversation_id in conversations]
    return turns + [lane_key(conversation_lane(conversation_id)) for conversation_id in conversations]
